#include "store/keyring.h"

#include "base/id.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <sodium.h>

#define FOLDER "keys"
#define DEVICE_FILE "device.key"
#define KEY_FILE_MAX 4096
#define DEVICE_DATA_SIZE 64 /* Ed25519 seed, X25519 seed */
#define ID_DIGITS 26
#define AHEAD_MAX_USEC ((guint64)1 << 57) /* four thousand years */

struct SyncdKeyring {
    SyncdDirectory *directory;
    SyncdSealKey *wrap; /* NULL: key files are plain */
    SyncdSigner *signer;
    SyncdBoxKey *box;
    char *device_id;
    char *device_fault;   /* why the file of the device's key is of no use; NULL: it is, or gone */
    GHashTable *by_id;    /* id -> SyncdSealKey * (owned) */
    GHashTable *by_scope; /* scope -> SyncdSealKey * (borrowed), the newest */
    GHashTable *files;    /* name -> SyncdHash of its text */
    char *newest_file;    /* the last name of all key files of scopes, NULL when there is none */
};

char *syncd_device_id_of(const SyncdPublicKey *key)
{
    static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";
    SyncdBytes parts[] = {SYNCD_BYTES_TEXT("sourceos-device-v1"),
                          SYNCD_BYTES(key->bytes, sizeof key->bytes)};
    SyncdHash hash = syncd_hash_parts(parts, G_N_ELEMENTS(parts));

    GString *id = g_string_new("device-");
    for (unsigned bit = 0; bit < ID_DIGITS * 5; bit += 5) {
        unsigned window = (unsigned)hash.bytes[bit / 8] << 8 | hash.bytes[bit / 8 + 1];
        g_string_append_c(id, digits[window >> (11 - bit % 8) & 31]);
    }
    return g_string_free(id, FALSE);
}

static GBytes *wrap_data(const char *name)
{
    GByteArray *ad = g_byte_array_new();
    g_byte_array_append(ad, (const guint8 *)"sourceos-key-v1",
                        sizeof "sourceos-key-v1"); /* with its NUL */
    g_byte_array_append(ad, (const guint8 *)name, (guint)strlen(name));
    return g_byte_array_free_to_bytes(ad);
}

static char *encode_data(SyncdKeyring *self, const char *name, const guint8 *data, size_t size,
                         const SyncdSources *sources)
{
    if (self->wrap == NULL)
        return g_base64_encode(data, size);

    g_autoptr(GBytes) ad = wrap_data(name);
    guint8 nonce[SYNCD_SEAL_NONCE_SIZE];
    syncd_sources_random(sources, nonce, sizeof nonce);
    g_autofree guint8 *blob = g_malloc(size + SYNCD_SEAL_OVERHEAD);
    syncd_seal(self->wrap, nonce, SYNCD_BYTES(g_bytes_get_data(ad, NULL), g_bytes_get_size(ad)),
               data, size, blob);
    return g_base64_encode(blob, size + SYNCD_SEAL_OVERHEAD);
}

static void note_text(SyncdKeyring *self, const char *name, const char *text, size_t size)
{
    SyncdHash hash = syncd_hash(text, size);
    g_hash_table_insert(self->files, g_strdup(name), g_memdup2(&hash, sizeof hash));
}

static bool write_key_file(SyncdKeyring *self, const char *name, const char *type,
                           const char *scope, const guint8 *data, size_t size,
                           const SyncdSources *sources, GError **error)
{
    g_autofree char *encoded = encode_data(self, name, data, size, sources);
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_key_file_set_string(file, "Key", "Type", type);
    if (scope != NULL)
        g_key_file_set_string(file, "Key", "Scope", scope);
    g_key_file_set_string(file, "Key", "Wrapped", self->wrap != NULL ? "credential" : "no");
    g_key_file_set_string(file, "Key", "Data", encoded);

    size_t text_size;
    g_autofree char *text = g_key_file_to_data(file, &text_size, NULL);
    g_autofree char *path = g_build_filename(FOLDER, name, NULL);
    bool ok = syncd_directory_publish(self->directory, path, SYNCD_BYTES(text, text_size), error);
    if (ok)
        note_text(self, name, text, text_size);
    sodium_memzero(text, text_size);
    sodium_memzero(encoded, strlen(encoded));
    return ok;
}

static bool damaged(const char *name, GError **error)
{
    syncd_set_error_next(error, SYNCD_ERROR_JOURNAL_CORRUPT, "restore the file from a backup",
                         "The key file keys/%s is damaged", name);
    return false;
}

