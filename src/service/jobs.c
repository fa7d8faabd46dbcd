#include "service/job.h"

#include "base/json-writer.h"
#include "service/internal.h"

#include <string.h>

#define ENDED_JOBS_MAX 64u /* however many calls start short ones */
#define PROGRESS_STEP 0.01

struct SyncdJob {
    char *id;
    uid_t uid;
    bool own; /* of the daemon: counts against nobody's limit */
    const SyncdJobKind *kind;
    void *data; /* NULL when it has ended */
    const char *state;
    double progress; /* that was told … */
    double reached;  /* … and how far it is … */
    guint64 moved;   /* … since then: monotonic … */
    guint64 stepped; /* … and when it was its turn last */
    guint64 started_usec;
    guint64 finished_usec; /* 0 while it runs */
    guint64 expires;       /* monotonic */
    char *result;
    GError *error;
    SyncdCommitFunc ended; /* NULL: nobody waits for its end */
    void *ended_data;
};

static bool runs(const SyncdJob *job)
{
    return job->finished_usec == 0;
}

static void release(SyncdJob *job)
{
    void *data = g_steal_pointer(&job->data);
    if (data != NULL)
        job->kind->release(data);
}

void syncd_job_free(SyncdJob *job)
{
    release(job);
    g_free(job->id);
    g_free(job->result);
    g_clear_error(&job->error);
    g_free(job);
}

const char *syncd_job_id(const SyncdJob *job)
{
    return job->id;
}

uid_t syncd_job_uid(const SyncdJob *job)
{
    return job->uid;
}

const char *syncd_job_operation(const SyncdJob *job)
{
    return job->kind->operation;
}

const char *syncd_job_state(const SyncdJob *job)
{
    return job->state;
}

double syncd_job_progress(const SyncdJob *job)
{
    return job->progress;
}

const char *syncd_job_result(const SyncdJob *job)
{
    return job->result != NULL ? job->result : "";
}

bool syncd_job_is_cancelable(const SyncdJob *job)
{
    return !job->kind->to_its_end;
}

const GError *syncd_job_error(const SyncdJob *job)
{
    return job->error;
}

/* ---- documents ---- */

static void write_error(SyncdJsonWriter *writer, const GError *error)
{
    const SyncdErrorInfo *info = syncd_error_info_of(error);
    syncd_json_begin_object(writer);
    syncd_json_member_string(writer, "name",
                             info->dbus_name != NULL ? info->dbus_name : info->name);
    syncd_json_member_string(writer, "message", error->message);
    syncd_json_end_object(writer);
}

static void write_job(const SyncdJob *job, SyncdJsonWriter *writer)
{
    syncd_json_begin_object(writer);
    syncd_json_member_string(writer, "id", job->id);
    syncd_json_member_string(writer, "operation", syncd_job_operation(job));
    syncd_json_member_string(writer, "state", job->state);
    syncd_json_name(writer, "progress");
    syncd_json_double(writer, job->progress);
    syncd_json_member_bool(writer, "cancelable", syncd_job_is_cancelable(job));
    syncd_json_member_uint(writer, "started_usec", job->started_usec);
    syncd_json_name(writer, "finished_usec");
    if (job->finished_usec != 0)
        syncd_json_uint(writer, job->finished_usec);
    else
        syncd_json_null(writer);
    syncd_json_name(writer, "result");
    if (job->result != NULL)
        syncd_json_value(writer, syncd_json_root(job->result, strlen(job->result)));
    else
        syncd_json_null(writer);
    syncd_json_name(writer, "error");
    if (job->error != NULL)
        write_error(writer, job->error);
    else
        syncd_json_null(writer);
    syncd_json_end_object(writer);
}

char *syncd_job_describe(const SyncdJob *job)
{
    GString *out = g_string_new(NULL);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, out, false);
    write_job(job, &writer);
    return g_string_free(out, FALSE);
}

/* ---- the jobs of a service ---- */

