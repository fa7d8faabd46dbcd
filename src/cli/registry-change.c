#include "base/json-writer.h"
#include "cli/file.h"
#include "cli/i18n.h"
#include "cli/listing.h"
#include "cli/record.h"
#include "cli/registry-example.h"
#include "cli/registry-find.h"
#include "cli/registry.h"
#include "cli/setting.h"
#include "cli/text.h"
#include "cli/verbs.h"
#include "client/registry.h"

#include <stdio.h>
#include <string.h>

#define RECORD_MAX (64u * 1024u)

/* ---- putting a record together ---- */

typedef struct {
    char *name;
    char *json; /* its value */
} Setting;

static void setting_free(void *data)
{
    Setting *setting = data;
    g_free(setting->name);
    g_free(setting->json);
    g_free(setting);
}

static GPtrArray *settings_of(const SyncdCli *cli, GError **error)
{
    g_autoptr(GPtrArray) given = syncd_cli_values(cli, "set");
    g_autoptr(GPtrArray) settings = g_ptr_array_new_with_free_func(setting_free);
    for (guint i = 0; given->pdata[i] != NULL; i++) {
        const char *text = given->pdata[i], *equals = strchr(text, '=');
        if (equals == NULL || equals == text) {
            syncd_set_error(error, SYNCD_ERROR_USAGE, "Write --set=MEMBER=VALUE, not `%s`", text);
            return NULL;
        }
        Setting *setting = g_new0(Setting, 1);
        setting->name = g_strndup(text, (gsize)(equals - text));
        g_ptr_array_add(settings, setting);
        setting->json =
            syncd_setting_value(syncd_cli_family(cli), setting->name, equals + 1, error);
        if (setting->json == NULL)
            return NULL;
    }
    return g_steal_pointer(&settings);
}

static bool is_set(const GPtrArray *settings, const char *name, guint from)
{
    for (guint i = from; i < settings->len; i++)
        if (strcmp(((const Setting *)settings->pdata[i])->name, name) == 0)
            return true;
    return false;
}

/* The record with its settings; the last one of a member counts. */
static char *compose(const char *base, const GPtrArray *settings)
{
    SyncdJsonWriter writer;
    SyncdJsonIter iter;
    SyncdJson name, value;
    GString *out = g_string_new(NULL);
    syncd_json_writer_init(&writer, out, false);
    syncd_json_begin_object(&writer);
    syncd_json_iter_init(&iter, syncd_json_root(base, strlen(base)));
    while (syncd_json_iter_next(&iter, &name, &value)) {
        g_autofree char *member = syncd_json_dup_string(name, NULL);
        if (!is_set(settings, member, 0))
            syncd_json_member_value(&writer, member, value);
    }
    for (guint i = 0; i < settings->len; i++) {
        const Setting *setting = settings->pdata[i];
        if (!is_set(settings, setting->name, i + 1))
            syncd_json_member_value(&writer, setting->name,
                                    syncd_json_root(setting->json, strlen(setting->json)));
    }
    syncd_json_end_object(&writer);
    return g_string_free(out, FALSE);
}

