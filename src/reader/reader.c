#include "reader/reader.h"

#include "domain/ignore.h"
#include "reader/channel.h"
#include "reader/leftover.h"
#include "reader/listing.h"
#include "reader/look.h"
#include "reader/open.h"
#include "reader/place.h"
#include "reader/tick.h"

#include <errno.h>
#include <fcntl.h>

#define FILES_A_LOOK_AROUND 64 /* so many small files cost one system call more */

typedef struct {
    SyncdWatch *watch;
    SyncdChannel *channel;
    SyncdLook look;
    SyncdStaging staging;
    char *root;        /* its path; NULL until it is told */
    guint32 problem;   /* of opening it then, which is that of every request */
    SyncdFileStat own; /* what it was then */
    unsigned files;    /* since it last looked around */
    guint32 request;   /* that is being answered */
    SyncdIgnore *ignore;
    GByteArray *rules; /* the bytes of an ignore file */
} Reader;

/* In the middle of a file or of a folder's names. What changed is kept: it is told after what the
 * file is. */
static bool pause_reading(void *data)
{
    Reader *reader = data;
    return syncd_channel_attend(reader->channel) && syncd_channel_flush(reader->channel) &&
           !syncd_channel_is_cancelled(reader->channel);
}

/* As it is read; in the middle of a file no event is told. */
static bool tell_bytes(void *data, guint64 offset, SyncdBytes bytes)
{
    Reader *reader = data;
    SyncdWireMessage message = {
        .type = SYNCD_WIRE_BYTES, .request = reader->request, .offset = offset};
    for (size_t done = 0; done < bytes.size; done += message.bytes.size) {
        message.offset = offset + done;
        message.bytes = SYNCD_BYTES((const guint8 *)bytes.data + done,
                                    MIN(bytes.size - done, SYNCD_WIRE_BYTES_MAX));
        if (!syncd_channel_say(reader->channel, &message) ||
            syncd_channel_is_cancelled(reader->channel))
            return false;
    }
    return true;
}

static bool tell_events(Reader *reader)
{
    SyncdWireMessage event;
    while (syncd_watch_next(reader->watch, &event))
        if (!syncd_channel_say(reader->channel, &event))
            return false;
    return true;
}

static bool look_around(Reader *reader)
{
    if (++reader->files < FILES_A_LOOK_AROUND)
        return true;
    reader->files = 0;
    return syncd_channel_attend(reader->channel) && tell_events(reader);
}

/* ---- requests ---- */

/* Each returns what DONE says. When there is nobody left to answer to it does not matter. */

static SyncdWireMessage answer_root(Reader *reader, const SyncdWireMessage *request)
{
    SyncdWireMessage done = {0};
    SyncdOpened root = syncd_open_root(request->path);
    done.error = root.fd >= 0 ? syncd_stat_of(root.fd, &done.stat) : root.error;
    syncd_look_begin(&reader->look, root.fd, &done.stat, &request->stat);
    syncd_opened_close(&root);
    if (syncd_look_is_hidden(&reader->look, &done.stat))
        done.error = EXDEV;
    if (done.error == 0 && reader->look.pseudo)
        done.error = EOPNOTSUPP;
    reader->problem = done.error;
    reader->own = done.stat;
    syncd_look_name_device(&reader->look, &done.stat);
    return done;
}

/* It is opened each time, so that nothing of a file system is held that others may want to unmount,
 * and what takes the root's place is seen. */
static SyncdOpened open_folder(Reader *reader, SyncdBytes path, int flags)
{
    SyncdFileStat stat;
    if (reader->problem != 0)
        return (SyncdOpened){-1, reader->problem};
    SyncdOpened root = syncd_open_root(SYNCD_BYTES_TEXT(reader->root));
    if (root.fd < 0) {
        bool gone = root.error == ENOENT || root.error == ENOTDIR || root.error == ELOOP;
        return (SyncdOpened){-1, gone ? ESTALE : root.error};
    }
    if (syncd_stat_of(root.fd, &stat) != 0 || stat.device != reader->own.device ||
        stat.inode != reader->own.inode || stat.born != reader->own.born || stat.links == 0) {
        syncd_opened_close(&root);
        return (SyncdOpened){-1, ESTALE};
    }
    SyncdOpened folder = syncd_open_folder(root.fd, path, flags);
    syncd_opened_close(&root);
    return folder;
}

