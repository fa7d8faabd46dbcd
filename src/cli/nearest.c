#include "cli/parse.h"

#include <string.h>

/* Changes, insertions, deletions and swaps of neighbours that turn one word into the other. */
static size_t distance(const char *a, const char *b)
{
    size_t n = strlen(a);
    size_t m = strlen(b);
    g_autofree size_t *cells = g_new0(size_t, 3 * (m + 1));
    size_t *before = cells;
    size_t *above = cells + m + 1;
    size_t *row = above + m + 1;
    for (size_t j = 0; j <= m; j++)
        above[j] = j;
    for (size_t i = 1; i <= n; i++) {
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t change = above[j - 1] + (a[i - 1] != b[j - 1]);
            row[j] = MIN(change, MIN(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = MIN(row[j], before[j - 2] + 1);
        }
        size_t *free_row = before;
        before = above;
        above = row;
        row = free_row;
    }
    return above[m];
}

#define NEAREST_MAX_LENGTH 64
#define PREFIX_MIN 2

/* How many slips a word of that length may have and still be known for what was meant. */
static size_t slips(size_t length)
{
    return length <= 4 ? 1 : length <= 8 ? 2 : 3;
}

/* A hint that is wrong is worse than none: words that differ in more than a letter begin alike. */
static bool is_near(const char *word, const char *candidate, size_t d)
{
    return d <= slips(strlen(word)) && d < strlen(candidate) && (d <= 1 || *word == *candidate);
}

const char *syncd_nearest(const char *word, const char *const *candidates)
{
    const char *nearest = NULL;
    size_t length = strlen(word), least = G_MAXSIZE;
    if (length == 0 || length > NEAREST_MAX_LENGTH)
        return NULL;
    for (size_t i = 0; candidates[i] != NULL; i++) {
        bool begins = length >= PREFIX_MIN && g_str_has_prefix(candidates[i], word);
        size_t d = begins ? 1 : distance(word, candidates[i]);
        if (d < least && (begins || is_near(word, candidates[i], d))) {
            nearest = candidates[i];
            least = d;
        }
    }
    return nearest;
}
