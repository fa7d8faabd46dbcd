/* Approving, applying, taking back and discarding a plan of repair: what is agreed to is shown
 * before. */
#include "cli/agent.h"
#include "cli/commands.h"
#include "cli/file.h"
#include "cli/i18n.h"
#include "cli/interrupt.h"
#include "cli/listing.h"
#include "cli/progress.h"
#include "cli/repair.h"
#include "cli/text.h"
#include "cli/verbs.h"
#include "cli/when.h"
#include "client/job.h"
#include "client/repair.h"

#include <poll.h>
#include <string.h>

static bool agree(SyncdCli *cli, SyncdClient *client, const SyncdCliRepair *repair,
                  const char *question, GError **error)
{
    if (!syncd_cli_json(cli) && !syncd_cli_flag(cli, "yes")) {
        syncd_cli_show_repair(cli, client, repair);
        syncd_output_text(cli->out, "\n");
    }
    return syncd_cli_confirm(cli, question, error);
}

/* Nobody is asked about what would be refused: why that is says a member of the description. */
static bool is_not_refused(const SyncdCliRepair *repair, const char *member, SyncdErrorCode code,
                           GError **error)
{
    SyncdJson plan = syncd_json_root(repair->description, strlen(repair->description));
    g_autofree char *refusal = syncd_record_text(plan, member);
    if (*refusal == '\0')
        return true;
    g_set_error_literal(error, SYNCD_ERROR, (int)code, refusal);
    return false;
}

/* ---- approving ---- */

static bool show_approved(SyncdCli *cli, SyncdClient *client, const char *id, GError **error)
{
    g_autofree char *description = syncd_client_describe_repair(client, id, error);
    if (description == NULL)
        return false;
    SyncdJson plan = syncd_json_root(description, strlen(description));
    g_autofree char *until =
        syncd_when_local_usec(syncd_record_number(plan, "approval_until_usec"));
    if (syncd_cli_json(cli)) {
        syncd_output_json(cli->out, description, strlen(description), true);
        return true;
    }
    g_autofree char *text = g_strdup_printf(
        _("Approved until %s: `sourceos-syncd repair apply %s` carries it out."), until, id);
    g_autofree char *told = syncd_commands_of(syncd_cli_instance(cli), text);
    syncd_output_wrapped(cli->out, "%s\n", told);
    return true;
}

bool syncd_verb_repair_approve(SyncdCli *cli, GError **error)
{
    g_auto(SyncdCliRepair) repair = {0};
    g_autoptr(SyncdClient) client = syncd_cli_connect(cli, SYNCD_CLI_CONSENT, error);
    if (client == NULL ||
        !syncd_cli_find_repair(cli, client, SYNCD_REPAIR_WAITING, &repair, error) ||
        !is_not_refused(&repair, "stale", SYNCD_ERROR_PLAN_STALE, error) ||
        !agree(cli, client, &repair, _("Approve exactly this plan?"), error))
        return false;
    SyncdCliAgent *agent = syncd_cli_agent_start(cli);
    bool approved = syncd_client_approve_repair(client, repair.id, repair.digest, error);
    syncd_cli_agent_stop(agent);
    return approved && show_approved(cli, client, repair.id, error);
}

/* One that cannot be taken back to its end stays, with what it kept. */
static bool is_half_taken_back(SyncdJson plan)
{
    return syncd_json_member(plan, "interrupted").type == SYNCD_JSON_TRUE &&
           syncd_json_member(plan, "undoing").type == SYNCD_JSON_TRUE;
}

/* What cannot be had any more afterwards depends on what it did. */
static const char *discard_question(const SyncdCliRepair *repair)
{
    SyncdJson plan = syncd_json_root(repair->description, strlen(repair->description));
    if (is_half_taken_back(plan))
        return _("Leave what is not taken back yet as it is? What the plan kept stays.");
    if (syncd_record_number(plan, "rollback_until_usec") != 0)
        return _("Discard this plan? What it did can then not be taken back any more.");
    return _("Discard this plan?");
}

bool syncd_verb_repair_discard(SyncdCli *cli, GError **error)
{
    g_auto(SyncdCliRepair) repair = {0};
    g_autoptr(SyncdClient) client = syncd_cli_connect(cli, SYNCD_CLI_ACT, error);
    if (client == NULL || !syncd_cli_find_repair(cli, client, SYNCD_REPAIR_ONLY, &repair, error) ||
        !agree(cli, client, &repair, discard_question(&repair), error))
        return false;
    if (!syncd_client_discard_repair(client, repair.id, error))
        return false;
    SyncdJson plan = syncd_json_root(repair.description, strlen(repair.description));
    syncd_cli_remark(cli,
                     is_half_taken_back(plan)
                         ? _("The plan %s has ended: what was not taken back is as the repair left "
                             "it, and what it kept stays until the plan is discarded once more.")
                         : _("The plan %s is discarded."),
                     repair.id);
    if (syncd_cli_json(cli))
        syncd_output_json(cli->out, repair.description, strlen(repair.description), true);
    return true;
}

