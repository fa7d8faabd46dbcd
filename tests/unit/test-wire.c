#include "reader/wire.h"

#include <errno.h>

#define TEXT(text)                                                                                 \
    {                                                                                              \
        text, sizeof(text) - 1                                                                     \
    }

#define SOME_STAT                                                                                  \
    {                                                                                              \
        .kind = SYNCD_FILE_REGULAR, .mode = 04755, .uid = G_MAXUINT32, .links = 2,                 \
        .device = G_MAXUINT64, .inode = 7, .size = G_MAXUINT64, .mtime = G_MININT64,               \
        .ctime = G_MAXINT64, .born = 5                                                             \
    }
#define LINK_STAT                                                                                  \
    {                                                                                              \
        .kind = SYNCD_FILE_SYMLINK, .mode = 0777, .size = 3                                        \
    }

/* One of every shape that a message can have. */
static const SyncdWireMessage shapes[] = {
    {.type = SYNCD_WIRE_ROOT, .request = 1, .path = {"/home/\xff", 7}},
    {.type = SYNCD_WIRE_LIST,
     .request = 2,
     .flags = SYNCD_WIRE_WATCH | SYNCD_WIRE_HASH,
     .folder = G_MAXUINT64,
     .path = {"a/b..c/...", 10}},
    {.type = SYNCD_WIRE_LIST, .request = G_MAXUINT32},
    {.type = SYNCD_WIRE_RULES, .bytes = {"*.o\n\0", 5}},
    {.type = SYNCD_WIRE_RULED, .request = 4, .bytes = {"a\n", 2}},
    {.type = SYNCD_WIRE_RULED, .request = 5, .error = EFBIG},
    {.type = SYNCD_WIRE_LOOK,
     .request = 3,
     .flags = SYNCD_WIRE_HASH,
     .path = {"a", 1},
     .name = {"x\ny", 3}},
    {.type = SYNCD_WIRE_LIST,
     .request = 2,
     .flags = SYNCD_WIRE_HASH | SYNCD_WIRE_KEEP,
     .max = G_MAXUINT64,
     .path = {"a", 1}},
    {.type = SYNCD_WIRE_LOOK,
     .request = 3,
     .flags = SYNCD_WIRE_HASH | SYNCD_WIRE_KEEP,
     .name = {"x", 1}},
    {.type = SYNCD_WIRE_DATA, .offset = 7, .bytes = {"a\0b", 3}},
    {.type = SYNCD_WIRE_PLACE,
     .request = 3,
     .flags = SYNCD_WIRE_HASHED,
     .path = {"a/b", 3},
     .name = {"x", 1},
     .stat = SOME_STAT,
     .hash = {{1, 2, 3}}},
    {.type = SYNCD_WIRE_PLACE,
     .request = 3,
     .flags = SYNCD_WIRE_HASHED | SYNCD_WIRE_OVER,
     .name = {"x", 1},
     .stat = SOME_STAT,
     .hash = {{1, 2, 3}},
     .expected = {{4, 5, 6}}},
    {.type = SYNCD_WIRE_PLACE,
     .request = 3,
     .flags = SYNCD_WIRE_FOLDER,
     .name = {"x", 1},
     .stat = {.kind = SYNCD_FILE_FOLDER, .mode = 0755}},
    {.type = SYNCD_WIRE_FORGET, .folder = 9},
    {.type = SYNCD_WIRE_CANCEL, .request = 3},
    {.type = SYNCD_WIRE_BYTES, .request = 3, .offset = G_MAXUINT64, .bytes = {"a\0b", 3}},
    {.type = SYNCD_WIRE_FOUND, .request = 3, .name = {"gone", 4}, .error = ENOENT},
    {.type = SYNCD_WIRE_FOUND,
     .request = 3,
     .name = {"busy", 4},
     .error = EAGAIN,
     .stat = SOME_STAT},
    {.type = SYNCD_WIRE_FOUND,
     .request = 3,
     .name = {"whole", 5},
     .flags = SYNCD_WIRE_HASHED,
     .stat = SOME_STAT,
     .hash = {{1, 2, 3}}},
    {.type = SYNCD_WIRE_FOUND,
     .request = 3,
     .name = {"kept", 4},
     .flags = SYNCD_WIRE_HASHED | SYNCD_WIRE_KEPT,
     .stat = SOME_STAT,
     .hash = {{1, 2, 3}}},
    {.type = SYNCD_WIRE_FOUND,
     .request = 3,
     .name = {"link", 4},
     .stat = LINK_STAT,
     .target = {"../x", 4}},
    {.type = SYNCD_WIRE_DONE, .request = 3},
    {.type = SYNCD_WIRE_DONE,
     .request = 3,
     .flags = SYNCD_WIRE_UNWATCHED | SYNCD_WIRE_UNTOLD,
     .error = ECANCELED,
     .stat = SOME_STAT},
    {.type = SYNCD_WIRE_EVENT,
     .flags = SYNCD_WIRE_CHANGED | SYNCD_WIRE_WRITTEN,
     .folder = 9,
     .name = {"x", 1}},
    {.type = SYNCD_WIRE_EVENT,
     .flags = SYNCD_WIRE_MOVED_IN,
     .folder = 9,
     .name = {"x", 1},
     .cookie = 77},
    {.type = SYNCD_WIRE_EVENT, .flags = SYNCD_WIRE_UNLINKED, .folder = 9},
    {.type = SYNCD_WIRE_LOST},
};

