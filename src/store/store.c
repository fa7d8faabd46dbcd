#include "store/store-private.h"

#include "base/log.h"
#include "crypto/note.h"

#define JOURNAL_FILE "journal.db"
/* So many entries are projected at once; opening does not wait for more than this many. */
#define PROJECT_AT_OPEN 20000u
#define PROJECT_BATCH 2000u
/* The overlay may grow to this before a commit projects it itself: under load nothing is ever idle.
 */
#define OVERLAY_MAX 4096u
/* A small WAL is overwritten, not extended, so it is moved early when there is time, and at the
 * latest here. */
#define WAL_PAGES_IDLE 100
#define WAL_PAGES_MAX 4000

const char *syncd_store_condition_name(SyncdStoreCondition condition)
{
    static const char *const names[] = {
        [SYNCD_STORE_WRITABLE] = "writable",     [SYNCD_STORE_MACHINE_CHANGED] = "machine-changed",
        [SYNCD_STORE_FAILED] = "storage-failed", [SYNCD_STORE_DAMAGED] = "journal-corrupt",
        [SYNCD_STORE_INSPECTING] = "inspecting",
    };
    return names[condition];
}

void syncd_scope_free(SyncdScope *scope)
{
    if (scope == NULL)
        return;
    g_free(scope->id);
    g_free(scope->class);
    g_free(scope->name);
    g_free(scope);
}

static char *hash_machine(const char *machine)
{
    if (machine == NULL)
        return g_strdup("none");
    SyncdBytes parts[] = {SYNCD_BYTES_TEXT("sourceos-machine-v1"), SYNCD_BYTES_TEXT(machine)};
    SyncdHash hash = syncd_hash_parts(parts, G_N_ELEMENTS(parts));
    char hex[SYNCD_HASH_HEX_SIZE];
    syncd_hash_to_hex(&hash, hex);
    return g_strdup(hex);
}

/* ---- first start ---- */

/* A directory that holds projections of a log but not the log has lost it: that is not a first
 * start. */
static bool refuse_lost_journal(SyncdStore *self, GError **error)
{
    if (!syncd_directory_has(self->directory, "index.db") &&
        !syncd_directory_has(self->directory, "verified.json"))
        return true;
    syncd_set_error_next(
        error, SYNCD_ERROR_JOURNAL_CORRUPT,
        "restore journal.db from a backup, or move the state directory away to begin anew",
        "%s holds what was derived from a log, but journal.db is gone",
        syncd_directory_path(self->directory));
    return false;
}

static bool make_identity(SyncdStore *self, GError **error)
{
    /* The device's key is made anew whenever the log is empty: a key whose log was deleted must not
     * sign another first entry, which would be a fork of the old feed. */
    return syncd_keyring_make_device(self->keyring, self->sources, error) &&
           syncd_keyring_make_scope_key(self->keyring, syncd_keyring_device_id(self->keyring),
                                        self->sources, error);
}

bool syncd_store_begin_log(SyncdStore *self, const char *actor, GError **error)
{
    const char *device = syncd_keyring_device_id(self->keyring);
    if (!syncd_store_is_new(self) || syncd_store_scope(self, device) != NULL)
        return true;
    if (!syncd_journal_set_meta(self->journal, "device", device, error) ||
        !syncd_journal_set_meta(self->journal, "machine", self->machine, error))
        return false;

    SyncdScope *scope = g_new0(SyncdScope, 1);
    scope->id = g_strdup(device);
    scope->class = g_strdup("device");
    scope->name = g_strdup("");
    g_ptr_array_add(self->scopes, scope);
    self->turn_scopes++;
    return syncd_store_open_feed(self, scope, 1, NULL, actor, error);
}

/* ---- opening ---- */

static bool check_binding(SyncdStore *self, GError **error)
{
    g_autofree char *device = NULL, *machine = NULL;
    if (!syncd_journal_meta(self->journal, "device", &device, error) ||
        !syncd_journal_meta(self->journal, "machine", &machine, error))
        return false;
    if (g_strcmp0(device, syncd_keyring_device_id(self->keyring)) != 0) {
        syncd_set_error_next(error, SYNCD_ERROR_JOURNAL_CORRUPT,
                             "restore the folder keys/ from the same backup as journal.db",
                             "The keys in %s are not those of its log",
                             syncd_directory_path(self->directory));
        return false;
    }
    bool both_known = strcmp(self->machine, "none") != 0 && g_strcmp0(machine, "none") != 0;
    if (both_known && g_strcmp0(machine, self->machine) != 0 &&
        self->condition == SYNCD_STORE_WRITABLE)
        self->condition = SYNCD_STORE_MACHINE_CHANGED;
    return true;
}

