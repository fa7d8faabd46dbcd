/*
 * The files of the state directory: their owners and modes, and halves that a process left, or a
 * plan that nobody knows any more.
 *
 * What is there before is kept as a list in the ledger's folder, a line a file: a number in octal,
 * a space, and the name with what is not plain in it escaped. The number is the owner or the mode;
 * a half is moved into that folder, and the number is the last part of its name there.
 */
#include "service/repair-private.h"
#include "store/examine.h"
#include "store/repair-store.h"

#include <string.h>
#include <unistd.h>

#define FOLDER "repair/"
#define LIST_MAX (4u * 1024u * 1024u)
#define FILES_MAX 10000u /* of one repair; what is left is found once more */

/* ---- lists ---- */

static char *list_name(const SyncdRepairAct *act)
{
    return g_strconcat(act->snapshot, ".files", NULL);
}

typedef bool (*Wanted)(const SyncdService *service, const SyncdStateFile *file);
typedef guint (*Number)(const SyncdStateFile *file);

typedef struct {
    const SyncdService *service;
    Wanted is_wanted;
    Number number; /* NULL: they are counted */
    GString *lines;
    guint n;
} Gathered;

static bool gather(void *data, const SyncdStateFile *file)
{
    Gathered *gathered = data;
    if (!gathered->is_wanted(gathered->service, file))
        return true;
    g_autofree char *name = g_uri_escape_string(file->name, "/", FALSE);
    g_string_append_printf(gathered->lines, "%o %s\n",
                           gathered->number != NULL ? gathered->number(file) : gathered->n, name);
    return ++gathered->n < FILES_MAX;
}

/* What was kept before a crash is what was there. */
static bool keep(SyncdRepairAct *act, Wanted is_wanted, Number number, GError **error)
{
    g_autofree char *name = list_name(act);
    g_autoptr(GString) lines = g_string_new(NULL);
    Gathered gathered = {act->service, is_wanted, number, lines, 0};
    return syncd_store_has_repair(act->service->store, name) ||
           (syncd_store_walk_state(act->service->store, true, gather, &gathered, error) &&
            syncd_store_put_repair(act->service->store, name, SYNCD_BYTES(lines->str, lines->len),
                                   error));
}

typedef bool (*Each)(SyncdRepairAct *act, guint64 number, const char *file, GError **error);

static bool each_line(SyncdRepairAct *act, char *line, Each each, GError **error)
{
    char *end = NULL;
    guint64 number = g_ascii_strtoull(line, &end, 8);
    g_autofree char *file = *end == ' ' ? g_uri_unescape_string(end + 1, NULL) : NULL;
    return *line == '\0' || (file != NULL && each(act, number, file, error));
}

/* Of what was never begun there is no list, and nothing to do. */
static bool for_each(SyncdRepairAct *act, Each each, GError **error)
{
    size_t size;
    g_autofree char *name = list_name(act);
    if (!syncd_store_has_repair(act->service->store, name))
        return true;
    g_autofree char *text =
        syncd_store_get_repair(act->service->store, name, LIST_MAX, &size, error);
    if (text == NULL)
        return false;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line != NULL; line++)
        if (!each_line(act, *line, each, error))
            return false;
    return true;
}

static bool release_list(SyncdRepairAct *act, GError **error)
{
    g_autofree char *name = list_name(act);
    return syncd_store_remove_repair(act->service->store, name, error);
}

static bool none_is(const SyncdRepairAct *act, Wanted is_wanted, GError **error)
{
    g_autoptr(GString) lines = g_string_new(NULL);
    Gathered gathered = {act->service, is_wanted, NULL, lines, 0};
    if (!syncd_store_walk_state(act->service->store, true, gather, &gathered, error))
        return false;
    if (gathered.n == 0)
        return true;
    syncd_set_error(error, SYNCD_ERROR_FAILED, "%u files are not yet as they should be",
                    gathered.n);
    return false;
}

/* ---- owners and modes ---- */

static bool has_wrong_owner(const SyncdService *service, const SyncdStateFile *file)
{
    return file->uid != geteuid();
}

static guint owner_of(const SyncdStateFile *file)
{
    return file->uid;
}

/* That of what is somebody else's is not the daemon's to say. */
static bool has_wrong_mode(const SyncdService *service, const SyncdStateFile *file)
{
    return file->mode != syncd_state_file_mode(file) && !has_wrong_owner(service, file);
}

static guint mode_of(const SyncdStateFile *file)
{
    return file->mode;
}

static bool begin_owners(SyncdRepairAct *act, GError **error)
{
    return keep(act, has_wrong_owner, owner_of, error);
}

static bool begin_modes(SyncdRepairAct *act, GError **error)
{
    return keep(act, has_wrong_mode, mode_of, error);
}

typedef struct {
    SyncdService *service;
    GError *error;
} Mending;

static bool mend_owner(void *data, const SyncdStateFile *file)
{
    Mending *mending = data;
    return !has_wrong_owner(mending->service, file) ||
           syncd_store_set_state_owner(mending->service->store, file->name, geteuid(),
                                       &mending->error);
}

static bool mend_mode(void *data, const SyncdStateFile *file)
{
    Mending *mending = data;
    return !has_wrong_mode(mending->service, file) ||
           syncd_store_set_state_mode(mending->service->store, file->name,
                                      syncd_state_file_mode(file), &mending->error);
}

static bool mend(SyncdRepairAct *act, bool (*one)(void *data, const SyncdStateFile *file),
                 bool *ret_more, GError **error)
{
    Mending mending = {act->service, NULL};
    bool walked = syncd_store_walk_state(act->service->store, true, one, &mending, error);
    *ret_more = false;
    if (mending.error != NULL)
        g_propagate_error(error, mending.error);
    return walked && mending.error == NULL && syncd_store_sync_state(act->service->store, error);
}

