#include "session.h"

#include "../unit/purge-fixture.h"

#include <string.h>

/* ---- what is purged ---- */

static GPtrArray *secret_chunks; /* of the prepared state, for all runs that begin like it */

void secret_remember(const GPtrArray *chunks)
{
    secret_chunks = g_ptr_array_new();
    for (guint i = 0; i < chunks->len; i++) {
        const SyncdPurgedChunk *chunk = chunks->pdata[i];
        SyncdPurgedChunk *copy = g_new0(SyncdPurgedChunk, 1);
        copy->name = g_strdup(chunk->name);
        copy->size = chunk->size;
        g_ptr_array_add(secret_chunks, copy);
    }
}

bool secret_state(SyncdStore *store, SyncdDeletionState *ret_state, GError **error)
{
    g_autoptr(SyncdScope) scope = NULL;
    SyncdDeletion deletion;
    bool found = false;
    if (!syncd_store_find_scope(store, "public", "board", &scope, error) ||
        (scope != NULL &&
         !syncd_store_find_deletion(store, scope->id, SESSION_SECRET, &deletion, &found, error)))
        return false;
    *ret_state = found ? deletion.state : SYNCD_DELETION_RESTORED;
    return true;
}

bool secret_scrub(SyncdStore *store, GError **error)
{
    SyncdScrubbed scrubbed;
    g_autoptr(SyncdScope) scope = NULL;
    return syncd_store_find_scope(store, "public", "board", &scope, error) && scope != NULL &&
           scrub_all(store, scope->id, secret_chunks, &scrubbed, error) &&
           syncd_store_settle(store, error);
}

bool read_or_purged(SyncdStore *store, const SyncdEntry *entry, SyncdBody *ret_body,
                    bool *ret_purged, GError **error)
{
    g_autoptr(GError) problem = NULL;
    *ret_purged = false;
    if (syncd_store_read_body(store, entry, ret_body, &problem))
        return true;
    *ret_purged = strstr(problem->message, " was purged by ") != NULL;
    if (!*ret_purged)
        g_propagate_error(error, g_steal_pointer(&problem));
    return *ret_purged;
}

/* ---- the state that a session left ---- */

typedef struct {
    Run *run;
    guint found[SESSION_ITEMS]; /* how often */
    guint purged, kept;         /* of the secret's entries */
} Found;

G_GNUC_PRINTF(1, 2)
static char *says(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = g_strdup_vprintf(format, args);
    va_end(args);
    return text;
}

static char *open_again(Run *r)
{
    g_autoptr(GError) error = NULL;
    SyncdStoreOptions options = {.directory = r->f.directory,
                                 .mode = SYNCD_STORE_CREATE,
                                 .sources = &r->f.sources,
                                 .machine = r->f.machine};
    r->f.store = syncd_store_open(&options, &error);
    if (r->f.store == NULL)
        return says("it does not open: %s", error->message);
    if (!syncd_store_adopt(r->f.store, "actor-test", &error))
        return says("it cannot be adopted: %s", error->message);
    if (syncd_store_condition(r->f.store) != SYNCD_STORE_WRITABLE)
        return says("it opens as %s",
                    syncd_store_condition_name(syncd_store_condition(r->f.store)));
    return NULL;
}

static char *judge_item(Found *found, const SyncdEntry *entry, const SyncdBody *body)
{
    g_autofree char *object = syncd_bytes_dup(entry->header.object);
    guint64 n;
    size_t size;
    if (!g_str_has_prefix(object, "object:") ||
        !g_ascii_string_to_unsigned(object + strlen("object:"), 10, 0, SESSION_ITEMS - 1, &n, NULL))
        return says("%s was never heard of", object);
    if (!found->run->tried[n])
        return says("item %u is there and was never tried", (guint)n);
    if (++found->found[n] > 1)
        return says("item %u is there twice", (guint)n);
    g_autofree char *content = item_content(found->run, (guint)n, &size);
    if (body->content_size != size || memcmp(body->content, content, size) != 0)
        return says("item %u has other content", (guint)n);
    return NULL;
}

/* Rather than one of those that the store writes on its own account. */
static bool is_item(const SyncdHeader *header)
{
    g_autofree char *object = syncd_bytes_dup(header->object);
    return (syncd_bytes_are(header->kind, "operation.enqueue") &&
            strcmp(object, SESSION_SECRET) != 0) ||
           g_str_has_prefix(object, "object:");
}

