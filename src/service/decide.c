#include "service/internal.h"

#include "contract/records.h"

#define REPLICATE "replicate"
#define KNOWN_MAX 16384u /* a class takes about half a KiB */

/* ---- what is known ---- */

static guint hash_class(const void *key)
{
    const SyncdDecisions *decisions = key;
    guint hash = g_str_hash(decisions->actor);
    hash = (hash * 31 + g_str_hash(decisions->lane)) * 31 + g_str_hash(decisions->data_class);
    for (size_t i = 0; i < SYNCD_N_POLICY_FIELDS; i++)
        hash = hash * 31 + decisions->class.words[i];
    return hash + decisions->replicates;
}

static gboolean same_class(const void *one, const void *other)
{
    const SyncdDecisions *left = one, *right = other;
    return left->purges == right->purges && left->replicates == right->replicates &&
           memcmp(&left->class, &right->class, sizeof left->class) == 0 &&
           strcmp(left->actor, right->actor) == 0 && strcmp(left->lane, right->lane) == 0 &&
           strcmp(left->data_class, right->data_class) == 0;
}

static void clear_decisions(void *data)
{
    SyncdDecisions *decisions = data;
    g_free(decisions->actor);
    g_free(decisions->subject);
    g_free(decisions->actor_type);
    g_free(decisions->object);
}

static SyncdDecisions *ref_decisions(SyncdDecisions *decisions)
{
    return g_rc_box_acquire(decisions);
}

void syncd_decisions_unref(SyncdDecisions *decisions)
{
    g_rc_box_release_full(decisions, clear_decisions);
}

GHashTable *syncd_decisions_new(void)
{
    return g_hash_table_new_full(hash_class, same_class, (GDestroyNotify)syncd_decisions_unref,
                                 NULL);
}

static void remember(SyncdService *service, SyncdDecisions *decisions)
{
    if (g_hash_table_size(service->decisions) == KNOWN_MAX)
        g_hash_table_remove_all(service->decisions);
    g_hash_table_add(service->decisions, ref_decisions(decisions));
}

/* ---- deciding ---- */

const char *const syncd_decided[SYNCD_N_DECIDED] = {"allowed", "denied", "redacted", "deferred"};

void syncd_ask_about_scope(SyncdPolicyRequest *asked, const char *scope, const char *class)
{
    asked->fields[SYNCD_FIELD_SCOPE] = scope;
    asked->fields[SYNCD_FIELD_SCOPE_CLASS] = class;
    if (strcmp(class, "workspace") == 0)
        asked->fields[SYNCD_FIELD_WORKSPACE] = scope;
    if (strcmp(class, "profile") == 0)
        asked->fields[SYNCD_FIELD_PROFILE] = scope;
}

/* Who is no person but acts on its own must be let into the data before anything else. */
static bool is_agent(const char *actor_type)
{
    static const char *const types[] = {"agent", "model_runtime", NULL};
    return actor_type != NULL && g_strv_contains(types, actor_type);
}

const char *syncd_rule_level(const SyncdPolicyDecision *answer)
{
    return answer->rule != NULL ? syncd_policy_level_name(answer->rule->level) : "built-in";
}

/* Whoever is refused can ask about that very decision, where the log has it. */
static char *where_to_see(const SyncdDecision *decision, bool named)
{
    return named ? g_strdup_printf("see why with `sourceos-syncd policy explain %s`", decision->id)
                 : g_strdup("see why with `sourceos-syncd policy explain`, given the same object, "
                            "scope, lane and so on");
}

