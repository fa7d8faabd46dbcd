#include "damages.h"

#include "../unit/task-fixture.h"

#include "service/internal.h"
#include "service/runtime.h"
#include "store/blobs.h"

#include <sqlite3.h>
#include <string.h>

#define MARKER "a-marker-that-is-easy-to-find-"
#define LARGE_SIZE (100u * 1024u)
#define LARGE_FILE "large"
#define BROKEN "this is no database at all"
#define ORPHAN "a chunk that nothing names"
#define NO_CHUNK "this is no chunk"
#define TILE_PART (32u / DAMAGED_PUBLIC) /* that all make a tile, at least */
#define DIGITS 64u /* of a chunk's name; those of files have more behind them */

/* ---- a state ---- */

guint damaged_pick(Damaged *world, guint n)
{
    return (guint)g_rand_int_range(world->rand, 0, (gint32)n);
}

void damaged_open(Damaged *world)
{
    const SyncdProcess process = {.pid = 41, .boot = "boot-a", .machine = "machine-a"};
    world->f->base.holds_index = true;
    service_open(world->f);
    syncd_service_begin_run(world->f->service, &process);
    listen_to(&world->watched);
    world->dirty_found = is_found(world->f, "dirty-open");
    run_jobs(world->f);
    if (!syncd_store_lacks_index(world->f->service->store))
        begin(&world->watched.w);
}

void damaged_close(Damaged *world)
{
    if (world->watched.w.workspace != NULL)
        end_workspace(&world->watched.w);
    service_close(world->f);
}

void damaged_rest(Damaged *world)
{
    WorkspaceFixture *w = &world->watched.w;
    rest(world->f);
    if (w->workspace == NULL && !syncd_store_lacks_index(world->f->service->store))
        begin(w);
    while (w->workspace != NULL && (step_workspace(w, 0) || standing_of(w).waiting > 0))
        ;
    rest(world->f);
}

static void put_in(Damaged *world, const char *scope, const char *body)
{
    SyncdRequest request = good_request();
    request.scope = scope;
    request.body = SYNCD_BYTES_TEXT(body);
    g_free(enqueue_committed(world->f, &request));
}

static void put_public(Damaged *world, guint i)
{
    g_autofree char *body = g_strdup_printf("{\"x\":\"" MARKER "%u\"}", i);
    put_in(world, "public:site", body);
    world->public_at[i] = service_sequence(world->f);
}

static void put_large(Damaged *world)
{
    g_autofree char *filling = g_strnfill(LARGE_SIZE, 'x');
    g_autofree char *body = g_strdup_printf("{\"x\":\"%s\"}", filling);
    put(world->f, "large", body);
    world->large_at = service_sequence(world->f);
}

static char *find_scope_key(Damaged *world, const char *class, const char *name)
{
    const char *file;
    g_autoptr(SyncdScope) scope = NULL;
    syncd_store_find_scope(world->f->service->store, class, name, &scope, NULL);
    g_assert_nonnull(scope);
    g_autofree char *folder = g_build_filename(world->f->base.directory, "keys", NULL),
                    *says = g_strdup_printf("Scope=%s\n", scope->id);
    g_autoptr(GDir) keys = g_dir_open(folder, 0, NULL);
    while ((file = g_dir_read_name(keys)) != NULL) {
        g_autofree char *path = g_build_filename(folder, file, NULL), *text = NULL;
        if (g_file_get_contents(path, &text, NULL, NULL) && strstr(text, says) != NULL)
            return g_build_filename("keys", file, NULL);
    }
    g_assert_not_reached();
}

static SyncdHash chunk_of(Damaged *world, const char *file)
{
    SyncdHash name;
    bool found = false;
    g_auto(SyncdContentRow) row = {0};
    syncd_store_find_content(store_of(&world->watched.w), row_of(&world->watched.w, file).id, 1,
                             &row, &found, NULL);
    g_assert_true(found);
    memcpy(name.bytes, g_bytes_get_data(row.chunks, NULL), sizeof name.bytes);
    return name;
}

