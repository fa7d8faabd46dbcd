/*
 * Deleted objects are purged for want of room: each as by a purge of its own (service/purge.h), by
 * whoever approved the plan, with its entry and, once what it kept elsewhere is cleared, its proof.
 *
 * The note is the operation that purged it. One that is not as it was shown stays.
 */
#include "service/purge-along.h"
#include "service/purge-due.h"
#include "service/purge.h"
#include "service/repair-private.h"
#include "store/repair-store.h"

#include <string.h>

#define TARGET "object/"
#define LOOK_AGAIN_USEC (100u * 1000u)

/* ---- what may go ---- */

/* That the disk fills up is no ground to be asked for more than was wanted. */
static bool is_ground(const SyncdFound *found)
{
    return syncd_finding_is_bad(found->finding) ||
           strcmp(found->finding->code, SYNCD_FINDING_PURGE_ASKED) == 0;
}

static bool expand(SyncdRepairNeeds *needs, const SyncdFound *found, GError **error)
{
    bool more;
    if (needs->wish.caller == NULL || !is_ground(found))
        return true;
    g_autoptr(GPtrArray) list = syncd_service_list_purgeable(needs->service, needs->wish.caller,
                                                             SYNCD_REPAIR_STEPS_MAX, &more);
    for (guint i = 0; i < list->len; i++) {
        SyncdPurgeDue *due = list->pdata[i];
        g_autofree char *target = g_strconcat(TARGET, due->scope_id, "/", due->object, NULL);
        SyncdRepairNeed *need =
            syncd_repair_need(needs, &syncd_repair_purge_object, target, due->object, found);
        if (need == NULL)
            continue;
        need->preview = g_steal_pointer(&due->preview);
        need->freed_bytes = due->file_bytes;
        need->reusable_bytes = due->bytes;
    }
    needs->left_out += more;
    return true;
}

char *syncd_repair_purge_summary(const GPtrArray *needs, const GPtrArray *along, bool more)
{
    guint64 freed = 0, reusable = 0;
    guint n = 0;
    for (guint i = 0; i < needs->len; i++) {
        const SyncdRepairNeed *need = needs->pdata[i];
        n += need->kind == &syncd_repair_purge_object;
        freed += need->freed_bytes;
        reusable += need->reusable_bytes;
    }
    if (n == 0)
        return NULL;
    g_autofree char *files = g_format_size(freed), *log = g_format_size(reusable),
                    *named = syncd_along_say(along),
                    *others = g_format_size(syncd_along_bytes(along)),
                    *with_it = named == NULL
                                   ? g_strdup("")
                                   : g_strdup_printf(" With it go %s: %s.", named, others);
    return g_strdup_printf("Purge for good what was deleted and nothing keeps, %u %s: files of %s "
                           "at most go, and %s within the log can be written again.%s%s",
                           n, n == 1 ? "object" : "objects", files, log, with_it,
                           more ? " More is left for another plan, after this." : "");
}

/* ---- an object ---- */

typedef struct {
    char *scope_id;
    char *scope; /* as requests name it */
    SyncdPurging *planning, *purging;
    char *digest;
    bool looked;  /* whether it is purged already */
    bool changed; /* it is not what was shown */
    bool spent;   /* the space set aside was */
} Purge;

static void purge_free(void *data)
{
    Purge *self = data;
    if (self == NULL)
        return;
    syncd_purging_free(self->planning);
    syncd_purging_free(self->purging);
    g_free(self->scope_id);
    g_free(self->scope);
    g_free(self->digest);
    g_free(self);
}

static bool find_place(SyncdRepairAct *act, Purge *self)
{
    const char *id = g_str_has_prefix(act->target, TARGET) ? act->target + strlen(TARGET) : "";
    const char *end = strchr(id, '/');
    self->scope_id = end != NULL ? g_strndup(id, (gsize)(end - id)) : g_strdup("");
    const SyncdScope *scope = syncd_store_scope(act->service->store, self->scope_id);
    if (scope != NULL)
        self->scope = *scope->name == '\0' ? g_strdup(scope->class)
                                           : g_strconcat(scope->class, ":", scope->name, NULL);
    return scope != NULL && act->object != NULL && act->preview != NULL;
}

static bool read_purge_of(SyncdStore *store, guint64 proof, char **ret_operation, GError **error)
{
    g_auto(SyncdEntry) entry = {0};
    g_auto(SyncdBody) body = {0};
    if (!syncd_store_read(store, proof, &entry, error) ||
        !syncd_store_read_body(store, &entry, &body, error) ||
        !syncd_json_check(body.content, body.content_size, SYNCD_JSON_MUST_BE_OBJECT, error))
        return false;
    *ret_operation = syncd_json_dup_text(
        syncd_json_member(syncd_json_root(body.content, body.content_size), "purge"));
    return true;
}

/* The operation that purged it; NULL: it is not purged. */
static bool find_purge(SyncdRepairAct *act, const Purge *self, char **ret_operation, GError **error)
{
    SyncdStore *store = act->service->store;
    g_auto(SyncdEntry) entry = {0};
    SyncdDeletion deletion;
    bool found;
    *ret_operation = NULL;
    if (!syncd_store_find_deletion(store, self->scope_id, act->object, &deletion, &found, error))
        return false;
    if (found && deletion.state == SYNCD_DELETION_PROVEN)
        return read_purge_of(store, deletion.moved, ret_operation, error);
    if (!found || deletion.state != SYNCD_DELETION_PURGED)
        return true;
    if (!syncd_store_read(store, deletion.moved, &entry, error))
        return false;
    *ret_operation = syncd_bytes_dup(entry.header.op);
    return true;
}

/* ---- in steps ---- */

