#include "contract/rules.h"

#include "contract/check.h"
#include "contract/decimal.h"

void syncd_rule_break(SyncdRuling *ruling, const char *rule, const char *path, const char *format,
                      ...)
{
    ruling->broken = true;
    if (ruling->errors == NULL)
        return;
    g_autofree char *name = g_strconcat(SYNCD_RULE_PREFIX, rule, NULL);
    va_list args;
    va_start(args, format);
    syncd_schema_errors_note(ruling->errors, path, name, format, args);
    va_end(args);
}

/* ---- sets of strings ---- */

static GBytes *text_of(SyncdJson value)
{
    size_t size;
    char *text = syncd_json_dup_string(value, &size);
    return text != NULL ? g_bytes_new_take(text, size) : NULL;
}

static GHashTable *new_texts(void)
{
    return g_hash_table_new_full(g_bytes_hash, g_bytes_equal, (GDestroyNotify)g_bytes_unref, NULL);
}

GHashTable *syncd_rule_texts(SyncdJson array, const char *name)
{
    GHashTable *texts = new_texts();
    SyncdJsonIter iter;
    SyncdJson element;
    syncd_json_iter_init(&iter, array);
    while (syncd_json_iter_next(&iter, NULL, &element)) {
        GBytes *text = text_of(name != NULL ? syncd_json_member(element, name) : element);
        if (text != NULL)
            g_hash_table_add(texts, text);
    }
    return texts;
}

bool syncd_rule_has(GHashTable *texts, SyncdJson value)
{
    g_autoptr(GBytes) text = text_of(value);
    return text != NULL && g_hash_table_contains(texts, text);
}

void syncd_rule_differ(SyncdRuling *ruling, const char *rule, const char *path, SyncdJson array,
                       const char *name)
{
    g_autoptr(GHashTable) seen = new_texts();
    SyncdJsonIter iter;
    SyncdJson element;
    unsigned index = 0;
    syncd_json_iter_init(&iter, array);
    for (; syncd_json_iter_next(&iter, NULL, &element); index++) {
        GBytes *text = text_of(syncd_json_member(element, name));
        if (text == NULL || g_hash_table_add(seen, text))
            continue;
        g_autofree char *place = g_strdup_printf("%s/%u/%s", path, index, name);
        syncd_rule_break(ruling, rule, place, "must differ from that of all others");
    }
}

/* ---- numbers ---- */

static bool is_number(SyncdJson value)
{
    return value.type == SYNCD_JSON_INTEGER || value.type == SYNCD_JSON_REAL;
}

bool syncd_rule_exceeds(SyncdJson one, SyncdJson other)
{
    if (!is_number(one) || !is_number(other))
        return false;
    SyncdDecimal first = syncd_decimal_read(one), second = syncd_decimal_read(other);
    return syncd_decimal_compare(&first, &second) > 0;
}

bool syncd_rule_is_count(SyncdJson value)
{
    if (!is_number(value))
        return false;
    SyncdDecimal number = syncd_decimal_read(value);
    bool is_negative = number.negative && number.at != number.end;
    return !is_negative && syncd_decimal_is_integer(&number);
}
