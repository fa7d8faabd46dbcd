/*
 * What the verbs that judge documents share: reading the document, what is known beside it, and
 * printing. They need no daemon.
 *
 * A document that cannot be read, because it is not there or is no JSON, is an error: the verb
 * could not do its work. Whatever else is wrong with it is for the verb to judge. Output is always
 * JSON.
 */
#pragma once

#include "base/json.h"
#include "cli/cli.h"
#include "domain/attestation.h"
#include "domain/judgement.h"

#include <glib.h>

typedef struct {
    char *text;
    SyncdJson root; /* points into it */
} SyncdDocument;

void syncd_document_clear(SyncdDocument *document);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SyncdDocument, syncd_document_clear)

/* The document of --file; `what` names it in complaints: "a report". */
bool syncd_document_read(SyncdCli *cli, const char *what, SyncdDocument *ret_document,
                         GError **error);
/* One JSON document, as --compact wants it. */
void syncd_document_show(SyncdCli *cli, const GString *json);
/* {valid, errors}; the exit code says the same. */
void syncd_document_show_validity(SyncdCli *cli, const GPtrArray *problems);

/* The keys of --key; where none is given, the key of this device's running daemon. That none
 * answers is no error: then nobody is believed. */
SyncdAttestationKeys *syncd_document_keys_or_own(SyncdCli *cli, GError **error);
/* The value of an option that must be there and not empty; NULL with Usage. */
const char *syncd_document_demand(SyncdCli *cli, const char *option, GError **error);
gint64 syncd_document_now(void);

/* ---- reports ---- */

/* A report and what follows from it, with --file, --at, --max-age and --key. */
typedef struct {
    SyncdDocument document;
    SyncdAttestationKeys *keys;
    SyncdJudgement *judgement;
} SyncdJudgedReport;

void syncd_judged_report_clear(SyncdJudgedReport *judged);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SyncdJudgedReport, syncd_judged_report_clear)

bool syncd_judged_report_read(SyncdCli *cli, SyncdJudgedReport *ret_judged, GError **error);
/* The same; without --file it is the daemon's report of now, and the daemon's key is believed. */
bool syncd_judged_report_get(SyncdCli *cli, SyncdJudgedReport *ret_judged, GError **error);