/* The secret bytes of a key file, `size` of them, or NULL. */
static guint8 *decode_data(SyncdKeyring *self, GKeyFile *file, const char *name, size_t size,
                           GError **error)
{
    g_autofree char *wrapped = g_key_file_get_string(file, "Key", "Wrapped", NULL);
    g_autofree char *encoded = g_key_file_get_string(file, "Key", "Data", NULL);
    size_t stored_size = 0;
    g_autofree guint8 *stored = encoded != NULL ? g_base64_decode(encoded, &stored_size) : NULL;

    if (encoded != NULL)
        sodium_memzero(encoded, strlen(encoded));

    if (g_strcmp0(wrapped, "no") == 0 && stored_size == size)
        return g_steal_pointer(&stored);
    if (g_strcmp0(wrapped, "credential") != 0 || stored_size != size + SYNCD_SEAL_OVERHEAD) {
        damaged(name, error);
        return NULL;
    }

    g_autoptr(GBytes) ad = wrap_data(name);
    g_autofree guint8 *data = g_malloc(size);
    if (self->wrap == NULL ||
        !syncd_unseal(self->wrap, SYNCD_BYTES(g_bytes_get_data(ad, NULL), g_bytes_get_size(ad)),
                      stored, stored_size, data)) {
        syncd_set_error_next(
            error, SYNCD_ERROR_ACCESS_DENIED,
            "give the credential sourceos-sync.key that was there when the state was made",
            "The key file keys/%s is wrapped and the credential that opens it is not here", name);
        return NULL;
    }
    return g_steal_pointer(&data);
}

static bool adopt_device(SyncdKeyring *self, const guint8 data[DEVICE_DATA_SIZE], GError **error)
{
    g_clear_pointer(&self->signer, syncd_signer_free);
    g_clear_pointer(&self->box, syncd_box_key_free);
    g_clear_pointer(&self->device_id, g_free);
    self->signer = syncd_signer_new(data, error);
    self->box = self->signer != NULL ? syncd_box_key_new(data + SYNCD_SIGN_SEED_SIZE, error) : NULL;
    if (self->box == NULL)
        return false;
    self->device_id = syncd_device_id_of(syncd_signer_public_key(self->signer));
    return true;
}

static bool adopt_scope_key(SyncdKeyring *self, const char *scope,
                            const guint8 data[SYNCD_SEAL_KEY_SIZE], GError **error)
{
    SyncdSealKey *key = syncd_seal_key_new(data, error);
    if (key == NULL)
        return false;
    char id[SYNCD_HASH_HEX_SIZE];
    syncd_hash_to_hex(syncd_seal_key_id(key), id);
    /* A file may be there twice, as a copy; the key that scopes refer to stays. */
    SyncdSealKey *present = g_hash_table_lookup(self->by_id, id);
    if (present != NULL)
        syncd_seal_key_free(key);
    else
        g_hash_table_insert(self->by_id, g_strdup(id), key);
    g_hash_table_insert(self->by_scope, g_strdup(scope), present != NULL ? present : key);
    return true;
}

static void remember_file(SyncdKeyring *self, const char *name)
{
    g_free(self->newest_file);
    self->newest_file = g_strdup(name);
}

static bool read_key_file(SyncdKeyring *self, const char *name, GError **error)
{
    size_t size;
    g_autofree char *path = g_build_filename(FOLDER, name, NULL);
    g_autofree char *text = syncd_directory_read(self->directory, path, KEY_FILE_MAX, &size, error);
    if (text == NULL)
        return false;

    g_autoptr(GKeyFile) file = g_key_file_new();
    g_key_file_load_from_data(file, text, size, G_KEY_FILE_NONE, NULL);
    note_text(self, name, text, size);
    sodium_memzero(text, size);
    bool device = strcmp(name, DEVICE_FILE) == 0;
    g_autofree char *type = g_key_file_get_string(file, "Key", "Type", NULL);
    g_autofree char *scope = g_key_file_get_string(file, "Key", "Scope", NULL);
    if (g_strcmp0(type, device ? "device" : "scope") != 0 || (!device && scope == NULL))
        return damaged(name, error);
    size_t data_size = device ? DEVICE_DATA_SIZE : SYNCD_SEAL_KEY_SIZE;
    guint8 *data = decode_data(self, file, name, data_size, error);
    if (data == NULL)
        return false;

    bool ok = device ? adopt_device(self, data, error) : adopt_scope_key(self, scope, data, error);
    if (!device)
        remember_file(self, name);
    sodium_memzero(data, data_size);
    g_free(data);
    return ok;
}

/* What cannot be used is as good as gone: the rest can be read, and somebody told. Without the
 * credential for all of them nothing is as it was; and what the disk did not give just now may be
 * there the next time: until then no index is made without it. */
