/*
 * One bad sector: each page of a journal in turn is nothing but zeros. What SQLite says of the file
 * a verification says as well; what is found has a plan, which is carried out, and then the log is
 * sound, goes on, and has every entry that is not named as lost.
 */
#include "diagnose-fixture.h"
#include "hurried.h"
#include "purge-service-fixture.h"
#include "repair-fixture.h"
#include "service/damage.h"
#include "service/internal.h"
#include "store/journal-private.h"

#include <sqlite3.h>

#define PAGE 4096u
#define OPERATIONS 60u
#define INTERIOR_OF_TABLE 5
#define LEAF_OF_TABLE 13
/* Of those that are free. */
#define FREE_PAGES                                                                                 \
    "INSERT INTO content (name, bytes) VALUES (zeroblob(32), zeroblob(20000));"                    \
    "DELETE FROM content WHERE name = zeroblob(32)"

typedef struct {
    ServiceFixture f;
    char *base;       /* the state as it was */
    GPtrArray *texts; /* of its entries: header and content */
    guint pages;
    guint beyond;  /* so many could not be mended */
    bool has_rows; /* the page that is zeroed, or it led to rows: they may be nowhere else */
} World;

static char *read_all(SyncdStore *store, guint64 pos)
{
    g_auto(SyncdEntry) entry = {0};
    g_auto(SyncdBody) body = {0};
    if (!syncd_store_read(store, pos, &entry, NULL))
        return g_strdup("unreadable");
    if (!syncd_store_read_body(store, &entry, &body, NULL))
        return g_strconcat(entry.text, "\n", NULL);
    return g_strconcat(entry.text, "\n", body.meta, "\n", body.content, NULL);
}

static void copy(const char *from, const char *to)
{
    g_autofree char *command = g_strdup_printf("cp -a '%s' '%s'", from, to);
    g_assert_cmpint(system(command), ==, 0);
}

static sqlite3 *open_file(const char *path)
{
    sqlite3 *db;
    g_assert_cmpint(sqlite3_open(path, &db), ==, SQLITE_OK);
    return db;
}

static void leave_free_pages(const char *journal)
{
    sqlite3 *db = open_file(journal);
    g_assert_cmpint(sqlite3_exec(db, FREE_PAGES, NULL, NULL, NULL), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_close(db), ==, SQLITE_OK);
}

static void begin_world(World *w)
{
    ServiceFixture *f = &w->f;
    *w = (World){.texts = g_ptr_array_new_with_free_func(g_free)};
    repair_init(f);
    f->base.stands_in = true;
    g_free(put_note(f));
    put_many(f, 2, OPERATIONS);
    delete_note(f);
    g_free(purge(f));
    finish(f);
    for (guint64 pos = 1; pos <= service_sequence(f); pos++)
        g_ptr_array_add(w->texts, read_all(f->service->store, pos));
    service_close(f);
    g_autofree char *journal = state_path(f, "journal.db"), *bytes = NULL;
    leave_free_pages(journal);
    gsize size;
    g_assert_true(g_file_get_contents(journal, &bytes, &size, NULL));
    w->pages = (guint)(size / PAGE);
    w->base = g_strconcat(f->base.directory, "-base", NULL);
    copy(f->base.directory, w->base);
}

static void end_world(World *w)
{
    fixture_remove(w->base);
    g_free(w->base);
    g_ptr_array_unref(w->texts);
    fixture_clear(&w->f.base);
}

/* As SQLite says of a copy. */
static bool is_malformed(World *w)
{
    g_autofree char *looked_at = g_strconcat(w->base, "-looked-at", NULL),
                    *journal = state_path(&w->f, "journal.db");
    sqlite3_stmt *rows = NULL;
    copy(journal, looked_at);
    sqlite3 *db = open_file(looked_at);
    bool sound = sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &rows, NULL) == SQLITE_OK &&
                 sqlite3_step(rows) == SQLITE_ROW &&
                 strcmp((const char *)sqlite3_column_text(rows, 0), "ok") == 0;
    sqlite3_finalize(rows);
    sqlite3_close(db);
    g_unlink(looked_at);
    return !sound;
}

