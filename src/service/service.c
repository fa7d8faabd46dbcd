#include "service/internal.h"

#include "base/log.h"
#include "crypto/note.h"
#include "service/damage.h"
#include "service/repair-private.h"
#include "service/retention.h"
#include "store/displaced.h"

typedef struct {
    SyncdCommitFunc func;
    void *data;
} Waiter;

const char *syncd_instance_name(SyncdInstance instance)
{
    return instance == SYNCD_INSTANCE_USER ? "user" : "system";
}

guint64 syncd_service_now_ms(const SyncdService *service)
{
    return syncd_sources_realtime_usec(service->sources) / 1000;
}

guint64 syncd_service_monotonic(const SyncdService *service)
{
    return syncd_sources_monotonic_usec(service->sources);
}

guint64 syncd_service_task_ms(const SyncdService *service)
{
    guint64 passed_ms = (syncd_service_monotonic(service) - service->begin_usec) / 1000;
    return MAX(service->begin_ms + passed_ms, syncd_store_last_ms(service->store));
}

static SyncdAttestor *make_attestor(const SyncdStore *store)
{
    const SyncdSigner *signer = syncd_store_signer(store);
    if (signer == NULL)
        return NULL; /* a copy that lacks its keys, and is only looked at */
    g_autofree char *name = g_strconcat(SYNCD_ORIGIN_PREFIX, syncd_store_device_id(store), NULL);
    return syncd_attestor_new(name, signer);
}

SyncdService *syncd_service_new(SyncdInstance instance, uid_t uid, SyncdStore *store,
                                const SyncdSources *sources, GError **error)
{
    g_autoptr(SyncdService) service = g_new0(SyncdService, 1);
    service->instance = instance;
    service->uid = uid;
    service->store = store;
    service->sources = sources;
    service->waiting = g_array_new(FALSE, FALSE, sizeof(Waiter));
    service->repairs = syncd_repairs_new();
    service->jobs = g_ptr_array_new_with_free_func((GDestroyNotify)syncd_job_free);
    service->refusals = syncd_refusals_new();
    service->damage = syncd_damage_new(store);
    service->storms = syncd_storms_new();
    service->callers = syncd_callers_known_new();
    service->decisions = syncd_decisions_new();
    service->records = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                             (GDestroyNotify)syncd_record_row_free);
    service->ephemerals = syncd_ephemerals_new();
    service->said = syncd_parents_said_new();
    service->operation_schemas = syncd_operation_schemas_new();
    service->leases = syncd_leases_new();
    service->pending_sequence = G_MAXUINT64;
    service->has_purges = true;
    service->policy = syncd_policy_set_new(NULL, NULL, 0, error);
    if (service->policy == NULL)
        return NULL;
    g_strlcpy(service->policy_digest, syncd_policy_set_digest(service->policy), SYNCD_DIGEST_SIZE);
    service->begin_ms = MAX(syncd_service_now_ms(service), syncd_store_last_ms(store));
    service->begin_usec = syncd_service_monotonic(service);
    service->opened_ms = syncd_store_sequence(store) > 0 ? syncd_store_last_ms(store)
                                                         : syncd_service_now_ms(service);
    service->leases_ms = service->begin_ms;
    service->announcements =
        syncd_announcements_new(service->begin_ms * 1000 + SYNCD_ANNOUNCED_SIGNED_USEC);

    syncd_runtime_init(service);
    if (syncd_store_is_new(store) && !syncd_service_begin_log(service, error)) {
        syncd_store_discard(store); /* a log begins whole */
        return NULL;
    }
    service->attestor = make_attestor(store);
    syncd_service_start_verify(service);
    return g_steal_pointer(&service);
}

bool syncd_service_keep_displaced(SyncdService *service)
{
    return syncd_store_keep_displaced(service->store);
}

void syncd_service_free(SyncdService *service)
{
    if (service == NULL)
        return;
    service->listener = (SyncdListener){0};
    syncd_service_flush_refusals(service, true);
    syncd_service_commit(service);
    syncd_service_stop_scrub(service);
    g_clear_pointer(&service->attestor, syncd_attestor_free);
    g_clear_pointer(&service->jobs, g_ptr_array_unref);
    g_clear_pointer(&service->repairs, syncd_repairs_free);
    g_clear_pointer(&service->refusals, syncd_refusals_free);
    g_clear_pointer(&service->damage, syncd_damage_free);
    g_clear_pointer(&service->storms, syncd_storms_free);
    g_clear_pointer(&service->ephemerals, syncd_ephemerals_free);
    g_clear_pointer(&service->leases, syncd_leases_free);
    g_clear_pointer(&service->announcements, syncd_announcements_free);
    g_clear_pointer(&service->waiting, g_array_unref);
    g_clear_pointer(&service->callers, g_hash_table_unref);
    g_clear_pointer(&service->decisions, g_hash_table_unref);
    g_clear_pointer(&service->records, g_hash_table_unref);
    g_clear_pointer(&service->said, g_hash_table_unref);
    g_clear_error(&service->denial);
    g_clear_pointer(&service->denial_said, g_free);
    g_clear_pointer(&service->operation_schemas, syncd_operation_schemas_free);
    g_clear_pointer(&service->object_schema, syncd_object_schema_free);
    g_clear_pointer(&service->standings, g_hash_table_unref);
    g_clear_pointer(&service->policy, syncd_policy_set_free);
    g_free(service->policy_fault);
    g_free(service->mismatched_in);
    syncd_runtime_clear(&service->runtime);
    g_clear_pointer(&service->store, syncd_store_free);
    g_free(service->own_actor);
    g_free(service->retention_rules);
    g_clear_pointer(&service->roots, g_ptr_array_unref);
    g_strfreev(service->own_directories);
    g_free(service);
}

