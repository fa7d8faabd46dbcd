#include "store/missing-keys.h"

#include "base/json.h"
#include "store/store-private.h"

#include <string.h>

static void missing_key_free(void *data)
{
    SyncdMissingKey *missing = data;
    g_free(missing->scope_id);
    g_free(missing);
}

static const SyncdScope *find_scope(const SyncdStore *self, const char *scope_id)
{
    for (guint i = 0; i < self->scopes->len; i++)
        if (strcmp(((const SyncdScope *)self->scopes->pdata[i])->id, scope_id) == 0)
            return self->scopes->pdata[i];
    return NULL;
}

static bool is_sealed(const SyncdFeed *feed)
{
    return feed->key != NULL && *feed->key != '\0';
}

static bool has_key(const SyncdStore *self, const SyncdFeed *feed)
{
    return syncd_keyring_find(self->keyring, SYNCD_BYTES_TEXT(feed->key)) != NULL;
}

static SyncdMissingKey *missing_of(const SyncdStore *self, GPtrArray *all, const char *scope_id)
{
    for (guint i = 0; i < all->len; i++)
        if (strcmp(((SyncdMissingKey *)all->pdata[i])->scope_id, scope_id) == 0)
            return all->pdata[i];
    SyncdMissingKey *missing = g_new(SyncdMissingKey, 1);
    *missing = (SyncdMissingKey){g_strdup(scope_id), find_scope(self, scope_id), 0};
    g_ptr_array_add(all, missing);
    return missing;
}

bool syncd_store_lacks_keys(const SyncdStore *self)
{
    const GPtrArray *feeds = syncd_journal_feeds(self->journal);
    for (guint i = 0; i < feeds->len; i++)
        if (is_sealed(feeds->pdata[i]) && !has_key(self, feeds->pdata[i]))
            return true;
    return false;
}

GPtrArray *syncd_store_missing_keys(const SyncdStore *self)
{
    const GPtrArray *feeds = syncd_journal_feeds(self->journal);
    GPtrArray *all = g_ptr_array_new_with_free_func(missing_key_free);
    for (guint i = 0; i < feeds->len; i++) {
        const SyncdFeed *feed = feeds->pdata[i];
        if (is_sealed(feed) && !has_key(self, feed))
            missing_of(self, all, feed->scope)->entries += feed->committed.size;
    }
    return all;
}

bool syncd_store_check_not_hidden(const SyncdStore *self, const char *scope_id, GError **error)
{
    g_autoptr(GPtrArray) all = syncd_store_missing_keys(self);
    for (guint i = 0; i < all->len; i++) {
        const SyncdMissingKey *missing = all->pdata[i];
        if (missing->scope != NULL ||
            (scope_id != NULL && strcmp(scope_id, missing->scope_id) != 0))
            continue;
        syncd_set_error_next(error, SYNCD_ERROR_NOT_INITIALIZED,
                             "put the folder keys/ of the state directory back from a backup and "
                             "restart the daemon; `sourceos-syncd doctor` says what is lost",
                             "The key of the scope %s is not here: what its %" G_GUINT64_FORMAT
                             " entries say, and whether this is among it, is not known",
                             missing->scope_id, missing->entries);
        return false;
    }
    return true;
}

/* What is there cannot be had, which is as if it were not. */
#define NO_KEY "The key that opens this entry is not here"

void syncd_store_refuse_keyless(GError **error)
{
    syncd_set_error_next(error, SYNCD_ERROR_NOT_FOUND,
                         "put the folder keys/ of the state directory back from a backup and "
                         "restart the daemon; `sourceos-syncd doctor` says what is lost",
                         NO_KEY);
}

bool syncd_store_is_for_want_of_a_key(const GError *error)
{
    return g_error_matches(error, SYNCD_ERROR, SYNCD_ERROR_NOT_INITIALIZED) ||
           (g_error_matches(error, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND) &&
            g_str_has_prefix(error->message, NO_KEY));
}

/* ---- a key that came back ---- */

/* What its first entry says that it is. */
static bool reads_scope(SyncdStore *self, const SyncdFeed *feed, SyncdScope *ret_scope)
{
    guint64 pos = 0;
    g_auto(SyncdEntry) entry = {0};
    g_auto(SyncdBody) body = {0};
    if (!syncd_journal_find_seq(self->journal, feed, 0, &pos, NULL) || pos == 0 ||
        !syncd_store_read(self, pos, &entry, NULL) ||
        !syncd_store_read_body(self, &entry, &body, NULL) ||
        !syncd_json_check(body.content, body.content_size, SYNCD_JSON_MUST_BE_OBJECT, NULL))
        return false;
    SyncdJson scope = syncd_json_member(syncd_json_root(body.content, body.content_size), "scope");
    ret_scope->class = syncd_json_dup_text(syncd_json_member(scope, "class"));
    ret_scope->name = syncd_json_dup_text(syncd_json_member(scope, "name"));
    return ret_scope->class != NULL && ret_scope->name != NULL;
}

/* Of two scopes of one name the index has only the first. */
static bool has_name(const SyncdStore *self, const SyncdScope *wanted)
{
    for (guint i = 0; i < self->scopes->len; i++) {
        const SyncdScope *scope = self->scopes->pdata[i];
        if (strcmp(scope->class, wanted->class) == 0 && strcmp(scope->name, wanted->name) == 0)
            return true;
    }
    return false;
}

bool syncd_store_index_lacks_scope(SyncdStore *self)
{
    const GPtrArray *feeds = syncd_journal_feeds(self->journal);
    for (guint i = 0; i < feeds->len; i++) {
        const SyncdFeed *feed = feeds->pdata[i];
        SyncdScope scope = {0};
        bool lacks = is_sealed(feed) && has_key(self, feed) &&
                     find_scope(self, feed->scope) == NULL && reads_scope(self, feed, &scope) &&
                     !has_name(self, &scope);
        g_free(scope.class);
        g_free(scope.name);
        if (lacks)
            return true;
    }
    return false;
}
