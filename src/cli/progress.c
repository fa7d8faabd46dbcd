#include "cli/progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define WIDTH 30

SyncdProgress syncd_progress(const SyncdCli *cli, const char *what)
{
    return (SyncdProgress){isatty(STDERR_FILENO) && !syncd_cli_json(cli) ? what : NULL};
}

void syncd_progress_show(void *data, double done)
{
    const SyncdProgress *self = data;
    char bar[WIDTH + 1];
    int full = (int)(CLAMP(done, 0.0, 1.0) * WIDTH);
    if (self->what == NULL)
        return;
    memset(bar, ' ', WIDTH);
    memset(bar, '=', (size_t)full);
    bar[WIDTH] = '\0';
    fprintf(stderr, "\r%s [%s] %3.0f %%", self->what, bar, done * 100.0);
}

void syncd_progress_clear(const SyncdProgress *self)
{
    if (self->what != NULL)
        fputs("\r\033[K", stderr);
}
