#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/i18n.h"
#include "cli/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TIMEOUT_SECONDS 30u
/* Where polkit may ask a person first. */
#define TIMEOUT_ASKING_SECONDS 300u
#define TIMEOUT_MAX_SECONDS 86400u

SyncdClient *syncd_cli_connect_instance(const SyncdCli *cli, SyncdCliPurpose purpose,
                                        SyncdClientInstance instance, GError **error)
{
    bool acts = purpose != SYNCD_CLI_LOOK;
    bool asking = purpose == SYNCD_CLI_CONSENT || (acts && instance == SYNCD_CLIENT_SYSTEM);
    guint64 seconds;
    if (!syncd_cli_number(cli, "timeout", TIMEOUT_MAX_SECONDS,
                          asking ? TIMEOUT_ASKING_SECONDS : TIMEOUT_SECONDS, &seconds, error))
        return NULL;
    SyncdClientOptions options = {
        .instance = instance,
        .auto_start = acts,
        .interactive = acts,
        .timeout_usec = MAX(seconds, 1) * G_USEC_PER_SEC,
    };
    return syncd_client_connect(&options, error);
}

SyncdClient *syncd_cli_connect(const SyncdCli *cli, SyncdCliPurpose purpose, GError **error)
{
    return syncd_cli_connect_instance(cli, purpose, syncd_cli_instance(cli), error);
}

bool syncd_cli_confirm(const SyncdCli *cli, const char *question, GError **error)
{
    if (syncd_cli_flag(cli, "yes"))
        return true;
    if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO)) {
        syncd_set_error_next(error, SYNCD_ERROR_USAGE, "repeat it with `--yes` if you mean it",
                             "This needs a confirmation, and there is no terminal to ask at");
        return false;
    }

    /* What is asked about was printed before. */
    syncd_output_flush(cli->out);
    g_autofree char *asked = g_strdup_printf(_("%s [y/N]"), question);
    g_autoptr(GString) wrapped = g_string_new(NULL);
    syncd_text_wrap(wrapped, asked, 0, 0, syncd_terminal_width(STDERR_FILENO));
    fprintf(stderr, "%s ", wrapped->str);
    fflush(stderr);
    char answer[16] = "";
    bool read = fgets(answer, sizeof answer, stdin) != NULL;
    g_strstrip(answer);
    /* The letters of the question's language count as well as the English ones. */
    if (read && *answer != '\0' &&
        (g_ascii_strcasecmp(answer, "y") == 0 || g_ascii_strcasecmp(answer, "yes") == 0 ||
         g_ascii_strcasecmp(answer, _("y")) == 0 || g_ascii_strcasecmp(answer, _("yes")) == 0))
        return true;
    syncd_set_error(error, SYNCD_ERROR_CANCELLED, "Not confirmed: nothing was changed");
    return false;
}

void syncd_cli_remark(const SyncdCli *cli, const char *format, ...)
{
    if (syncd_cli_json(cli))
        return;
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    g_autofree char *told = syncd_commands_of(syncd_cli_instance(cli), text);
    g_autofree char *safe = syncd_text_safe(told);
    g_autoptr(GString) wrapped = g_string_new(NULL);
    syncd_text_wrap(wrapped, safe, 0, 0, syncd_terminal_width(STDERR_FILENO));
    /* A remark is about what was printed. */
    syncd_output_flush(cli->out);
    fprintf(stderr, "%s\n", wrapped->str);
}
