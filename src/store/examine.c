#include "store/examine.h"

#include "store/source.h"
#include "store/store-private.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#define BLOBS "blobs"
#define HALF ".new"
#define NEW_INDEX "index.db.new"
#define DEPTH_MAX 4u

/* ---- files ---- */

guint32 syncd_state_file_mode(const SyncdStateFile *file)
{
    return file->folder ? SYNCD_STATE_MODE_FOLDER : SYNCD_STATE_MODE_FILE;
}

typedef struct {
    SyncdStore *store;
    bool (*take)(void *data, const SyncdStateFile *file);
    void *data;
    bool ended;
} Look;

/* Publishing and migrating end before anything else begins; an index, and the copy of a journal
 * that is displaced, are made in steps. */
static bool is_leftover(const SyncdStore *store, const char *name)
{
    const char *base = strrchr(name, '/') != NULL ? strrchr(name, '/') + 1 : name;
    bool makes_index =
        store->remake.index != NULL || (store->index != NULL && syncd_index_is_new(store->index));
    if (g_str_has_prefix(base, NEW_INDEX))
        return !makes_index;
    g_autofree char *copy = syncd_source_half_copy(base);
    return copy != NULL ? store->displaced_copy == NULL
                        : *base == '.' && g_str_has_suffix(base, HALF);
}

static void tell(Look *look, const char *name, const struct stat *st)
{
    const SyncdStateFile file = {
        .name = name,
        .mode = st->st_mode & 07777,
        .uid = st->st_uid,
        .folder = S_ISDIR(st->st_mode),
        .leftover = S_ISREG(st->st_mode) && is_leftover(look->store, name),
    };
    look->ended = !look->take(look->data, &file);
}

static bool look_at(Look *look, const char *name, bool *ret_folder, GError **error)
{
    g_autofree char *path = syncd_directory_file(look->store->directory, name);
    struct stat st;
    *ret_folder = false;
    if (lstat(path, &st) < 0) {
        if (errno == ENOENT)
            return true;
        syncd_set_error_errno(error, SYNCD_ERROR_STORAGE_FAILED, errno, "Cannot look at %s", path);
        return false;
    }
    if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
        return true;
    tell(look, name, &st);
    *ret_folder = S_ISDIR(st.st_mode);
    return true;
}

typedef struct {
    char *name;
    GDir *names; /* NULL: it cannot be listed; it was told of, with its mode */
} Folder;

struct SyncdStateWalk {
    SyncdStore *store;
    bool blobs;
    bool begun;
    GArray *folders; /* Folder, from the top to the one that is being read */
};

static void folder_clear(void *data)
{
    Folder *folder = data;
    g_free(folder->name);
    g_clear_pointer(&folder->names, g_dir_close);
}

SyncdStateWalk *syncd_state_walk_new(SyncdStore *store, bool blobs)
{
    SyncdStateWalk *self = g_new0(SyncdStateWalk, 1);
    self->store = store;
    self->blobs = blobs;
    self->folders = g_array_new(FALSE, FALSE, sizeof(Folder));
    g_array_set_clear_func(self->folders, folder_clear);
    return self;
}

void syncd_state_walk_free(SyncdStateWalk *self)
{
    if (self == NULL)
        return;
    g_array_unref(self->folders);
    g_free(self);
}

/* The next name; NULL: there is none. */
static char *next_name(SyncdStateWalk *self)
{
    if (!self->begun) {
        self->begun = true;
        return g_strdup(".");
    }
    while (self->folders->len > 0) {
        const Folder *last = &g_array_index(self->folders, Folder, self->folders->len - 1);
        const char *base = last->names != NULL ? g_dir_read_name(last->names) : NULL;
        if (base != NULL)
            return strcmp(last->name, ".") == 0 ? g_strdup(base)
                                                : g_build_filename(last->name, base, NULL);
        g_array_set_size(self->folders, self->folders->len - 1);
    }
    return NULL;
}

static void go_in(SyncdStateWalk *self, const char *name)
{
    if (self->folders->len >= DEPTH_MAX || (!self->blobs && strcmp(name, BLOBS) == 0))
        return;
    g_autofree char *path = syncd_directory_file(self->store->directory, name);
    const Folder folder = {g_strdup(name), g_dir_open(path, 0, NULL)};
    g_array_append_val(self->folders, folder);
}

bool syncd_state_walk_step(SyncdStateWalk *self, guint max,
                           bool (*take)(void *data, const SyncdStateFile *file), void *data,
                           bool *ret_more, GError **error)
{
    Look look = {self->store, take, data, false};
    *ret_more = true;
    for (guint i = 0; i < max && *ret_more; i++) {
        bool folder;
        g_autofree char *name = next_name(self);
        if (name != NULL && !look_at(&look, name, &folder, error))
            return false;
        *ret_more = name != NULL && !look.ended;
        if (*ret_more && folder)
            go_in(self, name);
    }
    return true;
}

bool syncd_store_walk_state(SyncdStore *self, bool blobs,
                            bool (*take)(void *data, const SyncdStateFile *file), void *data,
                            GError **error)
{
    bool more;
    g_autoptr(SyncdStateWalk) walk = syncd_state_walk_new(self, blobs);
    return syncd_state_walk_step(walk, G_MAXUINT, take, data, &more, error);
}

