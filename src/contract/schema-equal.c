/* When two values are the same: numbers by what they are worth, strings by what they mean, objects
 * whatever the order of their members. */
#include "contract/schema-private.h"

/* Up to so many elements are compared each with each. */
#define FEW_ELEMENTS 8u

/* A string that means itself is a view; another one is unescaped into `ret_memory`. */
static SyncdBytes text_of(SyncdJson string, char **ret_memory)
{
    const char *plain;
    size_t size;
    *ret_memory = NULL;
    if (syncd_json_get_plain(string, &plain, &size))
        return SYNCD_BYTES(plain, size);
    *ret_memory = syncd_json_dup_string(string, &size);
    return SYNCD_BYTES(*ret_memory, size);
}

static bool same_bytes(SyncdBytes one, SyncdBytes other)
{
    return one.size == other.size && memcmp(one.data, other.data, one.size) == 0;
}

static bool same_strings(SyncdJson one, SyncdJson other, gint64 *budget)
{
    g_autofree char *left_memory = NULL, *right_memory = NULL;
    SyncdBytes left = text_of(one, &left_memory), right = text_of(other, &right_memory);
    *budget -= (gint64)((left.size + right.size) / 32);
    return same_bytes(left, right);
}

static bool is_number(SyncdJson value)
{
    return value.type == SYNCD_JSON_INTEGER || value.type == SYNCD_JSON_REAL;
}

static bool same_numbers(SyncdJson one, SyncdJson other, gint64 *budget)
{
    SyncdDecimal left = syncd_decimal_read(one), right = syncd_decimal_read(other);
    *budget -= (gint64)((syncd_json_size(one) + syncd_json_size(other)) / 8);
    return syncd_decimal_compare(&left, &right) == 0;
}

static bool same_values(SyncdJson one, SyncdJson other, gint64 *budget);

static bool same_arrays(SyncdJson one, SyncdJson other, gint64 *budget)
{
    SyncdJsonIter left, right;
    SyncdJson x = {0}, y = {0};
    syncd_json_iter_init(&left, one);
    syncd_json_iter_init(&right, other);
    for (;;) {
        bool more = syncd_json_iter_next(&left, NULL, &x);
        if (syncd_json_iter_next(&right, NULL, &y) != more)
            return false;
        if (!more)
            return true;
        if (!same_values(x, y, budget))
            return false;
    }
}

static SyncdJson find_member(SyncdJson object, SyncdJson wanted, gint64 *budget)
{
    SyncdJsonIter iter;
    SyncdJson name, value;
    syncd_json_iter_init(&iter, object);
    while (*budget > 0 && syncd_json_iter_next(&iter, &name, &value)) {
        *budget -= 1 + (gint64)(syncd_json_size(value) / 64);
        if (same_strings(name, wanted, budget))
            return value;
    }
    return (SyncdJson){0};
}

static bool same_objects(SyncdJson one, SyncdJson other, gint64 *budget)
{
    SyncdJsonIter iter;
    SyncdJson name, value;
    *budget -= (gint64)((syncd_json_size(one) + syncd_json_size(other)) / 32);
    if (syncd_json_count(one) != syncd_json_count(other))
        return false;
    syncd_json_iter_init(&iter, one);
    while (syncd_json_iter_next(&iter, &name, &value)) {
        SyncdJson found = find_member(other, name, budget);
        if (found.type == SYNCD_JSON_NONE || !same_values(value, found, budget))
            return false;
    }
    return true;
}

static bool same_values(SyncdJson one, SyncdJson other, gint64 *budget)
{
    if (--*budget <= 0)
        return false;
    if (is_number(one) && is_number(other))
        return same_numbers(one, other, budget);
    if (one.type != other.type)
        return false;
    switch (one.type) {
    case SYNCD_JSON_STRING:
        return same_strings(one, other, budget);
    case SYNCD_JSON_ARRAY:
        return same_arrays(one, other, budget);
    case SYNCD_JSON_OBJECT:
        return same_objects(one, other, budget);
    default:
        return true;
    }
}

