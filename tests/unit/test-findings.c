/*
 * Whatever is found has a code of its own, a severity that is one, a sentence and a next
 * command, or none, but never the one that has told of it.
 */
#include "contract/vocabulary.h"
#include "domain/answers.h"
#include "domain/findings.h"

#include <string.h>

static const char *fact(void *data, const char *name)
{
    return name;
}

static void every_finding_is_whole(void)
{
    static const char *const severities[] = {"info", "warning", "error", "critical", NULL};
    static const char *const durabilities[] = {"durable", "rebuildable", "none", NULL};
    size_t n;
    const SyncdFinding *findings = syncd_findings(&n);
    for (size_t i = 0; i < n; i++) {
        g_test_message("%s", findings[i].code);
        g_assert_true(syncd_finding_find(SYNCD_BYTES_TEXT(findings[i].code)) == &findings[i]);
        g_assert_true(g_strv_contains(severities, findings[i].severity));
        g_assert_nonnull(findings[i].next);
        g_assert_cmpstr(findings[i].next, !=, SYNCD_NEXT_DOCTOR);
        g_assert_null(strstr(findings[i].next, "journalctl"));
        g_assert_true(g_strv_contains(durabilities, findings[i].durability));
        /* Somebody, or a plan, can do something about whatever is wrong with what is stored. */
        if (syncd_finding_is_bad(&findings[i]) && strcmp(findings[i].durability, "none") != 0)
            g_assert_true(findings[i].repair != NULL || findings[i].person != NULL);
        g_autofree char *sentence = syncd_answer_fill(findings[i].sentence, fact, NULL);
        g_assert_null(strpbrk(sentence, "{}"));
    }
    g_assert_null(syncd_finding_find(SYNCD_BYTES_TEXT("none")));
}

/* Nobody restarts what lacks its keys still; and of the system's instance it is systemd's own. */
static void keys_are_put_back_before_a_restart(void)
{
    static const char *const codes[] = {"key-missing", "device-key-missing"};
    for (size_t i = 0; i < G_N_ELEMENTS(codes); i++) {
        const char *command = syncd_finding_find(SYNCD_BYTES_TEXT(codes[i]))->next;
        g_autofree char *user = syncd_finding_next(command, false, fact, NULL),
                        *system = syncd_finding_next(command, true, fact, NULL);
        g_assert_cmpstr(user, ==,
                        "cp -np BACKUP/keys/* keys && systemctl --user restart sourceos-syncd");
        g_assert_cmpstr(system, ==,
                        "cp -np BACKUP/keys/* keys && systemctl restart sourceos-syncd");
    }
}

static void the_worst_stand_first(void)
{
    static const char *const worst_first[] = {"critical", "error", "warning", "info"};
    for (unsigned i = 0; i < G_N_ELEMENTS(worst_first); i++)
        g_assert_cmpuint(syncd_finding_rank(SYNCD_BYTES_TEXT(worst_first[i])), ==, i);
    g_assert_cmpuint(syncd_finding_rank(SYNCD_BYTES_TEXT("fatal")), ==, 0);
}

/* What is critical says so in the state as well; and what only informs does not ask for a repair.
 */
static void the_state_is_no_better_than_the_severity(void)
{
    size_t n;
    const SyncdFinding *findings = syncd_findings(&n);
    for (size_t i = 0; i < n; i++) {
        const char *state = syncd_finding_state(&findings[i]);
        g_test_message("%s: %s", findings[i].code, state);
        g_assert_nonnull(syncd_vocabulary_find(SYNCD_WORDS_DAEMON_STATE, SYNCD_BYTES_TEXT(state)));
        g_assert_cmpstr(state, !=, "clean");
        if (strcmp(findings[i].severity, "critical") == 0)
            g_assert_cmpstr(state, ==, "repair-recommended");
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/findings/every-finding-is-whole", every_finding_is_whole);
    g_test_add_func("/findings/keys-first", keys_are_put_back_before_a_restart);
    g_test_add_func("/findings/the-worst-stand-first", the_worst_stand_first);
    g_test_add_func("/findings/the-state-is-no-better-than-the-severity",
                    the_state_is_no_better_than_the_severity);
    return g_test_run();
}
