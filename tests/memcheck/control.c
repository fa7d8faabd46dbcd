/*
 * The control of the memory checks: with "leak" it loses a block, with "read" it decides by a byte
 * that it was never given; with "none" it does neither. Its own exit status is always 0.
 */
#include <glib.h>
#include <string.h>

static volatile int sink;

/* Not inlined: what is left of the address must not stay in a register of main(). */
static G_NO_INLINE void lose_block(void)
{
    char *block = g_malloc(40);
    block[0] = 1;
    sink = block[0];
}

static G_NO_INLINE void read_too_far(void)
{
    char *block = g_malloc(40);
    volatile size_t past = 40;
    if (block[past] == 'x')
        sink = 1;
    g_free(block);
}

int main(int argc, char **argv)
{
    const char *defect = argc == 2 ? argv[1] : "none";
    if (strcmp(defect, "leak") == 0)
        lose_block();
    else if (strcmp(defect, "read") == 0)
        read_too_far();
    return 0;
}
