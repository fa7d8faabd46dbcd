/*
 * What any purge takes along is named before anybody agrees to it, and nothing else goes; and what
 * a repair kept that nothing proves stays, whoever wants to purge.
 */
#include "purge-plan-fixture.h"
#include "service/purge-along.h"
#include "service/repair-private.h"

#include <string.h>

#define BROKEN "this is no database at all"

static void begin_deleted(ServiceFixture *f)
{
    repair_init(f);
    g_free(put_note(f));
    delete_note(f);
    rest(f);
}

static void put_file(ServiceFixture *f, const char *name)
{
    state_write(f, name, "0123456789", -1);
}

static void put_copies(ServiceFixture *f)
{
    g_autofree char *folder = state_path(f, "repair");
    g_assert_cmpint(g_mkdir_with_parents(folder, 0700), ==, 0);
    put_file(f, "journal-nightly.db");
    put_file(f, "journal-nightly.db-wal");
    put_file(f, "repair/plan-1.0");
    put_file(f, "repair/plan-1.1");
}

/* Who may purge, and not see what others did. */
static const SyncdCaller stranger = {.uid = 1001};

static void register_stranger(ServiceFixture *f)
{
    g_assert_cmpint(
        register_record(f, "actor",
                        "{\"actor_id\":\"actor-other\",\"actor_type\":\"human\",\"display_name\":"
                        "\"O\",\"identity_id\":\"uid:1001\",\"workspace_scope\":[\"*\"],"
                        "\"profile_scope\":[\"*\"],\"capabilities\":[\"delete\"],\"trust_level\":"
                        "\"user\",\"policy_subject\":\"o\",\"signing_key_ref\":\"none\"}"),
        ==, -1);
}

#define COPIES                                                                                     \
    "[{\"file\":\"journal-nightly.db\",\"bytes\":20},{\"plan_id\":\"plan-1\",\"bytes\":20}]"

static char *purge_document(ServiceFixture *f)
{
    g_autoptr(GError) error = NULL;
    const SyncdPurgeRequest request = request_for(NULL);
    char *text = plan_purge_at_once(f->service, &f->caller, &request, &error);
    g_assert_no_error(error);
    return text;
}

/* ---- naming ---- */

static void a_purge_names_what_goes_with_it(void)
{
    ServiceFixture f;
    begin_deleted(&f);
    g_autofree char *before = purge_document(&f);
    assert_member(before, "copies", "[]");
    put_copies(&f);
    g_autofree char *document = purge_document(&f);
    assert_member(document, "copies", COPIES);
    /* … and what was shown before is another purge. */
    g_autofree char *quoted = member_of(before, "digest"),
                    *digest = g_strndup(quoted + 1, strlen(quoted) - 2);
    g_free(purge_at(&f, digest, SYNCD_ERROR_STALE_DIGEST));
    g_free(purge(&f));
    finish(&f);
    g_assert_false(state_has(&f, "journal-nightly.db"));
    g_assert_false(state_has(&f, "repair/plan-1.0"));
    service_clear(&f);
}

/* What others keep is none of his business; how much it is, he agrees to. */
static void whoever_may_not_inspect_is_told_how_much_it_is(void)
{
    ServiceFixture f;
    begin_deleted(&f);
    register_stranger(&f);
    rest(&f);
    f.caller = stranger;
    g_autofree char *before = purge_document(&f);
    assert_member(before, "copies", "[]");
    put_copies(&f);
    g_autofree char *document = purge_document(&f);
    assert_member(document, "copies", "[{\"count\":2,\"bytes\":40}]");
    g_assert_null(strstr(document, "nightly"));
    g_assert_null(strstr(document, "plan-1"));
    /* That is the plan which is carried out. */
    g_free(purge(&f));
    finish(&f);
    g_assert_false(state_has(&f, "journal-nightly.db"));
    service_clear(&f);
}

/* What a stop, or a migration, that was killed over a copy has left. */
static void halves_of_copies_are_copies(void)
{
    static const char *const halves[] = {"journal.1.new", "journal.db.before-4.new"};
    ServiceFixture f;
    begin_deleted(&f);
    for (size_t i = 0; i < G_N_ELEMENTS(halves); i++)
        put_file(&f, halves[i]);
    put_file(&f, "journal.1");
    g_autofree char *document = purge_document(&f);
    assert_member(document, "copies",
                  "[{\"file\":\"journal.1\",\"bytes\":20},"
                  "{\"file\":\"journal.db.before-4\",\"bytes\":10}]");
    g_free(purge(&f));
    finish(&f);
    for (size_t i = 0; i < G_N_ELEMENTS(halves); i++)
        g_assert_false(state_has(&f, halves[i]));
    service_clear(&f);
}

