/*
 * A full disk leads to a plan that says exactly what may be purged; carried out, that and nothing
 * else is gone, each with its proof, and nobody is told that it could come back.
 */
#include "contract/check.h"
#include "diagnose-fixture.h"
#include "purge-service-fixture.h"
#include "repair-fixture.h"
#include "store/examine.h"
#include "store/measure.h"

#include <string.h>

#define SCOPE "public:notes"
#define KEPT "what-must-stay"

/* ---- a disk that is full ---- */

static guint64 free_bytes;

static void full_disk(const char *state, SyncdOutside *outside)
{
    outside->total_bytes = 100000000000;
    outside->free_bytes = free_bytes;
}

static const SyncdPlaces full = {"/proc", "/sys/fs/cgroup", 0, full_disk};

static void fill_disk(ServiceFixture *f)
{
    free_bytes = 1000;
    syncd_service_set_places(f->service, &full);
}

/* ---- what is stored ---- */

static char *act_on(ServiceFixture *f, const char *object, const char *body, const char *lane)
{
    SyncdRequest request = good_request();
    request.scope = SCOPE;
    request.object = object;
    request.body = SYNCD_BYTES_TEXT(body);
    request.lane = lane;
    return enqueue_committed(f, &request);
}

static void put_one(ServiceFixture *f, const char *object, const char *marker, gsize filling)
{
    g_autofree char *filled = g_strnfill(filling, 'x'),
                    *body = g_strdup_printf("{\"text\":\"%s\",\"filling\":\"%s\"}", marker, filled);
    g_autofree char *operation = act_on(f, object, body, NULL);
    g_autofree char *lease = claim_operation(f, operation);
    complete(f, lease);
}

/* It has ended, and lies partly in files. */
static void put_ended(ServiceFixture *f, const char *object, const char *marker)
{
    put_one(f, object, marker, 100000);
    put_one(f, object, marker, 0);
}

static void remove_object(ServiceFixture *f, const char *object)
{
    g_free(act_on(f, object, "{}", "tombstone"));
}

/* Two that are deleted, one that is deleted and has not ended, and one that is there. */
static void begin_world(ServiceFixture *f)
{
    repair_init(f);
    put_ended(f, "gone-1", MARKER);
    put_ended(f, "gone-2", MARKER);
    put_ended(f, "there", KEPT);
    put_ended(f, "open", KEPT);
    g_free(act_on(f, "open", "{}", NULL));
    remove_object(f, "gone-1");
    remove_object(f, "gone-2");
    remove_object(f, "open");
    rest(f);
}

static guint count_entries(ServiceFixture *f, const char *kind)
{
    guint64 n;
    g_assert_true(syncd_store_tally(f->service->store, kind, &n));
    return (guint)n;
}

static bool is_in(ServiceFixture *f, const char *object, SyncdDeletionState state)
{
    SyncdDeletion deletion;
    bool found;
    g_autoptr(SyncdScope) scope = NULL;
    g_assert_true(syncd_store_find_scope(f->service->store, "public", "notes", &scope, NULL));
    g_assert_true(
        syncd_store_find_deletion(f->service->store, scope->id, object, &deletion, &found, NULL));
    return found && deletion.state == state;
}

static void restore_object(ServiceFixture *f, const char *object)
{
    SyncdRequest request = good_request();
    request.scope = SCOPE;
    request.object = object;
    request.restore = true;
    g_autofree char *operation = enqueue_committed(f, &request);
    g_autofree char *lease = claim_operation(f, operation);
    complete(f, lease);
}

/* By itself; the operation. */
static char *purge_object(ServiceFixture *f, const char *object)
{
    g_autoptr(GError) error = NULL;
    const SyncdPurgeRequest looked = {.scope = SCOPE, .object = object};
    g_autofree char *plan = plan_purge_at_once(f->service, &f->caller, &looked, &error);
    g_assert_no_error(error);
    g_autofree char *digest =
        syncd_json_dup_text(syncd_json_member(syncd_json_root(plan, strlen(plan)), "digest"));
    const SyncdPurgeRequest request = {SCOPE, object, digest};
    g_auto(SyncdPurged) purged = {0};
    purge_at_once(f->service, &f->caller, &request, &purged, &error);
    g_assert_no_error(error);
    return g_steal_pointer(&purged.operation);
}

