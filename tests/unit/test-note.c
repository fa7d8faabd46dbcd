#include "crypto/note.h"
#include "crypto/seal.h"

#define NAME "example.org/feed"
#define ROOT_TEXT "XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg="
#define TEXT NAME "\n8\n" ROOT_TEXT "\n"
#define LINE                                                                                       \
    "— " NAME " BhviCnGzrrmTLhZHR2F2hl7nnqL4uWNzDEGkWewC7Ulcd+SyFWK13w0UgYK37WnWMVcaB0EoFoJnd/2"   \
    "ngnsJ1ZYmow8=\n"
#define NOTE TEXT "\n" LINE
#define UNKNOWN_LINE "— someone.else AAAAAAA=\n"

static SyncdSigner *the_signer(void)
{
    guint8 seed[SYNCD_SIGN_SEED_SIZE];
    for (size_t i = 0; i < sizeof seed; i++)
        seed[i] = (guint8)i;
    SyncdSigner *signer = syncd_signer_new(seed, NULL);
    g_assert_nonnull(signer);
    return signer;
}

static SyncdHash the_root(void)
{
    SyncdHash root;
    g_assert_true(syncd_hash_from_hex(
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328", 64, &root));
    return root;
}

static bool verifies(const char *note, size_t size)
{
    g_autoptr(SyncdSigner) signer = the_signer();
    return syncd_note_verify(note, size, NAME, syncd_signer_public_key(signer));
}

static bool text_verifies(const char *note)
{
    return verifies(note, strlen(note));
}

static void assert_refused(const char *note, size_t size)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SyncdCheckpoint) checkpoint = syncd_checkpoint_parse(note, size, &error);
    g_assert_null(checkpoint);
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_INVALID_ENCODING);
}

static SyncdCheckpoint *assert_parsed(const char *note)
{
    g_autoptr(GError) error = NULL;
    SyncdCheckpoint *checkpoint = syncd_checkpoint_parse(note, strlen(note), &error);
    g_assert_no_error(error);
    g_assert_nonnull(checkpoint);
    return checkpoint;
}

/* Frozen; the same bytes come from another implementation of the two specifications. */
static void what_is_written(void)
{
    g_autoptr(SyncdSigner) signer = the_signer();
    SyncdHash root = the_root();
    g_autofree char *note = syncd_checkpoint_sign(NAME, 8, &root, signer);
    g_assert_cmpstr(note, ==, NOTE);
}

static void what_is_written_reads_back(void)
{
    SyncdHash root = the_root();
    g_autoptr(SyncdCheckpoint) checkpoint = assert_parsed(NOTE);
    g_assert_cmpstr(checkpoint->origin, ==, NAME);
    g_assert_cmpuint(checkpoint->size, ==, 8);
    g_assert_true(syncd_hash_equal(&checkpoint->root, &root));
    g_assert_null(checkpoint->extensions);
    g_assert_true(text_verifies(NOTE));
}

/* The example of the Go package that introduced the format. */
static void the_note_of_another_implementation(void)
{
    const char *note = "If you think cryptography is the answer to your problem,\n"
                       "then you don't know what your problem is.\n"
                       "\n"
                       "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZ"
                       "SNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
    const char *key_text = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    g_autofree char *name = NULL;
    SyncdPublicKey key;
    g_assert_true(syncd_verifier_key_parse(key_text, &name, &key));
    g_assert_cmpstr(name, ==, "PeterNeumann");
    g_assert_true(syncd_note_verify(note, strlen(note), name, &key));
    g_assert_false(syncd_note_verify(note, strlen(note), "OtherName", &key));

    g_autofree char *formatted = syncd_verifier_key_format(name, &key);
    g_assert_cmpstr(formatted, ==, key_text);
    assert_refused(note, strlen(note));
}

