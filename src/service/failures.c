/* Failures that repeat: noted as they come, and told as storms. */
#include "base/timestamp.h"
#include "service/detect.h"
#include "store/examine.h"

void syncd_service_note_failure(SyncdService *service, const char *kind, const char *what)
{
    syncd_storms_note(service->storms, kind, what, syncd_service_monotonic(service),
                      syncd_service_now_ms(service));
}

void syncd_service_note_index_failures(SyncdService *service)
{
    SyncdIndexHealth health;
    const GError *problem = syncd_store_index_problem(service->store);
    syncd_store_index_health(service->store, &health);
    for (; service->index_failures < health.failures; service->index_failures++)
        syncd_service_note_failure(service, "index",
                                   problem != NULL ? problem->message : "it was mended since");
}

static void tell_storm(void *data, const SyncdStorm *storm)
{
    char first[SYNCD_TIME_SIZE], last[SYNCD_TIME_SIZE];
    g_autofree char *n = g_strdup_printf("%" G_GUINT64_FORMAT, storm->count);
    syncd_time_format_ms(storm->first_ms, first);
    syncd_time_format_ms(storm->last_ms, last);
    SyncdFound *found =
        syncd_diagnosis_add(data, "storm", "n", n, "first", first, "last", last, NULL);
    found->count = storm->count;
    for (char *const *sample = storm->samples; *sample != NULL; sample++)
        syncd_found_evidence(found, g_utf8_make_valid(*sample, -1));
}

bool syncd_detect_storms(SyncdDiagnosis *self, GError **error)
{
    syncd_service_note_index_failures(self->service);
    syncd_storms_walk(self->service->storms, syncd_service_monotonic(self->service), tell_storm,
                      self);
    return true;
}
