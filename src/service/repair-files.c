/*
 * The files of the state directory: their owners and modes, and halves that a process left, or a
 * plan that nobody knows any more. A plan names them, and no other one is touched for it; what was
 * found since is left for another one. Content lies in too many files to be looked at for a plan:
 * of those it says that they are meant too.
 *
 * What is there before is kept as a list in the ledger's folder, a line a file: a number in octal,
 * a space, and the name with what is not plain in it escaped; that of a folder ends in a slash. The
 * number is the owner or the mode; a half is moved into that folder, and the number is the last
 * part of its name there. What is in the list is what is changed: what it has no room for is found
 * once more.
 *
 * There may be a file for each chunk of content. So all of it goes in steps of some files each: the
 * list is made, and kept before anything is changed; what is in it is changed; and it is looked
 * whether any is left.
 */
#include "service/repair-named.h"
#include "service/repair-private.h"
#include "store/aside.h"
#include "store/examine.h"
#include "store/repair-store.h"

#include <string.h>
#include <unistd.h>

#define FOLDER "repair/"
#define LIST_MAX (4u * 1024u * 1024u)
#define FILES_MAX 10000u    /* of one repair */
#define SET_SINCE_NAMED 20u /* in a report */
#define BLOBS "blobs/"
#define LOOKED_AT_A_STEP 500u
#define CHANGED_A_STEP 500u
#define MOVED_A_STEP 16u /* each is synced */

/* Of files and folders alike: `number` is theirs in the list. */
typedef bool (*Each)(SyncdRepairAct *act, guint64 number, const char *file, bool folder,
                     GError **error);

typedef struct {
    bool (*is_wanted)(const SyncdService *service, const SyncdStateFile *file);
    bool (*is_named)(const SyncdService *service, const SyncdStateFile *file); /* in a plan */
    guint (*number)(const SyncdStateFile *file); /* NULL: they are counted */
    Each mend, undo;
    guint at_once;
    bool is_synced; /* once all are done; else each is */
} Subject;

/* How far it is, in this process. */
typedef struct {
    SyncdStateWalk *walk; /* NULL: none is under way */
    GHashTable *meant;    /* the names that it is about … */
    GString *lines;       /* … of what it has found of these … */
    guint found;          /* … and how many */
    GPtrArray *left;      /* char *: the others that it has found, the first ones … */
    guint n_left;         /* … and how many */
    char **list;          /* NULL: not read yet */
    guint at, n;          /* of it */
    Each each;            /* what was done with those before; the way back begins anew */
    bool changed;         /* all of them are */
} Files;

static Files *files_of(SyncdRepairAct *act)
{
    if (act->data == NULL)
        act->data = g_new0(Files, 1);
    return act->data;
}

static void end_walk(Files *files)
{
    g_clear_pointer(&files->walk, syncd_state_walk_free);
    g_clear_pointer(&files->meant, g_hash_table_unref);
    g_clear_pointer(&files->left, g_ptr_array_unref);
    if (files->lines != NULL)
        g_string_free(files->lines, TRUE);
    files->lines = NULL;
    files->found = files->n_left = 0;
}

static void stop(SyncdRepairAct *act)
{
    Files *files = act->data;
    if (files == NULL)
        return;
    end_walk(files);
    g_strfreev(files->list);
    g_clear_pointer(&act->data, g_free);
}

/* ---- what a plan names ---- */

static char *name_in_list(const SyncdStateFile *file)
{
    g_autofree char *name = g_uri_escape_string(file->name, "/", FALSE);
    return g_strconcat(name, file->folder ? "/" : "", NULL);
}

typedef struct {
    const SyncdService *service;
    const Subject *subject;
    GPtrArray *names; /* char * */
} Naming;

static bool take_name(void *data, const SyncdStateFile *file)
{
    const Naming *naming = data;
    if (naming->subject->is_named(naming->service, file))
        g_ptr_array_add(naming->names, name_in_list(file));
    return true;
}

static GPtrArray *list_names(SyncdService *service, const Subject *subject, GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    Naming naming = {service, subject, names};
    if (!syncd_store_walk_state(service->store, false, take_name, &naming, error))
        return NULL;
    return g_steal_pointer(&names);
}

