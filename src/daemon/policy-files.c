#include "daemon/policy-files.h"

#include "daemon/policy-fault.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUFFIX ".json"
#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

/* ---- sources ---- */

static void source_free(void *data)
{
    SyncdPolicySource *source = data;
    g_free(source->name);
    g_free(source->text);
    g_free(source->path);
    g_free(source);
}

GPtrArray *syncd_policy_sources_new(void)
{
    return g_ptr_array_new_with_free_func(source_free);
}

GPtrArray *syncd_policy_sources_parse(SyncdPolicyLevel level, const GPtrArray *sources,
                                      GError **error)
{
    g_autoptr(GPtrArray) rules =
        g_ptr_array_new_with_free_func((GDestroyNotify)syncd_policy_rule_free);
    for (guint i = 0; i < sources->len; i++) {
        const SyncdPolicySource *source = g_ptr_array_index(sources, i);
        GPtrArray *more = syncd_policy_rules_parse(level, source->name,
                                                   SYNCD_BYTES(source->text, source->size), error);
        if (more == NULL) {
            syncd_policy_fault_locate(source, error);
            return NULL;
        }
        g_ptr_array_extend_and_steal(rules, more);
    }
    return g_steal_pointer(&rules);
}

/* ---- who may write rules ---- */

/* In a user namespace root may have another number: the owner of / is root. */
static uid_t root_uid(void)
{
    struct stat status;
    return stat("/", &status) == 0 ? status.st_uid : 0;
}

static bool is_trusted_owner(uid_t uid, const SyncdPolicyDirectory *directory)
{
    return uid == root_uid() ||
           ((directory->own || directory->level == SYNCD_POLICY_USER) && uid == geteuid());
}

static bool check_trust(int fd, const SyncdPolicyDirectory *directory, mode_t type,
                        const char *name, GError **error)
{
    struct stat status;
    if (fstat(fd, &status) != 0) {
        syncd_set_error_errno(error, SYNCD_ERROR_FAILED, errno, "%s", name);
        return false;
    }
    if ((status.st_mode & S_IFMT) != type) {
        syncd_set_error_next(error, SYNCD_ERROR_INVALID_ARGS, "remove it or rename it",
                             "%s: is no regular %s", name, type == S_IFDIR ? "directory" : "file");
        return false;
    }
    if (!is_trusted_owner(status.st_uid, directory)) {
        syncd_set_error_next(error, SYNCD_ERROR_ACCESS_DENIED, "look at it, then chown it",
                             "%s: belongs to uid %u, who may not write rules of the %s", name,
                             (unsigned)status.st_uid, syncd_policy_level_name(directory->level));
        return false;
    }
    if ((status.st_mode & (S_IWGRP | S_IWOTH)) == 0)
        return true;
    syncd_set_error_next(error, SYNCD_ERROR_ACCESS_DENIED, "look at it, then chmod go-w",
                         "%s: others than its owner can write it", name);
    return false;
}

/* ---- one file ---- */

/* The name is one step (NAME_CHARACTERS has no slash), so not following it is all that is needed,
 * also where openat2() is filtered. */
static int open_beneath(int directory, const char *name)
{
    int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC; /* a FIFO must not keep us */
    return (int)TEMP_FAILURE_RETRY(openat(directory, name, flags | O_NOFOLLOW));
}

static char *read_all(int fd, const char *name, size_t *ret_size, GError **error)
{
    g_autofree char *text = g_malloc(SYNCD_POLICY_FILE_MAX + 1);
    size_t size = 0;
    while (size <= SYNCD_POLICY_FILE_MAX) {
        ssize_t got = TEMP_FAILURE_RETRY(read(fd, text + size, SYNCD_POLICY_FILE_MAX + 1 - size));
        if (got < 0) {
            syncd_set_error_errno(error, SYNCD_ERROR_FAILED, errno, "%s", name);
            return NULL;
        }
        if (got == 0)
            break;
        size += (size_t)got;
    }
    *ret_size = size;
    return g_steal_pointer(&text);
}

static SyncdPolicySource *read_file(int at, const SyncdPolicyDirectory *directory, const char *name,
                                    GError **error)
{
    int fd = open_beneath(at, name);
    if (fd < 0) {
        syncd_set_error_errno(error, SYNCD_ERROR_FAILED, errno, "%s", name);
        return NULL;
    }
    size_t size = 0;
    char *text =
        check_trust(fd, directory, S_IFREG, name, error) ? read_all(fd, name, &size, error) : NULL;
    close(fd);
    if (text == NULL)
        return NULL;
    SyncdPolicySource *source = g_new0(SyncdPolicySource, 1);
    *source = (SyncdPolicySource){g_strdup(name), text, size,
                                  g_build_filename(directory->path, name, NULL)};
    return source;
}

