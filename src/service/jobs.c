#include "service/internal.h"

#include "base/json-writer.h"
#include "base/log.h"

#define VERIFICATION_SCHEMA "sourceos.verification/v1"
#define ENDED_JOBS_MAX 64u /* however many calls start short ones */
#define PROGRESS_STEP 0.01

struct SyncdJob {
    char *id;
    uid_t uid;
    bool own; /* of the daemon: counts against nobody's limit */
    SyncdVerifyMode mode;
    SyncdVerify *verify; /* NULL when it has ended */
    const char *state;
    double progress;
    guint64 sequence; /* of the log when it began */
    guint64 started_usec;
    guint64 finished_usec; /* 0 while it runs */
    guint64 expires;       /* monotonic */
    char *result;
    GError *error;
};

void syncd_job_free(SyncdJob *job)
{
    syncd_verify_free(job->verify);
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
    return "verify";
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
    syncd_json_member_bool(writer, "cancelable", true);
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

static void member_place(SyncdJsonWriter *writer, const char *name, gint64 place)
{
    if (place >= 0)
        syncd_json_member_int(writer, name, place);
    else
        syncd_json_member_null(writer, name);
}

static void write_findings(SyncdJsonWriter *writer, const GPtrArray *findings)
{
    syncd_json_name(writer, "findings");
    syncd_json_begin_array(writer);
    for (guint i = 0; i < findings->len; i++) {
        const SyncdFinding *finding = g_ptr_array_index(findings, i);
        syncd_json_begin_object(writer);
        syncd_json_member_string(writer, "code", finding->code);
        syncd_json_member_string(writer, "error", syncd_error_info(finding->error)->name);
        syncd_json_member_string(writer, "feed", finding->feed);
        member_place(writer, "seq", finding->seq);
        member_place(writer, "sequence", finding->pos);
        syncd_json_member_string(writer, "detail", finding->detail);
        syncd_json_end_object(writer);
    }
    syncd_json_end_array(writer);
}

static void write_feeds(SyncdJsonWriter *writer, SyncdStore *store)
{
    g_autoptr(GPtrArray) heads = syncd_store_heads(store);
    syncd_json_name(writer, "feeds");
    syncd_json_begin_array(writer);
    for (guint i = 0; i < heads->len; i++) {
        const SyncdHead *head = g_ptr_array_index(heads, i);
        g_autofree char *feed = syncd_feed_text(head->device, head->scope, head->epoch);
        char root[SYNCD_HASH_HEX_SIZE];
        syncd_hash_to_hex(&head->root, root);
        syncd_json_begin_object(writer);
        syncd_json_member_string(writer, "feed", feed);
        syncd_json_member_uint(writer, "size", head->size);
        syncd_json_member_string(writer, "root", root);
        syncd_json_end_object(writer);
    }
    syncd_json_end_array(writer);
}

static char *write_result(const SyncdJob *job, SyncdStore *store)
{
    static const char *const modes[] = {"incremental", "full", "heads"};
    guint64 n_findings = syncd_verify_n_findings(job->verify);
    GString *out = g_string_new(NULL);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, out, false);
    syncd_json_begin_object(&writer);
    syncd_json_member_string(&writer, "schema", VERIFICATION_SCHEMA);
    syncd_json_member_string(&writer, "verdict", n_findings == 0 ? "sound" : "damaged");
    syncd_json_member_string(&writer, "mode", modes[job->mode]);
    syncd_json_member_uint(&writer, "entries_checked", syncd_verify_checked(job->verify));
    syncd_json_member_uint(&writer, "sequence", job->sequence);
    syncd_json_member_uint(&writer, "findings_count", n_findings);
    write_findings(&writer, syncd_verify_findings(job->verify));
    write_feeds(&writer, store);
    syncd_json_end_object(&writer);
    return g_string_free(out, FALSE);
}

/* ---- the jobs of a service ---- */

static bool runs(const SyncdJob *job)
{
    return job->verify != NULL;
}

static void tell(SyncdService *service, void (*func)(void *data, SyncdJob *job), SyncdJob *job)
{
    if (func != NULL)
        func(service->listener.data, job);
}

