/*
 * Of bytes that are not those of their record there are two ways out, and a person chooses: what is
 * there becomes a version, or what is recorded is put back.
 */
#include "restore-fixture.h"
#include "rot-fixture.h"
#include "service/file-mismatch.h"
#include "store/displaced.h"

#include <sys/statvfs.h>

/* The disk, as far as anybody asks. */
static bool is_full;

int fstatvfs(int fd, struct statvfs *ret_fs)
{
    *ret_fs = (struct statvfs){.f_frsize = 4096, .f_bavail = is_full ? 0 : 1024 * 1024};
    return 0;
}

/* ---- accepting ---- */

static const char *digits_of(const char *content)
{
    static char digits[SYNCD_HASH_HEX_SIZE];
    SyncdHash hash = syncd_hash(content, strlen(content));
    syncd_hash_to_hex(&hash, digits);
    return digits;
}

/* As whoever called is answered. */
static int accept_as(WorkspaceFixture *w, const SyncdCaller *caller, const char *path,
                     const char *content)
{
    g_autoptr(GError) error = NULL;
    g_auto(SyncdAccepted) accepted = {NULL};
    g_auto(Outcome) outcome = {0};
    SyncdJob *job;
    w->data = &outcome;
    if (!syncd_service_accept_file(w->f.service, caller, "workspace:notes", SYNCD_BYTES_TEXT(path),
                                   digits_of(content), &accepted, &job, &error))
        return error->code;
    while (job != NULL && !outcome.done)
        g_assert_true(step_workspace(w, PATIENCE_MS));
    g_assert_true(outcome.error == NULL || outcome.result == NULL);
    return outcome.error != NULL ? outcome.error->code : -1;
}

static void what_is_there_may_be_accepted(void)
{
    WorkspaceFixture w;
    two_files(&w, NULL);
    rot(&w, ROTTEN, ROT);
    listen_for_restores(&w);
    const SyncdCaller *me = &w.f.caller, stranger = {.uid = w.f.caller.uid + 1};
    g_assert_cmpint(accept_as(&w, me, ROTTEN, ROT), ==, SYNCD_ERROR_STALE_DIGEST);
    scan_deep(&w);
    g_assert_cmpint(accept_as(&w, me, ROTTEN, "another"), ==, SYNCD_ERROR_STALE_DIGEST);
    g_assert_cmpint(accept_as(&w, me, "sound", "another"), ==, SYNCD_ERROR_STALE_DIGEST);
    g_assert_cmpint(accept_as(&w, me, "folder", "another"), ==, SYNCD_ERROR_STALE_DIGEST);
    g_assert_cmpint(accept_as(&w, me, "nothing", "another"), ==, SYNCD_ERROR_NOT_FOUND);
    g_assert_cmpint(accept_as(&w, &stranger, ROTTEN, ROT), ==, SYNCD_ERROR_NOT_FOUND);
    g_assert_cmpuint(mismatches(&w), ==, 1);
    g_assert_cmpint(accept_as(&w, me, ROTTEN, ROT), ==, -1);
    g_assert_cmpuint(mismatches(&w), ==, 0);
    assert_tree(&w, "folder v1/\nsound v1\nfolder/rotten v2\n");
    /* Once is enough, and it is the record from then on. */
    guint64 sequence = service_sequence(&w.f);
    g_assert_cmpint(accept_as(&w, me, ROTTEN, ROT), ==, -1);
    scan_deep(&w);
    g_assert_cmpuint(mismatches(&w), ==, 0);
    g_assert_cmpuint(service_sequence(&w.f), ==, sequence);
    workspace_clear(&w);
}

/* … though nobody has noticed yet: whoever agreed to what is not there any more is told, and it is
 * not said to be recorded. */
static void what_is_written_since_is_not_what_was_accepted(void)
{
    WorkspaceFixture w;
    one_is_rotten(&w, KEEP_TWO);
    listen_for_restores(&w);
    write_over(&w, ROTTEN, "another");
    g_assert_cmpint(accept_as(&w, &w.f.caller, ROTTEN, ROT), ==, SYNCD_ERROR_STALE_DIGEST);
    rescan(&w);
    SyncdFileRow row = row_of(&w, ROTTEN);
    g_assert_cmpuint(row.version, ==, 2);
    assert_kept(&w, row.id, 2, "another");
    assert_kept(&w, row.id, 1, WRITTEN);
    workspace_clear(&w);
}