static GError *refusal_new(const SyncdDecision *decision, bool named)
{
    GError *refusal = NULL;
    const SyncdPolicyDecision *answer = &decision->answer;
    g_autofree char *rule =
        answer->rule != NULL
            ? g_strdup_printf(", a rule of the %s in %s: %s", syncd_rule_level(answer),
                              answer->rule->file, answer->rationale)
            : g_strdup(", a built-in rule");
    g_autofree char *see = where_to_see(decision, named);
    bool review = answer->rule != NULL && answer->rule->effect == SYNCD_EFFECT_REVIEW;
    syncd_set_error_next(&refusal,
                         review ? SYNCD_ERROR_APPROVAL_REQUIRED : SYNCD_ERROR_POLICY_DENIED,
                         review ? "have the request reviewed; who answers for the rule allows it "
                                  "with a rule that is more specific; then repeat it"
                                : see,
                         "Policy " SYNCD_POLICY_ID " " SYNCD_POLICY_VERSION
                         " answers %s to %s in the lane %s: %s%s (%s)",
                         answer->outcome.status, decision->input.action, decision->input.lane,
                         answer->outcome.reason, rule, decision->id);
    return refusal;
}

/* Nobody is sent to a decision that the log does not have: where the turn would give it that, who
 * waits for the turn says so. */
static void set_refused(SyncdService *service, const SyncdDecision *decision, SyncdNamed named,
                        GError **error)
{
    GError *refusal = refusal_new(decision, named == SYNCD_NAMED_BY_LOG);
    g_clear_error(&service->denial);
    g_clear_pointer(&service->denial_said, g_free);
    if (named == SYNCD_NAMED_BY_TURN) {
        service->denial = refusal_new(decision, true);
        service->denial_said = g_strdup(refusal->message);
    }
    g_propagate_error(error, refusal);
}

/* What was said since may be about something else. */
GError *syncd_service_take_denial(SyncdService *service, const GError *error)
{
    g_autoptr(GError) named = g_steal_pointer(&service->denial);
    g_autofree char *said = g_steal_pointer(&service->denial_said);
    bool is_it = named != NULL && g_error_matches(error, named->domain, named->code) &&
                 strcmp(error->message, said) == 0;
    return is_it ? g_steal_pointer(&named) : NULL;
}

/* What requests came to since the start, for the health report. */
static void count(SyncdService *service, const SyncdCaller *caller, const char *status)
{
    for (size_t i = 0; i < G_N_ELEMENTS(service->decided) && !caller->rehearses; i++)
        if (strcmp(status, syncd_decided[i]) == 0) {
            service->decided[i]++;
            return;
        }
}

static bool decide(SyncdService *service, const SyncdCaller *caller,
                   const SyncdPolicyRequest *asked, SyncdDecisions *decisions, GError **error)
{
    const struct {
        const char *action;
        bool asked;
    } actions[SYNCD_MAX_DECISIONS] = {
        {"write", true},
        {"retain", syncd_lane_find(SYNCD_BYTES_TEXT(decisions->lane))->durable},
        {REPLICATE, decisions->replicates},
        {"agent_access", is_agent(decisions->actor_type)},
        {"purge_preview", decisions->purges},
    };
    SyncdPolicyRequest request = *asked;
    request.fields[SYNCD_FIELD_SUBJECT] = decisions->subject;
    request.fields[SYNCD_FIELD_ACTOR_TYPE] = decisions->actor_type;
    decisions->n_decisions = 0;
    for (size_t i = 0; i < SYNCD_MAX_DECISIONS; i++) {
        if (!actions[i].asked)
            continue;
        const char *action = actions[i].action;
        SyncdDecision *decision = &decisions->decisions[decisions->n_decisions++];
        request.fields[SYNCD_FIELD_ACTION] = action;
        decision->input = (SyncdPolicyInput){action, decisions->lane, decisions->data_class,
                                             decisions->subject, decisions->object};
        decision->answer = syncd_policy_set_decide(service->policy, &request);
        syncd_policy_decision_id(&decision->input, &decision->answer.outcome, decision->id);
        if (!decision->answer.outcome.allowed) {
            SyncdNamed named = syncd_service_note_denial(service, caller, decision,
                                                         asked->fields[SYNCD_FIELD_OBJECT]);
            set_refused(service, decision, named, error);
            count(service, caller, decision->answer.outcome.status);
            return false;
        }
    }
    return true;
}

static bool find_actor_type(SyncdService *service, const char *actor, char **ret_type,
                            GError **error)
{
    g_auto(SyncdRecordRow) row = {0};
    bool found;
    if (!syncd_store_find_record(service->store, syncd_family(SYNCD_FAMILY_ACTOR), actor, &row,
                                 &found, error))
        return false;
    *ret_type = found ? g_steal_pointer(&row.columns[SYNCD_COLUMN_TYPE]) : NULL;
    return true;
}

