/*
 * What the listing verbs share: filters, pages, the limit.
 */
#pragma once

#include "base/json.h"
#include "cli/cli.h"
#include "client/calls.h"

#include <glib.h>
#include <stdbool.h>

/* Gets each page: a JSON array of records. False stops the listing. */
typedef bool (*SyncdPageFunc)(void *data, SyncdJson records);

typedef struct {
    SyncdClientList list;
    const char *object;    /* NULL: what --object says, where there is one */
    const char *operation; /* NULL: any */
    const char *type;      /* of events; NULL: what --type says, where there is one */
    guint64 after;         /* 0: what --after says */
    guint64 limit;         /* 0: all */
    bool oldest_first;
    bool filters;   /* the verb has the options of a filter */
    bool must_find; /* that there is nothing about the object is NotFound */
} SyncdListing;

/* From the options of the verb. */
bool syncd_listing_init(SyncdListing *listing, const SyncdCli *cli, SyncdClientList list,
                        GError **error);
/* `ret_more` (may be NULL): whether the limit left something out. */
bool syncd_listing_pages(const SyncdListing *listing, const SyncdCli *cli, SyncdClient *client,
                         SyncdPageFunc func, void *data, bool *ret_more, GError **error);

/* Prints one record for people. */
typedef void (*SyncdRecordFunc)(SyncdCli *cli, void *data, SyncdJson record);

typedef struct {
    SyncdRecordFunc record;
    void (*page_end)(SyncdCli *cli, void *data); /* may be NULL */
    void *data;
    const char *nothing; /* said when there is none */
} SyncdListingView;

/* All of it: pages, JSON or text, pager, remarks. */
bool syncd_listing_print(const SyncdListing *listing, SyncdCli *cli, SyncdClient *client,
                         const SyncdListingView *view, GError **error);

/* A member's text for a person: unescaped strings, other values as written; "" when there is none.
 */
char *syncd_record_text(SyncdJson record, const char *name);
/* The same with a mark behind it when the record says that its entry is damaged. */
char *syncd_record_marked(SyncdJson record, const char *name);
guint64 syncd_record_number(SyncdJson record, const char *name); /* 0 when there is none */
