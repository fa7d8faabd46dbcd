#include "workspace/recorder.h"

#include "store/chunks.h"

#include <string.h>

/* Content of up to 64 KiB lies in the journal itself; a file takes less than a twentieth of that.
 */
#define DOCUMENT_FULL (60u * 1024u)
/* Content that goes into the log beside it waits in memory. */
#define CONTENT_FULL (1024u * 1024u)

typedef enum { CHECKED, IGNORED, DELETED, CHANGED, CREATED, N_DOCUMENTS } Which;
typedef enum { OWNER, NOBODY, AGENT, N_AUTHORS } Author;

static const char *const kinds[N_DOCUMENTS] = {
    [CHECKED] = SYNCD_FILES_CHECKED, [IGNORED] = SYNCD_FILES_IGNORED, [DELETED] = "object.deleted",
    [CHANGED] = "object.changed",    [CREATED] = "object.created",
};

typedef struct {
    guint64 file; /* of one that is made its number in the document */
    SyncdFileSeen seen;
    char *path; /* of a folder that is to be looked into */
    SyncdKept *kept;
} Item;

typedef struct {
    GString *text;
    SyncdFileChangesWriter writer;
    GArray *items;  /* Item; of what was deleted or ignored nothing was seen */
    size_t content; /* bytes that wait */
    bool open;
} Document;

/* Outlives the recorder when that ends before the commit. */
typedef struct {
    SyncdRecorder *recorder; /* NULL: it has ended */
} Waiter;

struct SyncdRecorder {
    SyncdService *service;
    const SyncdRoot *root;
    SyncdRecorderListener listener;
    Waiter *waits; /* for the commit of the open turn; NULL: there is nothing of ours in it */
    const char *found;
    Document documents[N_DOCUMENTS][N_AUTHORS];
    char *agent; /* whose documents those of AGENT are; NULL: they are empty */
    guint64 counts[N_DOCUMENTS];
};

static void clear_item(void *data)
{
    Item *item = data;
    g_free(item->path);
    syncd_kept_free(item->kept);
}

SyncdRecorder *syncd_recorder_new(SyncdService *service, const SyncdRoot *root,
                                  const SyncdRecorderListener *listener)
{
    SyncdRecorder *self = g_new0(SyncdRecorder, 1);
    self->service = service;
    self->root = root;
    self->listener = *listener;
    self->found = SYNCD_FOUND_SCAN;
    for (size_t i = 0; i < N_DOCUMENTS * N_AUTHORS; i++) {
        Document *document = &self->documents[i / N_AUTHORS][i % N_AUTHORS];
        document->text = g_string_new(NULL);
        document->items = g_array_new(FALSE, FALSE, sizeof(Item));
        g_array_set_clear_func(document->items, clear_item);
    }
    return self;
}

void syncd_recorder_free(SyncdRecorder *self)
{
    if (self == NULL)
        return;
    if (self->waits != NULL)
        self->waits->recorder = NULL;
    for (size_t i = 0; i < N_DOCUMENTS * N_AUTHORS; i++) {
        Document *document = &self->documents[i / N_AUTHORS][i % N_AUTHORS];
        g_string_free(document->text, TRUE);
        g_array_unref(document->items);
    }
    g_free(self->agent);
    g_free(self);
}

SyncdFileSeen syncd_file_seen(const SyncdFileStat *stat)
{
    return (SyncdFileSeen){stat->device, stat->inode, stat->size,
                           stat->mtime,  stat->ctime, stat->born};
}

SyncdFileChange syncd_file_change(const SyncdFileStat *stat, SyncdBytes folder, SyncdBytes name,
                                  SyncdBytes target, const SyncdHash *hash)
{
    bool is_folder = stat->kind == SYNCD_FILE_FOLDER;
    return (SyncdFileChange){
        .folder = folder,
        .name = name,
        .kind = stat->kind,
        .mode = stat->mode,
        .size = is_folder ? 0 : stat->size,
        .mtime = is_folder ? 0 : stat->mtime,
        .hashed = hash != NULL,
        .hash = hash != NULL ? *hash : (SyncdHash){{0}},
        .target = target,
    };
}

