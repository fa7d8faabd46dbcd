#include "workspace/names.h"

#include "crypto/short.h"

#include <string.h>

SyncdName *syncd_name_new(guint64 folder, SyncdBytes text)
{
    SyncdName *name = g_malloc(sizeof *name + text.size);
    *name = (SyncdName){.folder = folder, .size = (guint32)text.size};
    if (text.size > 0)
        memcpy(name->text, text.data, text.size);
    return name;
}

SyncdBytes syncd_name_text(const SyncdName *name)
{
    return SYNCD_BYTES(name->text, name->size);
}

static guint hash_name(const void *key)
{
    const SyncdName *name = key;
    return syncd_short_hash(name->folder, syncd_name_text(name));
}

static gboolean same_name(const void *a, const void *b)
{
    const SyncdName *left = a, *right = b;
    return left->folder == right->folder && left->size == right->size &&
           memcmp(left->text, right->text, left->size) == 0;
}

GHashTable *syncd_names_new(GDestroyNotify free_value)
{
    return g_hash_table_new_full(hash_name, same_name, g_free, free_value);
}

bool syncd_names_remove(GHashTable *names, guint64 folder, SyncdBytes text)
{
    if (g_hash_table_size(names) == 0)
        return false;
    g_autofree SyncdName *name = syncd_name_new(folder, text);
    return g_hash_table_remove(names, name);
}
