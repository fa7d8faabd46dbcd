/*
 * What is small is repaired like all else: it is found, a plan mends it, then nothing is found, and
 * taking it back puts what was there in its place.
 */
#include "diagnose-fixture.h"
#include "owners-fixture.h"
#include "repair-fixture.h"
#include "service/internal.h"
#include "service/job.h"
#include "store/examine.h"
#include "store/store-private.h"
#include "task-fixture.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- modes ---- */

/* Nothing is kept of what was put back. */
static void assert_nothing_is_kept(const ServiceFixture *f)
{
    g_autofree char *path = g_build_filename(f->base.directory, "repair", NULL);
    g_autoptr(GDir) folder = g_dir_open(path, 0, NULL);
    const char *name;
    while ((name = g_dir_read_name(folder)) != NULL)
        g_assert_true(g_str_has_suffix(name, ".plan") || g_str_has_suffix(name, ".state") ||
                      g_str_has_suffix(name, ".report"));
}

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
            g_autofree char *path = g_build_filename(f.base.directory, names[i], NULL);
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
    g_assert_true(report_says(&f, plan, "keys/device.key as it is: it was found since"));
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
    g_autoptr(GError) error = NULL;
    SyncdJob *job = NULL;
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
    g_assert_false(syncd_service_apply_repair(f.service, &f.caller, plan,
                                              syncd_repair_plan_digest(plan), &job, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_PLAN_STALE);
    g_assert_cmpuint(state_mode(&f, "keys/extra-0"), ==, 0640);
    state_set_mode(&f, "keys/device.key", 0600);
    apply_repair(&f, plan);
    assert_clean(&f);
    service_clear(&f);
}

/* ---- owners ---- */

static void set_owner(const ServiceFixture *f, const char *name, uid_t uid)
{
    g_autofree char *path = g_build_filename(f->base.directory, name, NULL);
    g_assert_cmpint(lchown(path, uid, (gid_t)-1), ==, 0);
}

static guint owner_of(const ServiceFixture *f, const char *name)
{
    g_autofree char *path = g_build_filename(f->base.directory, name, NULL);
    GStatBuf st;
    g_assert_cmpint(g_stat(path, &st), ==, 0);
    return st.st_uid;
}

static const char *const owned[] = {"journal.db", "keys", "keys/device.key", "blobs/00/chunk"};

