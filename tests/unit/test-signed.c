/*
 * Whoever signs with a registered agent's key is that agent, for exactly the bytes that were
 * signed, once, in this instance and in time; nobody else is.
 */
#include "signed-fixture.h"

static void who_signs_is_the_agent(void)
{
    Signed s;
    signed_init(&s);
    SyncdRequest request = signed_request(&s);
    g_autofree char *signature = sign(&s, &request);
    request.claim.signature = signature;
    g_auto(SyncdEnqueued) enqueued = {0}, again = {0};
    g_assert_cmpint(send(&s, &request, &enqueued), ==, -1);
    g_autofree char *record = get(&s.f, enqueued.operation);
    assert_member(record, "actor_id", "\"agent-1\"");
    /* The same once more is not another one. */
    guint64 before = service_sequence(&s.f);
    g_assert_cmpint(send(&s, &request, &again), ==, -1);
    g_assert_true(again.duplicate);
    g_assert_cmpstr(again.operation, ==, enqueued.operation);
    g_assert_cmpuint(service_sequence(&s.f), ==, before);
    signed_clear(&s);
}

static void what_was_not_signed_is_refused(void)
{
    Signed s;
    signed_init(&s);
    SyncdRequest good = signed_request(&s);
    g_autofree char *signature = sign(&s, &good);
    good.claim.signature = signature;
    for (int i = 0; i < 13; i++) {
        SyncdRequest request = good;
        char *spoilt = NULL;
        switch (i) {
        case 0:
            request.object = "note-2";
            break;
        case 1:
            request.body = SYNCD_BYTES_TEXT("{} ");
            break;
        case 2:
            request.idempotency_key = "k-2";
            break;
        case 3:
            request.idempotency_key = NULL;
            break;
        case 4:
            request.lane = "priority";
            break;
        case 5:
            request.claim.expires_usec++;
            break;
        case 6:
            request.claim.actor = "agent-2";
            break;
        case 7:
            request.claim.signature = NULL;
            break;
        case 8:
            spoilt = g_strdup(signature);
            spoilt[3] = spoilt[3] == 'A' ? 'B' : 'A';
            request.claim.signature = spoilt;
            break;
        case 9:
            request.claim.signature = "";
            break;
        case 10:
            request.claim.actor = NULL;
            break;
        case 11:
            request.create_scope = true;
            break;
        case 12:
            request.restore = true;
            break;
        }
        g_assert_cmpint(try(&s, &request), ==, SYNCD_ERROR_ACCESS_DENIED);
        g_free(spoilt);
    }
    g_assert_cmpuint(count_events(&s.f, "sync.operation.enqueued"), ==, 1);
    g_assert_cmpint(try(&s, &good), ==, -1);
    signed_clear(&s);
}

static void a_signature_is_for_a_time_and_a_place(void)
{
    Signed s;
    signed_init(&s);
    SyncdRequest request = signed_request(&s);
    request.claim.expires_usec = s.f.base.now_usec + 2 * SYNCD_CLAIM_USEC_MAX;
    g_autofree char *far = sign(&s, &request);
    request.claim.signature = far;
    g_assert_cmpint(try(&s, &request), ==, SYNCD_ERROR_ACCESS_DENIED);
    request.claim.expires_usec = s.f.base.now_usec - 1;
    g_autofree char *late = sign(&s, &request);
    request.claim.signature = late;
    g_assert_cmpint(try(&s, &request), ==, SYNCD_ERROR_ACCESS_DENIED);

    request = signed_request(&s);
    request.scope = "device";
    g_autofree char *elsewhere = sign(&s, &request);
    request.claim.signature = elsewhere;
    g_assert_cmpint(try(&s, &request), ==, SYNCD_ERROR_ACCESS_DENIED);
    signed_clear(&s);
}

static void a_revoked_agent_signs_in_vain(void)
{
    Signed s;
    signed_init(&s);
    g_assert_cmpint(revoke_record(&s.f, "actor", "agent-1"), ==, -1);
    SyncdRequest request = signed_request(&s);
    g_autofree char *signature = sign(&s, &request);
    request.claim.signature = signature;
    guint64 before = service_sequence(&s.f);
    g_assert_cmpint(try(&s, &request), ==, SYNCD_ERROR_ACCESS_DENIED);
    g_assert_cmpuint(service_sequence(&s.f), ==, before);
    signed_clear(&s);
}

