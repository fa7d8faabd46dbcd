/*
 * A file is put in its place whole, or nothing is changed: only over what it was said to be over,
 * only beneath the root, and with nothing left beside it.
 */
#include "reader-fixture.h"

#include <stdio.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/syscall.h>

/* ---- what others do in between ---- */

typedef void (*Meddle)(int folder, const char *name);

/* In the reader's process: what happens right before the exchange of that number. */
static struct {
    guint at;
    Meddle meddle;
    guint *exchanges; /* shared with this process */
    bool fails;       /* no folder can be synced */
} meddling;

int fsync(int fd)
{
    struct stat st;
    if (meddling.fails && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_fsync, fd);
}

/* Takes the place of the C library's. */
int renameat2(int from, const char *name, int to, const char *new_name, unsigned flags)
{
    if (flags == RENAME_EXCHANGE && meddling.exchanges != NULL &&
        (*meddling.exchanges)++ == meddling.at && meddling.meddle != NULL)
        meddling.meddle(to, new_name);
    return (int)syscall(SYS_renameat2, from, name, to, new_name, flags);
}

static void send_data(Reader *reader, const char *content, size_t size)
{
    SyncdWireMessage data = {.type = SYNCD_WIRE_DATA};
    for (size_t at = 0; at < size; at += data.bytes.size) {
        data.offset = at;
        data.bytes = SYNCD_BYTES(content + at, MIN(size - at, SYNCD_WIRE_BYTES_MAX));
        reader_ask(reader, &data);
    }
}

static SyncdHash hash_of(const char *content)
{
    return syncd_hash(content, strlen(content));
}

/* `over`: the content that is there; NULL for none. */
static SyncdWireMessage place(Reader *reader, const char *path, const char *name,
                              const char *content, const char *over)
{
    SyncdWireMessage request = {
        .type = SYNCD_WIRE_PLACE,
        .request = ++reader->request,
        .flags = SYNCD_WIRE_HASHED | (over != NULL ? SYNCD_WIRE_OVER : 0u),
        .path = SYNCD_BYTES_TEXT(path),
        .name = SYNCD_BYTES_TEXT(name),
        .stat = {.kind = SYNCD_FILE_REGULAR, .mode = 0640, .size = strlen(content)},
        .hash = hash_of(content),
    };
    if (over != NULL)
        request.expected = hash_of(over);
    send_data(reader, content, strlen(content));
    reader_ask(reader, &request);
    return reader_done(reader, request.request);
}

static void assert_content(const Reader *reader, const char *name, const char *content)
{
    g_autofree char *path = g_build_filename(reader->path, name, NULL);
    g_autofree char *found = NULL;
    gsize size = 0;
    g_assert_true(g_file_get_contents(path, &found, &size, NULL));
    g_assert_cmpmem(found, size, content, strlen(content));
}

/* So many names, and none of them is one of ours. */
static void assert_names(const Reader *reader, const char *folder, guint n)
{
    g_autofree char *path = g_build_filename(reader->path, folder, NULL);
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    guint found = 0;
    for (const char *name; (name = g_dir_read_name(dir)) != NULL; found++)
        g_assert_false(g_str_has_prefix(name, ".sourceos"));
    g_assert_cmpuint(found, ==, n);
}

static void a_file_is_placed_whole(void)
{
    Reader reader;
    struct stat st;
    g_autofree char *large = g_strnfill(5 * 1024 * 1024 + 3, 'x');
    reader_init(&reader);
    tree_folder(&reader, "a");
    SyncdWireMessage done = place(&reader, "a", "new", "content", NULL);
    g_assert_cmpuint(done.error, ==, 0);
    assert_content(&reader, "a/new", "content");
    g_assert_cmpint(fstatat(reader.root, "a/new", &st, 0), ==, 0);
    g_assert_cmpuint(st.st_mode & 07777, ==, 0640);
    g_assert_cmpuint(done.stat.inode, ==, st.st_ino);
    g_assert_cmpint(done.stat.ctime, ==, st.st_ctim.tv_sec * 1000000000 + st.st_ctim.tv_nsec);
    /* Over what is there, an empty one, a large one. */
    g_assert_cmpuint(place(&reader, "a", "new", "other", "content").error, ==, 0);
    assert_content(&reader, "a/new", "other");
    g_assert_cmpuint(place(&reader, "a", "new", large, "other").error, ==, 0);
    assert_content(&reader, "a/new", large);
    assert_names(&reader, "a", 1);
    reader_clear(&reader);
}

