#include "storage-calls-private.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The one global state of the fault suites: what replaces libc has no argument to hang it on. */
static struct {
    char *folder; /* NULL: nothing is watched */
    StorageDecide decide;
    StorageObserve observe;
    void *data;
    guint64 count;
    GHashTable *open; /* fd -> name below the folder */
    bool busy;        /* in a callback, or in here: what is called now is not the store's */
} watch;

void storage_watch(const char *folder, StorageDecide decide, StorageObserve observe, void *data)
{
    storage_unwatch();
    char *real = realpath(folder, NULL);
    g_assert_nonnull(real);
    watch.decide = decide;
    watch.observe = observe;
    watch.data = data;
    watch.count = 0;
    watch.open = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, g_free);
    watch.folder = real;
}

void storage_unwatch(void)
{
    g_clear_pointer(&watch.folder, free);
    g_clear_pointer(&watch.open, g_hash_table_unref);
}

guint64 storage_count(void)
{
    return watch.count;
}

const char *storage_kind_name(StorageKind kind)
{
    static const char *const names[] = {
        [STORAGE_OPEN] = "open",
        [STORAGE_CLOSE] = "close",
        [STORAGE_READ] = "read",
        [STORAGE_WRITE] = "write",
        [STORAGE_TRUNCATE] = "truncate",
        [STORAGE_ALLOCATE] = "allocate",
        [STORAGE_SYNC] = "sync",
        [STORAGE_SYNC_ALL] = "sync-all",
        [STORAGE_SYNC_RANGE] = "sync-range",
        [STORAGE_RENAME] = "rename",
        [STORAGE_LINK] = "link",
        [STORAGE_UNLINK] = "unlink",
        [STORAGE_MKDIR] = "mkdir",
        [STORAGE_RMDIR] = "rmdir",
        [STORAGE_MODE] = "mode",
        [STORAGE_OWNER] = "owner",
    };
    return names[kind];
}

char *storage_describe(const StorageCall *call)
{
    return g_strdup_printf(
        "%" G_GUINT64_FORMAT " %s %s%s%s, %" G_GSIZE_FORMAT " at %" G_GINT64_FORMAT, call->number,
        call->function, call->path[0] != '\0' ? call->path : ".", call->to != NULL ? " to " : "",
        call->to != NULL ? call->to : "", call->size, call->offset);
}

/* ---- which calls are the store's ---- */

/* A copy of the part below the folder, NULL for a path that is elsewhere. */
static char *below_folder(const char *path)
{
    g_autofree char *plain = g_canonicalize_filename(path, NULL);
    size_t size = strlen(watch.folder);
    if (strncmp(plain, watch.folder, size) != 0 || (plain[size] != '/' && plain[size] != '\0'))
        return NULL;
    return g_strdup(plain[size] == '/' ? plain + size + 1 : "");
}

static char *place_of(int at, const char *name)
{
    if (at == AT_FDCWD || name[0] == '/')
        return below_folder(name);
    const char *parent = g_hash_table_lookup(watch.open, GINT_TO_POINTER(at));
    if (parent == NULL)
        return NULL;
    g_autofree char *path = g_build_filename(watch.folder, parent, name, NULL);
    return below_folder(path);
}

bool storage_is_name(StorageCall *call, int at, const char *name)
{
    call->fd = -1;
    if (watch.folder == NULL || watch.busy)
        return false;
    watch.busy = true;
    call->path = place_of(at, name);
    watch.busy = false;
    return call->path != NULL;
}

bool storage_is_to(StorageCall *call, int at, const char *name)
{
    watch.busy = true;
    call->to = place_of(at, name);
    watch.busy = false;
    return call->to != NULL;
}

bool storage_is_fd(StorageCall *call, int fd)
{
    call->fd = fd;
    if (watch.folder == NULL || watch.busy)
        return false;
    call->path = g_strdup(g_hash_table_lookup(watch.open, GINT_TO_POINTER(fd)));
    return call->path != NULL;
}

void storage_opened(int fd, const char *path)
{
    if (watch.open != NULL)
        g_hash_table_replace(watch.open, GINT_TO_POINTER(fd), g_strdup(path));
}

void storage_closed(int fd)
{
    if (watch.open != NULL)
        g_hash_table_remove(watch.open, GINT_TO_POINTER(fd));
}

/* ---- one call ---- */

StorageVerdict storage_enter(StorageCall *call)
{
    StorageVerdict verdict = {STORAGE_PASS};
    call->number = ++watch.count;
    if (watch.decide != NULL) {
        watch.busy = true;
        verdict = watch.decide(watch.data, call);
        watch.busy = false;
    }
    if (verdict.act == STORAGE_KILL)
        raise(SIGKILL);
    if (verdict.act == STORAGE_SHORT)
        call->size = MIN(call->size, verdict.size);
    return verdict;
}

gint64 storage_leave(StorageCall *call, StorageVerdict verdict, gint64 result, int problem)
{
    if (verdict.act == STORAGE_KILL_AFTER)
        raise(SIGKILL);
    if (watch.observe != NULL) {
        watch.busy = true;
        watch.observe(watch.data, call, result, problem);
        watch.busy = false;
    }
    g_free((char *)call->path);
    g_free((char *)call->to);
    errno = problem;
    return result;
}
