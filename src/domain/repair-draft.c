/* The plan of a daemon: what it will do, to what, and what must be so still. */
#include "domain/repair-parts.h"

#include <string.h>

static void member_text(SyncdJsonWriter *writer, const char *name, SyncdJson value)
{
    if (value.type == SYNCD_JSON_STRING)
        syncd_json_member_value(writer, name, value);
    else
        syncd_json_member_null(writer, name);
}

static void write_source(SyncdJsonWriter *writer, const SyncdRepairDraft *draft)
{
    SyncdJson identity = syncd_json_member(draft->report, "identity");
    syncd_json_name(writer, "source_report");
    syncd_json_begin_object(writer);
    member_text(writer, "schema", syncd_json_member(draft->report, "schema"));
    member_text(writer, "component", syncd_json_member(identity, "component"));
    member_text(writer, "generated_at", syncd_json_member(draft->report, "generated_at"));
    syncd_json_member_string(writer, "report_digest", draft->report_digest);
    syncd_json_end_object(writer);
}

static void write_before(SyncdJsonWriter *writer, bool destroys)
{
    syncd_json_name(writer, "preconditions");
    syncd_json_begin_array(writer);
    syncd_repair_write_precondition(writer, "report.shape_valid",
                                    "the source report keeps to its contract");
    syncd_repair_write_precondition(writer, "same_findings",
                                    "a diagnosis at that time gives these very steps");
    syncd_repair_write_precondition(writer, "same_log",
                                    "the heads of the checkpoint are prefixes of the log");
    if (!destroys)
        syncd_repair_write_precondition(writer, "no_destructive_apply",
                                        "no step of the plan is destructive");
    syncd_json_end_array(writer);
}

static bool is_of_purges(const SyncdRepairDraft *draft)
{
    return draft->steps[0].preview != NULL;
}

static bool can_be_undone(const SyncdRepairDraft *draft)
{
    for (guint i = 0; i < draft->n_steps; i++)
        if (draft->steps[i].stays == NULL)
            return true;
    return false;
}

/* Steps of the same kind stand together. */
static void say_what_stays(const SyncdRepairDraft *draft, GString *out)
{
    const char *before = NULL;
    for (guint i = 0; i < draft->n_steps; i++) {
        const char *stays = draft->steps[i].stays;
        if (stays != NULL && g_strcmp0(stays, before) != 0)
            g_string_append_printf(out, " %s.", stays);
        before = stays;
    }
}

static void say_what_is_released(const SyncdRepairDraft *draft, GString *out)
{
    for (guint i = 0; draft->released != NULL && i < draft->released->len; i++)
        g_string_append_printf(out,
                               " What %s kept is released once this is done: nothing of it can "
                               "be brought back then.",
                               (char *)draft->released->pdata[i]);
}

static char *say_what_is_kept(const SyncdRepairDraft *draft, bool purges)
{
    g_autoptr(GString) stays = g_string_new(NULL), kept = g_string_new(NULL);
    say_what_stays(draft, stays);
    if (purges)
        g_string_append(kept, "None: what is purged is kept nowhere.");
    else if (!can_be_undone(draft))
        g_string_append(kept, "None: there is nothing to put back.");
    else
        g_string_append_printf(
            kept, "What each step is about is kept as it was before it is touched%s%s",
            stays->len > 0 ? ", but for what does not come back." : ".", stays->str);
    say_what_is_released(draft, kept);
    return g_string_free(g_steal_pointer(&kept), FALSE);
}

static void write_preserved(SyncdJsonWriter *writer)
{
    static const char *const preserved[] = {
        "all that is not deleted",
        "what a retention class, a policy or a rule of its workspace keeps",
        "what has not ended, or is not known to all members of its scope",
        "files of large content that something else needs",
        "of what is purged, every header of the log, and how its operations ended",
    };
    syncd_json_name(writer, "preserved");
    syncd_json_begin_array(writer);
    for (size_t i = 0; i < G_N_ELEMENTS(preserved); i++)
        syncd_json_string(writer, preserved[i]);
    syncd_json_end_array(writer);
}

