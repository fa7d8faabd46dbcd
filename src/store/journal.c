#include "store/journal.h"

#include "crypto/note.h"
#include "store/journal-private.h"
#include "store/wal.h"

#define FEEDS_MAX 4096u

const SyncdDatabaseKind syncd_journal_kind = {
    .name = "journal.db",
    .application_id = 0x53595244,
    .durability = SYNCD_DURABLE,
    .keep_old = true,
    .foreign = true,
    .migrations = &syncd_journal_migrations,
};

const SyncdDatabaseKind syncd_journal_in_memory = {
    .name = "journal.db",
    .application_id = 0x53595244,
    .durability = SYNCD_SCRATCH,
    .migrations = &syncd_journal_migrations,
};

static void feed_free(SyncdFeed *feed)
{
    if (feed == NULL)
        return;
    g_free(feed->device);
    g_free(feed->scope);
    g_free(feed->text);
    g_free(feed->origin);
    g_free(feed->note);
    g_free(feed->key);
    g_free(feed->partial);
    g_free(feed);
}

SyncdFeed *syncd_feed_new(SyncdJournal *self, gint64 id, const char *device, const char *scope,
                          guint64 epoch)
{
    SyncdFeed *feed = g_new0(SyncdFeed, 1);
    feed->id = id;
    feed->device = g_strdup(device);
    feed->scope = g_strdup(scope);
    feed->epoch = epoch;
    feed->text = g_strdup_printf("%s/%s/%" G_GUINT64_FORMAT, device, scope, epoch);
    feed->origin = g_strconcat(SYNCD_ORIGIN_PREFIX, feed->text, NULL);
    feed->own = g_strcmp0(device, syncd_keyring_device_id(self->keyring)) == 0;
    syncd_frontier_init(&feed->committed);
    syncd_frontier_init(&feed->working);
    g_ptr_array_add(self->feeds, feed);
    return feed;
}

/* Remembers why nothing may be appended; the first reason stays. */
void syncd_journal_stop(SyncdJournal *self, GError *problem)
{
    if (self->problem == NULL)
        self->problem = problem;
    else
        g_error_free(problem);
}

/* Of one that somebody else may have made; each takes memory, and is looked for among all. */
static bool has_too_many_feeds(const SyncdJournal *self, GError **error)
{
    if (!self->is_copy || self->feeds->len < FEEDS_MAX)
        return false;
    syncd_set_error(error, SYNCD_ERROR_LIMITS_EXCEEDED, "It has more than %u feeds", FEEDS_MAX);
    return true;
}

static bool load_feeds(SyncdJournal *self, GError **error)
{
    g_autoptr(SyncdStatement) rows = syncd_database_statement(
        self->db, "SELECT id, device, scope, epoch, base_size FROM feed ORDER BY id");
    for (;;) {
        bool row;
        if (!syncd_statement_next(rows, &row, error))
            return false;
        if (!row)
            return true;
        if (syncd_column_int(rows, 4) != 0) {
            syncd_set_error_next(error, SYNCD_ERROR_NOT_INITIALIZED,
                                 "use a newer version of this program",
                                 "A feed begins with a snapshot, which this version cannot read");
            return false;
        }
        g_autofree char *device = g_strdup(syncd_column_text(rows, 1));
        g_autofree char *scope = g_strdup(syncd_column_text(rows, 2));
        if (syncd_journal_feed(self, syncd_column_int(rows, 0)) != NULL)
            continue; /* of the generation before */
        if (has_too_many_feeds(self, error))
            return false;
        syncd_feed_new(self, syncd_column_int(rows, 0), device, scope,
                       (guint64)syncd_column_int(rows, 3));
    }
}

/* Which feeds there are the first entry of each says, too: it has to, for a page with all of them
 * may be what is damaged. */
