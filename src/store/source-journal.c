/* Journals of earlier as sources: generations that a repair replaced, copies that were made before
 * migrations, and backups. */
#include "store/source.h"

#include "store/database-private.h"
#include "store/journal-private.h"

#include <stdlib.h>
#include <string.h>

#define GENERATION "journal."
#define COPY "journal.db.before-"
#define BACKUP "journal-"
#define BACKUP_END ".db"
#define HALF ".new"

typedef struct {
    SyncdSource source;
    SyncdDatabase *db;
    bool split; /* version 1: bodies have a table of their own */
    char *device, *scope;
} Journal;

void syncd_stored_entry_clear(SyncdStoredEntry *stored)
{
    g_clear_pointer(&stored->header, g_bytes_unref);
    g_clear_pointer(&stored->body, g_bytes_unref);
    g_clear_pointer(&stored->tiles, g_bytes_unref);
}

void syncd_source_free(SyncdSource *source)
{
    if (source == NULL)
        return;
    g_free(source->name);
    source->free(source);
}

static void journal_free(SyncdSource *source)
{
    Journal *self = (Journal *)source;
    syncd_database_free(self->db);
    g_free(self->device);
    g_free(self->scope);
    g_free(self);
}

static GBytes *column(SyncdStatement *row, int index)
{
    SyncdBytes bytes = syncd_column_bytes(row, index);
    return syncd_column_is_null(row, index) || bytes.size == 0
               ? NULL
               : g_bytes_new(bytes.data, bytes.size);
}

static void journal_entry(SyncdSource *source, const SyncdPlace *place,
                          SyncdStoredEntry *ret_stored)
{
    static const char *const selects[] = {
        "SELECT header, body, tiles FROM entry JOIN feed ON feed.id = entry.feed"
        " WHERE device = :device AND scope = :scope AND epoch = :epoch AND seq = :seq",
        "SELECT header, (SELECT blob FROM body WHERE body.pos = entry.pos), NULL"
        " FROM entry JOIN feed ON feed.id = entry.feed"
        " WHERE device = :device AND scope = :scope AND epoch = :epoch AND seq = :seq",
    };
    Journal *self = (Journal *)source;
    bool row = false;
    g_autoptr(SyncdStatement) rows = syncd_database_statement(self->db, selects[self->split]);
    syncd_bind_text(rows, ":device", place->device);
    syncd_bind_text(rows, ":scope", place->scope);
    syncd_bind_int(rows, ":epoch", (gint64)place->epoch);
    syncd_bind_int(rows, ":seq", (gint64)place->seq);
    if (!syncd_statement_next(rows, &row, NULL) || !row)
        return;
    ret_stored->header = column(rows, 0);
    ret_stored->body = column(rows, 1);
    ret_stored->tiles = column(rows, 2);
}

static bool journal_place(SyncdSource *source, guint64 pos, SyncdPlace *ret_place)
{
    Journal *self = (Journal *)source;
    bool row = false;
    g_autoptr(SyncdStatement) rows = syncd_database_statement(
        self->db, "SELECT device, scope, epoch, seq FROM entry JOIN feed ON feed.id = entry.feed"
                  " WHERE pos = :pos");
    syncd_bind_int(rows, ":pos", (gint64)pos);
    if (!syncd_statement_next(rows, &row, NULL) || !row)
        return false;
    g_free(self->device);
    g_free(self->scope);
    self->device = g_strdup(syncd_column_text(rows, 0));
    self->scope = g_strdup(syncd_column_text(rows, 1));
    *ret_place = (SyncdPlace){.device = self->device,
                              .scope = self->scope,
                              .epoch = (guint64)syncd_column_int(rows, 2),
                              .seq = (guint64)syncd_column_int(rows, 3),
                              .pos = pos};
    return true;
}