bool syncd_schema_equals(SyncdJson value, const SchemaValue *wanted, gint64 *budget)
{
    if (wanted->text == NULL)
        return same_values(value, wanted->value, budget);
    if (value.type != SYNCD_JSON_STRING)
        return false;
    g_autofree char *memory = NULL;
    return same_bytes(text_of(value, &memory), SYNCD_BYTES(wanted->text, wanted->size));
}

/* ---- elements that are the same ---- */

static guint64 mix(guint64 hash, guint64 with)
{
    hash = (hash ^ with) * G_GUINT64_CONSTANT(0x9e3779b97f4a7c15);
    return hash ^ (hash >> 29);
}

static guint64 hash_string(SyncdJson string)
{
    g_autofree char *memory = NULL;
    SyncdBytes text = text_of(string, &memory);
    const char *at = text.data;
    guint64 hash = text.size;
    for (size_t left = text.size; left > 0;) {
        guint64 word = 0;
        size_t size = MIN(left, sizeof word);
        memcpy(&word, at, size);
        hash = mix(hash, word);
        at += size;
        left -= size;
    }
    return hash;
}

/* The same for values that are the same. */
static guint64 hash_value(SyncdJson value)
{
    SyncdJsonIter iter;
    SyncdJson name, element;
    guint64 hash = (guint64)value.type;
    SyncdDecimal decimal;
    switch (value.type) {
    case SYNCD_JSON_INTEGER:
    case SYNCD_JSON_REAL:
        decimal = syncd_decimal_read(value);
        return mix(SYNCD_JSON_INTEGER, syncd_decimal_hash(&decimal));
    case SYNCD_JSON_STRING:
        return mix(hash, hash_string(value));
    case SYNCD_JSON_ARRAY:
    case SYNCD_JSON_OBJECT:
        syncd_json_iter_init(&iter, value);
        while (syncd_json_iter_next(&iter, &name, &element)) {
            guint64 inner = hash_value(element);
            if (value.type == SYNCD_JSON_ARRAY)
                hash = mix(hash, inner);
            else
                hash += mix(hash_string(name), inner);
        }
        return hash;
    default:
        return mix(hash, 1);
    }
}

typedef struct {
    guint64 hash;
    guint64 index;
    SyncdJson value;
} Element;

static int compare_elements(const void *one, const void *other)
{
    const Element *left = one, *right = other;
    if (left->hash != right->hash)
        return left->hash < right->hash ? -1 : 1;
    return (left->index > right->index) - (left->index < right->index);
}

static bool find_among(const Element *elements, unsigned count, bool sorted, guint64 *ret_first,
                       guint64 *ret_second, gint64 *budget)
{
    for (unsigned i = 0; i < count; i++) {
        for (unsigned j = i + 1; j < count; j++) {
            if (sorted && elements[i].hash != elements[j].hash)
                break;
            if (same_values(elements[i].value, elements[j].value, budget)) {
                *ret_first = elements[i].index;
                *ret_second = elements[j].index;
                return true;
            }
            if (*budget <= 0)
                return false;
        }
    }
    return false;
}

bool syncd_schema_find_twins(SyncdJson array, guint64 *ret_first, guint64 *ret_second,
                             gint64 *budget)
{
    Element few[FEW_ELEMENTS];
    unsigned count = 0;
    SyncdJsonIter iter;
    SyncdJson value;
    syncd_json_iter_init(&iter, array);
    bool more = syncd_json_iter_next(&iter, NULL, &value);
    for (; more && count < FEW_ELEMENTS; more = syncd_json_iter_next(&iter, NULL, &value))
        few[count] = (Element){0, count, value}, count++;
    if (!more)
        return find_among(few, count, false, ret_first, ret_second, budget);

    g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(Element));
    syncd_json_iter_init(&iter, array);
    *budget -= (gint64)(syncd_json_size(array) / 4);
    while (*budget > 0 && syncd_json_iter_next(&iter, NULL, &value)) {
        Element element = {hash_value(value), all->len, value};
        g_array_append_val(all, element);
    }
    g_array_sort(all, compare_elements);
    return find_among((const Element *)(void *)all->data, all->len, true, ret_first, ret_second,
                      budget);
}
