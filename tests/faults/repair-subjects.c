#include "repair-subjects.h"

#include "repair-generations.h"
#include "repair-journals.h"
#include "repair-purges.h"
#include "repair-waiting.h"
#include "state-copies.h"

#include "../unit/diagnose-fixture.h"
#include "../unit/owners-fixture.h"
#include "../unit/raw-sql.h"
#include "../unit/task-fixture.h"

#include "service/internal.h"
#include "store/blobs.h"
#include "store/examine.h"

#include <string.h>
#include <sys/mman.h>

#define NOTES 20u
#define CLAIMED 4u
#define PUT_EACH 8u
#define BROKEN "this is no database at all"

static RepairWorld *world_of(RepairLife *life)
{
    return life->data;
}

static char *path_of(RepairLife *life, const char *name)
{
    return g_build_filename(life->f->base.directory, name, NULL);
}

static const char *copy(RepairLife *life)
{
    *world_of(life)->answered = 0;
    return life->f->base.directory = copy_state(world_of(life)->state);
}

static void remove_copy(RepairLife *life)
{
    fixture_remove(life->f->base.directory);
    g_clear_pointer(&life->f->base.directory, g_free);
}

void repair_world_open(RepairLife *life)
{
    repair_open(life->f, NULL);
}

static void close_state(RepairLife *life)
{
    service_close(life->f);
}

static void turn(RepairLife *life)
{
    if (syncd_service_has_turn(life->f->service))
        syncd_service_commit(life->f->service);
    else
        syncd_service_work(life->f->service);
}

bool repair_world_is_plan(RepairLife *life, const char *state)
{
    g_autoptr(GPtrArray) plans = syncd_service_repair_plans(life->f->service);
    return plans->len > 0 && strcmp(syncd_repair_plan_state(plans->pdata[0]), state) == 0;
}

bool repair_world_is_repaired(RepairLife *life)
{
    return life->told >= TOLD_APPLIED || repair_world_is_plan(life, "running") ||
           repair_world_is_plan(life, "complete");
}

/* ---- an index that is damaged ---- */

static void break_index(RepairWorld *w)
{
    damage_index(&w->f);
}

static bool is_broken(RepairLife *life)
{
    gsize size;
    g_autofree char *bytes = index_bytes(life->f, &size);
    return bytes != NULL && size == strlen(BROKEN) && memcmp(bytes, BROKEN, size) == 0 &&
           !lookups_answer(life->f);
}

static bool is_of_use(RepairLife *life)
{
    return lookups_answer(life->f);
}

/* ---- one that serves, and is wrong ---- */

#define FORGOTTEN "DELETE FROM entry WHERE pos = 5"

static void drift_index(RepairWorld *w)
{
    g_autofree char *path = index_path(&w->f);
    run_raw(path, FORGOTTEN);
}

void repair_world_look_deep(RepairLife *life)
{
    SyncdJob *job = NULL;
    const SyncdVerifyOptions options = {.mode = SYNCD_VERIFY_FULL, .index = true};
    if (syncd_service_verify_with(life->f->service, &life->f->caller, &options, &job, NULL))
        while (strcmp(syncd_job_state(job), "running") == 0)
            syncd_service_work(life->f->service);
}

/* What is wrong with it is known only to whoever looked, so it is looked at before anything. */
static void open_drifted(RepairLife *life)
{
    repair_world_open(life);
    run_jobs(life->f);
    repair_world_look_deep(life);
}

static void note_answer(void *data, const GError *error)
{
    RepairWorld *w = data;
    *w->answered += error == NULL;
}

/* It goes on being asked and written to while another is made beside it. */
static void turn_and_serve(RepairLife *life)
{
    RepairWorld *w = world_of(life);
    SyncdRequest request = good_request();
    SyncdEnqueued enqueued = {0};
    turn(life);
    bool serves = !w->serves_nobody && w->turns++ % PUT_EACH == 0;
    if (!serves || syncd_service_has_turn(life->f->service))
        return;
    if (syncd_service_enqueue(life->f->service, &life->f->caller, &request, &enqueued, NULL))
        syncd_service_after_commit(life->f->service, note_answer, w);
    syncd_enqueued_clear(&enqueued);
    syncd_service_commit(life->f->service);
    g_assert_true(lookups_answer(life->f) || life->is_spoiled(life));
}

