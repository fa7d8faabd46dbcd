#include "cli/parse.h"

#include "cli/words.h"

#include <string.h>

/* ---- looking up ---- */

const SyncdVerb *syncd_cli_find_verb(const char *group, const char *name)
{
    for (const SyncdVerb *verb = NULL; (verb = syncd_verb_next(verb)) != NULL;)
        if (g_strcmp0(verb->group, group) == 0 && strcmp(verb->name, name) == 0)
            return verb;
    return NULL;
}

bool syncd_cli_is_group(const char *word)
{
    for (const SyncdVerb *verb = NULL; (verb = syncd_verb_next(verb)) != NULL;)
        if (g_strcmp0(verb->group, word) == 0)
            return true;
    return false;
}

char *syncd_verb_title(const SyncdVerb *verb)
{
    return verb->group != NULL ? g_strconcat(verb->group, " ", verb->name, NULL)
                               : g_strdup(verb->name);
}

static const SyncdVerbOption *find_in(const SyncdVerbOption *table, const char *name, char letter)
{
    for (const SyncdVerbOption *option = table; option->name != NULL; option++)
        if (name != NULL ? strcmp(option->name, name) == 0 : option->letter == letter)
            return option;
    return NULL;
}

/* A verb may mean something else by a name than all others do. */
static const SyncdVerbOption *find_option(const SyncdVerb *verb, const char *name, char letter)
{
    const SyncdVerbOption *found = NULL;
    for (size_t i = 0; found == NULL && verb != NULL && verb->options[i] != NULL; i++)
        found = find_in(verb->options[i], name, letter);
    return found != NULL ? found : find_in(syncd_global_options, name, letter);
}

const SyncdVerbOption *syncd_cli_find_option(const SyncdVerb *verb, const char *name)
{
    return find_option(verb, name, 0);
}

/* ---- complaints ---- */

static char *help_hint(const SyncdVerb *verb)
{
    if (verb == NULL)
        return g_strdup("see `sourceos-syncd --help`");
    g_autofree char *title = syncd_verb_title(verb);
    return g_strdup_printf("see `sourceos-syncd %s --help`", title);
}

static void complain(GError **error, const SyncdVerb *verb, const char *sentence)
{
    g_autofree char *hint = help_hint(verb);
    syncd_set_error_next(error, SYNCD_ERROR_USAGE, hint, "%s", sentence);
}

static void complain_word(GError **error, const SyncdVerb *verb, const char *what, const char *word,
                          const char *nearest)
{
    g_autofree char *hint =
        nearest != NULL ? g_strdup_printf("the nearest is `%s`", nearest) : help_hint(verb);
    syncd_set_error_next(error, SYNCD_ERROR_USAGE, hint, "%s `%s`", what, word);
}

static void complain_in_group(GError **error, const char *group, const char *wrong)
{
    g_autofree char *hint = g_strdup_printf("see `sourceos-syncd %s --help`", group);
    syncd_set_error_next(error, SYNCD_ERROR_USAGE, hint, "There is no verb `%s`", wrong);
}

static void complain_verb(GError **error, const char *group, const char *word)
{
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    for (const SyncdVerb *verb = NULL; (verb = syncd_verb_next(verb)) != NULL;)
        if (g_strcmp0(verb->group, group) == 0)
            g_ptr_array_add(words, (gpointer)verb->name);
        else if (group == NULL)
            g_ptr_array_add(words, (gpointer)verb->group);
    g_ptr_array_add(words, NULL);
    const char *nearest = syncd_nearest(word, (const char *const *)words->pdata);
    g_autofree char *full = nearest != NULL && group != NULL
                                ? g_strconcat(group, " ", nearest, NULL)
                                : g_strdup(nearest);
    g_autofree char *wrong = group != NULL ? g_strconcat(group, " ", word, NULL) : g_strdup(word);
    if (full != NULL || group == NULL)
        complain_word(error, NULL, "There is no verb", wrong, full);
    else
        complain_in_group(error, group, wrong);
}

static bool belongs_to_a_verb(const char *name)
{
    for (const SyncdVerb *verb = NULL; (verb = syncd_verb_next(verb)) != NULL;)
        if (find_option(verb, name, 0) != NULL)
            return true;
    return false;
}

static void complain_option(GError **error, const SyncdVerb *verb, const char *name)
{
    if (verb == NULL && belongs_to_a_verb(name)) {
        g_autofree char *sentence = g_strdup_printf("--%s stands before the verb", name);
        syncd_set_error_next(error, SYNCD_ERROR_USAGE, "write it after the verb it belongs to",
                             "%s", sentence);
        return;
    }
    if (verb != NULL && find_option(verb, "set", 0) != NULL && strchr(name, '_') != NULL) {
        g_autofree char *next =
            g_strdup_printf("members of a record are written --set=%s=VALUE", name);
        syncd_set_error_next(error, SYNCD_ERROR_USAGE, next, "There is no option `--%s`", name);
        return;
    }
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (const SyncdVerbOption *option = syncd_global_options; option->name != NULL; option++)
        g_ptr_array_add(names, (gpointer)option->name);
    for (size_t i = 0; verb != NULL && verb->options[i] != NULL; i++)
        for (const SyncdVerbOption *option = verb->options[i]; option->name != NULL; option++)
            g_ptr_array_add(names, (gpointer)option->name);
    g_ptr_array_add(names, NULL);
    const char *nearest = syncd_nearest(name, (const char *const *)names->pdata);
    g_autofree char *full = nearest != NULL ? g_strconcat("--", nearest, NULL) : NULL;
    g_autofree char *wrong = g_strconcat("--", name, NULL);
    complain_word(error, verb, "There is no option", wrong, full);
}

