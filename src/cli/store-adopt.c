#include "base/json-writer.h"
#include "cli/i18n.h"
#include "cli/state.h"
#include "cli/text.h"
#include "cli/verbs.h"
#include "client/failure.h"
#include "store/rollback.h"

#include <unistd.h>

/* It was stopped for this. */
static void remark_start(SyncdCli *cli)
{
    const char *given = syncd_cli_value(cli, "state-dir");
    if (given == NULL) {
        syncd_cli_remark(cli, _("The daemon may use it now: %s."),
                         syncd_client_how_to_start(syncd_cli_instance(cli)));
        return;
    }
    g_autofree char *directory = syncd_shell_word(given);
    syncd_cli_remark(cli,
                     _("The daemon may use it now: start it with `sourceos-syncd daemon "
                       "--state-dir=%s`."),
                     directory);
}

/* What is in it and not in the log is nowhere else. */
static void tell_what_was_kept(SyncdCli *cli, const char *kept)
{
    syncd_output_wrapped(
        cli->out,
        _("journal.db-wal was damaged. What is missing may still be in it, so both files "
          "are kept there as they were: %s and %s-wal.\n"),
        kept, kept);
}

static void show(SyncdCli *cli, const char *directory, SyncdStoreCondition before, bool adopted,
                 const char *kept)
{
    if (!syncd_cli_json(cli)) {
        g_autofree char *safe = syncd_text_safe(directory);
        syncd_output_wrapped(cli->out,
                             before == SYNCD_STORE_ROLLED_BACK
                                 ? _("The log in %s goes on without what is missing; its feeds go "
                                     "on in a new epoch.\n")
                             : adopted ? _("The state in %s belongs to this machine now; its feeds "
                                           "go on in a new epoch.\n")
                                       : _("The state in %s belongs to this machine already.\n"),
                             safe);
        if (kept != NULL)
            tell_what_was_kept(cli, kept);
        remark_start(cli);
        return;
    }
    SyncdJsonWriter *writer = syncd_output_begin_object(cli->out);
    syncd_json_member_string(writer, "state_dir", directory);
    syncd_json_member_bool(writer, "adopted", adopted);
    syncd_json_member_string(writer, "set_aside", kept);
    syncd_output_end_object(cli->out);
}

/* Whoever adopts it; on a machine where the user has another number, the daemon. */
static bool find_actor(SyncdStore *store, char **ret_actor, GError **error)
{
    g_autofree char *identity = g_strdup_printf("uid:%u", (unsigned)geteuid());
    if (!syncd_store_find_actor(store, identity, ret_actor, error))
        return false;
    if (*ret_actor == NULL && !syncd_store_find_actor(store, "daemon", ret_actor, error))
        return false;
    if (*ret_actor == NULL)
        syncd_set_error(error, SYNCD_ERROR_JOURNAL_CORRUPT, "The log has no actor to adopt it");
    return *ret_actor != NULL;
}

static char *question(SyncdStore *store)
{
    if (syncd_store_condition(store) == SYNCD_STORE_MACHINE_CHANGED)
        return g_strdup(_("This state was made on another machine, which must not go on writing "
                          "it. Adopt it?"));
    g_autofree char *n = g_strdup_printf("%" G_GUINT64_FORMAT, syncd_store_n_rolled_back(store));
    return g_strdup_printf(_("The log of this state lost its last entries (%s). If the newer "
                             "journal.db and journal.db-wal are to be had, put them back instead. "
                             "Go on without what is missing?"),
                           n);
}

static bool adopt(const SyncdCli *cli, SyncdStore *store, GError **error)
{
    g_autofree char *actor = NULL, *asked = question(store);
    return syncd_cli_confirm(cli, asked, error) && syncd_store_settle(store, error) &&
           find_actor(store, &actor, error) && syncd_store_adopt(store, actor, error);
}

bool syncd_verb_store_adopt(SyncdCli *cli, GError **error)
{
    g_autofree char *directory = syncd_state_directory(cli, error);
    if (directory == NULL)
        return false;
    g_autoptr(SyncdStore) store = syncd_state_open(directory, SYNCD_STORE_OPEN, error);
    if (store == NULL)
        return false;

    SyncdStoreCondition before = syncd_store_condition(store);
    bool waits = before == SYNCD_STORE_MACHINE_CHANGED || before == SYNCD_STORE_ROLLED_BACK;
    if (waits && !adopt(cli, store, error))
        return false;
    show(cli, directory, before, waits, syncd_store_set_aside_at_adoption(store));
    return true;
}
