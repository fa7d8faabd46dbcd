/*
 * Content that is kept goes when the workspace's rule says so: of a deleted or ignored file after
 * its days, of one that does not change when fewer versions are to be kept, and never because a
 * clock jumped.
 */
#include "content-fixture.h"
#include "raw-sql.h"

/* ---- when it goes after a deletion ---- */

#define DAY_USEC (G_GUINT64_CONSTANT(86400) * G_USEC_PER_SEC)

/* What one commit has begun goes on after the next. */
static void settle_all(WorkspaceFixture *w)
{
    for (guint i = 0; i < 20; i++) {
        settle(w);
        if (syncd_service_has_turn(w->f.service))
            syncd_service_commit(w->f.service);
    }
}

static void pass(WorkspaceFixture *w, guint64 usec)
{
    static guint n;
    g_autofree char *text = text_of(10, (char)('a' + n++ % 20));
    w->f.base.now_usec += usec;
    write_file(w, "clock", text);
    rescan(w);
    settle_all(w);
}

/* Something is recorded so many days later, by whose clock it is seen how late it is; and once more
 * the day after, as it is looked for once a day. */
static void pass_days(WorkspaceFixture *w, guint days)
{
    pass(w, days * DAY_USEC);
    pass(w, DAY_USEC);
}

static void fill_with_versions(WorkspaceFixture *w, const char *name, size_t size)
{
    for (char first = 'A'; first < 'E'; first++) {
        g_autofree char *text = text_of(size, first);
        write_file(w, name, text);
        if (w->workspace == NULL)
            begin(w);
        else
            rescan(w);
    }
}

static void of_a_deleted_file_it_stays_for_as_long_as_the_rule_says(void)
{
    static const struct {
        const char *keep;
        guint days;
    } rules[] = {
        {"{\"versions\":2,\"max_bytes\":4194304}", 30},
        {"{\"versions\":2,\"max_bytes\":4194304,\"deleted_days\":3}", 3},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rules); i++) {
        WorkspaceFixture w;
        workspace_init_keeping(&w, rules[i].keep);
        write_file(&w, "clock", "0123456789");
        write_file(&w, "other", "ABC");
        fill_with_versions(&w, "small", 10);
        fill_with_versions(&w, "large", SYNCD_CONTENT_ROW_MAX + 1);
        guint64 small = row_of(&w, "small").id, large = row_of(&w, "large").id;
        remove_file(&w, "small");
        remove_file(&w, "large");
        rescan(&w);
        settle_all(&w); /* older versions have been dropped */
        g_assert_cmpuint(blobs_of(&w), ==, 3);
        pass_days(&w, rules[i].days - 2);
        g_autofree char *last = text_of(10, 'D');
        assert_kept(&w, small, 4, last);
        g_assert_cmpuint(blobs_of(&w), ==, 3);
        pass_days(&w, 1);
        for (guint64 version = 1; version <= 4; version++) {
            assert_not_kept(&w, small, version);
            assert_not_kept(&w, large, version);
        }
        g_assert_cmpuint(blobs_of(&w), ==, 0);
        assert_kept(&w, row_of(&w, "other").id, 1, "ABC");
        g_assert_cmpuint(findings(&w), ==, 0);
        /* Not once more. */
        guint64 sequence = service_sequence(&w.f);
        pass_days(&w, 1);
        g_assert_cmpuint(service_sequence(&w.f), <=, sequence + 2);
        end_workspace(&w);
        service_close(&w.f);
        g_autofree char *journal = g_build_filename(w.f.base.directory, "journal.db", NULL);
        assert_answer(journal, "SELECT count(*) FROM content", "4"); /* and 3 of the clock's */
        service_open(&w.f);
        workspace_clear(&w);
    }
}

