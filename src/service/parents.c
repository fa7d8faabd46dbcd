/*
 * What an operation builds on, and what proves it: entries that the caller may see and whose places
 * he reaches, of the operation's own profile or of one from which objects may pass to that. Whoever
 * does not reach a place hears nothing of what is there, not even that it is.
 */
#include "service/internal.h"

#include <string.h>

/* Of bodies, for one operation; checked before each one, so that two of the largest always pass. */
#define READ_MAX SYNCD_STORE_CONTENT_MAX
#define SAID_MAX 4096u /* operations whose place is remembered */
#define EVIDENCE_MAX 64u

typedef struct {
    SyncdService *service;
    const SyncdCaller *caller;
    const SyncdMandate *mandate;
    const SyncdPlace *place; /* of the operation that builds on them */
    SyncdView view;
    gsize read;
} Checking;

static void checking_clear(Checking *checking)
{
    syncd_view_clear(&checking->view);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Checking, checking_clear)

/* ---- where a parent lies ---- */

/* What a body said of its place, as it stands in it; NULL: nothing. It never says anything else. */
typedef struct {
    char *workspace, *profile;
} Said;

static void said_free(void *data)
{
    Said *said = data;
    g_free(said->workspace);
    g_free(said->profile);
    g_free(said);
}

GHashTable *syncd_parents_said_new(void)
{
    return g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, said_free);
}

static char *keep(SyncdJson value)
{
    return value.type == SYNCD_JSON_STRING ? g_strndup(value.at, syncd_json_size(value)) : NULL;
}

static SyncdJson kept(const char *text)
{
    return text != NULL ? syncd_json_root(text, strlen(text)) : (SyncdJson){SYNCD_JSON_NONE};
}

typedef struct {
    Said *said;
    gsize size;
    GError *error;
} Reading;

/* Of what was purged or lost nothing is left that could cross but its name: it lies where its scope
 * does.
 */
static bool take_said(void *data, const SyncdRow *row)
{
    Reading *reading = data;
    SyncdOperationPlace place = {0};
    if (row->unreadable != NULL && row->purged_by == 0 && !row->lost) {
        reading->error = g_error_copy(row->unreadable);
        return false;
    }
    if (row->unreadable == NULL)
        syncd_operation_read_place(SYNCD_BYTES(row->body.content, row->body.content_size), &place);
    reading->said = g_new0(Said, 1);
    *reading->said = (Said){keep(place.workspace), keep(place.profile)};
    reading->size = row->body.content_size;
    return false;
}

/* Whoever names a large one again and again has it read once. */
static const Said *find_said(Checking *checking, const SyncdEntry *entry, GError **error)
{
    GHashTable *known = checking->service->said;
    Reading reading = {NULL};
    const Said *said = g_hash_table_lookup(known, GSIZE_TO_POINTER(entry->pos));
    if (said != NULL)
        return said;
    if (checking->read > READ_MAX) {
        syncd_set_error_next(error, SYNCD_ERROR_LIMITS_EXCEEDED, "name fewer, or smaller ones",
                             "the bodies of those before it have more than %u bytes", READ_MAX);
        return NULL;
    }
    if (!syncd_store_read_many(checking->service->store, &entry->pos, 1, SYNCD_READ_BODY, take_said,
                               &reading, error))
        return NULL;
    if (reading.error != NULL) {
        g_propagate_error(error, reading.error);
        return NULL;
    }
    checking->read += reading.size;
    if (g_hash_table_size(known) == SAID_MAX)
        g_hash_table_remove_all(known);
    g_hash_table_insert(known, GSIZE_TO_POINTER(entry->pos), reading.said);
    return reading.said;
}