static void a_plan_to_make_room_names_it_too(void)
{
    ServiceFixture f;
    begin_deleted(&f);
    put_copies(&f);
    SyncdRepairPlan *plan = plan_purge(&f, -1);
    const char *text = syncd_repair_plan_text(plan);
    SyncdJson root = syncd_json_root(text, strlen(text)), step;
    SyncdJsonIter iter;
    syncd_json_iter_init(&iter, syncd_json_member(root, "steps"));
    g_assert_true(syncd_json_iter_next(&iter, NULL, &step));
    SyncdJson copies = syncd_json_member(syncd_json_member(step, "preview"), "copies");
    g_assert_cmpuint(syncd_json_count(copies), ==, 2);
    g_assert_nonnull(
        strstr(text, "With it go journal-nightly.db and what the repair plan-1 kept: 40 bytes."));
    service_clear(&f);
}

static void what_comes_later_is_not_taken(void)
{
    ServiceFixture f;
    begin_deleted(&f);
    put_copies(&f);
    SyncdRepairPlan *plan = approve_purge(&f);
    put_file(&f, "journal-weekly.db");
    expect_not_applied(&f, plan, SYNCD_ERROR_PLAN_STALE, NULL);
    g_assert_true(state_has(&f, "journal-weekly.db"));
    /* That some of it is gone by then changes nothing. */
    plan = approve_purge(&f);
    state_remove(&f, "journal-nightly.db");
    apply_repair(&f, plan);
    service_clear(&f);
}

/* ---- what nothing proves ---- */

/* As if the log were another one since. */
static void change_heads(SyncdRepairPlan *plan)
{
    for (guint i = 0; i < plan->heads->len; i++)
        g_array_index(plan->heads, SyncdRepairHead, i).root.bytes[0] ^= 1;
}

static SyncdRepairPlan *begin_index_repair(ServiceFixture *f)
{
    service_close(f);
    damage_index(f);
    repair_open(f, NULL);
    SyncdRepairPlan *plan = plan_repair(f);
    approve_repair(f, plan);
    begin_repair(f, plan);
    return plan;
}

static SyncdRepairPlan *leave_unproven(ServiceFixture *f)
{
    SyncdRepairPlan *plan = begin_index_repair(f);
    change_heads(plan);
    run_jobs(f);
    g_assert_true(syncd_repair_plan_is_unproven(plan));
    return plan;
}

static void assert_names(const GError *error, const SyncdRepairPlan *plan)
{
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_BUSY);
    g_assert_nonnull(strstr(error->message, syncd_repair_plan_id(plan)));
    g_assert_nonnull(strstr(error->message, "repair rollback"));
}

