/* The checks: one function each, and a table of them. */
#include "cli/doctor.h"
#include "cli/i18n.h"
#include "cli/interrupt.h"
#include "cli/listing.h"
#include "cli/progress.h"
#include "client/calls.h"
#include "client/job.h"
#include "client/registry.h"
#include "client/workspaces.h"

#include <poll.h>
#include <string.h>

#define EVIDENCE_MAX 5u
#define PAGE 100u

/* ---- the state ---- */

static bool check_state(SyncdDoctor *self, GError **error)
{
    g_autofree char *description = syncd_client_describe(self->client, error);
    SyncdJsonIter iter;
    SyncdJson reason;
    if (description == NULL)
        return false;
    syncd_json_iter_init(&iter, syncd_json_member(syncd_json_root(description, strlen(description)),
                                                  "state_reasons"));
    while (syncd_json_iter_next(&iter, NULL, &reason)) {
        g_autofree char *code = syncd_json_dup_text(reason);
        if (code == NULL)
            continue;
        if (strcmp(code, "workspace-asks") == 0 || strcmp(code, "checksum-mismatch") == 0)
            continue; /* which one, says the check of workspaces */
        if (syncd_finding_find(SYNCD_BYTES_TEXT(code)) != NULL)
            syncd_doctor_add(self, code, NULL);
        else
            syncd_doctor_add(self, "unknown-reason", "reason", code, NULL);
    }
    return true;
}

/* ---- workspaces ---- */

static bool is(SyncdJson row, const char *member, const char *word)
{
    return syncd_json_is(syncd_json_member(row, member), word);
}

static void add_about(SyncdDoctor *self, const char *code, SyncdJson row, const char *reason)
{
    g_autofree char *workspace = syncd_record_text(row, "workspace_id"),
                    *directory = syncd_record_text(row, "directory"),
                    *root = syncd_record_text(row, "root_id");
    SyncdFound *found = syncd_doctor_add(self, code, "workspace", workspace, "directory", directory,
                                         "reason", reason, NULL);
    g_ptr_array_add(found->evidence, g_steal_pointer(&root));
}

static void check_paused(SyncdDoctor *self, SyncdJson row)
{
    g_autofree char *reason = syncd_record_text(row, "pause_reason"),
                    *cause = syncd_record_text(row, "pause_cause");
    add_about(self, *cause != '\0' ? "workspace-asks" : "workspace-paused", row,
              *reason != '\0' ? reason : _("nobody said why"));
}

static void check_recording(SyncdDoctor *self, SyncdJson row)
{
    g_autofree char *reason = syncd_record_text(row, "recording_reason"),
                    *unreadable = syncd_record_text(row, "unreadable");
    if (is(row, "recording", "missing"))
        add_about(self, "workspace-missing", row, reason);
    if (is(row, "recording", "failed"))
        add_about(self, "workspace-failed", row, reason);
    if (syncd_record_number(row, "unreadable") > 0) {
        g_autofree char *workspace = syncd_record_text(row, "workspace_id");
        syncd_doctor_add(self, "workspace-unreadable", "workspace", workspace, "n", unreadable,
                         NULL);
    }
    if (syncd_record_number(row, "unruled") > 0)
        add_about(self, "workspace-unruled", row, reason);
    if (syncd_json_member(row, "unwatched").type == SYNCD_JSON_TRUE)
        add_about(self, "workspace-unwatched", row, reason);
}

/* Which ones is the evidence, as far as they are few. */
static bool check_mismatched(SyncdDoctor *self, SyncdJson row, GError **error)
{
    g_autofree char *workspace = syncd_record_text(row, "workspace_id"),
                    *n = syncd_record_text(row, "mismatched"), *files = NULL, *cursor = NULL;
    g_auto(GVariantDict) options = G_VARIANT_DICT_INIT(NULL);
    SyncdJsonIter iter;
    SyncdJson file;
    if (syncd_record_number(row, "mismatched") == 0)
        return true;
    g_variant_dict_insert(&options, "mismatched", "b", TRUE);
    g_variant_dict_insert(&options, "limit", "u", EVIDENCE_MAX);
    if (!syncd_client_list_files(self->client, workspace, "", g_variant_dict_end(&options), &files,
                                 &cursor, error))
        return false;
    SyncdFound *found =
        syncd_doctor_add(self, "checksum-mismatch", "workspace", workspace, "n", n, NULL);
    syncd_json_iter_init(&iter, syncd_json_root(files, strlen(files)));
    while (syncd_json_iter_next(&iter, NULL, &file)) {
        g_autofree char *id = syncd_record_text(file, "file_id"),
                        *path = syncd_record_text(file, "path");
        g_ptr_array_add(found->evidence, g_strdup_printf("%s %s", id, path));
    }
    return true;
}

