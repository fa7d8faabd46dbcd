/* What is asked in different ways is answered the same: state, report and diagnosis agree. */
#include "diagnose-fixture.h"
#include "document-edit.h"
#include "repair-fixture.h"
#include "rot-fixture.h"

#include "store/store-private.h"

#include <unistd.h>

static void add_texts(SyncdJson list, const char *member, GPtrArray *texts)
{
    SyncdJsonIter iter;
    SyncdJson element;
    syncd_json_iter_init(&iter, list);
    while (syncd_json_iter_next(&iter, NULL, &element))
        g_ptr_array_add(texts, syncd_json_dup_text(
                                   member != NULL ? syncd_json_member(element, member) : element));
}

static bool names(const GPtrArray *codes, const char *code)
{
    for (guint i = 0; i < codes->len; i++)
        if (strcmp(codes->pdata[i], code) == 0)
            return true;
    return false;
}

/* What the report says of the state is what whoever asks next hears, and each reason is found. */
static void assert_agree(ServiceFixture *f)
{
    g_autoptr(GError) error = NULL;
    SyncdState state;
    g_autoptr(GPtrArray) reasons = g_ptr_array_new_with_free_func(g_free),
                         codes = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *report = syncd_service_health(f->service, &f->caller, &error);
    g_assert_no_error(error);
    SyncdJson local =
        syncd_json_member(syncd_json_member(document_of(report), "diagnosis"), "local_state");
    add_texts(syncd_json_member(local, "state_reasons"), NULL, reasons);
    add_texts(syncd_json_member(local, "findings"), "code", codes);
    bool diagnosed = syncd_json_member(local, "findings").type == SYNCD_JSON_ARRAY;
    syncd_service_state(f->service, &state);
    g_autofree char *told = g_strjoinv(" ", (char **)state.reasons);
    g_ptr_array_add(reasons, NULL);
    g_autofree char *reported = g_strjoinv(" ", (char **)reasons->pdata);
    g_assert_cmpstr(reported, ==, told);
    g_autoptr(GPtrArray) found = syncd_service_diagnose(f->service);
    for (size_t i = 0; state.reasons[i] != NULL; i++) {
        g_test_message("%s", state.reasons[i]);
        g_assert_nonnull(find(found, state.reasons[i]));
        g_assert_true(!diagnosed || names(codes, state.reasons[i]));
    }
}

static void an_index_that_waits_for_its_repair_is_one_thing(void)
{
    ServiceFixture f;
    leave_broken(&f);
    repair_open(&f, NULL);
    assert_agree(&f);
    SyncdState state;
    syncd_service_state(f.service, &state);
    g_assert_cmpstr(state.reasons[0], ==, "index-unavailable");
    g_assert_null(state.reasons[1]);
    g_assert_true(state.repair_needed);
    apply_repair(&f, approve_repair(&f, plan_repair(&f)));
    assert_agree(&f);
    service_clear(&f);
}

static void an_index_that_the_daemon_mends_is_one_thing_at_every_step(void)
{
    static const char *const automatic[] = {"index-rebuild", NULL};
    ServiceFixture f;
    leave_broken(&f);
    f.base.holds_index = true;
    service_open(&f);
    assert_agree(&f);
    syncd_service_start_repair(f.service, &(SyncdRepairSettings){automatic});
    do
        assert_agree(&f);
    while (syncd_service_work(f.service));
    assert_agree(&f);
    g_assert_true(lookups_answer(&f));
    service_clear(&f);
}

/* While it serves. */
static void spoil_index(ServiceFixture *f)
{
    g_autofree char *path = index_path(f);
    gsize size;
    g_autofree char *bytes = index_bytes(f, &size);
    memset(bytes + 4096, 0xff, size - 4096);
    FILE *file = g_fopen(path, "r+");
    g_assert_nonnull(file);
    g_assert_cmpuint(fwrite(bytes, 1, size, file), ==, size);
    fclose(file);
}

/* Of one that serves, as lookups find. */
static void an_index_that_is_damaged_while_it_serves_is_one_thing(void)
{
    ServiceFixture f;
    repair_init(&f);
    put_many(&f, 0, 400);
    rest(&f);
    repair_reopen(&f);
    spoil_index(&f);
    lookups_answer(&f);
    assert_agree(&f);
    service_clear(&f);
}

/* What the state remembers of a workspace that nobody can look into now is found as well. */
static void what_is_wrong_with_a_workspace_stays_found_without_an_index(void)
{
    WorkspaceFixture w;
    one_is_rotten(&w, NULL);
    put_many(&w.f, 0, 400);
    rest(&w.f);
    end_workspace(&w);
    service_close(&w.f);
    service_open(&w.f); /* nothing of it is in its WAL any more */
    SyncdState state;
    syncd_service_state(w.f.service, &state);
    assert_agree(&w.f);
    spoil_index(&w.f);
    syncd_database_forget_pages(syncd_index_database(w.f.service->store->index));
    lookups_answer(&w.f);
    syncd_service_state(w.f.service, &state);
    g_assert_true(g_strv_contains(state.reasons, "checksum-mismatch"));
    g_assert_true(g_strv_contains(state.reasons, "index-damaged"));
    assert_agree(&w.f);
    g_autoptr(GPtrArray) found = syncd_service_diagnose(w.f.service);
    const SyncdFound *rotten = find(found, "checksum-mismatch");
    g_assert_nonnull(rotten->object);
    g_assert_true(rotten->more && rotten->unmended);
    g_assert_cmpstr(rotten->next, ==, "sourceos-syncd repair plan");
    workspace_clear(&w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/health-agrees/waiting", an_index_that_waits_for_its_repair_is_one_thing);
    g_test_add_func("/health-agrees/mending",
                    an_index_that_the_daemon_mends_is_one_thing_at_every_step);
    g_test_add_func("/health-agrees/serving",
                    an_index_that_is_damaged_while_it_serves_is_one_thing);
    g_test_add_func("/health-agrees/workspaces",
                    what_is_wrong_with_a_workspace_stays_found_without_an_index);
    return g_test_run();
}
