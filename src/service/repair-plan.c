/* Planning: from what is found wrong to a document that somebody can approve. */
#include "service/damage.h"
#include "service/diagnose.h"
#include "service/purge-along.h"
#include "service/repair-named.h"
#include "service/repair-private.h"

#include "base/canonical.h"
#include "base/log.h"
#include "store/displaced.h"

/* ---- a plan, from its text ---- */

static void work_free(void *data)
{
    SyncdRepairWork *work = data;
    g_free(work->target);
    g_free(work->object);
    g_free(work->cause);
    g_free(work->preview);
    g_free(work->bound_to);
    g_free(work->risk);
    g_free(work->description);
    g_free(work->note);
    g_free(work->kept);
    g_free(work);
}

static void head_clear(void *data)
{
    g_free((char *)((SyncdRepairHead *)data)->feed);
}

void syncd_repair_plan_free(SyncdRepairPlan *plan)
{
    if (plan == NULL)
        return;
    g_free(plan->id);
    g_free(plan->text);
    g_free(plan->risk);
    g_clear_pointer(&plan->steps, g_ptr_array_unref);
    g_clear_pointer(&plan->heads, g_array_unref);
    g_clear_pointer(&plan->releases, g_hash_table_unref);
    g_clear_pointer(&plan->owed, g_ptr_array_unref);
    g_free(plan->approver);
    g_free(plan->undoer);
    g_free(plan->job);
    g_free(plan->failure);
    g_free(plan->stale);
    g_free(plan->releaser);
    g_free(plan->approval);
    g_free(plan->report);
    g_free(plan);
}

static bool refuse_text(GError **error, const char *what)
{
    syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT, "It is no repair plan of ours: %s", what);
    return false;
}

/* Canonical, as kinds have it: it is compared. */
static char *dup_object(SyncdJson step, const char *name)
{
    SyncdJson object = syncd_json_member(step, name);
    if (object.type != SYNCD_JSON_OBJECT)
        return NULL;
    GString *text = g_string_new(NULL);
    syncd_canonical_append(text, object);
    return g_string_free(text, FALSE);
}

/* What of a document is something to be done: what shows what would be purged is not, and of what
 * is blocked what says to which thing. */
static bool is_work(SyncdJson step, bool blocked)
{
    return blocked ? syncd_json_member(step, "target").type == SYNCD_JSON_STRING
                   : !syncd_json_is(syncd_json_member(step, "id"), SYNCD_REPAIR_PURGE_PREVIEW);
}

static guint64 read_number(SyncdJson object, const char *name)
{
    gint64 number;
    bool is_there = syncd_json_get_int64(syncd_json_member(object, name), &number);
    return is_there ? (guint64)MAX(number, 0) : 0;
}

static bool read_step(SyncdRepairPlan *plan, SyncdJson step, const char **risk, GError **error)
{
    const char *text;
    size_t size;
    static const char *const risks[] = {"low", "medium", "high", NULL};
    SyncdRepairWork *work = g_new0(SyncdRepairWork, 1);
    g_ptr_array_add(plan->steps, work);
    if (syncd_json_get_plain(syncd_json_member(step, "id"), &text, &size))
        work->kind = syncd_repair_kind_find(SYNCD_BYTES(text, size));
    work->target = syncd_json_dup_text(syncd_json_member(step, "target"));
    work->object = syncd_json_dup_text(syncd_json_member(step, "object_id"));
    work->cause = syncd_json_dup_text(syncd_json_member(step, "cause"));
    work->gives_up = read_number(step, "gives_up");
    work->calls_lost = read_number(step, "calls_lost");
    work->preview = dup_object(step, "preview");
    work->bound_to = dup_object(step, "bound_to");
    plan->purges |= work->kind != NULL && work->kind->destructive;
    work->risk = syncd_json_dup_text(syncd_json_member(step, "risk"));
    work->description = syncd_json_dup_text(syncd_json_member(step, "description"));
    plan->destructive |=
        work->gives_up > 0 || syncd_json_member(step, "destructive").type == SYNCD_JSON_TRUE;
    for (guint i = 0; risks[i] != NULL; i++)
        if (g_strcmp0(work->risk, risks[i]) == 0 && strcmp(risks[i], *risk) != 0 &&
            (strcmp(*risk, "low") == 0 || strcmp(risks[i], "high") == 0))
            *risk = risks[i];
    return (work->kind != NULL && work->target != NULL && work->cause != NULL &&
            plan->steps->len <= SYNCD_REPAIR_STEPS_MAX) ||
           refuse_text(error, "a step of it is none that is known here");
}

