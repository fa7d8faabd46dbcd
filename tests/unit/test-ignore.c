/*
 * Ignore rules say what gitignore(5) says: by a table of its sentences, and by asking git itself
 * about rules and paths that nobody thought of.
 */
#include "domain/ignore-pattern.h"
#include "domain/ignore.h"
#include "hurried.h"

#include <glib/gstdio.h>
#include <string.h>

static SyncdIgnoreVerdict judge(const SyncdIgnore *ignore, const char *path)
{
    size_t size = strlen(path);
    bool is_folder = size > 0 && path[size - 1] == '/';
    return syncd_ignore_judge(ignore, SYNCD_BYTES(path, size - is_folder), is_folder);
}

static SyncdIgnore *with_rules(const char *text)
{
    SyncdIgnore *ignore = syncd_ignore_new();
    g_assert_cmpint(syncd_ignore_set(ignore, SYNCD_BYTES_TEXT(""), SYNCD_BYTES_TEXT(text)), ==,
                    *text != '\0' ? SYNCD_IGNORE_CHANGED : SYNCD_IGNORE_SAME);
    return ignore;
}

/* Paths with a space between two; a folder ends with a slash. */
static const struct {
    const char *rules, *ignored, *others;
} sentences[] = {
    /* Blank lines and comments match nothing; a backslash makes a "#" and a "!" what they are. */
    {"\n# a\n\n", "", "a #"},
    {"\\#a", "#a", "a"},
    {"\\!a", "!a", "a"},
    {"#a\n", "", "#a"},
    /* Spaces at the end, unless behind a backslash. */
    {"a  ", "a", "a\\"},
    {"a\\ ", "a\\ ", "a"},
    {"a\\\\ ", "a\\\\", "a"},
    {"a b", "a\\ b", "a b"},
    {"\t", "\t", "a"},
    {"a\r\nb\r", "a b", ""},
    {"\xef\xbb\xbf"
     "a",
     "a", ""},
    /* "!" takes back, the last one that matches decides. */
    {"*.o\n!keep.o", "a.o d/b.o", "keep.o d/keep.o"},
    {"!keep.o\n*.o", "keep.o", ""},
    /* Not beneath a folder that is ignored. */
    {"d/\n!d/keep", "d/ d/keep d/x/y", "keep"},
    {"d/*\n!d/keep", "d/a", "d/keep d/"},
    {"/*\n!/foo\n/foo/*\n!/foo/bar", "x foo/y x/foo", "foo/ foo/bar foo/bar/z"},
    /* A slash at the beginning or in the middle ties it to the place. */
    {"a", "a d/a d/e/a/ a/b", "ab ba d/ab"},
    {"/a", "a a/b", "d/a"},
    {"d/a", "d/a", "e/d/a a"},
    {"d/a/", "d/a/ d/a/b", "d/a e/d/a/"},
    {"/d/", "d/", "d e/d/"},
    /* A slash at the end is for folders only. */
    {"d/", "d/ e/d/ d/a", "d e/d"},
    /* Anything but a slash. */
    {"*", "a d/a .a", ""},
    {"a*", "a ab d/abc", "ba"},
    {"*a", "a ba d/ba", "ab"},
    {"a*c*e", "ace abcde accce", "ac abcd abcdef"},
    {"d/*", "d/a d/b/ d/b/c", "d/ a"},
    {"d/*/c", "d/b/c", "d/c d/a/b/c"},
    {"a?", "ab a?", "a abc"},
    {"d?a", "", "d/a"},
    /* Ranges, classes and the opposite. */
    {"[ab]", "a b", "c ab"},
    {"[a-c]x", "ax bx cx", "dx -x"},
    {"[!a]x", "bx", "ax"},
    {"[^a-c]x", "dx", "bx"},
    {"[]a]", "] a", "b"},
    {"[a-]", "a -", "b"},
    {"[!]a]", "b", "] a"},
    {"[[:digit:][:upper:]]", "7 Q", "q"},
    {"[\\]]", "]", "\\"},
    {"[[:wrong:]]", "", "a w"},
    {"[a", "", "a [a"},
    {"a[b/c]d", "abd", "a/d x/abd"},
    {"[x-a]", "x", "a b"},
    {"[[:]", "[ :", "a"},
    /* Two stars, in their three places. */
    {"**/a", "a d/a d/e/a", "ab"},
    {"**/d/a", "d/a e/d/a", "a d/e/a"},
    {"d/**", "d/a d/b/c", "d/ d"},
    {"d/**/a", "d/a d/b/a d/b/c/a", "a d/ab"},
    {"d/**/e/**/f", "d/e/f d/x/e/y/z/f", "d/f d/e"},
    {"**", "a d/a", ""},
    /* … and elsewhere, where they are as one. */
    {"d/a**", "d/a d/ab", "d/b"},
    {"x/a**b/c", "x/ab/c x/axxb/c", "x/a/b/c"},
    /* A backslash. */
    {"\\a\\*", "a*", "ab"},
    {"a\\", "", "a a\\"},
    {"\\\\", "\\\\", "a"},
    /* Bytes that are no text. */
    {"\xff*", "\xff \xff\xfe", "a"},
    {"[\xf0-\xff]", "\xf5", "a"},
    /* What says where the rules are is always seen, unless its folder is not. */
    {"*", "a d/", ".syncignore"},
    {"d/", "d/.syncignore", ""},
    {".*", ".a .syncignore/", ".syncignore"},
};

