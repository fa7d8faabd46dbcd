#include "domain/ignore.h"
#include "reader-fixture.h"
#include "reader/content.h"

#include "hurried.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/un.h>

static void a_listing_says_what_is_there(void)
{
    Reader reader;
    reader_init(&reader);
    tree_write(&reader, "b", "bee");
    tree_write(&reader, "empty", "");
    tree_folder(&reader, "a");
    g_assert_cmpint(symlinkat("/nowhere/at all", reader.root, "link"), ==, 0);
    SyncdWireMessage done = reader_list(&reader, "", SYNCD_WIRE_HASH, 0);
    g_assert_cmpuint(done.error, ==, 0);
    g_assert_cmpint(done.stat.kind, ==, SYNCD_FILE_FOLDER);

    const SyncdWireMessage *file = reader_found(&reader, "b");
    assert_hash_is_of(file, "bee");
    assert_hash_is_of(reader_found(&reader, "empty"), "");
    struct stat st;
    g_assert_cmpint(fstatat(reader.root, "b", &st, 0), ==, 0);
    g_assert_cmpint(file->stat.kind, ==, SYNCD_FILE_REGULAR);
    g_assert_cmpuint(file->stat.mode, ==, st.st_mode & SYNCD_FILE_MODE_BITS);
    g_assert_cmpuint(file->stat.inode, ==, st.st_ino);
    g_assert_cmpuint(file->stat.device, ==, 0);
    g_assert_cmpuint(file->stat.uid, ==, st.st_uid);
    g_assert_cmpuint(file->stat.size, ==, 3);
    g_assert_cmpint(file->stat.mtime, ==, st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec);
    g_assert_cmpint(file->stat.ctime, ==, st.st_ctim.tv_sec * 1000000000 + st.st_ctim.tv_nsec);

    g_assert_cmpint(reader_found(&reader, "a")->stat.kind, ==, SYNCD_FILE_FOLDER);
    const SyncdWireMessage *link = reader_found(&reader, "link");
    g_assert_cmpint(link->stat.kind, ==, SYNCD_FILE_SYMLINK);
    g_assert_cmpmem(link->target.data, link->target.size, "/nowhere/at all", 15);

    /* Without HASH nothing is read, and the rest is the same. */
    reader_list(&reader, "", 0, 0);
    g_assert_cmpuint(reader_found(&reader, "b")->flags, ==, 0);
    g_assert_cmpuint(reader_found(&reader, "b")->stat.size, ==, 3);
    reader_clear(&reader);
}

static void names_come_sorted_by_their_bytes(void)
{
    Reader reader;
    guint n = is_hurried() ? 300 : 3000, seen = 0;
    reader_init(&reader);
    for (guint i = 0; i < n; i++) {
        char name[] = {(char)(128 + i * 7 % 128), 'a', 'A', (char)('a' + i % 26), 0, 0, 0, 0};
        g_snprintf(name + 4, 4, "%u", i % 1000);
        g_autofree char *full = g_strdup_printf("%s%u", name, i);
        tree_write(&reader, full, "");
    }
    reader_list(&reader, "", 0, 0);
    const SyncdWireMessage *last = NULL;
    for (guint i = 0; i < reader_n(&reader); i++) {
        const SyncdWireMessage *found = reader_message(&reader, i);
        if (found->type != SYNCD_WIRE_FOUND)
            continue;
        if (last != NULL) {
            int order =
                memcmp(last->name.data, found->name.data, MIN(last->name.size, found->name.size));
            g_assert_true(order < 0 || (order == 0 && last->name.size < found->name.size));
        }
        last = found;
        seen++;
    }
    g_assert_cmpuint(seen, ==, n);
    reader_clear(&reader);
}

static void names_are_bytes_of_any_kind(void)
{
    Reader reader;
    g_autofree char *longest = g_strnfill(255, '\xfe');
    const char *names[] = {"\xff\xfe not UTF-8", "line\nbreak", "\x01", "...", longest};
    reader_init(&reader);
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        tree_write(&reader, names[i], names[i]);
    reader_list(&reader, "", SYNCD_WIRE_HASH, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        assert_hash_is_of(reader_found(&reader, names[i]), names[i]);
        SyncdWireMessage look = reader_look(&reader, "", names[i], SYNCD_WIRE_HASH);
        assert_hash_is_of(&look, names[i]);
        reader_list(&reader, "", SYNCD_WIRE_HASH, 0);
    }
    reader_clear(&reader);
}

