#include "crypto/note.h"

#include <sodium.h>

#define EM_DASH "\xe2\x80\x94"
#define SIGNATURE_LINE_START EM_DASH " "
#define KEY_ID_SIZE 4
#define KEY_ID_HEX_SIZE (2 * KEY_ID_SIZE)
#define ED25519_TYPE 0x01

/* Bytes inside a note. */
typedef struct {
    const char *at;
    size_t size;
} Span;

typedef struct {
    Span name;
    guint8 bytes[SYNCD_NOTE_MAX_SIZE]; /* key id and signature, as long as a note can hold */
    size_t size;
} SignatureLine;

static bool spans_equal(Span a, Span b)
{
    return a.size == b.size && memcmp(a.at, b.at, a.size) == 0;
}

/* Takes what comes before `end` off the front, and `end`; false when there is none. */
static bool take_until(Span *rest, char end, Span *ret_taken)
{
    const char *found = memchr(rest->at, end, rest->size);
    if (found == NULL)
        return false;
    *ret_taken = (Span){rest->at, (size_t)(found - rest->at)};
    rest->size -= ret_taken->size + 1;
    rest->at = found + 1;
    return true;
}

static bool refuse(GError **error, const char *what)
{
    syncd_set_error_next(error, SYNCD_ERROR_INVALID_ENCODING,
                         "fetch the note again from whoever signed it", "%s", what);
    return false;
}

/* Only the one spelling that encoding the bytes gives: padded, no unused bits set, nothing
 * ignored. libsodium takes each byte beyond ASCII for a '/'. */
static bool base64_decode(Span text, guint8 *ret_bytes, size_t max_size, size_t *ret_size)
{
    for (size_t i = 0; i < text.size; i++)
        if ((guint8)text.at[i] >= 0x80)
            return false;
    return sodium_base642bin(ret_bytes, max_size, text.at, text.size, NULL, ret_size, NULL,
                             sodium_base64_VARIANT_ORIGINAL) == 0;
}

static bool is_key_name(Span name)
{
    if (name.size == 0 || name.size > SYNCD_NOTE_MAX_KEY_NAME ||
        !g_utf8_validate_len(name.at, name.size, NULL))
        return false;
    for (const char *at = name.at; at < name.at + name.size; at = g_utf8_next_char(at)) {
        gunichar c = g_utf8_get_char(at);
        if (c == '+' || g_unichar_isspace(c) || g_unichar_iscntrl(c))
            return false;
    }
    return true;
}

static void key_id_of(Span name, const SyncdPublicKey *key, guint8 ret_id[KEY_ID_SIZE])
{
    static const guint8 type[] = {'\n', ED25519_TYPE};
    SyncdBytes parts[] = {
        SYNCD_BYTES(name.at, name.size),
        SYNCD_BYTES(type, sizeof type),
        SYNCD_BYTES(key->bytes, SYNCD_PUBLIC_KEY_SIZE),
    };
    SyncdHash hash = syncd_hash_parts(parts, G_N_ELEMENTS(parts));
    memcpy(ret_id, hash.bytes, KEY_ID_SIZE);
}

/* From the front of `rest`, which is not empty. */
static bool take_signature_line(Span *rest, SignatureLine *ret_line)
{
    size_t start = strlen(SIGNATURE_LINE_START);
    Span line;
    if (!take_until(rest, '\n', &line) || line.size < start ||
        memcmp(line.at, SIGNATURE_LINE_START, start) != 0)
        return false;

    line = (Span){line.at + start, line.size - start};
    if (!take_until(&line, ' ', &ret_line->name) || !is_key_name(ret_line->name))
        return false;
    return base64_decode(line, ret_line->bytes, sizeof ret_line->bytes, &ret_line->size) &&
           ret_line->size > KEY_ID_SIZE;
}

static bool check_signature_lines(Span lines, GError **error)
{
    SignatureLine line;
    unsigned count = 0;
    while (lines.size > 0) {
        if (++count > SYNCD_NOTE_MAX_SIGNATURES)
            return refuse(error, "The note has too many signature lines");
        if (!take_signature_line(&lines, &line))
            return refuse(error, "The note has a malformed signature line");
    }
    return count > 0 || refuse(error, "The note has no signature line");
}

