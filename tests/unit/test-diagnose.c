/*
 * Whatever is wrong with a running instance is found, with its evidence and what can be done about
 * it; and nothing is found where nothing is wrong.
 */
#include "diagnose-fixture.h"

#define MARKER "marker-that-is-easy-to-find"

static void nothing_is_found_where_nothing_is_wrong(void)
{
    ServiceFixture f;
    service_init(&f);
    put(&f, "note-1", "{}");
    assert_clean(&f);
    verify_all(&f);
    assert_clean(&f);
    service_clear(&f);
}

/* ---- the log ---- */

/* Flips one bit of a body, while nobody has the state open; doing it again flips it back. */
static void damage_body(ServiceFixture *f)
{
    g_autofree char *path = g_build_filename(f->base.directory, "journal.db", NULL);
    g_autofree char *bytes = NULL;
    gsize size;
    g_autoptr(GError) error = NULL;
    g_file_get_contents(path, &bytes, &size, &error);
    g_assert_no_error(error);
    char *at = memmem(bytes, size, MARKER + 1, strlen(MARKER + 1));
    g_assert_nonnull(at);
    at[-1] ^= 0x20;
    g_file_set_contents_full(path, bytes, (gssize)size, G_FILE_SET_CONTENTS_NONE, 0600, &error);
    g_assert_no_error(error);
}

static void assert_body_is_damaged(ServiceFixture *f, guint64 sequence)
{
    g_autoptr(GPtrArray) found = syncd_service_diagnose(f->service);
    const SyncdFound *body = find(found, "body-damaged");
    g_assert_nonnull(body);
    g_assert_cmpuint(found->len, ==, 1);
    g_assert_cmpuint(body->first, ==, sequence);
    g_assert_cmpuint(body->last, ==, sequence);
    g_assert_cmpuint(body->count, ==, 1);
    g_assert_cmpuint(body->evidence->len, ==, 1);
    g_assert_cmpstr(body->target, ==, "journal");
    g_assert_cmpstr(body->finding->repair, ==, "body-refill");
    g_assert_cmpstr(body->finding->durability, ==, "durable");
}

static void damage_of_the_log_is_known_until_all_of_it_is_sound(void)
{
    ServiceFixture f;
    service_init(&f);
    SyncdRequest request = good_request();
    request.scope = "public:site";
    request.body = SYNCD_BYTES_TEXT("{\"x\":\"" MARKER "\"}");
    g_free(enqueue_committed(&f, &request));
    guint64 sequence = service_sequence(&f);
    put(&f, "note-2", "{}");
    run_jobs(&f); /* the verification at the start has seen all of it, when it was sound */
    service_close(&f);
    damage_body(&f);

    service_open(&f);
    verify_all(&f);
    assert_body_is_damaged(&f, sequence);
    verify_all(&f);
    assert_body_is_damaged(&f, sequence); /* and is not counted twice */
    service_close(&f);

    service_open(&f);
    run_jobs(&f);
    assert_body_is_damaged(&f, sequence);
    service_close(&f);

    damage_body(&f);
    service_open(&f);
    verify_all(&f);
    assert_clean(&f);
    service_close(&f);
    service_open(&f);
    assert_clean(&f);
    service_clear(&f);
}

/* ---- what others are told ---- */

static void who_may_not_inspect_is_not_told_what_it_is_about(void)
{
    ServiceFixture f;
    const SyncdCaller stranger = {.uid = OWNER + 1};
    const SyncdDiagnoseOptions options = {.deep = false};
    service_init_instance(&f, SYNCD_INSTANCE_SYSTEM);
    g_autoptr(SyncdFound) found = syncd_found_new("workspace-asks", "workspace", "workspace:secret",
                                                  "reason", "a secret", NULL);
    found->object = g_strdup("root-secret");
    found->target = g_strdup("secret");
    syncd_found_evidence(found, g_strdup("secret evidence"));
    const SyncdFoundView view = {.of_system = true, .hidden = true};
    g_autoptr(GString) text = g_string_new(NULL);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, text, false);
    syncd_found_write(found, &view, &writer);
    g_assert_null(strstr(text->str, "secret"));
    assert_member(text->str, "code", "\"workspace-asks\"");
    assert_member(text->str, "next", "\"sourceos-syncd --system workspace resume -\"");

    g_autofree char *diagnosis = syncd_service_describe_diagnosis(f.service, &stranger, &options);
    assert_member(diagnosis, "instance", "\"system\"");
    assert_member(diagnosis, "findings", "[]");
    service_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/diagnose/nothing-is-found-where-nothing-is-wrong",
                    nothing_is_found_where_nothing_is_wrong);
    g_test_add_func("/diagnose/damage-of-the-log-is-known-until-all-of-it-is-sound",
                    damage_of_the_log_is_known_until_all_of_it_is_sound);
    g_test_add_func("/diagnose/who-may-not-inspect-is-not-told-what-it-is-about",
                    who_may_not_inspect_is_not_told_what_it_is_about);
    return g_test_run();
}
