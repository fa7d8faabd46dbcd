/*
 * Only who may do it announces it, and what is announced is understood as a whole or not at all.
 */
#include "announce-fixture.h"
#include "files-fixture.h"
#include "service/internal.h"
#include "signed-fixture.h"

#define A "[{\"path\":\"a\",\"sha256\":\"" ONE "\"}]"
#define DELETE_A "[{\"path\":\"a\",\"deleted\":true}]"

static void init(Files *t)
{
    files_init(t, SYNCD_INSTANCE_USER);
    files_fill(t);
    register_unit(&t->f, "builder", "workspace:notes", "\"read\",\"write\"");
    register_unit(&t->f, "gardener", "workspace:notes", "\"write\",\"delete\"");
    register_unit(&t->f, "reader", "workspace:notes", "\"read\"");
    register_unit(&t->f, "abroad", "workspace:other", "\"read\",\"write\"");
}

static void who_may_not_write_there_announces_nothing(void)
{
    Files t;
    init(&t);
    g_assert_cmpint(try_announce(&t.f, "builder.service", A), ==, -1);
    g_assert_cmpint(try_announce(&t.f, "reader.service", A), ==, SYNCD_ERROR_ACCESS_DENIED);
    g_assert_cmpint(try_announce(&t.f, "abroad.service", A), ==, SYNCD_ERROR_ACCESS_DENIED);
    g_assert_cmpint(try_announce(&t.f, "builder.service", DELETE_A), ==, SYNCD_ERROR_ACCESS_DENIED);
    g_assert_cmpint(try_announce(&t.f, "gardener.service", DELETE_A), ==, -1);
    /* Where he does not reach he does not hear whether there is anything. */
    g_assert_cmpint(announce_from(&t.f, "builder.service", "workspace:nowhere", A, NULL), ==,
                    SYNCD_ERROR_ACCESS_DENIED);
    g_assert_cmpint(announce_from(&t.f, "abroad.service", "workspace:other", A, NULL), ==,
                    SYNCD_ERROR_NOT_FOUND);
    g_assert_cmpint(revoke_record(&t.f, "actor", "builder"), ==, -1);
    g_assert_cmpint(try_announce(&t.f, "builder.service", A), ==, SYNCD_ERROR_ACCESS_DENIED);
    files_clear(&t);
}

static void the_answer_says_as_whom_and_until_when(void)
{
    Files t;
    g_autofree char *said = NULL;
    init(&t);
    g_assert_cmpint(
        announce_from(&t.f, "builder.service", "workspace:notes",
                      "[{\"path\":\"new\",\"sha256\":\"" ONE "\"},{\"path\":\"s\",\"folder\":true},"
                      "{\"path\":\"a\",\"renamed_to\":\"s/b\"},{\"path\":\"t\",\"folder\":true}]",
                      &said),
        ==, -1);
    assert_member(said, "actor_id", "\"builder\"");
    assert_member(said, "workspace_id", "\"workspace:notes\"");
    assert_member(said, "announced", "3");
    /* s is a folder already. */
    assert_member(said, "already_recorded", "[{\"path\":\"s\"}]");
    g_autofree char *until = member_of(said, "expires_at");
    g_assert_nonnull(until);
    files_clear(&t);
}

/* Else whoever may only write asks for the content of every file. */
static void who_may_not_read_does_not_hear_what_is_recorded(void)
{
    static const char folder[] = "[{\"path\":\"s\",\"folder\":true}]";
    Files t;
    g_autofree char *reader = NULL, *writer = NULL;
    init(&t);
    g_assert_cmpint(announce_from(&t.f, "builder.service", "workspace:notes", folder, &reader), ==,
                    -1);
    assert_member(reader, "already_recorded", "[{\"path\":\"s\"}]");
    assert_member(reader, "announced", "0");
    g_assert_cmpint(announce_from(&t.f, "gardener.service", "workspace:notes", folder, &writer), ==,
                    -1);
    assert_member(writer, "already_recorded", "[]");
    assert_member(writer, "announced", "1");
    files_clear(&t);
}