/* The example of the C2SP page. */
static void the_checkpoint_of_another_implementation(void)
{
    g_autoptr(SyncdCheckpoint) checkpoint = assert_parsed(
        "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
        "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhc"
        "yv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n");
    g_assert_cmpstr(checkpoint->origin, ==, "example.com/behind-the-sofa");
    g_assert_cmpuint(checkpoint->size, ==, 20852163);
}

static void any_changed_byte_fails(void)
{
    char note[] = NOTE;
    for (size_t i = 0; i < strlen(NOTE); i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            note[i] = (char)(NOTE[i] ^ (1 << bit));
            g_assert_false(verifies(note, strlen(NOTE)));
        }
        note[i] = '\n';
        g_assert_true(NOTE[i] == '\n' || !verifies(note, strlen(NOTE)));
        note[i] = NOTE[i];
    }
    g_assert_true(verifies(note, strlen(NOTE)));
}

static void any_cut_or_added_byte_fails(void)
{
    for (size_t size = 0; size < strlen(NOTE); size++) {
        g_assert_false(verifies(NOTE, size));
        assert_refused(NOTE, size);
    }
    g_assert_false(verifies(NOTE, sizeof NOTE)); /* with its NUL */
    g_assert_false(text_verifies(NOTE "\n"));
    g_assert_false(text_verifies("\n" NOTE));
    assert_refused(NULL, 0);
}

static void lines_of_unknown_keys_are_ignored(void)
{
    g_assert_true(text_verifies(TEXT "\n" UNKNOWN_LINE LINE));
    g_assert_true(text_verifies(TEXT "\n" LINE UNKNOWN_LINE));
    g_assert_true(text_verifies(TEXT "\n" LINE "— " NAME " AAAAAAA=\n")); /* our name, another id */
    g_assert_true(text_verifies(TEXT "\n" LINE "— other BhviCgA=\n"));    /* the reverse */
    g_assert_false(text_verifies(TEXT "\n" UNKNOWN_LINE));
    g_assert_false(text_verifies(TEXT "\n"
                                      "— " NAME " AAAAAAA=\n"));
}

/* A decoder that takes bytes beyond ASCII for digits would read both lines as the same bytes. */
static void base64_has_one_spelling(void)
{
    g_assert_true(text_verifies(NOTE "— witness BhviCv//\n"));
    g_assert_false(text_verifies(NOTE "— witness BhviCv\xc3\xa9\n"));
    g_assert_true(text_verifies(NOTE "— witness BhviCgA=\n"));
    g_assert_false(text_verifies(NOTE "— witness BhviCgB=\n"));
    g_assert_false(text_verifies(NOTE "— witness BhviCgA\n"));
}

static void a_bad_line_of_the_key_fails_the_note(void)
{
    g_autoptr(SyncdSigner) signer = the_signer();
    SyncdHash root = the_root();
    g_autofree char *other_note = syncd_checkpoint_sign(NAME, 9, &root, signer);
    const char *other_line = strstr(other_note, "— ");
    g_autofree char *after = g_strconcat(NOTE, other_line, NULL);
    g_autofree char *before = g_strconcat(TEXT "\n", other_line, LINE, NULL);
    g_assert_true(text_verifies(other_note));
    g_assert_false(text_verifies(after));
    g_assert_false(text_verifies(before));
    g_assert_false(text_verifies(NOTE "— " NAME " BhviCgA=\n")); /* name and id, then one byte */
    g_assert_true(text_verifies(NOTE LINE));
}

static void another_key_or_name_does_not_verify(void)
{
    guint8 seed[SYNCD_SIGN_SEED_SIZE] = {0};
    g_autoptr(SyncdSigner) signer = the_signer();
    g_autoptr(SyncdSigner) other = syncd_signer_new(seed, NULL);
    const SyncdPublicKey *key = syncd_signer_public_key(signer);
    g_assert_false(syncd_note_verify(NOTE, strlen(NOTE), NAME, syncd_signer_public_key(other)));
    g_assert_false(syncd_note_verify(NOTE, strlen(NOTE), "example.org/other", key));
    g_assert_false(syncd_note_verify(NOTE, strlen(NOTE), "", key));
}

