#include "store/store-private.h"

#include "base/id.h"
#include "base/json-writer.h"
#include "domain/file-changes.h"
#include "domain/kind.h"
#include "store/blobs.h"
#include "store/body.h"
#include "store/displaced.h"
#include "store/measure.h"
#include "store/missing-keys.h"

/* ---- may it be written? ---- */

/* What a person types once no daemon has the state open. */
static char *adopt_command(const SyncdStore *self)
{
    g_autofree char *directory = g_shell_quote(syncd_store_path(self));
    return g_strconcat("sourceos-syncd store adopt",
                       syncd_store_is_elsewhere(self) ? " --state-dir=" : NULL, directory, NULL);
}

static void refuse_rolled_back(const SyncdStore *self, GError **error)
{
    guint64 n = syncd_store_n_rolled_back(self);
    g_autofree char *missing = n == 0 ? g_strdup("nobody knows how many entries are missing")
                                      : g_strdup_printf("%" G_GUINT64_FORMAT " %s missing", n,
                                                        n == 1 ? "entry is" : "entries are");
    g_autofree char *adopt = adopt_command(self);
    g_autofree char *next = g_strdup_printf("stop the daemon, and put the newer journal.db and "
                                            "journal.db-wal back, or run `%s` to go on without "
                                            "what is missing",
                                            adopt);
    syncd_set_error_next(error, SYNCD_ERROR_FEED_ROLLBACK, next,
                         "The log lost its end and is open for reading only: %s", missing);
}

static void refuse_of_other_machine(const SyncdStore *self, GError **error)
{
    g_autofree char *adopt = adopt_command(self);
    g_autofree char *next =
        g_strdup_printf("stop the daemon and run `%s` if this machine owns it now", adopt);
    syncd_set_error_next(error, SYNCD_ERROR_ACCESS_DENIED, next,
                         "This state belongs to another machine and is open for reading only");
}

bool syncd_store_may_write(SyncdStore *self, GError **error)
{
    switch (syncd_store_condition(self)) {
    case SYNCD_STORE_WRITABLE:
        break;
    case SYNCD_STORE_MACHINE_CHANGED:
        refuse_of_other_machine(self, error);
        return false;
    case SYNCD_STORE_FAILED:
        syncd_set_error(error, SYNCD_ERROR_STORAGE_FAILED,
                        "A write to the state failed earlier; nothing is written until a restart");
        return false;
    case SYNCD_STORE_UNREADABLE:
        return syncd_store_check_readable(self, error);
    case SYNCD_STORE_DISPLACED:
        syncd_store_set_displaced_error(self, error);
        return false;
    case SYNCD_STORE_DAMAGED:
        syncd_set_error(error, SYNCD_ERROR_JOURNAL_CORRUPT,
                        "The log is damaged and open for reading only");
        return false;
    case SYNCD_STORE_KEYLESS:
        syncd_set_error_next(
            error, SYNCD_ERROR_NOT_INITIALIZED,
            "put keys/device.key of the state directory back from a backup and "
            "restart the daemon; `sourceos-syncd doctor` says what is lost",
            "The device's key is not here, or is of no use: nothing can be signed, and the log "
            "is open for reading only");
        return false;
    case SYNCD_STORE_ROLLED_BACK:
        refuse_rolled_back(self, error);
        return false;
    case SYNCD_STORE_INSPECTING:
        syncd_set_error(error, SYNCD_ERROR_ACCESS_DENIED, "The state is open for inspection only");
        return false;
    }
    return syncd_store_need_index(self, error) && syncd_store_has_room(self, error);
}

static bool check_token(const char *what, const char *text, bool may_be_empty, GError **error)
{
    if ((may_be_empty && text[0] == '\0') || syncd_id_is_token(text, strlen(text)))
        return true;
    syncd_set_error(error, SYNCD_ERROR_INVALID_ARGS, "The %s of an entry must be an id", what);
    return false;
}

