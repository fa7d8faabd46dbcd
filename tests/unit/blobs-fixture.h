/*
 * Two files whose content is kept, and what may happen to their chunks: shared by the tests of
 * bringing content back and of giving it up.
 */
#pragma once

#include "diagnose-fixture.h"
#include "watched-fixture.h"

#include "store/blobs.h"
#include "store/repair-store.h"
#include "store/store-private.h"

#define LARGE "large"
#define SMALL "small"
#define SMALL_TEXT "a short text"
#define LARGE_SIZE (2500u * 1024u) /* three chunks */
#define DAMAGE "this is no chunk"

/* Every step of it is synced, which on a disk that others use takes most of the time; whether it
 * lasts is for other tests. */
static inline void blobs_test_init(int *argc, char ***argv)
{
    g_test_init(argc, argv, NULL);
    if (g_access("/dev/shm", W_OK) == 0)
        g_setenv("TMPDIR", "/dev/shm", FALSE);
    g_assert_true(syncd_crypto_init(NULL));
}

static inline void world_init(World *world)
{
    WorkspaceFixture *w = &world->w;
    g_autofree char *text = text_of(LARGE_SIZE, 'a');
    *world = (World){.unwatched = false};
    workspace_init_keeping(w, KEEP_TWO);
    write_file(w, LARGE, text);
    write_file(w, SMALL, SMALL_TEXT);
    begin(w);
    listen_to(world);
}

/* ---- chunks ---- */

static inline SyncdHash chunk_of(World *world, const char *file, guint64 version, guint number)
{
    g_autoptr(GError) error = NULL;
    g_auto(SyncdContentRow) row = {0};
    SyncdHash name;
    bool found;
    syncd_store_find_content(store_of(&world->w), row_of(&world->w, file).id, version, &row, &found,
                             &error);
    g_assert_no_error(error);
    g_assert_true(found);
    memcpy(name.bytes, (const guint8 *)g_bytes_get_data(row.chunks, NULL) + number * sizeof name,
           sizeof name.bytes);
    return name;
}

static inline char *path_of(World *world, const SyncdHash *name)
{
    g_autofree char *path = syncd_blobs_path(SYNCD_CHUNK_OF_FILE, name);
    return g_build_filename(world->w.f.base.directory, path, NULL);
}

static inline void damage(World *world, const SyncdHash *name)
{
    g_autofree char *path = path_of(world, name);
    write_private(path, DAMAGE, -1);
}

static inline void lose(World *world, const SyncdHash *name)
{
    g_autofree char *path = path_of(world, name);
    g_assert_cmpint(g_remove(path), ==, 0);
}

static inline bool is_damaged(World *world, const SyncdHash *name)
{
    g_autofree char *path = path_of(world, name), *bytes = NULL;
    return g_file_get_contents(path, &bytes, NULL, NULL) && strcmp(bytes, DAMAGE) == 0;
}

static inline bool is_lost(World *world, const SyncdHash *name)
{
    g_autofree char *path = path_of(world, name);
    return !g_file_test(path, G_FILE_TEST_EXISTS);
}

/* What the disk did to a row of the journal; NULL: it is gone. */
static inline void change_row(World *world, const SyncdHash *name, const char *bytes)
{
    g_autoptr(GError) error = NULL;
    SyncdStore *store = store_of(&world->w);
    g_assert_true(bytes != NULL ? syncd_journal_put_content(store->journal, name,
                                                            SYNCD_BYTES_TEXT(bytes), &error)
                                : syncd_journal_drop_content(store->journal, name, &error));
    g_assert_true(syncd_store_commit(store, NULL, &error));
    g_assert_no_error(error);
}

static inline GBytes *row_bytes(World *world, const SyncdHash *name)
{
    g_autoptr(GError) error = NULL;
    GBytes *bytes = NULL;
    g_assert_true(syncd_journal_read_content(store_of(&world->w)->journal, name, &bytes, &error));
    return bytes;
}

/* ---- repairing ---- */

static inline SyncdRepairPlan *begun(World *world)
{
    verify_all(&world->w.f);
    g_assert_true(is_found(&world->w.f, "blob-damaged"));
    SyncdRepairPlan *plan = plan_repair(&world->w.f);
    g_assert_false(syncd_repair_plan_is_destructive(plan));
    approve_repair(&world->w.f, plan);
    begin_repair(&world->w.f, plan);
    return plan;
}

static inline SyncdRepairPlan *applied(World *world)
{
    SyncdRepairPlan *plan = begun(world);
    run_on(world, plan);
    g_assert_cmpstr(syncd_repair_plan_state(plan), ==, "complete");
    return plan;
}

static inline void assert_whole(World *world)
{
    g_autofree char *text = text_of(LARGE_SIZE, 'a');
    assert_kept(&world->w, row_of(&world->w, LARGE).id, 1, text);
    assert_kept(&world->w, row_of(&world->w, SMALL).id, 1, SMALL_TEXT);
    g_assert_cmpuint(findings(&world->w), ==, 0);
    assert_clean(&world->w.f);
}

static inline bool is_snapshot(const char *name)
{
    return g_str_has_suffix(name, ".was") || g_str_has_suffix(name, ".list");
}

static inline guint count_lost(World *world)
{
    g_autoptr(GPtrArray) found = syncd_service_diagnose(world->w.f.service);
    const SyncdFound *lost = find(found, "blob-lost");
    return lost != NULL ? (guint)lost->count : 0;
}

static inline guint snapshots(World *world)
{
    g_autoptr(GPtrArray) names = NULL;
    g_assert_true(syncd_store_list_repair(store_of(&world->w), is_snapshot, &names, NULL));
    return names->len;
}
