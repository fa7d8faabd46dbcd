/* A journal that is gone, cut short, or cannot be opened, has the best of what there is put into
 * its place. */
#include "base/timestamp.h"
#include "service/repair-kinds.h"
#include "store/displaced.h"
#include "store/examine.h"
#include "store/rescue.h"
#include "store/rollback.h"

/* ---- what it is bound to ---- */

static char *bound_to(SyncdService *service)
{
    guint64 known;
    guint others;
    g_autoptr(GPtrArray) found = syncd_store_list_rescuable(service->store, &others, &known);
    GString *text = g_string_new(NULL);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, text, false);
    syncd_json_begin_object(&writer);
    syncd_json_name(&writer, "found");
    syncd_json_begin_array(&writer);
    for (guint i = 0; i < found->len; i++) {
        const SyncdRescuable *one = found->pdata[i];
        if (one->why_not != NULL)
            continue;
        g_autofree char *name = g_uri_escape_string(one->name, NULL, FALSE);
        syncd_json_begin_object(&writer);
        if (one->heads != NULL)
            syncd_json_member_string(&writer, "heads", one->heads);
        syncd_json_member_string(&writer, "name", name);
        if (one->state != NULL)
            syncd_json_member_string(&writer, "state", one->state);
        syncd_json_end_object(&writer);
    }
    syncd_json_end_array(&writer);
    syncd_json_member_uint(&writer, "others", others);
    syncd_json_end_object(&writer);
    return g_string_free(text, FALSE);
}

/* Names may be anything that files are called. PlanStale of one that nothing can be called. */
static GPtrArray *read_bound(const char *text, guint *ret_others, GError **error)
{
    SyncdJsonIter iter;
    SyncdJson item, root = syncd_json_root(text, strlen(text));
    g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(syncd_rescuable_free);
    gint64 others = 0;
    syncd_json_get_int64(syncd_json_member(root, "others"), &others);
    *ret_others = (guint)MAX(others, 0);
    syncd_json_iter_init(&iter, syncd_json_member(root, "found"));
    while (syncd_json_iter_next(&iter, NULL, &item)) {
        SyncdRescuable *one = g_new0(SyncdRescuable, 1);
        g_autofree char *name = syncd_json_dup_text(syncd_json_member(item, "name"));
        one->name = g_uri_unescape_string(name != NULL ? name : "", NULL);
        one->heads = syncd_json_dup_text(syncd_json_member(item, "heads"));
        one->state = syncd_json_dup_text(syncd_json_member(item, "state"));
        g_ptr_array_add(found, one);
        if (one->name == NULL) {
            syncd_set_error_next(error, SYNCD_ERROR_PLAN_STALE,
                                 "plan again with `sourceos-syncd repair plan`",
                                 "What the plan may use has a name that no file has: %s", name);
            return NULL;
        }
    }
    return g_steal_pointer(&found);
}

typedef struct {
    GPtrArray *told; /* SyncdRescuable */
    SyncdRescue *rescue;
} Work;

/* One that was begun before plans were bound to anything goes on all the same. */
static SyncdRescue *rescue_of(SyncdRepairAct *act, GError **error)
{
    guint others = 0;
    Work *work = act->data;
    GPtrArray *told = NULL;
    if (work != NULL)
        return work->rescue;
    if (act->bound_to != NULL && (told = read_bound(act->bound_to, &others, error)) == NULL)
        return NULL;
    act->data = work = g_new(Work, 1);
    work->told = told;
    work->rescue = syncd_rescue_new(act->service->store, work->told, others);
    return work->rescue;
}

static void stop(SyncdRepairAct *act)
{
    Work *work = act->data;
    if (work == NULL)
        return;
    syncd_rescue_free(work->rescue);
    g_clear_pointer(&work->told, g_ptr_array_unref);
    g_clear_pointer(&act->data, g_free);
}

/* ---- forward ---- */

static bool begin(SyncdRepairAct *act, GError **error)
{
    return syncd_store_let_go_of_cut(act->service->store, error) &&
           syncd_store_keep_unreadable(act->service->store, act->snapshot, error);
}

static void tell(SyncdRepairAct *act, const SyncdRescue *rescue)
{
    const GPtrArray *said = syncd_rescue_said(rescue);
    for (guint i = 0; i < said->len; i++)
        g_ptr_array_add(act->preserved, g_strdup(said->pdata[i]));
}

/* Whoever takes this up again finds out by himself whether it is done. */
static bool step(SyncdRepairAct *act, bool *ret_more, double *ret_progress, GError **error)
{
    if (!syncd_store_keep_cut(act->service->store, ret_more, error))
        return false;
    if (*ret_more)
        return true;
    *ret_more = syncd_store_unreadable(act->service->store) != NULL;
    if (!*ret_more) {
        syncd_store_close_unreadable(act->service->store, act->snapshot);
        return true;
    }
    SyncdRescue *rescue = rescue_of(act, error);
    if (rescue == NULL)
        return false;
    bool ok = syncd_rescue_step(rescue, ret_more, error);
    *ret_progress = syncd_rescue_progress(rescue);
    if (ok && *ret_more)
        return true;
    tell(act, rescue);
    stop(act);
    if (ok)
        syncd_store_close_unreadable(act->service->store, act->snapshot);
    return ok;
}