static void a_look_is_at_one_name(void)
{
    Reader reader;
    reader_init(&reader);
    tree_folder(&reader, "a");
    tree_write(&reader, "a/b", "one");
    SyncdWireMessage found = reader_look(&reader, "a", "b", SYNCD_WIRE_HASH);
    assert_hash_is_of(&found, "one");
    found = reader_look(&reader, "a", "c", SYNCD_WIRE_HASH);
    g_assert_cmpint(found.type, ==, SYNCD_WIRE_FOUND);
    g_assert_cmpuint(found.error, ==, ENOENT);
    g_assert_cmpint(found.stat.kind, ==, 0);
    /* A folder that is not there is another thing. */
    found = reader_look(&reader, "z", "b", 0);
    g_assert_cmpint(found.type, ==, SYNCD_WIRE_DONE);
    g_assert_cmpuint(found.error, ==, ENOENT);
    found = reader_look(&reader, "a/b", "c", 0);
    g_assert_cmpuint(found.error, ==, ENOTDIR);
    reader_clear(&reader);
}

/* ---- what is not followed, not opened, not entered ---- */

/* Whatever is asked of a root that could not be opened ends as that did. */
static void assert_no_root(const Reader *reader, const char *path, guint32 problem)
{
    Reader other = {.packets = reader->packets, .messages = reader->messages, .request = 1000};
    g_array_set_size(reader->messages, 0);
    reader_begin(&other, reader_serve);
    g_assert_cmpuint(reader_root(&other, path).error, ==, problem);
    SyncdWireMessage done = reader_list(&other, "", SYNCD_WIRE_WATCH, 1);
    g_assert_cmpuint(done.error, ==, problem);
    g_assert_cmpuint(done.flags, ==, SYNCD_WIRE_UNWATCHED);
    g_assert_cmpuint(reader_look(&other, "", "x", 0).error, ==, problem);
    g_assert_cmpint(reader_end(&other), ==, 0);
}

static void the_root_is_a_folder_and_no_link_leads_to_it(void)
{
    Reader reader;
    reader_init(&reader);
    g_autofree char *beyond = g_build_filename(reader.path, "link", "folder", NULL);
    g_autofree char *link = g_build_filename(reader.path, "link", NULL);
    g_autofree char *file = g_build_filename(reader.path, "file", NULL);
    g_autofree char *none = g_build_filename(reader.path, "none", NULL);
    tree_write(&reader, "file", "");
    tree_folder(&reader, "folder");
    g_assert_cmpint(symlinkat(".", reader.root, "link"), ==, 0);
    assert_no_root(&reader, link, ENOTDIR);
    assert_no_root(&reader, beyond, ELOOP);
    assert_no_root(&reader, file, ENOTDIR);
    assert_no_root(&reader, none, ENOENT);
    assert_no_root(&reader, "/proc/sys", EOPNOTSUPP);
    reader_clear(&reader);
}

static void symlinks_are_never_followed(void)
{
    Reader reader;
    reader_init(&reader);
    tree_folder(&reader, "real");
    tree_write(&reader, "real/secret", "secret");
    g_assert_cmpint(symlinkat("real", reader.root, "link"), ==, 0);
    g_assert_cmpint(symlinkat("real/secret", reader.root, "file"), ==, 0);
    g_assert_cmpint(symlinkat("/proc/self/root", reader.root, "magic"), ==, 0);
    const char *paths[] = {"link", "magic", "link/below"};
    for (size_t i = 0; i < G_N_ELEMENTS(paths); i++) {
        SyncdWireMessage done = reader_list(&reader, paths[i], SYNCD_WIRE_HASH, 0);
        g_assert_true(done.error == ELOOP || done.error == ENOTDIR);
        SyncdWireMessage look = reader_look(&reader, paths[i], "secret", SYNCD_WIRE_HASH);
        g_assert_cmpint(look.type, ==, SYNCD_WIRE_DONE);
        g_assert_true(look.error == ELOOP || look.error == ENOTDIR);
    }
    SyncdWireMessage file = reader_look(&reader, "", "file", SYNCD_WIRE_HASH);
    g_assert_cmpint(file.stat.kind, ==, SYNCD_FILE_SYMLINK);
    g_assert_cmpuint(file.flags, ==, 0);
    reader_clear(&reader);
}

