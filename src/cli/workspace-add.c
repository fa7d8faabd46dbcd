/* A directory becomes a workspace. */
#include "base/json-writer.h"
#include "cli/i18n.h"
#include "cli/listing.h"
#include "cli/registry-example.h"
#include "cli/text.h"
#include "cli/verbs.h"
#include "cli/workspace-find.h"
#include "cli/workspace-keep.h"
#include "client/registry.h"
#include "domain/scope.h"

#include "reader/file-system.h"

#include <errno.h>
#include <string.h>
#include <sys/vfs.h>

#define PROFILE_PREFIX "profile:"
#define PROFILE_DEFAULT "profile:default"

typedef struct {
    char *directory;
    char *workspace; /* its id */
    char *profile;   /* NULL: not said */
    char *state;     /* of one that is there already; NULL: it was added */
    SyncdCliKeep keep;
    bool keep_changed;
    SyncdClientChange change;
} Added;

static void added_clear(Added *added)
{
    g_free(added->directory);
    g_free(added->workspace);
    g_free(added->profile);
    g_free(added->state);
    syncd_client_change_clear(&added->change);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Added, added_clear)

/* ---- what was said ---- */

static bool take_directory(const SyncdCli *cli, Added *added, GError **error)
{
    const char *given = syncd_cli_argument(cli, 0);
    g_autofree char *directory = syncd_cli_directory(given);
    bool there = g_file_test(directory, G_FILE_TEST_EXISTS);
    if (!there || !g_file_test(directory, G_FILE_TEST_IS_DIR)) {
        g_autofree char *quoted = syncd_shell_word(directory);
        g_autofree char *next =
            there ? g_strdup("name the directory that it is in")
                  : g_strdup_printf("check the spelling, or make it with `mkdir %s`", quoted);
        syncd_set_error_next(error, there ? SYNCD_ERROR_USAGE : SYNCD_ERROR_NOT_FOUND, next,
                             "`%s` is no directory: %s", given,
                             g_strerror(there ? ENOTDIR : ENOENT));
        return false;
    }
    if (strcmp(directory, "/") == 0) {
        syncd_set_error_next(error, SYNCD_ERROR_USAGE, "name a directory in it, such as ~/notes",
                             "All of the file system cannot be a workspace");
        return false;
    }
    struct statfs fs;
    if (statfs(directory, &fs) == 0 && syncd_file_system_is_pseudo((long)fs.f_type)) {
        syncd_set_error_next(error, SYNCD_ERROR_USAGE, "name a directory with files in it",
                             "`%s` shows what the kernel says of itself: there are no files in it "
                             "to be recorded",
                             given);
        return false;
    }
    if (!g_utf8_validate(directory, -1, NULL)) {
        syncd_set_error_next(error, SYNCD_ERROR_USAGE, "give it another name",
                             "A directory whose path is no UTF-8 cannot be a workspace");
        return false;
    }
    added->directory = g_steal_pointer(&directory);
    return true;
}

/* What the directory is called, as far as a workspace may be called so. */
static char *name_of(const char *directory)
{
    g_autofree char *base = g_path_get_basename(directory);
    g_autofree char *name = g_str_to_ascii(base, NULL);
    const char *begin = name;
    for (char *at = name; *at != '\0'; at++)
        if (!g_ascii_isalnum(*at) && strchr("._-", *at) == NULL)
            *at = '-';
    while (*begin != '\0' && !g_ascii_isalnum(*begin))
        begin++;
    return g_strndup(begin, SYNCD_SCOPE_NAME_MAX);
}

static bool take_name(const SyncdCli *cli, Added *added, GError **error)
{
    const char *given = syncd_cli_value(cli, "name");
    const char *class, *rest;
    g_autofree char *name = given != NULL ? g_strdup(given) : name_of(added->directory);
    added->workspace = syncd_cli_workspace_id(name);
    if (syncd_scope_parse(added->workspace, &class, &rest, NULL))
        return true;
    syncd_set_error_next(error, SYNCD_ERROR_USAGE, "say another with --name=NAME",
                         "`%s` cannot be the name of a workspace: it is 1 to %u letters, digits, "
                         "'.', '_', ':' or '-', and begins with a letter or digit",
                         name, SYNCD_SCOPE_NAME_MAX);
    return false;
}

static void take_profile(const SyncdCli *cli, Added *added)
{
    const char *given = syncd_cli_value(cli, "profile");
    if (given != NULL)
        added->profile = g_str_has_prefix(given, PROFILE_PREFIX)
                             ? g_strdup(given)
                             : g_strconcat(PROFILE_PREFIX, given, NULL);
}

/* ---- what there is ---- */

