#include "domain/narrative.h"

#include "domain/findings.h"
#include "domain/problems.h"

#include <string.h>

#define VERIFY "Have all of the log verified: `sourceos-syncd verify log --full`."
#define DOCTOR "See what is wrong and what mends it: `sourceos-syncd doctor`."
#define SNAPSHOT "Make a new report: `sourceos-syncd health snapshot`."

typedef struct {
    const char *id;
    const char *happened; /* NULL, as the next two: nothing is to be said of it */
    const char *risk;
    const char *next;
} Sentences;

/* clang-format off */
static const Sentences table[] = {
    {"report.contract_valid", "The report does not keep to its contract.",
     "Nothing in it can be relied on.", SNAPSHOT},
    {"heartbeat.within_sla", "The daemon has not shown for too long that it is alive.",
     "What happened since is recorded by nobody.",
     "Start the daemon: `sourceos-syncd daemon --user`."},
    {"journal.replay_lag_within_sla", "Lookups are further behind the log than they may be.",
     "Answers may be older than what was acknowledged.", DOCTOR},
    {"store.shadow_verified_when_present", "A store has a shadow that nobody has verified.",
     "Changing over to it could bring back what is wrong.", VERIFY},
    {"resources.disk_pressure_below_critical",
     "The disk that holds the state is nearly full, or nobody knows how full it is.",
     "The next writes may find no room, and are refused then.",
     "Make room on that disk; what is deleted already can be purged: `sourceos-syncd repair plan "
     "--purge`."},
    {"runtime.no_unrecovered_dirty_open", "The daemon did not end cleanly the last time.",
     "Until the log has been verified, its end may be damaged.",
     "Wait for the verification that runs after a start, or begin one: `sourceos-syncd verify log`."},
    {"report.fresh", "The report is too old, or comes from the future.",
     "The state may be another one by now.", SNAPSHOT},
    {"collection.succeeded", "The state could not be looked at.", "Nobody knows how it is.", DOCTOR},
    {"lanes.status_safe", "Lanes are unsafe, or impaired.",
     "What travels in them is not to be relied on.", DOCTOR},
    {"store.checksums_match", "Bytes of the state are not what was recorded.",
     "What they said may be lost, or be another thing than it was.", VERIFY},
    {"store.flags_known", "A store has flags that this program does not know.",
     "It may mean something that is not heeded here.", "Upgrade the program that judges."},
    {"report.diagnosis_consistent", "The report says of itself what its own data contradict.",
     "It was changed, or made by something that is broken.", SNAPSHOT},
    {"attestation.verifiable", "The signature of the report could not be verified.",
     "Somebody else may have made it.",
     "Give the key of the device with --key; a report that you have from its daemon yourself has it "
     "beside attestation.signed."},

    {"state.initialized", "There is no state yet.", NULL,
     "Start the daemon, or make the state: `sourceos-syncd store init`."},
    {"journal.readable", "The journal cannot be opened, so nothing of the log can be read, and nothing "
     "is recorded.",
     "Whether all that was acknowledged can be had again is not known.", DOCTOR},
    {"journal.integrity", "The log is damaged, or has not been verified since the start.",
     "What is damaged may not be readable any more.", VERIFY},
    {"journal.writable", "The log takes no writing, or found no room for it.",
     "Nothing new is recorded until it does.", DOCTOR},
    {"replay.complete", "The index is being made from the log, is damaged, or is not there.",
     "Lookups fail, or lie, until it is whole.",
     "Wait until it is made, or have it made anew: `sourceos-syncd repair plan`."},
    {"checkpoint.valid", "A signed head or a checkpoint of the log does not hold.",
     "The log may have been cut, or be another one.", VERIFY},
    {"schema.compatible", "A database has another version than this program.",
     "What it does not know it cannot check.", "Run the newest program that was used on this state."},
    {"tombstone.propagated", "A deletion has not reached everybody who has to know of it, or nobody knows.",
     "What was deleted may still be seen.", DOCTOR},
    {"purge.authorised", "A purge was begun whose proof is not written yet, or nobody knows.",
     "Its bytes may still be in some file.",
     "Let the daemon finish it; what keeps it from that says `sourceos-syncd doctor`."},
    {"policy.available", "Rules of policy were refused, or there are none that can be used.",
     "Other rules than those that were written decide.",
     "Correct the rules, and reload the daemon: `sourceos-syncd policy list`."},
    {"attestation.signed", "The device's key is not here, so that nobody signs.",
     "Others cannot tell this report from a forged one.", DOCTOR},
    {"files.match_record", "Files of a workspace have other bytes than were recorded, and nothing "
     "said that they changed.",
     "They may be damaged.",
     "Restore them or accept them; which they are says `sourceos-syncd doctor`."},
    {"keys.present", "Keys of the state are not here.",
     "What they sealed cannot be read, and nothing can be written where they are missing.", DOCTOR},
    {"diagnosis.finds_nothing", NULL, NULL, DOCTOR}, /* each finding is told of by itself */
};
/* clang-format on */

