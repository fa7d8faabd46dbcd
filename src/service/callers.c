#include "service/internal.h"
#include "store/missing-keys.h"

/* What is known of an identity, as long as the registries stand. */
typedef struct {
    SyncdMandate *mandate; /* NULL: nobody is registered for it */
    guint64 registries;
} KnownCaller;

#define BY_ID "actor/"
#define UNIT "unit:"
/* Beyond that they are looked up again. An actor is known by two names, its identity and its id. */
#define KNOWN_MAX 32768u

static void known_caller_free(void *data)
{
    KnownCaller *known = data;
    syncd_mandate_unref(known->mandate);
    g_free(known);
}

GHashTable *syncd_callers_known_new(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, known_caller_free);
}

guint64 syncd_service_entry_ms(const SyncdService *service)
{
    return MAX(syncd_service_now_ms(service), syncd_store_last_ms(service->store));
}

/* ---- from an identity to its record ---- */

static SyncdMandate *read_mandate(SyncdService *service, const SyncdRecordRow *row, GError **error)
{
    g_auto(SyncdEntry) entry = {0};
    g_auto(SyncdBody) body = {0};
    if (!syncd_store_read(service->store, row->pos, &entry, error) ||
        !syncd_store_read_body(service->store, &entry, &body, error) ||
        !syncd_json_check(body.content, body.content_size, SYNCD_JSON_MUST_BE_OBJECT, error))
        return NULL;
    return syncd_mandate_read(syncd_json_root(body.content, body.content_size), error);
}

/* An actor is looked up by its id as "actor/<id>": no identity has a slash there. */
static bool look_up(SyncdService *service, const char *identity, SyncdMandate **ret_mandate,
                    GError **error)
{
    bool found = false, by_id = g_str_has_prefix(identity, BY_ID);
    g_auto(SyncdRecordRow) row = {0};
    *ret_mandate = NULL;
    if (by_id ? !syncd_store_find_record(service->store, syncd_family(SYNCD_FAMILY_ACTOR),
                                         identity + strlen(BY_ID), &row, &found, error)
              : !syncd_store_find_identity(service->store, identity, &row, &found, error))
        return false;
    if (found)
        *ret_mandate = read_mandate(service, &row, error);
    return !found || *ret_mandate != NULL;
}

/* `*ret_mandate` NULL when nobody is registered for it. */
static bool mandate_of(SyncdService *service, const char *identity, SyncdMandate **ret_mandate,
                       GError **error)
{
    KnownCaller *known = g_hash_table_lookup(service->callers, identity);
    if (known == NULL || known->registries != syncd_store_registries(service->store)) {
        SyncdMandate *mandate;
        if (!look_up(service, identity, &mandate, error))
            return false;
        if (g_hash_table_size(service->callers) >= KNOWN_MAX)
            g_hash_table_remove_all(service->callers);
        known = g_new0(KnownCaller, 1);
        *known = (KnownCaller){mandate, syncd_store_registries(service->store)};
        g_hash_table_insert(service->callers, g_strdup(identity), known);
    }
    *ret_mandate = known->mandate != NULL ? syncd_mandate_ref(known->mandate) : NULL;
    return true;
}

bool syncd_service_mandate_of_actor(SyncdService *service, const char *actor,
                                    SyncdMandate **ret_mandate, GError **error)
{
    g_autofree char *key = g_strconcat(BY_ID, actor, NULL);
    return mandate_of(service, key, ret_mandate, error);
}

static bool find_mandate(SyncdService *service, const SyncdCaller *caller,
                         SyncdMandate **ret_mandate, GError **error)
{
    *ret_mandate = NULL;
    if (caller->agent != NULL)
        return syncd_service_mandate_of_actor(service, caller->agent, ret_mandate, error);
    if (caller->unit != NULL && service->instance == SYNCD_INSTANCE_USER) {
        g_autofree char *unit = g_strconcat(UNIT, caller->unit, NULL);
        if (!mandate_of(service, unit, ret_mandate, error))
            return false;
    }
    if (*ret_mandate != NULL)
        return true;
    g_autofree char *identity = syncd_identity_of(caller->uid);
    return mandate_of(service, identity, ret_mandate, error);
}

