/*
 * Whoever signs with a registered agent's key is that agent, for exactly the bytes that were
 * signed, once, in this instance and in time; nobody else is.
 */
#include "policy-fixture.h"
#include "registry-fixture.h"

#include "base/timestamp.h"
#include "crypto/sign.h"
#include "service/internal.h"

typedef struct {
    ServiceFixture f;
    SyncdSigner *signer;
} Signed;

static void register_agent(Signed *s, const char *id, const char *key, const char *more)
{
    g_autofree char *record = g_strdup_printf(
        "{\"actor_id\":\"%s\",\"actor_type\":\"agent\",\"display_name\":\"A\",\"identity_id\":"
        "\"agent:%s\",\"workspace_scope\":[\"workspace:notes\"],\"profile_scope\":[\"*\"],"
        "\"capabilities\":[\"read\",\"write\"],\"trust_level\":\"user\",\"policy_subject\":"
        "\"agent:%s\",\"signing_key_ref\":\"%s\"%s}",
        id, id, id, key, more);
    g_assert_cmpint(register_record(&s->f, "actor", record), ==, -1);
}

static void signed_init(Signed *s)
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

static void signed_clear(Signed *s)
{
    syncd_signer_free(s->signer);
    service_clear(&s->f);
}

static SyncdRequest signed_request(Signed *s)
{
    SyncdRequest request = good_request();
    request.create_scope = false;
    request.idempotency_key = "k-1";
    request.claim =
        (SyncdSigned){.actor = "agent-1", .expires_usec = s->f.base.now_usec + 60 * G_USEC_PER_SEC};
    return request;
}

static char *sign(Signed *s, const SyncdRequest *request)
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

static int send(Signed *s, const SyncdRequest *request, SyncdEnqueued *ret_enqueued)
{
    g_autoptr(GError) error = NULL;
    bool done = syncd_service_enqueue(s->f.service, &s->f.caller, request, ret_enqueued, &error);
    if (!done)
        g_test_message("%s", error->message);
    syncd_service_commit(s->f.service);
    return done ? -1 : error->code;
}

static int try(Signed *s, const SyncdRequest *request)
{
    g_auto(SyncdEnqueued) enqueued = {0};
    return send(s, request, &enqueued);
}

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

/* ---- once ---- */

#define MINUTE (G_GUINT64_CONSTANT(60) * G_USEC_PER_SEC)

/* What an agent has signed, to be sent as often as somebody likes. */
typedef struct {
    SyncdSigned claim;
    SyncdSignedRequest request;
    const char *arguments[6];
    char *signature;
} Letter;

static void letter_clear(Letter *letter)
{
    g_free(letter->signature);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Letter, letter_clear)

static void write_letter(Signed *s, const char *method, const char *argument, size_t n,
                         guint64 lasts_usec, Letter *letter)
{
    SyncdBytes parts[6];
    *letter = (Letter){.claim = {.actor = "agent-1"}};
    letter->claim.expires_usec = s->f.base.now_usec + lasts_usec;
    letter->arguments[0] = argument;
    letter->request = (SyncdSignedRequest){method, NULL, letter->arguments, n};
    for (size_t i = 0; i < n; i++)
        parts[i] = SYNCD_BYTES_TEXT(letter->arguments[i] != NULL ? letter->arguments[i] : "");
    g_autoptr(GString) statement = syncd_signed_statement(
        syncd_store_device_id(s->f.service->store), &letter->claim, method, "", parts, n);
    SyncdSignature signature = syncd_signer_sign(s->signer, statement->str, statement->len);
    letter->signature = g_base64_encode(signature.bytes, sizeof signature.bytes);
    letter->claim.signature = letter->signature;
}

static bool act(Signed *s, const Letter *letter, SyncdCaller *ret_agent, GError **error)
{
    return syncd_service_act_as(s->f.service, &s->f.caller, &letter->claim, &letter->request,
                                ret_agent, error);
}

/* -1, or the error's code. */
static int told(Signed *s, bool done, GError *error)
{
    g_autoptr(GError) problem = error;
    syncd_service_commit(s->f.service);
    if (!done)
        g_test_message("%s", problem->message);
    return done ? -1 : problem->code;
}

