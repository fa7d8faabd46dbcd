#include "store/snapshot.h"

#include "store/aside.h"
#include "store/directory-private.h"
#include "store/repair-store.h"
#include "store/store-private.h"
#include "store/writing.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER "repair"
#define NOTE ".kept"
#define LOST ".lost"
#define NOTE_SIZE_MAX (64u * 1024u * 1024u)
#define BYTES_A_STEP (1024u * 1024u)
#define FILES_A_STEP 200u
#define BUFFER_SIZE (256u * 1024u)

typedef struct {
    char *name;
    guint64 size;
    SyncdHash hash;
    bool hashed; /* else it could not be read when it was noted */
    bool lost;
    bool there; /* of one that is lost: something is */
} File;

struct SyncdSnapshot {
    SyncdStore *store;
    char *snapshot;
    GPtrArray *files; /* File */
    bool compares;    /* it was noted */
    guint at;
    int fd; /* of the one that is being read; -1: none is */
    SyncdHasher *hasher;
};

static void file_free(void *data)
{
    File *file = data;
    g_free(file->name);
    g_free(file);
}

static SyncdSnapshot *kept_new(SyncdStore *store, const char *snapshot, bool compares)
{
    SyncdSnapshot *self = g_new0(SyncdSnapshot, 1);
    self->store = store;
    self->snapshot = g_strdup(snapshot);
    self->files = g_ptr_array_new_with_free_func(file_free);
    self->compares = compares;
    self->fd = -1;
    self->hasher = syncd_hasher_new();
    return self;
}

static void close_file(SyncdSnapshot *self)
{
    if (self->fd >= 0)
        close(self->fd);
    self->fd = -1;
}

void syncd_snapshot_free(SyncdSnapshot *self)
{
    if (self == NULL)
        return;
    close_file(self);
    syncd_hasher_free(self->hasher);
    g_ptr_array_unref(self->files);
    g_free(self->snapshot);
    g_free(self);
}

guint syncd_snapshot_n_files(const SyncdSnapshot *self)
{
    return self->files->len;
}

/* ---- which files ---- */

static bool is_any(const char *name)
{
    return strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

/* "plan.1" is not the beginning of what "plan.10" keeps. */
static bool is_of(const char *name, const char *snapshot)
{
    return g_str_has_prefix(name, snapshot) && !g_ascii_isdigit(name[strlen(snapshot)]);
}

static bool list_names(SyncdStore *store, const char *snapshot, GPtrArray **ret_names,
                       GError **error)
{
    if (!syncd_directory_list(store->directory, FOLDER, is_any, G_MAXUINT - 1, ret_names, error))
        return false;
    for (guint i = (*ret_names)->len; i-- > 0;)
        if (!is_of((*ret_names)->pdata[i], snapshot))
            g_ptr_array_remove_index(*ret_names, i);
    return true;
}

static bool is_noted(const char *name)
{
    static const char *const others[] = {NOTE, LOST, SYNCD_WRITING_SUFFIX};
    for (size_t i = 0; i < G_N_ELEMENTS(others); i++)
        if (g_str_has_suffix(name, others[i]))
            return false;
    return true;
}

static File *add(SyncdSnapshot *self, const char *name)
{
    File *file = g_new0(File, 1);
    file->name = g_strdup(name);
    g_ptr_array_add(self->files, file);
    return file;
}

SyncdSnapshot *syncd_snapshot_list(SyncdStore *store, const char *snapshot, GError **error)
{
    g_autoptr(GPtrArray) names = NULL;
    if (!list_names(store, snapshot, &names, error))
        return NULL;
    SyncdSnapshot *self = kept_new(store, snapshot, false);
    for (guint i = 0; i < names->len; i++)
        if (is_noted(names->pdata[i]))
            add(self, names->pdata[i]);
    return self;
}

/* ---- the note: a line a file ---- */

static char *beside(const char *snapshot, const char *suffix)
{
    return g_strconcat(snapshot, suffix, NULL);
}

char *syncd_snapshot_note(SyncdSnapshot *self, GError **error)
{
    g_autoptr(GString) lines = g_string_new(NULL);
    g_autofree char *name = beside(self->snapshot, NOTE);
    char digits[SYNCD_HASH_HEX_SIZE], digest[SYNCD_DIGEST_SIZE];
    for (guint i = 0; i < self->files->len; i++) {
        const File *file = self->files->pdata[i];
        g_autofree char *escaped = g_uri_escape_string(file->name, NULL, FALSE);
        syncd_hash_to_hex(&file->hash, digits);
        g_string_append_printf(lines, "%s %" G_GUINT64_FORMAT " %s\n", file->hashed ? digits : "-",
                               file->size, escaped);
    }
    SyncdHash hash = syncd_hash(lines->str, lines->len);
    syncd_hash_to_digest(&hash, digest);
    return self->files->len > 0 &&
                   syncd_store_put_repair(self->store, name, SYNCD_BYTES(lines->str, lines->len),
                                          error)
               ? g_strdup(digest)
               : NULL;
}

static bool read_line(SyncdSnapshot *self, const char *line)
{
    g_auto(GStrv) parts = g_strsplit(line, " ", 3);
    if (g_strv_length(parts) != 3)
        return *line == '\0';
    g_autofree char *name = g_uri_unescape_string(parts[2], NULL);
    if (name == NULL)
        return false;
    File *file = add(self, name);
    file->size = g_ascii_strtoull(parts[1], NULL, 10);
    file->hashed = syncd_hash_from_hex(parts[0], strlen(parts[0]), &file->hash);
    return true;
}

static bool read_note(SyncdSnapshot *self, const char *text, size_t size, const char *digest)
{
    char found[SYNCD_DIGEST_SIZE];
    SyncdHash hash = syncd_hash(text, size);
    syncd_hash_to_digest(&hash, found);
    if (strcmp(found, digest) != 0)
        return false;
    bool sound = true;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line != NULL; line++)
        sound &= read_line(self, *line);
    return sound;
}

