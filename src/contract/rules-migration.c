/* Migrations of schemas: steps that say all they need, and a matrix of who may read and write what.
 */
#include "contract/rules.h"
#include "contract/vocabulary.h"

#include <string.h>

/* ---- steps ---- */

static const char *const step_members[] = {"to", "value", "values", "member"};

/* The one member that a step has beside `op` and `path`; NULL: none. */
static const struct {
    const char *op;
    const char *member;
} steps[] = {
    {"move", "to"},    {"add", "value"},   {"default", "value"}, {"remove", NULL},
    {"map", "values"}, {"wrap", "member"}, {"unwrap", "member"},
};

static void check_members(SyncdJson step, const char *wanted, unsigned index, SyncdRuling *ruling)
{
    for (size_t i = 0; i < G_N_ELEMENTS(step_members); i++) {
        bool there = syncd_json_member(step, step_members[i]).type != SYNCD_JSON_NONE;
        bool needed = g_strcmp0(wanted, step_members[i]) == 0;
        if (there == needed)
            continue;
        g_autofree char *path = g_strdup_printf("/steps/%u", index);
        syncd_rule_break(ruling, "steps-have-their-members", path, "must %s the member %s",
                         needed ? "have" : "not have", step_members[i]);
    }
}

static void check_move(SyncdJson step, unsigned index, SyncdRuling *ruling)
{
    g_autofree char *from = syncd_json_dup_text(syncd_json_member(step, "path"));
    g_autofree char *to = syncd_json_dup_text(syncd_json_member(step, "to"));
    if (from == NULL || to == NULL || !g_str_has_prefix(to, from) ||
        (to[strlen(from)] != '\0' && to[strlen(from)] != '/'))
        return;
    g_autofree char *path = g_strdup_printf("/steps/%u/to", index);
    syncd_rule_break(ruling, "moves-go-elsewhere", path, "must not be what is moved, or inside it");
}

static void check_step(SyncdJson step, unsigned index, SyncdRuling *ruling)
{
    SyncdJson op = syncd_json_member(step, "op");
    for (size_t i = 0; i < G_N_ELEMENTS(steps); i++)
        if (syncd_json_is(op, steps[i].op))
            check_members(step, steps[i].member, index, ruling);
    check_move(step, index, ruling);
}

/* ---- the matrix ---- */

#define SIDES 2u

/* The place of a row's word in its vocabulary; SIDES: it is none. */
static unsigned side_of(SyncdJson row, const char *name)
{
    unsigned i = 0;
    const char *const *words = syncd_vocabulary_words(SYNCD_WORDS_MIGRATION_SIDE);
    while (i < SIDES && !syncd_json_is(syncd_json_member(row, name), words[i]))
        i++;
    return i;
}

static void check_row(SyncdJson row, unsigned index, unsigned seen[SIDES][SIDES],
                      SyncdRuling *ruling)
{
    bool read, write;
    unsigned program = side_of(row, "program"), document = side_of(row, "document");
    g_autofree char *path = g_strdup_printf("/compatibility/%u", index);
    if (program == SIDES || document == SIDES ||
        !syncd_json_get_bool(syncd_json_member(row, "read"), &read) ||
        !syncd_json_get_bool(syncd_json_member(row, "write"), &write))
        return;
    seen[program][document]++;
    if (program == document && !(read && write))
        syncd_rule_break(ruling, "own-versions-fit", path,
                         "must let programs read and write documents of their own version");
    else if (write && !read)
        syncd_rule_break(ruling, "writers-read", path,
                         "must not let a program write what it cannot read");
}

static void check_matrix(SyncdJson matrix, SyncdRuling *ruling)
{
    SyncdJsonIter iter;
    SyncdJson row;
    unsigned index = 0, seen[SIDES][SIDES] = {{0}};
    bool sound = true;
    syncd_json_iter_init(&iter, matrix);
    for (; syncd_json_iter_next(&iter, NULL, &row); index++) {
        sound &= side_of(row, "program") < SIDES && side_of(row, "document") < SIDES;
        check_row(row, index, seen, ruling);
    }
    bool complete = index == SIDES * SIDES;
    for (unsigned i = 0; i < SIDES * SIDES; i++)
        complete &= seen[i / SIDES][i % SIDES] == 1;
    /* Of rows that are none, the schema has spoken. */
    if (sound && matrix.type == SYNCD_JSON_ARRAY && !complete)
        syncd_rule_break(ruling, "matrix-is-complete", "/compatibility",
                         "must have one row for each program and document");
}

/* ---- all of it ---- */

static bool same(SyncdJson migration, const char *one, const char *other)
{
    g_autofree char *text = syncd_json_dup_text(syncd_json_member(migration, one));
    return text != NULL && syncd_json_is(syncd_json_member(migration, other), text);
}

void syncd_rules_of_migration(SyncdJson migration, SyncdRuling *ruling)
{
    SyncdJsonIter iter;
    SyncdJson step;
    unsigned index = 0;
    syncd_json_iter_init(&iter, syncd_json_member(migration, "steps"));
    for (; syncd_json_iter_next(&iter, NULL, &step); index++)
        check_step(step, index, ruling);
    check_matrix(syncd_json_member(migration, "compatibility"), ruling);
    if (same(migration, "from_schema_id", "to_schema_id") &&
        same(migration, "from_schema_version", "to_schema_version"))
        syncd_rule_break(ruling, "versions-differ", "/to_schema_version",
                         "must not be the version that is migrated from");
}
