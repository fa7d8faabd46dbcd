/*
 * The log is mended by another generation of it, and verified where it is then (store/mend.h).
 * Damaged headers and damaged bodies are two kinds of step, which do the same: whichever comes
 * second finds nothing left.
 */
#include "service/damage.h"
#include "service/repair-kinds.h"
#include "service/repair-told.h"
#include "service/repair-verify.h"
#include "store/examine.h"
#include "store/mend.h"

#include <string.h>

#define SENTENCES_MAX 50u

typedef enum { STAGE_EXAMINE, STAGE_BUILD, STAGE_INDEX, STAGE_VERIFY, N_STAGES } Stage;

typedef struct {
    Stage stage;
    SyncdMend *mend;
    SyncdRepairVerify verify;
    bool back;          /* this is the way back: also without need */
    bool index_changes; /* what is projected is not what it was made from */
} Work;

static Work *work_of(SyncdRepairAct *act)
{
    if (act->data == NULL)
        act->data = g_new0(Work, 1);
    return act->data;
}

static void end_mend(Work *work)
{
    g_clear_pointer(&work->mend, syncd_mend_free);
}

static void stop(SyncdRepairAct *act)
{
    Work *work = act->data;
    if (work == NULL)
        return;
    end_mend(work);
    syncd_repair_verify_clear(&work->verify);
    g_clear_pointer(&act->data, g_free);
}

/* ---- what the report says ---- */

static char *sentence_of(const SyncdMendItem *item)
{
    g_autofree char *name = syncd_mend_item_name(item);
    if (item->outcome == SYNCD_MEND_REFILLED)
        return g_strdup_printf("The %s, from %s", name, item->source);
    if (item->outcome == SYNCD_MEND_DERIVED)
        return g_strdup_printf("The %s, from the entries", name);
    return g_strdup_printf("The %s is lost: nothing here has it", name);
}

static GPtrArray *list_for(const SyncdRepairAct *act, SyncdMendOutcome outcome)
{
    return outcome == SYNCD_MEND_LOST    ? act->given_up
           : outcome == SYNCD_MEND_KNOWN ? act->quarantined
                                         : act->rebuilt;
}

/* `back`: what came since has its place in the generation that is made now. */
static void tell(SyncdRepairAct *act, const SyncdMend *mend, bool back)
{
    const GPtrArray *items = syncd_mend_items(mend);
    for (guint i = 0; i < items->len; i++) {
        const SyncdMendItem *item = items->pdata[i];
        GPtrArray *sentences = list_for(act, item->outcome);
        if (sentences->len < SENTENCES_MAX)
            g_ptr_array_add(sentences, sentence_of(item));
    }
    g_ptr_array_add(act->preserved,
                    g_strdup_printf("%s; parts of it that were mended: %" G_GUINT64_FORMAT
                                    ", that are lost: %" G_GUINT64_FORMAT,
                                    back ? "The log with all entries that came since, in a further "
                                           "generation of it"
                                         : "The log as it was before",
                                    syncd_mend_count(mend, SYNCD_MEND_REFILLED) +
                                        syncd_mend_count(mend, SYNCD_MEND_DERIVED),
                                    syncd_mend_count(mend, SYNCD_MEND_LOST) +
                                        syncd_mend_count(mend, SYNCD_MEND_KNOWN)));
}

/* ---- the stages ---- */

static guint64 generation_of(SyncdRepairAct *act)
{
    guint64 generation;
    return syncd_store_generation(act->service->store, &generation, NULL) ? generation : 1;
}

/* The generation that there was before, or the number it was given then. */
static guint64 noted(const SyncdRepairAct *act)
{
    return act->note != NULL ? g_ascii_strtoull(act->note, NULL, 10) : 0;
}

/* One that was begun before plans said of each part that it may be is held to their number. */
static bool is_told(const SyncdRepairAct *act, const SyncdMend *mend)
{
    guint64 lost = syncd_mend_count(mend, SYNCD_MEND_LOST);
    if (act->bound_to == NULL)
        return lost <= act->may_give_up;
    g_autoptr(GPtrArray) keys = syncd_told_list_lost(mend);
    g_autofree char *now = syncd_told_write(keys, lost);
    return syncd_told_covers(act->bound_to, now);
}