/* What the header puts between quotes as it is. */
static bool check_schema(const SyncdDraft *draft, GError **error)
{
    size_t size = strlen(draft->schema_id);
    bool plain = size <= SYNCD_ID_TOKEN_MAX && draft->schema_version <= G_MAXINT64;
    for (size_t i = 0; plain && i < size; i++)
        plain = g_ascii_isgraph(draft->schema_id[i]) && strchr("\"\\", draft->schema_id[i]) == NULL;
    if (!plain)
        syncd_set_error(error, SYNCD_ERROR_INVALID_ARGS, "The schema of an entry must be a name");
    return plain;
}

/* Whatever passes here makes a header and a body that read back. */
static bool check_draft(const SyncdDraft *draft, GError **error)
{
    if (!check_token("kind", draft->kind, false, error) ||
        !check_token("actor", draft->actor, false, error) ||
        !check_token("object", draft->object, true, error) ||
        !check_token("decision", draft->decision, true, error) ||
        !check_token("engine", draft->engine, true, error) ||
        !check_token("lane", draft->lane, false, error) ||
        (draft->op != NULL && !check_token("operation", draft->op, false, error)) ||
        !check_schema(draft, error))
        return false;
    if (memchr(draft->meta.data, '\n', draft->meta.size) != NULL) {
        syncd_set_error(error, SYNCD_ERROR_INVALID_ARGS, "The meta data of an entry is one line");
        return false;
    }
    if (draft->content.size > SYNCD_STORE_CONTENT_MAX || draft->meta.size > SYNCD_STORE_META_MAX ||
        draft->n_parents > SYNCD_HEADER_MAX_PARENTS ||
        (draft->idempotency_key != NULL && strlen(draft->idempotency_key) > SYNCD_STORE_KEY_MAX)) {
        syncd_set_error(error, SYNCD_ERROR_TOO_LARGE,
                        "An entry holds at most %u bytes of content, %d parents and a key of %u "
                        "bytes",
                        SYNCD_STORE_CONTENT_MAX, SYNCD_HEADER_MAX_PARENTS, SYNCD_STORE_KEY_MAX);
        return false;
    }
    return true;
}

/* The index holds each operation's id once; a second entry with it could never be projected. */
static bool check_op_is_new(SyncdStore *self, const char *op, GError **error)
{
    guint64 pos = 0;
    if (op == NULL)
        return true;
    if (!syncd_store_find_op(self, op, &pos, error))
        return false;
    if (pos != 0)
        syncd_set_error(error, SYNCD_ERROR_INVALID_ARGS,
                        "The operation %s exists, sequence number %" G_GUINT64_FORMAT, op, pos);
    return pos == 0;
}

/* ---- putting an entry together ---- */

void syncd_receipt_clear(SyncdReceipt *receipt)
{
    g_clear_pointer(&receipt->op, g_free);
}

static bool is_public(const SyncdScope *scope)
{
    return strcmp(scope->class, "public") == 0;
}

bool syncd_store_scope_key(SyncdStore *self, const SyncdScope *scope, const SyncdSealKey **ret_key,
                           GError **error)
{
    *ret_key = is_public(scope) ? NULL : syncd_keyring_scope_key(self->keyring, scope->id);
    if (*ret_key != NULL || is_public(scope))
        return true;
    syncd_set_error_next(error, SYNCD_ERROR_NOT_INITIALIZED,
                         "put the folder keys/ of the state directory back from a backup and "
                         "restart the daemon; `sourceos-syncd doctor` says what is lost",
                         "The key of the scope %s:%s is not here", scope->class, scope->name);
    return false;
}

