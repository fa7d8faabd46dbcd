/*
 * Files of rules count only when nobody but their owner could write them; rules that were refused
 * leave the last good ones in force.
 */
#include "daemon/policy-fault.h"
#include "daemon/policy.h"
#include "policy-fixture.h"

#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define DENY(reason) FILE_OF(RULE("\"lanes\":[\"archive\"]", "deny", reason))

typedef struct {
    char *machine, *user;
    SyncdPolicyLoader *loader;
} Fixture;

static void init(Fixture *f)
{
    g_autofree char *config = g_dir_make_tmp("syncd-policy-XXXXXX", NULL);
    g_setenv("XDG_CONFIG_HOME", config, TRUE);
    f->machine = g_dir_make_tmp("syncd-policy-XXXXXX", NULL);
    f->user = g_build_filename(config, "sourceos-syncd", "policy.d", NULL);
    g_assert_cmpint(g_mkdir_with_parents(f->user, 0700), ==, 0);
    f->loader = syncd_policy_loader_new(SYNCD_INSTANCE_USER, f->machine, NULL);
}

static void empty(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    for (const char *name; dir != NULL && (name = g_dir_read_name(dir)) != NULL;) {
        g_autofree char *file = g_build_filename(path, name, NULL);
        if (g_remove(file) != 0)
            g_assert_cmpint(g_rmdir(file), ==, 0);
    }
    g_rmdir(path);
}

static void clear(Fixture *f)
{
    empty(f->machine);
    empty(f->user);
    g_free(f->machine);
    g_free(f->user);
    syncd_policy_loader_free(f->loader);
}

static char *put(const char *directory, const char *name, const char *text)
{
    char *path = g_build_filename(directory, name, NULL);
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
    g_assert_cmpint(g_chmod(path, 0644), ==, 0);
    return path;
}

/* Reads the rules again; the fault must name `place`, NULL for no fault. */
static SyncdPolicySet *reads(Fixture *f, const char *place)
{
    g_autofree char *fault = NULL;
    SyncdPolicyStanding standing;
    SyncdPolicySet *set = syncd_policy_loader_read(f->loader, &standing, &fault);
    if (place == NULL)
        g_assert_cmpstr(fault, ==, NULL);
    else if (fault == NULL || strstr(fault, place) == NULL)
        g_error("\"%s\" does not name %s", fault, place);
    return set;
}

static void assert_reasons(const SyncdPolicySet *set, SyncdPolicyLevel level, const char *expected)
{
    const GPtrArray *rules = syncd_policy_set_rules(set, level);
    g_autoptr(GString) found = g_string_new(NULL);
    for (guint i = 0; i < rules->len; i++)
        g_string_append_printf(found, "%s%s", i > 0 ? " " : "",
                               ((SyncdPolicyRule *)rules->pdata[i])->reason);
    g_assert_cmpstr(found->str, ==, expected);
}

static void no_directory_has_no_rules(void)
{
    Fixture f;
    init(&f);
    empty(f.machine);
    empty(f.user);
    g_autoptr(SyncdPolicySet) set = reads(&f, NULL);
    g_autoptr(SyncdPolicySet) built_in = syncd_policy_set_new(NULL, NULL, 0, NULL);
    g_assert_cmpstr(syncd_policy_set_digest(set), ==, syncd_policy_set_digest(built_in));
    clear(&f);
}

static void files_are_read_by_their_names(void)
{
    Fixture f;
    init(&f);
    g_free(put(f.machine, "10-a.json", DENY("a")));
    g_free(put(f.machine, "20-b.json.bak", "no rules"));
    g_free(put(f.machine, ".x.json", "no rules"));
    g_autofree char *user = put(f.user, "a.json", DENY("u"));
    g_autoptr(SyncdPolicySet) set = reads(&f, NULL);
    assert_reasons(set, SYNCD_POLICY_MACHINE, "a");
    assert_reasons(set, SYNCD_POLICY_USER, "u");

    /* a later directory's file takes the place of that of the same name */
    syncd_policy_loader_add(f.loader, f.user, SYNCD_POLICY_MACHINE);
    g_free(put(f.user, "10-a.json", DENY("b")));
    g_assert_cmpint(g_remove(user), ==, 0);
    g_autoptr(SyncdPolicySet) again = reads(&f, "10-a.json: the reason b is already");
    assert_reasons(again, SYNCD_POLICY_MACHINE, "b");
    clear(&f);
}

