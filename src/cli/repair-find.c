#include "cli/repair.h"

#include "cli/listing.h"
#include "client/repair.h"

#include <string.h>

#define HOW_TO_PLAN "make one with `sourceos-syncd repair plan`"
#define MEANT_MAX 5u
#define HOW_TO_LIST "see which there are with `sourceos-syncd repair list`, and name one"

void syncd_cli_repair_clear(SyncdCliRepair *repair)
{
    g_clear_pointer(&repair->id, g_free);
    g_clear_pointer(&repair->description, g_free);
    g_clear_pointer(&repair->document, g_free);
}

GVariant *syncd_cli_repair_options(const SyncdCli *cli)
{
    g_auto(GVariantDict) options = G_VARIANT_DICT_INIT(NULL);
    if (syncd_cli_flag(cli, "all"))
        g_variant_dict_insert(&options, "all", "b", TRUE);
    return g_variant_dict_end(&options);
}

bool syncd_cli_take_repair(SyncdClient *client, const char *id, SyncdCliRepair *ret_repair,
                           GError **error)
{
    ret_repair->id = g_strdup(id);
    ret_repair->description = syncd_client_describe_repair(client, id, error);
    if (ret_repair->description == NULL)
        return false;
    ret_repair->document = syncd_client_repair_document(client, id, error);
    if (ret_repair->document == NULL)
        return false;
    SyncdHash hash = syncd_hash(ret_repair->document, strlen(ret_repair->document));
    syncd_hash_to_digest(&hash, ret_repair->digest);
    SyncdJson plan = syncd_json_root(ret_repair->description, strlen(ret_repair->description));
    if (syncd_json_is(syncd_json_member(plan, "digest"), ret_repair->digest))
        return true;
    syncd_set_error_next(error, SYNCD_ERROR_INVALID_CONTRACT,
                         "see which there are with `sourceos-syncd repair list`",
                         "The digest of %s is not that of the plan that the daemon shows", id);
    return false;
}

/* ---- which one ---- */

/* How well a plan is what a verb is about: 0 is not at all. One that fits no more comes last. */
static guint64 fitness(SyncdJson plan, SyncdCliRepairWanted wanted)
{
    SyncdJson state = syncd_json_member(plan, "state");
    bool waits = syncd_json_is(state, "preview"), approved = syncd_json_is(state, "approved");
    bool half_done = syncd_json_member(plan, "interrupted").type == SYNCD_JSON_TRUE;
    bool stale = syncd_json_member(plan, "stale").type == SYNCD_JSON_STRING;
    bool ended = syncd_json_member(plan, "report").type == SYNCD_JSON_TRUE;
    switch (wanted) {
    case SYNCD_REPAIR_WAITING:
        return !waits && !approved ? 0 : stale ? 1 : 2;
    case SYNCD_REPAIR_READY:
        return half_done ? 4 : !waits && !approved ? 0 : stale ? 1 : approved ? 3 : 2;
    case SYNCD_REPAIR_APPLIED:
        return half_done ? G_MAXUINT64 : syncd_record_number(plan, "rollback_until_usec");
    case SYNCD_REPAIR_ANY:
        return ended || stale ? 1 : 2;
    default:
        return ended ? 1 : 2;
    }
}

static bool is_named(SyncdJson plan, const char *named)
{
    g_autofree char *id = syncd_record_text(plan, "id");
    return g_str_has_prefix(id, named);
}

/* The newest of those that fit best, and how many they are. An id is not also the beginning of
 * another: all are as long. */
static guint choose(const char *plans, const char *named, SyncdCliRepairWanted wanted,
                    char **ret_id, guint64 *ret_fit)
{
    SyncdJsonIter iter;
    SyncdJson plan;
    guint n = 0;
    guint64 best = 0;
    syncd_json_iter_init(&iter, syncd_json_root(plans, strlen(plans)));
    while (syncd_json_iter_next(&iter, NULL, &plan)) {
        guint64 fit = named != NULL ? is_named(plan, named) : fitness(plan, wanted);
        if (fit == 0 || fit < best)
            continue;
        n = fit > best ? 1 : n + 1;
        if (fit > best) {
            g_free(*ret_id);
            *ret_id = syncd_record_text(plan, "id");
        }
        best = fit;
    }
    *ret_fit = best;
    return n;
}

