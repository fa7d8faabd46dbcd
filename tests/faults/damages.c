#include "damages.h"

#include "../unit/owners-fixture.h"
#include "../unit/purge-fixture.h"
#include "../unit/raw-sql.h"
#include "../unit/task-fixture.h"

#include "service/internal.h"
#include "service/job.h"
#include "store/blobs.h"
#include "store/examine.h"

#include <string.h>

#define BROKEN "this is no database at all"
#define ORPHAN "a chunk that nothing names"
#define NO_CHUNK "this is no chunk"
#define NO_LEDGER "repair/plan-of-nobody.state"
#define DIGITS 64u /* of a chunk's name; those of files have more behind them */
#define PAGE 4096u
#define STUCK_USEC (16u * 60u * (guint64)G_USEC_PER_SEC)

/* ---- files of the state ---- */

static void write_state(const Damaged *world, const char *name, const char *text, gssize size)
{
    g_autofree char *path = damaged_path(world, name);
    write_private(path, text, size);
}

static bool has_text(const Damaged *world, const char *name, const char *expected)
{
    g_autofree char *path = damaged_path(world, name), *text = NULL;
    return g_file_get_contents(path, &text, NULL, NULL) && strcmp(text, expected) == 0;
}

static void lose(const Damaged *world, const char *name)
{
    g_autofree char *path = damaged_path(world, name);
    g_assert_cmpint(g_remove(path), ==, 0);
}

static void run_sql(const Damaged *world, const char *name, const char *sql)
{
    g_autofree char *path = damaged_path(world, name);
    forge_raw(path, sql);
}

/* ---- the index ---- */

static void lose_index(Damaged *world)
{
    lose(world, "index.db");
}

static bool index_is_lost(Damaged *world)
{
    g_autofree char *path = damaged_path(world, "index.db");
    return !g_file_test(path, G_FILE_TEST_EXISTS);
}

static void break_index(Damaged *world)
{
    write_state(world, "index.db", BROKEN, -1);
}

static bool index_is_broken(Damaged *world)
{
    return has_text(world, "index.db", BROKEN);
}

static void age_index(Damaged *world)
{
    run_sql(world, "index.db", "PRAGMA user_version = 99");
}

static void drift_index(Damaged *world)
{
    static const char *const drifts[] = {
        "UPDATE tally SET count = count + 1 WHERE kind = (SELECT min(kind) FROM tally)",
        "UPDATE lane_count SET count = count + 3 WHERE counter = 0",
        "INSERT INTO name VALUES ('remote', 'x', 1, 999999)",
        "INSERT INTO dependency VALUES (999998, 999999)",
        "INSERT INTO content_chunk VALUES (x'00', 1, 1)",
        "DELETE FROM entry WHERE pos = 5",
    };
    run_sql(world, "index.db", drifts[damaged_pick(world, G_N_ELEMENTS(drifts))]);
}

/* ---- the log ---- */

static guint64 lose_any(Damaged *world, guint *ret_which)
{
    *ret_which = damaged_pick(world, DAMAGED_PUBLIC);
    return world->lost_at = world->public_at[*ret_which];
}

/* One bit of one of the bodies that are plain. */
static void flip_body(Damaged *world)
{
    guint i;
    gsize size;
    lose_any(world, &i);
    g_autofree char *path = damaged_path(world, "journal.db"), *bytes = NULL,
                    *marker = g_strdup_printf(DAMAGED_MARKER "%u\"", i);
    g_assert_true(g_file_get_contents(path, &bytes, &size, NULL));
    char *at = memmem(bytes, size, marker, strlen(marker));
    g_assert_nonnull(at);
    at[damaged_pick(world, (guint)strlen(marker))] ^= (char)(1 << damaged_pick(world, 7));
    write_state(world, "journal.db", bytes, (gssize)size);
}

