/*
 * A schema and a document for it. The input is one or two lines: the schema, and the document,
 * which is the schema itself when there is no second line. Whatever the two are: judging ends, and
 * to stop at the first fault or to look for all of them gives the same verdict; each error has a
 * place and a sentence. The same value in canonical form has the same verdict.
 */
#include "../unit/schema-text.h"
#include "fuzz.h"

#include "base/canonical.h"

static bool find_nothing(void *user_data, const char *uri, SyncdBytes *ret_text)
{
    LAW(uri != NULL && strchr(uri, '#') == NULL);
    return false;
}

static void check_errors(const SyncdSchemaErrors *errors)
{
    unsigned count = syncd_schema_errors_count(errors);
    LAW(count > 0 && count <= SYNCD_SCHEMA_MAX_ERRORS);
    LAW(syncd_schema_errors_get(errors, count) == NULL);
    for (unsigned i = 0; i < count; i++) {
        const SyncdSchemaError *error = syncd_schema_errors_get(errors, i);
        LAW(*error->instance_path == '\0' || *error->instance_path == '/');
        LAW(strchr(error->schema_path, '#') != NULL);
        LAW(*error->sentence != '\0');
        LAW(g_utf8_validate(error->instance_path, -1, NULL));
        LAW(g_utf8_validate(error->sentence, -1, NULL));
    }
}

static void judge(const SyncdSchema *schema, SyncdBytes text)
{
    bool valid, valid_again, valid_canonical;
    g_autoptr(GError) error = NULL;
    g_autoptr(SyncdSchemaErrors) errors = syncd_schema_errors_new();
    if (!validate_text(schema, text, NULL, &valid, &error)) {
        LAW(error != NULL);
        return;
    }
    SyncdJson value = syncd_json_root(text.data, text.size);
    if (syncd_schema_validate(schema, value, errors, &valid_again, NULL)) {
        LAW(valid == valid_again);
        LAW(valid == (syncd_schema_errors_count(errors) == 0));
        if (!valid)
            check_errors(errors);
    }
    bool demanded = syncd_schema_demand(schema, value, "", &error);
    LAW(demanded == (error == NULL) && (!demanded || valid));

    g_autoptr(GString) canonical = g_string_new(NULL);
    syncd_canonical_append(canonical, value);
    if (syncd_canonical_is(text.data, text.size))
        return;
    SyncdBytes other = SYNCD_BYTES(canonical->str, canonical->len);
    /* A real of more digits than a double holds is another number in the canonical form. */
    bool same_numbers = memchr(text.data, '.', text.size) == NULL &&
                        memchr(text.data, 'e', text.size) == NULL &&
                        memchr(text.data, 'E', text.size) == NULL;
    if (same_numbers && validate_text(schema, other, NULL, &valid_canonical, NULL))
        LAW(valid == valid_canonical);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const SyncdDialect dialects[] = {SYNCD_DIALECT_OWN, SYNCD_DIALECT_DRAFT_7};
    const uint8_t *line = size > 0 ? memchr(data, '\n', size) : NULL;
    SyncdBytes first = SYNCD_BYTES(data, line != NULL ? (size_t)(line - data) : size);
    SyncdBytes second = line != NULL ? SYNCD_BYTES(line + 1, size - first.size - 1) : first;
    for (size_t i = 0; i < G_N_ELEMENTS(dialects); i++) {
        SyncdSchemaOptions options = {dialects[i], find_nothing, NULL};
        g_autoptr(GError) error = NULL;
        g_autoptr(SyncdSchema) schema = syncd_schema_compile(first, &options, &error);
        LAW((schema == NULL) == (error != NULL));
        LAW(schema != NULL || g_utf8_validate(error->message, -1, NULL));
        if (schema != NULL)
            judge(schema, second);
    }
    return 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    return 0;
}