bool repair_world_has_all(RepairLife *life)
{
    guint64 pending, running;
    return lookups_answer(life->f) &&
           syncd_service_count_tasks(life->f->service, &pending, &running, NULL) &&
           pending >= world_of(life)->notes + *world_of(life)->answered;
}

static bool is_drifted(RepairLife *life)
{
    repair_world_look_deep(life);
    return is_found(life->f, "index-drift") && repair_world_has_all(life);
}

static bool is_right(RepairLife *life)
{
    repair_world_look_deep(life);
    return !is_found(life->f, "index-drift") && repair_world_has_all(life);
}

/* ---- modes ---- */

static const struct {
    const char *name;
    guint before, after;
} modes[] = {{"journal.db", 0640, 0600}, {"keys", 0711, 0700}, {"lock", 0604, 0600}};

static void change_modes(RepairWorld *w)
{
    for (size_t i = 0; i < G_N_ELEMENTS(modes); i++) {
        g_autofree char *path = path_of(&w->life, modes[i].name);
        g_assert_cmpint(g_chmod(path, (mode_t)modes[i].before), ==, 0);
    }
}

static guint mode_of(RepairLife *life, size_t i)
{
    GStatBuf st;
    g_autofree char *path = path_of(life, modes[i].name);
    g_assert_cmpint(g_stat(path, &st), ==, 0);
    return st.st_mode & 07777;
}

static bool has_modes_before(RepairLife *life)
{
    bool all = true;
    for (size_t i = 0; i < G_N_ELEMENTS(modes); i++)
        all &= mode_of(life, i) == modes[i].before;
    return all;
}

static bool has_modes_after(RepairLife *life)
{
    bool all = true;
    for (size_t i = 0; i < G_N_ELEMENTS(modes); i++)
        all &= mode_of(life, i) == modes[i].after;
    return all;
}

/* ---- owners ---- */

static const char *const owned[] = {"journal.db", "keys", "lock"};

static void change_owners(RepairWorld *w)
{
    for (size_t i = 0; i < G_N_ELEMENTS(owned); i++) {
        g_autofree char *path = path_of(&w->life, owned[i]);
        g_assert_cmpint(lchown(path, SOMEBODY, (gid_t)-1), ==, 0);
    }
}

static bool have_owner(RepairLife *life, uid_t uid)
{
    bool all = true;
    for (size_t i = 0; i < G_N_ELEMENTS(owned); i++) {
        GStatBuf st;
        g_autofree char *path = path_of(life, owned[i]);
        all &= g_stat(path, &st) == 0 && st.st_uid == uid;
    }
    return all;
}

static bool are_somebodys(RepairLife *life)
{
    return have_owner(life, SOMEBODY);
}

static bool are_ours(RepairLife *life)
{
    return have_owner(life, geteuid());
}

/* ---- halves ---- */

#define OPEN_HALF "blobs/00/.chunk.new"

static const char *const halves[] = {".anything.new", "keys/.device.key.new", OPEN_HALF};

/* Of one whose mode nobody has looked at yet that comes back, too. */
static void leave_halves(RepairWorld *w)
{
    g_autofree char *folder = path_of(&w->life, "blobs/00");
    g_mkdir_with_parents(folder, 0700);
    for (size_t i = 0; i < G_N_ELEMENTS(halves); i++) {
        g_autofree char *path = path_of(&w->life, halves[i]);
        write_private(path, halves[i], -1);
    }
    state_set_mode(&w->f, OPEN_HALF, 0644);
}

static guint count_halves(RepairLife *life)
{
    guint n = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(halves); i++) {
        g_autofree char *path = path_of(life, halves[i]), *text = NULL;
        n += g_file_get_contents(path, &text, NULL, NULL) && strcmp(text, halves[i]) == 0;
    }
    return n;
}

static bool has_halves(RepairLife *life)
{
    return count_halves(life) == G_N_ELEMENTS(halves) && state_mode(life->f, OPEN_HALF) == 0644;
}

static bool has_no_halves(RepairLife *life)
{
    return count_halves(life) == 0;
}

/* ---- tasks ---- */

static void claim_some(RepairWorld *w)
{
    repair_open(&w->f, NULL);
    for (guint i = 0; i < CLAIMED; i++)
        g_free(claim(&w->f, NULL));
    rest(&w->f);
    service_close(&w->f);
}

/* As after a defect. A start gives those that are held another lease, and a repair that it goes on
 * with is through by then. */