/* ---- what is durable ---- */

static void on_commit(void *data, const GError *error)
{
    g_autofree Waiter *waiter = data;
    SyncdRecorder *self = waiter->recorder;
    if (self == NULL)
        return;
    self->waits = NULL;
    self->listener.settled(self->listener.data, error);
}

static void wait_for_turn(SyncdRecorder *self)
{
    if (self->waits != NULL)
        return;
    self->waits = g_new(Waiter, 1);
    self->waits->recorder = self;
    syncd_service_after_commit(self->service, on_commit, self->waits);
}

bool syncd_recorder_is_settled(const SyncdRecorder *self)
{
    return self->waits == NULL;
}

/* ---- documents ---- */

void syncd_recorder_set_found(SyncdRecorder *self, const char *found)
{
    self->found = found;
}

static bool find_author(SyncdRecorder *self, const char *author, Author *ret_author, GError **error)
{
    *ret_author = author == NULL                                             ? OWNER
                  : strcmp(author, syncd_service_nobody(self->service)) == 0 ? NOBODY
                                                                             : AGENT;
    if (*ret_author != AGENT || g_strcmp0(author, self->agent) == 0)
        return true;
    if (self->agent != NULL && !syncd_recorder_flush(self, error))
        return false;
    g_free(self->agent);
    self->agent = g_strdup(author);
    return true;
}

/* NULL on failure. */
static Document *open_document(SyncdRecorder *self, Which which, const char *author, GError **error)
{
    Author whose;
    if (!find_author(self, author, &whose, error))
        return NULL;
    Document *document = &self->documents[which][whose];
    if (!document->open)
        syncd_file_changes_begin(&document->writer, document->text, self->found);
    document->open = true;
    return document;
}

static bool add_item(SyncdRecorder *self, Document *document, Which which, guint64 file,
                     const SyncdFileStat *stat, SyncdKept *kept, const char *path, GError **error)
{
    Item item = {.file = file, .path = g_strdup(path), .kept = kept};
    if (stat != NULL)
        item.seen = syncd_file_seen(stat);
    g_array_append_val(document->items, item);
    self->counts[which]++;
    document->content += syncd_kept_weight(kept);
    return (document->text->len < DOCUMENT_FULL && document->content < CONTENT_FULL &&
            document->writer.n < SYNCD_FILES_MAX) ||
           syncd_recorder_flush(self, error);
}

bool syncd_recorder_create(SyncdRecorder *self, const char *author, SyncdFileChange *change,
                           const SyncdFileStat *stat, SyncdKept *kept, const char *path,
                           GError **error)
{
    Document *document = open_document(self, CREATED, author, error);
    if (document == NULL) {
        syncd_kept_free(kept);
        return false;
    }
    guint number = document->writer.n;
    change->content = syncd_kept_content(kept);
    syncd_file_changes_add(&document->writer, change);
    return add_item(self, document, CREATED, number, stat, kept, path, error);
}

/* ---- what is dropped ---- */

/* Beside the version that comes, so many older ones stay. */
bool syncd_recorder_find_dropped(SyncdRecorder *self, guint64 file, guint64 version,
                                 GArray *dropped, GError **error)
{
    SyncdStore *store = syncd_service_store(self->service);
    guint newer = self->root->keep_versions;
    bool found = self->root->keeps;
    for (; found && version > 0; newer = 0) {
        g_auto(SyncdContentRow) row = {0};
        if (!syncd_store_find_content_behind(store, file, version, newer, &row, &found, error))
            return false;
        if (!found)
            break;
        syncd_file_dropped_add(
            dropped, row.version,
            SYNCD_BYTES(g_bytes_get_data(row.chunks, NULL), g_bytes_get_size(row.chunks)));
        version = row.version - 1;
    }
    return true;
}

