/* A recorded disk and a cut through it, from the inside. */
#pragma once

#include "power-disk.h"

#include <sys/types.h>

/* What is said of a file beside its bytes; times are nanoseconds. */
typedef struct {
    guint32 mode;
    uid_t owner;
    gint64 modified, changed;
} PowerLook;

/* A file or a folder, whatever it is called. */
typedef struct {
    guint number; /* in PowerDisk.nodes */
    bool is_folder;
    char *label;       /* its first name */
    guint64 inode;     /* while it was recorded … */
    gint64 born;       /* … and when it was made */
    PowerLook look;    /* when the recording began */
    GByteArray *bytes; /* of a file, when the recording began */
    GHashTable *names; /* of a folder, when the recording began: name -> PowerNode */
} PowerNode;

typedef enum {
    POWER_EVENT_WRITE,
    POWER_EVENT_TRUNCATE,
    POWER_EVENT_EXTEND,
    POWER_EVENT_LOOK, /* a mode or an owner */
    POWER_EVENT_NAMES,
    POWER_EVENT_SYNC
} PowerEventKind;

typedef struct {
    PowerNode *folder;
    char *name;
    PowerNode *node; /* NULL: the name goes */
    PowerLook look;  /* of the node, afterwards */
} PowerChange;

typedef struct {
    PowerEventKind kind;
    PowerNode *node;
    PowerLook look; /* of what it does to a file, afterwards */
    gint64 offset;  /* of a write; otherwise the size */
    guint8 *bytes;
    size_t size;
    PowerChange changes[2]; /* a rename has both; each names a file where they change places */
    unsigned n_changes;
} PowerEvent;

struct PowerDisk {
    char *folder;
    GPtrArray *nodes;
    GPtrArray *events;
    GHashTable *live;  /* path -> PowerNode, as it is now */
    GHashTable *by_fd; /* fd -> PowerNode */
    bool recording;
};

/* What is durable of a node, and what is on the way to it. */
typedef struct {
    GByteArray *bytes;
    GHashTable *names;
    PowerLook look;
    GPtrArray *pending; /* PowerEvent (borrowed): writes and sizes of a file, looks */
    bool hashed;
    SyncdHash hash; /* of `bytes` */
} PowerState;

struct PowerCut {
    const PowerDisk *disk;
    PowerModel model;
    PowerHonesty honesty;
    size_t at;
    PowerState *states; /* by PowerNode.number */
    size_t n_states;
    GPtrArray *pending_names; /* PowerEvent (borrowed), of all folders */
    GHashTable *half_synced;  /* of those that move: PowerEvent -> the PowerNode that was synced */
};

GByteArray *power_read_file(const char *path);
/* What came later stands, as it knew of what came before. */
void power_look_again(PowerLook *look, const PowerLook *later);
GHashTable *power_copy_names(GHashTable *names);
void power_resize(GByteArray *bytes, gint64 size); /* new bytes are zeros */
void power_apply_bytes(GByteArray *bytes, const PowerEvent *event);
void power_apply_part(GByteArray *bytes, const PowerEvent *event, gint64 from, gint64 to);
void power_apply_names(PowerState *states, const PowerEvent *event);
/* Fails the program unless all events together make what is in the folder now. */
void power_disk_assert_whole(const PowerDisk *disk);