/* More than a chunk. */
static void what_is_accepted_is_kept(void)
{
    WorkspaceFixture w;
    g_autofree char *written = g_strnfill(2500 * 1024, 'a'), *found = g_strdup(written);
    found[1024 * 1024] = 'b';
    workspace_init_keeping(&w, KEEP_TWO);
    make_folder(&w, "folder");
    write_file(&w, ROTTEN, written);
    begin(&w);
    rot(&w, ROTTEN, found);
    scan_deep(&w);
    listen_for_restores(&w);
    guint64 sequence = service_sequence(&w.f);
    g_assert_cmpint(accept_as(&w, &w.f.caller, ROTTEN, found), ==, -1);
    g_assert_cmpuint(service_sequence(&w.f), ==, sequence + 1);
    write_over(&w, ROTTEN, "another");
    rescan(&w);
    SyncdFileRow row = row_of(&w, ROTTEN);
    assert_kept(&w, row.id, 2, found);
    assert_kept(&w, row.id, 1, written);
    workspace_clear(&w);
}

/* It can be accepted once there is room: nobody is told that what is kept nowhere is. */
static void without_room_nothing_is_accepted(void)
{
    WorkspaceFixture w;
    one_is_rotten(&w, KEEP_TWO);
    listen_for_restores(&w);
    is_full = true;
    g_assert_cmpint(accept_as(&w, &w.f.caller, ROTTEN, ROT), ==, SYNCD_ERROR_NO_SPACE);
    is_full = false;
    assert_mismatch(&w, ROTTEN, ROT);
    g_assert_cmpint(accept_as(&w, &w.f.caller, ROTTEN, ROT), ==, -1);
    workspace_clear(&w);
}

static bool stand(void *data, const char *root, SyncdRootStanding *ret_standing)
{
    SyncdWorkspaceStanding now = standing_of(data);
    *ret_standing = (SyncdRootStanding){
        .state = now.state == SYNCD_WORKSPACE_WATCHING ? "watching" : "failed",
        .waiting = now.waiting,
    };
    return true;
}

static bool stand_missing(void *data, const char *root, SyncdRootStanding *ret_standing)
{
    *ret_standing = (SyncdRootStanding){.state = "missing"};
    return true;
}

static void where_nobody_looks_nothing_is_accepted(void)
{
    WorkspaceFixture w;
    SyncdListener listener = {.data = &w, .standing = stand_missing, .restore = begin_restore};
    one_is_rotten(&w, NULL);
    syncd_service_set_listener(w.f.service, &listener);
    g_assert_cmpint(accept_as(&w, &w.f.caller, ROTTEN, ROT), ==, SYNCD_ERROR_BUSY);
    listener.standing = stand;
    syncd_service_set_listener(w.f.service, &listener);
    g_assert_cmpint(accept_as(&w, &w.f.caller, ROTTEN, ROT), ==, -1);
    workspace_clear(&w);
}

/* From the first step of the other to its last one. */
static void what_is_being_put_back_is_not_accepted(void)
{
    WorkspaceFixture w;
    g_auto(Outcome) outcome = {0};
    SyncdListener listener = {.data = &w, .restore = begin_restore, .standing = stand};
    one_is_rotten(&w, KEEP_TWO);
    g_autofree char *plan = plan_of(&w, ROTTEN, 0);
    syncd_service_set_listener(w.f.service, &listener);
    g_assert_true(ask_to_restore(&w, ROTTEN, 0, plan, &outcome));
    while (mismatches(&w) > 0) {
        g_autoptr(GError) error = NULL;
        g_auto(SyncdAccepted) accepted = {NULL};
        SyncdJob *other;
        bool is_version = syncd_service_accept_file(w.f.service, &w.f.caller, "workspace:notes",
                                                    SYNCD_BYTES_TEXT(ROTTEN), digits_of(ROT),
                                                    &accepted, &other, &error);
        /* Before it is replaced what is there is a version, and that is all that was wanted. */
        if (is_version)
            g_assert_true(other == NULL && accepted.operation == NULL && accepted.version == 2);
        else
            g_assert_true(error->code == SYNCD_ERROR_BUSY ||
                          error->code == SYNCD_ERROR_STALE_DIGEST);
        g_assert_true(step_workspace(&w, PATIENCE_MS));
    }
    wait_for_outcome(&w, &outcome);
    g_assert_no_error(outcome.error);
    assert_tree(&w, "folder v1/\nsound v1\nfolder/rotten v3\n");
    workspace_clear(&w);
}

