#include "service/retention.h"

#include "base/log.h"
#include "service/files.h"
#include "service/internal.h"
#include "store/chunks.h"

#include <string.h>

#define AGAIN_USEC (24u * 3600u * G_USEC_PER_SEC)
#define DAY_MS G_GUINT64_CONSTANT(86400000)
#define FILES_A_STEP 64u
/* As in recorder.c: the document lies in the journal itself. */
#define DOCUMENT_FULL (48u * 1024u)

/* A document of one root's workspace. */
typedef struct {
    SyncdService *service;
    GPtrArray *roots;
    guint fewest; /* older versions that any of them keeps; G_MAXUINT: none keeps any content */
    guint64 now_ms;
    const SyncdRoot *root; /* NULL: there is nothing in it yet */
    GString *text;
    SyncdFileChangesWriter writer;
} Dropping;

static void dropping_clear(Dropping *self)
{
    g_clear_pointer(&self->roots, g_ptr_array_unref);
    g_string_free(self->text, TRUE);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Dropping, dropping_clear)

/* What goes of a file: of its versions up to one, those behind so many newer ones. */
typedef struct {
    const SyncdRoot *root; /* NULL: nothing does */
    guint64 version;
    guint newer;
} Due;

/* ---- whose time has come ---- */

static guint find_fewest(const GPtrArray *roots)
{
    guint fewest = G_MAXUINT;
    for (guint i = 0; i < roots->len; i++) {
        const SyncdRoot *root = roots->pdata[i];
        fewest = root->keeps ? MIN(fewest, root->keep_versions) : fewest;
    }
    return fewest;
}

static const SyncdRoot *root_of(const Dropping *self, SyncdBytes scope)
{
    for (guint i = 0; i < self->roots->len; i++) {
        const SyncdRoot *root = self->roots->pdata[i];
        if (syncd_bytes_are(scope, root->scope_id))
            return root;
    }
    return NULL;
}

static bool has_more(const Dropping *self, const SyncdFileRow *row, guint keeps, bool *ret_more,
                     GError **error)
{
    g_auto(SyncdContentRow) content = {0};
    *ret_more = false;
    return keeps == G_MAXUINT ||
           syncd_store_find_content_behind(self->service->store, row->id, row->version - 1, keeps,
                                           &content, ret_more, error);
}

static bool find_due(const Dropping *self, guint64 file, Due *ret_due, GError **error)
{
    SyncdFileRow row;
    bool found, more = true;
    g_auto(SyncdEntry) entry = {0};
    SyncdStore *store = self->service->store;
    *ret_due = (Due){NULL, G_MAXINT64, 0};
    if (!syncd_store_find_file(store, file, &row, &found, error))
        return false;
    /* Of most that exist there is nothing to drop, whosever they are. */
    if (found && row.live && !has_more(self, &row, self->fewest, &more, error))
        return false;
    if (!found || !more)
        return true;
    if (!syncd_store_read(store, syncd_file_place_pos(row.changed), &entry, error))
        return false;
    const SyncdRoot *root = root_of(self, entry.header.scope);
    if (root == NULL)
        return true;
    if (row.live) {
        guint keeps = root->keeps ? root->keep_versions : G_MAXUINT;
        if (!has_more(self, &row, keeps, &more, error))
            return false;
        *ret_due = (Due){more ? root : NULL, row.version - 1, keeps};
    } else if (root->deleted_days == 0 ||
               entry.header.hlc.ms + root->deleted_days * DAY_MS <= self->now_ms) {
        ret_due->root = root;
    }
    return true;
}

/* ---- what is dropped ---- */

/* `*ret_whole`: all of it that is due. */
static bool add_file(Dropping *self, guint64 file, const Due *due, bool *ret_whole, GError **error)
{
    SyncdStore *store = self->service->store;
    char object[SYNCD_FILE_ID_SIZE];
    g_autoptr(GArray) dropped = syncd_file_dropped_new();
    guint64 version = due->version;
    guint newer = due->newer;
    size_t size = self->text->len;
    *ret_whole = false;
    for (; version > 0 && size < DOCUMENT_FULL; newer = 0) {
        g_auto(SyncdContentRow) row = {0};
        bool found;
        if (!syncd_store_find_content_behind(store, file, version, newer, &row, &found, error))
            return false;
        *ret_whole = !found;
        if (!found)
            break;
        SyncdBytes chunks = {g_bytes_get_data(row.chunks, NULL), g_bytes_get_size(row.chunks)};
        syncd_file_dropped_add(dropped, row.version, chunks);
        size += SYNCD_HASH_HEX_SIZE + 2 * chunks.size + chunks.size / 8;
        version = row.version - 1;
        *ret_whole = version == 0;
    }
    if (!syncd_store_file_id(store, file, object, error))
        return false;
    syncd_file_changes_add_dropped(&self->writer, object, dropped);
    return true;
}

