/*
 * A workspace over a directory of its own, with a reader in a process of its own.
 */
#pragma once

#include "reader/reader.h"
#include "registry-fixture.h"
#include "service/files.h"
#include "workspace/workspace.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_MS 20000

/* Where a reader is, if not in a process of its own. */
typedef struct {
    SyncdReaderProcess *(*begin)(void);
    void (*end)(void); /* when the daemon has closed its socket */
} ReaderPlace;

typedef struct {
    ServiceFixture f;
    char *directory;
    SyncdWorkspace *workspace;
    const ReaderPlace *place; /* NULL: in such a process … */
    pid_t reader;             /* … which is this one */
    GPtrArray *roots;
    void *data; /* of the test */
} WorkspaceFixture;

static inline char *path_in(WorkspaceFixture *w, const char *name)
{
    return g_build_filename(w->directory, name, NULL);
}

static inline void write_file(WorkspaceFixture *w, const char *name, const char *content)
{
    g_autofree char *path = path_in(w, name);
    g_assert_true(
        g_file_set_contents_full(path, content, -1, G_FILE_SET_CONTENTS_NONE, 0644, NULL));
}

static inline void make_folder(WorkspaceFixture *w, const char *name)
{
    g_autofree char *path = path_in(w, name);
    g_assert_cmpint(g_mkdir(path, 0755), ==, 0);
}

static inline void rename_file(WorkspaceFixture *w, const char *from, const char *to)
{
    g_autofree char *old = path_in(w, from), *new = path_in(w, to);
    g_assert_cmpint(rename(old, new), ==, 0);
}

static inline void remove_file(WorkspaceFixture *w, const char *name)
{
    g_autofree char *path = path_in(w, name);
    g_assert_cmpint(g_remove(path), ==, 0);
}

static inline SyncdReaderProcess *begin_reader(WorkspaceFixture *w)
{
    int ends[2];
    if (w->place != NULL)
        return w->place->begin();
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), ==, 0);
    w->reader = fork();
    g_assert_cmpint(w->reader, >=, 0);
    if (w->reader == 0) {
        close(ends[0]);
        _exit(syncd_reader_run(ends[1], NULL) ? 0 : 1);
    }
    close(ends[1]);
    return syncd_reader_process_new(ends[0]);
}

static inline void nobody_listens(void *data)
{
}

/* What is never looked into. */
static inline SyncdFileStat hidden_in(WorkspaceFixture *w)
{
    g_autofree char *path = path_in(w, "hidden/state");
    struct stat st;
    if (stat(path, &st) < 0)
        return (SyncdFileStat){0};
    return (SyncdFileStat){.kind = SYNCD_FILE_FOLDER, .device = st.st_dev, .inode = st.st_ino};
}

static inline void begin_workspace(WorkspaceFixture *w)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) roots = NULL;
    syncd_service_list_roots(w->f.service, &roots, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(roots->len, ==, 1);
    const SyncdFileStat hidden = hidden_in(w);
    w->workspace = syncd_workspace_new(w->f.service, g_ptr_array_steal_index(roots, 0),
                                       begin_reader(w), &hidden, nobody_listens, NULL);
}

static inline void end_workspace(WorkspaceFixture *w)
{
    int status;
    g_clear_pointer(&w->workspace, syncd_workspace_free);
    if (w->place != NULL) {
        w->place->end();
        return;
    }
    g_assert_cmpint(waitpid(w->reader, &status, 0), ==, w->reader);
    g_assert_cmpint(status, ==, 0);
}

static inline SyncdWorkspaceStanding standing_of(WorkspaceFixture *w)
{
    SyncdWorkspaceStanding standing;
    syncd_workspace_standing(w->workspace, &standing);
    return standing;
}

/* One step of the loop that the daemon is; false when nothing happened in so many milliseconds. */
static inline bool step_workspace(WorkspaceFixture *w, int wait_ms)
{
    struct pollfd ready = {.fd = syncd_workspace_fd(w->workspace),
                           .events = syncd_workspace_events(w->workspace)};
    if (syncd_service_has_turn(w->f.service)) {
        syncd_service_commit(w->f.service);
        return true;
    }
    if (poll(&ready, 1, 0) == 0 && syncd_service_work(w->f.service))
        return true;
    guint64 now = syncd_service_clock(w->f.service), due = syncd_workspace_due(w->workspace);
    if (due <= now) {
        syncd_workspace_tick(w->workspace);
        return true;
    }
    if (poll(&ready, 1, wait_ms) == 0)
        return false;
    syncd_workspace_dispatch(w->workspace);
    return true;
}

static inline void run_until(WorkspaceFixture *w, SyncdWorkspaceState state)
{
    while (standing_of(w).state != state)
        g_assert_true(step_workspace(w, PATIENCE_MS));
}

