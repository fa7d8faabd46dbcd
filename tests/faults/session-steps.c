#include "session-steps.h"

#include "../unit/index-count.h"
#include "../unit/purge-fixture.h"

#include <stdarg.h>
#include <string.h>
#include <unistd.h>

/* ---- reports ---- */

static void tell(Run *r, char what, guint n)
{
    Report report = {what, n};
    if (r->report >= 0 && write(r->report, &report, sizeof report) != sizeof report)
        _exit(4);
}

void run_complain(Run *r, const char *format, ...)
{
    va_list args;
    if (r->lift != NULL)
        r->lift(r); /* it takes memory to complain */
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    if (r->report < 0)
        g_error("%s", text);
    tell(r, 'x', (guint)strlen(text));
    if (write(r->report, text, strlen(text)) < 0)
        _exit(4);
    _exit(3);
}

static void tried(Run *r, guint n)
{
    r->tried[n] = true;
    tell(r, 't', n);
}

static void acknowledge_turn(Run *r)
{
    for (guint i = 0; i < r->n_turn; i++) {
        r->acknowledged[r->turn[i]] = true;
        tell(r, 'a', r->turn[i]);
    }
}

/* ---- steps: each can fail, and be done again ---- */

bool step_open(Run *r, guint n, GError **error)
{
    SyncdStoreOptions options = {.directory = r->f.directory,
                                 .mode = SYNCD_STORE_CREATE,
                                 .sources = &r->f.sources,
                                 .machine = r->f.machine,
                                 .reserve_bytes = 1 << 20};
    r->f.store = syncd_store_open(&options, error);
    return r->f.store != NULL;
}

static bool find_scope(Run *r, guint n, char **ret_id, GError **error)
{
    static const char *const classes[] = {"device", "profile", "public"};
    const char *class = classes[n / 10 % 3];
    g_autoptr(SyncdScope) scope = NULL;
    if (strcmp(class, "device") == 0) {
        *ret_id = g_strdup(syncd_store_device_id(r->f.store));
        return true;
    }
    if (!syncd_store_find_scope(r->f.store, class, "work", &scope, error) ||
        (scope == NULL &&
         !syncd_store_open_scope(r->f.store, class, "work", "actor-test", &scope, error)))
        return false;
    *ret_id = g_strdup(scope->id);
    return true;
}

static bool append_item(Run *r, guint n, const char *scope, const char *key, GError **error)
{
    tried(r, n);
    if (!item_append(r, n, scope, key, error))
        return false;
    r->turn[r->n_turn++] = n;
    return true;
}

/* As a careful caller does it: what has a key is looked for first. */
bool step_append(Run *r, guint n, GError **error)
{
    guint64 pos = 0;
    g_autofree char *key = item_key(n), *scope = NULL;
    if (!find_scope(r, n, &scope, error) ||
        (key != NULL && !syncd_store_find_key(r->f.store, "actor-test", scope, key, &pos, error)))
        return false;
    return pos != 0 || append_item(r, n, scope, key, error);
}

bool step_commit(Run *r, guint n, GError **error)
{
    if (r->boasts)
        acknowledge_turn(r);
    if (!syncd_store_commit(r->f.store, NULL, error))
        return false;
    acknowledge_turn(r);
    r->n_turn = 0;
    return true;
}

bool step_keep_head(Run *r, guint n, GError **error)
{
    return syncd_store_keep_head(r->f.store, syncd_store_device_id(r->f.store), "checkpoint.write",
                                 error);
}

bool step_settle(Run *r, guint n, GError **error)
{
    return syncd_store_settle(r->f.store, error);
}

bool step_adopt(Run *r, guint n, GError **error)
{
    return syncd_store_adopt(r->f.store, "actor-test", error);
}

bool step_verify(Run *r, guint mode, GError **error)
{
    g_autoptr(SyncdVerify) verify =
        syncd_verify_new(r->f.store, (SyncdVerifyMode)mode, NULL, error);
    for (bool more = verify != NULL; more;)
        if (!syncd_verify_step(verify, &more, error))
            return false;
    if (verify != NULL && syncd_verify_n_findings(verify) > 0) {
        const SyncdVerifyFinding *finding = syncd_verify_findings(verify)->pdata[0];
        run_complain(r, "%s is taken for damage: %s: %s",
                     r->injected != NULL ? r->injected : "nothing", finding->code, finding->detail);
    }
    return verify != NULL;
}