/* The stored body; `list` tells whether the content went to chunks. */
static GByteArray *make_body(SyncdStore *self, const SyncdScope *scope, const SyncdFeed *feed,
                             const SyncdSealKey *key, const SyncdDraft *draft, bool *ret_list,
                             GError **error)
{
    SyncdBytes content = draft->content;
    g_autoptr(GString) list = NULL;
    *ret_list = content.size > SYNCD_STORE_INLINE_MAX;
    if (*ret_list) {
        list = g_string_new(NULL);
        if (!syncd_blobs_put(self->directory, scope->id, key, self->sources, content, list, error))
            return NULL;
        content = SYNCD_BYTES(list->str, list->len);
    }
    return syncd_body_seal(key, self->sources, feed->text, feed->working.size, draft->meta,
                           content);
}

static void fill_header(SyncdStore *self, const SyncdFeed *feed, const SyncdDraft *draft,
                        const char *op, const GByteArray *body, SyncdHeader *header)
{
    guint64 now_ms = syncd_sources_realtime_usec(self->sources) / 1000;
    header->known = true;
    header->actor = SYNCD_BYTES_TEXT(draft->actor);
    header->body_digest = syncd_hash(body->data, body->len);
    header->body_size = body->len;
    header->decision = SYNCD_BYTES_TEXT(draft->decision);
    header->device = SYNCD_BYTES_TEXT(feed->device);
    header->engine = SYNCD_BYTES_TEXT(draft->engine);
    header->epoch = feed->epoch;
    header->hlc = syncd_hlc_tick(syncd_journal_clock(self->journal), now_ms);
    header->keyed = draft->idempotency_key != NULL;
    header->kind = SYNCD_BYTES_TEXT(draft->kind);
    header->lane = SYNCD_BYTES_TEXT(draft->lane);
    header->object = SYNCD_BYTES_TEXT(draft->object);
    header->op = SYNCD_BYTES_TEXT(op);
    header->n_parents = draft->n_parents;
    for (unsigned i = 0; i < draft->n_parents; i++)
        header->parents[i] = draft->parents[i];
    header->schema_id = SYNCD_BYTES_TEXT(draft->schema_id);
    header->schema_version = draft->schema_version;
    header->scope = SYNCD_BYTES_TEXT(feed->scope);
    header->seq = feed->working.size;
}

static SyncdPending *make_pending(const SyncdFeed *feed, const SyncdDraft *draft, guint64 pos,
                                  GString *text)
{
    SyncdPending *pending = g_new0(SyncdPending, 1);
    pending->feed = feed->id;
    pending->entry.pos = pos;
    pending->entry.size = text->len;
    pending->entry.text = g_string_free(text, FALSE);
    syncd_header_parse(pending->entry.text, pending->entry.size, &pending->entry.header, NULL);
    pending->body.meta = g_strndup(draft->meta.data, draft->meta.size);
    pending->body.meta_size = draft->meta.size;
    /* Operations' contents are read back from the journal when somebody asks; only records are
     * needed here. */
    if (syncd_index_keeps_content(pending->entry.header.kind)) {
        pending->body.content = g_strndup(draft->content.data, draft->content.size);
        pending->body.content_size = draft->content.size;
    }
    return pending;
}

/* What the entry keeps beside itself comes and goes with it. */
static bool put_rows(SyncdStore *self, const SyncdDraft *draft, GError **error)
{
    for (guint i = 0; i < draft->n_rows; i++) {
        const SyncdDraftRow *row = &draft->rows[i];
        if (!syncd_journal_put_content(self->journal, &row->name, row->bytes, error))
            return false;
        self->turn_bytes += row->bytes.size;
    }
    return true;
}

