#include "cli/instance-status.h"

#include "base/timestamp.h"
#include "cli/commands.h"
#include "cli/listing.h"
#include "client/calls.h"

#include <string.h>

/* There is one, until profiles can be switched. */
#define DEFAULT_PROFILE "profile:default"

/* What the states and reasons mean to whoever reads only this sentence; JSON, so English. */
typedef struct {
    const char *code;
    const char *note;
} Note;

static const Note states[] = {
    /* From the best to the worst: the place is the severity. */
    {"clean", "Nothing is found to be wrong with what is there."},
    {"daemon-unavailable", "The daemon is not running."},
    {"offline", "Recording goes on; there is no connection to other devices."},
    {"policy-blocked", "Policy refused operations in the last minute: see them with "
                       "`sourceos-syncd events list --type sync.policy.denied`."},
    {"conflicted", "There are conflicts to resolve: see them with `sourceos-syncd objects list "
                   "--state=conflicted`."},
    {"degraded", "The instance works with limits: see which with `sourceos-syncd doctor`."},
    {"repair-recommended", "Something is damaged: see it with `sourceos-syncd doctor`."},
};

static const Note reasons[] = {
    {"machine-changed", "The state comes from another machine and is read-only: see how this one "
                        "goes on with it with `sourceos-syncd doctor`."},
    {"storage-failed", "Writing failed and the outcome is unknown: check the disk, then restart "
                       "the daemon, as `sourceos-syncd doctor` says."},
    {"journal-corrupt", "The journal is damaged: keep a copy of the state directory and run "
                        "`sourceos-syncd verify log --full`."},
    {"journal-unreadable",
     "The journal is gone or cannot be opened, so nothing is read or written: see what mends it "
     "with `sourceos-syncd doctor`."},
    {"journal-displaced",
     "The journal was removed, replaced, cut short or overwritten, and nothing is "
     "written: see what mends it with `sourceos-syncd doctor`, before the daemon is stopped."},
    {"device-key-missing", "The key of this device is gone or of no use, so nothing can be "
                           "written: see what is lost, and "
                           "what to do, with `sourceos-syncd doctor`."},
    {"key-missing",
     "A key is not here, so what was written with it cannot be read, and nothing can "
     "be written there: see it with `sourceos-syncd doctor`."},
    {"index-damaged", "The index is damaged, so some lookups fail or lie: see what mends it with "
                      "`sourceos-syncd doctor`."},
    {"index-displaced", "The file of the index was removed or replaced while it is open; lookups "
                        "go on from what is open, and a restart of the daemon makes it anew, as "
                        "`sourceos-syncd doctor` says."},
    {"log-rolled-back",
     "The log lost its end and is read-only: see what is missing, and how to go on without it, "
     "with `sourceos-syncd doctor`."},
    {"index-rebuilding", "The index is being rebuilt; lookups answer when it is done, which "
                         "`sourceos-syncd status --watch` tells."},
    {"index-unavailable", "There is no index, so lookups fail: see what mends it with "
                          "`sourceos-syncd doctor`."},
    {"no-space", "The disk had no room for the last write: free some, or see what may be purged "
                 "with `sourceos-syncd repair plan --purge`; reading goes on."},
    {"verify-found", "Verification found damage: see what, and what mends it, with "
                     "`sourceos-syncd doctor`."},
    {"checksum-mismatch", "Files have other bytes than are recorded, and nothing said that they "
                          "changed: see them with `sourceos-syncd doctor`."},
    {"workspace-asks", "A workspace is paused until somebody says whether deletions were meant: "
                       "see it with `sourceos-syncd workspace list`."},
    {"policy-rules-refused",
     "Rules of policy were refused; the last good ones, if any, stay in force: "
     "correct the file that `sourceos-syncd doctor` names, then reload the daemon."},
    {"policy-refusals", "Policy refused operations in the last minute: see them with "
                        "`sourceos-syncd events list --type sync.policy.denied`."},
};

static const char *find_note(const Note *notes, size_t n, const char *code)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(notes[i].code, code) == 0)
            return notes[i].note;
    return NULL;
}

const char *syncd_instance_status_note_on(const char *code)
{
    const char *note = find_note(reasons, G_N_ELEMENTS(reasons), code);
    return note != NULL ? note : find_note(states, G_N_ELEMENTS(states), code);
}

/* A state that this program does not know is taken for a bad one. */
static unsigned severity_of(const char *state)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(states); i++)
        if (strcmp(states[i].code, state) == 0)
            return i;
    return G_N_ELEMENTS(states);
}

static SyncdJson description_of(const SyncdInstanceStatus *status)
{
    return status->description != NULL
               ? syncd_json_root(status->description, strlen(status->description))
               : (SyncdJson){SYNCD_JSON_NONE, NULL, NULL};
}