/* Everything that is there reads back. */
bool step_read(Run *r, guint n, GError **error)
{
    guint64 last = syncd_store_sequence(r->f.store);
    for (guint64 pos = 1; pos <= last; pos++) {
        g_auto(SyncdEntry) entry = {0};
        g_auto(SyncdBody) body = {0};
        bool purged;
        if (!syncd_store_read(r->f.store, pos, &entry, error) ||
            !read_or_purged(r->f.store, &entry, &body, &purged, error))
            return false;
    }
    return true;
}

bool step_query(Run *r, guint n, GError **error)
{
    SyncdQuery query = {.order = SYNCD_NEWEST_FIRST, .limit = 20, .actor = "actor-test"};
    g_autoptr(GArray) positions = NULL;
    g_autofree char *cursor = NULL;
    guint64 count;
    return syncd_store_query(r->f.store, &query, &positions, &cursor, error) &&
           count_kind(r->f.store, "operation.enqueue", &count, error);
}

/* How many records the special items made. */
static bool count_records(Run *r, size_t *ret_n, GError **error)
{
    static const struct {
        SyncdFamilyId family;
        const char *id;
    } records[] = {{SYNCD_FAMILY_ACTOR, "actor-30"},
                   {SYNCD_FAMILY_SCHEMA, "note/v1@1"},
                   {SYNCD_FAMILY_OBJECT, "note-84"},
                   {SYNCD_FAMILY_PLAN, "plan-85"}};
    *ret_n = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(records); i++) {
        bool found;
        g_auto(SyncdRecordRow) row = {0};
        if (!syncd_store_find_record(r->f.store, syncd_family(records[i].family), records[i].id,
                                     &row, &found, error))
            return false;
        *ret_n += found;
    }
    return true;
}

/* What the special items make of records, a task and a deletion, when none of them is missing. */
bool step_look(Run *r, guint n, GError **error)
{
    SyncdTask task;
    SyncdDeletion deletion;
    bool has_task, has_deletion;
    size_t n_records;
    const char *device = syncd_store_device_id(r->f.store);
    if (!count_records(r, &n_records, error) ||
        !syncd_store_find_task(r->f.store, r->first_op, &task, &has_task, error) ||
        !syncd_store_find_deletion(r->f.store, device, "object:34", &deletion, &has_deletion,
                                   error))
        return false;
    bool right = n_records == 4 && has_task && has_deletion && task.attempt == 1 &&
                 task.state.task == SYNCD_TASK_SUCCEEDED && deletion.moved > task.moved;
    if (!right && r->injected == NULL)
        run_complain(r, "%zu records, task %d (%u attempts, %s), deletion %d (moved at %u)",
                     n_records, has_task, task.attempt, syncd_task_state_name(task.state.task),
                     has_deletion, (guint)deletion.moved);
    return true;
}

bool step_purge(Run *r, guint n, GError **error)
{
    SyncdDeletionState state;
    g_autoptr(SyncdScope) scope = NULL;
    g_autoptr(SyncdPurgeable) purgeable = NULL;
    if (!secret_state(r->f.store, &state, error))
        return false;
    if (state != SYNCD_DELETION_HIDDEN)
        return true; /* the purge whose outcome was unknown happened */
    if (syncd_store_find_scope(r->f.store, "public", "board", &scope, error) &&
        fixture_purge(&r->f, scope->id, SESSION_SECRET, &purgeable, error) &&
        syncd_store_commit(r->f.store, NULL, error))
        return true;
    if (syncd_store_has_turn(r->f.store))
        syncd_store_discard(r->f.store);
    return false;
}

bool step_scrub(Run *r, guint n, GError **error)
{
    return secret_scrub(r->f.store, error);
}

/* ---- when a step has failed ---- */

static void judge_error(Run *r, const char *what, const GError *error)
{
    bool known =
        g_error_matches(error, SYNCD_ERROR, SYNCD_ERROR_STORAGE_FAILED) ||
        g_error_matches(error, SYNCD_ERROR, SYNCD_ERROR_NO_SPACE) ||
        (r->temper == RUN_OUT_OF_MEMORY && g_error_matches(error, SYNCD_ERROR, SYNCD_ERROR_FAILED));
    if (r->injected == NULL || r->temper == RUN_MAY_NOT)
        run_complain(r, "%s fails, after %s: %s", what,
                     r->injected != NULL ? r->injected : "nothing", error->message);
    if (!known)
        run_complain(r, "%s fails with another error, after %s: %s", what, r->injected,
                     error->message);
    if (r->f.store != NULL && syncd_store_condition(r->f.store) == SYNCD_STORE_DAMAGED)
        run_complain(r, "after %s the log is called damaged", r->injected);
}

