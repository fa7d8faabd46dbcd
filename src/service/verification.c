/* The log is verified, as a job. */
#include "base/json-writer.h"
#include "base/log.h"
#include "service/damage.h"
#include "service/internal.h"
#include "service/job.h"
#include "service/repair-asked.h"

#define VERIFICATION_SCHEMA "sourceos.verification/v1"

typedef enum { VERIFY, EXAMINE, INDEX, BLOBS, N_STAGES } Stage;

typedef struct {
    SyncdVerifyMode mode;
    SyncdVerify *verify;
    guint64 sequence; /* of the log when it began */
    Stage stage;
    SyncdMend *mend;        /* what could be mended of damage; NULL: nothing to be mended */
    SyncdIndexCheck *index; /* NULL: nobody wants it */
    SyncdOrphans *blobs;    /* NULL: not all is looked at, or there is no index to ask */
} Verification;

static void release(void *data)
{
    Verification *self = data;
    syncd_verify_free(self->verify);
    syncd_mend_free(self->mend);
    syncd_index_check_free(self->index);
    syncd_orphans_free(self->blobs);
    g_free(self);
}

static bool is_to_be_examined(const Verification *self)
{
    const GPtrArray *findings = syncd_verify_findings(self->verify);
    for (guint i = 0; i < findings->len; i++)
        if (syncd_mend_concerns(((const SyncdVerifyFinding *)findings->pdata[i])->code))
            return true;
    return false;
}

/* Of damage it is found out what mending it would give up, so that a plan can say so. Where that
 * cannot be found out the plan says that. */
static bool examine(SyncdService *service, Verification *self, bool *ret_more, GError **error)
{
    if (!syncd_service_commit_turn(service, error))
        return false;
    if (self->mend == NULL)
        self->mend = syncd_mend_new(service->store, NULL);
    if (self->mend != NULL && syncd_mend_examine(self->mend, ret_more, NULL))
        return true;
    g_clear_pointer(&self->mend, syncd_mend_free);
    *ret_more = false;
    return true;
}

/* The log is known by then, whatever keeps this from being looked at. */
static bool look_at_blobs(SyncdService *service, Verification *self, bool *ret_more, GError **error)
{
    g_autoptr(GError) problem = NULL;
    if (syncd_orphans_waits(self->blobs) && !syncd_service_commit_turn(service, error))
        return false;
    if (syncd_orphans_step(self->blobs, ret_more, &problem))
        return true;
    syncd_log(SYNCD_LOG_WARNING, SYNCD_LOG_ID_NONE,
              "What lies beside the log cannot be looked through: %s", problem->message);
    g_clear_pointer(&self->blobs, syncd_orphans_free);
    *ret_more = false;
    return true;
}

static bool run_stage(SyncdService *service, Verification *self, bool *ret_more, GError **error)
{
    switch (self->stage) {
    case VERIFY:
        return syncd_verify_step(self->verify, ret_more, error);
    case EXAMINE:
        return examine(service, self, ret_more, error);
    case INDEX:
        return syncd_index_check_step(self->index, ret_more, error);
    case BLOBS:
        return look_at_blobs(service, self, ret_more, error);
    case N_STAGES:
        break;
    }
    g_assert_not_reached();
}

/* What a damaged entry names, or one that is missing at the end, nobody knows: what nothing names
 * is found when that is mended, or gone on without. */
static bool is_log_whole(const Verification *self)
{
    const GPtrArray *findings = syncd_verify_findings(self->verify);
    for (guint i = 0; i < findings->len; i++)
        if (!syncd_damage_is_of_content(findings->pdata[i]))
            return false;
    return true;
}

static bool is_left_out(const Verification *self)
{
    return (self->stage == EXAMINE && !is_to_be_examined(self)) ||
           (self->stage == INDEX && self->index == NULL) ||
           (self->stage == BLOBS && (self->blobs == NULL || !is_log_whole(self)));
}

static bool step(SyncdService *service, void *data, bool *ret_more, double *ret_progress,
                 GError **error)
{
    Verification *self = data;
    bool more;
    if (!syncd_verify_stands(self->verify, error) || !run_stage(service, self, &more, error))
        return false;
    if (self->stage == VERIFY)
        *ret_progress = syncd_verify_progress(self->verify);
    if (!more)
        do
            self->stage++;
        while (is_left_out(self));
    *ret_more = self->stage < N_STAGES;
    return true;
}

/* ---- what came of it ---- */

static void member_place(SyncdJsonWriter *writer, const char *name, gint64 place)
{
    if (place >= 0)
        syncd_json_member_int(writer, name, place);
    else
        syncd_json_member_null(writer, name);
}

/* Content that was given up is not there, as an entry is not. */
static void write_findings(SyncdJsonWriter *writer, const GPtrArray *findings, bool given_up)
{
    for (guint i = 0; i < findings->len; i++) {
        const SyncdVerifyFinding *finding = g_ptr_array_index(findings, i);
        SyncdErrorCode error = given_up ? SYNCD_ERROR_NOT_FOUND : finding->error;
        syncd_json_begin_object(writer);
        syncd_json_member_string(writer, "code", given_up ? "content-lost" : finding->code);
        syncd_json_member_string(writer, "error", syncd_error_info(error)->name);
        syncd_json_member_string(writer, "feed", finding->feed);
        member_place(writer, "seq", finding->seq);
        member_place(writer, "sequence", finding->pos);
        syncd_json_member_string(writer, "detail", finding->detail);
        syncd_json_end_object(writer);
    }
}