typedef struct {
    GPtrArray *happened, *policy, *risk, *next;
} Narrative;

static void say(GPtrArray *sentences, const char *sentence)
{
    if (sentence != NULL && sentences->len < SYNCD_PROBLEMS_MAX &&
        !g_ptr_array_find_with_equal_func(sentences, sentence, g_str_equal, NULL))
        g_ptr_array_add(sentences, g_strdup(sentence));
}

static void tell(Narrative *narrative, const char *id)
{
    for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
        if (strcmp(table[i].id, id) != 0)
            continue;
        say(narrative->happened, table[i].happened);
        say(narrative->risk, table[i].risk);
        say(narrative->next, table[i].next);
        return;
    }
    if (strcmp(id, syncd_invariant_name(SYNCD_INVARIANT_REPORTED)) == 0)
        return; /* that there are others says nothing of its own */
    g_autofree char *sentence = g_strdup_printf("The report says that %.128s does not hold.", id);
    g_autofree char *valid = g_utf8_make_valid(sentence, -1);
    say(narrative->happened, valid);
}

/* Those that the report brings along stand for the one that says that there are some. */
static void tell_invariants(Narrative *narrative, const SyncdJudgement *judgement)
{
    SyncdJsonIter iter;
    SyncdJson invariant;
    for (int i = 0; i < SYNCD_N_INVARIANTS; i++)
        if (i != SYNCD_INVARIANT_REPORTED && !syncd_invariants_hold(judgement->invariants, i))
            tell(narrative, syncd_invariant_name(i));
    if (syncd_invariants_hold(judgement->invariants, SYNCD_INVARIANT_REPORTED))
        return;
    syncd_json_iter_init(&iter, syncd_json_member(judgement->report->root, "invariants"));
    while (syncd_json_iter_next(&iter, NULL, &invariant)) {
        SyncdJson status = syncd_json_member(invariant, "status");
        g_autofree char *id = syncd_json_dup_text(syncd_json_member(invariant, "id"));
        if (id != NULL && (syncd_json_is(status, "warn") || syncd_json_is(status, "fail")))
            tell(narrative, id);
    }
}

/* ---- what a diagnosis finds ---- */

/* Takes the sentence; whatever is in a report may be cut anywhere. */
static void say_made(GPtrArray *sentences, char *sentence)
{
    g_autofree char *made = sentence, *valid = g_utf8_make_valid(made, -1);
    say(sentences, valid);
}

/* What only informs is told of where it says that something is lost. Of a file that has other bytes
 * than were recorded these may be kept. */
static void tell_finding(Narrative *narrative, const char *code, const char *severity)
{
    const SyncdFinding *finding = syncd_finding_find(SYNCD_BYTES_TEXT(code));
    bool durable = finding == NULL || strcmp(finding->durability, "durable") == 0;
    if (finding != NULL)
        severity = finding->severity;
    if (strcmp(severity, "info") == 0 && !durable)
        return;
    say_made(narrative->happened,
             g_strdup_printf("A diagnosis finds %.64s (%.16s).", code, severity));
    bool lost = durable && (finding == NULL || g_strcmp0(finding->repair, "file-restore") != 0);
    say_made(narrative->risk,
             g_strdup_printf(lost ? "What %.64s is about may be lost for good."
                                  : "What %.64s is about is impaired until it is mended.",
                             code));
    say(narrative->next, DOCTOR);
}

