#include "domain/mandate.h"

#include "base/bytes.h"

#include "base/timestamp.h"
#include "contract/member.h"
#include "contract/vocabulary.h"
#include "domain/family.h"

#include <string.h>

#define ANY "*"

static void clear_mandate(void *data)
{
    SyncdMandate *mandate = data;
    g_free(mandate->actor);
    g_free(mandate->type);
    g_free(mandate->state);
    g_free(mandate->subject);
    g_free(mandate->signing_key);
    g_strfreev(mandate->workspaces);
    g_strfreev(mandate->profiles);
}

SyncdMandate *syncd_mandate_ref(SyncdMandate *mandate)
{
    return g_rc_box_acquire(mandate);
}

void syncd_mandate_unref(SyncdMandate *mandate)
{
    if (mandate != NULL)
        g_rc_box_release_full(mandate, clear_mandate);
}

static bool read_list(SyncdJson record, const char *name, char ***ret_list, GError **error)
{
    SyncdJson list = syncd_json_member(record, name), value;
    if (list.type != SYNCD_JSON_NONE &&
        !syncd_shape_check(SYNCD_SHAPE_STRING_LIST, list, "", name, error))
        return false;
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
    SyncdJsonIter iter;
    syncd_json_iter_init(&iter, list);
    while (syncd_json_iter_next(&iter, NULL, &value)) {
        char *text = syncd_json_dup_text(value);
        g_ptr_array_add(texts, text != NULL ? text : g_strdup(""));
    }
    g_ptr_array_add(texts, NULL);
    *ret_list = (char **)g_ptr_array_free(g_steal_pointer(&texts), FALSE);
    return true;
}

/* The first that says something. */
static char *read_subject(SyncdJson record)
{
    static const char *const members[] = {"policy_subject", "identity_id", "actor_id"};
    for (size_t i = 0; i < G_N_ELEMENTS(members); i++) {
        g_autofree char *text = syncd_record_member(record, members[i]);
        if (*text != '\0')
            return g_steal_pointer(&text);
    }
    return g_strdup("");
}

static unsigned bit_of(const char *capability)
{
    const char *const *words = syncd_vocabulary_words(SYNCD_WORDS_CAPABILITY);
    for (unsigned i = 0; words[i] != NULL; i++)
        if (strcmp(words[i], capability) == 0)
            return 1u << i;
    return 0;
}

static bool read_capabilities(SyncdJson record, unsigned *ret_bits, GError **error)
{
    g_auto(GStrv) list = NULL;
    if (!read_list(record, "capabilities", &list, error))
        return false;
    *ret_bits = 0;
    for (char **at = list; *at != NULL; at++) {
        unsigned bit = bit_of(*at);
        if (bit == 0) {
            g_autofree char *known = syncd_vocabulary_list(SYNCD_WORDS_CAPABILITY);
            syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT,
                            "/capabilities/%u is no capability; there are %s",
                            (unsigned)(at - list), known);
            return false;
        }
        *ret_bits |= bit;
    }
    return true;
}

static bool read_expiry(SyncdJson record, guint64 *ret_ms, GError **error)
{
    gint64 usec;
    SyncdJson value = syncd_json_member(record, "expires_at");
    *ret_ms = 0;
    if (value.type == SYNCD_JSON_NONE || value.type == SYNCD_JSON_NULL)
        return true;
    g_autofree char *text = syncd_json_dup_text(value);
    if (text == NULL || !syncd_time_parse(text, strlen(text), &usec)) {
        syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT,
                        "/expires_at must be a time with a zone, as 2026-05-05T00:00:00Z");
        return false;
    }
    *ret_ms = usec > 1000 ? (guint64)usec / 1000 : 1;
    return true;
}

