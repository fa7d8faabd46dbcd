/* Finding a name among those that a schema's object knows: open addressing, half empty. */
#include "contract/schema-private.h"

static guint32 hash_of(const char *name, size_t size)
{
    guint64 first = 0, last = 0;
    if (size >= sizeof first) {
        memcpy(&first, name, sizeof first);
        memcpy(&last, name + size - sizeof last, sizeof last);
    } else {
        memcpy(&first, name, size);
    }
    guint64 mixed = (first ^ (last << 1) ^ size) * G_GUINT64_CONSTANT(0x9e3779b97f4a7c15);
    return (guint32)(mixed >> 32);
}

void syncd_schema_object_index(SchemaObject *object, GPtrArray *owned)
{
    guint32 slots = 4;
    while (slots < object->count * 2)
        slots *= 2;
    object->slot_mask = slots - 1;
    object->slots = syncd_schema_own(owned, g_new0(guint16, slots));
    for (unsigned i = 0; i < object->count; i++) {
        const SchemaProperty *property = &object->properties[i];
        guint32 at = hash_of(property->name, property->size) & object->slot_mask;
        while (object->slots[at] != 0)
            at = (at + 1) & object->slot_mask;
        object->slots[at] = (guint16)(i + 1);
    }
}

const SchemaProperty *syncd_schema_object_find(const SchemaObject *object, const char *name,
                                               size_t size)
{
    if (object->count == 0)
        return NULL;
    guint32 at = hash_of(name, size) & object->slot_mask;
    for (; object->slots[at] != 0; at = (at + 1) & object->slot_mask) {
        const SchemaProperty *property = &object->properties[object->slots[at] - 1];
        if (property->size == size && memcmp(property->name, name, size) == 0)
            return property;
    }
    return NULL;
}
