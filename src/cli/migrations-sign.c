/* Signing the manifest of a migration, with a key that openssl has made. */
#include "base/json-writer.h"
#include "cli/document.h"
#include "cli/file.h"
#include "cli/signing-key.h"
#include "cli/verbs.h"
#include "domain/attestor.h"

#include <string.h>

#define MANIFEST_MAX (64u * 1024u)

static char *read_manifest(const char *path, GError **error)
{
    size_t size;
    g_autofree char *text = syncd_file_read(path, MANIFEST_MAX, &size, error);
    if (text == NULL || !syncd_json_check(text, size, SYNCD_JSON_MUST_BE_OBJECT, error))
        return NULL;
    return g_steal_pointer(&text);
}

static SyncdAttestor *attestor_of(const char *author, const SyncdSigner *signer, GError **error)
{
    SyncdAttestor *attestor = author != NULL ? syncd_attestor_new(author, signer) : NULL;
    if (attestor == NULL)
        syncd_set_error_next(error, SYNCD_ERROR_INVALID_CONTRACT,
                             "name the actor who signs, as `sourceos-syncd actors list` shows it",
                             "/author must be the id of an actor");
    return attestor;
}

static void write_signed(SyncdJson manifest, const SyncdAttestor *attestor, GString *out)
{
    SyncdJsonIter iter;
    SyncdJson name, value;
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, out, false);
    syncd_json_begin_object(&writer);
    syncd_json_iter_init(&iter, manifest);
    while (syncd_json_iter_next(&iter, &name, &value))
        if (!syncd_json_is(name, "attestation"))
            syncd_json_member_copy(&writer, name, value);
    syncd_json_name(&writer, "attestation");
    syncd_json_begin_object(&writer);
    syncd_json_member_bool(&writer, "signed", true);
    syncd_attestor_sign(attestor, manifest, &writer);
    syncd_json_end_object(&writer);
    syncd_json_end_object(&writer);
}

bool syncd_verb_migrations_sign(SyncdCli *cli, GError **error)
{
    const char *key_path = syncd_document_demand(cli, "signing-key", error);
    if (key_path == NULL)
        return false;
    g_autofree char *text = read_manifest(syncd_cli_argument(cli, 0), error);
    g_autoptr(SyncdSigner) signer = text != NULL ? syncd_cli_read_signer(key_path, error) : NULL;
    if (signer == NULL)
        return false;
    SyncdJson manifest = syncd_json_root(text, strlen(text));
    g_autofree char *author = syncd_json_dup_text(syncd_json_member(manifest, "author"));
    g_autoptr(SyncdAttestor) attestor = attestor_of(author, signer, error);
    if (attestor == NULL)
        return false;
    g_autoptr(GString) out = g_string_new(NULL);
    write_signed(manifest, attestor, out);
    syncd_document_show(cli, out);
    return true;
}