static int send_claim(Signed *s, const Letter *letter, char **ret_lease)
{
    const SyncdClaim any = {NULL};
    SyncdCaller agent;
    GError *error = NULL;
    bool done = act(s, letter, &agent, &error) &&
                syncd_service_claim_task(s->f.service, &agent, &any, ret_lease, &error);
    return told(s, done, error);
}

static int send_renewal(Signed *s, const Letter *letter)
{
    SyncdCaller agent;
    GError *error = NULL;
    guint64 until;
    bool done =
        act(s, letter, &agent, &error) &&
        syncd_service_renew_task(s->f.service, &agent, letter->arguments[0], 0, &until, &error);
    return told(s, done, error);
}

static int send_cancel(Signed *s, const Letter *letter)
{
    SyncdCaller agent;
    GError *error = NULL;
    g_autofree char *operation = NULL;
    bool done = act(s, letter, &agent, &error) &&
                syncd_service_cancel_task(s->f.service, &agent, letter->arguments[0], NULL,
                                          &operation, &error);
    return told(s, done, error);
}

static void restart(Signed *s, gint64 clock_usec)
{
    service_close(&s->f);
    s->f.base.now_usec = (guint64)((gint64)s->f.base.now_usec + clock_usec);
    service_open(&s->f);
}

static void let_go(Signed *s, const char *lease)
{
    SyncdCaller agent = s->f.caller;
    g_autofree char *operation = NULL;
    const SyncdFailure failure = {.reason = "no", .after_s = 1};
    agent.agent = "agent-1";
    g_assert_true(syncd_service_fail_task(s->f.service, &agent, lease, &failure, &operation, NULL));
    syncd_service_commit(s->f.service);
    s->f.base.now_usec += 2 * G_USEC_PER_SEC;
}

/* The process that knew it is gone, and the clock says whatever it likes. */
static void a_signature_counts_once_also_after_a_restart(void)
{
    Signed s;
    signed_init(&s);
    g_auto(Letter) first = {0}, second = {0};
    g_autofree char *lease = NULL, *again = NULL;
    write_letter(&s, "Operations.ClaimTask", NULL, 6, 30 * MINUTE, &first);
    g_assert_cmpint(send_claim(&s, &first, &lease), ==, -1);
    g_assert_nonnull(lease);
    let_go(&s, lease);
    g_assert_cmpint(send_claim(&s, &first, &again), ==, SYNCD_ERROR_ACCESS_DENIED);
    static const gint64 clocks[] = {0, -20 * (gint64)MINUTE, 15 * (gint64)MINUTE};
    for (size_t i = 0; i < G_N_ELEMENTS(clocks); i++) {
        restart(&s, clocks[i]);
        g_assert_cmpint(send_claim(&s, &first, &again), ==, SYNCD_ERROR_ACCESS_DENIED);
        g_assert_null(again);
    }
    write_letter(&s, "Operations.ClaimTask", NULL, 6, 30 * MINUTE, &second);
    g_assert_cmpint(send_claim(&s, &second, &again), ==, -1);
    g_assert_nonnull(again);
    signed_clear(&s);
}

/* What has ended stays so. */
static void what_was_cancelled_is_not_cancelled_again(void)
{
    Signed s;
    signed_init(&s);
    g_autofree char *operation = enqueue_body(&s.f, "note-1", "{}");
    g_auto(Letter) letter = {0};
    write_letter(&s, "Operations.CancelTask", operation, 2, 30 * MINUTE, &letter);
    g_assert_cmpint(send_cancel(&s, &letter), ==, -1);
    restart(&s, 0);
    guint64 before = service_sequence(&s.f);
    g_assert_cmpint(send_cancel(&s, &letter), ==, -1);
    g_assert_cmpuint(service_sequence(&s.f), ==, before);
    signed_clear(&s);
}