/* The draft was checked. */
static bool append(SyncdStore *self, const SyncdScope *scope, SyncdFeed *feed,
                   const SyncdDraft *draft, const char *signer, SyncdReceipt *ret_receipt,
                   GError **error)
{
    SyncdHeader header = {0};
    const SyncdSealKey *key;
    char key_id[SYNCD_HASH_HEX_SIZE] = "";
    guint64 pos;
    if (!check_op_is_new(self, draft->op, error) ||
        !syncd_store_scope_key(self, scope, &key, error))
        return false;
    if (key != NULL)
        syncd_hash_to_hex(syncd_seal_key_id(key), key_id);
    g_autoptr(GByteArray) body =
        make_body(self, scope, feed, key, draft, &header.body_is_list, error);
    if (body == NULL)
        return false;

    g_auto(SyncdReceipt) receipt = {.seq = feed->working.size};
    receipt.op = draft->op != NULL ? g_strdup(draft->op) : syncd_id_new(self->sources, "op");
    fill_header(self, feed, draft, receipt.op, body, &header);
    header.key = SYNCD_BYTES_TEXT(key_id);
    header.signer = SYNCD_BYTES_TEXT(signer);
    g_autoptr(GString) text = g_string_sized_new(1024);
    syncd_header_write(&header, text);
    if (!put_rows(self, draft, error) ||
        !syncd_journal_append(self->journal, feed, SYNCD_BYTES(text->str, text->len),
                              SYNCD_BYTES(body->data, body->len), &pos, &receipt.leaf, error))
        return false;

    receipt.pos = pos;
    self->content_waits |= strcmp(draft->schema_id, SYNCD_FILES_SCHEMA) == 0;
    self->registries += syncd_index_is_registry_kind(header.kind);
    self->turn_entries++;
    self->turn_bytes += text->len + draft->content.size;
    syncd_overlay_add(self->overlay, make_pending(feed, draft, pos, g_steal_pointer(&text)));
    if (ret_receipt != NULL) {
        *ret_receipt = receipt;
        receipt.op = NULL;
    }
    return true;
}

/* ---- feeds and scopes ---- */

static void write_previous(SyncdJsonWriter *writer, const SyncdFeed *previous)
{
    syncd_json_name(writer, "previous");
    if (previous == NULL) {
        syncd_json_null(writer);
        return;
    }
    char root_hex[SYNCD_HASH_HEX_SIZE];
    SyncdHash root = syncd_frontier_root(&previous->committed);
    syncd_hash_to_hex(&root, root_hex);
    syncd_json_begin_object(writer);
    syncd_json_member_uint(writer, "epoch", previous->epoch);
    syncd_json_member_string(writer, "root", root_hex);
    syncd_json_member_uint(writer, "size", previous->committed.size);
    syncd_json_end_object(writer);
}

bool syncd_store_open_feed(SyncdStore *self, const SyncdScope *scope, guint64 epoch,
                           const SyncdFeed *previous, const char *actor, GError **error)
{
    SyncdFeed *feed = syncd_journal_add_feed(self->journal, scope->id, epoch, error);
    if (feed == NULL)
        return false;

    SyncdJsonWriter writer;
    g_autoptr(GString) content = g_string_new(NULL);
    syncd_json_writer_init(&writer, content, false);
    syncd_json_begin_object(&writer);
    syncd_json_member_int(&writer, "base_size", 0);
    write_previous(&writer, previous);
    syncd_json_name(&writer, "scope");
    syncd_json_begin_object(&writer);
    syncd_json_member_string(&writer, "class", scope->class);
    syncd_json_member_string(&writer, "id", scope->id);
    syncd_json_member_string(&writer, "name", scope->name);
    syncd_json_end_object(&writer);
    syncd_json_end_object(&writer);

    char signer[2 * SYNCD_PUBLIC_KEY_SIZE + 1];
    syncd_hex_encode(feed->signer.bytes, sizeof feed->signer.bytes, signer);
    SyncdDraft draft = {
        .kind = "feed.open",
        .actor = actor,
        .object = "",
        .decision = "",
        .engine = "",
        .lane = "audit",
        .schema_id = "sourceos.feed/v1",
        .schema_version = 1,
        .meta = SYNCD_BYTES_TEXT("{}"),
        .content = SYNCD_BYTES(content->str, content->len),
    };
    return check_draft(&draft, error) && append(self, scope, feed, &draft, signer, NULL, error);
}

