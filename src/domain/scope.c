#include "domain/scope.h"

#include "base/error.h"
#include "base/id.h"
#include "contract/vocabulary.h"

#include <string.h>

bool syncd_scope_parse(const char *text, const char **ret_class, const char **ret_name,
                       GError **error)
{
    const char *colon = strchr(text, ':');
    size_t class_size = colon != NULL ? (size_t)(colon - text) : strlen(text);
    const char *name = colon != NULL ? colon + 1 : "";
    const char *class =
        syncd_vocabulary_find(SYNCD_WORDS_SCOPE_CLASS, SYNCD_BYTES(text, class_size));
    bool is_device = class != NULL && strcmp(class, "device") == 0;

    if (class == NULL || is_device != (colon == NULL)) {
        g_autofree char *known = syncd_vocabulary_list(SYNCD_WORDS_SCOPE_CLASS);
        syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT,
                        "/scope must be \"device\" or \"<class>:<name>\"; the classes are %s",
                        known);
        return false;
    }
    if (!is_device &&
        (strlen(name) > SYNCD_SCOPE_NAME_MAX || !syncd_id_is_token(name, strlen(name)))) {
        syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT,
                        "/scope: the name must be 1 to %u letters, digits, '.', '_', ':' or '-', "
                        "and begin with a letter or digit",
                        SYNCD_SCOPE_NAME_MAX);
        return false;
    }
    *ret_class = class;
    *ret_name = name;
    return true;
}
