/*
 * Many images of a phase, judged by several processes.
 *
 * Each process takes every n-th history of the phase, cuts it after each event, draws images at
 * each cut and judges them. Images are told apart by a hash of all their bytes; one that was seen
 * before is judged again where more was promised since, but not counted again.
 */
#pragma once

#include "power-phases.h"

typedef struct {
    const char *folder; /* where to work; should be in memory */
    guint64 seed;
    unsigned workers;
    PowerFault fault;
    PowerHonesty honesty;
    bool until_wrong; /* one image that is wrong is enough */
} PowerPlan;

typedef struct {
    guint histories;
    guint cuts;         /* places at which at least one image was judged */
    guint drawn;        /* images, also those that were judged before */
    guint judged;       /* images, again with each promise */
    GHashTable *images; /* SyncdHash: the distinct ones */
    GPtrArray *wrong;   /* char *: what is wrong with an image, and how to get it again */
    guint n_wrong;      /* also those that are not in `wrong` */
    guint died;         /* processes that could not even judge an image */
} PowerReport;

/* Judges at least so many distinct images of the phase. */
void power_suite_run(const PowerPlan *plan, const PowerPhase *phase, guint images,
                     PowerReport *ret_report);
void power_report_clear(PowerReport *report);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(PowerReport, power_report_clear)
