/*
 * What there is that may take the place of a journal. Nobody is asked to agree to what cannot be
 * done, so each is looked at as far as that takes a bounded time: whether it can be opened, is of
 * this device, and, where it is damaged, can be mended. Nothing is copied for that, nothing is
 * written. What is seen of one depends on the others, from which it is mended, and holds as long as
 * all of them are as they were.
 */
#include "store/rescue-private.h"

#include "store/displaced.h"
#include "store/mend-private.h"
#include "store/salvage.h"

#include <string.h>
#include <sys/stat.h>

#define STEPS_MAX 8u     /* of looking for damage, in all of them … */
#define LOOK_USEC 30000u /* … in which no other one is begun after this time */
#define SLOW_USEC 5000u
#define AS_JOURNAL SYNCD_JOURNAL_FILE ": "

bool syncd_rescue_salvages(const char *name)
{
    return strcmp(name, SYNCD_JOURNAL_FILE) == 0;
}

/* First what there was. */
GPtrArray *syncd_rescue_list(const SyncdStore *store)
{
    GPtrArray *names = syncd_source_list_journals(store->directory);
    if (syncd_salvage_is_possible(store->directory))
        g_ptr_array_insert(names, 0, g_strdup(SYNCD_JOURNAL_FILE));
    return names;
}

SyncdStore *syncd_rescue_candidate(const SyncdStore *store, SyncdJournal *journal)
{
    SyncdStore *candidate = g_new0(SyncdStore, 1);
    *candidate = (SyncdStore){
        .sources = store->sources,
        .mode = SYNCD_STORE_OPEN,
        .directory = store->directory,
        .keyring = store->keyring,
        .journal = journal,
        .machine = store->machine,
        .candidate = true,
    };
    return candidate;
}

bool syncd_rescue_check_owner(const SyncdStore *store, const SyncdJournal *journal, GError **error)
{
    if (syncd_journal_is_of_device(journal) && syncd_journal_committed(journal) > 0)
        return true;
    if (!syncd_keyring_has_device(store->keyring))
        syncd_set_error(error, SYNCD_ERROR_NOT_FOUND,
                        "Whose it is nobody can tell without keys/device.key: put that back first");
    else
        syncd_set_error(error, SYNCD_ERROR_JOURNAL_CORRUPT,
                        "No entry that this device has written can be found in it");
    return false;
}

char *syncd_rescue_heads(const SyncdJournal *journal)
{
    g_autoptr(SyncdHasher) hasher = syncd_hasher_new();
    char digits[SYNCD_HASH_HEX_SIZE];
    const GPtrArray *feeds = syncd_journal_feeds(journal);
    for (guint i = 0; i < feeds->len; i++) {
        const SyncdFeed *feed = feeds->pdata[i];
        const char *note = feed->note != NULL ? feed->note : "";
        syncd_hasher_update(hasher, feed->text, strlen(feed->text) + 1);
        syncd_hasher_update(hasher, note, strlen(note) + 1);
    }
    SyncdHash hash = syncd_hasher_finish(hasher);
    syncd_hash_to_hex(&hash, digits);
    return g_strdup(digits);
}

/* ---- what is known of a file ---- */

char *syncd_rescue_why_not(const char *name, const GError *why)
{
    g_autofree char *sentence = NULL, *next = NULL, *valid = g_utf8_make_valid(name, -1);
    syncd_error_split(why->message, &sentence, &next);
    g_autofree char *plain = syncd_database_without_code(sentence);
    size_t size = strlen(plain);
    size -= size > 0 && plain[size - 1] == '.';
    /* Whatever it is called, it is opened as this. */
    const char *from = g_str_has_prefix(plain, AS_JOURNAL) ? plain + strlen(AS_JOURNAL) : plain;
    return g_strdup_printf("%s cannot be used%s: %.*s", valid,
                           syncd_rescue_salvages(name) ? ", as far as it can be read" : "",
                           (int)(size - (size_t)(from - plain)), from);
}

static bool lacks_key(const GError *problem)
{
    return g_error_matches(problem, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND);
}

