#include "domain/policy-set.h"

#include "base/json-writer.h"
#include "contract/vocabulary.h"

/* The rules of one combination of words, as far as they can decide. */
typedef struct {
    SyncdPolicyClass at; /* 0 for fields without a condition */
    const SyncdPolicyRule *first[SYNCD_N_POLICY_LEVELS];
} Cell;

struct SyncdPolicySet {
    GPtrArray *given[SYNCD_N_POLICY_LEVELS]; /* own the rules; NULL for none */
    GPtrArray *rules[SYNCD_N_POLICY_LEVELS]; /* in their order */
    unsigned unusable;
    GHashTable *words[SYNCD_N_POLICY_FIELDS]; /* word: its id */
    GHashTable *cells;                        /* a set of Cell */
    GArray *shapes;                           /* unsigned, the most specific first */
    char digest[SYNCD_DIGEST_SIZE];
};

/* ---- cells ---- */

static guint hash_cell(const void *data)
{
    const Cell *cell = data;
    guint64 hash = 0;
    for (size_t i = 0; i < SYNCD_N_POLICY_FIELDS; i++)
        hash = (hash ^ cell->at.words[i]) * G_GUINT64_CONSTANT(0x9e3779b97f4a7c15);
    return (guint)(hash >> 32);
}

static gboolean same_cell(const void *one, const void *other)
{
    const Cell *left = one, *right = other;
    return memcmp(&left->at, &right->at, sizeof left->at) == 0;
}

static guint32 word_id(const SyncdPolicySet *set, size_t field, const char *word)
{
    if (set->words[field] == NULL || word == NULL)
        return 0;
    return GPOINTER_TO_UINT(g_hash_table_lookup(set->words[field], word));
}

static guint32 add_word(SyncdPolicySet *set, size_t field, char *word)
{
    if (set->words[field] == NULL)
        set->words[field] = g_hash_table_new(g_str_hash, g_str_equal);
    guint32 id = word_id(set, field, word);
    if (id != 0)
        return id;
    id = g_hash_table_size(set->words[field]) + 1;
    g_hash_table_insert(set->words[field], word, GUINT_TO_POINTER(id));
    return id;
}

/* The rules come in their order, so the first one that takes a cell keeps it. */
static void add_cell(SyncdPolicySet *set, const SyncdPolicyClass *at, const SyncdPolicyRule *rule)
{
    const Cell key = {.at = *at};
    Cell *cell = g_hash_table_lookup(set->cells, &key);
    if (cell == NULL) {
        cell = g_new0(Cell, 1);
        cell->at = *at;
        g_hash_table_add(set->cells, cell);
    }
    if (cell->first[rule->level] == NULL)
        cell->first[rule->level] = rule;
}

static void add_cells(SyncdPolicySet *set, const SyncdPolicyRule *rule, size_t field,
                      SyncdPolicyClass *at)
{
    while (field < SYNCD_N_POLICY_FIELDS && rule->words[field] == NULL)
        field++;
    if (field == SYNCD_N_POLICY_FIELDS) {
        add_cell(set, at, rule);
        return;
    }
    for (char **word = rule->words[field]; *word != NULL; word++) {
        at->words[field] = add_word(set, field, *word);
        add_cells(set, rule, field + 1, at);
    }
    at->words[field] = 0;
}

static void add_shape(SyncdPolicySet *set, unsigned fields)
{
    guint i = 0;
    while (i < set->shapes->len && g_array_index(set->shapes, unsigned, i) > fields)
        i++;
    if (i == set->shapes->len || g_array_index(set->shapes, unsigned, i) != fields)
        g_array_insert_val(set->shapes, i, fields);
}

/* ---- making ---- */

static bool refuse_size(const SyncdPolicyRule *rule, const char *what, unsigned max, GError **error)
{
    syncd_set_error_next(error, SYNCD_ERROR_TOO_LARGE, "remove rules, or bring some together",
                         "%s: with %s there are more than %u %s", rule->file, rule->reason, max,
                         what);
    return false;
}

static bool index_level(SyncdPolicySet *set, SyncdPolicyLevel level, GError **error)
{
    const GPtrArray *rules = set->rules[level];
    for (guint i = 0; i < rules->len; i++) {
        const SyncdPolicyRule *rule = g_ptr_array_index(rules, i);
        SyncdPolicyClass at = {0};
        add_shape(set, rule->fields);
        add_cells(set, rule, 0, &at);
        if (set->shapes->len > SYNCD_POLICY_SHAPES_MAX)
            return refuse_size(rule, "combinations of conditions", SYNCD_POLICY_SHAPES_MAX, error);
        if (g_hash_table_size(set->cells) > SYNCD_POLICY_CELLS_MAX)
            return refuse_size(rule, "combinations of words", SYNCD_POLICY_CELLS_MAX, error);
    }
    return true;
}

