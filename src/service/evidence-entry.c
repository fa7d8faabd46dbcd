#include "service/evidence-entry.h"

#include "domain/entry-evidence.h"
#include "domain/evidence.h"
#include "store/lost.h"

const char *syncd_service_evidence_type(const SyncdHeader *header)
{
    return syncd_entry_evidence_type(header->kind, header->schema_id);
}

static char *feed_of(const SyncdHeader *header)
{
    g_autofree char *device = syncd_bytes_dup(header->device),
                    *scope = syncd_bytes_dup(header->scope);
    return syncd_feed_text(device, scope, header->epoch);
}

static bool wrap_document(SyncdService *service, const SyncdEntry *entry, const SyncdEvidence *what,
                          GString *out, GError **error)
{
    g_auto(SyncdBody) body = {0};
    return syncd_store_read_body(service->store, entry, &body, error) &&
           syncd_json_check(body.content, body.content_size, SYNCD_JSON_MUST_BE_OBJECT, error) &&
           syncd_evidence_wrap(syncd_json_root(body.content, body.content_size), what, out, error);
}

static void write_summary(const SyncdHeader *header, const SyncdEvidencePlace *place,
                          const char *unreadable, GString *out)
{
    const SyncdEntryFacts facts = {
        .kind = header->kind,
        .operation = header->op,
        .actor = header->actor,
        .object = header->object,
        .decision = header->decision,
        .lane = header->lane,
        .schema_id = header->schema_id,
        .schema_version = header->schema_version,
        .feed = place->feed,
        .seq = place->seq,
        .ms = header->hlc.ms,
        .leaf = place->leaf,
        .body_digest = header->known ? &header->body_digest : NULL,
        .body_size = header->body_size,
        .unreadable = unreadable,
    };
    syncd_entry_summary_write(&facts, out);
}

/* A document that is not to be had takes nothing from the entry: a summary says why. */
static bool wrap_entry(SyncdService *service, const SyncdEntry *entry, SyncdEvidence *what,
                       const SyncdEvidencePlace *place, GString *out, GError **error)
{
    const char *unreadable = NULL;
    if (syncd_entry_evidence_is_document(what->type)) {
        g_autoptr(GError) problem = NULL;
        if (wrap_document(service, entry, what, out, &problem))
            return true;
        bool lacks = g_error_matches(problem, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND);
        unreadable = lacks ? "missing" : "damaged";
    }
    g_autoptr(GString) summary = g_string_new(NULL);
    write_summary(&entry->header, place, unreadable, summary);
    what->type = SYNCD_EVIDENCE_OF_ENTRIES;
    return syncd_evidence_wrap(syncd_json_root(summary->str, summary->len), what, out, error);
}

static bool write_envelope(SyncdService *service, const SyncdEntry *entry, const SyncdHash *leaf,
                           const SyncdAttestor *attestor, GString *out, GError **error)
{
    const SyncdHeader *header = &entry->header;
    g_autofree char *feed = feed_of(header);
    g_autofree char *operation = syncd_bytes_dup(header->op);
    const SyncdEvidencePlace place = {feed, header->seq, leaf};
    SyncdEvidence what = {
        .type = syncd_service_evidence_type(header),
        .subject = operation,
        .generated_usec = (gint64)header->hlc.ms * 1000,
        .attestor = attestor,
        .place = &place,
    };
    return wrap_entry(service, entry, &what, &place, out, error);
}

bool syncd_service_write_evidence(SyncdService *service, const SyncdEntry *entry, GString *out,
                                  GError **error)
{
    SyncdHash leaf;
    return syncd_store_check_entry(service->store, entry, &leaf, error) &&
           write_envelope(service, entry, &leaf, service->attestor, out, error);
}

char *syncd_service_evidence_id(SyncdService *service, const SyncdEntry *entry)
{
    g_autoptr(GString) envelope = g_string_new(NULL);
    SyncdHash leaf = syncd_entry_leaf(entry->text, entry->size);
    if (!write_envelope(service, entry, &leaf, NULL, envelope, NULL))
        return NULL;
    SyncdJson root = syncd_json_root(envelope->str, envelope->len);
    return syncd_json_dup_text(syncd_json_member(root, "evidence_id"));
}

bool syncd_service_view_evidence(SyncdService *service, const SyncdCaller *caller,
                                 SyncdView *ret_view, GError **error)
{
    g_autoptr(GError) problem = NULL;
    if (syncd_service_view(service, caller, ret_view, &problem))
        return true;
    g_autofree char *what = NULL, *next = NULL;
    syncd_error_split(problem->message, &what, &next);
    int code = problem->domain == SYNCD_ERROR ? problem->code : SYNCD_ERROR_STORAGE_FAILED;
    syncd_set_error_next(error, (SyncdErrorCode)code,
                         "have the index made anew with `sourceos-syncd repair plan`, or list "
                         "everybody's evidence with --all, which needs none",
                         "Which evidence is yours says the index, and that cannot be used: %s",
                         what);
    return false;
}
