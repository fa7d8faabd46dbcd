#include "store/index-private.h"

#include "domain/search.h"

guint64 syncd_file_place(guint64 pos, guint number)
{
    return pos * SYNCD_FILES_MAX + number;
}

guint64 syncd_file_place_pos(guint64 place)
{
    return place / SYNCD_FILES_MAX;
}

/* Neighbours were made together, so the operation that was looked up last is mostly the one. */
bool syncd_index_find_file_place(SyncdIndex *self, SyncdBytes object, guint64 *ret_place,
                                 GError **error)
{
    char operation[SYNCD_FILE_ID_SIZE];
    guint number;
    *ret_place = 0;
    if (!syncd_file_id_parse(object, operation, &number))
        return true;
    if (strcmp(operation, self->file_operation) != 0) {
        self->file_operation[0] = '\0';
        if (!syncd_index_find_op(self, operation, &self->file_pos, error))
            return false;
        if (self->file_pos != 0)
            g_strlcpy(self->file_operation, operation, sizeof self->file_operation);
    }
    if (self->file_pos != 0)
        *ret_place = syncd_file_place(self->file_pos, number);
    return true;
}

/* ---- projecting ---- */

/* The column `live`. */
enum { DELETED, LIVE, IGNORED };

typedef struct {
    SyncdIndex *index;
    guint64 pos;
    gint64 scope;
    guint64 folder; /* the one that was found to exist last */
    bool found;     /* names may be found */
    GString *words;
} FileEntry;

static void file_entry_clear(FileEntry *entry)
{
    g_string_free(entry->words, TRUE);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FileEntry, file_entry_clear)

/* Files are counted in the lane where they are recorded. */
static void count(FileEntry *entry, SyncdLaneCounter counter, gint64 change)
{
    entry->index->lanes[syncd_lane_find(SYNCD_BYTES_TEXT("normal"))->rank][counter] += change;
}

static void count_as(FileEntry *entry, guint64 file, SyncdLaneCounter counter, gint64 change)
{
    const SyncdCountedRow row = {SYNCD_COUNTED_FILES, (gint64)file, SYNCD_BYTES("", 0)};
    syncd_index_count_lane(entry->index, &row, syncd_lane_find(SYNCD_BYTES_TEXT("normal"))->rank,
                           counter, change);
}

static void count_live(FileEntry *entry, guint64 file, int before, int after)
{
    count_as(entry, file, SYNCD_LANE_OBJECTS, (after == LIVE) - (before == LIVE));
    count_as(entry, file, SYNCD_LANE_TOMBSTONES, after == DELETED);
}

static const char *words_of(FileEntry *entry, SyncdBytes name)
{
    g_string_truncate(entry->words, 0);
    syncd_search_words(name, entry->words);
    return entry->words->str;
}

/* A folder of the same scope that exists. */
static bool is_folder(FileEntry *entry, guint64 id, bool *ret_is, GError **error)
{
    gint64 found;
    *ret_is = id != 0 && id == entry->folder;
    if (*ret_is || id == 0)
        return true;
    SyncdStatement *row = syncd_database_statement(
        entry->index->db, "SELECT count(*) FROM file WHERE id = :id AND scope = :scope AND live = 1"
                          " AND kind = 2");
    syncd_bind_int(row, ":id", (gint64)id);
    syncd_bind_int(row, ":scope", entry->scope);
    if (!syncd_statement_number(row, 0, &found, error))
        return false;
    *ret_is = found > 0;
    if (*ret_is)
        entry->folder = id;
    return true;
}

/* Where it says to be: the number of its folder, 0 for the workspace's own. */
static bool find_folder(FileEntry *entry, const SyncdFileChange *change, guint64 *ret_folder,
                        bool *ret_is, GError **error)
{
    *ret_is = change->folder.size == 0;
    *ret_folder = 0;
    return *ret_is ||
           (syncd_index_find_file_place(entry->index, change->folder, ret_folder, error) &&
            is_folder(entry, *ret_folder, ret_is, error));
}