static void what_others_could_write_is_refused(void)
{
    Fixture f;
    init(&f);
    g_autofree char *path = put(f.machine, "a.json", DENY("a"));
    g_assert_cmpint(g_chmod(path, 0664), ==, 0);
    g_autoptr(SyncdPolicySet) by_group = reads(&f, "a.json: others than its owner");
    g_assert_true(syncd_policy_set_is_unusable(by_group, SYNCD_POLICY_MACHINE));
    g_assert_cmpint(g_chmod(path, 0646), ==, 0);
    syncd_policy_set_free(reads(&f, "a.json: others than its owner"));
    g_assert_cmpint(g_chmod(path, 0644), ==, 0);
    g_assert_cmpint(g_chmod(f.machine, 0777), ==, 0);
    syncd_policy_set_free(reads(&f, "others than its owner"));
    g_assert_cmpint(g_chmod(f.machine, 0755), ==, 0);
    g_autoptr(SyncdPolicySet) good = reads(&f, NULL);
    g_assert_false(syncd_policy_set_is_unusable(good, SYNCD_POLICY_MACHINE));
    if (geteuid() == 0) {
        g_assert_cmpint(chown(path, 4711, 4711), ==, 0);
        syncd_policy_set_free(reads(&f, "a.json: belongs to uid 4711"));
    }
    clear(&f);
}

static void only_regular_files_are_read(void)
{
    Fixture f;
    init(&f);
    g_autofree char *path = g_build_filename(f.machine, "a.json", NULL);
    g_assert_cmpint(mkfifo(path, 0600), ==, 0);
    syncd_policy_set_free(reads(&f, "a.json: is no regular file"));
    g_assert_cmpint(g_remove(path), ==, 0);
    g_assert_cmpint(g_mkdir(path, 0700), ==, 0);
    syncd_policy_set_free(reads(&f, "a.json: is no regular file"));
    g_assert_cmpint(g_rmdir(path), ==, 0);
    g_autofree char *real = put(f.machine, "real", DENY("a"));
    g_assert_cmpint(symlink(real, path), ==, 0);
    syncd_policy_set_free(reads(&f, "a.json: "));
    g_assert_cmpint(g_remove(path), ==, 0);
    g_autofree char *odd = put(f.machine, "a b.json", DENY("a"));
    syncd_policy_set_free(reads(&f, "name of a file"));
    g_assert_cmpint(g_remove(odd), ==, 0);
    g_autofree char *zeros = g_malloc0(SYNCD_POLICY_FILE_MAX + 10);
    g_assert_true(g_file_set_contents(path, zeros, SYNCD_POLICY_FILE_MAX + 10, NULL));
    syncd_policy_set_free(reads(&f, "a.json: more than"));
    clear(&f);
}

static void a_bad_file_leaves_the_last_good_rules(void)
{
    Fixture f;
    init(&f);
    g_free(put(f.machine, "a.json", DENY("a")));
    g_free(put(f.user, "u.json", DENY("u")));
    syncd_policy_set_free(reads(&f, NULL));
    g_autofree char *bad = put(f.machine, "b.json", "{\"schema\":1}");
    g_free(put(f.user, "v.json", DENY("v")));
    g_autoptr(SyncdPolicySet) kept = reads(&f, "b.json: /schema");
    assert_reasons(kept, SYNCD_POLICY_MACHINE, "a");
    assert_reasons(kept, SYNCD_POLICY_USER, "u v"); /* the other level goes on */
    g_assert_false(syncd_policy_set_is_unusable(kept, SYNCD_POLICY_MACHINE));
    g_assert_cmpint(g_remove(bad), ==, 0);
    g_autoptr(SyncdPolicySet) healed = reads(&f, NULL);
    assert_reasons(healed, SYNCD_POLICY_MACHINE, "a");
    clear(&f);
}

