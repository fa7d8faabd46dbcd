#include "cli/contract-guess.h"

#include "contract/installed.h"

#include <glib.h>
#include <string.h>

typedef struct {
    const char *id;
    size_t known;  /* members of the document that the contract speaks of */
    size_t wanted; /* members that it demands */
} Guess;

/* Documents of many kinds have these. */
static bool tells_nothing(const char *member)
{
    static const char *const everywhere[] = {"schema",     "schema_version", "type",
                                             "created_at", "updated_at",     NULL};
    return g_strv_contains(everywhere, member);
}

static size_t count(SyncdJson array)
{
    SyncdJsonIter iter;
    size_t n = 0;
    syncd_json_iter_init(&iter, array);
    while (array.type == SYNCD_JSON_ARRAY && syncd_json_iter_next(&iter, NULL, NULL))
        n++;
    return n;
}

static Guess weigh(const SyncdInstalledSchema *schema, SyncdJson document, size_t *ret_members)
{
    SyncdJson root = syncd_json_root(schema->text, strlen(schema->text));
    SyncdJson properties = syncd_json_member(root, "properties");
    Guess guess = {schema->id, 0, count(syncd_json_member(root, "required"))};
    SyncdJsonIter iter;
    SyncdJson name;
    *ret_members = 0;
    syncd_json_iter_init(&iter, document);
    while (syncd_json_iter_next(&iter, &name, NULL)) {
        g_autofree char *member = syncd_json_dup_text(name);
        if (member == NULL || tells_nothing(member))
            continue;
        ++*ret_members;
        guess.known += syncd_json_member(properties, member).type != SYNCD_JSON_NONE;
    }
    return guess;
}

const char *syncd_contract_guess(SyncdJson document)
{
    Guess best = {NULL, 0, 0};
    size_t members = 0;
    if (document.type != SYNCD_JSON_OBJECT)
        return NULL;
    for (unsigned i = 0; i < syncd_n_installed_schemas; i++) {
        Guess guess = weigh(&syncd_installed_schemas[i], document, &members);
        if (guess.known > best.known || (guess.known == best.known && guess.wanted < best.wanted))
            best = guess;
    }
    return best.known > 0 && 2 * best.known >= members ? best.id : NULL;
}
