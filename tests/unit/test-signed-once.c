/*
 * What a signature allows happens once: whoever sends the same bytes again, after a restart or with
 * clocks turned back, gets nothing by it.
 */
#include "signed-fixture.h"

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
                claim_at_once(s->f.service, &agent, &any, ret_lease, &error);
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
            enqueue_many_at_once(s.f.service, &agent, SYNCD_BYTES_TEXT(text), NULL);
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

int main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/signed-once/a-signature-counts-once-also-after-a-restart",
                    a_signature_counts_once_also_after_a_restart);
    g_test_add_func("/signed-once/what-was-cancelled-is-not-cancelled-again",
                    what_was_cancelled_is_not_cancelled_again);
    g_test_add_func("/signed-once/a-renewal-is-later-than-those-before",
                    a_renewal_is_later_than_those_before);
    g_test_add_func("/signed-once/who-signs-much-leaves-room-for-others",
                    who_signs_much_leaves_room_for_others);
    g_test_add_func("/signed-once/many-lines-that-come-again-are-the-same",
                    many_lines_that_come_again_are_the_same);
    g_test_add_func("/signed-once/what-is-ephemeral-is-signed-for-a-minute",
                    what_is_ephemeral_is_signed_for_a_minute);
    return g_test_run();
}
