/*
 * A store in a directory of its own, with clocks and randomness from a seed: what the tests of the
 * store share.
 */
#pragma once

#include "hurried.h"
#include "store/index-check.h"
#include "store/store.h"
#include "store/verify.h"

#include <glib.h>
#include <glib/gstdio.h>
#include <stdlib.h>

typedef struct {
    SyncdSources sources;
    guint64 now_usec;
    guint64 seed;
    char *directory;
    const char *machine;
    bool holds_index, stands_in;
    SyncdStore *store;
} Fixture;

static inline guint64 fixture_now(void *data)
{
    return ((Fixture *)data)->now_usec += 1000;
}

/* splitmix64: good enough to tell bytes apart, and the same on every run. */
static inline guint64 fixture_next(Fixture *f)
{
    guint64 z = (f->seed += G_GUINT64_CONSTANT(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * G_GUINT64_CONSTANT(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * G_GUINT64_CONSTANT(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static inline void fixture_random(void *data, void *bytes, size_t size)
{
    guint8 *at = bytes;
    for (size_t i = 0; i < size; i++)
        at[i] = (guint8)(fixture_next(data) >> 32);
}

static inline void fixture_open_mode(Fixture *f, SyncdStoreMode mode)
{
    g_autoptr(GError) error = NULL;
    SyncdStoreOptions options = {.directory = f->directory,
                                 .mode = mode,
                                 .sources = &f->sources,
                                 .machine = f->machine,
                                 .holds_index = f->holds_index,
                                 .stands_in = f->stands_in};
    f->store = syncd_store_open(&options, &error);
    g_assert_no_error(error);
    g_assert_nonnull(f->store);
}

static inline void fixture_open(Fixture *f)
{
    fixture_open_mode(f, SYNCD_STORE_CREATE);
}

static inline void fixture_close(Fixture *f)
{
    g_clear_pointer(&f->store, syncd_store_free);
}

static inline void fixture_init(Fixture *f, guint64 seed)
{
    *f = (Fixture){
        .seed = seed, .now_usec = G_GUINT64_CONSTANT(1777939200000000), .machine = "machine-a"};
    f->sources = (SyncdSources){fixture_now, fixture_now, fixture_random, f};
    f->directory = g_dir_make_tmp("syncd-store-XXXXXX", NULL);
    g_assert_nonnull(f->directory);
}

static inline void fixture_remove(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;
    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *child = g_build_filename(path, name, NULL);
        fixture_remove(child);
    }
    g_remove(path);
}

static inline void fixture_clear(Fixture *f)
{
    fixture_close(f);
    fixture_remove(f->directory);
    g_free(f->directory);
}

/* One operation in the open turn. */
static inline SyncdReceipt fixture_append_to(Fixture *f, const char *scope, const char *object,
                                             const char *key, const char *content, size_t size)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *meta =
        key != NULL ? g_strdup_printf("{\"data_class\":\"internal\",\"idempotency_key\":\"%s\","
                                      "\"type\":\"sync.operation.enqueue\"}",
                                      key)
                    : g_strdup("{\"data_class\":\"internal\",\"type\":\"sync.operation.enqueue\"}");
    SyncdReceipt receipt = {0};
    SyncdDraft draft = {
        .kind = "operation.enqueue",
        .actor = "actor-test",
        .object = object,
        .decision = "",
        .engine = "",
        .lane = "normal",
        .schema_id = "sourceos.workspace-operation/v1alpha1",
        .schema_version = 1,
        .idempotency_key = key,
        .meta = SYNCD_BYTES_TEXT(meta),
        .content = SYNCD_BYTES(content, size),
    };
    syncd_store_append(f->store, scope, &draft, &receipt, &error);
    g_assert_no_error(error);
    return receipt;
}

static inline SyncdReceipt fixture_append(Fixture *f, const char *object, const char *key,
                                          const char *content)
{
    return fixture_append_to(f, syncd_store_device_id(f->store), object, key, content,
                             strlen(content));
}

static inline void fixture_commit(Fixture *f)
{
    g_autoptr(GError) error = NULL;
    syncd_store_commit(f->store, NULL, &error);
    g_assert_no_error(error);
}

static inline void fixture_fill(Fixture *f, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        g_autofree char *object = g_strdup_printf("object:%u", i % 7);
        g_autofree char *content = g_strdup_printf("{\"n\":%u}", i);
        SyncdReceipt receipt = fixture_append(f, object, NULL, content);
        syncd_receipt_clear(&receipt);
    }
    fixture_commit(f);
}

/* Runs a verification to its end. */
static inline SyncdVerify *fixture_verify(Fixture *f, SyncdVerifyMode mode,
                                          const char *const *known)
{
    g_autoptr(GError) error = NULL;
    SyncdVerify *verify = syncd_verify_new(f->store, mode, known, &error);
    g_assert_no_error(error);
    bool more = true;
    while (more) {
        syncd_verify_step(verify, &more, &error);
        g_assert_no_error(error);
    }
    return verify;
}

/* Its counters are those of its rows. */
static inline void assert_index_adds_up(SyncdStore *store)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SyncdIndexCheck) check = syncd_index_check_new(store);
    bool more = true;
    while (more && syncd_index_check_step(check, &more, &error))
        ;
    g_assert_no_error(error);
    const GArray *faults = syncd_index_check_faults(check);
    for (guint i = 0; i < faults->len; i++)
        g_error("%s of the index: %d rows are wrong",
                g_array_index(faults, SyncdIndexFault, i).what,
                (int)g_array_index(faults, SyncdIndexFault, i).rows);
}

static inline void fixture_assert_sound(Fixture *f)
{
    g_autoptr(SyncdVerify) verify = fixture_verify(f, SYNCD_VERIFY_FULL, NULL);
    for (guint i = 0; i < syncd_verify_findings(verify)->len; i++) {
        const SyncdVerifyFinding *finding = syncd_verify_findings(verify)->pdata[i];
        g_test_message("%s %s seq %d pos %d: %s", finding->code, finding->feed, (int)finding->seq,
                       (int)finding->pos, finding->detail);
    }
    g_assert_cmpuint(syncd_verify_n_findings(verify), ==, 0);
    g_assert_cmpuint(syncd_verify_checked(verify), ==, syncd_store_sequence(f->store));
}