/* An actor of another type or with another subject is another one for policy. */
static bool still_holds(SyncdService *service, SyncdDecisions *known, bool *ret_holds,
                        GError **error)
{
    guint64 registries = syncd_store_registries(service->store);
    *ret_holds = known->registries == registries;
    if (*ret_holds)
        return true;
    g_autofree char *type = NULL, *subject = syncd_service_subject_of(service, known->actor, error);
    if (subject == NULL)
        return false;
    *ret_holds = strcmp(subject, known->subject) == 0;
    if (!*ret_holds)
        return true;
    if (!find_actor_type(service, known->actor, &type, error))
        return false;
    *ret_holds = g_strcmp0(type, known->actor_type) == 0;
    if (*ret_holds)
        known->registries = registries;
    return true;
}

static SyncdDecisions *decide_anew(SyncdService *service, const SyncdCaller *caller,
                                   const SyncdDecisions *class, const SyncdPolicyRequest *asked,
                                   GError **error)
{
    g_autoptr(SyncdDecisions) decisions = g_rc_box_new0(SyncdDecisions);
    *decisions = *class;
    decisions->actor = g_strdup(class->actor);
    decisions->subject = syncd_service_subject_of(service, class->actor, error);
    if (decisions->subject == NULL)
        return NULL;
    if (class->class.words[SYNCD_FIELD_OBJECT] != 0)
        decisions->object = g_strdup(asked->fields[SYNCD_FIELD_OBJECT]);
    decisions->registries = syncd_store_registries(service->store);
    if (!find_actor_type(service, class->actor, &decisions->actor_type, error) ||
        !decide(service, caller, asked, decisions, error))
        return NULL;
    remember(service, decisions);
    return g_steal_pointer(&decisions);
}

static SyncdDecisions *decide_class(SyncdService *service, const SyncdCaller *caller,
                                    const char *actor, const SyncdPolicyRequest *asked, bool purges,
                                    GError **error)
{
    SyncdDecisions class = {
        .purges = purges,
        .actor = (char *)actor,
        .lane = asked->fields[SYNCD_FIELD_LANE],
        .data_class = asked->fields[SYNCD_FIELD_DATA_CLASS],
        .replicates = g_strcmp0(asked->fields[SYNCD_FIELD_ACTION], REPLICATE) == 0,
    };
    /* Nobody gets a decision about a place that he does not reach: it would be recorded. */
    if (!syncd_service_require_scope_reach(service, caller, actor, asked->fields[SYNCD_FIELD_SCOPE],
                                           error))
        return NULL;
    syncd_policy_set_classify(service->policy, asked, &class.class);
    SyncdDecisions *known = g_hash_table_lookup(service->decisions, &class);
    bool holds = false;
    if (known != NULL && !still_holds(service, known, &holds, error))
        return NULL;
    SyncdDecisions *decisions =
        holds ? ref_decisions(known) : decide_anew(service, caller, &class, asked, error);
    if (decisions != NULL)
        count(service, caller, syncd_decided[0]);
    return decisions;
}

SyncdDecisions *syncd_service_decide(SyncdService *service, const SyncdCaller *caller,
                                     const char *actor, const SyncdPolicyRequest *asked,
                                     GError **error)
{
    return decide_class(service, caller, actor, asked, false, error);
}

SyncdDecisions *syncd_service_decide_purge(SyncdService *service, const SyncdCaller *caller,
                                           const char *actor, const SyncdPolicyRequest *asked,
                                           GError **error)
{
    return decide_class(service, caller, actor, asked, true, error);
}

static bool is_allowed(SyncdService *service, const SyncdCaller *caller, const char *actor,
                       const SyncdPolicyRequest *asked, GError **error)
{
    g_autoptr(SyncdDecisions) decisions =
        syncd_service_decide(service, caller, actor, asked, error);
    return decisions != NULL;
}

