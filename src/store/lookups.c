#include "store/lookups.h"

#include "store/database-private.h"

#define POINTER_TYPE "syncd-lookups"

/* Of a statement that runs; all zero before its first row. */
typedef struct {
    const SyncdLookups *places;
    guint n; /* rows that were as they should be */
    bool differs;
} Walk;

static void take_row(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    Walk *walk = sqlite3_aggregate_context(context, sizeof *walk);
    if (walk == NULL || walk->differs)
        return;
    if (walk->places == NULL)
        walk->places = sqlite3_value_pointer(argv[0], POINTER_TYPE);
    const SyncdLookups *places = walk->places;
    walk->differs = places == NULL || walk->n == places->n ||
                    sqlite3_value_int64(argv[1]) != places->first + walk->n ||
                    (guint64)sqlite3_value_int64(argv[2]) != places->numbers[walk->n];
    walk->n++;
}

/* Without a row, or without memory, there is nothing that could be said for them. */
static void tell(sqlite3_context *context)
{
    const Walk *walk = sqlite3_aggregate_context(context, 0);
    sqlite3_result_int(context, walk != NULL && !walk->differs && walk->n == walk->places->n);
}

int syncd_lookups_register(sqlite3 *handle)
{
    return sqlite3_create_function_v2(handle, "syncd_lookups", 3, SQLITE_UTF8 | SQLITE_DIRECTONLY,
                                      NULL, NULL, take_row, tell, NULL);
}

void syncd_bind_lookups(SyncdStatement *statement, const char *name, const SyncdLookups *places)
{
    syncd_bind_pointer(statement, name, places, POINTER_TYPE);
}
