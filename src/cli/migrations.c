/* Planning, applying and taking back migrations of schemas. */
#include "client/migrations.h"
#include "base/json-writer.h"
#include "cli/i18n.h"
#include "cli/listing.h"
#include "cli/migration-report.h"
#include "cli/text.h"
#include "cli/verbs.h"
#include "crypto/hash.h"

#include <string.h>

#define HOW_TO_FIND_ENTRY                                                                          \
    "name the operation of what the migration has done, as `sourceos-syncd events list "           \
    "--type=sync.schema.migrated` shows it"

typedef struct {
    const char *plan, *apply; /* methods */
    const char *subject;
    GPtrArray *reports, *digests;   /* of each page: char * */
    char digest[SYNCD_DIGEST_SIZE]; /* of all pages */
} Pages;

static void pages_clear(Pages *pages)
{
    g_ptr_array_unref(pages->reports);
    g_ptr_array_unref(pages->digests);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Pages, pages_clear)

static Pages pages_new(const char *plan, const char *apply, const char *subject)
{
    return (Pages){.plan = plan,
                   .apply = apply,
                   .subject = subject,
                   .reports = g_ptr_array_new_with_free_func(g_free),
                   .digests = g_ptr_array_new_with_free_func(g_free)};
}

static SyncdJson root_of(const GPtrArray *reports, guint i)
{
    return syncd_json_root(reports->pdata[i], strlen(reports->pdata[i]));
}

static GVariant *page_options(const char *cursor)
{
    g_auto(GVariantDict) options = G_VARIANT_DICT_INIT(NULL);
    if (*cursor != '\0')
        g_variant_dict_insert(&options, "cursor", "s", cursor);
    return g_variant_dict_end(&options);
}

/* ---- planning ---- */

/* Of one page it is that page's; of several, that of the list of theirs. */
static void digest_all(Pages *pages)
{
    if (pages->digests->len == 1) {
        g_strlcpy(pages->digest, pages->digests->pdata[0], sizeof pages->digest);
        return;
    }
    SyncdJsonWriter writer;
    g_autoptr(GString) text = g_string_new(NULL);
    syncd_json_writer_init(&writer, text, false);
    syncd_json_begin_array(&writer);
    for (guint i = 0; i < pages->digests->len; i++)
        syncd_json_string(&writer, pages->digests->pdata[i]);
    syncd_json_end_array(&writer);
    SyncdHash hash = syncd_hash(text->str, text->len);
    syncd_hash_to_digest(&hash, pages->digest);
}

static bool plan_all(Pages *pages, SyncdClient *client, GError **error)
{
    g_autofree char *cursor = g_strdup("");
    do {
        char *digest = NULL;
        char *report = syncd_client_plan_migration(client, pages->plan, pages->subject,
                                                   page_options(cursor), &digest, error);
        if (report == NULL)
            return false;
        g_ptr_array_add(pages->reports, report);
        g_ptr_array_add(pages->digests, digest);
        g_free(cursor);
        cursor = syncd_record_text(syncd_json_root(report, strlen(report)), "next_cursor");
    } while (*cursor != '\0');
    digest_all(pages);
    return true;
}

/* What is taken back is one run of a migration, and not the migration. */
static bool plan_subject(Pages *pages, SyncdClient *client, GError **error)
{
    GError *fault = NULL;
    if (plan_all(pages, client, &fault))
        return true;
    if (strcmp(pages->plan, "PlanRollback") == 0 &&
        g_error_matches(fault, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND)) {
        g_autofree char *sentence = NULL, *next = NULL;
        syncd_error_split(fault->message, &sentence, &next);
        g_clear_error(&fault);
        syncd_set_error_next(&fault, SYNCD_ERROR_NOT_FOUND, HOW_TO_FIND_ENTRY, "%s", sentence);
    }
    g_propagate_error(error, fault);
    return false;
}

static bool check_expected(const SyncdCli *cli, const Pages *pages, GError **error)
{
    const char *expected = syncd_cli_value(cli, "digest");
    if (expected == NULL || strcmp(expected, pages->digest) == 0)
        return true;
    syncd_set_error_next(error, SYNCD_ERROR_STALE_DIGEST, "look at it again with --dry-run",
                         "Nothing was done: it would be something else by now, %s", pages->digest);
    return false;
}