static bool is_final(const GError *problem)
{
    return g_error_matches(problem, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND) ||
           g_error_matches(problem, SYNCD_ERROR, SYNCD_ERROR_TOO_LARGE);
}

SyncdSnapshot *syncd_snapshot_load(SyncdStore *store, const char *snapshot, const char *digest,
                                   GError **error)
{
    size_t size = 0;
    g_autoptr(GError) problem = NULL;
    g_autofree char *name = beside(snapshot, NOTE);
    g_autofree char *text = syncd_store_get_repair(store, name, NOTE_SIZE_MAX, &size, &problem);
    if (text == NULL && !is_final(problem)) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return NULL;
    }
    SyncdSnapshot *self = kept_new(store, snapshot, true);
    if (text != NULL && read_note(self, text, size, digest))
        return self;
    g_ptr_array_set_size(self->files, 0);
    File *note = add(self, name);
    note->lost = true;
    note->there = text != NULL;
    return self;
}

/* ---- what is there ---- */

static char *path_of(const SyncdSnapshot *self, const File *file)
{
    g_autofree char *name = g_build_filename(FOLDER, file->name, NULL);
    return syncd_directory_file(self->store->directory, name);
}

static void lose(SyncdSnapshot *self, File *file, bool there)
{
    file->lost = self->compares;
    file->there = there;
    file->hashed &= self->compares;
}

/* False: there is nothing to read of it. */
static bool look_at(SyncdSnapshot *self, File *file)
{
    struct stat st;
    g_autofree char *path = path_of(self, file);
    if (lstat(path, &st) < 0) {
        if (!syncd_aside_is_mode(file->name))
            lose(self, file, false);
        return false;
    }
    if (!self->compares)
        file->size = (guint64)st.st_size;
    else if (file->hashed && (!S_ISREG(st.st_mode) || (guint64)st.st_size != file->size))
        lose(self, file, true);
    return S_ISREG(st.st_mode) && !file->lost && (file->hashed || !self->compares);
}

void syncd_snapshot_look(SyncdSnapshot *self)
{
    for (guint i = 0; i < self->files->len; i++) {
        File *file = self->files->pdata[i];
        if (!file->lost)
            look_at(self, file);
    }
}

/* Of what is noted now nobody has to know why. */
static bool could_not_read(SyncdSnapshot *self, const File *file, GError **error)
{
    int problem = errno;
    close_file(self);
    syncd_hasher_finish(self->hasher);
    if (!self->compares)
        return true;
    syncd_set_error_errno(error, SYNCD_ERROR_STORAGE_FAILED, problem,
                          "What was kept for a repair cannot be read (" FOLDER "/%s)", file->name);
    return false;
}