static bool find_feeds(SyncdJournal *self, GError **error)
{
    gint64 id = 0;
    for (;;) {
        bool row;
        SyncdHeader header;
        g_autoptr(SyncdStatement) rows = syncd_database_statement(
            self->db, "SELECT feed, header FROM entry WHERE pos = (SELECT pos FROM entry "
                      "WHERE feed > :id ORDER BY feed, seq LIMIT 1)");
        syncd_bind_int(rows, ":id", id);
        if (!syncd_statement_next(rows, &row, error))
            return false;
        if (!row)
            return true;
        id = syncd_column_int(rows, 0);
        SyncdBytes text = syncd_column_bytes(rows, 1);
        if (syncd_journal_feed(self, id) != NULL ||
            !syncd_header_parse(text.data, text.size, &header, NULL) || header.lost)
            continue;
        g_autofree char *device = syncd_bytes_dup(header.device),
                        *scope = syncd_bytes_dup(header.scope);
        if (has_too_many_feeds(self, error))
            return false;
        syncd_feed_new(self, id, device, scope, header.epoch);
    }
}

static bool load_heads(SyncdJournal *self, GError **error)
{
    g_autoptr(SyncdStatement) rows =
        syncd_database_statement(self->db, "SELECT feed, size, frontier, note, tail FROM head");
    for (;;) {
        bool row;
        if (!syncd_statement_next(rows, &row, error))
            return false;
        if (!row)
            return true;
        SyncdFeed *feed = syncd_journal_feed(self, syncd_column_int(rows, 0));
        SyncdBytes frontier = syncd_column_bytes(rows, 2);
        SyncdBytes tail = syncd_column_bytes(rows, 4);
        guint64 size = (guint64)syncd_column_int(rows, 1);
        if (feed != NULL) {
            g_free(feed->note);
            feed->note = g_strdup(syncd_column_text(rows, 3));
        }
        if (feed == NULL ||
            !syncd_frontier_load(&feed->committed, size, frontier.data, frontier.size) ||
            tail.size != size % SYNCD_TILE_WIDTH * SYNCD_HASH_SIZE) {
            GError *problem = NULL;
            syncd_set_error(&problem, SYNCD_ERROR_JOURNAL_CORRUPT,
                            "A head does not belong to a feed, or is damaged");
            syncd_journal_stop(self, problem);
            continue;
        }
        feed->working = feed->committed;
        memcpy(feed->tail, tail.data, tail.size);
    }
}

/* Whether the signed head says what the tree and the entries say. Cheap: nothing here grows with
 * the log. */
static bool head_holds(SyncdJournal *self, SyncdFeed *feed, guint64 n_entries)
{
    if (feed->note == NULL)
        return n_entries == 0;
    g_autoptr(SyncdCheckpoint) head = syncd_checkpoint_parse(feed->note, strlen(feed->note), NULL);
    SyncdHash root = syncd_frontier_root(&feed->committed);
    return head != NULL && n_entries == feed->committed.size &&
           head->size == feed->committed.size && syncd_hash_equal(&head->root, &root) &&
           strcmp(head->origin, feed->origin) == 0 &&
           syncd_note_verify(feed->note, strlen(feed->note), feed->origin, &feed->signer);
}

/* The header at one end of a feed. NULL when it is damaged: no head holds it then, which is told
 * later. That the disk did not give it is another matter. */
static bool read_end(SyncdJournal *self, const SyncdFeed *feed, guint64 seq, char **ret_header,
                     size_t *ret_size, GError **error)
{
    guint64 pos = 0;
    g_autoptr(GError) problem = NULL;
    if (syncd_journal_find_seq(self, feed, seq, &pos, &problem) && pos > 0)
        *ret_header = syncd_journal_read_header(self, pos, ret_size, &problem);
    if (!g_error_matches(problem, SYNCD_ERROR, SYNCD_ERROR_STORAGE_FAILED))
        return true;
    g_propagate_error(error, g_steal_pointer(&problem));
    return false;
}

