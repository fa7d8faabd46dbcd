/*
 * A log that a crash left, and that loses its end then: what is there at the open, adopting it, and
 * going on; what the tests of that share.
 */
#pragma once

#include "store-fixture.h"
#include "store/database-private.h"
#include "store/journal-private.h"
#include "store/store-private.h"

#include <string.h>

#define FIRST 36u
#define MORE 5u

typedef struct {
    Fixture f;
    char *crashed;     /* a copy of the directory, as a power cut would leave it */
    guint64 committed; /* entries in it */
} World;

static inline char *place(const Fixture *f, const char *name)
{
    return g_build_filename(f->directory, name, NULL);
}

static inline bool has(const Fixture *f, const char *name)
{
    g_autofree char *path = place(f, name);
    return g_file_test(path, G_FILE_TEST_EXISTS);
}

static inline void forget(const Fixture *f, const char *name)
{
    g_autofree char *path = place(f, name);
    g_remove(path);
}

static inline void copy_directory(const char *from, const char *to)
{
    g_autofree char *command = g_strdup_printf("cp -a '%s' '%s'", from, to);
    fixture_remove(to);
    g_assert_cmpint(system(command), ==, 0);
}

static inline void settle(Fixture *f)
{
    g_autoptr(GError) error = NULL;
    g_assert_true(syncd_store_settle(f->store, &error));
    g_assert_no_error(error);
}

static inline void verify_sound(Fixture *f, SyncdVerifyMode mode)
{
    g_autoptr(SyncdVerify) verify = fixture_verify(f, mode, NULL);
    g_assert_cmpuint(syncd_verify_n_findings(verify), ==, 0);
}

/* Entries in the database, and more in its WAL, all of them in the index. The world goes on with
 * what a crash left. */
static inline void begin(World *w, guint64 seed, bool verified)
{
    fixture_init(&w->f, seed);
    fixture_open(&w->f);
    fixture_fill(&w->f, FIRST);
    fixture_close(&w->f);
    fixture_open(&w->f);
    fixture_fill(&w->f, MORE);
    settle(&w->f);
    if (verified)
        verify_sound(&w->f, SYNCD_VERIFY_INCREMENTAL);
    w->committed = syncd_store_sequence(w->f.store);
    w->crashed = g_strconcat(w->f.directory, "-crashed", NULL);
    copy_directory(w->f.directory, w->crashed);
    fixture_close(&w->f);
    fixture_remove(w->f.directory);
    copy_directory(w->crashed, w->f.directory);
    g_assert_true(has(&w->f, "journal.db-wal"));
}

static inline void end(World *w)
{
    fixture_clear(&w->f);
    fixture_remove(w->crashed);
    g_free(w->crashed);
}

static inline void expect(World *w, SyncdStoreCondition condition)
{
    fixture_open_mode(&w->f, SYNCD_STORE_OPEN);
    g_assert_cmpstr(syncd_store_condition_name(syncd_store_condition(w->f.store)), ==,
                    syncd_store_condition_name(condition));
    g_assert_true((syncd_store_rollback(w->f.store) != NULL) ==
                  (condition == SYNCD_STORE_ROLLED_BACK));
}

static inline void refuses_to_write(World *w)
{
    g_autoptr(GError) error = NULL;
    g_assert_false(syncd_store_may_write(w->f.store, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_FEED_ROLLBACK);
    g_assert_nonnull(strstr(error->message, "store adopt"));
}

static inline void expect_missing(World *w, const char *evidence, guint64 n)
{
    const SyncdRollback *rollback = syncd_store_rollback(w->f.store);
    g_autoptr(GPtrArray) feeds = syncd_store_feeds_rolled_back(w->f.store);
    g_assert_cmpstr(rollback->evidence, ==, evidence);
    g_assert_cmpuint(rollback->known, ==, w->committed);
    g_assert_cmpuint(syncd_store_n_rolled_back(w->f.store), ==, n);
    g_assert_cmpuint(feeds->len, ==, 1);
    g_assert_nonnull(strstr(feeds->pdata[0], syncd_store_device_id(w->f.store)));
}

/* It is read-only, it can be read, and it stays so however often it is opened. */
static inline void stays(World *w, const char *evidence, guint64 n)
{
    for (unsigned i = 0; i < 3; i++) {
        g_auto(SyncdEntry) entry = {0};
        guint64 pos = 0;
        w->f.holds_index = i == 1; /* as the daemon opens it */
        expect(w, SYNCD_STORE_ROLLED_BACK);
        expect_missing(w, evidence, n);
        refuses_to_write(w);
        settle(&w->f);
        guint64 last = syncd_store_sequence(w->f.store);
        g_assert_cmpuint(last, ==, w->committed - n);
        g_assert_true(syncd_store_read(w->f.store, last, &entry, NULL));
        g_autofree char *op = syncd_bytes_dup(entry.header.op);
        g_assert_true(syncd_store_find_op(w->f.store, op, &pos, NULL));
        g_assert_cmpuint(pos, ==, last);
        g_autoptr(SyncdVerify) verify = fixture_verify(&w->f, SYNCD_VERIFY_FULL, NULL);
        g_assert_cmpuint(syncd_verify_n_findings(verify), ==, 1);
        const SyncdVerifyFinding *finding = syncd_verify_findings(verify)->pdata[0];
        g_assert_cmpstr(finding->code, ==, "rollback");
        g_clear_pointer(&verify, syncd_verify_free);
        fixture_close(&w->f);
        g_assert_true(has(&w->f, "rolled-back.json"));
    }
    w->f.holds_index = false;
}

static inline void adopt(World *w)
{
    g_autoptr(GError) error = NULL;
    expect(w, SYNCD_STORE_ROLLED_BACK);
    g_assert_true(syncd_store_adopt(w->f.store, "actor-test", &error));
    g_assert_no_error(error);
}

/* In the next epoch, and no place is used twice. */
static inline void goes_on(World *w, guint64 epoch)
{
    g_autoptr(SyncdHead) head =
        syncd_store_head(w->f.store, syncd_store_device_id(w->f.store), NULL);
    g_assert_cmpuint(head->epoch, ==, epoch);
    fixture_fill(&w->f, 2);
    verify_sound(&w->f, SYNCD_VERIFY_FULL);
    fixture_close(&w->f);
    g_assert_false(has(&w->f, "rolled-back.json"));
    expect(w, SYNCD_STORE_WRITABLE);
    verify_sound(&w->f, SYNCD_VERIFY_INCREMENTAL);
    fixture_close(&w->f);
}
