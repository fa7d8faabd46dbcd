/*
 * Files of the state whose modes or owners let others at them are repaired, however many there are:
 * they are found, a plan mends those that it names, and taking it back puts back what was there.
 */
#include "diagnose-fixture.h"
#include "owners-fixture.h"
#include "repair-fixture.h"
#include "store/examine.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- modes ---- */

/* Whatever is found that a plan mends. */
static void assert_needs_repair(ServiceFixture *f, bool needed)
{
    SyncdState state;
    syncd_service_state(f->service, &state);
    g_assert_true(state.repair_needed == needed);
}

/* Stands in the place of the system's, so that it is known whether all that was changed is synced:
 * chmod() changes, and syncfs() makes that last. */
static guint unsynced, synced;

int chmod(const char *path, mode_t mode)
{
    unsynced++;
    return fchmodat(AT_FDCWD, path, mode, 0);
}

int syncfs(int fd)
{
    synced += unsynced;
    unsynced = 0;
    return 0;
}

/* Likewise: how many files were looked at. */
static guint looked_at;

int lstat(const char *path, struct stat *st)
{
    looked_at++;
    return fstatat(AT_FDCWD, path, st, AT_SYMLINK_NOFOLLOW);
}

/* Some of several modes at once, told by the seed. */
static void modes_are_mended_and_put_back(void)
{
    static const char *const names[] = {".",    "journal.db",      "index.db", "keys",
                                        "lock", "keys/device.key", "reserve"};
    for (guint run = 0; run < (is_hurried() ? 3 : 20); run++) {
        guint before[G_N_ELEMENTS(names)];
        ServiceFixture f;
        repair_init(&f);
        put(&f, "note-1", "{}");
        for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
            g_autofree char *path = state_path(&f, names[i]);
            bool folder = g_file_test(path, G_FILE_TEST_IS_DIR);
            if (!g_file_test(path, G_FILE_TEST_EXISTS))
                g_file_set_contents_full(path, "", 0, G_FILE_SET_CONTENTS_NONE, 0600, NULL);
            if (i == 1 || g_test_rand_bit())
                state_set_mode(
                    &f, names[i],
                    (mode_t)((guint)g_test_rand_int_range(0, 0100) | (folder ? 0700u : 0600u)));
            before[i] = state_mode(&f, names[i]);
        }
        state_set_mode(&f, "journal.db", (mode_t)(before[1] = 0640));
        g_assert_true(is_found(&f, "file-modes"));
        assert_needs_repair(&f, true);
        SyncdRepairPlan *plan = plan_repair(&f);
        approve_repair(&f, plan);
        unsynced = synced = 0;
        apply_repair(&f, plan);
        g_assert_cmpuint(synced, >, 0);
        g_assert_cmpuint(unsynced, ==, 0);
        assert_clean(&f);
        assert_needs_repair(&f, false);
        for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
            g_assert_cmpuint(state_mode(&f, names[i]) & 077, ==, 0);
        synced = 0;
        rollback_repair(&f, plan);
        g_assert_cmpuint(synced, >, 0);
        g_assert_cmpuint(unsynced, ==, 0);
        for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
            g_assert_cmpuint(state_mode(&f, names[i]), ==, before[i]);
        assert_nothing_is_kept(&f);
        service_clear(&f);
    }
}

/* Nobody's but that of the repair is taken back. */
static void what_was_set_since_stays(void)
{
    ServiceFixture f;
    repair_init(&f);
    put(&f, "note-1", "{}");
    state_set_mode(&f, "journal.db", 0640);
    state_set_mode(&f, "keys", 0755);
    SyncdRepairPlan *plan = plan_repair(&f);
    approve_repair(&f, plan);
    apply_repair(&f, plan);
    state_set_mode(&f, "keys", 0711);
    rollback_repair(&f, plan);
    g_assert_cmpuint(state_mode(&f, "journal.db"), ==, 0640);
    g_assert_cmpuint(state_mode(&f, "keys"), ==, 0711);
    g_assert_true(report_says(&f, plan, "The mode of keys as it is"));
    service_clear(&f);
}

/* Whoever approved was told of the one, and of that alone. */
static void what_was_not_told_is_left_alone(void)
{
    ServiceFixture f;
    repair_init(&f);
    put(&f, "note-1", "{}");
    state_set_mode(&f, "journal.db", 0640);
    SyncdRepairPlan *plan = plan_repair(&f);
    g_assert_true(plan_says(plan, "\"journal.db\""));
    approve_repair(&f, plan);
    state_set_mode(&f, "keys/device.key", 0640);
    apply_repair(&f, plan);
    g_assert_cmpuint(state_mode(&f, "journal.db"), ==, 0600);
    g_assert_cmpuint(state_mode(&f, "keys/device.key"), ==, 0640);
    g_assert_true(report_says(&f, plan, "keys/device.key as it is: the plan does not name it"));
    g_assert_true(is_found(&f, "file-modes"));
    plan = plan_repair(&f);
    approve_repair(&f, plan);
    apply_repair(&f, plan);
    assert_clean(&f);
    service_clear(&f);
}