static GBytes *journal_content(SyncdSource *source, const SyncdHash *name)
{
    Journal *self = (Journal *)source;
    bool row = false;
    g_autoptr(SyncdStatement) rows =
        syncd_database_statement(self->db, "SELECT bytes FROM content WHERE name = :name");
    syncd_bind_blob(rows, ":name", SYNCD_BYTES(name->bytes, sizeof name->bytes));
    bool known = syncd_statement_next(rows, &row, NULL);
    source->erred |= !known && syncd_database_could_not_read(self->db->handle);
    return known && row ? column(rows, 0) : NULL;
}

static SyncdSource *open_journal(SyncdDirectory *directory, const char *name)
{
    gint64 version = 0;
    g_autofree char *path = syncd_directory_file(directory, name);
    SyncdDatabase *db = syncd_database_open(path, &syncd_journal_kind, SYNCD_DATABASE_COPY, NULL);
    if (db == NULL)
        return NULL;
    syncd_statement_number(syncd_database_statement(db, "PRAGMA user_version"), 0, &version, NULL);
    Journal *self = g_new(Journal, 1);
    *self = (Journal){
        .source = {g_strdup(name), journal_entry, journal_place, journal_content, journal_free},
        .db = db,
        .split = version == 1,
    };
    return &self->source;
}

/* The number behind a prefix; 0 when there is nothing else behind it. */
static guint64 number_after(const char *name, const char *prefix)
{
    size_t size = strlen(prefix);
    if (strncmp(name, prefix, size) != 0 || !g_ascii_isdigit(name[size]))
        return 0;
    char *end;
    guint64 number = g_ascii_strtoull(name + size, &end, 10);
    return *end == '\0' ? number : 0;
}

bool syncd_source_is_backup(const char *name)
{
    return g_str_has_prefix(name, BACKUP) && g_str_has_suffix(name, BACKUP_END);
}

bool syncd_source_is_generation(const char *name)
{
    return number_after(name, GENERATION) > 0;
}

bool syncd_source_is_earlier_journal(const char *name)
{
    return syncd_source_is_generation(name) || number_after(name, COPY) > 0 ||
           syncd_source_is_backup(name);
}

char *syncd_source_half_copy(const char *name)
{
    if (!g_str_has_suffix(name, HALF))
        return NULL;
    g_autofree char *whole = g_strndup(name, strlen(name) - strlen(HALF));
    bool is_ours = number_after(whole, GENERATION) > 0 || number_after(whole, COPY) > 0;
    return is_ours ? g_steal_pointer(&whole) : NULL;
}

char *syncd_source_generation_name(guint64 generation)
{
    return g_strdup_printf(GENERATION "%" G_GUINT64_FORMAT, generation);
}

/* Of backups the names say it, if anything does. */
static int newest_first(gconstpointer a, gconstpointer b)
{
    const char *one = *(const char *const *)a, *other = *(const char *const *)b;
    guint64 first = number_after(one, GENERATION), second = number_after(other, GENERATION);
    if (first == second) {
        first = number_after(one, COPY);
        second = number_after(other, COPY);
    }
    return first < second ? 1 : first > second ? -1 : strcmp(other, one);
}

GPtrArray *syncd_source_list_journals(SyncdDirectory *directory)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GDir) folder = g_dir_open(syncd_directory_path(directory), 0, NULL);
    const char *name;
    while (folder != NULL && (name = g_dir_read_name(folder)) != NULL)
        if (syncd_source_is_earlier_journal(name))
            g_ptr_array_add(names, g_strdup(name));
    g_ptr_array_sort(names, newest_first);
    return names;
}

GPtrArray *syncd_source_find_journals(SyncdDirectory *directory)
{
    GPtrArray *sources = g_ptr_array_new_with_free_func((GDestroyNotify)syncd_source_free);
    g_autoptr(GPtrArray) names = syncd_source_list_journals(directory);
    for (guint i = 0; i < names->len; i++) {
        SyncdSource *source = open_journal(directory, names->pdata[i]);
        if (source != NULL)
            g_ptr_array_add(sources, source);
    }
    return sources;
}