static bool load_ends(SyncdJournal *self, SyncdFeed *feed, GError **error)
{
    gint64 n_entries;
    SyncdStatement *last = syncd_database_statement(
        self->db, "SELECT seq + 1 FROM entry WHERE feed = :feed ORDER BY seq DESC LIMIT 1");
    syncd_bind_int(last, ":feed", feed->id);
    if (!syncd_statement_number(last, 0, &n_entries, error))
        return false;

    SyncdHeader header;
    size_t size;
    if (n_entries > 0) {
        g_autofree char *first = NULL, *newest = NULL;
        if (!read_end(self, feed, 0, &first, &size, error))
            return false;
        if (first != NULL && syncd_header_parse(first, size, &header, NULL)) {
            syncd_hex_decode(header.signer.data, header.signer.size, feed->signer.bytes,
                             sizeof feed->signer.bytes);
            g_free(feed->key);
            feed->key = header.lost ? NULL : syncd_bytes_dup(header.key);
        }
        if (!read_end(self, feed, (guint64)n_entries - 1, &newest, &size, error))
            return false;
        if (newest != NULL && syncd_header_parse(newest, size, &header, NULL) &&
            syncd_hlc_compare(header.hlc, self->clock) > 0)
            self->clock = header.hlc;
    }

    g_autofree char *named = syncd_device_id_of(&feed->signer);
    if (feed->own &&
        (!head_holds(self, feed, (guint64)n_entries) || strcmp(named, feed->device) != 0)) {
        GError *problem = NULL;
        syncd_set_error(&problem, SYNCD_ERROR_JOURNAL_CORRUPT,
                        "The signed head of the feed %s does not hold", feed->text);
        syncd_journal_stop(self, problem);
    }
    return true;
}

/* What is damaged is no reason not to read the rest; nothing is appended to it. What the disk did
 * not give is. */
static bool bear(SyncdJournal *self, bool ok, GError *problem, GError **error)
{
    if (ok)
        return true;
    if (g_error_matches(problem, SYNCD_ERROR, SYNCD_ERROR_JOURNAL_CORRUPT)) {
        syncd_journal_stop(self, problem);
        return true;
    }
    g_propagate_error(error, problem);
    return false;
}

static bool load_all_ends(SyncdJournal *self, GError **error)
{
    for (guint i = 0; i < self->feeds->len; i++) {
        GError *problem = NULL;
        bool ok = load_ends(self, self->feeds->pdata[i], &problem);
        if (!bear(self, ok, problem, error))
            return false;
    }
    return true;
}

static guint64 count_covered(const SyncdJournal *self)
{
    guint64 covered = 0;
    for (guint i = 0; i < self->feeds->len; i++)
        covered += ((const SyncdFeed *)self->feeds->pdata[i])->committed.size;
    return covered;
}

/* A log whose device key is gone is still that device's: it began the first feed. */
static void find_owner(SyncdJournal *self)
{
    bool row = false;
    g_autoptr(SyncdStatement) rows =
        syncd_database_statement(self->db, "SELECT device FROM feed ORDER BY id LIMIT 1");
    if (syncd_statement_next(rows, &row, NULL) && row)
        syncd_keyring_assume_device(self->keyring, syncd_column_text(rows, 0));
}

static bool load(SyncdJournal *self, GError **error)
{
    gint64 last = 0;
    GError *problem = NULL;
    bool ok = load_feeds(self, &problem);
    if (!bear(self, ok, problem, error))
        return false;
    problem = NULL;
    ok = ok || find_feeds(self, &problem);
    if (!bear(self, ok, problem, error))
        return false;
    problem = NULL;
    ok = load_heads(self, &problem);
    if (!bear(self, ok, problem, error) || !load_all_ends(self, error))
        return false;
    problem = NULL;
    ok = syncd_statement_number(syncd_database_statement(self->db, "SELECT max(pos) FROM entry"), 0,
                                &last, &problem);
    if (!bear(self, ok, problem, error))
        return false;
    self->committed = ok ? (guint64)last : count_covered(self);
    self->committed_clock = self->clock;
    self->next = self->committed + 1;
    return true;
}

