/* Which paths are ignored, and by which rule. */
#include "base/json-writer.h"
#include "cli/i18n.h"
#include "cli/listing.h"
#include "cli/text.h"
#include "cli/verbs.h"
#include "cli/workspace-find.h"
#include "client/workspaces.h"

#include <string.h>

#define CHECK "check"

/* Its text, where it is no UTF-8 as good as can be. */
static char *text_of(SyncdJson verdict, const char *name)
{
    gsize size;
    g_autofree char *plain = syncd_record_text(verdict, name);
    g_autofree char *encoded_name = g_strconcat(name, "_base64", NULL);
    g_autofree char *encoded = syncd_record_text(verdict, encoded_name);
    if (*encoded == '\0')
        return syncd_text_safe(plain);
    g_autofree guchar *bytes = g_base64_decode(encoded, &size);
    g_autofree char *text = g_strndup((const char *)bytes, size);
    return syncd_text_safe(text);
}

static void say(SyncdCli *cli, const char *named, SyncdJson verdict)
{
    g_autofree char *path = syncd_text_safe(named);
    g_autofree char *source = text_of(verdict, "source");
    g_autofree char *pattern = text_of(verdict, "pattern");
    guint line = (guint)syncd_record_number(verdict, "line");
    bool ignored = syncd_json_member(verdict, "ignored").type == SYNCD_JSON_TRUE;
    bool shared = strcmp(source, "shared") == 0;
    if (*source == '\0')
        syncd_output_wrapped(cli->out, _("%s: recorded, no rule says anything of it\n"), path);
    else if (shared && ignored)
        syncd_output_wrapped(cli->out, _("%s: ignored by line %u of the shared rules: %s\n"), path,
                             line, pattern);
    else if (shared)
        syncd_output_wrapped(cli->out, _("%s: recorded, by line %u of the shared rules: %s\n"),
                             path, line, pattern);
    else if (ignored)
        syncd_output_wrapped(cli->out, _("%s: ignored by line %u of %s: %s\n"), path, line, source,
                             pattern);
    else
        syncd_output_wrapped(cli->out, _("%s: recorded, by line %u of %s: %s\n"), path, line,
                             source, pattern);
}

/* NULL on failure. A rule may be for folders only: whether it is one is what is there, or a "/". */
static char *check(SyncdCli *cli, SyncdClient *client, const char *named, GError **error)
{
    g_autofree char *path = NULL;
    g_autoptr(SyncdCliWorkspace) workspace = syncd_cli_find_path(cli, client, named, &path, error);
    if (workspace == NULL)
        return NULL;
    g_autofree char *full = g_build_filename(workspace->directory, path, NULL);
    bool is_folder = g_str_has_suffix(named, "/") || (g_file_test(full, G_FILE_TEST_IS_DIR) &&
                                                      !g_file_test(full, G_FILE_TEST_IS_SYMLINK));
    g_autofree char *asked = g_strconcat(path, is_folder && *path != '\0' ? "/" : "", NULL);
    return syncd_client_check_ignored(client, workspace->workspace, asked, error);
}

static bool take_word(const SyncdCli *cli, GError **error)
{
    const char *word = syncd_cli_argument(cli, 0);
    if (strcmp(word, CHECK) == 0)
        return true;
    syncd_set_error_next(error, SYNCD_ERROR_USAGE, "write `workspace ignore check PATH`",
                         "There is no verb `workspace ignore %s`", word);
    return false;
}

bool syncd_verb_workspace_ignore(SyncdCli *cli, GError **error)
{
    g_autoptr(GString) json = g_string_new(NULL);
    SyncdJsonWriter writer;
    if (!take_word(cli, error))
        return false;
    g_autoptr(SyncdClient) client = syncd_cli_connect(cli, SYNCD_CLI_ACT, error);
    if (client == NULL)
        return false;
    syncd_json_writer_init(&writer, json, false);
    syncd_json_begin_array(&writer);
    for (guint i = 1; syncd_cli_argument(cli, i) != NULL; i++) {
        const char *named = syncd_cli_argument(cli, i);
        g_autofree char *verdict = check(cli, client, named, error);
        if (verdict == NULL)
            return false;
        SyncdJson root = syncd_json_root(verdict, strlen(verdict));
        if (syncd_cli_json(cli))
            syncd_json_value(&writer, root);
        else
            say(cli, named, root);
    }
    syncd_json_end_array(&writer);
    if (syncd_cli_json(cli))
        syncd_output_json(cli->out, json->str, json->len, true);
    return true;
}
