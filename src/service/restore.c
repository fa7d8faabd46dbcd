#include "service/restore.h"

#include "base/json-writer.h"
#include "base/timestamp.h"
#include "domain/file-changes.h"
#include "domain/filling.h"
#include "service/content-reading.h"
#include "service/file-find.h"
#include "service/file-reading.h"
#include "service/file-step.h"
#include "service/internal.h"
#include "service/job.h"
#include "store/chunks.h"

#include <string.h>

#define PLAN_SCHEMA "sourceos.restore-plan/v1"
#define DEPTH_MAX 4096u
/* Whether so much of it can be had is looked at before anybody is asked; the rest as it is read. */
#define CHUNKS_TRIED 4u
#define OTHERS 077u /* what others than its owner may do */
#define RUN 0111u

typedef struct {
    SyncdService *service;
    const SyncdRestoreRequest *request;
    GPtrArray *roots;
    const SyncdRoot *root; /* of the workspace; one of them */
    SyncdFileRow file;     /* whose version it is; it may be deleted */
    SyncdContentRow content;
    guint32 mode;    /* of that version … */
    guint32 dropped; /* … without these bits */
    SyncdHash hash;
    char *to; /* path */
    bool over;
    SyncdFileRow present; /* what is recorded there, if anything is */
    char digest[SYNCD_DIGEST_SIZE];
} Plan;

static void plan_clear(Plan *plan)
{
    g_clear_pointer(&plan->roots, g_ptr_array_unref);
    syncd_content_row_clear(&plan->content);
    g_free(plan->to);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Plan, plan_clear)

/* ---- which workspace, which file ---- */

static bool find_root(Plan *plan, const SyncdCaller *caller, GError **error)
{
    bool may;
    const char *workspace = plan->request->workspace;
    if (!syncd_service_may_read_files(plan->service, caller, &may, error) ||
        !syncd_service_list_roots(plan->service, &plan->roots, error))
        return false;
    for (guint i = 0; may && i < plan->roots->len; i++) {
        const SyncdRoot *root = plan->roots->pdata[i];
        if (strcmp(root->workspace, workspace) == 0)
            plan->root = root;
    }
    if (plan->root != NULL)
        return true;
    syncd_set_error_next(
        error, SYNCD_ERROR_NOT_FOUND, "list what there is with `sourceos-syncd workspace list`",
        "There is no directory that is the workspace %.*s", SYNCD_ID_TOKEN_MAX, workspace);
    return false;
}

/* What exists by that path. */
static bool find_live(Plan *plan, const char *path, SyncdFileRow *ret_row, bool *ret_found,
                      GError **error)
{
    SyncdStore *store = plan->service->store;
    return syncd_store_find_workspace_folder(store, plan->root->scope_id, ret_row, ret_found,
                                             error) &&
           syncd_file_follow(store, SYNCD_BYTES_TEXT(path), ret_row, ret_found, error);
}

static bool find_by_id(Plan *plan, const char *id, bool *ret_found, GError **error)
{
    guint64 file;
    g_auto(SyncdEntry) entry = {0};
    SyncdStore *store = plan->service->store;
    *ret_found = false;
    if (!syncd_store_find_file_id(store, id, &file, error))
        return false;
    if (file == 0)
        return true;
    if (!syncd_store_find_file(store, file, &plan->file, ret_found, error) ||
        !syncd_store_read(store, syncd_file_place_pos(file), &entry, error))
        return false;
    /* One of another workspace is none of this. */
    *ret_found = *ret_found && syncd_bytes_are(entry.header.scope, plan->root->scope_id);
    return true;
}

static bool take_own_path(Plan *plan, GError **error)
{
    g_autoptr(GString) path = g_string_new(NULL);
    guint64 top;
    bool whole;
    if (!syncd_file_read_path(plan->service->store, &plan->file, path, &top, &whole, error))
        return false;
    plan->to = g_string_free(g_steal_pointer(&path), FALSE);
    return true;
}