/* Of a list in the table: a backslash keeps what follows it together. */
static GPtrArray *paths_of(const char *list)
{
    GPtrArray *paths = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GString) path = g_string_new(NULL);
    for (const char *at = list;; at++) {
        if ((*at == ' ' || *at == '\0') && path->len > 0) {
            g_ptr_array_add(paths, g_strdup(path->str));
            g_string_truncate(path, 0);
        }
        if (*at == '\0')
            return paths;
        at += *at == '\\' && (at[1] == ' ' || at[1] == '\\');
        if (*at != ' ' || (at > list && at[-1] == '\\'))
            g_string_append_c(path, *at);
    }
}

static void assert_all(const char *rules, const char *list, bool ignored)
{
    g_autoptr(SyncdIgnore) ignore = with_rules(rules);
    g_autoptr(GPtrArray) paths = paths_of(list);
    for (guint i = 0; i < paths->len; i++)
        if (judge(ignore, paths->pdata[i]).ignored != ignored)
            g_error("\"%s\" %s \"%s\"", rules, ignored ? "does not ignore" : "ignores",
                    (char *)paths->pdata[i]);
}

static void every_sentence_of_the_manual_holds(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(sentences); i++) {
        assert_all(sentences[i].rules, sentences[i].ignored, true);
        assert_all(sentences[i].rules, sentences[i].others, false);
    }
}

static void set(SyncdIgnore *ignore, const char *folder, const char *text, SyncdIgnoreResult result)
{
    g_assert_cmpint(syncd_ignore_set(ignore, SYNCD_BYTES_TEXT(folder), SYNCD_BYTES_TEXT(text)), ==,
                    result);
}

