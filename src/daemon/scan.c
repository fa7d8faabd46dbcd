#include "daemon/scan.h"

#include "base/json-writer.h"
#include "service/job.h"

#define SCAN_SCHEMA "sourceos.workspace-scan/v1"
#define LOOKING_SHARE 0.05

struct SyncdScan {
    SyncdService *service;
    SyncdJob *job; /* NULL: it has ended */
    char *workspace;
    SyncdWorkspaceStanding before;
    bool begun; /* the workspace was seen to scan */
    bool deep;  /* … and to read every file */
    void (*cancel)(void *data);
    void *data;
};

static void cancel(void *data)
{
    const SyncdScan *self = data;
    self->cancel(self->data);
}

static void release(void *data)
{
    ((SyncdScan *)data)->job = NULL;
}

static const SyncdJobKind scanning = {.operation = "scan", .cancel = cancel, .release = release};

SyncdScan *syncd_scan_new(SyncdService *service, const SyncdRoot *root, uid_t uid, bool own,
                          const SyncdWorkspaceStanding *standing, void (*func)(void *data),
                          void *data)
{
    SyncdScan *self = g_new0(SyncdScan, 1);
    self->service = service;
    self->workspace = g_strdup(root->workspace);
    self->before = *standing;
    self->cancel = func;
    self->data = data;
    self->job = syncd_service_begin_job(service, &scanning, self, uid, own);
    return self;
}

static void fail(SyncdScan *self, SyncdErrorCode code, const char *why)
{
    g_autoptr(GError) error = NULL;
    syncd_set_error(&error, code, "The scan of %s has ended: %s", self->workspace, why);
    syncd_service_end_job(self->service, self->job, NULL, error);
}

void syncd_scan_free(SyncdScan *self)
{
    if (self == NULL)
        return;
    if (self->job != NULL)
        fail(self, SYNCD_ERROR_CANCELLED, "the workspace is not looked after any more");
    g_free(self->workspace);
    g_free(self);
}

SyncdJob *syncd_scan_job(const SyncdScan *self)
{
    return self->job;
}

static void finish(SyncdScan *self, const SyncdWorkspaceStanding *standing)
{
    g_autoptr(GString) result = g_string_new(NULL);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, result, false);
    syncd_json_begin_object(&writer);
    syncd_json_member_string(&writer, "schema", SCAN_SCHEMA);
    syncd_json_member_string(&writer, "workspace_id", self->workspace);
    syncd_json_member_uint(&writer, "folders", standing->folders);
    syncd_json_member_uint(&writer, "created", standing->created - self->before.created);
    syncd_json_member_uint(&writer, "changed", standing->changed - self->before.changed);
    syncd_json_member_uint(&writer, "deleted", standing->deleted - self->before.deleted);
    syncd_json_member_uint(&writer, "skipped", standing->skipped);
    syncd_json_member_uint(&writer, "unreadable", standing->unreadable);
    syncd_json_member_bool(&writer, "unwatched", standing->unwatched);
    syncd_json_member_bool(&writer, "deep", self->deep);
    if (self->deep) {
        syncd_json_member_uint(&writer, "files_read", standing->deep.files);
        syncd_json_member_uint(&writer, "bytes_read", standing->deep.bytes);
        syncd_json_member_uint(&writer, "mismatched", standing->deep.differing);
    }
    syncd_json_end_object(&writer);
    syncd_service_end_job(self->service, self->job, result->str, NULL);
}

/* Looking into folders is little beside reading every file. */
static void advance(SyncdScan *self, const SyncdWorkspaceStanding *standing)
{
    double share = self->deep ? LOOKING_SHARE : 1.0, done = share;
    if (standing->state == SYNCD_WORKSPACE_SCANNING)
        done *= (double)standing->folders / (double)(standing->folders + standing->waiting + 1);
    if (standing->deep.bytes > 0)
        done = share + (1.0 - share) * (double)standing->deep.bytes /
                           (double)MAX(standing->deep.to_read, standing->deep.bytes);
    syncd_service_advance_job(self->service, self->job, done);
}

bool syncd_scan_follow(SyncdScan *self, const SyncdWorkspaceStanding *standing)
{
    const char *reason = standing->reason != NULL ? standing->reason : "it failed";
    if (self->job == NULL)
        return false;
    self->deep |= standing->deep.running;
    switch (standing->state) {
    case SYNCD_WORKSPACE_SCANNING:
        self->begun = true;
        advance(self, standing);
        break;
    case SYNCD_WORKSPACE_WATCHING:
        /* One that was asked for while names were looked at begins after them. */
        if (standing->deep.running)
            advance(self, standing);
        else if (self->begun)
            finish(self, standing);
        break;
    case SYNCD_WORKSPACE_PAUSED:
        fail(self, SYNCD_ERROR_APPROVAL_REQUIRED, reason);
        break;
    case SYNCD_WORKSPACE_MISSING:
        fail(self, SYNCD_ERROR_NOT_FOUND, reason);
        break;
    case SYNCD_WORKSPACE_FAILED:
        fail(self, SYNCD_ERROR_FAILED, reason);
        break;
    }
    return self->job != NULL;
}
