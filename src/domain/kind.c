#include "domain/kind.h"

#include "contract/vocabulary.h"

/* clang-format off */
static const SyncdKind kinds[] = {
    {"operation.enqueue", "sync.operation.enqueue", "queued", "sync.operation.enqueued",
     SYNCD_WRITTEN_BY_CALLERS, "An operation was enqueued"},
    {"operation.replay", "sync.operation.replay", "completed", "sync.operation.replayed",
     SYNCD_WRITTEN_BY_CALLERS, "An operation was replayed"},
    {"operation.reconcile", "sync.operation.reconcile", "completed", "sync.operation.reconciled",
     SYNCD_WRITTEN_BY_CALLERS, "An operation was reconciled"},
    {"conflict.detect", "sync.conflict.detect", "completed", "sync.conflict.created",
     SYNCD_WRITTEN_BY_METHODS, "A conflict was found"},
    {"conflict.resolve", "sync.conflict.resolve", "completed", "sync.conflict.resolved",
     SYNCD_WRITTEN_BY_METHODS, "A conflict was resolved"},
    {"repair.apply", "sync.repair.apply", "completed", "sync.repair.completed",
     SYNCD_WRITTEN_BY_METHODS, "A repair plan was applied"},
    {"tombstone.apply", "sync.tombstone.apply", "completed", "sync.object.tombstoned",
     SYNCD_WRITTEN_BY_METHODS, "An object was deleted"},
    {"checkpoint.write", "sync.checkpoint.write", "completed", "sync.checkpoint.written",
     SYNCD_WRITTEN_BY_METHODS, "A checkpoint of a log was written"},
    {"feed.open", NULL, NULL, "sync.feed.opened",
     SYNCD_WRITTEN_BY_DAEMON, "This device began its log of a scope"},
    {"device.registered", NULL, NULL, "sync.device.registered",
     SYNCD_WRITTEN_BY_DAEMON, "A device was registered"},
    {"device.updated", NULL, NULL, "sync.device.updated",
     SYNCD_WRITTEN_BY_DAEMON, "A device was changed"},
    {"device.revoked", NULL, NULL, "sync.device.revoked",
     SYNCD_WRITTEN_BY_DAEMON, "A device was revoked"},
    {"actor.registered", NULL, NULL, "sync.actor.registered",
     SYNCD_WRITTEN_BY_DAEMON, "An actor was registered"},
    {"actor.updated", NULL, NULL, "sync.actor.updated",
     SYNCD_WRITTEN_BY_DAEMON, "An actor was changed"},
    {"actor.revoked", NULL, NULL, "sync.actor.revoked",
     SYNCD_WRITTEN_BY_DAEMON, "An actor was revoked"},
    {"profile.registered", NULL, NULL, "sync.profile.registered",
     SYNCD_WRITTEN_BY_DAEMON, "A profile was registered"},
    {"profile.updated", NULL, NULL, "sync.profile.updated",
     SYNCD_WRITTEN_BY_DAEMON, "A profile was changed"},
    {"profile.revoked", NULL, NULL, "sync.profile.revoked",
     SYNCD_WRITTEN_BY_DAEMON, "A profile was revoked"},
    {"workspace.registered", NULL, NULL, "sync.workspace.registered",
     SYNCD_WRITTEN_BY_DAEMON, "A workspace was registered"},
    {"workspace.updated", NULL, NULL, "sync.workspace.updated",
     SYNCD_WRITTEN_BY_DAEMON, "A workspace was changed"},
    {"workspace.revoked", NULL, NULL, "sync.workspace.revoked",
     SYNCD_WRITTEN_BY_DAEMON, "A workspace was revoked"},
    {"schema.registered", NULL, NULL, "sync.schema.registered",
     SYNCD_WRITTEN_BY_DAEMON, "A schema was registered"},
    {"schema.revoked", NULL, NULL, "sync.schema.revoked",
     SYNCD_WRITTEN_BY_DAEMON, "A schema was revoked"},
    {"schema.migrated", NULL, NULL, "sync.schema.migrated",
     SYNCD_WRITTEN_BY_DAEMON, "Objects were migrated from one version of a schema to another"},
    {"migration.registered", NULL, NULL, "sync.migration.registered",
     SYNCD_WRITTEN_BY_DAEMON, "A migration of a schema was registered"},
    {"migration.revoked", NULL, NULL, "sync.migration.revoked",
     SYNCD_WRITTEN_BY_DAEMON, "A migration of a schema was revoked"},
    {"encryption-profile.registered", NULL, NULL, "sync.encryption-profile.registered",
     SYNCD_WRITTEN_BY_DAEMON, "An encryption profile was registered"},
    {"encryption-profile.updated", NULL, NULL, "sync.encryption-profile.updated",
     SYNCD_WRITTEN_BY_DAEMON, "An encryption profile was changed"},
    {"encryption-profile.revoked", NULL, NULL, "sync.encryption-profile.revoked",
     SYNCD_WRITTEN_BY_DAEMON, "An encryption profile was revoked"},
    {"object.created", NULL, NULL, "sync.object.created",
     SYNCD_WRITTEN_BY_DAEMON, "An object was registered"},
    {"object.changed", NULL, NULL, "sync.object.changed",
     SYNCD_WRITTEN_BY_DAEMON, "An object was changed"},
    {"object.deleted", NULL, NULL, "sync.object.deleted",
     SYNCD_WRITTEN_BY_DAEMON, "An object was deleted"},
    {"object.ignored", NULL, NULL, "sync.object.ignored",
     SYNCD_WRITTEN_BY_DAEMON, "Files of a workspace are ignored"},
    {"object.checked", NULL, NULL, "sync.object.checked",
     SYNCD_WRITTEN_BY_DAEMON, "Files of a workspace were held against their record"},
    {"plan.created", NULL, NULL, "sync.plan.created",
     SYNCD_WRITTEN_BY_DAEMON, "A sync plan was made"},
    {"plan.updated", NULL, NULL, "sync.plan.updated",
     SYNCD_WRITTEN_BY_DAEMON, "A sync plan was changed"},
    {"plan.started", NULL, NULL, "sync.plan.started",
     SYNCD_WRITTEN_BY_DAEMON, "A sync plan was started"},
    {"plan.blocked", NULL, NULL, "sync.plan.blocked",
     SYNCD_WRITTEN_BY_DAEMON, "A sync plan was blocked"},
    {"plan.failed", NULL, NULL, "sync.plan.failed",
     SYNCD_WRITTEN_BY_DAEMON, "A sync plan failed"},
    {"plan.completed", NULL, NULL, "sync.plan.completed",
     SYNCD_WRITTEN_BY_DAEMON, "A sync plan was completed"},
    {"plan.cancelled", NULL, NULL, "sync.plan.cancelled",
     SYNCD_WRITTEN_BY_DAEMON, "A sync plan was cancelled"},
    {"root.added", NULL, NULL, "sync.root.added",
     SYNCD_WRITTEN_BY_DAEMON, "A workspace was given a directory"},
    {"root.updated", NULL, NULL, "sync.root.updated",
     SYNCD_WRITTEN_BY_DAEMON, "The directory of a workspace was changed"},
    {"root.paused", NULL, NULL, "sync.root.paused",
     SYNCD_WRITTEN_BY_DAEMON, "A workspace was paused"},
    {"root.resumed", NULL, NULL, "sync.root.resumed",
     SYNCD_WRITTEN_BY_DAEMON, "A workspace was resumed"},
    {"root.removed", NULL, NULL, "sync.root.removed",
     SYNCD_WRITTEN_BY_DAEMON, "A workspace no longer has a directory"},
    {"policy.decision", NULL, NULL, "sync.policy.decided",
     SYNCD_WRITTEN_BY_DAEMON, "Policy decided a class of requests"},
    {"policy.refused", NULL, NULL, "sync.policy.denied",
     SYNCD_WRITTEN_BY_DAEMON, "Requests of an actor were refused"},
    {"profile.violated", NULL, NULL, "sync.profile.boundary_violation",
     SYNCD_WRITTEN_BY_DAEMON, "Requests of an actor would have crossed the boundary of a profile"},
    {"deletion.authorised", NULL, NULL, "sync.object.deletion_authorised",
     SYNCD_WRITTEN_BY_DAEMON, "The deletion of an object was authorised"},
    {"deletion.propagated", NULL, NULL, "sync.object.propagated",
     SYNCD_WRITTEN_BY_DAEMON, "The members of a scope were told of a deletion"},
    {"deletion.hidden", NULL, NULL, "sync.object.hidden",
     SYNCD_WRITTEN_BY_DAEMON, "A deleted object was hidden"},
    {"deletion.restored", NULL, NULL, "sync.object.restored",
     SYNCD_WRITTEN_BY_DAEMON, "A deleted object was restored as a new version"},
    {"deletion.purged", NULL, NULL, "sync.object.purged",
     SYNCD_WRITTEN_BY_METHODS, "What was left of a deleted object was purged"},
    {"deletion.proven", NULL, NULL, "sync.object.purge_proven",
     SYNCD_WRITTEN_BY_DAEMON, "A purge was completed and proven"},
    {"task.claimed", NULL, NULL, "sync.task.claimed",
     SYNCD_WRITTEN_BY_DAEMON, "A task was claimed"},
    {"task.lost", NULL, NULL, "sync.task.lost",
     SYNCD_WRITTEN_BY_DAEMON, "The lease of a task ended without a result"},
    {"task.retried", NULL, NULL, "sync.task.retried",
     SYNCD_WRITTEN_BY_DAEMON, "A task failed and will be tried again"},
    {"task.completed", NULL, NULL, "sync.task.completed",
     SYNCD_WRITTEN_BY_DAEMON, "A task was completed"},
    {"task.failed", NULL, NULL, "sync.task.failed",
     SYNCD_WRITTEN_BY_DAEMON, "A task failed for good"},
    {"task.cancelled", NULL, NULL, "sync.task.cancelled",
     SYNCD_WRITTEN_BY_DAEMON, "A task was cancelled"},
    {"repair-plan.made", NULL, NULL, "sync.repair.planned",
     SYNCD_WRITTEN_BY_DAEMON, "A repair was planned"},
    {"repair-plan.approved", NULL, NULL, "sync.repair.approved",
     SYNCD_WRITTEN_BY_DAEMON, "A repair plan was approved"},
    {"repair-plan.begun", NULL, NULL, "sync.repair.started",
     SYNCD_WRITTEN_BY_DAEMON, "A repair plan is being applied"},
    {"repair-plan.undone", NULL, NULL, "sync.repair.rolled_back",
     SYNCD_WRITTEN_BY_DAEMON, "A repair was rolled back"},
    {"repair-plan.unproven", NULL, NULL, "sync.repair.unproven",
     SYNCD_WRITTEN_BY_DAEMON, "A repair was done, and is not complete: nothing proves that the log is the one that it was planned for"},
    {"repair-plan.discarded", NULL, NULL, "sync.repair.discarded",
     SYNCD_WRITTEN_BY_DAEMON, "A repair plan was discarded"},
    {"store.adopted", NULL, NULL, "sync.store.adopted",
     SYNCD_WRITTEN_BY_DAEMON, "State of another machine, or what is left of a log, was adopted"},
};
/* clang-format on */

