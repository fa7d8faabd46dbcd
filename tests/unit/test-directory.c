/*
 * The state directory: private, ours alone, and files in it are whole.
 */
#include "store-fixture.h"
#include "store/directory.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
    char *path;
    SyncdDirectory *directory;
} Place;

static void place_init(Place *p)
{
    g_autoptr(GError) error = NULL;
    p->path = g_dir_make_tmp("syncd-directory-XXXXXX", NULL);
    p->directory = syncd_directory_open(p->path, SYNCD_DIRECTORY_CREATE, &error);
    g_assert_no_error(error);
}

static void place_clear(Place *p)
{
    g_clear_pointer(&p->directory, syncd_directory_free);
    fixture_remove(p->path);
    g_free(p->path);
}

static char *in(Place *p, const char *name)
{
    return g_build_filename(p->path, name, NULL);
}

static mode_t mode_of(const char *path)
{
    struct stat st;
    g_assert_cmpint(lstat(path, &st), ==, 0);
    return st.st_mode & 07777;
}

static void publish(Place *p, const char *name, const char *text)
{
    g_autoptr(GError) error = NULL;
    syncd_directory_publish(p->directory, name, SYNCD_BYTES_TEXT(text), &error);
    g_assert_no_error(error);
}

static void assert_reads(Place *p, const char *name, const char *expected)
{
    g_autoptr(GError) error = NULL;
    size_t size;
    g_autofree char *text = syncd_directory_read(p->directory, name, 4096, &size, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(text, ==, expected);
    g_assert_cmpuint(size, ==, strlen(expected));
}

static guint count_names(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    guint n = 0;
    while (g_dir_read_name(dir) != NULL)
        n++;
    return n;
}

static void it_is_made_private(void)
{
    Place p;
    place_init(&p);
    g_clear_pointer(&p.directory, syncd_directory_free);
    g_assert_cmpint(chmod(p.path, 0755), ==, 0);
    p.directory = syncd_directory_open(p.path, SYNCD_DIRECTORY_CREATE, NULL);
    g_assert_cmpint(mode_of(p.path), ==, 0700);
    place_clear(&p);
}

static void that_of_another_user_is_refused(void)
{
    if (geteuid() != 0) {
        g_test_skip("only root can give a directory away");
        return;
    }
    Place p;
    g_autoptr(GError) error = NULL;
    place_init(&p);
    g_clear_pointer(&p.directory, syncd_directory_free);
    g_assert_cmpint(chown(p.path, 65534, 65534), ==, 0);
    g_assert_null(syncd_directory_open(p.path, SYNCD_DIRECTORY_CREATE, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_ACCESS_DENIED);
    place_clear(&p);
}

#define NOBODY 65534

/* As somebody to whom modes mean something: not as root. */
static void expect_refused(Place *p, mode_t mode)
{
    g_autoptr(GError) error = NULL;
    bool root = geteuid() == 0;
    g_clear_pointer(&p->directory, syncd_directory_free);
    if (root)
        g_assert_cmpint(chown(p->path, NOBODY, NOBODY), ==, 0);
    g_assert_cmpint(chmod(p->path, mode), ==, 0);
    if (root)
        g_assert_cmpint(seteuid(NOBODY), ==, 0);
    SyncdDirectory *directory = syncd_directory_open(p->path, SYNCD_DIRECTORY_CREATE, &error);
    if (root)
        g_assert_cmpint(seteuid(0), ==, 0);
    g_assert_null(directory);
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_ACCESS_DENIED);
    g_autofree char *said = g_strdup_printf("(%04o)", mode),
                    *next = g_strdup_printf("chmod 700 %s", p->path);
    g_assert_nonnull(strstr(error->message, said));
    g_assert_nonnull(strstr(error->message, next));
    g_assert_cmpint(chmod(p->path, 0700), ==, 0);
}

static void a_mode_that_keeps_its_owner_out_is_said_plainly(void)
{
    static const mode_t modes[] = {0500, 0300, 0000};
    for (size_t i = 0; i < G_N_ELEMENTS(modes); i++) {
        Place p;
        place_init(&p);
        expect_refused(&p, modes[i]);
        place_clear(&p);
    }
}

static void links_lead_to_it_but_not_out_of_it(void)
{
    Place p;
    g_autoptr(GError) error = NULL;
    size_t size;
    place_init(&p);
    g_clear_pointer(&p.directory, syncd_directory_free);
    g_autofree char *link = g_strconcat(p.path, "-link", NULL);
    g_autofree char *outside = g_strconcat(p.path, "-outside", NULL);
    g_assert_cmpint(symlink(p.path, link), ==, 0);
    p.directory = syncd_directory_open(link, SYNCD_DIRECTORY_CREATE, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(syncd_directory_path(p.directory), ==, p.path);

    /* A name that is a link is replaced, not followed; a folder that is one is refused. */
    g_autofree char *name = in(&p, "name"), *folder = in(&p, "folder"),
                    *temporary = in(&p, ".name.new"), *target = NULL;
    g_assert_true(g_file_set_contents(outside, "theirs", -1, NULL));
    g_assert_cmpint(symlink(outside, name), ==, 0);
    g_assert_cmpint(symlink(outside, temporary), ==, 0);
    g_assert_null(syncd_directory_read(p.directory, "name", 4096, &size, NULL));
    publish(&p, "name", "ours");
    assert_reads(&p, "name", "ours");
    g_assert_true(g_file_get_contents(outside, &target, NULL, NULL));
    g_assert_cmpstr(target, ==, "theirs");

    g_assert_cmpint(unlink(outside), ==, 0);
    g_assert_cmpint(mkdir(outside, 0700), ==, 0);
    g_autofree char *inside = g_build_filename(outside, "file", NULL);
    g_assert_true(g_file_set_contents(inside, "theirs", -1, NULL));
    g_assert_cmpint(symlink(outside, folder), ==, 0);
    g_assert_null(syncd_directory_read(p.directory, "folder/file", 4096, &size, &error));
    g_assert_nonnull(error);
    g_assert_false(syncd_directory_publish(p.directory, "folder/new", SYNCD_BYTES_TEXT("x"), NULL));
    g_assert_cmpuint(count_names(outside), ==, 1);
    fixture_remove(outside);
    g_remove(folder);
    g_remove(link);
    place_clear(&p);
}

static void a_published_file_is_whole(void)
{
    Place p;
    place_init(&p);
    publish(&p, "plain", "first");
    publish(&p, "plain", "second");
    publish(&p, "some/folder/deep", "text");
    assert_reads(&p, "plain", "second");
    assert_reads(&p, "some/folder/deep", "text");
    g_autofree char *plain = in(&p, "plain"), *some = in(&p, "some"), *deep = in(&p, "some/folder");
    g_assert_cmpint(mode_of(plain), ==, 0600);
    g_assert_cmpint(mode_of(some), ==, 0700);
    g_assert_cmpuint(count_names(p.path), ==, 3); /* lock, plain, some */
    g_assert_cmpuint(count_names(deep), ==, 1);
    g_autoptr(GError) error = NULL;
    g_assert_true(syncd_directory_sync_file(p.directory, "some/folder/deep", &error));
    g_assert_false(syncd_directory_sync_file(p.directory, "some/folder/none", &error));
    g_assert_nonnull(error);
    place_clear(&p);
}

static void a_failed_publish_leaves_the_old_content(void)
{
    Place p;
    g_autoptr(GError) error = NULL;
    g_autofree char *large = g_strnfill(100000, 'x');
    place_init(&p);
    publish(&p, "name", "old");
    struct rlimit old, low;
    g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &old), ==, 0);
    signal(SIGXFSZ, SIG_IGN);
    low = old;
    low.rlim_cur = 4096;
    g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &low), ==, 0);
    bool ok = syncd_directory_publish(p.directory, "name", SYNCD_BYTES_TEXT(large), &error);
    g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &old), ==, 0);
    g_assert_false(ok);
    g_assert_nonnull(error);
    assert_reads(&p, "name", "old");
    g_assert_cmpuint(count_names(p.path), ==, 2); /* lock, name */
    place_clear(&p);
}

