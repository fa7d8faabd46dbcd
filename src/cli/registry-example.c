#include "cli/registry-example.h"

#include "cli/registry.h"

#include <string.h>

/* clang-format off */
static const struct {
    SyncdFamilyId family;
    const char *words;
} examples[] = {
    {SYNCD_FAMILY_PROFILE, "--set=profile_id=profile:work --set=profile_class=work"},
    {SYNCD_FAMILY_WORKSPACE, "--set=workspace_id=workspace:notes"},
    {SYNCD_FAMILY_ACTOR, "--set=actor_id=helper --set=actor_type=agent "
                         "--set=identity_id=agent:helper --set=workspace_scope=workspace:notes "
                         "--set=profile_scope=profile:default"},
    {SYNCD_FAMILY_DEVICE, "--set=device_id=tablet"},
    {SYNCD_FAMILY_ENCRYPTION, "--set=encryption_profile_id=strong "
                              "--set=encryption_scope=workspace"},
    {SYNCD_FAMILY_SCHEMA, "--set=schema_id=schema:note --set=schema_version=v1 "
                          "--set=object_type=note"},
    {SYNCD_FAMILY_OBJECT, "--set=object_id=note-1 --set=object_type=note "
                          "--set=schema_id=schema:note --set=schema_version=v1 "
                          "--set=workspace_id=workspace:notes --set=owner_identity=me "
                          "--set=privacy_class=work"},
    {SYNCD_FAMILY_PLAN, "--set=plan_id=plan-1 --set=target_actor=helper "
                        "--set=workspace_id=workspace:notes --set=object_ids=note-1 "
                        "--set=operation_class=import --set=user_explanation=why"},
    {SYNCD_FAMILY_MIGRATION, "manifest.json"}, /* from migrations sign */
    {SYNCD_FAMILY_ROOT, "workspace add ~/notes"}, /* it has no register of its own */
};
/* clang-format on */

char *syncd_cli_register_example(const SyncdFamily *family)
{
    const char *group = syncd_cli_group_of(family);
    for (size_t i = 0; i < G_N_ELEMENTS(examples); i++)
        if (syncd_family(examples[i].family) == family)
            return group != NULL
                       ? g_strdup_printf("sourceos-syncd %s register %s", group, examples[i].words)
                       : g_strdup_printf("sourceos-syncd %s", examples[i].words);
    return NULL;
}

/* The kind of record that a message says there is not. */
static const SyncdFamily *missing_family(const char *sentence)
{
    for (SyncdFamilyId id = 0; id < SYNCD_N_FAMILIES; id++) {
        g_autofree char *words = g_strdup_printf("there is no %s ", syncd_family(id)->name);
        if (strstr(sentence, words) != NULL)
            return syncd_family(id);
    }
    return NULL;
}

static const char *without_stop(char *text)
{
    size_t length = strlen(text);
    if (length > 0 && text[length - 1] == '.')
        text[length - 1] = '\0';
    return text;
}

void syncd_cli_explain_record(const SyncdFamily *family, GError **error)
{
    if (error == NULL || *error == NULL || (*error)->domain != SYNCD_ERROR)
        return;
    SyncdErrorCode code = (SyncdErrorCode)(*error)->code;
    g_autofree char *sentence = NULL, *next = NULL;
    syncd_error_split((*error)->message, &sentence, &next);
    const SyncdFamily *missing = missing_family(sentence);
    bool wrong = code == SYNCD_ERROR_INVALID_CONTRACT || code == SYNCD_ERROR_USAGE;
    if (next == NULL || (!wrong && missing == NULL))
        return;
    g_autofree char *example = syncd_cli_register_example(wrong ? family : missing);
    if (example == NULL)
        return;
    g_autofree char *better = g_strdup_printf("%s; for example `%s`", without_stop(next), example);
    g_clear_error(error);
    syncd_set_error_next(error, code, better, "%s", sentence);
}
