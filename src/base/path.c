#include "base/path.h"

#include <stddef.h>
#include <string.h>

const char *syncd_path_below(const char *path, const char *folder)
{
    size_t size = strlen(folder);
    if (strncmp(path, folder, size) != 0 || (path[size] != '\0' && path[size] != '/'))
        return NULL;
    return path[size] == '/' ? path + size + 1 : path + size;
}

bool syncd_path_lies_in(const char *path, const char *folder)
{
    return syncd_path_below(path, folder) != NULL;
}