static void what_is_not_understood_is_refused_with_its_place(void)
{
    static const struct {
        const char *changes;
        SyncdErrorCode code;
        const char *place;
    } bad[] = {
        {"", SYNCD_ERROR_INVALID_ENCODING, NULL},
        {"{}", SYNCD_ERROR_INVALID_CONTRACT, NULL},
        {"[1]", SYNCD_ERROR_INVALID_CONTRACT, "/0 "},
        {"[{}]", SYNCD_ERROR_INVALID_CONTRACT, "/0/path "},
        {"[{\"path\":\"a\"}]", SYNCD_ERROR_INVALID_CONTRACT, "/0 "},
        {"[{\"path\":\"a\",\"folder\":true},{\"path\":\"../a\",\"folder\":true}]",
         SYNCD_ERROR_INVALID_CONTRACT, "/1/path "},
        {"[{\"path\":\"\",\"folder\":true}]", SYNCD_ERROR_INVALID_CONTRACT, "/0/path "},
        {"[{\"path\":\"a/\",\"folder\":true}]", SYNCD_ERROR_INVALID_CONTRACT, "/0/path "},
        {"[{\"path\":\"a\\u0000b\",\"folder\":true}]", SYNCD_ERROR_INVALID_CONTRACT, "/0/path "},
        {"[{\"path\":7,\"folder\":true}]", SYNCD_ERROR_INVALID_CONTRACT, "/0/path "},
        {"[{\"path\":\"a\",\"path_base64\":\"YQ==\",\"folder\":true}]",
         SYNCD_ERROR_INVALID_CONTRACT, "/0/path_base64 "},
        {"[{\"path_base64\":\"!\",\"folder\":true}]", SYNCD_ERROR_INVALID_CONTRACT,
         "/0/path_base64 "},
        {"[{\"path\":\"a\",\"folder\":false}]", SYNCD_ERROR_INVALID_CONTRACT, "/0/folder "},
        {"[{\"path\":\"a\",\"deleted\":1}]", SYNCD_ERROR_INVALID_CONTRACT, "/0/deleted "},
        {"[{\"path\":\"a\",\"sha256\":\"ab\"}]", SYNCD_ERROR_INVALID_CONTRACT, "/0/sha256 "},
        {"[{\"path\":\"a\",\"renamed_to\":\"/b\"}]", SYNCD_ERROR_INVALID_CONTRACT,
         "/0/renamed_to "},
        {"[{\"path\":\"a\",\"folder\":true,\"deleted\":true}]", SYNCD_ERROR_INVALID_CONTRACT,
         "/0/deleted "},
        {"[{\"path\":\"a\",\"folder\":true,\"mode\":1}]", SYNCD_ERROR_INVALID_CONTRACT, "/0/mode "},
        {"[{\"path\":\"a\",\"path\":\"b\",\"folder\":true}]", SYNCD_ERROR_INVALID_ENCODING, NULL},
    };
    Files t;
    init(&t);
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autofree char *said = NULL;
        g_test_message("%s", bad[i].changes);
        g_assert_cmpint(
            announce_from(&t.f, "builder.service", "workspace:notes", bad[i].changes, &said), ==,
            bad[i].code);
        g_assert_true(bad[i].place == NULL || g_str_has_prefix(said, bad[i].place));
        g_assert_false(syncd_service_has_announcements(t.f.service));
    }
    files_clear(&t);
}

static char *many(guint n, guint first)
{
    GString *text = g_string_new("[");
    for (guint i = 0; i < n; i++)
        g_string_append_printf(text, "%s{\"path\":\"n%u\",\"folder\":true}", i > 0 ? "," : "",
                               first + i);
    return g_string_free(g_string_append_c(text, ']'), FALSE);
}

static void there_are_so_many_and_no_more(void)
{
    Files t;
    init(&t);
    g_autofree char *too_many = many(SYNCD_ANNOUNCED_AT_ONCE + 1, 0);
    g_assert_cmpint(try_announce(&t.f, "builder.service", too_many), ==,
                    SYNCD_ERROR_LIMITS_EXCEEDED);
    for (guint n = 0; n < SYNCD_ANNOUNCED_EACH; n += SYNCD_ANNOUNCED_AT_ONCE) {
        g_autofree char *changes = many(SYNCD_ANNOUNCED_AT_ONCE, n);
        g_assert_cmpint(try_announce(&t.f, "builder.service", changes), ==, -1);
    }
    g_assert_cmpint(try_announce(&t.f, "builder.service", A), ==, SYNCD_ERROR_LIMITS_EXCEEDED);
    g_assert_cmpint(try_announce(&t.f, "gardener.service", A), ==, -1);
    g_autofree char *huge = g_strnfill(SYNCD_ANNOUNCED_SIZE + 1, ' ');
    g_assert_cmpint(try_announce(&t.f, "gardener.service", huge), ==, SYNCD_ERROR_TOO_LARGE);
    t.f.base.now_usec += SYNCD_ANNOUNCED_USEC;
    g_assert_cmpint(try_announce(&t.f, "builder.service", A), ==, -1);
    files_clear(&t);
}