static bool check_reasons(const GPtrArray *rules, GHashTable *reasons, GError **error)
{
    for (guint i = 0; i < rules->len; i++) {
        SyncdPolicyRule *rule = g_ptr_array_index(rules, i);
        const SyncdPolicyRule *other = g_hash_table_lookup(reasons, rule->reason);
        if (other != NULL) {
            syncd_set_error_next(error, SYNCD_ERROR_INVALID_CONTRACT,
                                 "give each rule a reason of its own",
                                 "%s: the reason %s is already that of a rule in %s", rule->file,
                                 rule->reason, other->file);
            return false;
        }
        if (i == SYNCD_POLICY_LEVEL_RULES_MAX)
            return refuse_size(rule, "rules", SYNCD_POLICY_LEVEL_RULES_MAX, error);
        g_hash_table_insert(reasons, rule->reason, rule);
    }
    return true;
}

static int compare_rules(const void *one, const void *other)
{
    return syncd_policy_rule_compare(*(const SyncdPolicyRule *const *)one,
                                     *(const SyncdPolicyRule *const *)other);
}

static void take_rules(SyncdPolicySet *set, SyncdPolicyLevel level, GPtrArray *given)
{
    set->rules[level] = g_ptr_array_new();
    if (given == NULL)
        return;
    set->given[level] = g_ptr_array_ref(given);
    for (guint i = 0; i < given->len; i++)
        g_ptr_array_add(set->rules[level], given->pdata[i]);
    g_ptr_array_sort(set->rules[level], compare_rules);
}

static void write_unusable(const SyncdPolicySet *set, SyncdJsonWriter *writer)
{
    syncd_json_name(writer, "unusable");
    syncd_json_begin_array(writer);
    for (SyncdPolicyLevel level = 0; level < SYNCD_N_POLICY_LEVELS; level++)
        if (syncd_policy_set_is_unusable(set, level))
            syncd_json_string(writer, syncd_policy_level_name(level));
    syncd_json_end_array(writer);
}

static void write_built_in(SyncdJsonWriter *writer)
{
    char digest[SYNCD_DIGEST_SIZE];
    syncd_policy_digest(digest);
    syncd_json_member_string(writer, "built_in", digest);
    syncd_json_name(writer, "fail_closed_lanes");
    syncd_json_begin_array(writer);
    const char *const *lane = syncd_vocabulary_words(SYNCD_WORDS_LANE);
    for (; *lane != NULL; lane++)
        if (syncd_policy_lane_fails_closed(*lane))
            syncd_json_string(writer, *lane);
    syncd_json_end_array(writer);
}

static void make_digest(SyncdPolicySet *set)
{
    g_autoptr(GString) text = g_string_new(NULL);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, text, false);
    syncd_json_begin_object(&writer);
    write_built_in(&writer);
    write_unusable(set, &writer);
    syncd_json_name(&writer, "rules");
    syncd_json_begin_array(&writer);
    for (SyncdPolicyLevel level = 0; level < SYNCD_N_POLICY_LEVELS; level++)
        for (guint i = 0; i < set->rules[level]->len; i++) {
            const SyncdPolicyRule *rule = g_ptr_array_index(set->rules[level], i);
            syncd_json_value(&writer, syncd_json_root(rule->canonical, strlen(rule->canonical)));
        }
    syncd_json_end_array(&writer);
    syncd_json_end_object(&writer);
    SyncdHash digest = syncd_hash_canonical(syncd_json_root(text->str, text->len));
    syncd_hash_to_digest(&digest, set->digest);
}

SyncdPolicySet *syncd_policy_set_new(GPtrArray *machine, GPtrArray *user, unsigned unusable,
                                     GError **error)
{
    g_autoptr(SyncdPolicySet) set = g_new0(SyncdPolicySet, 1);
    g_autoptr(GHashTable) reasons = g_hash_table_new(g_str_hash, g_str_equal);
    set->unusable = unusable;
    set->cells = g_hash_table_new_full(hash_cell, same_cell, g_free, NULL);
    set->shapes = g_array_new(FALSE, FALSE, sizeof(unsigned));
    take_rules(set, SYNCD_POLICY_MACHINE, machine);
    take_rules(set, SYNCD_POLICY_USER, user);
    for (SyncdPolicyLevel level = 0; level < SYNCD_N_POLICY_LEVELS; level++)
        if (!check_reasons(set->rules[level], reasons, error) || !index_level(set, level, error))
            return NULL;
    make_digest(set);
    return g_steal_pointer(&set);
}