/* What repairs gave up, in the log and beside it. */
static void write_losses(SyncdJsonWriter *writer, const SyncdVerify *verify)
{
    const GPtrArray *content = syncd_verify_passed(verify);
    guint64 n = syncd_verify_n_losses(verify) + content->len;
    if (n == 0)
        return;
    syncd_json_member_uint(writer, "losses_count", n);
    syncd_json_name(writer, "losses");
    syncd_json_begin_array(writer);
    write_findings(writer, syncd_verify_losses(verify), false);
    write_findings(writer, content, true);
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

static char *write_result(const Verification *self, SyncdStore *store)
{
    static const char *const modes[] = {"incremental", "full", "heads"};
    guint64 n_findings = syncd_verify_n_findings(self->verify);
    GString *out = g_string_new(NULL);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, out, false);
    syncd_json_begin_object(&writer);
    syncd_json_member_string(&writer, "schema", VERIFICATION_SCHEMA);
    syncd_json_member_string(&writer, "verdict", n_findings == 0 ? "sound" : "damaged");
    syncd_json_member_string(&writer, "mode", modes[self->mode]);
    syncd_json_member_uint(&writer, "entries_checked", syncd_verify_checked(self->verify));
    syncd_json_member_uint(&writer, "sequence", self->sequence);
    syncd_json_member_uint(&writer, "findings_count", n_findings);
    syncd_json_name(&writer, "findings");
    syncd_json_begin_array(&writer);
    write_findings(&writer, syncd_verify_findings(self->verify), false);
    syncd_json_end_array(&writer);
    write_losses(&writer, self->verify);
    write_feeds(&writer, store);
    syncd_json_end_object(&writer);
    return g_string_free(out, FALSE);
}

static void judge(SyncdService *service, const Verification *self)
{
    guint64 n_findings = syncd_verify_n_findings(self->verify);
    if (n_findings > 0 && !syncd_service_is_damaged(service))
        syncd_log(SYNCD_LOG_ERROR, SYNCD_LOG_ID_VERIFY_FOUND,
                  "Verification found faults in the log: %" G_GUINT64_FORMAT, n_findings);
    syncd_service_note_verified(service, self->verify, self->mode, self->sequence);
    if (self->mend != NULL)
        syncd_service_note_examined(service, self->mend);
}

static char *conclude(SyncdService *service, void *data)
{
    const Verification *self = data;
    judge(service, self);
    if (self->index != NULL)
        syncd_service_note_index_checked(service, self->index);
    if (self->blobs != NULL)
        syncd_service_note_blobs(service, self->blobs);
    return write_result(self, service->store);
}

/* ---- beginning ---- */

static const SyncdJobKind verification = {
    .operation = "verify", .step = step, .conclude = conclude, .release = release};

static Verification *verification_new(SyncdService *service, SyncdVerifyMode mode,
                                      SyncdVerify *verify)
{
    Verification *self = g_new(Verification, 1);
    *self = (Verification){
        .mode = mode, .verify = verify, .sequence = syncd_store_sequence(service->store)};
    if (mode == SYNCD_VERIFY_FULL)
        syncd_service_doubt_losses(service);
    syncd_verify_pass_over(verify, syncd_service_losses(service));
    if (mode == SYNCD_VERIFY_FULL && !syncd_store_lacks_index(service->store))
        self->blobs = syncd_orphans_new(service->store, SYNCD_ORPHANS_AT_ONCE);
    return self;
}

static bool check_known_heads(const char *const *known_heads, GError **error)
{
    if (known_heads == NULL || g_strv_length((char **)known_heads) <= SYNCD_KNOWN_HEADS_MAX)
        return true;
    syncd_set_error(error, SYNCD_ERROR_TOO_LARGE, "There are more than %u known heads",
                    SYNCD_KNOWN_HEADS_MAX);
    return false;
}

bool syncd_service_verify_with(SyncdService *service, const SyncdCaller *caller,
                               const SyncdVerifyOptions *options, SyncdJob **ret_job,
                               GError **error)
{
    if (!syncd_service_may_begin_job(service, caller->uid, error) ||
        !check_known_heads(options->known_heads, error))
        return false;
    SyncdVerify *verify =
        syncd_verify_new(service->store, options->mode, options->known_heads, error);
    if (verify == NULL)
        return false;
    Verification *self = verification_new(service, options->mode, verify);
    self->index = options->index ? syncd_index_check_new(service->store) : NULL;
    *ret_job = syncd_service_begin_job(service, &verification, self, caller->uid, false);
    return true;
}

bool syncd_service_verify(SyncdService *service, const SyncdCaller *caller, SyncdVerifyMode mode,
                          const char *const *known_heads, SyncdJob **ret_job, GError **error)
{
    const SyncdVerifyOptions options = {.mode = mode, .known_heads = known_heads};
    return syncd_service_verify_with(service, caller, &options, ret_job, error);
}

void syncd_service_start_verify(SyncdService *service)
{
    g_autoptr(GError) error = NULL;
    SyncdVerify *verify = syncd_verify_new(service->store, SYNCD_VERIFY_INCREMENTAL, NULL, &error);
    if (verify != NULL)
        syncd_service_begin_job(service, &verification,
                                verification_new(service, SYNCD_VERIFY_INCREMENTAL, verify),
                                service->uid, true);
    else
        syncd_log(SYNCD_LOG_WARNING, SYNCD_LOG_ID_NONE,
                  "The verification at the start could not begin: %s", error->message);
}