/* What cannot be looked at is named by nobody. */
static char *name_files(SyncdService *service, const Subject *subject)
{
    g_autoptr(GPtrArray) names = list_names(service, subject, NULL);
    if (names == NULL)
        names = g_ptr_array_new();
    return syncd_named_write(names, false);
}

/* ---- looking ---- */

typedef struct {
    Files *files;
    const SyncdService *service;
    const Subject *subject;
} Gathering;

static void leave(Files *files, char *name)
{
    if (files->n_left++ < SYNCD_NAMED_LEFT_MAX)
        g_ptr_array_add(files->left, name);
    else
        g_free(name);
}

static bool gather(void *data, const SyncdStateFile *file)
{
    const Gathering *gathering = data;
    const Subject *subject = gathering->subject;
    Files *files = gathering->files;
    if (!subject->is_wanted(gathering->service, file))
        return true;
    g_autofree char *name = name_in_list(file);
    if (g_hash_table_contains(files->meant, name) ||
        (files->list == NULL && g_str_has_prefix(file->name, BLOBS))) {
        g_string_append_printf(files->lines, "%o %s\n",
                               subject->number != NULL ? subject->number(file) : files->found,
                               name);
        return ++files->found < FILES_MAX;
    }
    if (!g_str_has_prefix(file->name, BLOBS))
        leave(files, g_strdup(file->name));
    return true;
}

static GHashTable *set_of_list(const Files *files)
{
    GHashTable *set = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < files->n; i++) {
        const char *blank = strchr(files->list[i], ' ');
        if (blank != NULL)
            g_hash_table_add(set, g_strdup(blank + 1));
    }
    return set;
}

/* What the plan names, until there is a list; then what is in that. */
static bool begin_walk(SyncdRepairAct *act, const Subject *subject, GError **error)
{
    Files *files = files_of(act);
    if (files->list != NULL) {
        files->meant = set_of_list(files);
    } else {
        g_autoptr(GPtrArray) names = list_names(act->service, subject, error);
        if (names == NULL)
            return false;
        files->meant = syncd_named_told(act->bound_to, names);
    }
    files->walk = syncd_state_walk_new(act->service->store, true);
    files->lines = g_string_new(NULL);
    files->left = g_ptr_array_new_with_free_func(g_free);
    return true;
}

static bool walk_on(SyncdRepairAct *act, const Subject *subject, bool *ret_more, GError **error)
{
    Files *files = files_of(act);
    Gathering gathering = {files, act->service, subject};
    if (files->walk == NULL && !begin_walk(act, subject, error))
        return false;
    return syncd_state_walk_step(files->walk, LOOKED_AT_A_STEP, gather, &gathering, ret_more,
                                 error);
}

/* ---- lists ---- */

static char *list_name(const SyncdRepairAct *act)
{
    return g_strconcat(act->snapshot, ".files", NULL);
}

static bool has_list(const SyncdRepairAct *act)
{
    g_autofree char *name = list_name(act);
    return syncd_store_has_repair(act->service->store, name);
}

/* What was kept before a crash is what was there. */
static bool keep(SyncdRepairAct *act, const Subject *subject, GError **error)
{
    bool more;
    g_autofree char *name = list_name(act);
    if (!walk_on(act, subject, &more, error))
        return false;
    if (more)
        return true;
    Files *files = files_of(act);
    const SyncdBytes lines = SYNCD_BYTES(files->lines->str, files->lines->len);
    bool ok = syncd_store_put_repair(act->service->store, name, lines, error);
    end_walk(files);
    return ok;
}