/* That of the device's own feed; 0: there is none. A person who adopts the log opens the next. */
static guint64 epoch_of(SyncdStore *store)
{
    g_autoptr(SyncdHead) head = syncd_store_head(store, syncd_store_device_id(store), NULL);
    return head != NULL ? head->epoch : 0;
}

static void note_epoch(SyncdRepairAct *act)
{
    guint64 epoch = epoch_of(act->service->store);
    g_autofree char *note = g_strdup_printf("%" G_GUINT64_FORMAT, epoch);
    if (epoch != 0)
        syncd_repair_act_note(act, note);
}

static const char *entries(guint64 n)
{
    return n == 1 ? "entry" : "entries";
}

static bool check(SyncdRepairAct *act, GError **error)
{
    SyncdStore *store = act->service->store;
    const GError *problem = syncd_store_unreadable(store);
    if (problem != NULL) {
        g_propagate_error(error, g_error_copy(problem));
        return false;
    }
    g_ptr_array_add(act->rebuilt, g_strdup_printf("The log, with %" G_GUINT64_FORMAT " %s",
                                                  syncd_store_sequence(store),
                                                  entries(syncd_store_sequence(store))));
    note_epoch(act);
    guint64 missing = syncd_store_n_rolled_back(store);
    if (missing > 0)
        g_ptr_array_add(act->given_up,
                        g_strdup_printf("Entries that were there, and are in nothing that could be "
                                        "had: %" G_GUINT64_FORMAT,
                                        missing));
    return true;
}

static bool keeps(const SyncdRepairAct *act)
{
    return syncd_store_keeps_unreadable(act->service->store, act->snapshot);
}

/* The journal that was there cannot be opened, and lacks what somebody has decided since: whatever
 * took its place then would have to be adopted once more, and is what is there now. */
static bool returns(const SyncdRepairAct *act, GError **error)
{
    guint64 before = act->note != NULL ? g_ascii_strtoull(act->note, NULL, 10) : 0;
    if (before == 0 || epoch_of(act->service->store) <= before)
        return true;
    g_autofree char *next = g_strdup_printf(
        "go on with the log as it is; the journal that was there is repair/%s in the state "
        "directory: copy it from there if it is wanted, and discard the plan with `sourceos-syncd "
        "repair discard %.*s` to free its room",
        act->snapshot, (int)(strrchr(act->snapshot, '.') - act->snapshot), act->snapshot);
    syncd_set_error_next(error, SYNCD_ERROR_ALREADY_RESOLVED, next,
                         "The log that this repair has put into place was adopted since, and what "
                         "was there before it cannot be opened: taking the repair back would leave "
                         "no log");
    return false;
}

/* What came since the repair is in the log that it made. */
static char *say_what_stays(const SyncdRepairAct *act)
{
    if (!keeps(act))
        return g_strdup("The log as the repair has left it: there was no journal before it that "
                        "could be put back");
    return g_strdup_printf("The log as it was until now, with %" G_GUINT64_FORMAT
                           " %s, as an earlier generation: the journal that was there before the "
                           "repair is back, and cannot be opened",
                           syncd_store_sequence(act->service->store),
                           entries(syncd_store_sequence(act->service->store)));
}

static bool undo(SyncdRepairAct *act, bool *ret_more, GError **error)
{
    *ret_more = false;
    stop(act);
    /* Nothing came into its place. */
    if (syncd_store_holds_cut(act->service->store))
        return syncd_store_release_unreadable(act->service->store, act->snapshot, error);
    if (syncd_store_unreadable(act->service->store) == NULL)
        g_ptr_array_add(act->preserved, say_what_stays(act));
    g_autofree char *unopened = NULL;
    bool ok = syncd_store_put_unreadable_back(act->service->store, act->snapshot, &unopened, error);
    if (unopened != NULL)
        g_ptr_array_add(act->preserved,
                        g_strdup_printf("The journal that was there until now, and cannot be "
                                        "opened either, as %s: to have it salvaged, stop the "
                                        "daemon, rename it to journal.db, and plan a repair",
                                        unopened));
    return ok;
}

static bool release(SyncdRepairAct *act, bool *ret_more, GError **error)
{
    return syncd_store_release_unreadable(act->service->store, act->snapshot, error);
}

/* Before anything is done, what keeps() says after. */
static const char *has_nothing(SyncdService *service)
{
    return syncd_store_has_state(service->store, SYNCD_JOURNAL_FILE) ||
                   syncd_store_has_state(service->store, SYNCD_JOURNAL_FILE "-wal")
               ? NULL
               : "The log stays as it is then: there is no journal that could be put back";
}

