/* What a person is shown of a plan of repair, and of what it did. */
#include "cli/commands.h"
#include "cli/copies.h"
#include "cli/i18n.h"
#include "cli/listing.h"
#include "cli/repair.h"
#include "cli/table.h"
#include "cli/when.h"
#include "domain/repair-plan.h"

#include <string.h>

static SyncdJson root_of(const char *document)
{
    return syncd_json_root(document, strlen(document));
}

/* To whom it is shown, and which paths he was told so far. */
typedef struct {
    SyncdCli *cli;
    SyncdClient *client;
    GHashTable *paths;
} Shown;

static Shown shown_to(SyncdCli *cli, SyncdClient *client)
{
    return (Shown){cli, client, g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free)};
}

static void shown_clear(Shown *shown)
{
    g_hash_table_unref(shown->paths);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Shown, shown_clear)

/* Times are local, and files go by their paths. */
static char *as_shown(const Shown *shown, const char *text)
{
    g_autofree char *local = syncd_when_local_within(text);
    return syncd_cli_repair_with_paths(shown->cli, shown->client, shown->paths, local);
}

static void show_line(const Shown *shown, const char *title, const char *text)
{
    g_autofree char *told = as_shown(shown, text);
    syncd_output_line(shown->cli->out, title, told);
}

static void show_time(SyncdCli *cli, const char *title, SyncdJson plan, const char *name)
{
    guint64 usec = syncd_record_number(plan, name);
    if (usec == 0)
        return;
    g_autofree char *when = syncd_when_local_usec(usec);
    syncd_output_line(cli->out, title, when);
}

/* ---- a plan ---- */

/* What is to be done: of a plan of purges what is blocked until it is approved, behind a reason
 * that is about no thing. */
static bool next_work(SyncdJson document, SyncdJsonIter *iter, bool *begun, SyncdJson *ret_step)
{
    SyncdJson steps = syncd_json_member(document, "steps"), first;
    if (!*begun) {
        SyncdJsonIter look;
        syncd_json_iter_init(&look, steps);
        bool purges = syncd_json_iter_next(&look, NULL, &first) &&
                      syncd_json_is(syncd_json_member(first, "id"), SYNCD_REPAIR_PURGE_PREVIEW);
        syncd_json_iter_init(iter, purges ? syncd_json_member(document, "blocked_steps") : steps);
        *begun = true;
    }
    while (syncd_json_iter_next(iter, NULL, ret_step))
        if (syncd_json_member(*ret_step, "target").type == SYNCD_JSON_STRING)
            return true;
    return false;
}

/* The gravest of its steps. */
static unsigned gravity(SyncdJson step)
{
    SyncdJson risk = syncd_json_member(step, "risk");
    return syncd_json_is(risk, "low") ? 0 : syncd_json_is(risk, "medium") ? 1 : 2;
}

static void show_risk(SyncdCli *cli, SyncdJson document)
{
    SyncdJsonIter iter;
    SyncdJson step;
    unsigned gravest = 0;
    bool destructive = false, begun = false;
    g_autofree char *risk = NULL;
    while (next_work(document, &iter, &begun, &step)) {
        destructive |= syncd_json_member(step, "destructive").type != SYNCD_JSON_FALSE ||
                       syncd_record_number(step, "gives_up") > 0;
        if (risk != NULL && gravity(step) <= gravest)
            continue;
        gravest = gravity(step);
        g_free(risk);
        risk = syncd_record_text(step, "risk");
    }
    g_autofree char *text = g_strdup_printf(destructive ? _("%s; some of it cannot be taken back")
                                                        : _("%s; nothing is destroyed"),
                                            risk != NULL ? risk : "");
    syncd_output_line(cli->out, _("Risk:"), text);
}

/* What is done, where more is than the summary says. */
static bool has_more_to_say(SyncdJson document, const char *summary)
{
    SyncdJsonIter iter;
    SyncdJson step;
    bool begun = false, more = false;
    while (!more && next_work(document, &iter, &begun, &step)) {
        g_autofree char *description = syncd_record_text(step, "description");
        more = strstr(summary, description) == NULL;
    }
    return more;
}

/* How far each is says the daemon, in the same order. */
static void show_steps(const Shown *shown, SyncdJson document, SyncdJson plan, const char *summary)
{
    const char *what = has_more_to_say(document, summary) ? _("WHAT IS DONE") : NULL;
    const char *const titles[] = {_("STEP"), _("STATE"), _("RISK"), _("ABOUT"), what, NULL};
    g_autoptr(SyncdTable) table = syncd_table_new(titles);
    SyncdJsonIter iter, states;
    SyncdJson step, said;
    bool begun = false;
    syncd_json_iter_init(&states, syncd_json_member(plan, "steps"));
    while (next_work(document, &iter, &begun, &step)) {
        bool known = syncd_json_iter_next(&states, NULL, &said);
        g_autofree char *id = syncd_record_text(step, "id"),
                        *state = known ? syncd_record_text(said, "state") : g_strdup(""),
                        *risk = syncd_record_text(step, "risk"),
                        *about = syncd_cli_repair_about(shown->cli, shown->client, step),
                        *text = syncd_record_text(step, "description"),
                        *description = as_shown(shown, text);
        const char *const cells[] = {id, state, risk, about, description};
        syncd_table_add(table, cells);
    }
    syncd_table_print(table, shown->cli->out);
}

