#include "domain/announcements.h"

#include <string.h>

typedef struct {
    guint n;
    guint64 spent_usec; /* the signature of it that expires last */
    guint64 until;      /* when it can be forgotten */
} Announcer;

typedef struct {
    SyncdHash digest;
    char *actor; /* who announced it first: it counts as one of his */
    bool shared; /* others did as well */
    guint64 until;
} Announcement;

struct SyncdAnnouncements {
    GHashTable *announced; /* Announcement, a set by its digest */
    GHashTable *actors;    /* id: Announcer */
    guint64 until;         /* the last one ends */
    guint64 spent_usec;    /* of all whom nothing is known of any more */
};

/* ---- what it is known by ---- */

SyncdHash syncd_deed_root(const char *workspace)
{
    return syncd_hash(workspace, strlen(workspace));
}

SyncdHash syncd_deed_step(const SyncdHash *folder, SyncdBytes name)
{
    const SyncdBytes parts[] = {SYNCD_BYTES(folder->bytes, sizeof folder->bytes), name};
    return syncd_hash_parts(parts, G_N_ELEMENTS(parts));
}

static SyncdHash path_digest(const char *workspace, SyncdBytes path)
{
    SyncdHash at = syncd_deed_root(workspace);
    const guint8 *name = path.data, *end = name + path.size;
    while (name < end) {
        const guint8 *slash = memchr(name, '/', (size_t)(end - name));
        const guint8 *name_end = slash != NULL ? slash : end;
        at = syncd_deed_step(&at, SYNCD_BYTES(name, (size_t)(name_end - name)));
        name = slash != NULL ? slash + 1 : end;
    }
    return at;
}

/* `more` is as long for every deed of that kind. */
static SyncdHash digest_of(SyncdDeedKind kind, const SyncdHash *path, const SyncdHash *more)
{
    const guint8 number = (guint8)kind;
    const SyncdBytes parts[] = {
        SYNCD_BYTES(&number, 1),
        SYNCD_BYTES(path->bytes, sizeof path->bytes),
        more != NULL ? SYNCD_BYTES(more->bytes, sizeof more->bytes) : SYNCD_BYTES("", 0),
    };
    return syncd_hash_parts(parts, G_N_ELEMENTS(parts));
}

SyncdHash syncd_deed_deletion(const SyncdHash *path)
{
    return digest_of(SYNCD_DEED_DELETE, path, NULL);
}

SyncdHash syncd_deed_digest(const char *workspace, const SyncdDeed *deed)
{
    const SyncdHash path = path_digest(workspace, deed->path);
    if (deed->kind == SYNCD_DEED_WRITE)
        return digest_of(deed->kind, &path, &deed->hash);
    if (deed->kind != SYNCD_DEED_RENAME)
        return digest_of(deed->kind, &path, NULL);
    const SyncdHash to = path_digest(workspace, deed->to);
    return digest_of(deed->kind, &path, &to);
}

/* ---- life ---- */

static guint hash_digest(const void *key)
{
    guint value;
    memcpy(&value, key, sizeof value);
    return value;
}

static gboolean equal_digests(const void *a, const void *b)
{
    return syncd_hash_equal(a, b);
}

static void free_announcement(void *data)
{
    Announcement *announcement = data;
    g_free(announcement->actor);
    g_free(announcement);
}

SyncdAnnouncements *syncd_announcements_new(guint64 spent_usec)
{
    SyncdAnnouncements *self = g_new0(SyncdAnnouncements, 1);
    self->announced = g_hash_table_new_full(hash_digest, equal_digests, NULL, free_announcement);
    self->actors = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    self->spent_usec = spent_usec;
    return self;
}

void syncd_announcements_free(SyncdAnnouncements *self)
{
    if (self == NULL)
        return;
    g_hash_table_unref(self->announced);
    g_hash_table_unref(self->actors);
    g_free(self);
}

/* ---- actors ---- */

static Announcer *announcer(SyncdAnnouncements *self, const char *actor, guint64 now)
{
    Announcer *found = g_hash_table_lookup(self->actors, actor);
    if (found == NULL) {
        found = g_new0(Announcer, 1);
        found->spent_usec = self->spent_usec;
        g_hash_table_insert(self->actors, g_strdup(actor), found);
    }
    found->until = now + SYNCD_ANNOUNCED_USEC;
    return found;
}

static void release(SyncdAnnouncements *self, const Announcement *announcement)
{
    ((Announcer *)g_hash_table_lookup(self->actors, announcement->actor))->n--;
}

bool syncd_announcements_spend(SyncdAnnouncements *self, const char *actor, guint64 expires_usec,
                               guint64 now)
{
    Announcer *by = announcer(self, actor, now);
    if (expires_usec <= by->spent_usec)
        return false;
    by->spent_usec = expires_usec;
    return true;
}

/* ---- what is announced ---- */

static void end_old(SyncdAnnouncements *self, guint64 now)
{
    GHashTableIter iter;
    void *value;
    g_hash_table_iter_init(&iter, self->announced);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        if (((Announcement *)value)->until > now)
            continue;
        release(self, value);
        g_hash_table_iter_remove(&iter);
    }
    g_hash_table_iter_init(&iter, self->actors);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const Announcer *by = value;
        if (by->n > 0 || by->until > now)
            continue;
        self->spent_usec = MAX(self->spent_usec, by->spent_usec);
        g_hash_table_iter_remove(&iter);
    }
}

bool syncd_announcements_any(SyncdAnnouncements *self, guint64 now)
{
    if (g_hash_table_size(self->announced) == 0)
        return false;
    if (self->until <= now)
        end_old(self, now);
    return g_hash_table_size(self->announced) > 0;
}

bool syncd_announcements_have_room(SyncdAnnouncements *self, const char *actor, guint n,
                                   guint64 now)
{
    end_old(self, now);
    const Announcer *by = g_hash_table_lookup(self->actors, actor);
    return g_hash_table_size(self->announced) + n <= SYNCD_ANNOUNCED_MAX &&
           (by != NULL ? by->n : 0) + n <= SYNCD_ANNOUNCED_EACH;
}

void syncd_announcements_add(SyncdAnnouncements *self, const char *actor, const SyncdHash *digest,
                             guint64 now)
{
    Announcer *by = announcer(self, actor, now);
    Announcement *known = g_hash_table_lookup(self->announced, digest);
    self->until = now + SYNCD_ANNOUNCED_USEC;
    if (known == NULL) {
        known = g_new(Announcement, 1);
        *known = (Announcement){.digest = *digest, .actor = g_strdup(actor)};
        g_hash_table_add(self->announced, known);
        by->n++;
    } else if (strcmp(known->actor, actor) != 0) {
        known->shared = true;
    }
    known->until = self->until;
}

const char *syncd_announcements_find(SyncdAnnouncements *self, const SyncdHash *digest, guint64 now)
{
    const Announcement *found = g_hash_table_lookup(self->announced, digest);
    if (found == NULL || found->until <= now)
        return NULL;
    return found->shared ? "" : found->actor;
}

void syncd_announcements_end(SyncdAnnouncements *self, const SyncdHash *digest)
{
    const Announcement *found = g_hash_table_lookup(self->announced, digest);
    if (found == NULL)
        return;
    release(self, found);
    g_hash_table_remove(self->announced, digest);
}