bool syncd_service_find_caller(SyncdService *service, const SyncdCaller *caller, char **ret_actor,
                               GError **error)
{
    g_autoptr(SyncdMandate) mandate = NULL;
    *ret_actor = NULL;
    if (!find_mandate(service, caller, &mandate, error))
        return false;
    if (mandate != NULL && syncd_mandate_standing(mandate, syncd_service_entry_ms(service)) == NULL)
        *ret_actor = g_strdup(mandate->actor);
    return true;
}

/* ---- what he may do ---- */

static bool refuse_stranger(SyncdService *service, const SyncdCaller *caller, GError **error)
{
    syncd_service_note_refusal(service, caller, "write", "actor_not_registered");
    /* Who is registered stands in the device's own scope. */
    if (!syncd_store_check_not_hidden(service->store, syncd_store_device_id(service->store), error))
        return false;
    syncd_set_error_next(error, SYNCD_ERROR_ACCESS_DENIED,
                         "use your own instance with `--user`, or ask an administrator to register "
                         "the uid as an actor",
                         "uid %u is not registered as an actor of the %s instance",
                         (unsigned)caller->uid, syncd_instance_name(service->instance));
    return false;
}

static bool refuse(SyncdService *service, const SyncdCaller *caller, const char *action,
                   const char *reason, GError **error, const char *format, ...) G_GNUC_PRINTF(6, 7);

static bool refuse(SyncdService *service, const SyncdCaller *caller, const char *action,
                   const char *reason, GError **error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *what = g_strdup_vprintf(format, args);
    va_end(args);
    syncd_service_note_refusal(service, caller, action, reason);
    syncd_set_error_next(error, SYNCD_ERROR_ACCESS_DENIED,
                         "see the actor with `sourceos-syncd actors show`; whoever owns this "
                         "instance can change it",
                         "%s (%s)", what, reason);
    return false;
}

SyncdMandate *syncd_service_require_mandate(SyncdService *service, const SyncdCaller *caller,
                                            GError **error)
{
    g_autoptr(SyncdMandate) mandate = NULL;
    if (!find_mandate(service, caller, &mandate, error))
        return NULL;
    if (mandate == NULL) {
        refuse_stranger(service, caller, error);
        return NULL;
    }
    const char *reason = syncd_mandate_standing(mandate, syncd_service_entry_ms(service));
    if (reason == NULL)
        return g_steal_pointer(&mandate);
    refuse(service, caller, "write", reason, error, "The actor %s may not act any more",
           mandate->actor);
    return NULL;
}

bool syncd_service_require_caller(SyncdService *service, const SyncdCaller *caller,
                                  char **ret_actor, GError **error)
{
    g_autoptr(SyncdMandate) mandate = syncd_service_require_mandate(service, caller, error);
    if (mandate == NULL)
        return false;
    if (!syncd_service_require_capability(service, caller, mandate, "write", error))
        return false;
    *ret_actor = g_strdup(mandate->actor);
    return true;
}

bool syncd_service_require_capability(SyncdService *service, const SyncdCaller *caller,
                                      const SyncdMandate *mandate, const char *capability,
                                      GError **error)
{
    return syncd_mandate_can(mandate, capability) ||
           refuse(service, caller, capability, "capability_missing", error,
                  "The actor %s lacks the capability %s", mandate->actor, capability);
}