/* What becomes of content with a change: that of the same version is said once. */
static bool settle_content(SyncdRecorder *self, guint64 file, const SyncdFileChange *change,
                           SyncdKept **kept, GArray *dropped, GError **error)
{
    SyncdFileRow row;
    bool found;
    if (!self->root->keeps || change->kind != SYNCD_FILE_REGULAR || !change->hashed)
        return true;
    if (!syncd_store_find_file(syncd_service_store(self->service), file, &row, &found, error))
        return false;
    bool same = found && row.kind == change->kind && row.hashed &&
                syncd_hash_equal(&row.hash, &change->hash);
    if (same && row.kept)
        g_clear_pointer(kept, syncd_kept_free);
    return !found || syncd_recorder_find_dropped(self, file, same ? row.version - 1 : row.version,
                                                 dropped, error);
}

bool syncd_recorder_change(SyncdRecorder *self, const char *author, guint64 file,
                           SyncdFileChange *change, const SyncdFileStat *stat, SyncdKept *kept,
                           GError **error)
{
    char object[SYNCD_FILE_ID_SIZE];
    g_autoptr(SyncdKept) content = kept;
    g_autoptr(GArray) dropped = syncd_file_dropped_new();
    if (!syncd_store_file_id(syncd_service_store(self->service), file, object, error) ||
        !settle_content(self, file, change, &content, dropped, error))
        return false;
    Document *document = open_document(self, CHANGED, author, error);
    if (document == NULL)
        return false;
    change->object = SYNCD_BYTES_TEXT(object);
    change->content = syncd_kept_content(content);
    change->content.dropped = dropped;
    syncd_file_changes_add(&document->writer, change);
    return add_item(self, document, CHANGED, file, stat, g_steal_pointer(&content), NULL, error);
}

/* What is in a folder is deleted before the folder, whoever does it: where a document is refused,
 * no file stays behind in a folder that is gone. */
static bool end_others(SyncdRecorder *self, Which which, const char *author, GError **error)
{
    Author whose;
    bool others = false;
    if (!find_author(self, author, &whose, error))
        return false;
    for (Author i = 0; i < N_AUTHORS; i++)
        others |= i != whose && self->documents[which][i].open;
    return !others || syncd_recorder_flush(self, error);
}

static bool take_away(SyncdRecorder *self, Which which, const char *author, guint64 file,
                      GError **error)
{
    char object[SYNCD_FILE_ID_SIZE];
    if (!syncd_store_file_id(syncd_service_store(self->service), file, object, error))
        return false;
    if (!end_others(self, which, author, error))
        return false;
    Document *document = open_document(self, which, author, error);
    if (document == NULL)
        return false;
    syncd_file_changes_add_deleted(&document->writer, object);
    return add_item(self, document, which, file, NULL, NULL, NULL, error);
}

bool syncd_recorder_delete(SyncdRecorder *self, const char *author, guint64 file, GError **error)
{
    return take_away(self, DELETED, author, file, error);
}

bool syncd_recorder_ignore(SyncdRecorder *self, guint64 file, GError **error)
{
    return take_away(self, IGNORED, NULL, file, error);
}

bool syncd_recorder_check(SyncdRecorder *self, guint64 file, const SyncdFileStat *stat,
                          const SyncdHash *hash, GError **error)
{
    char object[SYNCD_FILE_ID_SIZE];
    if (!syncd_store_file_id(syncd_service_store(self->service), file, object, error))
        return false;
    Document *document = open_document(self, CHECKED, syncd_service_nobody(self->service), error);
    if (document == NULL)
        return false;
    syncd_file_changes_add_checked(&document->writer, object, stat->size, stat->mtime, hash);
    return add_item(self, document, CHECKED, file, NULL, NULL, NULL, error);
}

