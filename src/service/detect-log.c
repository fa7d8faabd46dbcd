/* What verifications found wrong with the log, which is remembered: by what can be done about it.
 */
#include "service/damage.h"
#include "service/detect.h"

#include <string.h>

/* The first that names the code of a verification's finding; the last one has all others. */
static const struct {
    const char *code;
    const char *of[8];
} groups[] = {
    {"log-diverged", {"rollback", "fork", "known-feed"}},
    {"body-damaged", {"body-missing", "body-digest", "body-meta", "body-seal"}},
    {"blob-damaged", {"content", "kept-content"}},
    {"log-lost", {"entry-lost", "body-lost"}},
    {"log-damaged", {NULL}},
};

static size_t group_of(const SyncdVerifyFinding *finding)
{
    for (size_t i = 0; i < G_N_ELEMENTS(groups); i++)
        for (size_t j = 0; groups[i].of[j] != NULL; j++)
            if (strcmp(groups[i].of[j], finding->code) == 0)
                return i;
    return G_N_ELEMENTS(groups) - 1;
}

static void widen(SyncdFound *found, const SyncdVerifyFinding *finding)
{
    if (finding->pos <= 0)
        return;
    guint64 at = (guint64)finding->pos;
    found->first = found->first == 0 ? at : MIN(found->first, at);
    found->last = MAX(found->last, at);
}

static char *evidence_of(const SyncdVerifyFinding *finding)
{
    return finding->pos > 0
               ? g_strdup_printf("%s %s %" G_GINT64_FORMAT ": %s", finding->code, finding->feed,
                                 finding->pos, finding->detail)
               : g_strdup_printf("%s %s: %s", finding->code, finding->feed, finding->detail);
}

static void add_group(SyncdDiagnosis *self, size_t group, const GPtrArray *damage)
{
    const SyncdVerifyFinding *first = NULL;
    guint64 n = 0;
    for (guint i = 0; i < damage->len; i++) {
        if (group_of(damage->pdata[i]) != group)
            continue;
        first = first != NULL ? first : damage->pdata[i];
        n++;
    }
    if (n == 0)
        return;
    g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT, n);
    SyncdFound *found =
        syncd_diagnosis_add(self, groups[group].code, "n", text, "reason", first->detail, NULL);
    found->count = n;
    found->target = g_strdup("journal");
    for (guint i = 0; i < damage->len; i++) {
        if (group_of(damage->pdata[i]) != group)
            continue;
        widen(found, damage->pdata[i]);
        syncd_found_evidence(found, evidence_of(damage->pdata[i]));
    }
}

bool syncd_detect_log(SyncdDiagnosis *self, GError **error)
{
    const GPtrArray *damage = syncd_service_damage(self->service);
    for (size_t i = 0; i < G_N_ELEMENTS(groups); i++)
        add_group(self, i, damage);
    for (size_t i = 0; i < G_N_ELEMENTS(groups); i++)
        add_group(self, i, syncd_service_losses(self->service));
    return true;
}