/* Who asks for a deletion asks for what comes of it. */
static SyncdDecisions *decide_all(SyncdService *service, const SyncdCaller *caller,
                                  const char *actor, const SyncdPolicyRequest *asked,
                                  GError **error)
{
    SyncdPolicyRequest tombstone = *asked;
    g_autoptr(SyncdDecisions) decisions =
        syncd_service_decide(service, caller, actor, asked, error);
    tombstone.fields[SYNCD_FIELD_OPERATION_TYPE] = "sync.tombstone.apply";
    if (decisions == NULL || (strcmp(asked->fields[SYNCD_FIELD_LANE], SYNCD_LANE_TOMBSTONE) == 0 &&
                              !is_allowed(service, caller, actor, &tombstone, error)))
        return NULL;
    return g_steal_pointer(&decisions);
}

SyncdDecisions *syncd_service_decide_in(SyncdService *service, const SyncdCaller *caller,
                                        const char *actor, const SyncdPolicyRequest *asked,
                                        const SyncdPlace *place, GError **error)
{
    SyncdPolicyRequest here = *asked;
    here.fields[SYNCD_FIELD_WORKSPACE] = place->workspace;
    here.fields[SYNCD_FIELD_PROFILE] = place->profile;
    if (here.fields[SYNCD_FIELD_OBJECT_TYPE] == NULL)
        here.fields[SYNCD_FIELD_OBJECT_TYPE] = place->object_type;
    g_autoptr(SyncdDecisions) decisions = decide_all(service, caller, actor, &here, error);
    if (decisions == NULL || place->object_class == NULL)
        return g_steal_pointer(&decisions);
    SyncdPolicyRequest object = here;
    object.fields[SYNCD_FIELD_PROFILE] = place->object_profile;
    object.fields[SYNCD_FIELD_OBJECT_TYPE] = place->object_type;
    object.fields[SYNCD_FIELD_DATA_CLASS] = place->object_class;
    bool differs = false;
    for (size_t i = 0; i < SYNCD_N_POLICY_FIELDS; i++)
        differs |= g_strcmp0(object.fields[i], here.fields[i]) != 0;
    if (!differs)
        return g_steal_pointer(&decisions);
    g_autoptr(SyncdDecisions) others = decide_all(service, caller, actor, &object, error);
    return others != NULL ? g_steal_pointer(&decisions) : NULL;
}

/* ---- recording ---- */

static bool record_decision(SyncdService *service, const char *actor, const SyncdDecision *decision,
                            GError **error)
{
    SyncdDecisionRecord record = {
        .decision_id = decision->id,
        .policy_digest = service->policy_digest,
        .policy_id = SYNCD_POLICY_ID,
        .policy_version = SYNCD_POLICY_VERSION,
        .actor_id = actor,
        .action = decision->input.action,
        .lane = decision->input.lane,
        .data_class = decision->input.data_class,
        .subject = decision->input.subject,
        .object_id = decision->input.object_id,
        .status = decision->answer.outcome.status,
        .reason = decision->answer.outcome.reason,
        .rationale = decision->answer.rationale,
        .rule_level = syncd_rule_level(&decision->answer),
        .decided_ms = syncd_service_now_ms(service),
    };
    g_autoptr(GString) content = g_string_new(NULL);
    syncd_decision_record_write(&record, content);
    return syncd_service_append_own(service, "policy.decision", SYNCD_LANE_POLICY,
                                    SYNCD_DECISION_SCHEMA, content, error);
}

bool syncd_service_record_decisions(SyncdService *service, const char *actor,
                                    SyncdDecisions *decisions, GError **error)
{
    if (decisions->recorded == syncd_store_registries(service->store))
        return true;
    for (size_t i = 0; i < decisions->n_decisions; i++) {
        const SyncdDecision *decision = &decisions->decisions[i];
        bool has;
        if (!syncd_store_has_decision(service->store, service->policy_digest, decision->id, &has,
                                      error) ||
            (!has && !record_decision(service, actor, decision, error)))
            return false;
    }
    decisions->recorded = syncd_store_registries(service->store);
    return true;
}