static void what_a_crash_left_is_no_hindrance(void)
{
    Place p;
    place_init(&p);
    g_autofree char *temporary = in(&p, ".name.new"), *name = in(&p, "name");
    g_assert_true(g_file_set_contents(temporary, "half of something longer", -1, NULL));
    g_assert_cmpint(chmod(temporary, 0644), ==, 0);
    publish(&p, "name", "new");
    assert_reads(&p, "name", "new");
    g_assert_cmpint(mode_of(name), ==, 0600);
    place_clear(&p);
}

/* A second name changes nothing of what is in use by the first; nor does what comes back. */
static void what_is_set_aside_is_private(void)
{
    Place p;
    g_autoptr(GError) error = NULL;
    place_init(&p);
    g_autofree char *name = in(&p, "name"), *kept = in(&p, "aside/kept");
    publish(&p, "name", "text");
    g_assert_cmpint(chmod(name, 0644), ==, 0);
    g_assert_true(syncd_directory_link(p.directory, "name", "aside/kept", &error));
    syncd_directory_make_private(p.directory, "aside/kept");
    g_assert_cmpint(mode_of(name), ==, 0644);
    g_assert_true(syncd_directory_remove(p.directory, "name", &error));
    g_assert_true(syncd_directory_move(p.directory, "aside/kept", "name", &error));
    g_assert_cmpint(mode_of(name), ==, 0644);

    g_assert_true(syncd_directory_move(p.directory, "name", "aside/kept", &error));
    g_assert_cmpint(mode_of(kept), ==, 0600);
    g_assert_cmpint(chmod(kept, 0644), ==, 0);
    syncd_directory_make_private(p.directory, "aside/kept");
    g_assert_cmpint(mode_of(kept), ==, 0600);
    place_clear(&p);
}