static void zero(World *w, guint page)
{
    gsize size;
    fixture_remove(w->f.base.directory);
    copy(w->base, w->f.base.directory);
    g_autofree char *bytes = state_read(&w->f, "journal.db", &size);
    w->has_rows = bytes[page * PAGE] == LEAF_OF_TABLE || bytes[page * PAGE] == INTERIOR_OF_TABLE;
    memset(bytes + page * PAGE, 0, PAGE);
    state_write(&w->f, "journal.db", bytes, (gssize)size);
}

/* NULL: none can be made, as what stands in for an entry needs its hash, and what is read by it
 * needs the first of a feed. */
static SyncdRepairPlan *plan_what_there_is(World *w)
{
    ServiceFixture *f = &w->f;
    g_autoptr(GError) error = NULL;
    SyncdRepairPlan *plan = NULL;
    if (syncd_service_plan_repair(f->service, &f->caller, NULL, &plan, &error))
        return approve_repair(f, plan);
    g_test_message("no plan: %s", error->message);
    g_assert_true(w->has_rows);
    g_assert_true(strstr(error->message, "not even the hash is known") != NULL ||
                  strstr(error->message, "The first entry of the feed") != NULL);
    return NULL;
}

/* What is written meanwhile may be the first to meet more of the damage: then one plans again.
 * False: there is no plan. */
static bool mend(World *w)
{
    ServiceFixture *f = &w->f;
    g_autoptr(GError) error = NULL;
    SyncdJob *job = NULL;
    SyncdRepairPlan *plan = plan_what_there_is(w);
    if (plan != NULL && !syncd_service_apply_repair(f->service, &f->caller, plan,
                                                    syncd_repair_plan_digest(plan), &job, &error)) {
        g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_PLAN_STALE);
        plan = plan_what_there_is(w);
        job = plan != NULL ? begin_repair(f, plan) : NULL;
    }
    if (plan == NULL)
        return false;
    run_jobs(f);
    if (strcmp(syncd_repair_plan_state(plan), "complete") != 0)
        g_test_message("%s", syncd_job_state(job));
    g_assert_cmpstr(syncd_repair_plan_state(plan), ==, "complete");
    return true;
}

static bool is_lost(World *w, gint64 pos)
{
    const GPtrArray *losses = syncd_service_losses(w->f.service);
    for (guint i = 0; i < losses->len; i++)
        if (((const SyncdVerifyFinding *)losses->pdata[i])->pos == pos)
            return true;
    return false;
}

/* Gives how many are lost: all others are as they were. */
static guint compare(World *w)
{
    guint lost = 0;
    for (guint i = 0; i < w->texts->len; i++) {
        g_autofree char *now = read_all(w->f.service->store, i + 1);
        bool gone = is_lost(w, i + 1);
        lost += gone;
        if (!gone)
            g_assert_cmpstr(now, ==, w->texts->pdata[i]);
    }
    return lost;
}

static void try_page(World *w, guint page)
{
    ServiceFixture *f = &w->f;
    zero(w, page);
    bool malformed = is_malformed(w);
    repair_open(f, NULL);
    bool readable = syncd_store_unreadable(f->service->store) == NULL;
    if (readable)
        verify_all(f);
    g_autoptr(GPtrArray) found = syncd_service_diagnose(f->service);
    g_test_message("page %u: %s, %s, %u found", page, malformed ? "malformed" : "well",
                   readable ? "readable" : "unreadable", found->len);
    g_assert_cmpint(malformed, ==, found->len > 0);
    if (found->len == 0 || mend(w)) {
        verify_all(f);
        g_assert_false(syncd_service_is_damaged(f->service));
        guint lost = compare(w);
        g_assert_true(lost == 0 || w->has_rows);
        put(f, "note-after", "{}");
        service_close(f);
        g_assert_false(is_malformed(w));
    } else {
        service_close(f);
        w->beyond++;
    }
}

static void each_page_is_mended(void)
{
    World w;
    begin_world(&w);
    for (guint page = 0; page < w.pages; page += is_hurried() ? 3 : 1)
        try_page(&w, page);
    g_assert_cmpuint(w.beyond, <, w.pages / 4);
    end_world(&w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/repair-pages/each-page-is-mended", each_page_is_mended);
    return g_test_run();
}
