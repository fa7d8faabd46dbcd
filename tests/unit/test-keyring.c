/*
 * Keys come back as they were made, never as others, and never quietly as none.
 */
#include "store-fixture.h"
#include "store/keyring.h"

#include <sodium.h>
#include <sys/stat.h>

#define CREDENTIAL SYNCD_BYTES_TEXT("a credential of the system")
#define NO_CREDENTIAL SYNCD_BYTES("", 0)
#define HOUR_USEC (G_GUINT64_CONSTANT(3600) * G_USEC_PER_SEC)

typedef struct {
    Fixture f;
    SyncdDirectory *directory;
    SyncdKeyring *keyring;
} Place;

static void open_keyring(Place *p, SyncdBytes credential)
{
    g_autoptr(GError) error = NULL;
    g_clear_pointer(&p->keyring, syncd_keyring_free);
    p->keyring = syncd_keyring_open(p->directory, credential, &error);
    g_assert_no_error(error);
}

static void place_init(Place *p, SyncdBytes credential)
{
    g_autoptr(GError) error = NULL;
    *p = (Place){0};
    fixture_init(&p->f, 61);
    p->directory = syncd_directory_open(p->f.directory, SYNCD_DIRECTORY_CREATE, &error);
    g_assert_no_error(error);
    open_keyring(p, credential);
}

static void place_clear(Place *p)
{
    g_clear_pointer(&p->keyring, syncd_keyring_free);
    g_clear_pointer(&p->directory, syncd_directory_free);
    fixture_clear(&p->f);
}

static void make_key(Place *p, const char *scope)
{
    g_autoptr(GError) error = NULL;
    syncd_keyring_make_scope_key(p->keyring, scope, &p->f.sources, &error);
    g_assert_no_error(error);
}

static void make_device(Place *p)
{
    g_autoptr(GError) error = NULL;
    syncd_keyring_make_device(p->keyring, &p->f.sources, &error);
    g_assert_no_error(error);
}

static void assert_fails(Place *p, SyncdBytes credential, SyncdErrorCode code)
{
    g_autoptr(GError) error = NULL;
    g_assert_null(syncd_keyring_open(p->directory, credential, &error));
    g_assert_error(error, SYNCD_ERROR, (int)code);
}

static SyncdHash id_of(Place *p, const char *scope)
{
    const SyncdSealKey *key = syncd_keyring_scope_key(p->keyring, scope);
    g_assert_nonnull(key);
    return *syncd_seal_key_id(key);
}

/* The path of the only key file that is not the device's. */
static char *scope_file(Place *p)
{
    g_autofree char *folder = g_build_filename(p->f.directory, "keys", NULL);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;
    while ((name = g_dir_read_name(dir)) != NULL)
        if (strcmp(name, "device.key") != 0)
            return g_build_filename(folder, name, NULL);
    g_assert_not_reached();
}

static void round_trip(SyncdBytes credential)
{
    Place p;
    place_init(&p, credential);
    g_assert_false(syncd_keyring_has_device(p.keyring));
    make_device(&p);
    make_key(&p, "workspace-a");
    g_autofree char *device = g_strdup(syncd_keyring_device_id(p.keyring));
    SyncdPublicKey public_key = *syncd_signer_public_key(syncd_keyring_signer(p.keyring));
    SyncdHash key = id_of(&p, "workspace-a");

    open_keyring(&p, credential);
    g_assert_true(syncd_keyring_has_device(p.keyring));
    g_assert_cmpstr(syncd_keyring_device_id(p.keyring), ==, device);
    g_assert_cmpmem(syncd_signer_public_key(syncd_keyring_signer(p.keyring)), sizeof public_key,
                    &public_key, sizeof public_key);
    SyncdHash again = id_of(&p, "workspace-a");
    g_assert_true(syncd_hash_equal(&key, &again));
    g_assert_null(syncd_keyring_scope_key(p.keyring, "workspace-b"));

    struct stat st;
    g_autofree char *path = scope_file(&p);
    g_assert_cmpint(stat(path, &st), ==, 0);
    g_assert_cmpint(st.st_mode & 0777, ==, 0600);
    place_clear(&p);
}

static void plain_keys_come_back(void)
{
    round_trip(NO_CREDENTIAL);
}

static void wrapped_keys_come_back(void)
{
    round_trip(CREDENTIAL);
}