static void lose_header(Damaged *world)
{
    guint i;
    g_autofree char *sql =
        g_strdup_printf("UPDATE entry SET header = zeroblob(length(header)) WHERE pos = "
                        "%" G_GUINT64_FORMAT,
                        lose_any(world, &i));
    run_sql(world, "journal.db", sql);
}

/* What stands beside a header is told by where the entry is in the tree. */
static void misplace_entry(Damaged *world)
{
    guint i;
    g_autofree char *sql = g_strdup_printf(
        "UPDATE entry SET seq = -1 WHERE pos = %" G_GUINT64_FORMAT, lose_any(world, &i));
    run_sql(world, "journal.db", sql);
}

static void break_tiles(Damaged *world)
{
    run_sql(world, "journal.db",
            "UPDATE entry SET tiles = zeroblob(length(tiles)) WHERE tiles IS NOT NULL");
}

/* ---- the journal, as a file ---- */

static void copy_journal(Damaged *world, const char *name)
{
    gsize size;
    g_autofree char *path = damaged_path(world, "journal.db"), *bytes = NULL;
    g_assert_true(g_file_get_contents(path, &bytes, &size, NULL));
    write_state(world, name, bytes, (gssize)size);
}

static SyncdHash hash_journal(const Damaged *world)
{
    gsize size = 0;
    g_autofree char *path = damaged_path(world, "journal.db"), *bytes = NULL;
    g_file_get_contents(path, &bytes, &size, NULL);
    return syncd_hash(bytes, size);
}

static void overwrite_journal(Damaged *world, gsize size)
{
    gsize all;
    g_autofree char *path = damaged_path(world, "journal.db"), *bytes = NULL;
    g_assert_true(g_file_get_contents(path, &bytes, &all, NULL));
    memset(bytes, 0xa5, MIN(size, all));
    write_state(world, "journal.db", bytes, (gssize)all);
    world->journal = hash_journal(world);
}

/* What follows can be read of it. */
static void behead_journal(Damaged *world)
{
    overwrite_journal(world, damaged_pick(world, 2) == 0 ? 100 : PAGE);
}

static const char *another_journal(Damaged *world)
{
    return damaged_pick(world, 2) == 0 ? "journal.1" : "journal-backup.db";
}

static void spoil_journal(Damaged *world)
{
    copy_journal(world, another_journal(world));
    overwrite_journal(world, G_MAXSIZE);
}

static bool journal_is_spoilt(Damaged *world)
{
    SyncdHash now = hash_journal(world);
    return syncd_hash_equal(&now, &world->journal);
}

static void move_journal(Damaged *world)
{
    copy_journal(world, another_journal(world));
    lose(world, "journal.db");
}

static void lose_journal(Damaged *world)
{
    lose(world, "journal.db");
}

/* ---- what lies beside it ---- */

static bool remove_one(const char *path)
{
    g_autoptr(GDir) folder = g_dir_open(path, 0, NULL);
    const char *name;
    while (folder != NULL && (name = g_dir_read_name(folder)) != NULL) {
        g_autofree char *child = g_build_filename(path, name, NULL);
        bool is_folder = g_file_test(child, G_FILE_TEST_IS_DIR);
        if (is_folder ? remove_one(child) : strlen(name) == DIGITS && g_remove(child) == 0)
            return true;
    }
    return false;
}

static void lose_blob(Damaged *world)
{
    g_autofree char *path = damaged_path(world, "blobs");
    g_assert_true(remove_one(path));
}

/* The file itself has its bytes still. */
static void spoil_kept(Damaged *world)
{
    g_autofree char *name = syncd_blobs_path(SYNCD_CHUNK_OF_FILE, &world->chunk);
    write_state(world, name, NO_CHUNK, -1);
}

static bool kept_is_spoilt(Damaged *world)
{
    g_autofree char *name = syncd_blobs_path(SYNCD_CHUNK_OF_FILE, &world->chunk);
    return has_text(world, name, NO_CHUNK);
}

