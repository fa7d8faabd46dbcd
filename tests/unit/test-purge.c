/*
 * A deleted object is purged, and what is left of it is the proof. A purge that was cut short, or
 * that something stands in the way of, is completed by itself.
 */
#include "purge-service-fixture.h"

static void a_deleted_object_is_purged_and_proven(void)
{
    ServiceFixture f;
    g_free(begin(&f));
    delete_note(&f);
    g_autofree char *digest = plan(&f, -1);
    g_autofree char *purged = purge_at(&f, digest, -1);
    g_autofree char *soon = report(&f, purged);
    assert_member(soon, "state", "\"purged\"");
    assert_member(soon, "proof", "null");
    finish(&f);
    g_autofree char *late = report(&f, purged);
    assert_member(late, "state", "\"proven\"");
    assert_member(late, "entries", "2");
    g_assert_false(state_holds(&f.base, MARKER));
    g_assert_cmpuint(count_events(&f, "sync.object.purged"), ==, 1);
    g_assert_cmpuint(count_events(&f, "sync.object.purge_proven"), ==, 1);
    plan(&f, SYNCD_ERROR_ALREADY_RESOLVED);
    g_free(purge_at(&f, digest, SYNCD_ERROR_ALREADY_RESOLVED));
    service_clear(&f);
}

static void the_proof_names_what_went_and_what_is_out_of_reach(void)
{
    ServiceFixture f;
    g_autofree char *operation = begin(&f);
    delete_note(&f);
    g_autofree char *purged = purge(&f);
    finish(&f);
    g_autofree char *line = newest_line(&f);
    g_autofree char *body = member_of(line, "body"), *header = member_of(line, "header");
    assert_member(header, "lane", "\"audit\"");
    assert_member(header, "kind", "\"deletion.proven\"");
    g_autofree char *quoted = g_strdup_printf("\"%s\"", purged);
    assert_member(body, "purge", quoted);
    g_autofree char *entries = member_of(body, "entries"),
                    *unreachable = member_of(body, "unreachable"),
                    *approval = member_of(body, "approval"),
                    *decision = member_of(body, "policy_decision_ref");
    g_assert_nonnull(strstr(entries, operation));
    g_assert_cmpuint(count_elements(entries), ==, 2);
    g_assert_cmpuint(count_elements(unreachable), >=, 3);
    g_assert_nonnull(strstr(unreachable, "reasons and evidence"));
    assert_member(approval, "subject", "\"uid:1000\"");
    g_assert_true(g_str_has_prefix(decision, "\"policy-"));
    g_autofree char *named = member_of(header, "decision");
    g_assert_cmpstr(named, ==, decision);
    service_clear(&f);
}

static void the_record_of_the_object_goes_with_it(void)
{
    ServiceFixture f;
    g_free(begin(&f));
    register_note(&f, SCHEMA_OF("normal"), OBJECT_OF("normal"));
    delete_note(&f);
    assert_state(&f, "object", "note-1", "tombstoned");
    g_free(purge(&f));
    finish(&f);
    g_assert_false(state_holds(&f.base, MARKER));
    /* nor is there ever another one of that name */
    g_assert_cmpint(register_record(&f, "object", OBJECT_OF("normal")), !=, -1);
    service_close(&f);
    service_open(&f);
    g_assert_cmpint(register_record(&f, "object", OBJECT_OF("normal")), !=, -1);
    service_clear(&f);
}

static void a_purge_that_was_cut_short_is_completed(void)
{
    for (int steps = 0; steps < 3; steps++) {
        ServiceFixture f;
        g_free(begin(&f));
        delete_note(&f);
        g_autofree char *purged = purge(&f);
        for (int i = 0; i < steps; i++)
            syncd_service_work(f.service);
        service_close(&f);
        service_open(&f);
        finish(&f);
        g_autofree char *now = report(&f, purged);
        assert_member(now, "state", "\"proven\"");
        g_assert_false(state_holds(&f.base, MARKER));
        g_assert_cmpuint(count_events(&f, "sync.object.purge_proven"), ==, 1);
        service_clear(&f);
    }
}

/* The only file below blobs/. */
static char *find_chunk(ServiceFixture *f)
{
    g_autofree char *blobs = g_build_filename(f->base.directory, "blobs", NULL);
    g_autoptr(GDir) outer = g_dir_open(blobs, 0, NULL);
    g_autofree char *folder = g_build_filename(blobs, g_dir_read_name(outer), NULL);
    g_autoptr(GDir) inner = g_dir_open(folder, 0, NULL);
    return g_build_filename(folder, g_dir_read_name(inner), NULL);
}

