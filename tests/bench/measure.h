/*
 * What the benchmarks share: figures that are taken in several rounds, each beside a baseline of
 * the same round, and how they are told.
 *
 * A machine that does other things too makes every single number doubtful; the ratio of two that
 * were taken one right after the other is less so, and its spread over the rounds says how much.
 */
#pragma once

#include <glib.h>
#include <stdio.h>
#include <stdlib.h>

#define ROUNDS_MAX 64u

typedef struct {
    unsigned n;
    double values[ROUNDS_MAX];
} Rounds;

static inline double seconds_since(gint64 begin)
{
    return (double)(g_get_monotonic_time() - begin) / G_USEC_PER_SEC;
}

static inline void rounds_add(Rounds *rounds, double value)
{
    g_assert_cmpuint(rounds->n, <, ROUNDS_MAX);
    rounds->values[rounds->n++] = value;
}

static inline int compare_doubles(const void *one, const void *other)
{
    double left = *(const double *)one, right = *(const double *)other;
    return (left > right) - (left < right);
}

/* Sorts them. */
static inline double median_of(double *values, size_t n)
{
    qsort(values, n, sizeof *values, compare_doubles);
    return n == 0 ? 0 : (values[(n - 1) / 2] + values[n / 2]) / 2;
}

static inline double rounds_median(const Rounds *rounds)
{
    Rounds sorted = *rounds;
    return median_of(sorted.values, sorted.n);
}

static inline Rounds rounds_ratio(const Rounds *subject, const Rounds *baseline)
{
    Rounds ratio = {.n = MIN(subject->n, baseline->n)};
    for (unsigned i = 0; i < ratio.n; i++)
        ratio.values[i] = subject->values[i] / baseline->values[i];
    return ratio;
}

static inline void tell_heading(void)
{
    printf("| figure | | baseline | | ratio | least to most | best | promised |\n"
           "|---|---|---|---|---|---|---|---|\n");
}

/* The best round of a rate is the one with the most, of anything else the one with the least. */
static inline double rounds_best(const Rounds *rounds, const char *unit)
{
    Rounds sorted = *rounds;
    median_of(sorted.values, sorted.n);
    return sorted.values[g_str_has_suffix(unit, "/s") ? sorted.n - 1 : 0];
}

/* One row of the table. `promised` says what the ratio was promised to be. Beside the median of the
 * rounds' ratios stands the ratio of the best rounds of both: where other work disturbs some
 * rounds, it is the one that was disturbed least. */
static inline void tell(const char *figure, const char *unit, const Rounds *subject,
                        const char *baseline_name, const Rounds *baseline, const char *promised)
{
    Rounds ratio = rounds_ratio(subject, baseline);
    double middle = median_of(ratio.values, ratio.n);
    printf("| %s | %.4g %s | %s | %.4g %s | %.2f | %.2f to %.2f | %.2f | %s |\n", figure,
           rounds_median(subject), unit, baseline_name, rounds_median(baseline), unit, middle,
           ratio.values[0], ratio.values[ratio.n - 1],
           rounds_best(subject, unit) / rounds_best(baseline, unit), promised);
    fflush(stdout);
}