static bool may_change(const GError *problem)
{
    static const SyncdErrorCode codes[] = {SYNCD_ERROR_STORAGE_FAILED, SYNCD_ERROR_ACCESS_DENIED,
                                           SYNCD_ERROR_NO_SPACE, SYNCD_ERROR_BUSY,
                                           SYNCD_ERROR_NOT_FOUND};
    for (size_t i = 0; i < G_N_ELEMENTS(codes); i++)
        if (g_error_matches(problem, SYNCD_ERROR, (gint)codes[i]))
            return true;
    return false;
}

/* When it was given another name is of no account: a plan gives the journal one. A WAL that is
 * empty is as none: whoever reads leaves such a one. */
static void add_file(const SyncdStore *self, const char *name, bool of_place, GString *text)
{
    struct stat st;
    g_autofree char *path = syncd_directory_file(self->directory, name);
    if (lstat(path, &st) != 0 || st.st_size == 0)
        return;
    g_string_append_printf(text, "%s %" G_GINT64_FORMAT " %" G_GINT64_FORMAT ".%09ld", name,
                           (gint64)st.st_size, (gint64)st.st_mtim.tv_sec, (long)st.st_mtim.tv_nsec);
    if (of_place)
        g_string_append_printf(text, " %" G_GUINT64_FORMAT, (guint64)st.st_ino);
    g_string_append(text, "; ");
}

static void add_state(const SyncdStore *self, const char *name, GString *text)
{
    g_autofree char *wal = g_strconcat(name, "-wal", NULL);
    add_file(self, name, true, text);
    add_file(self, wal, true, text);
}

/* In a copy of the state directory it is the same. */
char *syncd_rescue_times(const SyncdStore *self)
{
    GString *text = g_string_new(NULL);
    add_file(self, SYNCD_JOURNAL_FILE, false, text);
    add_file(self, SYNCD_JOURNAL_FILE "-wal", false, text);
    return g_string_free(text, FALSE);
}

char *syncd_rescue_state(const SyncdStore *self, const char *name)
{
    GString *text = g_string_new(NULL);
    add_state(self, name, text);
    return g_string_free(text, FALSE);
}

char *syncd_rescue_listing(const SyncdStore *self)
{
    GString *text = g_string_new(NULL);
    g_autoptr(GPtrArray) names = syncd_source_list_journals(self->directory);
    add_state(self, SYNCD_JOURNAL_FILE, text);
    for (guint i = 0; i < names->len; i++)
        add_state(self, names->pdata[i], text);
    return g_string_free(text, FALSE);
}

/* What was seen of one. */
typedef struct {
    char *why;       /* it cannot take the journal's place; NULL: it may … */
    char *heads;     /* … with these; NULL: not known … */
    guint64 entries; /* … and so many, of which … */
    guint64 last_ms; /* … this is the time of the last */
    guint64 until;   /* monotonic: when it is looked at again all the same; 0: it is not */
} Sight;

static void sight_clear(Sight *sight)
{
    g_free(sight->why);
    g_free(sight->heads);
}

static void sight_free(void *data)
{
    sight_clear(data);
    g_free(data);
}

static void see(const SyncdJournal *journal, Sight *ret_seen)
{
    ret_seen->entries = syncd_journal_committed(journal);
    ret_seen->last_ms = syncd_journal_committed_clock(journal).ms;
    ret_seen->heads = syncd_rescue_heads(journal);
}

static guint64 now_usec(const SyncdStore *self)
{
    return syncd_sources_monotonic_usec(self->sources);
}

static const Sight *noted(const SyncdStore *self, const char *listing, const char *name)
{
    const Sight *sight = g_strcmp0(self->looked_in, listing) == 0
                             ? g_hash_table_lookup(self->looked_at, name)
                             : NULL;
    return sight == NULL || sight->until == 0 || now_usec(self) < sight->until ? sight : NULL;
}

/* Takes what is in it. */
static void note(SyncdStore *self, const char *listing, const char *name, const Sight *seen)
{
    if (g_strcmp0(self->looked_in, listing) != 0) {
        g_clear_pointer(&self->looked_at, g_hash_table_unref);
        self->looked_at = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, sight_free);
        g_free(self->looked_in);
        self->looked_in = g_strdup(listing);
    }
    g_hash_table_replace(self->looked_at, g_strdup(name), g_memdup2(seen, sizeof *seen));
}