/* What the step that only shows says of what any purge takes along. */
static SyncdJson copies_of(SyncdJson document)
{
    SyncdJsonIter iter;
    SyncdJson step = {0};
    syncd_json_iter_init(&iter, syncd_json_member(document, "steps"));
    return syncd_json_iter_next(&iter, NULL, &step)
               ? syncd_json_member(syncd_json_member(step, "preview"), "copies")
               : step;
}

/* What others kept goes once this one is done; and what this one kept went for another. */
static void show_released(SyncdCli *cli, SyncdJson plan)
{
    SyncdJsonIter iter;
    SyncdJson one;
    g_autofree char *releaser = syncd_record_text(plan, "released_by");
    syncd_json_iter_init(&iter, syncd_json_member(plan, "releases"));
    while (syncd_json_iter_next(&iter, NULL, &one)) {
        g_autofree char *id = syncd_json_dup_text(one),
                        *text = g_strdup_printf(
                            _("what %s kept: nothing of it can be brought back then"), id);
        syncd_output_line(cli->out, _("Releases:"), text);
    }
    if (*releaser == '\0')
        return;
    g_autofree char *text = g_strdup_printf(_("by %s: it cannot be taken back any more"), releaser);
    syncd_output_line(cli->out, _("Released:"), text);
}

/* Whatever it was before, one that fits no more is of no use. */
char *syncd_cli_repair_state(SyncdJson plan)
{
    bool stale = syncd_json_member(plan, "stale").type == SYNCD_JSON_STRING;
    return stale ? g_strdup("stale") : syncd_record_text(plan, "state");
}

static void show_states(SyncdCli *cli, SyncdJson plan)
{
    g_autofree char *state = syncd_cli_repair_state(plan),
                    *approver = syncd_record_text(plan, "approver"),
                    *failure = syncd_record_text(plan, "failure"),
                    *stale = syncd_record_text(plan, "stale"), *sentence = NULL, *next = NULL;
    syncd_output_line(cli->out, _("State:"), state);
    syncd_error_split(stale, &sentence, &next);
    if (*approver != '\0')
        syncd_output_line(cli->out, _("Approved by:"), approver);
    if (*failure != '\0')
        syncd_output_line(cli->out, _("Failure:"), failure);
    if (*sentence != '\0')
        syncd_output_line(cli->out, _("Stale:"), sentence);
    else if (strcmp(state, "approved") == 0)
        show_time(cli, _("Approved until:"), plan, "approval_until_usec");
    else if (strcmp(state, "preview") == 0)
        show_time(cli, _("Can be approved until:"), plan, "expires_usec");
    show_time(cli, _("Can be taken back until:"), plan, "rollback_until_usec");
    show_released(cli, plan);
}

/* What it does is what the bytes say whose digest is agreed to; how it stands says the daemon. */
void syncd_cli_show_repair(SyncdCli *cli, SyncdClient *client, const SyncdCliRepair *repair)
{
    SyncdJson plan = root_of(repair->description), document = root_of(repair->document);
    g_auto(Shown) shown = shown_to(cli, client);
    g_autofree char *summary = syncd_record_text(document, "summary");
    syncd_output_line(cli->out, _("Plan:"), repair->id);
    show_line(&shown, _("Effect:"), summary);
    show_risk(cli, document);
    syncd_output_line(cli->out, _("Digest:"), repair->digest);
    show_states(cli, plan);
    syncd_output_text(cli->out, "\n");
    show_steps(&shown, document, plan, summary);
    syncd_copies_show(cli, copies_of(document));
    syncd_cli_show_repair_causes(cli, client, plan);
}

/* ---- a report ---- */

static void show_list(const Shown *shown, const char *title, SyncdJson report, const char *name)
{
    SyncdJsonIter iter;
    SyncdJson one;
    syncd_json_iter_init(&iter, syncd_json_member(report, name));
    while (syncd_json_iter_next(&iter, NULL, &one)) {
        g_autofree char *text = syncd_json_dup_text(one);
        show_line(shown, title, text != NULL ? text : "");
    }
}

/* Of each that is gone for good: what it was, and which operation says so. */
static void show_purged(SyncdCli *cli, SyncdJson report)
{
    SyncdJsonIter iter;
    SyncdJson one;
    syncd_json_iter_init(&iter, syncd_json_member(report, "purged"));
    while (syncd_json_iter_next(&iter, NULL, &one)) {
        g_autofree char *object = syncd_record_text(one, "object_id"),
                        *operation = syncd_record_text(one, "operation"),
                        *text = g_strdup_printf(_("%s (operation %s)"), object, operation);
        syncd_output_line(cli->out, _("Purged:"), text);
    }
}

static guint count_of(SyncdJson report, const char *name)
{
    return syncd_json_count(syncd_json_member(report, name));
}

