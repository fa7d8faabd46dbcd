/*
 * The overlay answers for what is not projected yet, as the index will once it is.
 */
#include "store-fixture.h"
#include "store/overlay.h"

#define ZERO64 "0000000000000000000000000000000000000000000000000000000000000000"

static void add(SyncdOverlay *overlay, guint64 pos, const char *kind, const char *key,
                const char *content)
{
    SyncdPending *pending = g_new0(SyncdPending, 1);
    pending->feed = 1;
    pending->entry.pos = pos;
    pending->entry.text = g_strdup_printf(
        "{\"actor\":\"actor-1\",\"body\":{\"digest\":\"" ZERO64 "\",\"form\":\"whole\",\"size\":0},"
        "\"decision\":\"\",\"device\":\"d\",\"engine\":\"\",\"epoch\":1,\"hlc\":[0,0],\"key\":\"\","
        "\"keyed\":%s,\"kind\":\"%s\",\"lane\":\"normal\",\"object\":\"\",\"op\":\"op-%d\","
        "\"parents\":[],\"schema\":{\"id\":\"x\",\"version\":1},\"scope\":\"scope-1\",\"seq\":0,"
        "\"v\":1}",
        key != NULL ? "true" : "false", kind, (int)pos);
    pending->entry.size = strlen(pending->entry.text);
    g_assert_true(
        syncd_header_parse(pending->entry.text, pending->entry.size, &pending->entry.header, NULL));
    pending->body.meta =
        key != NULL ? g_strdup_printf("{\"idempotency_key\":\"%s\"}", key) : g_strdup("{}");
    pending->body.meta_size = strlen(pending->body.meta);
    pending->body.content = g_strdup(content);
    pending->body.content_size = content != NULL ? strlen(content) : 0;
    syncd_overlay_add(overlay, pending);
}

static void add_actor(SyncdOverlay *overlay, guint64 pos, const char *id, const char *identity)
{
    g_autofree char *record =
        g_strdup_printf("{\"actor_id\":\"%s\",\"identity_id\":\"%s\"}", id, identity);
    add(overlay, pos, "actor.registered", NULL, record);
}

static const char *actor_of(SyncdOverlay *overlay, const char *identity)
{
    const SyncdRecordRow *row = syncd_overlay_find_identity(overlay, identity);
    return row != NULL ? row->id : NULL;
}

static void it_answers_what_the_index_would(void)
{
    g_autoptr(SyncdOverlay) overlay = syncd_overlay_new(NULL, NULL);
    add(overlay, 5, "operation.enqueue", "k", NULL);
    add(overlay, 6, "operation.enqueue", "k", NULL); /* the first keeps the key */
    add_actor(overlay, 7, "actor-a", "uid:1");
    add_actor(overlay, 8, "actor-b", "uid:1"); /* and the identity */
    add(overlay, 9, "policy.decision", NULL, "{\"decision_id\":\"d1\",\"policy_digest\":\"p1\"}");
    g_assert_cmpuint(syncd_overlay_size(overlay), ==, 5);
    g_assert_cmpuint(syncd_overlay_find_op(overlay, "op-6"), ==, 6);
    g_assert_cmpuint(syncd_overlay_find_op(overlay, "op-4"), ==, 0);
    g_assert_cmpuint(syncd_overlay_find_key(overlay, "actor-1", "scope-1", "k"), ==, 5);
    g_assert_cmpuint(syncd_overlay_find_key(overlay, "actor-2", "scope-1", "k"), ==, 0);
    g_assert_cmpuint(syncd_overlay_find_key(overlay, "actor-1", "scope-2", "k"), ==, 0);
    g_assert_cmpstr(actor_of(overlay, "uid:1"), ==, "actor-a");
    g_assert_null(actor_of(overlay, "uid:2"));
    g_assert_true(syncd_overlay_has_decision(overlay, "p1", "d1"));
    g_assert_false(syncd_overlay_has_decision(overlay, "p1", "d2"));
    g_assert_false(syncd_overlay_has_decision(overlay, "p2", "d1"));
}

/* What the index would say. */
static guint64 first_of(void *data, const SyncdFamily *family, const char *id)
{
    return strcmp(id, "actor-b") == 0 ? 3 : 0;
}

