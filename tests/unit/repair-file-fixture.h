/*
 * A file of a workspace is rotten, and a plan repairs it one way or the other: what the tests of
 * such repairs share.
 */
#pragma once

#include "watched-fixture.h"

#include "store/repair-store.h"

static inline void world_init_keeping(World *world, const char *keep)
{
    *world = (World){.unwatched = false};
    one_is_rotten(&world->w, keep);
    listen_to(world);
}

static inline void world_init(World *world)
{
    world_init_keeping(world, KEEP_TWO);
}

static inline char *rotten_id(World *world)
{
    g_autoptr(GError) error = NULL;
    char id[SYNCD_FILE_ID_SIZE];
    SyncdFileRow row = row_of(&world->w, ROTTEN);
    syncd_store_file_id(store_of(&world->w), row.id, id, &error);
    g_assert_no_error(error);
    return g_strdup(id);
}

static inline SyncdRepairPlan *plan_for(World *world, bool accepts, GError **error)
{
    SyncdRepairPlan *plan = NULL;
    g_autofree char *id = rotten_id(world);
    const char *const ids[] = {id, NULL};
    const SyncdRepairRequest request = {.accept = accepts ? ids : NULL};
    syncd_service_plan_repair(world->w.f.service, &world->w.f.caller, &request, &plan, error);
    return plan;
}

static inline SyncdRepairPlan *begun(World *world, bool accepts)
{
    g_autoptr(GError) error = NULL;
    SyncdRepairPlan *plan = plan_for(world, accepts, &error);
    g_assert_no_error(error);
    approve_repair(&world->w.f, plan);
    begin_repair(&world->w.f, plan);
    return plan;
}

static inline SyncdRepairPlan *applied(World *world, bool accepts)
{
    SyncdRepairPlan *plan = begun(world, accepts);
    run_on(world, plan);
    g_assert_cmpstr(syncd_repair_plan_state(plan), ==, "complete");
    return plan;
}

static inline void assert_content(World *world, const char *name, const char *expected)
{
    g_autofree char *path = path_in(&world->w, name), *content = NULL;
    g_assert_true(g_file_get_contents(path, &content, NULL, NULL));
    g_assert_cmpstr(content, ==, expected);
}

static inline bool is_tidy(World *world)
{
    g_autofree char *path = path_in(&world->w, "folder");
    g_autoptr(GDir) folder = g_dir_open(path, 0, NULL);
    guint n = 0;
    while (g_dir_read_name(folder) != NULL)
        n++;
    return n == 1;
}

static inline bool is_snapshot(const char *name)
{
    return g_str_has_suffix(name, ".bytes");
}

/* Of files that were repaired: what is kept so that it can be taken back. */
static inline guint snapshots(World *world)
{
    g_autoptr(GPtrArray) names = NULL;
    g_assert_true(syncd_store_list_repair(store_of(&world->w), is_snapshot, &names, NULL));
    return names->len;
}