static bool can_do_without(SyncdKeyring *self, const char *path, const GError *problem)
{
    return g_error_matches(problem, SYNCD_ERROR, SYNCD_ERROR_JOURNAL_CORRUPT) ||
           g_error_matches(problem, SYNCD_ERROR, SYNCD_ERROR_TOO_LARGE) ||
           syncd_directory_refuses(self->directory, path);
}

static bool read_or_miss(SyncdKeyring *self, const char *name, GError **error)
{
    g_autofree char *path = g_build_filename(FOLDER, name, NULL);
    g_autoptr(GError) problem = NULL;
    if (read_key_file(self, name, &problem))
        return true;
    if (!can_do_without(self, path, problem)) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return false;
    }
    /* No text has this hash: so it is one of those that are gone. */
    g_hash_table_insert(self->files, g_strdup(name), g_new0(SyncdHash, 1));
    if (strcmp(name, DEVICE_FILE) == 0)
        syncd_keyring_disown(self, problem->message);
    else
        remember_file(self, name);
    return true;
}

static int by_name(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool read_all(SyncdKeyring *self, GError **error)
{
    g_autofree char *path = syncd_directory_file(self->directory, FOLDER);
    if (!syncd_directory_has(self->directory, FOLDER))
        return true;
    g_autoptr(GError) problem = NULL;
    g_autoptr(GDir) folder = g_dir_open(path, 0, &problem);
    if (folder == NULL) {
        syncd_set_error(error, SYNCD_ERROR_STORAGE_FAILED, "Cannot list the keys: %s",
                        problem->message);
        return false;
    }

    /* Key files are named by a time-ordered id: the last of a scope is its newest. */
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    const char *name;
    while ((name = g_dir_read_name(folder)) != NULL)
        if (g_str_has_suffix(name, ".key") && name[0] != '.')
            g_ptr_array_add(names, g_strdup(name));
    g_ptr_array_sort(names, by_name);
    for (guint i = 0; i < names->len; i++)
        if (!read_or_miss(self, names->pdata[i], error))
            return false;
    return true;
}

SyncdKeyring *syncd_keyring_open(SyncdDirectory *directory, SyncdBytes credential, GError **error)
{
    g_autoptr(SyncdKeyring) self = g_new0(SyncdKeyring, 1);
    self->directory = directory;
    self->by_id =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)syncd_seal_key_free);
    self->by_scope = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    self->files = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);

    if (credential.size > 0) {
        SyncdBytes parts[] = {SYNCD_BYTES_TEXT("sourceos-key-wrap-v1"), credential};
        SyncdHash secret = syncd_hash_parts(parts, G_N_ELEMENTS(parts));
        self->wrap = syncd_seal_key_new(secret.bytes, error);
        sodium_memzero(&secret, sizeof secret);
        if (self->wrap == NULL)
            return NULL;
    }
    if (!read_all(self, error))
        return NULL;
    return g_steal_pointer(&self);
}

void syncd_keyring_free(SyncdKeyring *self)
{
    if (self == NULL)
        return;
    g_hash_table_unref(self->by_scope);
    g_hash_table_unref(self->by_id);
    g_hash_table_unref(self->files);
    syncd_seal_key_free(self->wrap);
    syncd_signer_free(self->signer);
    syncd_box_key_free(self->box);
    g_free(self->device_id);
    g_free(self->device_fault);
    g_free(self->newest_file);
    g_free(self);
}

bool syncd_keyring_has_device(const SyncdKeyring *self)
{
    return self->signer != NULL;
}

void syncd_keyring_disown(SyncdKeyring *self, const char *why)
{
    char *sentence = NULL;
    g_autofree char *next = NULL;
    g_clear_pointer(&self->signer, syncd_signer_free);
    g_clear_pointer(&self->box, syncd_box_key_free);
    g_clear_pointer(&self->device_id, g_free);
    g_free(self->device_fault);
    syncd_error_split(why, &sentence, &next);
    self->device_fault = sentence;
}

const char *syncd_keyring_device_fault(const SyncdKeyring *self)
{
    return self->device_fault;
}

/* A key whose log is gone may still be that of a log in some backup, also one that is of no use as
 * it is. */
static bool keep_old_device(SyncdKeyring *self, GError **error)
{
    if (self->device_fault != NULL) {
        syncd_set_error_next(error, SYNCD_ERROR_NOT_INITIALIZED,
                             "put the right one there, or move it away to begin another log",
                             "There is no log, and no other key is made for one while there is a "
                             "key of a device that is of no use: %s",
                             self->device_fault);
        return false;
    }
    if (self->signer == NULL)
        return true;
    g_autofree char *now = syncd_directory_file(self->directory, FOLDER "/" DEVICE_FILE);
    g_autofree char *kept = g_strconcat(now, ".", self->device_id, NULL);
    if (g_rename(now, kept) == 0)
        return true;
    syncd_set_error_errno(error, SYNCD_ERROR_STORAGE_FAILED, errno,
                          "Cannot keep the old key of the device");
    return false;
}