/* ---- parsing ---- */

typedef struct {
    SyncdCli *cli;
    char **words;
    int n_words;
    int at;
} Parser;

static bool add_given(SyncdCli *cli, const SyncdVerbOption *option, const char *value,
                      GError **error)
{
    if (!syncd_words_check(cli->verb, option, value, error))
        return false;
    SyncdGiven given = {option, value};
    g_array_append_val(cli->given, given);
    return true;
}

/* `attached` is what followed in the same word, NULL for nothing. */
static bool take_option(Parser *parser, const SyncdVerbOption *option, const char *attached,
                        GError **error)
{
    if (option->kind == SYNCD_VALUE_NONE) {
        if (attached == NULL)
            return add_given(parser->cli, option, NULL, error);
        g_autofree char *sentence = g_strdup_printf("--%s takes no value", option->name);
        complain(error, parser->cli->verb, sentence);
        return false;
    }
    if (attached == NULL && parser->at < parser->n_words)
        attached = parser->words[parser->at++];
    if (attached == NULL) {
        g_autofree char *sentence = g_strdup_printf("--%s needs a value: --%s=%s", option->name,
                                                    option->name, option->argument);
        complain(error, parser->cli->verb, sentence);
        return false;
    }
    return add_given(parser->cli, option, attached, error);
}

static bool take_long(Parser *parser, const char *word, GError **error)
{
    const char *equals = strchr(word, '=');
    g_autofree char *name =
        equals != NULL ? g_strndup(word, (size_t)(equals - word)) : g_strdup(word);
    const SyncdVerbOption *option = find_option(parser->cli->verb, name, 0);
    if (option == NULL) {
        complain_option(error, parser->cli->verb, name);
        return false;
    }
    return take_option(parser, option, equals != NULL ? equals + 1 : NULL, error);
}

static bool take_letters(Parser *parser, const char *letters, GError **error)
{
    for (const char *at = letters; *at != '\0'; at++) {
        const SyncdVerbOption *option = find_option(parser->cli->verb, NULL, *at);
        if (option == NULL) {
            char wrong[] = {'-', *at, '\0'};
            complain_word(error, parser->cli->verb, "There is no option", wrong, NULL);
            return false;
        }
        if (option->kind != SYNCD_VALUE_NONE)
            return take_option(parser, option, at[1] != '\0' ? at + 1 : NULL, error);
        if (!take_option(parser, option, NULL, error))
            return false;
    }
    return true;
}

/* A word of the verb, or an argument of it. */
static bool take_word(SyncdCli *cli, char *word, const char **group, GError **error)
{
    if (cli->verb != NULL) {
        g_ptr_array_add(cli->arguments, word);
        return true;
    }
    if (*group == NULL && syncd_cli_is_group(word)) {
        *group = word;
        return true;
    }
    cli->verb = syncd_cli_find_verb(*group, word);
    if (cli->verb == NULL)
        complain_verb(error, *group, word);
    return cli->verb != NULL;
}

static bool take_words(Parser *parser, const char **group, GError **error)
{
    bool options_ended = false;
    while (parser->at < parser->n_words) {
        char *word = parser->words[parser->at++];
        bool good;
        if (options_ended || word[0] != '-' || word[1] == '\0')
            good = take_word(parser->cli, word, group, error);
        else if (strcmp(word, "--") == 0)
            good = options_ended = true;
        else if (word[1] == '-')
            good = take_long(parser, word + 2, error);
        else
            good = take_letters(parser, word + 1, error);
        if (!good)
            return false;
    }
    return true;
}

static bool check_arguments(const SyncdCli *cli, GError **error)
{
    unsigned n = cli->arguments->len;
    if (n >= cli->verb->min_arguments && n <= cli->verb->max_arguments)
        return true;
    g_autofree char *title = syncd_verb_title(cli->verb);
    g_autofree char *sentence =
        n < cli->verb->min_arguments
            ? g_strdup_printf("`%s` needs %s", title, cli->verb->arguments)
            : g_strdup_printf("`%s` does not know what to do with `%s`", title,
                              (char *)cli->arguments->pdata[cli->verb->max_arguments]);
    complain(error, cli->verb, sentence);
    return false;
}

bool syncd_cli_parse(SyncdCli *cli, int argc, char **argv, const char **ret_group, GError **error)
{
    const char *group = NULL;
    Parser parser = {cli, argv + 1, MAX(argc - 1, 0), 0};

    /* The second name of the program serves several; "sync" is our part of it. */
    g_autofree char *name = g_path_get_basename(argc > 0 ? argv[0] : "");
    if (strcmp(name, "sourceos") == 0 && parser.n_words > 0 && strcmp(parser.words[0], "sync") == 0)
        parser.at = 1;

    if (!take_words(&parser, &group, error))
        return false;
    *ret_group = group;
    /* Who asks for help need not have the arguments together. */
    if (cli->verb != NULL && !syncd_cli_flag(cli, "help") && !check_arguments(cli, error))
        return false;
    g_ptr_array_add(cli->arguments, NULL);
    return true;
}