static char *orphan_name(void)
{
    SyncdHash name = syncd_hash(ORPHAN, strlen(ORPHAN));
    return syncd_blobs_path(SYNCD_CHUNK_OF_ENTRY, &name);
}

static void leave_orphan(Damaged *world)
{
    g_autofree char *name = orphan_name(), *path = damaged_path(world, name),
                    *folder = g_path_get_dirname(path);
    g_mkdir_with_parents(folder, 0700);
    write_private(path, ORPHAN, -1);
}

static bool orphan_is_there(Damaged *world)
{
    g_autofree char *name = orphan_name();
    return has_text(world, name, ORPHAN);
}

/* ---- the directory ---- */

/* One that is there. */
static const char *pick_name(Damaged *world, const char *const *names, guint n)
{
    for (;;) {
        const char *name = names[damaged_pick(world, n)];
        g_autofree char *path = damaged_path(world, name);
        if (g_file_test(path, G_FILE_TEST_EXISTS))
            return name;
    }
}

static void change_mode(Damaged *world)
{
    static const char *const names[] = {"journal.db", "keys", "lock", "."};
    const char *name = pick_name(world, names, G_N_ELEMENTS(names));
    g_autofree char *path = damaged_path(world, name);
    GStatBuf st;
    g_assert_cmpint(g_stat(path, &st), ==, 0);
    world->mode_of = g_strdup(name);
    world->mode = (st.st_mode & 0700) | (1u + damaged_pick(world, 077));
    g_assert_cmpint(g_chmod(path, (mode_t)world->mode), ==, 0);
}

static bool mode_is_changed(Damaged *world)
{
    g_autofree char *path = damaged_path(world, world->mode_of);
    GStatBuf st;
    return g_stat(path, &st) == 0 && (st.st_mode & 07777) == world->mode;
}

static void change_owner(Damaged *world)
{
    static const char *const names[] = {"journal.db", "keys", "lock"};
    const char *name = pick_name(world, names, G_N_ELEMENTS(names));
    g_autofree char *path = damaged_path(world, name);
    world->owner_of = g_strdup(name);
    g_assert_cmpint(lchown(path, SOMEBODY, (gid_t)-1), ==, 0);
}

static bool owner_is_changed(Damaged *world)
{
    g_autofree char *path = damaged_path(world, world->owner_of);
    GStatBuf st;
    return g_stat(path, &st) == 0 && st.st_uid == SOMEBODY;
}

/* No repair makes another file of this one; and the daemon is one that may not change that. */
static void change_owner_for_good(Damaged *world)
{
    bool other = g_strcmp0(world->mode_of, "lock") == 0; /* whose mode nobody says then */
    g_autofree char *path = damaged_path(world, other ? "keys" : "lock");
    g_assert_cmpint(lchown(path, SOMEBODY, (gid_t)-1), ==, 0);
    world->without_right = true;
    set_right(false);
}

/* Of publishing that is the new file, and of making an index what was made so far. A migration is
 * one transaction; half of the copy that comes first is nothing the next start would leave. */
static void leave_half(Damaged *world)
{
    static const char *const names[] = {".anything.new", "keys/.device.key.new", "index.db.new"};
    world->half = g_strdup(names[damaged_pick(world, G_N_ELEMENTS(names))]);
    write_state(world, world->half, "half", 4);
}

static bool half_is_there(Damaged *world)
{
    return has_text(world, world->half, "half");
}

/* Of a repair that was begun: what it did nobody can tell, so the next start sets it aside. */
static void break_ledger(Damaged *world)
{
    g_autofree char *folder = damaged_path(world, "repair");
    g_mkdir_with_parents(folder, 0700);
    write_state(world, NO_LEDGER, BROKEN, -1);
}

static bool ledger_is_aside(Damaged *world)
{
    return has_text(world, NO_LEDGER ".damaged", BROKEN);
}

/* While the daemon knows it; the next start would not. */
static void lose_key_file(Damaged *world)
{
    lose(world, "keys/device.key");
}

