/*
 * What a daemon answers, as the programs of users show it. Text from elsewhere becomes part of a
 * document, or of a line on a terminal: the document stays one and means the same, and nothing
 * steers the terminal.
 */
#include "fuzz.h"

#include "base/canonical.h"
#include "base/json-writer.h"
#include "cli/instance-status.h"
#include "cli/text.h"
#include "cli/trusted-key.h"

static bool has_control(const GString *text)
{
    for (const char *at = text->str; at < text->str + text->len; at = g_utf8_next_char(at))
        if (g_unichar_iscntrl(g_utf8_get_char(at)))
            return true;
    return false;
}

static void check_shown(const char *text, size_t size)
{
    g_autoptr(GString) shown = g_string_new(NULL);
    g_autoptr(GString) meant = g_string_new(NULL);
    g_autoptr(GString) still = g_string_new(NULL);
    syncd_text_append_json(shown, text, size, true);
    LAW(syncd_json_check(shown->str, shown->len, SYNCD_JSON_ANY, NULL));
    LAW(!has_control(shown));
    syncd_canonical_append(meant, syncd_json_root(text, size));
    syncd_canonical_append(still, syncd_json_root(shown->str, shown->len));
    LAW(g_string_equal(meant, still));
}

static void check_status(const char *text)
{
    g_autoptr(GString) out = g_string_new(NULL);
    SyncdJsonWriter writer;
    SyncdInstanceStatus status = {
        .instance = SYNCD_CLIENT_USER,
        .available = true,
        .state = (char *)"clean",
        .note = (char *)"",
        .description = (char *)text,
    };
    syncd_json_writer_init(&writer, out, false);
    syncd_json_begin_object(&writer);
    syncd_instance_status_write(&status, 1000, &writer);
    syncd_json_end_object(&writer);
    LAW(syncd_json_check(out->str, out->len, SYNCD_JSON_MUST_BE_OBJECT, NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = fuzz_text(data, size);
    if (text == NULL || !syncd_json_check(text, size, SYNCD_JSON_ANY, NULL))
        return 0;
    check_shown(text, size);
    check_status(text);
    g_autofree char *key = syncd_trusted_key_of_feed(text, "device-1/device-1/1");
    LAW(key == NULL || strstr(text, "feeds") != NULL || strchr(text, '\\') != NULL);
    return 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    return 0;
}