/* Every body that is not theirs. */
static bool is_the_rest_there(ServiceFixture *f)
{
    g_autoptr(GError) error = NULL;
    SyncdListing listing = {.limit = 100};
    g_autofree char *cursor = NULL;
    g_autofree char *list =
        syncd_service_list_operations(f->service, &f->caller, &listing, &cursor, &error);
    g_assert_no_error(error);
    SyncdJsonIter iter;
    SyncdJson one;
    guint n = 0;
    syncd_json_iter_init(&iter, syncd_json_root(list, strlen(list)));
    while (syncd_json_iter_next(&iter, NULL, &one)) {
        g_autofree char *object = syncd_json_dup_text(syncd_json_member(one, "object_id")),
                        *operation = syncd_json_dup_text(syncd_json_member(one, "operation_id"));
        if (object == NULL || g_str_has_prefix(object, "gone"))
            continue;
        g_autofree char *whole =
            syncd_service_get_operation(f->service, &f->caller, operation, &error);
        g_assert_no_error(error);
        n += strstr(whole, KEPT) != NULL;
    }
    return n == 4 && is_in(f, "open", SYNCD_DELETION_HIDDEN);
}

static void assert_purged(ServiceFixture *f)
{
    for (int i = 0; i < 8; i++)
        rest(f);
    g_assert_true(is_in(f, "gone-1", SYNCD_DELETION_PROVEN));
    g_assert_true(is_in(f, "gone-2", SYNCD_DELETION_PROVEN));
    g_assert_cmpuint(count_entries(f, "deletion.purged"), ==, 2);
    g_assert_cmpuint(count_entries(f, "deletion.proven"), ==, 2);
    g_assert_false(state_holds(&f->base, MARKER));
    g_assert_true(is_the_rest_there(f));
}

/* ---- plans ---- */

static SyncdRepairPlan *plan_purge(ServiceFixture *f, int code)
{
    g_autoptr(GError) error = NULL;
    const SyncdRepairRequest request = {.purge = true};
    SyncdRepairPlan *plan = NULL;
    syncd_service_plan_repair(f->service, &f->caller, &request, &plan, &error);
    g_assert_cmpint(error != NULL ? error->code : -1, ==, code);
    rest(f);
    return plan;
}

static guint count_purges(const SyncdRepairPlan *plan)
{
    const char *text = syncd_repair_plan_text(plan);
    SyncdJson value, root = syncd_json_root(text, strlen(text));
    SyncdJsonIter iter;
    guint n = 0;
    syncd_json_iter_init(&iter, syncd_json_member(root, "blocked_steps"));
    while (syncd_json_iter_next(&iter, NULL, &value))
        n += syncd_json_is(syncd_json_member(value, "id"), "purge-object");
    return n;
}

static void assert_keeps_to_contract(const char *text)
{
    g_autoptr(GError) error = NULL;
    syncd_contract_demand("sourceos.repair-plan/v1alpha1", syncd_json_root(text, strlen(text)), "",
                          &error);
    g_assert_no_error(error);
}

static guint64 index_generation(ServiceFixture *f)
{
    SyncdIndexHealth health;
    syncd_store_index_health(f->service->store, &health);
    return health.generation;
}