/* An errno, or 0. */
static guint32 tell_name(Reader *reader, const SyncdWireMessage *request, int folder,
                         const SyncdListedName *name)
{
    SyncdWireMessage found = {.type = SYNCD_WIRE_FOUND,
                              .request = request->request,
                              .name = SYNCD_BYTES(name->text, name->size)};
    bool ignored = request->type == SYNCD_WIRE_LIST &&
                   syncd_ignore_has(reader->ignore, request->path, found.name, false);
    SyncdLookFor what = {.hash = (request->flags & SYNCD_WIRE_HASH) != 0 && !ignored,
                         .keep = (request->flags & SYNCD_WIRE_KEEP) != 0 ? tell_bytes : NULL,
                         .max = request->max};
    bool left = syncd_leftover_is(folder, name->text);
    if (left && request->type == SYNCD_WIRE_LIST)
        syncd_leftover_remove(folder, name->text);
    if (left)
        found.error = ENOENT;
    else
        syncd_look(&reader->look, folder, name->text, name->type, &what, &found);
    /* What went away since its name was read is not in the folder. */
    bool gone = found.error == ENOENT && request->type == SYNCD_WIRE_LIST;
    if (found.error == ECANCELED || (!gone && !syncd_channel_say(reader->channel, &found)) ||
        !look_around(reader) || syncd_channel_is_cancelled(reader->channel))
        return ECANCELED;
    return 0;
}

static bool take_rules(void *data, guint64 offset, SyncdBytes bytes)
{
    Reader *reader = data;
    g_byte_array_set_size(reader->rules, (guint)offset);
    g_byte_array_append(reader->rules, bytes.data, (guint)bytes.size);
    return true;
}

/* What the ignore file of a folder says holds for the names in it. An errno, or 0. */
static guint32 tell_rules(Reader *reader, const SyncdWireMessage *request, int folder)
{
    const SyncdLookFor what = {.hash = true, .keep = take_rules, .max = SYNCD_IGNORE_TEXT_MAX};
    const SyncdLookFor nothing = {.hash = false};
    SyncdWireMessage found = {.name = SYNCD_BYTES_TEXT(SYNCD_IGNORE_FILE)};
    SyncdWireMessage ruled = {.type = SYNCD_WIRE_RULED, .request = request->request};
    g_byte_array_set_size(reader->rules, 0);
    syncd_look(&reader->look, folder, SYNCD_IGNORE_FILE, DT_UNKNOWN, &nothing, &found);
    bool regular = found.error == 0 && found.stat.kind == SYNCD_FILE_REGULAR;
    if (regular && found.stat.size <= what.max)
        syncd_look(&reader->look, folder, SYNCD_IGNORE_FILE, DT_REG, &what, &found);
    bool there = found.error != ENOENT && found.error != EXDEV &&
                 (found.error != 0 || found.stat.kind == SYNCD_FILE_REGULAR);
    if (found.error == ECANCELED)
        return ECANCELED;
    if (there)
        ruled.error =
            found.error != 0 || (found.flags & SYNCD_WIRE_KEPT) != 0 ? found.error : EFBIG;
    if (there && ruled.error == 0)
        ruled.bytes = SYNCD_BYTES(reader->rules->data, reader->rules->len);
    SyncdIgnoreResult result = ruled.error != EAGAIN
                                   ? syncd_ignore_set(reader->ignore, request->path, ruled.bytes)
                                   : SYNCD_IGNORE_SAME;
    bool told = there || result != SYNCD_IGNORE_SAME;
    return !told || syncd_channel_say(reader->channel, &ruled) ? 0 : ECANCELED;
}

static guint32 tell_names(Reader *reader, const SyncdWireMessage *request, int folder,
                          bool *ret_short)
{
    g_autoptr(SyncdListing) listing = syncd_listing_new();
    guint32 problem = 0;
    bool more = true;
    while (more && problem == 0) {
        more = syncd_listing_read(listing, folder, pause_reading, reader, &problem);
        for (guint i = 0; i < syncd_listing_size(listing) && problem != ECANCELED; i++) {
            guint32 ended = tell_name(reader, request, folder, syncd_listing_name(listing, i));
            problem = ended != 0 ? ended : problem;
        }
    }
    *ret_short = syncd_listing_is_short(listing);
    return problem;
}

static SyncdWireMessage answer_list(Reader *reader, const SyncdWireMessage *request)
{
    SyncdWireMessage done = {0};
    bool watched = false, is_short = false;
    SyncdOpened folder = open_folder(reader, request->path, O_RDONLY);
    done.error = folder.error;
    if (folder.fd >= 0)
        done.error = syncd_stat_of(folder.fd, &done.stat);
    if (done.error == 0 && (done.stat.device != reader->look.device ||
                            syncd_look_is_hidden(&reader->look, &done.stat)))
        done.error = EXDEV;
    syncd_look_name_device(&reader->look, &done.stat);
    if (done.error == 0 && (request->flags & SYNCD_WIRE_WATCH) != 0)
        watched = syncd_watch_add(reader->watch, folder.fd, request->folder);
    else if ((request->flags & SYNCD_WIRE_WATCH) != 0)
        syncd_watch_forget(reader->watch, request->folder);
    syncd_wait_for_a_later_tick(&done.stat);
    if (done.error == 0)
        done.error = tell_rules(reader, request, folder.fd);
    if (done.error == 0)
        done.error = tell_names(reader, request, folder.fd, &is_short);
    syncd_opened_close(&folder);
    if ((request->flags & SYNCD_WIRE_WATCH) != 0 && !watched)
        done.flags |= SYNCD_WIRE_UNWATCHED;
    if (is_short)
        done.flags |= SYNCD_WIRE_UNTOLD;
    return done;
}

