#include "reader/wire.h"

/*
 * A message is the number of its type in one byte, and then the members that the type has, in the
 * order of this list. Numbers are little-endian; a text is its size in two bytes, and itself.
 */
enum {
    REQUEST = 1u << 0,
    FLAGS = 1u << 1,
    ERROR = 1u << 2,
    COOKIE = 1u << 3,
    FOLDER = 1u << 4,
    PATH = 1u << 5,
    NAME = 1u << 6,
    STAT = 1u << 7,   /* its kind, and unless that is 0 the rest */
    TARGET = 1u << 8, /* if the kind is a symlink */
    HASH = 1u << 9,   /* if HASHED is among the flags */
    MAX = 1u << 10,   /* if KEEP is among the flags */
    OFFSET = 1u << 11,
    CONTENT = 1u << 12,
    EXPECTED = 1u << 13, /* if OVER is among the flags */
};

#define EVENT_FLAGS                                                                                \
    (SYNCD_WIRE_CHANGED | SYNCD_WIRE_WRITTEN | SYNCD_WIRE_GONE | SYNCD_WIRE_MOVED_OUT |            \
     SYNCD_WIRE_MOVED_IN | SYNCD_WIRE_UNLINKED)
#define MOVED_FLAGS (SYNCD_WIRE_MOVED_OUT | SYNCD_WIRE_MOVED_IN)
#define ERRNO_MAX 4095u /* as the kernel's */
#define FIXED_SIZE 192u /* more than a message takes beside its texts */

static const struct {
    guint32 members;
    guint32 flags; /* that it may have */
} types[] = {
    [SYNCD_WIRE_ROOT] = {REQUEST | PATH | STAT, 0},
    [SYNCD_WIRE_LIST] = {REQUEST | FLAGS | FOLDER | PATH | MAX,
                         SYNCD_WIRE_WATCH | SYNCD_WIRE_HASH | SYNCD_WIRE_KEEP},
    [SYNCD_WIRE_LOOK] = {REQUEST | FLAGS | PATH | NAME | MAX, SYNCD_WIRE_HASH | SYNCD_WIRE_KEEP},
    [SYNCD_WIRE_DATA] = {OFFSET | CONTENT, 0},
    [SYNCD_WIRE_PLACE] = {REQUEST | FLAGS | PATH | NAME | STAT | HASH | EXPECTED,
                          SYNCD_WIRE_HASHED | SYNCD_WIRE_OVER | SYNCD_WIRE_FOLDER},
    [SYNCD_WIRE_FORGET] = {FOLDER, 0},
    [SYNCD_WIRE_CANCEL] = {REQUEST, 0},
    [SYNCD_WIRE_RULES] = {CONTENT, 0},
    [SYNCD_WIRE_RULED] = {REQUEST | ERROR | CONTENT, 0},
    [SYNCD_WIRE_BYTES] = {REQUEST | OFFSET | CONTENT, 0},
    [SYNCD_WIRE_FOUND] = {REQUEST | FLAGS | ERROR | NAME | STAT | TARGET | HASH,
                          SYNCD_WIRE_HASHED | SYNCD_WIRE_KEPT},
    [SYNCD_WIRE_DONE] = {REQUEST | FLAGS | ERROR | STAT,
                         SYNCD_WIRE_UNWATCHED | SYNCD_WIRE_UNTOLD | SYNCD_WIRE_PLACED},
    [SYNCD_WIRE_EVENT] = {FLAGS | COOKIE | FOLDER | NAME, EVENT_FLAGS},
    [SYNCD_WIRE_LOST] = {0, 0},
};

/* ---- writing ---- */

static guint8 *put_u32(guint8 *at, guint32 value)
{
    value = GUINT32_TO_LE(value);
    memcpy(at, &value, sizeof value);
    return at + sizeof value;
}

static guint8 *put_u64(guint8 *at, guint64 value)
{
    value = GUINT64_TO_LE(value);
    memcpy(at, &value, sizeof value);
    return at + sizeof value;
}

static guint8 *put_text(guint8 *at, SyncdBytes text, size_t max)
{
    g_assert(text.size <= max);
    *at++ = (guint8)text.size;
    *at++ = (guint8)(text.size >> 8);
    if (text.size > 0)
        memcpy(at, text.data, text.size);
    return at + text.size;
}