bool syncd_store_look_at_state(SyncdStore *self, const char *name,
                               bool (*take)(void *data, const SyncdStateFile *file), void *data,
                               GError **error)
{
    bool folder;
    Look look = {self, take, data, false};
    return look_at(&look, name, &folder, error);
}

bool syncd_store_has_state(SyncdStore *self, const char *name)
{
    return syncd_directory_has(self->directory, name);
}

/* What is written in a ledger may have been written by somebody else. */
bool syncd_state_require_within(const char *name, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(name, "/", -1);
    bool within = *name != '\0' && !g_strv_contains((const char *const *)parts, "..") &&
                  !g_strv_contains((const char *const *)parts, "");
    if (!within)
        syncd_set_error(error, SYNCD_ERROR_FAILED, "What was kept for a repair is damaged");
    return within;
}

/* What is wanted of it. */
typedef struct {
    const char *what;
    bool owner; /* or the mode */
    guint32 mode;
    uid_t uid;
} Change;

static int change_opened(int fd, const Change *change)
{
    g_autofree char *opened = g_strdup_printf("/proc/self/fd/%d", fd);
    struct stat st;
    if (fstat(fd, &st) < 0)
        return errno;
    if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
        return EINVAL;
    if (change->owner)
        return fchownat(fd, "", change->uid, (gid_t)-1, AT_EMPTY_PATH) < 0 ? errno : 0;
    return chmod(opened, change->mode) < 0 ? errno : 0;
}

static bool change_state(SyncdStore *self, const char *name, const Change *change, GError **error)
{
    g_autofree char *path = syncd_directory_file(self->directory, name);
    if (!syncd_state_require_within(name, error))
        return false;
    int fd = (int)TEMP_FAILURE_RETRY(open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC));
    int problem = fd < 0 ? errno : change_opened(fd, change);
    if (fd >= 0)
        close(fd);
    if (problem == 0 || problem == ENOENT)
        return true;
    syncd_set_error_errno(error, SYNCD_ERROR_STORAGE_FAILED, problem, "Cannot change the %s of %s",
                          change->what, path);
    return false;
}

bool syncd_store_set_state_mode(SyncdStore *self, const char *name, guint32 mode, GError **error)
{
    const Change change = {.what = "mode", .mode = mode & 07777};
    return change_state(self, name, &change, error);
}

bool syncd_store_set_state_owner(SyncdStore *self, const char *name, uid_t uid, GError **error)
{
    const Change change = {.what = "owner", .owner = true, .uid = uid};
    return change_state(self, name, &change, error);
}

bool syncd_store_may_set_owners(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
    return syscall(SYS_capget, &header, data) == 0 &&
           (data[CAP_TO_INDEX(CAP_CHOWN)].effective & CAP_TO_MASK(CAP_CHOWN)) != 0;
}

bool syncd_store_sync_state(SyncdStore *self, GError **error)
{
    const char *path = syncd_directory_path(self->directory);
    int fd = (int)TEMP_FAILURE_RETRY(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    int problem = fd < 0 || syncfs(fd) < 0 ? errno : 0;
    if (fd >= 0)
        close(fd);
    if (problem == 0)
        return true;
    syncd_set_error_errno(error, SYNCD_ERROR_STORAGE_FAILED, problem, "Cannot sync %s", path);
    return false;
}

/* ---- keys ---- */

GPtrArray *syncd_store_keys_gone(SyncdStore *self)
{
    return syncd_keyring_gone(self->keyring);
}

/* ---- room ---- */

bool syncd_store_room(SyncdStore *self, SyncdRoom *ret_room, GError **error)
{
    const char *path = syncd_directory_path(self->directory);
    g_autofree char *reserve = syncd_directory_file(self->directory, "reserve");
    struct statvfs fs;
    struct stat st = {0};
    if (statvfs(path, &fs) < 0) {
        syncd_set_error_errno(error, SYNCD_ERROR_STORAGE_FAILED, errno,
                              "Cannot find how much room there is in %s", path);
        return false;
    }
    bool has_reserve = lstat(reserve, &st) == 0;
    *ret_room = (SyncdRoom){
        .total = (guint64)fs.f_blocks * fs.f_frsize,
        .free = (guint64)fs.f_bavail * fs.f_frsize,
        .reserve = self->reserve_bytes,
        .set_aside = has_reserve ? (guint64)st.st_size : 0,
    };
    return true;
}

/* ---- the index ---- */

void syncd_store_index_health(SyncdStore *self, SyncdIndexHealth *ret_health)
{
    guint64 committed = syncd_journal_committed(self->journal), projected = 0;
    *ret_health = (SyncdIndexHealth){
        .serves = self->index != NULL && self->projection == NULL,
        .lost = self->index_lost,
        .lost_ms = self->index_lost_ms,
        .failures = self->index_failures,
        .generation = self->index_generation,
        .behind = committed,
    };
    if (self->index == NULL)
        return;
    ret_health->damage = syncd_database_damage(syncd_index_database(self->index));
    ret_health->elsewhere = syncd_database_is_elsewhere(syncd_index_database(self->index));
    if (self->projection != NULL)
        ret_health->behind = syncd_projection_remaining(self->projection);
    else if (syncd_index_projected(self->index, &projected, NULL))
        ret_health->behind = committed - MIN(projected, committed);
}

bool syncd_store_project_now(SyncdStore *self, GError **error)
{
    self->index_retry_at = 0;
    return syncd_store_settle(self, error);
}