static void end_job(SyncdService *service, SyncdJob *job, const char *state)
{
    g_clear_pointer(&job->verify, syncd_verify_free);
    job->state = state;
    job->finished_usec = syncd_sources_realtime_usec(service->sources);
    job->expires = syncd_service_monotonic(service) + SYNCD_JOB_KEEP_USEC;
    tell(service, service->listener.job_changed, job);
}

/* What was found stays true until a verification of everything finds nothing. */
static void judge(SyncdService *service, const SyncdJob *job)
{
    guint64 n_findings = syncd_verify_n_findings(job->verify);
    if (n_findings > 0) {
        if (!service->verify_found)
            syncd_log(SYNCD_LOG_ERROR, SYNCD_LOG_ID_VERIFY_FOUND,
                      "Verification found faults in the log: %" G_GUINT64_FORMAT, n_findings);
        service->verify_found = true;
    } else if (job->mode == SYNCD_VERIFY_FULL) {
        service->verify_found = false;
    }
}

static void step_job(SyncdService *service, SyncdJob *job)
{
    bool more = false;
    if (!syncd_verify_step(job->verify, &more, &job->error)) {
        end_job(service, job, "failed");
        return;
    }
    double progress = syncd_verify_progress(job->verify);
    if (!more) {
        job->progress = 1.0;
        judge(service, job);
        job->result = write_result(job, service->store);
        end_job(service, job, "done");
    } else if (progress >= job->progress + PROGRESS_STEP) {
        job->progress = progress;
        tell(service, service->listener.job_changed, job);
    }
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
        if (runs(job)) {
            step_job(service, job);
            break;
        }
    }
    return syncd_service_jobs_run(service);
}

bool syncd_service_jobs_run(const SyncdService *service)
{
    for (guint i = 0; i < service->jobs->len; i++)
        if (runs(g_ptr_array_index(service->jobs, i)))
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

static SyncdJob *add_job(SyncdService *service, uid_t uid, SyncdVerifyMode mode,
                         SyncdVerify *verify)
{
    SyncdJob *job = g_new0(SyncdJob, 1);
    *job = (SyncdJob){
        .id = syncd_id_new(service->sources, "job"),
        .uid = uid,
        .mode = mode,
        .verify = verify,
        .state = "running",
        .sequence = syncd_store_sequence(service->store),
        .started_usec = syncd_sources_realtime_usec(service->sources),
    };
    g_ptr_array_add(service->jobs, job);
    tell(service, service->listener.job_added, job);
    syncd_service_ask_for_work(service);
    return job;
}

static bool check_limit(const SyncdService *service, uid_t uid, GError **error)
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

static bool check_known_heads(const char *const *known_heads, GError **error)
{
    if (known_heads == NULL || g_strv_length((char **)known_heads) <= SYNCD_KNOWN_HEADS_MAX)
        return true;
    syncd_set_error(error, SYNCD_ERROR_TOO_LARGE, "There are more than %u known heads",
                    SYNCD_KNOWN_HEADS_MAX);
    return false;
}

bool syncd_service_verify(SyncdService *service, const SyncdCaller *caller, SyncdVerifyMode mode,
                          const char *const *known_heads, SyncdJob **ret_job, GError **error)
{
    if (!check_limit(service, caller->uid, error) || !check_known_heads(known_heads, error))
        return false;
    SyncdVerify *verify = syncd_verify_new(service->store, mode, known_heads, error);
    if (verify == NULL)
        return false;
    *ret_job = add_job(service, caller->uid, mode, verify);
    return true;
}

void syncd_service_start_verify(SyncdService *service)
{
    g_autoptr(GError) error = NULL;
    SyncdVerify *verify = syncd_verify_new(service->store, SYNCD_VERIFY_INCREMENTAL, NULL, &error);
    if (verify != NULL)
        add_job(service, service->uid, SYNCD_VERIFY_INCREMENTAL, verify)->own = true;
    else
        syncd_log(SYNCD_LOG_WARNING, SYNCD_LOG_ID_NONE,
                  "The verification at the start could not begin: %s", error->message);
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

void syncd_service_cancel_job(SyncdService *service, SyncdJob *job)
{
    if (!runs(job))
        return;
    end_job(service, job, "cancelled");
    syncd_service_ask_for_work(service);
}