static void somebody_owns(ServiceFixture *f)
{
    g_autofree char *chunk = g_build_filename(f->base.directory, "blobs/00/chunk", NULL),
                    *folder = g_path_get_dirname(chunk);
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
        g_autofree char *name = g_strdup_printf("keys/extra-%u", i),
                        *path = g_build_filename(f.base.directory, name, NULL);
        write_private(path, "", 0);
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

static void add_chunks(const ServiceFixture *f, guint n)
{
    for (guint i = 0; i < n; i++) {
        g_autofree char *name = g_strdup_printf("blobs/%02x/chunk-%u", i % 256, i),
                        *path = g_build_filename(f->base.directory, name, NULL),
                        *folder = g_path_get_dirname(path);
        g_mkdir_with_parents(folder, 0700);
        int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        g_assert_cmpint(fd, >=, 0);
        close(fd);
    }
}

static guint steps_with(guint chunks, guint *ret_most)
{
    ServiceFixture f;
    guint steps = 0;
    repair_init(&f);
    put(&f, "note-1", "{}");
    rest(&f);
    add_chunks(&f, chunks);
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
    add_chunks(&f, 1500);
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

/* ---- halves ---- */

static char *contents(const ServiceFixture *f, const char *name)
{
    char *text = NULL;
    g_autofree char *path = g_build_filename(f->base.directory, name, NULL);
    return g_file_get_contents(path, &text, NULL, NULL) ? text : NULL;
}

static void halves_are_set_aside_and_put_back(void)
{
    static const char *const names[] = {".verified.json.new", "keys/.a b\nc%\xff.key.new",
                                        "journal.db.before-4.new", "journal.1.new"};
    ServiceFixture f;
    repair_init(&f);
    put(&f, "note-1", "{}");
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(f.base.directory, names[i], NULL);
        g_assert_true(
            g_file_set_contents_full(path, names[i], -1, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
    }
    g_assert_true(is_found(&f, "leftovers"));
    SyncdRepairPlan *plan = plan_repair(&f);
    approve_repair(&f, plan);
    apply_repair(&f, plan);
    assert_clean(&f);
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *text = contents(&f, names[i]);
        g_assert_null(text);
    }
    rollback_repair(&f, plan);
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *text = contents(&f, names[i]);
        g_assert_cmpstr(text, ==, names[i]);
    }
    g_assert_true(is_found(&f, "leftovers"));
    assert_nothing_is_kept(&f);
    service_clear(&f);
}

/* What is in blobs/ is looked at for its mode only when somebody asks for it. */
static void a_half_that_was_not_told_stays(void)
{
    ServiceFixture f;
    repair_init(&f);
    put(&f, "note-1", "{}");
    state_write(&f, ".one.new", "one", -1);
    SyncdRepairPlan *plan = plan_repair(&f);
    approve_repair(&f, plan);
    state_write(&f, "repair/.other.new", "other", -1);
    apply_repair(&f, plan);
    g_autofree char *one = contents(&f, ".one.new"), *other = contents(&f, "repair/.other.new");
    g_assert_null(one);
    g_assert_cmpstr(other, ==, "other");
    g_assert_true(report_says(&f, plan, "repair/.other.new as it is"));
    service_clear(&f);
}

static void halves_come_back_with_their_modes(void)
{
    static const char half[] = "blobs/00/.chunk.new";
    for (guint noted = 0; noted < 2; noted++) {
        ServiceFixture f;
        guint modes;
        repair_init(&f);
        put(&f, "note-1", "{}");
        add_chunks(&f, 1);
        state_write(&f, ".verified.json.new", "half", -1);
        state_write(&f, half, "half", -1);
        state_set_mode(&f, half, 0644);
        SyncdRepairPlan *plan = plan_repair(&f);
        g_assert_false(plan_says(plan, "file-modes"));
        approve_repair(&f, plan);
        apply_repair(&f, plan);
        g_assert_true(kept_is_private(&f, &modes));
        g_assert_cmpuint(modes, ==, 1);
        if (!noted)
            forget_modes(&f);
        rollback_repair(&f, plan);
        g_autofree char *text = contents(&f, half);
        g_assert_cmpstr(text, ==, "half");
        g_assert_cmpuint(state_mode(&f, half), ==, noted ? 0644 : 0600);
        g_assert_cmpuint(state_mode(&f, ".verified.json.new"), ==, 0600);
        assert_nothing_is_kept(&f);
        service_clear(&f);
    }
}

/* Of a copy that nobody finished nothing is of use. */
static void halves_of_copies_are_gone_after_a_start(void)
{
    static const char *const names[] = {"journal.db.before-4.new", "journal.1.new"};
    ServiceFixture f;
    repair_init(&f);
    put(&f, "note-1", "{}");
    rest(&f);
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(f.base.directory, names[i], NULL);
        write_private(path, names[i], -1);
    }
    repair_reopen(&f);
    assert_clean(&f);
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *text = contents(&f, names[i]);
        g_assert_null(text);
    }
    service_clear(&f);
}

