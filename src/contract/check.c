#include "contract/check.h"

#include "contract/installed.h"
#include "contract/rules.h"

#define FAULTS_NAMED 8u

static const struct {
    const char *id;
    SyncdRule rule;
} rules[] = {
    {"sourceos.conflict-record/v1alpha1", syncd_rules_of_conflict},
    {"sourceos.event.v0.1", syncd_rules_of_event},
    {"sourceos.policy-explanation-registry.v0.1", syncd_rules_of_codes},
    {"sourceos.repair-plan/v1alpha1", syncd_rules_of_plan},
    {"sourceos.schema-migration/v1", syncd_rules_of_migration},
    {"sourceos.service-graph.v0.1", syncd_rules_of_graph},
    {"sourceos.state-integrity-report/v1alpha1", syncd_rules_of_report},
};

static void check_rules(const char *id, SyncdJson document, SyncdRuling *ruling)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rules); i++)
        if (strcmp(rules[i].id, id) == 0)
            rules[i].rule(document, ruling);
}

bool syncd_contract_check(const char *id, SyncdJson document, SyncdSchemaErrors *errors,
                          bool *ret_valid, GError **error)
{
    bool valid;
    SyncdRuling ruling = {.errors = errors};
    const SyncdSchema *schema = syncd_installed_schema(id, error);
    if (schema == NULL || !syncd_schema_validate(schema, document, errors, &valid, error))
        return false;
    check_rules(id, document, &ruling);
    *ret_valid = valid && !ruling.broken;
    return true;
}

static char *name_faults(const SyncdSchemaErrors *errors, const char *where)
{
    GString *text = g_string_new(NULL);
    const SyncdSchemaError *fault = syncd_schema_errors_get(errors, 0);
    for (unsigned i = 0; fault != NULL && i < FAULTS_NAMED;
         fault = syncd_schema_errors_get(errors, ++i)) {
        bool whole = *where == '\0' && *fault->instance_path == '\0';
        g_string_append_printf(text, "%s%s%s %s", i > 0 ? "; " : "", whole ? "The document" : where,
                               fault->instance_path, fault->sentence);
    }
    if (fault != NULL)
        g_string_append(text, "; and more");
    return g_string_free(text, FALSE);
}

bool syncd_contract_demand(const char *id, SyncdJson document, const char *where, GError **error)
{
    bool valid;
    g_autoptr(SyncdSchemaErrors) errors = syncd_schema_errors_new();
    if (!syncd_contract_check(id, document, NULL, &valid, error))
        return false;
    if (valid)
        return true;
    if (!syncd_contract_check(id, document, errors, &valid, error))
        return false;
    g_autofree char *faults = name_faults(errors, where);
    g_autofree char *next = g_strdup_printf(
        "correct what is named; `sourceos-syncd contract show %s` prints the contract", id);
    syncd_set_error_next(error, SYNCD_ERROR_INVALID_CONTRACT, next, "%s", faults);
    return false;
}

/* ---- whose document it is ---- */

static const char *const id_members[] = {"schema", "schema_version", "type"};

/* Documents that bear no id, by a member that no other has. */
static const struct {
    const char *member;
    const char *id;
} shapes[] = {
    {"engineId", "SyncEngineManifest"},
    {"syncEngines", "SourceOSRepoManifest"},
    {"daemon_state", "sourceos.sync-status/v1"},
};

char *syncd_contract_id_of(SyncdJson document)
{
    if (document.type != SYNCD_JSON_OBJECT)
        return NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(id_members); i++) {
        char *id = syncd_json_dup_text(syncd_json_member(document, id_members[i]));
        if (id != NULL)
            return id;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(shapes); i++)
        if (syncd_json_member(document, shapes[i].member).type != SYNCD_JSON_NONE)
            return g_strdup(shapes[i].id);
    return NULL;
}