/* What a record of the kind has when nobody says anything else. */
static const struct {
    SyncdFamilyId family;
    const char *name;
    const char *json; /* NULL: what `as` has */
    const char *as;
} defaults[] = {
    {SYNCD_FAMILY_ACTOR, "workspace_scope", "[]", NULL},
    {SYNCD_FAMILY_ACTOR, "profile_scope", "[]", NULL},
    {SYNCD_FAMILY_ACTOR, "capabilities", "[\"read\"]", NULL},
    {SYNCD_FAMILY_ACTOR, "trust_level", "\"user\"", NULL},
    {SYNCD_FAMILY_ACTOR, "signing_key_ref", "\"none\"", NULL},
    {SYNCD_FAMILY_ACTOR, "display_name", NULL, "identity_id"},
    {SYNCD_FAMILY_ACTOR, "policy_subject", NULL, "identity_id"},
    {SYNCD_FAMILY_DEVICE, "trust_level", "\"user\"", NULL},
    {SYNCD_FAMILY_DEVICE, "device_state", "\"untrusted\"", NULL},
    {SYNCD_FAMILY_DEVICE, "display_name", NULL, "device_id"},
    {SYNCD_FAMILY_PROFILE, "policy_tags", "[]", NULL},
    {SYNCD_FAMILY_PROFILE, "display_name", NULL, "profile_id"},
    {SYNCD_FAMILY_WORKSPACE, "profile_id", "\"profile:default\"", NULL},
    {SYNCD_FAMILY_SCHEMA, "required_fields", "[]", NULL},
    {SYNCD_FAMILY_SCHEMA, "field_owners", "{}", NULL},
    {SYNCD_FAMILY_SCHEMA, "migration_policy", "\"forward_compatible_required\"", NULL},
    {SYNCD_FAMILY_SCHEMA, "conflict_policy", "\"ask\"", NULL},
    {SYNCD_FAMILY_SCHEMA, "tombstone_policy", "\"keep\"", NULL},
    {SYNCD_FAMILY_SCHEMA, "retention_class", "\"normal\"", NULL},
    {SYNCD_FAMILY_SCHEMA, "sync_visibility", "\"local_only\"", NULL},
    {SYNCD_FAMILY_OBJECT, "profile_id", "\"profile:default\"", NULL},
    {SYNCD_FAMILY_OBJECT, "policy_tags", "[]", NULL},
    {SYNCD_FAMILY_OBJECT, "provenance", "[]", NULL},
    {SYNCD_FAMILY_OBJECT, "retention_class", "\"normal\"", NULL},
    {SYNCD_FAMILY_OBJECT, "sync_visibility", "\"local_only\"", NULL},
    {SYNCD_FAMILY_PLAN, "profile_id", "\"profile:default\"", NULL},
    {SYNCD_FAMILY_PLAN, "status", "\"planned\"", NULL},
    {SYNCD_FAMILY_PLAN, "dependencies", "[]", NULL},
    {SYNCD_FAMILY_PLAN, "retry_policy", "\"none\"", NULL},
    {SYNCD_FAMILY_PLAN, "conflict_policy", "\"ask\"", NULL},
};

static char *add_defaults(const SyncdFamily *family, const char *record)
{
    SyncdJson root = syncd_json_root(record, strlen(record));
    g_autoptr(GPtrArray) settings = g_ptr_array_new_with_free_func(setting_free);
    for (size_t i = 0; i < G_N_ELEMENTS(defaults); i++) {
        SyncdJson as =
            defaults[i].as != NULL ? syncd_json_member(root, defaults[i].as) : (SyncdJson){0};
        if (syncd_family(defaults[i].family) != family ||
            syncd_json_member(root, defaults[i].name).type != SYNCD_JSON_NONE ||
            (defaults[i].json == NULL && as.type == SYNCD_JSON_NONE))
            continue;
        Setting *setting = g_new0(Setting, 1);
        setting->name = g_strdup(defaults[i].name);
        setting->json = defaults[i].json != NULL ? g_strdup(defaults[i].json)
                                                 : g_strndup(as.at, syncd_json_size(as));
        g_ptr_array_add(settings, setting);
    }
    return compose(record, settings);
}

static char *read_base(const char *path, GError **error)
{
    size_t size = strlen("{}");
    g_autofree char *base =
        path != NULL ? syncd_file_read(path, RECORD_MAX, &size, error) : g_strdup("{}");
    if (base == NULL || !syncd_json_check(base, size, SYNCD_JSON_MUST_BE_OBJECT, error)) {
        if (base != NULL)
            g_prefix_error(error, "%s: ", path);
        return NULL;
    }
    return g_steal_pointer(&base);
}

/* ---- sending it ---- */

static void add_text(GVariantDict *options, const SyncdCli *cli, const char *name,
                     const char *option)
{
    const char *value = syncd_cli_value(cli, name);
    if (value != NULL)
        g_variant_dict_insert(options, option, "s", value);
}