void syncd_policy_set_free(SyncdPolicySet *set)
{
    if (set == NULL)
        return;
    for (size_t i = 0; i < SYNCD_N_POLICY_FIELDS; i++)
        g_clear_pointer(&set->words[i], g_hash_table_unref);
    for (size_t i = 0; i < SYNCD_N_POLICY_LEVELS; i++) {
        g_clear_pointer(&set->rules[i], g_ptr_array_unref);
        g_clear_pointer(&set->given[i], g_ptr_array_unref);
    }
    g_clear_pointer(&set->cells, g_hash_table_unref);
    g_clear_pointer(&set->shapes, g_array_unref);
    g_free(set);
}

const char *syncd_policy_set_digest(const SyncdPolicySet *set)
{
    return set->digest;
}

const GPtrArray *syncd_policy_set_rules(const SyncdPolicySet *set, SyncdPolicyLevel level)
{
    return set->rules[level];
}

bool syncd_policy_set_is_unusable(const SyncdPolicySet *set, SyncdPolicyLevel level)
{
    return (set->unusable & 1u << level) != 0;
}

/* ---- deciding ---- */

void syncd_policy_set_classify(const SyncdPolicySet *set, const SyncdPolicyRequest *request,
                               SyncdPolicyClass *ret_class)
{
    for (size_t i = 0; i < SYNCD_N_POLICY_FIELDS; i++)
        ret_class->words[i] = word_id(set, i, request->fields[i]);
}

/* False when the class lacks a word in one of the fields: then no rule of that shape matches. */
static bool project_class(const SyncdPolicyClass *class, unsigned shape, SyncdPolicyClass *ret_at)
{
    *ret_at = (SyncdPolicyClass){0};
    for (size_t i = 0; i < SYNCD_N_POLICY_FIELDS; i++) {
        if ((shape & 1u << i) == 0)
            continue;
        if (class->words[i] == 0)
            return false;
        ret_at->words[i] = class->words[i];
    }
    return true;
}

static void find_first(const SyncdPolicySet *set, const SyncdPolicyRequest *request,
                       const SyncdPolicyRule *ret_first[SYNCD_N_POLICY_LEVELS])
{
    SyncdPolicyClass class;
    Cell key = {0};
    syncd_policy_set_classify(set, request, &class);
    for (guint i = 0; i < set->shapes->len; i++) {
        if (!project_class(&class, g_array_index(set->shapes, unsigned, i), &key.at))
            continue;
        const Cell *cell = g_hash_table_lookup(set->cells, &key);
        for (size_t level = 0; cell != NULL && level < SYNCD_N_POLICY_LEVELS; level++)
            if (ret_first[level] == NULL)
                ret_first[level] = cell->first[level];
    }
}

static const char *status_of(const SyncdPolicyRule *rule)
{
    static const char *const statuses[] = {
        [SYNCD_EFFECT_ALLOW] = "allowed",
        [SYNCD_EFFECT_REVIEW] = "deferred",
        [SYNCD_EFFECT_DENY] = "denied",
    };
    return statuses[rule->effect];
}

static SyncdPolicyDecision by_rule(const SyncdPolicyRule *rule)
{
    const char *status = status_of(rule);
    bool allowed = rule->effect == SYNCD_EFFECT_ALLOW;
    return (SyncdPolicyDecision){{status, rule->reason, allowed}, rule, rule->rationale};
}

static SyncdPolicyDecision by_table(SyncdPolicyOutcome outcome)
{
    return (SyncdPolicyDecision){outcome, NULL, outcome.reason};
}

static SyncdPolicyDecision denied_by_table(const char *reason)
{
    return by_table((SyncdPolicyOutcome){"denied", reason, false});
}

static bool is_denied(const SyncdPolicyDecision *decision)
{
    return strcmp(decision->outcome.status, "denied") == 0;
}

static bool is_stronger(const SyncdPolicyRule *rule, const SyncdPolicyDecision *than)
{
    return syncd_policy_status_is_weaker(than->outcome.status, status_of(rule));
}

static unsigned grants_of(const SyncdPolicyRule *machine)
{
    return machine != NULL ? machine->grants : 0;
}