/* The reasons of the state are findings, too, and all there is where no diagnosis was asked for.
 * Gives whether one was. */
static bool tell_findings(Narrative *narrative, const SyncdJudgement *judgement)
{
    SyncdJson local = syncd_report_at(judgement->report, "diagnosis", "local_state");
    SyncdJson findings = syncd_json_member(local, "findings"), element;
    bool asked = findings.type == SYNCD_JSON_ARRAY;
    SyncdJsonIter iter;
    syncd_json_iter_init(&iter, asked ? findings : syncd_json_member(local, "state_reasons"));
    while (syncd_json_iter_next(&iter, NULL, &element)) {
        g_autofree char *code =
            syncd_json_dup_text(asked ? syncd_json_member(element, "code") : element);
        g_autofree char *severity =
            asked ? syncd_json_dup_text(syncd_json_member(element, "severity")) : NULL;
        if (code != NULL)
            tell_finding(narrative, code, severity != NULL ? severity : "warning");
    }
    return asked;
}

/* ---- policy ---- */

static void tell_count(Narrative *narrative, const SyncdJudgement *judgement, const char *status,
                       const char *what)
{
    guint64 count;
    SyncdJson counts = syncd_report_at(judgement->report, "policy", "policy_decisions");
    if (!syncd_count_read(syncd_json_member(counts, status), &count) || count == 0)
        return;
    g_autofree char *sentence =
        g_strdup_printf("It %s %" G_GUINT64_FORMAT " requests, by its rules: "
                        "`sourceos-syncd events list --type sync.policy.denied`.",
                        what, count);
    say(narrative->policy, sentence);
}

static bool has(const GPtrArray *words, const char *word)
{
    return g_ptr_array_find_with_equal_func((GPtrArray *)words, word, g_str_equal, NULL);
}

static void tell_policy(Narrative *narrative, const SyncdJudgement *judgement)
{
    const GPtrArray *blocked = judgement->diagnosis->blocked_actions;
    tell_count(narrative, judgement, "denied", "denied");
    tell_count(narrative, judgement, "deferred", "wants somebody to review");
    if (has(blocked, "agent_action_requiring_fresh_state"))
        say(narrative->policy,
            "Agents that need to know how things are now may not act, as that is "
            "not known.");
    if (has(blocked, "destructive_purge_without_policy_grant"))
        say(narrative->policy,
            "Nothing is purged to make room unless somebody approves of exactly that.");
}

/* ---- the whole ---- */

void syncd_narrative_write(const SyncdJudgement *judgement, SyncdJsonWriter *writer)
{
    Narrative narrative = {syncd_problems_new(), syncd_problems_new(), syncd_problems_new(),
                           syncd_problems_new()};
    tell_invariants(&narrative, judgement);
    bool told = tell_findings(&narrative, judgement);
    tell_policy(&narrative, judgement);
    if (has(judgement->diagnosis->safe_actions, "purge_preview"))
        say(narrative.next, "See what a purge would take before anything goes: `sourceos-syncd "
                            "repair plan --purge`.");
    const struct {
        const char *name;
        GPtrArray *sentences;
        const char *otherwise;
    } parts[] = {
        {"what_happened", narrative.happened,
         told ? "Nothing is wrong." : "Nothing is wrong that this report tells of."},
        {"why_policy_acted", narrative.policy, "It refused nothing that is counted here."},
        {"what_risk_remains", narrative.risk, "None that is known."},
        {"what_to_do", narrative.next, "Nothing."},
    };
    syncd_json_begin_object(writer);
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
        if (parts[i].sentences->len == 0)
            say(parts[i].sentences, parts[i].otherwise);
        syncd_json_member_strings(writer, parts[i].name, parts[i].sentences);
        g_ptr_array_unref(parts[i].sentences);
    }
    syncd_json_end_object(writer);
}
