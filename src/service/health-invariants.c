/* What has to hold, as far as only the daemon can know it. The invariants of the contract itself
 * are found in the report's data by the same judge that judges it elsewhere. */
#include "domain/findings.h"
#include "domain/found.h"
#include "service/health-facts.h"

#include <string.h>

typedef struct {
    const char *id;
    SyncdSeverity severity; /* of a failure */
    const char *remediation;
    bool offline; /* can be told of a state that nobody serves */
    enum {
        NEVER,
        TOO,
        ONLY
    } unreadable; /* whether it is told where the journal cannot be opened */
    SyncdResult (*check)(const SyncdHealthFacts *facts, SyncdJsonWriter *evidence);
} Row;

/* Where it cannot be opened nothing else is known of it. */
static SyncdResult check_readable(const SyncdHealthFacts *facts, SyncdJsonWriter *evidence)
{
    syncd_json_member_string(evidence, "condition",
                             syncd_store_condition_name(facts->store.condition));
    return facts->unreadable ? SYNCD_FAIL : SYNCD_PASS;
}

static SyncdResult check_journal(const SyncdHealthFacts *facts, SyncdJsonWriter *evidence)
{
    const SyncdRuntime *runtime = &facts->runtime;
    const SyncdVerified *verified = &facts->verified;
    bool now = runtime->begun && verified->sound_usec >= runtime->opened;
    bool all = verified->sound_sequence == facts->store.sequence;
    syncd_json_member_uint(evidence, "entries", facts->store.sequence);
    syncd_json_member_uint(evidence, "verified_entries", verified->sound_sequence);
    syncd_health_write_time(evidence, "verified_at", verified->sound_usec);
    syncd_json_member_uint(evidence, "findings", facts->findings);
    if (syncd_health_is_damaged(facts))
        return SYNCD_FAIL;
    return verified->sound_usec != 0 && (now || all) ? SYNCD_PASS : SYNCD_WARN;
}

static SyncdResult check_writable(const SyncdHealthFacts *facts, SyncdJsonWriter *evidence)
{
    SyncdStoreCondition condition = facts->store.condition;
    syncd_json_member_string(evidence, "condition", syncd_store_condition_name(condition));
    syncd_json_member_bool(evidence, "no_room", facts->lacks_room);
    if (condition != SYNCD_STORE_WRITABLE && !facts->offline)
        return SYNCD_FAIL;
    return facts->lacks_room ? SYNCD_WARN : SYNCD_PASS;
}

static SyncdResult check_replay(const SyncdHealthFacts *facts, SyncdJsonWriter *evidence)
{
    const SyncdStoreFacts *store = &facts->store;
    syncd_json_member_uint(evidence, "unprojected_entries", store->unprojected);
    syncd_json_member_bool(evidence, "rebuilding", store->rebuilding);
    syncd_json_member_bool(evidence, "index_present", store->index.there);
    syncd_json_member_bool(evidence, "index_damaged", facts->index_damaged);
    if (facts->index_damaged)
        return SYNCD_FAIL;
    if (store->rebuilding)
        return SYNCD_WARN;
    return store->counted && store->unprojected == 0 ? SYNCD_PASS : SYNCD_FAIL;
}

/* A head that does not hold is found when the log is opened, all else by verifying it. Content that
 * is missing or damaged is none of it: what the heads sign is there. */
static SyncdResult check_checkpoints(const SyncdHealthFacts *facts, SyncdJsonWriter *evidence)
{
    syncd_json_member_uint(evidence, "feeds", facts->feeds);
    syncd_json_member_bool(evidence, "heads_hold",
                           facts->store.condition != SYNCD_STORE_DAMAGED &&
                               facts->store.condition != SYNCD_STORE_UNREADABLE);
    syncd_json_member_uint(evidence, "findings", facts->unheld);
    return syncd_health_is_unheld(facts) ? SYNCD_FAIL : SYNCD_PASS;
}

static SyncdResult check_schema(const SyncdHealthFacts *facts, SyncdJsonWriter *evidence)
{
    const SyncdDatabaseFacts *journal = &facts->store.journal, *index = &facts->store.index;
    bool index_fits = !index->there || facts->store.rebuilding || index->version == index->newest;
    syncd_json_member_uint(evidence, "journal_version", journal->version);
    syncd_json_member_uint(evidence, "journal_known", journal->newest);
    syncd_json_member_uint(evidence, "index_version", index->version);
    syncd_json_member_uint(evidence, "index_known", index->newest);
    if (journal->version > journal->newest || journal->version == 0)
        return SYNCD_FAIL;
    return journal->version < journal->newest || !index_fits ? SYNCD_WARN : SYNCD_PASS;
}

