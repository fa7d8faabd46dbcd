#include "cli/reader.h"

#include "cli/cli.h"
#include "crypto/seal.h"
#include "reader/reader.h"

#include <string.h>
#include <unistd.h>

#define READER_FD 3

bool syncd_cli_is_reader(int argc, char **argv)
{
    return argc == 2 && strcmp(argv[1], "reader") == 0;
}

int syncd_cli_reader(void)
{
    g_autoptr(GError) error = NULL;
    if (syncd_reader_confine(READER_FD, &error) && syncd_crypto_init(&error) &&
        syncd_reader_run(READER_FD, &error))
        return SYNCD_EXIT_DONE;
    g_autoptr(SyncdOutput) out = syncd_output_new(STDOUT_FILENO);
    return (int)syncd_cli_report(out, SYNCD_CLIENT_USER, false, error);
}
