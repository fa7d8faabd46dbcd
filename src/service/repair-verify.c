#include "service/repair-verify.h"

#include "service/damage.h"
#include "service/internal.h"

bool syncd_repair_verify_step(SyncdService *service, SyncdRepairVerify *self, bool *ret_more,
                              GError **error)
{
    if (self->verify == NULL) {
        self->sequence = syncd_store_sequence(service->store);
        self->verify = syncd_verify_new(service->store, SYNCD_VERIFY_FULL, NULL, error);
        if (self->verify != NULL)
            syncd_verify_pass_over(self->verify, syncd_service_losses(service));
    }
    if (self->verify == NULL || !syncd_verify_step(self->verify, ret_more, error))
        return false;
    if (!*ret_more)
        syncd_service_note_verified(service, self->verify, SYNCD_VERIFY_FULL, self->sequence);
    return true;
}

void syncd_repair_verify_clear(SyncdRepairVerify *self)
{
    g_clear_pointer(&self->verify, syncd_verify_free);
}
