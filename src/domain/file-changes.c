#include "domain/file-changes.h"

#include <string.h>

#define OPERATION_PREFIX "op-"
#define FILE_PREFIX "file-"
#define ID_BODY 26u /* of every id of ours: base/id.h */

static const char *const kind_names[] = {
    [SYNCD_FILE_REGULAR] = "file",
    [SYNCD_FILE_FOLDER] = "folder",
    [SYNCD_FILE_SYMLINK] = "symlink",
};

const char *syncd_file_kind_name(SyncdFileKind kind)
{
    return (size_t)kind < G_N_ELEMENTS(kind_names) ? kind_names[kind] : NULL;
}

/* ---- ids ---- */

void syncd_file_id(SyncdBytes operation, guint number, char ret_id[SYNCD_FILE_ID_SIZE])
{
    size_t skipped = MIN(operation.size, strlen(OPERATION_PREFIX));
    g_snprintf(ret_id, SYNCD_FILE_ID_SIZE, FILE_PREFIX "%.*s-%u",
               (int)MIN(operation.size - skipped, ID_BODY), (const char *)operation.data + skipped,
               number);
}

bool syncd_file_id_parse(SyncdBytes id, char ret_operation[SYNCD_FILE_ID_SIZE], guint *ret_number)
{
    const char *text = id.data;
    const size_t head = strlen(FILE_PREFIX) + ID_BODY;
    if (id.size < head + 2 || id.size > head + 5 ||
        memcmp(text, FILE_PREFIX, strlen(FILE_PREFIX)) != 0 || text[head] != '-')
        return false;
    guint number = 0;
    for (size_t i = head + 1; i < id.size; i++) {
        if (!g_ascii_isdigit(text[i]))
            return false;
        number = number * 10 + (guint)(text[i] - '0');
    }
    bool padded = text[head + 1] == '0' && id.size > head + 2;
    if (padded || number >= SYNCD_FILES_MAX)
        return false;
    g_snprintf(ret_operation, SYNCD_FILE_ID_SIZE, OPERATION_PREFIX "%.*s", (int)ID_BODY,
               text + strlen(FILE_PREFIX));
    *ret_number = number;
    return true;
}

/* ---- writing ---- */

void syncd_file_changes_begin(SyncdFileChangesWriter *self, GString *out, const char *found)
{
    self->n = 0;
    syncd_json_writer_init(&self->writer, out, false);
    syncd_json_begin_object(&self->writer);
    syncd_json_member_string(&self->writer, "found", found);
    syncd_json_name(&self->writer, "files");
    syncd_json_begin_array(&self->writer);
}

static void write_text(SyncdJsonWriter *writer, const char *name, SyncdBytes text)
{
    syncd_json_name(writer, name);
    syncd_json_string_sized(writer, text.data, text.size);
}

void syncd_file_bytes_write(SyncdJsonWriter *writer, const char *name, const char *name_base64,
                            SyncdBytes bytes)
{
    if (g_utf8_validate(bytes.data, (gssize)bytes.size, NULL)) {
        write_text(writer, name, bytes);
        return;
    }
    g_autofree char *base64 = g_base64_encode(bytes.data, bytes.size);
    syncd_json_member_string(writer, name_base64, base64);
}

void syncd_file_changes_add(SyncdFileChangesWriter *self, const SyncdFileChange *change)
{
    SyncdJsonWriter *writer = &self->writer;
    char digits[SYNCD_HASH_HEX_SIZE];
    syncd_json_begin_object(writer);
    if (change->object.data != NULL)
        write_text(writer, "object", change->object);
    write_text(writer, "folder", change->folder);
    syncd_file_bytes_write(writer, "name", "name_base64", change->name);
    syncd_json_member_string(writer, "kind", syncd_file_kind_name(change->kind));
    syncd_json_member_uint(writer, "mode", change->mode);
    syncd_json_member_uint(writer, "size", change->size);
    syncd_json_member_int(writer, "mtime", change->mtime);
    if (change->hashed) {
        syncd_hash_to_hex(&change->hash, digits);
        syncd_json_member_string(writer, "sha256", digits);
    }
    if (change->kind == SYNCD_FILE_SYMLINK)
        syncd_file_bytes_write(writer, "target", "target_base64", change->target);
    syncd_file_content_write(&change->content, writer);
    if (change->restored_version > 0) {
        syncd_json_name(writer, "restored");
        syncd_json_begin_object(writer);
        write_text(writer, "object", change->restored_from);
        syncd_json_member_uint(writer, "version", change->restored_version);
        syncd_json_end_object(writer);
    }
    syncd_json_end_object(writer);
    self->n++;
}