/* What was done is all there still. */
static bool is_nothing_undone(SyncdJson report)
{
    SyncdJsonIter iter;
    SyncdJson step;
    guint done = 0, undone = 0;
    syncd_json_iter_init(&iter, syncd_json_member(report, "steps"));
    while (syncd_json_iter_next(&iter, NULL, &step)) {
        done += syncd_json_is(syncd_json_member(step, "state"), "done");
        undone += syncd_json_is(syncd_json_member(step, "state"), "undone");
    }
    return done > 0 && undone == 0;
}

static const char *outcome_of(SyncdJson report)
{
    static const struct {
        const char *name;
        bool purges;
        const char *sentence;
    } outcomes[] = {
        {"complete", false, N_("Repaired.")},
        {"failed", false, N_("Not repaired: what was done of it was taken back.")},
        {"rolled_back", false, N_("Taken back: it is as it was before the repair.")},
        {"complete", true, N_("Purged, for good.")},
        {"failed", true, N_("Not all of it was purged; what was is gone.")},
    };
    bool purges = syncd_json_member(report, "purged").type == SYNCD_JSON_ARRAY;
    SyncdJson outcome = syncd_json_member(report, "outcome");
    if (syncd_json_is(outcome, "failed") &&
        syncd_json_member(report, "rollback_available").type == SYNCD_JSON_TRUE)
        return N_(
            "Done, but not complete: what was there before is kept, so it can be taken back.");
    if (syncd_json_is(outcome, "rolled_back") && is_nothing_undone(report))
        return N_("Not taken back: what was there before the repair is gone, or is not what was "
                  "kept. See what is preserved.");
    /* What the way back itself calls preserved is not as it was before. */
    if (syncd_json_is(outcome, "rolled_back") && count_of(report, "preserved") > 0)
        return N_("Taken back, but not all is as it was before the repair: see what is preserved.");
    if (syncd_json_is(outcome, "complete") && count_of(report, "given_up") > 0)
        return N_("Repaired, but for what is given up.");
    if (syncd_json_is(outcome, "complete") && !purges &&
        count_of(report, "unresolved_conflicts") > 0)
        return N_("Done as far as it can be now: see what is still wrong.");
    if (purges && syncd_json_is(outcome, "complete") && count_of(report, "purged") == 0)
        return N_("Nothing was purged: what was shown is not as it was then.");
    if (purges && syncd_json_is(outcome, "complete") &&
        count_of(report, "purged") < count_of(report, "steps"))
        return N_("Purged, for good, but for what is not as it was shown.");
    for (size_t i = 0; i < G_N_ELEMENTS(outcomes); i++)
        if (purges == outcomes[i].purges && syncd_json_is(outcome, outcomes[i].name))
            return outcomes[i].sentence;
    return N_("It has not ended.");
}

void syncd_cli_show_next(SyncdCli *cli, const char *next)
{
    g_autofree char *told = syncd_commands_of(syncd_cli_instance(cli), next);
    syncd_output_line(cli->out, _("Next:"), told);
}

/* What it kept is there no more, if `plan` is how it stands. */
static bool is_released(SyncdJson report, SyncdJson plan)
{
    return plan.type == SYNCD_JSON_OBJECT &&
           (syncd_json_member(plan, "released_by").type == SYNCD_JSON_STRING ||
            syncd_json_member(report, "rollback_available").type == SYNCD_JSON_TRUE) &&
           syncd_record_number(plan, "rollback_until_usec") == 0;
}

void syncd_cli_show_repair_report(SyncdCli *cli, SyncdClient *client, const char *document,
                                  SyncdJson plan)
{
    bool past = plan.type == SYNCD_JSON_OBJECT;
    SyncdJson report = root_of(document);
    if (syncd_cli_json(cli)) {
        syncd_output_json(cli->out, document, strlen(document), true);
        return;
    }
    g_autofree char *failure = syncd_record_text(report, "failure"),
                    *reason = syncd_record_text(report, "reason"),
                    *next = syncd_record_text(report, "next_action");
    g_auto(Shown) shown = shown_to(cli, client);
    syncd_output_printf(cli->out, "%s\n", _(outcome_of(report)));
    show_line(&shown, _("What was wrong:"), failure);
    if (*reason != '\0')
        show_line(&shown, _("Why not:"), reason);
    show_list(&shown, _("About:"), report, "affected_objects");
    show_list(&shown, _("Of:"), report, "affected_actors");
    bool released = is_released(report, plan);
    show_list(&shown, released ? _("Preserved then:") : _("Preserved:"), report, "preserved");
    show_list(&shown, _("Made anew:"), report, "rebuilt");
    show_list(&shown, released ? _("Set aside then:") : _("Set aside:"), report, "quarantined");
    show_list(&shown, _("Given up:"), report, "given_up");
    show_purged(cli, report);
    /* Some of it may be mended by now. */
    show_list(&shown, past ? _("Still wrong then:") : _("Still wrong:"), report,
              "unresolved_conflicts");
    syncd_cli_show_next(cli, next);
}