static void special_files_are_said_and_not_opened(void)
{
    Reader reader;
    reader_init(&reader);
    g_assert_cmpint(mkfifoat(reader.root, "pipe", 0600), ==, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/socket", reader.root);
    g_assert_cmpint(bind(listener, (struct sockaddr *)&address, sizeof address), ==, 0);
    /* Who opens the other end for writing sees whether anybody has it open for reading. */
    g_autofree char *path = g_build_filename(reader.path, "pipe", NULL);
    for (int i = 0; i < 3; i++) {
        reader_list(&reader, "", SYNCD_WIRE_HASH, 0);
        g_assert_cmpint(reader_found(&reader, "pipe")->stat.kind, ==, SYNCD_FILE_SPECIAL);
        g_assert_cmpint(reader_found(&reader, "socket")->stat.kind, ==, SYNCD_FILE_SPECIAL);
        g_assert_cmpuint(reader_found(&reader, "pipe")->error, ==, 0);
        SyncdWireMessage found = reader_look(&reader, "", "pipe", SYNCD_WIRE_HASH);
        g_assert_cmpint(found.stat.kind, ==, SYNCD_FILE_SPECIAL);
        g_assert_cmpint(open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC), ==, -1);
        g_assert_cmpint(errno, ==, ENXIO);
    }
    close(listener);
    reader_clear(&reader);
}

/* The first number from this one on that the reader has open no file for. */
static int free_descriptor(const Reader *reader, int from)
{
    for (int fd = from;; fd++) {
        g_autofree char *path = g_strdup_printf("/proc/%d/fd/%d", (int)reader->pid, fd);
        struct stat st;
        if (lstat(path, &st) < 0)
            return fd;
    }
}

static void what_cannot_be_read_is_said_with_its_stat(void)
{
    Reader reader;
    off_t size = (off_t)SYNCD_CONTENT_MAX + 1;
    reader_init(&reader);
    tree_write(&reader, "wide", "");
    int fd = openat(reader.root, "wide", O_WRONLY | O_CLOEXEC);
    g_assert_cmpint(ftruncate(fd, size), ==, 0);
    close(fd);
    reader_list(&reader, "", SYNCD_WIRE_HASH, 0);
    const SyncdWireMessage *found = reader_found(&reader, "wide");
    g_assert_cmpuint(found->error, ==, EFBIG);
    g_assert_cmpuint(found->stat.size, ==, size);
    g_assert_cmpuint(found->flags, ==, 0);
    reader_clear(&reader);
}

/* It passes, and nothing is said to be gone. */
static void without_descriptors_nothing_is_gone(void)
{
    Reader reader;
    struct rlimit old;
    reader_init(&reader);
    tree_write(&reader, "wide", "content");
    g_assert_cmpint(prlimit(reader.pid, RLIMIT_NOFILE, NULL, &old), ==, 0);
    for (int more = 0; more < 2; more++) {
        struct rlimit few = {(rlim_t)free_descriptor(&reader, 0) + (rlim_t)more, old.rlim_max};
        g_assert_cmpint(prlimit(reader.pid, RLIMIT_NOFILE, &few, NULL), ==, 0);
        SyncdWireMessage done = reader_list(&reader, "", SYNCD_WIRE_HASH, 0);
        g_assert_cmpuint(done.error, ==, EMFILE);
    }
    g_assert_cmpint(prlimit(reader.pid, RLIMIT_NOFILE, &old, NULL), ==, 0);
    g_assert_cmpuint(reader_list(&reader, "", SYNCD_WIRE_HASH, 0).error, ==, 0);
    assert_hash_is_of(reader_found(&reader, "wide"), "content");
    reader_clear(&reader);
}