static void a_renewal_is_later_than_those_before(void)
{
    Signed s;
    signed_init(&s);
    g_auto(Letter) claim = {0}, one = {0}, two = {0}, three = {0}, four = {0};
    g_autofree char *lease = NULL;
    write_letter(&s, "Operations.ClaimTask", NULL, 6, MINUTE, &claim);
    g_assert_cmpint(send_claim(&s, &claim, &lease), ==, -1);
    write_letter(&s, "Operations.RenewTask", lease, 2, 20 * MINUTE, &one);
    write_letter(&s, "Operations.RenewTask", lease, 2, 30 * MINUTE, &two);
    g_assert_cmpint(send_renewal(&s, &one), ==, -1);
    g_assert_cmpint(send_renewal(&s, &one), ==, SYNCD_ERROR_ACCESS_DENIED);
    g_assert_cmpint(send_renewal(&s, &two), ==, -1);
    g_assert_cmpint(send_renewal(&s, &one), ==, SYNCD_ERROR_ACCESS_DENIED);
    restart(&s, 0);
    write_letter(&s, "Operations.RenewTask", lease, 2, 40 * MINUTE, &three);
    write_letter(&s, "Operations.RenewTask", lease, 2, 60 * MINUTE, &four);
    g_assert_cmpint(send_renewal(&s, &two), ==, SYNCD_ERROR_ACCESS_DENIED);
    g_assert_cmpint(send_renewal(&s, &three), ==, SYNCD_ERROR_ACCESS_DENIED);
    g_assert_cmpint(send_renewal(&s, &four), ==, -1);
    g_assert_cmpint(send_renewal(&s, &four), ==, SYNCD_ERROR_ACCESS_DENIED);
    signed_clear(&s);
}

/* Signatures take no room that others would miss. */
static void who_signs_much_leaves_room_for_others(void)
{
    Signed s;
    signed_init(&s);
    g_auto(Letter) claim = {0}, last = {0};
    g_autofree char *lease = NULL;
    write_letter(&s, "Operations.ClaimTask", NULL, 6, MINUTE, &claim);
    g_assert_cmpint(send_claim(&s, &claim, &lease), ==, -1);
    for (guint i = 0; i < (is_hurried() ? 50u : 4100u); i++) {
        g_auto(Letter) letter = {0};
        write_letter(&s, "Operations.RenewTask", lease, 2, 30 * MINUTE, &letter);
        g_assert_cmpint(send_renewal(&s, &letter), ==, -1);
    }
    write_letter(&s, "Operations.ClaimTask", NULL, 6, MINUTE, &last);
    g_autofree char *none = NULL;
    g_assert_cmpint(send_claim(&s, &last, &none), ==, -1);
    signed_clear(&s);
}

/* It gives the first results again, whether the lines have keys or not. */
static void many_lines_that_come_again_are_the_same(void)
{
    static const char text[] =
        "{\"type\":\"sync.operation.enqueue\",\"scope\":\"workspace:notes\",\"object\":\"a\","
        "\"body\":{}}\n"
        "{\"type\":\"sync.operation.enqueue\",\"scope\":\"workspace:notes\",\"object\":\"b\","
        "\"body\":{},\"idempotency_key\":\"k\"}\n";
    Signed s;
    signed_init(&s);
    g_auto(Letter) letter = {0};
    write_letter(&s, "Operations.EnqueueMany", text, 1, 30 * MINUTE, &letter);
    for (int i = 0; i < 3; i++) {
        SyncdCaller agent;
        g_assert_true(act(&s, &letter, &agent, NULL));
        g_autoptr(GString) results =
            syncd_service_enqueue_many(s.f.service, &agent, SYNCD_BYTES_TEXT(text), NULL);
        g_assert_nonnull(results);
        g_assert_true((strstr(results->str, "\"duplicate\":true") != NULL) == (i > 0));
        g_assert_true((strstr(results->str, "\"duplicate\":false") != NULL) == (i == 0));
        syncd_service_commit(s.f.service);
        if (i == 1)
            restart(&s, 0);
    }
    signed_clear(&s);
}

