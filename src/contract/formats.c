/* The formats: each a function over a text, in one table. */
#include "base/timestamp.h"
#include "contract/schema-private.h"

#include <string.h>

static bool is_date_time(const char *text, size_t size)
{
    gint64 usec;
    return syncd_time_parse(text, size, &usec);
}

static bool is_date(const char *text, size_t size)
{
    enum { DATE = 10 };
    char whole[sizeof "2000-01-01T00:00:00Z"] = "2000-01-01T00:00:00Z";
    if (size != DATE)
        return false;
    memcpy(whole, text, DATE);
    return is_date_time(whole, strlen(whole));
}

/* A time may be that of a leap second on some day: the one before a midnight in UTC. */
static bool is_time(const char *text, size_t size)
{
    enum { LONGEST = 64 };
    static const char *const days[] = {"2000-01-01T", "2016-12-31T", "2017-01-01T"};
    for (size_t i = 0; i < G_N_ELEMENTS(days) && size <= LONGEST; i++) {
        char whole[LONGEST + sizeof "2000-01-01T"];
        size_t day = strlen(days[i]);
        memcpy(whole, days[i], day);
        memcpy(whole + day, text, size);
        if (is_date_time(whole, day + size))
            return true;
    }
    return false;
}

static bool is_uuid(const char *text, size_t size)
{
    if (size != 36)
        return false;
    for (size_t i = 0; i < size; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? text[i] != '-' : !g_ascii_isxdigit(text[i]))
            return false;
    }
    return true;
}

/* ---- addresses ---- */

static bool is_ipv4(const char *text, size_t size)
{
    const char *at = text, *end = text + size;
    for (int part = 0; part < 4; part++) {
        int value = 0;
        const char *digits = at;
        for (; at != end && g_ascii_isdigit(*at) && at - digits < 3; at++)
            value = value * 10 + (*at - '0');
        if (at == digits || value > 255 || (*digits == '0' && at - digits > 1))
            return false;
        if (part < 3 && (at == end || *at++ != '.'))
            return false;
    }
    return at == end;
}

static bool is_ipv6(const char *text, size_t size)
{
    const char *at = text, *end = text + size;
    int groups = 0;
    bool gap = false;
    if (size >= 2 && at[0] == ':' && at[1] == ':') {
        gap = true;
        at += 2;
    }
    while (at != end) {
        const char *digits = at;
        while (at != end && g_ascii_isxdigit(*at) && at - digits < 4)
            at++;
        if (at == digits)
            return false;
        if (at != end && *at == '.') {
            groups += 2;
            return is_ipv4(digits, (size_t)(end - digits)) && (gap ? groups < 8 : groups == 8);
        }
        groups++;
        if (at == end)
            break;
        if (*at++ != ':' || at == end)
            return false;
        if (*at == ':') {
            if (gap)
                return false;
            gap = true;
            at++;
        }
    }
    return gap ? groups < 8 : groups == 8;
}

static bool is_hostname(const char *text, size_t size)
{
    enum { LONGEST = 253, LONGEST_LABEL = 63 };
    if (size == 0 || size > LONGEST)
        return false;
    size_t label = 0;
    for (size_t i = 0; i <= size; i++) {
        if (i == size || text[i] == '.') {
            if (label == 0 || label > LONGEST_LABEL || text[i - 1] == '-')
                return false;
            label = 0;
        } else if (g_ascii_isalnum(text[i]) || (text[i] == '-' && label > 0)) {
            label++;
        } else {
            return false;
        }
    }
    return true;
}

/* The part before the last at sign: atoms with dots between them, or a quoted text. */
static bool is_local_part(const char *text, size_t size)
{
    if (size == 0 || size > 64)
        return false;
    if (size >= 2 && text[0] == '"' && text[size - 1] == '"') {
        for (size_t i = 1; i < size - 1; i++) {
            if (text[i] < 0x20 || text[i] == 0x7f || text[i] == '"')
                return false;
            if (text[i] == '\\' && ++i == size - 1)
                return false;
        }
        return true;
    }
    bool dot = true;
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '.'
                ? dot
                : !g_ascii_isalnum(text[i]) &&
                      (text[i] == '\0' || strchr("!#$%&'*+-/=?^_`{|}~", text[i]) == NULL))
            return false;
        dot = text[i] == '.';
    }
    return !dot;
}

static bool is_email(const char *text, size_t size)
{
    const char *at = memrchr(text, '@', size);
    if (at == NULL || !is_local_part(text, (size_t)(at - text)))
        return false;
    const char *domain = at + 1;
    size_t domain_size = (size_t)(text + size - domain);
    if (domain_size < 2 || *domain != '[' || domain[domain_size - 1] != ']')
        return is_hostname(domain, domain_size);
    domain++;
    domain_size -= 2;
    return domain_size > 5 && g_ascii_strncasecmp(domain, "IPv6:", 5) == 0
               ? is_ipv6(domain + 5, domain_size - 5)
               : is_ipv4(domain, domain_size);
}

/* ---- pointers ---- */

static bool is_json_pointer(const char *text, size_t size)
{
    if (size > 0 && *text != '/')
        return false;
    for (size_t i = 0; i < size; i++)
        if (text[i] == '~' && (i + 1 == size || (text[i + 1] != '0' && text[i + 1] != '1')))
            return false;
    return true;
}

static bool is_relative_json_pointer(const char *text, size_t size)
{
    size_t digits = 0;
    while (digits < size && g_ascii_isdigit(text[digits]))
        digits++;
    if (digits == 0 || (digits > 1 && *text == '0'))
        return false;
    return (size - digits == 1 && text[digits] == '#') ||
           is_json_pointer(text + digits, size - digits);
}

/* ---- the table ---- */

SchemaFormat syncd_schema_format_find(const char *name, const char **ret_name)
{
    static const struct {
        const char *name;
        SchemaFormat format;
    } formats[] = {
        {"date-time", is_date_time},
        {"date", is_date},
        {"time", is_time},
        {"uuid", is_uuid},
        {"ipv4", is_ipv4},
        {"ipv6", is_ipv6},
        {"hostname", is_hostname},
        {"email", is_email},
        {"uri", syncd_format_is_uri},
        {"uri-reference", syncd_format_is_uri_reference},
        {"regex", syncd_pattern_is},
        {"json-pointer", is_json_pointer},
        {"relative-json-pointer", is_relative_json_pointer},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(formats); i++) {
        if (strcmp(formats[i].name, name) == 0) {
            *ret_name = formats[i].name;
            return formats[i].format;
        }
    }
    return NULL;
}