/* Nothing is given up that whoever approved was not told of. */
static bool check_losses(SyncdRepairAct *act, const Work *work, GError **error)
{
    guint64 lost = syncd_mend_count(work->mend, SYNCD_MEND_LOST);
    if (work->back || is_told(act, work->mend))
        return true;
    syncd_service_note_examined(act->service, work->mend);
    syncd_set_error_next(error, SYNCD_ERROR_PLAN_STALE,
                         "plan again with `sourceos-syncd repair plan`, and see what that gives up",
                         "Parts of the log that are nowhere to be had: %" G_GUINT64_FORMAT
                         "; the plan says %" G_GUINT64_FORMAT ", and not all of these",
                         lost, act->may_give_up);
    return false;
}

/* Of the generations that were made since; 0: nobody has said so yet. */
static guint64 first_that_stays(const SyncdRepairAct *act)
{
    const char *blank = act->note != NULL ? strchr(act->note, ' ') : NULL;
    return blank != NULL ? g_ascii_strtoull(blank + 1, NULL, 10) : 0;
}

/* Nobody agreed to lose on the way back what was damaged since: the log that has the rest of it
 * stays, as an earlier generation. */
static bool keep_what_is_lost(SyncdRepairAct *act, const Work *work, GError **error)
{
    if (!work->back || syncd_mend_count(work->mend, SYNCD_MEND_LOST) == 0 ||
        first_that_stays(act) != 0)
        return true;
    g_autofree char *kept = syncd_store_free_generation(act->service->store, error);
    if (kept == NULL)
        return false;
    g_autofree char *note =
        g_strdup_printf("%" G_GUINT64_FORMAT " %s", noted(act), strrchr(kept, '.') + 1);
    syncd_repair_act_note(act, note);
    g_ptr_array_add(act->preserved,
                    g_strdup_printf("The log with what was damaged since, as %s", kept));
    return true;
}

static bool examine(SyncdRepairAct *act, Work *work, GError **error)
{
    bool more;
    if (work->mend == NULL)
        work->mend = syncd_mend_new(act->service->store, error);
    if (work->mend == NULL || !syncd_mend_examine(work->mend, &more, error))
        return false;
    if (more)
        return true;
    if (!check_losses(act, work, error) || !keep_what_is_lost(act, work, error))
        return false;
    tell(act, work->mend, work->back);
    work->index_changes = syncd_mend_count(work->mend, SYNCD_MEND_REFILLED) > 0 ||
                          syncd_mend_count(work->mend, SYNCD_MEND_LOST) > 0;
    if (work->back || syncd_mend_is_needed(work->mend)) {
        if (!syncd_mend_is_possible(work->mend, error)) {
            /* Nobody is offered the same again. */
            syncd_service_note_examined(act->service, work->mend);
            return false;
        }
        work->stage = STAGE_BUILD;
        return true;
    }
    /* A process that was killed may have mended it, and nobody knows of what it made the index. */
    work->index_changes = generation_of(act) > noted(act);
    work->stage = STAGE_INDEX;
    end_mend(work);
    return true;
}

static bool build(Work *work, GError **error)
{
    bool more;
    if (!syncd_mend_build(work->mend, &more, error))
        return false;
    if (more)
        return true;
    if (!syncd_mend_switch(work->mend, error))
        return false;
    end_mend(work);
    work->stage = STAGE_INDEX;
    return true;
}

/* What is in the index may have been projected from other bytes. Where there is no room to make it
 * anew beside it, it is no worse than before. */
static bool renew_index(SyncdRepairAct *act, Work *work)
{
    bool more = false;
    SyncdStore *store = act->service->store;
    if (work->index_changes && !syncd_store_is_indexing(store) && !syncd_store_lacks_index(store))
        syncd_store_step_remake(store, &more, NULL);
    if (!more)
        work->stage = STAGE_VERIFY;
    return true;
}

static bool verify(SyncdRepairAct *act, Work *work, GError **error)
{
    bool more;
    if (!syncd_repair_verify_step(act->service, &work->verify, &more, error))
        return false;
    if (!more)
        work->stage = N_STAGES;
    return true;
}