static bool find_file(Plan *plan, GError **error)
{
    const char *path = plan->request->path;
    bool found;
    if (!syncd_file_path_check(SYNCD_BYTES_TEXT(path), error) ||
        !find_live(plan, path, &plan->file, &found, error) ||
        (!found && !syncd_file_find_deleted(plan->service->store, plan->root->scope_id,
                                            SYNCD_BYTES_TEXT(path), &plan->file, &found, error)) ||
        (!found && !find_by_id(plan, path, &found, error)))
        return false;
    if (found && plan->file.kind == SYNCD_FILE_REGULAR)
        return take_own_path(plan, error);
    g_autofree char *next = g_strdup_printf(
        "see what is recorded with `sourceos-syncd workspace files %s`", plan->root->workspace);
    syncd_set_error_next(error, found ? SYNCD_ERROR_INVALID_ARGS : SYNCD_ERROR_NOT_FOUND, next,
                         found
                             ? "That is no file in %s, but a %s: only files are restored"
                             : "No file of that path is recorded in %s, nor among the newest that "
                               "were deleted%.0s",
                         plan->root->workspace, syncd_file_kind_name(plan->file.kind));
    return false;
}

/* ---- which version ---- */

static bool refuse_unkept(const Plan *plan, GError **error)
{
    if (plan->root->keeps)
        syncd_set_error_next(error, SYNCD_ERROR_NOT_FOUND,
                             "see with `sourceos-syncd log` which versions of it are kept",
                             "The content of that version is not kept: it was dropped for newer "
                             "ones, too large, or there was no room for it");
    else
        syncd_set_error_next(error, SYNCD_ERROR_NOT_FOUND,
                             "have content kept from now on with `sourceos-syncd workspace add "
                             "DIRECTORY --keep=8`",
                             "Only the hash of that version was recorded in %s, not its content",
                             plan->root->workspace);
    return false;
}

/* Nobody looks whether it is there, or nobody can. */
static bool is_unseen(const Plan *plan)
{
    const SyncdListener *listener = &plan->service->listener;
    SyncdRootStanding standing;
    if (plan->root->paused || listener->standing == NULL)
        return plan->root->paused;
    return !listener->standing(listener->data, plan->root->id, &standing) ||
           strcmp(standing.state, "missing") == 0 || strcmp(standing.state, "failed") == 0;
}

static bool refuse_unseen(const Plan *plan, GError **error)
{
    g_autofree char *next = g_strdup_printf(
        plan->root->paused
            ? "resume it with `sourceos-syncd workspace resume %s`: what is gone is recorded as "
              "deleted then, and can be restored"
            : "see why with `sourceos-syncd workspace show %s`; once the workspace is there again, "
              "what is gone is recorded as deleted, and can be restored",
        plan->root->workspace);
    syncd_set_error_next(error, SYNCD_ERROR_ENGINE_DISABLED, next,
                         "There is no older version of it, and whether the first one is still "
                         "there nobody knows: %s is %s",
                         plan->root->workspace, plan->root->paused ? "paused" : "not looked at");
    return false;
}

/* What was deleted and made again is another file, and may be the one that is wanted. */
static bool refuse_first(const Plan *plan, GError **error)
{
    char id[SYNCD_FILE_ID_SIZE];
    SyncdFileRow before;
    bool found;
    if (is_unseen(plan))
        return refuse_unseen(plan, error);
    if (!syncd_file_find_deleted(plan->service->store, plan->root->scope_id,
                                 SYNCD_BYTES_TEXT(plan->to), &before, &found, error) ||
        (found && !syncd_store_file_id(plan->service->store, before.id, id, error)))
        return false;
    g_autofree char *next =
        found ? g_strdup_printf("the file that was there before comes back with `sourceos-syncd "
                                "workspace restore %s`, given within the workspace; "
                                "`sourceos-syncd log %s` has its versions",
                                id, id)
              : g_strdup("restore it elsewhere with --to, if that is what is wanted");
    syncd_set_error_next(error, SYNCD_ERROR_NOT_FOUND, next,
                         "There is no older version of it: the first one is what is there");
    return false;
}

