#include "domain/policy-rules.h"

#include "base/canonical.h"
#include "base/json-writer.h"
#include "contract/member.h"
#include "contract/vocabulary.h"
#include "domain/policy.h"
#include "domain/scope.h"

static const char *const effects[] = {"allow", "review_required", "deny"};
static const char *const levels[] = {"machine", "user"};

const char *syncd_policy_level_name(SyncdPolicyLevel level)
{
    return levels[level];
}

const char *syncd_policy_effect_name(SyncdPolicyEffect effect)
{
    return effects[effect];
}

/* ---- one rule ---- */

void syncd_policy_rule_free(SyncdPolicyRule *rule)
{
    if (rule == NULL)
        return;
    for (size_t i = 0; i < SYNCD_N_POLICY_FIELDS; i++)
        g_strfreev(rule->words[i]);
    g_free(rule->reason);
    g_free(rule->rationale);
    g_free(rule->file);
    g_free(rule->canonical);
    g_free(rule);
}

bool syncd_policy_rule_matches(const SyncdPolicyRule *rule, const SyncdPolicyRequest *request)
{
    for (size_t i = 0; i < SYNCD_N_POLICY_FIELDS; i++)
        if (rule->words[i] != NULL &&
            (request->fields[i] == NULL ||
             !g_strv_contains((const char *const *)rule->words[i], request->fields[i])))
            return false;
    return true;
}

int syncd_policy_rule_compare(const SyncdPolicyRule *one, const SyncdPolicyRule *other)
{
    if (one->fields != other->fields)
        return one->fields > other->fields ? -1 : 1;
    if (one->effect != other->effect)
        return one->effect > other->effect ? -1 : 1;
    return strcmp(one->canonical, other->canonical);
}

static int compare_entries(const void *one, const void *other)
{
    return syncd_policy_rule_compare(*(const SyncdPolicyRule *const *)one,
                                     *(const SyncdPolicyRule *const *)other);
}

SyncdHash syncd_policy_rules_hash(const GPtrArray *rules)
{
    g_autoptr(GPtrArray) sorted = g_ptr_array_new();
    g_autoptr(SyncdHasher) hasher = syncd_hasher_new();
    for (guint i = 0; i < rules->len; i++)
        g_ptr_array_add(sorted, rules->pdata[i]);
    g_ptr_array_sort(sorted, compare_entries);
    for (guint i = 0; i < sorted->len; i++) {
        const char *canonical = ((const SyncdPolicyRule *)sorted->pdata[i])->canonical;
        syncd_hasher_update(hasher, canonical, strlen(canonical) + 1);
    }
    return syncd_hasher_finish(hasher);
}

static void write_grants(SyncdJsonWriter *writer, unsigned grants)
{
    syncd_json_name(writer, "grants");
    syncd_json_begin_array(writer);
    for (unsigned i = 0; i < syncd_policy_n_built_in(); i++)
        if (grants & 1u << i)
            syncd_json_string(writer, syncd_policy_built_in(i)->reason);
    syncd_json_end_array(writer);
}

static char *make_canonical(const SyncdPolicyRule *rule)
{
    g_autoptr(GString) text = g_string_new(NULL);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, text, false);
    syncd_json_begin_object(&writer);
    syncd_json_member_string(&writer, "level", levels[rule->level]);
    syncd_json_name(&writer, "match");
    syncd_json_begin_object(&writer);
    for (size_t i = 0; i < SYNCD_N_POLICY_FIELDS; i++) {
        if (rule->words[i] == NULL)
            continue;
        syncd_json_name(&writer, syncd_policy_condition_name((SyncdPolicyField)i));
        syncd_json_begin_array(&writer);
        for (char **word = rule->words[i]; *word != NULL; word++)
            syncd_json_string(&writer, *word);
        syncd_json_end_array(&writer);
    }
    syncd_json_end_object(&writer);
    syncd_json_member_string(&writer, "effect", effects[rule->effect]);
    write_grants(&writer, rule->grants);
    syncd_json_member_string(&writer, "reason", rule->reason);
    syncd_json_member_string(&writer, "rationale", rule->rationale);
    syncd_json_end_object(&writer);

    GString *canonical = g_string_sized_new(text->len);
    syncd_canonical_append(canonical, syncd_json_root(text->str, text->len));
    return g_string_free(canonical, FALSE);
}

/* ---- words ---- */

static int compare_words(const void *one, const void *other)
{
    return strcmp(*(char *const *)one, *(char *const *)other);
}

