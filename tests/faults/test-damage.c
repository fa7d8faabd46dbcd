/*
 * A populated state is damaged at random, in several ways at once: a diagnosis names each damage
 * and nothing else, a plan repairs what can be repaired, the next diagnosis is clean or names
 * exactly what is lost, the log only grew, and taking the repair back brings back what was there.
 *
 * The control hides one damage from the diagnosis, and must be noticed.
 *
 * test-damage [--rounds N] [--from N] [options of GLib's tests]; a round is its own seed.
 */
#include "../unit/diagnose-fixture.h"
#include "../unit/repair-fixture.h"
#include "../unit/task-fixture.h"
#include "service/internal.h"
#include "store/blobs.h"

#include <sqlite3.h>
#include <unistd.h>

#define MARKER "a-marker-that-is-easy-to-find-"
#define PUBLIC_BODIES 4u
#define LARGE_SIZE (100u * 1024u)

static gint rounds = 40, from = 1;

/* ---- a state ---- */

typedef struct {
    ServiceFixture f;
    GRand *rand;
    guint64 public_at[PUBLIC_BODIES]; /* sequence numbers of bodies that are plain in the file */
    guint64 large_at;
    /* of the damage that was done */
    guint64 lost_at;
    char *mode_of;
    guint32 mode;
    char *half;
} World;

static guint pick(World *world, guint n)
{
    return (guint)g_rand_int_range(world->rand, 0, (gint32)n);
}

static void put_public(World *world, guint i)
{
    g_autofree char *body = g_strdup_printf("{\"x\":\"" MARKER "%u\"}", i);
    SyncdRequest request = good_request();
    request.scope = "public:site";
    request.body = SYNCD_BYTES_TEXT(body);
    g_free(enqueue_committed(&world->f, &request));
    world->public_at[i] = service_sequence(&world->f);
}

static void put_large(World *world)
{
    g_autofree char *filling = g_strnfill(LARGE_SIZE, 'x');
    g_autofree char *body = g_strdup_printf("{\"x\":\"%s\"}", filling);
    put(&world->f, "large", body);
    world->large_at = service_sequence(&world->f);
}

static void populate(World *world)
{
    repair_init(&world->f);
    for (guint i = 0; i < PUBLIC_BODIES; i++) {
        put_public(world, i);
        for (guint j = pick(world, 20); j > 0; j--)
            put(&world->f, "note-1", "{}");
        g_free(claim(&world->f, NULL));
    }
    put_large(world);
    rest(&world->f);
}

static void world_clear(World *world)
{
    service_clear(&world->f);
    g_rand_free(world->rand);
    g_free(world->mode_of);
    g_free(world->half);
}

/* ---- damages ---- */

static char *path_of(const World *world, const char *name)
{
    return g_build_filename(world->f.base.directory, name, NULL);
}