/* As the agent whose key the fixture has. */
static int announce_signed(Files *t, SyncdSigner *signer, guint64 expires_usec, const char *changes)
{
    g_autoptr(GError) error = NULL;
    const char *const given[] = {WORKSPACE, changes};
    const SyncdBytes parts[] = {SYNCD_BYTES_TEXT(WORKSPACE), SYNCD_BYTES_TEXT(changes)};
    SyncdSigned claim = {.actor = "agent-1", .expires_usec = expires_usec};
    const SyncdSignedRequest request = {"Workspaces.Announce", NULL, given, G_N_ELEMENTS(given)};
    g_autoptr(GString) statement =
        syncd_signed_statement(syncd_store_device_id(t->f.service->store), &claim, request.method,
                               "", parts, G_N_ELEMENTS(parts));
    SyncdSignature signature = syncd_signer_sign(signer, statement->str, statement->len);
    g_autofree char *text = g_base64_encode(signature.bytes, sizeof signature.bytes);
    SyncdCaller who;
    claim.signature = text;
    g_assert_true(syncd_service_act_as(t->f.service, &t->f.caller, &claim, &request, &who, &error));
    g_autofree char *answer =
        syncd_service_announce(t->f.service, &who, WORKSPACE, SYNCD_BYTES_TEXT(changes), &error);
    if (answer != NULL)
        assert_member(answer, "actor_id", "\"agent-1\"");
    return answer != NULL ? -1 : error->code;
}

static void a_signature_announces_once_and_for_a_minute(void)
{
    guint8 seed[SYNCD_SIGN_SEED_SIZE] = {1, 2, 3};
    char hex[2 * SYNCD_PUBLIC_KEY_SIZE + 1];
    Files t;
    init(&t);
    g_autoptr(SyncdSigner) signer = syncd_signer_new(seed, NULL);
    syncd_hex_encode(syncd_signer_public_key(signer)->bytes, SYNCD_PUBLIC_KEY_SIZE, hex);
    g_autofree char *record = g_strdup_printf(
        "{\"actor_id\":\"agent-1\",\"actor_type\":\"agent\",\"display_name\":\"A\",\"identity_id\":"
        "\"agent:1\",\"workspace_scope\":[\"" WORKSPACE "\"],\"profile_scope\":[\"*\"],"
        "\"capabilities\":[\"write\"],\"trust_level\":\"user\",\"policy_subject\":\"agent:1\","
        "\"signing_key_ref\":\"ed25519:%s\"}",
        hex);
    g_assert_cmpint(register_record(&t.f, "actor", record), ==, -1);
    const guint64 minute = SYNCD_ANNOUNCED_SIGNED_USEC;
    const guint64 expires = t.f.base.now_usec + minute;
    g_assert_cmpint(announce_signed(&t, signer, expires + minute, A), ==,
                    SYNCD_ERROR_INVALID_CONTRACT);
    g_assert_cmpint(announce_signed(&t, signer, expires, A), ==, -1);
    g_assert_cmpint(announce_signed(&t, signer, expires, A), ==, SYNCD_ERROR_ACCESS_DENIED);
    g_assert_cmpint(announce_signed(&t, signer, expires - 1, A), ==, SYNCD_ERROR_ACCESS_DENIED);
    g_assert_cmpint(announce_signed(&t, signer, expires + 1, A), ==, -1);
    /* A start forgets which they were, and takes none that may be one of them. */
    service_close(&t.f);
    service_open(&t.f);
    g_assert_false(syncd_service_has_announcements(t.f.service));
    g_assert_cmpint(announce_signed(&t, signer, expires + 1, A), ==, SYNCD_ERROR_ACCESS_DENIED);
    t.f.base.now_usec += minute;
    g_assert_cmpint(announce_signed(&t, signer, t.f.base.now_usec + minute, A), ==, -1);
    files_clear(&t);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/announce/who-may-not-write", who_may_not_write_there_announces_nothing);
    g_test_add_func("/announce/answer", the_answer_says_as_whom_and_until_when);
    g_test_add_func("/announce/may-not-read", who_may_not_read_does_not_hear_what_is_recorded);
    g_test_add_func("/announce/not-understood", what_is_not_understood_is_refused_with_its_place);
    g_test_add_func("/announce/bounds", there_are_so_many_and_no_more);
    g_test_add_func("/announce/signature", a_signature_announces_once_and_for_a_minute);
    return g_test_run();
}
