/*
 * What a repair kept is gone, or is altered, by the time when it is taken back: what is said then
 * is what is, of each kind that keeps anything, and nothing else has to wait for it.
 */
#include "repair-life-fixture.h"
#include "rescue-fixture.h"

#include "crypto/hash.h"
#include "store/blobs.h"

/* ---- what is wrong, and whether it is again ---- */

static void break_index(ServiceFixture *f)
{
    put(f, "note-1", "{}");
    service_close(f);
    damage_index(f);
    repair_open(f, NULL);
}

static bool is_index_broken(ServiceFixture *f)
{
    return !lookups_answer(f);
}

static void change_mode(ServiceFixture *f)
{
    state_set_mode(f, "journal.db", 0640);
}

static bool is_mode_changed(ServiceFixture *f)
{
    return state_mode(f, "journal.db") == 0640;
}

static const char *const halves[] = {".one.new", ".two.new"};

static void leave_halves(ServiceFixture *f)
{
    for (size_t i = 0; i < G_N_ELEMENTS(halves); i++)
        state_write(f, halves[i], "half", -1);
}

static bool are_halves_there(ServiceFixture *f)
{
    return state_has(f, halves[0]) && state_has(f, halves[1]);
}

static char *orphan(guint number, char **ret_bytes)
{
    *ret_bytes = g_strdup_printf("orphan %u", number);
    SyncdHash name = syncd_hash(*ret_bytes, strlen(*ret_bytes));
    return syncd_blobs_path(SYNCD_CHUNK_OF_ENTRY, &name);
}

static void leave_orphans(ServiceFixture *f)
{
    put(f, "note-1", "{}");
    rest(f);
    for (guint i = 0; i < 2; i++) {
        g_autofree char *bytes = NULL, *file = orphan(i, &bytes), *path = state_path(f, file),
                        *folder = g_path_get_dirname(path);
        g_mkdir_with_parents(folder, 0700);
        write_private(path, bytes, -1);
    }
    verify_all(f);
}

static guint count_orphans(ServiceFixture *f)
{
    guint n = 0;
    for (guint i = 0; i < 2; i++) {
        g_autofree char *bytes = NULL, *file = orphan(i, &bytes);
        n += state_has(f, file);
    }
    return n;
}

static bool are_orphans_there(ServiceFixture *f)
{
    return count_orphans(f) == 2;
}

static void break_journal(ServiceFixture *f)
{
    f->base.stands_in = true;
    put_many(f, 0, 10);
    rest(f);
    service_close(f);
    state_copy(f, "journal.db", "journal-backup.db");
    overwritten(f);
    repair_open(f, NULL);
}

static bool is_journal_broken(ServiceFixture *f)
{
    return is_found(f, "journal-unreadable");
}

typedef struct {
    const char *name;
    void (*damage)(ServiceFixture *f);
    bool (*is_before)(ServiceFixture *f);
    const char *needed; /* what ends the name of a file without which nothing comes back */
} Case;

static const Case cases[] = {
    {"index", break_index, is_index_broken, ""},
    {"modes", change_mode, is_mode_changed, ".files"},
    {"halves", leave_halves, are_halves_there, ".files"},
    {"orphans", leave_orphans, are_orphans_there, ".list"},
    {"journal", break_journal, is_journal_broken, ""},
};

static SyncdRepairPlan *applied(ServiceFixture *f, const Case *which)
{
    repair_init(f);
    which->damage(f);
    g_assert_true(which->is_before(f));
    SyncdRepairPlan *plan = plan_repair(f);
    approve_repair(f, plan);
    apply_repair(f, plan);
    g_assert_false(which->is_before(f));
    return plan;
}

/* Of the step that is about it: it may not be the first one. */
static char *file_of(const ServiceFixture *f, const SyncdRepairPlan *plan, const char *suffix)
{
    for (guint i = 0; i < 3; i++) {
        g_autofree char *name = g_strdup_printf("repair/%s.%u%s", plan->id, i, suffix);
        if (state_has(f, name))
            return g_steal_pointer(&name);
    }
    g_assert_not_reached();
}

static void alter(const ServiceFixture *f, const char *name)
{
    gsize size;
    g_autofree char *bytes = state_read(f, name, &size);
    bytes[size / 2] ^= 1;
    state_write(f, name, bytes, (gssize)size);
}