void syncd_file_changes_add_deleted(SyncdFileChangesWriter *self, const char *object)
{
    syncd_json_begin_object(&self->writer);
    syncd_json_member_string(&self->writer, "object", object);
    syncd_json_end_object(&self->writer);
    self->n++;
}

void syncd_file_changes_add_dropped(SyncdFileChangesWriter *self, const char *object,
                                    const GArray *dropped)
{
    const SyncdFileContent content = {.dropped = dropped};
    syncd_json_begin_object(&self->writer);
    syncd_json_member_string(&self->writer, "object", object);
    syncd_file_content_write(&content, &self->writer);
    syncd_json_end_object(&self->writer);
    self->n++;
}

void syncd_file_changes_add_checked(SyncdFileChangesWriter *self, const char *object, guint64 size,
                                    gint64 mtime, const SyncdHash *hash)
{
    char digits[SYNCD_HASH_HEX_SIZE];
    syncd_hash_to_hex(hash, digits);
    syncd_json_begin_object(&self->writer);
    syncd_json_member_string(&self->writer, "object", object);
    syncd_json_member_uint(&self->writer, "size", size);
    syncd_json_member_int(&self->writer, "mtime", mtime);
    syncd_json_member_string(&self->writer, "sha256", digits);
    syncd_json_end_object(&self->writer);
    self->n++;
}

void syncd_file_changes_end(SyncdFileChangesWriter *self)
{
    syncd_json_end_array(&self->writer);
    syncd_json_end_object(&self->writer);
}

void syncd_file_changes_end_unknown(SyncdFileChangesWriter *self)
{
    syncd_json_end_array(&self->writer);
    syncd_json_member_string(&self->writer, "by", "unknown");
    syncd_json_end_object(&self->writer);
}

/* ---- reading ---- */

void syncd_file_changes_read(SyncdFileChangesReader *self, SyncdJson content)
{
    *self = (SyncdFileChangesReader){{NULL}};
    syncd_json_iter_init(&self->iter, syncd_json_member(content, "files"));
}

void syncd_file_changes_reader_clear(SyncdFileChangesReader *self)
{
    g_clear_pointer(&self->name, g_free);
    g_clear_pointer(&self->target, g_free);
    g_clear_pointer(&self->chunks, g_byte_array_unref);
    g_clear_pointer(&self->dropped, g_array_unref);
}

/* What has an escape is owned in `owned`. */
static bool take_text(SyncdJson value, char **owned, SyncdBytes *ret_text)
{
    const char *plain;
    if (value.type != SYNCD_JSON_STRING)
        return false;
    if (syncd_json_get_plain(value, &plain, &ret_text->size)) {
        ret_text->data = plain;
        return true;
    }
    g_free(*owned);
    *owned = syncd_json_dup_string(value, &ret_text->size);
    ret_text->data = *owned;
    return true;
}

static bool take_base64(SyncdJson value, char **owned, SyncdBytes *ret_bytes)
{
    g_autofree char *text = syncd_json_dup_text(value);
    if (text == NULL)
        return false;
    g_free(*owned);
    *owned = (char *)g_base64_decode(text, &ret_bytes->size);
    ret_bytes->data = *owned;
    return true;
}

static bool take_object(SyncdFileChangesReader *self, SyncdJson value, SyncdFileChange *change)
{
    return syncd_json_get_plain(value, (const char **)&change->object.data, &change->object.size);
}

static bool take_folder(SyncdFileChangesReader *self, SyncdJson value, SyncdFileChange *change)
{
    return syncd_json_get_plain(value, (const char **)&change->folder.data, &change->folder.size);
}

static bool take_name(SyncdFileChangesReader *self, SyncdJson value, SyncdFileChange *change)
{
    return take_text(value, &self->name, &change->name);
}

static bool take_name_base64(SyncdFileChangesReader *self, SyncdJson value, SyncdFileChange *change)
{
    return take_base64(value, &self->name, &change->name);
}

static bool take_target(SyncdFileChangesReader *self, SyncdJson value, SyncdFileChange *change)
{
    return take_text(value, &self->target, &change->target);
}

static bool take_target_base64(SyncdFileChangesReader *self, SyncdJson value,
                               SyncdFileChange *change)
{
    return take_base64(value, &self->target, &change->target);
}

static bool take_kind(SyncdFileChangesReader *self, SyncdJson value, SyncdFileChange *change)
{
    for (size_t i = 0; i < G_N_ELEMENTS(kind_names); i++)
        if (kind_names[i] != NULL && syncd_json_is(value, kind_names[i]))
            change->kind = (SyncdFileKind)i;
    return change->kind != 0;
}