/* Reads everything that can be read in it. */
static bool scan(SyncdDoctor *self, SyncdJson row, GError **error)
{
    g_autofree char *workspace = syncd_record_text(row, "workspace_id");
    g_autofree char *what = g_strdup_printf(_("Reading %s"), workspace);
    g_autoptr(GError) fault = NULL;
    SyncdProgress progress = syncd_progress(self->cli, what);
    struct pollfd stop = {.fd = syncd_interrupt_catch(), .events = POLLIN};
    g_autofree char *job = syncd_client_scan(self->client, workspace, true, &fault);
    g_autofree char *result = job != NULL
                                  ? syncd_client_wait_job(self->client, job, &stop,
                                                          syncd_progress_show, &progress, &fault)
                                  : NULL;
    syncd_interrupt_release();
    syncd_progress_clear(&progress);
    if (result == NULL && g_error_matches(fault, SYNCD_ERROR, SYNCD_ERROR_INTERRUPTED)) {
        g_propagate_error(error, g_steal_pointer(&fault));
        return false;
    }
    if (result == NULL)
        add_about(self, "workspace-unscanned", row, fault->message);
    return true;
}

static bool scan_all(SyncdDoctor *self, GError **error)
{
    g_autofree char *rows = syncd_client_list_workspaces(self->client, NULL, error);
    SyncdJsonIter iter;
    SyncdJson row;
    if (rows == NULL)
        return false;
    syncd_json_iter_init(&iter, syncd_json_root(rows, strlen(rows)));
    while (syncd_json_iter_next(&iter, NULL, &row))
        if (is(row, "state", "active") && !scan(self, row, error))
            return false;
    return true;
}

static bool check_workspaces(SyncdDoctor *self, GError **error)
{
    if (self->deep && !scan_all(self, error))
        return false;
    g_autofree char *rows = syncd_client_list_workspaces(self->client, NULL, error);
    SyncdJsonIter iter;
    SyncdJson row;
    if (rows == NULL)
        return false;
    syncd_json_iter_init(&iter, syncd_json_root(rows, strlen(rows)));
    while (syncd_json_iter_next(&iter, NULL, &row)) {
        if (!check_mismatched(self, row, error))
            return false;
        if (is(row, "state", "paused"))
            check_paused(self, row);
        else
            check_recording(self, row);
    }
    return true;
}

/* ---- objects and tasks ---- */

/* One finding for all that a page has, and which the first ones are. */
static void add_counted(SyncdDoctor *self, const char *code, const char *records, const char *id,
                        bool more)
{
    g_autoptr(GPtrArray) ids = g_ptr_array_new_with_free_func(g_free);
    unsigned n = 0;
    SyncdJsonIter iter;
    SyncdJson record;
    syncd_json_iter_init(&iter, syncd_json_root(records, strlen(records)));
    for (; syncd_json_iter_next(&iter, NULL, &record); n++)
        if (n < EVIDENCE_MAX)
            g_ptr_array_add(ids, syncd_record_text(record, id));
    if (n == 0)
        return;
    g_autofree char *count = g_strdup_printf(more ? _("at least %u") : "%u", n);
    SyncdFound *found = syncd_doctor_add(self, code, "n", count, NULL);
    g_ptr_array_extend_and_steal(found->evidence, g_steal_pointer(&ids));
}

