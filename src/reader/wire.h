/*
 * What the daemon and the reader of a workspace say to each other.
 *
 * The reader is a process of its own: it alone touches the file system of a workspace, so that one
 * that hangs, lies or is slow does so to nobody else. The two hold the ends of a SOCK_SEQPACKET
 * pair. A packet is at most SYNCD_WIRE_PACKET_MAX bytes and holds whole messages, one after the
 * other. The daemon asks, and numbers its requests; the reader answers them in their order, each
 * with any number of FOUND and one DONE, and tells of itself what changes in folders it watches.
 *
 * The FOUND of a LIST come in the order of the names' bytes; those of a folder whose names take
 * more than SYNCD_WIRE_RUN_MAX bytes come in several such runs. One of which nothing is known but
 * that it could not be looked at has an error and no `stat` (its kind is 0). Errors of a FOUND:
 *
 *   ENOENT        LOOK only: there is none
 *   EXDEV         what is there is mounted there, or a folder of another device, or the one that is
 *                 never looked into
 *   EAGAIN        it was written to whenever it was read, three times
 *   EFBIG         it is longer than SYNCD_CONTENT_MAX
 *   ENAMETOOLONG  a symlink's target is longer than SYNCD_WIRE_TARGET_MAX
 *   any other     of the call that failed; EACCES for a file that may not be read
 *
 * PLACE ends with EEXIST when what has the name is not what it was said to be (then nothing was
 * changed), and with EBADMSG when what came is not.
 *
 * ROOT ends with EOPNOTSUPP on a file system that only shows what the kernel says of itself.
 *
 * A folder that cannot be opened is the error of DONE, of LOOK and PLACE too: ESTALE (the root is
 * not there, or is another folder than it was), ENOENT, ENOTDIR (no folder), ELOOP (there is a
 * symlink on the way), EXDEV (not of this file system), EACCES, ...
 *
 * With KEEP the bytes of a file come before its FOUND, in messages of their own and in their order;
 * one at 0 begins anew, as the file was changed and is read again. Only when that FOUND says KEPT
 * are they, all of them, what its digest is of; else what came is nothing. So one who wants the
 * bytes of a small file asks for a LOOK with HASH and KEEP. The reader sends no faster than it is
 * listened to.
 *
 * What the ignore file of a folder (SYNCD_IGNORE_FILE of domain/ignore.h) says comes as RULED
 * before the first FOUND of its LIST, also when the reader knew of one that is not there any more:
 * without bytes there are no rules. Names that these rules, those of the folders above that were
 * asked for before, and RULES ignore are told of without a digest. Errors of a RULED: EFBIG (it is
 * longer than SYNCD_IGNORE_TEXT_MAX), or why it cannot be read; then there are no rules, but with
 * EAGAIN those that there were.
 *
 * What is told of a name in FOUND and in EVENT is in the order in which it was so: a change that
 * the digest of a FOUND may not have in it is told after that.
 *
 * Reading is strict: a message that is not exactly one of these ends the connection.
 */
#pragma once

#include "base/bytes.h"
#include "base/error.h"
#include "crypto/hash.h"
#include "domain/file.h"

#include <glib.h>
#include <stdbool.h>

#define SYNCD_WIRE_PACKET_MAX (64u * 1024u)
#define SYNCD_WIRE_PATH_MAX (32u * 1024u) /* of a folder beneath the root */
#define SYNCD_WIRE_NAME_MAX 255u
#define SYNCD_WIRE_TARGET_MAX 4096u /* of a symlink */
#define SYNCD_WIRE_RUN_MAX (32u * 1024u * 1024u)
#define SYNCD_WIRE_BYTES_MAX (60u * 1024u) /* of a file, at a time */