/* What keeps it from being recorded is said, and not that it may do in a moment. */
static void where_nothing_can_be_recorded_nothing_is_put_back(void)
{
    WorkspaceFixture w;
    g_auto(Outcome) outcome = {0};
    one_is_rotten(&w, KEEP_TWO);
    g_autofree char *plan = plan_of(&w, ROTTEN, 0),
                    *path = g_build_filename(w.f.base.directory, "journal.db", NULL),
                    *aside = g_strconcat(path, "-aside", NULL);
    g_assert_cmpint(rename(path, aside), ==, 0);
    g_assert_false(syncd_store_look_at_place(store_of(&w)));
    g_assert_false(ask_to_restore(&w, ROTTEN, 0, plan, &outcome));
    g_assert_error(outcome.error, SYNCD_ERROR, SYNCD_ERROR_STORAGE_FAILED);
    g_assert_nonnull(strstr(outcome.error->message, "while it was open"));
    g_assert_cmpint(rename(aside, path), ==, 0);
    workspace_clear(&w);
}

/* A deep scan takes hours, perhaps. */
static void a_deep_scan_keeps_nothing_from_being_accepted(void)
{
    WorkspaceFixture w;
    SyncdListener listener = {.data = &w, .standing = stand, .restore = begin_restore};
    one_is_rotten(&w, NULL);
    for (guint i = 0; i < 100; i++) {
        g_autofree char *name = g_strdup_printf("one-of-many-%u", i);
        write_file(&w, name, name);
    }
    rescan(&w);
    syncd_service_set_listener(w.f.service, &listener);
    syncd_workspace_scan_deep(w.workspace);
    while (standing_of(&w).deep.to_read == 0)
        g_assert_true(step_workspace(&w, PATIENCE_MS));
    g_assert_cmpint(accept_as(&w, &w.f.caller, ROTTEN, ROT), ==, -1);
    g_assert_true(standing_of(&w).deep.running);
    while (standing_of(&w).deep.running)
        g_assert_true(step_workspace(&w, PATIENCE_MS));
    g_assert_cmpuint(mismatches(&w), ==, 0);
    workspace_clear(&w);
}

/* ---- putting back ---- */

static void what_is_recorded_may_be_put_back(void)
{
    WorkspaceFixture w;
    g_autofree char *path = NULL, *content = NULL;
    one_is_rotten(&w, KEEP_TWO);
    g_autofree char *plan = plan_of(&w, ROTTEN, 0);
    assert_member(plan, "present_recorded", "false");
    assert_member(plan, "present_kept", "true");
    g_auto(Outcome) outcome = restore_as(&w, ROTTEN, 0, plan);
    g_assert_no_error(outcome.error);
    path = path_in(&w, ROTTEN);
    g_assert_true(g_file_get_contents(path, &content, NULL, NULL));
    g_assert_cmpstr(content, ==, WRITTEN);
    g_assert_cmpuint(mismatches(&w), ==, 0);
    /* What was there, which a program may have written, is a version now. */
    assert_tree(&w, "folder v1/\nsound v1\nfolder/rotten v3\n");
    SyncdFileRow row = row_of(&w, ROTTEN);
    assert_kept(&w, row.id, 1, WRITTEN);
    assert_kept(&w, row.id, 2, ROT);
    assert_kept(&w, row.id, 3, WRITTEN);
    guint64 sequence = service_sequence(&w.f);
    scan_deep(&w);
    g_assert_cmpuint(service_sequence(&w.f), ==, sequence);
    workspace_clear(&w);
}

