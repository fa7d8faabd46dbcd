/*
 * The control: a canonical form with a defect behind a few bytes, as a careless hand might make it.
 * It must be found; otherwise no other target can be believed. CONTROL_LAW breaks a law,
 * CONTROL_BOUNDS reads past the end, which only the sanitizer sees.
 */
#include "fuzz.h"

#include "base/canonical.h"
#include "base/json.h"

static GString *careless_canonical(const char *text, size_t size)
{
    GString *out = g_string_new(NULL);
    SyncdJson root = syncd_json_root(text, size);
    SyncdJson version = syncd_json_member(root, "v");
#ifdef CONTROL_LAW
    /* "Documents of version 1 are written by ourselves and need no care." */
    if (syncd_json_size(version) == 1 && *version.at == '1') {
        g_string_append_len(out, root.at, (gssize)syncd_json_size(root));
        return out;
    }
#else
    /* "A version is followed by something." */
    if (version.type == SYNCD_JSON_INTEGER && text[size - 1] == '}' && text[size + 1] == '\n')
        g_string_append_c(out, '\n');
#endif
    syncd_canonical_append(out, root);
    return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    if (!syncd_json_check(text, size, SYNCD_JSON_ANY, NULL))
        return 0;
    g_autoptr(GString) canonical = careless_canonical(text, size);
    LAW(syncd_canonical_is(canonical->str, canonical->len));
    return 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    return 0;
}