static void assert_stale(ServiceFixture *f, SyncdRepairPlan *plan)
{
    g_autoptr(GError) error = NULL;
    SyncdJob *job = NULL;
    approve_repair(f, plan);
    guint before = count_entries(f, "deletion.purged");
    g_assert_false(syncd_service_apply_repair(f->service, &f->caller, plan,
                                              syncd_repair_plan_digest(plan), &job, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_PLAN_STALE);
    run_jobs(f);
    g_assert_cmpuint(count_entries(f, "deletion.purged"), ==, before);
    g_assert_true(syncd_service_discard_repair(f->service, &f->caller, plan,
                                               syncd_repair_plan_digest(plan), NULL));
}

static void a_full_disk_leads_to_what_may_be_purged(void)
{
    ServiceFixture f;
    begin_world(&f);
    g_assert_false(is_found(&f, "disk-pressure"));
    fill_disk(&f);
    g_assert_true(is_found(&f, "disk-pressure"));
    SyncdRepairPlan *plan = plan_repair(&f);
    const char *text = syncd_repair_plan_text(plan);
    g_assert_true(syncd_repair_plan_is_destructive(plan));
    g_assert_cmpstr(syncd_repair_plan_risk(plan), ==, "high");
    g_assert_cmpuint(count_purges(plan), ==, 2);
    g_assert_nonnull(strstr(text, "\"gone-1\""));
    g_assert_nonnull(strstr(text, "\"gone-2\""));
    g_assert_nonnull(strstr(text, "\"available\": false"));
    g_assert_nonnull(strstr(text, "\"generate_purge_preview\""));
    assert_keeps_to_contract(text);
    g_assert_nonnull(strstr(text, "\"preserved\""));
    g_assert_null(strstr(text, "\"there\""));
    g_assert_null(strstr(text, "\"open\""));
    g_assert_true(state_holds(&f.base, MARKER));
    g_assert_cmpuint(count_entries(&f, "deletion.purged"), ==, 0);
    service_clear(&f);
}

/* A number of the preview. */
static gint64 total_of(const SyncdRepairPlan *plan, const char *name)
{
    const char *text = syncd_repair_plan_text(plan);
    SyncdJson step, root = syncd_json_root(text, strlen(text));
    SyncdJsonIter iter;
    gint64 bytes = -1;
    syncd_json_iter_init(&iter, syncd_json_member(root, "steps"));
    g_assert_true(syncd_json_iter_next(&iter, NULL, &step));
    SyncdJson preview = syncd_json_member(step, "preview");
    g_assert_true(syncd_json_get_int64(syncd_json_member(preview, name), &bytes));
    return bytes;
}

static const char *const copies[] = {"journal.3", "journal.3-wal", "journal.db.before-2",
                                     "repair/plan-1.0"};

static guint count_copies(ServiceFixture *f)
{
    guint n = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(copies); i++) {
        g_autofree char *path = g_build_filename(f->base.directory, copies[i], NULL);
        n += g_file_test(path, G_FILE_TEST_EXISTS);
    }
    return n;
}

/* Whoever is asked is told all that he gets for it, and what else goes. */
static void what_goes_along_is_counted(void)
{
    enum { EACH = 1000 };
    ServiceFixture f;
    begin_world(&f);
    SyncdRepairPlan *plan = plan_purge(&f, -1);
    g_assert_cmpint(total_of(plan, "copies_bytes"), ==, 0);
    g_assert_null(strstr(syncd_repair_plan_text(plan), "With it go"));
    gint64 before = total_of(plan, "freed_bytes");
    g_autofree char *bytes = g_strnfill(EACH, 'x');
    for (size_t i = 0; i < G_N_ELEMENTS(copies); i++) {
        g_autofree char *path = g_build_filename(f.base.directory, copies[i], NULL);
        write_private(path, bytes, EACH);
    }
    plan = plan_purge(&f, -1);
    gint64 along = EACH * (gint64)G_N_ELEMENTS(copies);
    g_assert_cmpint(total_of(plan, "copies_bytes"), ==, along);
    g_assert_cmpint(total_of(plan, "freed_bytes"), ==, before + along);
    g_assert_nonnull(strstr(syncd_repair_plan_text(plan), "With it go"));
    g_assert_cmpuint(count_copies(&f), ==, G_N_ELEMENTS(copies));
    approve_repair(&f, plan);
    apply_repair(&f, plan);
    assert_purged(&f);
    g_assert_cmpuint(count_copies(&f), ==, 0);
    service_clear(&f);
}