static void wrapped_keys_need_their_credential(void)
{
    Place p;
    place_init(&p, CREDENTIAL);
    make_device(&p);
    make_key(&p, "workspace-a");
    g_autofree char *path = scope_file(&p), *text = NULL, *data = NULL;
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_nonnull(strstr(text, "Wrapped=credential"));
    data = g_base64_encode(syncd_seal_key_bytes(syncd_keyring_scope_key(p.keyring, "workspace-a")),
                           32);
    data[40] = '\0';
    g_assert_null(strstr(text, data));

    assert_fails(&p, NO_CREDENTIAL, SYNCD_ERROR_ACCESS_DENIED);
    assert_fails(&p, SYNCD_BYTES_TEXT("another"), SYNCD_ERROR_ACCESS_DENIED);

    /* A wrapped file is bound to its name. */
    g_autofree char *other = g_strconcat(path, ".key", NULL);
    g_assert_cmpint(g_rename(path, other), ==, 0);
    assert_fails(&p, CREDENTIAL, SYNCD_ERROR_ACCESS_DENIED);
    place_clear(&p);
}

/* Its scope has none, all others have theirs, and it is told. */
static void assert_missed(Place *p, const char *scope)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SyncdKeyring) keyring = syncd_keyring_open(p->directory, NO_CREDENTIAL, &error);
    g_assert_no_error(error);
    g_autoptr(GPtrArray) gone = syncd_keyring_gone(keyring);
    g_assert_cmpuint(gone->len, ==, 1);
    g_assert_true(g_str_has_prefix(gone->pdata[0], "keys/"));
    g_assert_null(syncd_keyring_scope_key(keyring, scope));
    g_assert_nonnull(syncd_keyring_scope_key(keyring, "workspace-b"));
}

static void assert_device_missed(Place *p)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SyncdKeyring) keyring = syncd_keyring_open(p->directory, NO_CREDENTIAL, &error);
    g_assert_no_error(error);
    g_assert_false(syncd_keyring_has_device(keyring));
    g_assert_nonnull(strstr(syncd_keyring_device_fault(keyring), "keys/device.key is damaged"));
    /* No other takes its place. */
    g_assert_false(syncd_keyring_make_device(keyring, &p->f.sources, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_NOT_INITIALIZED);
}

static void a_damaged_file_is_told(void)
{
    static const char *const texts[] = {
        "",
        "nonsense",
        "[Key]\nType=scope\nScope=s\nWrapped=no\n",
        "[Key]\nType=scope\nScope=s\nWrapped=no\nData=AAAA\n",
        "[Key]\nType=scope\nScope=s\nWrapped=maybe\n"
        "Data=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
        "[Key]\nType=device\nScope=s\nWrapped=no\n"
        "Data=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
        "[Key]\nType=scope\nWrapped=no\nData=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
    };
    Place p;
    place_init(&p, NO_CREDENTIAL);
    make_key(&p, "workspace-a");
    g_autofree char *path = scope_file(&p);
    make_key(&p, "workspace-b");
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_test_message("%s", texts[i]);
        g_assert_true(g_file_set_contents(path, texts[i], -1, NULL));
        assert_missed(&p, "workspace-a");
    }
    g_autofree char *large = g_strnfill(5000, '#');
    g_assert_true(g_file_set_contents(path, large, -1, NULL));
    assert_missed(&p, "workspace-a");

    g_autofree char *folder = g_path_get_dirname(path);
    g_autofree char *device = g_build_filename(folder, "device.key", NULL);
    g_assert_true(g_file_set_contents(device, "nonsense", -1, NULL));
    assert_device_missed(&p);
    fixture_remove(folder);
    g_assert_true(g_file_set_contents(folder, "no folder", -1, NULL));
    assert_fails(&p, NO_CREDENTIAL, SYNCD_ERROR_STORAGE_FAILED);
    place_clear(&p);
}