static guint8 *put_stat(guint8 *at, const SyncdFileStat *stat)
{
    *at++ = (guint8)stat->kind;
    if (stat->kind == 0)
        return at;
    const guint32 words[] = {stat->mode, stat->uid, stat->links};
    const guint64 numbers[] = {stat->device,         stat->inode,          stat->size,
                               (guint64)stat->mtime, (guint64)stat->ctime, (guint64)stat->born};
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
        at = put_u32(at, words[i]);
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++)
        at = put_u64(at, numbers[i]);
    return at;
}

static guint8 *put_members(guint8 *at, guint32 members, const SyncdWireMessage *message)
{
    if (members & REQUEST)
        at = put_u32(at, message->request);
    if (members & FLAGS)
        at = put_u32(at, message->flags);
    if (members & ERROR)
        at = put_u32(at, message->error);
    if (members & COOKIE)
        at = put_u32(at, message->cookie);
    if (members & FOLDER)
        at = put_u64(at, message->folder);
    if (members & PATH)
        at = put_text(at, message->path, SYNCD_WIRE_PATH_MAX);
    if (members & NAME)
        at = put_text(at, message->name, SYNCD_WIRE_NAME_MAX);
    if (members & STAT)
        at = put_stat(at, &message->stat);
    if ((members & TARGET) && message->stat.kind == SYNCD_FILE_SYMLINK)
        at = put_text(at, message->target, SYNCD_WIRE_TARGET_MAX);
    if ((members & HASH) && (message->flags & SYNCD_WIRE_HASHED)) {
        memcpy(at, message->hash.bytes, SYNCD_HASH_SIZE);
        at += SYNCD_HASH_SIZE;
    }
    if ((members & MAX) && (message->flags & SYNCD_WIRE_KEEP))
        at = put_u64(at, message->max);
    if (members & OFFSET)
        at = put_u64(at, message->offset);
    if (members & CONTENT)
        at = put_text(at, message->bytes, SYNCD_WIRE_BYTES_MAX);
    if ((members & EXPECTED) && (message->flags & SYNCD_WIRE_OVER)) {
        memcpy(at, message->expected.bytes, SYNCD_HASH_SIZE);
        at += SYNCD_HASH_SIZE;
    }
    return at;
}

size_t syncd_wire_size(const SyncdWireMessage *message)
{
    return FIXED_SIZE + message->path.size + message->name.size + message->target.size +
           message->bytes.size;
}

void syncd_wire_write(GByteArray *packet, const SyncdWireMessage *message)
{
    guint begin = packet->len;
    g_byte_array_set_size(packet, begin + (guint)syncd_wire_size(message));
    guint8 *at = packet->data + begin;
    *at++ = (guint8)message->type;
    at = put_members(at, types[message->type].members, message);
    g_byte_array_set_size(packet, (guint)(at - packet->data));
}

/* ---- reading ---- */

/* Each takes what it names off the front, or is false. */

static bool take_bytes(SyncdBytes *rest, size_t size, SyncdBytes *ret_bytes)
{
    if (rest->size < size)
        return false;
    *ret_bytes = SYNCD_BYTES(rest->data, size);
    *rest = SYNCD_BYTES((const guint8 *)rest->data + size, rest->size - size);
    return true;
}

static bool take_u8(SyncdBytes *rest, guint8 *ret_value)
{
    SyncdBytes byte;
    if (!take_bytes(rest, 1, &byte))
        return false;
    *ret_value = *(const guint8 *)byte.data;
    return true;
}

static bool take_u32(SyncdBytes *rest, guint32 *ret_value)
{
    SyncdBytes bytes;
    if (!take_bytes(rest, sizeof *ret_value, &bytes))
        return false;
    memcpy(ret_value, bytes.data, sizeof *ret_value);
    *ret_value = GUINT32_FROM_LE(*ret_value);
    return true;
}

