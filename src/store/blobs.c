#include "store/blobs.h"

#include "base/canonical.h"
#include "base/json-writer.h"
#include "base/json.h"

#include <stdio.h>

#define NAME_DIGITS 64
#define OF_FILE ".file"
#define PATH_SIZE (sizeof "blobs/xx/" OF_FILE + NAME_DIGITS)

static const char *const associated[] = {
    [SYNCD_CHUNK_OF_ENTRY] = "sourceos-chunk-v1",
    [SYNCD_CHUNK_OF_FILE] = "sourceos-content-v1",
};

static GByteArray *associated_data(SyncdChunkOf of, const char *scope, const SyncdSealKey *key)
{
    GByteArray *ad = g_byte_array_new();
    /* With its NUL. */
    g_byte_array_append(ad, (const guint8 *)associated[of], (guint)strlen(associated[of]) + 1);
    g_byte_array_append(ad, (const guint8 *)scope, (guint)strlen(scope) + 1);
    g_byte_array_append(ad, syncd_seal_key_id(key)->bytes, SYNCD_HASH_SIZE);
    return ad;
}

static void chunk_path(const char *name, char ret_path[PATH_SIZE])
{
    snprintf(ret_path, PATH_SIZE, "blobs/%.2s/%s", name, name);
}

guint8 *syncd_blobs_seal(SyncdChunkOf of, const char *scope, const SyncdSealKey *key,
                         const SyncdSources *sources, SyncdBytes part, size_t *ret_size)
{
    guint8 nonce[SYNCD_SEAL_NONCE_SIZE];
    guint8 *file = g_malloc(part.size + SYNCD_SEAL_OVERHEAD);
    if (key == NULL) {
        syncd_sources_random(sources, file, SYNCD_SEAL_NONCE_SIZE);
        memcpy(file + SYNCD_SEAL_NONCE_SIZE, part.data, part.size);
        *ret_size = part.size + SYNCD_SEAL_NONCE_SIZE;
        return file;
    }
    g_autoptr(GByteArray) ad = associated_data(of, scope, key);
    syncd_seal_nonce_of(key, part.data, part.size, nonce);
    syncd_seal(key, nonce, SYNCD_BYTES(ad->data, ad->len), part.data, part.size, file);
    *ret_size = part.size + SYNCD_SEAL_OVERHEAD;
    return file;
}

static bool put_at(SyncdDirectory *directory, const char *path, const guint8 *file, size_t size,
                   GError **error)
{
    /* One that is there already serves only if it is whole: it may have been damaged since. */
    size_t present_size;
    g_autofree char *present =
        syncd_directory_read(directory, path, SYNCD_CHUNK_SIZE, &present_size, NULL);
    if (present != NULL && present_size == size && memcmp(present, file, size) == 0)
        return syncd_directory_sync_file(directory, path,
                                         error); /* whoever put it may have failed to */
    return syncd_directory_publish(directory, path, SYNCD_BYTES(file, size), error);
}

static bool put_chunk(SyncdDirectory *directory, const guint8 *file, size_t size,
                      char ret_name[NAME_DIGITS + 1], GError **error)
{
    char path[PATH_SIZE];
    SyncdHash hash = syncd_hash(file, size);
    syncd_hash_to_hex(&hash, ret_name);
    chunk_path(ret_name, path);
    return put_at(directory, path, file, size, error);
}

static void file_path(const SyncdHash *name, char ret_path[PATH_SIZE])
{
    char digits[NAME_DIGITS + 1];
    syncd_hash_to_hex(name, digits);
    snprintf(ret_path, PATH_SIZE, "blobs/%.2s/%s" OF_FILE, digits, digits);
}

bool syncd_blobs_parse(const char *base, SyncdChunkOf *ret_of, SyncdHash *ret_name)
{
    if (strlen(base) < NAME_DIGITS || !syncd_hash_from_hex(base, NAME_DIGITS, ret_name))
        return false;
    bool of_file = strcmp(base + NAME_DIGITS, OF_FILE) == 0;
    *ret_of = of_file ? SYNCD_CHUNK_OF_FILE : SYNCD_CHUNK_OF_ENTRY;
    return of_file || base[NAME_DIGITS] == '\0';
}

