/*
 * Chunks that nothing names, and what is found of them: what the tests of sweeping share.
 */
#pragma once

#include "diagnose-fixture.h"
#include "repair-fixture.h"

#include "crypto/hash.h"
#include "store/blobs.h"

#include <string.h>

/* As a crash leaves one. */
static inline char *put_orphan(ServiceFixture *f, guint number, SyncdChunkOf of)
{
    g_autofree char *bytes = g_strdup_printf("orphan %u", number);
    SyncdHash name = syncd_hash(bytes, strlen(bytes));
    char *file = syncd_blobs_path(of, &name);
    g_autofree char *path = state_path(f, file), *folder = g_path_get_dirname(path);
    g_mkdir_with_parents(folder, 0700);
    write_private(path, bytes, -1);
    return file;
}

static inline bool is_orphan_there(ServiceFixture *f, const char *file, guint number)
{
    g_autofree char *path = state_path(f, file), *bytes = NULL,
                    *expected = g_strdup_printf("orphan %u", number);
    return g_file_get_contents(path, &bytes, NULL, NULL) && strcmp(bytes, expected) == 0;
}

static inline guint64 orphans_found(ServiceFixture *f)
{
    g_autoptr(GPtrArray) found = syncd_service_diagnose(f->service);
    const SyncdFound *orphans = find(found, "blob-orphaned");
    return orphans != NULL ? orphans->count : 0;
}