static void the_signatures_begin_after_the_last_empty_line(void)
{
    g_autoptr(SyncdSigner) signer = the_signer();
    SyncdHash root = the_root();
    g_autofree char *note = syncd_checkpoint_sign(NAME, 8, &root, signer);
    g_autofree char *nested = g_strconcat(note, "\n", UNKNOWN_LINE, NULL);
    g_assert_false(text_verifies(nested));
    assert_refused(nested, strlen(nested));
}

static void hostile_notes_are_refused(void)
{
    static const char *const notes[] = {
        /* the frame */
        "\n",
        "\n\n",
        "\n\n" LINE,
        TEXT,
        TEXT "\n",
        TEXT "\n\n",
        TEXT LINE,
        TEXT "\n" LINE "\n",
        TEXT "\n" LINE "x\n",
        TEXT "\r\n" LINE,
        "a\tb\n8\n" ROOT_TEXT "\n\n" LINE,
        "a\x7f\x80\n8\n" ROOT_TEXT "\n\n" LINE,
        "\xed\xa0\x80\n8\n" ROOT_TEXT "\n\n" LINE,
        "\xc0\xaf\n8\n" ROOT_TEXT "\n\n" LINE,
        /* the text */
        "\n8\n" ROOT_TEXT "\n\n" LINE,
        NAME "\n\n" LINE,
        NAME "\n8\n\n" LINE,
        NAME "\n8\n" ROOT_TEXT "\nextension\n\nextension\n\n" LINE,
        NAME "\n\n" ROOT_TEXT "\n\n" LINE,
        NAME "\n08\n" ROOT_TEXT "\n\n" LINE,
        NAME "\n00\n" ROOT_TEXT "\n\n" LINE,
        NAME "\n+8\n" ROOT_TEXT "\n\n" LINE,
        NAME "\n-8\n" ROOT_TEXT "\n\n" LINE,
        NAME "\n 8\n" ROOT_TEXT "\n\n" LINE,
        NAME "\n8 \n" ROOT_TEXT "\n\n" LINE,
        NAME "\n0x8\n" ROOT_TEXT "\n\n" LINE,
        NAME "\n8e0\n" ROOT_TEXT "\n\n" LINE,
        NAME "\n٨\n" ROOT_TEXT "\n\n" LINE,
        NAME "\n9223372036854775808\n" ROOT_TEXT "\n\n" LINE,
        NAME "\n18446744073709551616\n" ROOT_TEXT "\n\n" LINE,
        NAME "\n18446744073709551624\n" ROOT_TEXT "\n\n" LINE,
        NAME "\n99999999999999999999999999999999999999\n" ROOT_TEXT "\n\n" LINE,
        /* the root: without padding, too much, bits unused, URL alphabet, a space, 31 and 33 bytes
         */
        NAME "\n8\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg\n\n" LINE,
        NAME "\n8\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg==\n\n" LINE,
        NAME "\n8\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyh=\n\n" LINE,
        NAME "\n8\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz-Nw7_RgQyg=\n\n" LINE,
        NAME "\n8\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQy g=\n\n" LINE,
        NAME "\n8\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQw==\n\n" LINE,
        NAME "\n8\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQygA\n\n" LINE,
        NAME "\n8\n5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328\n\n" LINE,
        /* the signature lines */
        TEXT "\n- x AAAAAAA=\n",
        TEXT "\n– x AAAAAAA=\n",
        TEXT "\n—x AAAAAAA=\n",
        TEXT "\n—  AAAAAAA=\n",
        TEXT "\n— x\n",
        TEXT "\n— x \n",
        TEXT "\n— x  AAAAAAA=\n",
        TEXT "\n— x AAAAAAA= \n",
        TEXT "\n— x AAAAAAA= y\n",
        TEXT "\n— x AAAAAAA\n",
        TEXT "\n— x AAAAAAB=\n",
        TEXT "\n— x AAAA=AAA\n",
        TEXT "\n— x AAAAAA==\n",
        TEXT "\n— a+b AAAAAAA=\n",
        TEXT "\n— a\u00a0b AAAAAAA=\n",
        TEXT "\n— a\u2003b AAAAAAA=\n",
        TEXT "\n— a\xc2\x85 AAAAAAA=\n",
        TEXT "\n" LINE "— x AAAAAAA=",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(notes); i++)
        assert_refused(notes[i], strlen(notes[i]));

    static const char with_nul[] = "a\0b\n8\n" ROOT_TEXT "\n\n" LINE;
    assert_refused(with_nul, sizeof with_nul - 1);
}

