/*
 * A service with a workspace, and files that were recorded in it: what the tests of those who tell
 * of files share.
 */
#pragma once

#include "registry-fixture.h"
#include "service/files.h"

#define WORKSPACE "workspace:notes"
#define BAD "bad\xff"

typedef struct {
    ServiceFixture f;
    SyncdRoot *root;
    GString *text;
    SyncdFileChangesWriter writer;
    char *operation;
    char *folder; /* the id of the workspace's own */
} Files;

static inline void files_begin(Files *t)
{
    g_string_truncate(t->text, 0);
    syncd_file_changes_begin(&t->writer, t->text, SYNCD_FOUND_SCAN);
    g_free(t->operation);
    t->operation = syncd_service_new_operation(t->f.service);
}

/* The id of what is added to the present document. */
static inline char *files_add(Files *t, const char *folder, const char *name, SyncdFileKind kind)
{
    char id[SYNCD_FILE_ID_SIZE];
    SyncdFileChange change = {
        .folder = SYNCD_BYTES_TEXT(folder),
        .name = SYNCD_BYTES_TEXT(name),
        .kind = kind,
        .mode = 0644,
        .size = 3,
        .mtime = 5,
    };
    syncd_file_id(SYNCD_BYTES_TEXT(t->operation), t->writer.n, id);
    syncd_file_changes_add(&t->writer, &change);
    return g_strdup(id);
}

static inline void files_record(Files *t, const char *kind)
{
    g_autoptr(GError) error = NULL;
    guint64 pos;
    syncd_file_changes_end(&t->writer);
    const SyncdFilesDraft draft = {.kind = kind,
                                   .operation = t->operation,
                                   .content = SYNCD_BYTES(t->text->str, t->text->len)};
    syncd_service_record_files(t->f.service, t->root, &draft, &pos, &error);
    g_assert_no_error(error);
    syncd_service_commit(t->f.service);
}

static inline char *files_make(Files *t, const char *folder, const char *name, SyncdFileKind kind)
{
    files_begin(t);
    char *id = files_add(t, folder, name, kind);
    files_record(t, "object.created");
    return id;
}

static inline void files_init(Files *t, SyncdInstance instance)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) roots = NULL;
    *t = (Files){.text = g_string_new(NULL)};
    service_init_instance(&t->f, instance);
    g_assert_cmpint(register_record(&t->f, "workspace",
                                    "{\"workspace_id\":\"" WORKSPACE
                                    "\",\"profile_id\":\"profile:default\"}"),
                    ==, -1);
    g_assert_cmpint(register_record(&t->f, "root",
                                    "{\"workspace_id\":\"" WORKSPACE
                                    "\",\"directory\":\"/srv/notes\",\"root_state\":\"active\"}"),
                    ==, -1);
    syncd_service_list_roots(t->f.service, &roots, &error);
    g_assert_no_error(error);
    t->root = g_ptr_array_steal_index(roots, 0);
}

/* a, bad, s/, s/c, s/d/, s/d/e, z */
static inline void files_fill(Files *t)
{
    t->folder = files_make(t, "", "", SYNCD_FILE_FOLDER);
    files_begin(t);
    g_free(files_add(t, t->folder, "z", SYNCD_FILE_REGULAR));
    g_free(files_add(t, t->folder, BAD, SYNCD_FILE_REGULAR));
    g_free(files_add(t, t->folder, "a", SYNCD_FILE_REGULAR));
    g_autofree char *s = files_add(t, t->folder, "s", SYNCD_FILE_FOLDER);
    files_record(t, "object.created");
    files_begin(t);
    g_free(files_add(t, s, "c", SYNCD_FILE_SYMLINK));
    g_autofree char *d = files_add(t, s, "d", SYNCD_FILE_FOLDER);
    files_record(t, "object.created");
    g_free(files_make(t, d, "e", SYNCD_FILE_REGULAR));
}

static inline void files_clear(Files *t)
{
    syncd_root_free(t->root);
    g_string_free(t->text, TRUE);
    g_free(t->operation);
    g_free(t->folder);
    service_clear(&t->f);
}