static bool is_promised(const SyncdRepairPlan *plan)
{
    g_autofree char *description = syncd_repair_plan_describe(plan);
    return strstr(description, "\"rollback_until_usec\":null") == NULL;
}

static void discard(ServiceFixture *f, SyncdRepairPlan *plan)
{
    g_autoptr(GError) error = NULL;
    syncd_service_discard_repair(f->service, &f->caller, plan, syncd_repair_plan_digest(plan),
                                 &error);
    g_assert_no_error(error);
}

/* ---- */

static void what_is_kept_comes_back(const void *data)
{
    ServiceFixture f;
    const Case *which = data;
    SyncdRepairPlan *plan = applied(&f, which);
    g_assert_true(is_promised(plan));
    g_assert_false(is_found(&f, "repair-kept-lost"));
    rollback_repair(&f, plan);
    g_assert_true(which->is_before(&f));
    g_assert_false(report_says(&f, plan, "is not put back"));
    if (which->damage != break_journal) /* which is judged anew */
        assert_nothing_is_kept(&f);
    service_clear(&f);
}

/* Also after a restart. */
static void nobody_promises_what_is_gone(const void *data)
{
    ServiceFixture f;
    const Case *which = data;
    SyncdJob *job = NULL;
    SyncdRepairPlan *plan = applied(&f, which);
    g_autofree char *id = g_strdup(plan->id), *file = file_of(&f, plan, which->needed);
    state_remove(&f, file);
    for (guint i = 0; i < 2; i++) {
        g_autoptr(GError) error = NULL;
        g_assert_true(is_found(&f, "repair-kept-lost"));
        g_assert_false(is_promised(plan));
        g_assert_false(syncd_service_rollback_repair(f.service, &f.caller, plan,
                                                     syncd_repair_plan_digest(plan), &job, &error));
        g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_ALREADY_RESOLVED);
        g_assert_nonnull(strstr(error->message, "is gone"));
        g_assert_cmpstr(syncd_repair_plan_state(plan), ==, "complete");
        g_assert_false(which->is_before(&f));
        repair_reopen(&f);
        plan = find_repair_plan(f.service, id);
    }
    discard(&f, plan);
    rest(&f);
    g_assert_false(is_found(&f, "repair-kept-lost"));
    assert_nothing_is_kept(&f);
    service_clear(&f);
}

/* It is the end of it, and the next repair does not wait. */
static void what_was_altered_is_not_put_back(const void *data)
{
    ServiceFixture f;
    const Case *which = data;
    SyncdRepairPlan *plan = applied(&f, which);
    g_autofree char *file = file_of(&f, plan, which->needed);
    gsize size, later;
    alter(&f, file);
    g_autofree char *bytes = state_read(&f, file, &size);
    rollback_repair(&f, plan);
    g_assert_false(which->is_before(&f));
    g_autofree char *said = g_strdup_printf("is not put back, as %s", file);
    g_assert_true(report_says(&f, plan, said));
    g_autofree char *there = state_read(&f, file, &later);
    g_assert_cmpmem(bytes, size, there, later);
    g_assert_false(is_promised(plan));

    state_set_mode(&f, "keys", 0755);
    SyncdRepairPlan *next = plan_repair(&f);
    approve_repair(&f, next);
    apply_repair(&f, next);
    g_assert_cmpuint(state_mode(&f, "keys"), ==, 0700);
    discard(&f, next);
    discard(&f, plan);
    rest(&f);
    assert_nothing_is_kept(&f);
    service_clear(&f);
}

/* So it is where nobody can say any more what was kept. */
static void what_nothing_vouches_for_is_not_put_back(const void *data)
{
    const Case *which = data;
    for (guint altered = 0; altered < 2; altered++) {
        ServiceFixture f;
        SyncdRepairPlan *plan = applied(&f, which);
        g_autofree char *file = file_of(&f, plan, ".kept");
        if (altered) {
            alter(&f, file);
        } else {
            state_remove(&f, file);
        }
        g_assert_false(is_promised(plan));
        g_assert_true(is_found(&f, "repair-kept-lost"));
        g_assert_false(which->is_before(&f));
        service_clear(&f);
    }
}