void syncd_rescue_note_useless(SyncdStore *self, const char *listing, const char *name,
                               const GError *why)
{
    const Sight seen = {.why = may_change(why) ? NULL : syncd_rescue_why_not(name, why)};
    if (seen.why != NULL)
        note(self, listing, name, &seen);
}

/* ---- looking at them ---- */

/* At all of them, one after the other. */
typedef struct {
    SyncdStore *store;
    char *listing; /* as it was before */
    guint steps;   /* that are left */
    guint64 until; /* monotonic: others are looked at the next time */
    bool begun;    /* one was looked at */
} Look;

static Look look_at(SyncdStore *store)
{
    return (Look){store, syncd_rescue_listing(store), STEPS_MAX, now_usec(store) + LOOK_USEC,
                  false};
}

/* At least one of them is looked at each time. */
static bool is_through(const Look *look)
{
    return look->steps == 0 || (look->begun && now_usec(look->store) >= look->until);
}

static void look_clear(Look *look)
{
    g_free(look->listing);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Look, look_clear)

static SyncdJournal *open_one(SyncdStore *self, const char *name, GError **error)
{
    return syncd_rescue_salvages(name)
               ? syncd_salvage_look(self->directory, self->keyring, error)
               : syncd_journal_open_file(self->directory, name, SYNCD_DATABASE_COPY, self->keyring,
                                         error);
}

/* Where that takes longer, it is found out when it is carried out; where others took the time, the
 * next time. */
static bool may_be_mended(Look *look, SyncdStore *candidate, bool *ret_known, GError **error)
{
    bool more = true, has_all = look->steps == STEPS_MAX;
    g_autoptr(SyncdMend) mend = syncd_mend_new(candidate, error);
    while (mend != NULL && more && look->steps > 0) {
        look->steps--;
        if (!syncd_mend_examine(mend, &more, error))
            return false;
    }
    *ret_known = !more || has_all;
    return mend != NULL && (more || syncd_mend_is_possible(mend, error));
}

static bool may_do(Look *look, const char *name, Sight *seen, bool *ret_known, GError **error)
{
    g_autoptr(SyncdJournal) journal = open_one(look->store, name, error);
    *ret_known = true;
    if (journal == NULL || !syncd_rescue_check_owner(look->store, journal, error))
        return false;
    see(journal, seen);
    if (syncd_journal_problem(journal) == NULL)
        return true;
    g_autofree SyncdStore *candidate = syncd_rescue_candidate(look->store, journal);
    return may_be_mended(look, candidate, ret_known, error);
}

/* What a disk does not give may come the next time, and costs what waiting for it does: a tenth of
 * the time at most. What is said at once is asked for each time: then it is when it began. */
static guint64 next_look(guint64 begun, guint64 ended)
{
    return ended - begun < SLOW_USEC ? begun : ended + 9 * (ended - begun);
}

/* NULL: it may do. One that is being let go of is what the copy of it will be. What the disk does
 * not give of the journal itself is left out of what is salvaged. */
static char *why_not(Look *look, const char *name)
{
    bool known, salvages = syncd_rescue_salvages(name);
    SyncdStore *self = look->store;
    g_autoptr(GError) problem = NULL;
    if (salvages && ((self->unreadable == NULL && !syncd_store_is_cut(self)) || self->cut != NULL))
        return NULL;
    const Sight *was = noted(self, look->listing, name);
    if (was != NULL)
        return g_strdup(was->why);
    if (is_through(look))
        return NULL;
    Sight seen = {0};
    guint64 begun = now_usec(self);
    bool may = may_do(look, name, &seen, &known, &problem);
    bool passes = may_change(problem);
    look->begun = true;
    if (!may && !(salvages && passes && !lacks_key(problem)))
        seen.why = syncd_rescue_why_not(name, problem);
    g_autofree char *why = g_strdup(seen.why);
    seen.until = passes ? next_look(begun, now_usec(self)) : 0;
    if (known && seen.until != begun)
        note(self, look->listing, name, &seen);
    else
        sight_clear(&seen);
    return g_steal_pointer(&why);
}

