#include "contract/pattern.h"

#include "contract/pattern-translate.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

/* Steps of PCRE2 that a first try may take at one place of the text: enough for patterns that do
 * not search. A pattern that begins with `^` has one place, others have as many as the text has
 * bytes.
 */
#define FIRST_STEPS 500u
#define FIRST_STEPS_EACH 32u
/* And a second try, at all places together. */
#define MOST_STEPS 200000u
#define MOST_DEPTH 65536u
#define MOST_HEAP_KIB 16384u
#define MOST_PARENTHESES 64u
/* What a match is charged. */
#define COST_OF_MATCH 4
#define BYTES_PER_COST 8 /* of one place */
#define STEPS_PER_COST 4

struct SyncdPattern {
    pcre2_code *code;
    pcre2_match_data *data;
    pcre2_match_context *limits;
    bool anchored;
};

static pcre2_code *compile(const GString *text, GError **error)
{
    int fault;
    PCRE2_SIZE offset;
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    pcre2_set_parens_nest_limit(context, MOST_PARENTHESES);
    pcre2_set_newline(context, PCRE2_NEWLINE_LF);
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)text->str, text->len,
                                     PCRE2_UTF | PCRE2_NO_UTF_CHECK | PCRE2_DOLLAR_ENDONLY |
                                         PCRE2_MATCH_UNSET_BACKREF | PCRE2_NEVER_BACKSLASH_C,
                                     &fault, &offset, context);
    pcre2_compile_context_free(context);
    if (code == NULL) {
        PCRE2_UCHAR message[256];
        pcre2_get_error_message(fault, message, sizeof message);
        syncd_set_error_next(error, SYNCD_ERROR_INVALID_CONTRACT,
                             "write the pattern as ECMA-262 has it, with the flag u",
                             "The pattern cannot be used: %s", (const char *)message);
    }
    return code;
}

static pcre2_code *compile_text(const char *text, size_t size, GError **error)
{
    if (size > SYNCD_PATTERN_MAX_SIZE) {
        syncd_set_error_next(error, SYNCD_ERROR_INVALID_CONTRACT, "shorten it",
                             "The pattern has more than %u bytes", SYNCD_PATTERN_MAX_SIZE);
        return NULL;
    }
    g_autoptr(GString) translated = syncd_pattern_translate(text, size, error);
    return translated != NULL ? compile(translated, error) : NULL;
}

SyncdPattern *syncd_pattern_new(const char *text, size_t size, GError **error)
{
    pcre2_code *code = compile_text(text, size, error);
    if (code == NULL)
        return NULL;
    SyncdPattern *pattern = g_new0(SyncdPattern, 1);
    pattern->code = code;
    pattern->data = pcre2_match_data_create(1, NULL);
    pattern->limits = pcre2_match_context_create(NULL);
    pcre2_set_depth_limit(pattern->limits, MOST_DEPTH);
    pcre2_set_heap_limit(pattern->limits, MOST_HEAP_KIB);
    guint32 options = 0;
    pcre2_pattern_info(code, PCRE2_INFO_ALLOPTIONS, &options);
    pattern->anchored = (options & PCRE2_ANCHORED) != 0;
    return pattern;
}

void syncd_pattern_free(SyncdPattern *pattern)
{
    if (pattern == NULL)
        return;
    pcre2_code_free(pattern->code);
    pcre2_match_data_free(pattern->data);
    pcre2_match_context_free(pattern->limits);
    g_free(pattern);
}

size_t syncd_pattern_size(const SyncdPattern *pattern)
{
    size_t size = 0;
    pcre2_pattern_info(pattern->code, PCRE2_INFO_SIZE, &size);
    return size;
}

static int match(const SyncdPattern *pattern, const char *text, size_t size, guint32 steps,
                 pcre2_match_data *data)
{
    pcre2_set_match_limit(pattern->limits, steps);
    return pcre2_match(pattern->code, (PCRE2_SPTR)text, size, 0, PCRE2_NO_UTF_CHECK, data,
                       pattern->limits);
}

/* Its own memory, because PCRE2 keeps what a match needed. */
static int match_again(const SyncdPattern *pattern, const char *text, size_t size)
{
    guint64 places = pattern->anchored ? 1 : (guint64)size + 1;
    guint32 steps = (guint32)MAX(MOST_STEPS / places, FIRST_STEPS_EACH);
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);
    int result = match(pattern, text, size, steps, data);
    pcre2_match_data_free(data);
    return result;
}

bool syncd_pattern_matches(const SyncdPattern *pattern, const char *text, size_t size,
                           gint64 *budget)
{
    *budget -= COST_OF_MATCH + (gint64)(pattern->anchored ? size / BYTES_PER_COST : size);
    int result = match(pattern, text, size, pattern->anchored ? FIRST_STEPS : FIRST_STEPS_EACH,
                       pattern->data);
    if (result == PCRE2_ERROR_MATCHLIMIT) {
        *budget -= MOST_STEPS / STEPS_PER_COST;
        result = *budget > 0 ? match_again(pattern, text, size) : result;
    }
    if (result < 0 && result != PCRE2_ERROR_NOMATCH)
        *budget = MIN(*budget, 0);
    return result >= 0;
}

bool syncd_pattern_is(const char *text, size_t size)
{
    pcre2_code *code = compile_text(text, size, NULL);
    pcre2_code_free(code);
    return code != NULL;
}