/* They are entries of one commit, so that none is ever seen half done. */
static SyncdResult check_tombstones(const SyncdHealthFacts *facts, SyncdJsonWriter *evidence)
{
    syncd_json_member_bool(evidence, "known", facts->deletions_known);
    syncd_json_member_bool(evidence, "on_the_way", facts->undelivered);
    if (!facts->deletions_known)
        return SYNCD_WARN;
    return facts->undelivered ? SYNCD_FAIL : SYNCD_PASS;
}

/* No purge gets into the log without the decision that allows it; what follows is its proof. */
static SyncdResult check_purges(const SyncdHealthFacts *facts, SyncdJsonWriter *evidence)
{
    syncd_json_member_bool(evidence, "known", facts->deletions_known);
    syncd_json_member_uint(evidence, "purged", facts->deletions[SYNCD_DELETION_PURGE]);
    syncd_json_member_uint(evidence, "proven", facts->deletions[SYNCD_DELETION_PROVE]);
    return !facts->deletions_known || facts->unproven ? SYNCD_WARN : SYNCD_PASS;
}

/* Lanes that fail closed are denied without rules, so nothing is let through. */
static SyncdResult check_policy(const SyncdHealthFacts *facts, SyncdJsonWriter *evidence)
{
    syncd_json_member_string(evidence, "policy_digest", facts->policy_digest);
    syncd_json_member_bool(evidence, "rules_refused", facts->policy_refused);
    syncd_json_member_bool(evidence, "rules_unusable", facts->policy_unusable);
    if (facts->policy_unusable)
        return SYNCD_FAIL;
    return facts->policy_refused ? SYNCD_WARN : SYNCD_PASS;
}

static SyncdResult check_attestation(const SyncdHealthFacts *facts, SyncdJsonWriter *evidence)
{
    bool has_key = facts->attestor != NULL;
    syncd_json_member_string(evidence, "key", has_key ? syncd_attestor_key(facts->attestor) : NULL);
    return has_key ? SYNCD_PASS : SYNCD_WARN;
}

static SyncdResult check_files(const SyncdHealthFacts *facts, SyncdJsonWriter *evidence)
{
    syncd_json_member_bool(evidence, "mismatched", facts->mismatched > 0);
    return facts->mismatched > 0 ? SYNCD_WARN : SYNCD_PASS;
}

static SyncdResult check_initialised(const SyncdHealthFacts *facts, SyncdJsonWriter *evidence)
{
    syncd_json_member_bool(evidence, "initialized", facts->state_missing == NULL);
    return facts->state_missing == NULL ? SYNCD_PASS : SYNCD_FAIL;
}

static const Row initialised = {
    "state.initialized", SYNCD_SEVERITY_ERROR, "initialize_state", true, TOO, check_initialised};

/* clang-format off */
static const Row rows[] = {
    {"journal.readable", SYNCD_SEVERITY_CRITICAL, "restore_journal", true, ONLY, check_readable},
    {"journal.integrity", SYNCD_SEVERITY_CRITICAL, "verify_log", true, NEVER, check_journal},
    {"journal.writable", SYNCD_SEVERITY_ERROR, "restore_write_access", true, TOO, check_writable},
    {"replay.complete", SYNCD_SEVERITY_ERROR, "rebuild_index", false, NEVER, check_replay},
    {"checkpoint.valid", SYNCD_SEVERITY_CRITICAL, "verify_log", true, NEVER, check_checkpoints},
    {"schema.compatible", SYNCD_SEVERITY_ERROR, "upgrade_program", true, NEVER, check_schema},
    {"tombstone.propagated", SYNCD_SEVERITY_ERROR, "run_replay", false, NEVER, check_tombstones},
    {"purge.authorised", SYNCD_SEVERITY_ERROR, "finish_purge", false, NEVER, check_purges},
    {"policy.available", SYNCD_SEVERITY_ERROR, "correct_policy_rules", false, TOO, check_policy},
    {"attestation.signed", SYNCD_SEVERITY_WARNING, "restore_device_key", true, TOO, check_attestation},
    {"files.match_record", SYNCD_SEVERITY_WARNING, "restore_or_accept_files", false, NEVER, check_files},
};
/* clang-format on */

/* ---- what a diagnosis finds ---- */

static SyncdSeverity severity_of(const SyncdFinding *finding)
{
    SyncdSeverity severity = SYNCD_SEVERITY_CRITICAL;
    while (severity > SYNCD_SEVERITY_INFO &&
           strcmp(syncd_severity_name(severity), finding->severity) != 0)
        severity--;
    return severity;
}

