#include "cli/cli.h"
#include "cli/completion.h"
#include "cli/parse.h"
#include "cli/words.h"

#include <string.h>

/* ---- the table ---- */

static void every_verb_is_there_once(void)
{
    for (const SyncdVerb *verb = NULL; (verb = syncd_verb_next(verb)) != NULL;) {
        g_assert_true(syncd_cli_find_verb(verb->group, verb->name) == verb);
        g_assert_nonnull(verb->run);
        g_assert_nonnull(verb->help);
        g_assert_cmpuint(verb->min_arguments, <=, verb->max_arguments);
        g_assert_cmpint(verb->max_arguments > 0, ==, verb->arguments != NULL);
        /* A word is either a verb or a group. */
        if (verb->group == NULL)
            g_assert_false(syncd_cli_is_group(verb->name));
        g_assert_null(verb->options[SYNCD_VERB_TABLES - 1]);
    }
}

/* What a verb calls so goes before what all others do. */
static bool is_hidden(const SyncdVerb *verb, const SyncdVerbOption *global)
{
    return syncd_cli_find_option(verb, global->name) != global;
}

static void check_option(const SyncdVerb *verb, const SyncdVerbOption *option)
{
    g_assert_true(syncd_cli_find_option(verb, option->name) == option);
    g_assert_nonnull(option->help);
    g_assert_cmpint(option->kind == SYNCD_VALUE_NONE, ==, option->argument == NULL);
    g_assert_false(option->choices != NULL && option->words != NULL);
    if (option->kind == SYNCD_VALUE_CHOICE)
        g_assert_true(option->choices != NULL || option->words != NULL);
}

static bool same_letter(const SyncdVerbOption *a, const SyncdVerbOption *b)
{
    return a != b && a->letter != 0 && a->letter == b->letter;
}

static void options_of_a_verb_differ(void)
{
    for (const SyncdVerb *verb = NULL; (verb = syncd_verb_next(verb)) != NULL;) {
        g_autoptr(GPtrArray) options = g_ptr_array_new();
        for (const SyncdVerbOption *option = syncd_global_options; option->name != NULL; option++)
            if (!is_hidden(verb, option))
                g_ptr_array_add(options, (gpointer)option);
        for (size_t i = 0; verb->options[i] != NULL; i++)
            for (const SyncdVerbOption *option = verb->options[i]; option->name != NULL; option++)
                g_ptr_array_add(options, (gpointer)option);
        for (guint i = 0; i < options->len; i++) {
            check_option(verb, options->pdata[i]);
            for (guint j = 0; j < options->len; j++)
                g_assert_false(same_letter(options->pdata[i], options->pdata[j]));
        }
    }
}

static void completions_know_every_verb_and_option(void)
{
    void (*const make[])(GString *) = {syncd_completion_bash, syncd_completion_zsh,
                                       syncd_completion_fish};
    for (size_t i = 0; i < G_N_ELEMENTS(make); i++) {
        g_autoptr(GString) script = g_string_new(NULL);
        make[i](script);
        for (const SyncdVerb *verb = NULL; (verb = syncd_verb_next(verb)) != NULL;) {
            g_assert_nonnull(strstr(script->str, verb->name));
            for (size_t n = 0; verb->options[n] != NULL; n++)
                for (const SyncdVerbOption *option = verb->options[n]; option->name != NULL;
                     option++)
                    g_assert_nonnull(strstr(script->str, option->name));
        }
    }
}

/* Every word, whatever else the shell's syntax puts between them. */
static void words_of_options_are_offered(void)
{
    void (*const make[])(GString *) = {syncd_completion_bash, syncd_completion_zsh,
                                       syncd_completion_fish};
    guint n = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(make); i++) {
        g_autoptr(GString) script = g_string_new(NULL);
        make[i](script);
        for (const SyncdVerb *verb = NULL; (verb = syncd_verb_next(verb)) != NULL;)
            for (size_t t = 0; verb->options[t] != NULL; t++)
                for (const SyncdVerbOption *option = verb->options[t]; option->name != NULL;
                     option++) {
                    g_autofree char *words = syncd_words_of_option(option);
                    n += words != NULL;
                    if (words != NULL && strstr(script->str, words) == NULL)
                        g_error("--%s of %s: no %s", option->name, verb->name, words);
                }
    }
    g_assert_cmpuint(n, >, 3 * 20);
}