static bool check_characters(Span note, GError **error)
{
    for (size_t i = 0; i < note.size; i++)
        if ((guint8)note.at[i] < 0x20 && note.at[i] != '\n')
            return refuse(error, "The note contains a control character");
    return g_utf8_validate_len(note.at, note.size, NULL) || refuse(error, "The note is not UTF-8");
}

/* The text, with its last newline, and the signature lines, which are all well formed. */
static bool open_note(Span note, Span *ret_text, Span *ret_lines, GError **error)
{
    if (note.size == 0 || note.size > SYNCD_NOTE_MAX_SIZE)
        return refuse(error, "The note is empty or too large");
    if (!check_characters(note, error))
        return false;

    size_t blank = note.size; /* where the last empty line is */
    while (blank > 1 && !(note.at[blank - 1] == '\n' && note.at[blank - 2] == '\n'))
        blank--;
    if (blank <= 1)
        return refuse(error, "The note has no empty line before its signatures");

    Span lines = {note.at + blank, note.size - blank};
    if (!check_signature_lines(lines, error))
        return false;
    *ret_text = (Span){note.at, blank - 1};
    *ret_lines = lines;
    return true;
}

/* Decimal digits without leading zeros, at most SYNCD_TREE_MAX_SIZE. */
static bool parse_size(Span text, guint64 *ret_size)
{
    guint64 size = 0;
    if (text.size == 0 || (text.at[0] == '0' && text.size > 1))
        return false;
    for (size_t i = 0; i < text.size; i++) {
        if (!g_ascii_isdigit(text.at[i]))
            return false;
        guint64 digit = (guint64)(text.at[i] - '0');
        if (size > (SYNCD_TREE_MAX_SIZE - digit) / 10)
            return false;
        size = size * 10 + digit;
    }
    *ret_size = size;
    return true;
}

static bool parse_root(Span text, SyncdHash *ret_root)
{
    size_t size;
    return base64_decode(text, ret_root->bytes, SYNCD_HASH_SIZE, &size) && size == SYNCD_HASH_SIZE;
}

static bool parse_extensions(Span rest, GStrv *ret_extensions)
{
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    if (rest.size == 0)
        return true;
    while (rest.size > 0) {
        Span line;
        if (!take_until(&rest, '\n', &line) || line.size == 0)
            return false;
        g_autofree char *extension = g_strndup(line.at, line.size);
        g_strv_builder_add(builder, extension);
    }
    *ret_extensions = g_strv_builder_end(builder);
    return true;
}

void syncd_checkpoint_free(SyncdCheckpoint *checkpoint)
{
    if (checkpoint == NULL)
        return;
    g_free(checkpoint->origin);
    g_strfreev(checkpoint->extensions);
    g_free(checkpoint);
}

SyncdCheckpoint *syncd_checkpoint_parse(const char *note, size_t size, GError **error)
{
    Span text, lines, origin, tree_size, root;
    if (!open_note((Span){note, size}, &text, &lines, error))
        return NULL;

    g_autoptr(SyncdCheckpoint) checkpoint = g_new0(SyncdCheckpoint, 1);
    const char *wrong = NULL;
    if (!take_until(&text, '\n', &origin) || origin.size == 0)
        wrong = "The checkpoint has no origin";
    else if (!take_until(&text, '\n', &tree_size) || !parse_size(tree_size, &checkpoint->size))
        wrong = "The checkpoint's second line is no tree size";
    else if (!take_until(&text, '\n', &root) || !parse_root(root, &checkpoint->root))
        wrong = "The checkpoint's third line is no root hash";
    else if (!parse_extensions(text, &checkpoint->extensions))
        wrong = "The checkpoint has an empty extension line";

    if (wrong != NULL) {
        refuse(error, wrong);
        return NULL;
    }
    checkpoint->origin = g_strndup(origin.at, origin.size);
    return g_steal_pointer(&checkpoint);
}

