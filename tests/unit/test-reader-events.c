#include "reader-fixture.h"

#include "hurried.h"

#define FOLDER 7

static void watch_root(Reader *reader)
{
    SyncdWireMessage done = reader_list(reader, "", SYNCD_WIRE_WATCH, FOLDER);
    g_assert_cmpuint(done.error, ==, 0);
    g_assert_cmpuint(done.flags, ==, 0);
}

static void rename_in_tree(const Reader *reader, const char *from, const char *to)
{
    g_assert_cmpint(renameat(reader->root, from, reader->root, to), ==, 0);
}

/* Everything that was said up to now. */
static void settle(Reader *reader)
{
    while (reader_take(reader, 100))
        ;
}

static guint count_of(const Reader *reader, SyncdWireType type)
{
    guint n = 0;
    for (guint i = 0; i < reader_n(reader); i++)
        n += reader_message(reader, i)->type == type;
    return n;
}

static void what_happens_is_told(void)
{
    Reader reader;
    reader_init(&reader);
    watch_root(&reader);
    tree_write(&reader, "new", "content");
    reader_event(&reader, FOLDER, SYNCD_WIRE_CHANGED, "new");
    int fd = openat(reader.root, "new", O_WRONLY | O_CLOEXEC);
    g_assert_cmpint(write(fd, "more", 4), ==, 4);
    reader_event(&reader, FOLDER, SYNCD_WIRE_WRITTEN, "new");
    settle(&reader);
    guint before = count_of(&reader, SYNCD_WIRE_EVENT);
    close(fd);
    settle(&reader);
    g_assert_cmpuint(count_of(&reader, SYNCD_WIRE_EVENT), ==, before + 1);
    g_assert_cmpint(fchmodat(reader.root, "new", 0600, 0), ==, 0);
    settle(&reader);
    g_assert_cmpuint(count_of(&reader, SYNCD_WIRE_EVENT), ==, before + 2);
    g_assert_cmpint(unlinkat(reader.root, "new", 0), ==, 0);
    reader_event(&reader, FOLDER, SYNCD_WIRE_GONE, "new");
    tree_folder(&reader, "folder");
    reader_event(&reader, FOLDER, SYNCD_WIRE_CHANGED, "folder");
    reader_clear(&reader);
}

static void a_rename_has_two_ends(void)
{
    Reader reader;
    reader_init(&reader);
    tree_write(&reader, "one", "");
    watch_root(&reader);
    rename_in_tree(&reader, "one", "other");
    guint out = reader_event(&reader, FOLDER, SYNCD_WIRE_MOVED_OUT, "one");
    guint in = reader_event(&reader, FOLDER, SYNCD_WIRE_MOVED_IN, "other");
    g_assert_cmpuint(out, <, in);
    g_assert_cmpuint(reader_message(&reader, out)->cookie, !=, 0);
    g_assert_cmpuint(reader_message(&reader, out)->cookie, ==, reader_message(&reader, in)->cookie);
    reader_clear(&reader);
}

static void a_folder_that_goes_is_no_longer_watched(void)
{
    Reader reader;
    reader_init(&reader);
    tree_folder(&reader, "gone");
    tree_folder(&reader, "moved");
    reader_list(&reader, "gone", SYNCD_WIRE_WATCH, 8);
    reader_list(&reader, "moved", SYNCD_WIRE_WATCH, 9);
    g_assert_cmpint(unlinkat(reader.root, "gone", AT_REMOVEDIR), ==, 0);
    reader_event(&reader, 8, SYNCD_WIRE_UNLINKED, "");
    rename_in_tree(&reader, "moved", "elsewhere");
    reader_event(&reader, 9, SYNCD_WIRE_UNLINKED, "");
    tree_write(&reader, "elsewhere/x", "");
    settle(&reader);
    g_assert_cmpuint(count_of(&reader, SYNCD_WIRE_EVENT), ==, 2);
    /* It is watched again when it is asked for. */
    reader_list(&reader, "elsewhere", SYNCD_WIRE_WATCH, 10);
    tree_write(&reader, "elsewhere/y", "");
    reader_event(&reader, 10, SYNCD_WIRE_CHANGED, "y");
    reader_clear(&reader);
}