static bool read_head(SyncdRepairPlan *plan, SyncdJson head, GError **error)
{
    gint64 size;
    SyncdRepairHead read = {NULL};
    g_autofree char *root = syncd_json_dup_text(syncd_json_member(head, "root"));
    read.feed = syncd_json_dup_text(syncd_json_member(head, "feed"));
    g_array_append_val(plan->heads, read);
    SyncdRepairHead *kept = &g_array_index(plan->heads, SyncdRepairHead, plan->heads->len - 1);
    if (kept->feed == NULL || root == NULL ||
        !syncd_json_get_int64(syncd_json_member(head, "size"), &size) || size < 0 ||
        !syncd_hash_from_hex(root, strlen(root), &kept->root))
        return refuse_text(error, "a head of it is none");
    kept->size = (guint64)size;
    return true;
}

static bool read_text(SyncdRepairPlan *plan, SyncdJson root, GError **error)
{
    static const char *const lists[] = {"steps", "blocked_steps"};
    SyncdJsonIter iter;
    SyncdJson value, checkpoint = syncd_json_member(root, "checkpoint");
    const char *risk = "low";
    plan->id = syncd_json_dup_text(syncd_json_member(root, "plan_id"));
    if (!syncd_json_is(syncd_json_member(root, "schema"), SYNCD_REPAIR_PLAN_SCHEMA) ||
        plan->id == NULL || !syncd_id_is_token(plan->id, strlen(plan->id)))
        return refuse_text(error, "it has no such schema, or no id");
    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++) {
        syncd_json_iter_init(&iter, syncd_json_member(root, lists[i]));
        while (syncd_json_iter_next(&iter, NULL, &value))
            if (is_work(value, i > 0) && !read_step(plan, value, &risk, error))
                return false;
    }
    syncd_json_iter_init(&iter, syncd_json_member(checkpoint, "heads"));
    while (syncd_json_iter_next(&iter, NULL, &value))
        if (!read_head(plan, value, error))
            return false;
    plan->releases = syncd_named_read_set(syncd_json_member(checkpoint, "releases"));
    plan->space = read_number(checkpoint, "space_needed_bytes");
    plan->risk = g_strdup(risk);
    return plan->steps->len > 0 || refuse_text(error, "it has no steps");
}

SyncdRepairPlan *syncd_repair_plan_parse(SyncdService *service, SyncdBytes text, GError **error)
{
    if (!syncd_json_check(text.data, text.size, SYNCD_JSON_MUST_BE_OBJECT, error))
        return NULL;
    g_autoptr(SyncdRepairPlan) plan = g_new0(SyncdRepairPlan, 1);
    plan->service = service;
    plan->text = syncd_bytes_dup(text);
    plan->steps = g_ptr_array_new_with_free_func(work_free);
    plan->heads = g_array_new(FALSE, TRUE, sizeof(SyncdRepairHead));
    g_array_set_clear_func(plan->heads, head_clear);
    plan->owed = g_ptr_array_new_with_free_func(syncd_repair_owed_free);
    SyncdHash hash = syncd_hash(text.data, text.size);
    syncd_hash_to_digest(&hash, plan->digest);
    if (!read_text(plan, syncd_json_root(plan->text, text.size), error))
        return NULL;
    return g_steal_pointer(&plan);
}

/* ---- making one ---- */

/* What is given up is said with what is done, and is what whoever approves answers for. By the
 * contract that is not destructive, as nothing of it is there any more; by what people understand
 * it is. */
static void add_loss(SyncdService *service, const SyncdRepairKind *kind, SyncdRepairStep *step,
                     GPtrArray *texts)
{
    g_autofree char *sentence = NULL;
    if (kind->loss == NULL)
        return;
    *(kind->lost_already ? &step->calls_lost : &step->gives_up) = kind->loss(service, &sentence);
    step->description = g_strdup_printf("%s %s", kind->description, sentence);
    g_ptr_array_add(texts, (char *)step->description);
    if (step->gives_up > 0 || (kind->mends_log && syncd_service_log_is_only_open(service)))
        step->risk = "high";
}

static const char *stays_of(SyncdService *service, const SyncdRepairKind *kind)
{
    return kind->has_nothing != NULL ? kind->has_nothing(service) : kind->stays;
}

