#include "daemon/policy-fault.h"

#include "base/json.h"

#include <string.h>

#define BYTE "(byte "
#define POINTER " /" /* after a name of a file, which has neither */
#define POINTER_END " :,;"

static unsigned line_at(const SyncdPolicySource *source, size_t offset)
{
    unsigned line = 1;
    for (size_t i = 0; i < MIN(offset, source->size); i++)
        line += source->text[i] == '\n';
    return line;
}

static SyncdJson step_into(SyncdJson value, const char *step)
{
    SyncdJsonIter iter;
    SyncdJson element;
    guint64 index;
    if (value.type == SYNCD_JSON_OBJECT)
        return syncd_json_member(value, step);
    if (value.type != SYNCD_JSON_ARRAY ||
        !g_ascii_string_to_unsigned(step, 10, 0, G_MAXUINT, &index, NULL))
        return (SyncdJson){SYNCD_JSON_NONE, NULL, NULL};
    syncd_json_iter_init(&iter, value);
    while (syncd_json_iter_next(&iter, NULL, &element))
        if (index-- == 0)
            return element;
    return (SyncdJson){SYNCD_JSON_NONE, NULL, NULL};
}

/* As far as the pointer leads: of a member that is missing, the beginning of what lacks it. */
static size_t offset_of(const SyncdPolicySource *source, const char *pointer)
{
    g_autofree char *text = g_strndup(pointer, strcspn(pointer, POINTER_END));
    g_auto(GStrv) steps = g_strsplit(text + 1, "/", -1);
    SyncdJson value = syncd_json_root(source->text, source->size);
    for (char **step = steps; *step != NULL; step++) {
        SyncdJson next = step_into(value, *step);
        if (next.type == SYNCD_JSON_NONE)
            break;
        value = next;
    }
    return (size_t)(value.at - source->text);
}

unsigned syncd_policy_fault_line(const SyncdPolicySource *source, const char *sentence)
{
    const char *byte = strstr(sentence, BYTE), *pointer = strstr(sentence, POINTER);
    if (byte != NULL)
        return line_at(source, (size_t)g_ascii_strtoull(byte + strlen(BYTE), NULL, 10));
    bool readable = syncd_json_check(source->text, source->size, SYNCD_JSON_ANY, NULL);
    return pointer != NULL && readable ? line_at(source, offset_of(source, pointer + 1)) : 1;
}

void syncd_policy_fault_locate(const SyncdPolicySource *source, GError **error)
{
    if (error == NULL || *error == NULL || source->path == NULL)
        return;
    SyncdErrorCode code = (SyncdErrorCode)(*error)->code;
    g_autofree char *sentence = NULL, *next = NULL;
    syncd_error_split((*error)->message, &sentence, &next);
    bool usual = next == NULL || g_str_has_prefix(next, syncd_error_info(code)->next);
    size_t length = next != NULL ? strlen(next) : 0;
    if (length > 0 && next[length - 1] == '.')
        next[length - 1] = '\0';
    g_autofree char *better = g_strdup_printf(
        "%s, in line %u of %s, then reload the daemon (`systemctl reload sourceos-syncd`, with "
        "--user for yours); `sourceos-syncd policy list` says whether it is good, and until then "
        "the last good rules of its level stay in force",
        usual ? "correct what is named" : next, syncd_policy_fault_line(source, sentence),
        source->path);
    g_clear_error(error);
    syncd_set_error_next(error, code, better, "%s", sentence);
}