/* A trigger that is not ours may change what is written, and one that is gone let it be changed. */
static void judge_schema(SyncdJournal *self)
{
    const char *fault = syncd_database_schema_fault(self->db);
    if (fault == NULL)
        return;
    GError *problem = NULL;
    syncd_set_error(&problem, SYNCD_ERROR_JOURNAL_CORRUPT,
                    "The journal is not as this program makes it: %s", fault);
    syncd_journal_stop(self, problem);
}

static SyncdJournal *new_journal(SyncdKeyring *keyring)
{
    SyncdJournal *self = g_new0(SyncdJournal, 1);
    self->keyring = keyring;
    self->feeds = g_ptr_array_new_with_free_func((GDestroyNotify)feed_free);
    return self;
}

static bool take_in(SyncdJournal *self, bool assumes_owner, GError **error)
{
    if (assumes_owner && syncd_keyring_device_id(self->keyring) == NULL)
        find_owner(self);
    judge_schema(self);
    return load(self, error);
}

SyncdJournal *syncd_journal_open_file(SyncdDirectory *directory, const char *name,
                                      SyncdDatabaseMode mode, SyncdKeyring *keyring, GError **error)
{
    g_autoptr(SyncdJournal) self = new_journal(keyring);
    g_autofree char *path = syncd_directory_file(directory, name);
    g_autofree char *wal = g_strconcat(name, "-wal", NULL);
    self->is_copy = mode == SYNCD_DATABASE_COPY;
    /* Of what is only read whatever is taken is written, and synced, elsewhere. */
    bool writes = mode == SYNCD_DATABASE_EXISTING || mode == SYNCD_DATABASE_CREATE;
    if (writes && (syncd_journal_is_left_alone(directory, name, error) ||
                   !syncd_directory_rewrite(directory, wal, error)))
        return NULL;
    self->db = syncd_database_open(path, &syncd_journal_kind, mode, error);
    if (self->db == NULL)
        return NULL;
    if (mode == SYNCD_DATABASE_CREATE && !syncd_directory_sync(directory, error))
        return NULL;
    return take_in(self, mode != SYNCD_DATABASE_INSPECT, error) ? g_steal_pointer(&self) : NULL;
}

SyncdJournal *syncd_journal_open_salvaged(SyncdDirectory *directory, const SyncdVfsPages *salvaged,
                                          SyncdKeyring *keyring, GError **error)
{
    g_autoptr(SyncdJournal) self = new_journal(keyring);
    g_autofree char *path = syncd_directory_file(directory, SYNCD_JOURNAL_FILE);
    self->db = syncd_database_open_salvaged(path, &syncd_journal_kind, salvaged, error);
    return self->db != NULL && take_in(self, true, error) ? g_steal_pointer(&self) : NULL;
}

SyncdJournal *syncd_journal_new_stand_in(SyncdKeyring *keyring, const GError *problem,
                                         GError **error)
{
    g_autoptr(SyncdJournal) self = new_journal(keyring);
    self->db = syncd_database_open(SYNCD_DATABASE_IN_MEMORY, &syncd_journal_in_memory,
                                   SYNCD_DATABASE_CREATE, error);
    if (self->db == NULL)
        return NULL;
    self->problem = g_error_copy(problem);
    self->next = 1;
    return g_steal_pointer(&self);
}

SyncdJournal *syncd_journal_open(SyncdDirectory *directory, SyncdDatabaseMode mode,
                                 SyncdKeyring *keyring, GError **error)
{
    return syncd_journal_open_file(directory, SYNCD_JOURNAL_FILE, mode, keyring, error);
}

/* ---- another generation ---- */

#define WAL SYNCD_JOURNAL_FILE "-wal"
#define WHOLE SYNCD_JOURNAL_FILE ".new-whole" /* what is to take the place of others' */