/* ---- applying ---- */

static bool confirm(SyncdCli *cli, const Pages *pages, GError **error)
{
    guint objects, failures;
    g_autofree char *safe = syncd_text_safe(pages->subject);
    syncd_migration_reports_count(pages->reports, &objects, &failures);
    g_autofree char *question =
        g_strdup_printf(ngettext("%s changes %u object; left as they are: %u. Go on?",
                                 "%s changes %u objects; left as they are: %u. Go on?", objects),
                        safe, objects, failures);
    return syncd_cli_confirm(cli, question, error);
}

static bool apply_page(Pages *pages, guint i, SyncdClient *client, GPtrArray *applied,
                       GPtrArray *entries, GError **error)
{
    g_autofree char *cursor = syncd_record_text(root_of(pages->reports, i), "cursor");
    g_autofree char *operation = NULL;
    char *report =
        syncd_client_apply_migration(client, pages->apply, pages->subject, pages->digests->pdata[i],
                                     page_options(cursor), &operation, error);
    if (report == NULL)
        return false;
    g_ptr_array_add(applied, report);
    if (*operation != '\0')
        g_ptr_array_add(entries, g_steal_pointer(&operation));
    return true;
}

/* Each page is all or nothing; what was applied before one that is not stays, and is shown. */
static bool apply_all(SyncdCli *cli, Pages *pages, SyncdClient *client, GError **error)
{
    g_autoptr(GPtrArray) applied = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) entries = g_ptr_array_new_with_free_func(g_free);
    bool all = true;
    for (guint i = 0; all && i < pages->reports->len; i++)
        all = apply_page(pages, i, client, applied, entries, error);
    if (all || applied->len > 0)
        syncd_migration_reports_show(cli, applied, all ? pages->digest : NULL, entries);
    if (strcmp(pages->apply, "ApplyMigration") == 0)
        syncd_migration_entries_show(cli, entries);
    return all;
}

static bool run(SyncdCli *cli, Pages *pages, GError **error)
{
    g_autoptr(SyncdClient) client = syncd_cli_connect(cli, SYNCD_CLI_ACT, error);
    if (client == NULL || !plan_subject(pages, client, error) || !check_expected(cli, pages, error))
        return false;
    if (syncd_cli_flag(cli, "dry-run")) {
        syncd_migration_reports_show(cli, pages->reports, pages->digest, NULL);
        return true;
    }
    if (!syncd_cli_json(cli) && !syncd_cli_flag(cli, "yes"))
        syncd_migration_reports_show(cli, pages->reports, pages->digest, NULL);
    return confirm(cli, pages, error) && apply_all(cli, pages, client, error);
}

bool syncd_verb_migrations_apply(SyncdCli *cli, GError **error)
{
    g_auto(Pages) pages = pages_new("PlanMigration", "ApplyMigration", syncd_cli_argument(cli, 0));
    return run(cli, &pages, error);
}

bool syncd_verb_migrations_rollback(SyncdCli *cli, GError **error)
{
    g_auto(Pages) pages = pages_new("PlanRollback", "ApplyRollback", syncd_cli_argument(cli, 0));
    return run(cli, &pages, error);
}

bool syncd_verb_migrations_report(SyncdCli *cli, GError **error)
{
    g_auto(GVariantDict) options = G_VARIANT_DICT_INIT(NULL);
    g_autoptr(GPtrArray) reports = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(SyncdClient) client = syncd_cli_connect(cli, SYNCD_CLI_ACT, error);
    if (client == NULL)
        return false;
    if (syncd_cli_flag(cli, "all"))
        g_variant_dict_insert(&options, "all", "b", TRUE);
    char *report = syncd_client_migration_report(client, syncd_cli_argument(cli, 0),
                                                 g_variant_dict_end(&options), error);
    if (report == NULL)
        return false;
    g_ptr_array_add(reports, report);
    syncd_migration_reports_show(cli, reports, NULL, NULL);
    return true;
}
