/*
 * What is found wrong with an instance: the daemon finds it, and here it is shown. What the client
 * finds by itself is that no daemon answers, and what could not be looked at.
 */
#pragma once

#include "base/json.h"
#include "cli/cli.h"
#include "domain/found.h"

#include <glib.h>

typedef struct {
    SyncdCli *cli;
    SyncdClient *client;
    bool deep;
    GPtrArray *own;  /* SyncdFound, of the client itself */
    char *diagnosis; /* the daemon's; NULL: there is none */
} SyncdDoctor;

/* Has everything looked at that takes a job, and asks the daemon what it knows then. */
bool syncd_doctor_check(SyncdDoctor *doctor, GError **error);
/* A `sourceos.doctor/v1` with what both found. */
char *syncd_doctor_document(const SyncdDoctor *doctor);