static void tell(SyncdService *service, void (*func)(void *data, SyncdJob *job), SyncdJob *job)
{
    if (func != NULL)
        func(service->listener.data, job);
}

static void tell_waiting(SyncdJob *job)
{
    g_autoptr(GError) cancelled = NULL;
    SyncdCommitFunc ended = job->ended;
    if (ended == NULL)
        return;
    job->ended = NULL;
    if (job->error == NULL && job->result == NULL)
        syncd_set_error(&cancelled, SYNCD_ERROR_CANCELLED, "%s was cancelled", job->id);
    ended(job->ended_data, job->error != NULL ? job->error : cancelled);
}

void syncd_service_after_job(SyncdJob *job, SyncdCommitFunc func, void *data)
{
    job->ended = func;
    job->ended_data = data;
    if (!runs(job))
        tell_waiting(job);
}

static void end(SyncdService *service, SyncdJob *job, const char *state)
{
    release(job);
    job->state = state;
    job->finished_usec = syncd_sources_realtime_usec(service->sources);
    job->expires = syncd_service_monotonic(service) + SYNCD_JOB_KEEP_USEC;
    tell(service, service->listener.job_changed, job);
    tell_waiting(job);
}

static void advance(SyncdService *service, SyncdJob *job, double progress)
{
    if (progress != job->reached) {
        job->reached = progress;
        job->moved = syncd_service_monotonic(service);
    }
    if (progress < job->progress + PROGRESS_STEP)
        return;
    job->progress = progress;
    tell(service, service->listener.job_changed, job);
}

static void step_job(SyncdService *service, SyncdJob *job)
{
    bool more = false;
    double progress = job->reached;
    job->stepped = syncd_service_monotonic(service);
    if (!job->kind->step(service, job->data, &more, &progress, &job->error)) {
        end(service, job, "failed");
    } else if (more) {
        advance(service, job, progress);
    } else {
        job->progress = 1.0;
        job->result = job->kind->conclude(service, job->data);
        end(service, job, "done");
    }
}

void syncd_service_advance_job(SyncdService *service, SyncdJob *job, double progress)
{
    if (runs(job))
        advance(service, job, MIN(progress, 1.0));
}

void syncd_service_end_job(SyncdService *service, SyncdJob *job, const char *result,
                           const GError *error)
{
    if (!runs(job))
        return;
    if (error != NULL) {
        job->error = g_error_copy(error);
    } else {
        job->progress = 1.0;
        job->result = g_strdup(result);
    }
    end(service, job, error != NULL ? "failed" : "done");
    syncd_service_ask_for_work(service);
}

static bool has_steps(const SyncdService *service, const SyncdJob *job)
{
    return runs(job) && job->kind->step != NULL &&
           (job->kind->waits == NULL || !job->kind->waits(service, job->data));
}

/* One that could go on, and was not let to, has not stopped. */
guint64 syncd_job_still_usec(const SyncdService *service, const SyncdJob *job)
{
    guint64 until = has_steps(service, job) ? job->stepped : syncd_service_monotonic(service);
    return runs(job) ? until - MIN(until, job->moved) : 0;
}

static void remove_ended(SyncdService *service)
{
    guint64 now = syncd_service_monotonic(service);
    guint ended = 0;
    for (guint i = service->jobs->len; i-- > 0;) {
        SyncdJob *job = g_ptr_array_index(service->jobs, i);
        if (runs(job) || (job->expires > now && ++ended <= ENDED_JOBS_MAX))
            continue;
        g_ptr_array_steal_index(service->jobs, i);
        tell(service, service->listener.job_removed, job);
        syncd_job_free(job);
    }
}

bool syncd_service_step_jobs(SyncdService *service)
{
    remove_ended(service);
    /* In turns, so that a long one does not hold up a short one. */
    for (guint i = 0; i < service->jobs->len; i++) {
        SyncdJob *job = g_ptr_array_index(service->jobs, service->next_job++ % service->jobs->len);
        if (has_steps(service, job)) {
            step_job(service, job);
            break;
        }
    }
    return syncd_service_jobs_run(service);
}

