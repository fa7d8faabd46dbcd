#include "cli/commands.h"

#include <string.h>

#define PROGRAM "`sourceos-syncd "

static bool says_instance(const char *command, size_t size)
{
    return g_strstr_len(command, (gssize)size, " --system") != NULL ||
           g_strstr_len(command, (gssize)size, " --user") != NULL;
}

char *syncd_commands_of(SyncdClientInstance instance, const char *text)
{
    GString *out = g_string_new(NULL);
    const char *at = text, *found;
    while (instance == SYNCD_CLIENT_SYSTEM && (found = strstr(at, PROGRAM)) != NULL) {
        const char *rest = found + strlen(PROGRAM);
        g_string_append_len(out, at, rest - at);
        if (!says_instance(rest - 1, strcspn(rest - 1, "`")))
            g_string_append(out, "--system ");
        at = rest;
    }
    g_string_append(out, at);
    return g_string_free(out, FALSE);
}
