#include "domain/problems.h"

#include "contract/check.h"

#include <stdarg.h>

GPtrArray *syncd_problems_new(void)
{
    return g_ptr_array_new_with_free_func(g_free);
}

void syncd_problems_add(GPtrArray *problems, const char *format, ...)
{
    if (problems->len > SYNCD_PROBLEMS_MAX)
        return;
    if (problems->len == SYNCD_PROBLEMS_MAX) {
        g_ptr_array_add(problems, g_strdup("there is more; the rest is not listed"));
        return;
    }
    va_list args;
    va_start(args, format);
    g_ptr_array_add(problems, g_strdup_vprintf(format, args));
    va_end(args);
}

void syncd_problems_add_contract(GPtrArray *problems, const char *contract, SyncdJson document)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SyncdSchemaErrors) errors = syncd_schema_errors_new();
    bool valid;
    if (!syncd_contract_check(contract, document, errors, &valid, &error)) {
        g_autofree char *sentence = NULL;
        g_autofree char *next = NULL;
        syncd_error_split(error->message, &sentence, &next);
        syncd_problems_add(problems, "The document cannot be judged: %s", sentence);
    }
    const SyncdSchemaError *fault;
    for (unsigned i = 0; (fault = syncd_schema_errors_get(errors, i)) != NULL; i++)
        syncd_problems_add(problems, "%s %s",
                           *fault->instance_path != '\0' ? fault->instance_path : "The document",
                           fault->sentence);
}