void syncd_service_set_listener(SyncdService *service, const SyncdListener *listener)
{
    service->listener = *listener;
    syncd_service_show_state(service, true);
    syncd_service_ask_for_work(service);
}

void syncd_service_set_own_directories(SyncdService *service, const char *const *directories)
{
    g_strfreev(service->own_directories);
    service->own_directories = g_strdupv((char **)directories);
}

/* Refusals that are still counted were the old policy's. */
void syncd_service_set_policy(SyncdService *service, SyncdPolicySet *set, const char *fault)
{
    if (syncd_store_condition(service->store) == SYNCD_STORE_WRITABLE)
        syncd_service_flush_refusals(service, true);
    g_hash_table_remove_all(service->decisions);
    syncd_policy_set_free(service->policy);
    service->policy = set;
    service->policies++;
    service->policy_standing = (SyncdPolicyStanding){0};
    g_free(service->policy_fault);
    service->policy_fault = g_strdup(fault);
    g_strlcpy(service->policy_digest, syncd_policy_set_digest(set), SYNCD_DIGEST_SIZE);
    syncd_service_show_state(service, true);
}

void syncd_service_set_policy_standing(SyncdService *service, const SyncdPolicyStanding *standing)
{
    service->policy_standing = *standing;
}

void syncd_service_ask_for_work(SyncdService *service)
{
    if (service->listener.work_waits != NULL)
        service->listener.work_waits(service->listener.data);
}

/* ---- the turn ---- */

void syncd_service_tell_turn(SyncdService *service, bool had_turn)
{
    if (!had_turn && syncd_service_has_turn(service) && service->listener.turn_opened != NULL)
        service->listener.turn_opened(service->listener.data);
}

bool syncd_service_append(SyncdService *service, const char *scope_id, const SyncdDraft *draft,
                          SyncdReceipt *ret_receipt, GError **error)
{
    bool had_turn = syncd_store_has_turn(service->store);
    if (*draft->decision == '\0' && syncd_policy_needs_decision(draft->kind)) {
        syncd_set_error(error, SYNCD_ERROR_POLICY_DENIED,
                        "An entry of the kind %s must name the decision that allows it",
                        draft->kind);
        return false;
    }
    if (!syncd_service_may_append(service, draft->actor, scope_id, draft->kind, error))
        return false;
    bool done = syncd_store_append(service->store, scope_id, draft, ret_receipt, error);
    syncd_service_tell_turn(service, had_turn);
    return done;
}

bool syncd_service_append_own(SyncdService *service, const char *kind, const char *lane,
                              const char *schema_id, const GString *content, GError **error)
{
    if (!syncd_service_find_own(service, error))
        return false;
    g_auto(SyncdReceipt) receipt = {0};
    SyncdDraft draft = {
        .kind = kind,
        .actor = service->own_actor,
        .object = "",
        .decision = "",
        .engine = "",
        .lane = lane,
        .schema_id = schema_id,
        .schema_version = 1,
        .meta = SYNCD_BYTES_TEXT("{}"),
        .content = SYNCD_BYTES(content->str, content->len),
    };
    return syncd_service_append(service, syncd_store_device_id(service->store), &draft, &receipt,
                                error);
}

void syncd_service_after_commit(SyncdService *service, SyncdCommitFunc func, void *data)
{
    if (!syncd_service_has_turn(service)) {
        func(data, NULL);
        return;
    }
    Waiter waiter = {func, data};
    g_array_append_val(service->waiting, waiter);
}

bool syncd_service_has_turn(const SyncdService *service)
{
    return syncd_store_has_turn(service->store);
}

bool syncd_service_turn_is_full(const SyncdService *service)
{
    return syncd_store_turn_is_full(service->store);
}

unsigned syncd_service_waiting(const SyncdService *service)
{
    return service->waiting->len;
}

/* Whoever is called may open the next turn and wait for it, so the list is taken out first. */
static void answer_waiting(SyncdService *service, const GError *error)
{
    g_autoptr(GArray) waiting = g_steal_pointer(&service->waiting);
    service->waiting = g_array_new(FALSE, FALSE, sizeof(Waiter));
    for (guint i = 0; i < waiting->len; i++) {
        const Waiter *waiter = &g_array_index(waiting, Waiter, i);
        waiter->func(waiter->data, error);
    }
}