static const SyncdKind unknown_kind = {"",
                                       NULL,
                                       "queued",
                                       "sync.entry.unknown",
                                       SYNCD_WRITTEN_LATER,
                                       "An entry of a kind that this version does not know"};

const SyncdKind *syncd_kinds(size_t *ret_n)
{
    *ret_n = G_N_ELEMENTS(kinds);
    return kinds;
}

const SyncdKind *syncd_kind_find(SyncdBytes kind)
{
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (strlen(kinds[i].kind) == kind.size && memcmp(kinds[i].kind, kind.data, kind.size) == 0)
            return &kinds[i];
    return &unknown_kind;
}

const SyncdKind *syncd_kind_of_type(const char *type)
{
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (kinds[i].type != NULL && strcmp(kinds[i].type, type) == 0)
            return &kinds[i];
    return NULL;
}

const SyncdKind *syncd_kind_of_event(const char *event_type)
{
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (strcmp(kinds[i].event_type, event_type) == 0)
            return &kinds[i];
    return NULL;
}

bool syncd_kind_is_operation(SyncdBytes kind)
{
    static const SyncdBytes families[] = {
        {"operation.", 10}, {"conflict.", 9},    {"repair.", 7},
        {"tombstone.", 10}, {"checkpoint.", 11},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(families); i++)
        if (kind.size > families[i].size &&
            memcmp(kind.data, families[i].data, families[i].size) == 0)
            return true;
    return false;
}