static bool take_u64(SyncdBytes *rest, guint64 *ret_value)
{
    SyncdBytes bytes;
    if (!take_bytes(rest, sizeof *ret_value, &bytes))
        return false;
    memcpy(ret_value, bytes.data, sizeof *ret_value);
    *ret_value = GUINT64_FROM_LE(*ret_value);
    return true;
}

static bool take_sized(SyncdBytes *rest, size_t max, SyncdBytes *ret_bytes)
{
    guint8 low, high;
    if (!take_u8(rest, &low) || !take_u8(rest, &high))
        return false;
    size_t size = low | (size_t)high << 8;
    return size <= max && take_bytes(rest, size, ret_bytes);
}

static bool take_text(SyncdBytes *rest, size_t max, SyncdBytes *ret_text)
{
    return take_sized(rest, max, ret_text) &&
           (ret_text->size == 0 || memchr(ret_text->data, '\0', ret_text->size) == NULL);
}

static bool take_stat(SyncdBytes *rest, SyncdFileStat *ret_stat)
{
    guint8 kind;
    guint64 mtime, ctime, born;
    if (!take_u8(rest, &kind) || kind > SYNCD_FILE_SPECIAL)
        return false;
    if (kind == 0)
        return true;
    ret_stat->kind = kind;
    if (!take_u32(rest, &ret_stat->mode) || !take_u32(rest, &ret_stat->uid) ||
        !take_u32(rest, &ret_stat->links) || !take_u64(rest, &ret_stat->device) ||
        !take_u64(rest, &ret_stat->inode) || !take_u64(rest, &ret_stat->size) ||
        !take_u64(rest, &mtime) || !take_u64(rest, &ctime) || !take_u64(rest, &born))
        return false;
    ret_stat->mtime = (gint64)mtime;
    ret_stat->ctime = (gint64)ctime;
    ret_stat->born = (gint64)born;
    return (ret_stat->mode & ~SYNCD_FILE_MODE_BITS) == 0;
}

static bool take_hash(SyncdBytes *rest, SyncdHash *ret_hash)
{
    SyncdBytes bytes;
    if (!take_bytes(rest, SYNCD_HASH_SIZE, &bytes))
        return false;
    memcpy(ret_hash->bytes, bytes.data, SYNCD_HASH_SIZE);
    return true;
}

static bool take_members(SyncdBytes *rest, guint32 members, SyncdWireMessage *message)
{
    return (!(members & REQUEST) || take_u32(rest, &message->request)) &&
           (!(members & FLAGS) || take_u32(rest, &message->flags)) &&
           (!(members & ERROR) || take_u32(rest, &message->error)) &&
           (!(members & COOKIE) || take_u32(rest, &message->cookie)) &&
           (!(members & FOLDER) || take_u64(rest, &message->folder)) &&
           (!(members & PATH) || take_text(rest, SYNCD_WIRE_PATH_MAX, &message->path)) &&
           (!(members & NAME) || take_text(rest, SYNCD_WIRE_NAME_MAX, &message->name)) &&
           (!(members & STAT) || take_stat(rest, &message->stat)) &&
           (!(members & TARGET) || message->stat.kind != SYNCD_FILE_SYMLINK ||
            take_text(rest, SYNCD_WIRE_TARGET_MAX, &message->target)) &&
           (!(members & HASH) || !(message->flags & SYNCD_WIRE_HASHED) ||
            take_hash(rest, &message->hash)) &&
           (!(members & MAX) || !(message->flags & SYNCD_WIRE_KEEP) ||
            take_u64(rest, &message->max)) &&
           (!(members & OFFSET) || take_u64(rest, &message->offset)) &&
           (!(members & CONTENT) || take_sized(rest, SYNCD_WIRE_BYTES_MAX, &message->bytes)) &&
           (!(members & EXPECTED) || !(message->flags & SYNCD_WIRE_OVER) ||
            take_hash(rest, &message->expected));
}

/* ---- what a message may say ---- */

static bool is_name(SyncdBytes name)
{
    const char *text = name.data;
    bool dots =
        (name.size == 1 && text[0] == '.') || (name.size == 2 && text[0] == '.' && text[1] == '.');
    return name.size > 0 && name.size <= SYNCD_WIRE_NAME_MAX && !dots &&
           memchr(text, '/', name.size) == NULL;
}