/* One older version is kept: that which comes back is not given up for what is there. */
static void what_comes_back_is_kept_until_it_is_there(void)
{
    WorkspaceFixture w;
    one_is_rotten(&w, "{\"versions\":1,\"max_bytes\":4194304}");
    g_autofree char *plan = plan_of(&w, ROTTEN, 0);
    g_auto(Outcome) outcome = restore_as(&w, ROTTEN, 0, plan);
    g_assert_no_error(outcome.error);
    SyncdFileRow row = row_of(&w, ROTTEN);
    assert_kept(&w, row.id, 2, ROT);
    assert_kept(&w, row.id, 3, WRITTEN);
    workspace_clear(&w);
}

static void what_would_not_be_kept_is_not_replaced(void)
{
    WorkspaceFixture w;
    g_autoptr(GError) error = NULL;
    one_is_rotten(&w, "{\"versions\":0,\"max_bytes\":4194304}");
    g_autofree char *none = plan_restore(&w, ROTTEN, 0, &error);
    g_assert_null(none);
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_FAILED);
    g_assert_nonnull(strstr(error->message, "workspace accept"));
    assert_mismatch(&w, ROTTEN, ROT);
    workspace_clear(&w);
}

static void without_room_nothing_is_put_back(void)
{
    WorkspaceFixture w;
    one_is_rotten(&w, KEEP_TWO);
    g_autofree char *plan = plan_of(&w, ROTTEN, 0);
    is_full = true;
    g_auto(Outcome) outcome = restore_as(&w, ROTTEN, 0, plan);
    is_full = false;
    g_assert_error(outcome.error, SYNCD_ERROR, SYNCD_ERROR_NO_SPACE);
    assert_mismatch(&w, ROTTEN, ROT);
    workspace_clear(&w);
}

static void set_root(WorkspaceFixture *w, const char *state, const char *keep)
{
    g_autofree char *root =
        g_strdup_printf("{\"root_id\":\"r1\",\"workspace_id\":\"workspace:notes\","
                        "\"directory\":\"%s\",\"root_state\":\"%s\",\"keep\":%s}",
                        w->directory, state, keep);
    g_assert_cmpint(update_record(&w->f, "root", "r1", root), ==, -1);
}

/* A plan follows the rule at once, and who looks at the files a moment later. */
static void what_is_not_kept_yet_is_not_replaced(void)
{
    WorkspaceFixture w;
    one_is_rotten(&w, KEEP_TWO);
    end_workspace(&w);
    set_root(&w, "active", "{\"versions\":2,\"max_bytes\":1}");
    begin(&w);
    set_root(&w, "active", KEEP_TWO);
    g_autofree char *plan = plan_of(&w, ROTTEN, 0);
    g_auto(Outcome) outcome = restore_as(&w, ROTTEN, 0, plan);
    g_assert_error(outcome.error, SYNCD_ERROR, SYNCD_ERROR_BUSY);
    assert_mismatch(&w, ROTTEN, ROT);
    workspace_clear(&w);
}

/* What was recorded on the way stays, and whoever asked is told. */
static void what_is_written_meanwhile_is_not_replaced(void)
{
    WorkspaceFixture w;
    Outcome outcome = {0};
    one_is_rotten(&w, KEEP_TWO);
    g_autofree char *plan = plan_of(&w, ROTTEN, 0);
    listen_for_restores(&w);
    g_assert_true(ask_to_restore(&w, ROTTEN, 0, plan, &outcome));
    syncd_service_commit(w.f.service);
    /* What was there was read, and nothing is put in place before it is recorded. */
    while (!syncd_service_has_turn(w.f.service))
        g_assert_true(step_workspace(&w, PATIENCE_MS));
    write_over(&w, ROTTEN, "another");
    wait_for_outcome(&w, &outcome);
    g_assert_error(outcome.error, SYNCD_ERROR, SYNCD_ERROR_STALE_DIGEST);
    g_assert_nonnull(strstr(outcome.error->message, "; what was there is recorded now"));
    while (row_of(&w, ROTTEN).version < 3)
        g_assert_true(step_workspace(&w, PATIENCE_MS));
    SyncdFileRow row = row_of(&w, ROTTEN);
    assert_kept(&w, row.id, 2, ROT);
    assert_kept(&w, row.id, 3, "another");
    outcome_clear(&outcome);
    workspace_clear(&w);
}