/* ---- of which each comes back by itself ---- */

static void what_is_not_lost_comes_back_all_the_same(void)
{
    static const char *const suffixes[] = {".half.0", NULL};
    for (guint i = 0; i < 4; i++) {
        ServiceFixture f;
        bool gone = i % 2 == 0, swept = i >= 2;
        SyncdRepairPlan *plan = applied(&f, &cases[swept ? 3 : 2]);
        g_autofree char *bytes = NULL, *chunk = orphan(0, &bytes),
                        *suffix = g_strconcat(".", strrchr(chunk, '/') + 1, NULL),
                        *file = file_of(&f, plan, swept ? suffix : suffixes[0]);
        if (gone)
            state_remove(&f, file);
        else
            alter(&f, file);
        g_assert_true(is_promised(plan));
        g_assert_true(is_found(&f, "repair-kept-lost") == gone);
        rollback_repair(&f, plan);
        g_assert_true(report_says(&f, plan, gone ? "is gone, and is not put back" : file));
        g_assert_cmpuint(swept ? count_orphans(&f)
                               : (guint)state_has(&f, halves[0]) + state_has(&f, halves[1]),
                         ==, 1);
        g_assert_true(state_has(&f, file) == !gone);
        discard(&f, plan);
        rest(&f);
        assert_nothing_is_kept(&f);
        service_clear(&f);
    }
}

/* ---- one that fails again and again ---- */

/* Nobody can put it back as long as a folder is in its place. */
static void one_that_cannot_be_taken_back_is_ended_by_a_person(void)
{
    ServiceFixture f;
    g_autoptr(GError) error = NULL;
    SyncdJob *job = NULL;
    SyncdRepairPlan *plan = applied(&f, &cases[2]);
    g_autofree char *id = g_strdup(plan->id), *in_the_way = g_strconcat(halves[0], "/x", NULL),
                    *path = state_path(&f, in_the_way);
    g_mkdir_with_parents(path, 0700);
    begin_rollback(&f, plan);
    run_jobs(&f);
    g_assert_true(syncd_repair_plan_is_interrupted(plan));
    repair_reopen(&f);
    run_jobs(&f);
    plan = find_repair_plan(f.service, id);
    g_assert_true(syncd_repair_plan_is_interrupted(plan));

    state_set_mode(&f, "keys", 0755);
    SyncdRepairPlan *next = plan_repair(&f);
    approve_repair(&f, next);
    g_assert_false(syncd_service_apply_repair(f.service, &f.caller, next,
                                              syncd_repair_plan_digest(next), &job, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_BUSY);
    g_autofree char *way = g_strdup_printf("repair discard %s", id);
    g_assert_nonnull(strstr(error->message, way));
    discard(&f, plan);
    g_assert_true(find_repair_plan(f.service, id) == plan);
    g_assert_cmpstr(syncd_repair_plan_state(plan), ==, "failed");
    g_assert_false(syncd_repair_plan_was_taken_back(plan));
    g_assert_true(is_promised(plan));
    apply_repair(&f, next);

    /* What it kept is there still, and comes back once it can. */
    repair_reopen(&f);
    g_assert_cmpint(g_rmdir(path), ==, 0);
    state_remove(&f, halves[0]);
    plan = find_repair_plan(f.service, id);
    rollback_repair(&f, plan);
    g_assert_true(state_has(&f, halves[0]));
    service_clear(&f);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*test)(const void *data);
    } tests[] = {
        {"comes-back", what_is_kept_comes_back},
        {"gone", nobody_promises_what_is_gone},
        {"altered", what_was_altered_is_not_put_back},
        {"no-note", what_nothing_vouches_for_is_not_put_back},
    };
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        for (size_t k = 0; k < G_N_ELEMENTS(tests); k++) {
            g_autofree char *path =
                g_strdup_printf("/repair-way-back/%s/%s", cases[i].name, tests[k].name);
            g_test_add_data_func(path, &cases[i], tests[k].test);
        }
    g_test_add_func("/repair-way-back/the-others", what_is_not_lost_comes_back_all_the_same);
    g_test_add_func("/repair-way-back/ended", one_that_cannot_be_taken_back_is_ended_by_a_person);
    return g_test_run();
}
