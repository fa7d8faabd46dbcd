#include "service/file-path.h"

#include "domain/file-changes.h"

#include <string.h>

bool syncd_file_path_take(SyncdBytes *path, SyncdBytes *ret_name)
{
    if (path->size == 0)
        return false;
    const char *slash = memchr(path->data, '/', path->size);
    size_t size = slash != NULL ? (size_t)(slash - (const char *)path->data) : path->size;
    size_t skipped = slash != NULL ? size + 1 : size;
    *ret_name = SYNCD_BYTES(path->data, size);
    *path = SYNCD_BYTES((const char *)path->data + skipped, path->size - skipped);
    return true;
}

bool syncd_file_path_is(SyncdBytes path)
{
    SyncdBytes rest = path, name;
    bool is = path.size <= SYNCD_FILE_PATH_MAX &&
              (path.size == 0 || ((const char *)path.data)[path.size - 1] != '/') &&
              memchr(path.size > 0 ? path.data : "", '\0', path.size) == NULL;
    while (is && syncd_file_path_take(&rest, &name))
        is = name.size > 0 && name.size <= SYNCD_FILE_NAME_MAX && !syncd_bytes_are(name, ".") &&
             !syncd_bytes_are(name, "..");
    return is;
}

bool syncd_file_path_check(SyncdBytes path, GError **error)
{
    if (syncd_file_path_is(path))
        return true;
    syncd_set_error_next(error, SYNCD_ERROR_INVALID_ARGS,
                         "write it as from within the workspace: `folder/file`",
                         "The path must have at most %u bytes, names of 1 to %u bytes other than "
                         "\".\" and \"..\" with one \"/\" between them, and none before or behind",
                         SYNCD_FILE_PATH_MAX, SYNCD_FILE_NAME_MAX);
    return false;
}
