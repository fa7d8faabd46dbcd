/* Whether the disk that the state lies on has room, and what could make some. */
#include "service/detect.h"
#include "service/purge-due.h"
#include "store/examine.h"
#include "store/measure.h"
#include "store/purge.h"

#include <string.h>

#define MIB (1024u * 1024u)

/* What the log, its index and a repair may need at once. */
#define LOW_MIN (64u * MIB)
#define LOW_PART 50u /* … or this part of the disk, if that is less */
/* As the health report calls it critical: service/outside.h. */
#define CRITICAL_PART 20u

typedef struct {
    SyncdOutside outside;
    SyncdRoom room;
    guint64 unset; /* of the space set aside */
} Room;

static bool is_word(const Room *self, const char *word)
{
    return strcmp(syncd_outside_disk_pressure(&self->outside), word) == 0;
}

static guint64 low_of(const Room *self)
{
    return MIN(LOW_MIN, self->outside.total_bytes / LOW_PART);
}

/* Until neither the report nor the store lacks any. */
static guint64 missing(const Room *self)
{
    guint64 wanted =
        MAX(low_of(self), self->outside.total_bytes / CRITICAL_PART + MIB) + self->unset;
    return wanted - MIN(wanted, self->outside.free_bytes);
}

/* What is set aside and went is set aside again with the next start, where there is room for it. */
static bool is_short(const Room *self)
{
    return is_word(self, "critical") || self->outside.free_bytes < low_of(self) ||
           (self->unset > 0 && missing(self) > 0);
}

/* As its user. Who would purge in the system instance nobody knows: there it is what is deleted. */
static bool may_purge(const SyncdDiagnosis *self)
{
    bool more;
    guint64 pos;
    SyncdService *service = self->service;
    const SyncdCaller owner = {.uid = service->uid};
    g_autofree char *scope_id = NULL, *object = NULL;
    if (service->instance == SYNCD_INSTANCE_SYSTEM)
        return syncd_store_next_hidden(service->store, 0, &pos, &scope_id, &object, NULL) &&
               pos != 0;
    g_autoptr(GPtrArray) due = syncd_service_list_purgeable(service, &owner, 1, &more);
    return due->len > 0;
}

static const char *code_of(const SyncdDiagnosis *self, const Room *room)
{
    if (!is_short(room))
        return is_word(room, "warning") ? "disk-filling" : NULL;
    return may_purge(self) ? "disk-pressure" : SYNCD_FINDING_KEPT_PRESSURE;
}

bool syncd_detect_room(SyncdDiagnosis *self, GError **error)
{
    SyncdService *service = self->service;
    Room room = {.unset = 0};
    syncd_outside_measure(syncd_store_path(service->store), service->places, &room.outside);
    if (!syncd_store_room(service->store, &room.room, error))
        return false;
    room.unset = room.room.reserve - MIN(room.room.reserve, room.room.set_aside);
    const char *code = code_of(self, &room);
    if (code == NULL)
        return true;
    g_autofree char *free = g_format_size(room.outside.free_bytes),
                    *total = g_format_size(room.outside.total_bytes),
                    *needed = g_format_size(missing(&room)), *unset = g_format_size(room.unset);
    SyncdFound *found =
        syncd_diagnosis_add(self, code, "free", free, "total", total, "missing", needed, NULL);
    found->target = g_strdup("disk");
    if (room.unset > 0)
        syncd_found_evidence(found, g_strdup_printf("%s of what is set aside for repairs are not "
                                                    "there",
                                                    unset));
    return true;
}