static void add_steps(SyncdService *service, const GPtrArray *needs, GArray *steps,
                      GPtrArray *texts)
{
    for (guint i = 0; i < needs->len; i++) {
        const SyncdRepairNeed *need = needs->pdata[i];
        SyncdRepairStep step = {
            .id = need->kind->name,
            .kind = need->kind->kind,
            .target = need->target,
            .object = need->object,
            .risk = need->kind->risk,
            .cause = need->cause->code,
            .description = need->kind->description,
            .expected_result = need->kind->expected_result,
            .destructive = need->kind->destructive,
            .preview = need->preview,
            .stays = stays_of(service, need->kind),
        };
        add_loss(service, need->kind, &step, texts);
        if (need->kind->bound_to != NULL)
            g_ptr_array_add(texts, (char *)(step.bound_to = need->kind->bound_to(service)));
        g_array_append_val(steps, step);
    }
}

/* None where it is not known whether what they cover can be had: what is missing is told by the
 * one that takes its place. */
static GArray *list_heads(SyncdService *service)
{
    g_autoptr(GPtrArray) heads = syncd_store_heads(service->store);
    GArray *list = g_array_new(FALSE, FALSE, sizeof(SyncdRepairHead));
    g_array_set_clear_func(list, head_clear);
    if (syncd_store_is_cut(service->store))
        return list;
    for (guint i = 0; i < heads->len; i++) {
        const SyncdHead *head = heads->pdata[i];
        SyncdRepairHead one = {syncd_feed_text(head->device, head->scope, head->epoch), head->size,
                               head->root};
        g_array_append_val(list, one);
    }
    return list;
}

/* What they kept goes for this one. */
static GPtrArray *list_released(const SyncdService *service)
{
    g_autoptr(GPtrArray) plans = syncd_repair_list_released(service);
    GPtrArray *ids = g_ptr_array_new();
    for (guint i = 0; i < plans->len; i++)
        g_ptr_array_add(ids, ((SyncdRepairPlan *)plans->pdata[i])->id);
    return ids;
}

static const char *gravest(const GPtrArray *needs)
{
    static const char *const order[] = {"info", "warning", "error", "critical"};
    size_t worst = 0;
    for (guint i = 0; i < needs->len; i++)
        for (size_t k = worst; k < G_N_ELEMENTS(order); k++)
            if (strcmp(((SyncdRepairNeed *)needs->pdata[i])->cause->severity, order[k]) == 0)
                worst = k;
    return order[worst];
}

static guint64 space_of(SyncdService *service, const GPtrArray *needs)
{
    guint64 bytes = 0;
    for (guint i = 0; i < needs->len; i++) {
        const SyncdRepairNeed *need = needs->pdata[i];
        if (need->kind->space != NULL)
            bytes += need->kind->space(service, need->target);
    }
    return bytes;
}

static guint64 freed_by(const GPtrArray *needs)
{
    guint64 bytes = 0;
    for (guint i = 0; i < needs->len; i++)
        bytes += ((SyncdRepairNeed *)needs->pdata[i])->freed_bytes;
    return bytes;
}

static guint64 reusable_by(const GPtrArray *needs)
{
    guint64 bytes = 0;
    for (guint i = 0; i < needs->len; i++)
        bytes += ((SyncdRepairNeed *)needs->pdata[i])->reusable_bytes;
    return bytes;
}

SyncdRepairPlan *syncd_repair_make_plan(SyncdService *service, const GPtrArray *needs,
                                        guint64 left_out, GError **error)
{
    g_autofree char *report = syncd_repair_live_report(service, error);
    if (report == NULL ||
        !syncd_json_check(report, strlen(report), SYNCD_JSON_MUST_BE_OBJECT, error))
        return NULL;
    char digest[SYNCD_DIGEST_SIZE];
    SyncdHash hash = syncd_hash_canonical(syncd_json_root(report, strlen(report)));
    syncd_hash_to_digest(&hash, digest);
    g_autofree char *id = syncd_id_new(service->sources, "plan");
    g_autoptr(GArray) steps = g_array_new(FALSE, FALSE, sizeof(SyncdRepairStep)),
                      heads = list_heads(service);
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(GPtrArray) along = syncd_service_list_along(service),
                         released = list_released(service);
    guint64 copies = syncd_along_bytes(along);
    g_autofree char *copied = syncd_along_write(along),
                    *summary = syncd_repair_purge_summary(needs, along, left_out > 0);
    guint64 now = syncd_sources_realtime_usec(service->sources);
    add_steps(service, needs, steps, texts);
    const SyncdRepairDraft draft = {
        .plan_id = id,
        .now_usec = (gint64)now,
        .expires_usec = (gint64)(now + SYNCD_REPAIR_PLAN_USEC),
        .report = syncd_json_root(report, strlen(report)),
        .report_digest = digest,
        .severity = gravest(needs),
        .steps = (const SyncdRepairStep *)(void *)steps->data,
        .n_steps = steps->len,
        .summary = summary,
        .left_out = left_out,
        .heads = (const SyncdRepairHead *)(void *)heads->data,
        .n_heads = heads->len,
        .space_bytes = space_of(service, needs),
        .freed_bytes = freed_by(needs) + copies,
        .copies_bytes = copies,
        .copies = copied,
        .reusable_bytes = reusable_by(needs),
        .released = released,
    };
    syncd_repair_draft_write(&draft, text);
    SyncdRepairPlan *plan =
        syncd_repair_plan_parse(service, SYNCD_BYTES(text->str, text->len), error);
    if (plan == NULL)
        return NULL;
    plan->planned_usec = now;
    plan->expires_usec = now + SYNCD_REPAIR_PLAN_USEC;
    return plan;
}