static bool open_pending_body(void *data, guint64 pos, const SyncdHeader *header,
                              SyncdBody *ret_body)
{
    return syncd_store_read_stored_body(data, pos, header, ret_body, NULL);
}

static bool begin_new_index(SyncdStore *self, const char *why, GError **error)
{
    syncd_log(SYNCD_LOG_NOTICE, SYNCD_LOG_ID_INDEX_REBUILT,
              "The index is made anew from the log: %s", why);
    g_clear_pointer(&self->projection, syncd_projection_free);
    g_clear_pointer(&self->index, syncd_index_free);
    self->index = syncd_index_begin_new(self->directory, error);
    if (self->index != NULL)
        self->projection =
            syncd_projection_new(self->index, self->journal, open_pending_body, self, error);
    return self->projection != NULL;
}

static bool finish_projection(SyncdStore *self, GError **error)
{
    g_clear_pointer(&self->projection, syncd_projection_free);
    if (syncd_index_is_new(self->index)) {
        self->index = syncd_index_finish_new(g_steal_pointer(&self->index), self->directory, error);
        if (self->index == NULL)
            return false;
    }
    return syncd_store_load_scopes(self, error);
}

/* One batch. What cannot be projected is a damaged journal, and then nothing may be appended. */
static bool project_batch(SyncdStore *self, guint max, GError **error)
{
    bool more;
    GError *problem = NULL;
    if (syncd_projection_step(self->projection, max, &more, &problem)) {
        if (more || finish_projection(self, &problem))
            return true;
    }
    g_clear_pointer(&self->projection, syncd_projection_free);
    self->condition = g_error_matches(problem, SYNCD_ERROR, SYNCD_ERROR_JOURNAL_CORRUPT)
                          ? SYNCD_STORE_DAMAGED
                          : SYNCD_STORE_FAILED;
    g_propagate_error(error, problem);
    return false;
}

static bool open_index(SyncdStore *self, GError **error)
{
    g_autoptr(GError) problem = NULL;
    self->index = syncd_index_open(self->directory, &problem);
    if (self->index != NULL)
        self->projection =
            syncd_projection_new(self->index, self->journal, open_pending_body, self, &problem);
    if (self->projection == NULL) {
        bool first = syncd_journal_committed(self->journal) == 0;
        g_autofree char *why = NULL;
        g_autofree char *next = NULL;
        syncd_error_split(first ? "this is its first start" : problem->message, &why, &next);
        g_clear_error(&problem);
        if (!begin_new_index(self, why, error))
            return false;
    }
    while (self->projection != NULL &&
           syncd_projection_remaining(self->projection) <= PROJECT_AT_OPEN) {
        if (project_batch(self, PROJECT_AT_OPEN, &problem))
            continue;
        /* A damaged log can still be read and verified, entry by entry. */
        if (self->condition == SYNCD_STORE_DAMAGED)
            return true;
        g_propagate_error(error, g_steal_pointer(&problem));
        return false;
    }
    return true;
}

static bool open_files(SyncdStore *self, const SyncdStoreOptions *options, GError **error)
{
    bool create = options->mode == SYNCD_STORE_CREATE;
    self->directory = syncd_directory_open(
        options->directory, create ? SYNCD_DIRECTORY_CREATE : SYNCD_DIRECTORY_EXISTING, error);
    if (self->directory == NULL ||
        (options->address != NULL &&
         !syncd_directory_announce(self->directory, options->address, error)))
        return false;

    bool lost = !syncd_directory_has(self->directory, JOURNAL_FILE);
    if (lost && !refuse_lost_journal(self, error))
        return false;
    self->keyring = syncd_keyring_open(self->directory, options->credential, error);
    if (self->keyring == NULL)
        return false;

    static const SyncdDatabaseMode modes[] = {
        [SYNCD_STORE_OPEN] = SYNCD_DATABASE_EXISTING,
        [SYNCD_STORE_CREATE] = SYNCD_DATABASE_CREATE,
        [SYNCD_STORE_INSPECT] = SYNCD_DATABASE_INSPECT,
    };
    self->journal = syncd_journal_open(self->directory, modes[options->mode], self->keyring, error);
    return self->journal != NULL;
}

