/*
 * What the daemon and a reader say to each other. What is taken is written again as the same bytes
 * (a message has one spelling), keeps to the limits, and names nothing that is not beneath; what is
 * refused leaves the packet as it was.
 */
#include "fuzz.h"

#include "reader/wire.h"

static bool is_name(const char *name, size_t size)
{
    g_autofree char *text = g_strndup(name, size);
    return size > 0 && size <= SYNCD_WIRE_NAME_MAX && strlen(text) == size &&
           strchr(text, '/') == NULL && strcmp(text, ".") != 0 && strcmp(text, "..") != 0;
}

static bool is_beneath(SyncdBytes path)
{
    if (path.size == 0)
        return true;
    g_autofree char *text = g_strndup(path.data, path.size);
    g_auto(GStrv) names = g_strsplit(text, "/", -1);
    bool good = strlen(text) == path.size;
    for (char **name = names; *name != NULL; name++)
        good = good && is_name(*name, strlen(*name));
    return good;
}

static void check_message(const SyncdWireMessage *message)
{
    LAW(message->type >= SYNCD_WIRE_ROOT && message->type <= SYNCD_WIRE_LOST);
    LAW(message->path.size <= SYNCD_WIRE_PATH_MAX && message->name.size <= SYNCD_WIRE_NAME_MAX &&
        message->target.size <= SYNCD_WIRE_TARGET_MAX &&
        message->bytes.size <= SYNCD_WIRE_BYTES_MAX);
    if (message->type == SYNCD_WIRE_BYTES || message->type == SYNCD_WIRE_DATA)
        LAW(message->bytes.size > 0);
    else if (message->type != SYNCD_WIRE_RULES && message->type != SYNCD_WIRE_RULED)
        LAW(message->bytes.size == 0);
    if (message->type == SYNCD_WIRE_LIST || message->type == SYNCD_WIRE_LOOK ||
        message->type == SYNCD_WIRE_PLACE)
        LAW(is_beneath(message->path));
    if (message->name.size > 0 || message->type == SYNCD_WIRE_LOOK ||
        message->type == SYNCD_WIRE_FOUND)
        LAW(is_name(message->name.data, message->name.size));
    if ((message->flags & SYNCD_WIRE_HASHED) != 0)
        LAW(message->stat.kind == SYNCD_FILE_REGULAR && message->error == 0);
    if ((message->flags & SYNCD_WIRE_KEPT) != 0)
        LAW((message->flags & SYNCD_WIRE_HASHED) != 0);
    if ((message->flags & SYNCD_WIRE_KEEP) != 0)
        LAW((message->flags & SYNCD_WIRE_HASH) != 0);
    if (message->target.size > 0)
        LAW(message->stat.kind == SYNCD_FILE_SYMLINK);
    LAW((message->stat.mode & ~SYNCD_FILE_MODE_BITS) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SyncdBytes rest = SYNCD_BYTES(data, size);
    g_autoptr(GByteArray) again = g_byte_array_new();
    while (true) {
        SyncdBytes before = rest;
        SyncdWireMessage message;
        g_autoptr(GError) error = NULL;
        bool good = syncd_wire_read(&rest, &message, &error);
        LAW(good == (error == NULL));
        if (!good) {
            LAW(rest.data == before.data && rest.size == before.size);
            break;
        }
        check_message(&message);
        guint written = again->len;
        syncd_wire_write(again, &message);
        LAW(again->len - written <= syncd_wire_size(&message));
        LAW(again->len - written == before.size - rest.size);
    }
    LAW(again->len == size - rest.size &&
        (again->len == 0 || memcmp(again->data, data, again->len) == 0));
    return 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    return 0;
}
