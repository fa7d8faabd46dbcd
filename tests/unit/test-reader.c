#include "reader-fixture.h"
#include "reader/content.h"

#include "hurried.h"

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
    return g_test_run();
}
