/*
 * Somebody swaps a folder with a symlink to one outside, and a file with a symlink to one outside,
 * as fast as the machine can, while the reader lists and looks: nothing outside is ever read. The
 * control asks the same with a plain open, and does read it.
 *
 *   test-swaps [--swaps=N]
 *
 * N is how often it is asked.
 */
#include "../unit/reader-fixture.h"

#include <sys/prctl.h>

#define SECRET "SECRET"
#define PUBLIC "public"

static int option_swaps = 20000;

typedef struct {
    Reader reader;
    char *outside;
    guint64 inodes[3]; /* of what is there */
    pid_t swapper;
} World;

static void make_file(const char *folder, const char *name, const char *content)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_assert_true(g_file_set_contents(path, content, -1, NULL));
}

/* Both folders look the same but for what is in their files. */
static void fill_folder(const char *folder, const char *content)
{
    g_autofree char *inner = g_build_filename(folder, "inner", NULL);
    make_file(folder, "x", content);
    g_assert_cmpint(g_mkdir(inner, 0755), ==, 0);
    make_file(inner, "y", content);
}

static guint64 inode_of(const char *folder, const char *name)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    struct stat st;
    g_assert_cmpint(lstat(path, &st), ==, 0);
    return st.st_ino;
}

static bool is_outside(const World *world, const SyncdWireMessage *message)
{
    for (size_t i = 0; i < G_N_ELEMENTS(world->inodes); i++)
        if (message->stat.kind != 0 && message->stat.inode == world->inodes[i])
            return true;
    return false;
}

static void swap(const World *world, const char *one, const char *other)
{
    if (renameat2(world->reader.root, one, world->reader.root, other, RENAME_EXCHANGE) < 0)
        _exit(1);
}

static void begin(World *world)
{
    *world = (World){.outside = g_dir_make_tmp("syncd-outside-XXXXXX", NULL)};
    reader_init(&world->reader);
    g_autofree char *folder = g_build_filename(world->reader.path, "folder", NULL);
    g_autofree char *file = g_build_filename(world->outside, "x", NULL);
    g_assert_cmpint(g_mkdir(folder, 0755), ==, 0);
    fill_folder(folder, PUBLIC);
    fill_folder(world->outside, SECRET);
    world->inodes[0] = inode_of(world->outside, ".");
    world->inodes[1] = inode_of(world->outside, "x");
    world->inodes[2] = inode_of(world->outside, "inner/y");
    make_file(world->reader.path, "file", PUBLIC);
    g_assert_cmpint(symlinkat(world->outside, world->reader.root, "folder-link"), ==, 0);
    g_assert_cmpint(symlinkat(file, world->reader.root, "file-link"), ==, 0);
    world->swapper = fork();
    if (world->swapper != 0)
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (true) {
        swap(world, "folder", "folder-link");
        swap(world, "file", "file-link");
    }
}

static void end(World *world)
{
    /* It swapped to the end. */
    g_assert_cmpint(waitpid(world->swapper, NULL, WNOHANG), ==, 0);
    kill(world->swapper, SIGKILL);
    g_assert_cmpint(waitpid(world->swapper, NULL, 0), ==, world->swapper);
    reader_clear(&world->reader);
    reader_remove_tree(world->outside);
    g_free(world->outside);
}

/* What is asked, in turn: of both names, as each of them is a folder now and then. */
static const struct {
    const char *path;
    const char *name; /* NULL: all that is there */
} questions[] = {
    {"folder", NULL},  {"folder", "x"}, {"folder/inner", NULL}, {"folder/inner", "y"},
    {"", "file"},      {"", NULL},      {"folder-link", NULL},  {"folder-link/inner", "y"},
    {"", "file-link"},
};

static void ask(World *world, guint which)
{
    Reader *reader = &world->reader;
    g_array_set_size(reader->messages, 0);
    g_ptr_array_set_size(reader->packets, 0);
    if (questions[which].name == NULL)
        reader_list(reader, questions[which].path, SYNCD_WIRE_HASH, 0);
    else
        reader_look(reader, questions[which].path, questions[which].name, SYNCD_WIRE_HASH);
}

static void nothing_outside_is_ever_read(void)
{
    World world;
    guint read_well = 0, refused = 0, links = 0;
    SyncdHash secret = syncd_hash(SECRET, strlen(SECRET));
    SyncdHash public = syncd_hash(PUBLIC, strlen(PUBLIC));
    begin(&world);
    for (int i = 0; i < option_swaps; i++) {
        ask(&world, (guint)i % G_N_ELEMENTS(questions));
        for (guint n = 0; n < reader_n(&world.reader); n++) {
            const SyncdWireMessage *message = reader_message(&world.reader, n);
            g_assert_false(syncd_hash_equal(&message->hash, &secret));
            g_assert_false(is_outside(&world, message));
            g_assert_false(message->stat.kind == SYNCD_FILE_REGULAR && message->error == 0 &&
                           !syncd_hash_equal(&message->hash, &public));
            read_well += syncd_hash_equal(&message->hash, &public);
            refused += message->type == SYNCD_WIRE_DONE && message->error != 0;
            links += message->stat.kind == SYNCD_FILE_SYMLINK;
        }
    }
    end(&world);
    g_test_message("asked %d times: %u files read, %u folders refused, %u links told", option_swaps,
                   read_well, refused, links);
    g_assert_cmpuint(read_well, >, 0);
    g_assert_cmpuint(refused, >, 0);
    g_assert_cmpuint(links, >, 0);
}

/* Whether what is there now is the secret. */
static bool reads_secret(const World *world, const char *path)
{
    char content[sizeof SECRET] = {0};
    int fd = openat(world->reader.root, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return false;
    ssize_t size = read(fd, content, sizeof content);
    close(fd);
    return size == (ssize_t)strlen(SECRET) && memcmp(content, SECRET, (size_t)size) == 0;
}

/* The control: who follows no link only where the path ends is led outside. */
static void a_plain_open_is_caught(void)
{
    World world;
    guint caught = 0;
    begin(&world);
    for (int i = 0; i < option_swaps; i++)
        caught += reads_secret(&world, "folder/x");
    end(&world);
    g_test_message("asked %d times: %u times outside", option_swaps, caught);
    g_assert_cmpuint(caught, >, 0);
}

int main(int argc, char **argv)
{
    GOptionEntry options[] = {
        {"swaps", 0, 0, G_OPTION_ARG_INT, &option_swaps, NULL, NULL},
        {0},
    };
    g_test_init(&argc, &argv, NULL);
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_option_context_add_main_entries(context, options, NULL);
    if (!g_option_context_parse(context, &argc, &argv, NULL) || !syncd_crypto_init(NULL))
        return 2;
    g_test_add_func("/swaps/nothing-outside-is-ever-read", nothing_outside_is_ever_read);
    g_test_add_func("/swaps/a-plain-open-is-caught", a_plain_open_is_caught);
    return g_test_run();
}