/* What was misspelt is kept as well, so that somebody has to say it. */
static void tell_unknown(const SyncdCli *cli, char **unknown)
{
    if (syncd_cli_json(cli) || unknown == NULL || *unknown == NULL)
        return;
    g_autofree char *names = g_strjoinv(", ", unknown);
    g_autofree char *safe = syncd_text_safe(names);
    fprintf(stderr, _("Kept, not known to %s: %s\n"), syncd_cli_family(cli)->schema, safe);
}

static void write_unknown(SyncdJsonWriter *writer, char **unknown)
{
    if (unknown == NULL)
        return;
    syncd_json_name(writer, "unknown");
    syncd_json_begin_array(writer);
    for (; *unknown != NULL; unknown++)
        syncd_json_string(writer, *unknown);
    syncd_json_end_array(writer);
}

static void show_change(SyncdCli *cli, const SyncdClientChange *change)
{
    if (!syncd_cli_json(cli)) {
        g_autofree char *id = syncd_text_safe(change->id);
        syncd_output_wrapped(cli->out,
                             change->duplicate
                                 ? _("Recorded earlier with this key: %s, number %lu.\n")
                                 : _("Recorded: %s, number %lu.\n"),
                             id, (unsigned long)change->sequence);
        return;
    }
    SyncdJsonWriter *writer = syncd_output_begin_object(cli->out);
    syncd_json_member_string(writer, "id", change->id);
    syncd_json_member_string(writer, "operation", change->operation);
    syncd_json_member_uint(writer, "sequence", change->sequence);
    syncd_json_member_bool(writer, "duplicate", change->duplicate);
    write_unknown(writer, change->unknown);
    syncd_output_end_object(cli->out);
}

/* With a key that was used already it would not be recorded once more. */
static void show_dry(SyncdCli *cli, const char *record, const SyncdClientChange *change)
{
    static char *nothing[] = {NULL};
    if (!syncd_cli_json(cli)) {
        syncd_output_wrapped(
            cli->out, "%s\n",
            change->duplicate
                ? _("Nothing is recorded: this was recorded earlier with the same key. It is:")
                : _("Nothing is recorded. The record would be:"));
        syncd_record_show(cli, record);
        return;
    }
    SyncdJsonWriter *writer = syncd_output_begin_object(cli->out);
    syncd_json_member_bool(writer, "dry_run", true);
    syncd_json_member_bool(writer, "duplicate", change->duplicate);
    syncd_json_member_value(writer, "record", syncd_json_root(record, strlen(record)));
    write_unknown(writer, change->unknown != NULL ? change->unknown : nothing);
    syncd_output_end_object(cli->out);
}

/* Who names the record wrongly has written no record that could be wrong. */
static void explain_id(const SyncdFamily *family, const char *id, GError **error)
{
    g_autofree char *pointer = g_strdup_printf("/record/%s ", family->id);
    if (!g_error_matches(*error, SYNCD_ERROR, SYNCD_ERROR_INVALID_CONTRACT) ||
        !g_str_has_prefix((*error)->message, pointer))
        return;
    g_clear_error(error);
    syncd_set_error(error, SYNCD_ERROR_NOT_FOUND, "There is no %s %s", family->name, id);
}

static bool send_change(SyncdCli *cli, SyncdClient *client, const char *method, const char *id,
                        const char *record, GVariantDict *options, GError **error)
{
    bool dry = record != NULL && syncd_cli_flag(cli, "dry-run");
    g_auto(SyncdClientChange) change = {NULL};
    add_text(options, cli, "key", "idempotency_key");
    if (dry)
        g_variant_dict_insert(options, "dry_run", "b", TRUE);
    GError *fault = NULL;
    if (!syncd_client_change(client, method, syncd_cli_family(cli)->name, id, record,
                             g_variant_dict_end(options), &change, &fault)) {
        if (id != NULL && record == NULL)
            explain_id(syncd_cli_family(cli), id, &fault);
        if (id != NULL)
            syncd_cli_explain_not_found(cli, client, id, &fault);
        else
            syncd_cli_explain_record(syncd_cli_family(cli), &fault);
        g_propagate_error(error, fault);
        return false;
    }
    if (dry)
        show_dry(cli, record, &change);
    else
        show_change(cli, &change);
    tell_unknown(cli, change.unknown);
    return true;
}

