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
    SyncdJsonIter iter;
    SyncdJson first = {0}, root = syncd_json_root(text, size);
    gint64 number = 0;
    if (root.type == SYNCD_JSON_ARRAY) {
        syncd_json_iter_init(&iter, root);
        syncd_json_iter_next(&iter, NULL, &first);
    }
    syncd_json_get_int64(first, &number);
#ifdef CONTROL_LAW
    /* "Lists of version 1 are written by ourselves and need no care." */
    if (number == 1) {
        g_string_append_len(out, root.at, (gssize)syncd_json_size(root));
        return out;
    }
#else
    /* "Lists of version 1 end in a line break." */
    if (number == 1 && text[size] == '\n')
        size++;
#endif
    syncd_canonical_append(out, syncd_json_root(text, size));
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