static bool locate(Checking *checking, const SyncdEntry *entry, const char *scope,
                   const char *class, SyncdPlace *ret_place, GError **error)
{
    const Said *said = find_said(checking, entry, error);
    if (said == NULL)
        return false;
    ret_place->said =
        (SyncdOperationPlace){.workspace = kept(said->workspace), .profile = kept(said->profile)};
    bool found = syncd_service_find_place(checking->service, scope, class, ret_place, error);
    ret_place->said = (SyncdOperationPlace){{0}};
    return found;
}

static bool reaches(const SyncdMandate *mandate, const SyncdPlace *place)
{
    return syncd_mandate_reaches_workspace(mandate, place->workspace) &&
           syncd_mandate_reaches_profile(mandate, place->profile);
}

/* ---- may it be built on? ---- */

static bool check_boundary(const Checking *checking, const char *from, GError **error)
{
    static const char reason[] = "profile_boundary_violation";
    bool may = true;
    const char *to = checking->place->profile;
    if (strcmp(from, to) != 0 && !syncd_service_may_cross(checking->service, from, to, &may, error))
        return false;
    if (may)
        return true;
    syncd_service_note_policy(checking->service, checking->caller, "write", reason);
    syncd_set_error_next(error, SYNCD_ERROR_POLICY_DENIED,
                         "build on what is of the same profile; both profiles must be tagged "
                         "before anything passes from one to the other",
                         "the operation belongs to %.*s and not to %.*s (%s)", SYNCD_ID_TOKEN_MAX,
                         from, SYNCD_ID_TOKEN_MAX, to, reason);
    return false;
}

static const SyncdScope *scope_of(const Checking *checking, const SyncdEntry *entry)
{
    g_autofree char *id = syncd_bytes_dup(entry->header.scope);
    return syncd_store_scope(checking->service->store, id);
}

/* Of what is not reached nothing is looked at, so that nothing of it is told. */
static bool find_reached(Checking *checking, const SyncdEntry *entry, SyncdPlace *ret_place,
                         bool *ret_reached, GError **error)
{
    const SyncdScope *scope = scope_of(checking, entry);
    g_autofree char *text = syncd_service_scope_text(checking->service, entry->header.scope);
    *ret_reached =
        scope != NULL && syncd_mandate_reaches_scope(checking->mandate, scope->class, text);
    if (*ret_reached && !locate(checking, entry, text, scope->class, ret_place, error))
        return false;
    *ret_reached = *ret_reached && reaches(checking->mandate, ret_place);
    return true;
}

static bool check_entry(Checking *checking, const char *operation, const SyncdEntry *entry,
                        GError **error)
{
    bool reached;
    g_auto(SyncdPlace) place = {0};
    if (!find_reached(checking, entry, &place, &reached, error))
        return false;
    return reached ? check_boundary(checking, place.profile, error)
                   : syncd_service_refuse_operation(operation, error);
}

/* ---- parents ---- */

static bool check_first(const char *const *parents, unsigned i, GError **error)
{
    for (unsigned j = 0; j < i; j++) {
        if (strcmp(parents[j], parents[i]) == 0) {
            syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT,
                            "it names a parent for the second time");
            return false;
        }
    }
    return true;
}

static bool take_parent(Checking *checking, const char *operation, SyncdAdmission *admission,
                        GError **error)
{
    g_auto(SyncdEntry) entry = {0};
    if (!syncd_service_read_operation(checking->service, &checking->view, operation, &entry,
                                      error) ||
        !check_entry(checking, operation, &entry, error))
        return false;
    admission->parents[admission->n_parents++] = syncd_tree_leaf(entry.text, entry.size);
    return true;
}

