/*
 * What files hold, as a reader hashes it and sends it to be kept: the digest is that of one moment,
 * and of the very bytes that are kept.
 */
#include "domain/ignore.h"
#include "reader-fixture.h"

#include "hurried.h"

#include <sys/prctl.h>

static void large_files_are_hashed_whole(void)
{
    Reader reader;
    /* Around the size of what is read at a time, and of what is read between two pauses. */
    static const size_t sizes[] = {128 * 1024 - 1, 128 * 1024, 128 * 1024 + 1, 4 * 1024 * 1024,
                                   9 * 1024 * 1024 + 17};
    reader_init(&reader);
    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autofree char *content = g_malloc(sizes[i] + 1);
        for (size_t at = 0; at < sizes[i]; at++)
            content[at] = (char)('a' + at * 31 % 23 + at / 4096 % 3);
        content[sizes[i]] = '\0';
        tree_write(&reader, "large", content);
        SyncdWireMessage found = reader_look(&reader, "", "large", SYNCD_WIRE_HASH);
        assert_hash_is_of(&found, content);
        g_assert_cmpuint(found.stat.size, ==, sizes[i]);
    }
    reader_clear(&reader);
}

/* Somebody writes to it all the time: it is said that it could not be read well. */
static void what_changes_while_it_is_read_has_no_digest(void)
{
    Reader reader;
    reader_init(&reader);
    int fd = openat(reader.root, "busy", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    g_assert_cmpint(ftruncate(fd, 64 * 1024 * 1024), ==, 0);
    pid_t writer = fork();
    if (writer == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        while (true)
            g_assert_cmpint(pwrite(fd, "x", 1, 5), ==, 1);
    }
    SyncdWireMessage found = reader_look(&reader, "", "busy", SYNCD_WIRE_HASH);
    g_assert_cmpuint(found.error, ==, EAGAIN);
    g_assert_cmpuint(found.flags, ==, 0);
    g_assert_cmpuint(found.stat.size, ==, 64 * 1024 * 1024);
    kill(writer, SIGKILL);
    waitpid(writer, NULL, 0);
    found = reader_look(&reader, "", "busy", SYNCD_WIRE_HASH);
    g_assert_cmpuint(found.error, ==, 0);
    close(fd);
    reader_clear(&reader);
}

/* ---- keeping ---- */

static void assert_kept_is(const Reader *reader, const char *name, const char *content, size_t size)
{
    g_autoptr(GByteArray) kept = reader_kept(reader, name);
    const SyncdWireMessage *found = reader_found(reader, name);
    SyncdHash hash = syncd_hash(content, size);
    g_assert_cmpmem(kept->data, kept->len, content, size);
    g_assert_cmpuint(found->flags, ==, SYNCD_WIRE_HASHED | SYNCD_WIRE_KEPT);
    g_assert_true(syncd_hash_equal(&found->hash, &hash));
}

static void what_is_hashed_can_be_kept(void)
{
    static const size_t sizes[] = {0,
                                   1,
                                   SYNCD_WIRE_BYTES_MAX,
                                   SYNCD_WIRE_BYTES_MAX + 1,
                                   128 * 1024,
                                   128 * 1024 + 1,
                                   9 * 1024 * 1024 + 17};
    Reader reader;
    reader_init(&reader);
    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autofree char *content = g_malloc(sizes[i] + 1);
        for (size_t at = 0; at < sizes[i]; at++)
            content[at] = (char)('a' + at * 31 % 23 + at / 4096 % 3);
        content[sizes[i]] = '\0';
        tree_write(&reader, "file", content);
        reader_look_keeping(&reader, "file", sizes[i]);
        assert_kept_is(&reader, "file", content, sizes[i]);
        /* One byte more than is wanted: it is hashed all the same. */
        if (sizes[i] > 0) {
            SyncdWireMessage found = reader_look_keeping(&reader, "file", sizes[i] - 1);
            g_autoptr(GByteArray) kept = reader_kept(&reader, "file");
            assert_hash_is_of(&found, content);
            g_assert_cmpuint(found.flags, ==, SYNCD_WIRE_HASHED);
            g_assert_cmpuint(kept->len, ==, 0);
        }
    }
    reader_clear(&reader);
}

