/*
 * A manifest of a migration, a line feed and a document. Whatever the bytes are: the manifest is
 * refused with a place, or its steps make of the document another one that may be read, or are a
 * fault with a place; and it has a way back, which can be gone as safely, exactly when it loses
 * nothing.
 */
#include "fuzz.h"

#include "domain/migration.h"

static bool read_json(const char *text, size_t size, SyncdJson *ret_json)
{
    if (!syncd_json_check(text, size, SYNCD_JSON_MUST_BE_OBJECT, NULL))
        return false;
    *ret_json = syncd_json_root(text, size);
    return true;
}

static GString *run(const SyncdMigration *migration, SyncdJson document)
{
    g_auto(SyncdMigrationFault) fault = {0};
    GString *after = syncd_migration_run(migration, document, &fault);
    LAW((after == NULL) == (fault.sentence != NULL));
    LAW(after != NULL || *fault.path == '/');
    LAW(after == NULL || syncd_json_check(after->str, after->len, SYNCD_JSON_MUST_BE_OBJECT, NULL));
    return after;
}

static void check_back(const SyncdMigration *migration, SyncdJson document, const GString *after)
{
    g_autoptr(GPtrArray) losses = syncd_migration_losses(migration);
    g_autoptr(SyncdMigration) back = syncd_migration_invert(migration);
    LAW((back == NULL) == (losses->len > 0));
    if (back == NULL)
        return;
    SyncdJson changed = syncd_json_root(after->str, after->len);
    g_autoptr(GString) again = run(back, changed);
    LAW(again != NULL || !syncd_migration_leads_back(back, document, changed));
    g_autoptr(SyncdMigration) forth = syncd_migration_invert(back);
    LAW(forth == NULL || forth->steps->len == migration->steps->len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SyncdJson manifest, document;
    g_autoptr(GError) error = NULL;
    const char *text = (const char *)data, *end = size > 0 ? memchr(text, '\n', size) : NULL;
    if (end == NULL || !read_json(text, (size_t)(end - text), &manifest) ||
        !read_json(end + 1, size - (size_t)(end + 1 - text), &document))
        return 0;
    g_autoptr(SyncdMigration) migration = syncd_migration_read(manifest, "/record", &error);
    LAW((migration == NULL) == (error != NULL));
    LAW(error == NULL || g_str_has_prefix(error->message, "/record"));
    if (migration == NULL)
        return 0;
    char digest[SYNCD_DIGEST_SIZE];
    syncd_migration_digest(manifest, digest);
    LAW(g_str_has_prefix(digest, "sha256:"));
    g_autoptr(GString) after = run(migration, document);
    if (after != NULL)
        check_back(migration, document, after);
    return 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    LAW(syncd_hash_init(NULL));
    return 0;
}