static void only_what_was_seen_is_replaced(void)
{
    Reader reader;
    reader_init(&reader);
    tree_write(&reader, "file", "changed since");
    tree_folder(&reader, "folder");
    g_assert_cmpint(symlinkat("file", reader.root, "link"), ==, 0);
    g_assert_cmpuint(place(&reader, "", "file", "new", "seen").error, ==, EEXIST);
    g_assert_cmpuint(place(&reader, "", "file", "new", NULL).error, ==, EEXIST);
    g_assert_cmpuint(place(&reader, "", "folder", "new", NULL).error, ==, EEXIST);
    g_assert_cmpuint(place(&reader, "", "folder", "new", "seen").error, ==, EEXIST);
    g_assert_cmpuint(place(&reader, "", "link", "new", NULL).error, ==, EEXIST);
    g_assert_cmpuint(place(&reader, "", "link", "new", "changed since").error, ==, EEXIST);
    g_assert_cmpuint(place(&reader, "", "gone", "new", "seen").error, ==, EEXIST);
    assert_content(&reader, "file", "changed since");
    assert_names(&reader, "", 3);
    reader_clear(&reader);
}

static void nothing_is_placed_elsewhere(void)
{
    Reader reader;
    g_autofree char *outside = g_dir_make_tmp("syncd-outside-XXXXXX", NULL);
    reader_init(&reader);
    g_assert_cmpint(symlinkat(outside, reader.root, "out"), ==, 0);
    g_assert_cmpuint(place(&reader, "out", "file", "new", NULL).error, !=, 0);
    g_assert_cmpuint(place(&reader, "none", "file", "new", NULL).error, ==, ENOENT);
    g_assert_cmpint(g_rmdir(outside), ==, 0);
    reader_clear(&reader);
}

static SyncdWireMessage make_folder(Reader *reader, const char *path, const char *name,
                                    guint32 mode)
{
    SyncdWireMessage request = {.type = SYNCD_WIRE_PLACE,
                                .request = ++reader->request,
                                .flags = SYNCD_WIRE_FOLDER,
                                .path = SYNCD_BYTES_TEXT(path),
                                .name = SYNCD_BYTES_TEXT(name),
                                .stat = {.kind = SYNCD_FILE_FOLDER, .mode = mode}};
    reader_ask(reader, &request);
    return reader_done(reader, request.request);
}

/* As it was, whatever the umask is. */
static void a_folder_that_is_gone_is_made(void)
{
    Reader reader;
    struct stat st;
    g_autofree char *outside = g_dir_make_tmp("syncd-outside-XXXXXX", NULL);
    mode_t before = umask(077);
    reader_init(&reader);
    umask(before);
    SyncdWireMessage done = make_folder(&reader, "", "a", 0755);
    g_assert_cmpuint(done.error, ==, 0);
    g_assert_cmpuint(done.stat.mode, ==, 0755);
    g_assert_cmpuint(make_folder(&reader, "", "a", 0700).error, ==, EEXIST);
    g_assert_cmpuint(make_folder(&reader, "a", "b", 01777).error, ==, 0);
    g_assert_cmpint(fstatat(reader.root, "a/b", &st, 0), ==, 0);
    g_assert_cmpuint(st.st_mode & 07777, ==, 01777);
    g_assert_cmpint(fstatat(reader.root, "a", &st, 0), ==, 0);
    g_assert_cmpuint(st.st_mode & 07777, ==, 0755);
    g_assert_cmpuint(place(&reader, "a/b", "file", "new", NULL).error, ==, 0);
    assert_content(&reader, "a/b/file", "new");
    g_assert_cmpuint(make_folder(&reader, "a/none", "d", 0755).error, ==, ENOENT);
    g_assert_cmpuint(make_folder(&reader, "a/b/file", "d", 0755).error, ==, ENOTDIR);
    g_assert_cmpint(symlinkat(outside, reader.root, "out"), ==, 0);
    g_assert_cmpuint(make_folder(&reader, "out", "d", 0755).error, !=, 0);
    g_assert_cmpint(g_rmdir(outside), ==, 0);
    reader_clear(&reader);
}