/* Until as much was recorded. */
static inline void run_until_recorded(WorkspaceFixture *w, guint64 created, guint64 changed,
                                      guint64 deleted)
{
    for (;;) {
        SyncdWorkspaceStanding now = standing_of(w);
        if (now.created >= created && now.changed >= changed && now.deleted >= deleted &&
            now.waiting == 0 && !syncd_service_has_turn(w->f.service))
            break;
        g_assert_true(step_workspace(w, PATIENCE_MS));
    }
    SyncdWorkspaceStanding now = standing_of(w);
    g_assert_cmpuint(now.created, ==, created);
    g_assert_cmpuint(now.changed, ==, changed);
    g_assert_cmpuint(now.deleted, ==, deleted);
}

/* `keep`: which content is kept, as in the record; NULL: none. */
static inline void register_workspace(WorkspaceFixture *w, const char *keep)
{
    g_autofree char *root = g_strdup_printf(
        "{\"root_id\":\"r1\",\"workspace_id\":\"workspace:notes\",\"directory\":\"%s\","
        "\"root_state\":\"active\",\"x_note\":\"mine\"%s%s}",
        w->directory, keep != NULL ? ",\"keep\":" : "", keep != NULL ? keep : "");
    g_assert_cmpint(register_record(&w->f, "workspace",
                                    "{\"workspace_id\":\"workspace:notes\","
                                    "\"profile_id\":\"profile:default\"}"),
                    ==, -1);
    g_assert_cmpint(register_record(&w->f, "root", root), ==, -1);
}

/* `owner`: whose instance it is. */
static inline void workspace_init_of(WorkspaceFixture *w, uid_t owner, const char *keep)
{
    *w = (WorkspaceFixture){.directory = g_dir_make_tmp("syncd-tree-XXXXXX", NULL)};
    service_init_of(&w->f, SYNCD_INSTANCE_USER, owner);
    register_workspace(w, keep);
}

static inline void workspace_init_keeping(WorkspaceFixture *w, const char *keep)
{
    workspace_init_of(w, geteuid(), keep);
}

static inline void workspace_init(WorkspaceFixture *w)
{
    workspace_init_keeping(w, NULL);
}

static inline void workspace_clear(WorkspaceFixture *w)
{
    if (w->workspace != NULL)
        end_workspace(w);
    service_clear(&w->f);
    fixture_remove(w->directory);
    g_free(w->directory);
}

/* ---- the log as a tree ---- */

typedef struct {
    WorkspaceFixture *w;
    GString *out;
    GArray *folders;
    GPtrArray *paths;
    const char *path;
} Listing;

static inline bool list_row(void *data, const SyncdFileRow *row)
{
    Listing *listing = data;
    char *path = g_build_filename(listing->path, row->name, NULL);
    g_string_append_printf(listing->out, "%s v%d%s\n", path, (int)row->version,
                           row->kind == SYNCD_FILE_FOLDER    ? "/"
                           : row->kind == SYNCD_FILE_SYMLINK ? "@"
                                                             : "");
    if (row->kind == SYNCD_FILE_FOLDER) {
        g_array_append_val(listing->folders, row->id);
        g_ptr_array_add(listing->paths, path);
    } else {
        g_free(path);
    }
    return true;
}

/* One line a file: its path beneath the workspace, its version, and what it is. */
static inline char *recorded_tree(WorkspaceFixture *w)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) folders = g_array_new(FALSE, FALSE, sizeof(guint64));
    g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
    SyncdStore *store = syncd_service_store(w->f.service);
    g_autoptr(GPtrArray) roots = NULL;
    SyncdFileRow row;
    bool found;
    Listing listing = {w, g_string_new(NULL), folders, paths, ""};
    syncd_service_list_roots(w->f.service, &roots, &error);
    g_assert_no_error(error);
    syncd_store_find_workspace_folder(store, ((SyncdRoot *)roots->pdata[0])->scope_id, &row, &found,
                                      &error);
    g_assert_no_error(error);
    if (!found)
        return g_string_free(listing.out, FALSE);
    g_array_append_val(folders, row.id);
    g_ptr_array_add(paths, g_strdup(""));
    for (guint i = 0; i < folders->len; i++) {
        listing.path = paths->pdata[i];
        syncd_store_walk_folder(store, g_array_index(folders, guint64, i), list_row, &listing,
                                &error);
        g_assert_no_error(error);
    }
    return g_string_free(listing.out, FALSE);
}

static inline void assert_tree(WorkspaceFixture *w, const char *expected)
{
    g_autofree char *tree = recorded_tree(w);
    g_assert_cmpstr(tree, ==, expected);
}
