/* A version of a file comes back, as it was shown before. */
#include "cli/i18n.h"
#include "cli/interrupt.h"
#include "cli/listing.h"
#include "cli/progress.h"
#include "cli/text-change.h"
#include "cli/text.h"
#include "cli/verbs.h"
#include "cli/workspace-find.h"
#include "client/job.h"
#include "client/workspaces.h"

#include <poll.h>
#include <string.h>

#define TEXT_MAX (64u * 1024u)
#define DIGEST_SHOWN 12

typedef struct {
    char *workspace, *path; /* the file, in its workspace */
    char *to;               /* NULL: where it was */
    guint64 version;
    char *plan;
} Restored;

static void restored_clear(Restored *restored)
{
    g_free(restored->workspace);
    g_free(restored->path);
    g_free(restored->to);
    g_free(restored->plan);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Restored, restored_clear)

/* ---- what was said ---- */

static bool take_target(SyncdCli *cli, SyncdClient *client, Restored *restored, GError **error)
{
    const char *named = syncd_cli_value(cli, "to");
    if (named == NULL)
        return true;
    g_autoptr(SyncdCliWorkspace) workspace =
        syncd_cli_find_path(cli, client, named, &restored->to, error);
    if (workspace == NULL)
        return false;
    if (strcmp(workspace->workspace, restored->workspace) == 0)
        return true;
    syncd_set_error_next(error, SYNCD_ERROR_USAGE, "name a path in the same workspace",
                         "`%s` lies in another workspace than the file", named);
    return false;
}

static bool take_file(SyncdCli *cli, SyncdClient *client, Restored *restored, GError **error)
{
    g_autoptr(SyncdCliWorkspace) workspace =
        syncd_cli_find_path(cli, client, syncd_cli_argument(cli, 0), &restored->path, error);
    if (workspace == NULL)
        return false;
    restored->workspace = g_strdup(workspace->workspace);
    return take_target(cli, client, restored, error);
}

static GVariant *options_of(const Restored *restored, bool text)
{
    g_auto(GVariantDict) options = G_VARIANT_DICT_INIT(NULL);
    if (restored->version > 0)
        g_variant_dict_insert(&options, "version", "t", restored->version);
    if (restored->to != NULL)
        g_variant_dict_insert(&options, "to", "s", restored->to);
    if (text)
        g_variant_dict_insert(&options, "text", "b", TRUE);
    return g_variant_dict_end(&options);
}

/* ---- what would be done ---- */

static char *describe_state(SyncdJson state)
{
    g_autofree char *size = g_format_size(syncd_record_number(state, "size"));
    g_autofree char *sha256 = syncd_record_text(state, "sha256");
    return g_strdup_printf(_("version %llu (%s, sha256 %.*s)"),
                           (unsigned long long)syncd_record_number(state, "version"), size,
                           DIGEST_SHOWN, sha256);
}

/* What is there and nobody recorded has no version. */
static char *describe_found(SyncdJson state)
{
    g_autofree char *size = g_format_size(syncd_record_number(state, "size"));
    g_autofree char *sha256 = syncd_record_text(state, "sha256");
    return g_strdup_printf(_("what is there now (%s, sha256 %.*s)"), size, DIGEST_SHOWN, sha256);
}

/* What is on the disk, where that is a short text. */
static char *present_text(SyncdJson plan, const char *path)
{
    g_autofree char *directory = syncd_record_text(plan, "directory");
    g_autofree char *file = g_build_filename(directory, path, NULL);
    char *text = NULL;
    gsize size = 0;
    if (!g_file_test(file, G_FILE_TEST_IS_REGULAR) ||
        !g_file_get_contents(file, &text, &size, NULL))
        return NULL;
    if (size <= TEXT_MAX && g_utf8_validate(text, (gssize)size, NULL))
        return text;
    g_free(text);
    return NULL;
}

static void show_change(SyncdCli *cli, SyncdJson plan, const char *path)
{
    SyncdJson text = syncd_json_member(plan, "text");
    if (text.type != SYNCD_JSON_STRING)
        return;
    g_autofree char *new = syncd_json_dup_text(text);
    g_autofree char *old = present_text(plan, path);
    if (old != NULL && new != NULL)
        syncd_cli_print_change(cli->out, old, new);
}

static bool opens(SyncdJson plan)
{
    return syncd_record_number(plan, "mode_opened") != 0;
}

static void show_mode(SyncdCli *cli, SyncdJson plan)
{
    SyncdJson present = syncd_json_member(plan, "present");
    unsigned before = (unsigned)syncd_record_number(present, "mode"),
             after = (unsigned)syncd_record_number(syncd_json_member(plan, "restored"), "mode");
    if (present.type == SYNCD_JSON_OBJECT && before != after)
        syncd_output_wrapped(cli->out,
                             opens(plan)
                                 ? _("Its mode changes from %04o to %04o, which opens it to "
                                     "others than its owner.\n")
                                 : _("Its mode changes from %04o to %04o.\n"),
                             before, after);
}