static void write_checkpoint(SyncdJsonWriter *writer, const SyncdRepairDraft *draft, bool purges)
{
    g_autofree char *kept = say_what_is_kept(draft, purges);
    syncd_json_name(writer, "checkpoint");
    syncd_json_begin_object(writer);
    syncd_json_member_bool(writer, "required", true);
    syncd_json_member_string(writer, "type", SYNCD_REPAIR_CHECKPOINT);
    syncd_json_member_bool(writer, "write_audit_record", true);
    syncd_json_name(writer, "heads");
    syncd_json_begin_array(writer);
    for (guint i = 0; i < draft->n_heads; i++) {
        char root[SYNCD_HASH_HEX_SIZE];
        syncd_hash_to_hex(&draft->heads[i].root, root);
        syncd_json_begin_object(writer);
        syncd_json_member_string(writer, "feed", draft->heads[i].feed);
        syncd_json_member_uint(writer, "size", draft->heads[i].size);
        syncd_json_member_string(writer, "root", root);
        syncd_json_end_object(writer);
    }
    syncd_json_end_array(writer);
    syncd_json_member_string(writer, "snapshot", kept);
    if (purges)
        write_preserved(writer);
    if (draft->released != NULL)
        syncd_json_member_strings(writer, "releases", draft->released);
    syncd_json_member_uint(writer, "space_needed_bytes", draft->space_bytes);
    syncd_judgement_write_time(writer, "expires_at", draft->expires_usec);
    syncd_json_end_object(writer);
}

static void write_object(SyncdJsonWriter *writer, const char *name, const char *text)
{
    if (text != NULL)
        syncd_json_member_value(writer, name, syncd_json_root(text, strlen(text)));
}

static void write_what(SyncdJsonWriter *writer, const SyncdRepairStep *step)
{
    syncd_json_member_string(writer, "kind", step->kind);
    syncd_json_member_bool(writer, "destructive", step->destructive);
    syncd_json_member_string(writer, "description", step->description);
    syncd_json_member_string(writer, "expected_result", step->expected_result);
    syncd_json_member_string(writer, "target", step->target);
    if (step->object != NULL)
        syncd_json_member_string(writer, "object_id", step->object);
    syncd_json_member_string(writer, "risk", step->risk);
    syncd_json_member_string(writer, "cause", step->cause);
    if (step->gives_up > 0)
        syncd_json_member_uint(writer, "gives_up", step->gives_up);
    if (step->calls_lost > 0)
        syncd_json_member_uint(writer, "calls_lost", step->calls_lost);
    write_object(writer, "bound_to", step->bound_to);
    write_object(writer, "preview", step->preview);
}

static void write_step(SyncdJsonWriter *writer, const SyncdRepairStep *step, guint order)
{
    syncd_json_begin_object(writer);
    syncd_json_member_uint(writer, "order", order);
    syncd_json_member_string(writer, "id", step->id);
    write_what(writer, step);
    syncd_json_end_object(writer);
}

/* By the contract a preview purges nothing: it shows what would go, and what would take it away
 * is blocked until somebody approves of exactly that. */
static void write_purge_preview(SyncdJsonWriter *writer, const SyncdRepairDraft *draft)
{
    g_autofree char *totals =
        g_strdup_printf("{\"blocked_steps\":%u,\"copies_bytes\":%" G_GUINT64_FORMAT
                        ",\"copies\":%s,\"freed_bytes\":%" G_GUINT64_FORMAT
                        ",\"reusable_bytes\":%" G_GUINT64_FORMAT ",\"more\":%s}",
                        draft->n_steps, draft->copies_bytes, draft->copies, draft->freed_bytes,
                        draft->reusable_bytes, draft->left_out > 0 ? "true" : "false");
    const SyncdRepairStep preview = {
        .id = SYNCD_REPAIR_PURGE_PREVIEW,
        .kind = SYNCD_PURGE_PREVIEW_KIND,
        .target = "disk",
        .risk = "low",
        .cause = draft->steps[0].cause,
        .description = SYNCD_PURGE_PREVIEW_DONE,
        .expected_result = SYNCD_PURGE_PREVIEW_RESULT,
        .preview = totals,
    };
    write_step(writer, &preview, 1);
}

