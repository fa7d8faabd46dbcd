/*
 * A workspace in which a file rots: other bytes than were recorded, and nothing that says so.
 */
#pragma once

#include "content-fixture.h"

#define ROTTEN "folder/rotten"
#define WRITTEN "what was written"
#define ROT "what was writteN"

static inline void scan_deep(WorkspaceFixture *w)
{
    syncd_workspace_scan_deep(w->workspace);
    while (standing_of(w).deep.running || standing_of(w).waiting > 0 ||
           syncd_service_has_turn(w->f.service))
        g_assert_true(step_workspace(w, PATIENCE_MS));
}

static inline void write_over(WorkspaceFixture *w, const char *name, const char *content)
{
    g_autofree char *path = path_in(w, name);
    int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
    g_assert_cmpint(write(fd, content, strlen(content)), ==, (int)strlen(content));
    close(fd);
}

static inline SyncdFileSeen seen_of(WorkspaceFixture *w, const char *name,
                                    const SyncdFileSeen *before)
{
    g_autofree char *path = path_in(w, name);
    struct statx st;
    g_assert_cmpint(statx(AT_FDCWD, path, 0, STATX_BASIC_STATS, &st), ==, 0);
    SyncdFileSeen seen = *before;
    seen.size = st.stx_size;
    seen.mtime = st.stx_mtime.tv_sec * G_GINT64_CONSTANT(1000000000) + st.stx_mtime.tv_nsec;
    seen.ctime = st.stx_ctime.tv_sec * G_GINT64_CONSTANT(1000000000) + st.stx_ctime.tv_nsec;
    return seen;
}

static inline void rot_unwatched(WorkspaceFixture *w, const char *name, const char *content)
{
    SyncdFileRow row = row_of(w, name);
    write_over(w, name, content);
    SyncdFileSeen seen = seen_of(w, name, &row.at_sight);
    syncd_store_see_file(store_of(w), row.id, 0, &seen);
}

/* While nobody watches: what the disk does, but for the times, which are taken for those that were
 * seen. */
static inline void rot(WorkspaceFixture *w, const char *name, const char *content)
{
    end_workspace(w);
    rot_unwatched(w, name, content);
    settle(w);
    begin(w);
}

static inline void assert_mismatch(WorkspaceFixture *w, const char *name, const char *found)
{
    SyncdFileRow row = row_of(w, name);
    SyncdHash hash = syncd_hash(found, strlen(found));
    g_assert_true(row.mismatched);
    g_assert_true(syncd_hash_equal(&row.mismatch.hash, &hash));
    g_assert_false(syncd_hash_equal(&row.hash, &hash));
}

static inline guint64 mismatches(WorkspaceFixture *w)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SyncdScope) scope = NULL;
    guint64 n;
    syncd_store_find_scope(store_of(w), "workspace", "notes", &scope, &error);
    g_assert_no_error(error);
    syncd_store_count_mismatched(store_of(w), scope->id, G_MAXUINT64, &n, &error);
    g_assert_no_error(error);
    return n;
}

static inline void two_files(WorkspaceFixture *w, const char *keep)
{
    workspace_init_keeping(w, keep);
    make_folder(w, "folder");
    write_file(w, "folder/rotten", "what was written");
    write_file(w, "sound", "and stays");
    begin(w);
}

/* … which a deep scan has found. */
static inline void one_is_rotten(WorkspaceFixture *w, const char *keep)
{
    two_files(w, keep);
    rot(w, ROTTEN, ROT);
    scan_deep(w);
}