bool syncd_service_check_parents(SyncdService *service, const SyncdCaller *caller,
                                 const SyncdMandate *mandate, const SyncdPlace *place,
                                 SyncdAdmission *admission, GError **error)
{
    const char *const *parents = admission->request->parents;
    if (parents == NULL || *parents == NULL)
        return true;
    if (g_strv_length((char **)parents) > SYNCD_HEADER_MAX_PARENTS) {
        syncd_set_error(error, SYNCD_ERROR_LIMITS_EXCEEDED, "/parents has more than %d members",
                        SYNCD_HEADER_MAX_PARENTS);
        return false;
    }
    g_auto(Checking)
        checking = {.service = service, .caller = caller, .mandate = mandate, .place = place};
    if (!syncd_service_view(service, caller, &checking.view, error))
        return false;
    for (unsigned i = 0; parents[i] != NULL; i++) {
        if (!check_first(parents, i, error) ||
            !take_parent(&checking, parents[i], admission, error)) {
            g_prefix_error(error, "/parents/%u: ", i);
            return false;
        }
    }
    return true;
}

/* ---- evidence ---- */

static bool is_digest(const char *text)
{
    guint8 bytes[SYNCD_HASH_SIZE];
    return g_str_has_prefix(text, "sha256:") &&
           syncd_hex_decode(text + strlen("sha256:"), strlen(text) - strlen("sha256:"), bytes,
                            sizeof bytes);
}

/* What the device notes of itself is of no profile; and whoever wrote it knows that it is there. */
static bool is_of_no_profile(const Checking *checking, const SyncdEntry *entry)
{
    static const char *const classes[] = {"workspace", "profile", NULL};
    const SyncdScope *scope = scope_of(checking, entry);
    return !syncd_kind_is_operation(entry->header.kind) &&
           (scope == NULL || !g_strv_contains(classes, scope->class));
}

static bool may_prove(Checking *checking, const SyncdEntry *entry, bool *ret_may, GError **error)
{
    g_auto(SyncdPlace) place = {0};
    bool beyond = is_of_no_profile(checking, entry);
    *ret_may = beyond && syncd_bytes_are(entry->header.actor, checking->mandate->actor);
    if (*ret_may)
        return true;
    if (!find_reached(checking, entry, &place, ret_may, error))
        return false;
    return !*ret_may || beyond || strcmp(place.profile, checking->place->profile) == 0 ||
           syncd_service_may_cross(checking->service, place.profile, checking->place->profile,
                                   ret_may, error);
}

static bool check_proof(Checking *checking, const char *operation, GError **error)
{
    bool may;
    g_auto(SyncdEntry) entry = {0};
    if (is_digest(operation))
        return true;
    return syncd_service_read_entry(checking->service, &checking->view, operation, &entry, error) &&
           may_prove(checking, &entry, &may, error) &&
           (may || syncd_service_refuse_operation(operation, error));
}

static bool place_of(Checking *checking, const SyncdTarget *target, SyncdPlace *ret_place,
                     GError **error)
{
    const SyncdScope *scope = scope_of(checking, &target->entry);
    g_autofree char *text = syncd_service_scope_text(checking->service, target->entry.header.scope);
    return locate(checking, &target->entry, text, scope != NULL ? scope->class : "", ret_place,
                  error);
}

bool syncd_service_check_evidence(SyncdService *service, const SyncdCaller *caller,
                                  const SyncdTarget *target, const char *const *evidence,
                                  GError **error)
{
    g_auto(SyncdPlace) place = {0};
    if (evidence == NULL || *evidence == NULL)
        return true;
    if (g_strv_length((char **)evidence) > EVIDENCE_MAX) {
        syncd_set_error(error, SYNCD_ERROR_LIMITS_EXCEEDED, "/evidence has more than %u members",
                        EVIDENCE_MAX);
        return false;
    }
    g_autoptr(SyncdMandate) mandate = syncd_service_require_mandate(service, caller, error);
    g_auto(Checking)
        checking = {.service = service, .caller = caller, .mandate = mandate, .place = &place};
    if (mandate == NULL || !syncd_service_view(service, caller, &checking.view, error) ||
        !place_of(&checking, target, &place, error))
        return false;
    for (unsigned i = 0; evidence[i] != NULL; i++) {
        if (!check_proof(&checking, evidence[i], error)) {
            g_prefix_error(error, "/evidence/%u: ", i);
            return false;
        }
    }
    return true;
}
