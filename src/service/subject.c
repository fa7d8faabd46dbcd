#include "service/subject.h"

#include "service/file-find.h"
#include "service/file-reading.h"
#include "service/registry.h"

#include <string.h>

#define FILE_TYPE "file" /* what policy is told of files */
#define BODY_MAX (64u * 1024u)

void syncd_subject_clear(SyncdSubject *self)
{
    g_free(self->id);
    syncd_entry_clear(&self->last);
    syncd_entry_clear(&self->finding);
    g_free(self->scope);
    g_free(self->workspace);
    g_free(self->profile);
    g_free(self->schema);
    g_free(self->actor_name);
    g_free(self->actor_type);
    g_free(self->path);
    syncd_record_row_clear(&self->row);
    syncd_body_clear(&self->body);
    syncd_record_row_clear(&self->root);
    g_free(self->pause_cause);
    g_free(self->pause_reason);
    syncd_subject_faults_clear(&self->faults);
}

/* What an open turn holds is not durable, so nobody may hear of it yet. */
static bool make_durable(SyncdSubject *self, guint64 pos, GError **error)
{
    return pos <= syncd_store_sequence(self->service->store) ||
           syncd_service_commit_turn(self->service, error);
}

/* ---- a file ---- */

static bool find_path(SyncdSubject *self, GError **error)
{
    g_autoptr(GString) path = g_string_new(NULL);
    guint64 top;
    bool whole;
    if (!syncd_file_read_path(self->service->store, &self->file, path, &top, &whole, error))
        return false;
    self->path_size = path->len;
    self->path = g_string_free(g_steal_pointer(&path), FALSE);
    return true;
}

static bool find_root(SyncdSubject *self, GError **error)
{
    const SyncdListener *listener = &self->service->listener;
    g_autoptr(GPtrArray) rows = NULL;
    g_auto(SyncdBody) body = {0};
    SyncdJson record = {0};
    const SyncdRecordQuery query = {.family = syncd_family(SYNCD_FAMILY_ROOT),
                                    .columns = {[SYNCD_COLUMN_WORKSPACE] = self->workspace}};
    if (!syncd_store_find_records(self->service->store, &query, &rows, error))
        return false;
    for (guint i = 0; i < rows->len; i++) {
        SyncdRecordRow *row = rows->pdata[i];
        if (strcmp(row->state, SYNCD_STATE_REVOKED) == 0 || self->has_root)
            continue;
        self->has_root = true;
        self->root = *row;
        *row = (SyncdRecordRow){0};
    }
    if (!self->has_root)
        return true;
    /* One whose record cannot be read is there all the same. */
    if (strcmp(self->root.state, SYNCD_STATE_PAUSED) == 0)
        syncd_registry_read(self->service, &self->root, &body, &record, NULL);
    self->pause_cause = syncd_record_member(record, "pause_cause");
    self->pause_reason = syncd_record_member(record, "pause_reason");
    self->is_looked_after = listener->standing != NULL &&
                            listener->standing(listener->data, self->root.id, &self->standing);
    return true;
}

static bool take_file(SyncdSubject *self, guint64 file, GError **error)
{
    bool found;
    self->kind = SYNCD_SUBJECT_FILE;
    self->data_class = SYNCD_POLICY_DATA_CLASS;
    self->schema = g_strdup(SYNCD_FILES_SCHEMA);
    return syncd_store_find_file(self->service->store, file, &self->file, &found, error) &&
           syncd_store_read(self->service->store, syncd_file_place_pos(self->file.changed),
                            &self->last, error) &&
           (!self->file.mismatched ||
            syncd_store_read(self->service->store, syncd_file_place_pos(self->file.mismatch.place),
                             &self->finding, error)) &&
           find_path(self, error);
}

/* ---- a record ---- */

static bool find_record(SyncdSubject *self, const SyncdView *view, bool *ret_found, GError **error)
{
    /* Objects first: what else is called so has a verb of its own. */
    static const SyncdFamilyId first = SYNCD_FAMILY_OBJECT;
    for (unsigned i = 0; i <= SYNCD_N_FAMILIES; i++) {
        SyncdFamilyId family = i == 0 ? first : (SyncdFamilyId)(i - 1);
        g_auto(SyncdRecordRow) row = {0};
        if (!syncd_store_find_record(self->service->store, syncd_family(family), self->id, &row,
                                     ret_found, error))
            return false;
        *ret_found = *ret_found && syncd_registry_shows(view, &row);
        if (!*ret_found)
            continue;
        self->row = row;
        row = (SyncdRecordRow){0};
        return true;
    }
    return true;
}