static double progress_of(const Work *work)
{
    double part = work->verify.verify != NULL ? syncd_verify_progress(work->verify.verify)
                  : work->mend != NULL        ? syncd_mend_progress(work->mend)
                                              : 0;
    return MIN(1.0, (work->stage + part) / N_STAGES);
}

static bool run(SyncdRepairAct *act, bool *ret_more, double *ret_progress, GError **error)
{
    Work *work = work_of(act);
    /* It was displaced, and the daemon that had it open has ended: there is nothing to be said of
     * it, and another repair restores what there is. */
    if (!syncd_store_check_readable(act->service->store, error))
        return false;
    bool ok = work->stage == STAGE_EXAMINE ? examine(act, work, error)
              : work->stage == STAGE_BUILD ? build(work, error)
              : work->stage == STAGE_INDEX ? renew_index(act, work)
                                           : verify(act, work, error);
    *ret_more = work->stage < N_STAGES;
    *ret_progress = progress_of(work);
    return ok;
}

/* ---- the kind ---- */

/* Under which number the one that there was will be kept: whoever takes this up again knows by it
 * whether it is done, and what may go when it is released. Others may be there already. */
static bool begin(SyncdRepairAct *act, GError **error)
{
    if (act->note != NULL)
        return true;
    g_autofree char *kept = syncd_store_free_generation(act->service->store, error);
    if (kept != NULL)
        syncd_repair_act_note(act, strrchr(kept, '.') + 1);
    return kept != NULL;
}

static bool check(SyncdRepairAct *act, GError **error)
{
    const Work *work = work_of(act);
    const GPtrArray *findings = syncd_verify_findings(work->verify.verify);
    for (guint i = 0; i < findings->len; i++) {
        const SyncdVerifyFinding *finding = findings->pdata[i];
        if (!syncd_mend_concerns(finding->code))
            continue;
        syncd_set_error(error, finding->error, "The log is not sound after all (%s): %s",
                        finding->code, finding->detail);
        return false;
    }
    return true;
}

/* Those that were made on the way: all that they had is in the newest. */
static bool drop_between(SyncdRepairAct *act, GError **error)
{
    guint64 end = MIN(first_that_stays(act), generation_of(act));
    for (guint64 generation = noted(act) + 1; generation < end; generation++)
        if (!syncd_store_drop_generation(act->service->store, generation, error))
            return false;
    return true;
}

static bool is_kept(const SyncdRepairAct *act)
{
    g_autofree char *name = g_strdup_printf("journal.%" G_GUINT64_FORMAT, noted(act));
    return noted(act) != 0 && syncd_store_has_state(act->service->store, name);
}

static bool keeps_on(const SyncdRepairAct *act)
{
    return first_that_stays(act) != 0 && is_kept(act);
}

/* It is not what the log is again, and nowhere else. */
static void tell_kept(SyncdRepairAct *act)
{
    if (is_kept(act))
        g_ptr_array_add(act->preserved,
                        g_strdup_printf("The damaged log as it was before the repair, as "
                                        "journal.%" G_GUINT64_FORMAT
                                        ": it is not put back, and stays there for 7 days, or "
                                        "until another repair is complete",
                                        noted(act)));
    else
        g_ptr_array_add(act->preserved,
                        g_strdup_printf("Nothing of the damaged log as it was before the repair: "
                                        "journal.%" G_GUINT64_FORMAT " is gone",
                                        noted(act)));
}

/* A log is not put back, as entries came since: a further generation is made, of what was kept and
 * of what there is. Its bytes are the same, as leaves and digests say what they have to be, but for
 * what was given up: of that it has again whatever can be read there now. */