static void assert_same_text(SyncdBytes one, SyncdBytes other)
{
    g_assert_cmpmem(one.data, one.size, other.data, other.size);
}

static void assert_same(const SyncdWireMessage *one, const SyncdWireMessage *other)
{
    g_assert_cmpint(one->type, ==, other->type);
    g_assert_cmpuint(one->request, ==, other->request);
    g_assert_cmpuint(one->flags, ==, other->flags);
    g_assert_cmpuint(one->error, ==, other->error);
    g_assert_cmpuint(one->cookie, ==, other->cookie);
    g_assert_cmpuint(one->folder, ==, other->folder);
    g_assert_cmpuint(one->max, ==, other->max);
    g_assert_cmpuint(one->offset, ==, other->offset);
    assert_same_text(one->bytes, other->bytes);
    assert_same_text(one->path, other->path);
    assert_same_text(one->name, other->name);
    assert_same_text(one->target, other->target);
    g_assert_cmpint(one->stat.kind, ==, other->stat.kind);
    g_assert_cmpuint(one->stat.mode, ==, other->stat.mode);
    g_assert_cmpuint(one->stat.uid, ==, other->stat.uid);
    g_assert_cmpuint(one->stat.links, ==, other->stat.links);
    g_assert_cmpuint(one->stat.device, ==, other->stat.device);
    g_assert_cmpint(one->stat.born, ==, other->stat.born);
    g_assert_cmpuint(one->stat.inode, ==, other->stat.inode);
    g_assert_cmpuint(one->stat.size, ==, other->stat.size);
    g_assert_cmpint(one->stat.mtime, ==, other->stat.mtime);
    g_assert_cmpint(one->stat.ctime, ==, other->stat.ctime);
    g_assert_true(syncd_hash_equal(&one->hash, &other->hash));
    g_assert_true(syncd_hash_equal(&one->expected, &other->expected));
}

static void every_message_comes_back(void)
{
    g_autoptr(GByteArray) packet = g_byte_array_new();
    g_autoptr(GError) error = NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(shapes); i++) {
        guint before = packet->len;
        syncd_wire_write(packet, &shapes[i]);
        g_assert_cmpuint(packet->len - before, <=, syncd_wire_size(&shapes[i]));
    }
    SyncdBytes rest = SYNCD_BYTES(packet->data, packet->len);
    for (size_t i = 0; i < G_N_ELEMENTS(shapes); i++) {
        SyncdWireMessage message;
        g_assert_true(syncd_wire_read(&rest, &message, &error));
        g_assert_no_error(error);
        assert_same(&message, &shapes[i]);
    }
    g_assert_cmpuint(rest.size, ==, 0);
}

static bool reads(SyncdBytes packet)
{
    SyncdWireMessage message = {.request = 4711};
    SyncdBytes rest = packet;
    g_autoptr(GError) error = NULL;
    if (syncd_wire_read(&rest, &message, &error))
        return true;
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_INVALID_ENCODING);
    g_assert_true(rest.data == packet.data && rest.size == packet.size);
    g_assert_cmpuint(message.request, ==, 4711);
    return false;
}

/* In memory of its own size: what is read past the end is seen by the sanitizers. */
static void a_part_of_a_message_is_none(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(shapes); i++) {
        g_autoptr(GByteArray) packet = g_byte_array_new();
        syncd_wire_write(packet, &shapes[i]);
        for (guint size = 0; size < packet->len; size++) {
            g_autofree guint8 *part = g_memdup2(packet->data, size);
            g_assert_false(reads(SYNCD_BYTES(part, size)));
        }
    }
}

static void assert_written_is(bool good, SyncdWireMessage message)
{
    g_autoptr(GByteArray) packet = g_byte_array_new();
    syncd_wire_write(packet, &message);
    g_assert_cmpint(reads(SYNCD_BYTES(packet->data, packet->len)), ==, good);
}