static void reading_is_bounded(void)
{
    Place p;
    g_autoptr(GError) error = NULL;
    size_t size = 0;
    place_init(&p);
    publish(&p, "name", "12345678");
    g_autofree char *fits = syncd_directory_read(p.directory, "name", 8, &size, &error);
    g_assert_cmpstr(fits, ==, "12345678");
    g_assert_null(syncd_directory_read(p.directory, "name", 7, &size, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_TOO_LARGE);
    g_clear_error(&error);
    g_assert_null(syncd_directory_read(p.directory, "none", 8, &size, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND);
    g_clear_error(&error);
    g_assert_null(syncd_directory_read(p.directory, "no/folder", 8, &size, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND);
    g_clear_error(&error);
    g_autofree char *pipe = in(&p, "pipe");
    g_assert_cmpint(mkfifo(pipe, 0600), ==, 0);
    g_assert_null(syncd_directory_read(p.directory, "pipe", 8, &size, &error));
    g_assert_nonnull(error);
    place_clear(&p);
}

static void one_holds_it_at_a_time(void)
{
    Place p;
    g_autoptr(GError) error = NULL;
    place_init(&p);
    g_assert_true(syncd_directory_announce(p.directory, "unix:path=/first", &error));
    g_assert_null(syncd_directory_open(p.path, SYNCD_DIRECTORY_CREATE, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_BUSY);
    g_autofree char *holder = g_strdup_printf("pid %d at unix:path=/first", (int)getpid());
    g_assert_nonnull(strstr(error->message, holder));
    g_clear_error(&error);

    g_clear_pointer(&p.directory, syncd_directory_free);
    g_autofree char *lock = in(&p, "lock"), *text = NULL;
    g_assert_true(g_file_get_contents(lock, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, ""); /* nobody is named who is gone */
    p.directory = syncd_directory_open(p.path, SYNCD_DIRECTORY_CREATE, &error);
    g_assert_no_error(error);
    place_clear(&p);
}

/* Its text is of whoever wrote it, and what is told to be stopped is nobody but the holder. */
static void only_the_holder_is_told_to_be_stopped(void)
{
    Place p;
    place_init(&p);
    g_autofree char *lock = in(&p, "lock"), *holder = g_strdup_printf("%d", (int)getpid()),
                    *parent = g_strdup_printf("%d", (int)getppid()); /* lives, and holds nothing */
    const char *const texts[] = {"0", "1", "-1", "12 34", "99999999999", "", parent, holder};
    g_autofree char *kill = g_strdup_printf("`kill %s`", holder);
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;
        bool told = texts[i] == holder;
        int fd = open(lock, O_WRONLY | O_TRUNC | O_CLOEXEC);
        g_assert_cmpint(write(fd, texts[i], strlen(texts[i])), ==, (ssize_t)strlen(texts[i]));
        g_assert_cmpint(close(fd), ==, 0);
        g_assert_null(syncd_directory_open(p.path, SYNCD_DIRECTORY_CREATE, &error));
        g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_BUSY);
        g_assert_cmpint(strstr(error->message, told ? kill : "`kill") != NULL, ==, told);
    }
    place_clear(&p);
}

static void opening_what_is_not_there_makes_nothing(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *base = g_dir_make_tmp("syncd-directory-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(base, "state", NULL);
    g_assert_null(syncd_directory_open(path, SYNCD_DIRECTORY_EXISTING, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_NOT_INITIALIZED);
    g_clear_error(&error);
    g_assert_null(syncd_directory_open(base, SYNCD_DIRECTORY_EXISTING, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_NOT_INITIALIZED);
    g_assert_cmpuint(count_names(base), ==, 0);
    fixture_remove(base);
}

static void the_reserve_is_whole_or_not_there(void)
{
    Place p;
    g_autoptr(GError) error = NULL;
    struct stat st;
    place_init(&p);
    g_autofree char *reserve = in(&p, "reserve");
    g_assert_false(syncd_directory_release_reserve(p.directory));
    g_assert_true(syncd_directory_reserve(p.directory, 1 << 20, &error));
    g_assert_true(syncd_directory_reserve(p.directory, 1 << 20, &error));
    g_assert_cmpint(stat(reserve, &st), ==, 0);
    g_assert_cmpint(st.st_size, ==, 1 << 20);
    g_assert_cmpint(st.st_blocks * 512, >=, 1 << 20);
    g_assert_cmpint(st.st_mode & 0777, ==, 0600);
    g_assert_true(syncd_directory_release_reserve(p.directory));
    g_assert_cmpint(stat(reserve, &st), <, 0);

    g_assert_false(syncd_directory_reserve(p.directory, (guint64)1 << 60, &error));
    g_assert_nonnull(error);
    g_assert_cmpint(stat(reserve, &st), <, 0);
    place_clear(&p);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/directory/mode", a_mode_that_keeps_its_owner_out_is_said_plainly);
    g_test_add_func("/directory/it-is-made-private", it_is_made_private);
    g_test_add_func("/directory/that-of-another-user-is-refused", that_of_another_user_is_refused);
    g_test_add_func("/directory/links-lead-to-it-but-not-out-of-it",
                    links_lead_to_it_but_not_out_of_it);
    g_test_add_func("/directory/a-published-file-is-whole", a_published_file_is_whole);
    g_test_add_func("/directory/a-failed-publish-leaves-the-old-content",
                    a_failed_publish_leaves_the_old_content);
    g_test_add_func("/directory/what-a-crash-left-is-no-hindrance",
                    what_a_crash_left_is_no_hindrance);
    g_test_add_func("/directory/what-is-set-aside-is-private", what_is_set_aside_is_private);
    g_test_add_func("/directory/reading-is-bounded", reading_is_bounded);
    g_test_add_func("/directory/one-holds-it-at-a-time", one_holds_it_at_a_time);
    g_test_add_func("/directory/only-the-holder-is-told-to-be-stopped",
                    only_the_holder_is_told_to_be_stopped);
    g_test_add_func("/directory/opening-what-is-not-there-makes-nothing",
                    opening_what_is_not_there_makes_nothing);
    g_test_add_func("/directory/the-reserve-is-whole-or-not-there",
                    the_reserve_is_whole_or_not_there);
    return g_test_run();
}