static void bind_file(SyncdStatement *row, const SyncdFileChange *change, guint64 folder)
{
    syncd_bind_int(row, ":folder", (gint64)folder);
    syncd_bind_blob(row, ":name", change->name);
    syncd_bind_int(row, ":kind", change->kind);
    syncd_bind_int(row, ":mode", change->mode);
    syncd_bind_int(row, ":size", (gint64)change->size);
    syncd_bind_int(row, ":mtime", change->mtime);
    if (change->hashed)
        syncd_bind_blob(row, ":hash", SYNCD_BYTES(change->hash.bytes, sizeof change->hash.bytes));
    else
        syncd_bind_null(row, ":hash");
}

static bool create(FileEntry *entry, guint64 place, const SyncdFileChange *change, GError **error)
{
    guint64 folder;
    bool is;
    if (change->kind == 0 || change->object.data != NULL)
        return true;
    if (!find_folder(entry, change, &folder, &is, error))
        return false;
    if (!is)
        return true;
    SyncdStatement *row = syncd_database_statement(
        entry->index->db, "INSERT INTO file (id, scope, folder, name, kind, mode, size, mtime, "
                          "hash, version, changed,"
                          " live, found) VALUES (:id, :scope, :folder, :name, :kind, :mode, :size, "
                          ":mtime, :hash, 1, :id, 1, :found)");
    syncd_bind_int(row, ":id", (gint64)place);
    syncd_bind_int(row, ":scope", entry->scope);
    syncd_bind_int(row, ":found", entry->found);
    bind_file(row, change, folder);
    count(entry, SYNCD_LANE_FILES_ADDED, 1);
    count_as(entry, place, SYNCD_LANE_OBJECTS, 1);
    return syncd_statement_run(row, error) &&
           syncd_index_project_content(entry->index, place, place, change, error) &&
           (!entry->found ||
            syncd_index_add_search(entry->index, place, words_of(entry, change->name), error));
}

/* Its name is no longer, or another one; `name` NULL: it has none. */
static bool rename_found(FileEntry *entry, guint64 file, const SyncdBytes *name, GError **error)
{
    g_autofree char *before = NULL;
    g_autoptr(SyncdStatement) row = syncd_database_statement(
        entry->index->db, "SELECT name FROM file WHERE id = :id AND found = 1");
    bool found;
    syncd_bind_int(row, ":id", (gint64)file);
    if (!syncd_statement_next(row, &found, error))
        return false;
    if (!found)
        return true;
    SyncdBytes old = syncd_column_bytes(row, 0);
    if (name != NULL && old.size == name->size && memcmp(old.data, name->data, old.size) == 0)
        return true;
    before = g_strdup(words_of(entry, old));
    return syncd_index_remove_search(entry->index, file, before, error) &&
           (name == NULL ||
            syncd_index_add_search(entry->index, file, words_of(entry, *name), error));
}

static bool add_change(FileEntry *entry, guint64 file, guint64 place, GError **error)
{
    SyncdStatement *row = syncd_database_statement(
        entry->index->db, "INSERT INTO file_change (file, place, version)"
                          " SELECT id, :place, version FROM file WHERE id = :file");
    syncd_bind_int(row, ":file", (gint64)file);
    syncd_bind_int(row, ":place", (gint64)place);
    return syncd_statement_run(row, error);
}

/* One that is ignored exists perhaps; what was never there is deleted. */
static bool find_live(FileEntry *entry, guint64 file, int *ret_live, GError **error)
{
    gint64 live;
    SyncdStatement *row = syncd_database_statement(
        entry->index->db, "SELECT live FROM file WHERE id = :id AND scope = :scope");
    syncd_bind_int(row, ":id", (gint64)file);
    syncd_bind_int(row, ":scope", entry->scope);
    if (!syncd_statement_number(row, 0, &live, error))
        return false;
    *ret_live = (int)live;
    return true;
}

/* Whether it exists or not. */
static bool drop_content(FileEntry *entry, const SyncdFileChange *change, GError **error)
{
    guint64 file;
    gint64 is = 0;
    if (change->object.data == NULL || change->content.dropped == NULL)
        return true;
    if (!syncd_index_find_file_place(entry->index, change->object, &file, error))
        return false;
    SyncdStatement *row = syncd_database_statement(
        entry->index->db, "SELECT count(*) FROM file WHERE id = :id AND scope = :scope");
    syncd_bind_int(row, ":id", (gint64)file);
    syncd_bind_int(row, ":scope", entry->scope);
    return syncd_statement_number(row, 0, &is, error) &&
           (is == 0 ||
            syncd_index_drop_content(entry->index, file, change->content.dropped, error));
}

