/*
 * Ignore rules, as anybody may write them into a workspace: the first line is a path, the rest the
 * rules of its workspace. What is above a path that is not ignored is not ignored either, one name
 * in a folder is what the whole path says of it, and nothing takes more steps than it may.
 */
#include "fuzz.h"

#include "domain/ignore.h"

static void check_path(const SyncdIgnore *ignore, SyncdBytes path)
{
    SyncdIgnoreVerdict whole = syncd_ignore_judge(ignore, path, false);
    const char *text = path.data;
    size_t folder = path.size;
    while (folder > 0 && text[folder - 1] != '/')
        folder--;
    SyncdBytes name = SYNCD_BYTES(text + folder, path.size - folder);
    SyncdBytes above = SYNCD_BYTES(text, folder > 0 ? folder - 1 : 0);
    LAW(!whole.ignored || whole.by_rule);
    if (whole.by_rule)
        LAW(whole.line > 0 && whole.pattern.size > 0 && whole.path.size <= path.size &&
            whole.ignored == (*(const char *)whole.pattern.data != '!'));
    if (above.size == 0 || !syncd_ignore_judge(ignore, above, true).ignored)
        LAW(syncd_ignore_has(ignore, above, name, false) == whole.ignored);
    else
        LAW(whole.ignored);
}

static bool is_path(SyncdBytes path)
{
    const char *text = path.data;
    bool is = path.size > 0 && text[0] != '/' && text[path.size - 1] != '/' &&
              memchr(text, '\0', path.size) == NULL;
    for (size_t i = 1; is && i < path.size; i++)
        is = text[i] != '/' || text[i - 1] != '/';
    return is;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = memchr(data, '\n', size);
    if (end == NULL)
        return 0;
    SyncdBytes path = SYNCD_BYTES(data, (size_t)(end - data));
    SyncdBytes rules = SYNCD_BYTES(end + 1, size - path.size - 1);
    if (!is_path(path))
        return 0;
    g_autoptr(SyncdIgnore) ignore = syncd_ignore_new();
    SyncdIgnoreResult result = syncd_ignore_set(ignore, SYNCD_BYTES_TEXT(""), rules);
    LAW((result == SYNCD_IGNORE_SAME) == (rules.size == 0));
    LAW(syncd_ignore_is_empty(ignore) == (result != SYNCD_IGNORE_CHANGED));
    check_path(ignore, path);
    syncd_ignore_set_shared(ignore, rules);
    check_path(ignore, path);
    return 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    return 0;
}