static bool find_version(Plan *plan, GError **error)
{
    guint64 wanted = plan->request->version, newest = plan->file.version;
    bool found = false;
    if (wanted > newest) {
        syncd_set_error_next(error, SYNCD_ERROR_NOT_FOUND,
                             "see which there are with `sourceos-syncd log`",
                             "The newest version of it is %" G_GUINT64_FORMAT, newest);
        return false;
    }
    /* Where the newest is not what is there any more, that is what is wanted back. */
    bool is_there = plan->file.live && plan->request->to == NULL && !plan->file.mismatched;
    guint64 from = wanted != 0 ? wanted : newest - is_there;
    if (from == 0)
        return refuse_first(plan, error);
    if (from > 0 && !syncd_store_find_content(plan->service->store, plan->file.id, from,
                                              &plan->content, &found, error))
        return false;
    return (found && (wanted == 0 || plan->content.version == wanted)) ||
           refuse_unkept(plan, error);
}

guint32 syncd_restore_mode(guint32 mode)
{
    return (mode & RUN) == 0 ? mode : mode & SYNCD_RESTORE_MODE_BITS;
}

/* A file that was closed to others with that content in it stays so: what counts is the last entry
 * of the version, not the one that named its content. Of the newest version its row says it. */
static bool find_mode(const Plan *plan, guint32 named, guint32 *ret_mode, GError **error)
{
    g_auto(SyncdFileEntries) entries = {.service = plan->service};
    SyncdFileFacts facts = {.step = {.place = G_MAXINT64}};
    guint64 version = plan->content.version, cost = 0;
    bool found = true;
    *ret_mode = version == plan->file.version ? plan->file.mode : named;
    if (version == plan->file.version)
        return true;
    while (!facts.known) {
        SyncdFileStep step;
        if (!syncd_store_find_file_step(plan->service->store, plan->file.id, facts.step.place,
                                        version, &step, &found, error))
            return false;
        if (!found || step.version != version || step.place <= plan->content.place)
            return true;
        if (!syncd_file_facts_read(&entries, &step, &facts, &cost, error))
            return false;
    }
    *ret_mode = facts.mode;
    return true;
}

/* What the entry that named the content says of the file. */
static bool read_version(Plan *plan, GError **error)
{
    g_auto(SyncdEntry) entry = {0};
    g_auto(SyncdBody) body = {0};
    g_auto(SyncdFileChangesReader) reader = {{NULL}};
    SyncdFileChange change;
    SyncdStore *store = plan->service->store;
    guint64 place = plan->content.place;
    if (!syncd_store_read(store, syncd_file_place_pos(place), &entry, error) ||
        !syncd_store_read_body(store, &entry, &body, error) ||
        !syncd_json_check(body.content, body.content_size, SYNCD_JSON_MUST_BE_OBJECT, error))
        return false;
    syncd_file_changes_read(&reader, syncd_json_root(body.content, body.content_size));
    while (syncd_file_changes_next(&reader, &change)) {
        if (syncd_file_place(syncd_file_place_pos(place), reader.number) != place)
            continue;
        guint32 mode;
        if (!find_mode(plan, change.mode, &mode, error))
            return false;
        plan->mode = syncd_restore_mode(mode);
        plan->dropped = mode & ~plan->mode;
        plan->hash = change.hash;
        return true;
    }
    syncd_set_error(error, SYNCD_ERROR_JOURNAL_CORRUPT,
                    "The entry of that version does not say what it was");
    return false;
}

static GBytes *read_part(const Plan *plan, guint64 number, GError **error)
{
    char id[SYNCD_FILE_ID_SIZE];
    GBytes *names = plan->content.chunks;
    if (!syncd_store_file_id(plan->service->store, plan->file.id, id, error))
        return NULL;
    const SyncdContentAsked asked = {
        .scope = plan->root->scope_id,
        .file = id,
        .version = plan->content.version,
        .chunks = {g_bytes_get_data(names, NULL), g_bytes_get_size(names)},
        .size = plan->content.size,
    };
    return syncd_service_read_content(plan->service, &asked, number, error);
}

