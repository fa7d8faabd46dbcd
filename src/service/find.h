/*
 * Finding by words: files that exist by their names, records of the registries by what they say,
 * and objects that operations are about by their ids; the newest first.
 *
 * A caller finds only what he may see, and only what policy lets be indexed now (the action index).
 * What may be in the index at all is in domain/search.h.
 */
#pragma once

#include "service/service.h"

typedef struct {
    const char *words;     /* each may be the beginning of one */
    const char *kind;      /* "file", or a family of records; NULL: any */
    const char *workspace; /* its id; NULL: any */
    const char *cursor;
    guint32 limit;
} SyncdSearchAsked;

/* A JSON array, and the cursor of the next page ("" at the end). A page may have fewer hits than
 * asked for, or none, and others follow. InvalidArgs. */
char *syncd_service_find(SyncdService *service, const SyncdCaller *caller,
                         const SyncdSearchAsked *finding, char **ret_cursor, GError **error);