guint syncd_cli_choose_repair(const char *plans, const char *named, SyncdCliRepairWanted wanted,
                              char **ret_id)
{
    guint64 fit;
    return choose(plans, named, wanted, ret_id, &fit);
}

/* The ids and states of the newest of those that can be meant as well. */
static char *list_meant(const char *plans, const char *named, SyncdCliRepairWanted wanted,
                        guint64 fit)
{
    SyncdJsonIter iter;
    SyncdJson plan;
    guint n = 0;
    g_autoptr(GString) list = g_string_new(NULL);
    syncd_json_iter_init(&iter, syncd_json_root(plans, strlen(plans)));
    while (syncd_json_iter_next(&iter, NULL, &plan)) {
        if (named != NULL ? !is_named(plan, named) : fitness(plan, wanted) != fit)
            continue;
        g_autofree char *id = syncd_record_text(plan, "id"),
                        *state = syncd_record_text(plan, "state");
        if (n++ < MEANT_MAX)
            g_string_append_printf(list, "%s%s (%s)", n > 1 ? ", " : "", id, state);
    }
    if (n > MEANT_MAX)
        g_string_append_printf(list, " and %u more", n - MEANT_MAX);
    return g_strdup(list->str);
}

static void refuse(const char *named, guint n, const char *meant, SyncdCliRepairWanted wanted,
                   GError **error)
{
    if (n > 1 && named != NULL)
        syncd_set_error_next(error, SYNCD_ERROR_USAGE, HOW_TO_LIST,
                             "The ids of %u plans begin with `%s`: %s", n, named, meant);
    else if (n > 1)
        syncd_set_error_next(error, SYNCD_ERROR_USAGE, HOW_TO_LIST,
                             "There are %u plans that can be meant: %s", n, meant);
    else if (named != NULL)
        syncd_set_error_next(error, SYNCD_ERROR_NOT_FOUND, HOW_TO_LIST,
                             "There is no plan of repair %s", named);
    else if (wanted == SYNCD_REPAIR_APPLIED)
        syncd_set_error_next(error, SYNCD_ERROR_NOT_FOUND,
                             "see what was done with `sourceos-syncd repair list`",
                             "There is no repair that can be taken back");
    else
        syncd_set_error_next(error, SYNCD_ERROR_NOT_FOUND, HOW_TO_PLAN,
                             wanted == SYNCD_REPAIR_ANY || wanted == SYNCD_REPAIR_ONLY
                                 ? "There is no plan of repair"
                                 : "There is no plan of repair that is still to be carried out");
}

bool syncd_cli_find_repair(SyncdCli *cli, SyncdClient *client, SyncdCliRepairWanted wanted,
                           SyncdCliRepair *ret_repair, GError **error)
{
    const char *named = syncd_cli_argument(cli, 0);
    g_autofree char *plans =
        syncd_client_list_repairs(client, syncd_cli_repair_options(cli), error);
    g_autofree char *id = NULL;
    if (plans == NULL)
        return false;
    guint64 fit;
    guint n = choose(plans, named, wanted, &id, &fit);
    /* What is shown is what is agreed to: an older plan is in nobody's way. */
    if (n == 1 || (n > 1 && named == NULL && wanted != SYNCD_REPAIR_ONLY))
        return syncd_cli_take_repair(client, id, ret_repair, error);
    g_autofree char *meant = list_meant(plans, named, wanted, fit);
    refuse(named, n, meant, wanted, error);
    return false;
}

bool syncd_cli_find_repair_of(SyncdCli *cli, SyncdClient *client, const char *digest,
                              SyncdCliRepair *ret_repair, GError **error)
{
    g_autofree char *plans =
        syncd_client_list_repairs(client, syncd_cli_repair_options(cli), error);
    SyncdJsonIter iter;
    SyncdJson plan;
    if (plans == NULL)
        return false;
    syncd_json_iter_init(&iter, syncd_json_root(plans, strlen(plans)));
    while (syncd_json_iter_next(&iter, NULL, &plan)) {
        if (!syncd_json_is(syncd_json_member(plan, "digest"), digest))
            continue;
        g_autofree char *id = syncd_record_text(plan, "id");
        return syncd_cli_take_repair(client, id, ret_repair, error);
    }
    syncd_set_error_next(error, SYNCD_ERROR_NOT_FOUND, HOW_TO_PLAN,
                         "The daemon has no plan whose bytes are these, %s", digest);
    return false;
}
