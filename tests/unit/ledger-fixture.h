/*
 * Whoever reads evidence by cursor, and what it has: what the tests of evidence share.
 */
#pragma once

#include "domain/attestation.h"
#include "domain/evidence.h"
#include "domain/problems.h"
#include "service-fixture.h"
#include "service/evidence.h"

typedef struct {
    SyncdEvidenceListing asked; /* what it asks for, but for the cursor */
    char *cursor;
    GPtrArray *envelopes; /* char * */
    GPtrArray *subjects;  /* char *: the operations that they are about */
} Ledger;

static inline Ledger ledger_of(const SyncdEvidenceListing *asked)
{
    return (Ledger){*asked, g_strdup(""), g_ptr_array_new_with_free_func(g_free),
                    g_ptr_array_new_with_free_func(g_free)};
}

static inline void ledger_clear(Ledger *ledger)
{
    g_free(ledger->cursor);
    g_ptr_array_unref(ledger->envelopes);
    g_ptr_array_unref(ledger->subjects);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Ledger, ledger_clear)

static inline void ledger_enter(Ledger *ledger, const char *page)
{
    SyncdJsonIter iter;
    SyncdJson envelope;
    syncd_json_iter_init(&iter, syncd_json_root(page, strlen(page)));
    while (syncd_json_iter_next(&iter, NULL, &envelope)) {
        g_ptr_array_add(ledger->envelopes, g_strndup(envelope.at, syncd_json_size(envelope)));
        g_ptr_array_add(ledger->subjects,
                        syncd_json_dup_text(syncd_json_member(envelope, "subject")));
    }
}

/* One page, and the cursor behind it. NULL with an error. */
static inline char *ledger_ask(const Ledger *ledger, ServiceFixture *f, char **ret_cursor,
                               GError **error)
{
    SyncdEvidenceListing listing = ledger->asked;
    listing.cursor = ledger->cursor;
    return syncd_service_list_evidence(f->service, &f->caller, &listing, ret_cursor, error);
}

/* False at the end. */
static inline bool ledger_read(Ledger *ledger, ServiceFixture *f)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *cursor = NULL;
    g_autofree char *page = ledger_ask(ledger, f, &cursor, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(cursor, !=, "");
    ledger_enter(ledger, page);
    bool more = strcmp(cursor, ledger->cursor) != 0;
    g_free(ledger->cursor);
    ledger->cursor = g_steal_pointer(&cursor);
    return more;
}

static inline void ledger_read_all(Ledger *ledger, ServiceFixture *f)
{
    while (ledger_read(ledger, f))
        ;
}

static inline Ledger whole_ledger(ServiceFixture *f)
{
    const SyncdEvidenceListing all = {.limit = 0};
    Ledger ledger = ledger_of(&all);
    ledger_read_all(&ledger, f);
    return ledger;
}

/* The operations of all entries, oldest first, as the index has them. */
static inline GPtrArray *log_operations(ServiceFixture *f)
{
    g_autoptr(GError) error = NULL;
    GPtrArray *operations = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *cursor = g_strdup("");
    do {
        SyncdListing listing = {.cursor = cursor, .order = "oldest"};
        char *next = NULL;
        g_autoptr(GString) lines =
            syncd_service_list_bytes(f->service, &f->caller, &listing, &next, &error);
        g_assert_no_error(error);
        g_free(cursor);
        cursor = next;
        g_auto(GStrv) each = g_strsplit(lines->str, "\n", -1);
        for (guint i = 0; each[i] != NULL && *each[i] != '\0'; i++) {
            SyncdJson header =
                syncd_json_member(syncd_json_root(each[i], strlen(each[i])), "header");
            g_ptr_array_add(operations, syncd_json_dup_text(syncd_json_member(header, "op")));
        }
    } while (*cursor != '\0');
    return operations;
}

static inline bool same_texts(const GPtrArray *one, const GPtrArray *other)
{
    bool same = one->len == other->len;
    for (guint i = 0; same && i < one->len; i++)
        same = strcmp(one->pdata[i], other->pdata[i]) == 0;
    return same;
}

static inline SyncdAttestationKeys *device_keys(ServiceFixture *f)
{
    g_autofree char *description = syncd_service_describe(f->service, &f->caller, NULL);
    SyncdAttestationKeys *keys = syncd_attestation_keys_new();
    g_autofree char *key = syncd_json_dup_text(
        syncd_json_member(syncd_json_root(description, strlen(description)), "attestation_key"));
    g_assert_true(syncd_attestation_keys_add(keys, key, NULL));
    return keys;
}

static inline void assert_valid(const char *envelope, const SyncdAttestationKeys *keys)
{
    g_autoptr(GPtrArray) problems = syncd_problems_new();
    SyncdJson root = syncd_json_root(envelope, strlen(envelope));
    syncd_evidence_check(root, keys, problems);
    if (problems->len > 0)
        g_error("%s: %s", (char *)problems->pdata[0], envelope);
    g_assert_cmpint(syncd_attestation_check(root, keys), ==, SYNCD_ATTESTATION_SIGNED);
}