/* Deleted: its content is in a file. */
static void begin_deleted(ServiceFixture *f)
{
    service_init(f);
    g_autofree char *fill = g_strnfill(SYNCD_STORE_INLINE_MAX, 'x');
    g_autofree char *body = g_strdup_printf("{\"text\":\"%s" MARKER "\"}", fill);
    g_autofree char *operation = enqueue_body(f, "note-1", body);
    g_autofree char *lease = claim_operation(f, operation);
    complete(f, lease);
    delete_note(f);
}

/* Purged, but for the file. */
static char *begin_large(ServiceFixture *f)
{
    begin_deleted(f);
    return purge(f);
}

/* A folder in the place of the file cannot be removed as one. */
static void what_stands_in_the_way_is_tried_again(void)
{
    ServiceFixture f;
    g_autofree char *purged = begin_large(&f);
    g_autofree char *chunk = find_chunk(&f), *aside = g_strconcat(chunk, "-aside", NULL);
    g_assert_cmpint(g_rename(chunk, aside), ==, 0);
    g_assert_cmpint(g_mkdir(chunk, 0700), ==, 0);
    finish(&f);
    g_autofree char *now = report(&f, purged);
    assert_member(now, "state", "\"purged\"");
    guint64 due = syncd_service_next_due(f.service);
    g_assert_cmpuint(due, >, f.base.now_usec);
    g_assert_cmpuint(due, <=, f.base.now_usec + 60 * G_USEC_PER_SEC);

    g_assert_cmpint(g_rmdir(chunk), ==, 0);
    g_assert_cmpint(g_rename(aside, chunk), ==, 0);
    finish(&f);
    g_autofree char *soon = report(&f, purged);
    assert_member(soon, "state", "\"purged\"");
    f.base.now_usec = due;
    finish(&f);
    g_autofree char *later = report(&f, purged);
    assert_member(later, "state", "\"proven\"");
    g_assert_false(g_file_test(chunk, G_FILE_TEST_EXISTS));
    g_assert_cmpuint(syncd_service_next_due(f.service), >, f.base.now_usec);
    service_clear(&f);
}

/* One object more, carried out, deleted and purged. */
static char *purge_another(ServiceFixture *f, const char *object)
{
    g_autofree char *operation = enqueue_body(f, object, "{}");
    g_autofree char *lease = claim_operation(f, operation);
    complete(f, lease);
    delete_object(f, object);
    return purge_as_shown(f, "workspace:notes", object);
}

static void a_purge_that_cannot_go_on_keeps_no_other_from_it(void)
{
    ServiceFixture f;
    g_autofree char *stuck = begin_large(&f);
    g_autofree char *chunk = find_chunk(&f), *aside = g_strconcat(chunk, "-aside", NULL);
    g_assert_cmpint(g_rename(chunk, aside), ==, 0);
    g_assert_cmpint(g_mkdir(chunk, 0700), ==, 0);
    for (int round = 0; round < 2; round++) {
        const char *object = round == 0 ? "note-2" : "note-3";
        g_autofree char *purged = purge_another(&f, object);
        finish(&f);
        g_autofree char *later = report(&f, purged), *still = report(&f, stuck);
        assert_member(later, "state", "\"proven\"");
        assert_member(still, "state", "\"purged\"");
    }
    guint64 due = syncd_service_next_due(f.service);
    g_assert_cmpuint(due, >, f.base.now_usec);
    g_assert_cmpint(g_rmdir(chunk), ==, 0);
    f.base.now_usec = due;
    finish(&f);
    g_autofree char *now = report(&f, stuck);
    assert_member(now, "state", "\"proven\"");
    service_clear(&f);
}

/* ---- in steps ---- */

static SyncdPurging *begin_steps(ServiceFixture *f, const SyncdPurgeRequest *request)
{
    g_autoptr(GError) error = NULL;
    g_auto(SyncdPurged) purged = {0};
    SyncdPurging *purging = syncd_service_begin_purge(f->service, &f->caller, request, &error);
    g_assert_no_error(error);
    syncd_purging_carry_out(purging, &purged, &error);
    g_assert_no_error(error);
    g_assert_null(purged.operation);
    return purging;
}

static char *go_on(SyncdPurging *purging, int code)
{
    g_autoptr(GError) error = NULL;
    g_auto(SyncdPurged) purged = {0};
    while (purged.operation == NULL)
        if (!syncd_purging_carry_out(purging, &purged, &error))
            break;
    g_assert_cmpint(error != NULL ? error->code : -1, ==, code);
    return g_steal_pointer(&purged.operation);
}

