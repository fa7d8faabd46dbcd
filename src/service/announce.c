#include "service/announce.h"

#include "base/json-writer.h"
#include "base/timestamp.h"
#include "contract/member.h"
#include "service/file-find.h"
#include "service/file-path.h"
#include "service/internal.h"

#include <string.h>

/* ---- what is announced ---- */

/* A change with what it owns. */
typedef struct {
    SyncdDeed deed;
    char *path, *to;
} Change;

static void clear_change(void *data)
{
    Change *change = data;
    g_free(change->path);
    g_free(change->to);
}

static bool refuse_member(guint n, const char *member, const char *what, GError **error)
{
    syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT, "/%u%s%s %s", n,
                    *member != '\0' ? "/" : "", member, what);
    return false;
}

static bool take_path(char **owned, SyncdBytes *path, size_t size, guint n, const char *member,
                      GError **error)
{
    *path = SYNCD_BYTES(*owned, size);
    return (size > 0 && syncd_file_path_is(*path)) ||
           refuse_member(n, member, "must be the path of a file from within the workspace", error);
}

static bool read_text(SyncdJson value, guint n, const char *member, char **owned, SyncdBytes *path,
                      GError **error)
{
    size_t size = 0;
    if (*owned != NULL)
        return refuse_member(n, member, "is there in two spellings", error);
    *owned = syncd_json_dup_string(value, &size);
    return *owned != NULL ? take_path(owned, path, size, n, member, error)
                          : refuse_member(n, member, "must be a string", error);
}

static bool read_base64(SyncdJson value, guint n, const char *member, char **owned,
                        SyncdBytes *path, GError **error)
{
    gsize size = 0;
    g_autofree char *text = syncd_json_dup_text(value);
    if (*owned != NULL)
        return refuse_member(n, member, "is there in two spellings", error);
    g_autofree guchar *bytes = text != NULL ? g_base64_decode(text, &size) : NULL;
    g_autofree char *again = bytes != NULL ? g_base64_encode(bytes, size) : NULL;
    if (g_strcmp0(text, again) != 0 || text == NULL)
        return refuse_member(n, member, "must be base64", error);
    *owned = (char *)g_steal_pointer(&bytes);
    return take_path(owned, path, size, n, member, error);
}

static bool read_hash(SyncdJson value, SyncdHash *ret_hash)
{
    const char *digits;
    size_t size;
    return syncd_json_get_plain(value, &digits, &size) &&
           syncd_hash_from_hex(digits, size, ret_hash);
}

static bool is_true(SyncdJson value)
{
    bool is = false;
    return syncd_json_get_bool(value, &is) && is;
}

/* One thing is done to it. */
static bool take_kind(Change *change, SyncdDeedKind kind, guint n, const char *member,
                      GError **error)
{
    bool first = change->deed.kind == 0;
    change->deed.kind = kind;
    return first || refuse_member(n, member, "is more than one thing that is done", error);
}

static bool take_member(SyncdJson name, SyncdJson value, guint n, Change *change, GError **error)
{
    SyncdDeed *deed = &change->deed;
    if (syncd_json_is(name, "path"))
        return read_text(value, n, "path", &change->path, &deed->path, error);
    if (syncd_json_is(name, "path_base64"))
        return read_base64(value, n, "path_base64", &change->path, &deed->path, error);
    if (syncd_json_is(name, "renamed_to"))
        return take_kind(change, SYNCD_DEED_RENAME, n, "renamed_to", error) &&
               read_text(value, n, "renamed_to", &change->to, &deed->to, error);
    if (syncd_json_is(name, "renamed_to_base64"))
        return take_kind(change, SYNCD_DEED_RENAME, n, "renamed_to_base64", error) &&
               read_base64(value, n, "renamed_to_base64", &change->to, &deed->to, error);
    if (syncd_json_is(name, "sha256"))
        return take_kind(change, SYNCD_DEED_WRITE, n, "sha256", error) &&
               (read_hash(value, &deed->hash) ||
                refuse_member(n, "sha256", "must be 64 digits of hexadecimal", error));
    if (syncd_json_is(name, "folder"))
        return take_kind(change, SYNCD_DEED_FOLDER, n, "folder", error) &&
               (is_true(value) || refuse_member(n, "folder", "must be true, or left out", error));
    if (syncd_json_is(name, "deleted"))
        return take_kind(change, SYNCD_DEED_DELETE, n, "deleted", error) &&
               (is_true(value) || refuse_member(n, "deleted", "must be true, or left out", error));
    g_autofree char *step = syncd_pointer_step(name);
    return refuse_member(n, step, "is no member of a change", error);
}

