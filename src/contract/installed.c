#include "contract/installed.h"

#include <stdlib.h>

#define ID_SHOWN 100 /* bytes of an unknown id that a message repeats */

static int order_of(const void *id, const void *schema)
{
    return strcmp(id, ((const SyncdInstalledSchema *)schema)->id);
}

const SyncdInstalledSchema *syncd_installed_schema_find(const char *id)
{
    return bsearch(id, syncd_installed_schemas, syncd_n_installed_schemas,
                   sizeof *syncd_installed_schemas, order_of);
}

bool syncd_installed_schema_text(void *user_data, const char *uri, SyncdBytes *ret_text)
{
    if (!g_str_has_prefix(uri, SYNCD_SCHEMA_URI_PREFIX))
        return false;
    const SyncdInstalledSchema *found =
        syncd_installed_schema_find(uri + strlen(SYNCD_SCHEMA_URI_PREFIX));
    if (found == NULL)
        return false;
    *ret_text = SYNCD_BYTES_TEXT(found->text);
    return true;
}

const SyncdSchema *syncd_installed_schema(const char *id, GError **error)
{
    static SyncdSchema **compiled;
    const SyncdSchemaOptions options = {.find = syncd_installed_schema_text};
    const SyncdInstalledSchema *found = syncd_installed_schema_find(id);
    if (found == NULL) {
        syncd_set_error_next(error, SYNCD_ERROR_NOT_FOUND,
                             "see `sourceos-syncd contract list` for those that there are",
                             "There is no contract \"%.*s\"", ID_SHOWN, id);
        return NULL;
    }
    if (compiled == NULL)
        compiled = g_new0(SyncdSchema *, syncd_n_installed_schemas);
    SyncdSchema **slot = &compiled[found - syncd_installed_schemas];
    if (*slot == NULL)
        *slot = syncd_schema_compile(SYNCD_BYTES_TEXT(found->text), &options, error);
    return *slot;
}
