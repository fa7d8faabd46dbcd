/* Whether the disk that the state lies on has room. */
#include "service/detect.h"
#include "store/examine.h"

#define MIB (1024u * 1024u)

/* What the log, its index and a repair may need at once. */
#define LOW_MIN (64u * MIB)
#define LOW_PART 50u /* … or this part of the disk, if that is less */

bool syncd_detect_room(SyncdDiagnosis *self, GError **error)
{
    SyncdRoom room;
    if (!syncd_store_room(self->service->store, &room, error))
        return false;
    guint64 low = MIN(LOW_MIN, room.total / LOW_PART);
    guint64 missing = room.reserve - MIN(room.reserve, room.set_aside);
    if (room.free >= low && missing == 0)
        return true;
    g_autofree char *free = g_format_size(room.free), *total = g_format_size(room.total),
                    *reserve = g_format_size(missing);
    SyncdFound *found =
        syncd_diagnosis_add(self, "disk-pressure", "free", free, "total", total, NULL);
    if (missing > 0)
        syncd_found_evidence(found, g_strdup_printf("%s of what is set aside for repairs are not "
                                                    "there",
                                                    reserve));
    return true;
}