static void a_path_may_be_longer_than_the_kernel_takes(void)
{
    Reader reader;
    g_autofree char *step = g_strnfill(200, 'd');
    g_autoptr(GString) path = g_string_new(NULL);
    reader_init(&reader);
    int at = dup(reader.root);
    while (path->len < 20000) {
        g_assert_cmpint(mkdirat(at, step, 0755), ==, 0);
        int next = openat(at, step, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        close(at);
        at = next;
        g_string_append_printf(path, "%s%s", path->len > 0 ? "/" : "", step);
    }
    int fd = openat(at, "deep", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    g_assert_cmpint(write(fd, "down", 4), ==, 4);
    close(fd);
    g_assert_cmpint(symlinkat(".", at, "link"), ==, 0);
    SyncdWireMessage done = reader_list(&reader, path->str, SYNCD_WIRE_HASH | SYNCD_WIRE_WATCH, 5);
    g_assert_cmpuint(done.error, ==, 0);
    g_assert_cmpuint(done.flags, ==, 0);
    assert_hash_is_of(reader_found(&reader, "deep"), "down");
    SyncdWireMessage found = reader_look(&reader, path->str, "deep", SYNCD_WIRE_HASH);
    assert_hash_is_of(&found, "down");
    unlinkat(at, "deep", 0);
    reader_event(&reader, 5, SYNCD_WIRE_GONE, "deep");
    /* The way is safe in every piece of it. */
    g_string_append(path, "/link");
    done = reader_list(&reader, path->str, SYNCD_WIRE_HASH, 0);
    g_assert_true(done.error == ELOOP || done.error == ENOTDIR);
    close(at);
    reader_clear(&reader);
}

static void a_target_may_be_as_long_as_they_get(void)
{
    Reader reader;
    size_t size = SYNCD_WIRE_TARGET_MAX;
    g_autofree char *target = g_strnfill(size, 't');
    reader_init(&reader);
    while (symlinkat(target, reader.root, "link") < 0)
        target[--size] = '\0'; /* file systems differ */
    g_assert_cmpuint(size, >, 1000);
    SyncdWireMessage found = reader_look(&reader, "", "link", SYNCD_WIRE_HASH);
    g_assert_cmpmem(found.target.data, found.target.size, target, size);
    reader_clear(&reader);
}

/* ---- content ---- */

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
    g_test_add_func("/reader/the-root-is-a-folder-and-no-link-leads-to-it",
                    the_root_is_a_folder_and_no_link_leads_to_it);
    g_test_add_func("/reader/a-listing-says-what-is-there", a_listing_says_what_is_there);
    g_test_add_func("/reader/names-come-sorted-by-their-bytes", names_come_sorted_by_their_bytes);
    g_test_add_func("/reader/names-are-bytes-of-any-kind", names_are_bytes_of_any_kind);
    g_test_add_func("/reader/a-look-is-at-one-name", a_look_is_at_one_name);
    g_test_add_func("/reader/symlinks-are-never-followed", symlinks_are_never_followed);
    g_test_add_func("/reader/special-files-are-said-and-not-opened",
                    special_files_are_said_and_not_opened);
    g_test_add_func("/reader/what-cannot-be-read-is-said-with-its-stat",
                    what_cannot_be_read_is_said_with_its_stat);
    g_test_add_func("/reader/without-descriptors-nothing-is-gone",
                    without_descriptors_nothing_is_gone);
    g_test_add_func("/reader/a-path-may-be-longer-than-the-kernel-takes",
                    a_path_may_be_longer_than_the_kernel_takes);
    g_test_add_func("/reader/a-target-may-be-as-long-as-they-get",
                    a_target_may_be_as_long_as_they_get);
    g_test_add_func("/reader/large-files-are-hashed-whole", large_files_are_hashed_whole);
    g_test_add_func("/reader/what-changes-while-it-is-read-has-no-digest",
                    what_changes_while_it_is_read_has_no_digest);
    g_test_add_func("/reader/what-is-hashed-can-be-kept", what_is_hashed_can_be_kept);
    g_test_add_func("/reader/a-listing-keeps-each-file-by-itself",
                    a_listing_keeps_each_file_by_itself);
    g_test_add_func("/reader/what-is-kept-has-the-digest", what_is_kept_has_the_digest);
    g_test_add_func("/reader/nobody-is-sent-more-than-he-takes", nobody_is_sent_more_than_he_takes);
    g_test_add_func("/reader/what-is-ignored-is-not-read", what_is_ignored_is_not_read);
    g_test_add_func("/reader/a-stat-has-one-content", a_stat_has_one_content);
    return g_test_run();
}