/* It leaves nothing that would tell that it came before. */
static void what_is_ephemeral_is_signed_for_a_minute(void)
{
    Signed s;
    signed_init(&s);
    SyncdRequest request = signed_request(&s);
    request.lane = "ephemeral";
    request.claim.expires_usec = s.f.base.now_usec + 2 * MINUTE;
    g_autofree char *far = sign(&s, &request);
    request.claim.signature = far;
    g_assert_cmpint(try(&s, &request), ==, SYNCD_ERROR_INVALID_CONTRACT);
    request.claim.expires_usec = s.f.base.now_usec + MINUTE / 2;
    g_autofree char *near = sign(&s, &request);
    request.claim.signature = near;
    g_auto(SyncdEnqueued) first = {0}, again = {0}, later = {0};
    guint64 before = service_sequence(&s.f);
    g_assert_cmpint(send(&s, &request, &first), ==, -1);
    g_assert_cmpint(send(&s, &request, &again), ==, -1);
    g_assert_true(again.duplicate);
    restart(&s, 0);
    g_assert_cmpint(send(&s, &request, &later), ==, -1);
    g_assert_cmpuint(service_sequence(&s.f), ==, before);
    s.f.base.now_usec += MINUTE;
    g_assert_cmpint(try(&s, &request), ==, SYNCD_ERROR_ACCESS_DENIED);
    signed_clear(&s);
}

/* ---- units ---- */

static int enqueue_from(Signed *s, const char *unit, char **ret_actor)
{
    SyncdCaller caller = s->f.caller;
    SyncdRequest request = good_request();
    g_auto(SyncdEnqueued) enqueued = {0};
    g_autoptr(GError) error = NULL;
    caller.unit = unit;
    bool done = syncd_service_enqueue(s->f.service, &caller, &request, &enqueued, &error);
    syncd_service_commit(s->f.service);
    if (!done)
        return error->code;
    g_autofree char *record = get(&s->f, enqueued.operation);
    *ret_actor = member_of(record, "actor_id");
    return -1;
}

static void who_runs_in_a_registered_unit_is_its_agent(void)
{
    Signed s;
    g_autofree char *user = NULL, *agent = NULL, *other = NULL;
    signed_init(&s);
    g_assert_cmpint(register_record(&s.f, "actor",
                                    "{\"actor_id\":\"builder\",\"actor_type\":\"agent\","
                                    "\"display_name\":\"B\",\"identity_id\":"
                                    "\"unit:builder.service\",\"workspace_scope\":[\"*\"],"
                                    "\"profile_scope\":[\"*\"],\"capabilities\":[\"write\"],"
                                    "\"trust_level\":\"user\",\"policy_subject\":\"builder\","
                                    "\"signing_key_ref\":\"none\"}"),
                    ==, -1);
    g_assert_cmpint(enqueue_from(&s, NULL, &user), ==, -1);
    g_assert_cmpint(enqueue_from(&s, "builder.service", &agent), ==, -1);
    g_assert_cmpint(enqueue_from(&s, "other.service", &other), ==, -1);
    g_assert_cmpstr(agent, ==, "\"builder\"");
    g_assert_cmpstr(other, ==, user);
    g_assert_cmpstr(user, !=, agent);
    /* It does not become its user again by being revoked. */
    g_assert_cmpint(revoke_record(&s.f, "actor", "builder"), ==, -1);
    g_assert_cmpint(enqueue_from(&s, "builder.service", &agent), ==, SYNCD_ERROR_ACCESS_DENIED);
    signed_clear(&s);
}

#define BUILDER(subject)                                                                           \
    "{\"actor_id\":\"builder\",\"actor_type\":\"agent\",\"display_name\":\"B\",\"identity_id\":"   \
    "\"unit:builder.service\",\"workspace_scope\":[\"*\"],\"profile_scope\":[\"*\"],"              \
    "\"capabilities\":[\"write\"],\"trust_level\":\"user\",\"policy_subject\":\"" subject          \
    "\",\"signing_key_ref\":\"none\"}"

/* The sandbox hides processes there, and a unit's name would be anybody's. */
static void the_system_instance_heeds_no_unit(void)
{
    Signed s;
    g_autofree char *user = NULL, *unit = NULL;
    signed_init(&s);
    g_assert_cmpint(register_record(&s.f, "actor", BUILDER("builder")), ==, -1);
    s.f.service->instance = SYNCD_INSTANCE_SYSTEM;
    g_assert_cmpint(enqueue_from(&s, NULL, &user), ==, -1);
    g_assert_cmpint(enqueue_from(&s, "builder.service", &unit), ==, -1);
    g_assert_cmpstr(unit, ==, user);
    signed_clear(&s);
}

