#include "cli/text-change.h"

#include "cli/text.h"

#include <string.h>

#define CONTEXT 3u

typedef struct {
    char **lines;
    guint n;
} Lines;

/* A line break at the end ends the last line. */
static Lines lines_of(const char *text)
{
    Lines lines = {g_strsplit(text, "\n", -1), 0};
    lines.n = g_strv_length(lines.lines);
    if (lines.n > 0 && *lines.lines[lines.n - 1] == '\0')
        lines.n--;
    return lines;
}

static void print(SyncdOutput *out, char mark, const Lines *lines, guint from, guint to)
{
    for (guint i = from; i < to; i++) {
        g_autofree char *safe = syncd_text_safe(lines->lines[i]);
        syncd_output_printf(out, "%c%s\n", mark, safe);
    }
}

/* What both begin with and what both end with is the same; all between is taken for changed. */
void syncd_cli_print_change(SyncdOutput *out, const char *old_text, const char *new_text)
{
    Lines old = lines_of(old_text), new = lines_of(new_text);
    guint least = MIN(old.n, new.n), same = 0, tail = 0;
    while (same < least && strcmp(old.lines[same], new.lines[same]) == 0)
        same++;
    while (tail < least - same &&
           strcmp(old.lines[old.n - tail - 1], new.lines[new.n - tail - 1]) == 0)
        tail++;
    if (strcmp(old_text, new_text) != 0) {
        guint from = same - MIN(same, CONTEXT), behind = MIN(tail, CONTEXT);
        guint old_end = old.n - tail + behind, new_end = new.n - tail + behind;
        syncd_output_printf(out, "@@ -%u,%u +%u,%u @@\n", from + 1, old_end - from, from + 1,
                            new_end - from);
        print(out, ' ', &old, from, same);
        print(out, '-', &old, same, old.n - tail);
        print(out, '+', &new, same, new.n - tail);
        print(out, ' ', &old, old.n - tail, old_end);
    }
    g_strfreev(old.lines);
    g_strfreev(new.lines);
}