static bool check_scope(const char *class, const char *name, GError **error)
{
    static const char *const classes[] = {"public", "profile", "workspace", "org", "vault", NULL};
    if (strcmp(class, "device") == 0) {
        syncd_set_error(error, SYNCD_ERROR_INVALID_ARGS,
                        "A device has one scope, which opens with its log");
        return false;
    }
    if (g_strv_contains(classes, class) && strlen(name) <= SYNCD_STORE_META_MAX)
        return true;
    syncd_set_error(error, SYNCD_ERROR_INVALID_ARGS, "A scope has a known class and a short name");
    return false;
}

static bool check_scope_is_new(SyncdStore *self, const char *class, const char *name,
                               GError **error)
{
    g_autoptr(SyncdScope) present = NULL;
    if (!syncd_store_find_scope(self, class, name, &present, error))
        return false;
    if (present != NULL)
        syncd_set_error(error, SYNCD_ERROR_INVALID_ARGS, "The scope %s:%s is open already", class,
                        name);
    return present == NULL;
}

bool syncd_store_may_open_scope(SyncdStore *self, const char *class, const char *name,
                                GError **error)
{
    if (!syncd_store_may_write(self, error) || !check_scope(class, name, error) ||
        !check_scope_is_new(self, class, name, error) ||
        (!syncd_store_is_new(self) && !syncd_store_check_not_hidden(self, NULL, error)))
        return false;
    if (self->scopes->len < SYNCD_STORE_SCOPES_MAX)
        return true;
    syncd_set_error_next(error, SYNCD_ERROR_LIMITS_EXCEEDED, "use one of the scopes that exist",
                         "There are %u scopes already", SYNCD_STORE_SCOPES_MAX);
    return false;
}

bool syncd_store_open_scope(SyncdStore *self, const char *class, const char *name,
                            const char *actor, SyncdScope **ret_scope, GError **error)
{
    if (!syncd_store_may_open_scope(self, class, name, error) ||
        !check_token("actor", actor, false, error) || !syncd_store_begin_log(self, actor, error))
        return false;

    g_autoptr(SyncdScope) scope = g_new0(SyncdScope, 1);
    scope->id = syncd_id_new(self->sources, class);
    scope->class = g_strdup(class);
    scope->name = g_strdup(name);
    /* A feed without its first entry would be damage, so nothing may fail once it is there. */
    if (!is_public(scope) &&
        !syncd_keyring_make_scope_key(self->keyring, scope->id, self->sources, error))
        return false;
    if (!syncd_store_open_feed(self, scope, 1, NULL, actor, error))
        return false;
    g_ptr_array_add(self->scopes, g_steal_pointer(&scope));
    self->turn_scopes++;
    return ret_scope == NULL || syncd_store_find_scope(self, class, name, ret_scope, error);
}

/* ---- the turn ---- */

bool syncd_store_append(SyncdStore *self, const char *scope_id, const SyncdDraft *draft,
                        SyncdReceipt *ret_receipt, GError **error)
{
    if (!syncd_store_may_write(self, error) || !check_draft(draft, error) ||
        !syncd_store_begin_log(self, draft->actor, error))
        return false;
    const SyncdScope *scope = syncd_store_scope(self, scope_id);
    if (scope == NULL) {
        if (syncd_store_check_not_hidden(self, scope_id, error))
            syncd_set_error(error, SYNCD_ERROR_NOT_FOUND, "There is no scope %s", scope_id);
        return false;
    }
    SyncdFeed *feed = syncd_journal_own_feed(self->journal, scope_id);
    if (feed == NULL) {
        syncd_set_error(error, SYNCD_ERROR_NOT_FOUND, "The scope %s has no log of this device",
                        scope_id);
        return false;
    }
    return append(self, scope, feed, draft, "", ret_receipt, error);
}

bool syncd_store_has_turn(const SyncdStore *self)
{
    return syncd_journal_in_turn(self->journal);
}