/* ---- jobs ---- */

typedef char *(*BeginFunc)(SyncdClient *client, const char *plan, const char *digest,
                           GError **error);

static bool carry_out(SyncdCli *cli, SyncdClient *client, const SyncdCliRepair *repair,
                      BeginFunc begin, const char *what, GError **error)
{
    SyncdProgress progress = syncd_progress(cli, what);
    struct pollfd stop = {.fd = syncd_interrupt_catch(), .events = POLLIN};
    g_autofree char *job = begin(client, repair->id, repair->digest, error);
    g_autofree char *report =
        job != NULL
            ? syncd_client_wait_job(client, job, &stop, syncd_progress_show, &progress, error)
            : NULL;
    syncd_interrupt_release();
    syncd_progress_clear(&progress);
    if (report != NULL)
        syncd_cli_show_repair_report(cli, client, report, (SyncdJson){0});
    return report != NULL;
}

/* A file names a plan by its bytes, and says nothing else: not even that it is approved. */
static bool find_approved(SyncdCli *cli, SyncdClient *client, SyncdCliRepair *ret_repair,
                          GError **error)
{
    const char *file = syncd_cli_value(cli, "approved-plan");
    char digest[SYNCD_DIGEST_SIZE];
    SyncdHash hash;
    if (file == NULL)
        return syncd_cli_find_repair(cli, client, SYNCD_REPAIR_READY, ret_repair, error);
    if (syncd_cli_argument(cli, 0) != NULL) {
        syncd_set_error_next(error, SYNCD_ERROR_USAGE, "name the plan in one way",
                             "--approved-plan names a plan already");
        return false;
    }
    if (!syncd_file_hash(file, &hash, error))
        return false;
    syncd_hash_to_digest(&hash, digest);
    return syncd_cli_find_repair_of(cli, client, digest, ret_repair, error);
}

/* Nor about this. */
static bool is_approved(const SyncdCliRepair *repair, GError **error)
{
    SyncdJson plan = syncd_json_root(repair->description, strlen(repair->description));
    if (!syncd_json_is(syncd_json_member(plan, "state"), "preview"))
        return true;
    syncd_set_error_next(error, SYNCD_ERROR_APPROVAL_REQUIRED,
                         "approve it with `sourceos-syncd repair approve`",
                         "Nobody has approved %s", repair->id);
    return false;
}

bool syncd_verb_repair_apply(SyncdCli *cli, GError **error)
{
    g_auto(SyncdCliRepair) repair = {0};
    g_autoptr(SyncdClient) client = syncd_cli_connect(cli, SYNCD_CLI_ACT, error);
    return client != NULL && find_approved(cli, client, &repair, error) &&
           is_not_refused(&repair, "stale", SYNCD_ERROR_PLAN_STALE, error) &&
           is_approved(&repair, error) &&
           agree(cli, client, &repair, _("Carry out this plan?"), error) &&
           carry_out(cli, client, &repair, syncd_client_apply_repair, _("Repairing"), error);
}

static bool does(const SyncdCliRepair *repair, const char *kind)
{
    SyncdJson plan = syncd_json_root(repair->description, strlen(repair->description)), step;
    SyncdJsonIter iter;
    syncd_json_iter_init(&iter, syncd_json_member(plan, "steps"));
    while (syncd_json_iter_next(&iter, NULL, &step))
        if (syncd_json_is(syncd_json_member(step, "id"), kind))
            return true;
    return false;
}

/* What was there before a repair may be of no use to anybody. */
static const char *rollback_question(const SyncdCliRepair *repair)
{
    if (does(repair, "journal-restore"))
        return _("Take back what this plan did? The log cannot be opened then, and what "
                 "was recorded since is only in a copy of it, an earlier generation.");
    if (does(repair, "journal-generation") || does(repair, "body-refill"))
        return _("Take back what this plan did? The damaged log is not put back, as entries "
                 "may have come since: another generation is made of both, and the damaged one "
                 "stays beside it for a while.");
    return _("Take back what this plan did?");
}

bool syncd_verb_repair_rollback(SyncdCli *cli, GError **error)
{
    g_auto(SyncdCliRepair) repair = {0};
    g_autoptr(SyncdClient) client = syncd_cli_connect(cli, SYNCD_CLI_CONSENT, error);
    if (client == NULL ||
        !syncd_cli_find_repair(cli, client, SYNCD_REPAIR_APPLIED, &repair, error) ||
        !is_not_refused(&repair, "rollback_refused", SYNCD_ERROR_ALREADY_RESOLVED, error) ||
        !agree(cli, client, &repair, rollback_question(&repair), error))
        return false;
    SyncdCliAgent *agent = syncd_cli_agent_start(cli);
    bool done =
        carry_out(cli, client, &repair, syncd_client_rollback_repair, _("Taking back"), error);
    syncd_cli_agent_stop(agent);
    return done;
}