/* An order of writing means nothing, nor does a word that is there twice. */
static char **take_sorted(GPtrArray *words)
{
    g_ptr_array_sort(words, compare_words);
    for (guint i = words->len; i-- > 1;)
        if (strcmp(words->pdata[i], words->pdata[i - 1]) == 0)
            g_ptr_array_remove_index(words, i);
    g_ptr_array_add(words, NULL);
    return (char **)g_ptr_array_steal(words, NULL);
}

static bool take_words(SyncdJson list, SyncdPolicyField field, const char *path,
                       SyncdPolicyRule *rule, GError **error)
{
    const char *name = syncd_policy_condition_name(field);
    if (!syncd_shape_check(SYNCD_SHAPE_STRING_LIST, list, path, name, error))
        return false;
    g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);
    SyncdJsonIter iter;
    SyncdJson value;
    syncd_json_iter_init(&iter, list);
    while (syncd_json_iter_next(&iter, NULL, &value)) {
        g_autofree char *place = g_strdup_printf("%s/%s/%u", path, name, words->len);
        g_autofree char *word = syncd_json_dup_text(value);
        if (!syncd_policy_check_word(field, word != NULL ? word : "", place, error))
            return false;
        g_ptr_array_add(words, g_steal_pointer(&word));
        if (words->len > SYNCD_POLICY_WORDS_MAX)
            break;
    }
    if (words->len == 0 || words->len > SYNCD_POLICY_WORDS_MAX) {
        syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT, "%s/%s must have 1 to %u members",
                        path, name, SYNCD_POLICY_WORDS_MAX);
        return false;
    }
    rule->words[field] = take_sorted(words);
    rule->fields |= 1u << field;
    return true;
}

/* ---- members of a rule ---- */

static bool refuse_unknown(SyncdJson name, const char *path, const char *what, GError **error)
{
    g_autofree char *step = syncd_pointer_step(name);
    syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT, "%s/%s is no member of %s", path, step,
                    what);
    return false;
}

/* The class of a scope is said by the scope. */
static bool check_scopes(const SyncdPolicyRule *rule, const char *path, GError **error)
{
    const char *const *classes = (const char *const *)rule->words[SYNCD_FIELD_SCOPE_CLASS];
    char **scope = rule->words[SYNCD_FIELD_SCOPE];
    const char *class = NULL, *name;
    if (classes == NULL || scope == NULL)
        return true;
    while (*scope != NULL && syncd_scope_parse(*scope, &class, &name, NULL) &&
           g_strv_contains(classes, class))
        scope++;
    if (*scope == NULL)
        return true;
    syncd_set_error_next(
        error, SYNCD_ERROR_INVALID_CONTRACT, "write one that is, or leave scope_classes out",
        "%s/scopes has \"%s\", which is of none of its scope_classes", path, *scope);
    return false;
}

static bool take_match(SyncdJson match, const char *parent, SyncdPolicyRule *rule, GError **error)
{
    g_autofree char *path = g_strconcat(parent, "/match", NULL);
    guint64 combinations = 1;
    SyncdJsonIter iter;
    SyncdJson name, value;
    syncd_json_iter_init(&iter, match);
    while (syncd_json_iter_next(&iter, &name, &value)) {
        SyncdPolicyField field = 0;
        while (field < SYNCD_N_POLICY_FIELDS &&
               !syncd_json_is(name, syncd_policy_condition_name(field)))
            field++;
        if (field == SYNCD_N_POLICY_FIELDS)
            return refuse_unknown(name, path, "a match", error);
        if (!take_words(value, field, path, rule, error))
            return false;
        combinations *= g_strv_length(rule->words[field]);
        if (combinations > SYNCD_POLICY_COMBINATIONS_MAX) {
            syncd_set_error_next(error, SYNCD_ERROR_TOO_LARGE, "write several rules",
                                 "%s combines its words in more than %u ways", path,
                                 SYNCD_POLICY_COMBINATIONS_MAX);
            return false;
        }
    }
    return check_scopes(rule, path, error);
}

static bool take_effect(SyncdJson value, const char *path, SyncdPolicyRule *rule, GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(effects); i++)
        if (syncd_json_is(value, effects[i])) {
            rule->effect = (SyncdPolicyEffect)i;
            return true;
        }
    g_autofree char *known = syncd_vocabulary_list(SYNCD_WORDS_POLICY_EFFECT);
    syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT, "%s/effect must be one of %s", path,
                    known);
    return false;
}