static SyncdWireMessage answer_look(Reader *reader, const SyncdWireMessage *request)
{
    g_autofree SyncdListedName *name = g_malloc0(sizeof *name + SYNCD_WIRE_NAME_MAX + 1);
    SyncdWireMessage done = {0};
    SyncdOpened folder = open_folder(reader, request->path, O_PATH);
    done.error = folder.error;
    name->type = DT_UNKNOWN;
    name->size = (guint8)request->name.size;
    memcpy(name->text, request->name.data, request->name.size);
    if (folder.fd >= 0)
        done.error = tell_name(reader, request, folder.fd, name);
    syncd_opened_close(&folder);
    return done;
}

static SyncdWireMessage answer_place(Reader *reader, const SyncdWireMessage *request)
{
    SyncdWireMessage done = {0};
    bool placed = false;
    SyncdOpened root = open_folder(reader, SYNCD_BYTES("", 0), O_PATH);
    SyncdOpened folder = root;
    if (root.fd >= 0)
        folder = syncd_place_open_folder(&reader->look, root.fd, request->path);
    done.error = folder.error;
    if (folder.fd >= 0)
        done.error = request->flags == SYNCD_WIRE_FOLDER
                         ? syncd_place_make_folder(&reader->look, folder.fd, request, &done.stat)
                         : syncd_place(reader->look.content, folder.fd, request, &reader->staging,
                                       &done.stat, &placed);
    if (placed && done.error != 0)
        done.flags |= SYNCD_WIRE_PLACED;
    syncd_look_name_device(&reader->look, &done.stat);
    syncd_staging_clear(&reader->staging);
    syncd_opened_close(&folder);
    syncd_opened_close(&root);
    return done;
}

/* False when there is nobody to answer to. */
static bool serve(Reader *reader, const SyncdWireMessage *request)
{
    static SyncdWireMessage (*const answers[])(Reader *, const SyncdWireMessage *) = {
        [SYNCD_WIRE_ROOT] = answer_root,
        [SYNCD_WIRE_LIST] = answer_list,
        [SYNCD_WIRE_LOOK] = answer_look,
        [SYNCD_WIRE_PLACE] = answer_place,
    };
    if (request->type == SYNCD_WIRE_FORGET) {
        syncd_watch_forget(reader->watch, request->folder);
        return true;
    }
    if (request->type == SYNCD_WIRE_RULES) {
        syncd_ignore_set_shared(reader->ignore, request->bytes);
        return true;
    }
    SyncdWireMessage done = {0};
    reader->request = request->request;
    if (syncd_channel_is_cancelled(reader->channel))
        done.error = ECANCELED;
    else
        done = answers[request->type](reader, request);
    done.type = SYNCD_WIRE_DONE;
    done.request = request->request;
    /* What is not there any more was renamed perhaps, and is told under its new name before. */
    return syncd_channel_attend(reader->channel) && tell_events(reader) &&
           syncd_channel_say(reader->channel, &done) && syncd_channel_flush(reader->channel);
}

/* The first request, and only that, says what the root is. */
static bool is_in_turn(Reader *reader, const SyncdWireMessage *request, GError **error)
{
    bool was_rooted = reader->root != NULL;
    if (!was_rooted)
        reader->root = g_strndup(request->path.data, request->path.size);
    if ((request->type == SYNCD_WIRE_ROOT) != was_rooted)
        return true;
    syncd_set_error_next(error, SYNCD_ERROR_INVALID_ENCODING, "report it",
                         "A reader is told its root %s", was_rooted ? "twice" : "too late");
    return false;
}

/* False when it is over. */
static bool step(Reader *reader, GError **error)
{
    const SyncdWireMessage *request = syncd_channel_next(reader->channel);
    if (request != NULL)
        return is_in_turn(reader, request, error) && serve(reader, request);
    return tell_events(reader) && syncd_channel_flush(reader->channel) &&
           syncd_channel_wait(reader->channel);
}

bool syncd_reader_run(int fd, GError **error)
{
    g_autoptr(SyncdWatch) watch = syncd_watch_new();
    Reader reader = {.watch = watch};
    syncd_staging_init(&reader.staging);
    g_autoptr(SyncdChannel) channel = syncd_channel_new(fd, watch, &reader.staging);
    reader.channel = channel;
    g_autoptr(SyncdContent) content = syncd_content_new(pause_reading, &reader, 0);
    g_autoptr(GError) problem = NULL;
    g_autoptr(SyncdIgnore) ignore = syncd_ignore_new();
    g_autoptr(GByteArray) rules = g_byte_array_new();
    reader.look.content = content;
    reader.ignore = ignore;
    reader.rules = rules;
    while (step(&reader, &problem))
        ;
    g_free(reader.root);
    syncd_staging_clear(&reader.staging);
    if (problem == NULL)
        problem = syncd_channel_steal_error(channel);
    if (problem == NULL)
        return true;
    g_propagate_error(error, g_steal_pointer(&problem));
    return false;
}