static void the_ends_of_the_range_of_sizes(void)
{
    g_autoptr(SyncdCheckpoint) empty = assert_parsed(NAME "\n0\n" ROOT_TEXT "\n\n" UNKNOWN_LINE);
    g_assert_cmpuint(empty->size, ==, 0);
    g_autoptr(SyncdCheckpoint) largest =
        assert_parsed(NAME "\n9223372036854775807\n" ROOT_TEXT "\n\n" UNKNOWN_LINE);
    g_assert_cmpuint(largest->size, ==, SYNCD_TREE_MAX_SIZE);

    g_autoptr(SyncdSigner) signer = the_signer();
    SyncdHash root = the_root();
    g_autofree char *note = syncd_checkpoint_sign(NAME, SYNCD_TREE_MAX_SIZE, &root, signer);
    g_assert_true(text_verifies(note));
    g_assert_null(syncd_checkpoint_sign(NAME, SYNCD_TREE_MAX_SIZE + 1, &root, signer));
}

static void extension_lines_are_kept(void)
{
    g_autoptr(SyncdCheckpoint) checkpoint =
        assert_parsed(TEXT "one\n— two AAAAAAA=\n\n" UNKNOWN_LINE);
    g_assert_cmpuint(g_strv_length(checkpoint->extensions), ==, 2);
    g_assert_cmpstr(checkpoint->extensions[0], ==, "one");
    g_assert_cmpstr(checkpoint->extensions[1], ==, "— two AAAAAAA=");
}

/* C2SP asks verifiers to accept at least sixteen. */
static void at_most_sixteen_signature_lines(void)
{
    g_autoptr(GString) note = g_string_new(NOTE);
    for (int i = 1; i < SYNCD_NOTE_MAX_SIGNATURES; i++)
        g_string_append(note, UNKNOWN_LINE);
    g_assert_true(verifies(note->str, note->len));
    g_string_append(note, UNKNOWN_LINE);
    g_assert_false(verifies(note->str, note->len));
    assert_refused(note->str, note->len);
}

static void a_note_of_the_largest_size(void)
{
    size_t frame = strlen(TEXT "\n\n" UNKNOWN_LINE);
    for (size_t over = 0; over < 2; over++) {
        g_autofree char *extension = g_strnfill(SYNCD_NOTE_MAX_SIZE - frame + over, 'x');
        g_autofree char *note = g_strconcat(TEXT, extension, "\n\n" UNKNOWN_LINE, NULL);
        if (over == 0)
            syncd_checkpoint_free(assert_parsed(note));
        else
            assert_refused(note, strlen(note));
    }
}