static bool refuse_same_name(const SyncdCliWorkspace *other, GError **error)
{
    syncd_set_error_next(error, SYNCD_ERROR_INVALID_ARGS, "say another with --name=NAME",
                         "The name %s is that of another workspace, %s",
                         syncd_cli_workspace_name(other->workspace), other->directory);
    return false;
}

static bool refuse_nested(const Added *added, const SyncdCliWorkspace *other, GError **error)
{
    bool inside = syncd_cli_lies_in(added->directory, other->directory);
    g_autofree char *next =
        inside ? g_strdup("nothing more has to be done: what changes there is recorded with it")
               : g_strdup_printf("`sourceos-syncd workspace remove %s` makes room for the larger "
                                 "one; its files and its history stay",
                                 syncd_cli_workspace_name(other->workspace));
    syncd_set_error_next(
        error, SYNCD_ERROR_INVALID_ARGS, next,
        inside ? "%s lies in the workspace %s, %s" : "In %s lies the workspace %s, %s",
        added->directory, syncd_cli_workspace_name(other->workspace), other->directory);
    return false;
}

/* What is kept from now on, if it was said. */
static bool change_keep(SyncdClient *client, Added *added, const SyncdCliWorkspace *present,
                        GError **error)
{
    SyncdJson record = syncd_json_root(present->record, strlen(present->record));
    g_auto(GVariantDict) options = G_VARIANT_DICT_INIT(NULL);
    if (!syncd_cli_keep_over(&added->keep, record) ||
        !syncd_cli_keeps_otherwise(&added->keep, record))
        return true;
    g_autofree char *changed = syncd_cli_record_with_keep(&added->keep, record);
    g_variant_dict_insert(&options, "expected", "t", present->sequence);
    added->keep_changed = true;
    return syncd_client_change(client, "Update", syncd_family(SYNCD_FAMILY_ROOT)->name,
                               present->root, changed, g_variant_dict_end(&options), &added->change,
                               error);
}

static bool check_record(const Added *added, const char *shown, GError **error)
{
    SyncdJson row = syncd_json_root(shown, strlen(shown));
    g_autofree char *profile = syncd_record_text(syncd_json_member(row, "record"), "profile_id");
    if (!syncd_json_is(syncd_json_member(row, "state"), SYNCD_STATE_ACTIVE)) {
        syncd_set_error_next(error, SYNCD_ERROR_INVALID_ARGS, "say another name with --name=NAME",
                             "The workspace %s was ended, and its name is never used again",
                             syncd_cli_workspace_name(added->workspace));
        return false;
    }
    if (added->profile != NULL && strcmp(added->profile, profile) != 0) {
        syncd_set_error_next(error, SYNCD_ERROR_INVALID_ARGS,
                             "leave --profile out, or say another name with --name=NAME",
                             "The workspace %s is there already and belongs to %s",
                             syncd_cli_workspace_name(added->workspace), profile);
        return false;
    }
    return true;
}

static bool check_present(SyncdClient *client, const Added *added, GError **error)
{
    g_autofree char *shown = syncd_client_show_record(
        client, syncd_family(SYNCD_FAMILY_WORKSPACE)->name, added->workspace, NULL, error);
    return shown != NULL && check_record(added, shown, error);
}

/* The directory is a workspace already: that is what was asked for, unless under another name. */
static bool take_present(const SyncdCli *cli, SyncdClient *client, Added *added,
                         const SyncdCliWorkspace *present, GError **error)
{
    if (syncd_cli_value(cli, "name") != NULL && strcmp(present->workspace, added->workspace) != 0) {
        syncd_set_error_next(error, SYNCD_ERROR_INVALID_ARGS, "leave --name out",
                             "%s is a workspace already, by the name of %s", added->directory,
                             syncd_cli_workspace_name(present->workspace));
        return false;
    }
    g_free(added->workspace);
    added->workspace = g_strdup(present->workspace);
    added->state = g_strdup(present->state);
    return (added->profile == NULL || check_present(client, added, error)) &&
           change_keep(client, added, present, error);
}

static bool check_others(SyncdCli *cli, SyncdClient *client, Added *added, GError **error)
{
    g_autoptr(GPtrArray) others = syncd_cli_workspaces(cli, client, error);
    for (guint i = 0; others != NULL && i < others->len; i++) {
        const SyncdCliWorkspace *other = others->pdata[i];
        if (strcmp(other->directory, added->directory) == 0)
            return take_present(cli, client, added, other, error);
        if (syncd_cli_lies_in(added->directory, other->directory) ||
            syncd_cli_lies_in(other->directory, added->directory))
            return refuse_nested(added, other, error);
        if (strcmp(other->workspace, added->workspace) == 0)
            return refuse_same_name(other, error);
    }
    return others != NULL;
}

/* ---- registering ---- */

