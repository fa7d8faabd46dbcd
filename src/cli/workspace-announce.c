/* What an agent says that it does to files, before it does it. */
#include "cli/file.h"
#include "cli/i18n.h"
#include "cli/listing.h"
#include "cli/signing-key.h"
#include "cli/text.h"
#include "cli/verbs.h"
#include "cli/when.h"
#include "cli/workspace-find.h"
#include "client/calls.h"
#include "client/workspaces.h"
#include "domain/file-changes.h"

#include <string.h>

#define METHOD "Workspaces.Announce"

typedef struct {
    char *workspace; /* that all files lie in */
    GString *changes;
    SyncdJsonWriter writer;
} Announced;

static void announced_clear(Announced *announced)
{
    g_free(announced->workspace);
    g_string_free(announced->changes, TRUE);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Announced, announced_clear)

/* ---- what was said ---- */

static bool check_options(SyncdCli *cli, GError **error)
{
    bool content = syncd_cli_value(cli, "content") != NULL;
    bool renames = syncd_cli_value(cli, "rename-to") != NULL;
    bool deletes = syncd_cli_flag(cli, "delete"), folders = syncd_cli_flag(cli, "folder");
    bool alone = !content && !renames;
    if (content + renames + deletes + folders > 1 ||
        (!alone && syncd_cli_argument(cli, 1) != NULL)) {
        syncd_set_error_next(error, SYNCD_ERROR_USAGE, "announce one after the other",
                             "--content and --rename-to are for one file, and only one of them, "
                             "--delete and --folder can be given");
        return false;
    }
    if ((syncd_cli_value(cli, "as") == NULL) == (syncd_cli_value(cli, "signing-key") == NULL))
        return true;
    syncd_set_error_next(error, SYNCD_ERROR_USAGE, "give both, or run in the unit of the actor",
                         "--as and --signing-key belong together");
    return false;
}

/* The path within the workspace, the same one for all. */
static char *take_path(SyncdCli *cli, SyncdClient *client, const char *named, Announced *announced,
                       char **ret_full, GError **error)
{
    g_autofree char *path = NULL;
    g_autoptr(SyncdCliWorkspace) workspace = syncd_cli_find_path(cli, client, named, &path, error);
    if (workspace == NULL)
        return NULL;
    if (announced->workspace == NULL)
        announced->workspace = g_strdup(workspace->workspace);
    if (strcmp(announced->workspace, workspace->workspace) != 0) {
        syncd_set_error_next(error, SYNCD_ERROR_USAGE, "announce them one after the other",
                             "`%s` lies in another workspace than what is named before", named);
        return NULL;
    }
    *ret_full = g_build_filename(workspace->directory, path, NULL);
    return g_steal_pointer(&path);
}

static void write_hash(Announced *announced, const SyncdHash *hash)
{
    char digits[SYNCD_HASH_HEX_SIZE];
    syncd_hash_to_hex(hash, digits);
    syncd_json_member_string(&announced->writer, "sha256", digits);
}

/* As it is there now. */
static bool write_present(Announced *announced, const char *full, GError **error)
{
    SyncdHash hash;
    g_autofree char *target = g_file_read_link(full, NULL);
    if (target != NULL) {
        hash = syncd_hash(target, strlen(target));
    } else if (g_file_test(full, G_FILE_TEST_IS_DIR)) {
        syncd_json_member_bool(&announced->writer, "folder", true);
        return true;
    } else if (!syncd_file_hash(full, &hash, error)) {
        return false;
    }
    write_hash(announced, &hash);
    return true;
}

static bool write_rename(SyncdCli *cli, SyncdClient *client, Announced *announced, GError **error)
{
    g_autofree char *full = NULL;
    g_autofree char *to =
        take_path(cli, client, syncd_cli_value(cli, "rename-to"), announced, &full, error);
    if (to != NULL)
        syncd_file_bytes_write(&announced->writer, "renamed_to", "renamed_to_base64",
                               SYNCD_BYTES_TEXT(to));
    return to != NULL;
}

static bool write_deed(SyncdCli *cli, SyncdClient *client, const char *full, Announced *announced,
                       GError **error)
{
    const char *content = syncd_cli_value(cli, "content");
    SyncdHash hash;
    if (syncd_cli_flag(cli, "delete"))
        syncd_json_member_bool(&announced->writer, "deleted", true);
    else if (syncd_cli_flag(cli, "folder"))
        syncd_json_member_bool(&announced->writer, "folder", true);
    else if (syncd_cli_value(cli, "rename-to") != NULL)
        return write_rename(cli, client, announced, error);
    else if (content == NULL)
        return write_present(announced, full, error);
    else if (!syncd_file_hash(content, &hash, error))
        return false;
    else
        write_hash(announced, &hash);
    return true;
}

