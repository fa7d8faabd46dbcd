/*
 * The files of the state directory: their owners and modes, and halves that a process left, or a
 * plan that nobody knows any more.
 *
 * What is there before is kept as a list in the ledger's folder, a line a file: a number in octal,
 * a space, and the name with what is not plain in it escaped; that of a folder ends in a slash. The
 * number is the owner or the mode; a half is moved into that folder, and the number is the last
 * part of its name there. What is in the list is what is changed, a few of them a step: what it has
 * no room for is found once more.
 */
#include "service/repair-private.h"
#include "store/examine.h"
#include "store/repair-store.h"

#include <string.h>
#include <unistd.h>

#define FOLDER "repair/"
#define LIST_MAX (4u * 1024u * 1024u)
#define FILES_MAX 10000u /* of one repair */
#define CHANGED_A_STEP 500u
#define MOVED_A_STEP 16u /* each is synced */

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
    g_string_append_printf(gathered->lines, "%o %s%s\n",
                           gathered->number != NULL ? gathered->number(file) : gathered->n, name,
                           file->folder ? "/" : "");
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

typedef bool (*Each)(SyncdRepairAct *act, guint64 number, const char *file, bool folder,
                     GError **error);

typedef struct {
    char **lines;
    guint at, n;
    Each each; /* what was done with those before; the way back begins anew */
} List;

static void stop(SyncdRepairAct *act)
{
    List *list = act->data;
    if (list == NULL)
        return;
    g_strfreev(list->lines);
    g_clear_pointer(&act->data, g_free);
}

/* Of what was never begun there is no list, and nothing to do. */
static List *read_list(SyncdRepairAct *act, GError **error)
{
    size_t size;
    g_autofree char *name = list_name(act);
    if (act->data != NULL)
        return act->data;
    g_autofree char *text =
        syncd_store_has_repair(act->service->store, name)
            ? syncd_store_get_repair(act->service->store, name, LIST_MAX, &size, error)
            : g_strdup("");
    if (text == NULL)
        return NULL;
    List *list = g_new0(List, 1);
    list->lines = g_strsplit(text, "\n", -1);
    list->n = g_strv_length(list->lines);
    return act->data = list;
}

static bool do_line(SyncdRepairAct *act, const char *line, Each each, GError **error)
{
    char *end = NULL;
    guint64 number = g_ascii_strtoull(line, &end, 8);
    g_autofree char *file = *end == ' ' ? g_uri_unescape_string(end + 1, NULL) : NULL;
    bool folder = file != NULL && g_str_has_suffix(file, "/");
    if (folder)
        file[strlen(file) - 1] = '\0';
    return *line == '\0' || (file != NULL && each(act, number, file, folder, error));
}

/* The next ones; behind the last one it begins anew. */
static bool for_some(SyncdRepairAct *act, Each each, guint max, bool *ret_more, GError **error)
{
    List *list = read_list(act, error);
    if (list == NULL)
        return false;
    if (list->each != each)
        list->at = 0;
    list->each = each;
    for (guint i = 0; i < max && list->at < list->n; i++, list->at++)
        if (!do_line(act, list->lines[list->at], each, error))
            return false;
    *ret_more = list->at < list->n;
    if (!*ret_more)
        stop(act);
    return true;
}

static bool release_list(SyncdRepairAct *act, GError **error)
{
    g_autofree char *name = list_name(act);
    return syncd_store_remove_repair(act->service->store, name, error);
}

static bool none_is(SyncdRepairAct *act, Wanted is_wanted, GError **error)
{
    g_autoptr(GString) lines = g_string_new(NULL);
    Gathered gathered = {act->service, is_wanted, NULL, lines, 0};
    if (!syncd_store_walk_state(act->service->store, true, gather, &gathered, error))
        return false;
    const List *list = read_list(act, error);
    bool full = list != NULL && list->n >= FILES_MAX;
    stop(act);
    if (list == NULL || gathered.n == 0 || full)
        return list != NULL;
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

static bool mend_owner(SyncdRepairAct *act, guint64 uid, const char *file, bool folder,
                       GError **error)
{
    return syncd_store_set_state_owner(act->service->store, file, geteuid(), error);
}

static bool mend_mode(SyncdRepairAct *act, guint64 mode, const char *file, bool folder,
                      GError **error)
{
    const SyncdStateFile wanted = {.folder = folder};
    return syncd_store_set_state_mode(act->service->store, file, syncd_state_file_mode(&wanted),
                                      error);
}

static bool change(SyncdRepairAct *act, Each each, bool *ret_more, GError **error)
{
    return for_some(act, each, CHANGED_A_STEP, ret_more, error) &&
           (*ret_more || syncd_store_sync_state(act->service->store, error));
}

static bool step_owners(SyncdRepairAct *act, bool *ret_more, double *ret_progress, GError **error)
{
    return change(act, mend_owner, ret_more, error);
}

static bool step_modes(SyncdRepairAct *act, bool *ret_more, double *ret_progress, GError **error)
{
    return change(act, mend_mode, ret_more, error);
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

static bool undo_owner(SyncdRepairAct *act, guint64 uid, const char *file, bool folder,
                       GError **error)
{
    return syncd_store_set_state_owner(act->service->store, file, (uid_t)uid, error);
}

static bool undo_mode(SyncdRepairAct *act, guint64 mode, const char *file, bool folder,
                      GError **error)
{
    return syncd_store_set_state_mode(act->service->store, file, (guint32)mode, error);
}

static bool undo_owners(SyncdRepairAct *act, bool *ret_more, GError **error)
{
    return change(act, undo_owner, ret_more, error);
}

static bool undo_modes(SyncdRepairAct *act, bool *ret_more, GError **error)
{
    return change(act, undo_mode, ret_more, error);
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
    .stop = stop,
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
    .stop = stop,
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

static bool set_aside(SyncdRepairAct *act, guint64 number, const char *file, bool folder,
                      GError **error)
{
    g_autofree char *kept = half_name(act, number);
    return syncd_store_set_aside(act->service->store, file, kept, error);
}

static bool step_halves(SyncdRepairAct *act, bool *ret_more, double *ret_progress, GError **error)
{
    return for_some(act, set_aside, MOVED_A_STEP, ret_more, error);
}

static bool check_halves(SyncdRepairAct *act, GError **error)
{
    return none_is(act, is_half, error);
}

static bool put_back(SyncdRepairAct *act, guint64 number, const char *file, bool folder,
                     GError **error)
{
    g_autofree char *kept = half_name(act, number);
    return syncd_store_put_back(act->service->store, kept, file, error);
}

static bool undo_halves(SyncdRepairAct *act, bool *ret_more, GError **error)
{
    return for_some(act, put_back, MOVED_A_STEP, ret_more, error);
}

/* They are numbered as they are listed. */
static bool release_halves(SyncdRepairAct *act, GError **error)
{
    g_autoptr(GPtrArray) kept = g_ptr_array_new_with_free_func(g_free);
    stop(act);
    const List *list = read_list(act, error);
    for (guint i = 0; list != NULL && i < list->n; i++)
        g_ptr_array_add(kept, half_name(act, i));
    bool known = list != NULL;
    stop(act);
    return known && syncd_store_remove_repairs(act->service->store, kept, error) &&
           release_list(act, error);
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
    .stop = stop,
};