bool syncd_service_require_reach(SyncdService *service, const SyncdCaller *caller,
                                 const SyncdMandate *mandate, const char *workspace,
                                 const char *profile, GError **error)
{
    if (workspace != NULL && !syncd_mandate_reaches_workspace(mandate, workspace))
        return refuse(service, caller, "write", "workspace_scope_mismatch", error,
                      "The actor %s does not reach the workspace %.*s", mandate->actor,
                      SYNCD_ID_TOKEN_MAX, workspace);
    bool reaches = profile == NULL || syncd_mandate_reaches_profile(mandate, profile);
    /* Whose it is may be what only those know who reach it. */
    if (!reaches && workspace != NULL)
        return refuse(service, caller, "write", "profile_boundary_violation", error,
                      "The actor %s reaches the workspace %.*s, but not the profile",
                      mandate->actor, SYNCD_ID_TOKEN_MAX, workspace);
    if (!reaches)
        return refuse(service, caller, "write", "profile_boundary_violation", error,
                      "The actor %s does not reach the profile %.*s", mandate->actor,
                      SYNCD_ID_TOKEN_MAX, profile);
    return true;
}

static const char *unreached(const char *class)
{
    return strcmp(class, "profile") == 0 ? "profile_boundary_violation"
                                         : "workspace_scope_mismatch";
}

bool syncd_service_require_scope_reach(SyncdService *service, const SyncdCaller *caller,
                                       const char *actor, const char *scope, GError **error)
{
    g_autoptr(SyncdMandate) mandate = NULL;
    if (scope == NULL || g_strcmp0(actor, service->own_actor) == 0)
        return true;
    if (!syncd_service_mandate_of_actor(service, actor, &mandate, error))
        return false;
    if (mandate == NULL)
        return refuse_stranger(service, caller, error);
    const char *class, *name;
    return syncd_scope_parse(scope, &class, &name, error) &&
           (syncd_mandate_reaches_scope(mandate, class, scope) ||
            refuse(service, caller, "write", unreached(class), error,
                   "The actor %s does not reach the scope %.*s", mandate->actor, SYNCD_ID_TOKEN_MAX,
                   scope));
}

/* ---- the last gate before the log ---- */

static bool refuse_append(const char *actor, const char *reason, GError **error)
{
    g_autofree char *next =
        g_strdup_printf("see the actor with `sourceos-syncd actors show %s`", actor);
    syncd_set_error_next(error, SYNCD_ERROR_ACCESS_DENIED, next,
                         "The actor %s may not write here (%s)", actor, reason);
    return false;
}

/* What was done about tasks and objects of other scopes is in the device's own log; whoever may do
 * it has been asked for there. */
static bool is_of_the_device(const SyncdScope *scope, const char *kind)
{
    return *scope->name == '\0' && !syncd_kind_is_operation(SYNCD_BYTES_TEXT(kind));
}

bool syncd_service_may_append(SyncdService *service, const char *actor, const char *scope_id,
                              const char *kind, GError **error)
{
    g_autoptr(SyncdMandate) mandate = NULL;
    const SyncdScope *scope = syncd_store_scope(service->store, scope_id);
    if (g_strcmp0(actor, service->own_actor) == 0)
        return true;
    if (!syncd_service_mandate_of_actor(service, actor, &mandate, error))
        return false;
    if (mandate == NULL)
        return refuse_append(actor, "actor_not_registered", error);
    const char *reason = syncd_mandate_standing(mandate, syncd_service_entry_ms(service));
    if (reason != NULL || scope == NULL || is_of_the_device(scope, kind))
        return reason == NULL || refuse_append(actor, reason, error);
    g_autofree char *text = g_strconcat(scope->class, ":", scope->name, NULL);
    return syncd_mandate_reaches_scope(mandate, scope->class, text) ||
           refuse_append(actor, unreached(scope->class), error);
}

char *syncd_service_subject_of(SyncdService *service, const char *actor, GError **error)
{
    g_autoptr(SyncdMandate) mandate = NULL;
    if (!syncd_service_mandate_of_actor(service, actor, &mandate, error))
        return NULL;
    return g_strdup(mandate != NULL ? mandate->subject : actor);
}