bool syncd_store_turn_is_full(const SyncdStore *self)
{
    return self->turn_entries >= SYNCD_STORE_TURN_ENTRIES ||
           self->turn_bytes >= SYNCD_STORE_TURN_BYTES;
}

static void end_turn(SyncdStore *self)
{
    self->turn_entries = 0;
    self->turn_bytes = 0;
    self->turn_scopes = 0;
}

static void forget_turn(SyncdStore *self)
{
    syncd_overlay_drop_after(self->overlay, syncd_journal_committed(self->journal));
    syncd_store_forget_sightings(self);
    self->registries++;
    g_ptr_array_set_size(self->scopes, (gint)(self->scopes->len - self->turn_scopes));
    end_turn(self);
}

void syncd_store_discard(SyncdStore *self)
{
    syncd_journal_discard(self->journal);
    forget_turn(self);
}

void syncd_commit_clear(SyncdCommit *commit)
{
    g_clear_pointer(&commit->kinds, g_ptr_array_unref);
}

static void add_kind(GPtrArray *kinds, SyncdBytes kind)
{
    for (guint i = 0; i < kinds->len; i++)
        if (syncd_bytes_are(kind, kinds->pdata[i]))
            return;
    g_ptr_array_add(kinds, syncd_bytes_dup(kind));
}

static void describe_commit(SyncdStore *self, guint64 first, SyncdCommit *ret_commit)
{
    SyncdCommit commit = {.first = first, .last = syncd_journal_committed(self->journal)};
    commit.kinds = g_ptr_array_new_with_free_func(g_free);
    for (guint64 pos = commit.first; pos <= commit.last; pos++) {
        const SyncdPending *pending = syncd_overlay_by_pos(self->overlay, pos);
        SyncdBytes kind = pending->entry.header.kind;
        add_kind(commit.kinds, kind);
        if (!syncd_kind_is_operation(kind))
            continue;
        if (commit.n_operations++ == 0)
            commit.first_operation = pos;
        commit.last_operation = pos;
    }
    *ret_commit = commit;
}

bool syncd_store_commit(SyncdStore *self, SyncdCommit *ret_commit, GError **error)
{
    guint64 first = syncd_journal_committed(self->journal) + 1;
    GError *problem = NULL;
    if (syncd_store_has_turn(self) && !syncd_store_look_at_place(self)) {
        syncd_store_discard(self);
        syncd_store_set_displaced_error(self, error);
        return false;
    }
    bool durable = syncd_journal_commit(self->journal, &problem);
    self->found_no_room = g_error_matches(problem, SYNCD_ERROR, SYNCD_ERROR_NO_SPACE);
    if (!durable) {
        if (g_error_matches(problem, SYNCD_ERROR, SYNCD_ERROR_JOURNAL_CORRUPT))
            self->condition = SYNCD_STORE_DAMAGED;
        forget_turn(self);
        g_propagate_error(error, problem);
        return false;
    }
    end_turn(self);
    if (ret_commit != NULL)
        describe_commit(self, first, ret_commit);
    syncd_store_bound_waiting(self);
    return true;
}

bool syncd_store_keep_head(SyncdStore *self, const char *scope_id, const char *reason,
                           GError **error)
{
    SyncdFeed *feed = syncd_journal_own_feed(self->journal, scope_id);
    if (!syncd_store_may_write(self, error))
        return false;
    if (feed == NULL || feed->note == NULL) {
        syncd_set_error(error, SYNCD_ERROR_NOT_FOUND, "The scope %s has no log of this device",
                        scope_id);
        return false;
    }
    if (syncd_store_has_turn(self)) {
        syncd_set_error(error, SYNCD_ERROR_BUSY, "Entries wait to be committed first");
        return false;
    }
    if (syncd_journal_add_checkpoint(self->journal, feed, reason, error))
        return syncd_store_commit(self, NULL, error);
    syncd_store_discard(self);
    return false;
}
