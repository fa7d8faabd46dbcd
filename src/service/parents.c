/*
 * What an operation builds on: operations that the caller may see and whose places he reaches, of
 * the operation's own profile or of one from which objects may pass to that. Whoever does not reach
 * a place hears nothing of what is there, not even that it is.
 */
#include "service/internal.h"

#include <string.h>

/* Of bodies, for one operation; checked before each one, so that two of the largest always pass. */
#define READ_MAX SYNCD_STORE_CONTENT_MAX
#define SAID_MAX 4096u /* operations whose place is remembered */

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

/* Of what was purged nothing is left that could cross but its name: it lies where its scope does.
 */
static bool take_said(void *data, const SyncdRow *row)
{
    Reading *reading = data;
    SyncdOperationPlace place = {0};
    if (row->unreadable != NULL && row->purged_by == 0) {
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
                             "the bodies of the parents before it have more than %u bytes",
                             READ_MAX);
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

static bool check_entry(Checking *checking, const char *operation, const SyncdEntry *entry,
                        GError **error)
{
    g_auto(SyncdPlace) place = {0};
    g_autofree char *scope_id = syncd_bytes_dup(entry->header.scope),
                    *text = syncd_service_scope_text(checking->service, entry->header.scope);
    const SyncdScope *scope = syncd_store_scope(checking->service->store, scope_id);
    /* Nothing of it is looked at, so that nothing of it is told. */
    if (scope == NULL || !syncd_mandate_reaches_scope(checking->mandate, scope->class, text))
        return syncd_service_refuse_operation(operation, error);
    if (!locate(checking, entry, text, scope->class, &place, error))
        return false;
    return reaches(checking->mandate, &place) ? check_boundary(checking, place.profile, error)
                                              : syncd_service_refuse_operation(operation, error);
}

/* ---- all of them ---- */

static bool add(SyncdAdmission *admission, const SyncdEntry *entry, GError **error)
{
    SyncdHash leaf = syncd_tree_leaf(entry->text, entry->size);
    for (unsigned i = 0; i < admission->n_parents; i++) {
        if (syncd_hash_equal(&admission->parents[i], &leaf)) {
            syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT,
                            "it names a parent for the second time");
            return false;
        }
    }
    admission->parents[admission->n_parents++] = leaf;
    return true;
}

static bool check_parent(Checking *checking, const char *operation, SyncdAdmission *admission,
                         GError **error)
{
    g_auto(SyncdEntry) entry = {0};
    return syncd_service_read_operation(checking->service, &checking->view, operation, &entry,
                                        error) &&
           check_entry(checking, operation, &entry, error) && add(admission, &entry, error);
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
        if (!check_parent(&checking, parents[i], admission, error)) {
            g_prefix_error(error, "/parents/%u: ", i);
            return false;
        }
    }
    return true;
}