/* More than fits into one document. */
static void many_deleted_files_are_dropped_in_several_entries(void)
{
    WorkspaceFixture w;
    enum { FILES = 600 };
    workspace_init_keeping(&w, KEEP_TWO);
    for (guint i = 0; i < FILES; i++) {
        g_autofree char *name = g_strdup_printf("f%u", i);
        write_file(&w, name, name);
    }
    write_file(&w, "clock", "0123456789");
    begin(&w);
    GArray *files = g_array_new(FALSE, FALSE, sizeof(guint64));
    syncd_workspace_accept_deletions(w.workspace);
    for (guint i = 0; i < FILES; i++) {
        g_autofree char *name = g_strdup_printf("f%u", i);
        guint64 file = row_of(&w, name).id;
        g_array_append_val(files, file);
        remove_file(&w, name);
    }
    rescan(&w);
    g_autofree char *first = g_strdup("f0");
    assert_kept(&w, g_array_index(files, guint64, 0), 1, first);
    pass_days(&w, 31);
    for (guint i = 0; i < FILES; i++)
        assert_not_kept(&w, g_array_index(files, guint64, i), 1);
    g_assert_cmpuint(findings(&w), ==, 0);
    g_array_unref(files);
    workspace_clear(&w);
}

static void retain_soon(WorkspaceFixture *w)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) roots = NULL;
    syncd_service_list_roots(w->f.service, &roots, &error);
    g_assert_no_error(error);
    syncd_service_retain_soon(w->f.service, roots);
}

/* Commits about other things of roots begin nothing anew. */
static void only_another_rule_makes_it_look_again(void)
{
    WorkspaceFixture w;
    workspace_init_keeping(&w, KEEP_TWO);
    begin(&w);
    settle(&w);
    retain_soon(&w);
    settle(&w);
    guint64 again = w.f.service->retention_usec;
    g_assert_cmpuint(again, >, 0);
    retain_soon(&w);
    g_assert_cmpuint(w.f.service->retention_usec, ==, again);
    w.f.service->retains = true;
    retain_soon(&w);
    g_assert_true(w.f.service->retains);
    g_autoptr(GPtrArray) roots = g_ptr_array_new_with_free_func((GDestroyNotify)syncd_root_free);
    SyncdRoot *root = syncd_root_copy(w.workspace->root);
    root->deleted_days++;
    g_ptr_array_add(roots, root);
    syncd_service_retain_soon(w.f.service, roots);
    g_assert_false(w.f.service->retains);
    g_assert_cmpuint(w.f.service->retention_usec, ==, 0);
    settle(&w);
    g_assert_cmpuint(w.f.service->retention_usec, >, 0);
    root->keep_versions--;
    syncd_service_retain_soon(w.f.service, roots);
    g_assert_cmpuint(w.f.service->retention_usec, ==, 0);
    workspace_clear(&w);
}

/* Where the clock is, against where it should be. */
static gint64 clock_off;

static guint64 wrong_clock(void *data)
{
    return ((Fixture *)data)->now_usec + (guint64)clock_off;
}

/* That somebody set it wrong once, or a battery was empty, is no reason to lose what cannot come
 * back; and whoever it was, the daemon drops it when the time has really come. */
static void a_clock_that_jumps_drops_nothing(void)
{
    WorkspaceFixture w;
    g_autoptr(GError) error = NULL;
    workspace_init_keeping(&w, KEEP_TWO);
    write_file(&w, "clock", "0123456789");
    write_file(&w, "file", "one");
    begin(&w);
    guint64 file = row_of(&w, "file").id;
    remove_file(&w, "file");
    rescan(&w);
    w.f.base.sources.realtime_usec = wrong_clock;
    clock_off = 4000 * (gint64)DAY_USEC;
    pass_days(&w, 1);
    assert_kept(&w, file, 1, "one");
    /* What was recorded meanwhile says the wrong time for ever. */
    clock_off = 0;
    end_workspace(&w);
    service_close(&w.f);
    service_open(&w.f);
    begin(&w);
    pass_days(&w, 1);
    assert_kept(&w, file, 1, "one");
    pass_days(&w, 31);
    assert_not_kept(&w, file, 1);
    g_auto(SyncdEntry) entry = {0};
    bool dropped = false;
    for (guint64 pos = service_sequence(&w.f); pos > 0 && !dropped; pos--) {
        g_auto(SyncdBody) body = {0};
        syncd_entry_clear(&entry);
        g_assert_true(syncd_store_read(store_of(&w), pos, &entry, &error));
        if (!syncd_bytes_are(entry.header.schema_id, SYNCD_FILES_SCHEMA))
            continue;
        g_assert_true(syncd_store_read_body(store_of(&w), &entry, &body, &error));
        g_autofree char *text = g_strndup(body.content, body.content_size);
        dropped = strstr(text, "\"found\":\"retention\"") != NULL;
        g_assert_true(!dropped || syncd_bytes_are(entry.header.actor, w.f.service->own_actor));
    }
    g_assert_true(dropped);
    workspace_clear(&w);
}