static bool take_mode(SyncdFileChangesReader *self, SyncdJson value, SyncdFileChange *change)
{
    gint64 mode = -1;
    bool taken = syncd_json_get_int64(value, &mode) && mode >= 0 && mode <= SYNCD_FILE_MODE_BITS;
    change->mode = (guint32)mode;
    return taken;
}

static bool take_size(SyncdFileChangesReader *self, SyncdJson value, SyncdFileChange *change)
{
    gint64 size = -1;
    bool taken = syncd_json_get_int64(value, &size) && size >= 0;
    change->size = (guint64)size;
    return taken;
}

static bool take_mtime(SyncdFileChangesReader *self, SyncdJson value, SyncdFileChange *change)
{
    return syncd_json_get_int64(value, &change->mtime);
}

static bool take_hash(SyncdFileChangesReader *self, SyncdJson value, SyncdFileChange *change)
{
    const char *hex;
    size_t size;
    change->hashed =
        syncd_json_get_plain(value, &hex, &size) && syncd_hash_from_hex(hex, size, &change->hash);
    return change->hashed;
}

static bool take_chunks(SyncdFileChangesReader *self, SyncdJson value, SyncdFileChange *change)
{
    if (self->chunks == NULL)
        self->chunks = g_byte_array_new();
    g_byte_array_set_size(self->chunks, 0);
    change->content.kept = syncd_file_chunks_read(value, self->chunks);
    change->content.chunks = SYNCD_BYTES(self->chunks->data, self->chunks->len);
    return change->content.kept;
}

static bool take_dropped(SyncdFileChangesReader *self, SyncdJson value, SyncdFileChange *change)
{
    g_clear_pointer(&self->dropped, g_array_unref);
    self->dropped = syncd_file_dropped_new();
    change->content.dropped = self->dropped;
    return syncd_file_dropped_read(value, self->dropped);
}

static const struct {
    const char *name;
    bool (*take)(SyncdFileChangesReader *self, SyncdJson value, SyncdFileChange *change);
} members[] = {
    {"object", take_object},
    {"folder", take_folder},
    {"name", take_name},
    {"name_base64", take_name_base64},
    {"kind", take_kind},
    {"mode", take_mode},
    {"size", take_size},
    {"mtime", take_mtime},
    {"sha256", take_hash},
    {"target", take_target},
    {"target_base64", take_target_base64},
    {"chunks", take_chunks},
    {"dropped", take_dropped},
};

/* Those of later versions say nothing here. */
static bool take_member(SyncdFileChangesReader *self, SyncdBytes name, SyncdJson value,
                        SyncdFileChange *change)
{
    for (size_t i = 0; i < G_N_ELEMENTS(members); i++)
        if (syncd_bytes_are(name, members[i].name))
            return members[i].take(self, value, change);
    return true;
}

static bool is_name(SyncdBytes name)
{
    return name.size > 0 && name.size <= SYNCD_FILE_NAME_MAX &&
           memchr(name.data, '/', name.size) == NULL &&
           memchr(name.data, '\0', name.size) == NULL && !syncd_bytes_are(name, ".") &&
           !syncd_bytes_are(name, "..");
}

/* The workspace's own folder has no name, and everything else is somewhere. */
static bool is_whole(const SyncdFileChange *change)
{
    if (!syncd_file_content_fits(&change->content, change->kind, change->size, change->hashed))
        return false;
    if (change->kind == 0)
        return change->object.size > 0 && change->folder.data == NULL;
    if (change->folder.data == NULL)
        return false;
    return change->folder.size == 0 ? change->name.size == 0 && change->kind == SYNCD_FILE_FOLDER
                                    : is_name(change->name);
}

static bool take(SyncdFileChangesReader *self, SyncdJson item, SyncdFileChange *change)
{
    SyncdJsonIter iter;
    SyncdJson name, value;
    SyncdBytes plain;
    syncd_json_iter_init(&iter, item);
    while (syncd_json_iter_next(&iter, &name, &value)) {
        const char *text;
        if (!syncd_json_get_plain(name, &text, &plain.size))
            continue;
        plain.data = text;
        if (!take_member(self, plain, value, change))
            return false;
    }
    return is_whole(change);
}

bool syncd_file_changes_next(SyncdFileChangesReader *self, SyncdFileChange *ret_change)
{
    SyncdJson item;
    while (self->next < SYNCD_FILES_MAX && syncd_json_iter_next(&self->iter, NULL, &item)) {
        self->number = self->next++;
        *ret_change = (SyncdFileChange){{NULL}};
        if (item.type == SYNCD_JSON_OBJECT && take(self, item, ret_change))
            return true;
    }
    return false;
}