static void make_files(Damaged *world)
{
    WorkspaceFixture *w = &world->watched.w;
    g_autofree char *text = text_of(LARGE_SIZE, 'a');
    workspace_init_keeping(w, KEEP_TWO);
    make_folder(w, "folder");
    write_file(w, ROTTEN, WRITTEN);
    write_file(w, "sound", "and stays");
    write_file(w, LARGE_FILE, text);
}

void damaged_init(Damaged *world, guint32 seed)
{
    *world = (Damaged){.rand = g_rand_new_with_seed(seed), .f = &world->watched.w.f};
    make_files(world);
    damaged_close(world);
    damaged_open(world);
    for (guint i = 0; i < DAMAGED_PUBLIC; i++) {
        put_public(world, i);
        for (guint j = TILE_PART + damaged_pick(world, 20); j > 0; j--)
            put(world->f, "note-1", "{}");
        g_free(claim(world->f, NULL));
    }
    put_large(world);
    put_in(world, "workspace:far", "{}");
    damaged_rest(world);
    world->far_key = find_scope_key(world, "workspace", "far");
    world->chunk = chunk_of(world, LARGE_FILE);
}

void damaged_clear(Damaged *world)
{
    workspace_clear(&world->watched.w);
    g_rand_free(world->rand);
    g_free(world->mode_of);
    g_free(world->half);
    g_free(world->far_key);
}

static char *path_of(const Damaged *world, const char *name)
{
    return g_build_filename(world->f->base.directory, name, NULL);
}

static void write_state(const Damaged *world, const char *name, const char *text, gssize size)
{
    g_autofree char *path = path_of(world, name);
    write_private(path, text, size);
}

static bool has_text(const Damaged *world, const char *name, const char *expected)
{
    g_autofree char *path = path_of(world, name), *text = NULL;
    return g_file_get_contents(path, &text, NULL, NULL) && strcmp(text, expected) == 0;
}

static void lose(const Damaged *world, const char *name)
{
    g_autofree char *path = path_of(world, name);
    g_assert_cmpint(g_remove(path), ==, 0);
}

static void run_sql(const Damaged *world, const char *name, const char *sql)
{
    g_autofree char *path = path_of(world, name);
    sqlite3 *db = NULL;
    g_assert_cmpint(sqlite3_open(path, &db), ==, SQLITE_OK);
    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    g_assert_cmpint(sqlite3_exec(db, sql, NULL, NULL, NULL), ==, SQLITE_OK);
    sqlite3_close(db);
}

/* ---- the index ---- */

static void lose_index(Damaged *world)
{
    lose(world, "index.db");
}

static bool index_is_lost_again(Damaged *world)
{
    g_autofree char *path = path_of(world, "index.db");
    return !g_file_test(path, G_FILE_TEST_EXISTS);
}

static void break_index(Damaged *world)
{
    write_state(world, "index.db", BROKEN, -1);
}

static bool index_is_broken_again(Damaged *world)
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
    g_autofree char *path = path_of(world, "journal.db"), *bytes = NULL,
                    *marker = g_strdup_printf(MARKER "%u\"", i);
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
    g_autofree char *path = path_of(world, "blobs");
    g_assert_true(remove_one(path));
}

/* The file itself has its bytes still. */
static void spoil_kept(Damaged *world)
{
    g_autofree char *name = syncd_blobs_path(SYNCD_CHUNK_OF_FILE, &world->chunk);
    write_state(world, name, NO_CHUNK, -1);
}

static bool kept_is_spoilt_again(Damaged *world)
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
    g_autofree char *name = orphan_name(), *path = path_of(world, name),
                    *folder = g_path_get_dirname(path);
    g_mkdir_with_parents(folder, 0700);
    write_private(path, ORPHAN, -1);
}

static bool orphan_is_back(Damaged *world)
{
    g_autofree char *name = orphan_name();
    return has_text(world, name, ORPHAN);
}

/* ---- the directory ---- */

static void change_mode(Damaged *world)
{
    static const char *const names[] = {"journal.db", "keys", "lock", "."};
    const char *name = names[damaged_pick(world, G_N_ELEMENTS(names))];
    g_autofree char *path = path_of(world, name);
    GStatBuf st;
    g_assert_cmpint(g_stat(path, &st), ==, 0);
    world->mode_of = g_strdup(name);
    world->mode = (st.st_mode & 0700) | (1u + damaged_pick(world, 077));
    g_assert_cmpint(g_chmod(path, (mode_t)world->mode), ==, 0);
}