/* ---- directories ---- */

/* Where the file of a name is. */
typedef struct {
    const SyncdPolicyDirectory *directory;
    int at;
} Place;

static bool add_name(GTree *files, const char *name, const Place *place, unsigned *count,
                     const char *path, GError **error)
{
    if (*name == '.' || !g_str_has_suffix(name, SUFFIX))
        return true;
    if (strspn(name, NAME_CHARACTERS) != strlen(name)) {
        syncd_set_error_next(error, SYNCD_ERROR_INVALID_ARGS, "rename it",
                             "%s: the name of a file of rules has only letters, digits, '.', '_' "
                             "and '-'",
                             path);
        return false;
    }
    if (++*count > SYNCD_POLICY_FILES_MAX) {
        syncd_set_error_next(error, SYNCD_ERROR_TOO_LARGE, "bring some files together",
                             "%s: has more than %u files of rules", path, SYNCD_POLICY_FILES_MAX);
        return false;
    }
    g_tree_insert(files, g_strdup(name), g_memdup2(place, sizeof *place));
    return true;
}

static bool list_directory(const Place *place, GTree *files, GError **error)
{
    const char *path = place->directory->path;
    int fd = dup(place->at);
    DIR *stream = fd >= 0 ? fdopendir(fd) : NULL;
    unsigned count = 0;
    bool good = stream != NULL;
    if (!good) {
        syncd_set_error_errno(error, SYNCD_ERROR_FAILED, errno, "%s", path);
        if (fd >= 0)
            close(fd);
        return false;
    }
    const struct dirent *entry = NULL;
    for (errno = 0; good && (entry = readdir(stream)) != NULL; errno = 0)
        good = add_name(files, entry->d_name, place, &count, path, error);
    /* A directory that could be read in part has lost rules. */
    if (good && errno != 0) {
        syncd_set_error_errno(error, SYNCD_ERROR_FAILED, errno, "%s", path);
        good = false;
    }
    closedir(stream);
    return good;
}

/* ENOTDIR is also said of a directory that is a file. */
static bool is_missing(const char *path)
{
    return errno == ENOENT || (errno == ENOTDIR && access(path, F_OK) != 0);
}

/* Adds the directory's descriptor to `opened`; one that is not there adds nothing. */
static bool add_directory(const SyncdPolicyDirectory *directory, GTree *files, GArray *opened,
                          GError **error)
{
    int at = open(directory->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (at < 0 && is_missing(directory->path))
        return true;
    if (at < 0) {
        syncd_set_error_errno(error, SYNCD_ERROR_FAILED, errno, "%s", directory->path);
        return false;
    }
    g_array_append_val(opened, at);
    const Place place = {directory, at};
    return check_trust(at, directory, S_IFDIR, directory->path, error) &&
           list_directory(&place, files, error);
}

static int compare_names(const void *one, const void *other, void *unused)
{
    return strcmp(one, other);
}

static bool read_files(GTree *files, GPtrArray *sources, GError **error)
{
    size_t size = 0;
    for (GTreeNode *node = g_tree_node_first(files); node != NULL; node = g_tree_node_next(node)) {
        const Place *place = g_tree_node_value(node);
        const char *name = g_tree_node_key(node);
        SyncdPolicySource *source = read_file(place->at, place->directory, name, error);
        if (source == NULL)
            return false;
        g_ptr_array_add(sources, source);
        size += source->size;
        if (size > SYNCD_POLICY_LEVEL_SIZE_MAX) {
            syncd_set_error_next(error, SYNCD_ERROR_TOO_LARGE, "remove rules",
                                 "%s: with it the files of the %s have more than %u bytes", name,
                                 syncd_policy_level_name(place->directory->level),
                                 SYNCD_POLICY_LEVEL_SIZE_MAX);
            return false;
        }
    }
    return true;
}

GPtrArray *syncd_policy_files_read(const SyncdPolicyDirectory *directories, SyncdPolicyLevel level,
                                   GError **error)
{
    g_autoptr(GPtrArray) sources = syncd_policy_sources_new();
    g_autoptr(GTree) files = g_tree_new_full(compare_names, NULL, g_free, g_free);
    g_autoptr(GArray) opened = g_array_new(FALSE, FALSE, sizeof(int));
    bool good = true;
    for (; good && directories->path != NULL; directories++)
        if (directories->level == level)
            good = add_directory(directories, files, opened, error);
    good = good && read_files(files, sources, error);
    for (guint i = 0; i < opened->len; i++)
        close(g_array_index(opened, int, i));
    return good ? g_steal_pointer(&sources) : NULL;
}
