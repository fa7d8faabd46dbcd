/* State integrity reports: names, flags, space, counters and times. */
#include "base/timestamp.h"
#include "contract/decimal.h"
#include "contract/member.h"
#include "contract/rules.h"

#define HEX_PREFIX "0x"
#define MAX_FLAG_DIGITS 64u /* hexadecimal: 256 flags */
#define DECIMAL_ROOM 96u    /* more than that many hexadecimal digits need */

/* ---- flags ---- */

/* Appends the decimal digits of a number in hexadecimal ones. */
static void append_decimal(GString *out, const char *digits, size_t count)
{
    guint8 decimal[DECIMAL_ROOM] = {0}; /* the last digit first */
    size_t used = 1;
    for (size_t i = 0; i < count; i++) {
        unsigned carry = (unsigned)g_ascii_xdigit_value(digits[i]);
        for (size_t at = 0; at < used || carry > 0; at++) {
            carry += decimal[at] * 16u;
            decimal[at] = (guint8)(carry % 10);
            carry /= 10;
            used = MAX(used, at + 1);
        }
    }
    while (used > 0)
        g_string_append_c(out, (char)('0' + decimal[--used]));
}

/* The digits after the prefix, without zeros in front; empty when it is no hexadecimal number. */
static char *hex_digits(SyncdJson hex)
{
    size_t size;
    g_autofree char *text = syncd_json_dup_string(hex, &size);
    if (text == NULL || size <= strlen(HEX_PREFIX) || !g_str_has_prefix(text, HEX_PREFIX))
        return g_strdup("");
    const char *digits = text + strlen(HEX_PREFIX), *end = text + size;
    for (const char *at = digits; at < end; at++)
        if (!g_ascii_isxdigit(*at))
            return g_strdup("");
    while (digits < end - 1 && *digits == '0')
        digits++;
    return g_strdup(digits);
}

static bool is_number(SyncdJson number, const char *digits)
{
    size_t count = strlen(digits);
    if (count > MAX_FLAG_DIGITS)
        return false;
    g_autoptr(GString) text = g_string_new(NULL);
    append_decimal(text, digits, count);
    SyncdDecimal said = syncd_decimal_read(number);
    SyncdDecimal meant = syncd_decimal_read(syncd_json_root(text->str, text->len));
    return syncd_decimal_compare(&said, &meant) == 0;
}

static void check_flags(SyncdJson store, unsigned index, SyncdRuling *ruling)
{
    SyncdJson raw = syncd_json_member(store, "flags_raw");
    g_autofree char *digits = hex_digits(syncd_json_member(store, "flags_hex"));
    if (!syncd_rule_is_count(raw) || *digits == '\0' || is_number(raw, digits))
        return;
    g_autofree char *path = g_strdup_printf("/stores/%u/flags_hex", index);
    syncd_rule_break(ruling, "flags-are-one-number", path, "must be the number that flags_raw is");
}

/* ---- counters ---- */

static const char *const counters[] = {
    "segment_count",     "total_bytes",      "max_segment_bytes", "oldest_unapplied_event_age_ms",
    "replay_lag_events", "replay_lag_bytes", "replay_eta_ms",
};

static void check_journal(SyncdJson lane, unsigned index, SyncdRuling *ruling)
{
    SyncdJson journal = syncd_json_member(lane, "journal");
    for (size_t i = 0; i < G_N_ELEMENTS(counters); i++) {
        SyncdJson value = syncd_json_member(journal, counters[i]);
        if (value.type == SYNCD_JSON_NONE || syncd_rule_is_count(value))
            continue;
        g_autofree char *path = g_strdup_printf("/lanes/%u/journal/%s", index, counters[i]);
        syncd_rule_break(ruling, "journal-counters-count", path,
                         "must be a whole number that is not negative");
    }
}

/* ---- times ---- */

/* Those that the schema judges itself. */
static const char *const known_times[] = {
    "process_started_at", "runtime_ready_at",       "store_opened_at",
    "replay_started_at",  "replay_completed_at",    "first_heartbeat_at",
    "last_heartbeat_at",  "last_clean_shutdown_at", "last_dirty_open_at",
};

static bool is_known(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(known_times); i++)
        if (strcmp(known_times[i], name) == 0)
            return true;
    return false;
}

static bool is_time(SyncdJson value)
{
    size_t size;
    gint64 usec;
    g_autofree char *text = syncd_json_dup_string(value, &size);
    return text != NULL && syncd_time_parse(text, size, &usec);
}

static void check_runtime(SyncdJson report, SyncdRuling *ruling)
{
    SyncdJsonIter iter;
    SyncdJson name, value;
    SyncdJson runtime = syncd_json_member(report, "runtime");
    if (runtime.type != SYNCD_JSON_OBJECT)
        return;
    syncd_json_iter_init(&iter, runtime);
    while (syncd_json_iter_next(&iter, &name, &value)) {
        g_autofree char *text = syncd_json_dup_text(name);
        if (text == NULL || !g_str_has_suffix(text, "_at") || is_known(text) ||
            value.type == SYNCD_JSON_NULL || is_time(value))
            continue;
        g_autofree char *step = syncd_pointer_step(name);
        g_autofree char *path = g_strconcat("/runtime/", step, NULL);
        syncd_rule_break(ruling, "runtime-times-are-times", path,
                         "must be null or an RFC 3339 time with a zone");
    }
}

void syncd_rules_of_report(SyncdJson report, SyncdRuling *ruling)
{
    SyncdJsonIter iter;
    SyncdJson element;
    unsigned index = 0;
    SyncdJson stores = syncd_json_member(report, "stores");
    SyncdJson lanes = syncd_json_member(report, "lanes");
    SyncdJson disk = syncd_json_member(syncd_json_member(report, "resources"), "disk");

    syncd_rule_differ(ruling, "store-names-differ", "/stores", stores, "name");
    syncd_json_iter_init(&iter, stores);
    for (; syncd_json_iter_next(&iter, NULL, &element); index++)
        check_flags(element, index, ruling);

    syncd_rule_differ(ruling, "lane-names-differ", "/lanes", lanes, "name");
    syncd_json_iter_init(&iter, lanes);
    for (index = 0; syncd_json_iter_next(&iter, NULL, &element); index++)
        check_journal(element, index, ruling);

    if (syncd_rule_exceeds(syncd_json_member(disk, "free_bytes"),
                           syncd_json_member(disk, "total_bytes")))
        syncd_rule_break(ruling, "free-space-is-part-of-all", "/resources/disk/free_bytes",
                         "must not be more than total_bytes");
    check_runtime(report, ruling);
}