static bool mode_is_back(Damaged *world)
{
    g_autofree char *path = path_of(world, world->mode_of);
    GStatBuf st;
    return g_stat(path, &st) == 0 && (st.st_mode & 07777) == world->mode;
}

static void leave_half(Damaged *world)
{
    static const char *const names[] = {".anything.new", "keys/.device.key.new",
                                        "journal.db.before-9.new"};
    world->half = g_strdup(names[damaged_pick(world, G_N_ELEMENTS(names))]);
    write_state(world, world->half, "half", 4);
}

static bool half_is_back(Damaged *world)
{
    return has_text(world, world->half, "half");
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

static bool it_is_rotten_again(Damaged *world)
{
    g_autofree char *path = path_in(&world->watched.w, ROTTEN), *text = NULL;
    return g_file_get_contents(path, &text, NULL, NULL) && strcmp(text, ROT) == 0 &&
           mismatches(&world->watched.w) == 1;
}

const Damage damages[] = {
    {"index lost", "index-unavailable", WHILE_CLOSED, THE_INDEX, NEEDS_NOTHING, true, lose_index,
     index_is_lost_again},
    {"index broken", "index-unavailable", WHILE_CLOSED, THE_INDEX, NEEDS_NOTHING, true, break_index,
     index_is_broken_again},
    {"index of a newer version", "index-unavailable", WHILE_CLOSED, THE_INDEX, NEEDS_NOTHING, true,
     age_index, NULL},
    {"index drifted", "index-drift", WHILE_CLOSED, THE_INDEX, NEEDS_INDEX, true, drift_index, NULL},
    {"body flipped", "body-damaged", WHILE_CLOSED, THE_LOG, NEEDS_NOTHING, true, flip_body, NULL,
     "log-lost"},
    {"header lost", "log-damaged", WHILE_CLOSED, THE_LOG, NEEDS_NOTHING, true, lose_header, NULL,
     "log-lost"},
    {"entry misplaced", "log-damaged", WHILE_CLOSED, THE_LOG, NEEDS_NOTHING, true, misplace_entry,
     NULL},
    {"tiles broken", "log-damaged", WHILE_CLOSED, THE_LOG, NEEDS_NOTHING, true, break_tiles, NULL},
    {"blob lost", "blob-damaged", WHILE_CLOSED, THE_BLOBS, NEEDS_NOTHING, true, lose_blob, NULL,
     "blob-lost"},
    {"kept content spoilt", "blob-damaged", WHILE_CLOSED, THE_BLOBS, NEEDS_INDEX, true, spoil_kept,
     kept_is_spoilt_again},
    {"orphan left", "blob-orphaned", WHILE_CLOSED, ANYTHING, NEEDS_INDEX, true, leave_orphan,
     orphan_is_back},
    {"mode changed", "file-modes", AFTER_START, ANYTHING, NEEDS_NOTHING, true, change_mode,
     mode_is_back},
    {"half left", "leftovers", AFTER_START, ANYTHING, NEEDS_NOTHING, true, leave_half,
     half_is_back},
    {"leases lost", "leases-lost", AFTER_START, ANYTHING, NEEDS_INDEX, true, lose_leases, NULL},
    {"key file lost", "key-files", AFTER_START, THE_KEYS, NEEDS_NOTHING, false, lose_key_file,
     NULL},
    {"scope key lost", "key-missing", WHILE_CLOSED, THE_KEYS, NEEDS_NOTHING, false, lose_scope_key,
     NULL},
    {"dirty open", "dirty-open", BEFORE_CLOSE, ANYTHING, NEEDS_NOTHING, false, end_dirtily, NULL},
    {"file rotten", "checksum-mismatch", AFTER_START, ANYTHING, NEEDS_LOG, true, let_rot,
     it_is_rotten_again},
};
const guint n_damages = G_N_ELEMENTS(damages);