SyncdMandate *syncd_mandate_read(SyncdJson record, GError **error)
{
    g_autoptr(SyncdMandate) mandate = g_rc_box_new0(SyncdMandate);
    const SyncdFamily *family = syncd_family(SYNCD_FAMILY_ACTOR);
    mandate->actor = syncd_record_member(record, "actor_id");
    mandate->type = syncd_record_member(record, "actor_type");
    mandate->state = syncd_family_record_state(family, record);
    mandate->subject = read_subject(record);
    mandate->signing_key = syncd_record_member(record, "signing_key_ref");
    g_autofree char *trust = syncd_record_member(record, "trust_level");
    mandate->quarantined = strcmp(trust, SYNCD_STATE_QUARANTINED) == 0;
    if (!read_capabilities(record, &mandate->capabilities, error) ||
        !read_expiry(record, &mandate->expires_ms, error) ||
        !read_list(record, "workspace_scope", &mandate->workspaces, error) ||
        !read_list(record, "profile_scope", &mandate->profiles, error))
        return NULL;
    return g_steal_pointer(&mandate);
}

const char *syncd_mandate_standing(const SyncdMandate *mandate, guint64 now_ms)
{
    if (strcmp(mandate->state, SYNCD_STATE_ACTIVE) != 0)
        return "actor_revoked";
    if (mandate->quarantined)
        return "agent_untrusted";
    if (mandate->expires_ms != 0 && now_ms >= mandate->expires_ms)
        return "capability_expired";
    return NULL;
}

bool syncd_mandate_key(const SyncdMandate *mandate, SyncdPublicKey *ret_key)
{
    if (!g_str_has_prefix(mandate->signing_key, SYNCD_SIGNING_KEY_PREFIX))
        return false;
    const char *digits = mandate->signing_key + strlen(SYNCD_SIGNING_KEY_PREFIX);
    return syncd_hex_decode(digits, strlen(digits), ret_key->bytes, sizeof ret_key->bytes);
}

bool syncd_mandate_can(const SyncdMandate *mandate, const char *capability)
{
    return (mandate->capabilities & bit_of(capability)) != 0;
}

/* Those who act in their own name. */
static bool is_of_this_machine(const SyncdMandate *mandate)
{
    static const char *const types[] = {"human", "device", "service", NULL};
    return g_strv_contains(types, mandate->type);
}

static bool reaches(const SyncdMandate *mandate, char **list, const char *id)
{
    if (*list == NULL)
        return is_of_this_machine(mandate);
    return g_strv_contains((const char *const *)list, ANY) ||
           g_strv_contains((const char *const *)list, id);
}

bool syncd_mandate_reaches_workspace(const SyncdMandate *mandate, const char *workspace)
{
    return reaches(mandate, mandate->workspaces, workspace);
}

bool syncd_mandate_reaches_profile(const SyncdMandate *mandate, const char *profile)
{
    return reaches(mandate, mandate->profiles, profile);
}

static bool reaches_any(char **list)
{
    return g_strv_contains((const char *const *)list, ANY);
}

bool syncd_mandate_reaches_scope(const SyncdMandate *mandate, const char *class, const char *scope)
{
    if (strcmp(class, "workspace") == 0)
        return syncd_mandate_reaches_workspace(mandate, scope);
    if (strcmp(class, "profile") == 0)
        return syncd_mandate_reaches_profile(mandate, scope);
    return is_of_this_machine(mandate) ||
           (reaches_any(mandate->workspaces) && reaches_any(mandate->profiles));
}

static bool covers(const SyncdMandate *mandate, char **list, const SyncdMandate *other,
                   char **others)
{
    bool all = *others == NULL ? is_of_this_machine(other) : reaches_any(others);
    if (all)
        return *list == NULL ? is_of_this_machine(mandate) : reaches_any(list);
    for (; *others != NULL; others++)
        if (!reaches(mandate, list, *others))
            return false;
    return true;
}

bool syncd_mandate_outlasts(const SyncdMandate *mandate, const SyncdMandate *other)
{
    return mandate->expires_ms == 0 ||
           (other->expires_ms != 0 && other->expires_ms <= mandate->expires_ms);
}

bool syncd_mandate_covers(const SyncdMandate *mandate, const SyncdMandate *other)
{
    return (other->capabilities & ~mandate->capabilities) == 0 &&
           covers(mandate, mandate->workspaces, other, other->workspaces) &&
           covers(mandate, mandate->profiles, other, other->profiles);
}

bool syncd_mandate_configures(const SyncdMandate *mandate)
{
    return strcmp(mandate->type, "human") == 0 || strcmp(mandate->type, "service") == 0;
}
