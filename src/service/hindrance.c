#include "service/hindrance.h"

#include "store/missing-keys.h"

const char *syncd_hindrance(const GError *error)
{
    static const struct {
        SyncdErrorCode code;
        const char *words;
    } known[] = {
        {SYNCD_ERROR_NOT_FOUND, "its directory was moved or deleted"},
        {SYNCD_ERROR_NO_SPACE, "there is no room on the disk"},
        {SYNCD_ERROR_STORAGE_FAILED, "its reader ended, or something could not be read or written"},
        {SYNCD_ERROR_JOURNAL_CORRUPT, "the log is damaged"},
        {SYNCD_ERROR_FEED_ROLLBACK, "the log lost its end"},
        {SYNCD_ERROR_POLICY_DENIED, "policy does not allow what was found to be recorded"},
        {SYNCD_ERROR_ACCESS_DENIED, "the state may not be written"},
        {SYNCD_ERROR_ENGINE_DISABLED, "it was paused, or ended, meanwhile"},
    };
    if (syncd_store_is_for_want_of_a_key(error))
        return "a key is not in the folder keys of the state directory";
    for (size_t i = 0; i < G_N_ELEMENTS(known); i++)
        if (g_error_matches(error, SYNCD_ERROR, known[i].code))
            return known[i].words;
    return NULL;
}