char *syncd_blobs_path(SyncdChunkOf of, const SyncdHash *name)
{
    char path[PATH_SIZE], digits[NAME_DIGITS + 1];
    syncd_hash_to_hex(name, digits);
    if (of == SYNCD_CHUNK_OF_FILE)
        file_path(name, path);
    else
        chunk_path(digits, path);
    return g_strdup(path);
}

bool syncd_blobs_put_file(SyncdDirectory *directory, const SyncdHash *name, SyncdBytes file,
                          GError **error)
{
    char path[PATH_SIZE];
    file_path(name, path);
    return put_at(directory, path, file.data, file.size, error);
}

GBytes *syncd_blobs_get_file(SyncdDirectory *directory, const SyncdHash *name, GError **error)
{
    char path[PATH_SIZE];
    size_t size;
    file_path(name, path);
    char *file = syncd_directory_read(directory, path, SYNCD_CHUNK_SIZE, &size, error);
    return file != NULL ? g_bytes_new_take(file, size) : NULL;
}

bool syncd_blobs_put(SyncdDirectory *directory, const char *scope, const SyncdSealKey *key,
                     const SyncdSources *sources, SyncdBytes content, GString *list, GError **error)
{
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, list, false);
    syncd_json_begin_object(&writer);
    syncd_json_name(&writer, "chunks");
    syncd_json_begin_array(&writer);
    for (size_t at = 0; at < content.size; at += SYNCD_CHUNK_CONTENT) {
        SyncdBytes part = {(const char *)content.data + at,
                           MIN(content.size - at, SYNCD_CHUNK_CONTENT)};
        size_t size;
        char name[NAME_DIGITS + 1];
        g_autofree guint8 *file =
            syncd_blobs_seal(SYNCD_CHUNK_OF_ENTRY, scope, key, sources, part, &size);
        if (!put_chunk(directory, file, size, name, error))
            return false;
        syncd_json_begin_object(&writer);
        syncd_json_member_string(&writer, "name", name);
        syncd_json_member_uint(&writer, "size", size);
        syncd_json_end_object(&writer);
    }
    syncd_json_end_array(&writer);

    char digest[SYNCD_DIGEST_SIZE];
    SyncdHash hash = syncd_hash(content.data, content.size);
    syncd_hash_to_digest(&hash, digest);
    syncd_json_member_string(&writer, "digest", digest);
    syncd_json_member_uint(&writer, "size", content.size);
    syncd_json_end_object(&writer);
    return true;
}

bool syncd_blobs_open(SyncdChunkOf of, const char *scope, const SyncdSealKey *key, SyncdBytes bytes,
                      GByteArray *out)
{
    const guint8 *file = bytes.data;
    size_t size = bytes.size;
    size_t overhead = key != NULL ? SYNCD_SEAL_OVERHEAD : SYNCD_SEAL_NONCE_SIZE;
    if (size <= overhead)
        return false; /* a chunk without content would let a list go on for ever */
    if (key == NULL) {
        g_byte_array_append(out, file + overhead, (guint)(size - overhead));
        return true;
    }
    g_autoptr(GByteArray) ad = associated_data(of, scope, key);
    guint before = out->len;
    g_byte_array_set_size(out, before + (guint)(size - overhead));
    if (!syncd_unseal(key, SYNCD_BYTES(ad->data, ad->len), file, size, out->data + before))
        return false;
    /* Equal content is one file only if the nonce depends on nothing else. */
    guint8 nonce[SYNCD_SEAL_NONCE_SIZE];
    syncd_seal_nonce_of(key, out->data + before, size - overhead, nonce);
    return memcmp(nonce, file, sizeof nonce) == 0;
}

static bool get_chunk(SyncdDirectory *directory, const char *scope, const SyncdSealKey *key,
                      SyncdJson item, GByteArray *out, GError **error)
{
    char path[PATH_SIZE];
    SyncdHash named;
    size_t size;
    gint64 listed;
    g_autofree char *name = syncd_json_dup_text(syncd_json_member(item, "name"));
    if (name == NULL || !syncd_hash_from_hex(name, strlen(name), &named) ||
        !syncd_json_get_int64(syncd_json_member(item, "size"), &listed)) {
        syncd_set_error(error, SYNCD_ERROR_JOURNAL_CORRUPT, "A chunk list names no chunk");
        return false;
    }
    chunk_path(name, path);
    g_autofree char *file = syncd_directory_read(directory, path, SYNCD_CHUNK_SIZE, &size, error);
    if (file == NULL)
        return false;
    SyncdHash hash = syncd_hash(file, size);
    /* Each chunk but the last is full, so content has one way of being cut. */
    bool in_place = out->len % SYNCD_CHUNK_CONTENT == 0;
    if ((gint64)size != listed || !in_place || !syncd_hash_equal(&hash, &named) ||
        !syncd_blobs_open(SYNCD_CHUNK_OF_ENTRY, scope, key, SYNCD_BYTES(file, size), out)) {
        syncd_set_error(error, SYNCD_ERROR_JOURNAL_CORRUPT, "The chunk %s is not what was stored",
                        name);
        return false;
    }
    return true;
}

