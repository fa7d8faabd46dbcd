/* What a person is shown before agreeing is what the bytes say whose digest is agreed to. */
#include "cli/repair.h"

#include <string.h>
#include <unistd.h>

#define DESCRIPTION                                                                                \
    "{\"id\":\"plan-1\",\"state\":\"complete\",\"risk\":\"low\",\"destructive\":false,"            \
    "\"steps\":[{\"id\":\"harmless\",\"state\":\"done\",\"risk\":\"low\",\"target\":\"nothing\","  \
    "\"description\":\"Do nothing.\"},{\"id\":\"more\",\"state\":\"undone\"}]}"
#define DOCUMENT                                                                                   \
    "{\"summary\":\"All of it goes.\",\"steps\":["                                                 \
    "{\"id\":\"one\",\"risk\":\"medium\",\"destructive\":false,\"target\":\"journal\","            \
    "\"description\":\"Write it anew.\"},"                                                         \
    "{\"id\":\"two\",\"risk\":\"high\",\"destructive\":true,\"target\":\"state\","                 \
    "\"description\":\"Give two of them up.\"}]}"

/* What a report says, or a plan with its description. */
static char *printed(const char *description, const char *document)
{
    int ends[2];
    char text[4096] = "";
    g_autoptr(GArray) given = g_array_new(FALSE, FALSE, sizeof(SyncdGiven));
    SyncdCli cli = {.given = given};
    SyncdCliRepair repair = {
        .id = (char *)"plan-1", .description = (char *)description, .document = (char *)document};
    g_assert_cmpint(pipe(ends), ==, 0);
    cli.out = syncd_output_new(ends[1]);
    if (description != NULL)
        syncd_cli_show_repair(&cli, NULL, &repair);
    else
        syncd_cli_show_repair_report(&cli, NULL, document, (SyncdJson){0});
    syncd_output_flush(cli.out);
    g_assert_cmpint(read(ends[0], text, sizeof text - 1), >, 0);
    syncd_output_free(cli.out);
    close(ends[0]);
    close(ends[1]);
    return g_strdup(text);
}

static void assert_says(const char *text, const char *part, bool says)
{
    if ((strstr(text, part) != NULL) != says)
        g_error("%s: %s", part, text);
}

static void what_is_done_is_what_the_document_says(void)
{
    g_autofree char *text = printed(DESCRIPTION, DOCUMENT);
    for (const char *const *part =
             (const char *const[]){"All of it goes.", "Write it anew.", "Give two of them up.",
                                   "journal", "high; some of it cannot be taken back", NULL};
         *part != NULL; part++)
        assert_says(text, *part, true);
    assert_says(text, "harmless", false);
    assert_says(text, "Do nothing.", false);
}

static void how_it_stands_is_what_the_daemon_says(void)
{
    g_autofree char *text = printed(DESCRIPTION, DOCUMENT);
    assert_says(text, "complete", true);
    assert_says(text, "undone", true);
}

/* Nothing of it is there any more, so the contract does not call it destructive. */
static void what_is_given_up_is_not_said_to_be_safe(void)
{
    g_autofree char *text = printed(
        DESCRIPTION,
        "{\"steps\":[{\"id\":\"one\",\"risk\":\"high\",\"destructive\":false,\"gives_up\":2,"
        "\"target\":\"journal\",\"description\":\"Write it anew.\"}]}");
    assert_says(text, "high; some of it cannot be taken back", true);
}

static void a_state_that_is_not_said_hides_no_step(void)
{
    g_autofree char *text = printed("{\"id\":\"plan-1\",\"state\":\"complete\"}", DOCUMENT);
    assert_says(text, "Give two of them up.", true);
}

static void what_goes_with_a_purge_is_named(void)
{
    g_autofree char *text = printed(
        DESCRIPTION, "{\"steps\":[{\"id\":\"generate_purge_preview\",\"preview\":{\"copies\":["
                     "{\"file\":\"journal-nightly.db\",\"bytes\":2000},"
                     "{\"plan_id\":\"plan-2\",\"bytes\":10}]}}],\"blocked_steps\":[]}");
    assert_says(text, "journal-nightly.db (2.0", true);
    assert_says(text, "what the repair plan-2 kept to be taken back", true);
    g_autofree char *other = printed(DESCRIPTION, DOCUMENT);
    assert_says(other, "With it go", false);
}