static void write_steps(SyncdJsonWriter *writer, const SyncdRepairDraft *draft, bool purges)
{
    syncd_json_name(writer, "steps");
    syncd_json_begin_array(writer);
    if (purges)
        write_purge_preview(writer, draft);
    for (guint i = 0; i < draft->n_steps && !purges; i++)
        write_step(writer, &draft->steps[i], i + 1);
    syncd_json_end_array(writer);
}

static void write_blocked_steps(SyncdJsonWriter *writer, const SyncdRepairDraft *draft, bool purges)
{
    syncd_json_name(writer, "blocked_steps");
    syncd_json_begin_array(writer);
    syncd_repair_write_blocked(writer);
    for (guint i = 0; i < draft->n_steps && purges; i++) {
        syncd_json_begin_object(writer);
        syncd_json_member_string(writer, "id", draft->steps[i].id);
        syncd_json_member_string(writer, "reason",
                                 "It purges: it is done once this very plan is approved.");
        write_what(writer, &draft->steps[i]);
        syncd_json_end_object(writer);
    }
    syncd_json_end_array(writer);
}

static void write_summary(SyncdJsonWriter *writer, const SyncdRepairDraft *draft)
{
    g_autoptr(GString) summary = g_string_new(NULL);
    if (draft->summary != NULL) {
        syncd_json_member_string(writer, "summary", draft->summary);
        return;
    }
    if (draft->n_steps > 1)
        g_string_append_printf(summary,
                               "%u things are to be repaired, the first one: ", draft->n_steps);
    g_string_append(summary, draft->steps[0].description);
    guint64 gives_up = 0;
    for (guint i = 0; i < draft->n_steps; i++)
        gives_up = MAX(gives_up, draft->steps[i].gives_up);
    if (gives_up > 0 && draft->n_steps > 1)
        g_string_append_printf(summary, " Given up for good: %" G_GUINT64_FORMAT " of its parts.",
                               gives_up);
    if (draft->left_out > 0)
        g_string_append_printf(summary,
                               " %" G_GUINT64_FORMAT " more %s left for another plan, after this.",
                               draft->left_out, draft->left_out == 1 ? "is" : "are");
    syncd_json_member_string(writer, "summary", summary->str);
}

static bool is_destructive(const SyncdRepairDraft *draft)
{
    for (guint i = 0; i < draft->n_steps; i++)
        if (draft->steps[i].destructive)
            return true;
    return false;
}

/* ---- the way back ---- */

static void write_after(SyncdJsonWriter *writer, const SyncdRepairDraft *draft, bool purges)
{
    bool available = !purges && can_be_undone(draft);
    g_autoptr(GString) strategy = g_string_new(
        purges ? "There is no way back: what is purged nothing brings back but a backup."
        : available
            ? "Put back what was kept before each step: what is derived and files byte for byte, "
              "the journal as a further generation."
            : "There is nothing to put back.");
    say_what_stays(draft, strategy);
    syncd_repair_write_after(writer, available, strategy->str);
}

void syncd_repair_draft_write(const SyncdRepairDraft *draft, GString *out)
{
    bool purges = is_of_purges(draft);
    /* What of a preview is blocked is not there to be done. */
    bool destroys = !purges && is_destructive(draft);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, out, true);
    syncd_json_begin_object(&writer);
    syncd_json_member_string(&writer, "schema", SYNCD_REPAIR_PLAN_SCHEMA);
    syncd_judgement_write_time(&writer, "generated_at", draft->now_usec);
    write_source(&writer, draft);
    syncd_json_member_string(&writer, "plan_id", draft->plan_id);
    syncd_json_member_string(&writer, "status", "preview");
    syncd_json_member_string(&writer, "severity", draft->severity);
    write_summary(&writer, draft);
    syncd_repair_write_policy(&writer, NULL, destroys);
    write_before(&writer, destroys);
    write_checkpoint(&writer, draft, purges);
    write_steps(&writer, draft, purges);
    write_blocked_steps(&writer, draft, purges);
    write_after(&writer, draft, purges);
    syncd_json_end_object(&writer);
    g_string_append_c(out, '\n');
}