/* Whether the folder is the file or lies in it, at any depth that can be. */
#define DEPTH_MAX 65536u
static bool lies_within(FileEntry *entry, guint64 folder, guint64 file, bool *ret_lies,
                        GError **error)
{
    gint64 at = (gint64)folder;
    for (guint depth = 0; at != 0 && (guint64)at != file && depth < DEPTH_MAX; depth++) {
        SyncdStatement *row =
            syncd_database_statement(entry->index->db, "SELECT folder FROM file WHERE id = :id");
        syncd_bind_int(row, ":id", at);
        if (!syncd_statement_number(row, 0, &at, error))
            return false;
    }
    *ret_lies = at != 0;
    return true;
}

/* One that was ignored had no name there. */
static bool find_again(FileEntry *entry, guint64 file, int live, const SyncdBytes *name,
                       GError **error)
{
    if (live != IGNORED || !entry->found)
        return true;
    SyncdStatement *found =
        syncd_database_statement(entry->index->db, "UPDATE file SET found = 1 WHERE id = :id");
    syncd_bind_int(found, ":id", (gint64)file);
    return syncd_statement_run(found, error) &&
           syncd_index_add_search(entry->index, file, words_of(entry, *name), error);
}

/* It ends with another version, and with other bytes that are those of the record again: with what
 * has another time. A new name or mode leaves it. */
static bool end_mismatch(FileEntry *entry, guint64 file, const SyncdFileChange *change,
                         GError **error)
{
    SyncdStatement *row = syncd_database_statement(
        entry->index->db, "DELETE FROM mismatch WHERE file = :file AND (found_mtime <> :mtime"
                          " OR (SELECT hash FROM file WHERE id = :file) IS NOT :hash)");
    syncd_bind_int(row, ":file", (gint64)file);
    syncd_bind_int(row, ":mtime", change->mtime);
    if (change->hashed)
        syncd_bind_blob(row, ":hash", SYNCD_BYTES(change->hash.bytes, sizeof change->hash.bytes));
    else
        syncd_bind_null(row, ":hash");
    return syncd_statement_run(row, error);
}

/* Another version is one with other content: a new name or mode makes none. One that was ignored is
 * back. */
static bool change_file(FileEntry *entry, guint64 place, const SyncdFileChange *change,
                        GError **error)
{
    guint64 file, folder;
    int live;
    bool is;
    if (change->kind == 0)
        return drop_content(entry, change, error);
    if (change->object.data == NULL)
        return true;
    if (!syncd_index_find_file_place(entry->index, change->object, &file, error) ||
        !find_live(entry, file, &live, error))
        return false;
    if (live == DELETED)
        return true;
    if (!find_folder(entry, change, &folder, &is, error))
        return false;
    bool within = false;
    if (is && change->kind == SYNCD_FILE_FOLDER &&
        !lies_within(entry, folder, file, &within, error))
        return false;
    if (!is || within)
        return true;
    if (!rename_found(entry, file, &change->name, error) ||
        !find_again(entry, file, live, &change->name, error) ||
        !end_mismatch(entry, file, change, error))
        return false;
    SyncdStatement *row = syncd_database_statement(
        entry->index->db,
        "UPDATE file SET version = version + (kind <> :kind OR hash IS NOT :hash), folder = "
        ":folder,"
        " name = :name, kind = :kind, mode = :mode, size = :size, mtime = :mtime, hash = :hash,"
        " changed = :place, live = 1 WHERE id = :file");
    syncd_bind_int(row, ":file", (gint64)file);
    syncd_bind_int(row, ":place", (gint64)place);
    bind_file(row, change, folder);
    entry->folder = 0;
    count(entry, SYNCD_LANE_FILES_CHANGED, 1);
    count_live(entry, file, live, LIVE);
    return syncd_statement_run(row, error) && add_change(entry, file, place, error) &&
           syncd_index_project_content(entry->index, file, place, change, error);
}