static bool try_content(const Plan *plan, GError **error)
{
    guint64 n = MIN(syncd_file_chunk_count(plan->content.size), CHUNKS_TRIED);
    for (guint64 i = 0; i < n; i++) {
        g_autoptr(GBytes) part = read_part(plan, i, error);
        if (part == NULL)
            return false;
    }
    return true;
}

/* ---- where to ---- */

/* Whether a file may be there at all. */
static bool check_target(const Plan *plan, GError **error)
{
    const char *slash = strrchr(plan->to, '/');
    const char *name = slash != NULL ? slash + 1 : plan->to;
    if (*plan->to == '\0') {
        syncd_set_error(error, SYNCD_ERROR_INVALID_ARGS, "\"to\" is no path of a file");
        return false;
    }
    if (!syncd_file_path_check(SYNCD_BYTES_TEXT(plan->to), error))
        return false;
    if (syncd_filling_is_name(SYNCD_BYTES_TEXT(name))) {
        syncd_set_error_next(error, SYNCD_ERROR_INVALID_ARGS,
                             "restore it to another name with --to",
                             "What is called %s is not recorded and is removed: files have such "
                             "names only while they are being restored",
                             name);
        return false;
    }
    if (syncd_service_ignores(plan->service, plan->root, SYNCD_BYTES_TEXT(plan->to))) {
        syncd_set_error_next(error, SYNCD_ERROR_INVALID_ARGS,
                             "see by which rule with `sourceos-syncd workspace ignore check`, or "
                             "restore to another place with --to",
                             "What is where it would go is ignored, so it would not be recorded");
        return false;
    }
    return true;
}

static bool refuse_found(const Plan *plan, GError **error)
{
    syncd_set_error_next(error, SYNCD_ERROR_FAILED,
                         "copy it elsewhere if it is wanted, record it with `sourceos-syncd "
                         "workspace accept`, and restore then; or have it kept aside by "
                         "`sourceos-syncd repair plan`",
                         "What is in %s is not recorded, and by its rule %s would not keep it",
                         plan->to, plan->root->workspace);
    return false;
}

static bool find_present(Plan *plan, GError **error)
{
    if (plan->request->to != NULL) {
        g_free(plan->to);
        plan->to = g_strdup(plan->request->to);
    }
    if (!check_target(plan, error))
        return false;
    if (!find_live(plan, plan->to, &plan->present, &plan->over, error))
        return false;
    if (plan->over && plan->present.mismatched &&
        !syncd_root_keeps_replaced(plan->root, plan->present.mismatch.size))
        return refuse_found(plan, error);
    if (!plan->over || (plan->present.kind == SYNCD_FILE_REGULAR && plan->present.hashed))
        return true;
    syncd_set_error_next(error, SYNCD_ERROR_INVALID_ARGS,
                         "move it away, or restore to another place with --to",
                         "A %s is where it would go%s", syncd_file_kind_name(plan->present.kind),
                         plan->present.hashed ? "" : ", and could not be read");
    return false;
}

/* ---- the plan ---- */

static bool write_state(Plan *plan, const SyncdFileRow *row, guint64 version, guint32 mode,
                        guint64 size, const SyncdHash *hash, SyncdJsonWriter *writer,
                        GError **error)
{
    char id[SYNCD_FILE_ID_SIZE], digits[SYNCD_HASH_HEX_SIZE];
    if (!syncd_store_file_id(plan->service->store, row->id, id, error))
        return false;
    syncd_hash_to_hex(hash, digits);
    syncd_json_begin_object(writer);
    syncd_json_member_string(writer, "file_id", id);
    syncd_json_member_uint(writer, "version", version);
    syncd_json_member_uint(writer, "mode", mode);
    syncd_json_member_uint(writer, "size", size);
    syncd_json_member_string(writer, "sha256", digits);
    syncd_json_end_object(writer);
    return true;
}

/* What is there, as far as that is known. */
static const SyncdHash *present_hash(const Plan *plan)
{
    return plan->present.mismatched ? &plan->present.mismatch.hash : &plan->present.hash;
}