static void an_agent_signs_until_it_expires(void)
{
    Signed s;
    signed_init(&s);
    char hex[2 * SYNCD_PUBLIC_KEY_SIZE + 1];
    syncd_hex_encode(syncd_signer_public_key(s.signer)->bytes, SYNCD_PUBLIC_KEY_SIZE, hex);
    g_autofree char *key = g_strconcat("ed25519:", hex, NULL);
    guint64 end_ms = s.f.base.now_usec / 1000 + 60 * 60 * 1000;
    char end[SYNCD_TIME_SIZE];
    syncd_time_format_ms(end_ms, end);
    g_autofree char *until = g_strdup_printf(",\"expires_at\":\"%s\"", end);
    register_agent(&s, "agent-2", key, until);
    for (int i = 0; i < 2; i++) {
        SyncdRequest request = signed_request(&s);
        request.claim.actor = "agent-2";
        request.idempotency_key = i == 0 ? "before" : "after";
        g_autofree char *signature = sign(&s, &request);
        request.claim.signature = signature;
        g_assert_cmpint(try(&s, &request), ==, i == 0 ? -1 : SYNCD_ERROR_ACCESS_DENIED);
        s.f.base.now_usec = end_ms * 1000;
    }
    signed_clear(&s);
}

static void an_actor_without_a_key_cannot_be_claimed(void)
{
    Signed s;
    signed_init(&s);
    register_agent(&s, "agent-2", "none", "");
    register_agent(&s, "agent-3", "ed25519", "");
    static const char *const ids[] = {"agent-2", "agent-3", "nobody", "", "a b"};
    for (size_t i = 0; i < G_N_ELEMENTS(ids); i++) {
        SyncdRequest request = signed_request(&s);
        request.claim.actor = ids[i];
        g_autofree char *signature = sign(&s, &request);
        request.claim.signature = signature;
        g_assert_cmpint(try(&s, &request), ==, SYNCD_ERROR_ACCESS_DENIED);
    }
    signed_clear(&s);
}

static void the_system_instance_heeds_no_signature(void)
{
    Signed s;
    signed_init(&s);
    s.f.service->instance = SYNCD_INSTANCE_SYSTEM;
    SyncdRequest request = signed_request(&s);
    g_autofree char *signature = sign(&s, &request);
    request.claim.signature = signature;
    g_assert_cmpint(try(&s, &request), ==, SYNCD_ERROR_ACCESS_DENIED);
    signed_clear(&s);
}

/* A request about an operation is its signer's as well, and nobody's when it was not signed. */
static void who_signs_a_replay_is_the_agent(void)
{
    Signed s;
    signed_init(&s);
    SyncdRequest request = signed_request(&s);
    g_autofree char *own = sign(&s, &request);
    request.claim.signature = own;
    g_auto(SyncdEnqueued) first = {0};
    g_assert_cmpint(send(&s, &request, &first), ==, -1);

    /* What the sender could do in its own name is not done in its name. */
    g_autofree char *others = enqueue_body(&s.f, "note-1", "{}");
    g_autofree char *not_own = g_strdup_printf("{\"replayed_operation_id\":\"%s\"}", others);
    request.type = "sync.operation.replay";
    request.idempotency_key = "k-2";
    request.body = SYNCD_BYTES_TEXT(not_own);
    g_assert_cmpint(try(&s, &request), ==, SYNCD_ERROR_ACCESS_DENIED);
    g_assert_cmpuint(count_events(&s.f, "sync.operation.replayed"), ==, 0);

    g_autofree char *body = g_strdup_printf("{\"replayed_operation_id\":\"%s\"}", first.operation);
    request.body = SYNCD_BYTES_TEXT(body);
    g_autofree char *signature = sign(&s, &request);
    request.claim.signature = signature;
    g_auto(SyncdEnqueued) enqueued = {0};
    g_assert_cmpint(send(&s, &request, &enqueued), ==, -1);
    g_autofree char *record = get(&s.f, enqueued.operation);
    assert_member(record, "actor_id", "\"agent-1\"");
    signed_clear(&s);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/signed/who-signs-is-the-agent", who_signs_is_the_agent);
    g_test_add_func("/signed/what-was-not-signed-is-refused", what_was_not_signed_is_refused);
    g_test_add_func("/signed/a-signature-is-for-a-time-and-a-place",
                    a_signature_is_for_a_time_and_a_place);
    g_test_add_func("/signed/a-revoked-agent-signs-in-vain", a_revoked_agent_signs_in_vain);
    g_test_add_func("/signed/an-agent-signs-until-it-expires", an_agent_signs_until_it_expires);
    g_test_add_func("/signed/an-actor-without-a-key-cannot-be-claimed",
                    an_actor_without_a_key_cannot_be_claimed);
    g_test_add_func("/signed/the-system-instance-heeds-no-signature",
                    the_system_instance_heeds_no_signature);
    g_test_add_func("/signed/who-signs-a-replay-is-the-agent", who_signs_a_replay_is_the_agent);
    return g_test_run();
}