typedef enum {
    /* To the reader. */
    SYNCD_WIRE_ROOT =
        1,             /* the first one, once: `path` is absolute, and the folder that `stat` names
                          by device and inode is never looked into. Answer: DONE with `stat` */
    SYNCD_WIRE_LIST,   /* the folder at `path`, as `flags` say */
    SYNCD_WIRE_LOOK,   /* `name` in the folder at `path` */
    SYNCD_WIRE_DATA,   /* `bytes` at `offset` of what is to be placed; it counts as it comes in, and
                          at 0 it begins anew; no answer */
    SYNCD_WIRE_PLACE,  /* what came, of which `stat` has mode and size and `hash` is the digest, as
                          `name` in the folder at `path`, or as a folder of that mode: as `flags`
                          say.  Answer: DONE with `stat` */
    SYNCD_WIRE_FORGET, /* no longer watch `folder`; no answer */
    SYNCD_WIRE_CANCEL, /* ends `request`, or what is being read now if that is 0, with ECANCELED; no
                          answer of its own, nor when that has ended */
    SYNCD_WIRE_RULES,  /* `bytes` are the shared rules from now on, none perhaps; no answer */
    /* From the reader. */
    SYNCD_WIRE_RULED, /* of LIST: what its ignore file says, in `bytes`, or an error */
    SYNCD_WIRE_BYTES, /* of LIST and LOOK: `bytes` of the next FOUND, at `offset` */
    SYNCD_WIRE_FOUND, /* of LIST and LOOK: `name`, and `stat` or `error` */
    SYNCD_WIRE_DONE,  /* `error`, 0 for none; of LIST `stat` of the folder itself */
    SYNCD_WIRE_EVENT, /* `name` in `folder`, as `flags` say */
    SYNCD_WIRE_LOST,  /* events were lost: any folder may have changed */
} SyncdWireType;

enum {
    /* Of LIST, and HASH of LOOK. */
    SYNCD_WIRE_WATCH = 1u << 0, /* from before it is read on; the number is `folder` */
    SYNCD_WIRE_HASH = 1u << 1,  /* read regular files and say their digest */
    /* Of DONE. */
    SYNCD_WIRE_UNWATCHED = 1u << 2, /* it was to be watched, and is not */
    /* Of FOUND. */
    SYNCD_WIRE_HASHED = 1u << 3, /* `hash` is that of the bytes that `stat` is about */
    /* Of EVENT. */
    SYNCD_WIRE_CHANGED = 1u << 4,   /* made, written and closed, or its attributes */
    SYNCD_WIRE_WRITTEN = 1u << 5,   /* written, and still open perhaps */
    SYNCD_WIRE_GONE = 1u << 6,      /* deleted */
    SYNCD_WIRE_MOVED_OUT = 1u << 7, /* renamed; MOVED_IN has the same `cookie` when it is told */
    SYNCD_WIRE_MOVED_IN = 1u << 8,
    SYNCD_WIRE_UNLINKED = 1u << 9, /* the folder itself is gone, or is no longer where it was, and
                                      is no longer watched; no name */
    /* Of DONE. */
    SYNCD_WIRE_UNTOLD = 1u << 10, /* there are names longer than SYNCD_WIRE_NAME_MAX, left out */
    /* Of LIST and LOOK, beside HASH. */
    SYNCD_WIRE_KEEP = 1u << 11, /* send the bytes of regular files of at most `max` of them */
    /* Of FOUND, beside HASHED. */
    SYNCD_WIRE_KEPT = 1u << 12, /* they were sent */
    /* Of PLACE: one of the three, where HASHED is that nothing has the name yet. */
    SYNCD_WIRE_OVER = 1u << 13,   /* beside HASHED: over a file whose digest is `expected` */
    SYNCD_WIRE_FOLDER = 1u << 14, /* make a folder; EEXIST when something has the name */
    /* Of DONE, beside an error of PLACE. */
    SYNCD_WIRE_PLACED = 1u << 15, /* the file has its name all the same */
};

typedef struct {
    SyncdWireType type;
    guint32 request; /* 0: it answers none */
    guint32 flags;
    guint32 error; /* an errno */
    guint32 cookie;
    guint64 folder;
    guint64 max;
    guint64 offset;
    SyncdBytes path;
    SyncdBytes name;
    SyncdBytes target; /* of a symlink that was FOUND */
    SyncdBytes bytes;  /* of a file one at least */
    SyncdFileStat stat;
    SyncdHash hash;
    SyncdHash expected;
} SyncdWireMessage;

/* Appends the message, which keeps to the limits above. What a type does not use is left out. */
void syncd_wire_write(GByteArray *packet, const SyncdWireMessage *message);
/* An upper bound of what it takes. */
size_t syncd_wire_size(const SyncdWireMessage *message);
/* Takes the next message off the packet; the texts are views of it. InvalidEncoding. */
bool syncd_wire_read(SyncdBytes *packet, SyncdWireMessage *ret_message, GError **error);