/* The file that is no longer in the workspace, 0 for none; `live` as the column. */
static bool take_away(FileEntry *entry, guint64 place, const SyncdFileChange *change, int live,
                      guint64 *ret_file, GError **error)
{
    int before;
    *ret_file = 0;
    if (change->kind != 0)
        return true;
    if (!syncd_index_find_file_place(entry->index, change->object, ret_file, error) ||
        !find_live(entry, *ret_file, &before, error))
        return false;
    if (before == DELETED)
        *ret_file = 0;
    if (before == DELETED)
        return true;
    count_live(entry, *ret_file, before, live);
    if (!rename_found(entry, *ret_file, NULL, error))
        return false;
    SyncdStatement *row = syncd_database_statement(
        entry->index->db,
        "UPDATE file SET live = :live, found = 0, changed = :place WHERE id = :file");
    syncd_bind_int(row, ":live", live);
    syncd_bind_int(row, ":file", (gint64)*ret_file);
    syncd_bind_int(row, ":place", (gint64)place);
    entry->folder = 0;
    return syncd_statement_run(row, error) && add_change(entry, *ret_file, place, error);
}

static bool forget(FileEntry *entry, const char *sql, guint64 file, GError **error)
{
    SyncdStatement *row = syncd_database_statement(entry->index->db, sql);
    syncd_bind_int(row, ":file", (gint64)file);
    return syncd_statement_run(row, error);
}

#define FORGET_MISMATCH "DELETE FROM mismatch WHERE file = :file"

static bool delete (FileEntry *entry, guint64 place, const SyncdFileChange *change, GError **error)
{
    guint64 file;
    if (!take_away(entry, place, change, DELETED, &file, error))
        return false;
    count(entry, SYNCD_LANE_FILES_DELETED, file != 0);
    return forget(entry, "DELETE FROM seen WHERE file = :file", file, error) &&
           forget(entry, FORGET_MISMATCH, file, error);
}

/* It was read, and what is in it is not what is recorded, or is that again. */
static bool check_file(FileEntry *entry, guint64 place, const SyncdFileChange *change,
                       GError **error)
{
    guint64 file;
    int live;
    if (change->kind != 0 || !change->hashed)
        return true;
    if (!syncd_index_find_file_place(entry->index, change->object, &file, error) ||
        !find_live(entry, file, &live, error))
        return false;
    if (live == DELETED)
        return true;
    if (!forget(entry, FORGET_MISMATCH, file, error))
        return false;
    SyncdStatement *row = syncd_database_statement(
        entry->index->db,
        "INSERT INTO mismatch (file, told, found_size, found_mtime, found_hash) SELECT id, :place,"
        " :size, :mtime, :hash FROM file WHERE id = :file AND kind = 1 AND hash <> :hash");
    syncd_bind_int(row, ":file", (gint64)file);
    syncd_bind_int(row, ":place", (gint64)place);
    syncd_bind_int(row, ":size", (gint64)change->size);
    syncd_bind_int(row, ":mtime", change->mtime);
    syncd_bind_blob(row, ":hash", SYNCD_BYTES(change->hash.bytes, sizeof change->hash.bytes));
    return syncd_statement_run(row, error) && add_change(entry, file, place, error);
}

static bool ignore(FileEntry *entry, guint64 place, const SyncdFileChange *change, GError **error)
{
    guint64 file;
    return take_away(entry, place, change, IGNORED, &file, error);
}

static const struct {
    const char *kind;
    bool (*project)(FileEntry *entry, guint64 place, const SyncdFileChange *change, GError **error);
} projections[] = {
    {"object.created", create},    {"object.changed", change_file},   {"object.deleted", delete},
    {SYNCD_FILES_IGNORED, ignore}, {SYNCD_FILES_CHECKED, check_file},
};

bool syncd_index_project_files(SyncdIndex *self, guint64 pos, const SyncdHeader *header,
                               SyncdJson content, GError **error)
{
    g_auto(FileEntry) entry = {.index = self, .pos = pos, .words = g_string_new(NULL)};
    g_auto(SyncdFileChangesReader) reader = {{NULL}};
    SyncdFileChange change;
    if (!syncd_index_add_word(self, header->scope, &entry.scope, error) ||
        !syncd_index_may_search(self, header, NULL, &entry.found, error))
        return false;
    syncd_file_changes_read(&reader, content);
    while (syncd_file_changes_next(&reader, &change))
        for (size_t i = 0; i < G_N_ELEMENTS(projections); i++)
            if (syncd_bytes_are(header->kind, projections[i].kind) &&
                !projections[i].project(&entry, syncd_file_place(pos, reader.number), &change,
                                        error))
                return false;
    return true;
}
