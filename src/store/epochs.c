#include "store/epochs.h"

#include "base/json-writer.h"
#include "crypto/digested.h"
#include "store/rollback-private.h"
#include "store/store-private.h"

#define SCHEMA "sourceos.log-epochs/v1"
#define FILE_MAX 4096u

bool syncd_store_read_epochs(SyncdStore *self, SyncdEpochs *ret_epochs)
{
    size_t size;
    gint64 given = 0, begun = 0;
    SyncdJson kept;
    g_autoptr(GError) problem = NULL;
    g_autofree char *text =
        syncd_directory_read(self->directory, SYNCD_EPOCHS_FILE, FILE_MAX, &size, &problem);
    *ret_epochs = (SyncdEpochs){0};
    if (text == NULL)
        return g_error_matches(problem, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND);
    if (!syncd_digested_read(SYNCD_BYTES(text, size), SCHEMA, &kept, NULL) ||
        !syncd_json_get_int64(syncd_json_member(kept, "highest"), &given) || given < 1 ||
        !syncd_json_get_int64(syncd_json_member(kept, "begun"), &begun) || begun < 0)
        return false;
    *ret_epochs = (SyncdEpochs){(guint64)given, (guint64)begun};
    return true;
}

static bool keep(SyncdStore *self, const SyncdEpochs *epochs, GError **error)
{
    g_autoptr(GError) problem = NULL;
    g_autoptr(GString) kept = g_string_new(NULL);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, kept, false);
    syncd_json_begin_object(&writer);
    syncd_json_member_uint(&writer, "highest", epochs->given);
    syncd_json_member_uint(&writer, "begun", epochs->begun);
    syncd_json_end_object(&writer);
    g_autoptr(GString) text = syncd_digested_write(SCHEMA, kept);
    SyncdBytes bytes = SYNCD_BYTES(text->str, text->len);
    if (syncd_directory_publish(self->directory, SYNCD_EPOCHS_FILE, bytes, &problem))
        return true;
    if (syncd_store_made_room(self, problem))
        return syncd_directory_publish(self->directory, SYNCD_EPOCHS_FILE, bytes, error);
    g_propagate_error(error, g_steal_pointer(&problem));
    return false;
}

bool syncd_store_give_epoch(SyncdStore *self, guint64 epoch, GError **error)
{
    SyncdEpochs epochs;
    syncd_store_read_epochs(self, &epochs);
    epochs.given = epoch;
    return keep(self, &epochs, error);
}

void syncd_store_note_epoch(SyncdStore *self)
{
    SyncdEpochs epochs;
    const SyncdFeed *feed = syncd_rollback_device_feed(self);
    if (feed == NULL || !syncd_store_read_epochs(self, &epochs) || epochs.given == 0 ||
        feed->epoch <= epochs.begun)
        return;
    epochs.given = MAX(epochs.given, feed->epoch);
    epochs.begun = feed->epoch;
    keep(self, &epochs, NULL);
}
