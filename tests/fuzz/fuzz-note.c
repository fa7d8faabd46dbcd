/*
 * Signed notes and verifier keys. A note that is taken can be put together again from what was read
 * of it; one that verifies with our key says what our key has signed; a key has one spelling.
 */
#include "fuzz.h"

#include "crypto/note.h"
#include "crypto/seal.h"

#define ORIGIN "example.org/log"

static SyncdSigner *signer;

/* The text that is signed, from what was read of it. */
static GString *text_of(const SyncdCheckpoint *checkpoint)
{
    GString *text = g_string_new(NULL);
    g_autofree char *root = g_base64_encode(checkpoint->root.bytes, SYNCD_HASH_SIZE);
    g_string_append_printf(text, "%s\n%" G_GUINT64_FORMAT "\n%s\n", checkpoint->origin,
                           checkpoint->size, root);
    for (char **line = checkpoint->extensions; line != NULL && *line != NULL; line++)
        g_string_append_printf(text, "%s\n", *line);
    return text;
}

/* Whether each line is "— name base64", and there is one. */
static bool are_signature_lines(const char *lines)
{
    g_auto(GStrv) split = g_strsplit(lines, "\n", -1);
    guint count = g_strv_length(split);
    if (count < 2 || count > SYNCD_NOTE_MAX_SIGNATURES + 1 || *split[count - 1] != '\0')
        return false;
    for (guint i = 0; i + 1 < count; i++) {
        g_auto(GStrv) parts = g_strsplit(split[i], " ", -1);
        if (g_strv_length(parts) != 3 || strcmp(parts[0], "\xe2\x80\x94") != 0)
            return false;
        gsize size;
        g_autofree guchar *bytes = g_base64_decode(parts[2], &size);
        g_autofree char *again = g_base64_encode(bytes, size);
        if (size <= 4 || strcmp(again, parts[2]) != 0)
            return false;
    }
    return true;
}

static void check_parsed(const SyncdCheckpoint *checkpoint, const char *note, size_t size)
{
    LAW(*checkpoint->origin != '\0' && checkpoint->size <= SYNCD_TREE_MAX_SIZE);
    LAW(g_utf8_validate(note, (gssize)size, NULL) && size <= SYNCD_NOTE_MAX_SIZE);
    g_autofree char *whole = g_strndup(note, size);
    g_autoptr(GString) text = text_of(checkpoint);
    LAW(g_str_has_prefix(whole, text->str) && whole[text->len] == '\n');
    LAW(are_signature_lines(whole + text->len + 1));
}

/* Ed25519 signatures are deterministic, and this key signs no extensions. */
static void check_signed(const SyncdCheckpoint *checkpoint, const char *note, size_t size)
{
    LAW(checkpoint != NULL && checkpoint->extensions == NULL);
    g_autofree char *ours =
        syncd_checkpoint_sign(checkpoint->origin, checkpoint->size, &checkpoint->root, signer);
    const char *line = strstr(ours, "\n\n") + 2;
    g_autofree char *whole = g_strndup(note, size);
    LAW(strstr(whole, line) != NULL);
}

static void check_key(const char *text)
{
    SyncdPublicKey key;
    g_autofree char *name = NULL;
    if (!syncd_verifier_key_parse(text, &name, &key))
        return;
    g_autofree char *again = syncd_verifier_key_format(name, &key);
    LAW(g_strcmp0(again, text) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *note = (const char *)data;
    g_autoptr(GError) error = NULL;
    g_autoptr(SyncdCheckpoint) checkpoint = syncd_checkpoint_parse(note, size, &error);
    LAW((checkpoint != NULL) == (error == NULL));
    if (checkpoint != NULL)
        check_parsed(checkpoint, note, size);
    if (syncd_note_verify(note, size, ORIGIN, syncd_signer_public_key(signer)))
        check_signed(checkpoint, note, size);

    g_autofree char *text = fuzz_text(data, size);
    if (text != NULL)
        check_key(text);
    return 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static const guint8 seed[SYNCD_SIGN_SEED_SIZE] = {1};
    g_autoptr(GError) error = NULL;
    if (syncd_crypto_init(&error))
        signer = syncd_signer_new(seed, &error);
    LAW(signer != NULL);
    return 0;
}