static void paths_stay_beneath(void)
{
    const SyncdBytes bad[] = {TEXT("/a"),   TEXT("a/"),   TEXT("a//b"),  TEXT("."),    TEXT(".."),
                              TEXT("a/.."), TEXT("../a"), TEXT("a/./b"), TEXT("a\0b"), TEXT("/")};
    g_autofree char *long_name = g_strnfill(SYNCD_WIRE_NAME_MAX + 1, 'x');
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        assert_written_is(false, (SyncdWireMessage){.type = SYNCD_WIRE_LIST, .path = bad[i]});
    assert_written_is(
        false, (SyncdWireMessage){.type = SYNCD_WIRE_LIST, .path = SYNCD_BYTES_TEXT(long_name)});
    assert_written_is(true,
                      (SyncdWireMessage){.type = SYNCD_WIRE_LIST,
                                         .path = SYNCD_BYTES(long_name, SYNCD_WIRE_NAME_MAX)});
    assert_written_is(false, (SyncdWireMessage){.type = SYNCD_WIRE_ROOT, .path = {"a", 1}});
    assert_written_is(false, (SyncdWireMessage){.type = SYNCD_WIRE_ROOT});
}

static void names_are_names(void)
{
    const SyncdBytes bad[] = {TEXT(""), TEXT("."), TEXT(".."), TEXT("a/b"), TEXT("a\0b")};
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        assert_written_is(false, (SyncdWireMessage){.type = SYNCD_WIRE_LOOK, .name = bad[i]});
        assert_written_is(
            false, (SyncdWireMessage){.type = SYNCD_WIRE_FOUND, .name = bad[i], .error = ENOENT});
        assert_written_is(
            false,
            (SyncdWireMessage){.type = SYNCD_WIRE_EVENT, .name = bad[i], .flags = SYNCD_WIRE_GONE});
    }
    assert_written_is(true, (SyncdWireMessage){.type = SYNCD_WIRE_LOOK, .name = {"...", 3}});
}

