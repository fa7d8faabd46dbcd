#include "daemon/policy-fault.h"

#include "base/json.h"
#include "contract/member.h"

#include <string.h>

/* A sentence is "<name of the file>: ", then "JSON: <what> at <where> (byte <offset>)", or "rule
 * <reason>: " if it is known, and a JSON pointer, and what is wrong there. */
#define JSON "JSON: "
#define BYTE "(byte "
#define RULE "rule "
#define REASON_BYTES "abcdefghijklmnopqrstuvwxyz0123456789_"
#define POINTER_END " :,;"

static unsigned line_at(const SyncdPolicySource *source, size_t offset)
{
    unsigned line = 1;
    for (size_t i = 0; i < MIN(offset, source->size); i++)
        line += source->text[i] == '\n';
    return line;
}

static const char *skip(const char *at, const char *prefix)
{
    return g_str_has_prefix(at, prefix) ? at + strlen(prefix) : at;
}

static const char *skip_rule(const char *at)
{
    const char *reason = skip(at, RULE);
    const char *end = reason + strspn(reason, REASON_BYTES);
    return reason > at && end > reason && g_str_has_prefix(end, ": ") ? end + 2 : at;
}

/* What is named may hold anything itself: the last one counts, at the end. */
static bool find_byte(const char *sentence, size_t *ret_offset)
{
    char *end;
    const char *byte = g_str_has_prefix(sentence, JSON) ? g_strrstr(sentence, BYTE) : NULL;
    if (byte == NULL)
        return false;
    *ret_offset = (size_t)g_ascii_strtoull(byte + strlen(BYTE), &end, 10);
    return strcmp(end, ")") == 0;
}

/* How much of what follows the slash is that step; 0 when it is another one. */
static size_t step_length(const char *at, const char *step)
{
    size_t length = strlen(step);
    bool is = g_str_has_prefix(at, step) &&
              (at[length] == '\0' || at[length] == '/' || strchr(POINTER_END, at[length]) != NULL);
    return is ? length : 0;
}

/* Names may hold what ends a pointer too: the longest that fits is meant. */
static SyncdJson step_into(SyncdJson value, const char **at)
{
    SyncdJsonIter iter;
    SyncdJson name, element, found = {SYNCD_JSON_NONE, NULL, NULL};
    size_t longest = 0;
    syncd_json_iter_init(&iter, value);
    for (guint i = 0; syncd_json_iter_next(&iter, &name, &element); i++) {
        g_autofree char *step =
            value.type == SYNCD_JSON_OBJECT ? syncd_pointer_step(name) : g_strdup_printf("%u", i);
        size_t length = step_length(*at, step);
        if (length > longest) {
            longest = length;
            found = element;
        }
    }
    *at += longest;
    return found;
}

/* As far as the pointer leads: of a member that is missing, the beginning of what lacks it. */
static size_t offset_of(const SyncdPolicySource *source, const char *pointer)
{
    SyncdJson value = syncd_json_root(source->text, source->size);
    for (const char *at = pointer; *at == '/';) {
        at++;
        SyncdJson next = step_into(value, &at);
        if (next.type == SYNCD_JSON_NONE)
            break;
        value = next;
    }
    return (size_t)(value.at - source->text);
}

unsigned syncd_policy_fault_line(const SyncdPolicySource *source, const char *sentence)
{
    g_autofree char *file = g_strconcat(source->name, ": ", NULL);
    const char *rest = skip(sentence, file), *pointer = skip_rule(rest);
    size_t offset;
    if (find_byte(rest, &offset))
        return line_at(source, offset);
    bool readable = syncd_json_check(source->text, source->size, SYNCD_JSON_ANY, NULL);
    return *pointer == '/' && readable ? line_at(source, offset_of(source, pointer)) : 1;
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
