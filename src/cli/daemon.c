#include "cli/verbs.h"
#include "daemon/main.h"

#include <locale.h>

static const char *const forwarded[] = {"user",        "system",    "check-config", "config",
                                        "bus-address", "state-dir", "policy-dir"};

/* The daemon reads its own words: a service manager may start it by other programs. */
bool syncd_verb_daemon(SyncdCli *cli, GError **error)
{
    g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(words, g_strdup("sourceos-syncd"));
    for (size_t i = 0; i < G_N_ELEMENTS(forwarded); i++) {
        const char *value = syncd_cli_value(cli, forwarded[i]);
        if (!syncd_cli_flag(cli, forwarded[i]))
            continue;
        g_ptr_array_add(words, value != NULL ? g_strconcat("--", forwarded[i], "=", value, NULL)
                                             : g_strconcat("--", forwarded[i], NULL));
    }
    int n_words = (int)words->len;
    g_ptr_array_add(words, NULL);
    /* What the daemon says is for programs and logs: English. */
    setlocale(LC_ALL, "C.UTF-8");
    cli->exit = (SyncdExitCode)syncd_daemon_main(n_words, (char **)words->pdata);
    return true;
}
