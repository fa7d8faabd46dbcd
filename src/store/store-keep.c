#include "store/store-private.h"

bool syncd_store_keep(SyncdStore *self, const char *name, SyncdBytes bytes, GError **error)
{
    /* An index that is in the making stands against entries, and not against this. */
    return (syncd_store_condition(self) == SYNCD_STORE_WRITABLE ||
            syncd_store_may_write(self, error)) &&
           syncd_directory_publish(self->directory, name, bytes, error);
}

bool syncd_store_keep_of_run(SyncdStore *self, const char *name, SyncdBytes bytes, GError **error)
{
    SyncdStoreCondition condition = syncd_store_condition(self);
    return condition == SYNCD_STORE_DISPLACED || condition == SYNCD_STORE_DAMAGED
               ? syncd_directory_publish(self->directory, name, bytes, error)
               : syncd_store_keep(self, name, bytes, error);
}

char *syncd_store_kept(SyncdStore *self, const char *name, size_t max, size_t *ret_size,
                       GError **error)
{
    return syncd_directory_read(self->directory, name, max, ret_size, error);
}
