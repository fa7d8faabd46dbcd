/*
 * A workspace whose content is kept, and what is asked of it: shared by the tests of keeping and of
 * restoring.
 */
#pragma once

#include "service/internal.h"
#include "service/job.h"
#include "store-fixture.h"
#include "store/chunks.h"
#include "workspace-fixture.h"
#include "workspace/workspace-private.h"

#define KEEP_TWO "{\"versions\":2,\"max_bytes\":4194304}"

static inline SyncdStore *store_of(WorkspaceFixture *w)
{
    return syncd_service_store(w->f.service);
}

static inline void begin(WorkspaceFixture *w)
{
    begin_workspace(w);
    run_until(w, SYNCD_WORKSPACE_WATCHING);
}

static inline void rescan(WorkspaceFixture *w)
{
    syncd_workspace_scan(w->workspace);
    run_until(w, SYNCD_WORKSPACE_WATCHING);
}

static inline void settle(WorkspaceFixture *w)
{
    while (syncd_service_work(w->f.service))
        ;
}

/* Whether it is looked after or not. */
static inline SyncdFileRow row_of(WorkspaceFixture *w, const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) roots = NULL;
    g_auto(GStrv) names = g_strsplit(path, "/", -1);
    SyncdFileRow row;
    bool found;
    syncd_service_list_roots(w->f.service, &roots, &error);
    g_assert_no_error(error);
    const char *scope = ((SyncdRoot *)roots->pdata[0])->scope_id;
    syncd_store_find_workspace_folder(store_of(w), scope, &row, &found, &error);
    for (guint i = 0; names[i] != NULL; i++) {
        g_assert_no_error(error);
        g_assert_true(found);
        syncd_store_find_file_in(store_of(w), row.id, SYNCD_BYTES_TEXT(names[i]), &row, &found,
                                 &error);
    }
    g_assert_no_error(error);
    g_assert_true(found);
    return row;
}

/* NULL: it is not kept. */
static inline GByteArray *kept(WorkspaceFixture *w, guint64 file, guint64 version)
{
    g_autoptr(GError) error = NULL;
    g_auto(SyncdContentRow) row = {0};
    bool found;
    const char *scope = w->workspace->root->scope_id;
    syncd_store_find_content(store_of(w), file, version, &row, &found, &error);
    g_assert_no_error(error);
    if (!found || row.version != version)
        return NULL;
    GByteArray *content = g_byte_array_new();
    const guint8 *names = g_bytes_get_data(row.chunks, NULL);
    for (guint64 i = 0; i < syncd_file_chunk_count(row.size); i++) {
        SyncdHash name;
        memcpy(name.bytes, names + i * sizeof name.bytes, sizeof name.bytes);
        size_t size = MIN(row.size - i * SYNCD_FILE_CHUNK, SYNCD_FILE_CHUNK);
        g_autoptr(GBytes) part = syncd_store_get_chunk(store_of(w), scope, &name, size,
                                                       row.size <= SYNCD_CONTENT_ROW_MAX, &error);
        g_assert_no_error(error);
        g_byte_array_append(content, g_bytes_get_data(part, NULL), (guint)size);
    }
    g_assert_cmpuint(content->len, ==, row.size);
    return content;
}

static inline void assert_kept(WorkspaceFixture *w, guint64 file, guint64 version,
                               const char *content)
{
    g_autoptr(GByteArray) bytes = kept(w, file, version);
    g_assert_nonnull(bytes);
    g_assert_cmpmem(bytes->data, bytes->len, content, strlen(content));
}

static inline void assert_not_kept(WorkspaceFixture *w, guint64 file, guint64 version)
{
    g_autoptr(GByteArray) bytes = kept(w, file, version);
    g_assert_null(bytes);
}

/* Files beneath blobs/. */
static inline guint count_files(const char *path)
{
    g_autoptr(GDir) folder = g_dir_open(path, 0, NULL);
    const char *name;
    guint n = 0;
    while (folder != NULL && (name = g_dir_read_name(folder)) != NULL) {
        g_autofree char *child = g_build_filename(path, name, NULL);
        n += g_file_test(child, G_FILE_TEST_IS_DIR) ? count_files(child) : 1;
    }
    return n;
}

static inline guint blobs_of(WorkspaceFixture *w)
{
    g_autofree char *path = g_build_filename(w->f.base.directory, "blobs", NULL);
    return count_files(path);
}

static inline guint64 findings(WorkspaceFixture *w)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SyncdVerify) verify = syncd_verify_new(store_of(w), SYNCD_VERIFY_FULL, NULL, &error);
    bool more = true;
    g_assert_no_error(error);
    while (more && syncd_verify_step(verify, &more, &error))
        ;
    g_assert_no_error(error);
    const GPtrArray *list = syncd_verify_findings(verify);
    for (guint i = 0; i < list->len; i++)
        g_test_message("%s", ((const SyncdVerifyFinding *)list->pdata[i])->detail);
    return syncd_verify_n_findings(verify);
}

static inline char *text_of(size_t size, char first)
{
    char *text = g_malloc(size + 1);
    for (size_t at = 0; at < size; at++)
        text[at] = (char)(first + at * 31 % 23 + at / 4096 % 3);
    text[size] = '\0';
    return text;
}
