#include "bus/migrations.h"

#include "bus/document.h"
#include "bus/error-bus.h"
#include "bus/listing.h"
#include "bus/options.h"
#include "service/registries.h"

#include <string.h>

/* Planning has no key, and a rollback has no pages: it is of one migration that was applied. */
static const SyncdOption migration_options[] = {
    {"idempotency_key", SYNCD_OPTION_TEXT, offsetof(SyncdMigrationRequest, idempotency_key)},
    {"actor", SYNCD_OPTION_TEXT, offsetof(SyncdMigrationRequest, claim.actor)},
    {"signature", SYNCD_OPTION_TEXT, offsetof(SyncdMigrationRequest, claim.signature)},
    {"expires", SYNCD_OPTION_LARGE, offsetof(SyncdMigrationRequest, claim.expires_usec)},
    {"cursor", SYNCD_OPTION_TEXT, offsetof(SyncdMigrationRequest, cursor)},
};

static bool read_request(SyncdCall *call, bool back, bool applies,
                         SyncdMigrationRequest *ret_request, GError **error)
{
    sd_bus_message *message = syncd_call_message(call);
    const char **subject = back ? &ret_request->run : &ret_request->migration;
    const SyncdOption *options = applies ? migration_options : migration_options + 1;
    const SyncdOption *end = migration_options + G_N_ELEMENTS(migration_options) - (back ? 1 : 0);
    *ret_request = (SyncdMigrationRequest){NULL};
    return syncd_text_argument_read(message, subject, error) &&
           (!applies || syncd_text_argument_read(message, &ret_request->digest, error)) &&
           syncd_options_read(message, options, (size_t)(end - options), ret_request, error);
}

/* ---- planning ---- */

static bool plan(SyncdCall *call, bool back, GError **error)
{
    SyncdMigrationRequest request;
    if (!read_request(call, back, false, &request, error))
        return false;
    SyncdService *service = syncd_call_authorise(call, true, NULL, error);
    if (service == NULL)
        return false;
    g_autofree char *report =
        syncd_service_plan_migration(service, syncd_call_caller(call), &request, error);
    if (report == NULL)
        return false;
    g_autofree char *digest =
        syncd_json_dup_text(syncd_json_member(syncd_json_root(report, strlen(report)), "digest"));
    return syncd_call_reply(call, error, "ss", report, digest);
}

bool syncd_handle_plan_migration(SyncdCall *call, GError **error)
{
    return plan(call, false, error);
}

bool syncd_handle_plan_rollback(SyncdCall *call, GError **error)
{
    return plan(call, true, error);
}

/* ---- applying: answered once it is durable ---- */

static void migrated_free(void *data)
{
    SyncdMigrated *migrated = data;
    syncd_migrated_clear(migrated);
    g_free(migrated);
}

static bool answer_migration(SyncdCall *call, SyncdService *service, void *data, GError **error)
{
    const SyncdMigrated *migrated = data;
    return syncd_call_reply(call, error, "sts", migrated->operation, migrated->sequence,
                            migrated->report);
}

static bool apply(SyncdCall *call, bool back, GError **error)
{
    SyncdMigrationRequest request;
    if (!read_request(call, back, true, &request, error))
        return false;
    const char *const details[] = {
        "effect", back ? "roll a migration back" : "migrate objects to another schema",
        back ? "operation" : "migration", back ? request.run : request.migration, NULL};
    SyncdService *service = syncd_call_authorise(call, true, details, error);
    if (service == NULL)
        return false;
    SyncdMigrated *migrated = g_new0(SyncdMigrated, 1);
    if (!syncd_service_apply_migration(service, syncd_call_caller(call), &request, migrated,
                                       error)) {
        migrated_free(migrated);
        return false;
    }
    syncd_call_after_commit(call, service, answer_migration, migrated, migrated_free);
    return true;
}

bool syncd_handle_apply_migration(SyncdCall *call, GError **error)
{
    return apply(call, false, error);
}

bool syncd_handle_apply_rollback(SyncdCall *call, GError **error)
{
    return apply(call, true, error);
}

/* ---- what was done ---- */

bool syncd_handle_migration_report(SyncdCall *call, GError **error)
{
    return syncd_call_give_document(call, syncd_service_migration_report, error);
}