static void show_plan(SyncdCli *cli, const Restored *restored)
{
    SyncdJson plan = syncd_json_root(restored->plan, strlen(restored->plan));
    SyncdJson present = syncd_json_member(plan, "present");
    g_autofree char *path = syncd_record_text(plan, "path");
    g_autofree char *safe = syncd_text_safe(path);
    g_autofree char *version = describe_state(syncd_json_member(plan, "restored"));
    if (present.type == SYNCD_JSON_OBJECT) {
        bool found = syncd_json_member(plan, "present_recorded").type == SYNCD_JSON_FALSE;
        g_autofree char *now = found ? describe_found(present) : describe_state(present);
        syncd_output_wrapped(cli->out,
                             found ? _("%s: the recorded bytes of %s take the place of %s, which "
                                       "is not what is recorded.\n")
                                   : _("%s: %s takes the place of %s.\n"),
                             safe, version, now);
        if (found)
            syncd_output_wrapped(
                cli->out, _("What is there now is recorded and kept first, as version %llu.\n"),
                (unsigned long long)syncd_record_number(present, "version") + 1);
        else if (syncd_json_member(plan, "present_kept").type == SYNCD_JSON_FALSE)
            syncd_output_wrapped(
                cli->out, "%s\n",
                _("The content of what is there now is not kept: afterwards nobody has it."));
        show_mode(cli, plan);
        show_change(cli, plan, path);
    } else {
        syncd_output_wrapped(cli->out, _("%s: %s comes back; nothing is there now.\n"), safe,
                             version);
    }
}

static void show_dropped_mode(SyncdCli *cli, const char *plan)
{
    SyncdJson root = syncd_json_root(plan, strlen(plan));
    if (syncd_record_number(root, "mode_dropped") != 0)
        syncd_output_wrapped(cli->out, "%s\n",
                             _("Its bits setuid and setgid are not brought back: whoever runs it "
                               "runs it as himself."));
}

/* ---- doing it ---- */

static char *apply(SyncdCli *cli, SyncdClient *client, const Restored *restored, GError **error)
{
    SyncdJson plan = syncd_json_root(restored->plan, strlen(restored->plan));
    SyncdProgress progress = syncd_progress(cli, _("Restoring"));
    struct pollfd stop = {.fd = syncd_interrupt_catch(), .events = POLLIN};
    g_autofree char *digest = syncd_record_text(plan, "digest");
    g_autofree char *job = syncd_client_restore(client, restored->workspace, restored->path, digest,
                                                options_of(restored, false), error);
    char *result = job != NULL ? syncd_client_wait_job(client, job, &stop, syncd_progress_show,
                                                       &progress, error)
                               : NULL;
    syncd_interrupt_release();
    syncd_progress_clear(&progress);
    return result;
}

static void show_result(SyncdCli *cli, const char *result)
{
    SyncdJson root = syncd_json_root(result, strlen(result));
    g_autofree char *operation = syncd_record_text(root, "operation_id");
    if (syncd_cli_json(cli))
        syncd_output_json(cli->out, result, strlen(result), true);
    else
        syncd_output_wrapped(cli->out, _("Restored: version %llu now, operation %s.\n"),
                             (unsigned long long)syncd_record_number(root, "version"), operation);
}

bool syncd_verb_workspace_restore(SyncdCli *cli, GError **error)
{
    g_auto(Restored) restored = {0};
    bool only_shown = syncd_cli_flag(cli, "dry-run");
    if (!syncd_cli_number(cli, "version", G_MAXINT64, 0, &restored.version, error))
        return false;
    g_autoptr(SyncdClient) client = syncd_cli_connect(cli, SYNCD_CLI_ACT, error);
    if (client == NULL || !take_file(cli, client, &restored, error))
        return false;
    restored.plan = syncd_client_plan_restore(client, restored.workspace, restored.path,
                                              options_of(&restored, !syncd_cli_json(cli)), error);
    if (restored.plan == NULL)
        return false;
    if (!syncd_cli_json(cli))
        show_plan(cli, &restored);
    if (!syncd_cli_json(cli))
        show_dropped_mode(cli, restored.plan);
    else if (only_shown)
        syncd_output_json(cli->out, restored.plan, strlen(restored.plan), true);
    if (only_shown)
        return true;
    bool open = opens(syncd_json_root(restored.plan, strlen(restored.plan)));
    if (!syncd_cli_confirm(cli, open ? _("Restore it, open to others?") : _("Restore it?"), error))
        return false;
    g_autofree char *result = apply(cli, client, &restored, error);
    if (result == NULL)
        return false;
    show_result(cli, result);
    return true;
}