static void a_deeper_file_goes_before_a_shallower_one_and_the_shared_rules_are_last(void)
{
    g_autoptr(SyncdIgnore) ignore = syncd_ignore_new();
    g_assert_true(syncd_ignore_is_empty(ignore));
    g_assert_cmpint(syncd_ignore_set_shared(ignore, SYNCD_BYTES_TEXT("*.o\n*.tmp\n")), ==,
                    SYNCD_IGNORE_CHANGED);
    set(ignore, "", "# mine\n!a.o\n/only\n", SYNCD_IGNORE_CHANGED);
    set(ignore, "d", "a.o\n/only\n", SYNCD_IGNORE_CHANGED);
    g_assert_false(judge(ignore, "a.o").ignored);
    g_assert_true(judge(ignore, "b.o").ignored);
    g_assert_true(judge(ignore, "d/a.o").ignored);
    g_assert_false(judge(ignore, "dd/a.o").ignored);
    g_assert_true(judge(ignore, "d/only").ignored);
    g_assert_true(judge(ignore, "only").ignored);
    g_assert_false(judge(ignore, "e/only").ignored);

    SyncdIgnoreVerdict verdict = judge(ignore, "a.o");
    g_assert_true(verdict.by_rule && !verdict.shared);
    g_assert_cmpuint(verdict.line, ==, 2);
    g_assert_true(syncd_bytes_are(verdict.pattern, "!a.o"));
    g_assert_true(syncd_bytes_are(verdict.folder, ""));
    verdict = judge(ignore, "d/only/x");
    g_assert_true(syncd_bytes_are(verdict.folder, "d"));
    g_assert_true(syncd_bytes_are(verdict.path, "d/only"));
    g_assert_true(judge(ignore, "x.tmp").shared);
    g_assert_false(judge(ignore, "x").by_rule);

    g_assert_true(syncd_ignore_has(ignore, SYNCD_BYTES_TEXT("d"), SYNCD_BYTES_TEXT("only"), false));
    g_assert_false(syncd_ignore_has(ignore, SYNCD_BYTES_TEXT("d"), SYNCD_BYTES_TEXT("x"), true));
    set(ignore, "d", "a.o\n/only\n", SYNCD_IGNORE_SAME);
    set(ignore, "d/e", "x", SYNCD_IGNORE_CHANGED);
    set(ignore, "de", "x", SYNCD_IGNORE_CHANGED);
    syncd_ignore_move(ignore, SYNCD_BYTES_TEXT("d"), SYNCD_BYTES_TEXT("f/g"));
    g_assert_false(judge(ignore, "d/only").ignored);
    g_assert_true(judge(ignore, "f/g/only").ignored);
    g_assert_true(judge(ignore, "f/g/e/x").ignored);
    syncd_ignore_move(ignore, SYNCD_BYTES_TEXT("f/g"), SYNCD_BYTES_TEXT("d"));
    set(ignore, "d", "", SYNCD_IGNORE_CHANGED);
    set(ignore, "d/e", "", SYNCD_IGNORE_CHANGED);
    g_assert_false(judge(ignore, "d/only").ignored);
    g_assert_false(judge(ignore, "d/e/x").ignored);
    g_assert_true(judge(ignore, "de/x").ignored);
    set(ignore, "de", "", SYNCD_IGNORE_CHANGED);
    set(ignore, "", "", SYNCD_IGNORE_CHANGED);
    g_assert_cmpint(syncd_ignore_set_shared(ignore, SYNCD_BYTES_TEXT("")), ==,
                    SYNCD_IGNORE_CHANGED);
    g_assert_true(syncd_ignore_is_empty(ignore));
}

static char *repeat(const char *text, guint times)
{
    GString *out = g_string_new(NULL);
    for (guint i = 0; i < times; i++)
        g_string_append(out, text);
    return g_string_free(out, FALSE);
}

static void what_is_over_a_limit_has_no_rules_at_all(void)
{
    g_autofree char *many = repeat("a\n", SYNCD_IGNORE_RULES_MAX + 1);
    g_autofree char *larger = repeat("#", SYNCD_IGNORE_TEXT_MAX + 1);
    g_autofree char *longer = repeat("a", SYNCD_IGNORE_PATTERN_MAX + 1);
    char *const texts[] = {many, larger, longer};
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(SyncdIgnore) ignore = with_rules("a");
        set(ignore, "", texts[i], SYNCD_IGNORE_REFUSED);
        g_assert_false(judge(ignore, "a").ignored);
        texts[i][strlen(texts[i]) - (i == 0 ? 2 : 1)] = '\0';
        set(ignore, "", texts[i], SYNCD_IGNORE_CHANGED);
    }
    g_autoptr(SyncdIgnore) ignore = syncd_ignore_new();
    for (guint i = 0; i <= SYNCD_IGNORE_SOURCES_MAX; i++) {
        g_autofree char *folder = g_strdup_printf("d%u", i);
        set(ignore, folder, "a",
            i < SYNCD_IGNORE_SOURCES_MAX ? SYNCD_IGNORE_CHANGED : SYNCD_IGNORE_REFUSED);
    }
    g_autoptr(SyncdIgnore) large = syncd_ignore_new();
    for (guint i = 0; i <= SYNCD_IGNORE_TOTAL_MAX / SYNCD_IGNORE_TEXT_MAX; i++) {
        g_autofree char *folder = g_strdup_printf("d%u", i);
        set(large, folder, larger,
            i < SYNCD_IGNORE_TOTAL_MAX / SYNCD_IGNORE_TEXT_MAX ? SYNCD_IGNORE_CHANGED
                                                               : SYNCD_IGNORE_REFUSED);
    }
}