/* Of so many that not all are named one more makes it another plan. */
static void of_many_another_one_makes_another_plan(void)
{
    ServiceFixture f;
    repair_init(&f);
    put(&f, "note-1", "{}");
    for (guint i = 0; i < 300; i++) {
        g_autofree char *name = g_strdup_printf("keys/extra-%u", i);
        state_write(&f, name, "", 0);
        state_set_mode(&f, name, 0640);
    }
    SyncdRepairPlan *plan = plan_repair(&f);
    approve_repair(&f, plan);
    state_set_mode(&f, "keys/device.key", 0640);
    expect_not_applied(&f, plan, SYNCD_ERROR_PLAN_STALE, NULL);
    g_assert_cmpuint(state_mode(&f, "keys/extra-0"), ==, 0640);
    state_set_mode(&f, "keys/device.key", 0600);
    apply_repair(&f, plan);
    assert_clean(&f);
    service_clear(&f);
}

/* ---- owners ---- */

static void set_owner(const ServiceFixture *f, const char *name, uid_t uid)
{
    g_autofree char *path = state_path(f, name);
    g_assert_cmpint(lchown(path, uid, (gid_t)-1), ==, 0);
}

static guint owner_of(const ServiceFixture *f, const char *name)
{
    g_autofree char *path = state_path(f, name);
    GStatBuf st;
    g_assert_cmpint(g_stat(path, &st), ==, 0);
    return st.st_uid;
}

static const char *const owned[] = {"journal.db", "keys", "keys/device.key", "blobs/00/chunk"};

static void somebody_owns(ServiceFixture *f)
{
    g_autofree char *chunk = state_path(f, "blobs/00/chunk"), *folder = g_path_get_dirname(chunk);
    put(f, "note-1", "{}");
    g_mkdir_with_parents(folder, 0700);
    write_private(chunk, "", 0);
    for (size_t i = 0; i < G_N_ELEMENTS(owned); i++)
        set_owner(f, owned[i], SOMEBODY);
}

static void owners_are_mended_and_put_back(void)
{
    ServiceFixture f;
    if (!syncd_store_may_set_owners()) {
        g_test_skip("only who may change owners can do so");
        return;
    }
    repair_init(&f);
    somebody_owns(&f);
    state_set_mode(&f, "journal.db", 0640); /* it can only be mended when it is the daemon's */
    g_autoptr(GPtrArray) found = syncd_service_diagnose(f.service);
    g_assert_cmpuint(find(found, "file-owners")->count, ==, 3); /* blobs/ is for a deep look */
    SyncdRepairPlan *plan = plan_repair(&f);
    approve_repair(&f, plan);
    apply_repair(&f, plan);
    assert_clean(&f);
    for (size_t i = 0; i < G_N_ELEMENTS(owned); i++)
        g_assert_cmpuint(owner_of(&f, owned[i]), ==, geteuid());
    g_assert_cmpuint(state_mode(&f, "journal.db"), ==, 0600);
    rollback_repair(&f, plan);
    for (size_t i = 0; i < G_N_ELEMENTS(owned); i++)
        g_assert_cmpuint(owner_of(&f, owned[i]), ==, SOMEBODY);
    g_assert_cmpuint(state_mode(&f, "journal.db"), ==, 0640);
    assert_nothing_is_kept(&f);
    service_clear(&f);
}

static void who_may_not_take_it_says_how(void)
{
    ServiceFixture f;
    if (!syncd_store_may_set_owners()) {
        g_test_skip("only who may change owners can make this wrong");
        return;
    }
    repair_init(&f);
    somebody_owns(&f);
    state_set_mode(&f, "journal.db", 0640); /* which a plan of the daemon's would leave as it is */
    set_right(false);
    g_autofree char *doctor = syncd_service_describe_diagnosis(
        f.service, &f.caller, &(SyncdDiagnoseOptions){.deep = false});
    SyncdRepairPlan *plan = NULL;
    g_autoptr(GError) error = NULL;
    g_assert_false(syncd_service_plan_repair(f.service, &f.caller, NULL, &plan, &error));
    set_right(true);
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND);
    g_autofree char *next =
        g_strdup_printf("\"sudo chown -hR %u '%s'\"", (unsigned)geteuid(), f.base.directory);
    g_assert_nonnull(strstr(doctor, next));
    g_assert_null(strstr(doctor, "\"file-owners\""));
    g_assert_null(strstr(doctor, "\"file-modes\""));
    service_clear(&f);
}

