#include "domain/derived-id.h"

#include "base/canonical.h"
#include "base/json-writer.h"
#include "crypto/hash.h"
#include "domain/problems.h"

char *syncd_derived_id(const SyncdDerivation *derivation, SyncdJson document)
{
    g_autoptr(GString) picked = g_string_new(NULL);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, picked, false);
    syncd_json_begin_object(&writer);
    for (const char *const *name = derivation->members; *name != NULL; name++)
        syncd_json_member_value(&writer, *name, syncd_json_member(document, *name));
    syncd_json_end_object(&writer);

    g_autoptr(GString) canonical = g_string_new(NULL);
    SyncdJson root = syncd_json_root(picked->str, picked->len);
    if (derivation->spaced)
        syncd_canonical_append_spaced(canonical, root);
    else
        syncd_canonical_append(canonical, root);
    SyncdHash hash = syncd_hash(canonical->str, canonical->len);
    char digits[SYNCD_HASH_HEX_SIZE];
    syncd_hash_to_hex(&hash, digits);
    return g_strdup_printf("%s%.*s", derivation->prefix, (int)derivation->digits, digits);
}

void syncd_derived_id_document(GString *out, const char *schema, const char *name,
                               const SyncdDerivation *derivation, SyncdJson rest)
{
    g_autofree char *id = syncd_derived_id(derivation, rest);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, out, false);
    syncd_json_begin_object(&writer);
    syncd_json_member_string(&writer, "schema", schema);
    syncd_json_member_string(&writer, name, id);
    SyncdJsonIter iter;
    SyncdJson member, value;
    syncd_json_iter_init(&iter, rest);
    while (syncd_json_iter_next(&iter, &member, &value)) {
        g_autofree char *member_name = syncd_json_dup_string(member, NULL);
        syncd_json_member_value(&writer, member_name, value);
    }
    syncd_json_end_object(&writer);
}

void syncd_derived_id_check(const SyncdDerivation *derivation, SyncdJson document, const char *name,
                            GPtrArray *problems)
{
    g_autofree char *id = syncd_derived_id(derivation, document);
    if (!syncd_json_is(syncd_json_member(document, name), id))
        syncd_problems_add(problems, "/%s is not what follows from the document: %s", name, id);
}