static void write_file(const World *world, const char *name, const char *text, gssize size)
{
    g_autofree char *path = path_of(world, name);
    g_assert_true(g_file_set_contents_full(path, text, size, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
}

static void index_sql(const World *world, const char *sql)
{
    g_autofree char *path = path_of(world, "index.db");
    sqlite3 *db = NULL;
    g_assert_cmpint(sqlite3_open(path, &db), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_exec(db, sql, NULL, NULL, NULL), ==, SQLITE_OK);
    sqlite3_close(db);
}

static void lose_index(World *world)
{
    g_autofree char *path = path_of(world, "index.db");
    g_assert_cmpint(g_remove(path), ==, 0);
}

static void break_index(World *world)
{
    write_file(world, "index.db", "this is no database at all", -1);
}

static void age_index(World *world)
{
    index_sql(world, "PRAGMA user_version = 99");
}

static void drift_index(World *world)
{
    static const char *const drifts[] = {
        "UPDATE tally SET count = count + 1 WHERE kind = (SELECT min(kind) FROM tally)",
        "UPDATE lane_count SET count = count + 3 WHERE counter = 0",
        "INSERT INTO name VALUES ('remote', 'x', 1, 999999)",
        "INSERT INTO dependency VALUES (999998, 999999)",
        "INSERT INTO content_chunk VALUES (x'00', 1, 1)",
        "DELETE FROM entry WHERE pos = 5",
    };
    index_sql(world, drifts[pick(world, G_N_ELEMENTS(drifts))]);
}

/* One bit of one of the bodies that are plain. */
static void flip_body(World *world)
{
    guint i = pick(world, PUBLIC_BODIES);
    g_autofree char *path = path_of(world, "journal.db"), *bytes = NULL,
                    *marker = g_strdup_printf(MARKER "%u\"", i);
    gsize size;
    g_assert_true(g_file_get_contents(path, &bytes, &size, NULL));
    char *at = memmem(bytes, size, marker, strlen(marker));
    g_assert_nonnull(at);
    at[pick(world, (guint)strlen(marker))] ^= (char)(1 << pick(world, 7));
    write_file(world, "journal.db", bytes, (gssize)size);
    world->lost_at = world->public_at[i];
}

static bool remove_one(const char *path)
{
    g_autoptr(GDir) folder = g_dir_open(path, 0, NULL);
    const char *name;
    while (folder != NULL && (name = g_dir_read_name(folder)) != NULL) {
        g_autofree char *child = g_build_filename(path, name, NULL);
        if (g_file_test(child, G_FILE_TEST_IS_DIR) ? remove_one(child) : g_remove(child) == 0)
            return true;
    }
    return false;
}

static void lose_blob(World *world)
{
    g_autofree char *path = path_of(world, "blobs");
    g_assert_true(remove_one(path));
}

#define ORPHAN "a chunk that nothing names"

static char *orphan_path(const World *world)
{
    SyncdHash name = syncd_hash(ORPHAN, strlen(ORPHAN));
    g_autofree char *file = syncd_blobs_path(SYNCD_CHUNK_OF_ENTRY, &name);
    return path_of(world, file);
}

static void leave_orphan(World *world)
{
    g_autofree char *path = orphan_path(world), *folder = g_path_get_dirname(path);
    g_mkdir_with_parents(folder, 0700);
    write_private(path, ORPHAN, -1);
}

static bool orphan_is_back(const World *world)
{
    g_autofree char *path = orphan_path(world), *text = NULL;
    return g_file_get_contents(path, &text, NULL, NULL) && strcmp(text, ORPHAN) == 0;
}

static void change_mode(World *world)
{
    static const char *const names[] = {"journal.db", "keys", "lock", "."};
    const char *name = names[pick(world, G_N_ELEMENTS(names))];
    g_autofree char *path = path_of(world, name);
    GStatBuf st;
    g_assert_cmpint(g_stat(path, &st), ==, 0);
    world->mode_of = g_strdup(name);
    world->mode = (st.st_mode & 0700) | (1u + pick(world, 077));
    g_assert_cmpint(g_chmod(path, (mode_t)world->mode), ==, 0);
}

static void leave_half(World *world)
{
    static const char *const names[] = {".anything.new", "keys/.device.key.new",
                                        "journal.db.before-9.new"};
    world->half = g_strdup(names[pick(world, G_N_ELEMENTS(names))]);
    write_file(world, world->half, "half", 4);
}

static void lose_leases(World *world)
{
    syncd_leases_clear(world->f.service->leases);
}

/* While the daemon knows it; the next start would not. */
static void lose_key(World *world)
{
    g_autofree char *path = path_of(world, "keys/device.key");
    g_assert_cmpint(g_remove(path), ==, 0);
}

static bool mode_is_back(const World *world)
{
    g_autofree char *path = path_of(world, world->mode_of);
    GStatBuf st;
    return g_stat(path, &st) == 0 && (st.st_mode & 07777) == world->mode;
}

static bool half_is_back(const World *world)
{
    g_autofree char *path = path_of(world, world->half), *text = NULL;
    return g_file_get_contents(path, &text, NULL, NULL) && strcmp(text, "half") == 0;
}

static bool index_is_lost_again(const World *world)
{
    g_autofree char *path = path_of(world, "index.db");
    return !g_file_test(path, G_FILE_TEST_EXISTS);
}

static bool index_is_broken_again(const World *world)
{
    gsize size;
    g_autofree char *bytes = index_bytes(&world->f, &size);
    return g_strcmp0(bytes, "this is no database at all") == 0;
}

typedef enum {
    WHILE_CLOSED,
    AFTER_START,
} When;

typedef struct {
    const char *name, *code;
    When when;
    guint excludes; /* of damages of one number there is one at most; 0: any */
    bool needs_index;
    bool repaired; /* by a plan; else it is named for ever */
    void (*damage)(World *world);
    bool (*is_back)(const World *world); /* after the repair was taken back; NULL: nothing is */
    const char
        *lost; /* what names, after the repair, what could not be had; NULL: nothing is lost */
} Damage;

static const Damage damages[] = {
    {"index lost", "index-unavailable", WHILE_CLOSED, 1, false, true, lose_index,
     index_is_lost_again},
    {"index broken", "index-unavailable", WHILE_CLOSED, 1, false, true, break_index,
     index_is_broken_again},
    {"index of a newer version", "index-unavailable", WHILE_CLOSED, 1, false, true, age_index,
     NULL},
    {"index drifted", "index-drift", WHILE_CLOSED, 1, true, true, drift_index, NULL},
    {"body flipped", "body-damaged", WHILE_CLOSED, 2, false, true, flip_body, NULL, "log-lost"},
    {"blob lost", "blob-damaged", WHILE_CLOSED, 0, false, true, lose_blob, NULL, "blob-lost"},
    {"orphan left", "blob-orphaned", WHILE_CLOSED, 0, true, true, leave_orphan, orphan_is_back},
    {"mode changed", "file-modes", AFTER_START, 0, false, true, change_mode, mode_is_back},
    {"half left", "leftovers", AFTER_START, 0, false, true, leave_half, half_is_back},
    {"leases lost", "leases-lost", AFTER_START, 0, true, true, lose_leases, NULL},
    {"key file lost", "key-files", AFTER_START, 0, false, false, lose_key, NULL},
};

#define N_DAMAGES G_N_ELEMENTS(damages)

static bool is_index(size_t i)
{
    return damages[i].excludes == 1 && !damages[i].needs_index;
}

static const char *code_of(size_t i, bool repaired)
{
    return repaired && damages[i].lost != NULL ? damages[i].lost : damages[i].code;
}

/* A few that go together. */
static guint choose(World *world)
{
    guint chosen = 0;
    for (guint tries = 1 + pick(world, 4); tries > 0; tries--) {
        guint i = pick(world, N_DAMAGES);
        bool fits = true;
        for (guint j = 0; j < N_DAMAGES; j++) {
            if ((chosen & 1u << j) == 0)
                continue;
            fits &= damages[i].excludes == 0 || damages[i].excludes != damages[j].excludes;
            fits &= !(damages[i].needs_index && is_index(j)) &&
                    !(damages[j].needs_index && is_index(i));
        }
        if (fits)
            chosen |= 1u << i;
    }
    return chosen;
}

static void do_damage(World *world, guint chosen, When when)
{
    for (guint i = 0; i < N_DAMAGES; i++) {
        if ((chosen & 1u << i) == 0 || damages[i].when != when)
            continue;
        g_test_message("damage: %s", damages[i].name);
        damages[i].damage(world);
    }
}

/* ---- what is found ---- */

/* Everything that takes longer, as `doctor --deep` has it done. */
static void look_deep(World *world)
{
    g_autoptr(GError) error = NULL;
    bool has_index = !syncd_store_lacks_index(world->f.service->store);
    const SyncdVerifyOptions options = {.mode = SYNCD_VERIFY_FULL, .index = has_index};
    SyncdJob *job = NULL;
    syncd_service_verify_with(world->f.service, &world->f.caller, &options, &job, &error);
    g_assert_no_error(error);
    run_jobs(&world->f);
    g_assert_cmpstr(syncd_job_state(job), ==, "done");
}

/* What follows from an index that is not there, and what only tells. */
static bool is_aside(const SyncdFound *found, guint expected)
{
    bool lacks_index = false;
    for (guint i = 0; i < N_DAMAGES; i++)
        lacks_index |= (expected & 1u << i) != 0 && is_index(i);
    return !syncd_finding_is_bad(found->finding) ||
           (lacks_index && strcmp(found->finding->code, "unchecked") == 0);
}

static bool is_expected(const SyncdFound *found, guint expected, bool repaired)
{
    for (guint i = 0; i < N_DAMAGES; i++)
        if ((expected & 1u << i) != 0 && strcmp(code_of(i, repaired), found->finding->code) == 0)
            return true;
    return false;
}

/* Where it is, is named exactly. */
static bool names_its_place(const World *world, const SyncdFound *found)
{
    if (strcmp(found->finding->code, "body-damaged") == 0 ||
        strcmp(found->finding->code, "log-lost") == 0)
        return found->first == world->lost_at && found->last == world->lost_at;
    if (strcmp(found->finding->code, "blob-damaged") == 0 ||
        strcmp(found->finding->code, "blob-lost") == 0)
        return found->first == world->large_at && found->last == world->large_at;
    return true;
}

/* Whether exactly these are found. `hidden`: a finding that nobody is told of; NULL: none. */
static bool finds(World *world, guint expected, bool repaired, const char *hidden)
{
    g_autoptr(GPtrArray) found = syncd_service_diagnose(world->f.service);
    bool right = true;
    for (guint i = 0; i < N_DAMAGES; i++) {
        const char *code = code_of(i, repaired);
        bool is = (hidden == NULL || strcmp(hidden, code) != 0) && find(found, code) != NULL;
        if ((expected & 1u << i) == 0 || is)
            continue;
        g_test_message("not found: %s", damages[i].name);
        right = false;
    }
    for (guint i = 0; i < found->len; i++) {
        const SyncdFound *one = found->pdata[i];
        if ((is_expected(one, expected, repaired) && names_its_place(world, one)) ||
            is_aside(one, expected))
            continue;
        g_test_message("found besides: %s %s", one->finding->code,
                       one->evidence->len > 0 ? (char *)one->evidence->pdata[0] : "");
        right = false;
    }
    return right;
}

/* ---- a round ---- */

static guint repaired_of(guint chosen)
{
    guint repaired = 0;
    for (guint i = 0; i < N_DAMAGES; i++)
        if ((chosen & 1u << i) != 0 && damages[i].repaired)
            repaired |= 1u << i;
    return repaired;
}

/* What is named when all is repaired that can be. */
static guint left_of(guint chosen)
{
    guint left = 0;
    for (guint i = 0; i < N_DAMAGES; i++)
        if ((chosen & 1u << i) != 0 && (!damages[i].repaired || damages[i].lost != NULL))
            left |= 1u << i;
    return left;
}

static void begin_round(World *world, guint32 seed, guint *ret_chosen)
{
    *world = (World){.rand = g_rand_new_with_seed(seed)};
    populate(world);
    *ret_chosen = choose(world);
    service_close(&world->f);
    do_damage(world, *ret_chosen, WHILE_CLOSED);
    repair_open(&world->f, NULL);
    do_damage(world, *ret_chosen, AFTER_START);
    look_deep(world);
}

static SyncdRepairPlan *repair(World *world)
{
    g_autoptr(GError) error = NULL;
    SyncdRepairPlan *plan = plan_repair(&world->f);
    approve_repair(&world->f, plan);
    apply_repair(&world->f, plan);
    g_autofree char *report = syncd_service_repair_report(world->f.service, plan, &error);
    g_assert_no_error(error);
    g_assert_nonnull(strstr(report, "\"is_prefix\":true"));
    g_assert_null(strstr(report, "\"is_prefix\":false"));
    rest(&world->f);
    g_assert_cmpuint(count_events(&world->f, "sync.repair.completed"), ==, 1);
    return plan;
}

static void check_back(const World *world, guint chosen)
{
    for (guint i = 0; i < N_DAMAGES; i++)
        if ((chosen & 1u << i) != 0 && damages[i].is_back != NULL)
            g_assert_true(damages[i].is_back(world));
}

static void run_round(guint32 seed)
{
    World world;
    guint chosen;
    g_test_message("round %u", seed);
    begin_round(&world, seed, &chosen);
    g_assert_true(finds(&world, chosen, false, NULL));
    guint repaired = repaired_of(chosen);
    if (repaired != 0) {
        SyncdRepairPlan *plan = repair(&world);
        look_deep(&world);
        g_assert_true(finds(&world, left_of(chosen), true, NULL));
        rollback_repair(&world.f, plan);
        check_back(&world, chosen);
    }
    world_clear(&world);
}

static void any_damage_is_found_repaired_and_put_back(void)
{
    for (gint i = 0; i < rounds; i++)
        run_round((guint32)(from + i));
}

/* Each of them, in a round in which it is. */
static void a_damage_that_is_hidden_is_noticed(void)
{
    guint seen = 0;
    for (guint32 seed = 1; seen != (1u << N_DAMAGES) - 1 && seed < 400; seed++) {
        World world;
        guint chosen;
        begin_round(&world, seed, &chosen);
        for (guint i = 0; i < N_DAMAGES; i++) {
            if ((chosen & 1u << i) == 0 || (seen & 1u << i) != 0)
                continue;
            seen |= 1u << i;
            g_assert_false(finds(&world, chosen, false, damages[i].code));
        }
        world_clear(&world);
    }
    g_assert_cmpuint(seen, ==, (1u << N_DAMAGES) - 1);
}

int main(int argc, char **argv)
{
    const GOptionEntry options[] = {
        {"rounds", 0, 0, G_OPTION_ARG_INT, &rounds, "how many", "N"},
        {"from", 0, 0, G_OPTION_ARG_INT, &from, "the first seed", "N"},
        {NULL},
    };
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_option_context_add_main_entries(context, options, NULL);
    g_option_context_set_ignore_unknown_options(context, TRUE);
    g_assert_true(g_option_context_parse(context, &argc, &argv, NULL));
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/damage/any-damage-is-found-repaired-and-put-back",
                    any_damage_is_found_repaired_and_put_back);
    g_test_add_func("/damage/a-damage-that-is-hidden-is-noticed",
                    a_damage_that_is_hidden_is_noticed);
    return g_test_run();
}