bool syncd_verb_registry_register(SyncdCli *cli, GError **error)
{
    g_auto(GVariantDict) options = G_VARIANT_DICT_INIT(NULL);
    g_autoptr(GPtrArray) settings = settings_of(cli, error);
    g_autofree char *base = settings != NULL ? read_base(syncd_cli_argument(cli, 0), error) : NULL;
    if (base == NULL)
        return false;
    g_autofree char *said = compose(base, settings);
    g_autofree char *record = add_defaults(syncd_cli_family(cli), said);
    bool nothing = syncd_cli_argument(cli, 0) == NULL && settings->len == 0;
    if (nothing && syncd_cli_flag(cli, "dry-run")) {
        const SyncdClientChange nobody_asked = {NULL};
        show_dry(cli, record, &nobody_asked);
        return true;
    }
    if (nothing) {
        g_autofree char *example = syncd_cli_register_example(syncd_cli_family(cli));
        g_autofree char *next = g_strdup_printf("for example `%s`", example);
        syncd_set_error_next(error, SYNCD_ERROR_USAGE, next,
                             "Say what the record is: a FILE, - for standard input, or "
                             "--set=MEMBER=VALUE");
        return false;
    }
    g_autoptr(SyncdClient) client = syncd_cli_connect(cli, SYNCD_CLI_ACT, error);
    if (client == NULL)
        return false;
    add_text(&options, cli, "scope", "scope");
    return send_change(cli, client, "Register", NULL, record, &options, error);
}

/* What is there, unless a file says all of it. */
static char *present_base(SyncdCli *cli, SyncdClient *client, const char *id, GVariantDict *options,
                          GError **error)
{
    if (syncd_cli_argument(cli, 1) != NULL)
        return read_base(syncd_cli_argument(cli, 1), error);
    GError *fault = NULL;
    g_autofree char *shown =
        syncd_client_show_record(client, syncd_cli_family(cli)->name, id, NULL, &fault);
    if (shown == NULL) {
        syncd_cli_explain_not_found(cli, client, id, &fault);
        g_propagate_error(error, fault);
        return NULL;
    }
    g_variant_dict_insert(options, "expected", "t",
                          syncd_record_number(syncd_json_root(shown, strlen(shown)), "sequence"));
    char *base = syncd_cli_record_of(shown);
    if (base == NULL)
        syncd_set_error(error, SYNCD_ERROR_FAILED, "The record cannot be read: give a FILE");
    return base;
}

bool syncd_verb_registry_update(SyncdCli *cli, GError **error)
{
    const char *id = syncd_cli_argument(cli, 0);
    g_auto(GVariantDict) options = G_VARIANT_DICT_INIT(NULL);
    g_autoptr(GPtrArray) settings = settings_of(cli, error);
    g_autoptr(SyncdClient) client =
        settings != NULL ? syncd_cli_connect(cli, SYNCD_CLI_ACT, error) : NULL;
    g_autofree char *base = client != NULL ? present_base(cli, client, id, &options, error) : NULL;
    if (base == NULL)
        return false;
    g_autofree char *record = compose(base, settings);
    return send_change(cli, client, "Update", id, record, &options, error);
}

bool syncd_verb_registry_revoke(SyncdCli *cli, GError **error)
{
    const char *id = syncd_cli_argument(cli, 0);
    g_auto(GVariantDict) options = G_VARIANT_DICT_INIT(NULL);
    g_autofree char *safe = syncd_text_safe(id);
    g_autofree char *question =
        g_strdup_printf(_("End %s for good? Its id is never used again."), safe);
    if (!syncd_cli_confirm(cli, question, error))
        return false;
    g_autoptr(SyncdClient) client = syncd_cli_connect(cli, SYNCD_CLI_ACT, error);
    if (client == NULL)
        return false;
    add_text(&options, cli, "reason", "reason");
    return send_change(cli, client, "Revoke", id, NULL, &options, error);
}