static void open_and_forget(RepairLife *life)
{
    repair_world_open(life);
    if (!repair_world_is_plan(life, "complete"))
        syncd_leases_clear(life->f->service->leases);
}

/* Which of them were released before the power went is all the same; none is lost. */
static bool all_are_there(RepairLife *life)
{
    guint64 pending, running;
    return syncd_service_count_tasks(life->f->service, &pending, &running, NULL) &&
           pending + running == world_of(life)->notes;
}

static bool all_have_somebody(RepairLife *life)
{
    return all_are_there(life) && !is_found(life->f, "leases-lost");
}

/* ---- content that nothing names ---- */

#define ORPHANS 3u

static char *orphan_path(RepairLife *life, guint i)
{
    g_autofree char *bytes = g_strdup_printf("orphan %u", i);
    SyncdHash name = syncd_hash(bytes, strlen(bytes));
    g_autofree char *file = syncd_blobs_path(SYNCD_CHUNK_OF_ENTRY, &name);
    return path_of(life, file);
}

static void leave_orphans(RepairWorld *w)
{
    for (guint i = 0; i < ORPHANS; i++) {
        g_autofree char *path = orphan_path(&w->life, i), *folder = g_path_get_dirname(path),
                        *bytes = g_strdup_printf("orphan %u", i);
        g_mkdir_with_parents(folder, 0700);
        write_private(path, bytes, -1);
    }
}

static guint count_orphans(RepairLife *life)
{
    guint n = 0;
    for (guint i = 0; i < ORPHANS; i++) {
        g_autofree char *path = orphan_path(life, i), *text = NULL,
                        *bytes = g_strdup_printf("orphan %u", i);
        n += g_file_get_contents(path, &text, NULL, NULL) && strcmp(text, bytes) == 0;
    }
    return n;
}

static bool has_orphans(RepairLife *life)
{
    return count_orphans(life) == ORPHANS;
}

static bool has_no_orphans(RepairLife *life)
{
    return count_orphans(life) == 0;
}

/* ---- content that is damaged, and lies elsewhere ---- */

#define LARGE_SIZE (100u * 1024u)
#define NO_CHUNK "this is no chunk"

/* The only file beneath a folder. */
static char *only_file(const char *path)
{
    g_autoptr(GDir) folder = g_dir_open(path, 0, NULL);
    const char *name;
    while (folder != NULL && (name = g_dir_read_name(folder)) != NULL) {
        g_autofree char *child = g_build_filename(path, name, NULL);
        if (!g_file_test(child, G_FILE_TEST_IS_DIR))
            return g_steal_pointer(&child);
        char *file = only_file(child);
        if (file != NULL)
            return file;
    }
    return NULL;
}

static char *chunk_path(RepairLife *life)
{
    g_autofree char *blobs = path_of(life, "blobs");
    return only_file(blobs);
}

static void damage_chunk(RepairWorld *w)
{
    g_autofree char *filling = g_strnfill(LARGE_SIZE, 'x');
    g_autofree char *body = g_strdup_printf("{\"x\":\"%s\"}", filling);
    repair_open(&w->f, NULL);
    put(&w->f, "note-1", body);
    rest(&w->f);
    service_close(&w->f);
    g_autofree char *chunk = chunk_path(&w->life), *base = g_path_get_basename(chunk),
                    *file = g_strconcat("repair/" REPAIR_LIFE_ASIDE, base, NULL),
                    *aside = path_of(&w->life, file), *folder = path_of(&w->life, "repair");
    g_mkdir_with_parents(folder, 0700);
    g_assert_cmpint(g_rename(chunk, aside), ==, 0);
    write_private(chunk, NO_CHUNK, -1);
}

static bool has_no_chunk(RepairLife *life)
{
    gsize size;
    g_autofree char *path = chunk_path(life), *text = NULL;
    return g_file_get_contents(path, &text, &size, NULL) && strcmp(text, NO_CHUNK) == 0;
}

static bool has_chunk(RepairLife *life)
{
    gsize size;
    char digits[SYNCD_HASH_HEX_SIZE];
    g_autofree char *path = chunk_path(life), *text = NULL, *base = g_path_get_basename(path);
    if (!g_file_get_contents(path, &text, &size, NULL))
        return false;
    SyncdHash hash = syncd_hash(text, size);
    syncd_hash_to_hex(&hash, digits);
    return strcmp(digits, base) == 0;
}