/* The newest operation about it, if that came after what is known. */
static bool take_newest(SyncdSubject *self, const SyncdView *view, GError **error)
{
    g_autoptr(GArray) positions = NULL;
    g_autofree char *cursor = NULL;
    const SyncdQuery query = {
        .limit = 1, .operations_only = true, .object = self->id, .actor = view->actor};
    if (!syncd_store_query(self->service->store, &query, &positions, &cursor, error))
        return false;
    guint64 newest = positions->len > 0 ? g_array_index(positions, guint64, 0) : 0;
    if (newest <= self->last.pos)
        return true;
    syncd_entry_clear(&self->last);
    self->last = (SyncdEntry){0};
    return syncd_store_read(self->service->store, newest, &self->last, error);
}

static bool take_record(SyncdSubject *self, const SyncdView *view, GError **error)
{
    const SyncdFamily *family = self->row.family;
    bool is_object = family == syncd_family(SYNCD_FAMILY_OBJECT);
    self->kind = SYNCD_SUBJECT_RECORD;
    if (!syncd_store_read(self->service->store, self->row.pos, &self->last, error) ||
        !syncd_registry_read(self->service, &self->row, &self->body, &self->record, error))
        return false;
    self->data_class = is_object ? syncd_data_class_of(self->row.columns[SYNCD_COLUMN_PRIVACY])
                                 : SYNCD_POLICY_DATA_CLASS;
    if (!is_object) {
        self->schema = g_strdup(family->schema);
        return true;
    }
    g_autofree char *version = syncd_record_member(self->record, "schema_version");
    self->schema = g_strdup_printf("%s@%s", self->row.columns[SYNCD_COLUMN_SCHEMA], version);
    return syncd_registry_standing(self->service, view, &self->row, self->record,
                                   &self->schema_reason, error);
}

/* ---- what operations are about ---- */

/* What they say of how precious it is; nobody opens a large one for that. */
static void take_class(SyncdSubject *self)
{
    g_auto(SyncdBody) body = {0};
    g_autofree char *word = NULL;
    if (self->last.header.body_size <= BODY_MAX &&
        syncd_store_read_body(self->service->store, &self->last, &body, NULL) &&
        syncd_json_check(body.meta, body.meta_size, SYNCD_JSON_MUST_BE_OBJECT, NULL))
        word = syncd_json_dup_text(
            syncd_json_member(syncd_json_root(body.meta, body.meta_size), "data_class"));
    self->data_class = syncd_data_class_of(word != NULL ? word : "");
}

static bool take_operations(SyncdSubject *self, GError **error)
{
    self->kind = SYNCD_SUBJECT_OPERATIONS;
    self->schema = syncd_bytes_dup(self->last.header.schema_id);
    take_class(self);
    return true;
}

static bool refuse_absent(const char *id, GError **error)
{
    syncd_set_error_next(
        error, SYNCD_ERROR_NOT_FOUND,
        "name a file by its path, or an object as `sourceos-syncd objects list` or "
        "`sourceos-syncd ops list` has it",
        "There is no object %.*s", SYNCD_ID_TOKEN_MAX, id);
    return false;
}

static bool take_other(SyncdSubject *self, const SyncdCaller *caller, GError **error)
{
    bool found;
    g_auto(SyncdView) view = {0};
    if (!syncd_service_view(self->service, caller, &view, error))
        return false;
    if (!view.all && view.actor == NULL)
        return refuse_absent(self->id, error);
    if (!find_record(self, &view, &found, error) ||
        (found && !make_durable(self, self->row.pos, error)) ||
        (found && !take_record(self, &view, error)) || !take_newest(self, &view, error))
        return false;
    if (self->last.pos == 0)
        return refuse_absent(self->id, error);
    self->view_all = view.all;
    /* What others did about something of the same name is theirs. */
    return (found || take_operations(self, error)) &&
           (!view.all ||
            syncd_store_count_object_tasks(self->service->store, self->id, &self->tasks, error));
}

/* ---- where it lies ---- */

static bool lies_in_directory(const SyncdSubject *self)
{
    return self->kind == SYNCD_SUBJECT_FILE ||
           (self->kind == SYNCD_SUBJECT_RECORD &&
            self->row.family == syncd_family(SYNCD_FAMILY_WORKSPACE));
}

/* One that was purged is known by its id alone, wherever it was. */
static bool find_deletion(SyncdSubject *self, const char *scope_id, GError **error)
{
    bool is_record = self->kind == SYNCD_SUBJECT_RECORD;
    if (self->kind == SYNCD_SUBJECT_FILE || (!is_record && !self->view_all))
        return true;
    return syncd_service_find_deletion(self->service, self->id, is_record ? &self->row : NULL,
                                       scope_id, &self->deletion, &self->was_deleted, error) &&
           (!self->was_deleted || make_durable(self, self->deletion.moved, error));
}