static bool begin(SyncdRepairAct *act, GError **error)
{
    g_clear_pointer((Purge **)&act->data, purge_free);
    act->data = g_new0(Purge, 1);
    return true;
}

/* A crash may have come behind the purge and before the note of it. */
static bool look(SyncdRepairAct *act, Purge *self, GError **error)
{
    g_autofree char *operation = NULL;
    self->looked = true;
    self->changed = !find_place(act, self);
    if (self->changed || !find_purge(act, self, &operation, error))
        return self->changed;
    if (operation != NULL)
        syncd_repair_act_note(act, operation);
    return true;
}

/* What keeps a purge from being carried out, and is no fault. */
static bool is_a_no(const GError *problem)
{
    static const int codes[] = {SYNCD_ERROR_INVALID_CONTRACT, SYNCD_ERROR_ALREADY_RESOLVED,
                                SYNCD_ERROR_POLICY_DENIED,    SYNCD_ERROR_APPROVAL_REQUIRED,
                                SYNCD_ERROR_STALE_DIGEST,     SYNCD_ERROR_NOT_FOUND,
                                SYNCD_ERROR_LIMITS_EXCEEDED,  SYNCD_ERROR_BUSY};
    for (size_t i = 0; i < G_N_ELEMENTS(codes); i++)
        if (g_error_matches(problem, SYNCD_ERROR, codes[i]))
            return true;
    return false;
}

/* Which entries would go is what their digest says; by whose leave, the decision. */
static bool is_as_shown(const SyncdRepairAct *act, const char *plan)
{
    static const char *const names[] = {"entries_digest", "policy_decision_ref"};
    SyncdJson shown = syncd_json_root(act->preview, strlen(act->preview)),
              now = syncd_json_root(plan, strlen(plan));
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *one = syncd_json_dup_text(syncd_json_member(shown, names[i])),
                        *other = syncd_json_dup_text(syncd_json_member(now, names[i]));
        if (one == NULL || g_strcmp0(one, other) != 0)
            return false;
    }
    return true;
}

static bool plan_some(SyncdRepairAct *act, Purge *self, GError **error)
{
    const SyncdPurgeRequest request = {.scope = self->scope, .object = act->object};
    g_autofree char *plan = NULL;
    if (self->planning == NULL)
        self->planning =
            syncd_service_begin_plan_purge(act->service, &act->caller, &request, error);
    if (self->planning == NULL || !syncd_purging_plan(self->planning, &plan, error))
        return false;
    if (plan == NULL)
        return true;
    g_clear_pointer(&self->planning, syncd_purging_free);
    self->changed = !is_as_shown(act, plan);
    self->digest =
        syncd_json_dup_text(syncd_json_member(syncd_json_root(plan, strlen(plan)), "digest"));
    return true;
}

static bool purge_some(SyncdRepairAct *act, Purge *self, GError **error)
{
    const SyncdPurgeRequest request = {self->scope, act->object, self->digest};
    g_auto(SyncdPurged) purged = {0};
    if (self->purging == NULL)
        self->purging = syncd_service_begin_purge(act->service, &act->caller, &request, error);
    if (self->purging == NULL || !syncd_purging_carry_out(self->purging, &purged, error))
        return false;
    if (purged.operation != NULL)
        syncd_repair_act_note(act, purged.operation);
    return true;
}

static bool do_some(SyncdRepairAct *act, Purge *self, GError **error)
{
    if (!self->looked)
        return look(act, self, error);
    return (self->digest == NULL ? plan_some : purge_some)(act, self, error);
}

/* After a start the index may be in the making. */
static bool waits_for_index(SyncdRepairAct *act)
{
    SyncdService *service = act->service;
    if (!syncd_store_is_indexing(service->store))
        return false;
    act->not_before = syncd_service_monotonic(service) + LOOK_AGAIN_USEC;
    return true;
}

static bool step(SyncdRepairAct *act, bool *ret_more, double *ret_progress, GError **error)
{
    Purge *self = act->data;
    g_autoptr(GError) problem = NULL;
    bool done = act->note != NULL || waits_for_index(act) || do_some(act, self, &problem);
    *ret_more = !self->changed && act->note == NULL;
    if (done)
        return true;
    g_clear_pointer(&self->planning, syncd_purging_free);
    g_clear_pointer(&self->purging, syncd_purging_free);
    self->changed = is_a_no(problem);
    *ret_more = !self->changed;
    if (self->changed)
        return true;
    /* It takes little room to make much. */
    if (!self->spent && syncd_store_spend_reserve(act->service->store, problem)) {
        self->spent = true;
        return true;
    }
    g_propagate_error(error, g_steal_pointer(&problem));
    return false;
}

static bool check(SyncdRepairAct *act, GError **error)
{
    const Purge *self = act->data;
    char *said = self->changed
                     ? g_strdup_printf("The object %s, which is not as it was shown, or must be "
                                       "kept by now",
                                       act->object)
                     : g_strdup("All that is not deleted, that a retention class or policy keeps, "
                                "or that others need; of what was purged, that it was there");
    g_ptr_array_add(act->preserved, said);
    return true;
}

static void stop(SyncdRepairAct *act)
{
    g_clear_pointer((Purge **)&act->data, purge_free);
}

const SyncdRepairKind syncd_repair_purge_object = {
    .name = "purge-object",
    .kind = "purge",
    .risk = "high",
    .description = "Purge a deleted object for good, which nothing keeps: what the log says of it, "
                   "and its files of large content.",
    .expected_result =
        "Its content is in no file of the state any more; an entry in the lane audit "
        "proves it.",
    .destructive = true,
    .expand = expand,
    .begin = begin,
    .step = step,
    .check = check,
    .stop = stop,
};