static void note_found(const SyncdFinding *finding, SyncdSeverity *worst, SyncdJsonWriter *evidence)
{
    if (finding == NULL || !syncd_finding_is_bad(finding))
        return;
    *worst = MAX(*worst, severity_of(finding));
    syncd_json_string(evidence, finding->code);
}

/* The reasons of the state are all there is where no diagnosis was asked for. */
static SyncdSeverity write_found(const SyncdHealthFacts *facts, SyncdJsonWriter *evidence)
{
    SyncdSeverity worst = SYNCD_SEVERITY_INFO;
    syncd_json_name(evidence, "findings");
    syncd_json_begin_array(evidence);
    for (guint i = 0; facts->found != NULL && i < facts->found->len; i++)
        note_found(((const SyncdFound *)facts->found->pdata[i])->finding, &worst, evidence);
    for (size_t i = 0; facts->found == NULL && facts->state->reasons[i] != NULL; i++)
        note_found(syncd_finding_find(SYNCD_BYTES_TEXT(facts->state->reasons[i])), &worst,
                   evidence);
    syncd_json_end_array(evidence);
    return worst;
}

static SyncdResult check_found(const SyncdHealthFacts *facts, SyncdJsonWriter *evidence)
{
    SyncdSeverity worst = write_found(facts, evidence);
    return worst > SYNCD_SEVERITY_WARNING ? SYNCD_FAIL
           : worst > SYNCD_SEVERITY_INFO  ? SYNCD_WARN
                                          : SYNCD_PASS;
}

static SyncdSeverity worst_found(const SyncdHealthFacts *facts)
{
    g_autoptr(GString) evidence = g_string_new(NULL);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, evidence, false);
    syncd_json_begin_object(&writer);
    SyncdSeverity worst = write_found(facts, &writer);
    syncd_json_end_object(&writer);
    return worst;
}

static bool lacks_keys(const SyncdHealthFacts *facts)
{
    return g_strv_contains(facts->state->reasons, "key-missing") ||
           g_strv_contains(facts->state->reasons, "device-key-missing");
}

static SyncdResult check_keys(const SyncdHealthFacts *facts, SyncdJsonWriter *evidence)
{
    syncd_json_member_bool(evidence, "missing", lacks_keys(facts));
    return lacks_keys(facts) ? SYNCD_FAIL : SYNCD_PASS;
}

/* ---- all of them ---- */

static void write_row(const SyncdHealthFacts *facts, const Row *row, SyncdJsonWriter *writer)
{
    g_autoptr(GString) evidence = g_string_new(NULL);
    SyncdJsonWriter inner;
    syncd_json_writer_init(&inner, evidence, false);
    syncd_json_begin_object(&inner);
    SyncdResult result = row->check(facts, &inner);
    syncd_json_end_object(&inner);
    SyncdSeverity severity = result == SYNCD_FAIL   ? row->severity
                             : result == SYNCD_WARN ? SYNCD_SEVERITY_WARNING
                                                    : SYNCD_SEVERITY_INFO;
    syncd_json_begin_object(writer);
    syncd_json_member_string(writer, "id", row->id);
    syncd_json_member_string(writer, "status", syncd_result_name(result));
    syncd_json_member_string(writer, "severity", syncd_severity_name(severity));
    syncd_json_member_value(writer, "evidence", syncd_json_root(evidence->str, evidence->len));
    syncd_json_member_string(writer, "remediation", row->remediation);
    syncd_json_end_object(writer);
}

/* Told only where they do not hold: so a report is no better than what a diagnosis finds. */
static void write_found_rows(const SyncdHealthFacts *facts, SyncdJsonWriter *writer)
{
    static const Row keys = {"keys.present", SYNCD_SEVERITY_CRITICAL, "restore_keys", false, TOO,
                             check_keys};
    const Row found = {
        "diagnosis.finds_nothing", worst_found(facts), "diagnose", false, TOO, check_found};
    if (lacks_keys(facts))
        write_row(facts, &keys, writer);
    if (found.severity > SYNCD_SEVERITY_INFO)
        write_row(facts, &found, writer);
}

void syncd_health_write_own_invariants(const SyncdHealthFacts *facts, SyncdJsonWriter *writer)
{
    write_row(facts, &initialised, writer);
    if (facts->state_missing != NULL)
        return;
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        if ((rows[i].offline || !facts->offline) &&
            (facts->unreadable ? rows[i].unreadable != NEVER : rows[i].unreadable != ONLY))
            write_row(facts, &rows[i], writer);
    if (facts->state != NULL && !facts->offline)
        write_found_rows(facts, writer);
}
