/*
 * What is found wrong with an instance, gathered.
 */
#pragma once

#include "base/json.h"
#include "cli/cli.h"
#include "domain/findings.h"

#include <glib.h>

#define SYNCD_DOCTOR_FACTS 4u

typedef struct {
    const SyncdFinding *finding;
    struct {
        const char *name;
        char *text;
    } facts[SYNCD_DOCTOR_FACTS];
    unsigned n_facts;
    GPtrArray *evidence; /* char *: ids of records, tasks, entries */
} SyncdFound;

typedef struct {
    SyncdCli *cli;
    SyncdClient *client;
    bool deep;
    GPtrArray *found; /* SyncdFound */
} SyncdDoctor;

/* Valid until the next one is added. The texts are copied; NULL ends them: name, text, … */
SyncdFound *syncd_doctor_add(SyncdDoctor *doctor, const char *code, ...) G_GNUC_NULL_TERMINATED;
/* Everything that there is to look at. A check that cannot be made is a finding, and no clean bill.
 */
bool syncd_doctor_check(SyncdDoctor *doctor, GError **error);