static bool read_change(SyncdJson value, guint n, Change *change, GError **error)
{
    SyncdJsonIter iter;
    SyncdJson name, member;
    if (value.type != SYNCD_JSON_OBJECT)
        return refuse_member(n, "", "must be an object", error);
    syncd_json_iter_init(&iter, value);
    while (syncd_json_iter_next(&iter, &name, &member))
        if (!take_member(name, member, n, change, error))
            return false;
    if (change->path == NULL)
        return refuse_member(n, "path", "is missing", error);
    return change->deed.kind != 0 ||
           refuse_member(n, "", "must say what is done: sha256, folder, deleted or renamed_to",
                         error);
}

static bool read_changes(SyncdBytes document, GArray *changes, GError **error)
{
    SyncdJsonIter iter;
    SyncdJson value;
    if (document.size > SYNCD_ANNOUNCED_SIZE) {
        syncd_set_error_next(error, SYNCD_ERROR_TOO_LARGE, "announce it in several calls",
                             "What is announced has more than %u bytes", SYNCD_ANNOUNCED_SIZE);
        return false;
    }
    if (!syncd_json_check(document.data, document.size, SYNCD_JSON_ANY, error))
        return false;
    SyncdJson root = syncd_json_root(document.data, document.size);
    if (root.type != SYNCD_JSON_ARRAY) {
        syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT,
                        "What is announced must be an array, but is %s",
                        syncd_json_type_name(root.type));
        return false;
    }
    syncd_json_iter_init(&iter, root);
    while (syncd_json_iter_next(&iter, NULL, &value)) {
        if (changes->len == SYNCD_ANNOUNCED_AT_ONCE) {
            syncd_set_error_next(error, SYNCD_ERROR_LIMITS_EXCEEDED, "announce it in several calls",
                                 "More than %u changes are announced at once",
                                 SYNCD_ANNOUNCED_AT_ONCE);
            return false;
        }
        g_array_set_size(changes, changes->len + 1);
        if (!read_change(value, changes->len - 1, &g_array_index(changes, Change, changes->len - 1),
                         error))
            return false;
    }
    return true;
}

/* ---- who announces, and where ---- */

static bool may_do(SyncdService *service, const SyncdCaller *caller, const char *workspace,
                   const GArray *changes, char **ret_actor, GError **error)
{
    bool deletes = false;
    for (guint i = 0; i < changes->len; i++)
        deletes |= g_array_index(changes, Change, i).deed.kind == SYNCD_DEED_DELETE;
    return syncd_service_may_write_files(service, caller, workspace, false, ret_actor, error) &&
           (!deletes ||
            syncd_service_may_write_files(service, caller, workspace, true, NULL, error));
}

static bool find_root(SyncdService *service, const char *workspace, char **ret_scope_id,
                      GError **error)
{
    g_autoptr(GPtrArray) roots = NULL;
    if (!syncd_service_list_roots(service, &roots, error))
        return false;
    for (guint i = 0; i < roots->len; i++) {
        const SyncdRoot *root = roots->pdata[i];
        if (strcmp(root->workspace, workspace) == 0 && *ret_scope_id == NULL)
            *ret_scope_id = g_strdup(root->scope_id);
    }
    if (*ret_scope_id != NULL)
        return true;
    syncd_set_error_next(
        error, SYNCD_ERROR_NOT_FOUND, "list what there is with `sourceos-syncd workspace list`",
        "There is no directory that is the workspace %.*s", SYNCD_ID_TOKEN_MAX, workspace);
    return false;
}

static bool spend_signature(SyncdService *service, const SyncdCaller *caller, GError **error)
{
    guint64 now = syncd_service_monotonic(service);
    guint64 latest = syncd_service_entry_ms(service) * 1000 + SYNCD_ANNOUNCED_SIGNED_USEC;
    if (caller->agent == NULL)
        return true;
    if (caller->expires_usec / 1000 > latest / 1000) {
        syncd_set_error_next(error, SYNCD_ERROR_INVALID_CONTRACT, "sign for a shorter time",
                             "\"expires\": a signature that announces lasts %u seconds at most",
                             (unsigned)(SYNCD_ANNOUNCED_SIGNED_USEC / G_USEC_PER_SEC));
        return false;
    }
    if (syncd_announcements_spend(service->announcements, caller->agent, caller->expires_usec, now))
        return true;
    syncd_set_error_next(error, SYNCD_ERROR_ACCESS_DENIED,
                         "sign anew, so that it expires later than the last one did; after a "
                         "restart of the daemon, as late as is allowed",
                         "The signature was used to announce something before, or may have been "
                         "(signature_invalid)");
    return false;
}

static bool check_room(SyncdService *service, const char *actor, guint n, GError **error)
{
    if (syncd_announcements_have_room(service->announcements, actor, n,
                                      syncd_service_monotonic(service)))
        return true;
    syncd_set_error_next(error, SYNCD_ERROR_LIMITS_EXCEEDED,
                         "announce what is about to be done, and the rest when that was recorded",
                         "More is announced and not found yet than %u changes by one actor, or %u "
                         "by all",
                         SYNCD_ANNOUNCED_EACH, SYNCD_ANNOUNCED_MAX);
    return false;
}