static void a_forgotten_folder_is_not_watched(void)
{
    Reader reader;
    reader_init(&reader);
    watch_root(&reader);
    reader_ask(&reader, &(SyncdWireMessage){.type = SYNCD_WIRE_FORGET, .folder = FOLDER});
    reader_ask(&reader, &(SyncdWireMessage){.type = SYNCD_WIRE_FORGET, .folder = 4711});
    reader_list(&reader, "", 0, 0);
    tree_write(&reader, "x", "");
    settle(&reader);
    g_assert_cmpuint(count_of(&reader, SYNCD_WIRE_EVENT), ==, 0);
    reader_clear(&reader);
}

static void a_folder_has_its_newest_number(void)
{
    Reader reader;
    reader_init(&reader);
    watch_root(&reader);
    reader_list(&reader, "", SYNCD_WIRE_WATCH, 70);
    tree_write(&reader, "x", "");
    reader_event(&reader, 70, SYNCD_WIRE_CHANGED, "x");
    /* The old one is no number any more. */
    reader_ask(&reader, &(SyncdWireMessage){.type = SYNCD_WIRE_FORGET, .folder = FOLDER});
    tree_write(&reader, "y", "");
    reader_event(&reader, 70, SYNCD_WIRE_CHANGED, "y");
    for (guint i = 0; i < reader_n(&reader); i++)
        g_assert_cmpuint(reader_message(&reader, i)->folder, !=, FOLDER);
    /* A number has its newest folder. */
    tree_folder(&reader, "sub");
    settle(&reader);
    reader_list(&reader, "sub", SYNCD_WIRE_WATCH, 70);
    guint before = reader_n(&reader);
    tree_write(&reader, "z", "");
    tree_write(&reader, "sub/w", "");
    reader_event(&reader, 70, SYNCD_WIRE_CHANGED, "w");
    settle(&reader);
    for (guint i = before; i < reader_n(&reader); i++)
        g_assert_false(is_called(reader_message(&reader, i), "z"));
    reader_clear(&reader);
}

/* It watches before it reads: whatever is made while it lists is in the listing, or told. */
static void nothing_falls_between_watching_and_reading(void)
{
    Reader reader;
    guint rounds = is_hurried() ? 3 : 40, made = 0;
    reader_init(&reader);
    for (guint round = 0; round < rounds; round++) {
        g_autofree char *folder = g_strdup_printf("f%u", round);
        tree_folder(&reader, folder);
        guint32 request = reader_send_list(&reader, folder, SYNCD_WIRE_WATCH, 100 + round);
        for (guint i = 0; i < 20; i++) {
            g_autofree char *name = g_strdup_printf("f%u/n%u", round, i);
            tree_write(&reader, name, "");
        }
        reader_done(&reader, request);
        settle(&reader);
        for (guint i = 0; i < 20; i++) {
            g_autofree char *name = g_strdup_printf("n%u", i);
            bool told = reader_found(&reader, name) != NULL;
            for (guint n = 0; n < reader_n(&reader) && !told; n++) {
                const SyncdWireMessage *message = reader_message(&reader, n);
                told = message->folder == 100 + round && is_called(message, name);
            }
            g_assert_true(told);
            made++;
        }
    }
    g_test_message("%u files in %u folders", made, rounds);
    reader_clear(&reader);
}

/* A reader that is stopped meanwhile misses more than the kernel keeps. */
static void lost_events_are_told_as_lost(void)
{
    Reader reader;
    reader_init(&reader);
    watch_root(&reader);
    g_autofree char *text = NULL;
    g_assert_true(g_file_get_contents("/proc/sys/fs/inotify/max_queued_events", &text, NULL, NULL));
    guint64 n = g_ascii_strtoull(text, NULL, 10);
    kill(reader.pid, SIGSTOP);
    tree_write(&reader, "a", "");
    tree_write(&reader, "b", "");
    /* Each of another name than the one before, so that the kernel does not make one of them. */
    for (guint64 i = 0; i < n; i++)
        g_assert_cmpint(fchmodat(reader.root, i % 2 == 0 ? "a" : "b", 0600, 0), ==, 0);
    kill(reader.pid, SIGCONT);
    while (count_of(&reader, SYNCD_WIRE_LOST) == 0)
        g_assert_true(reader_take(&reader, 1000 * FIXTURE_SECONDS));
    tree_write(&reader, "after", "");
    reader_event(&reader, FOLDER, SYNCD_WIRE_CHANGED, "after");
    reader_clear(&reader);
}

