#include "cli/cli.h"

int main(int argc, char **argv)
{
    return syncd_cli_main(argc, argv);
}