char *syncd_blobs_get(SyncdDirectory *directory, const char *scope, const SyncdSealKey *key,
                      SyncdBytes list, size_t max, size_t *ret_size, GError **error)
{
    if (!syncd_json_check(list.data, list.size, SYNCD_JSON_MUST_BE_OBJECT, error))
        return NULL;
    SyncdJson root = syncd_json_root(list.data, list.size);
    SyncdJson chunks = syncd_json_member(root, "chunks");
    gint64 size = -1;
    if (!syncd_canonical_is(list.data, list.size) || chunks.type != SYNCD_JSON_ARRAY ||
        !syncd_json_get_int64(syncd_json_member(root, "size"), &size) || size < 0 ||
        (guint64)size > max) {
        syncd_set_error(error, SYNCD_ERROR_JOURNAL_CORRUPT,
                        "A chunk list has no chunks or no possible size");
        return NULL;
    }

    g_autoptr(GByteArray) content = g_byte_array_new();
    SyncdJsonIter iter;
    SyncdJson item;
    syncd_json_iter_init(&iter, chunks);
    while (syncd_json_iter_next(&iter, NULL, &item)) {
        if (!get_chunk(directory, scope, key, item, content, error))
            return NULL;
        if (content->len > (guint64)size)
            break;
    }

    char digest[SYNCD_DIGEST_SIZE];
    SyncdHash hash = syncd_hash(content->data, content->len);
    syncd_hash_to_digest(&hash, digest);
    if (content->len != (guint64)size ||
        !syncd_json_is(syncd_json_member(root, "digest"), digest)) {
        syncd_set_error(error, SYNCD_ERROR_JOURNAL_CORRUPT,
                        "The chunks of a list do not make up its content");
        return NULL;
    }
    g_byte_array_append(content, (const guint8 *)"", 1);
    *ret_size = (size_t)size;
    return (char *)g_byte_array_free(g_steal_pointer(&content), FALSE);
}

bool syncd_blobs_each(SyncdBytes list, bool (*take)(void *data, const char *name, guint64 size),
                      void *data)
{
    SyncdJsonIter iter;
    SyncdJson item;
    SyncdHash hash;
    if (!syncd_json_check(list.data, list.size, SYNCD_JSON_MUST_BE_OBJECT, NULL))
        return false;
    syncd_json_iter_init(&iter, syncd_json_member(syncd_json_root(list.data, list.size), "chunks"));
    while (syncd_json_iter_next(&iter, NULL, &item)) {
        g_autofree char *name = syncd_json_dup_text(syncd_json_member(item, "name"));
        gint64 size = 0;
        if (name == NULL || !syncd_hash_from_hex(name, strlen(name), &hash) ||
            !syncd_json_get_int64(syncd_json_member(item, "size"), &size) || size < 0)
            return false;
        if (!take(data, name, (guint64)size))
            break;
    }
    return true;
}

bool syncd_blobs_remove_file(SyncdDirectory *directory, const SyncdHash *name, GError **error)
{
    char path[PATH_SIZE], digits[NAME_DIGITS + 1];
    file_path(name, path);
    syncd_hash_to_hex(name, digits);
    g_autofree char *left = g_strdup_printf("blobs/%.2s/.%s" OF_FILE ".new", digits, digits);
    return syncd_directory_remove(directory, path, error) &&
           syncd_directory_remove(directory, left, error);
}

bool syncd_blobs_remove(SyncdDirectory *directory, const char *name, GError **error)
{
    char path[PATH_SIZE];
    chunk_path(name, path);
    g_autofree char *left = g_strdup_printf("blobs/%.2s/.%s.new", name, name);
    return syncd_directory_remove(directory, path, error) &&
           syncd_directory_remove(directory, left, error);
}
