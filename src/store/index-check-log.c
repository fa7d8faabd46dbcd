/* What the index says of entries, held against their headers. */
#include "store/index-check-private.h"

static bool is_column(SyncdStatement *row, int column, SyncdBytes expected)
{
    return syncd_bytes_equal(syncd_column_bytes(row, column), expected);
}

/* What cannot be read is for a verification to tell. */
static void take_entry(SyncdIndexCheck *self, SyncdStatement *row)
{
    size_t size;
    SyncdHeader header;
    g_autofree char *text = syncd_journal_read_header(
        self->store->journal, (guint64)syncd_column_int(row, 1), &size, NULL);
    if (text == NULL || !syncd_header_parse(text, size, &header, NULL) || !header.known)
        return;
    const struct {
        int column;
        SyncdBytes expected;
    } columns[] = {
        {2, header.op}, {3, header.object}, {4, header.kind}, {5, header.actor}, {6, header.scope},
    };
    bool same = syncd_column_int(row, 7) == (gint64)header.hlc.ms;
    for (size_t i = 0; i < G_N_ELEMENTS(columns); i++)
        same &= is_column(row, columns[i].column, columns[i].expected);
    self->wrong += !same;
}

#define WORD(column) "(SELECT text FROM word WHERE id = " column ")"

bool syncd_check_log(SyncdIndexCheck *self, bool *ret_more, GError **error)
{
    static const SyncdCheckWalk walk = {
        "SELECT 0, pos, op, object, " WORD("kind") ", " WORD("actor") ", " WORD(
            "scope") ", ms"
                     " FROM entry WHERE pos > :a ORDER BY pos LIMIT " SYNCD_CHECK_LIMIT,
        "i"};
    if (!self->begun) {
        self->begun = true;
        self->wrong = 0;
        syncd_check_rewind(self);
    }
    if (!syncd_check_walk(self, &walk, take_entry, ret_more, error))
        return false;
    if (!*ret_more)
        syncd_check_fault(self, "log", self->wrong);
    return true;
}