/* One that is discarded stays as long as the log takes nothing. Where that keeps somebody from
 * planning what would mend it, the first of those goes that nobody ever approved. */
static bool has_room_for_plan(SyncdService *service, uid_t uid, GError **error)
{
    SyncdRepairPlan *idle = NULL;
    guint n = 0;
    for (guint i = 0; i < service->repairs->plans->len; i++) {
        SyncdRepairPlan *plan = service->repairs->plans->pdata[i];
        if (plan->uid != uid || plan->automatic || syncd_repair_plan_has_ended(plan))
            continue;
        n++;
        if (idle == NULL && plan->discarded && plan->approver == NULL)
            idle = plan;
    }
    if (n < SYNCD_REPAIR_PLANS_MAX)
        return true;
    if (idle != NULL) {
        syncd_repair_remove(idle);
        return true;
    }
    syncd_set_error_next(error, SYNCD_ERROR_LIMITS_EXCEEDED,
                         "discard some with `sourceos-syncd repair discard`, or let them expire",
                         "There are %u repair plans of uid %u already", n, (unsigned)uid);
    return false;
}

static bool refuse_nothing(SyncdService *service, bool purge, GError **error)
{
    g_autoptr(GPtrArray) found = syncd_service_diagnose(service);
    bool lacks_room = false, bad = false;
    for (guint i = 0; i < found->len; i++) {
        const SyncdFinding *finding = ((SyncdFound *)found->pdata[i])->finding;
        lacks_room |= strcmp(finding->code, SYNCD_FINDING_KEPT_PRESSURE) == 0;
        bad |= syncd_finding_is_bad(finding);
    }
    if ((purge || lacks_room) && !syncd_service_check_no_unproven(service, NULL, error))
        return false;
    if (purge || lacks_room)
        syncd_set_error_next(error, SYNCD_ERROR_NOT_FOUND,
                             "make room on the disk in another way, delete what is not needed and "
                             "end its tasks, or have workspaces keep less; `sourceos-syncd ops "
                             "purge` says of an object why it stays",
                             "Nothing may be purged: what is stored is not deleted, is to be kept, "
                             "or has tasks that have not ended");
    else if (syncd_store_unreadable(service->store) != NULL &&
             syncd_store_signer(service->store) == NULL)
        syncd_set_error_next(error, SYNCD_ERROR_NOT_FOUND,
                             "put keys/device.key of the state directory back from a backup, "
                             "restart the daemon, and plan again",
                             "Without the device's key nobody can tell what may take the place of "
                             "the journal");
    else if (syncd_store_unreadable(service->store) != NULL)
        syncd_set_error_next(error, SYNCD_ERROR_NOT_FOUND,
                             "put a backup of journal.db into the state directory as "
                             "journal-backup.db, and plan again; where there is none, stop the "
                             "daemon and move the state directory away: another log begins with "
                             "the next start, as another device",
                             "Nothing here could take the place of the journal");
    else if (syncd_service_log_beyond_mending(service) != NULL)
        syncd_set_error_next(error, SYNCD_ERROR_NOT_FOUND,
                             "put a backup of journal.db into the state directory as "
                             "journal-backup.db, have it verified with `" SYNCD_NEXT_VERIFY_FULL
                             "`, and plan again; where there is none, restore the state directory "
                             "from a backup",
                             "Nothing here can mend the log: %s",
                             syncd_service_log_beyond_mending(service));
    else
        syncd_set_error_next(error, SYNCD_ERROR_NOT_FOUND,
                             bad ? "see what helps with `sourceos-syncd doctor`"
                                 : "see what else is found with `sourceos-syncd doctor`",
                             bad ? "Nothing that is found can be mended by a plan"
                                 : "There is nothing to repair");
    return false;
}