/* A plan is about the bytes that are there, whether anybody knew of them or not. */
static void what_nobody_knew_to_be_there_is_not_replaced(void)
{
    WorkspaceFixture w;
    two_files(&w, KEEP_TWO);
    write_over(&w, ROTTEN, "the second one");
    run_until_recorded(&w, 4, 1, 0);
    g_autofree char *plan = plan_of(&w, ROTTEN, 0);
    rot(&w, ROTTEN, "the second onE");
    g_auto(Outcome) outcome = restore_as(&w, ROTTEN, 0, plan);
    g_assert_error(outcome.error, SYNCD_ERROR, SYNCD_ERROR_STALE_DIGEST);
    while (step_workspace(&w, 0))
        ;
    assert_mismatch(&w, ROTTEN, "the second onE");
    workspace_clear(&w);
}

static void what_is_gone_while_nobody_looks_comes_back_after_that(void)
{
    WorkspaceFixture w;
    g_autoptr(GError) error = NULL;
    two_files(&w, KEEP_TWO);
    end_workspace(&w);
    set_root(&w, "paused", KEEP_TWO);
    remove_file(&w, "sound");
    g_autofree char *none = plan_restore(&w, "sound", 0, &error);
    g_assert_null(none);
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_ENGINE_DISABLED);
    g_assert_nonnull(strstr(error->message, "is paused"));
    set_root(&w, "active", KEEP_TWO);
    begin(&w);
    assert_tree(&w, "folder v1/\nfolder/rotten v1\n");
    g_autofree char *plan = plan_of(&w, "sound", 0);
    g_auto(Outcome) outcome = restore_as(&w, "sound", 0, plan);
    g_assert_no_error(outcome.error);
    assert_tree(&w, "folder v1/\nsound v1\nfolder/rotten v1\n");
    workspace_clear(&w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/workspace-accept/what-is-there-may-be-accepted",
                    what_is_there_may_be_accepted);
    g_test_add_func("/workspace-accept/what-is-written-since-is-not-what-was-accepted",
                    what_is_written_since_is_not_what_was_accepted);
    g_test_add_func("/workspace-accept/what-is-accepted-is-kept", what_is_accepted_is_kept);
    g_test_add_func("/workspace-accept/without-room-nothing-is-accepted",
                    without_room_nothing_is_accepted);
    g_test_add_func("/workspace-accept/where-nobody-looks-nothing-is-accepted",
                    where_nobody_looks_nothing_is_accepted);
    g_test_add_func("/workspace-accept/what-is-being-put-back-is-not-accepted",
                    what_is_being_put_back_is_not_accepted);
    g_test_add_func("/workspace-accept/where-nothing-can-be-recorded-nothing-is-put-back",
                    where_nothing_can_be_recorded_nothing_is_put_back);
    g_test_add_func("/workspace-accept/a-deep-scan-keeps-nothing-from-being-accepted",
                    a_deep_scan_keeps_nothing_from_being_accepted);
    g_test_add_func("/workspace-accept/what-is-recorded-may-be-put-back",
                    what_is_recorded_may_be_put_back);
    g_test_add_func("/workspace-accept/what-comes-back-is-kept-until-it-is-there",
                    what_comes_back_is_kept_until_it_is_there);
    g_test_add_func("/workspace-accept/what-would-not-be-kept-is-not-replaced",
                    what_would_not_be_kept_is_not_replaced);
    g_test_add_func("/workspace-accept/without-room-nothing-is-put-back",
                    without_room_nothing_is_put_back);
    g_test_add_func("/workspace-accept/what-is-not-kept-yet-is-not-replaced",
                    what_is_not_kept_yet_is_not_replaced);
    g_test_add_func("/workspace-accept/what-is-written-meanwhile-is-not-replaced",
                    what_is_written_meanwhile_is_not_replaced);
    g_test_add_func("/workspace-accept/what-nobody-knew-to-be-there-is-not-replaced",
                    what_nobody_knew_to_be_there_is_not_replaced);
    g_test_add_func("/workspace-accept/what-is-gone-while-nobody-looks-comes-back-after-that",
                    what_is_gone_while_nobody_looks_comes_back_after_that);
    return g_test_run();
}
