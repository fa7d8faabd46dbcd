#include "cli/cli.h"
#include "cli/reader.h"

int main(int argc, char **argv)
{
    return syncd_cli_is_reader(argc, argv) ? syncd_cli_reader() : syncd_cli_main(argc, argv);
}