static void lose_scope_key(Damaged *world)
{
    lose(world, world->far_key);
}

/* ---- what goes on ---- */

static void nothing_is_released(void *data)
{
}

static void get_stuck(Damaged *world)
{
    static const SyncdJobKind kind = {.operation = "waits", .release = nothing_is_released};
    const SyncdJob *job =
        syncd_service_begin_job(world->f->service, &kind, world, world->f->owner, false);
    world->stuck = g_strdup(syncd_job_id(job));
    world->f->base.now_usec += STUCK_USEC;
}

static bool it_is_stuck(Damaged *world)
{
    const SyncdJob *job = syncd_service_find_job(world->f->service, world->stuck);
    return job == NULL || strcmp(syncd_job_state(job), "cancelled") != 0;
}

static bool what_is_deleted_is_there(Damaged *world)
{
    SyncdDeletion deletion;
    bool found;
    g_autoptr(SyncdScope) scope = NULL;
    SyncdStore *store = world->f->service->store;
    return !syncd_store_find_scope(store, "public", "gone", &scope, NULL) || scope == NULL ||
           !syncd_store_find_deletion(store, scope->id, DAMAGED_GONE, &deletion, &found, NULL) ||
           !found || deletion.state != SYNCD_DELETION_PROVEN ||
           state_holds(&world->f->base, DAMAGED_GONE_MARKER);
}

static void lose_leases(Damaged *world)
{
    syncd_leases_clear(world->f->service->leases);
}

static void end_dirtily(Damaged *world)
{
    world->dirty = true;
}

static void let_rot(Damaged *world)
{
    rot(&world->watched.w, ROTTEN, ROT);
}

/* What is there is what is right, somebody says. */
static void let_rot_and_accept(Damaged *world)
{
    char id[SYNCD_FILE_ID_SIZE];
    let_rot(world);
    g_assert_true(syncd_store_file_id(store_of(&world->watched.w),
                                      row_of(&world->watched.w, ROTTEN).id, id, NULL));
    world->accepted = g_strdup(id);
}

static bool it_is_rotten(Damaged *world)
{
    g_autofree char *path = path_in(&world->watched.w, ROTTEN), *text = NULL;
    return g_file_get_contents(path, &text, NULL, NULL) && strcmp(text, ROT) == 0 &&
           mismatches(&world->watched.w) == 1;
}

#define INDEX_ROW OF_INDEX, A_JOURNAL, AN_INDEX, BY_A_PLAN
#define LOG_ROW OF_LOG, A_JOURNAL, WRITING, BY_A_PLAN
#define BLOB_ROW OF_BLOBS, A_JOURNAL, THE_TRUTH, BY_A_PLAN
#define JOURNAL_ROW OF_JOURNAL, THE_DIRECTORY, A_JOURNAL