/* Patterns that keep others busy for longer than the universe is old. */
static void a_wicked_pattern_takes_no_longer_than_the_product(void)
{
    g_autofree char *stars = repeat("a*", 400), *deeps = repeat("**/a/", 200);
    g_autofree char *name = repeat("a", 255), *path = repeat("a/", 15000);
    g_autofree char *never = g_strconcat(deeps, "b", NULL), *no = g_strconcat(stars, "b", NULL);
    g_autoptr(SyncdIgnorePattern) star = syncd_ignore_pattern_new(SYNCD_BYTES_TEXT(no), false);
    g_autoptr(SyncdIgnorePattern) deep = syncd_ignore_pattern_new(SYNCD_BYTES_TEXT(never), true);
    guint32 steps = SYNCD_IGNORE_STEPS;
    g_assert_false(syncd_ignore_pattern_matches(star, SYNCD_BYTES_TEXT(name), &steps));
    g_assert_cmpuint(steps, >, 0);
    g_assert_cmpuint(SYNCD_IGNORE_STEPS - steps, <=, 2 * strlen(no) * strlen(name));
    steps = G_MAXUINT32;
    g_assert_false(syncd_ignore_pattern_matches(deep, SYNCD_BYTES_TEXT(path), &steps));
    g_assert_cmpuint(G_MAXUINT32 - steps, <=, 2 * strlen(never) * strlen(path));
    /* With no more of them, whatever comes next does not match either. */
    steps = 10;
    g_assert_false(syncd_ignore_pattern_matches(deep, SYNCD_BYTES_TEXT(path), &steps));
    g_assert_cmpuint(steps, ==, 0);
    g_assert_false(syncd_ignore_pattern_matches(deep, SYNCD_BYTES_TEXT("a/b"), &steps));
}

/* ---- git says the same ---- */

#define ROUNDS 60
#define RULES_A_ROUND 12
#define PATHS_A_ROUND 60

static void append_one_of(GRand *rand, GString *out, const char *const *words, guint n)
{
    g_string_append(out, words[g_rand_int_range(rand, 0, (gint32)n)]);
}

static void append_pattern(GRand *rand, GString *out)
{
    static const char *const parts[] = {
        "a",           "b",    "ab",    "*",   "**",  "?",   "/",   "/",  "/**/",
        "[ab]",        "[!a]", "[a-c]", "\\a", "\\*", "**/", "/**", "*b", "a*",
        "[[:alpha:]]", "c",    "[]-a]", " ",   "\\ ", "[^b", "\\"};
    if (g_rand_int_range(rand, 0, 4) == 0)
        g_string_append_c(out, '!');
    if (g_rand_int_range(rand, 0, 6) == 0)
        g_string_append_c(out, '/');
    for (gint32 n = g_rand_int_range(rand, 1, 6); n > 0; n--)
        append_one_of(rand, out, parts, G_N_ELEMENTS(parts));
    if (g_rand_int_range(rand, 0, 5) == 0)
        g_string_append_c(out, '/');
    g_string_append_c(out, '\n');
}

static char *make_rules(GRand *rand)
{
    GString *out = g_string_new(NULL);
    for (gint32 n = g_rand_int_range(rand, 1, RULES_A_ROUND); n > 0; n--)
        append_pattern(rand, out);
    return g_string_free(out, FALSE);
}

static char *make_path(GRand *rand)
{
    static const char *const names[] = {"a", "b", "c", "ab", "ba", "abc", "*", "a b", "\\", "[^b"};
    GString *out = g_string_new(NULL);
    for (gint32 n = g_rand_int_range(rand, 1, 5); n > 0; n--) {
        append_one_of(rand, out, names, G_N_ELEMENTS(names));
        if (n > 1)
            g_string_append_c(out, '/');
    }
    return g_string_free(out, FALSE);
}

static void write_rules(const char *directory, const char *folder, const char *rules)
{
    g_autofree char *path = g_build_filename(directory, folder, NULL);
    g_autofree char *file = g_build_filename(path, ".gitignore", NULL);
    g_assert_cmpint(g_mkdir_with_parents(path, 0755), ==, 0);
    g_assert_true(g_file_set_contents(file, rules, -1, NULL));
}

/* Of each path a line "source:line:pattern<tab>path", with no source where no rule applies. */
static char *ask_git(const char *directory, GPtrArray *paths)
{
    g_autoptr(GPtrArray) arguments = g_ptr_array_new();
    g_autoptr(GError) error = NULL;
    char *out = NULL;
    g_auto(GStrv) environment = g_environ_setenv(g_get_environ(), "GIT_CONFIG_NOSYSTEM", "1", TRUE);
    environment = g_environ_setenv(environment, "HOME", directory, TRUE);
    const char *const head[] = {
        "git",          "-C",         directory, "-c", "core.quotePath=false",
        "check-ignore", "--no-index", "-v",      "-n", "--"};
    for (size_t i = 0; i < G_N_ELEMENTS(head); i++)
        g_ptr_array_add(arguments, (char *)head[i]);
    for (guint i = 0; i < paths->len; i++)
        g_ptr_array_add(arguments, paths->pdata[i]);
    g_ptr_array_add(arguments, NULL);
    g_spawn_sync(NULL, (char **)arguments->pdata, environment,
                 G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, &out, NULL, NULL,
                 &error);
    g_assert_no_error(error);
    return out;
}

