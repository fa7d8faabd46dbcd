/*
 * A log of two feeds that is damaged and mended, and what must be so of it then: what the tests of
 * mending share.
 */
#pragma once

#include "raw-sql.h"
#include "store-fixture.h"
#include "store/mend-private.h"

#include <string.h>

typedef struct {
    Fixture f;
    char *journal;
    GPtrArray *texts; /* header and content of every entry, as they were */
    GPtrArray *notes; /* of all heads */
} Mending;

/* ---- the log ---- */

static inline char *read_all(SyncdStore *store, guint64 pos)
{
    g_auto(SyncdEntry) entry = {0};
    g_auto(SyncdBody) body = {0};
    g_autoptr(GError) error = NULL;
    if (!syncd_store_read(store, pos, &entry, &error))
        return g_strdup("unreadable");
    if (!syncd_store_read_body(store, &entry, &body, &error))
        return g_strconcat(entry.text, "\n", NULL);
    return g_strconcat(entry.text, "\n", body.meta, "\n", body.content, NULL);
}

static inline void remember(Mending *m)
{
    g_ptr_array_set_size(m->texts, 0);
    g_ptr_array_set_size(m->notes, 0);
    for (guint64 pos = 1; pos <= syncd_store_sequence(m->f.store); pos++)
        g_ptr_array_add(m->texts, read_all(m->f.store, pos));
    g_autoptr(GPtrArray) heads = syncd_store_heads(m->f.store);
    for (guint i = 0; i < heads->len; i++)
        g_ptr_array_add(m->notes, g_strdup(((SyncdHead *)heads->pdata[i])->note));
}

static inline void fill(Mending *m, unsigned n)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SyncdScope) scope = NULL;
    syncd_store_settle(m->f.store, &error);
    g_assert_no_error(error);
    syncd_store_find_scope(m->f.store, "public", "p", &scope, &error);
    g_assert_no_error(error);
    if (scope == NULL)
        syncd_store_open_scope(m->f.store, "public", "p", "actor-test", &scope, &error);
    g_assert_no_error(error);
    for (unsigned i = 0; i < n; i++) {
        g_autofree char *content = g_strdup_printf("{\"n\":%u}", i);
        SyncdReceipt receipt =
            fixture_append_to(&m->f, i % 3 == 0 ? scope->id : syncd_store_device_id(m->f.store),
                              "object:1", NULL, content, strlen(content));
        syncd_receipt_clear(&receipt);
        if (syncd_store_turn_is_full(m->f.store))
            fixture_commit(&m->f);
    }
    fixture_commit(&m->f);
}

static inline void prepare(Mending *m, unsigned n)
{
    g_autoptr(GError) error = NULL;
    fixture_init(&m->f, 17);
    m->texts = g_ptr_array_new_with_free_func(g_free);
    m->notes = g_ptr_array_new_with_free_func(g_free);
    m->journal = g_build_filename(m->f.directory, "journal.db", NULL);
    fixture_open(&m->f);
    fill(m, n);
    syncd_store_keep_head(m->f.store, syncd_store_device_id(m->f.store), "checkpoint.write",
                          &error);
    g_assert_no_error(error);
    remember(m);
}

static inline void finish(Mending *m)
{
    g_ptr_array_unref(m->texts);
    g_ptr_array_unref(m->notes);
    g_free(m->journal);
    fixture_clear(&m->f);
}

/* ---- damage ---- */

static inline void damage(Mending *m, const char *sql)
{
    fixture_close(&m->f);
    forge_raw(m->journal, sql);
    fixture_open_mode(&m->f, SYNCD_STORE_OPEN);
}

/* ---- mending ---- */

static inline SyncdMend *examine(Mending *m)
{
    g_autoptr(GError) error = NULL;
    SyncdMend *mend = syncd_mend_new(m->f.store, &error);
    g_assert_no_error(error);
    for (bool more = true; more;) {
        syncd_mend_examine(mend, &more, &error);
        g_assert_no_error(error);
    }
    for (guint i = 0; i < syncd_mend_items(mend)->len; i++) {
        const SyncdMendItem *item = syncd_mend_items(mend)->pdata[i];
        g_test_message("%s %d %s seq %d pos %d %s", item->what, item->outcome, item->feed,
                       (int)item->seq, (int)item->pos, item->source);
    }
    return mend;
}

static inline void build_and_switch(SyncdMend *mend)
{
    g_autoptr(GError) error = NULL;
    for (bool more = true; more;) {
        syncd_mend_build(mend, &more, &error);
        g_assert_no_error(error);
    }
    syncd_mend_switch(mend, &error);
    g_assert_no_error(error);
}

static inline void assert_heads(const Mending *m)
{
    g_autoptr(GPtrArray) heads = syncd_store_heads(m->f.store);
    g_assert_cmpuint(heads->len, ==, m->notes->len);
    for (guint i = 0; i < heads->len; i++)
        g_assert_cmpstr(((SyncdHead *)heads->pdata[i])->note, ==, m->notes->pdata[i]);
}

static inline void assert_losses(Mending *m, guint64 n)
{
    g_autoptr(SyncdVerify) verify = fixture_verify(&m->f, SYNCD_VERIFY_FULL, NULL);
    for (guint i = 0; i < syncd_verify_findings(verify)->len; i++) {
        const SyncdVerifyFinding *finding = syncd_verify_findings(verify)->pdata[i];
        g_test_message("%s %s: %s", finding->code, finding->feed, finding->detail);
    }
    g_assert_cmpuint(syncd_verify_n_findings(verify), ==, 0);
    g_assert_cmpuint(syncd_verify_n_losses(verify), ==, n);
}

/* All is as it was. */
static inline void assert_whole(Mending *m)
{
    assert_heads(m);
    for (guint i = 0; i < m->texts->len; i++) {
        g_autofree char *now = read_all(m->f.store, i + 1);
        g_assert_cmpstr(now, ==, m->texts->pdata[i]);
    }
    assert_losses(m, 0);
}

static inline void assert_goes_on(Mending *m)
{
    fill(m, 40);
    fixture_assert_sound(&m->f);
    fixture_close(&m->f);
    fixture_open_mode(&m->f, SYNCD_STORE_OPEN);
    g_assert_cmpint(syncd_store_condition(m->f.store), ==, SYNCD_STORE_WRITABLE);
    fixture_assert_sound(&m->f);
}

/* A generation without damage before it: what the next one can be refilled from. */
static inline void make_earlier_generation(Mending *m)
{
    g_autoptr(SyncdMend) mend = examine(m);
    g_assert_false(syncd_mend_is_needed(mend));
    build_and_switch(mend);
}