static bool open_file(SyncdSnapshot *self, const File *file)
{
    g_autofree char *path = path_of(self, file);
    self->fd = (int)TEMP_FAILURE_RETRY(open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    return self->fd >= 0;
}

/* An index is not synced by whoever wrote it: after a power cut it would have other bytes than are
 * noted here. */
static void end_file(SyncdSnapshot *self, File *file)
{
    SyncdHash hash = syncd_hasher_finish(self->hasher);
    bool lasts = self->compares || syncd_fd_sync(self->fd);
    close_file(self);
    if (self->compares && !syncd_hash_equal(&hash, &file->hash))
        lose(self, file, true);
    file->hash = self->compares ? file->hash : hash;
    file->hashed = lasts;
}

/* `*size`: so much was read so far. */
static bool read_file(SyncdSnapshot *self, File *file, size_t *size, bool *ret_ended,
                      GError **error)
{
    g_autofree guint8 *buffer = g_malloc(BUFFER_SIZE);
    *ret_ended = true;
    while (*size < BYTES_A_STEP) {
        ssize_t n = TEMP_FAILURE_RETRY(read(self->fd, buffer, BUFFER_SIZE));
        if (n < 0)
            return could_not_read(self, file, error);
        if (n == 0) {
            end_file(self, file);
            return true;
        }
        syncd_hasher_update(self->hasher, buffer, (size_t)n);
        *size += (size_t)n;
    }
    *ret_ended = false;
    return true;
}

bool syncd_snapshot_read(SyncdSnapshot *self, bool *ret_more, GError **error)
{
    size_t size = 0;
    *ret_more = true;
    for (guint n = 0; n < FILES_A_STEP && size < BYTES_A_STEP && self->at < self->files->len; n++) {
        File *file = self->files->pdata[self->at];
        bool ended = true;
        if (self->fd < 0 && (file->lost || !look_at(self, file))) {
            self->at++;
            continue;
        }
        bool ok = self->fd >= 0 || open_file(self, file)
                      ? read_file(self, file, &size, &ended, error)
                      : could_not_read(self, file, error);
        if (!ok)
            return false;
        self->at += ended;
    }
    *ret_more = self->at < self->files->len;
    return true;
}

/* ---- what is lost ---- */

static void lost_free(void *data)
{
    SyncdLostKept *lost = data;
    g_free(lost->name);
    g_free(lost);
}

static void add_lost(GPtrArray *list, const char *name, bool there)
{
    SyncdLostKept *lost = g_new(SyncdLostKept, 1);
    *lost = (SyncdLostKept){g_strdup(name), there};
    g_ptr_array_add(list, lost);
}

GPtrArray *syncd_snapshot_lost(const SyncdSnapshot *self)
{
    GPtrArray *list = g_ptr_array_new_with_free_func(lost_free);
    for (guint i = 0; i < self->files->len; i++) {
        const File *file = self->files->pdata[i];
        if (file->lost)
            add_lost(list, file->name, file->there);
    }
    return list;
}

bool syncd_snapshot_put_lost(SyncdStore *store, const char *snapshot, const GPtrArray *lost,
                             GError **error)
{
    g_autoptr(GString) lines = g_string_new(NULL);
    g_autofree char *name = beside(snapshot, LOST);
    for (guint i = 0; i < lost->len; i++) {
        const SyncdLostKept *one = lost->pdata[i];
        g_autofree char *escaped = g_uri_escape_string(one->name, NULL, FALSE);
        g_string_append_printf(lines, "%d %s\n", one->there, escaped);
    }
    return syncd_store_put_repair(store, name, SYNCD_BYTES(lines->str, lines->len), error);
}

GPtrArray *syncd_snapshot_get_lost(SyncdStore *store, const char *snapshot, GError **error)
{
    size_t size;
    g_autofree char *name = beside(snapshot, LOST);
    if (!syncd_store_has_repair(store, name))
        return NULL;
    g_autofree char *text = syncd_store_get_repair(store, name, NOTE_SIZE_MAX, &size, error);
    if (text == NULL)
        return NULL;
    GPtrArray *list = g_ptr_array_new_with_free_func(lost_free);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line != NULL; line++) {
        g_autofree char *file = strlen(*line) > 2 ? g_uri_unescape_string(*line + 2, NULL) : NULL;
        if (file != NULL)
            add_lost(list, file, **line == '1');
    }
    return list;
}

bool syncd_lost_has(const GPtrArray *lost, const char *name)
{
    for (guint i = 0; lost != NULL && i < lost->len; i++) {
        const char *one = ((const SyncdLostKept *)lost->pdata[i])->name;
        if (g_str_has_prefix(one, name) &&
            (one[strlen(name)] == '\0' || syncd_aside_is_mode(one + strlen(name))))
            return true;
    }
    return false;
}

bool syncd_lost_has_note(const GPtrArray *lost, const char *snapshot)
{
    g_autofree char *name = beside(snapshot, NOTE);
    return syncd_lost_has(lost, name);
}

/* ---- the end of it ---- */

bool syncd_snapshot_remove(SyncdStore *store, const char *snapshot, bool *ret_more, GError **error)
{
    g_autoptr(GPtrArray) names = NULL;
    *ret_more = false;
    return list_names(store, snapshot, &names, error) &&
           (names->len == 0 || syncd_store_remove_repairs(store, names, ret_more, error));
}