/* However often it is written here, it is as old as it is. */
static void a_record_is_as_old_as_its_first_entry(void)
{
    g_autoptr(SyncdOverlay) overlay = syncd_overlay_new(first_of, NULL);
    const SyncdFamily *actors = syncd_family(SYNCD_FAMILY_ACTOR);
    add_actor(overlay, 7, "actor-a", "uid:1");
    add_actor(overlay, 8, "actor-b", "uid:1");
    add_actor(overlay, 9, "actor-a", "uid:1");
    add_actor(overlay, 10, "actor-b", "uid:1");
    g_assert_cmpstr(actor_of(overlay, "uid:1"), ==, "actor-b");
    g_assert_cmpuint(syncd_overlay_find_record(overlay, actors, "actor-a")->first, ==, 7);
    g_assert_cmpuint(syncd_overlay_find_record(overlay, actors, "actor-b")->first, ==, 3);
    g_assert_cmpuint(syncd_overlay_find_record(overlay, actors, "actor-b")->pos, ==, 10);
    syncd_overlay_drop_after(overlay, 8);
    g_assert_cmpuint(syncd_overlay_find_record(overlay, actors, "actor-b")->first, ==, 3);
}

static void positions_find_entries(void)
{
    g_autoptr(SyncdOverlay) overlay = syncd_overlay_new(NULL, NULL);
    g_assert_null(syncd_overlay_by_pos(overlay, 1));
    for (guint64 pos = 10; pos < 20; pos++)
        add(overlay, pos, "operation.enqueue", NULL, NULL);
    g_assert_null(syncd_overlay_by_pos(overlay, 0));
    g_assert_null(syncd_overlay_by_pos(overlay, 9));
    g_assert_null(syncd_overlay_by_pos(overlay, 20));
    g_assert_null(syncd_overlay_by_pos(overlay, G_MAXUINT64));
    for (guint64 pos = 10; pos < 20; pos++)
        g_assert_cmpuint(syncd_overlay_by_pos(overlay, pos)->entry.pos, ==, pos);
}

static void what_leaves_is_forgotten(void)
{
    g_autoptr(SyncdOverlay) overlay = syncd_overlay_new(NULL, NULL);
    add(overlay, 1, "operation.enqueue", "k", NULL);
    add_actor(overlay, 2, "actor-a", "uid:1");
    add(overlay, 3, "operation.enqueue", "k", NULL);
    add_actor(overlay, 4, "actor-b", "uid:1");
    add(overlay, 5, "policy.decision", NULL, "{\"decision_id\":\"d1\",\"policy_digest\":\"p1\"}");

    syncd_overlay_drop_through(overlay, 0);
    syncd_overlay_drop_after(overlay, 5);
    g_assert_cmpuint(syncd_overlay_size(overlay), ==, 5);
    syncd_overlay_drop_through(overlay, 2); /* projected: now later ones answer */
    g_assert_cmpuint(syncd_overlay_find_op(overlay, "op-1"), ==, 0);
    g_assert_cmpuint(syncd_overlay_find_key(overlay, "actor-1", "scope-1", "k"), ==, 3);
    g_assert_cmpstr(actor_of(overlay, "uid:1"), ==, "actor-b");
    syncd_overlay_drop_after(overlay, 3); /* a turn that was discarded */
    g_assert_cmpuint(syncd_overlay_size(overlay), ==, 1);
    g_assert_null(actor_of(overlay, "uid:1"));
    g_assert_false(syncd_overlay_has_decision(overlay, "p1", "d1"));
    g_assert_cmpuint(syncd_overlay_by_pos(overlay, 3)->entry.pos, ==, 3);
    syncd_overlay_drop_through(overlay, 100);
    g_assert_cmpuint(syncd_overlay_size(overlay), ==, 0);
    g_assert_cmpuint(syncd_overlay_find_op(overlay, "op-3"), ==, 0);
}

static void records_that_do_not_parse_register_nothing(void)
{
    static const char *const contents[] = {"", "{", "[]", "{\"actor_id\":1,\"identity_id\":2}",
                                           NULL};
    g_autoptr(SyncdOverlay) overlay = syncd_overlay_new(NULL, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(contents); i++) {
        add(overlay, 2 * i + 1, "actor.registered", NULL, contents[i]);
        add(overlay, 2 * i + 2, "policy.decision", NULL, contents[i]);
    }
    g_assert_cmpuint(syncd_overlay_size(overlay), ==, 2 * G_N_ELEMENTS(contents));
    g_assert_null(actor_of(overlay, ""));
    g_assert_false(syncd_overlay_has_decision(overlay, "", ""));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/overlay/a-record-is-as-old-as-its-first-entry",
                    a_record_is_as_old_as_its_first_entry);
    g_test_add_func("/overlay/it-answers-what-the-index-would", it_answers_what_the_index_would);
    g_test_add_func("/overlay/positions-find-entries", positions_find_entries);
    g_test_add_func("/overlay/what-leaves-is-forgotten", what_leaves_is_forgotten);
    g_test_add_func("/overlay/records-that-do-not-parse-register-nothing",
                    records_that_do_not_parse_register_nothing);
    return g_test_run();
}