static bool step_owners(SyncdRepairAct *act, bool *ret_more, double *ret_progress, GError **error)
{
    return mend(act, mend_owner, ret_more, error);
}

static bool step_modes(SyncdRepairAct *act, bool *ret_more, double *ret_progress, GError **error)
{
    return mend(act, mend_mode, ret_more, error);
}

static bool check_none(SyncdRepairAct *act, Wanted is_wanted, GError **error)
{
    if (!none_is(act, is_wanted, error))
        return false;
    g_ptr_array_add(act->preserved, g_strdup("What is in the files"));
    return true;
}

static bool check_owners(SyncdRepairAct *act, GError **error)
{
    return check_none(act, has_wrong_owner, error);
}

static bool check_modes(SyncdRepairAct *act, GError **error)
{
    return check_none(act, has_wrong_mode, error);
}

static bool undo_owner(SyncdRepairAct *act, guint64 uid, const char *file, GError **error)
{
    return syncd_store_set_state_owner(act->service->store, file, (uid_t)uid, error);
}

static bool undo_mode(SyncdRepairAct *act, guint64 mode, const char *file, GError **error)
{
    return syncd_store_set_state_mode(act->service->store, file, (guint32)mode, error);
}

static bool undo_each(SyncdRepairAct *act, Each each, bool *ret_more, GError **error)
{
    *ret_more = false;
    return for_each(act, each, error) && syncd_store_sync_state(act->service->store, error);
}

static bool undo_owners(SyncdRepairAct *act, bool *ret_more, GError **error)
{
    return undo_each(act, undo_owner, ret_more, error);
}

static bool undo_modes(SyncdRepairAct *act, bool *ret_more, GError **error)
{
    return undo_each(act, undo_mode, ret_more, error);
}

const SyncdRepairKind syncd_repair_file_owners = {
    .name = "file-owners",
    .kind = "reconcile",
    .risk = "low",
    .description = "Give what lies in the state directory back to the user that the daemon runs "
                   "as.",
    .expected_result = "All of it is that user's.",
    .begin = begin_owners,
    .step = step_owners,
    .check = check_owners,
    .undo = undo_owners,
    .release = release_list,
};

const SyncdRepairKind syncd_repair_file_modes = {
    .name = "file-modes",
    .kind = "reconcile",
    .risk = "low",
    .description = "Give files and folders of the state directory the modes that they were made "
                   "with.",
    .expected_result = "Only the user that the daemon runs as can read them.",
    .begin = begin_modes,
    .step = step_modes,
    .check = check_modes,
    .undo = undo_modes,
    .release = release_list,
};

/* ---- halves ---- */

/* In the folder of repairs: what was set aside as no file of ours, and what was kept for a plan
 * that nobody knows any more. */
static bool is_left_by_a_plan(const SyncdService *service, const char *name)
{
    if (!g_str_has_prefix(name, FOLDER) || g_str_has_suffix(name, ".damaged"))
        return g_str_has_prefix(name, FOLDER);
    const char *base = name + strlen(FOLDER), *dot = strchr(base, '.');
    g_autofree char *plan = dot != NULL ? g_strndup(base, (gsize)(dot - base)) : NULL;
    return plan != NULL && (g_ascii_isdigit(dot[1]) || strcmp(dot, ".report") == 0) &&
           !syncd_repair_is_known(service, plan);
}

static bool is_half(const SyncdService *service, const SyncdStateFile *file)
{
    return !file->folder && (file->leftover || is_left_by_a_plan(service, file->name));
}

static char *half_name(const SyncdRepairAct *act, guint64 number)
{
    return g_strdup_printf("%s.half.%" G_GUINT64_FORMAT, act->snapshot, number);
}

static bool begin_halves(SyncdRepairAct *act, GError **error)
{
    return keep(act, is_half, NULL, error);
}

static bool set_aside(SyncdRepairAct *act, guint64 number, const char *file, GError **error)
{
    g_autofree char *kept = half_name(act, number);
    return syncd_store_set_aside(act->service->store, file, kept, error);
}

static bool step_halves(SyncdRepairAct *act, bool *ret_more, double *ret_progress, GError **error)
{
    *ret_more = false;
    return for_each(act, set_aside, error);
}

static bool check_halves(SyncdRepairAct *act, GError **error)
{
    return none_is(act, is_half, error);
}

static bool put_back(SyncdRepairAct *act, guint64 number, const char *file, GError **error)
{
    g_autofree char *kept = half_name(act, number);
    return syncd_store_put_back(act->service->store, kept, file, error);
}

static bool undo_halves(SyncdRepairAct *act, bool *ret_more, GError **error)
{
    *ret_more = false;
    return for_each(act, put_back, error);
}

static bool remove_half(SyncdRepairAct *act, guint64 number, const char *file, GError **error)
{
    g_autofree char *kept = half_name(act, number);
    return syncd_store_remove_repair(act->service->store, kept, error);
}

static bool release_halves(SyncdRepairAct *act, GError **error)
{
    return for_each(act, remove_half, error) && release_list(act, error);
}

const SyncdRepairKind syncd_repair_leftover_clear = {
    .name = "leftover-clear",
    .kind = "reconcile",
    .risk = "low",
    .description = "Set aside what a process left half done in the state directory, and what was "
                   "kept for repairs that nobody can go on with.",
    .expected_result = "Nothing that is half done takes room or a name.",
    .begin = begin_halves,
    .step = step_halves,
    .check = check_halves,
    .undo = undo_halves,
    .release = release_halves,
};