static bool undo(SyncdRepairAct *act, bool *ret_more, GError **error)
{
    double progress;
    guint64 before = noted(act), now = generation_of(act);
    Work *work = work_of(act);
    *ret_more = false;
    if (syncd_mend_is_unopened(act->service->store)) {
        syncd_set_error_next(error, SYNCD_ERROR_STORAGE_FAILED,
                             "check the disk, and restart the daemon",
                             "The log could not be opened again after it was exchanged");
        return false;
    }
    if (!work->back && (before == 0 || now <= before))
        return true; /* nothing was exchanged */
    if (!work->back) {
        stop(act); /* wherever the way forward ended, this one begins */
        work = work_of(act);
        work->back = true;
    }
    if (!run(act, ret_more, &progress, error))
        return false;
    if (*ret_more)
        return true;
    if (first_that_stays(act) == 0) {
        g_autofree char *note =
            g_strdup_printf("%" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT, before, generation_of(act));
        syncd_repair_act_note(act, note);
    }
    tell_kept(act);
    return drop_between(act, error);
}

/* The one that was replaced; and of what was taken back what is left of those that were made on the
 * way. */
static bool release(SyncdRepairAct *act, bool *ret_more, GError **error)
{
    guint64 before = noted(act), now = generation_of(act), stays = first_that_stays(act);
    guint64 end = stays != 0 ? stays : before + 1;
    for (guint64 generation = before; generation != 0 && generation < MIN(end, now); generation++)
        if (!syncd_store_drop_generation(act->service->store, generation, error))
            return false;
    return true;
}

static guint64 space(SyncdService *service, const char *target)
{
    return syncd_store_journal_bytes(service->store);
}

static guint64 name_losses(SyncdService *service, char **ret_sentence)
{
    SyncdGivenUp given_up = syncd_service_given_up(service);
    g_autoptr(GString) text = g_string_new(NULL);
    if (!given_up.examined) {
        *ret_sentence = g_strdup("Whether something has to be given up is not known yet: if so, "
                                 "nothing is done, and the next plan says what.");
        return 0;
    }
    for (guint i = 0; i < given_up.named->len; i++)
        g_string_append_printf(text, "%s%s", i > 0 ? ", " : "", (char *)given_up.named->pdata[i]);
    if (given_up.parts > given_up.named->len)
        g_string_append_printf(text, ", and %" G_GUINT64_FORMAT " more",
                               given_up.parts - given_up.named->len);
    *ret_sentence =
        given_up.parts > 0
            ? g_strdup_printf("Given up for good, as nothing here has it: %s.", text->str)
            : g_strdup("Nothing is given up.");
    return given_up.parts;
}

static guint64 loss(SyncdService *service, char **ret_sentence)
{
    g_autofree char *sentence = NULL;
    guint64 parts = name_losses(service, &sentence);
    *ret_sentence = g_strdup_printf(
        "%s%s", sentence,
        syncd_service_log_is_only_open(service)
            ? " The log is in nothing but the file that the daemon has open, as that is not in its "
              "place: what is in no copy is lost if the daemon ends before this is done."
            : "");
    return parts;
}

static char *bound_to(SyncdService *service)
{
    SyncdGivenUp given_up = syncd_service_given_up(service);
    return syncd_told_write(given_up.keys, given_up.parts);
}

#define FUNCTIONS                                                                                  \
    .mends_log = true, .loss = loss, .bound_to = bound_to, .covers = syncd_told_covers,            \
    .space = space, .begin = begin, .step = run, .check = check, .undo = undo,                     \
    .keeps_on = keeps_on, .release = release, .stop = stop

const SyncdRepairKind syncd_repair_journal_generation = {
    .name = "journal-generation",
    .kind = "rebuild",
    .risk = "medium",
    .description = "Write the log anew beside the damaged one, with the same entries and hashes, "
                   "from whatever of it can be read and from earlier copies; verify it; put it in "
                   "its place and keep the damaged one.",
    .expected_result = "The log verifies with the same heads; what was to be had nowhere is named, "
                       "and all else can be used.",
    FUNCTIONS,
};

const SyncdRepairKind syncd_repair_body_refill = {
    .name = "body-refill",
    .kind = "rebuild",
    .risk = "medium",
    .description = "Bring back damaged content of entries from earlier copies of the log, in "
                   "another generation of it; the damaged one is kept.",
    .expected_result = "Content has the digests that entries name; what was to be had nowhere is "
                       "named.",
    FUNCTIONS,
};
