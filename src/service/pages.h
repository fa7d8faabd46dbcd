/*
 * Private to service/: what a caller sees of the log, entry by entry and page by page, and of what
 * no log has.
 */
#pragma once

#include "service/admission.h"

/* ---- reading (reading.c) ---- */

/* Whose entries a caller may see: all, or those of one actor (NULL: none). */
typedef struct {
    bool all;
    char *actor;
} SyncdView;

void syncd_view_clear(SyncdView *view);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SyncdView, syncd_view_clear)

bool syncd_service_view(SyncdService *service, const SyncdCaller *caller, SyncdView *ret_view,
                        GError **error);
bool syncd_view_shows(const SyncdView *view, const SyncdHeader *header);
/* The committed entry of an operation id that the view shows. NotFound. */
bool syncd_service_read_entry(SyncdService *service, const SyncdView *view, const char *operation,
                              SyncdEntry *ret_entry, GError **error);
/* The same for entries that are operations. */
bool syncd_service_read_operation(SyncdService *service, const SyncdView *view,
                                  const char *operation, SyncdEntry *ret_entry, GError **error);
/* NotFound, always false: what is said of an operation that is not there. */
bool syncd_service_refuse_operation(const char *operation, GError **error);
/* Whether it says what was done to files by nobody who can be named: the daemon only found it. */
bool syncd_service_is_by_nobody(SyncdService *service, const SyncdHeader *header);
/* "workspace:notes" of an entry's scope, for documents. */
char *syncd_service_scope_text(SyncdService *service, SyncdBytes scope_id);
char *syncd_feed_text(const char *device, const char *scope, guint64 epoch);

/* ---- pages (pages.c) ---- */

/* What a query borrows from, and whether it can find anything. */
typedef struct {
    SyncdView view;
    SyncdScope *scope;
    bool nothing;
} SyncdFilter;

void syncd_filter_clear(SyncdFilter *filter);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SyncdFilter, syncd_filter_clear)

/* `*ret_scope` NULL without error: a scope that is not there, asked for by somebody who may not
 * know that. Nothing is listed then. */
bool syncd_service_find_scope_for(SyncdService *service, const SyncdView *view, const char *text,
                                  SyncdScope **ret_scope, GError **error);
/* The filters of a listing, narrowed to what the caller may see. */
bool syncd_service_fill_query(SyncdService *service, const SyncdCaller *caller,
                              const SyncdListing *listing, guint32 max, SyncdFilter *ret_filter,
                              SyncdQuery *query, GError **error);

typedef struct {
    guint64 budget; /* bytes; a page ends before the entry that would exceed it */
    guint32 max;    /* entries a caller may ask for */
    const char *separator;
    SyncdReadDepth depth;
    /* Appends the entry's text. */
    void (*write)(SyncdService *service, const SyncdRow *row, GString *out);
} SyncdPageFormat;

bool syncd_service_page(SyncdService *service, const SyncdCaller *caller,
                        const SyncdListing *listing, SyncdQuery *query,
                        const SyncdPageFormat *format, GString *out, char **ret_cursor,
                        GError **error);

/* ---- operations that no log has (ephemeral-operations.c) ---- */

bool syncd_service_is_ephemeral(const SyncdRequest *request);
/* Keeps it in memory: the sequence number of the result is 0. TooLarge, LimitsExceeded. */
bool syncd_service_enqueue_ephemeral(SyncdService *service, const SyncdCaller *caller,
                                     const SyncdRequest *request, SyncdEnqueued *ret_enqueued,
                                     GError **error);
/* False when there is none that the view shows. */
bool syncd_service_get_ephemeral(SyncdService *service, const SyncdView *view,
                                 const char *operation, char **ret_record);
/* As syncd_service_list_operations(), of these; `query` names the kind. */
char *syncd_service_list_ephemeral(SyncdService *service, const SyncdCaller *caller,
                                   const SyncdListing *listing, SyncdQuery *query,
                                   char **ret_cursor, GError **error);