/* What was decided for the subject that an agent was is not decided for the one that it is. */
static void another_subject_is_asked_about_anew(void)
{
    Signed s;
    g_autofree char *before = NULL, *after = NULL;
    signed_init(&s);
    syncd_service_set_policy(
        s.f.service,
        set_of(FILE_OF(RULE("\"subjects\":[\"suspect\"]", "deny", "no_suspects")), NULL), NULL);
    g_assert_cmpint(register_record(&s.f, "actor", BUILDER("builder")), ==, -1);
    g_assert_cmpint(enqueue_from(&s, "builder.service", &before), ==, -1);
    g_assert_cmpint(update_record(&s.f, "actor", "builder", BUILDER("suspect")), ==, -1);
    g_assert_cmpint(enqueue_from(&s, "builder.service", &after), ==, SYNCD_ERROR_POLICY_DENIED);
    signed_clear(&s);
}

/* Whether and from which unit he calls: the user is one subject, that of his record. */
static void a_unit_makes_nobody_another_subject(void)
{
    Signed s;
    g_autofree char *actor = NULL, *record = NULL, *after = NULL;
    signed_init(&s);
    syncd_service_set_policy(
        s.f.service, set_of(FILE_OF(RULE("\"subjects\":[\"alice\"]", "deny", "no_alice")), NULL),
        NULL);
    g_assert_true(syncd_service_find_caller(s.f.service, &s.f.caller, &actor, NULL));
    record = g_strdup_printf(
        "{\"actor_id\":\"%s\",\"actor_type\":\"human\",\"display_name\":\"A\",\"identity_id\":"
        "\"uid:1000\",\"workspace_scope\":[],\"profile_scope\":[],\"capabilities\":[\"read\","
        "\"write\"],\"trust_level\":\"user\",\"policy_subject\":\"alice\",\"signing_key_ref\":"
        "\"none\"}",
        actor);
    g_assert_cmpint(update_record(&s.f, "actor", actor, record), ==, -1);
    static const char *const units[] = {NULL, "terminal.scope", "", "other.service"};
    for (size_t i = 0; i < G_N_ELEMENTS(units); i++)
        g_assert_cmpint(enqueue_from(&s, units[i], &after), ==, SYNCD_ERROR_POLICY_DENIED);
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
    g_test_add_func("/signed/the-system-instance-heeds-no-unit", the_system_instance_heeds_no_unit);
    g_test_add_func("/signed/an-actor-without-a-key-cannot-be-claimed",
                    an_actor_without_a_key_cannot_be_claimed);
    g_test_add_func("/signed/the-system-instance-heeds-no-signature",
                    the_system_instance_heeds_no_signature);
    g_test_add_func("/signed/who-signs-a-replay-is-the-agent", who_signs_a_replay_is_the_agent);
    g_test_add_func("/signed/a-signature-counts-once-also-after-a-restart",
                    a_signature_counts_once_also_after_a_restart);
    g_test_add_func("/signed/what-was-cancelled-is-not-cancelled-again",
                    what_was_cancelled_is_not_cancelled_again);
    g_test_add_func("/signed/a-renewal-is-later-than-those-before",
                    a_renewal_is_later_than_those_before);
    g_test_add_func("/signed/who-signs-much-leaves-room-for-others",
                    who_signs_much_leaves_room_for_others);
    g_test_add_func("/signed/many-lines-that-come-again-are-the-same",
                    many_lines_that_come_again_are_the_same);
    g_test_add_func("/signed/what-is-ephemeral-is-signed-for-a-minute",
                    what_is_ephemeral_is_signed_for_a_minute);
    g_test_add_func("/signed/who-runs-in-a-registered-unit-is-its-agent",
                    who_runs_in_a_registered_unit_is_its_agent);
    g_test_add_func("/signed/another-subject-is-asked-about-anew",
                    another_subject_is_asked_about_anew);
    g_test_add_func("/signed/a-unit-makes-nobody-another-subject",
                    a_unit_makes_nobody_another_subject);
    return g_test_run();
}