/* All that the digest covers. */
static bool write_members(Plan *plan, SyncdJsonWriter *writer, GError **error)
{
    const SyncdFileRow *present = &plan->present;
    syncd_json_member_string(writer, "schema", PLAN_SCHEMA);
    syncd_json_member_string(writer, "workspace_id", plan->root->workspace);
    syncd_json_member_string(writer, "directory", plan->root->directory);
    syncd_file_bytes_write(writer, "path", "path_base64", SYNCD_BYTES_TEXT(plan->to));
    syncd_json_name(writer, "restored");
    if (!write_state(plan, &plan->file, plan->content.version, plan->mode, plan->content.size,
                     &plan->hash, writer, error))
        return false;
    if (plan->dropped != 0)
        syncd_json_member_uint(writer, "mode_dropped", plan->dropped);
    if (!plan->over)
        return true;
    guint32 opened = plan->mode & ~present->mode & OTHERS;
    if (opened != 0)
        syncd_json_member_uint(writer, "mode_opened", opened);
    /* What is not kept is gone for ever once the other takes its place; bytes that were found and
     * are not recorded become a version first. */
    bool other = present->mismatched;
    syncd_json_member_bool(writer, "present_kept", present->kept || other);
    syncd_json_member_bool(writer, "present_recorded", !other);
    syncd_json_name(writer, "present");
    return write_state(plan, present, present->version, present->mode,
                       other ? present->mismatch.size : present->size, present_hash(plan), writer,
                       error);
}

static bool seal_plan(Plan *plan, GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, text, false);
    syncd_json_begin_object(&writer);
    if (!write_members(plan, &writer, error))
        return false;
    syncd_json_end_object(&writer);
    SyncdHash hash = syncd_hash(text->str, text->len);
    syncd_hash_to_digest(&hash, plan->digest);
    return true;
}

static bool make_plan(Plan *plan, const SyncdCaller *caller, GError **error)
{
    return find_root(plan, caller, error) && find_file(plan, error) && find_version(plan, error) &&
           read_version(plan, error) && try_content(plan, error) && find_present(plan, error) &&
           seal_plan(plan, error);
}

/* A short text, for people to see; nothing for any other content. */
static bool write_text(const Plan *plan, SyncdJsonWriter *writer, GError **error)
{
    guint64 size = plan->content.size;
    if (!plan->request->text || size == 0 || size > SYNCD_RESTORE_TEXT_MAX)
        return true;
    g_autoptr(GBytes) content = read_part(plan, 0, error);
    if (content == NULL)
        return false;
    const char *text = g_bytes_get_data(content, NULL);
    if (!g_utf8_validate_len(text, size, NULL))
        return true;
    syncd_json_name(writer, "text");
    syncd_json_string_sized(writer, text, size);
    return true;
}

char *syncd_service_plan_restore(SyncdService *service, const SyncdCaller *caller,
                                 const SyncdRestoreRequest *request, GError **error)
{
    g_auto(Plan) plan = {.service = service, .request = request};
    g_autoptr(GString) text = g_string_new(NULL);
    SyncdJsonWriter writer;
    if (!make_plan(&plan, caller, error))
        return NULL;
    syncd_json_writer_init(&writer, text, false);
    syncd_json_begin_object(&writer);
    if (!write_members(&plan, &writer, error) || !write_text(&plan, &writer, error))
        return NULL;
    syncd_json_member_string(&writer, "digest", plan.digest);
    syncd_json_end_object(&writer);
    return g_string_free(g_steal_pointer(&text), FALSE);
}

/* ---- doing it ---- */

bool syncd_restore_set_path(SyncdRestore *restore, SyncdStore *store, const SyncdFileRow *row,
                            GError **error)
{
    g_autoptr(GString) path = g_string_new(NULL);
    guint64 top;
    bool whole;
    if (!syncd_file_read_path(store, row, path, &top, &whole, error))
        return false;
    if (!whole) {
        syncd_set_error(error, SYNCD_ERROR_FAILED, "Its path is longer than paths are");
        return false;
    }
    const char *slash = strrchr(path->str, '/');
    restore->folder =
        slash != NULL ? g_strndup(path->str, (gsize)(slash - path->str)) : g_strdup("");
    restore->name = g_strdup(slash != NULL ? slash + 1 : path->str);
    return true;
}

