#include "reader/watch.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/inotify.h>
#include <unistd.h>

#define FOLDER 70

typedef struct {
    SyncdWatch *watch;
    char *path;
    GByteArray *bytes; /* such as the kernel would give */
} World;

static void world_init(World *world)
{
    *world =
        (World){syncd_watch_new(), g_dir_make_tmp("syncd-watch-XXXXXX", NULL), g_byte_array_new()};
    int folder = open(world->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    g_assert_true(syncd_watch_add(world->watch, folder, FOLDER));
    close(folder);
}

static void world_clear(World *world)
{
    syncd_watch_free(world->watch);
    g_rmdir(world->path);
    g_free(world->path);
    g_byte_array_unref(world->bytes);
}

/* The first folder of an inotify has the number 1 there. */
static void happen(World *world, guint32 mask, guint32 cookie, const char *name)
{
    struct inotify_event event = {.wd = (mask & IN_Q_OVERFLOW) != 0 ? -1 : 1,
                                  .mask = mask,
                                  .cookie = cookie,
                                  .len = (guint32)((strlen(name) + 16) / 16 * 16)};
    char padded[512] = {0};
    g_strlcpy(padded, name, sizeof padded);
    g_byte_array_append(world->bytes, (const guint8 *)&event, sizeof event);
    g_byte_array_append(world->bytes, (const guint8 *)padded, event.len);
}

static void take(World *world)
{
    syncd_watch_take_bytes(world->watch, SYNCD_BYTES(world->bytes->data, world->bytes->len));
    g_byte_array_set_size(world->bytes, 0);
}

static void assert_next(World *world, guint32 flags, guint32 cookie, const char *name)
{
    SyncdWireMessage message;
    g_assert_true(syncd_watch_next(world->watch, &message));
    g_assert_cmpint(message.type, ==, SYNCD_WIRE_EVENT);
    g_assert_cmpuint(message.folder, ==, FOLDER);
    g_assert_cmpuint(message.flags, ==, flags);
    g_assert_cmpuint(message.cookie, ==, cookie);
    g_assert_cmpmem(message.name.data, message.name.size, name, strlen(name));
}

static void assert_no_more(World *world)
{
    SyncdWireMessage message;
    g_assert_false(syncd_watch_next(world->watch, &message));
}

static void many_changes_of_a_name_are_told_as_one(void)
{
    World world;
    world_init(&world);
    happen(&world, IN_CREATE, 0, "a");
    happen(&world, IN_CREATE, 0, "b");
    for (int i = 0; i < 1000; i++)
        happen(&world, IN_MODIFY, 0, i % 2 == 0 ? "a" : "b");
    happen(&world, IN_CLOSE_WRITE, 0, "a");
    take(&world);
    assert_next(&world, SYNCD_WIRE_CHANGED | SYNCD_WIRE_WRITTEN, 0, "a");
    assert_next(&world, SYNCD_WIRE_CHANGED | SYNCD_WIRE_WRITTEN, 0, "b");
    assert_no_more(&world);
    /* What was told is over: what comes then is told anew. */
    happen(&world, IN_ATTRIB, 0, "a");
    take(&world);
    assert_next(&world, SYNCD_WIRE_CHANGED, 0, "a");
    assert_no_more(&world);
    world_clear(&world);
}

static void the_last_that_happened_stands(void)
{
    World world;
    world_init(&world);
    happen(&world, IN_CREATE, 0, "a");
    happen(&world, IN_MODIFY, 0, "a");
    happen(&world, IN_DELETE, 0, "a");
    happen(&world, IN_DELETE, 0, "b");
    happen(&world, IN_CREATE, 0, "b");
    take(&world);
    assert_next(&world, SYNCD_WIRE_GONE, 0, "a");
    assert_next(&world, SYNCD_WIRE_CHANGED, 0, "b");
    assert_no_more(&world);
    world_clear(&world);
}

/* Renames are each told, and nothing is moved past them. */
static void renames_keep_their_place(void)
{
    World world;
    world_init(&world);
    happen(&world, IN_MODIFY, 0, "a");
    happen(&world, IN_MOVED_FROM, 5, "a");
    happen(&world, IN_MOVED_TO, 5, "b");
    happen(&world, IN_CREATE, 0, "a");
    happen(&world, IN_MODIFY, 0, "b");
    happen(&world, IN_MOVED_FROM, 6, "a");
    happen(&world, IN_MOVED_TO, 6, "b");
    take(&world);
    assert_next(&world, SYNCD_WIRE_WRITTEN, 0, "a");
    assert_next(&world, SYNCD_WIRE_MOVED_OUT, 5, "a");
    assert_next(&world, SYNCD_WIRE_MOVED_IN, 5, "b");
    assert_next(&world, SYNCD_WIRE_CHANGED, 0, "a");
    assert_next(&world, SYNCD_WIRE_WRITTEN, 0, "b");
    assert_next(&world, SYNCD_WIRE_MOVED_OUT, 6, "a");
    assert_next(&world, SYNCD_WIRE_MOVED_IN, 6, "b");
    assert_no_more(&world);
    world_clear(&world);
}

static void an_overflow_is_told_before_what_came_after(void)
{
    World world;
    SyncdWireMessage message;
    world_init(&world);
    happen(&world, IN_CREATE, 0, "before");
    happen(&world, IN_Q_OVERFLOW, 0, "");
    happen(&world, IN_CREATE, 0, "after");
    take(&world);
    g_assert_true(syncd_watch_next(world.watch, &message));
    g_assert_cmpint(message.type, ==, SYNCD_WIRE_LOST);
    assert_next(&world, SYNCD_WIRE_CHANGED, 0, "after");
    assert_no_more(&world);
    world_clear(&world);
}

static void what_is_kept_is_bounded(void)
{
    World world;
    SyncdWireMessage message;
    world_init(&world);
    for (unsigned i = 0; i <= SYNCD_WATCH_KEPT_MAX; i++) {
        g_autofree char *name = g_strdup_printf("%u", i);
        happen(&world, IN_CREATE, 0, name);
        if (i == SYNCD_WATCH_KEPT_MAX - 1)
            take(&world);
    }
    take(&world);
    g_assert_true(syncd_watch_next(world.watch, &message));
    g_assert_cmpint(message.type, ==, SYNCD_WIRE_LOST);
    assert_no_more(&world);
    world_clear(&world);
}

static void a_folder_that_is_gone_has_no_number(void)
{
    static const guint32 masks[] = {IN_DELETE_SELF, IN_MOVE_SELF, IN_IGNORED, IN_UNMOUNT};
    for (size_t i = 0; i < G_N_ELEMENTS(masks); i++) {
        World world;
        world_init(&world);
        happen(&world, masks[i], 0, "");
        happen(&world, IN_IGNORED, 0, "");
        happen(&world, IN_CREATE, 0, "a");
        take(&world);
        assert_next(&world, SYNCD_WIRE_UNLINKED, 0, "");
        assert_no_more(&world);
        world_clear(&world);
    }
}

/* Bytes of any kind are taken: a name too long to be told is not, the folder itself has none. */
static void strange_events_do_no_harm(void)
{
    World world;
    g_autofree char *name = g_strnfill(300, 'x');
    world_init(&world);
    happen(&world, IN_CREATE, 0, name);
    happen(&world, IN_ATTRIB | IN_ISDIR, 0, "");
    take(&world);
    assert_no_more(&world);
    for (guint size = 0; size < sizeof(struct inotify_event) + 16; size++) {
        happen(&world, IN_CREATE, 0, "a");
        g_byte_array_set_size(world.bytes, size);
        take(&world);
        assert_no_more(&world);
    }
    world_clear(&world);
}

static void what_cannot_be_watched_has_no_number(void)
{
    World world;
    world_init(&world);
    g_assert_false(syncd_watch_add(world.watch, -1, FOLDER));
    happen(&world, IN_CREATE, 0, "a");
    take(&world);
    assert_no_more(&world); /* the number is of no folder any more */
    world_clear(&world);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/watch/many-changes-of-a-name-are-told-as-one",
                    many_changes_of_a_name_are_told_as_one);
    g_test_add_func("/watch/the-last-that-happened-stands", the_last_that_happened_stands);
    g_test_add_func("/watch/renames-keep-their-place", renames_keep_their_place);
    g_test_add_func("/watch/an-overflow-is-told-before-what-came-after",
                    an_overflow_is_told_before_what_came_after);
    g_test_add_func("/watch/what-is-kept-is-bounded", what_is_kept_is_bounded);
    g_test_add_func("/watch/a-folder-that-is-gone-has-no-number",
                    a_folder_that_is_gone_has_no_number);
    g_test_add_func("/watch/strange-events-do-no-harm", strange_events_do_no_harm);
    g_test_add_func("/watch/what-cannot-be-watched-has-no-number",
                    what_cannot_be_watched_has_no_number);
    return g_test_run();
}
