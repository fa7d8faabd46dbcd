#include "cli/cli.h"
#include "cli/parse.h"

#include <string.h>

static const SyncdVerbOption *declared(const SyncdCli *cli, const char *name)
{
    const SyncdVerbOption *option = syncd_cli_find_option(cli->verb, name);
    g_assert(option != NULL);
    return option;
}

static const SyncdGiven *last_given(const SyncdCli *cli, const char *name)
{
    const SyncdVerbOption *option = declared(cli, name);
    for (guint i = cli->given->len; i > 0; i--) {
        const SyncdGiven *given = &g_array_index(cli->given, SyncdGiven, i - 1);
        if (given->option == option)
            return given;
    }
    return NULL;
}

bool syncd_cli_flag(const SyncdCli *cli, const char *name)
{
    return last_given(cli, name) != NULL;
}

const char *syncd_cli_value(const SyncdCli *cli, const char *name)
{
    const SyncdGiven *given = last_given(cli, name);
    return given != NULL ? given->value : NULL;
}

GPtrArray *syncd_cli_values(const SyncdCli *cli, const char *name)
{
    const SyncdVerbOption *option = declared(cli, name);
    GPtrArray *values = g_ptr_array_new();
    for (guint i = 0; i < cli->given->len; i++) {
        const SyncdGiven *given = &g_array_index(cli->given, SyncdGiven, i);
        if (given->option == option)
            g_ptr_array_add(values, (gpointer)given->value);
    }
    g_ptr_array_add(values, NULL);
    return values;
}

bool syncd_cli_number(const SyncdCli *cli, const char *name, guint64 max, guint64 fallback,
                      guint64 *ret_number, GError **error)
{
    const char *value = syncd_cli_value(cli, name);
    if (value == NULL) {
        *ret_number = fallback;
        return true;
    }
    if (g_ascii_string_to_unsigned(value, 10, 0, max, ret_number, NULL))
        return true;
    syncd_set_error(error, SYNCD_ERROR_USAGE,
                    "--%s takes a number from 0 to %" G_GUINT64_FORMAT ", not `%s`", name, max,
                    value);
    return false;
}

const char *syncd_cli_argument(const SyncdCli *cli, unsigned index)
{
    return index < cli->arguments->len ? cli->arguments->pdata[index] : NULL;
}

bool syncd_cli_json(const SyncdCli *cli)
{
    return syncd_cli_flag(cli, "json");
}

SyncdClientInstance syncd_cli_instance(const SyncdCli *cli)
{
    return syncd_cli_flag(cli, "system") ? SYNCD_CLIENT_SYSTEM : SYNCD_CLIENT_USER;
}