/* From now on the files of the document have their numbers. */
static void number(SyncdRecorder *self, const Document *document, Which which, guint64 pos,
                   const char *operation)
{
    bool seen = which == CHANGED || which == CREATED;
    for (guint i = 0; seen && i < document->items->len; i++) {
        const Item *item = &g_array_index(document->items, Item, i);
        guint64 file = which == CREATED ? syncd_file_place(pos, (guint)item->file) : item->file;
        syncd_store_see_file(syncd_service_store(self->service), file, pos, &item->seen);
        if (item->path == NULL)
            continue;
        char object[SYNCD_FILE_ID_SIZE];
        syncd_file_id(SYNCD_BYTES_TEXT(operation), (guint)item->file, object);
        self->listener.folder(self->listener.data, file, object, item->path);
    }
}

/* The content that goes into the log with the document. */
static GArray *rows_of(const Document *document)
{
    GArray *rows = g_array_new(FALSE, FALSE, sizeof(SyncdDraftRow));
    for (guint i = 0; i < document->items->len; i++) {
        SyncdDraftRow row;
        if (syncd_kept_row(g_array_index(document->items, Item, i).kept, &row))
            g_array_append_val(rows, row);
    }
    return rows;
}

/* What was announced may have been taken from whoever did. */
static bool find_actor(SyncdRecorder *self, Which which, Author author, const char **ret_actor,
                       GError **error)
{
    g_autoptr(GError) refusal = NULL;
    const SyncdCaller agent = {
        .uid = syncd_service_owner(self->service), .agent = self->agent, .rehearses = true};
    *ret_actor = author == OWNER   ? NULL
                 : author == AGENT ? self->agent
                                   : syncd_service_nobody(self->service);
    if (author != AGENT ||
        syncd_service_may_write_files(self->service, &agent, self->root->workspace,
                                      which == DELETED, NULL, &refusal))
        return true;
    *ret_actor = syncd_service_nobody(self->service);
    bool refused = g_error_matches(refusal, SYNCD_ERROR, SYNCD_ERROR_ACCESS_DENIED) ||
                   g_error_matches(refusal, SYNCD_ERROR, SYNCD_ERROR_POLICY_DENIED);
    if (!refused)
        g_propagate_error(error, g_steal_pointer(&refusal));
    return refused;
}

static bool write_document(SyncdRecorder *self, Which which, Author author, GError **error)
{
    Document *document = &self->documents[which][author];
    g_autofree char *operation = syncd_service_new_operation(self->service);
    guint64 pos;
    const char *actor;
    if (!document->open)
        return true;
    if (!find_actor(self, which, author, &actor, error))
        return false;
    if (g_strcmp0(actor, syncd_service_nobody(self->service)) == 0)
        syncd_file_changes_end_unknown(&document->writer);
    else
        syncd_file_changes_end(&document->writer);
    g_autoptr(GArray) rows = rows_of(document);
    const SyncdFilesDraft draft = {
        .kind = kinds[which],
        .operation = operation,
        .content = SYNCD_BYTES(document->text->str, document->text->len),
        .rows = (const SyncdDraftRow *)(void *)rows->data,
        .n_rows = rows->len,
        .actor = actor,
    };
    bool done = syncd_service_record_files(self->service, self->root, &draft, &pos, error);
    if (done) {
        wait_for_turn(self);
        number(self, document, which, pos, operation);
    }
    g_string_truncate(document->text, 0);
    g_array_set_size(document->items, 0);
    document->content = 0;
    document->open = false;
    return done;
}

bool syncd_recorder_flush(SyncdRecorder *self, GError **error)
{
    for (size_t i = 0; i < N_DOCUMENTS * N_AUTHORS; i++)
        if (!write_document(self, (Which)(i / N_AUTHORS), (Author)(i % N_AUTHORS), error))
            return false;
    return true;
}

SyncdRecorded syncd_recorder_count(const SyncdRecorder *self)
{
    return (SyncdRecorded){self->counts[CREATED], self->counts[CHANGED] + self->counts[IGNORED],
                           self->counts[DELETED]};
}
