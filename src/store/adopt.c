/* Going on with a log that came from another machine, or that lost its end: its feeds are not
 * continued, as somebody may have other entries in the same places. They open their next epoch,
 * naming the head that is there. */
#include "base/json-writer.h"
#include "store/epochs.h"
#include "store/mend.h"
#include "store/rollback-private.h"
#include "store/store-private.h"
#include "store/wal.h"

/* More than anybody has begun where nobody knows how many there were. */
#define EPOCHS_UNKNOWN 1000u

/* Of feeds that went with the end, any may have been a later epoch: none is begun twice. */
static guint64 epochs_to_skip(const SyncdRollback *rollback, bool readable, guint64 highest)
{
    if (readable && (highest > 0 || rollback == NULL))
        return 0;
    return readable && rollback->known != 0 ? rollback->gone : EPOCHS_UNKNOWN;
}

/* The same for all feeds: above what each is in, and what any ever was in. */
static guint64 next_epoch(SyncdStore *self)
{
    SyncdEpochs epochs;
    bool readable = syncd_store_read_epochs(self, &epochs);
    guint64 highest = epochs.given, skipped = epochs_to_skip(self->rollback, readable, highest);
    for (guint i = 0; i < self->scopes->len; i++) {
        const SyncdScope *scope = self->scopes->pdata[i];
        const SyncdFeed *last = syncd_journal_own_feed(self->journal, scope->id);
        highest = MAX(highest, last != NULL ? last->epoch : 0);
    }
    return highest + 1 + skipped;
}

static bool continue_feeds(SyncdStore *self, guint64 epoch, const char *actor, GError **error)
{
    for (guint i = 0; i < self->scopes->len; i++) {
        const SyncdScope *scope = self->scopes->pdata[i];
        const SyncdFeed *last = syncd_journal_own_feed(self->journal, scope->id);
        if (last != NULL && !syncd_store_open_feed(self, scope, epoch, last, actor, error))
            return false;
    }
    return true;
}

/* What there was, as far as is known, and what there is. */
static void write_lost(SyncdStore *self, SyncdJsonWriter *writer)
{
    g_autoptr(GPtrArray) feeds = syncd_store_feeds_rolled_back(self);
    syncd_json_name(writer, "rolled_back");
    syncd_json_begin_object(writer);
    syncd_json_member_uint(writer, "known", self->rollback->known);
    syncd_json_member_uint(writer, "present", syncd_journal_committed(self->journal));
    syncd_json_member_string(writer, "last_operation", self->rollback->operation);
    syncd_json_member_string(writer, "evidence", self->rollback->evidence);
    if (self->set_aside != NULL)
        syncd_json_member_string(writer, "set_aside", self->set_aside);
    syncd_json_member_strings(writer, "feeds", feeds);
    syncd_json_end_object(writer);
}

static bool record_adoption(SyncdStore *self, const char *actor, GError **error)
{
    SyncdJsonWriter writer;
    g_autofree char *machine = g_strndup(self->machine, SYNCD_MACHINE_HASH_DIGITS);
    g_autoptr(GString) content = g_string_new(NULL);
    syncd_json_writer_init(&writer, content, false);
    syncd_json_begin_object(&writer);
    syncd_json_member_string(&writer, "machine", machine);
    if (self->rollback != NULL)
        write_lost(self, &writer);
    syncd_json_end_object(&writer);
    SyncdDraft draft = {
        .kind = "store.adopted",
        .actor = actor,
        .object = "",
        .decision = "",
        .engine = "",
        .lane = "audit",
        .schema_id = "sourceos.store-adoption/v1",
        .schema_version = 1,
        .meta = SYNCD_BYTES_TEXT("{}"),
        .content = SYNCD_BYTES(content->str, content->len),
    };
    return syncd_store_append(self, syncd_store_device_id(self), &draft, NULL, error);
}

/* A log that is bound already stays so where nobody knows which machine this is. */
static bool bind_machine(SyncdStore *self, GError **error)
{
    return strcmp(self->machine, "none") == 0 ||
           syncd_journal_set_meta(self->journal, "machine", self->machine, error);
}

/* ---- what an adoption would destroy ---- */

/* The WAL first: where there is the other there is all of it. */
static bool copy_log(SyncdStore *self, GError **error)
{
    g_autofree char *name = syncd_store_free_generation(self, error);
    g_autofree char *wal = name != NULL ? g_strconcat(name, "-wal", NULL) : NULL;
    if (name == NULL || !syncd_directory_copy(self->directory, SYNCD_WAL_FILE, wal, error) ||
        !syncd_directory_copy(self->directory, SYNCD_JOURNAL_FILE, name, error))
        return false;
    g_free(self->set_aside);
    self->set_aside = g_steal_pointer(&name);
    return true;
}

/* The next transaction is written where SQLite ends to take frames of the WAL. What lies behind
 * that is in no other file, and means nothing without the database that it was written for. */
static bool set_log_aside(SyncdStore *self, GError **error)
{
    g_autoptr(GError) problem = NULL;
    if (!syncd_wal_has_more(self->directory, SYNCD_WAL_FILE) || copy_log(self, &problem))
        return true;
    if (syncd_store_made_room(self, problem)) {
        g_clear_error(&problem);
        if (copy_log(self, &problem))
            return true;
    }
    g_propagate_error(error, g_steal_pointer(&problem));
    return false;
}

const char *syncd_store_set_aside_at_adoption(const SyncdStore *self)
{
    return self->set_aside;
}

/* ---- adopting ---- */

bool syncd_store_adopt(SyncdStore *self, const char *actor, GError **error)
{
    SyncdStoreCondition before = self->condition;
    if (before != SYNCD_STORE_MACHINE_CHANGED && before != SYNCD_STORE_ROLLED_BACK)
        return syncd_store_may_write(self, error); /* nothing to do is done */
    if (!syncd_store_settle(self, error) ||
        (before == SYNCD_STORE_ROLLED_BACK && !set_log_aside(self, error)))
        return false;

    guint64 epoch = next_epoch(self);
    if (!syncd_store_give_epoch(self, epoch, error))
        return false;
    self->condition =
        syncd_keyring_has_device(self->keyring) ? SYNCD_STORE_WRITABLE : SYNCD_STORE_KEYLESS;
    if (continue_feeds(self, epoch, actor, error) && bind_machine(self, error) &&
        record_adoption(self, actor, error) && syncd_store_commit(self, NULL, error)) {
        if (self->rollback != NULL)
            syncd_store_end_rollback(self);
        syncd_database_hold(syncd_journal_database(self->journal), false);
        syncd_store_keep_end(self);
        syncd_store_note_epoch(self);
        return true;
    }
    if (syncd_store_has_turn(self))
        syncd_store_discard(self);
    self->condition = before;
    return false;
}