static void no_more_is_said_to_be_done_than_was(void)
{
#define GONE "{\"object_id\":\"note\",\"operation\":\"op-1\"}"
    static const struct {
        const char *came, *says;
    } cases[] = {
        {"\"given_up\":[]", "Repaired."},
        {"\"given_up\":[\"a chunk\"]", "Repaired, but for what is given up."},
        {"\"unresolved_conflicts\":[\"a chunk is damaged still\"]",
         "Done as far as it can be now: see what is still wrong."},
        {"\"purged\":[" GONE "," GONE "]", "Purged, for good."},
        {"\"purged\":[" GONE "]", "Purged, for good, but for what is not as it was shown."},
        {"\"purged\":[]", "Nothing was purged: what was shown is not as it was then."},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *report = g_strdup_printf("{\"outcome\":\"complete\",\"steps\":[{},{}],%s}",
                                                  cases[i].came),
                        *line = g_strconcat(cases[i].says, "\n", NULL),
                        *text = printed(NULL, report);
        g_assert_true(g_str_has_prefix(text, line));
    }
}

/* What was changed since stays, and entries are never taken out of the log. */
static void what_stays_is_not_said_to_be_taken_back(void)
{
#define BACK "Taken back: it is as it was before the repair."
    g_autofree char *all = printed(NULL, "{\"outcome\":\"rolled_back\",\"preserved\":[]}"),
                    *some = printed(NULL, "{\"outcome\":\"rolled_back\",\"preserved\":"
                                          "[\"a file as it is now\"]}");
    assert_says(all, BACK, true);
    assert_says(some, BACK, false);
    assert_says(some, "Taken back, but not all is as it was", true);
    assert_says(some, "a file as it is now", true);
    g_autofree char *none = printed(NULL, "{\"outcome\":\"rolled_back\",\"preserved\":[\"a file\"],"
                                          "\"steps\":[{\"state\":\"done\"}]}");
    assert_says(none, "Not taken back: what was there before the repair is gone", true);
}

static void one_that_is_half_done_comes_first(void)
{
    static const char plans[] =
        "[{\"id\":\"plan-a\",\"state\":\"complete\",\"rollback_until_usec\":9},"
        "{\"id\":\"plan-b\",\"state\":\"running\",\"interrupted\":true},"
        "{\"id\":\"plan-c\",\"state\":\"running\",\"interrupted\":false},"
        "{\"id\":\"plan-d\",\"state\":\"approved\",\"interrupted\":false}]";
    static const SyncdCliRepairWanted wanted[] = {SYNCD_REPAIR_READY, SYNCD_REPAIR_APPLIED};
    for (size_t i = 0; i < G_N_ELEMENTS(wanted); i++) {
        g_autofree char *id = NULL;
        g_assert_cmpuint(syncd_cli_choose_repair(plans, NULL, wanted[i], &id), ==, 1);
        g_assert_cmpstr(id, ==, "plan-b");
    }
}

static void a_file_goes_by_its_path_where_that_is_known(void)
{
    static const char known[] = "file-0123456789abcdefghjkmnpqrs-0",
                      hidden[] = "file-0123456789abcdefghjkmnpqrs-1";
    g_autoptr(GHashTable) paths = g_hash_table_new(g_str_hash, g_str_equal);
    SyncdCli cli = {.given = NULL};
    g_hash_table_insert(paths, (char *)known, (char *)"docs/plan.txt");
    g_hash_table_insert(paths, (char *)hidden, NULL);
    /* What is no id of a file stays as it is, and so does a digest that stands alone. */
    g_autofree char *text = g_strdup_printf("file/%s/0123abcd, %s; file/%s/0123abcd; file/%s: the "
                                            "chunk 0123abcd of file-none, %s/notes",
                                            known, known, hidden, known, known);
    g_autofree char *expected =
        g_strdup_printf("docs/plan.txt, docs/plan.txt; file/%s/0123abcd; docs/plan.txt: the chunk "
                        "0123abcd of file-none, docs/plan.txt/notes",
                        hidden);
    g_autofree char *told = syncd_cli_repair_with_paths(&cli, NULL, paths, text);
    g_assert_cmpstr(told, ==, expected);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cli-repair/taken-back", what_stays_is_not_said_to_be_taken_back);
    g_test_add_func("/cli-repair/paths", a_file_goes_by_its_path_where_that_is_known);
    g_test_add_func("/cli-repair/document", what_is_done_is_what_the_document_says);
    g_test_add_func("/cli-repair/state", how_it_stands_is_what_the_daemon_says);
    g_test_add_func("/cli-repair/given-up", what_is_given_up_is_not_said_to_be_safe);
    g_test_add_func("/cli-repair/hidden", a_state_that_is_not_said_hides_no_step);
    g_test_add_func("/cli-repair/along", what_goes_with_a_purge_is_named);
    g_test_add_func("/cli-repair/done", no_more_is_said_to_be_done_than_was);
    g_test_add_func("/cli-repair/half-done", one_that_is_half_done_comes_first);
    return g_test_run();
}