static void what_has_a_vocabulary_names_it(void)
{
    static const struct {
        const char *group, *verb, *option, *first;
        SyncdValueKind kind;
    } cases[] = {
        {"ops", "enqueue", "lane", "normal", SYNCD_VALUE_CHOICE},
        {"ops", "enqueue", "data-class", "public", SYNCD_VALUE_CHOICE},
        {"ops", "list", "type", "sync.operation.enqueue", SYNCD_VALUE_TEXT},
        {"events", "list", "type", "sync.operation.enqueued", SYNCD_VALUE_TEXT},
        {"tasks", "list", "lane", "normal", SYNCD_VALUE_CHOICE},
        {"actors", "list", "type", "human", SYNCD_VALUE_CHOICE},
        {"actors", "list", "state", "active", SYNCD_VALUE_CHOICE},
        {"objects", "list", "state", "active", SYNCD_VALUE_CHOICE},
        {"plans", "list", "state", "planned", SYNCD_VALUE_CHOICE},
        {"policy", "explain", "action", "index", SYNCD_VALUE_TEXT},
        {"evidence", "wrap", "type", "state-integrity-report", SYNCD_VALUE_TEXT},
        {"contract", "validate", "schema", "LocalOperationLog", SYNCD_VALUE_FILE},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const SyncdVerb *verb = syncd_cli_find_verb(cases[i].group, cases[i].verb);
        const SyncdVerbOption *option = syncd_cli_find_option(verb, cases[i].option);
        g_autofree char *words = syncd_words_of_option(option);
        g_assert_cmpint(option->kind, ==, cases[i].kind);
        g_assert_true(words != NULL && g_str_has_prefix(words, cases[i].first));
    }
}

/* ---- parsing ---- */

typedef struct {
    SyncdCli cli;
    const char *group;
    GError *error;
    bool good;
} Parsed;

static void parsed_clear(Parsed *parsed)
{
    g_clear_pointer(&parsed->cli.arguments, g_ptr_array_unref);
    g_clear_pointer(&parsed->cli.given, g_array_unref);
    g_clear_error(&parsed->error);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Parsed, parsed_clear)

/* The words are constants, as those of a program's argv outlive everything. */
static Parsed parse(const char *const *argv)
{
    Parsed parsed = {0};
    parsed.cli.arguments = g_ptr_array_new();
    parsed.cli.given = g_array_new(FALSE, FALSE, sizeof(SyncdGiven));
    parsed.good = syncd_cli_parse(&parsed.cli, (int)g_strv_length((char **)argv), (char **)argv,
                                  &parsed.group, &parsed.error);
    g_assert_cmpint(parsed.good, ==, parsed.error == NULL);
    return parsed;
}

#define PARSE(...) parse((const char *const[]){"sourceos-syncd", __VA_ARGS__, NULL})

static void options_stand_anywhere(void)
{
    g_auto(Parsed) parsed =
        PARSE("--system", "ops", "--json", "show", "--timeout", "5", "op-1", "--color=never");
    g_assert_true(parsed.good);
    g_assert_cmpstr(parsed.cli.verb->name, ==, "show");
    g_assert_cmpstr(syncd_cli_argument(&parsed.cli, 0), ==, "op-1");
    g_assert_null(syncd_cli_argument(&parsed.cli, 1));
    g_assert_true(syncd_cli_json(&parsed.cli));
    g_assert_cmpint(syncd_cli_instance(&parsed.cli), ==, SYNCD_CLIENT_SYSTEM);
    g_assert_cmpstr(syncd_cli_value(&parsed.cli, "timeout"), ==, "5");
    g_assert_cmpstr(syncd_cli_value(&parsed.cli, "color"), ==, "never");
}

