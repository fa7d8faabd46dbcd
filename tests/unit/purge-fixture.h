/*
 * An object that is deleted and purged, entry by entry, and what is left of it in files: what the
 * tests of purges share.
 */
#pragma once

#include "base/bytes.h"
#include "store-fixture.h"
#include "store/purge.h"

#include <string.h>

/* Whether the bytes are in the file, or in a file below the folder; which one is told. */
static inline bool files_hold(const char *path, SyncdBytes bytes)
{
    g_autofree char *text = NULL;
    size_t size;
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;
    if (dir == NULL) {
        bool holds = g_file_get_contents(path, &text, &size, NULL) &&
                     memmem(text, size, bytes.data, bytes.size) != NULL;
        if (holds)
            g_test_message("%s holds it", path);
        return holds;
    }
    bool any = false;
    while ((name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *child = g_build_filename(path, name, NULL);
        any |= files_hold(child, bytes);
    }
    return any;
}

static inline bool state_holds(const Fixture *f, const char *marker)
{
    return files_hold(f->directory, SYNCD_BYTES_TEXT(marker));
}

/* An entry about the deletion of an object. */
static inline bool fixture_append_deletion(Fixture *f, const char *scope, const char *kind,
                                           const char *object, const char *content,
                                           SyncdReceipt *ret_receipt, GError **error)
{
    SyncdDraft draft = {
        .kind = kind,
        .actor = "actor-test",
        .object = object,
        .decision = "policy-0000000000000000",
        .engine = "",
        .lane = "tombstone",
        .schema_id = "sourceos.deletion/v1",
        .schema_version = 1,
        .meta = SYNCD_BYTES_TEXT("{}"),
        .content = SYNCD_BYTES_TEXT(content),
    };
    return syncd_store_append(f->store, scope, &draft, ret_receipt, error);
}

/* Part of the turn. */
static inline bool fixture_delete(Fixture *f, const char *scope, const char *object, GError **error)
{
    static const char *const kinds[] = {"operation.enqueue", "deletion.authorised",
                                        "tombstone.apply", "deletion.propagated",
                                        "deletion.hidden"};
    g_autofree char *content =
        g_strdup_printf("{\"object_id\":\"%s\",\"scope_id\":\"%s\"}", object, scope);
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        g_auto(SyncdReceipt) receipt = {0};
        if (!fixture_append_deletion(f, scope, kinds[i], object, content, &receipt, error))
            return false;
    }
    return true;
}

static inline char *purge_content(const SyncdPurgeable *purgeable, const char *scope,
                                  const char *object)
{
    GString *text = g_string_new(NULL);
    g_string_printf(text, "{\"object_id\":\"%s\",\"scope_id\":\"%s\",\"entries\":[", object, scope);
    for (guint i = 0; i < purgeable->entries->len; i++) {
        const SyncdPurgedEntry *entry = purgeable->entries->pdata[i];
        g_string_append_printf(text, "%s{\"operation\":\"%s\"", i > 0 ? "," : "", entry->op);
        if (entry->state != NULL)
            g_string_append_printf(text, ",\"state\":\"%s\"", entry->state);
        g_string_append_c(text, '}');
    }
    g_string_append(text, "]}");
    return g_string_free(text, FALSE);
}

/* `ret_steps` NULL: however many it takes. */
static inline SyncdPurgeable *fixture_find_purgeable(Fixture *f, const char *scope,
                                                     const char *object, guint *ret_steps,
                                                     GError **error)
{
    g_autoptr(SyncdPurgeSearch) search = syncd_store_begin_purge_search(f->store, scope, object);
    guint steps = 0;
    for (bool more = true; more; steps++)
        if (!syncd_purge_search_step(search, &more, error))
            return NULL;
    if (ret_steps != NULL)
        *ret_steps = steps;
    return syncd_purge_search_take(search);
}

static inline bool scrub_all(SyncdStore *store, const char *scope, GPtrArray *chunks,
                             SyncdScrubbed *ret_scrubbed, GError **error)
{
    g_autoptr(SyncdScrub) scrub = syncd_store_begin_scrub(store, scope, chunks);
    for (bool more = true; more;)
        if (!syncd_scrub_step(scrub, &more, error))
            return false;
    *ret_scrubbed = syncd_scrub_result(scrub, 0);
    return true;
}

/* The entry and what it takes, as part of the turn. */
static inline bool fixture_purge(Fixture *f, const char *scope, const char *object,
                                 SyncdPurgeable **ret_purgeable, GError **error)
{
    g_auto(SyncdReceipt) receipt = {0};
    g_autoptr(SyncdPurgeable) purgeable = fixture_find_purgeable(f, scope, object, NULL, error);
    if (purgeable == NULL)
        return false;
    g_autofree char *content = purge_content(purgeable, scope, object);
    if (!fixture_append_deletion(f, scope, "deletion.purged", object, content, &receipt, error) ||
        !syncd_store_purge(f->store, purgeable, receipt.pos, error))
        return false;
    *ret_purgeable = g_steal_pointer(&purgeable);
    return true;
}