char *syncd_checkpoint_sign(const char *origin, guint64 size, const SyncdHash *root,
                            const SyncdSigner *signer)
{
    Span name = {origin, strlen(origin)};
    if (!is_key_name(name) || size > SYNCD_TREE_MAX_SIZE)
        return NULL;

    g_autofree char *root_text = g_base64_encode(root->bytes, SYNCD_HASH_SIZE);
    g_autoptr(GString) note = g_string_new(NULL);
    g_string_append_printf(note, "%s\n%" G_GUINT64_FORMAT "\n%s\n", origin, size, root_text);

    guint8 signature[KEY_ID_SIZE + SYNCD_SIGNATURE_SIZE];
    SyncdSignature signed_text = syncd_signer_sign(signer, note->str, note->len);
    key_id_of(name, syncd_signer_public_key(signer), signature);
    memcpy(signature + KEY_ID_SIZE, signed_text.bytes, SYNCD_SIGNATURE_SIZE);
    g_autofree char *signature_text = g_base64_encode(signature, sizeof signature);
    g_string_append_printf(note, "\n" SIGNATURE_LINE_START "%s %s\n", origin, signature_text);
    return g_string_free(g_steal_pointer(&note), FALSE);
}

static bool line_verifies(const SignatureLine *line, Span text, const SyncdPublicKey *key)
{
    SyncdSignature signature;
    if (line->size != KEY_ID_SIZE + SYNCD_SIGNATURE_SIZE)
        return false;
    memcpy(signature.bytes, line->bytes + KEY_ID_SIZE, SYNCD_SIGNATURE_SIZE);
    return syncd_signature_verify(&signature, key, text.at, text.size);
}

bool syncd_note_verify(const char *note, size_t size, const char *key_name,
                       const SyncdPublicKey *key)
{
    Span text, lines;
    if (!open_note((Span){note, size}, &text, &lines, NULL))
        return false;

    Span name = {key_name, strlen(key_name)};
    guint8 key_id[KEY_ID_SIZE];
    key_id_of(name, key, key_id);

    bool verified = false;
    SignatureLine line;
    while (lines.size > 0 && take_signature_line(&lines, &line)) {
        if (!spans_equal(line.name, name) || memcmp(line.bytes, key_id, KEY_ID_SIZE) != 0)
            continue;
        if (!line_verifies(&line, text, key))
            return false;
        verified = true;
    }
    return verified;
}

char *syncd_verifier_key_format(const char *key_name, const SyncdPublicKey *key)
{
    Span name = {key_name, strlen(key_name)};
    if (!is_key_name(name))
        return NULL;

    guint8 id[KEY_ID_SIZE], typed_key[1 + SYNCD_PUBLIC_KEY_SIZE] = {ED25519_TYPE};
    char id_text[KEY_ID_HEX_SIZE + 1];
    key_id_of(name, key, id);
    syncd_hex_encode(id, KEY_ID_SIZE, id_text);
    memcpy(typed_key + 1, key->bytes, SYNCD_PUBLIC_KEY_SIZE);
    g_autofree char *key_text = g_base64_encode(typed_key, sizeof typed_key);
    return g_strconcat(key_name, "+", id_text, "+", key_text, NULL);
}

bool syncd_verifier_key_parse(const char *text, char **ret_key_name, SyncdPublicKey *ret_key)
{
    Span rest = {text, strlen(text)}, name, id_text;
    guint8 said_id[KEY_ID_SIZE], id[KEY_ID_SIZE], typed_key[1 + SYNCD_PUBLIC_KEY_SIZE];
    size_t size;
    if (!take_until(&rest, '+', &name) || !is_key_name(name) || !take_until(&rest, '+', &id_text) ||
        !syncd_hex_decode(id_text.at, id_text.size, said_id, KEY_ID_SIZE))
        return false;
    if (!base64_decode(rest, typed_key, sizeof typed_key, &size) || size != sizeof typed_key ||
        typed_key[0] != ED25519_TYPE)
        return false;

    SyncdPublicKey key;
    memcpy(key.bytes, typed_key + 1, SYNCD_PUBLIC_KEY_SIZE);
    key_id_of(name, &key, id);
    if (memcmp(said_id, id, KEY_ID_SIZE) != 0)
        return false;
    *ret_key_name = g_strndup(name.at, name.size);
    *ret_key = key;
    return true;
}