static bool is_reason(const char *text)
{
    size_t size = strlen(text);
    return size > 0 && size <= SYNCD_POLICY_REASON_MAX && g_ascii_islower(*text) &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_") == size;
}

static bool take_reason(SyncdJson value, const char *path, SyncdPolicyRule *rule, GError **error)
{
    rule->reason = syncd_json_dup_text(value);
    if (rule->reason == NULL || !is_reason(rule->reason)) {
        syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT,
                        "%s/reason must be 1 to %u lower-case letters, digits and underscores, "
                        "and begin with a letter",
                        path, SYNCD_POLICY_REASON_MAX);
        return false;
    }
    if (!syncd_policy_is_built_in(rule->reason))
        return true;
    syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT,
                    "%s/reason: %s is a reason of a built-in "
                    "rule",
                    path, rule->reason);
    return false;
}

static bool take_rationale(SyncdJson value, const char *path, SyncdPolicyRule *rule, GError **error)
{
    g_autofree char *place = g_strconcat(path, "/rationale", NULL);
    rule->rationale = syncd_json_dup_text(value);
    return syncd_policy_check_text(rule->rationale != NULL ? rule->rationale : "", place,
                                   SYNCD_POLICY_RATIONALE_MAX, error);
}

static bool take_grant(SyncdJson value, const char *place, SyncdPolicyRule *rule, GError **error)
{
    for (unsigned i = 0; i < syncd_policy_n_built_in(); i++) {
        const SyncdPolicyBuiltIn *denial = syncd_policy_built_in(i);
        if (denial->grantable && syncd_json_is(value, denial->reason)) {
            rule->grants |= 1u << i;
            return true;
        }
    }
    g_autoptr(GString) known = g_string_new(NULL);
    for (unsigned i = 0; i < syncd_policy_n_built_in(); i++)
        if (syncd_policy_built_in(i)->grantable)
            g_string_append_printf(known, "%s%s", known->len > 0 ? ", " : "",
                                   syncd_policy_built_in(i)->reason);
    syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT, "%s can be one of %s", place, known->str);
    return false;
}

static bool take_grants(SyncdJson list, const char *path, SyncdPolicyRule *rule, GError **error)
{
    SyncdJsonIter iter;
    SyncdJson value;
    unsigned index = 0;
    if (!syncd_shape_check(SYNCD_SHAPE_STRING_LIST, list, path, "grants", error))
        return false;
    syncd_json_iter_init(&iter, list);
    for (; syncd_json_iter_next(&iter, NULL, &value); index++) {
        g_autofree char *place = g_strdup_printf("%s/grants/%u", path, index);
        if (!take_grant(value, place, rule, error))
            return false;
    }
    return true;
}

typedef struct {
    const char *name;
    SyncdShape shape;
    bool required;
    bool (*take)(SyncdJson value, const char *path, SyncdPolicyRule *rule, GError **error);
} RuleMember;

static const RuleMember rule_members[] = {
    {"match", SYNCD_SHAPE_OBJECT, true, take_match},
    {"effect", SYNCD_SHAPE_STRING, true, take_effect},
    {"reason", SYNCD_SHAPE_STRING, true, take_reason},
    {"rationale", SYNCD_SHAPE_STRING, true, take_rationale},
    {"grants", SYNCD_SHAPE_STRING_LIST, false, take_grants},
};

static bool check_names(SyncdJson object, const char *path, GError **error)
{
    SyncdJsonIter iter;
    SyncdJson name;
    syncd_json_iter_init(&iter, object);
    while (syncd_json_iter_next(&iter, &name, NULL)) {
        size_t i = 0;
        while (i < G_N_ELEMENTS(rule_members) && !syncd_json_is(name, rule_members[i].name))
            i++;
        if (i == G_N_ELEMENTS(rule_members))
            return refuse_unknown(name, path, "a rule", error);
    }
    return true;
}

static bool take_members(SyncdJson object, const char *path, SyncdPolicyRule *rule, GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rule_members); i++) {
        const RuleMember *member = &rule_members[i];
        SyncdJson value = syncd_json_member(object, member->name);
        if (value.type == SYNCD_JSON_NONE && !member->required)
            continue;
        if (value.type == SYNCD_JSON_NONE) {
            syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT, "%s/%s is missing", path,
                            member->name);
            return false;
        }
        if (!syncd_shape_check(member->shape, value, path, member->name, error) ||
            !member->take(value, path, rule, error))
            return false;
    }
    return true;
}

