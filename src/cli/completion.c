#include "cli/completion.h"

#include "base/json-writer.h"
#include "cli/verbs.h"
#include "cli/words.h"

#include <string.h>

static const struct {
    const char *shell;
    void (*make)(GString *out);
} shells[] = {
    {"bash", syncd_completion_bash},
    {"zsh", syncd_completion_zsh},
    {"fish", syncd_completion_fish},
};

void syncd_completion_options(GString *out, const SyncdVerb *verb, SyncdVerbOptionFunc func)
{
    const SyncdVerbOption *const global[] = {syncd_global_options, NULL};
    const SyncdVerbOption *const *tables = verb != NULL ? verb->options : global;
    for (size_t i = 0; tables[i] != NULL; i++)
        for (const SyncdVerbOption *option = tables[i]; option->name != NULL; option++)
            func(out, option, verb);
}

bool syncd_completion_opens_group(const SyncdVerb *verb)
{
    for (const SyncdVerb *other = NULL; (other = syncd_verb_next(other)) != verb;)
        if (g_strcmp0(other->group, verb->group) == 0)
            return false;
    return verb->group != NULL;
}

bool syncd_completion_takes_file(const SyncdVerb *verb)
{
    return verb->arguments != NULL && strstr(verb->arguments, "FILE") != NULL;
}

bool syncd_completion_takes_directory(const SyncdVerb *verb)
{
    return verb->arguments != NULL && strstr(verb->arguments, "DIRECTORY") != NULL;
}

bool syncd_completion_takes_plan(const SyncdVerb *verb)
{
    return g_strcmp0(verb->group, "repair") == 0 && g_strcmp0(verb->arguments, "[PLAN]") == 0;
}

static void add_shells(GPtrArray *words)
{
    for (size_t i = 0; i < G_N_ELEMENTS(shells); i++)
        g_ptr_array_add(words, (gpointer)shells[i].shell);
}

char *syncd_completion_argument_words(const SyncdVerb *verb)
{
    static const struct {
        const char *argument;
        void (*add)(GPtrArray *words);
    } sets[] = {
        {"SHELL", add_shells},
        {"CONTRACT", syncd_words_contract},
    };
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    for (size_t i = 0; i < G_N_ELEMENTS(sets); i++)
        if (g_strcmp0(verb->arguments, sets[i].argument) == 0)
            sets[i].add(words);
    g_ptr_array_add(words, NULL);
    return words->len > 1 ? g_strjoinv(" ", (char **)words->pdata) : NULL;
}

static void print_json(SyncdCli *cli, const char *shell, const GString *script)
{
    SyncdJsonWriter *writer = syncd_output_begin_object(cli->out);
    syncd_json_member_string(writer, "shell", shell);
    syncd_json_member_string(writer, "script", script->str);
    syncd_output_end_object(cli->out);
}

bool syncd_verb_completion(SyncdCli *cli, GError **error)
{
    const char *shell = syncd_cli_argument(cli, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(shells); i++) {
        if (strcmp(shell, shells[i].shell) != 0)
            continue;
        g_autoptr(GString) script = g_string_new(NULL);
        shells[i].make(script);
        if (syncd_cli_json(cli))
            print_json(cli, shell, script);
        else
            syncd_output_text(cli->out, script->str);
        return true;
    }
    g_autofree char *words = syncd_completion_argument_words(cli->verb);
    g_autofree char *next = g_strdup_printf("name one of: %s", words);
    syncd_set_error_next(error, SYNCD_ERROR_USAGE, next, "There is no completion for `%s`", shell);
    return false;
}
