/* Whoever decides what others may do gives, and takes, no more than he has himself. */
#include "registry-fixture.h"

static const SyncdCaller other = {.uid = 1001};

#define MAY(id, identity, workspaces, profiles, capabilities)                                      \
    "{\"actor_id\":\"" id                                                                          \
    "\",\"actor_type\":\"human\",\"display_name\":\"A\",\"identity_id\":\"" identity               \
    "\",\"workspace_scope\":[" workspaces "],\"profile_scope\":[" profiles                         \
    "],\"capabilities\":[" capabilities "],\"trust_level\":\"user\",\"policy_subject\":\"p\","     \
    "\"signing_key_ref\":\"none\"}"
#define NOTES "\"workspace:notes\""
#define WORK "\"profile:work\""
#define WRITE "\"read\",\"write\""

/* Whoever is limited would be so no longer, if he could make somebody who is not. */
static void nobody_gives_what_he_does_not_have(void)
{
    static const struct {
        const char *record;
        int code; /* -1: taken */
    } cases[] = {
        {MAY("b", "uid:1002", NOTES, WORK, WRITE), -1},
        {MAY("c", "uid:1003", NOTES, WORK, "\"read\""), -1},
        {MAY("d", "uid:1004", "\"*\"", WORK, WRITE), SYNCD_ERROR_ACCESS_DENIED},
        {MAY("d", "uid:1004", "", WORK, WRITE), SYNCD_ERROR_ACCESS_DENIED},
        {MAY("d", "uid:1004", NOTES ",\"workspace:other\"", WORK, WRITE),
         SYNCD_ERROR_ACCESS_DENIED},
        {MAY("d", "uid:1004", NOTES, "\"profile:home\"", WRITE), SYNCD_ERROR_ACCESS_DENIED},
        {MAY("d", "uid:1004", NOTES, "", WRITE), SYNCD_ERROR_ACCESS_DENIED},
        {MAY("d", "uid:1004", NOTES, WORK, WRITE ",\"delete\""), SYNCD_ERROR_ACCESS_DENIED},
    };
    ServiceFixture f;
    service_init_instance(&f, SYNCD_INSTANCE_SYSTEM);
    f.caller.uid = 0;
    f.caller.inspector = true;
    g_assert_cmpint(register_record(&f, "actor", MAY("a", "uid:1001", NOTES, WORK, WRITE)), ==, -1);
    g_assert_cmpint(register_record(&f, "actor", MAY("wide", "uid:1009", "", "", WRITE)), ==, -1);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        g_assert_cmpint(register_as(&f, &other, "actor", cases[i].record), ==, cases[i].code);

    /* Not to himself either, and nobody takes over who may do more. */
    static const struct {
        const char *id, *record; /* NULL: it is revoked */
    } changes[] = {
        {"a", MAY("a", "uid:1001", "\"*\"", "\"*\"", WRITE)},
        {"wide", MAY("wide", "uid:1010", NOTES, WORK, WRITE)},
        {"wide", NULL},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(changes); i++) {
        const char *record = changes[i].record;
        const SyncdRegistryRequest request = {.kind = "actor",
                                              .id = changes[i].id,
                                              .record = record != NULL ? SYNCD_BYTES_TEXT(record)
                                                                       : SYNCD_BYTES(NULL, 0)};
        g_assert_cmpint(change_as(&f, &other,
                                  record != NULL ? syncd_service_update : syncd_service_revoke,
                                  &request, NULL),
                        ==, SYNCD_ERROR_ACCESS_DENIED);
    }
    assert_state(&f, "actor", "wide", "active");
    service_clear(&f);
}

#define UNTIL(id, identity, end) ACTOR(id, identity, ",\"expires_at\":\"" end "\"")
#define SOON "2026-05-05T01:00:00Z"
#define SOONER "2026-05-05T00:30:00Z"
#define LATER "2026-05-05T01:00:01Z"

/* Whoever acts for a time would act for ever, through somebody whom he let. */
static void nobody_gives_for_longer_than_he_has(void)
{
    static const struct {
        const char *record;
        int code; /* -1: taken */
    } cases[] = {
        {UNTIL("b", "uid:1002", SOON), -1},
        {UNTIL("c", "uid:1003", SOONER), -1},
        {UNTIL("d", "uid:1004", LATER), SYNCD_ERROR_ACCESS_DENIED},
        {ACTOR("d", "uid:1004", ""), SYNCD_ERROR_ACCESS_DENIED},
        {ACTOR("d", "uid:1004", ",\"expires_at\":null"), SYNCD_ERROR_ACCESS_DENIED},
    };
    static const struct {
        const char *id, *record; /* NULL: it is revoked */
        int code;
    } changes[] = {
        {"a", ACTOR("a", "uid:1001", ""), SYNCD_ERROR_ACCESS_DENIED},
        {"a", UNTIL("a", "uid:1001", LATER), SYNCD_ERROR_ACCESS_DENIED},
        {"a", UNTIL("a", "uid:1001", SOONER), SYNCD_ERROR_INVALID_CONTRACT},
        {"a", UNTIL("a", "uid:1001", SOON), -1},
        {"b", ACTOR("b", "uid:1002", ""), SYNCD_ERROR_ACCESS_DENIED},
        {"b", UNTIL("b", "uid:1002", SOONER), -1},
        {"ever", UNTIL("ever", "uid:1009", SOON), SYNCD_ERROR_ACCESS_DENIED},
        {"ever", NULL, SYNCD_ERROR_ACCESS_DENIED},
        {"c", NULL, -1},
    };
    ServiceFixture f;
    service_init_instance(&f, SYNCD_INSTANCE_SYSTEM);
    f.caller.uid = 0;
    f.caller.inspector = true;
    g_assert_cmpint(register_record(&f, "actor", UNTIL("a", "uid:1001", SOON)), ==, -1);
    g_assert_cmpint(register_record(&f, "actor", ACTOR("ever", "uid:1009", "")), ==, -1);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        g_assert_cmpint(register_as(&f, &other, "actor", cases[i].record), ==, cases[i].code);
    for (size_t i = 0; i < G_N_ELEMENTS(changes); i++) {
        const char *record = changes[i].record;
        const SyncdRegistryRequest request = {.kind = "actor",
                                              .id = changes[i].id,
                                              .record = record != NULL ? SYNCD_BYTES_TEXT(record)
                                                                       : SYNCD_BYTES(NULL, 0)};
        g_assert_cmpint(change_as(&f, &other,
                                  record != NULL ? syncd_service_update : syncd_service_revoke,
                                  &request, NULL),
                        ==, changes[i].code);
    }
    /* Until when is said, so that it can be done. */
    g_autofree char *message = NULL;
    const SyncdRegistryRequest request = {.kind = "actor",
                                          .record = SYNCD_BYTES_TEXT(ACTOR("d", "uid:1004", ""))};
    change_as(&f, &other, syncd_service_register, &request, &message);
    g_assert_nonnull(strstr(message, "2026-05-05T01:00:00"));
    assert_state(&f, "actor", "ever", "active");
    service_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/grants/nobody-gives-what-he-does-not-have",
                    nobody_gives_what_he_does_not_have);
    g_test_add_func("/grants/nobody-gives-for-longer-than-he-has",
                    nobody_gives_for_longer_than_he_has);
    return g_test_run();
}