bool syncd_store_may_be_rescued(SyncdStore *self, GPtrArray *why_nots)
{
    g_autoptr(GPtrArray) names = syncd_rescue_list(self);
    g_auto(Look) look = look_at(self);
    bool may = names->len > SYNCD_RESCUABLE_MAX;
    for (guint i = 0; i < MIN(names->len, SYNCD_RESCUABLE_MAX); i++) {
        char *why = why_not(&look, names->pdata[i]);
        may |= why == NULL;
        if (why != NULL)
            g_ptr_array_add(why_nots, why);
    }
    return may;
}

bool syncd_store_has_backup(const SyncdStore *self)
{
    g_autoptr(GPtrArray) names = syncd_source_list_journals(self->directory);
    for (guint i = 0; i < names->len; i++)
        if (syncd_source_is_backup(names->pdata[i]))
            return true;
    return false;
}

guint64 syncd_store_rescue_bytes(const SyncdStore *self)
{
    g_autoptr(GPtrArray) names = syncd_rescue_list(self);
    guint64 most = 0;
    for (guint i = 0; i < names->len; i++) {
        struct stat st;
        g_autofree char *path = syncd_directory_file(self->directory, names->pdata[i]);
        if (lstat(path, &st) == 0)
            most = MAX(most, (guint64)st.st_size);
    }
    return 2 * most; /* one that is salvaged is copied twice */
}

/* ---- what whoever approves is told ---- */

void syncd_rescuable_free(void *data)
{
    SyncdRescuable *one = data;
    g_free(one->name);
    g_free(one->state);
    g_free(one->heads);
    g_free(one->why_not);
    g_free(one->doubt);
    g_free(one);
}

/* What is not noted of it is looked at; false: it is gone. */
static bool see_one(const Look *look, const char *name, Sight *ret_seen)
{
    const Sight *known = noted(look->store, look->listing, name);
    if (known != NULL && known->heads != NULL) {
        *ret_seen = *known;
        ret_seen->heads = g_strdup(known->heads);
        return true;
    }
    g_autoptr(SyncdJournal) journal = open_one(look->store, name, NULL);
    if (journal != NULL)
        see(journal, ret_seen);
    return journal != NULL;
}

static void add_rescuable(Look *look, const char *name, GPtrArray *found)
{
    SyncdStore *self = look->store;
    struct stat st = {0};
    Sight seen = {0};
    g_autofree char *path = syncd_directory_file(self->directory, name);
    bool salvaged = syncd_rescue_salvages(name);
    g_autofree char *why = why_not(look, name);
    g_autofree char *doubt = salvaged && syncd_store_is_cut(self) ? g_steal_pointer(&why) : NULL;
    if (lstat(path, &st) != 0 || (!salvaged && why == NULL && !see_one(look, name, &seen)))
        return;
    SyncdRescuable *one = g_new(SyncdRescuable, 1);
    *one = (SyncdRescuable){
        .name = g_strdup(name),
        .ms = (guint64)st.st_mtime * 1000,
        .last_ms = seen.last_ms,
        .entries = seen.entries,
        .state = salvaged ? syncd_rescue_times(self) : NULL,
        .heads = seen.heads,
        .why_not = g_steal_pointer(&why),
        .doubt = g_steal_pointer(&doubt),
    };
    g_ptr_array_add(found, one);
}

GPtrArray *syncd_store_list_rescuable(SyncdStore *self, guint *ret_others, guint64 *ret_known)
{
    g_autoptr(GPtrArray) names = syncd_rescue_list(self);
    g_autoptr(SyncdIndex) looked_at =
        self->index == NULL ? syncd_index_look(self->directory, NULL) : NULL;
    SyncdIndex *index = self->projection == NULL && self->index != NULL ? self->index : looked_at;
    GPtrArray *found = g_ptr_array_new_with_free_func(syncd_rescuable_free);
    g_auto(Look) look = look_at(self);
    guint n = MIN(names->len, SYNCD_RESCUABLE_MAX);
    for (guint i = 0; i < n; i++)
        add_rescuable(&look, names->pdata[i], found);
    *ret_others = names->len - n;
    if (index == NULL || !syncd_index_projected(index, ret_known, NULL))
        *ret_known = 0;
    return found;
}
