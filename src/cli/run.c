#include "base/json-writer.h"
#include "base/log.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/help.h"
#include "cli/i18n.h"
#include "cli/interrupt.h"
#include "cli/parse.h"
#include "cli/text.h"
#include "config.h"
#include "crypto/seal.h"

#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- errors ---- */

static void report_json(SyncdOutput *out, const SyncdErrorInfo *info, const char *sentence,
                        const char *hint)
{
    g_autoptr(GString) text = g_string_new(NULL);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, text, false);
    syncd_json_begin_object(&writer);
    syncd_json_name(&writer, "error");
    syncd_json_begin_object(&writer);
    syncd_json_member_string(&writer, "name", info->name);
    syncd_json_member_string(&writer, "message", sentence);
    syncd_json_member_string(&writer, "hint", hint);
    syncd_json_member_int(&writer, "exit", info->exit);
    syncd_json_end_object(&writer);
    syncd_json_end_object(&writer);
    syncd_output_json(out, text->str, text->len, !syncd_output_has_begun(out));
}

static void complain(const char *text)
{
    g_autofree char *safe = syncd_text_safe(text);
    g_autoptr(GString) wrapped = g_string_new(NULL);
    syncd_text_wrap(wrapped, safe, 0, 2, syncd_terminal_width(STDERR_FILENO));
    fprintf(stderr, "%s\n", wrapped->str);
}

SyncdExitCode syncd_cli_report(SyncdOutput *out, SyncdClientInstance instance, bool json,
                               const GError *error)
{
    const SyncdErrorInfo *info = syncd_error_info_of(error);
    g_autofree char *sentence = NULL, *next = NULL;
    syncd_error_split(error->message, &sentence, &next);
    g_autofree char *hint = syncd_commands_of(instance, next != NULL ? next : info->next);
    if (json) {
        report_json(out, info, sentence, hint);
        return info->exit;
    }

    /* What was printed so far comes before the complaint about the rest. */
    syncd_output_flush(out);
    g_autofree char *what = g_strconcat("sourceos-syncd: ", sentence, NULL);
    g_autofree char *then = g_strdup_printf(_("Next: %s"), hint);
    complain(what);
    complain(then);
    return info->exit;
}

/* ---- the program ---- */

/* Also when the words cannot be parsed must it be known how to complain. */
static bool wants(const char *option, int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], option) == 0)
            return true;
    return false;
}

static void print_version(const SyncdCli *cli)
{
    if (syncd_cli_json(cli))
        syncd_output_json(cli->out, "{\"version\":\"" SYNCD_VERSION "\"}",
                          strlen("{\"version\":\"" SYNCD_VERSION "\"}"), true);
    else
        syncd_output_text(cli->out, "sourceos-syncd " SYNCD_VERSION "\n");
}

static bool check_choices(const SyncdCli *cli, GError **error)
{
    if (!syncd_cli_flag(cli, "system") || !syncd_cli_flag(cli, "user"))
        return true;
    syncd_set_error(error, SYNCD_ERROR_USAGE, "--system and --user exclude each other");
    return false;
}

/* A complaint about words that says nothing better leads to the help of its verb. */
static bool run_verb(SyncdCli *cli, GError **error)
{
    GError *problem = NULL;
    if (cli->verb->run(cli, &problem))
        return true;
    g_autofree char *sentence = NULL, *next = NULL;
    syncd_error_split(problem->message, &sentence, &next);
    const char *usual = syncd_error_info(SYNCD_ERROR_USAGE)->next;
    if (!g_error_matches(problem, SYNCD_ERROR, SYNCD_ERROR_USAGE) || next == NULL ||
        !g_str_has_prefix(next, usual)) {
        g_propagate_error(error, problem);
        return false;
    }
    g_error_free(problem);
    g_autofree char *title = syncd_verb_title(cli->verb);
    g_autofree char *better = g_strdup_printf("see `sourceos-syncd %s --help`", title);
    syncd_set_error_next(error, SYNCD_ERROR_USAGE, better, "%s", sentence);
    return false;
}

static bool run_words(SyncdCli *cli, const char *group, GError **error)
{
    if (!check_choices(cli, error))
        return false;
    if (syncd_cli_flag(cli, "version") && syncd_cli_value(cli, "version") == NULL) {
        print_version(cli);
        return true;
    }
    if (syncd_cli_flag(cli, "help"))
        return cli->verb != NULL ? syncd_help_verb(cli, cli->verb, error)
                                 : syncd_help_group(cli, group, error);
    if (cli->verb != NULL)
        return run_verb(cli, error);

    if (syncd_cli_json(cli)) {
        syncd_set_error(error, SYNCD_ERROR_USAGE, "Say what to do: a verb is missing");
        return false;
    }
    cli->exit = SYNCD_EXIT_NEGATIVE;
    return syncd_help_group(cli, group, error);
}

/* What a verb has to say it prints; the daemon installs a sink of its own. */
static void drop_log(SyncdLogLevel level, const char *message_id, const char *message)
{
}

static void setup(void)
{
    syncd_log_set_sink(drop_log);
    setlocale(LC_ALL, "");
    bindtextdomain("sourceos-syncd", SYNCD_LOCALEDIR);
    bind_textdomain_codeset("sourceos-syncd", "UTF-8");
    textdomain("sourceos-syncd");
    syncd_interrupt_setup();
}

int syncd_cli_main(int argc, char **argv)
{
    setup();
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) arguments = g_ptr_array_new();
    g_autoptr(GArray) given = g_array_new(FALSE, FALSE, sizeof(SyncdGiven));
    g_autoptr(SyncdOutput) out = syncd_output_new(STDOUT_FILENO);
    SyncdCli cli = {.arguments = arguments, .given = given, .out = out};
    bool json = wants("--json", argc, argv);
    SyncdClientInstance instance =
        wants("--system", argc, argv) ? SYNCD_CLIENT_SYSTEM : SYNCD_CLIENT_USER;

    const char *group = NULL;
    if (syncd_crypto_init(&error) && syncd_cli_parse(&cli, argc, argv, &group, &error)) {
        syncd_output_set_color(out, syncd_cli_value(&cli, "color"));
        if (syncd_cli_flag(&cli, "compact"))
            syncd_output_set_compact(out);
        run_words(&cli, group, &error);
    }
    if (error != NULL)
        cli.exit = syncd_cli_report(out, instance, json, error);

    g_autoptr(GError) output_error = NULL;
    if (!syncd_output_finish(out, &output_error))
        return syncd_cli_report(out, instance, false, output_error);
    return cli.exit;
}
