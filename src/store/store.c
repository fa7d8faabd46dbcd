#include "store/displaced.h"
#include "store/mend.h"
#include "store/rollback.h"
#include "store/source.h"
#include "store/store-private.h"

#include <glib/gstdio.h>

#define MACHINE_CHECK_DIGITS 10

const char *syncd_store_condition_name(SyncdStoreCondition condition)
{
    static const char *const names[] = {
        [SYNCD_STORE_WRITABLE] = "writable",
        [SYNCD_STORE_MACHINE_CHANGED] = "machine-changed",
        [SYNCD_STORE_FAILED] = "storage-failed",
        [SYNCD_STORE_UNREADABLE] = "journal-unreadable",
        [SYNCD_STORE_DISPLACED] = "journal-displaced",
        [SYNCD_STORE_DAMAGED] = "journal-corrupt",
        [SYNCD_STORE_KEYLESS] = "device-key-missing",
        [SYNCD_STORE_ROLLED_BACK] = "log-rolled-back",
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

static void hash_text(const char *domain, const char *text, char hex[SYNCD_HASH_HEX_SIZE])
{
    SyncdBytes parts[] = {SYNCD_BYTES_TEXT(domain), SYNCD_BYTES_TEXT(text)};
    SyncdHash hash = syncd_hash_parts(parts, G_N_ELEMENTS(parts));
    syncd_hash_to_hex(&hash, hex);
}

/* No entry says which machine the log is bound to: only check digits tell that a bit of it is not
 * as it was. */
static char *add_check_digits(const char *machine_hash)
{
    char check[SYNCD_HASH_HEX_SIZE];
    hash_text("sourceos-machine-check-v1", machine_hash, check);
    return g_strdup_printf("%s%.*s", machine_hash, MACHINE_CHECK_DIGITS, check);
}

static char *describe_machine(const char *machine)
{
    char hash[SYNCD_HASH_HEX_SIZE];
    if (machine == NULL)
        return g_strdup("none");
    hash_text("sourceos-machine-v1", machine, hash);
    return add_check_digits(hash);
}

bool syncd_machine_is_sound(const char *described)
{
    SyncdHash hash;
    g_autofree char *digits = g_strndup(described, SYNCD_MACHINE_HASH_DIGITS);
    if (strcmp(described, "none") == 0)
        return true;
    if (!syncd_hash_from_hex(digits, strlen(digits), &hash))
        return false;
    g_autofree char *checked = add_check_digits(digits);
    return strcmp(described, digits) == 0 || strcmp(described, checked) == 0;
}

static bool is_same_machine(const char *described, const char *stored)
{
    /* One that an older version stored has no check digits. */
    return stored != NULL && strlen(stored) >= SYNCD_MACHINE_HASH_DIGITS &&
           g_str_has_prefix(described, stored);
}

/* ---- first start ---- */

/* A directory that holds what was derived from a log but not the log has lost it: that is not a
 * first start. */
static bool refuse_lost(const char *what, GError **error)
{
    syncd_set_error_next(
        error, SYNCD_ERROR_JOURNAL_CORRUPT,
        "restore journal.db from a backup, or move the state directory away to begin anew",
        "There was a log in the state directory, but journal.db %s", what);
    return false;
}

/* What is there only where there was a log. */
static bool knows_of_log(const SyncdStore *self)
{
    static const char *const names[] = {
        "index.db",   "verified.json", "runtime.json",           "rolled-back.json",
        "ended.json", "epochs.json",   SYNCD_JOURNAL_FILE "-wal"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        if (syncd_directory_has(self->directory, names[i]))
            return true;
    g_autoptr(GPtrArray) journals = syncd_source_list_journals(self->directory);
    return journals->len > 0;
}

static bool refuse_lost_journal(SyncdStore *self, GError **error)
{
    GStatBuf st;
    g_autofree char *journal = syncd_directory_file(self->directory, SYNCD_JOURNAL_FILE);
    bool there = g_lstat(journal, &st) == 0;
    if ((there && st.st_size > 0) || !knows_of_log(self))
        return true;
    return refuse_lost(there ? "is empty" : "is gone", error);
}

/* A first start that was cut short leaves an empty log and an empty index. */
static bool refuse_lost_entries(SyncdStore *self, GError **error)
{
    guint64 projected = 0;
    g_autoptr(SyncdIndex) index = syncd_index_open(self->directory, NULL);
    if ((index == NULL || !syncd_index_projected(index, &projected, NULL) || projected == 0) &&
        !syncd_directory_has(self->directory, "verified.json"))
        return true;
    return refuse_lost("has no entries", error);
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

/* Whatever else may keep it from being written, it comes before this. */
static void judge_keys(SyncdStore *self)
{
    if (!syncd_keyring_has_device(self->keyring) && self->condition == SYNCD_STORE_WRITABLE)
        self->condition = SYNCD_STORE_KEYLESS;
}

static bool check_binding(SyncdStore *self, GError **error)
{
    g_autofree char *device = NULL, *machine = NULL;
    g_autoptr(GError) problem = NULL;
    bool readable = syncd_journal_meta(self->journal, "device", &device, &problem) &&
                    syncd_journal_meta(self->journal, "machine", &machine, &problem);
    /* Feeds are the device's whatever meta says of it. */
    if ((!readable && g_error_matches(problem, SYNCD_ERROR, SYNCD_ERROR_JOURNAL_CORRUPT)) ||
        (readable && syncd_journal_is_of_device(self->journal) &&
         g_strcmp0(device, syncd_keyring_device_id(self->keyring)) != 0)) {
        self->condition = SYNCD_STORE_DAMAGED;
        return true;
    }
    if (!readable) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return false;
    }
    if (g_strcmp0(device, syncd_keyring_device_id(self->keyring)) != 0) {
        syncd_set_error_next(error, SYNCD_ERROR_JOURNAL_CORRUPT,
                             "restore the folder keys/ from the same backup as journal.db",
                             "The keys in %s are not those of its log",
                             syncd_directory_path(self->directory));
        return false;
    }
    bool both_known = strcmp(self->machine, "none") != 0 && g_strcmp0(machine, "none") != 0;
    if (both_known && !is_same_machine(self->machine, machine) &&
        self->condition == SYNCD_STORE_WRITABLE)
        self->condition = SYNCD_STORE_MACHINE_CHANGED;
    return true;
}

bool syncd_store_judge_journal(SyncdStore *self, GError **error)
{
    self->condition =
        syncd_journal_problem(self->journal) != NULL ? SYNCD_STORE_DAMAGED : SYNCD_STORE_WRITABLE;
    self->registries++;
    bool bound = check_binding(self, error);
    syncd_store_note_opened(self);
    if (!bound)
        return false;
    judge_keys(self);
    syncd_store_look_for_rollback(self);
    syncd_store_judge_rollback(self);
    if (self->index == NULL && self->condition != SYNCD_STORE_DAMAGED) {
        g_clear_error(&self->index_problem);
        return syncd_store_open_index(self, error);
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

    self->keyring = syncd_keyring_open(self->directory, options->credential, error);
    return self->keyring != NULL;
}

static bool is_empty(const SyncdStore *self)
{
    return syncd_journal_committed(self->journal) == 0 &&
           syncd_journal_problem(self->journal) == NULL;
}

/* The key of another device signs nothing in this log. */
static bool is_of_other_device(const SyncdStore *self)
{
    g_autofree char *device = NULL;
    return syncd_keyring_has_device(self->keyring) && !is_empty(self) &&
           syncd_journal_problem(self->journal) == NULL &&
           !syncd_journal_is_of_device(self->journal) &&
           syncd_journal_meta(self->journal, "device", &device, NULL) && device != NULL &&
           strcmp(device, syncd_keyring_device_id(self->keyring)) != 0;
}

static bool open_for_owner(SyncdStore *self, SyncdDatabaseMode mode, GError **error)
{
    self->journal = syncd_journal_open(self->directory, mode, self->keyring, error);
    if (self->journal == NULL || !is_of_other_device(self))
        return self->journal != NULL;
    syncd_keyring_disown(self->keyring, "keys/device.key is the key of another log");
    syncd_database_hold(syncd_journal_database(self->journal), true);
    syncd_journal_free(self->journal);
    self->journal = syncd_journal_open(self->directory, mode, self->keyring, error);
    return self->journal != NULL;
}

/* SQLite opens what it finds beside a database. */
static bool require_files(SyncdStore *self, GError **error)
{
    static const char *const names[] = {SYNCD_JOURNAL_FILE, SYNCD_JOURNAL_FILE "-wal",
                                        SYNCD_JOURNAL_FILE "-journal"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        if (!syncd_directory_require_file(self->directory, names[i], error))
            return false;
    return true;
}

static bool open_journal(SyncdStore *self, SyncdDatabaseMode mode, GError **error)
{
    if (!require_files(self, error) || !refuse_lost_journal(self, error) ||
        !open_for_owner(self, mode, error))
        return false;
    /* A copy without its keys can still be judged, but for what is sealed. */
    if (self->mode == SYNCD_STORE_INSPECT) {
        self->condition = SYNCD_STORE_INSPECTING;
        return !syncd_keyring_has_device(self->keyring) || check_binding(self, error);
    }
    if (syncd_journal_problem(self->journal) != NULL)
        self->condition = SYNCD_STORE_DAMAGED;
    if (!is_empty(self))
        return check_binding(self, error);
    return self->mode != SYNCD_STORE_CREATE || refuse_lost_entries(self, error);
}

static void say_unreadable(const GError *problem, GError **error)
{
    g_autofree char *why = NULL, *next = NULL;
    syncd_error_split(problem->message, &why, &next);
    g_autofree char *plain = syncd_database_without_code(why);
    syncd_set_error_next(error, SYNCD_ERROR_JOURNAL_CORRUPT,
                         "see what can be done with `sourceos-syncd doctor`",
                         "The journal cannot be opened: %s", plain);
}

/* So that somebody can be told, and can mend it. */
static bool stand_in(SyncdStore *self, GError *problem, GError **error)
{
    self->unreadable = problem;
    g_clear_pointer(&self->journal, syncd_journal_free);
    if (syncd_keyring_device_id(self->keyring) == NULL)
        syncd_keyring_assume_device(self->keyring, "device-unknown");
    self->journal = syncd_journal_new_stand_in(self->keyring, problem, error);
    if (self->journal == NULL)
        return false;
    self->condition = SYNCD_STORE_UNREADABLE;
    g_clear_error(&self->index_problem);
    say_unreadable(problem, &self->index_problem);
    return true;
}

static bool open_or_stand_in(SyncdStore *self, SyncdDatabaseMode mode, GError **error)
{
    GError *problem = NULL;
    if (open_journal(self, mode, &problem)) {
        syncd_store_note_opened(self);
        return true;
    }
    if (self->stands_in && (mode == SYNCD_DATABASE_EXISTING ||
                            g_error_matches(problem, SYNCD_ERROR, SYNCD_ERROR_JOURNAL_CORRUPT)))
        return stand_in(self, problem, error);
    g_propagate_error(error, problem);
    return false;
}

static void judge_what_is_there(SyncdStore *self)
{
    judge_keys(self);
    syncd_store_look_for_rollback(self);
    syncd_store_judge_rollback(self);
}

/* What is known is known of the journal that goes, which is whose who calls. */
static SyncdJournal *let_go(SyncdStore *self)
{
    syncd_store_drop_index(self);
    syncd_overlay_drop_through(self->overlay, G_MAXUINT64);
    g_clear_pointer(&self->sightings, g_array_unref);
    self->seen = 0;
    g_clear_error(&self->unreadable);
    g_clear_error(&self->index_problem);
    g_clear_error(&self->held);
    g_clear_pointer(&self->displaced, g_free);
    g_ptr_array_set_size(self->scopes, 0);
    self->proven = (SyncdProvenLeaves){0};
    self->condition = SYNCD_STORE_WRITABLE;
    self->registries++;
    self->reopened++;
    return g_steal_pointer(&self->journal);
}

bool syncd_store_stand_aside(SyncdStore *self, GError *problem, GError **error)
{
    syncd_database_freeze(syncd_journal_database(self->journal));
    self->cut = let_go(self);
    return stand_in(self, problem, error);
}

bool syncd_store_reopen(SyncdStore *self, GError **error)
{
    syncd_journal_free(let_go(self));
    if (!open_or_stand_in(self, SYNCD_DATABASE_EXISTING, error))
        return false;
    if (self->unreadable != NULL)
        return true;
    judge_what_is_there(self);
    syncd_store_open_index(self, NULL); /* what needs it says why there is none */
    return true;
}

static bool open_all(SyncdStore *self, const SyncdStoreOptions *options, GError **error)
{
    static const SyncdDatabaseMode modes[] = {
        [SYNCD_STORE_OPEN] = SYNCD_DATABASE_EXISTING,
        [SYNCD_STORE_CREATE] = SYNCD_DATABASE_CREATE,
        [SYNCD_STORE_INSPECT] = SYNCD_DATABASE_INSPECT,
    };
    if (!open_files(self, options, error) ||
        (self->mode != SYNCD_STORE_INSPECT &&
         !syncd_journal_end_exchange(self->directory, error)) ||
        !open_or_stand_in(self, modes[self->mode], error))
        return false;
    self->reserve_bytes = options->reserve_bytes;
    if (self->unreadable != NULL) {
        syncd_store_keep_reserve(self);
        return true;
    }
    if (self->mode == SYNCD_STORE_INSPECT) {
        syncd_store_look_for_rollback(self);
        return true;
    }
    syncd_mend_clear_leftovers(self);
    bool empty = is_empty(self);
    if (empty && self->mode != SYNCD_STORE_CREATE) {
        syncd_set_error(error, SYNCD_ERROR_NOT_INITIALIZED, "There is no state in %s",
                        syncd_directory_path(self->directory));
        return false;
    }
    if (!empty)
        judge_what_is_there(self);
    /* A log that is there is served without an index, if none can be had; a new one is not begun.
     */
    if (!syncd_store_open_index(self, error) && empty)
        return false;
    g_clear_error(error);
    if (empty && !make_identity(self, error))
        return false;
    syncd_store_keep_reserve(self);
    return true;
}

SyncdStore *syncd_store_open(const SyncdStoreOptions *options, GError **error)
{
    g_autoptr(SyncdStore) self = g_new0(SyncdStore, 1);
    self->sources = options->sources;
    self->mode = options->mode;
    self->elsewhere = options->elsewhere;
    self->holds_index = options->holds_index;
    self->stands_in = options->stands_in;
    self->machine = describe_machine(options->machine);
    self->overlay = syncd_overlay_new(syncd_store_first_of_record, self);
    self->scopes = g_ptr_array_new_with_free_func((GDestroyNotify)syncd_scope_free);
    if (!open_all(self, options, error))
        return NULL;
    self->content_waits = true;
    self->opened = true;
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
    syncd_store_end_remake(self);
    g_clear_error(&self->index_problem);
    g_clear_error(&self->held);
    g_clear_pointer(&self->rollback, syncd_rollback_free);
    if (self->journal != NULL) {
        while (syncd_store_keep_displaced(self))
            continue;
        syncd_store_keep_end(self);
    }
    g_free(self->misread.what);
    g_free(self->displaced);
    g_free(self->displaced_copy);
    g_free(self->set_aside);
    syncd_journal_free(self->cut);
    /* Nobody knows yet whether it has all that it had. */
    if (!self->opened && self->journal != NULL && self->unreadable == NULL && !is_empty(self))
        syncd_database_hold(syncd_journal_database(self->journal), true);
    g_clear_error(&self->unreadable);
    g_free(self->index_lost);
    syncd_index_comparison_free(self->index_comparison);
    syncd_journal_free(self->journal);
    syncd_overlay_free(self->overlay);
    g_clear_pointer(&self->sightings, g_array_unref);
    syncd_keyring_free(self->keyring);
    syncd_directory_free(self->directory);
    g_ptr_array_unref(self->scopes);
    g_free(self->machine);
    g_clear_pointer(&self->pins, g_hash_table_unref);
    g_clear_pointer(&self->looked_at, g_hash_table_unref);
    g_free(self->looked_in);
    g_clear_pointer(&self->loose, g_array_unref);
    g_clear_pointer(&self->sweep, syncd_sweep_free);
    g_free(self);
}

/* ---- what it is ---- */

SyncdStoreCondition syncd_store_condition(const SyncdStore *self)
{
    return syncd_store_write_fault(self) != NULL ? SYNCD_STORE_FAILED : self->condition;
}

const char *syncd_store_write_fault(const SyncdStore *self)
{
    return syncd_journal_write_fault(self->journal);
}

bool syncd_store_is_new(const SyncdStore *self)
{
    return syncd_journal_committed(self->journal) == 0 && self->unreadable == NULL;
}

const GError *syncd_store_unreadable(const SyncdStore *self)
{
    return self->unreadable;
}

bool syncd_store_check_readable(const SyncdStore *self, GError **error)
{
    if (self->unreadable != NULL)
        say_unreadable(self->unreadable, error);
    return self->unreadable == NULL;
}

bool syncd_store_is_indexing(const SyncdStore *self)
{
    return self->projection != NULL;
}

bool syncd_store_lacks_room(const SyncdStore *self)
{
    return self->found_no_room;
}

bool syncd_store_lacks_index(const SyncdStore *self)
{
    return self->index_problem != NULL;
}

const GError *syncd_store_index_problem(const SyncdStore *self)
{
    return self->index_problem;
}

const char *syncd_store_device_key_fault(const SyncdStore *self)
{
    return syncd_keyring_device_fault(self->keyring);
}

const char *syncd_store_device_id(const SyncdStore *self)
{
    return syncd_keyring_device_id(self->keyring);
}

const SyncdSigner *syncd_store_signer(const SyncdStore *self)
{
    return syncd_keyring_signer(self->keyring);
}

guint64 syncd_store_sequence(const SyncdStore *self)
{
    return syncd_journal_committed(self->journal);
}

guint64 syncd_store_last_ms(const SyncdStore *self)
{
    return syncd_journal_committed_clock(self->journal).ms;
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
    if (!syncd_store_need_index(self, error))
        return false;
    for (guint i = 0; i < self->scopes->len && *ret_scope == NULL; i++) {
        const SyncdScope *scope = self->scopes->pdata[i];
        if (strcmp(scope->class, class) == 0 && strcmp(scope->name, name) == 0)
            *ret_scope = copy_scope(scope);
    }
    return true;
}