/* Every entry reads, and is one of those that may be there. */
static char *find_items(Found *found)
{
    SyncdStore *store = found->run->f.store;
    g_autoptr(GError) error = NULL;
    memset(found->found, 0, sizeof found->found);
    found->purged = found->kept = 0;
    guint64 last = syncd_store_sequence(store);
    for (guint64 pos = 1; pos <= last; pos++) {
        g_auto(SyncdEntry) entry = {0};
        g_auto(SyncdBody) body = {0};
        bool purged = false;
        if (!syncd_store_read(store, pos, &entry, &error) ||
            !read_or_purged(store, &entry, &body, &purged, &error))
            return says("entry %u of %u does not read: %s", (guint)pos, (guint)last,
                        error->message);
        found->purged += purged;
        found->kept += !purged && syncd_bytes_are(entry.header.object, SESSION_SECRET) &&
                       syncd_bytes_are(entry.header.kind, "operation.enqueue");
        char *fault = is_item(&entry.header) ? judge_item(found, &entry, &body) : NULL;
        if (fault != NULL)
            return fault;
    }
    return found->purged > 0 && found->kept > 0 ? says("half of it is purged") : NULL;
}

/* What was begun is completed, and then nothing is left. */
static char *complete_purge(Run *r, const Found *found)
{
    SyncdDeletionState state;
    g_autoptr(GError) error = NULL;
    if (!secret_state(r->f.store, &state, &error))
        return says("whether it is purged cannot be asked: %s", error->message);
    if ((state == SYNCD_DELETION_PURGED) != (found->purged > 0))
        return says("its bodies are %s, and its deletion is %s",
                    found->purged > 0 ? "gone" : "there", syncd_deletion_state_name(state));
    if (found->purged == 0)
        return NULL;
    if (!secret_scrub(r->f.store, &error))
        return says("a purge cannot be completed: %s", error->message);
    return files_hold(r->f.directory, SYNCD_BYTES_TEXT(SESSION_MARKER))
               ? says("what was purged is still in a file")
               : NULL;
}

static char *find_acknowledged(const Found *found)
{
    for (guint n = 0; n < SESSION_ITEMS; n++)
        if (found->run->acknowledged[n] && found->found[n] == 0)
            return says("item %u was acknowledged and is lost", n);
    return NULL;
}

static char *verify_all(Run *r)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SyncdVerify) verify = syncd_verify_new(r->f.store, SYNCD_VERIFY_FULL, NULL, &error);
    for (bool more = verify != NULL; more;)
        if (!syncd_verify_step(verify, &more, &error))
            return says("it cannot be verified: %s", error->message);
    if (verify == NULL)
        return says("it cannot be verified: %s", error->message);
    if (syncd_verify_n_findings(verify) > 0) {
        const SyncdVerifyFinding *finding = syncd_verify_findings(verify)->pdata[0];
        return says("%s: %s", finding->code, finding->detail);
    }
    if (syncd_verify_checked(verify) != syncd_store_sequence(r->f.store))
        return says("only %u entries were verified", (guint)syncd_verify_checked(verify));
    return NULL;
}

/* Looked for by its key, and appended where it is not found. */
static char *retry_item(Run *r, const Found *found, guint n)
{
    static const char *const classes[] = {"device", "profile", "public"};
    const char *class = classes[n / 10 % 3];
    g_autoptr(GError) error = NULL;
    g_autoptr(SyncdScope) scope = NULL;
    guint64 pos = 0;
    bool device = strcmp(class, "device") == 0;
    if (!device && !syncd_store_find_scope(r->f.store, class, "work", &scope, &error))
        return says("its scope cannot be looked for: %s", error->message);
    if (!device && scope == NULL &&
        !syncd_store_open_scope(r->f.store, class, "work", "actor-test", &scope, &error))
        return says("its scope cannot be opened: %s", error->message);
    const char *id = device ? syncd_store_device_id(r->f.store) : scope->id;
    g_autofree char *key = item_key(n);
    if (!syncd_store_find_key(r->f.store, "actor-test", id, key, &pos, &error))
        return says("the key of item %u cannot be looked for: %s", n, error->message);
    if ((pos != 0) != (found->found[n] == 1))
        return says("item %u is %s and its key is %s", n, found->found[n] ? "there" : "not there",
                    pos != 0 ? "found" : "not found");
    if (pos != 0)
        return NULL;
    if (!item_append(r, n, id, key, &error))
        return says("item %u cannot be retried: %s", n, error->message);
    r->acknowledged[n] = true;
    return NULL;
}

static char *retry_keyed(Run *r, const Found *found)
{
    g_autoptr(GError) error = NULL;
    for (guint n = 0; n < SESSION_ITEMS; n += 3) {
        char *fault = r->tried[n] ? retry_item(r, found, n) : NULL;
        if (fault != NULL)
            return fault;
    }
    if (!syncd_store_commit(r->f.store, NULL, &error))
        return says("nothing can be committed: %s", error->message);
    return NULL;
}

char *judge_state(Run *r)
{
    Found found = {.run = r};
    char *fault = open_again(r);
    if (fault == NULL)
        fault = find_items(&found);
    if (fault == NULL)
        fault = find_acknowledged(&found);
    if (fault == NULL)
        fault = complete_purge(r, &found);
    if (fault == NULL)
        fault = verify_all(r);
    if (fault == NULL)
        fault = retry_keyed(r, &found);
    if (fault == NULL)
        fault = find_items(&found);
    if (fault == NULL)
        fault = find_acknowledged(&found);
    fixture_close(&r->f);
    return fault;
}