static bool open_all(SyncdStore *self, const SyncdStoreOptions *options, GError **error)
{
    if (!open_files(self, options, error))
        return false;
    if (self->mode == SYNCD_STORE_INSPECT) {
        self->condition = SYNCD_STORE_INSPECTING;
        return syncd_journal_committed(self->journal) == 0 || check_binding(self, error);
    }
    if (syncd_journal_problem(self->journal) != NULL)
        self->condition = SYNCD_STORE_DAMAGED;

    bool empty =
        syncd_journal_committed(self->journal) == 0 && syncd_journal_problem(self->journal) == NULL;
    if (empty && self->mode != SYNCD_STORE_CREATE) {
        syncd_set_error(error, SYNCD_ERROR_NOT_INITIALIZED, "There is no state in %s",
                        syncd_directory_path(self->directory));
        return false;
    }
    if (!empty && !check_binding(self, error))
        return false;
    if (!open_index(self, error) || (empty && !make_identity(self, error)))
        return false;
    /* A full disk must not keep the daemon from serving reads. */
    if (options->reserve_bytes > 0)
        syncd_directory_reserve(self->directory, options->reserve_bytes, NULL);
    return true;
}

SyncdStore *syncd_store_open(const SyncdStoreOptions *options, GError **error)
{
    g_autoptr(SyncdStore) self = g_new0(SyncdStore, 1);
    self->sources = options->sources;
    self->mode = options->mode;
    self->machine = hash_machine(options->machine);
    self->overlay = syncd_overlay_new();
    self->scopes = g_ptr_array_new_with_free_func((GDestroyNotify)syncd_scope_free);
    if (!open_all(self, options, error))
        return NULL;
    return g_steal_pointer(&self);
}

void syncd_store_free(SyncdStore *self)
{
    if (self == NULL)
        return;
    if (self->journal != NULL && syncd_store_has_turn(self))
        syncd_store_discard(self);
    if (self->index != NULL && self->projection == NULL)
        syncd_store_settle(self, NULL);
    g_clear_pointer(&self->projection, syncd_projection_free);
    g_clear_pointer(&self->index, syncd_index_free);
    syncd_journal_free(self->journal);
    syncd_overlay_free(self->overlay);
    syncd_keyring_free(self->keyring);
    syncd_directory_free(self->directory);
    g_ptr_array_unref(self->scopes);
    g_free(self->machine);
    g_free(self);
}

/* ---- what it is ---- */

SyncdStoreCondition syncd_store_condition(const SyncdStore *self)
{
    return syncd_journal_write_failed(self->journal) ? SYNCD_STORE_FAILED : self->condition;
}

bool syncd_store_is_new(const SyncdStore *self)
{
    return syncd_journal_committed(self->journal) == 0;
}

bool syncd_store_is_indexing(const SyncdStore *self)
{
    return self->projection != NULL;
}

const char *syncd_store_device_id(const SyncdStore *self)
{
    return syncd_keyring_device_id(self->keyring);
}

guint64 syncd_store_sequence(const SyncdStore *self)
{
    return syncd_journal_committed(self->journal);
}

guint64 syncd_store_last_ms(const SyncdStore *self)
{
    return syncd_journal_clock(self->journal)->ms;
}

guint64 syncd_store_journal_bytes(SyncdStore *self)
{
    gint64 pages = 0;
    syncd_statement_number(
        syncd_database_statement(syncd_journal_database(self->journal), "PRAGMA page_count"), 0,
        &pages, NULL);
    return (guint64)pages * 4096;
}

/* ---- scopes ---- */

bool syncd_store_load_scopes(SyncdStore *self, GError **error)
{
    g_ptr_array_set_size(self->scopes, 0);
    return syncd_index_scopes(self->index, self->scopes, error);
}

const SyncdScope *syncd_store_scope(SyncdStore *self, const char *scope_id)
{
    for (guint i = 0; i < self->scopes->len; i++)
        if (strcmp(((SyncdScope *)self->scopes->pdata[i])->id, scope_id) == 0)
            return self->scopes->pdata[i];
    return NULL;
}

static SyncdScope *copy_scope(const SyncdScope *scope)
{
    SyncdScope *copy = g_new0(SyncdScope, 1);
    copy->id = g_strdup(scope->id);
    copy->class = g_strdup(scope->class);
    copy->name = g_strdup(scope->name);
    return copy;
}