static void a_listing_keeps_each_file_by_itself(void)
{
    Reader reader;
    reader_init(&reader);
    tree_write(&reader, "a", "one");
    tree_folder(&reader, "b");
    tree_write(&reader, "c", "longer");
    tree_write(&reader, "d", "");
    tree_write(&reader, "e", "two");
    g_assert_cmpint(symlinkat("a", reader.root, "link"), ==, 0);
    SyncdWireMessage list = {.type = SYNCD_WIRE_LIST,
                             .request = ++reader.request,
                             .flags = SYNCD_WIRE_HASH | SYNCD_WIRE_KEEP,
                             .max = 3};
    reader_ask(&reader, &list);
    g_assert_cmpuint(reader_done(&reader, list.request).error, ==, 0);
    assert_kept_is(&reader, "a", "one", 3);
    assert_kept_is(&reader, "d", "", 0);
    assert_kept_is(&reader, "e", "two", 3);
    g_autoptr(GByteArray) kept = reader_kept(&reader, "c");
    g_assert_cmpuint(kept->len, ==, 0);
    g_assert_cmpuint(reader_found(&reader, "c")->flags, ==, SYNCD_WIRE_HASHED);
    g_assert_cmpuint(reader_found(&reader, "link")->flags, ==, 0);
    reader_clear(&reader);
}

