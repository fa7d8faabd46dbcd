#include "domain/storms.h"

#include <stdbool.h>
#include <string.h>

#define MORE "…"

typedef struct {
    char *kind;
    guint64 count;
    guint64 recent[SYNCD_STORM_REPEATS + 1]; /* the newest ones; a ring */
    guint64 first_ms, last_ms, last_usec;
    bool is_storm;
    char *samples[SYNCD_STORM_SAMPLES + 1];
} Series;

struct SyncdStorms {
    GPtrArray *series; /* Series, in the order of their beginning */
};

static void series_free(void *data)
{
    Series *series = data;
    g_free(series->kind);
    for (guint i = 0; i < SYNCD_STORM_SAMPLES; i++)
        g_free(series->samples[i]);
    g_free(series);
}

SyncdStorms *syncd_storms_new(void)
{
    SyncdStorms *self = g_new0(SyncdStorms, 1);
    self->series = g_ptr_array_new_with_free_func(series_free);
    return self;
}

void syncd_storms_free(SyncdStorms *self)
{
    if (self == NULL)
        return;
    g_ptr_array_unref(self->series);
    g_free(self);
}

static bool is_over(const Series *series, guint64 now_usec)
{
    guint64 after = series->is_storm ? SYNCD_STORM_KEPT_USEC : SYNCD_STORM_WINDOW_USEC;
    return now_usec - series->last_usec > after;
}

static void forget_old(SyncdStorms *self, guint64 now_usec)
{
    for (guint i = self->series->len; i-- > 0;)
        if (is_over(self->series->pdata[i], now_usec))
            g_ptr_array_remove_index(self->series, i);
}

static void make_room(SyncdStorms *self)
{
    guint oldest = 0;
    if (self->series->len < SYNCD_STORM_KINDS_MAX)
        return;
    for (guint i = 1; i < self->series->len; i++)
        if (((Series *)self->series->pdata[i])->last_usec <
            ((Series *)self->series->pdata[oldest])->last_usec)
            oldest = i;
    g_ptr_array_remove_index(self->series, oldest);
}

static Series *find_or_add(SyncdStorms *self, const char *kind, guint64 now_ms)
{
    for (guint i = 0; i < self->series->len; i++)
        if (strcmp(((Series *)self->series->pdata[i])->kind, kind) == 0)
            return self->series->pdata[i];
    make_room(self);
    Series *series = g_new0(Series, 1);
    series->kind = g_strdup(kind);
    series->first_ms = now_ms;
    g_ptr_array_add(self->series, series);
    return series;
}

/* Where the last command begins that is not whole up to there; NULL: none is. */
static const char *open_command(const char *sample, const char *end)
{
    const char *begin = NULL;
    for (const char *at = sample; at < end; at++)
        if (*at == '`')
            begin = begin == NULL ? at : NULL;
    return begin;
}

/* What is too long ends after a word, if one ends in its second half, and shows that it went on.
 * Nobody is shown half of a command, wherever it begins. */
static char *shorten(const char *sample)
{
    if (strnlen(sample, SYNCD_STORM_SAMPLE_MAX + 1) <= SYNCD_STORM_SAMPLE_MAX)
        return g_strdup(sample);
    const char *end = sample + SYNCD_STORM_SAMPLE_MAX - strlen(MORE);
    const char *half = sample + SYNCD_STORM_SAMPLE_MAX / 2;
    const char *space = g_strrstr_len(half, end + 1 - half, " ");
    while (space == NULL && end > half && ((guint8)*end & 0xc0) == 0x80) /* within a letter */
        end--;
    end = space != NULL ? space : end;
    const char *command = open_command(sample, end);
    if (command != NULL && command > sample)
        end = command[-1] == ' ' ? command - 1 : command;
    return g_strdup_printf("%.*s" MORE, (int)(end - sample), sample);
}

/* The last place is the newest one's. What was said already is not said twice. */
static void keep_sample(Series *series, const char *sample)
{
    guint at = 0;
    g_autofree char *text = shorten(sample);
    while (at < SYNCD_STORM_SAMPLES - 1 && series->samples[at] != NULL &&
           strcmp(series->samples[at], text) != 0)
        at++;
    if (g_strcmp0(series->samples[at], text) == 0)
        return;
    g_free(series->samples[at]);
    series->samples[at] = g_steal_pointer(&text);
}

void syncd_storms_note(SyncdStorms *self, const char *kind, const char *sample, guint64 now_usec,
                       guint64 now_ms)
{
    forget_old(self, now_usec);
    Series *series = find_or_add(self, kind, now_ms);
    series->recent[series->count++ % G_N_ELEMENTS(series->recent)] = now_usec;
    series->last_usec = now_usec;
    series->last_ms = now_ms;
    keep_sample(series, sample);
    guint64 earliest = series->recent[series->count % G_N_ELEMENTS(series->recent)];
    if (series->count > SYNCD_STORM_REPEATS && now_usec - earliest <= SYNCD_STORM_WINDOW_USEC)
        series->is_storm = true;
}

void syncd_storms_walk(SyncdStorms *self, guint64 now_usec,
                       void (*tell)(void *data, const SyncdStorm *storm), void *data)
{
    forget_old(self, now_usec);
    for (guint i = 0; i < self->series->len; i++) {
        const Series *series = self->series->pdata[i];
        const SyncdStorm storm = {series->kind, series->count, series->first_ms, series->last_ms,
                                  series->samples};
        if (series->is_storm)
            tell(data, &storm);
    }
}