static void without_a_good_set_lanes_fail_closed(void)
{
    Fixture f;
    init(&f);
    g_free(put(f.machine, "a.json", FILE_OF(RULE("", "allow", "all"))));
    g_free(put(f.user, "u.json", "{}"));
    g_autoptr(SyncdPolicySet) set = reads(&f, "u.json: /schema");
    assert_answer(set, asks("write", "secure", "internal"), "denied " SYNCD_POLICY_REASON_UNUSABLE);
    assert_answer(set, asks("write", "normal", "internal"), "allowed all");
    clear(&f);
}

static void a_fault_is_at_a_line(void)
{
    static char text[] = "{\"schema\": \"sourceos.policy-rules/v1\",\n"
                         " \"rules\": [\n"
                         "  {\"match\": {\"lanes\": [\"archive\",\n"
                         "    \"attic\"]},\n"
                         "   \"effect\": 1,\n"
                         "   \"effect (byte 1), or so\": 2,\n"
                         "   \"a/b\": 3}]}\n";
    static const struct {
        const char *rest;
        unsigned line;
    } cases[] = {
        {"/rules/0/match/lanes/1 is \"attic\"", 4},
        {"/rules/0/effect must be a text", 5},
        {"/rules/0/effect (byte 1), or so is no member of a rule", 6},
        {"/rules/0/a~1b is no member of a rule", 7},
        {"/rules/0/reason must be there", 3},
        {"/rules/0/effective is missing", 3},
        {"rule a_1: /rules/0/effect must be a text", 5},
        {"/rules/7: there is none", 2},
        {"/rules", 2},
        {"/schema must be \"x /rules/0\"", 1},
        {"JSON: no colon after a name at /rules/0/effect (byte 1) (byte 50)", 2},
        {"JSON: the text ends at /rules (byte 99999999999999999999)", 8},
        {"of nothing", 1},
        {"of nothing but /rules/0/effect", 1},
    };
    static const char *const names[] = {"10.json", "a (byte 60).json", "JSON: x.json"};
    for (size_t i = 0; i < G_N_ELEMENTS(cases) * G_N_ELEMENTS(names); i++) {
        const char *name = names[i % G_N_ELEMENTS(names)];
        const SyncdPolicySource source = {
            .name = (char *)name, .text = text, .size = sizeof text - 1};
        g_autofree char *sentence =
            g_strconcat(name, ": ", cases[i / G_N_ELEMENTS(names)].rest, NULL);
        g_test_message("%s", sentence);
        g_assert_cmpuint(syncd_policy_fault_line(&source, sentence), ==,
                         cases[i / G_N_ELEMENTS(names)].line);
    }
    const SyncdPolicySource broken = {
        .name = (char *)"10.json", .text = text, .size = sizeof text - 9};
    g_assert_cmpuint(syncd_policy_fault_line(&broken, "10.json: /rules/0/effect"), ==, 1);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_hash_init(NULL));
#define ADD(name, func) g_test_add_func("/policy-files/" name, func)
    ADD("no-directory-has-no-rules", no_directory_has_no_rules);
    ADD("files-are-read-by-their-names", files_are_read_by_their_names);
    ADD("what-others-could-write-is-refused", what_others_could_write_is_refused);
    ADD("only-regular-files-are-read", only_regular_files_are_read);
    ADD("a-bad-file-leaves-the-last-good-rules", a_bad_file_leaves_the_last_good_rules);
    ADD("without-a-good-set-lanes-fail-closed", without_a_good_set_lanes_fail_closed);
    ADD("a-fault-is-at-a-line", a_fault_is_at_a_line);
#undef ADD
    return g_test_run();
}