static void what_nothing_proves_is_taken_by_no_purge(void)
{
    ServiceFixture f;
    g_autoptr(GError) error = NULL;
    begin_deleted(&f);
    SyncdRepairPlan *room = plan_purge(&f, -1), *plan = leave_unproven(&f);
    const SyncdPurgeRequest request = request_for(NULL);
    g_assert_null(plan_purge_at_once(f.service, &f.caller, &request, &error));
    assert_names(error, plan);
    g_clear_error(&error);
    register_stranger(&f);
    rest(&f);
    g_assert_null(plan_purge_at_once(f.service, &stranger, &request, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_BUSY);
    g_assert_null(strstr(error->message, syncd_repair_plan_id(plan)));
    g_clear_error(&error);
    const SyncdRepairRequest wish = {.purge = true};
    g_assert_false(syncd_service_plan_repair(f.service, &f.caller, &wish, &room, &error));
    assert_names(error, plan);
    rest(&f);
    rollback_repair(&f, plan);
    g_autofree char *bytes = index_bytes(&f, NULL);
    g_assert_cmpstr(bytes, ==, BROKEN);
    service_clear(&f);
}

/* Whom policy lets purge nothing hears nothing of repairs. */
static void policy_answers_first(void)
{
    ServiceFixture f;
    g_autoptr(GError) error = NULL;
    begin_deleted(&f);
    leave_unproven(&f);
    keep_by_policy(&f);
    const SyncdPurgeRequest request = request_for(NULL);
    g_assert_null(plan_purge_at_once(f.service, &f.caller, &request, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_POLICY_DENIED);
    service_clear(&f);
}

/* One that was planned before does not find it gone either. */
static void nor_by_one_that_was_planned_before(void)
{
    ServiceFixture f;
    g_autoptr(GError) error = NULL;
    SyncdJob *job = NULL;
    begin_deleted(&f);
    SyncdRepairPlan *room = plan_purge(&f, -1);
    g_autofree char *id = g_strdup(syncd_repair_plan_id(room));
    SyncdRepairPlan *plan = leave_unproven(&f);
    room = find_repair_plan(f.service, id);
    approve_repair(&f, room);
    g_assert_false(syncd_service_apply_repair(f.service, &f.caller, room,
                                              syncd_repair_plan_digest(room), &job, &error));
    assert_names(error, plan);
    g_assert_true(syncd_repair_can_be_undone(plan));
    service_clear(&f);
}

/* A purge that is under way waits with what it takes along, until somebody has decided. */
static void a_purge_that_was_begun_waits_for_it(void)
{
    ServiceFixture f;
    g_autoptr(GError) error = NULL;
    begin_deleted(&f);
    g_autofree char *purged = purge(&f);
    SyncdRepairPlan *plan = begin_index_repair(&f);
    change_heads(plan);
    finish(&f);
    g_assert_true(syncd_repair_plan_is_unproven(plan));
    for (int i = 0; i < 8; i++)
        finish(&f);
    g_autofree char *waiting = report(&f, purged);
    assert_member(waiting, "state", "\"purged\"");
    g_assert_true(syncd_repair_can_be_undone(plan));
    syncd_service_discard_repair(f.service, &f.caller, plan, syncd_repair_plan_digest(plan),
                                 &error);
    g_assert_no_error(error);
    for (int i = 0; i < 8; i++)
        finish(&f);
    g_autofree char *done = report(&f, purged);
    assert_member(done, "state", "\"proven\"");
    service_clear(&f);
}

/* The control: what is proven goes, and is named. */
static void what_is_proven_goes_and_is_named(void)
{
    ServiceFixture f;
    begin_deleted(&f);
    SyncdRepairPlan *plan = begin_index_repair(&f);
    run_jobs(&f);
    g_assert_true(syncd_repair_can_be_undone(plan));
    g_autofree char *document = purge_document(&f);
    g_assert_nonnull(strstr(document, syncd_repair_plan_id(plan)));
    rest(&f);
    g_free(purge(&f));
    for (int i = 0; i < 8; i++)
        finish(&f);
    g_assert_false(syncd_repair_can_be_undone(plan));
    service_clear(&f);
}

/* Whoever agrees is told how many there are that are not named, and none more goes. */
static void more_than_are_named_are_counted(void)
{
    ServiceFixture f;
    begin_deleted(&f);
    for (guint i = 0; i < SYNCD_ALONG_MAX + 3; i++) {
        g_autofree char *name = g_strdup_printf("journal-%03u.db", i);
        put_file(&f, name);
    }
    g_autofree char *document = purge_document(&f);
    g_assert_nonnull(strstr(document, "journal-255.db"));
    g_assert_null(strstr(document, "journal-256.db"));
    g_assert_nonnull(strstr(document, "{\"count\":3,\"bytes\":30}]"));
    SyncdRepairPlan *plan = plan_purge(&f, -1);
    g_assert_nonnull(strstr(syncd_repair_plan_text(plan), "\"count\": 3"));
    approve_repair(&f, plan);
    put_file(&f, "journal-later.db");
    expect_not_applied(&f, plan, SYNCD_ERROR_PLAN_STALE, NULL);
    service_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/purge-along/named", a_purge_names_what_goes_with_it);
    g_test_add_func("/purge-along/many", more_than_are_named_are_counted);
    g_test_add_func("/purge-along/strangers", whoever_may_not_inspect_is_told_how_much_it_is);
    g_test_add_func("/purge-along/policy", policy_answers_first);
    g_test_add_func("/purge-along/halves", halves_of_copies_are_copies);
    g_test_add_func("/purge-along/room", a_plan_to_make_room_names_it_too);
    g_test_add_func("/purge-along/later", what_comes_later_is_not_taken);
    g_test_add_func("/purge-along/unproven", what_nothing_proves_is_taken_by_no_purge);
    g_test_add_func("/purge-along/before", nor_by_one_that_was_planned_before);
    g_test_add_func("/purge-along/waits", a_purge_that_was_begun_waits_for_it);
    g_test_add_func("/purge-along/control", what_is_proven_goes_and_is_named);
    return g_test_run();
}