/* While somebody writes, what is kept is what the digest is of, or nothing is. */
static void what_is_kept_has_the_digest(void)
{
    Reader reader;
    guint rounds = is_hurried() ? 10 : 100, kept_times = 0;
    reader_init(&reader);
    int fd = openat(reader.root, "busy", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    g_assert_cmpint(ftruncate(fd, 512 * 1024), ==, 0);
    pid_t writer = fork();
    if (writer == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (guint i = 0;; i++) {
            g_assert_cmpint(pwrite(fd, &i, sizeof i, i % 7 * 64 * 1024), ==, sizeof i);
            g_usleep(i % 50 * 20);
        }
    }
    for (guint i = 0; i < rounds; i++) {
        g_array_set_size(reader.messages, 0);
        g_ptr_array_set_size(reader.packets, 0);
        SyncdWireMessage found = reader_look_keeping(&reader, "busy", G_MAXUINT64);
        g_autoptr(GByteArray) kept = reader_kept(&reader, "busy");
        if ((found.flags & SYNCD_WIRE_KEPT) == 0) {
            g_assert_cmpuint(found.error, ==, EAGAIN);
            continue;
        }
        SyncdHash hash = syncd_hash(kept->data, kept->len);
        g_assert_true(syncd_hash_equal(&found.hash, &hash));
        kept_times++;
    }
    g_test_message("%u of %u were kept", kept_times, rounds);
    kill(writer, SIGKILL);
    waitpid(writer, NULL, 0);
    close(fd);
    reader_clear(&reader);
}

/* A daemon that takes nothing is sent no more than its socket holds, and the rest when it does. */
static void nobody_is_sent_more_than_he_takes(void)
{
    Reader reader;
    size_t size = 4 * 1024 * 1024;
    g_autofree char *content = g_strnfill(size, 'x');
    reader_init(&reader);
    tree_write(&reader, "file", content);
    SyncdWireMessage look = {.type = SYNCD_WIRE_LOOK,
                             .request = ++reader.request,
                             .flags = SYNCD_WIRE_HASH | SYNCD_WIRE_KEEP,
                             .max = G_MAXUINT64,
                             .name = SYNCD_BYTES_TEXT("file")};
    reader_ask(&reader, &look);
    g_usleep(100 * 1000);
    reader_done(&reader, look.request);
    assert_kept_is(&reader, "file", content, size);
    reader_clear(&reader);
}

/* A change right after one that was read is seen: in its time, or the reader waited for that. */
static void a_stat_has_one_content(void)
{
    Reader reader;
    guint rounds = is_hurried() ? 20 : 300;
    reader_init(&reader);
    int fd = openat(reader.root, "quick", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    SyncdWireMessage before = {0};
    for (guint i = 0; i < rounds; i++) {
        guint8 byte = (guint8)i;
        g_assert_cmpint(pwrite(fd, &byte, 1, 0), ==, 1);
        SyncdWireMessage found = reader_look(&reader, "", "quick", SYNCD_WIRE_HASH);
        g_assert_cmpuint(found.error, ==, 0);
        g_assert_false(found.stat.ctime == before.stat.ctime &&
                       !syncd_hash_equal(&found.hash, &before.hash));
        before = found;
    }
    close(fd);
    reader_clear(&reader);
}

/* The first message of the latest request. */
static const SyncdWireMessage *first_told(const Reader *reader)
{
    for (guint i = 0; i < reader_n(reader); i++)
        if (reader_message(reader, i)->request == reader->request)
            return reader_message(reader, i);
    return NULL;
}

static bool is_hashed(const Reader *reader, const char *name)
{
    const SyncdWireMessage *found = reader_found(reader, name);
    g_assert_nonnull(found);
    g_assert_cmpuint(found->error, ==, 0);
    return (found->flags & SYNCD_WIRE_HASHED) != 0;
}

static void what_is_ignored_is_not_read(void)
{
    Reader reader;
    reader_init(&reader);
    tree_write(&reader, ".syncignore", "*.o\n!keep.o\n");
    tree_write(&reader, "a.o", "one");
    tree_write(&reader, "keep.o", "two");
    tree_folder(&reader, "d");
    tree_write(&reader, "d/b.o", "three");
    tree_write(&reader, "d/b.c", "four");
    reader_list(&reader, "", SYNCD_WIRE_HASH, 1);
    g_assert_cmpint(first_told(&reader)->type, ==, SYNCD_WIRE_RULED);
    g_assert_true(syncd_bytes_are(first_told(&reader)->bytes, "*.o\n!keep.o\n"));
    g_assert_false(is_hashed(&reader, "a.o"));
    g_assert_true(is_hashed(&reader, "keep.o"));
    g_assert_true(is_hashed(&reader, ".syncignore"));

    /* The rules of the folder above hold too, and those that are shared. */
    const SyncdWireMessage rules = {.type = SYNCD_WIRE_RULES, .bytes = SYNCD_BYTES_TEXT("*.c\n")};
    reader_ask(&reader, &rules);
    reader_list(&reader, "d", SYNCD_WIRE_HASH, 2);
    g_assert_cmpint(first_told(&reader)->type, ==, SYNCD_WIRE_FOUND);
    g_assert_false(is_hashed(&reader, "b.o"));
    g_assert_false(is_hashed(&reader, "b.c"));

    /* That there are none any more is said once. */
    g_assert_cmpint(unlinkat(reader.root, ".syncignore", 0), ==, 0);
    reader_list(&reader, "", SYNCD_WIRE_HASH, 1);
    g_assert_cmpint(first_told(&reader)->type, ==, SYNCD_WIRE_RULED);
    g_assert_cmpuint(first_told(&reader)->bytes.size, ==, 0);
    g_assert_true(is_hashed(&reader, "a.o"));
    reader_list(&reader, "", SYNCD_WIRE_HASH, 1);
    g_assert_cmpint(first_told(&reader)->type, ==, SYNCD_WIRE_FOUND);

    /* Of more than there may be nothing is read. */
    g_autofree char *large = g_strnfill(SYNCD_IGNORE_TEXT_MAX + 1, 'a');
    tree_write(&reader, ".syncignore", large);
    reader_list(&reader, "", SYNCD_WIRE_HASH, 1);
    g_assert_cmpuint(first_told(&reader)->error, ==, EFBIG);
    reader_clear(&reader);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    if (!syncd_crypto_init(NULL))
        return 1;
    g_test_add_func("/reader-content/large-files-are-hashed-whole", large_files_are_hashed_whole);
    g_test_add_func("/reader-content/what-changes-while-it-is-read-has-no-digest",
                    what_changes_while_it_is_read_has_no_digest);
    g_test_add_func("/reader-content/what-is-hashed-can-be-kept", what_is_hashed_can_be_kept);
    g_test_add_func("/reader-content/a-listing-keeps-each-file-by-itself",
                    a_listing_keeps_each_file_by_itself);
    g_test_add_func("/reader-content/what-is-kept-has-the-digest", what_is_kept_has_the_digest);
    g_test_add_func("/reader-content/nobody-is-sent-more-than-he-takes",
                    nobody_is_sent_more_than_he_takes);
    g_test_add_func("/reader-content/a-stat-has-one-content", a_stat_has_one_content);
    g_test_add_func("/reader-content/what-is-ignored-is-not-read", what_is_ignored_is_not_read);
    return g_test_run();
}