static void the_newest_key_is_current_and_old_ones_open(void)
{
    Place p;
    place_init(&p, NO_CREDENTIAL);
    SyncdHash made[20];
    for (size_t i = 0; i < G_N_ELEMENTS(made); i++) {
        make_key(&p, "workspace-a");
        made[i] = id_of(&p, "workspace-a");
        if (i == 9)
            p.f.now_usec -= HOUR_USEC; /* the clock is set back */
    }
    for (int again = 0; again < 2; again++) {
        SyncdHash current = id_of(&p, "workspace-a");
        g_assert_true(syncd_hash_equal(&current, &made[G_N_ELEMENTS(made) - 1]));
        for (size_t i = 0; i < G_N_ELEMENTS(made); i++) {
            char hex[SYNCD_HASH_HEX_SIZE];
            syncd_hash_to_hex(&made[i], hex);
            const SyncdSealKey *key = syncd_keyring_find(p.keyring, SYNCD_BYTES_TEXT(hex));
            g_assert_nonnull(key);
            g_assert_true(syncd_hash_equal(syncd_seal_key_id(key), &made[i]));
        }
        open_keyring(&p, NO_CREDENTIAL);
        if (again == 0) {
            make_key(&p, "workspace-a"); /* after a restart too */
            made[G_N_ELEMENTS(made) - 1] = id_of(&p, "workspace-a");
            open_keyring(&p, NO_CREDENTIAL);
        }
    }
    g_assert_null(syncd_keyring_find(p.keyring, SYNCD_BYTES_TEXT("")));
    g_assert_null(syncd_keyring_find(p.keyring, SYNCD_BYTES_TEXT("00")));
    place_clear(&p);
}

/* A key that is there twice is one key, whatever scope the copy names. */
static void a_copied_file_does_no_harm(void)
{
    Place p;
    place_init(&p, NO_CREDENTIAL);
    make_key(&p, "workspace-a");
    SyncdHash key = id_of(&p, "workspace-a");
    g_autofree char *path = scope_file(&p), *text = NULL;
    g_autofree char *folder = g_path_get_dirname(path);
    g_autofree char *copy = g_build_filename(folder, "zzz.key", NULL);
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    *strstr(text, "workspace-a") = 'W';
    g_assert_true(g_file_set_contents(copy, text, -1, NULL));
    open_keyring(&p, NO_CREDENTIAL);
    SyncdHash again = id_of(&p, "workspace-a"), copied = id_of(&p, "Workspace-a");
    g_assert_true(syncd_hash_equal(&key, &again));
    g_assert_true(syncd_hash_equal(&key, &copied));
    make_key(&p, "workspace-b"); /* whose name cannot come after that one */
    place_clear(&p);
}

/* As docs/format.md says it, from a big number instead of windows of bits. */
static void the_device_is_named_by_its_key(void)
{
    static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";
    Place p;
    place_init(&p, NO_CREDENTIAL);
    make_device(&p);
    const SyncdPublicKey *key = syncd_signer_public_key(syncd_keyring_signer(p.keyring));
    guint8 message[18 + 32], hash[32];
    memcpy(message, "sourceos-device-v1", 18);
    memcpy(message + 18, key->bytes, 32);
    crypto_hash_sha256(hash, message, sizeof message);

    GString *expected = g_string_new("device-");
    for (int digit = 0; digit < 26; digit++) {
        unsigned value = 0;
        for (int bit = digit * 5; bit < digit * 5 + 5; bit++)
            value = value * 2 + (hash[bit / 8] >> (7 - bit % 8) & 1u);
        g_string_append_c(expected, digits[value]);
    }
    g_assert_cmpstr(syncd_keyring_device_id(p.keyring), ==, expected->str);
    g_string_free(expected, TRUE);

    /* A fixed one, computed elsewhere. */
    SyncdPublicKey zero = {{0}};
    g_autofree char *named = syncd_device_id_of(&zero);
    g_assert_cmpstr(named, ==, "device-jf9wn5s1nq7k272jb67kn0qqps");
    place_clear(&p);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/keyring/plain-keys-come-back", plain_keys_come_back);
    g_test_add_func("/keyring/wrapped-keys-come-back", wrapped_keys_come_back);
    g_test_add_func("/keyring/wrapped-keys-need-their-credential",
                    wrapped_keys_need_their_credential);
    g_test_add_func("/keyring/a-damaged-file-is-told", a_damaged_file_is_told);
    g_test_add_func("/keyring/the-newest-key-is-current-and-old-ones-open",
                    the_newest_key_is_current_and_old_ones_open);
    g_test_add_func("/keyring/a-copied-file-does-no-harm", a_copied_file_does_no_harm);
    g_test_add_func("/keyring/the-device-is-named-by-its-key", the_device_is_named_by_its_key);
    return g_test_run();
}