/* Of the folders that it was in, whether they are there or not. */
static bool find_modes(const Plan *plan, GArray *modes, GError **error)
{
    SyncdFileRow folder;
    guint64 at = plan->request->to == NULL ? plan->file.folder : 0;
    bool found = true;
    for (guint depth = 0; at != 0 && depth < DEPTH_MAX; depth++) {
        if (!syncd_store_find_file(plan->service->store, at, &folder, &found, error))
            return false;
        at = found ? folder.folder : 0;
        if (at != 0)
            g_array_prepend_val(modes, folder.mode);
    }
    return true;
}

static SyncdRestore *restore_of(const Plan *plan, const SyncdCaller *caller, GError **error)
{
    char id[SYNCD_FILE_ID_SIZE];
    g_autoptr(GArray) modes = g_array_new(FALSE, FALSE, sizeof(guint32));
    if (!syncd_store_file_id(plan->service->store, plan->file.id, id, error) ||
        !find_modes(plan, modes, error))
        return NULL;
    const char *slash = strrchr(plan->to, '/');
    SyncdRestore *restore = g_new0(SyncdRestore, 1);
    *restore = (SyncdRestore){
        .workspace = g_strdup(plan->root->workspace),
        .folder = slash != NULL ? g_strndup(plan->to, (gsize)(slash - plan->to)) : g_strdup(""),
        .name = g_strdup(slash != NULL ? slash + 1 : plan->to),
        .from = g_strdup(id),
        .version = plan->content.version,
        .modes = g_steal_pointer(&modes),
        .mode = plan->mode,
        .size = plan->content.size,
        .hash = plan->hash,
        .chunks = g_bytes_ref(plan->content.chunks),
        .over = plan->over,
        .expected = *present_hash(plan),
        .accepts = plan->over && plan->present.mismatched,
        .unit = g_strdup(caller->unit),
        .caller = {.uid = caller->uid},
    };
    restore->caller.unit = restore->unit;
    return restore;
}

static bool refuse_other_plan(GError **error)
{
    syncd_set_error_next(error, SYNCD_ERROR_STALE_DIGEST,
                         "see what would be done now, and agree to that",
                         "What would be restored is not what was shown any more");
    return false;
}

bool syncd_service_restore(SyncdService *service, const SyncdCaller *caller,
                           const SyncdRestoreRequest *request, SyncdJob **ret_job, GError **error)
{
    g_auto(Plan) plan = {.service = service, .request = request};
    const SyncdListener *listener = &service->listener;
    if (!make_plan(&plan, caller, error))
        return false;
    if (strcmp(plan.digest, request->digest) != 0)
        return refuse_other_plan(error);
    if (plan.root->paused) {
        syncd_set_error_next(
            error, SYNCD_ERROR_ENGINE_DISABLED,
            "resume it with `sourceos-syncd workspace resume`, and restore then",
            plan.root->asks
                ? "%s is paused as much is gone from it, and nothing in it is changed. "
                  "Resuming records that as deleted, and what is deleted can be restored"
                : "%s is paused, and nothing in it is changed",
            plan.root->workspace);
        return false;
    }
    /* What would be restored could not be recorded. */
    if (!syncd_store_may_write(service->store, error) ||
        !syncd_service_may_write_files(service, caller, plan.root->workspace, false, NULL, error) ||
        !syncd_service_may_begin_job(service, caller->uid, error))
        return false;
    SyncdRestore *restore = restore_of(&plan, caller, error);
    if (restore == NULL)
        return false;
    *ret_job = listener->restore != NULL
                   ? listener->restore(listener->data, plan.root->id, restore, caller->uid)
                   : NULL;
    if (listener->restore == NULL)
        syncd_restore_free(restore);
    if (*ret_job == NULL)
        syncd_set_error_next(error, SYNCD_ERROR_BUSY, "try again in a moment",
                             "%s restores another file, or its directory is not there, or others "
                             "restore so much that it has to wait",
                             plan.root->workspace);
    return *ret_job != NULL;
}