static bool take_files(SyncdCli *cli, SyncdClient *client, Announced *announced, GError **error)
{
    syncd_json_writer_init(&announced->writer, announced->changes, false);
    syncd_json_begin_array(&announced->writer);
    for (guint i = 0; syncd_cli_argument(cli, i) != NULL; i++) {
        g_autofree char *full = NULL;
        g_autofree char *path =
            take_path(cli, client, syncd_cli_argument(cli, i), announced, &full, error);
        if (path == NULL)
            return false;
        syncd_json_begin_object(&announced->writer);
        syncd_file_bytes_write(&announced->writer, "path", "path_base64", SYNCD_BYTES_TEXT(path));
        if (!write_deed(cli, client, full, announced, error))
            return false;
        syncd_json_end_object(&announced->writer);
    }
    syncd_json_end_array(&announced->writer);
    return true;
}

/* ---- as whom ---- */

static bool sign(SyncdClient *client, const Announced *announced, const char *actor,
                 const SyncdSigner *signer, GVariantDict *options, GError **error)
{
    const SyncdBytes parts[] = {SYNCD_BYTES_TEXT(announced->workspace),
                                SYNCD_BYTES(announced->changes->str, announced->changes->len)};
    g_autofree char *description = syncd_client_describe(client, error);
    if (description == NULL)
        return false;
    g_autofree char *device =
        syncd_record_text(syncd_json_root(description, strlen(description)), "device_id");
    syncd_cli_sign_request(signer, device, actor, METHOD, parts, G_N_ELEMENTS(parts), options);
    return true;
}

static char *announce(SyncdCli *cli, SyncdClient *client, const Announced *announced,
                      const SyncdSigner *signer, GError **error)
{
    g_auto(GVariantDict) options = G_VARIANT_DICT_INIT(NULL);
    if (signer != NULL &&
        !sign(client, announced, syncd_cli_value(cli, "as"), signer, &options, error))
        return NULL;
    return syncd_client_announce(client, announced->workspace, announced->changes->str,
                                 g_variant_dict_end(&options), error);
}

/* ---- what came of it ---- */

static void say_recorded(SyncdCli *cli, SyncdJson file)
{
    g_autofree char *path = syncd_record_text(file, "path");
    g_autofree char *safe = syncd_text_safe(path);
    syncd_output_wrapped(cli->out, _("%s: recorded so already, and it stays as it is recorded.\n"),
                         safe);
}

static void show(SyncdCli *cli, const char *answer)
{
    SyncdJson root = syncd_json_root(answer, strlen(answer)), file;
    SyncdJsonIter iter;
    g_autofree char *actor = syncd_record_text(root, "actor_id");
    g_autofree char *expires = syncd_record_text(root, "expires_at");
    g_autofree char *until = syncd_when_local(expires);
    bool json = syncd_cli_json(cli);
    if (json)
        syncd_output_json(cli->out, answer, strlen(answer), true);
    else
        syncd_output_wrapped(cli->out, _("Announced as %s until %s: %llu.\n"), actor, until,
                             (unsigned long long)syncd_record_number(root, "announced"));
    syncd_json_iter_init(&iter, syncd_json_member(root, "already_recorded"));
    while (syncd_json_iter_next(&iter, NULL, &file)) {
        cli->exit = SYNCD_EXIT_NEGATIVE;
        if (!json)
            say_recorded(cli, file);
    }
}

bool syncd_verb_workspace_announce(SyncdCli *cli, GError **error)
{
    g_auto(Announced) announced = {.changes = g_string_new(NULL)};
    const char *key = syncd_cli_value(cli, "signing-key");
    if (!check_options(cli, error))
        return false;
    g_autoptr(SyncdSigner) signer = key != NULL ? syncd_cli_read_signer(key, error) : NULL;
    if (key != NULL && signer == NULL)
        return false;
    g_autoptr(SyncdClient) client = syncd_cli_connect(cli, SYNCD_CLI_ACT, error);
    if (client == NULL || !take_files(cli, client, &announced, error))
        return false;
    g_autofree char *answer = announce(cli, client, &announced, signer, error);
    if (answer == NULL)
        return false;
    show(cli, answer);
    return true;
}