static bool collect(Dropping *self, bool *ret_end, GError **error)
{
    SyncdService *service = self->service;
    *ret_end = false;
    for (guint i = 0; i < FILES_A_STEP && self->text->len < DOCUMENT_FULL; i++) {
        guint64 file;
        Due due;
        bool whole = true;
        if (!syncd_store_next_kept(service->store, service->retained, &file, error))
            return false;
        *ret_end = file == 0;
        if (file == 0)
            return true;
        if (!find_due(self, file, &due, error))
            return false;
        if (due.root != NULL && self->root == NULL)
            syncd_file_changes_begin(&self->writer, self->text, SYNCD_FOUND_RETENTION);
        if (due.root != NULL && self->root != NULL && due.root != self->root)
            return true;
        self->root = due.root != NULL ? due.root : self->root;
        if (due.root != NULL && !add_file(self, file, &due, &whole, error))
            return false;
        if (!whole)
            return true;
        service->retained = file;
    }
    return true;
}

/* No clock alone says that it is so late. */
static guint64 find_now(const SyncdService *service)
{
    guint64 passed_ms = (syncd_service_monotonic(service) - service->begin_usec) / 1000;
    return MIN(syncd_service_now_ms(service), service->opened_ms + passed_ms);
}

static bool step(SyncdService *service, bool *ret_end, GError **error)
{
    guint64 pos;
    g_auto(Dropping)
        dropping = {.service = service, .text = g_string_new(NULL), .now_ms = find_now(service)};
    *ret_end = false;
    if (!syncd_service_list_roots(service, &dropping.roots, error))
        return false;
    dropping.fewest = find_fewest(dropping.roots);
    if (!collect(&dropping, ret_end, error))
        return false;
    if (dropping.root == NULL)
        return true;
    if (!syncd_service_find_own(service, error))
        return false;
    syncd_file_changes_end(&dropping.writer);
    g_autofree char *operation = syncd_service_new_operation(service);
    const SyncdFilesDraft draft = {
        .kind = "object.changed",
        .operation = operation,
        .content = SYNCD_BYTES(dropping.text->str, dropping.text->len),
        .actor = service->own_actor,
    };
    return syncd_service_record_files(service, dropping.root, &draft, &pos, error);
}

static bool may_step(const SyncdService *service)
{
    return !syncd_service_has_turn(service) &&
           syncd_store_condition(service->store) == SYNCD_STORE_WRITABLE &&
           !syncd_store_is_indexing(service->store) && !syncd_store_lacks_index(service->store);
}

void syncd_service_retain_soon(SyncdService *service, const GPtrArray *roots)
{
    g_autoptr(GString) rules = g_string_new(NULL);
    for (guint i = 0; i < roots->len; i++) {
        const SyncdRoot *root = roots->pdata[i];
        g_string_append_printf(rules, "%s %u %d %u\n", root->scope_id, root->deleted_days,
                               root->keeps, root->keep_versions);
    }
    if (g_strcmp0(rules->str, service->retention_rules) == 0)
        return;
    g_free(service->retention_rules);
    service->retention_rules = g_string_free(g_steal_pointer(&rules), FALSE);
    service->retains = false;
    service->retention_usec = 0;
    syncd_service_ask_for_work(service);
}

bool syncd_service_retain(SyncdService *service)
{
    g_autoptr(GError) error = NULL;
    guint64 now = syncd_service_monotonic(service);
    bool end = false;
    if (!may_step(service))
        return false;
    if (!service->retains && now < service->retention_usec)
        return false;
    if (!service->retains)
        service->retained = 0;
    service->retains = true;
    if (!step(service, &end, &error))
        syncd_log(SYNCD_LOG_WARNING, SYNCD_LOG_ID_NONE,
                  "Content of files is kept longer than it is to be: %s", error->message);
    if (end || error != NULL) {
        service->retains = false;
        service->retention_usec = now + AGAIN_USEC;
        return false;
    }
    /* Once the turn is committed it goes on. */
    return !syncd_service_has_turn(service);
}