/* "source:line:pattern", as git says it. */
static char *say(const SyncdIgnoreVerdict *verdict)
{
    if (!verdict->by_rule)
        return g_strdup("::");
    return g_strdup_printf("%.*s%s.gitignore:%u:%.*s", (int)verdict->folder.size,
                           (const char *)verdict->folder.data, verdict->folder.size > 0 ? "/" : "",
                           verdict->line, (int)verdict->pattern.size,
                           (const char *)verdict->pattern.data);
}

static void compare(const SyncdIgnore *ignore, GPtrArray *paths, const char *said, guint32 seed)
{
    g_auto(GStrv) lines = g_strsplit(said, "\n", -1);
    g_assert_cmpuint(g_strv_length(lines), ==, paths->len + 1);
    for (guint i = 0; i < paths->len; i++) {
        /* There is none of them, so git takes them for files. */
        SyncdIgnoreVerdict verdict =
            syncd_ignore_judge(ignore, SYNCD_BYTES_TEXT((char *)paths->pdata[i]), false);
        g_autofree char *ours = say(&verdict);
        const char *tab = strrchr(lines[i], '\t');
        g_assert_nonnull(tab);
        g_autofree char *theirs = g_strndup(lines[i], (gsize)(tab - lines[i]));
        if (strcmp(ours, theirs) != 0)
            g_error("seed %u, path \"%s\": %s, git says %s", seed, (char *)paths->pdata[i], ours,
                    theirs);
    }
}

static void git_says_the_same(void)
{
    g_autofree char *directory = g_dir_make_tmp("syncd-ignore-XXXXXX", NULL);
    g_autofree char *quoted = g_shell_quote(directory);
    g_autofree char *make = g_strdup_printf("git init -q %s", quoted);
    g_autofree char *remove = g_strdup_printf("rm -rf %s", quoted);
    const guint32 seed = g_test_rand_int_range(0, G_MAXINT32) & 0xffffff;
    g_autoptr(GRand) rand = g_rand_new_with_seed(seed);
    g_assert_true(g_spawn_command_line_sync(make, NULL, NULL, NULL, NULL));
    for (guint round = 0; round < ROUNDS; round++) {
        g_autoptr(SyncdIgnore) ignore = syncd_ignore_new();
        g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
        g_autofree char *above = make_rules(rand), *below = make_rules(rand);
        write_rules(directory, "", above);
        write_rules(directory, "zz/y", below);
        syncd_ignore_set(ignore, SYNCD_BYTES_TEXT(""), SYNCD_BYTES_TEXT(above));
        syncd_ignore_set(ignore, SYNCD_BYTES_TEXT("zz/y"), SYNCD_BYTES_TEXT(below));
        for (guint i = 0; i < PATHS_A_ROUND; i++) {
            g_autofree char *path = make_path(rand);
            g_ptr_array_add(paths, i % 3 == 0 ? g_strconcat("zz/y/", path, NULL) : g_strdup(path));
        }
        g_autofree char *said = ask_git(directory, paths);
        g_test_message("seed %u, round %u", seed, round);
        compare(ignore, paths, said, seed);
    }
    g_assert_true(g_spawn_command_line_sync(remove, NULL, NULL, NULL, NULL));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ignore/every-sentence-of-the-manual-holds",
                    every_sentence_of_the_manual_holds);
    g_test_add_func(
        "/ignore/a-deeper-file-goes-before-a-shallower-one-and-the-shared-rules-are-last",
        a_deeper_file_goes_before_a_shallower_one_and_the_shared_rules_are_last);
    g_test_add_func("/ignore/what-is-over-a-limit-has-no-rules-at-all",
                    what_is_over_a_limit_has_no_rules_at_all);
    g_test_add_func("/ignore/a-wicked-pattern-takes-no-longer-than-the-product",
                    a_wicked_pattern_takes_no_longer_than_the_product);
    if (!is_hurried())
        g_test_add_func("/ignore/git-says-the-same", git_says_the_same);
    return g_test_run();
}