/* What is in the place of the journal now, with what was known of it before gone. */
static bool open_again(SyncdJournal *self, SyncdDirectory *directory, GError **error)
{
    g_autofree char *path = syncd_directory_file(directory, SYNCD_JOURNAL_FILE);
    SyncdDatabase *db =
        syncd_database_open(path, &syncd_journal_kind, SYNCD_DATABASE_EXISTING, error);
    if (db == NULL)
        return false;
    syncd_database_free(self->db);
    self->db = db;
    g_clear_error(&self->problem);
    g_clear_pointer(&self->write_fault, g_free);
    judge_schema(self);
    for (guint i = 0; i < self->feeds->len; i++)
        g_clear_pointer(&((SyncdFeed *)self->feeds->pdata[i])->partial, g_free);
    return load(self, error);
}

static bool link_present(SyncdDirectory *directory, const char *name, const char *kept,
                         GError **error)
{
    return !syncd_directory_has(directory, name) ||
           syncd_directory_link(directory, name, kept, error);
}

/* The WAL goes, durably, before the other file comes: SQLite would take its frames for that file's.
 * All of it is in the database by then, which is kept by a second name first: so there is a journal
 * at any moment. */
static bool part_from_own(SyncdDirectory *directory, const char *kept, GError **error)
{
    return syncd_directory_remove(directory, WAL, error) &&
           syncd_directory_link(directory, SYNCD_JOURNAL_FILE, kept, error);
}

/* What others put there is kept, with its own WAL, and is nothing without that: so it is all there
 * until what was made is known to be whole, and then there is none until that is in its place. The
 * same with one whose WAL has more than SQLite takes of it. */
static bool part_from_others(SyncdDirectory *directory, const char *made, const char *kept,
                             const char *kept_wal, GError **error)
{
    return link_present(directory, SYNCD_JOURNAL_FILE, kept, error) &&
           link_present(directory, WAL, kept_wal, error) &&
           syncd_directory_move(directory, made, WHOLE, error) &&
           syncd_directory_remove(directory, SYNCD_JOURNAL_FILE, error) &&
           syncd_directory_remove(directory, WAL, error);
}

bool syncd_journal_is_behind(const SyncdJournal *self)
{
    return self->is_behind;
}

bool syncd_journal_end_exchange(SyncdDirectory *directory, GError **error)
{
    if (!syncd_directory_has(directory, WHOLE))
        return true;
    if (syncd_directory_has(directory, SYNCD_JOURNAL_FILE))
        return syncd_directory_remove(directory, WHOLE, error);
    return syncd_directory_remove(directory, WAL, error) &&
           syncd_directory_move(directory, WHOLE, SYNCD_JOURNAL_FILE, error);
}

static bool exchange_files(SyncdDirectory *directory, const char *made, const char *kept,
                           bool with_wal, bool *ret_exchanged, GError **error)
{
    g_autofree char *wal = g_strconcat(kept, "-wal", NULL);
    if (with_wal ? !part_from_others(directory, made, kept, wal, error)
                 : !part_from_own(directory, kept, error))
        return false;
    *ret_exchanged =
        syncd_directory_rename(directory, with_wal ? WHOLE : made, SYNCD_JOURNAL_FILE, error);
    if (!*ret_exchanged)
        return false;
    syncd_directory_make_private(directory, kept);
    syncd_directory_make_private(directory, wal);
    return syncd_directory_sync(directory, error);
}

bool syncd_journal_exchange(SyncdJournal *self, SyncdDirectory *directory, const char *made,
                            const char *kept, bool *ret_exchanged, GError **error)
{
    g_autoptr(GError) problem = NULL;
    g_autofree char *displacement = syncd_database_displacement(self->db, NULL);
    bool displaced = displacement != NULL;
    bool with_wal = displaced || syncd_wal_has_more(directory, WAL);
    *ret_exchanged = false;
    /* The WAL of what others put there may be this one: what is in it is in no file of theirs. */
    if (!with_wal && !syncd_database_empty_wal(self->db, error))
        return false;
    syncd_database_freeze(self->db);
    bool ok = exchange_files(directory, made, kept, with_wal, ret_exchanged, error);
    if (displaced && !*ret_exchanged)
        return false; /* nothing but what is open has all of it */
    if (open_again(self, directory, &problem))
        return ok;
    /* Reads go on with what there was. */
    g_free(self->write_fault);
    self->write_fault = g_strdup(problem->message);
    self->is_behind = *ret_exchanged;
    GError *sticky = NULL;
    syncd_set_error(&sticky, SYNCD_ERROR_STORAGE_FAILED,
                    "The log could not be opened again after it was exchanged");
    syncd_journal_stop(self, sticky);
    if (ok)
        g_propagate_error(error, g_steal_pointer(&problem));
    return false;
}