/* ---- what is recorded already ---- */

/* Who may not read there does not hear what is recorded. */
static bool may_hear(SyncdService *service, const char *actor, bool *ret_may, GError **error)
{
    g_autoptr(SyncdMandate) mandate = NULL;
    if (!syncd_service_mandate_of_actor(service, actor, &mandate, error))
        return false;
    *ret_may = mandate != NULL && syncd_mandate_can(mandate, "read");
    return true;
}

/* Then nothing will be found that is new. What is to be deleted may still have to come. */
static bool is_recorded(SyncdService *service, const char *scope_id, const SyncdDeed *deed,
                        bool *ret_is, GError **error)
{
    SyncdFileRow row;
    bool found, writes = deed->kind == SYNCD_DEED_WRITE;
    *ret_is = false;
    if (!writes && deed->kind != SYNCD_DEED_FOLDER)
        return true;
    if (!syncd_store_find_workspace_folder(service->store, scope_id, &row, &found, error) ||
        !syncd_file_follow(service->store, deed->path, &row, &found, error))
        return false;
    *ret_is = found && (writes ? row.hashed && syncd_hash_equal(&row.hash, &deed->hash)
                               : row.kind == SYNCD_FILE_FOLDER);
    return true;
}

static bool announce_all(SyncdService *service, const char *actor, const char *workspace,
                         const char *scope_id, const GArray *changes, SyncdJsonWriter *writer,
                         GError **error)
{
    guint64 now = syncd_service_monotonic(service);
    guint n = 0;
    bool hears;
    if (!may_hear(service, actor, &hears, error))
        return false;
    syncd_json_name(writer, "already_recorded");
    syncd_json_begin_array(writer);
    for (guint i = 0; i < changes->len; i++) {
        const SyncdDeed *deed = &g_array_index(changes, Change, i).deed;
        SyncdHash digest = syncd_deed_digest(workspace, deed);
        bool is = false;
        if (hears && !is_recorded(service, scope_id, deed, &is, error))
            return false;
        if (is) {
            syncd_json_begin_object(writer);
            syncd_file_bytes_write(writer, "path", "path_base64", deed->path);
            syncd_json_end_object(writer);
        } else {
            syncd_announcements_add(service->announcements, actor, &digest, now);
            n++;
        }
    }
    syncd_json_end_array(writer);
    syncd_json_member_uint(writer, "announced", n);
    return true;
}

char *syncd_service_announce(SyncdService *service, const SyncdCaller *caller,
                             const char *workspace, SyncdBytes document, GError **error)
{
    g_autoptr(GArray) changes = g_array_new(FALSE, TRUE, sizeof(Change));
    g_autofree char *actor = NULL, *scope_id = NULL;
    g_autoptr(GString) answer = g_string_new(NULL);
    SyncdJsonWriter writer;
    char until[SYNCD_TIME_SIZE];
    g_array_set_clear_func(changes, clear_change);
    if (!read_changes(document, changes, error) ||
        !may_do(service, caller, workspace, changes, &actor, error) ||
        !find_root(service, workspace, &scope_id, error) ||
        !spend_signature(service, caller, error) ||
        !check_room(service, actor, changes->len, error))
        return NULL;
    syncd_time_format_ms(syncd_service_now_ms(service) + SYNCD_ANNOUNCED_USEC / 1000, until);
    syncd_json_writer_init(&writer, answer, false);
    syncd_json_begin_object(&writer);
    syncd_json_member_string(&writer, "workspace_id", workspace);
    syncd_json_member_string(&writer, "actor_id", actor);
    syncd_json_member_string(&writer, "expires_at", until);
    if (!announce_all(service, actor, workspace, scope_id, changes, &writer, error))
        return NULL;
    syncd_json_end_object(&writer);
    return g_string_free(g_steal_pointer(&answer), FALSE);
}

/* ---- what is found ---- */

bool syncd_service_has_announcements(SyncdService *service)
{
    return syncd_announcements_any(service->announcements, syncd_service_monotonic(service));
}

char *syncd_service_find_announced(SyncdService *service, const SyncdHash *digest)
{
    const char *actor =
        syncd_announcements_find(service->announcements, digest, syncd_service_monotonic(service));
    if (actor == NULL)
        return NULL;
    return g_strdup(*actor != '\0' ? actor : syncd_service_nobody(service));
}

char *syncd_service_take_announced(SyncdService *service, const SyncdHash *digest)
{
    char *actor = syncd_service_find_announced(service, digest);
    syncd_announcements_end(service->announcements, digest);
    return actor;
}