static bool find_place(SyncdSubject *self, GError **error)
{
    SyncdBytes id = self->kind == SYNCD_SUBJECT_RECORD ? SYNCD_BYTES_TEXT(self->row.scope)
                                                       : self->last.header.scope;
    g_autofree char *scope_id = syncd_bytes_dup(id);
    const SyncdScope *scope = syncd_store_scope(self->service->store, scope_id);
    g_auto(SyncdPlace) place = {0};
    self->scope = syncd_service_scope_text(self->service, id);
    self->scope_class = scope != NULL ? scope->class : "device";
    if (!syncd_service_find_place(self->service, self->scope, self->scope_class, &place, error))
        return false;
    const char *const *columns = (const char *const *)self->row.columns;
    bool is_record = self->kind == SYNCD_SUBJECT_RECORD;
    self->workspace = is_record && *columns[SYNCD_COLUMN_WORKSPACE] != '\0'
                          ? g_strdup(columns[SYNCD_COLUMN_WORKSPACE])
                          : g_steal_pointer(&place.workspace);
    self->profile = is_record && *columns[SYNCD_COLUMN_PROFILE] != '\0'
                        ? g_strdup(columns[SYNCD_COLUMN_PROFILE])
                        : g_steal_pointer(&place.profile);
    return find_deletion(self, scope_id, error) &&
           (!lies_in_directory(self) || find_root(self, error));
}

/* As people call it; the id is never wrong. */
static bool find_actor(SyncdSubject *self, const char *actor, GError **error)
{
    const SyncdRecordRow *known;
    g_auto(SyncdBody) body = {0};
    SyncdJson record = {0};
    if (!syncd_service_known_record(self->service, SYNCD_FAMILY_ACTOR, actor, &known, error))
        return false;
    if (known != NULL)
        syncd_registry_read(self->service, known, &body, &record, NULL);
    self->actor_name = syncd_record_member(record, "display_name");
    if (*self->actor_name == '\0') {
        g_free(self->actor_name);
        self->actor_name = g_strdup(actor);
    }
    self->actor_type = g_strdup(known != NULL ? known->columns[SYNCD_COLUMN_TYPE] : NULL);
    return true;
}

/* As for whoever changed it last. */
static bool ask_policy(SyncdSubject *self, GError **error)
{
    g_autofree char *actor = syncd_bytes_dup(self->last.header.actor);
    g_autofree char *subject = syncd_service_subject_of(self->service, actor, error);
    g_autofree char *lane = syncd_bytes_dup(self->last.header.lane);
    SyncdPolicyRequest asked = {{NULL}};
    if (subject == NULL || !find_actor(self, actor, error))
        return false;
    syncd_ask_about_scope(&asked, self->scope, self->scope_class);
    asked.fields[SYNCD_FIELD_ACTION] = "replicate";
    asked.fields[SYNCD_FIELD_LANE] = lane;
    asked.fields[SYNCD_FIELD_DATA_CLASS] = self->data_class;
    asked.fields[SYNCD_FIELD_WORKSPACE] = self->workspace;
    asked.fields[SYNCD_FIELD_PROFILE] = self->profile;
    asked.fields[SYNCD_FIELD_SUBJECT] = subject;
    asked.fields[SYNCD_FIELD_ACTOR_TYPE] = self->actor_type;
    asked.fields[SYNCD_FIELD_OBJECT] = self->kind == SYNCD_SUBJECT_FILE ? NULL : self->id;
    asked.fields[SYNCD_FIELD_OBJECT_TYPE] = self->kind == SYNCD_SUBJECT_FILE ? FILE_TYPE
                                            : self->kind == SYNCD_SUBJECT_RECORD
                                                ? self->row.columns[SYNCD_COLUMN_TYPE]
                                                : NULL;
    self->replication = syncd_policy_set_decide(self->service->policy, &asked);
    return true;
}

bool syncd_subject_find(SyncdService *service, const SyncdCaller *caller, const char *id,
                        SyncdSubject *ret_subject, GError **error)
{
    g_auto(SyncdSubject) self = {.service = service, .id = g_strdup(id)};
    guint64 file;
    bool may;
    /* This brings the index up to what is committed, or says Busy. */
    if (!syncd_store_find_file_id(service->store, id, &file, error) ||
        !syncd_service_may_read_files(service, caller, &may, error))
        return false;
    if (file != 0 && !may)
        return refuse_absent(id, error);
    if (!(file != 0 ? take_file(&self, file, error) : take_other(&self, caller, error)) ||
        !find_place(&self, error) || !ask_policy(&self, error) ||
        !syncd_subject_find_faults(&self, error))
        return false;
    *ret_subject = self;
    self = (SyncdSubject){0};
    return true;
}