/* The daemon takes nothing for a while: events are kept, many of a name as one. */
static void events_are_kept_while_the_daemon_is_slow(void)
{
    Reader reader;
    guint n = is_hurried() ? 2000 : 6000;
    reader_init(&reader);
    for (guint i = 0; i < n; i++) {
        g_autofree char *name = g_strdup_printf("a name that takes some room, number %u", i);
        tree_write(&reader, name, "");
    }
    guint32 requests[4];
    watch_root(&reader);
    for (guint i = 0; i < G_N_ELEMENTS(requests); i++)
        requests[i] = reader_send_list(&reader, "", SYNCD_WIRE_HASH, 0);
    g_usleep(200000); /* it is blocked by now */
    tree_write(&reader, "busy", "");
    for (guint i = 0; i < 3 * 16384; i++) {
        g_assert_cmpint(fchmodat(reader.root, "busy", 0600, 0), ==, 0);
        if (i % 1000 == 0)
            g_usleep(3000);
    }
    for (guint i = 0; i < G_N_ELEMENTS(requests); i++)
        g_assert_cmpuint(reader_done(&reader, requests[i]).error, ==, 0);
    reader_event(&reader, FOLDER, SYNCD_WIRE_CHANGED, "busy");
    settle(&reader);
    g_assert_cmpuint(count_of(&reader, SYNCD_WIRE_LOST), ==, 0);
    g_assert_cmpuint(count_of(&reader, SYNCD_WIRE_EVENT), <, 200);
    reader_clear(&reader);
}

