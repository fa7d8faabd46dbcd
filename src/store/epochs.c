#include "store/epochs.h"

#include "base/json-writer.h"
#include "crypto/digested.h"
#include "store/store-private.h"

#define SCHEMA "sourceos.log-epochs/v1"
#define FILE_MAX 4096u

bool syncd_store_highest_epoch(SyncdStore *self, guint64 *ret_highest)
{
    size_t size;
    gint64 highest = 0;
    SyncdJson kept;
    g_autoptr(GError) problem = NULL;
    g_autofree char *text =
        syncd_directory_read(self->directory, SYNCD_EPOCHS_FILE, FILE_MAX, &size, &problem);
    *ret_highest = 0;
    if (text == NULL)
        return g_error_matches(problem, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND);
    if (!syncd_digested_read(SYNCD_BYTES(text, size), SCHEMA, &kept, NULL) ||
        !syncd_json_get_int64(syncd_json_member(kept, "highest"), &highest) || highest < 1)
        return false;
    *ret_highest = (guint64)highest;
    return true;
}

bool syncd_store_keep_epoch(SyncdStore *self, guint64 highest, GError **error)
{
    g_autoptr(GError) problem = NULL;
    g_autoptr(GString) kept = g_string_new(NULL);
    SyncdJsonWriter writer;
    if (highest == 0)
        return syncd_directory_remove(self->directory, SYNCD_EPOCHS_FILE, error);
    syncd_json_writer_init(&writer, kept, false);
    syncd_json_begin_object(&writer);
    syncd_json_member_uint(&writer, "highest", highest);
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