/* What a plan did that nothing puts back: nobody is told that it can be taken back. */
static void expect_no_way_back(ServiceFixture *f, SyncdRepairPlan *plan)
{
    g_autoptr(GError) error = NULL;
    SyncdJob *job = NULL;
    g_autofree char *description = syncd_repair_plan_describe(plan);
    g_assert_nonnull(strstr(description, "\"rollback_until_usec\":null"));
    g_assert_true(plan_says(plan, "\"available\": false"));
    g_assert_true(plan_says(plan, "There is nothing to put back. "));
    g_assert_false(plan_says(plan, "is kept"));
    g_assert_true(report_says(f, plan, "\"rollback_available\":false"));
    g_assert_false(syncd_service_rollback_repair(f->service, &f->caller, plan,
                                                 syncd_repair_plan_digest(plan), &job, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND);
}

/* ---- tasks ---- */

static void operations_that_nobody_holds_are_offered_again(void)
{
    ServiceFixture f;
    repair_init(&f);
    for (unsigned i = 0; i < 12; i++) {
        put(&f, "note-1", "{}");
        g_free(claim(&f, NULL));
    }
    g_assert_false(is_found(&f, "leases-lost"));
    /* As after a defect: the log says that they run, and nobody knows who has them. */
    syncd_leases_clear(f.service->leases);
    g_autoptr(GPtrArray) found = syncd_service_diagnose(f.service);
    const SyncdFound *lost = find(found, "leases-lost");
    g_assert_nonnull(lost);
    g_assert_cmpuint(lost->count, ==, 12);
    g_assert_cmpuint(lost->first, >, 0);
    SyncdRepairPlan *plan = plan_repair(&f);
    approve_repair(&f, plan);
    apply_repair(&f, plan);
    assert_clean(&f);
    guint64 pending, running;
    g_assert_true(syncd_service_count_tasks(f.service, &pending, &running, NULL));
    g_assert_cmpuint(running, ==, 0);
    g_assert_cmpuint(pending, ==, 12);
    expect_no_way_back(&f, plan);
    service_clear(&f);
}

/* Beside something that is put back it is said that it stays. */
static void what_stays_is_named_when_the_rest_is_taken_back(void)
{
    ServiceFixture f;
    repair_init(&f);
    put(&f, "note-1", "{}");
    g_free(claim(&f, NULL));
    rest(&f);
    syncd_leases_clear(f.service->leases);
    state_set_mode(&f, "journal.db", 0640);
    SyncdRepairPlan *plan = plan_repair(&f);
    g_assert_true(plan_says(plan, "\"available\": true"));
    g_assert_true(plan_says(plan,
                            "\"snapshot\": \"What each step is about is kept as it was before "
                            "it is touched, but for what does not come back. Operations that "
                            "were offered again stay so: nobody held them, and the log says "
                            "it.\""));
    g_assert_true(plan_says(plan, "further generation. Operations that were offered again stay "
                                  "so: nobody held them, and the log says it.\""));
    approve_repair(&f, plan);
    apply_repair(&f, plan);
    g_free(claim(&f, NULL));
    rollback_repair(&f, plan);
    g_assert_true(report_says(&f, plan, "Operations that were offered again stay so"));
    g_assert_true(is_found(&f, "file-modes"));
    g_assert_false(is_found(&f, "leases-lost")); /* whoever has claimed it since has it */
    service_clear(&f);
}

/* ---- jobs ---- */

static void nothing_is_released(void *data)
{
}

static void forward(ServiceFixture *f, guint minutes)
{
    f->base.now_usec += minutes * 60u * (guint64)G_USEC_PER_SEC;
}

static void jobs_that_do_not_go_on_are_cancelled(void)
{
    static const SyncdJobKind kind = {.operation = "waits", .release = nothing_is_released};
    ServiceFixture f;
    repair_init(&f);
    put(&f, "note-1", "{}");
    rest(&f);
    SyncdJob *stuck = syncd_service_begin_job(f.service, &kind, &f, OWNER, false),
             *moves = syncd_service_begin_job(f.service, &kind, &f, OWNER, false);
    forward(&f, 14);
    syncd_service_advance_job(f.service, moves, 0.0001); /* too little to be told to anybody */
    g_assert_false(is_found(&f, "jobs-stuck"));
    forward(&f, 2);
    g_autoptr(GPtrArray) found = syncd_service_diagnose(f.service);
    const SyncdFound *jobs = find(found, "jobs-stuck");
    g_assert_nonnull(jobs);
    g_assert_cmpuint(jobs->count, ==, 1);
    g_assert_true(g_str_has_prefix(jobs->evidence->pdata[0], syncd_job_id(stuck)));
    SyncdRepairPlan *plan = plan_repair(&f);
    approve_repair(&f, plan);
    apply_repair(&f, plan);
    g_assert_cmpstr(syncd_job_state(stuck), ==, "cancelled");
    g_assert_cmpstr(syncd_job_state(moves), ==, "running");
    assert_clean(&f);
    expect_no_way_back(&f, plan);
    g_assert_true(syncd_service_cancel_job(f.service, moves, NULL));
    service_clear(&f);
}

/* It is cancelled by nobody but a person. */
static void a_repair_that_does_not_go_on_is_found(void)
{
    ServiceFixture f;
    repair_init(&f);
    put(&f, "note-1", "{}");
    rest(&f);
    state_set_mode(&f, "journal.db", 0640);
    SyncdRepairPlan *plan = plan_repair(&f);
    approve_repair(&f, plan);
    begin_repair(&f, plan);
    g_assert_false(is_found(&f, "repair-stuck"));
    forward(&f, 15);
    g_assert_false(is_found(&f, "repair-stuck")); /* it was not its turn */
    syncd_service_work(f.service);
    g_autoptr(GPtrArray) found = syncd_service_diagnose(f.service);
    const SyncdFound *repair = find(found, "repair-stuck");
    g_assert_nonnull(repair);
    g_assert_cmpstr(repair->object, ==, syncd_repair_plan_id(plan));
    g_assert_null(find(found, "jobs-stuck"));
    run_jobs(&f);
    g_assert_cmpstr(syncd_repair_plan_state(plan), ==, "complete");
    assert_clean(&f);
    service_clear(&f);
}

/* ---- what waits ---- */

static void what_waits_for_the_index_is_taken_into_it(void)
{
    ServiceFixture f;
    g_autoptr(GError) full = NULL;
    repair_init(&f);
    put(&f, "note-1", "{}");
    rest(&f);
    /* As on a disk that was full a moment ago, and would be tried again in a while. */
    SyncdStore *store = f.service->store;
    syncd_set_error(&full, SYNCD_ERROR_NO_SPACE, "There was no room");
    store->index_problem = g_error_copy(full);
    store->index_retry_at = G_MAXUINT64;
    g_free(enqueue_body(&f, "note-2", "{}"));
    guint64 last = service_sequence(&f);
    g_autoptr(GPtrArray) found = syncd_service_diagnose(f.service);
    const SyncdFound *lag = find(found, "replay-lag");
    g_assert_nonnull(lag);
    g_assert_cmpuint(lag->count, ==, lag->last - lag->first + 1);
    g_assert_cmpuint(lag->last, ==, last);
    SyncdRepairPlan *plan = plan_repair(&f);
    approve_repair(&f, plan);
    apply_repair(&f, plan);
    rest(&f);
    assert_clean(&f);
    expect_no_way_back(&f, plan);
    service_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/repair-small/modes", modes_are_mended_and_put_back);
    g_test_add_func("/repair-small/modes-told", what_was_not_told_is_left_alone);
    g_test_add_func("/repair-small/modes-of-many", of_many_another_one_makes_another_plan);
    g_test_add_func("/repair-small/owners", owners_are_mended_and_put_back);
    g_test_add_func("/repair-small/owners-foreign", who_may_not_take_it_says_how);
    g_test_add_func("/repair-small/many", of_many_all_are_put_back);
    g_test_add_func("/repair-small/steps", many_files_are_looked_at_in_steps);
    g_test_add_func("/repair-small/cancelled", one_that_is_cancelled_leaves_what_was_there);
    g_test_add_func("/repair-small/halves", halves_are_set_aside_and_put_back);
    g_test_add_func("/repair-small/halves-told", a_half_that_was_not_told_stays);
    g_test_add_func("/repair-small/halves-modes", halves_come_back_with_their_modes);
    g_test_add_func("/repair-small/halves-after-a-start", halves_of_copies_are_gone_after_a_start);
    g_test_add_func("/repair-small/tasks", operations_that_nobody_holds_are_offered_again);
    g_test_add_func("/repair-small/tasks-and-modes",
                    what_stays_is_named_when_the_rest_is_taken_back);
    g_test_add_func("/repair-small/jobs", jobs_that_do_not_go_on_are_cancelled);
    g_test_add_func("/repair-small/repair", a_repair_that_does_not_go_on_is_found);
    g_test_add_func("/repair-small/lag", what_waits_for_the_index_is_taken_into_it);
    return g_test_run();
}
