/*
 * Stored bodies and chunk lists. In a public scope a body is what stands there; under a key only
 * what was sealed opens, and that as it was. A chunk list is taken only for the content that it
 * names, and that content has no other list.
 */
#include "fuzz.h"
#include "scratch.h"

#include "base/json.h"
#include "crypto/seal.h"
#include "store/blobs.h"
#include "store/body.h"

#define FEED "device-1/workspace-1/1"
#define SEQ 5
#define SCOPE "workspace-1"
#define LIST_MAX (4u * 1024u * 1024u)

static SyncdSealKey *key;
static SyncdDirectory *directory;

/* ---- bodies ---- */

static SyncdHeader header_of(SyncdBytes stored)
{
    return (SyncdHeader){
        .known = true,
        .body_digest = syncd_hash(stored.data, stored.size),
        .body_size = stored.size,
        .op = SYNCD_BYTES_TEXT("op-1"),
        .seq = SEQ,
    };
}

static bool open_body(const SyncdSealKey *with, SyncdBytes stored, SyncdBody *ret_body)
{
    SyncdHeader header = header_of(stored);
    g_autoptr(GError) error = NULL;
    bool good = syncd_body_open(with, FEED, &header, stored, ret_body, &error);
    LAW(good == (error == NULL));

    header.body_size++;
    SyncdBody other = {0};
    LAW(!syncd_body_open(with, FEED, &header, stored, &other, NULL));
    return good;
}

static void check_public(SyncdBytes stored)
{
    g_auto(SyncdBody) body = {0};
    if (!open_body(NULL, stored, &body))
        return;
    const char *plain = (const char *)stored.data + SYNCD_SEAL_NONCE_SIZE;
    LAW(SYNCD_SEAL_NONCE_SIZE + body.meta_size + 1 + body.content_size == stored.size);
    LAW(memcmp(plain, body.meta, body.meta_size) == 0 && plain[body.meta_size] == '\n');
    LAW(memchr(body.meta, '\n', body.meta_size) == NULL);
    LAW(memcmp(plain + body.meta_size + 1, body.content, body.content_size) == 0);
}

/* The bytes are not what this key has sealed, but can be sealed. */
static void check_sealed(SyncdBytes stored)
{
    g_auto(SyncdBody) forged = {0};
    g_auto(SyncdBody) body = {0};
    g_autoptr(GByteArray) sealed = NULL;
    LAW(!open_body(key, stored, &forged));

    sealed = syncd_body_seal(key, scratch_sources(), FEED, SEQ, SYNCD_BYTES_TEXT("{}"), stored);
    LAW(open_body(key, SYNCD_BYTES(sealed->data, sealed->len), &body));
    LAW(strcmp(body.meta, "{}") == 0 && body.content_size == stored.size);
    LAW(stored.size == 0 || memcmp(body.content, stored.data, stored.size) == 0);
}

/* ---- chunk lists ---- */

static size_t count_members(SyncdJson container)
{
    size_t count = 0;
    SyncdJsonIter iter;
    syncd_json_iter_init(&iter, container);
    while (syncd_json_iter_next(&iter, NULL, NULL))
        count++;
    return count;
}

static bool is_all_known(SyncdBytes list)
{
    SyncdJsonIter iter;
    SyncdJson chunk, root = syncd_json_root(list.data, list.size);
    syncd_json_iter_init(&iter, syncd_json_member(root, "chunks"));
    while (syncd_json_iter_next(&iter, NULL, &chunk))
        if (count_members(chunk) != 2)
            return false;
    return count_members(root) == 3;
}

static void check_list(SyncdBytes list)
{
    size_t size;
    g_autoptr(GError) error = NULL;
    g_autofree char *content =
        syncd_blobs_get(directory, SCOPE, key, list, LIST_MAX, &size, &error);
    LAW((content != NULL) == (error == NULL));
    if (content == NULL)
        return;

    char digest[SYNCD_DIGEST_SIZE];
    SyncdHash hash = syncd_hash(content, size);
    syncd_hash_to_digest(&hash, digest);
    SyncdJson root = syncd_json_root(list.data, list.size);
    LAW(size <= LIST_MAX && content[size] == '\0');
    LAW(syncd_json_is(syncd_json_member(root, "digest"), digest));
    if (!is_all_known(list))
        return;
    g_autoptr(GString) again = g_string_new(NULL);
    LAW(syncd_blobs_put(directory, SCOPE, key, scratch_sources(), SYNCD_BYTES(content, size), again,
                        NULL));
    LAW(again->len == list.size && memcmp(again->str, list.data, list.size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SyncdBytes bytes = {data, size};
    check_public(bytes);
    check_sealed(bytes);
    check_list(bytes);
    return 0;
}

/* The lists of these are among the corpus: the key is always the same. */
static void put_content(const char *text, size_t copies)
{
    g_autoptr(GString) content = g_string_new(NULL);
    g_autoptr(GString) list = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    size_t size;
    for (size_t i = 0; i < copies; i++)
        g_string_append(content, text);
    LAW(syncd_blobs_put(directory, SCOPE, key, scratch_sources(),
                        SYNCD_BYTES(content->str, content->len), list, &error));
    g_autofree char *back = syncd_blobs_get(
        directory, SCOPE, key, SYNCD_BYTES(list->str, list->len), LIST_MAX, &size, &error);
    LAW(back != NULL && size == content->len && memcmp(back, content->str, size) == 0);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static const guint8 secret[SYNCD_SEAL_KEY_SIZE] = {9};
    g_autoptr(GError) error = NULL;
    if (syncd_crypto_init(&error))
        key = syncd_seal_key_new(secret, &error);
    LAW(key != NULL);
    directory = syncd_directory_open(scratch_directory(), SYNCD_DIRECTORY_CREATE, &error);
    LAW(directory != NULL);
    put_content("", 0);
    put_content("a", 1);
    put_content("0123456789abcdef", SYNCD_CHUNK_CONTENT / 16 + 2);
    return 0;
}
