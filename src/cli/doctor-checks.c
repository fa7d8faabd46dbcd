/* What has to be looked at before the daemon can say what it found: one function each, and a table
 * of them. */
#include "cli/doctor.h"
#include "cli/i18n.h"
#include "cli/interrupt.h"
#include "cli/listing.h"
#include "cli/progress.h"
#include "client/calls.h"
#include "client/job.h"
#include "client/workspaces.h"

#include <poll.h>
#include <string.h>

/* Waits for it; what came of it, the daemon remembers. */
static bool wait_for(SyncdDoctor *self, const char *job, const char *what, GError **error)
{
    SyncdProgress progress = syncd_progress(self->cli, what);
    struct pollfd stop = {.fd = syncd_interrupt_catch(), .events = POLLIN};
    g_autofree char *result =
        syncd_client_wait_job(self->client, job, &stop, syncd_progress_show, &progress, error);
    syncd_interrupt_release();
    syncd_progress_clear(&progress);
    return result != NULL;
}

/* The signed heads are checked in no time; all of it only when that is wanted. */
static bool check_log(SyncdDoctor *self, GError **error)
{
    g_auto(GVariantDict) options = G_VARIANT_DICT_INIT(NULL);
    g_variant_dict_insert(&options, "mode", "s", self->deep ? "full" : "heads");
    if (self->deep)
        g_variant_dict_insert(&options, "index", "b", TRUE);
    g_autofree char *job = syncd_client_verify(self->client, g_variant_dict_end(&options), error);
    return job != NULL && wait_for(self, job, self->deep ? _("Checking the log") : NULL, error);
}

/* ---- workspaces ---- */

static void add_unscanned(SyncdDoctor *self, SyncdJson row, const char *reason)
{
    g_autofree char *workspace = syncd_record_text(row, "workspace_id"), *sentence = NULL,
                    *next = NULL;
    syncd_error_split(reason, &sentence, &next);
    SyncdFound *found =
        syncd_found_new("workspace-unscanned", "workspace", workspace, "reason", sentence, NULL);
    found->object = syncd_record_text(row, "root_id");
    syncd_found_evidence(found, syncd_record_text(row, "directory"));
    g_ptr_array_add(self->own, found);
}

/* Reads everything that can be read in it. */
static bool scan(SyncdDoctor *self, SyncdJson row, GError **error)
{
    g_autofree char *workspace = syncd_record_text(row, "workspace_id");
    g_autofree char *what = g_strdup_printf(_("Reading %s"), workspace);
    g_autoptr(GError) fault = NULL;
    g_autofree char *job = syncd_client_scan(self->client, workspace, true, &fault);
    if (job != NULL && wait_for(self, job, what, &fault))
        return true;
    if (g_error_matches(fault, SYNCD_ERROR, SYNCD_ERROR_INTERRUPTED)) {
        g_propagate_error(error, g_steal_pointer(&fault));
        return false;
    }
    add_unscanned(self, row, fault->message);
    return true;
}

static bool check_workspaces(SyncdDoctor *self, GError **error)
{
    if (!self->deep)
        return true;
    g_autofree char *rows = syncd_client_list_workspaces(self->client, NULL, error);
    SyncdJsonIter iter;
    SyncdJson row;
    if (rows == NULL)
        return false;
    syncd_json_iter_init(&iter, syncd_json_root(rows, strlen(rows)));
    while (syncd_json_iter_next(&iter, NULL, &row))
        if (syncd_json_is(syncd_json_member(row, "state"), "active") && !scan(self, row, error))
            return false;
    return true;
}

/* ---- what is known then ---- */

static bool ask(SyncdDoctor *self, GError **error)
{
    g_auto(GVariantDict) options = G_VARIANT_DICT_INIT(NULL);
    if (self->deep)
        g_variant_dict_insert(&options, "deep", "b", TRUE);
    if (syncd_cli_flag(self->cli, "all"))
        g_variant_dict_insert(&options, "all", "b", TRUE);
    self->diagnosis = syncd_client_diagnose(self->client, g_variant_dict_end(&options), error);
    return self->diagnosis != NULL;
}

static const struct {
    const char *what;
    bool (*check)(SyncdDoctor *self, GError **error);
    const char *told_by[3]; /* what the daemon finds that says why it cannot be looked at */
    const char *next;       /* where nothing says that */
} checks[] = {
    {N_("the log"), check_log, {"journal-unreadable"}, SYNCD_NEXT_VERIFY_FULL},
    {N_("workspaces"),
     check_workspaces,
     {"journal-unreadable", "index-unavailable"},
     "sourceos-syncd workspace list"},
};

static bool daemon_tells(const SyncdDoctor *self, const char *const *codes)
{
    SyncdJsonIter iter;
    SyncdJson finding;
    syncd_json_iter_init(
        &iter,
        syncd_json_member(syncd_json_root(self->diagnosis, strlen(self->diagnosis)), "findings"));
    while (syncd_json_iter_next(&iter, NULL, &finding)) {
        g_autofree char *code = syncd_record_text(finding, "code");
        if (g_strv_contains(codes, code))
            return true;
    }
    return false;
}

/* What cannot be looked at keeps nothing else from being looked at. */
static bool goes_on(const GError *fault)
{
    return !g_error_matches(fault, SYNCD_ERROR, SYNCD_ERROR_UNREACHABLE) &&
           !g_error_matches(fault, SYNCD_ERROR, SYNCD_ERROR_INTERRUPTED);
}

/* It is a finding, unless it follows from one. */
static void add_unchecked(SyncdDoctor *self, size_t i, const GError *fault)
{
    g_autofree char *sentence = NULL, *next = NULL;
    if (g_error_matches(fault, SYNCD_ERROR, SYNCD_ERROR_ACCESS_DENIED))
        self->cli->exit = SYNCD_EXIT_NOT_AUTHORISED;
    else if (daemon_tells(self, checks[i].told_by))
        return;
    syncd_error_split(fault->message, &sentence, &next);
    SyncdFound *found =
        syncd_found_new("unchecked", "what", _(checks[i].what), "reason", sentence, NULL);
    found->next = checks[i].next;
    g_ptr_array_add(self->own, found);
}

bool syncd_doctor_check(SyncdDoctor *self, GError **error)
{
    GError *faults[G_N_ELEMENTS(checks)] = {NULL};
    bool asked = true;
    for (size_t i = 0; asked && i < G_N_ELEMENTS(checks); i++) {
        asked = checks[i].check(self, &faults[i]) || goes_on(faults[i]);
        if (!asked)
            g_propagate_error(error, g_steal_pointer(&faults[i]));
    }
    asked = asked && ask(self, error);
    for (size_t i = 0; i < G_N_ELEMENTS(checks); i++) {
        if (asked && faults[i] != NULL)
            add_unchecked(self, i, faults[i]);
        g_clear_error(&faults[i]);
    }
    return asked;
}