static void write_at(const Reader *reader, const char *name)
{
    tree_write(reader, name, "something");
}

static bool has(const Reader *reader, const char *name)
{
    struct stat st;
    return fstatat(reader->root, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

#define LEFT ".sourceos-filling-0123456789abcdef"
#define FILLED ".sourceos-filling-0123456789abcd00"
#define READ_ONLY ".sourceos-filling-0123456789abcd01"

/* A reader that was killed has left it: it is no file of the workspace, and goes. All else that is
 * called like that is one. */
static void what_a_crash_left_is_removed(void)
{
    static const char *const others[] = {
        ".sourceos-filling-0123456789abcdeg", ".sourceos-filling-0123456789abcdef0",
        ".sourceos-filling-0123456789ABCDEF", ".sourceos-replaced-0123456789abcdef",
        ".sourceos-restore-0123456789abcdef"}; /* the only one there may be of somebody's file */
    static const char link[] = ".sourceos-filling-000000000000000a";
    static const char folder[] = ".sourceos-filling-000000000000000b";
    Reader reader;
    reader_init(&reader);
    write_at(&reader, LEFT);
    write_at(&reader, FILLED);
    write_at(&reader, READ_ONLY);
    g_assert_cmpint(fchmodat(reader.root, READ_ONLY, 0400, 0), ==, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(others); i++)
        write_at(&reader, others[i]);
    g_assert_cmpint(symlinkat(LEFT, reader.root, link), ==, 0);
    tree_folder(&reader, folder);
    /* Another reader of the same user is at it. */
    int fd = openat(reader.root, FILLED, O_RDWR | O_CLOEXEC);
    g_assert_cmpint(flock(fd, LOCK_EX), ==, 0);
    g_assert_cmpuint(reader_look(&reader, "", LEFT, 0).error, ==, ENOENT);
    g_assert_true(has(&reader, LEFT)); /* only who lists the folder removes it */
    g_assert_cmpuint(reader_list(&reader, "", SYNCD_WIRE_HASH, 1).error, ==, 0);
    g_assert_null(reader_found(&reader, LEFT));
    g_assert_null(reader_found(&reader, FILLED));
    for (size_t i = 0; i < G_N_ELEMENTS(others); i++)
        g_assert_nonnull(reader_found(&reader, others[i]));
    g_assert_nonnull(reader_found(&reader, link));
    g_assert_nonnull(reader_found(&reader, folder));
    g_assert_false(has(&reader, LEFT));
    g_assert_false(has(&reader, READ_ONLY));
    g_assert_true(has(&reader, FILLED));
    close(fd);
    reader_clear(&reader);
}

static void what_is_not_what_it_was_said_to_be_is_not_placed(void)
{
    Reader reader;
    reader_init(&reader);
    SyncdWireMessage request = {
        .type = SYNCD_WIRE_PLACE,
        .flags = SYNCD_WIRE_HASHED,
        .name = SYNCD_BYTES_TEXT("file"),
        .stat = {.kind = SYNCD_FILE_REGULAR, .mode = 0644, .size = 3},
        .hash = hash_of("one"),
    };
    static const char *const sent[] = {"two", "on", "ones", ""};
    for (size_t i = 0; i < G_N_ELEMENTS(sent); i++) {
        send_data(&reader, sent[i], strlen(sent[i]));
        request.request = ++reader.request;
        reader_ask(&reader, &request);
        g_assert_cmpuint(reader_done(&reader, request.request).error, ==, EBADMSG);
    }
    assert_names(&reader, "", 0);
    reader_clear(&reader);
}

static void write_it(int folder, const char *name)
{
    int fd = openat(folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    g_assert_cmpint(write(fd, "theirs", 6), ==, 6);
    close(fd);
}

static void replace_it(int folder, const char *name)
{
    write_it(folder, "new");
    g_assert_cmpint(renameat(folder, "new", folder, name), ==, 0);
}

static void link_it(int folder, const char *name)
{
    unlinkat(folder, name, 0);
    g_assert_cmpint(symlinkat("theirs", folder, name), ==, 0);
}

static void delete_it(int folder, const char *name)
{
    unlinkat(folder, name, 0);
}

static void what_others_do_in_the_last_moment_is_not_lost(void)
{
    static const struct {
        Meddle meddle;
        guint exchanges;
        const char *content; /* NULL: it is gone, "": a symlink */
    } cases[] = {
        {NULL, 1, "mine"}, /* the control: it is exchanged once */
        {write_it, 2, "theirs"}, {replace_it, 2, "theirs"}, {link_it, 2, ""}, {delete_it, 1, NULL},
    };
    guint *exchanges =
        mmap(NULL, sizeof *exchanges, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    g_assert_true(exchanges != MAP_FAILED);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Reader reader;
        struct stat st;
        *exchanges = 0;
        meddling.meddle = cases[i].meddle;
        meddling.exchanges = exchanges;
        reader_init(&reader);
        tree_write(&reader, "file", "seen");
        g_assert_cmpuint(place(&reader, "", "file", "mine", "seen").error, ==,
                         cases[i].meddle == NULL ? 0 : EEXIST);
        g_assert_cmpuint(*exchanges, ==, cases[i].exchanges);
        bool there = fstatat(reader.root, "file", &st, AT_SYMLINK_NOFOLLOW) == 0;
        g_assert_cmpint(there, ==, cases[i].content != NULL);
        if (there && *cases[i].content == '\0')
            g_assert_true(S_ISLNK(st.st_mode));
        else if (there)
            assert_content(&reader, "file", cases[i].content);
        assert_names(&reader, "", there ? 1 : 0);
        reader_clear(&reader);
    }
    meddling.exchanges = NULL;
    munmap(exchanges, sizeof *exchanges);
}

/* It is said that the file has its name, and nothing is lost. */
static void what_cannot_be_made_durable_is_in_its_place(void)
{
    static const char *const before[] = {NULL, "seen"};
    for (size_t i = 0; i < G_N_ELEMENTS(before); i++) {
        Reader reader;
        guint found = 0;
        meddling.fails = true;
        reader_init(&reader);
        meddling.fails = false;
        if (before[i] != NULL)
            tree_write(&reader, "file", before[i]);
        SyncdWireMessage done = place(&reader, "", "file", "mine", before[i]);
        g_assert_cmpuint(done.error, ==, EIO);
        g_assert_cmpuint(done.flags, ==, SYNCD_WIRE_PLACED);
        assert_content(&reader, "file", "mine");
        g_autoptr(GDir) dir = g_dir_open(reader.path, 0, NULL);
        for (const char *name; (name = g_dir_read_name(dir)) != NULL; found++)
            if (strcmp(name, "file") != 0)
                assert_content(&reader, name, before[i]);
        g_assert_cmpuint(found, ==, before[i] == NULL ? 1 : 2);
        /* A folder is not left there. */
        g_assert_cmpuint(make_folder(&reader, "", "folder", 0755).error, ==, EIO);
        g_assert_false(has(&reader, "folder"));
        reader_clear(&reader);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    if (!syncd_crypto_init(NULL))
        return 1;
    g_test_add_func("/place/a-file-is-placed-whole", a_file_is_placed_whole);
    g_test_add_func("/place/only-what-was-seen-is-replaced", only_what_was_seen_is_replaced);
    g_test_add_func("/place/nothing-is-placed-elsewhere", nothing_is_placed_elsewhere);
    g_test_add_func("/place/a-folder-that-is-gone-is-made", a_folder_that_is_gone_is_made);
    g_test_add_func("/place/what-others-do-in-the-last-moment-is-not-lost",
                    what_others_do_in_the_last_moment_is_not_lost);
    g_test_add_func("/place/what-cannot-be-made-durable-is-in-its-place",
                    what_cannot_be_made_durable_is_in_its_place);
    g_test_add_func("/place/what-a-crash-left-is-removed", what_a_crash_left_is_removed);
    g_test_add_func("/place/what-is-not-what-it-was-said-to-be-is-not-placed",
                    what_is_not_what_it_was_said_to_be_is_not_placed);
    return g_test_run();
}