/* Of kinds that are no operation type: what a method writes is asked for in vain all the same. */
static bool is_of_method(const char *type)
{
    const char *name = g_str_has_prefix(type, "sync.") ? type + strlen("sync.") : "";
    return syncd_kind_find(SYNCD_BYTES_TEXT(name))->writer == SYNCD_WRITTEN_BY_METHODS;
}

static bool refuse_written(const char *type, GError **error)
{
    syncd_set_error(error, SYNCD_ERROR_APPROVAL_REQUIRED,
                    "/type: %s is written only by the daemon, as the result of a method", type);
    return false;
}

bool syncd_kind_check_enqueue(const char *type, const SyncdKind **ret_kind, GError **error)
{
    const SyncdKind *kind = syncd_kind_of_type(type);
    if (kind == NULL && is_of_method(type))
        return refuse_written(type, error);
    if (kind == NULL) {
        g_autofree char *known = syncd_vocabulary_list(SYNCD_WORDS_OPERATION_TYPE);
        syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT,
                        "/type is no operation type; the types are %s", known);
        return false;
    }
    switch (kind->writer) {
    case SYNCD_WRITTEN_BY_CALLERS:
        *ret_kind = kind;
        return true;
    case SYNCD_WRITTEN_BY_METHODS:
        return refuse_written(type, error);
    case SYNCD_WRITTEN_LATER:
    case SYNCD_WRITTEN_BY_DAEMON:
        break;
    }
    syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT,
                    "/type: %s is not available in this version", type);
    return false;
}