static bool check_grants(const SyncdPolicyRule *rule, const char *path, GError **error)
{
    if (rule->grants == 0 ||
        (rule->level == SYNCD_POLICY_MACHINE && rule->effect == SYNCD_EFFECT_ALLOW))
        return true;
    if (rule->level == SYNCD_POLICY_MACHINE)
        syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT,
                        "%s/grants belongs to rules that allow", path);
    else
        syncd_set_error_next(error, SYNCD_ERROR_INVALID_CONTRACT,
                             "leave it out, or ask an administrator for a rule of the machine",
                             "%s/grants: only rules of the machine open a built-in denial", path);
    return false;
}

/* People know a rule by its reason. */
static void name_rule(SyncdJson object, GError **error)
{
    g_autofree char *reason = syncd_json_dup_text(syncd_json_member(object, "reason"));
    if (reason != NULL && is_reason(reason))
        g_prefix_error(error, "rule %s: ", reason);
}

static SyncdPolicyRule *parse_rule(SyncdPolicyLevel level, const char *file, SyncdJson object,
                                   const char *path, GError **error)
{
    g_autoptr(SyncdPolicyRule) rule = g_new0(SyncdPolicyRule, 1);
    rule->level = level;
    rule->file = g_strdup(file);
    if (object.type != SYNCD_JSON_OBJECT) {
        syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT, "%s must be an object", path);
        return NULL;
    }
    if (!check_names(object, path, error) || !take_members(object, path, rule, error) ||
        !check_grants(rule, path, error)) {
        name_rule(object, error);
        return NULL;
    }
    rule->canonical = make_canonical(rule);
    return g_steal_pointer(&rule);
}

/* ---- the file ---- */

static bool check_file(SyncdJson object, GError **error)
{
    SyncdJsonIter iter;
    SyncdJson name;
    syncd_json_iter_init(&iter, object);
    while (syncd_json_iter_next(&iter, &name, NULL))
        if (!syncd_json_is(name, "schema") && !syncd_json_is(name, "rules") &&
            !syncd_json_is(name, "description"))
            return refuse_unknown(name, "", "a file of rules", error);
    if (!syncd_json_is(syncd_json_member(object, "schema"), SYNCD_POLICY_RULES_SCHEMA)) {
        syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT, "/schema must be \"%s\"",
                        SYNCD_POLICY_RULES_SCHEMA);
        return false;
    }
    SyncdJson description = syncd_json_member(object, "description");
    if (description.type != SYNCD_JSON_NONE &&
        !syncd_shape_check(SYNCD_SHAPE_STRING, description, "", "description", error))
        return false;
    if (syncd_json_member(object, "rules").type == SYNCD_JSON_ARRAY)
        return true;
    syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT, "/rules must be an array");
    return false;
}

static bool parse_rules(SyncdPolicyLevel level, const char *file, SyncdJson list, GPtrArray *rules,
                        GError **error)
{
    SyncdJsonIter iter;
    SyncdJson value;
    syncd_json_iter_init(&iter, list);
    while (syncd_json_iter_next(&iter, NULL, &value)) {
        if (rules->len == SYNCD_POLICY_FILE_RULES_MAX) {
            syncd_set_error_next(error, SYNCD_ERROR_TOO_LARGE, "divide the file",
                                 "/rules has more than %u members", SYNCD_POLICY_FILE_RULES_MAX);
            return false;
        }
        g_autofree char *path = g_strdup_printf("/rules/%u", rules->len);
        SyncdPolicyRule *rule = parse_rule(level, file, value, path, error);
        if (rule == NULL)
            return false;
        g_ptr_array_add(rules, rule);
    }
    return true;
}

GPtrArray *syncd_policy_rules_parse(SyncdPolicyLevel level, const char *file, SyncdBytes text,
                                    GError **error)
{
    g_autoptr(GPtrArray) rules =
        g_ptr_array_new_with_free_func((GDestroyNotify)syncd_policy_rule_free);
    SyncdJson object = {0};
    bool good = text.size <= SYNCD_POLICY_FILE_MAX;
    if (!good)
        syncd_set_error(error, SYNCD_ERROR_TOO_LARGE, "more than %u bytes", SYNCD_POLICY_FILE_MAX);
    good = good && syncd_json_check(text.data, text.size, SYNCD_JSON_MUST_BE_OBJECT, error);
    if (good)
        object = syncd_json_root(text.data, text.size);
    if (good && check_file(object, error) &&
        parse_rules(level, file, syncd_json_member(object, "rules"), rules, error))
        return g_steal_pointer(&rules);
    g_prefix_error(error, "%s: ", file);
    return NULL;
}