static GPtrArray *event_types_of(const SyncdCommit *commit)
{
    GPtrArray *types = g_ptr_array_new();
    for (guint i = 0; i < commit->kinds->len; i++) {
        const char *kind = g_ptr_array_index(commit->kinds, i);
        char *type = (char *)syncd_kind_find(SYNCD_BYTES_TEXT(kind))->event_type;
        /* kinds that are unknown share one */
        if (!g_ptr_array_find(types, type, NULL))
            g_ptr_array_add(types, type);
    }
    g_ptr_array_add(types, NULL);
    return types;
}

static bool moves_tasks(const SyncdCommit *commit)
{
    for (guint i = 0; i < commit->kinds->len; i++) {
        SyncdBytes kind = SYNCD_BYTES_TEXT((const char *)commit->kinds->pdata[i]);
        if (syncd_lifecycle_kind(kind, NULL, NULL) || syncd_bytes_are(kind, "operation.enqueue"))
            return true;
    }
    return false;
}

static void tell_committed(SyncdService *service)
{
    const SyncdCommit *commit = service->untold;
    service->untold = NULL;
    if (commit == NULL)
        return;
    if (moves_tasks(commit))
        syncd_service_tell_tasks(service);
    if (service->listener.committed == NULL)
        return;
    g_autoptr(GPtrArray) types = event_types_of(commit);
    service->listener.committed(service->listener.data, commit, (const char *const *)types->pdata);
}

bool syncd_service_commit_turn(SyncdService *service, GError **error)
{
    if (!syncd_service_has_turn(service))
        return true;

    g_auto(SyncdCommit) commit = {0};
    g_autoptr(GError) failure = NULL;
    bool durable = syncd_store_commit(service->store, &commit, &failure);
    /* Who waits is answered first. Among them may be one who commits the next turn; others hear of
     * the commits in their order all the same. */
    tell_committed(service);
    if (durable) {
        syncd_refusals_settle(service->refusals);
    } else {
        syncd_service_count_refusals_again(service);
        syncd_service_forget_leases(service);
    }
    service->leases_moved = false;
    service->untold = durable ? &commit : NULL;
    if (durable && commit.first > 0)
        syncd_service_look_at_stored(service, commit.first, commit.last);
    answer_waiting(service, failure);
    tell_committed(service);
    syncd_service_show_state(service, true);
    if (durable)
        syncd_service_ask_for_work(service);
    if (!durable)
        g_propagate_error(error, g_steal_pointer(&failure));
    return durable;
}

void syncd_service_commit(SyncdService *service)
{
    /* A turn of the daemon's own entries has nobody else to tell. */
    bool has_waiting = service->waiting->len > 0;
    g_autoptr(GError) error = NULL;
    if (syncd_service_commit_turn(service, &error))
        return;
    if (has_waiting)
        syncd_service_note_failure(service, "commit", error->message);
    else
        syncd_log(SYNCD_LOG_ERROR, SYNCD_LOG_ID_STORAGE_FAILED, "A turn was not committed: %s",
                  error->message);
}

void syncd_service_discard(SyncdService *service, const GError *why)
{
    syncd_store_discard(service->store);
    syncd_service_forget_leases(service);
    answer_waiting(service, why);
    syncd_service_record_refusals_again(service);
}

bool syncd_service_begin_whole(SyncdService *service, GError **error)
{
    return syncd_service_commit_turn(service, error);
}

bool syncd_service_end_whole(SyncdService *service, bool done, GError **failure, GError **error)
{
    if (done)
        return true;
    if (syncd_service_has_turn(service))
        syncd_service_discard(service, *failure);
    g_propagate_error(error, g_steal_pointer(failure));
    return false;
}

bool syncd_service_work(SyncdService *service)
{
    syncd_runtime_beat(service);
    syncd_service_flush_refusals(service, false);
    syncd_service_flush_leases(service);
    syncd_ephemerals_expire(service->ephemerals, syncd_service_monotonic(service));
    bool more = syncd_store_work(service->store);
    syncd_service_note_index_failures(service);
    syncd_repair_work(service);
    more |= syncd_service_finish_purges(service);
    more |= syncd_service_step_jobs(service);
    more |= syncd_service_retain(service);
    syncd_service_show_state(service, false);
    return more;
}

bool syncd_service_is_pressed(const SyncdService *service)
{
    return syncd_store_is_pressed(service->store) || syncd_service_jobs_run(service);
}

guint64 syncd_service_next_due(const SyncdService *service)
{
    guint64 due = MIN(syncd_refusals_next_due(service->refusals), syncd_service_jobs_due(service));
    due = MIN(due, syncd_service_tasks_due(service));
    due = MIN(due, syncd_ephemerals_next_due(service->ephemerals));
    due = MIN(due, syncd_repair_next_due(service));
    if (service->has_purges && service->purge_retry != 0)
        due = MIN(due, service->purge_retry);
    if (service->policy_blocked_until != 0)
        due = MIN(due, service->policy_blocked_until);
    return syncd_service_state_is_shown(service) ? due : 0;
}