static bool check_accept(const char *const *accept, const GPtrArray *needs, GError **error)
{
    guint n = accept != NULL ? g_strv_length((char **)accept) : 0;
    if (n > SYNCD_REPAIR_ACCEPT_MAX) {
        syncd_set_error(error, SYNCD_ERROR_LIMITS_EXCEEDED,
                        "One plan accepts at most %u files as they are", SYNCD_REPAIR_ACCEPT_MAX);
        return false;
    }
    for (guint i = 0; i < n; i++) {
        bool found = false;
        for (guint k = 0; k < needs->len && !found; k++)
            found = g_strcmp0(((SyncdRepairNeed *)needs->pdata[k])->object, accept[i]) == 0;
        if (found)
            continue;
        syncd_set_error_next(
            error, SYNCD_ERROR_INVALID_ARGS, "see what is found with `sourceos-syncd doctor`",
            "\"accept\": nothing is wrong with a file %.*s", SYNCD_ID_TOKEN_MAX, accept[i]);
        return false;
    }
    return true;
}

static bool are_same(const SyncdRepairWork *one, const SyncdRepairWork *other)
{
    return one->kind == other->kind && strcmp(one->target, other->target) == 0 &&
           strcmp(one->cause, other->cause) == 0 && g_strcmp0(one->object, other->object) == 0 &&
           g_strcmp0(one->preview, other->preview) == 0;
}

static bool have_same_steps(const SyncdRepairPlan *one, const SyncdRepairPlan *other)
{
    bool same = one->steps->len == other->steps->len;
    for (guint i = 0; same && i < one->steps->len; i++)
        same = are_same(one->steps->pdata[i], other->steps->pdata[i]);
    return same;
}

/* Discards what its owner did not approve and cannot mean any more: without a plan what fits no
 * more, with one what has its steps. What cannot be discarded expires. */
static void supersede(SyncdService *service, const SyncdRepairPlan *plan, uid_t uid,
                      const char *identity)
{
    const GPtrArray *plans = service->repairs->plans;
    for (guint i = 0; i < plans->len; i++) {
        SyncdRepairPlan *other = plans->pdata[i];
        if (other != plan && other->uid == uid && other->state == SYNCD_REPAIR_PREVIEW &&
            other->approver == NULL && !other->discarded &&
            (plan == NULL ? other->stale != NULL : have_same_steps(other, plan)))
            syncd_repair_discard(other, identity, NULL);
    }
}

bool syncd_service_plan_repair(SyncdService *service, const SyncdCaller *caller,
                               const SyncdRepairRequest *request, SyncdRepairPlan **ret_plan,
                               GError **error)
{
    const SyncdRepairWish wish = {caller, request != NULL ? request->accept : NULL,
                                  request != NULL && request->purge};
    g_autofree char *identity = syncd_identity_of(caller->uid);
    if (!syncd_repair_ask(service, caller, "repair_preview", SYNCD_LANE_AUDIT, NULL, error) ||
        !has_room_for_plan(service, caller->uid, error))
        return false;
    /* What the ledger held half written goes with it, and is not found any more. */
    syncd_service_judge_repairs(service);
    supersede(service, NULL, caller->uid, identity);
    guint64 left_out;
    g_autoptr(GPtrArray) needs = syncd_repair_find_needs(service, &wish, NULL, &left_out, error);
    if (needs == NULL || !check_accept(wish.accept, needs, error))
        return false;
    if (needs->len == 0)
        return refuse_nothing(service, wish.purge, error);
    if (needs->len > SYNCD_REPAIR_STEPS_MAX) {
        left_out += needs->len - SYNCD_REPAIR_STEPS_MAX;
        g_ptr_array_set_size(needs, SYNCD_REPAIR_STEPS_MAX);
    }
    g_autoptr(SyncdRepairPlan) plan = syncd_repair_make_plan(service, needs, left_out, error);
    if (plan == NULL)
        return false;
    plan->uid = caller->uid;
    syncd_repair_owe(plan, "repair-plan.made", identity, g_strdup(plan->text));
    if (!syncd_repair_save_new(plan, error))
        return false;
    *ret_plan = plan;
    g_ptr_array_add(service->repairs->plans, g_steal_pointer(&plan));
    syncd_repair_tell_added(*ret_plan);
    supersede(service, *ret_plan, caller->uid, identity);
    syncd_repair_settle(service);
    return true;
}
