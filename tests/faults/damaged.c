#include "damaged.h"

#include "../unit/owners-fixture.h"
#include "../unit/task-fixture.h"

#include "service/internal.h"
#include "service/runtime.h"
#include "store/rescue.h"
#include "store/rollback.h"

#include <string.h>

#define LARGE_SIZE (100u * 1024u)
#define TILE_PART (32u / DAMAGED_PUBLIC) /* that all make a tile, at least */
#define GONE_SCOPE "public:gone"

guint damaged_pick(Damaged *world, guint n)
{
    return (guint)g_rand_int_range(world->rand, 0, (gint32)n);
}

char *damaged_path(const Damaged *world, const char *name)
{
    return g_build_filename(world->f->base.directory, name, NULL);
}

/* ---- a daemon ---- */

/* So full that something has to be purged, though a repair has room. */
static void full_disk(const char *state, SyncdOutside *outside)
{
    outside->total_bytes = 100000000000;
    outside->free_bytes = 4000000000;
}

static const SyncdPlaces full = {"/proc", "/sys/fs/cgroup", 0, full_disk};

void damaged_fill_disk(Damaged *world)
{
    world->full = true;
    syncd_service_set_places(world->f->service, &full);
}

bool damaged_is_doubted(const Damaged *world)
{
    return syncd_store_rollback(world->f->service->store) != NULL;
}

static bool may_be_watched(const Damaged *world)
{
    const SyncdStore *store = world->f->service->store;
    return syncd_store_unreadable(store) == NULL && !syncd_store_lacks_index(store) &&
           !damaged_is_doubted(world);
}

void damaged_open(Damaged *world)
{
    const SyncdProcess process = {.pid = 41, .boot = "boot-a", .machine = "machine-a"};
    world->f->base.holds_index = world->f->base.stands_in = true;
    service_open(world->f);
    if (world->full)
        damaged_fill_disk(world);
    syncd_service_begin_run(world->f->service, &process);
    /* Where there is no journal nobody asks. */
    world->dirty_found = is_found(world->f, "dirty-open") ||
                         syncd_store_unreadable(world->f->service->store) != NULL;
    listen_to(&world->watched);
}

bool damaged_adopt(Damaged *world)
{
    g_autoptr(GError) error = NULL;
    SyncdStore *store = world->f->service->store;
    if (syncd_store_condition(store) != SYNCD_STORE_ROLLED_BACK)
        return false;
    syncd_store_adopt(store, "actor-test", &error);
    g_assert_no_error(error);
    damaged_rest(world);
    return true;
}

void damaged_turn(Damaged *world)
{
    ServiceFixture *f = world->f;
    if (world->watched.w.workspace == NULL && may_be_watched(world))
        begin(&world->watched.w);
    if (world->watched.w.workspace != NULL)
        turn(&world->watched);
    else if (syncd_service_has_turn(f->service))
        syncd_service_commit(f->service);
    else if (!syncd_service_work(f->service))
        f->base.now_usec += G_USEC_PER_SEC / 10;
}

void damaged_rest(Damaged *world)
{
    WorkspaceFixture *w = &world->watched.w;
    rest(world->f);
    if (w->workspace == NULL && may_be_watched(world))
        begin(w);
    while (w->workspace != NULL && (step_workspace(w, 0) || standing_of(w).waiting > 0))
        ;
    rest(world->f);
}

void damaged_close(Damaged *world)
{
    if (world->watched.w.workspace != NULL)
        end_workspace(&world->watched.w);
    service_close(world->f);
}

/* With links and owners as they are. */
static void copy_state(const char *from, const char *to)
{
    g_autofree char *all = g_build_filename(from, ".", NULL);
    const char *const copy[] = {"cp", "-a", "--", all, to, NULL};
    int status = -1;
    g_assert_true(g_spawn_sync(NULL, (char **)copy, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL,
                               NULL, &status, NULL));
    g_assert_cmpint(status, ==, 0);
}

/* As its files are at this moment they stay. */
void damaged_kill(Damaged *world)
{
    const char *state = world->f->base.directory;
    g_autofree char *copy = g_dir_make_tmp("syncd-store-XXXXXX", NULL);
    copy_state(state, copy);
    damaged_close(world);
    fixture_remove(state);
    g_assert_cmpint(g_rename(copy, state), ==, 0);
    world->dirty = true;
    damaged_open(world);
}

/* ---- a state ---- */

static void put_in(Damaged *world, const char *scope, const char *body)
{
    SyncdRequest request = good_request();
    request.scope = scope;
    request.body = SYNCD_BYTES_TEXT(body);
    g_free(enqueue_committed(world->f, &request));
}

static void put_public(Damaged *world, guint i)
{
    g_autofree char *body = g_strdup_printf("{\"x\":\"" DAMAGED_MARKER "%u\"}", i);
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

/* It is deleted, and nothing keeps it. */
static void put_gone(Damaged *world)
{
    SyncdRequest request = good_request();
    request.scope = GONE_SCOPE;
    request.object = DAMAGED_GONE;
    request.body = SYNCD_BYTES_TEXT("{\"x\":\"" DAMAGED_GONE_MARKER "\"}");
    g_autofree char *operation = enqueue_committed(world->f, &request),
                    *lease = claim_operation(world->f, operation);
    complete(world->f, lease);
    request.lane = "tombstone";
    request.body = SYNCD_BYTES_TEXT("{}");
    g_free(enqueue_committed(world->f, &request));
}

static char *find_scope_key(Damaged *world, const char *class, const char *name)
{
    const char *file;
    g_autoptr(SyncdScope) scope = NULL;
    syncd_store_find_scope(world->f->service->store, class, name, &scope, NULL);
    g_assert_nonnull(scope);
    g_autofree char *folder = damaged_path(world, "keys"),
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
    write_file(w, DAMAGED_LARGE_FILE, text);
}

void damaged_init(Damaged *world, guint32 seed)
{
    *world = (Damaged){.rand = g_rand_new_with_seed(seed), .f = &world->watched.w.f};
    make_files(world);
    damaged_close(world);
    damaged_open(world);
    damaged_rest(world);
    for (guint i = 0; i < DAMAGED_PUBLIC; i++) {
        put_public(world, i);
        for (guint j = TILE_PART + damaged_pick(world, 20); j > 0; j--)
            put(world->f, "note-1", "{}");
        g_free(claim(world->f, NULL));
    }
    put_large(world);
    put_in(world, "workspace:far", "{}");
    put_gone(world);
    damaged_rest(world);
    world->far_key = find_scope_key(world, "workspace", "far");
    world->chunk = chunk_of(world, DAMAGED_LARGE_FILE);
}

void damaged_clear(Damaged *world)
{
    workspace_clear(&world->watched.w);
    if (world->without_right)
        set_right(true);
    g_rand_free(world->rand);
    g_free(world->mode_of);
    g_free(world->owner_of);
    g_free(world->half);
    g_free(world->stuck);
    g_free(world->accepted);
    g_free(world->far_key);
}