static void what_contradicts_itself_is_refused(void)
{
    const SyncdWireMessage bad[] = {
        {.type = SYNCD_WIRE_LIST, .flags = SYNCD_WIRE_UNWATCHED},
        {.type = SYNCD_WIRE_LOOK, .name = TEXT("a"), .flags = SYNCD_WIRE_WATCH},
        /* kept, and not hashed */
        {.type = SYNCD_WIRE_LOOK, .name = TEXT("a"), .flags = SYNCD_WIRE_KEEP},
        {.type = SYNCD_WIRE_LIST, .flags = SYNCD_WIRE_KEEP},
        {.type = SYNCD_WIRE_FOUND, .name = TEXT("a"), .stat = SOME_STAT, .flags = SYNCD_WIRE_KEPT},
        {.type = SYNCD_WIRE_BYTES, .request = 1},
        {.type = SYNCD_WIRE_DATA},
        /* nothing to be placed, or nowhere, or two things */
        {.type = SYNCD_WIRE_PLACE, .name = TEXT("a"), .stat = SOME_STAT},
        {.type = SYNCD_WIRE_PLACE, .name = TEXT("a"), .flags = SYNCD_WIRE_HASHED},
        {.type = SYNCD_WIRE_PLACE, .flags = SYNCD_WIRE_FOLDER},
        {.type = SYNCD_WIRE_PLACE,
         .name = TEXT("a"),
         .stat = SOME_STAT,
         .flags = SYNCD_WIRE_HASHED | SYNCD_WIRE_FOLDER},
        {.type = SYNCD_WIRE_PLACE,
         .path = TEXT("../a"),
         .name = TEXT("a"),
         .stat = SOME_STAT,
         .flags = SYNCD_WIRE_HASHED},
        {.type = SYNCD_WIRE_DONE, .error = 5000},
        {.type = SYNCD_WIRE_DONE, .flags = SYNCD_WIRE_HASHED},
        /* neither there nor an error */
        {.type = SYNCD_WIRE_FOUND, .name = TEXT("a"), .stat = {.mode = 1}},
        /* hashed, and of no file, or not well */
        {.type = SYNCD_WIRE_FOUND,
         .name = TEXT("a"),
         .stat = LINK_STAT,
         .flags = SYNCD_WIRE_HASHED},
        {.type = SYNCD_WIRE_FOUND,
         .name = TEXT("a"),
         .stat = SOME_STAT,
         .error = EIO,
         .flags = SYNCD_WIRE_HASHED},
        {.type = SYNCD_WIRE_FOUND,
         .name = TEXT("a"),
         .stat = {.kind = SYNCD_FILE_REGULAR, .mode = 0100644}},
        {.type = SYNCD_WIRE_FOUND, .name = TEXT("a"), .stat = LINK_STAT, .target = TEXT("a\0b")},
        {.type = SYNCD_WIRE_EVENT, .name = TEXT("a")},
        {.type = SYNCD_WIRE_EVENT, .name = TEXT("a"), .flags = SYNCD_WIRE_UNLINKED},
        {.type = SYNCD_WIRE_EVENT, .flags = SYNCD_WIRE_UNLINKED | SYNCD_WIRE_GONE},
        {.type = SYNCD_WIRE_EVENT, .name = TEXT("a"), .flags = SYNCD_WIRE_GONE, .cookie = 1},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        assert_written_is(false, bad[i]);
}

static void other_types_and_kinds_are_refused(void)
{
    guint8 bytes[256] = {0};
    for (unsigned type = 0; type <= G_MAXUINT8; type++) {
        bytes[0] = (guint8)type;
        if (type < SYNCD_WIRE_ROOT || type > SYNCD_WIRE_LOST)
            g_assert_false(reads(SYNCD_BYTES(bytes, sizeof bytes)));
    }
    /* type, request, flags, error, kind */
    bytes[0] = SYNCD_WIRE_DONE;
    bytes[13] = SYNCD_FILE_SPECIAL;
    g_assert_true(reads(SYNCD_BYTES(bytes, sizeof bytes)));
    bytes[13] = SYNCD_FILE_SPECIAL + 1;
    g_assert_false(reads(SYNCD_BYTES(bytes, sizeof bytes)));
}

/* A size that is more than the limit, or than there is. */
static void hostile_sizes_are_refused(void)
{
    size_t room = 2 * SYNCD_WIRE_PACKET_MAX;
    g_autofree guint8 *bytes = g_malloc(room);
    memset(bytes, 'a', room);
    memset(bytes, 0, 5); /* type and request; then the size, the path, and that nothing is hidden */
    bytes[0] = SYNCD_WIRE_ROOT;
    bytes[7] = '/';
    for (unsigned size = 0; size <= G_MAXUINT16; size++) {
        bytes[5] = (guint8)size;
        bytes[6] = (guint8)(size >> 8);
        bytes[7 + size] = 0;
        g_assert_cmpint(reads(SYNCD_BYTES(bytes, room)), ==,
                        size > 0 && size <= SYNCD_WIRE_PATH_MAX);
        g_assert_false(reads(SYNCD_BYTES(bytes, 7 + size)));
        bytes[7 + size] = size == 0 ? '/' : 'a';
    }
}

/* The largest ones fit a packet. */
static void the_largest_message_fits(void)
{
    g_autofree char *fill = g_strnfill(SYNCD_WIRE_PATH_MAX, 'x');
    for (size_t i = SYNCD_WIRE_NAME_MAX; i < SYNCD_WIRE_PATH_MAX; i += SYNCD_WIRE_NAME_MAX + 1)
        fill[i] = '/';
    SyncdWireMessage look = {.type = SYNCD_WIRE_LOOK,
                             .path = SYNCD_BYTES(fill, SYNCD_WIRE_PATH_MAX - 1),
                             .name = SYNCD_BYTES(fill, SYNCD_WIRE_NAME_MAX)};
    SyncdWireMessage found = {.type = SYNCD_WIRE_FOUND,
                              .name = SYNCD_BYTES(fill, SYNCD_WIRE_NAME_MAX),
                              .stat = LINK_STAT,
                              .target = SYNCD_BYTES(fill, SYNCD_WIRE_TARGET_MAX)};
    g_autofree char *large = g_strnfill(SYNCD_WIRE_BYTES_MAX, '\x7f');
    SyncdWireMessage bytes = {.type = SYNCD_WIRE_BYTES,
                              .bytes = SYNCD_BYTES(large, SYNCD_WIRE_BYTES_MAX)};
    assert_written_is(true, bytes);
    g_assert_cmpuint(syncd_wire_size(&bytes), <=, SYNCD_WIRE_PACKET_MAX);
    assert_written_is(true, look);
    assert_written_is(true, found);
    g_assert_cmpuint(syncd_wire_size(&look), <=, SYNCD_WIRE_PACKET_MAX);
    g_assert_cmpuint(syncd_wire_size(&found), <=, SYNCD_WIRE_PACKET_MAX);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/wire/every-message-comes-back", every_message_comes_back);
    g_test_add_func("/wire/a-part-of-a-message-is-none", a_part_of_a_message_is_none);
    g_test_add_func("/wire/paths-stay-beneath", paths_stay_beneath);
    g_test_add_func("/wire/names-are-names", names_are_names);
    g_test_add_func("/wire/what-contradicts-itself-is-refused", what_contradicts_itself_is_refused);
    g_test_add_func("/wire/other-types-and-kinds-are-refused", other_types_and_kinds_are_refused);
    g_test_add_func("/wire/hostile-sizes-are-refused", hostile_sizes_are_refused);
    g_test_add_func("/wire/the-largest-message-fits", the_largest_message_fits);
    return g_test_run();
}
