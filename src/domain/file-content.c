#include "domain/file-content.h"

static void clear_dropped(void *data)
{
    g_bytes_unref(((SyncdFileDropped *)data)->chunks);
}

GArray *syncd_file_dropped_new(void)
{
    GArray *dropped = g_array_new(FALSE, FALSE, sizeof(SyncdFileDropped));
    g_array_set_clear_func(dropped, clear_dropped);
    return dropped;
}

void syncd_file_dropped_add(GArray *dropped, guint64 version, SyncdBytes chunks)
{
    const SyncdFileDropped one = {version, g_bytes_new(chunks.data, chunks.size)};
    g_array_append_val(dropped, one);
}

/* ---- writing ---- */

static void write_chunks(SyncdBytes chunks, SyncdJsonWriter *writer)
{
    char digits[SYNCD_HASH_HEX_SIZE];
    syncd_json_name(writer, "chunks");
    syncd_json_begin_array(writer);
    for (size_t at = 0; at < chunks.size; at += SYNCD_HASH_SIZE) {
        SyncdHash name;
        memcpy(name.bytes, (const guint8 *)chunks.data + at, sizeof name.bytes);
        syncd_hash_to_hex(&name, digits);
        syncd_json_string(writer, digits);
    }
    syncd_json_end_array(writer);
}

void syncd_file_content_write(const SyncdFileContent *content, SyncdJsonWriter *writer)
{
    if (content->kept)
        write_chunks(content->chunks, writer);
    if (content->unkept != NULL)
        syncd_json_member_string(writer, "unkept", content->unkept);
    if (content->dropped == NULL || content->dropped->len == 0)
        return;
    syncd_json_name(writer, "dropped");
    syncd_json_begin_array(writer);
    for (guint i = 0; i < content->dropped->len; i++) {
        const SyncdFileDropped *one = &g_array_index(content->dropped, SyncdFileDropped, i);
        syncd_json_begin_object(writer);
        syncd_json_member_uint(writer, "version", one->version);
        write_chunks(
            SYNCD_BYTES(g_bytes_get_data(one->chunks, NULL), g_bytes_get_size(one->chunks)),
            writer);
        syncd_json_end_object(writer);
    }
    syncd_json_end_array(writer);
}

/* ---- reading ---- */

bool syncd_file_chunks_read(SyncdJson value, GByteArray *chunks)
{
    SyncdJsonIter iter;
    SyncdJson item;
    if (value.type != SYNCD_JSON_ARRAY)
        return false;
    syncd_json_iter_init(&iter, value);
    while (syncd_json_iter_next(&iter, NULL, &item)) {
        const char *hex;
        size_t size;
        SyncdHash name;
        if (!syncd_json_get_plain(item, &hex, &size) || !syncd_hash_from_hex(hex, size, &name))
            return false;
        g_byte_array_append(chunks, name.bytes, sizeof name.bytes);
    }
    return true;
}

bool syncd_file_dropped_read(SyncdJson value, GArray *dropped)
{
    SyncdJsonIter iter;
    SyncdJson item;
    if (value.type != SYNCD_JSON_ARRAY)
        return false;
    syncd_json_iter_init(&iter, value);
    while (syncd_json_iter_next(&iter, NULL, &item)) {
        gint64 version = 0;
        g_autoptr(GByteArray) chunks = g_byte_array_new();
        if (item.type != SYNCD_JSON_OBJECT ||
            !syncd_json_get_int64(syncd_json_member(item, "version"), &version) || version < 1 ||
            !syncd_file_chunks_read(syncd_json_member(item, "chunks"), chunks))
            return false;
        syncd_file_dropped_add(dropped, (guint64)version, SYNCD_BYTES(chunks->data, chunks->len));
    }
    return true;
}

guint64 syncd_file_chunk_count(guint64 size)
{
    return size / SYNCD_FILE_CHUNK + (size % SYNCD_FILE_CHUNK > 0);
}

bool syncd_file_content_fits(const SyncdFileContent *content, SyncdFileKind kind, guint64 size,
                             bool hashed)
{
    return !content->kept ||
           (kind == SYNCD_FILE_REGULAR && hashed && size <= SYNCD_FILE_KEPT_MAX &&
            content->chunks.size / SYNCD_HASH_SIZE == syncd_file_chunk_count(size));
}