static guint64 space(SyncdService *service, const char *target)
{
    return syncd_store_rescue_bytes(service->store);
}

/* ---- what whoever approves is told ---- */

static guint64 most_of(const GPtrArray *found, bool *ret_certain)
{
    guint64 most = 0;
    *ret_certain = true;
    for (guint i = 0; i < found->len; i++) {
        const SyncdRescuable *one = found->pdata[i];
        most = MAX(most, one->why_not == NULL ? one->entries : 0);
        *ret_certain &= one->state == NULL || one->why_not != NULL;
    }
    return most;
}

/* Of what is still open memory may hold what the file has no more. */
static void say_one(const SyncdRescuable *one, GString *out)
{
    char at[SYNCD_TIME_SIZE];
    g_autofree char *name = g_utf8_make_valid(one->name, -1);
    syncd_time_format_ms(one->last_ms != 0 ? one->last_ms : one->ms, at);
    if (one->state != NULL)
        g_string_append_printf(
            out, "what can be read of %s%s", name,
            one->doubt != NULL ? ", if anything can, which is known once it is carried out" : "");
    else
        g_string_append_printf(
            out, "%s with %" G_GUINT64_FORMAT " %s, %s %s", name, one->entries,
            entries(one->entries),
            one->last_ms != 0 ? "the last one of" : "in a file that was written at", at);
}

static void say_all(const GPtrArray *found, GString *out)
{
    guint n = 0;
    for (guint i = 0; i < found->len; i++) {
        const SyncdRescuable *one = found->pdata[i];
        if (one->why_not != NULL)
            continue;
        g_string_append(out, n++ > 0 ? "; " : "There is ");
        say_one(one, out);
    }
    if (n == 0)
        g_string_append(out, "None of these can be opened as it is");
}

static void say_why_nots(const GPtrArray *found, GString *out)
{
    for (guint i = 0; i < found->len; i++) {
        const SyncdRescuable *one = found->pdata[i];
        if (one->why_not != NULL || one->doubt != NULL)
            g_string_append_printf(out, " %s.", one->doubt != NULL ? one->doubt : one->why_not);
    }
}

/* It is let go of first, as what is open of it is a copy by then. */
static void say_what_else(const GPtrArray *found, GString *out)
{
    bool doubted = false;
    for (guint i = 0; i < found->len; i++) {
        const SyncdRescuable *one = found->pdata[i];
        if (one->why_not == NULL && one->doubt == NULL)
            return;
        doubted |= one->doubt != NULL;
    }
    if (doubted)
        g_string_append(out, " If what the daemon has open of it is no more than that, the plan "
                             "fails: then nothing can be read until there is a backup.");
}

/* Nothing is given up that is there: what is in none of them is missing already. */
static guint64 loss(SyncdService *service, char **ret_sentence)
{
    guint64 known;
    guint others;
    bool certain;
    g_autoptr(GPtrArray) found = syncd_store_list_rescuable(service->store, &others, &known);
    guint64 most = most_of(found, &certain);
    GString *out = g_string_new(NULL);
    say_all(found, out);
    if (others > 0)
        g_string_append_printf(out, "; and %u more, which %s looked at when it is carried out",
                               others, others == 1 ? "is" : "are");
    if (others == 0 && known > most && (certain || most > 0))
        g_string_append_printf(out,
                               ": the entries %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT
                               " that the index knows of %s",
                               most + 1, known,
                               certain ? "are in none of these" : "can only be in journal.db");
    else if (known > 0)
        g_string_append_printf(out, ". The index knows of %" G_GUINT64_FORMAT " %s", known,
                               known == 1 ? "entry" : "entries");
    say_why_nots(found, g_string_append_c(out, '.'));
    if (others == 0)
        say_what_else(found, out);
    *ret_sentence = g_string_free(out, FALSE);
    return 0;
}

const SyncdRepairKind syncd_repair_journal_restore = {
    .name = "journal-restore",
    .kind = "restore",
    .risk = "high",
    .description = "Put into the place of the journal that is cut short, or cannot be opened, what "
                   "has most of its entries: what can be read of it, an earlier generation, or a "
                   "backup that lies "
                   "beside it as journal-<name>.db. It is kept.",
    .expected_result = "The log is open again; what it lacks, and what is damaged in it, is found "
                       "then, and named.",
    .mends_log = true,
    .unverified = true,
    .loss = loss,
    .bound_to = bound_to,
    .space = space,
    .begin = begin,
    .step = step,
    .check = check,
    .undo = undo,
    .keeps = keeps,
    .kept_list = "", /* the journal itself: what lay beside it is no way back without it */
    .has_nothing = has_nothing,
    .returns = returns,
    .release = release,
    .stop = stop,
};
