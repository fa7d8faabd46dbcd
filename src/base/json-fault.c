#include "base/json-fault.h"

#include "base/json-scan.h"

/* A name in a message is cut here: it is chosen by the sender and may be as long as the text. */
#define NAME_SHOWN 40u

typedef struct {
    SyncdErrorCode code;
    const char *what;
} FaultInfo;

static const FaultInfo fault_table[] = {
    [SYNCD_JSON_FAULT_NONE] = {SYNCD_ERROR_FAILED, "no fault"},
    [SYNCD_JSON_FAULT_EMPTY] = {SYNCD_ERROR_INVALID_ENCODING, "no JSON value"},
    [SYNCD_JSON_FAULT_BYTE_ORDER_MARK] = {SYNCD_ERROR_INVALID_ENCODING, "a byte order mark"},
    [SYNCD_JSON_FAULT_ENDS_EARLY] = {SYNCD_ERROR_INVALID_ENCODING,
                                     "the text ends before the document does"},
    [SYNCD_JSON_FAULT_NO_VALUE] = {SYNCD_ERROR_INVALID_ENCODING,
                                   "something that starts no JSON value"},
    [SYNCD_JSON_FAULT_NO_NAME] = {SYNCD_ERROR_INVALID_ENCODING,
                                  "something else where a name in double quotes belongs"},
    [SYNCD_JSON_FAULT_NO_COLON] = {SYNCD_ERROR_INVALID_ENCODING, "no colon after a name"},
    [SYNCD_JSON_FAULT_NO_COMMA] = {SYNCD_ERROR_INVALID_ENCODING,
                                   "neither a comma nor the closing bracket after a value"},
    [SYNCD_JSON_FAULT_TRAILING_COMMA] = {SYNCD_ERROR_INVALID_ENCODING,
                                         "a comma with nothing after it"},
    [SYNCD_JSON_FAULT_MORE_TEXT] = {SYNCD_ERROR_INVALID_ENCODING, "more text after the document"},
    [SYNCD_JSON_FAULT_CONTROL] = {SYNCD_ERROR_INVALID_ENCODING,
                                  "an unescaped control character in a string"},
    [SYNCD_JSON_FAULT_ESCAPE] = {SYNCD_ERROR_INVALID_ENCODING, "an escape that JSON does not have"},
    [SYNCD_JSON_FAULT_SURROGATE] = {SYNCD_ERROR_INVALID_ENCODING, "half of a surrogate pair"},
    [SYNCD_JSON_FAULT_UTF8] = {SYNCD_ERROR_INVALID_ENCODING, "bytes that are not UTF-8"},
    [SYNCD_JSON_FAULT_NUMBER] = {SYNCD_ERROR_INVALID_ENCODING, "a number without its digits"},
    [SYNCD_JSON_FAULT_LEADING_ZERO] = {SYNCD_ERROR_INVALID_ENCODING,
                                       "a number with a leading zero"},
    [SYNCD_JSON_FAULT_NOT_INTEGER] = {SYNCD_ERROR_INVALID_ENCODING,
                                      "a fraction or an exponent where only integers may stand"},
    [SYNCD_JSON_FAULT_INTEGER_RANGE] = {SYNCD_ERROR_INVALID_ENCODING,
                                        "an integer that does not fit into 64 bits"},
    [SYNCD_JSON_FAULT_DOUBLE_RANGE] = {SYNCD_ERROR_INVALID_ENCODING,
                                       "a number too large for a double"},
    [SYNCD_JSON_FAULT_DUPLICATE] = {SYNCD_ERROR_INVALID_ENCODING,
                                    "a name that its object already has"},
    [SYNCD_JSON_FAULT_TOO_DEEP] = {SYNCD_ERROR_TOO_DEEP,
                                   "more than " G_STRINGIFY(SYNCD_JSON_MAX_DEPTH) " levels"},
    [SYNCD_JSON_FAULT_TOO_LARGE] = {SYNCD_ERROR_TOO_LARGE, "the text is larger than 32 MiB"},
    [SYNCD_JSON_FAULT_NOT_OBJECT] = {SYNCD_ERROR_INVALID_CONTRACT, "the document is no object"},
};

/* The step from an open container to the value being read in it. */
typedef struct {
    bool object;
    guint64 index;
    SyncdJson name; /* type NONE until it was read */
} Step;

static void append_name(GString *out, SyncdJson name)
{
    const char *at = name.at + 1, *end = name.end - 1;
    for (unsigned shown = 0; at != end; shown++) {
        if (shown == NAME_SHOWN) {
            g_string_append(out, "\xe2\x80\xa6");
            return;
        }
        guint32 character = syncd_json_next_char(&at);
        if (character == '~')
            g_string_append(out, "~0");
        else if (character == '/')
            g_string_append(out, "~1");
        else
            g_string_append_unichar(out, g_unichar_isprint(character) ? character : 0xfffd);
    }
}

static char *pointer_to(const Step *steps, unsigned depth)
{
    GString *pointer = g_string_new(NULL);
    for (unsigned i = 0; i < depth; i++) {
        if (!steps[i].object) {
            g_string_append_printf(pointer, "/%" G_GUINT64_FORMAT, steps[i].index);
        } else if (steps[i].name.type != SYNCD_JSON_NONE) {
            g_string_append_c(pointer, '/');
            append_name(pointer, steps[i].name);
        }
    }
    if (depth == 0 || pointer->len == 0)
        g_string_assign(pointer, "the top level");
    return g_string_free(pointer, FALSE);
}

static char *find_place(const char *text, const char *known)
{
    Step steps[SYNCD_JSON_MAX_DEPTH];
    unsigned depth = 0;
    SyncdJsonToken token = syncd_json_token(text, known);
    for (; token.kind != 0; token = syncd_json_token(token.end, known)) {
        Step *step = depth > 0 ? &steps[depth - 1] : NULL;
        if (token.kind == '{' || token.kind == '[') {
            steps[depth++] = (Step){.object = token.kind == '{'};
        } else if (token.kind == '}' || token.kind == ']') {
            depth--;
        } else if (token.kind == ',') {
            step->index++;
            step->name = (SyncdJson){0};
        } else if (token.kind == '"' && step != NULL && step->name.type == SYNCD_JSON_NONE) {
            step->name = (SyncdJson){SYNCD_JSON_STRING, token.at, token.end};
        }
    }
    return pointer_to(steps, depth);
}

void syncd_json_fault_report(SyncdJsonFault fault, const char *text, const char *at,
                             const char *known, GError **error)
{
    if (error == NULL)
        return;
    const FaultInfo *info = &fault_table[fault];
    g_autofree char *place = find_place(text, known);
    syncd_set_error(error, info->code, "JSON: %s at %s (byte %" G_GSIZE_FORMAT ")", info->what,
                    place, (gsize)(at - text));
}