/* More than a step has, and cancelled in the midst of them: all are as they were. */
static void of_many_all_are_put_back(void)
{
    enum { MANY = 1200 };
    ServiceFixture f;
    repair_init(&f);
    put(&f, "note-1", "{}");
    for (guint i = 0; i < MANY; i++) {
        g_autofree char *name = g_strdup_printf("keys/extra-%u", i);
        state_write(&f, name, "", 0);
        state_set_mode(&f, name, 0640);
    }
    SyncdRepairPlan *plan = plan_repair(&f);
    approve_repair(&f, plan);
    SyncdJob *job = begin_repair(&f, plan);
    guint changed = 0;
    while (changed == 0) {
        syncd_service_work(f.service);
        for (guint i = changed = 0; i < MANY; i++) {
            g_autofree char *name = g_strdup_printf("keys/extra-%u", i);
            changed += state_mode(&f, name) == 0600;
        }
    }
    g_assert_cmpuint(changed, <=, 500);
    g_assert_true(syncd_service_cancel_job(f.service, job, NULL));
    run_jobs(&f);
    g_assert_cmpstr(syncd_repair_plan_state(plan), ==, "failed");
    for (guint i = 0; i < MANY; i++) {
        g_autofree char *name = g_strdup_printf("keys/extra-%u", i);
        g_assert_cmpuint(state_mode(&f, name), ==, 0640);
    }
    plan = plan_repair(&f);
    approve_repair(&f, plan);
    apply_repair(&f, plan);
    assert_clean(&f);
    service_clear(&f);
}

/* ---- however many there are ---- */

static guint steps_with(guint chunks, guint *ret_most)
{
    ServiceFixture f;
    guint steps = 0;
    repair_init(&f);
    put(&f, "note-1", "{}");
    rest(&f);
    state_add_chunks(&f, chunks);
    state_set_mode(&f, "journal.db", 0640);
    SyncdRepairPlan *plan = plan_repair(&f);
    approve_repair(&f, plan);
    begin_repair(&f, plan);
    for (bool more = true; more; steps++) {
        looked_at = 0;
        more = syncd_service_work(f.service);
        *ret_most = MAX(*ret_most, looked_at);
    }
    g_assert_cmpstr(syncd_repair_plan_state(plan), ==, "complete");
    assert_clean(&f);
    service_clear(&f);
    return steps;
}

/* Looking for what is wrong, and whether anything still is, goes through all files some at a time.
 */
static void many_files_are_looked_at_in_steps(void)
{
    guint most = 0, few = steps_with(100, &most), many = steps_with(6000, &most);
    g_assert_cmpuint(most, <=, 600);
    g_assert_cmpuint(many, >=, few + 2 * 6000 / 500 - 2);
}

/* Between any two steps. */
static void one_that_is_cancelled_leaves_what_was_there(void)
{
    ServiceFixture f;
    repair_init(&f);
    put(&f, "note-1", "{}");
    rest(&f);
    state_add_chunks(&f, 1500);
    state_set_mode(&f, "journal.db", 0640);
    bool more = true;
    guint cancelled = 0;
    for (guint steps = 1; more; steps++, cancelled++) {
        SyncdRepairPlan *plan = plan_repair(&f);
        approve_repair(&f, plan);
        SyncdJob *job = begin_repair(&f, plan);
        for (guint i = 0; i < steps && more; i++)
            more = syncd_service_work(f.service) && strcmp(syncd_job_state(job), "running") == 0;
        if (!more)
            break;
        g_assert_true(syncd_service_cancel_job(f.service, job, NULL));
        run_jobs(&f);
        g_assert_cmpstr(syncd_repair_plan_state(plan), ==, "failed");
        g_assert_cmpuint(state_mode(&f, "journal.db"), ==, 0640);
        assert_nothing_is_kept(&f);
    }
    g_assert_cmpuint(cancelled, >=, 2 * 1500 / 500);
    run_jobs(&f);
    assert_clean(&f);
    service_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/repair-modes/set-since", what_was_set_since_stays);
    g_test_add_func("/repair-modes/modes", modes_are_mended_and_put_back);
    g_test_add_func("/repair-modes/modes-told", what_was_not_told_is_left_alone);
    g_test_add_func("/repair-modes/modes-of-many", of_many_another_one_makes_another_plan);
    g_test_add_func("/repair-modes/owners", owners_are_mended_and_put_back);
    g_test_add_func("/repair-modes/owners-foreign", who_may_not_take_it_says_how);
    g_test_add_func("/repair-modes/many", of_many_all_are_put_back);
    g_test_add_func("/repair-modes/steps", many_files_are_looked_at_in_steps);
    g_test_add_func("/repair-modes/cancelled", one_that_is_cancelled_leaves_what_was_there);
    return g_test_run();
}