/* ---- all of them ---- */

const RepairCase repair_cases[] = {
    {{"index", "index-unavailable", "index-rebuild", repair_world_open, close_state, turn,
      is_broken, is_of_use},
     break_index},
    {{"index-that-serves", "index-drift", "index-rebuild", open_drifted, close_state,
      turn_and_serve, is_drifted, is_right},
     drift_index},
    {{"modes", "file-modes", "file-modes", repair_world_open, close_state, turn, has_modes_before,
      has_modes_after},
     change_modes},
    {{"owners", "file-owners", "file-owners", repair_world_open, close_state, turn, are_somebodys,
      are_ours},
     change_owners,
     syncd_store_may_set_owners},
    {{"halves", "leftovers", "leftover-clear", repair_world_open, close_state, turn, has_halves,
      has_no_halves},
     leave_halves},
    {{"tasks", "leases-lost", "tasks-release", open_and_forget, close_state, turn, all_are_there,
      all_have_somebody, true, true},
     claim_some},
    {{"orphans", "blob-orphaned", "blob-sweep", open_drifted, close_state, turn, has_orphans,
      has_no_orphans},
     leave_orphans},
    {{"chunks", "blob-damaged", "blob-refill", open_drifted, close_state, turn, has_no_chunk,
      has_chunk},
     damage_chunk},
    {{"purges", "disk-pressure", "purge-object", repair_purges_open, close_state, turn_and_serve,
      repair_purges_are_there, repair_purges_are_gone, true, true, true},
     repair_purges_begin},
    {{"lag", "replay-lag", "replay-lag", repair_entries_wait, close_state, turn,
      repair_entries_wait_still, repair_entries_are_taken, .for_good = true}},
    {{"jobs", "jobs-stuck", "jobs-cancel", repair_jobs_wait, close_state, turn,
      repair_jobs_wait_still, repair_jobs_are_cancelled, .for_good = true}},
    {{"log", "log-damaged", "journal-generation", open_drifted, close_state, turn,
      repair_log_is_as_it_was, repair_log_is_mended, .stays = true, .sparse = 2},
     repair_log_loses_header},
    {{"bodies", "body-damaged", "body-refill", open_drifted, close_state, turn,
      repair_log_is_as_it_was, repair_log_is_mended, .stays = true, .sparse = 3},
     repair_log_loses_body},
    {{"journal-displaced", "journal-displaced", "journal-generation", repair_log_is_displaced,
      close_state, turn, repair_log_is_elsewhere, repair_log_is_back, .stays = true}},
    {{"journal-salvaged", "journal-unreadable", "journal-restore", repair_world_open, close_state,
      turn, repair_journal_is_as_found, repair_journal_is_whole},
     repair_journal_is_salvageable},
    {{"journal-of-generation", "journal-unreadable", "journal-restore", repair_world_open,
      close_state, turn, repair_journal_is_as_found, repair_journal_is_whole},
     repair_journal_has_generation},
    {{"journal-of-backup", "journal-unreadable", "journal-restore", repair_world_open, close_state,
      turn, repair_journal_is_as_found, repair_journal_is_whole},
     repair_journal_has_backup},
};

const size_t repair_n_cases = G_N_ELEMENTS(repair_cases);

const RepairCase *repair_case_find(const char *subject)
{
    size_t i = 0;
    while (strcmp(repair_cases[i].subject.name, subject) != 0)
        i++;
    return &repair_cases[i];
}

void repair_world_init(RepairWorld *w, const RepairCase *which, LifeEnd end)
{
    *w = (RepairWorld){.answered = mmap(NULL, sizeof *w->answered, PROT_READ | PROT_WRITE,
                                        MAP_SHARED | MAP_ANONYMOUS, -1, 0)};
    g_assert_true(w->answered != MAP_FAILED);
    repair_init(&w->f);
    for (; w->notes < NOTES; w->notes++)
        put(&w->f, "note-1", "{\"x\":1}");
    rest(&w->f);
    service_close(&w->f);
    w->life = (RepairLife){&which->subject, end, &w->f, copy, remove_copy, .data = w};
    if (which->damage != NULL)
        which->damage(w);
    w->state = w->f.base.directory;
}

void repair_world_clear(RepairWorld *w)
{
    w->f.base.directory = w->state;
    service_clear(&w->f);
    munmap(w->answered, sizeof *w->answered);
}
