/* The plans of repair that there are, and one of them. */
#include "cli/i18n.h"
#include "cli/listing.h"
#include "cli/repair.h"
#include "cli/table.h"
#include "cli/verbs.h"
#include "cli/when.h"
#include "client/repair.h"

#include <string.h>

static void add_row(SyncdTable *table, SyncdJson plan)
{
    g_autofree char *id = syncd_record_text(plan, "id"), *state = syncd_cli_repair_state(plan),
                    *risk = syncd_record_text(plan, "risk"),
                    *steps =
                        g_strdup_printf("%u", syncd_json_count(syncd_json_member(plan, "steps"))),
                    *planned = syncd_when_local_usec(syncd_record_number(plan, "planned_usec"));
    const char *const cells[] = {id, state, risk, steps, planned};
    syncd_table_add(table, cells);
}

/* In the system instance those of others are asked for. */
static void remark_none(SyncdCli *cli)
{
    bool own = syncd_cli_instance(cli) == SYNCD_CLIENT_SYSTEM && !syncd_cli_flag(cli, "all");
    syncd_cli_remark(cli, "%s",
                     own ? _("You have no plan of repair, and --all shows those of others. Where "
                             "`sourceos-syncd doctor` finds what a plan can mend, `sourceos-syncd "
                             "repair plan` makes one.")
                         : _("There is no plan of repair. Where `sourceos-syncd doctor` finds what "
                             "a plan can mend, `sourceos-syncd repair plan` makes one."));
}

bool syncd_verb_repair_list(SyncdCli *cli, GError **error)
{
    const char *const titles[] = {_("PLAN"),   _("STATE"),   _("RISK"),
                                  _(">STEPS"), _("PLANNED"), NULL};
    g_autoptr(SyncdTable) table = syncd_table_new(titles);
    g_autoptr(SyncdClient) client = syncd_cli_connect(cli, SYNCD_CLI_ACT, error);
    g_autofree char *plans =
        client != NULL ? syncd_client_list_repairs(client, syncd_cli_repair_options(cli), error)
                       : NULL;
    SyncdJsonIter iter;
    SyncdJson plan;
    guint n = 0;
    if (plans == NULL)
        return false;
    if (syncd_cli_json(cli)) {
        syncd_output_json(cli->out, plans, strlen(plans), true);
        return true;
    }
    syncd_json_iter_init(&iter, syncd_json_root(plans, strlen(plans)));
    for (; syncd_json_iter_next(&iter, NULL, &plan); n++)
        add_row(table, plan);
    syncd_table_print(table, cli->out);
    if (n == 0)
        remark_none(cli);
    return true;
}

/* ---- one ---- */

static bool has_report(const SyncdCliRepair *repair)
{
    bool has = false;
    SyncdJson plan = syncd_json_root(repair->description, strlen(repair->description));
    syncd_json_get_bool(syncd_json_member(plan, "report"), &has);
    return has;
}

static bool show_report(SyncdCli *cli, SyncdClient *client, const SyncdCliRepair *repair,
                        GError **error)
{
    g_autofree char *report = syncd_client_repair_report(client, repair->id, error);
    if (report == NULL)
        return false;
    SyncdJson plan = syncd_json_root(repair->description, strlen(repair->description));
    syncd_cli_show_repair_report(cli, client, report, plan);
    return true;
}

/* Of one that has ended its report says it. */
static void show_next(SyncdCli *cli, const SyncdCliRepair *repair)
{
    static const struct {
        const char *state, *verb;
    } verbs[] = {{"preview", "approve"}, {"approved", "apply"}, {"running", "show"}};
    SyncdJson plan = syncd_json_root(repair->description, strlen(repair->description));
    g_autofree char *stale = syncd_record_text(plan, "stale"), *sentence = NULL, *next = NULL;
    syncd_error_split(stale, &sentence, &next);
    for (size_t i = 0; next == NULL && i < G_N_ELEMENTS(verbs); i++)
        if (syncd_json_is(syncd_json_member(plan, "state"), verbs[i].state))
            next = g_strdup_printf("`sourceos-syncd repair %s %s`", verbs[i].verb, repair->id);
    if (next != NULL)
        syncd_cli_show_next(cli, next);
}

bool syncd_verb_repair_show(SyncdCli *cli, GError **error)
{
    g_auto(SyncdCliRepair) repair = {0};
    g_autoptr(SyncdClient) client = syncd_cli_connect(cli, SYNCD_CLI_ACT, error);
    if (client == NULL || !syncd_cli_find_repair(cli, client, SYNCD_REPAIR_ANY, &repair, error))
        return false;
    if (syncd_cli_flag(cli, "report"))
        return show_report(cli, client, &repair, error);
    if (syncd_cli_flag(cli, "document")) {
        syncd_output_text(cli->out, repair.document);
        return true;
    }
    if (syncd_cli_json(cli)) {
        syncd_output_json(cli->out, repair.description, strlen(repair.description), true);
        return true;
    }
    syncd_cli_show_repair(cli, client, &repair);
    syncd_output_text(cli->out, "\n");
    if (has_report(&repair))
        return show_report(cli, client, &repair, error);
    show_next(cli, &repair);
    return true;
}