/* What a file is said to be is never told after a change that it does not contain. */
static void a_change_is_told_after_what_it_changes(void)
{
    Reader reader;
    guint rounds = is_hurried() ? 3 : 20;
    reader_init(&reader);
    watch_root(&reader);
    int fd = openat(reader.root, "file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    g_assert_cmpint(ftruncate(fd, 24 * 1024 * 1024), ==, 0);
    for (guint i = 0; i < rounds; i++) {
        guint8 byte = (guint8)(i + 1);
        SyncdWireMessage look = {.type = SYNCD_WIRE_LOOK,
                                 .request = ++reader.request,
                                 .flags = SYNCD_WIRE_HASH,
                                 .name = SYNCD_BYTES_TEXT("file")};
        settle(&reader);
        guint before = reader_n(&reader);
        reader_ask(&reader, &look);
        g_usleep(i * 1000);
        g_assert_cmpint(pwrite(fd, &byte, 1, 0), ==, 1);
        reader_done(&reader, look.request);
        settle(&reader);
        SyncdWireMessage then = *reader_found(&reader, "file");
        SyncdWireMessage now = reader_look(&reader, "", "file", SYNCD_WIRE_HASH);
        g_assert_cmpuint(now.error, ==, 0);
        bool old = !syncd_hash_equal(&then.hash, &now.hash), told_after = false, found = false;
        for (guint n = before; n < reader_n(&reader); n++) {
            const SyncdWireMessage *message = reader_message(&reader, n);
            found = found || message->request == look.request;
            told_after = told_after || (found && message->type == SYNCD_WIRE_EVENT);
        }
        g_assert_true(told_after || !old);
    }
    close(fd);
    reader_clear(&reader);
}

/* ---- the daemon's will ---- */

static void what_is_cancelled_ends_soon(void)
{
    Reader reader;
    reader_init(&reader);
    int fd = openat(reader.root, "endless", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    g_assert_cmpint(ftruncate(fd, (off_t)1 << 37), ==, 0);
    close(fd);
    /* The one that is read now, one that waits, and none of the others. */
    guint32 first = reader_send_list(&reader, "", SYNCD_WIRE_HASH | SYNCD_WIRE_WATCH, FOLDER);
    guint32 second = reader_send_list(&reader, "", SYNCD_WIRE_HASH, 0);
    guint32 third = reader_send_list(&reader, "", 0, 0);
    g_usleep(50000);
    reader_ask(&reader, &(SyncdWireMessage){.type = SYNCD_WIRE_CANCEL, .request = second});
    reader_ask(&reader, &(SyncdWireMessage){.type = SYNCD_WIRE_CANCEL, .request = 0});
    SyncdWireMessage done = reader_done(&reader, first);
    g_assert_cmpuint(done.error, ==, ECANCELED);
    g_assert_cmpuint(done.flags, ==, 0);
    g_assert_cmpuint(reader_done(&reader, second).error, ==, ECANCELED);
    g_assert_cmpuint(reader_done(&reader, third).error, ==, 0);
    /* It is watched all the same. */
    tree_write(&reader, "x", "");
    reader_event(&reader, FOLDER, SYNCD_WIRE_CHANGED, "x");
    /* What has ended, or never was, cannot be cancelled. */
    reader_ask(&reader, &(SyncdWireMessage){.type = SYNCD_WIRE_CANCEL, .request = third});
    reader_ask(&reader, &(SyncdWireMessage){.type = SYNCD_WIRE_CANCEL, .request = 4711});
    reader_ask(&reader, &(SyncdWireMessage){.type = SYNCD_WIRE_CANCEL});
    g_assert_cmpuint(reader_list(&reader, "", 0, 0).error, ==, 0);
    reader_clear(&reader);
}

static void it_ends_with_the_socket(void)
{
    Reader reader;
    reader_init(&reader);
    int fd = openat(reader.root, "endless", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    g_assert_cmpint(ftruncate(fd, (off_t)1 << 37), ==, 0);
    close(fd);
    reader_send_list(&reader, "", SYNCD_WIRE_HASH, 0);
    g_usleep(50000);
    reader_clear(&reader);
}

static void what_is_no_request_ends_it(void)
{
    const SyncdWireMessage bad[] = {
        {.type = SYNCD_WIRE_DONE, .request = 9},
        {.type = SYNCD_WIRE_LOST},
        {.type = SYNCD_WIRE_ROOT, .path = SYNCD_BYTES_TEXT("/")},
        {.type = SYNCD_WIRE_LIST, .path = SYNCD_BYTES_TEXT("..")},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        Reader reader;
        reader_init(&reader);
        reader_ask(&reader, &bad[i]);
        g_assert_false(reader_take(&reader, 1000 * FIXTURE_SECONDS));
        g_assert_cmpint(reader_end(&reader), ==, 2);
        reader_clear_ended(&reader);
    }
}

/* When nothing happens it sleeps. */
static void it_sleeps(void)
{
    Reader reader;
    reader_init(&reader);
    watch_root(&reader);
    g_autofree char *path = g_strdup_printf("/proc/%d/status", (int)reader.pid);
    g_autofree char *before = NULL, *after = NULL;
    g_usleep(100000);
    g_assert_true(g_file_get_contents(path, &before, NULL, NULL));
    g_usleep(500000);
    g_assert_true(g_file_get_contents(path, &after, NULL, NULL));
    g_assert_cmpstr(strstr(before, "voluntary_ctxt_switches"), ==,
                    strstr(after, "voluntary_ctxt_switches"));
    reader_clear(&reader);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    if (!syncd_crypto_init(NULL))
        return 1;
    g_test_add_func("/reader-events/what-is-no-request-ends-it", what_is_no_request_ends_it);
    g_test_add_func("/reader-events/it-ends-with-the-socket", it_ends_with_the_socket);
    g_test_add_func("/reader-events/what-happens-is-told", what_happens_is_told);
    g_test_add_func("/reader-events/a-rename-has-two-ends", a_rename_has_two_ends);
    g_test_add_func("/reader-events/a-folder-that-goes-is-no-longer-watched",
                    a_folder_that_goes_is_no_longer_watched);
    g_test_add_func("/reader-events/a-forgotten-folder-is-not-watched",
                    a_forgotten_folder_is_not_watched);
    g_test_add_func("/reader-events/a-folder-has-its-newest-number",
                    a_folder_has_its_newest_number);
    g_test_add_func("/reader-events/nothing-falls-between-watching-and-reading",
                    nothing_falls_between_watching_and_reading);
    g_test_add_func("/reader-events/lost-events-are-told-as-lost", lost_events_are_told_as_lost);
    g_test_add_func("/reader-events/events-are-kept-while-the-daemon-is-slow",
                    events_are_kept_while_the_daemon_is_slow);
    g_test_add_func("/reader-events/a-change-is-told-after-what-it-changes",
                    a_change_is_told_after_what_it_changes);
    g_test_add_func("/reader-events/what-is-cancelled-ends-soon", what_is_cancelled_ends_soon);
    g_test_add_func("/reader-events/it-sleeps", it_sleeps);
    return g_test_run();
}
