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

/* The first word of each part of a command that is run in a shell. */
static bool is_runnable(const char *command)
{
    static const char *const programs[] = {
        "sourceos-syncd", "systemctl", "sudo", "install", "cp",  "mv",    "kill",
        "tail",           "ls",        "df",   "(kill",   "(cp", "(sudo", NULL};
    g_auto(GStrv) parts = g_strsplit(command, " && ", -1);
    for (char **part = parts; *part != NULL; part++) {
        g_auto(GStrv) words = g_strsplit(*part, " ", 2);
        if (words[0] == NULL || !g_strv_contains(programs, words[0]))
            return false;
    }
    return *command != '\0' && strpbrk(command, "{}`") == NULL;
}

/* What leads to the diagnosis that told of it leads in a circle. */
static bool leads_on(const char *command)
{
    return !g_str_has_prefix(command, SYNCD_NEXT_DOCTOR) && strstr(command, "journalctl") == NULL;
}

static void assert_leads_on(const SyncdFinding *finding)
{
    for (int of_system = 0; of_system < 2; of_system++) {
        g_autofree char *next = syncd_finding_next(finding->next, of_system, fact, NULL);
        g_test_message("%s", next);
        g_assert_true(is_runnable(next) && leads_on(next));
        g_assert_true(of_system || strstr(next, "--system") == NULL);
        g_assert_true(!of_system || strstr(next, "--user") == NULL);
    }
}

static bool is_of(const char *const *words, const char *word)
{
    return word != NULL && g_strv_contains(words, word);
}

static void every_finding_is_whole(void)
{
    static const char *const severities[] = {"info", "warning", "error", "critical", NULL};
    static const char *const durabilities[] = {"durable", "rebuildable", "none", NULL};
    static const char *const subjects[] = {"journal", "index",  "content",   "keys",    "state",
                                           "disk",    "policy", "daemon",    "objects", "tasks",
                                           "jobs",    "repair", "workspace", NULL};
    size_t n;
    const SyncdFinding *findings = syncd_findings(&n);
    for (size_t i = 0; i < n; i++) {
        const SyncdFinding *finding = &findings[i];
        g_test_message("%s", finding->code);
        g_assert_true(syncd_finding_find(SYNCD_BYTES_TEXT(finding->code)) == finding);
        g_assert_true(is_of(severities, finding->severity));
        g_assert_true(is_of(durabilities, finding->durability));
        g_assert_true(is_of(subjects, finding->about));
        g_assert_true(finding->evidence != NULL && *finding->evidence != '\0');
        g_assert_nonnull(finding->next);
        assert_leads_on(finding);
        /* A plan, or somebody, can do something about whatever is wrong. */
        g_assert_true(!syncd_finding_is_bad(finding) || finding->repair != NULL ||
                      finding->person != NULL);
        g_autofree char *sentence = syncd_answer_fill(finding->sentence, fact, NULL),
                        *evidence = syncd_answer_fill(finding->evidence, fact, NULL);
        g_assert_null(strpbrk(sentence, "{}"));
        g_assert_null(strpbrk(evidence, "{}"));
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
                        "install -d -m 700 keys && cp -np BACKUP/keys/* keys && "
                        "systemctl --user restart sourceos-syncd");
        g_assert_cmpstr(system, ==,
                        "sudo install -o owner -d -m 700 keys && sudo cp -np BACKUP/keys/* keys && "
                        "systemctl restart sourceos-syncd");
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