static char *record_of(const char *const *members, const SyncdCliKeep *keep)
{
    GString *out = g_string_new(NULL);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, out, false);
    syncd_json_begin_object(&writer);
    for (; *members != NULL; members += 2)
        syncd_json_member_string(&writer, members[0], members[1]);
    if (keep != NULL)
        syncd_cli_write_keep(keep, &writer);
    syncd_json_end_object(&writer);
    return g_string_free(out, FALSE);
}

static bool add_record(SyncdClient *client, SyncdFamilyId id, const char *const *members,
                       const SyncdCliKeep *keep, SyncdClientChange *ret_change, GError **error)
{
    g_autofree char *record = record_of(members, keep);
    GError *fault = NULL;
    if (syncd_client_change(client, "Register", syncd_family(id)->name, NULL, record, NULL,
                            ret_change, &fault))
        return true;
    syncd_cli_explain_record(syncd_family(id), &fault);
    g_propagate_error(error, fault);
    return false;
}

static bool add_workspace(SyncdClient *client, const Added *added, GError **error)
{
    const char *const members[] = {"workspace_id", added->workspace, "profile_id",
                                   added->profile != NULL ? added->profile : PROFILE_DEFAULT, NULL};
    const char *kind = syncd_family(SYNCD_FAMILY_WORKSPACE)->name;
    g_auto(SyncdClientChange) change = {0};
    GError *fault = NULL;
    g_autofree char *shown = syncd_client_show_record(client, kind, added->workspace, NULL, &fault);
    if (shown != NULL)
        return check_record(added, shown, error);
    if (!g_error_matches(fault, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND)) {
        g_propagate_error(error, fault);
        return false;
    }
    g_error_free(fault);
    return add_record(client, SYNCD_FAMILY_WORKSPACE, members, NULL, &change, error);
}

static bool add_root(SyncdClient *client, Added *added, GError **error)
{
    const char *const members[] = {
        "workspace_id", added->workspace,   "directory", added->directory,
        "root_state",   SYNCD_STATE_ACTIVE, NULL};
    return add_record(client, SYNCD_FAMILY_ROOT, members, &added->keep, &added->change, error);
}

/* ---- saying so ---- */

static void show_json(SyncdCli *cli, const Added *added)
{
    bool is_new = added->state == NULL;
    SyncdJsonWriter *writer = syncd_output_begin_object(cli->out);
    syncd_json_member_string(writer, "workspace_id", added->workspace);
    syncd_json_member_string(writer, "directory", added->directory);
    syncd_json_member_string(writer, "state", is_new ? SYNCD_STATE_ACTIVE : added->state);
    syncd_json_member_bool(writer, "added", is_new);
    if (is_new || added->keep_changed) {
        syncd_json_member_string(writer, "root_id", added->change.id);
        syncd_json_member_string(writer, "operation", added->change.operation);
        syncd_json_member_uint(writer, "sequence", added->change.sequence);
    }
    syncd_output_end_object(cli->out);
}

static void show(SyncdCli *cli, const Added *added)
{
    g_autofree char *directory = syncd_text_safe(added->directory);
    g_autofree char *name = syncd_text_safe(syncd_cli_workspace_name(added->workspace));
    g_autofree char *keep = syncd_cli_keep_sentence(&added->keep);
    if (syncd_cli_json(cli)) {
        show_json(cli, added);
        return;
    }
    if (added->state != NULL) {
        syncd_output_wrapped(cli->out, _("%s is the workspace %s already (%s).\n"), directory, name,
                             added->state);
        if (added->keep_changed)
            syncd_output_wrapped(cli->out, "%s\n", keep);
        return;
    }
    syncd_output_wrapped(cli->out, _("%s is the workspace %s now.\n"), directory, name);
    syncd_cli_remark(cli, "%s", keep);
    syncd_cli_remark(cli,
                     _("A first scan records what is there; from then on changes are recorded as "
                       "they happen. See how far it is with `sourceos-syncd workspace show %s`, "
                       "and what is recorded with `sourceos-syncd workspace files %s`."),
                     name, name);
}

bool syncd_verb_workspace_add(SyncdCli *cli, GError **error)
{
    g_auto(Added) added = {0};
    if (!take_directory(cli, &added, error) || !take_name(cli, &added, error) ||
        !syncd_cli_take_keep(cli, &added.keep, error))
        return false;
    take_profile(cli, &added);
    g_autoptr(SyncdClient) client = syncd_cli_connect(cli, SYNCD_CLI_ACT, error);
    if (client == NULL || !check_others(cli, client, &added, error))
        return false;
    if (added.state == NULL &&
        (!add_workspace(client, &added, error) || !add_root(client, &added, error)))
        return false;
    show(cli, &added);
    return true;
}