/* Names with a slash between each two; none is the root. */
static bool is_path_beneath(SyncdBytes path)
{
    if (path.size == 0)
        return true;
    const char *at = path.data, *end = at + path.size;
    for (const char *slash; (slash = memchr(at, '/', (size_t)(end - at))) != NULL; at = slash + 1)
        if (!is_name(SYNCD_BYTES(at, (size_t)(slash - at))))
            return false;
    return is_name(SYNCD_BYTES(at, (size_t)(end - at)));
}

/* What is kept is hashed. */
static bool is_asked(const SyncdWireMessage *message)
{
    return (message->flags & SYNCD_WIRE_KEEP) == 0 || (message->flags & SYNCD_WIRE_HASH) != 0;
}

static bool is_found(const SyncdWireMessage *message)
{
    bool hashed = message->flags & SYNCD_WIRE_HASHED;
    bool kept = message->flags & SYNCD_WIRE_KEPT;
    return is_name(message->name) && (!kept || hashed) &&
           (message->stat.kind != 0 || message->error != 0) &&
           (!hashed || (message->stat.kind == SYNCD_FILE_REGULAR && message->error == 0));
}

static bool is_placed(const SyncdWireMessage *message)
{
    bool kept = message->stat.kind == SYNCD_FILE_REGULAR;
    bool folder = message->flags == SYNCD_WIRE_FOLDER;
    return is_path_beneath(message->path) && is_name(message->name) &&
           (folder ? message->stat.kind == SYNCD_FILE_FOLDER
                   : kept && (message->flags & ~SYNCD_WIRE_OVER) == SYNCD_WIRE_HASHED);
}

static bool is_event(const SyncdWireMessage *message)
{
    bool about_the_folder = message->flags & SYNCD_WIRE_UNLINKED;
    return about_the_folder ? message->flags == SYNCD_WIRE_UNLINKED && message->name.size == 0 &&
                                  message->cookie == 0
                            : message->flags != 0 && is_name(message->name) &&
                                  (message->cookie == 0 || (message->flags & MOVED_FLAGS) != 0);
}

static bool makes_sense(const SyncdWireMessage *message)
{
    if ((message->flags & ~types[message->type].flags) != 0 || message->error > ERRNO_MAX)
        return false;
    switch (message->type) {
    case SYNCD_WIRE_ROOT:
        return message->path.size > 0 && *(const char *)message->path.data == '/';
    case SYNCD_WIRE_LIST:
        return is_path_beneath(message->path) && is_asked(message);
    case SYNCD_WIRE_LOOK:
        return is_path_beneath(message->path) && is_name(message->name) && is_asked(message);
    case SYNCD_WIRE_PLACE:
        return is_placed(message);
    case SYNCD_WIRE_DATA:
    case SYNCD_WIRE_BYTES:
        return message->bytes.size > 0;
    case SYNCD_WIRE_FOUND:
        return is_found(message);
    case SYNCD_WIRE_EVENT:
        return is_event(message);
    case SYNCD_WIRE_RULED:
        return message->error == 0 || message->bytes.size == 0;
    case SYNCD_WIRE_RULES:
    case SYNCD_WIRE_FORGET:
    case SYNCD_WIRE_CANCEL:
    case SYNCD_WIRE_DONE:
    case SYNCD_WIRE_LOST:
        return true;
    }
    return false;
}

bool syncd_wire_read(SyncdBytes *packet, SyncdWireMessage *ret_message, GError **error)
{
    SyncdBytes rest = *packet;
    SyncdWireMessage message = {0};
    guint8 type = 0;
    if (take_u8(&rest, &type) && type >= SYNCD_WIRE_ROOT && type <= SYNCD_WIRE_LOST) {
        message.type = type;
        if (take_members(&rest, types[type].members, &message) && makes_sense(&message)) {
            *packet = rest;
            *ret_message = message;
            return true;
        }
    }
    syncd_set_error_next(error, SYNCD_ERROR_INVALID_ENCODING,
                         "run one version of the program only, and report it if there is no other",
                         "What a reader and its daemon say to each other is not a message of type "
                         "%u, with %zu bytes left",
                         type, packet->size);
    return false;
}
