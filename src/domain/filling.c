#include "domain/filling.h"

#include <glib.h>
#include <string.h>

bool syncd_filling_is_name(SyncdBytes name)
{
    size_t prefix = strlen(SYNCD_FILLING_PREFIX);
    const char *text = name.data;
    if (name.size != prefix + SYNCD_FILLING_DIGITS ||
        memcmp(text, SYNCD_FILLING_PREFIX, prefix) != 0)
        return false;
    for (size_t i = prefix; i < name.size; i++)
        if (!g_ascii_isxdigit(text[i]) || g_ascii_isupper(text[i]))
            return false;
    return true;
}