static bool check_objects(SyncdDoctor *self, GError **error)
{
    static const char *const states[] = {"quarantined", "conflicted"};
    for (size_t i = 0; i < G_N_ELEMENTS(states); i++) {
        g_autofree char *code = g_strconcat("objects-", states[i], NULL), *records = NULL,
                        *cursor = NULL;
        g_auto(GVariantDict) options = G_VARIANT_DICT_INIT(NULL);
        g_variant_dict_insert(&options, "state", "s", states[i]);
        if (!syncd_client_list_records(self->client, "object", g_variant_dict_end(&options),
                                       &records, &cursor, error))
            return false;
        add_counted(self, code, records, "id", *cursor != '\0');
    }
    return true;
}

static bool check_tasks(SyncdDoctor *self, GError **error)
{
    for (int stale = 0; stale <= 1; stale++) {
        g_autofree char *tasks = NULL, *cursor = NULL;
        g_auto(GVariantDict) options = G_VARIANT_DICT_INIT(NULL);
        if (stale)
            g_variant_dict_insert(&options, "stale", "b", TRUE);
        else
            g_variant_dict_insert(&options, "state", "s", "failed");
        if (!syncd_client_list(self->client, SYNCD_CLIENT_TASKS, g_variant_dict_end(&options),
                               &tasks, &cursor, error))
            return false;
        add_counted(self, stale ? "tasks-stale" : "tasks-failed", tasks, "task_id",
                    *cursor != '\0');
    }
    return true;
}

/* ---- the log ---- */

static void add_damage(SyncdDoctor *self, SyncdJson verification)
{
    SyncdJsonIter iter;
    SyncdJson finding;
    syncd_json_iter_init(&iter, syncd_json_member(verification, "findings"));
    while (syncd_json_iter_next(&iter, NULL, &finding)) {
        g_autofree char *code = syncd_record_text(finding, "code"),
                        *sequence = syncd_record_text(finding, "sequence");
        SyncdFound *found = syncd_doctor_add(self, "log-damaged", "reason", code, NULL);
        if (*sequence != '\0')
            g_ptr_array_add(found->evidence, g_steal_pointer(&sequence));
    }
}

/* The signed heads are checked in no time; all of it only when that is wanted. */
static bool check_log(SyncdDoctor *self, GError **error)
{
    g_auto(GVariantDict) options = G_VARIANT_DICT_INIT(NULL);
    SyncdProgress progress = syncd_progress(self->cli, self->deep ? _("Checking the log") : NULL);
    struct pollfd stop = {.fd = syncd_interrupt_catch(), .events = POLLIN};
    g_variant_dict_insert(&options, "mode", "s", self->deep ? "full" : "heads");
    g_autofree char *job = syncd_client_verify(self->client, g_variant_dict_end(&options), error);
    g_autofree char *result =
        job != NULL
            ? syncd_client_wait_job(self->client, job, &stop, syncd_progress_show, &progress, error)
            : NULL;
    syncd_interrupt_release();
    syncd_progress_clear(&progress);
    if (result != NULL)
        add_damage(self, syncd_json_root(result, strlen(result)));
    return result != NULL;
}

static const struct {
    const char *what;
    bool (*check)(SyncdDoctor *self, GError **error);
} checks[] = {
    {N_("the state"), check_state},       {N_("the log"), check_log},
    {N_("workspaces"), check_workspaces}, {N_("objects"), check_objects},
    {N_("tasks"), check_tasks},
};

/* What cannot be looked at is a finding, and keeps nothing else from being looked at. */
static bool goes_on(SyncdDoctor *self, const char *what, GError *fault, GError **error)
{
    if (g_error_matches(fault, SYNCD_ERROR, SYNCD_ERROR_UNREACHABLE) ||
        g_error_matches(fault, SYNCD_ERROR, SYNCD_ERROR_INTERRUPTED)) {
        g_propagate_error(error, fault);
        return false;
    }
    g_autofree char *sentence = NULL, *next = NULL;
    syncd_error_split(fault->message, &sentence, &next);
    syncd_doctor_add(self, "unchecked", "what", _(what), "reason", sentence, NULL);
    g_error_free(fault);
    return true;
}

bool syncd_doctor_check(SyncdDoctor *self, GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(checks); i++) {
        GError *fault = NULL;
        if (!checks[i].check(self, &fault) && !goes_on(self, checks[i].what, fault, error))
            return false;
    }
    return true;
}
