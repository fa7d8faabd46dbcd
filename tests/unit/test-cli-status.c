/*
 * Whoever reads that something is wrong, and no more than that, reads which command says more.
 */
#include "cli/instance-status.h"
#include "contract/vocabulary.h"
#include "domain/findings.h"

#include <string.h>

static void assert_leads_on(const char *code, const char *note)
{
    g_test_message("%s: %s", code, note);
    g_assert_nonnull(strstr(note, "`sourceos-syncd "));
}

static void every_note_of_what_is_wrong_leads_on(void)
{
    static const char *const bad[] = {"degraded", "conflicted", "policy-blocked",
                                      "repair-recommended"};
    size_t n;
    guint told = 0;
    const SyncdFinding *findings = syncd_findings(&n);
    for (size_t i = 0; i < n; i++) {
        const char *note = syncd_instance_status_note_on(findings[i].code);
        if (note == NULL || strcmp(findings[i].code, "daemon-unavailable") == 0)
            continue; /* the state's stands, or the reason that no daemon answers */
        assert_leads_on(findings[i].code, note);
        told++;
    }
    g_assert_cmpuint(told, >, 10);
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        assert_leads_on(bad[i], syncd_instance_status_note_on(bad[i]));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cli/status/notes-lead-on", every_note_of_what_is_wrong_leads_on);
    return g_test_run();
}
