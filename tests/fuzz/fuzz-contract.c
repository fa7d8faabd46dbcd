/*
 * A document, and the contract that it says it keeps to. Whatever it says: there is a verdict, it
 * is the same whether or not anybody asks for the faults, and each fault has a place and a
 * sentence.
 */
#include "fuzz.h"

#include "contract/check.h"
#include "contract/installed.h"

static void check_faults(const SyncdSchemaErrors *errors)
{
    for (unsigned i = 0; i < syncd_schema_errors_count(errors); i++) {
        const SyncdSchemaError *error = syncd_schema_errors_get(errors, i);
        LAW(*error->instance_path == '\0' || *error->instance_path == '/');
        LAW(*error->schema_path != '\0' && *error->sentence != '\0');
        LAW(g_utf8_validate(error->sentence, -1, NULL));
        LAW(g_utf8_validate(error->instance_path, -1, NULL));
    }
}

static void judge(const char *id, SyncdJson document)
{
    bool valid, shortly;
    g_autoptr(SyncdSchemaErrors) errors = syncd_schema_errors_new();
    bool judged = syncd_contract_check(id, document, errors, &valid, NULL);
    if (!judged)
        return; /* too dear */
    LAW(valid == (syncd_schema_errors_count(errors) == 0));
    check_faults(errors);
    if (syncd_contract_check(id, document, NULL, &shortly, NULL))
        LAW(valid == shortly);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    if (!syncd_json_check(text, size, SYNCD_JSON_ANY, NULL))
        return 0;
    SyncdJson document = syncd_json_root(text, size);
    g_autofree char *id = syncd_contract_id_of(document);
    if (id != NULL && syncd_installed_schema_find(id) != NULL)
        judge(id, document);
    return 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    return 0;
}
