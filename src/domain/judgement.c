#include "domain/judgement.h"

#include "base/timestamp.h"
#include "domain/narrative.h"
#include "domain/problems.h"

#include <string.h>

#define USEC_PER_SEC G_GINT64_CONSTANT(1000000)
#define MS_PER_SEC 1000u

SyncdJudgement *syncd_judgement_make(SyncdJson root, const SyncdCircumstances *circumstances)
{
    SyncdJudgement *judgement = g_new0(SyncdJudgement, 1);
    judgement->report = syncd_report_read(root);
    judgement->invariants = syncd_invariants_check(judgement->report, circumstances);
    judgement->diagnosis = syncd_diagnosis_make(judgement->report, judgement->invariants);
    judgement->attested = judgement->invariants->attestation == SYNCD_ATTESTATION_SIGNED;
    judgement->now_usec = circumstances->now_usec;
    return judgement;
}

void syncd_judgement_free(SyncdJudgement *judgement)
{
    if (judgement == NULL)
        return;
    syncd_diagnosis_free(judgement->diagnosis);
    syncd_invariants_free(judgement->invariants);
    syncd_report_free(judgement->report);
    g_free(judgement);
}

void syncd_judgement_write_verification(const SyncdJudgement *judgement, GString *out)
{
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, out, false);
    syncd_json_begin_object(&writer);
    syncd_json_member_strings(&writer, "contract_errors", judgement->report->errors);
    syncd_json_member_string(&writer, "status",
                             syncd_result_name(syncd_invariants_worst(judgement->invariants)));
    syncd_json_name(&writer, "invariants");
    syncd_invariants_write(judgement->invariants, &writer);
    syncd_json_end_object(&writer);
}

void syncd_judgement_write_explanation(const SyncdJudgement *judgement, GString *out)
{
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, out, false);
    syncd_json_begin_object(&writer);
    syncd_diagnosis_write_members(judgement->diagnosis, &writer);
    syncd_json_name(&writer, "controls");
    syncd_diagnosis_write_controls(judgement->diagnosis, judgement->invariants, &writer);
    syncd_json_name(&writer, "narrative");
    syncd_narrative_write(judgement, &writer);
    syncd_json_end_object(&writer);
}

bool syncd_judgement_is_healthy(const SyncdJudgement *judgement)
{
    return strcmp(judgement->diagnosis->status, "healthy") == 0;
}

void syncd_judgement_write_time(SyncdJsonWriter *writer, const char *name, gint64 usec)
{
    char text[SYNCD_TIME_SIZE];
    syncd_time_format_ms((guint64)(MAX(usec, 0) / USEC_PER_SEC) * MS_PER_SEC, text);
    syncd_json_member_string(writer, name, text);
}