/* Those of the journal come behind those of what is in it. */
const Damage damages[] = {
    {"index lost", "index-unavailable", WHILE_CLOSED, INDEX_ROW, lose_index, index_is_lost},
    {"index broken", "index-unavailable", WHILE_CLOSED, INDEX_ROW, break_index, index_is_broken},
    {"index of a newer version", "index-unavailable", WHILE_CLOSED, INDEX_ROW, age_index},
    {"index drifted", "index-drift", WHILE_CLOSED, OF_INDEX, AN_INDEX, THE_TRUTH, BY_A_PLAN,
     drift_index},
    {"body flipped", "body-damaged", WHILE_CLOSED, LOG_ROW, flip_body, NULL, "log-lost"},
    {"header lost", "log-damaged", WHILE_CLOSED, OF_LISTS | LOG_ROW, lose_header, NULL, "log-lost"},
    {"entry misplaced", "log-damaged", WHILE_CLOSED, LOG_ROW, misplace_entry},
    {"tiles broken", "log-damaged", WHILE_CLOSED, LOG_ROW, break_tiles},
    {"journal beheaded", "journal-unreadable", WHILE_CLOSED, JOURNAL_ROW, BY_A_PLAN, behead_journal,
     journal_is_spoilt},
    {"journal spoilt", "journal-unreadable", WHILE_CLOSED, JOURNAL_ROW, BY_A_PLAN, spoil_journal,
     journal_is_spoilt},
    {"journal moved", "journal-unreadable", WHILE_CLOSED, JOURNAL_ROW, BY_A_PLAN_FOR_GOOD,
     move_journal},
    {"journal lost", "journal-unreadable", WHILE_CLOSED, JOURNAL_ROW, BY_NOTHING, lose_journal},
    {"blob lost", "blob-damaged", WHILE_CLOSED, BLOB_ROW, lose_blob, NULL, "blob-lost"},
    /* Where there was no index all files are read anew, and what is kept of them comes again. */
    {"kept content spoilt", "blob-damaged", WHILE_CLOSED, OF_INDEX | BLOB_ROW, spoil_kept,
     kept_is_spoilt},
    /* What is lost of an entry may have named any. */
    {"orphan left", "blob-orphaned", WHILE_CLOSED, OF_LISTS, WRITING, ALL, BY_A_PLAN, leave_orphan,
     orphan_is_there},
    {"scope key lost", "key-missing", WHILE_CLOSED, OF_KEYS, A_JOURNAL, ALL, BY_NOTHING,
     lose_scope_key},
    {"ledger broken", "repair-set-aside", WHILE_CLOSED, OF_ANYTHING, THE_DIRECTORY, ALL, BY_A_PLAN,
     break_ledger, ledger_is_aside},
    {"dirty open", "dirty-open", BEFORE_CLOSE, OF_ANYTHING, THE_DIRECTORY, ALL, BY_NOTHING,
     end_dirtily},
    {"mode changed", "file-modes", AFTER_START, OF_ANYTHING, THE_DIRECTORY, ALL, BY_A_PLAN,
     change_mode, mode_is_changed},
    {"owner changed", "file-owners", AFTER_START, OF_OWNERS, THE_DIRECTORY, ALL, BY_A_PLAN,
     change_owner, owner_is_changed},
    {"owner changed for good", "file-owners-foreign", AFTER_START, OF_OWNERS, THE_DIRECTORY, ALL,
     BY_NOTHING, change_owner_for_good},
    {"half left", "leftovers", AFTER_START, OF_ANYTHING, THE_DIRECTORY, ALL, BY_A_PLAN, leave_half,
     half_is_there},
    {"file rotten", "checksum-mismatch", AFTER_START, OF_FILE, WRITING, ALL, BY_A_PLAN, let_rot,
     it_is_rotten},
    {"file rotten and accepted", "checksum-mismatch", AFTER_START, OF_FILE, WRITING, ALL, BY_A_PLAN,
     let_rot_and_accept, it_is_rotten},
    {"disk full", "disk-pressure", AFTER_START, OF_ANYTHING, THE_TRUTH, ALL, BY_A_PLAN_OF_ITS_OWN,
     damaged_fill_disk, what_is_deleted_is_there, "disk-pressure-kept"},
    {"key file lost", "key-files", IN_THE_PROCESS, OF_KEYS, THE_DIRECTORY, ALL, BY_NOTHING,
     lose_key_file},
    {"leases lost", "leases-lost", IN_THE_PROCESS, OF_ANYTHING, AN_INDEX, ALL, BY_A_PLAN_FOR_GOOD,
     lose_leases},
    {"job stuck", "jobs-stuck", IN_THE_PROCESS, OF_ANYTHING, WRITING, ALL, BY_A_PLAN_FOR_GOOD,
     get_stuck, it_is_stuck},
};
const guint n_damages = G_N_ELEMENTS(damages);

bool damage_is_possible(const Damage *damage)
{
    return (damage->excludes & OF_OWNERS) == 0 || syncd_store_may_set_owners();
}