static void what_was_shown_is_purged_and_proven(void)
{
    ServiceFixture f;
    begin_world(&f);
    fill_disk(&f);
    SyncdRepairPlan *plan = plan_repair(&f);
    approve_repair(&f, plan);
    guint64 generation = index_generation(&f);
    apply_repair(&f, plan);
    assert_purged(&f);
    g_assert_cmpuint(index_generation(&f), ==, generation + 1); /* once for both */
    g_autoptr(GError) error = NULL;
    g_autofree char *report = syncd_service_repair_report(f.service, plan, &error);
    g_assert_no_error(error);
    g_assert_nonnull(strstr(report, "\"purged\":[{\"target\":\"object/"));
    /* … and the next plan has nothing, and says why. */
    g_assert_true(is_found(&f, "disk-pressure-kept"));
    SyncdRepairPlan *again = NULL;
    g_assert_false(syncd_service_plan_repair(f.service, &f.caller, NULL, &again, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND);
    g_assert_nonnull(strstr(error->message, "Nothing may be purged"));
    service_clear(&f);
}

static void nobody_is_told_that_it_comes_back(void)
{
    ServiceFixture f;
    begin_world(&f);
    SyncdRepairPlan *plan = plan_purge(&f, -1);
    approve_repair(&f, plan);
    apply_repair(&f, plan);
    g_autoptr(GError) error = NULL;
    SyncdJob *job = NULL;
    g_assert_false(syncd_service_rollback_repair(f.service, &f.caller, plan,
                                                 syncd_repair_plan_digest(plan), &job, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND);
    g_assert_nonnull(strstr(error->message, "cannot come back"));
    g_autofree char *description = syncd_repair_plan_describe(plan);
    g_assert_nonnull(strstr(description, "\"rollback_until_usec\":null"));
    service_clear(&f);
}

/* Half done it goes on, and that is what is said: nothing of it could be taken back. */
static void nor_while_it_is_half_done(void)
{
    ServiceFixture f;
    g_autoptr(GError) error = NULL;
    SyncdJob *job = NULL;
    begin_world(&f);
    SyncdRepairPlan *other = plan_purge(&f, -1), *plan = leave_half_done(&f, plan_purge(&f, -1));
    approve_repair(&f, other);
    g_assert_false(syncd_service_apply_repair(f.service, &f.caller, other,
                                              syncd_repair_plan_digest(other), &job, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_BUSY);
    g_assert_nonnull(strstr(error->message, "repair apply"));
    g_assert_null(strstr(error->message, "rollback"));
    g_clear_error(&error);
    g_assert_false(syncd_service_discard_repair(f.service, &f.caller, plan,
                                                syncd_repair_plan_digest(plan), &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_BUSY);
    g_assert_nonnull(strstr(error->message, "repair apply"));
    g_assert_null(strstr(error->message, "roll"));
    g_clear_error(&error);
    g_assert_false(syncd_service_rollback_repair(f.service, &f.caller, plan,
                                                 syncd_repair_plan_digest(plan), &job, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND);
    g_assert_nonnull(strstr(error->message, "repair apply"));
    g_assert_true(syncd_service_apply_repair(f.service, &f.caller, plan,
                                             syncd_repair_plan_digest(plan), &job, &error));
    run_jobs(&f);
    assert_purged(&f);
    service_clear(&f);
}

static void what_changed_is_not_purged(void)
{
    ServiceFixture f;
    begin_world(&f);
    /* One is there again, another was deleted, and of one there is more. */
    SyncdRepairPlan *plan = plan_purge(&f, -1);
    restore_object(&f, "gone-1");
    assert_stale(&f, plan);
    plan = plan_purge(&f, -1);
    remove_object(&f, "there");
    assert_stale(&f, plan);
    plan = plan_purge(&f, -1);
    restore_object(&f, "gone-2");
    put_ended(&f, "gone-2", MARKER);
    remove_object(&f, "gone-2");
    assert_stale(&f, plan);
    service_clear(&f);
}

/* It has more to it than was shown. */
static void change_object(ServiceFixture *f, const char *object)
{
    restore_object(f, object);
    put_ended(f, object, KEPT);
    remove_object(f, object);
}

/* When it is already under way the others go, and it stays. */
static void what_changes_meanwhile_stays(void)
{
    static void (*const changes[])(ServiceFixture *, const char *) = {restore_object,
                                                                      change_object};
    for (size_t i = 0; i < G_N_ELEMENTS(changes); i++) {
        ServiceFixture f;
        begin_world(&f);
        SyncdRepairPlan *plan = plan_purge(&f, -1);
        approve_repair(&f, plan);
        SyncdJob *job = begin_repair(&f, plan);
        changes[i](&f, "gone-2");
        run_jobs(&f);
        g_assert_cmpstr(syncd_job_state(job), ==, "done");
        rest(&f);
        g_assert_true(is_in(&f, "gone-1", SYNCD_DELETION_PROVEN));
        g_assert_true(
            is_in(&f, "gone-2", i == 0 ? SYNCD_DELETION_RESTORED : SYNCD_DELETION_HIDDEN));
        g_assert_cmpuint(count_entries(&f, "deletion.purged"), ==, 1);
        g_autofree char *report = syncd_service_repair_report(f.service, plan, NULL);
        g_assert_nonnull(strstr(report, "The object gone-2, which is not as it was shown"));
        g_assert_nonnull(strstr(report, "Plan again with `sourceos-syncd repair plan --purge`"));
        service_clear(&f);
    }
}

/* Somebody did it meanwhile, or this plan did before a crash. */
static void what_is_purged_already_is_told_of(void)
{
    ServiceFixture f;
    begin_world(&f);
    SyncdRepairPlan *plan = plan_purge(&f, -1);
    approve_repair(&f, plan);
    begin_repair(&f, plan);
    g_autofree char *operation = purge_object(&f, "gone-2");
    run_jobs(&f);
    g_assert_cmpstr(syncd_repair_plan_state(plan), ==, "complete");
    g_autofree char *report = syncd_service_repair_report(f.service, plan, NULL);
    g_assert_nonnull(strstr(report, operation));
    assert_purged(&f);
    service_clear(&f);
}

static void what_must_be_kept_is_in_no_plan(void)
{
    static const struct {
        const char *schema, *object;
    } cases[] = {{SCHEMA_OF("legal_hold"), OBJECT_OF("normal")},
                 {SCHEMA_OF("normal"), OBJECT_OF("retained")}};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        ServiceFixture f;
        repair_init(&f);
        g_free(put_note(&f));
        g_assert_cmpint(register_record(&f, "schema", cases[i].schema), ==, -1);
        g_assert_cmpint(register_record(&f, "object", cases[i].object), ==, -1);
        delete_note(&f);
        rest(&f);
        plan_purge(&f, SYNCD_ERROR_NOT_FOUND);
        fill_disk(&f);
        g_assert_true(is_found(&f, "disk-pressure-kept"));
        service_clear(&f);
    }
}

/* The control: what is not to be taken would be missed. */
static void it_would_show_if_more_were_purged(void)
{
    ServiceFixture f;
    begin_world(&f);
    g_assert_true(is_the_rest_there(&f));
    remove_object(&f, "there");
    g_free(purge_object(&f, "there"));
    rest(&f);
    g_assert_false(is_the_rest_there(&f));
    service_clear(&f);
}

/* Nobody has to agree to a loss for the sake of a repair. */
static void a_repair_is_planned_without_it(void)
{
    ServiceFixture f;
    begin_world(&f);
    fill_disk(&f);
    g_autofree char *path = g_build_filename(f.base.directory, "journal.db", NULL);
    g_assert_cmpint(g_chmod(path, 0644), ==, 0);
    SyncdRepairPlan *plan = plan_repair(&f);
    g_assert_false(syncd_repair_plan_is_destructive(plan));
    g_assert_nonnull(strstr(syncd_repair_plan_text(plan), "left for another plan"));
    approve_repair(&f, plan);
    apply_repair(&f, plan);
    g_assert_cmpuint(count_entries(&f, "deletion.purged"), ==, 0);
    plan = plan_repair(&f);
    g_assert_true(syncd_repair_plan_is_destructive(plan));
    service_clear(&f);
}

/* As the pressure in the health report is called, and what that offers. */
static void the_finding_is_as_grave_as_the_pressure(void)
{
    static const struct {
        guint64 free;
        const char *pressure, *code;
        bool offered;
    } levels[] = {
        {30000000000, "none", NULL, false},
        {15000000000, "watch", NULL, false},
        {8000000000, "warning", "disk-filling", true},
        {4000000000, "critical", "disk-pressure", true},
    };
    static const char *const codes[] = {"disk-filling", "disk-pressure", "disk-pressure-kept"};
    ServiceFixture f;
    begin_world(&f);
    fill_disk(&f);
    for (size_t i = 0; i < G_N_ELEMENTS(levels); i++) {
        g_autoptr(GError) error = NULL;
        free_bytes = levels[i].free;
        const SyncdCaller all = {.uid = OWNER, .inspector = true};
        g_autofree char *report = syncd_service_health(f.service, &all, &error);
        g_assert_no_error(error);
        g_autofree char *pressure = g_strdup_printf("\"pressure\":\"%s\"", levels[i].pressure);
        g_assert_nonnull(strstr(report, pressure));
        g_assert_true((strstr(report, "disk_pressure_purge_preview") != NULL) == levels[i].offered);
        for (size_t k = 0; k < G_N_ELEMENTS(codes); k++)
            g_assert_true(is_found(&f, codes[k]) == (g_strcmp0(codes[k], levels[i].code) == 0));
    }
    service_clear(&f);
}

/* Killed again and again, after one more step each time. */
static void a_crash_between_any_two_steps_purges_each_once(void)
{
    for (guint steps = 1; steps < 40; steps += is_hurried() ? 3 : 1) {
        ServiceFixture f;
        begin_world(&f);
        SyncdRepairPlan *plan = plan_purge(&f, -1);
        approve_repair(&f, plan);
        g_autofree char *id = g_strdup(syncd_repair_plan_id(plan));
        begin_repair(&f, plan);
        for (guint i = 0; i < steps; i++)
            syncd_service_work(f.service);
        repair_reopen(&f);
        run_jobs(&f);
        plan = find_repair_plan(f.service, id);
        g_assert_cmpstr(syncd_repair_plan_state(plan), ==, "complete");
        assert_purged(&f);
        g_autofree char *report = syncd_service_repair_report(f.service, plan, NULL);
        g_assert_nonnull(strstr(report, "gone-1"));
        service_clear(&f);
    }
}

/* Whoever purges is told of that, and not of what else is wrong. */
static void what_else_is_wrong_is_not_told_of(void)
{
    ServiceFixture f;
    begin_world(&f);
    g_autofree char *key = g_build_filename(f.base.directory, "keys", "device.key", NULL);
    g_assert_cmpint(chmod(key, 0644), ==, 0);
    g_assert_true(is_found(&f, "file-modes"));
    SyncdRepairPlan *plan = plan_purge(&f, -1);
    approve_repair(&f, plan);
    apply_repair(&f, plan);
    g_assert_true(report_says(&f, plan, "\"unresolved_conflicts\":[]"));
    g_assert_true(is_found(&f, "file-modes"));
    service_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/repair-purge/plan", a_full_disk_leads_to_what_may_be_purged);
    g_test_add_func("/repair-purge/along", what_goes_along_is_counted);
    g_test_add_func("/repair-purge/apply", what_was_shown_is_purged_and_proven);
    g_test_add_func("/repair-purge/else", what_else_is_wrong_is_not_told_of);
    g_test_add_func("/repair-purge/no-way-back", nobody_is_told_that_it_comes_back);
    g_test_add_func("/repair-purge/half-done", nor_while_it_is_half_done);
    g_test_add_func("/repair-purge/stale", what_changed_is_not_purged);
    g_test_add_func("/repair-purge/meanwhile", what_changes_meanwhile_stays);
    g_test_add_func("/repair-purge/already", what_is_purged_already_is_told_of);
    g_test_add_func("/repair-purge/kept", what_must_be_kept_is_in_no_plan);
    g_test_add_func("/repair-purge/control", it_would_show_if_more_were_purged);
    g_test_add_func("/repair-purge/alone", a_repair_is_planned_without_it);
    g_test_add_func("/repair-purge/levels", the_finding_is_as_grave_as_the_pressure);
    g_test_add_func("/repair-purge/crash", a_crash_between_any_two_steps_purges_each_once);
    return g_test_run();
}