bool syncd_store_find_scope(SyncdStore *self, const char *class, const char *name,
                            SyncdScope **ret_scope, GError **error)
{
    *ret_scope = NULL;
    if (self->projection != NULL) {
        syncd_set_error(error, SYNCD_ERROR_BUSY, "The index is being made anew");
        return false;
    }
    for (guint i = 0; i < self->scopes->len && *ret_scope == NULL; i++) {
        const SyncdScope *scope = self->scopes->pdata[i];
        if (strcmp(scope->class, class) == 0 && strcmp(scope->name, name) == 0)
            *ret_scope = copy_scope(scope);
    }
    return true;
}

/* ---- what can wait ---- */

/* Projects the committed part of the overlay in one transaction. */
static bool project_overlay(SyncdStore *self, GError **error)
{
    guint64 committed = syncd_journal_committed(self->journal);
    g_autoptr(GHashTable) grown = g_hash_table_new(g_direct_hash, g_direct_equal);
    if (!syncd_index_begin(self->index, error))
        return false;
    for (guint i = 0; i < syncd_overlay_size(self->overlay); i++) {
        const SyncdPending *pending = syncd_overlay_at(self->overlay, i);
        if (pending->entry.pos > committed)
            break;
        if (!syncd_index_project(self->index, pending->entry.pos, &pending->entry.header,
                                 open_pending_body, self, error)) {
            syncd_index_rollback(self->index);
            return false;
        }
        g_hash_table_add(grown, GSIZE_TO_POINTER(pending->feed));
    }

    GHashTableIter iter;
    void *id;
    g_hash_table_iter_init(&iter, grown);
    while (g_hash_table_iter_next(&iter, &id, NULL)) {
        const SyncdFeed *feed = syncd_journal_feed(self->journal, (gint64)GPOINTER_TO_SIZE(id));
        SyncdHash root = syncd_frontier_root(&feed->committed);
        if (!syncd_index_set_cursor(self->index, feed->id, feed->committed.size, &root, error)) {
            syncd_index_rollback(self->index);
            return false;
        }
    }
    if (!syncd_index_commit(self->index, error))
        return false;
    syncd_overlay_drop_through(self->overlay, committed);
    return true;
}

static bool overlay_waits(const SyncdStore *self)
{
    return syncd_overlay_size(self->overlay) > 0 &&
           syncd_overlay_at(self->overlay, 0)->entry.pos <= syncd_journal_committed(self->journal);
}

/* An index that cannot be written is no reason to stop: it is made anew at the next start, and
 * reads that need it say so meanwhile. */
bool syncd_store_settle(SyncdStore *self, GError **error)
{
    if (self->mode == SYNCD_STORE_INSPECT) {
        syncd_set_error(error, SYNCD_ERROR_FAILED, "State that is only inspected has no index");
        return false;
    }
    while (self->projection != NULL)
        if (!project_batch(self, PROJECT_BATCH, error))
            return false;
    if (self->index == NULL) {
        syncd_set_error(error, SYNCD_ERROR_STORAGE_FAILED, "There is no index to look into");
        return false;
    }
    return !overlay_waits(self) || project_overlay(self, error);
}

bool syncd_store_work(SyncdStore *self)
{
    if (self->mode == SYNCD_STORE_INSPECT || self->index == NULL)
        return false;
    g_autoptr(GError) error = NULL;
    if (self->projection != NULL) {
        if (!project_batch(self, PROJECT_BATCH, &error))
            syncd_log(SYNCD_LOG_ERROR, SYNCD_LOG_ID_JOURNAL_CORRUPT, "The index cannot be made: %s",
                      error->message);
        return true;
    }
    if (overlay_waits(self)) {
        if (!project_overlay(self, &error)) {
            syncd_log(SYNCD_LOG_WARNING, SYNCD_LOG_ID_STORAGE_FAILED,
                      "The index cannot be written: %s", error->message);
            return false;
        }
        return true;
    }
    /* A WAL that cannot be moved now stays where it is, and is as durable there. */
    if (!syncd_store_has_turn(self))
        syncd_database_checkpoint(syncd_journal_database(self->journal), WAL_PAGES_IDLE, NULL);
    syncd_database_checkpoint(syncd_index_database(self->index), WAL_PAGES_IDLE, NULL);
    return false;
}

void syncd_store_bound_waiting(SyncdStore *self)
{
    /* If this fails, what waits goes on waiting, and the next read or the next commit tries again.
     */
    if (syncd_overlay_size(self->overlay) > OVERLAY_MAX)
        syncd_store_settle(self, NULL);
    syncd_database_checkpoint(syncd_journal_database(self->journal), WAL_PAGES_MAX, NULL);
}