static void letters_and_repeated_options(void)
{
    g_auto(Parsed) parsed =
        PARSE("ops", "enqueue", "-yk", "key", "-pone", "-p", "two", "--parent=three", "-b-");
    g_assert_true(parsed.good);
    g_assert_true(syncd_cli_flag(&parsed.cli, "yes"));
    g_assert_cmpstr(syncd_cli_value(&parsed.cli, "key"), ==, "key");
    g_assert_cmpstr(syncd_cli_value(&parsed.cli, "body"), ==, "-");
    g_autoptr(GPtrArray) parents = syncd_cli_values(&parsed.cli, "parent");
    g_assert_cmpuint(parents->len, ==, 4);
    g_assert_cmpstr(parents->pdata[0], ==, "one");
    g_assert_cmpstr(parents->pdata[2], ==, "three");
    g_assert_null(parents->pdata[3]);
}

static void two_dashes_end_options(void)
{
    g_auto(Parsed) parsed = PARSE("log", "--", "--json");
    g_assert_true(parsed.good);
    g_assert_cmpstr(syncd_cli_argument(&parsed.cli, 0), ==, "--json");
    g_assert_false(syncd_cli_json(&parsed.cli));

    g_auto(Parsed) file = PARSE("verify", "checkpoint", "-");
    g_assert_cmpstr(syncd_cli_argument(&file.cli, 0), ==, "-");
}

static void the_second_name_takes_sync_as_a_prefix(void)
{
    g_auto(Parsed) parsed =
        parse((const char *const[]){"/usr/bin/sourceos", "sync", "status", "--json", NULL});
    g_assert_true(parsed.good);
    g_assert_cmpstr(parsed.cli.verb->name, ==, "status");

    g_auto(Parsed) first_name = PARSE("sync", "status");
    g_assert_false(first_name.good);
}

static void groups_and_nothing_are_no_verbs(void)
{
    g_auto(Parsed) nothing = parse((const char *const[]){"sourceos-syncd", NULL});
    g_assert_true(nothing.good);
    g_assert_null(nothing.cli.verb);
    g_assert_null(nothing.group);

    g_auto(Parsed) group = PARSE("ops");
    g_assert_true(group.good);
    g_assert_null(group.cli.verb);
    g_assert_cmpstr(group.group, ==, "ops");
}

static void wrong_words_are_named_with_the_nearest_right_one(void)
{
    static const struct {
        const char *words[4];
        const char *wrong;
        const char *nearest;
    } cases[] = {
        {{"statsu"}, "`statsu`", "`status`"},
        {{"ops", "lst"}, "`ops lst`", "`ops list`"},
        {{"evnts", "list"}, "`evnts`", "`events`"},
        {{"ops", "list", "--limti", "3"}, "`--limti`", "`--limit`"},
        {{"ops", "list", "--lim", "3"}, "`--lim`", "`--limit`"},
        {{"--jsn", "status"}, "`--jsn`", "`--json`"},
        {{"xylophone"}, "`xylophone`", "--help"},
        {{"health", "judge"}, "`health judge`", "`sourceos-syncd health --help`"},
        {{"--limit=3", "ops", "list"}, "--limit", "after the verb"},
        {{"status", "-z"}, "`-z`", "status --help"},
        {{"ops", "show"}, "`ops show` needs OPERATION", "ops show --help"},
        {{"status", "now"}, "`now`", "status --help"},
        {{"status", "--json=yes"}, "--json takes no value", "status --help"},
        {{"ops", "list", "--limit"}, "--limit needs a value", "ops list --help"},
        {{"status", "--color=pink"}, "`pink`", "status --help"},
        {{"ops", "enqueue", "--lane=priorty"},
         "one of: priority, normal, secure",
         "--lane=priority"},
        {{"actors", "list", "--type=robot"}, "human, app, agent", "actors list --help"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GPtrArray) argv = g_ptr_array_new();
        g_ptr_array_add(argv, (gpointer) "sourceos-syncd");
        for (size_t n = 0; n < G_N_ELEMENTS(cases[i].words) && cases[i].words[n] != NULL; n++)
            g_ptr_array_add(argv, (gpointer)cases[i].words[n]);
        g_ptr_array_add(argv, NULL);

        g_auto(Parsed) parsed = parse((const char *const *)argv->pdata);
        g_assert_error(parsed.error, SYNCD_ERROR, SYNCD_ERROR_USAGE);
        g_autofree char *sentence = NULL;
        g_autofree char *next = NULL;
        syncd_error_split(parsed.error->message, &sentence, &next);
        g_assert_nonnull(strstr(sentence, cases[i].wrong));
        g_assert_nonnull(strstr(next, cases[i].nearest));
    }
}