static SyncdPolicyInput input_of(const SyncdPolicyRequest *request)
{
    const char *subject = request->fields[SYNCD_FIELD_SUBJECT];
    return (SyncdPolicyInput){
        .action = request->fields[SYNCD_FIELD_ACTION],
        .lane = request->fields[SYNCD_FIELD_LANE],
        .data_class = request->fields[SYNCD_FIELD_DATA_CLASS],
        .subject = subject != NULL ? subject : SYNCD_POLICY_SUBJECT,
        .object_id = request->fields[SYNCD_FIELD_OBJECT],
    };
}

static SyncdPolicyDecision decide(const SyncdPolicySet *set, const SyncdPolicyRequest *request,
                                  const SyncdPolicyRule *const first[SYNCD_N_POLICY_LEVELS])
{
    const SyncdPolicyRule *machine = first[SYNCD_POLICY_MACHINE], *user = first[SYNCD_POLICY_USER];
    SyncdPolicyInput input = input_of(request);
    bool closed = syncd_policy_lane_fails_closed(input.lane);
    SyncdPolicyDecision decision =
        by_table(syncd_policy_decide_granted(&input, grants_of(machine)));

    if (machine != NULL && (decision.outcome.allowed || is_stronger(machine, &decision)))
        decision = by_rule(machine);
    if (closed && !is_denied(&decision) && set->unusable != 0)
        decision = denied_by_table(SYNCD_POLICY_REASON_UNUSABLE);
    else if (closed && decision.outcome.allowed && machine == NULL)
        decision = denied_by_table(SYNCD_POLICY_REASON_CLOSED);
    if (user != NULL && is_stronger(user, &decision))
        decision = by_rule(user);
    return decision;
}

SyncdPolicyDecision syncd_policy_set_decide(const SyncdPolicySet *set,
                                            const SyncdPolicyRequest *request)
{
    const SyncdPolicyRule *first[SYNCD_N_POLICY_LEVELS] = {NULL};
    find_first(set, request, first);
    return decide(set, request, first);
}

/* ---- explaining ---- */

static const char *fate_of(const SyncdPolicyRule *rule, const SyncdPolicyRule *first,
                           const SyncdPolicyDecision *decision)
{
    if (rule == decision->rule)
        return "decides";
    if (rule == first)
        return "weaker";
    return rule->fields == first->fields ? "weaker_effect" : "less_specific";
}

/* Looks at every rule, where a decision only looks up: what the tables say is so said twice. */
static void hear_level(const SyncdPolicySet *set, SyncdPolicyLevel level,
                       const SyncdPolicyRequest *request, const SyncdPolicyDecision *decision,
                       GArray *voices)
{
    const SyncdPolicyRule *first = NULL;
    for (guint i = 0; i < set->rules[level]->len; i++) {
        const SyncdPolicyRule *rule = g_ptr_array_index(set->rules[level], i);
        if (!syncd_policy_rule_matches(rule, request))
            continue;
        if (first == NULL)
            first = rule;
        SyncdPolicyVoice voice = {.rule = rule, .fate = fate_of(rule, first, decision)};
        g_array_append_val(voices, voice);
    }
}

static void hear_table(const SyncdPolicyRequest *request, unsigned granted,
                       const SyncdPolicyDecision *decision, GArray *voices)
{
    SyncdPolicyInput input = input_of(request);
    for (unsigned i = 0; i < syncd_policy_n_built_in(); i++) {
        SyncdPolicyVoice voice = {.built_in = syncd_policy_built_in(i), .fate = "weaker"};
        if (!syncd_policy_built_in_matches(voice.built_in, &input))
            continue;
        if (voice.built_in->grantable && granted & 1u << i)
            voice.fate = "opened";
        else if (strcmp(voice.built_in->reason, decision->outcome.reason) == 0)
            voice.fate = "decides";
        g_array_append_val(voices, voice);
    }
}

GArray *syncd_policy_set_explain(const SyncdPolicySet *set, const SyncdPolicyRequest *request,
                                 SyncdPolicyDecision *ret_decision)
{
    const SyncdPolicyRule *first[SYNCD_N_POLICY_LEVELS] = {NULL};
    GArray *voices = g_array_new(FALSE, FALSE, sizeof(SyncdPolicyVoice));
    find_first(set, request, first);
    *ret_decision = decide(set, request, first);
    hear_level(set, SYNCD_POLICY_MACHINE, request, ret_decision, voices);
    hear_table(request, grants_of(first[SYNCD_POLICY_MACHINE]), ret_decision, voices);
    hear_level(set, SYNCD_POLICY_USER, request, ret_decision, voices);
    return voices;
}