static void begin_long_log(ServiceFixture *f)
{
    begin_deleted(f);
    f->base.store = f->service->store;
    for (guint i = 0; i < 3 * SYNCD_PURGE_STEP; i += 500)
        fixture_fill(&f->base, 500);
    f->base.store = NULL;
}

/* Their turn is part of neither, and is committed before. */
static void others_are_served_between_two_steps(void)
{
    ServiceFixture f;
    begin_long_log(&f);
    g_autofree char *digest = plan(&f, -1);
    const SyncdPurgeRequest request = request_for(digest);
    g_autoptr(SyncdPurging) purging = begin_steps(&f, &request);
    SyncdRequest other = good_request();
    other.object = "note-2";
    g_autoptr(GError) error = NULL;
    g_auto(SyncdEnqueued) enqueued = {0};
    syncd_service_enqueue(f.service, &f.caller, &other, &enqueued, &error);
    g_assert_no_error(error);
    g_assert_true(syncd_service_has_turn(f.service));
    g_autofree char *purged = go_on(purging, -1);
    g_assert_nonnull(purged);
    assert_status(&f, enqueued.operation, "queued");
    finish(&f);
    g_autofree char *now = report(&f, purged);
    assert_member(now, "state", "\"proven\"");
    service_clear(&f);
}

static void what_is_restored_between_two_steps_is_not_purged(void)
{
    ServiceFixture f;
    begin_long_log(&f);
    g_autofree char *digest = plan(&f, -1);
    const SyncdPurgeRequest request = request_for(digest);
    g_autoptr(SyncdPurging) purging = begin_steps(&f, &request);
    SyncdRequest restore = good_request();
    restore.restore = true;
    g_free(enqueue_committed(&f, &restore));
    g_assert_null(go_on(purging, SYNCD_ERROR_BUSY));
    plan(&f, SYNCD_ERROR_INVALID_CONTRACT); /* as it is not deleted */
    service_clear(&f);
}

/* It needs as many steps of work as the log has. */
static void clearing_up_is_work_in_steps(void)
{
    ServiceFixture f;
    begin_long_log(&f);
    g_free(purge(&f));
    guint steps = 0;
    while (count_events(&f, "sync.object.purge_proven") == 0) {
        syncd_service_work(f.service);
        syncd_service_commit(f.service);
        steps++;
    }
    g_assert_cmpuint(steps, >, 3 + (guint)(service_sequence(&f) / SYNCD_PURGE_STEP));
    service_clear(&f);
}

/* Of a plan that is not known any more: its ledger was set aside, or lost. */
static void what_a_repair_kept_for_nobody_goes_as_well(void)
{
    ServiceFixture f;
    g_free(begin(&f));
    delete_note(&f);
    g_autofree char *folder = g_build_filename(f.base.directory, "repair", NULL),
                    *kept = g_build_filename(folder, "plan-x.0", NULL),
                    *state = g_build_filename(folder, "plan-x.state.damaged", NULL);
    g_assert_cmpint(g_mkdir_with_parents(folder, 0700), ==, 0);
    g_assert_true(g_file_set_contents(kept, MARKER, -1, NULL));
    g_assert_true(g_file_set_contents(state, "{}", -1, NULL));
    g_autofree char *purged = purge(&f);
    finish(&f);
    g_autofree char *told = report(&f, purged);
    assert_member(told, "state", "\"proven\"");
    g_assert_false(state_holds(&f.base, MARKER));
    g_assert_true(g_file_test(state, G_FILE_TEST_EXISTS));
    service_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/purge/proven", a_deleted_object_is_purged_and_proven);
    g_test_add_func("/purge/proof", the_proof_names_what_went_and_what_is_out_of_reach);
    g_test_add_func("/purge/record", the_record_of_the_object_goes_with_it);
    g_test_add_func("/purge/cut-short", a_purge_that_was_cut_short_is_completed);
    g_test_add_func("/purge/tried-again", what_stands_in_the_way_is_tried_again);
    g_test_add_func("/purge/others-go-on", a_purge_that_cannot_go_on_keeps_no_other_from_it);
    g_test_add_func("/purge/others-between", others_are_served_between_two_steps);
    g_test_add_func("/purge/restored-between", what_is_restored_between_two_steps_is_not_purged);
    g_test_add_func("/purge/work-in-steps", clearing_up_is_work_in_steps);
    g_test_add_func("/purge/kept-for-nobody", what_a_repair_kept_for_nobody_goes_as_well);
    return g_test_run();
}