/* Of what was never begun there is no list, and nothing to do. */
static Files *read_list(SyncdRepairAct *act, GError **error)
{
    size_t size;
    Files *files = files_of(act);
    g_autofree char *name = list_name(act);
    if (files->list != NULL)
        return files;
    g_autofree char *text =
        has_list(act) ? syncd_store_get_repair(act->service->store, name, LIST_MAX, &size, error)
                      : g_strdup("");
    if (text == NULL)
        return NULL;
    files->list = g_strsplit(text, "\n", -1);
    files->n = g_strv_length(files->list);
    return files;
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

/* The next ones. */
static bool for_some(SyncdRepairAct *act, const Subject *subject, Each each, bool *ret_more,
                     GError **error)
{
    Files *files = read_list(act, error);
    if (files == NULL)
        return false;
    if (files->each != each)
        files->at = 0;
    files->each = each;
    for (guint i = 0; i < subject->at_once && files->at < files->n; i++, files->at++)
        if (!do_line(act, files->list[files->at], each, error))
            return false;
    *ret_more = files->at < files->n;
    return *ret_more || !subject->is_synced || syncd_store_sync_state(act->service->store, error);
}

static bool change(SyncdRepairAct *act, const Subject *subject, GError **error)
{
    bool more;
    if (!for_some(act, subject, subject->mend, &more, error))
        return false;
    files_of(act)->changed = !more;
    return true;
}

/* What the list had no room for is no fault of this step, nor is what was found since. */
static bool look_again(SyncdRepairAct *act, const Subject *subject, bool *ret_more, GError **error)
{
    if (!walk_on(act, subject, ret_more, error))
        return false;
    const Files *files = act->data;
    if (*ret_more)
        return true;
    if (files->found == 0) {
        syncd_named_tell_left(act->preserved, files->left, files->n_left);
        return true;
    }
    syncd_set_error(error, SYNCD_ERROR_FAILED,
                    files->found == 1 ? "%u file is not yet as it should be"
                                      : "%u files are not yet as they should be",
                    files->found);
    return false;
}

/* Of looking nobody knows how long it takes; so it is told by what is changed. */
static double progress_of(const Files *files)
{
    return files->n > 0 ? 0.9 * files->at / files->n : 0;
}

static bool mend(SyncdRepairAct *act, const Subject *subject, bool *ret_more, double *ret_progress,
                 GError **error)
{
    Files *files = files_of(act);
    *ret_more = true;
    bool ok = !has_list(act)    ? keep(act, subject, error)
              : !files->changed ? change(act, subject, error)
                                : look_again(act, subject, ret_more, error);
    *ret_progress = progress_of(files);
    if (ok && !*ret_more)
        stop(act);
    return ok;
}

static bool take_back(SyncdRepairAct *act, const Subject *subject, bool *ret_more, GError **error)
{
    if (!for_some(act, subject, subject->undo, ret_more, error))
        return false;
    if (!*ret_more)
        stop(act);
    return true;
}

static bool release_list(SyncdRepairAct *act, bool *ret_more, GError **error)
{
    g_autofree char *name = list_name(act);
    return syncd_store_remove_repair(act->service->store, name, error);
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

/* Those of others too, where their owners are mended first. */
static bool has_mode_to_mend(const SyncdService *service, const SyncdStateFile *file)
{
    return file->mode != syncd_state_file_mode(file) &&
           (!has_wrong_owner(service, file) || syncd_store_may_set_owners());
}

static guint mode_of(const SyncdStateFile *file)
{
    return file->mode;
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

static bool undo_owner(SyncdRepairAct *act, guint64 uid, const char *file, bool folder,
                       GError **error)
{
    return syncd_store_set_state_owner(act->service->store, file, (uid_t)uid, error);
}

static bool take_file(void *data, const SyncdStateFile *file)
{
    SyncdStateFile *now = data;
    now->mode = file->mode;
    return false;
}

/* What a person has made of it since stays. */
static bool undo_mode(SyncdRepairAct *act, guint64 mode, const char *file, bool folder,
                      GError **error)
{
    SyncdStateFile now = {.folder = folder};
    const guint32 made = now.mode = syncd_state_file_mode(&now);
    if (!syncd_store_look_at_state(act->service->store, file, take_file, &now, error))
        return false;
    if (now.mode != made && now.mode != mode) {
        g_autofree char *name = g_utf8_make_valid(file, -1);
        if (act->preserved->len < SET_SINCE_NAMED)
            g_ptr_array_add(act->preserved,
                            g_strdup_printf("The mode of %s as it is: it was changed since the "
                                            "repair",
                                            name));
        return true;
    }
    return syncd_store_set_state_mode(act->service->store, file, (guint32)mode, error);
}

static const Subject owners = {has_wrong_owner, has_wrong_owner, owner_of, mend_owner,
                               undo_owner,      CHANGED_A_STEP,  true};
static const Subject modes = {has_wrong_mode, has_mode_to_mend, mode_of, mend_mode,
                              undo_mode,      CHANGED_A_STEP,   true};

static char *name_owners(SyncdService *service)
{
    return name_files(service, &owners);
}

static bool step_owners(SyncdRepairAct *act, bool *ret_more, double *ret_progress, GError **error)
{
    return mend(act, &owners, ret_more, ret_progress, error);
}

static char *name_modes(SyncdService *service)
{
    return name_files(service, &modes);
}

static bool step_modes(SyncdRepairAct *act, bool *ret_more, double *ret_progress, GError **error)
{
    return mend(act, &modes, ret_more, ret_progress, error);
}

static bool undo_owners(SyncdRepairAct *act, bool *ret_more, GError **error)
{
    return take_back(act, &owners, ret_more, error);
}

static bool undo_modes(SyncdRepairAct *act, bool *ret_more, GError **error)
{
    return take_back(act, &modes, ret_more, error);
}

static bool tell_what_stays(SyncdRepairAct *act, GError **error)
{
    g_ptr_array_add(act->preserved, g_strdup("What is in the files"));
    return true;
}

const SyncdRepairKind syncd_repair_file_owners = {
    .name = "file-owners",
    .kind = "reconcile",
    .risk = "low",
    .description = "Give what lies in the state directory back to the user that the daemon runs "
                   "as: what is named here, and content in " BLOBS ".",
    .expected_result = "All of it is that user's.",
    .bound_to = name_owners,
    .covers = syncd_named_covers,
    .step = step_owners,
    .check = tell_what_stays,
    .undo = undo_owners,
    .release = release_list,
    .stop = stop,
};

const SyncdRepairKind syncd_repair_file_modes = {
    .name = "file-modes",
    .kind = "reconcile",
    .risk = "low",
    .description = "Give files and folders of the state directory the modes that they were made "
                   "with: those that are named here, and content in " BLOBS ".",
    .expected_result = "Only the user that the daemon runs as can read them.",
    .bound_to = name_modes,
    .covers = syncd_named_covers,
    .step = step_modes,
    .check = tell_what_stays,
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

static bool set_aside(SyncdRepairAct *act, guint64 number, const char *file, bool folder,
                      GError **error)
{
    g_autofree char *kept = half_name(act, number);
    return syncd_store_set_aside(act->service->store, file, kept, error);
}

static bool put_back(SyncdRepairAct *act, guint64 number, const char *file, bool folder,
                     GError **error)
{
    g_autofree char *kept = half_name(act, number);
    return syncd_lost_has(act->lost, kept) ||
           syncd_store_put_back(act->service->store, kept, file, error);
}

static const Subject halves = {is_half, is_half, NULL, set_aside, put_back, MOVED_A_STEP, false};

static char *name_halves(SyncdService *service)
{
    return name_files(service, &halves);
}

static bool step_halves(SyncdRepairAct *act, bool *ret_more, double *ret_progress, GError **error)
{
    return mend(act, &halves, ret_more, ret_progress, error);
}

static bool undo_halves(SyncdRepairAct *act, bool *ret_more, GError **error)
{
    return take_back(act, &halves, ret_more, error);
}

/* They are numbered as they are listed. */
static bool release_halves(SyncdRepairAct *act, bool *ret_more, GError **error)
{
    g_autoptr(GPtrArray) kept = g_ptr_array_new_with_free_func(g_free);
    stop(act);
    const Files *files = read_list(act, error);
    for (guint i = 0; files != NULL && i < files->n; i++)
        syncd_aside_add(kept, half_name(act, i));
    bool known = files != NULL;
    stop(act);
    return known && syncd_store_remove_repairs(act->service->store, kept, ret_more, error) &&
           (*ret_more || release_list(act, ret_more, error));
}

const SyncdRepairKind syncd_repair_leftover_clear = {
    .name = "leftover-clear",
    .kind = "reconcile",
    .risk = "low",
    .description = "Set aside what a process left half done in the state directory, and what was "
                   "kept for repairs that nobody can go on with: what is named here, and halves "
                   "of content in " BLOBS ".",
    .expected_result = "Nothing that is half done takes room or a name.",
    .bound_to = name_halves,
    .covers = syncd_named_covers,
    .step = step_halves,
    .undo = undo_halves,
    .kept_list = ".files",
    .release = release_halves,
    .stop = stop,
};