static void names_that_cannot_name_a_key(void)
{
    g_autofree char *longest = g_strnfill(SYNCD_NOTE_MAX_KEY_NAME, 'n');
    g_autofree char *longer = g_strnfill(SYNCD_NOTE_MAX_KEY_NAME + 1, 'n');
    const char *bad[] = {"", " ", "a b", "a+b", "a\nb", "a\tb", "a\x7f", "\u2028", "\xff", longer};
    g_autoptr(SyncdSigner) signer = the_signer();
    const SyncdPublicKey *key = syncd_signer_public_key(signer);
    SyncdHash root = the_root();
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_assert_null(syncd_checkpoint_sign(bad[i], 8, &root, signer));
        g_assert_null(syncd_verifier_key_format(bad[i], key));
    }

    g_autofree char *note = syncd_checkpoint_sign(longest, 8, &root, signer);
    g_assert_true(syncd_note_verify(note, strlen(note), longest, key));
    g_autofree char *accented = syncd_checkpoint_sign("é/日本", 8, &root, signer);
    g_assert_true(syncd_note_verify(accented, strlen(accented), "é/日本", key));
}

static void verifier_keys(void)
{
    static const char good[] = NAME "+061be20a+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4";
    static const char *const bad[] = {
        "",
        "+",
        "++",
        NAME,
        NAME "+061be20a",
        NAME "+061be20a+",
        "+061be20a+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4",
        NAME "+061BE20A+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4",
        NAME "+61be20a+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4",
        NAME "+061be20b+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4",
        NAME "+061be20a+AgOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4",
        NAME "+061be20a+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG5",
        NAME "+061be20a+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4AAAA",
        NAME "+061be20a+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4\n",
        "x" NAME "+061be20a+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4",
        NAME "+061be20a+AQOhB7\xaf"
             "zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4",
    };
    g_autoptr(SyncdSigner) signer = the_signer();
    g_autofree char *formatted = syncd_verifier_key_format(NAME, syncd_signer_public_key(signer));
    g_assert_cmpstr(formatted, ==, good);

    g_autofree char *name = NULL;
    SyncdPublicKey key;
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_assert_false(syncd_verifier_key_parse(bad[i], &name, &key));
        g_assert_null(name);
    }
    g_assert_true(syncd_verifier_key_parse(good, &name, &key));
    g_assert_cmpstr(name, ==, NAME);
    g_assert_cmpmem(key.bytes, 32, syncd_signer_public_key(signer)->bytes, 32);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/note/what-is-written", what_is_written);
    g_test_add_func("/note/what-is-written-reads-back", what_is_written_reads_back);
    g_test_add_func("/note/the-note-of-another-implementation", the_note_of_another_implementation);
    g_test_add_func("/note/the-checkpoint-of-another-implementation",
                    the_checkpoint_of_another_implementation);
    g_test_add_func("/note/any-changed-byte-fails", any_changed_byte_fails);
    g_test_add_func("/note/any-cut-or-added-byte-fails", any_cut_or_added_byte_fails);
    g_test_add_func("/note/lines-of-unknown-keys-are-ignored", lines_of_unknown_keys_are_ignored);
    g_test_add_func("/note/base64-has-one-spelling", base64_has_one_spelling);
    g_test_add_func("/note/a-bad-line-of-the-key-fails-the-note",
                    a_bad_line_of_the_key_fails_the_note);
    g_test_add_func("/note/another-key-or-name-does-not-verify",
                    another_key_or_name_does_not_verify);
    g_test_add_func("/note/the-signatures-begin-after-the-last-empty-line",
                    the_signatures_begin_after_the_last_empty_line);
    g_test_add_func("/note/hostile-notes-are-refused", hostile_notes_are_refused);
    g_test_add_func("/note/the-ends-of-the-range-of-sizes", the_ends_of_the_range_of_sizes);
    g_test_add_func("/note/extension-lines-are-kept", extension_lines_are_kept);
    g_test_add_func("/note/at-most-sixteen-signature-lines", at_most_sixteen_signature_lines);
    g_test_add_func("/note/a-note-of-the-largest-size", a_note_of_the_largest_size);
    g_test_add_func("/note/names-that-cannot-name-a-key", names_that_cannot_name_a_key);
    g_test_add_func("/note/verifier-keys", verifier_keys);
    return g_test_run();
}