static char *note_of(const SyncdInstanceStatus *status)
{
    g_autoptr(GString) note = g_string_new(NULL);
    SyncdJsonIter iter;
    SyncdJson reason;
    syncd_json_iter_init(&iter, syncd_json_member(description_of(status), "state_reasons"));
    while (syncd_json_iter_next(&iter, NULL, &reason)) {
        g_autofree char *code = syncd_json_dup_text(reason);
        const char *text = code != NULL ? find_note(reasons, G_N_ELEMENTS(reasons), code) : NULL;
        if (text != NULL)
            g_string_append_printf(note, "%s%s", note->len > 0 ? " " : "", text);
    }
    if (note->len == 0) {
        const char *text = find_note(states, G_N_ELEMENTS(states), status->state);
        g_string_append(note, text != NULL ? text : "This program does not know this state.");
    }
    return syncd_commands_of(status->instance, note->str);
}

bool syncd_instance_status_get(SyncdClient *client, SyncdInstanceStatus *ret_status, GError **error)
{
    SyncdInstanceStatus status = {.instance = syncd_client_instance(client)};
    g_autoptr(GError) fault = NULL;
    status.description = syncd_client_describe(client, &fault);
    if (status.description == NULL) {
        if (!g_error_matches(fault, SYNCD_ERROR, SYNCD_ERROR_UNREACHABLE)) {
            g_propagate_error(error, g_steal_pointer(&fault));
            return false;
        }
        syncd_instance_status_unavailable(status.instance, fault, ret_status);
        return true;
    }
    status.available = true;
    status.state = syncd_record_text(description_of(&status), "state");
    status.severity = severity_of(status.state);
    status.note = note_of(&status);
    *ret_status = status;
    return true;
}

void syncd_instance_status_unavailable(SyncdClientInstance instance, const GError *reason,
                                       SyncdInstanceStatus *ret_status)
{
    g_autofree char *sentence = NULL;
    g_autofree char *next = NULL;
    syncd_error_split(reason->message, &sentence, &next);
    *ret_status = (SyncdInstanceStatus){.instance = instance,
                                        .state = g_strdup("daemon-unavailable"),
                                        .severity = severity_of("daemon-unavailable")};
    g_autofree char *note =
        next != NULL ? g_strconcat(sentence, " Next: ", next, NULL) : g_strdup(sentence);
    ret_status->note = syncd_commands_of(instance, note);
}

void syncd_instance_status_clear(SyncdInstanceStatus *status)
{
    g_clear_pointer(&status->state, g_free);
    g_clear_pointer(&status->note, g_free);
    g_clear_pointer(&status->description, g_free);
}

/* ---- JSON ---- */

static void write_member(SyncdJsonWriter *writer, SyncdJson description, const char *name,
                         const char *fallback)
{
    SyncdJson value = syncd_json_member(description, name);
    if (value.type == SYNCD_JSON_NONE)
        value = syncd_json_root(fallback, strlen(fallback));
    syncd_json_member_value(writer, name, value);
}

static void write_device(SyncdJsonWriter *writer, const SyncdInstanceStatus *status)
{
    SyncdJson device = syncd_json_member(description_of(status), "device_id");
    if (status->instance == SYNCD_CLIENT_USER)
        syncd_json_member_value(writer, "active_device", device);
    else
        syncd_json_member_null(writer, "active_device");
}

void syncd_instance_status_write(const SyncdInstanceStatus *status, guint64 now_ms,
                                 SyncdJsonWriter *writer)
{
    SyncdJson description = description_of(status);
    char now[SYNCD_TIME_SIZE];
    syncd_time_format_ms(now_ms, now);

    syncd_json_member_bool(writer, "daemon_available", status->available);
    syncd_json_member_string(writer, "daemon_state", status->state);
    syncd_json_member_string(
        writer, "active_profile",
        status->available && status->instance == SYNCD_CLIENT_USER ? DEFAULT_PROFILE : NULL);
    syncd_json_member_null(writer, "active_workspace");
    write_device(writer, status);
    syncd_json_member_bool(writer, "degraded", strcmp(status->state, "degraded") == 0);
    syncd_json_member_bool(writer, "policy_blocked", strcmp(status->state, "policy-blocked") == 0);
    write_member(writer, description, "conflict_count", "0");
    write_member(writer, description, "repair_needed", "false");
    syncd_json_member_string(writer, "note", status->note);
    syncd_json_member_string(writer, "instance", syncd_client_instance_name(status->instance));
    write_member(writer, description, "state_reasons", "[]");
    write_member(writer, description, "pending_operations", "0");
    write_member(writer, description, "sequence", "null");
    write_member(writer, description, "pending_approvals", "0");
    write_member(writer, description, "paused", "false");
    write_member(writer, description, "version", "null");
    syncd_json_member_string(writer, "updated_at", now);
    SyncdJson policy = syncd_json_member(description, "policy");
    if (policy.type != SYNCD_JSON_NONE)
        syncd_json_member_value(writer, "policy", policy);
}
