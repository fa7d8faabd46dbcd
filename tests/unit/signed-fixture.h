/*
 * An agent with a key, and requests that it signs: what the tests of signatures share.
 */
#pragma once

#include "base/timestamp.h"
#include "crypto/sign.h"
#include "registry-fixture.h"
#include "service/internal.h"

typedef struct {
    ServiceFixture f;
    SyncdSigner *signer;
} Signed;

static inline void register_agent(Signed *s, const char *id, const char *key, const char *more)
{
    g_autofree char *record = g_strdup_printf(
        "{\"actor_id\":\"%s\",\"actor_type\":\"agent\",\"display_name\":\"A\",\"identity_id\":"
        "\"agent:%s\",\"workspace_scope\":[\"workspace:notes\"],\"profile_scope\":[\"*\"],"
        "\"capabilities\":[\"read\",\"write\"],\"trust_level\":\"user\",\"policy_subject\":"
        "\"agent:%s\",\"signing_key_ref\":\"%s\"%s}",
        id, id, id, key, more);
    g_assert_cmpint(register_record(&s->f, "actor", record), ==, -1);
}

static inline void signed_init(Signed *s)
{
    guint8 seed[SYNCD_SIGN_SEED_SIZE] = {1, 2, 3};
    char hex[2 * SYNCD_PUBLIC_KEY_SIZE + 1];
    service_init(&s->f);
    s->signer = syncd_signer_new(seed, NULL);
    g_assert_nonnull(s->signer);
    syncd_hex_encode(syncd_signer_public_key(s->signer)->bytes, SYNCD_PUBLIC_KEY_SIZE, hex);
    g_autofree char *key = g_strconcat("ed25519:", hex, NULL);
    register_agent(s, "agent-1", key, "");
    put(&s->f, "note-0", "{}"); /* opens the scope */
}

static inline void signed_clear(Signed *s)
{
    syncd_signer_free(s->signer);
    service_clear(&s->f);
}

static inline SyncdRequest signed_request(Signed *s)
{
    SyncdRequest request = good_request();
    request.create_scope = false;
    request.idempotency_key = "k-1";
    request.claim =
        (SyncdSigned){.actor = "agent-1", .expires_usec = s->f.base.now_usec + 60 * G_USEC_PER_SEC};
    return request;
}

static inline char *sign(Signed *s, const SyncdRequest *request)
{
    const SyncdBytes parts[] = {
        SYNCD_BYTES_TEXT(request->type),
        SYNCD_BYTES_TEXT(request->scope),
        SYNCD_BYTES_TEXT(request->object),
        request->body,
        SYNCD_BYTES_TEXT(request->lane != NULL ? request->lane : ""),
        SYNCD_BYTES_TEXT(""),
        SYNCD_BYTES_TEXT(""),
        SYNCD_BYTES_TEXT(""),
        SYNCD_BYTES_TEXT(""),
    };
    g_autoptr(GString) statement = syncd_signed_statement(
        syncd_store_device_id(s->f.service->store), &request->claim, "Operations.Enqueue",
        request->idempotency_key, parts, G_N_ELEMENTS(parts));
    SyncdSignature signature = syncd_signer_sign(s->signer, statement->str, statement->len);
    return g_base64_encode(signature.bytes, sizeof signature.bytes);
}

static inline int send(Signed *s, const SyncdRequest *request, SyncdEnqueued *ret_enqueued)
{
    g_autoptr(GError) error = NULL;
    bool done = syncd_service_enqueue(s->f.service, &s->f.caller, request, ret_enqueued, &error);
    if (!done)
        g_test_message("%s", error->message);
    syncd_service_commit(s->f.service);
    return done ? -1 : error->code;
}

static inline int try(Signed *s, const SyncdRequest *request)
{
    g_auto(SyncdEnqueued) enqueued = {0};
    return send(s, request, &enqueued);
}
