/*
 * The configuration. What is in effect, written as a file, is read as the same again and has no
 * mistakes; every mistake names its line; and nothing that was read goes beyond what a key may be.
 */
#include "fuzz.h"

#include "daemon/configuration.h"
#include "daemon/log.h"

#define NAME "syncd.conf"

static GPtrArray *read_into(SyncdConfig *config, const char *text)
{
    GPtrArray *mistakes = g_ptr_array_new_with_free_func(g_free);
    syncd_config_read_text(config, NAME, text, mistakes);
    return mistakes;
}

static bool same(const SyncdConfig *one, const SyncdConfig *other)
{
    return one->log_level == other->log_level && one->reserve_mib == other->reserve_mib &&
           one->calls_in_flight == other->calls_in_flight;
}

static guint count_lines(const char *text)
{
    guint lines = 1;
    for (; *text != '\0'; text++)
        lines += *text == '\n';
    return lines;
}

static void check_mistakes(const GPtrArray *mistakes, const char *text)
{
    bool readable = g_utf8_validate(text, -1, NULL);
    LAW(readable || mistakes->len == 1);
    LAW(mistakes->len <= count_lines(text));
    guint64 before = 0;
    for (guint i = 0; i < mistakes->len; i++) {
        const char *mistake = mistakes->pdata[i];
        LAW(g_str_has_prefix(mistake, NAME ":"));
        guint64 line = g_ascii_strtoull(mistake + strlen(NAME ":"), NULL, 10);
        LAW(!readable || (line > before && line <= count_lines(text)));
        before = line;
    }
}

/* Appended to any text, it decides: the last assignment counts. */
static void check_round_trip(const SyncdConfig *config, const char *before)
{
    SyncdConfig again, after;
    syncd_config_init(&again);
    syncd_config_init(&after);
    g_autofree char *text = syncd_config_to_text(config);
    g_autoptr(GPtrArray) none = read_into(&again, text);
    LAW(none->len == 0 && same(config, &again));

    g_autofree char *both = g_strconcat(before, "\n", text, NULL);
    g_autoptr(GPtrArray) mistakes = read_into(&after, both);
    LAW(same(config, &after));
    LAW(mistakes->len == 0 || strstr(mistakes->pdata[0], NAME) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = fuzz_text(data, size);
    if (text == NULL)
        return 0;
    SyncdConfig config;
    syncd_config_init(&config);
    g_autoptr(GPtrArray) mistakes = read_into(&config, text);
    check_mistakes(mistakes, text);
    LAW(config.log_level >= SYNCD_LOG_ERROR && config.log_level <= SYNCD_LOG_DEBUG);
    LAW(config.reserve_mib <= 1024);
    LAW(config.calls_in_flight >= 1 && config.calls_in_flight <= 4096);
    if (g_utf8_validate(text, -1, NULL))
        check_round_trip(&config, text);
    return 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    return 0;
}