static void what_was_deleted_goes_when_the_rule_changes(void)
{
    WorkspaceFixture w;
    workspace_init_keeping(&w, "{\"versions\":2,\"max_bytes\":4194304,\"deleted_days\":0}");
    write_file(&w, "clock", "0123456789");
    write_file(&w, "file", "one");
    begin(&w);
    settle(&w);
    guint64 file = row_of(&w, "file").id;
    remove_file(&w, "file");
    rescan(&w);
    settle(&w);
    assert_kept(&w, file, 1, "one"); /* nobody has looked since */
    retain_soon(&w);
    pass(&w, 0);
    assert_not_kept(&w, file, 1);
    workspace_clear(&w);
}

/* ---- when fewer versions are to be kept ---- */

#define KEEP_SEVEN "{\"versions\":7,\"max_bytes\":4194304}"
#define KEEP_ONE "{\"versions\":1,\"max_bytes\":4194304}"

/* As the daemon hears of it. */
static void keep_by(WorkspaceFixture *w, const char *keep)
{
    g_autofree char *root = g_strdup_printf(
        "{\"root_id\":\"r1\",\"workspace_id\":\"workspace:notes\",\"directory\":\"%s\","
        "\"root_state\":\"active\"%s%s}",
        w->directory, keep != NULL ? ",\"keep\":" : "", keep != NULL ? keep : "");
    g_assert_cmpint(update_record(&w->f, "root", "r1", root), ==, -1);
    end_workspace(w);
    begin(w);
    retain_soon(w);
    settle_all(w);
}

static void assert_versions(WorkspaceFixture *w, guint64 file, size_t size, guint64 first)
{
    for (guint64 version = 1; version <= 4; version++) {
        g_autofree char *text = text_of(size, (char)('A' + version - 1));
        if (version < first)
            assert_not_kept(w, file, version);
        else
            assert_kept(w, file, version, text);
    }
}

/* Whoever has fewer kept wants the room now, and not once each file has changed again. */
static void of_files_that_do_not_change_fewer_stay_when_the_rule_says_so(void)
{
    WorkspaceFixture w;
    workspace_init_keeping(&w, KEEP_SEVEN);
    fill_with_versions(&w, "small", 10);
    fill_with_versions(&w, "large", SYNCD_CONTENT_ROW_MAX + 1);
    write_file(&w, "young", "one");
    rescan(&w);
    guint64 small = row_of(&w, "small").id, large = row_of(&w, "large").id;
    g_assert_cmpuint(blobs_of(&w), ==, 4);

    /* As many as there are stay, and so does everything when none is to be kept from then on. */
    keep_by(&w, "{\"versions\":3,\"max_bytes\":4194304}");
    assert_versions(&w, small, 10, 1);
    keep_by(&w, NULL);
    assert_versions(&w, small, 10, 1);
    assert_versions(&w, large, SYNCD_CONTENT_ROW_MAX + 1, 1);
    g_assert_cmpuint(blobs_of(&w), ==, 4);

    keep_by(&w, KEEP_ONE);
    assert_versions(&w, small, 10, 3);
    assert_versions(&w, large, SYNCD_CONTENT_ROW_MAX + 1, 3);
    assert_kept(&w, row_of(&w, "young").id, 1, "one");
    g_assert_cmpuint(row_of(&w, "small").version, ==, 4);
    g_assert_cmpuint(blobs_of(&w), ==, 2);
    g_assert_cmpuint(findings(&w), ==, 0);

    /* Not once more, and by an index that is made anew not otherwise. */
    guint64 sequence = service_sequence(&w.f);
    pass_days(&w, 1);
    g_assert_cmpuint(service_sequence(&w.f), <=, sequence + 4);
    end_workspace(&w);
    service_close(&w.f);
    g_autofree char *index = g_build_filename(w.f.base.directory, "index.db", NULL);
    g_assert_cmpint(g_remove(index), ==, 0);
    service_open(&w.f);
    begin(&w);
    assert_versions(&w, small, 10, 3);
    workspace_clear(&w);
}

