/*
 * A full disk leads to a plan that says exactly what may be purged, and is of no use once that is
 * another.
 */
#include "contract/check.h"
#include "purge-world.h"

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
    for (size_t i = 0; i < G_N_ELEMENTS(copies); i++)
        n += state_has(f, copies[i]);
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
    for (size_t i = 0; i < G_N_ELEMENTS(copies); i++)
        state_write(&f, copies[i], bytes, EACH);
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

static void assert_stale(ServiceFixture *f, SyncdRepairPlan *plan)
{
    approve_repair(f, plan);
    guint before = count_entries(f, "deletion.purged");
    expect_not_applied(f, plan, SYNCD_ERROR_PLAN_STALE, NULL);
    run_jobs(f);
    g_assert_cmpuint(count_entries(f, "deletion.purged"), ==, before);
    g_assert_true(syncd_service_discard_repair(f->service, &f->caller, plan,
                                               syncd_repair_plan_digest(plan), NULL));
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
        register_note(&f, cases[i].schema, cases[i].object);
        delete_note(&f);
        rest(&f);
        plan_purge(&f, SYNCD_ERROR_NOT_FOUND);
        fill_disk(&f);
        g_assert_true(is_found(&f, "disk-pressure-kept"));
        service_clear(&f);
    }
}

/* Nobody has to agree to a loss for the sake of a repair. */
static void a_repair_is_planned_without_it(void)
{
    ServiceFixture f;
    begin_world(&f);
    fill_disk(&f);
    state_set_mode(&f, "journal.db", 0644);
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

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/repair-purge/plan", a_full_disk_leads_to_what_may_be_purged);
    g_test_add_func("/repair-purge/along", what_goes_along_is_counted);
    g_test_add_func("/repair-purge/stale", what_changed_is_not_purged);
    g_test_add_func("/repair-purge/kept", what_must_be_kept_is_in_no_plan);
    g_test_add_func("/repair-purge/alone", a_repair_is_planned_without_it);
    g_test_add_func("/repair-purge/levels", the_finding_is_as_grave_as_the_pressure);
    return g_test_run();
}