void syncd_journal_free(SyncdJournal *self)
{
    if (self == NULL)
        return;
    if (self->db != NULL && syncd_journal_in_turn(self))
        syncd_journal_discard(self);
    g_ptr_array_unref(self->feeds);
    syncd_journal_follow_content(self, false);
    syncd_database_free(self->db);
    g_clear_error(&self->problem);
    g_clear_error(&self->turn_error);
    g_free(self->write_fault);
    g_free(self);
}

SyncdDatabase *syncd_journal_database(SyncdJournal *self)
{
    return self->db;
}

bool syncd_journal_go_on(SyncdJournal *self)
{
    if (!self->stopped_by_turn)
        return false;
    self->stopped_by_turn = false;
    g_clear_error(&self->problem);
    return true;
}

const GError *syncd_journal_problem(const SyncdJournal *self)
{
    return self->problem;
}

const char *syncd_journal_write_fault(const SyncdJournal *self)
{
    return self->write_fault;
}

bool syncd_journal_meta(SyncdJournal *self, const char *name, char **ret_value, GError **error)
{
    g_autoptr(SyncdStatement) rows =
        syncd_database_statement(self->db, "SELECT value FROM meta WHERE name = :name");
    bool row;
    syncd_bind_text(rows, ":name", name);
    if (!syncd_statement_next(rows, &row, error))
        return false;
    *ret_value = row ? g_strdup(syncd_column_text(rows, 0)) : NULL;
    return true;
}

bool syncd_journal_is_of_device(const SyncdJournal *self)
{
    for (guint i = 0; i < self->feeds->len; i++)
        if (((const SyncdFeed *)self->feeds->pdata[i])->own)
            return true;
    return false;
}

const GPtrArray *syncd_journal_feeds(const SyncdJournal *self)
{
    return self->feeds;
}

SyncdFeed *syncd_journal_feed(const SyncdJournal *self, gint64 id)
{
    for (guint i = 0; i < self->feeds->len; i++)
        if (((SyncdFeed *)self->feeds->pdata[i])->id == id)
            return self->feeds->pdata[i];
    return NULL;
}

SyncdFeed *syncd_journal_find_feed(const SyncdJournal *self, const char *device, const char *scope,
                                   guint64 epoch)
{
    for (guint i = 0; i < self->feeds->len; i++) {
        SyncdFeed *feed = self->feeds->pdata[i];
        if (feed->epoch == epoch && strcmp(feed->device, device) == 0 &&
            strcmp(feed->scope, scope) == 0)
            return feed;
    }
    return NULL;
}

SyncdFeed *syncd_journal_own_feed(const SyncdJournal *self, const char *scope)
{
    SyncdFeed *found = NULL;
    for (guint i = 0; i < self->feeds->len; i++) {
        SyncdFeed *feed = self->feeds->pdata[i];
        if (feed->own && strcmp(feed->scope, scope) == 0 &&
            (found == NULL || feed->epoch > found->epoch))
            found = feed;
    }
    return found;
}

guint64 syncd_journal_committed(const SyncdJournal *self)
{
    return self->committed;
}

SyncdHlc *syncd_journal_clock(SyncdJournal *self)
{
    return &self->clock;
}

SyncdHlc syncd_journal_committed_clock(const SyncdJournal *self)
{
    return self->committed_clock;
}