static void check_sticky(Run *r)
{
    guint64 before = r->journal_syncs;
    if (r->forgets) {
        fixture_close(&r->f);
        r->lift(r);
        step_open(r, 0, NULL);
    }
    for (int i = 0; i < 3; i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *scope = g_strdup(syncd_store_device_id(r->f.store));
        if (append_item(r, SESSION_ITEMS - 1, scope, NULL, &error))
            run_complain(r, "after %s an append is taken again", r->injected);
        if (!g_error_matches(error, SYNCD_ERROR, SYNCD_ERROR_STORAGE_FAILED))
            run_complain(r, "after %s it is not StorageFailed: %s", r->injected, error->message);
        syncd_store_work(r->f.store);
        r->f.now_usec += 10 * G_USEC_PER_SEC;
    }
    if (r->journal_syncs != before)
        run_complain(r, "after %s the log is synced again", r->injected);
}

static void close_after_failure(Run *r)
{
    guint64 before = r->journal_syncs;
    bool of_the_log = syncd_journal_write_fault(r->f.store->journal) != NULL;
    fixture_close(&r->f);
    if (of_the_log && r->journal_syncs != before)
        run_complain(r, "after %s the log is synced by closing", r->injected);
}

/* The items of a turn that failed: again, where that is safe. Without a key the outcome is known
 * only when there was no room. */
static void retry_turn(Run *r, const guint *turn, guint n_turn, bool known)
{
    for (guint i = 0; i < n_turn; i++) {
        g_autofree char *key = item_key(turn[i]);
        g_autoptr(GError) error = NULL;
        if ((known || key != NULL) && !step_append(r, turn[i], &error))
            run_complain(r, "after %s item %u cannot be appended again: %s", r->injected, turn[i],
                         error->message);
    }
    g_autoptr(GError) error = NULL;
    if (!step_commit(r, 0, &error))
        run_complain(r, "after %s nothing can be committed again: %s", r->injected, error->message);
}

static void read_on(Run *r)
{
    g_autoptr(GError) error = NULL;
    if (r->f.store != NULL && !step_read(r, 0, &error))
        run_complain(r, "after %s what is there cannot be read: %s", r->injected, error->message);
}

/* What the index is remade for can wait; whoever asks or writes meanwhile must not. */
static void go_on_without_remaking(Run *r)
{
    g_autoptr(GError) error = NULL;
    if (syncd_journal_write_fault(r->f.store->journal) != NULL)
        return;
    /* Where the files were being exchanged it may take some steps to be there again. */
    for (guint i = 0; i < 20 && !step_query(r, 0, NULL); i++)
        continue;
    if (!step_query(r, 0, &error))
        run_complain(r, "after %s the index answers nothing: %s", r->injected, error->message);
    if (syncd_store_condition(r->f.store) != SYNCD_STORE_WRITABLE)
        run_complain(r, "after %s nothing can be written for an index's sake", r->injected);
}

static void recover(Run *r, Step step)
{
    guint turn[SESSION_ITEMS], n_turn;
    g_autoptr(GError) error = NULL;
    bool open = r->f.store != NULL;
    /* One item of a turn may fail alone; a commit that failed took the turn with it. */
    if (open && syncd_store_has_turn(r->f.store) && !step_commit(r, 0, &error))
        judge_error(r, "the commit of the others", error);
    n_turn = r->n_turn;
    memcpy(turn, r->turn, sizeof turn);
    r->n_turn = 0;

    bool sticky = open && syncd_store_condition(r->f.store) == SYNCD_STORE_FAILED;
    if (sticky)
        check_sticky(r);
    r->lift(r);
    r->f.now_usec += 10 * G_USEC_PER_SEC;
    read_on(r);
    if (step == step_scrub)
        go_on_without_remaking(r);
    if (sticky) {
        check_sticky(r);
        close_after_failure(r);
    }
    g_clear_error(&error);
    if (r->f.store == NULL && !step_open(r, 0, &error))
        run_complain(r, "after %s it does not open again: %s", r->injected, error->message);
    retry_turn(r, turn, n_turn, !sticky);
}

void take(Run *r, const char *what, Step step, guint n)
{
    g_autoptr(GError) error = NULL;
    if (step(r, n, &error))
        return;
    judge_error(r, what, error);
    recover(r, step);
    g_clear_error(&error);
    /* What was opened or retried meanwhile is there. */
    if (step == step_open || (step == step_append && r->acknowledged[n]))
        return;
    if (!step(r, n, &error))
        run_complain(r, "%s still fails when %s is over: %s", what, r->injected, error->message);
}