static void words_that_are_not_near_are_not_guessed_at(void)
{
    static const char *const known[] = {"status", "ops",  "events", "tasks",  "trust", "policy",
                                        "list",   "show", "claim",  "daemon", NULL};
    static const char *const far[] = {"x",    "cat",    "run",     "start", "stop", "clean",
                                      "test", "remove", "help me", "polka", "t"};
    for (size_t i = 0; i < G_N_ELEMENTS(far); i++)
        g_assert_cmpstr(syncd_nearest(far[i], known), ==, NULL);
    g_assert_cmpstr(syncd_nearest("polcy", known), ==, "policy");
    g_assert_cmpstr(syncd_nearest("lsit", known), ==, "list");
    g_assert_cmpstr(syncd_nearest("dameno", known), ==, "daemon");
    g_assert_cmpstr(syncd_nearest("ev", known), ==, "events");
}

static void numbers_are_whole_and_bounded(void)
{
    static const char *const bad[] = {"--limit=",     "--limit=-1", "--limit=+1", "--limit=1.5",
                                      "--limit=0x10", "--limit=11", "--limit=x"};
    guint64 number;
    g_auto(Parsed) good = PARSE("ops", "list", "--limit=10");
    g_autoptr(GError) none = NULL;
    g_assert_true(syncd_cli_number(&good.cli, "limit", 10, 5, &number, &none));
    g_assert_cmpuint(number, ==, 10);
    g_assert_true(syncd_cli_number(&good.cli, "after", 10, 5, &number, &none));
    g_assert_cmpuint(number, ==, 5);

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        g_auto(Parsed) parsed = PARSE("ops", "list", bad[i]);
        g_assert_true(parsed.good);
        g_assert_false(syncd_cli_number(&parsed.cli, "limit", 10, 5, &number, &error));
        g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_USAGE);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cli/verbs/once", every_verb_is_there_once);
    g_test_add_func("/cli/verbs/options-differ", options_of_a_verb_differ);
    g_test_add_func("/cli/verbs/completions", completions_know_every_verb_and_option);
    g_test_add_func("/cli/verbs/words-offered", words_of_options_are_offered);
    g_test_add_func("/cli/verbs/words-named", what_has_a_vocabulary_names_it);
    g_test_add_func("/cli/parse/options-anywhere", options_stand_anywhere);
    g_test_add_func("/cli/parse/letters", letters_and_repeated_options);
    g_test_add_func("/cli/parse/two-dashes", two_dashes_end_options);
    g_test_add_func("/cli/parse/second-name", the_second_name_takes_sync_as_a_prefix);
    g_test_add_func("/cli/parse/groups", groups_and_nothing_are_no_verbs);
    g_test_add_func("/cli/parse/wrong-words", wrong_words_are_named_with_the_nearest_right_one);
    g_test_add_func("/cli/parse/far-words", words_that_are_not_near_are_not_guessed_at);
    g_test_add_func("/cli/parse/numbers", numbers_are_whole_and_bounded);
    return g_test_run();
}