/* More versions of one file than fit into one document, beside those that stay. */
static void many_versions_of_a_file_are_dropped_in_several_entries(void)
{
    enum { VERSIONS = 400 };
    WorkspaceFixture w;
    workspace_init_keeping(&w, "{\"versions\":1000,\"max_bytes\":4194304}");
    for (guint version = 1; version <= VERSIONS; version++) {
        g_autofree char *text = g_strdup_printf("v%u", version);
        write_file(&w, "file", text);
        if (w.workspace == NULL)
            begin(&w);
        else
            rescan(&w);
    }
    guint64 file = row_of(&w, "file").id;
    g_assert_cmpuint(row_of(&w, "file").version, ==, VERSIONS);
    assert_kept(&w, file, 1, "v1");
    keep_by(&w, KEEP_ONE);
    g_autofree char *last = g_strdup_printf("v%u", VERSIONS),
                    *before = g_strdup_printf("v%u", VERSIONS - 1);
    for (guint version = 1; version <= VERSIONS - 2; version++)
        assert_not_kept(&w, file, version);
    assert_kept(&w, file, VERSIONS - 1, before);
    assert_kept(&w, file, VERSIONS, last);
    g_assert_cmpuint(findings(&w), ==, 0);
    workspace_clear(&w);
}

/* It is a version of its own again when it is seen once more. */
static void of_an_ignored_file_it_goes_too(void)
{
    WorkspaceFixture w;
    workspace_init_keeping(&w, KEEP_TWO);
    write_file(&w, "clock", "0123456789");
    write_file(&w, "file", "one");
    begin(&w);
    guint64 file = row_of(&w, "file").id;
    write_file(&w, SYNCD_IGNORE_FILE, "file\n");
    rescan(&w);
    assert_kept(&w, file, 1, "one");
    pass_days(&w, 31);
    assert_not_kept(&w, file, 1);
    write_file(&w, SYNCD_IGNORE_FILE, "#ile\n");
    rescan(&w);
    rescan(&w);
    g_assert_cmpuint(row_of(&w, "file").id, ==, file);
    assert_kept(&w, file, 1, "one");
    g_assert_cmpuint(findings(&w), ==, 0);
    workspace_clear(&w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/workspace-retention/of-a-deleted-file-it-stays-for-as-long-as-the-rule-says",
                    of_a_deleted_file_it_stays_for_as_long_as_the_rule_says);
    g_test_add_func("/workspace-retention/many-deleted-files-are-dropped-in-several-entries",
                    many_deleted_files_are_dropped_in_several_entries);
    g_test_add_func("/workspace-retention/what-was-deleted-goes-when-the-rule-changes",
                    what_was_deleted_goes_when_the_rule_changes);
    g_test_add_func("/workspace-retention/of-files-that-do-not-change-fewer-stay",
                    of_files_that_do_not_change_fewer_stay_when_the_rule_says_so);
    g_test_add_func("/workspace-retention/many-versions-of-a-file",
                    many_versions_of_a_file_are_dropped_in_several_entries);
    g_test_add_func("/workspace-retention/only-another-rule-makes-it-look-again",
                    only_another_rule_makes_it_look_again);
    g_test_add_func("/workspace-retention/a-clock-that-jumps-drops-nothing",
                    a_clock_that_jumps_drops_nothing);
    g_test_add_func("/workspace-retention/of-an-ignored-file-it-goes-too",
                    of_an_ignored_file_it_goes_too);
    return g_test_run();
}
