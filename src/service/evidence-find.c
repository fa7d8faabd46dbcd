/* Looking for one piece of evidence. */
#include "service/evidence.h"

#include "service/evidence-entry.h"

#define EVIDENCE_PREFIX "evidence-"

struct SyncdEvidenceSearch {
    SyncdService *service;
    SyncdView view;
    char *id;
    bool of_evidence; /* and not of an operation */
    guint64 pos;      /* the next one to be looked at; 0: there is none */
    guint64 last;     /* where the search ends */
    guint unread;     /* entries that are damaged: it could be one of them */
    char *found;
    GError *fault;
};

void syncd_evidence_search_free(SyncdEvidenceSearch *search)
{
    if (search == NULL)
        return;
    syncd_view_clear(&search->view);
    g_free(search->id);
    g_free(search->found);
    g_clear_error(&search->fault);
    g_free(search);
}

/* Where there is an index it knows; where there is none, the log does. */
static bool aim(SyncdEvidenceSearch *search, GError **error)
{
    guint64 pos, newest = syncd_store_sequence(search->service->store);
    g_autoptr(GError) problem = NULL;
    search->pos = newest;
    search->last = 1;
    if (search->of_evidence)
        return true;
    if (!syncd_store_find_op(search->service->store, search->id, &pos, &problem)) {
        if (syncd_store_is_indexing(search->service->store) ||
            syncd_store_lacks_index(search->service->store))
            return true;
        g_propagate_error(error, g_steal_pointer(&problem));
        return false;
    }
    search->pos = pos <= newest ? pos : 0;
    search->last = MAX(pos, 1);
    return true;
}

SyncdEvidenceSearch *syncd_service_begin_find_evidence(SyncdService *service,
                                                       const SyncdCaller *caller, const char *id,
                                                       GError **error)
{
    g_autoptr(SyncdEvidenceSearch) search = g_new0(SyncdEvidenceSearch, 1);
    search->service = service;
    search->id = g_strdup(id);
    search->of_evidence = g_str_has_prefix(id, EVIDENCE_PREFIX);
    if (!syncd_service_view_evidence(service, caller, &search->view, error) || !aim(search, error))
        return NULL;
    return g_steal_pointer(&search);
}

static bool is_it(SyncdEvidenceSearch *search, const SyncdEntry *entry)
{
    if (!syncd_view_shows(&search->view, &entry->header))
        return false;
    if (!search->of_evidence)
        return syncd_bytes_are(entry->header.op, search->id);
    g_autofree char *id = syncd_service_evidence_id(search->service, entry);
    return g_strcmp0(id, search->id) == 0;
}

static bool look_at(void *data, const SyncdRow *row)
{
    SyncdEvidenceSearch *search = data;
    search->pos = row->entry.pos - 1;
    if (!is_it(search, &row->entry))
        return true;
    g_autoptr(GString) evidence = g_string_new(NULL);
    if (syncd_service_write_evidence(search->service, &row->entry, evidence, &search->fault))
        search->found = g_string_free(g_steal_pointer(&evidence), FALSE);
    return false;
}

static bool refuse(const SyncdEvidenceSearch *search, GError **error)
{
    bool named = syncd_id_is_token(search->id, strlen(search->id));
    const char *id = named ? search->id : "of that id";
    if (search->unread > 0)
        syncd_set_error(error, SYNCD_ERROR_JOURNAL_CORRUPT,
                        "There is no evidence %s, unless it is one of %u entries that are damaged",
                        id, search->unread);
    else
        syncd_set_error_next(error, SYNCD_ERROR_NOT_FOUND,
                             "list it with `sourceos-syncd evidence list`",
                             "There is no evidence %s", id);
    return false;
}

/* What is damaged is passed over: it takes nothing from the others. */
static void look_further(SyncdEvidenceSearch *search)
{
    guint64 positions[SYNCD_EVIDENCE_STEP];
    guint n = 0;
    for (guint64 pos = search->pos; n < G_N_ELEMENTS(positions) && pos >= search->last; pos--)
        positions[n++] = pos;
    if (syncd_store_read_many(search->service->store, positions, n, SYNCD_READ_HEADER, look_at,
                              search, NULL))
        return;
    search->unread++;
    search->pos--;
}

bool syncd_evidence_search_step(SyncdEvidenceSearch *search, char **ret_evidence, GError **error)
{
    if (search->pos == 0 || search->pos < search->last)
        return refuse(search, error);
    look_further(search);
    if (search->fault != NULL) {
        g_propagate_error(error, g_steal_pointer(&search->fault));
        return false;
    }
    *ret_evidence = g_steal_pointer(&search->found);
    return true;
}