void syncd_keyring_assume_device(SyncdKeyring *self, const char *device_id)
{
    g_free(self->device_id);
    self->device_id = g_strdup(device_id);
}

bool syncd_keyring_make_device(SyncdKeyring *self, const SyncdSources *sources, GError **error)
{
    if (!keep_old_device(self, error))
        return false;
    guint8 data[DEVICE_DATA_SIZE];
    syncd_sources_random(sources, data, sizeof data);
    bool ok =
        write_key_file(self, DEVICE_FILE, "device", NULL, data, sizeof data, sources, error) &&
        adopt_device(self, data, error);
    sodium_memzero(data, sizeof data);
    return ok;
}

const SyncdSigner *syncd_keyring_signer(const SyncdKeyring *self)
{
    return self->signer;
}

const char *syncd_keyring_device_id(const SyncdKeyring *self)
{
    return self->device_id;
}

typedef struct {
    const SyncdSources *sources;
    guint64 ahead_usec;
} LaterClock;

static guint64 later_now(void *data)
{
    LaterClock *clock = data;
    return syncd_sources_realtime_usec(clock->sources) + clock->ahead_usec;
}

static void same_random(void *data, void *bytes, size_t size)
{
    syncd_sources_random(((LaterClock *)data)->sources, bytes, size);
}

/* Which key of a scope is the newest is told by the order of the files' names, so a new one comes
 * after all others, also when the clock was set back. */
static char *next_file(SyncdKeyring *self, const SyncdSources *sources)
{
    LaterClock clock = {.sources = sources};
    SyncdSources later = {.realtime_usec = later_now, .random_bytes = same_random, .data = &clock};
    for (clock.ahead_usec = 0;; clock.ahead_usec = clock.ahead_usec * 2 + 1000) {
        g_autofree char *id = syncd_id_new(&later, "scope");
        g_autofree char *name = g_strconcat(id, ".key", NULL);
        /* A foreign name may come after all that there are. */
        if (self->newest_file == NULL || strcmp(name, self->newest_file) > 0 ||
            clock.ahead_usec > AHEAD_MAX_USEC)
            return g_steal_pointer(&name);
    }
}

bool syncd_keyring_make_scope_key(SyncdKeyring *self, const char *scope,
                                  const SyncdSources *sources, GError **error)
{
    guint8 data[SYNCD_SEAL_KEY_SIZE];
    syncd_sources_random(sources, data, sizeof data);
    g_autofree char *name = next_file(self, sources);
    bool ok = write_key_file(self, name, "scope", scope, data, sizeof data, sources, error) &&
              adopt_scope_key(self, scope, data, error);
    if (ok)
        remember_file(self, name);
    sodium_memzero(data, sizeof data);
    return ok;
}

const SyncdSealKey *syncd_keyring_scope_key(const SyncdKeyring *self, const char *scope)
{
    return g_hash_table_lookup(self->by_scope, scope);
}

const SyncdSealKey *syncd_keyring_find(const SyncdKeyring *self, SyncdBytes key_id)
{
    char id[SYNCD_HASH_HEX_SIZE];
    if (key_id.size != sizeof id - 1)
        return NULL;
    memcpy(id, key_id.data, sizeof id - 1);
    id[sizeof id - 1] = '\0';
    return g_hash_table_lookup(self->by_id, id);
}

static bool is_there(SyncdKeyring *self, const char *path, const SyncdHash *known)
{
    size_t size;
    g_autofree char *text = syncd_directory_read(self->directory, path, KEY_FILE_MAX, &size, NULL);
    if (text == NULL)
        return false;
    SyncdHash hash = syncd_hash(text, size);
    sodium_memzero(text, size);
    return syncd_hash_equal(&hash, known);
}

GPtrArray *syncd_keyring_gone(SyncdKeyring *self)
{
    GPtrArray *gone = g_ptr_array_new_with_free_func(g_free);
    GHashTableIter iter;
    void *name, *hash;
    g_hash_table_iter_init(&iter, self->files);
    while (g_hash_table_iter_next(&iter, &name, &hash)) {
        g_autofree char *path = g_build_filename(FOLDER, name, NULL);
        if (!is_there(self, path, hash))
            g_ptr_array_add(gone, g_steal_pointer(&path));
    }
    g_ptr_array_sort(gone, by_name);
    return gone;
}