bool syncd_service_jobs_run(const SyncdService *service)
{
    for (guint i = 0; i < service->jobs->len; i++)
        if (has_steps(service, g_ptr_array_index(service->jobs, i)))
            return true;
    return false;
}

guint64 syncd_service_jobs_due(const SyncdService *service)
{
    guint64 due = G_MAXUINT64;
    for (guint i = 0; i < service->jobs->len; i++) {
        const SyncdJob *job = g_ptr_array_index(service->jobs, i);
        if (!runs(job))
            due = MIN(due, job->expires);
    }
    return due;
}

SyncdJob *syncd_service_begin_job(SyncdService *service, const SyncdJobKind *kind, void *data,
                                  uid_t uid, bool own)
{
    SyncdJob *job = g_new0(SyncdJob, 1);
    *job = (SyncdJob){
        .id = syncd_id_new(service->sources, "job"),
        .uid = uid,
        .own = own,
        .kind = kind,
        .data = data,
        .state = "running",
        .moved = syncd_service_monotonic(service),
        .stepped = syncd_service_monotonic(service),
        .started_usec = syncd_sources_realtime_usec(service->sources),
    };
    g_ptr_array_add(service->jobs, job);
    tell(service, service->listener.job_added, job);
    syncd_service_ask_for_work(service);
    return job;
}

bool syncd_service_may_begin_job(const SyncdService *service, uid_t uid, GError **error)
{
    guint running = 0;
    for (guint i = 0; i < service->jobs->len; i++) {
        const SyncdJob *job = g_ptr_array_index(service->jobs, i);
        running += runs(job) && !job->own && job->uid == uid;
    }
    if (running < SYNCD_JOBS_MAX)
        return true;
    syncd_set_error_next(error, SYNCD_ERROR_LIMITS_EXCEEDED, "wait for one to end, or cancel it",
                         "There are %u jobs of uid %u already", running, (unsigned)uid);
    return false;
}

SyncdJob *syncd_service_find_job(SyncdService *service, const char *id)
{
    for (guint i = 0; i < service->jobs->len; i++) {
        SyncdJob *job = g_ptr_array_index(service->jobs, i);
        if (strcmp(job->id, id) == 0)
            return job;
    }
    return NULL;
}

GPtrArray *syncd_service_jobs(SyncdService *service)
{
    GPtrArray *jobs = g_ptr_array_sized_new(service->jobs->len);
    for (guint i = service->jobs->len; i-- > 0;)
        g_ptr_array_add(jobs, g_ptr_array_index(service->jobs, i));
    return jobs;
}

char *syncd_service_describe_jobs(SyncdService *service, const SyncdCaller *caller)
{
    bool all = caller->inspector || service->instance == SYNCD_INSTANCE_USER;
    GString *out = g_string_new(NULL);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, out, false);
    syncd_json_begin_array(&writer);
    for (guint i = service->jobs->len; i-- > 0;) {
        const SyncdJob *job = g_ptr_array_index(service->jobs, i);
        if (all || job->uid == caller->uid)
            write_job(job, &writer);
    }
    syncd_json_end_array(&writer);
    return g_string_free(out, FALSE);
}

bool syncd_service_cancel_job(SyncdService *service, SyncdJob *job, GError **error)
{
    if (!runs(job))
        return true;
    if (!syncd_job_is_cancelable(job)) {
        syncd_set_error_next(error, SYNCD_ERROR_BUSY, "wait for it to end",
                             "%s cannot be cancelled: it goes on to its end", job->id);
        return false;
    }
    if (job->kind->cancel != NULL)
        job->kind->cancel(job->data);
    end(service, job, "cancelled");
    syncd_service_ask_for_work(service);
    return true;
}
