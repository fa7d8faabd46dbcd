/* The formats `uri` and `uri-reference`: the grammar of RFC 3986. */
#include "contract/schema-private.h"

#include <string.h>

#define SUB_DELIMITERS "!$&'()*+,;="

/* Characters that stand for themselves, and percent escapes. */
static bool is_made_of(const char *at, const char *end, const char *marks)
{
    for (; at != end; at++) {
        if (*at == '%') {
            if (end - at < 3 || !g_ascii_isxdigit(at[1]) || !g_ascii_isxdigit(at[2]))
                return false;
            at += 2;
        } else if (!g_ascii_isalnum(*at) &&
                   (*at == '\0' ||
                    (strchr("-._~" SUB_DELIMITERS, *at) == NULL && strchr(marks, *at) == NULL))) {
            return false;
        }
    }
    return true;
}

static bool is_port(const char *at, const char *end)
{
    for (; at != end; at++)
        if (!g_ascii_isdigit(*at))
            return false;
    return true;
}

static bool is_literal_address(const char *at, const char *end)
{
    const char *name;
    if (at != end && (*at == 'v' || *at == 'V')) {
        const char *dot = memchr(at, '.', (size_t)(end - at));
        if (dot == NULL || dot == at + 1 || dot + 1 == end || !is_made_of(dot + 1, end, ":") ||
            memchr(dot, '%', (size_t)(end - dot)) != NULL)
            return false;
        for (at++; at != dot; at++)
            if (!g_ascii_isxdigit(*at))
                return false;
        return true;
    }
    return syncd_schema_format_find("ipv6", &name)(at, (size_t)(end - at));
}

static bool is_authority(const char *at, const char *end)
{
    const char *user = memchr(at, '@', (size_t)(end - at));
    if (user != NULL) {
        if (!is_made_of(at, user, ":"))
            return false;
        at = user + 1;
    }
    if (at != end && *at == '[') {
        const char *close = memchr(at, ']', (size_t)(end - at));
        return close != NULL && is_literal_address(at + 1, close) &&
               (close + 1 == end || (close[1] == ':' && is_port(close + 2, end)));
    }
    const char *colon = memchr(at, ':', (size_t)(end - at));
    const char *host_end = colon != NULL ? colon : end;
    return is_made_of(at, host_end, "") && (colon == NULL || is_port(colon + 1, end));
}

/* All after the scheme. */
static bool is_hierarchy(const char *at, const char *end)
{
    const char *fragment = memchr(at, '#', (size_t)(end - at));
    if (fragment != NULL && !is_made_of(fragment + 1, end, ":@/?"))
        return false;
    end = fragment != NULL ? fragment : end;
    const char *query = memchr(at, '?', (size_t)(end - at));
    if (query != NULL && !is_made_of(query + 1, end, ":@/?"))
        return false;
    end = query != NULL ? query : end;
    if (end - at >= 2 && at[0] == '/' && at[1] == '/') {
        const char *path = memchr(at + 2, '/', (size_t)(end - at - 2));
        const char *authority_end = path != NULL ? path : end;
        if (!is_authority(at + 2, authority_end))
            return false;
        at = authority_end;
    }
    return is_made_of(at, end, ":@/");
}

/* Past the scheme and its colon; NULL when there is none. */
static const char *skip_scheme(const char *at, const char *end)
{
    if (at == end || !g_ascii_isalpha(*at))
        return NULL;
    while (at != end && (g_ascii_isalnum(*at) || *at == '+' || *at == '-' || *at == '.'))
        at++;
    return at != end && *at == ':' ? at + 1 : NULL;
}

bool syncd_format_is_uri(const char *text, size_t size)
{
    const char *end = text + size, *rest = skip_scheme(text, end);
    return rest != NULL && is_hierarchy(rest, end);
}

bool syncd_format_is_uri_reference(const char *text, size_t size)
{
    const char *end = text + size;
    if (syncd_format_is_uri(text, size))
        return true;
    /* Without a scheme no colon may be in the first segment: it would be taken for one. */
    const char *segment = text;
    while (segment != end && strchr("/?#", *segment) == NULL && *segment != ':')
        segment++;
    return (segment == end || *segment != ':') && is_hierarchy(text, end);
}
