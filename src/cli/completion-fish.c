#include "cli/completion.h"
#include "cli/parse.h"
#include "cli/words.h"

#include <string.h>

static void append_quoted(GString *out, const char *text)
{
    g_string_append_c(out, '\'');
    for (const char *at = text; *at != '\0'; at++) {
        if (*at == '\'' || *at == '\\')
            g_string_append_c(out, '\\');
        g_string_append_c(out, *at);
    }
    g_string_append_c(out, '\'');
}

static void append_line(GString *out, const char *condition)
{
    g_string_append(out, "complete -c $program -n ");
    append_quoted(out, condition);
}

static void append_option(GString *out, const SyncdVerbOption *option, const SyncdVerb *verb)
{
    g_autofree char *title = verb != NULL ? syncd_verb_title(verb) : NULL;
    g_autofree char *condition =
        title != NULL ? g_strdup_printf("__sourceos_syncd_in %s", title) : g_strdup("true");
    g_string_append(out, "    ");
    append_line(out, condition);
    g_string_append_printf(out, " -l %s", option->name);
    if (option->letter != 0)
        g_string_append_printf(out, " -s %c", option->letter);
    g_autofree char *words = syncd_words_of_option(option);
    if (option->kind == SYNCD_VALUE_FILE)
        g_string_append(out, " -r -F");
    else if (option->kind == SYNCD_VALUE_DIRECTORY)
        g_string_append(out, " -x -a '(__fish_complete_directories)'");
    else if (option->kind != SYNCD_VALUE_NONE)
        g_string_append(out, " -x");
    if (words != NULL)
        g_string_append_printf(out, " -a '%s'", words);
    g_string_append(out, " -d ");
    append_quoted(out, option->help);
    g_string_append_c(out, '\n');
}

static void append_word(GString *out, const char *before, const char *word, const char *help)
{
    g_autofree char *condition = g_strdup_printf(
        "__sourceos_syncd_is%s%s", before != NULL ? " " : "", before != NULL ? before : "");
    g_string_append(out, "    ");
    append_line(out, condition);
    g_string_append_printf(out, " -a %s -d ", word);
    append_quoted(out, help);
    g_string_append_c(out, '\n');
}

static void append_verb(GString *out, const SyncdVerb *verb)
{
    g_autofree char *title = syncd_verb_title(verb);
    if (syncd_completion_opens_group(verb))
        append_word(out, NULL, verb->group, verb->group);
    append_word(out, verb->group, verb->name, verb->help);
    syncd_completion_options(out, verb, append_option);
    if (syncd_completion_takes_file(verb))
        g_string_append_printf(out, "    complete -c $program -n '__sourceos_syncd_in %s' -F\n",
                               title);
    if (syncd_completion_takes_directory(verb))
        g_string_append_printf(out,
                               "    complete -c $program -n '__sourceos_syncd_in %s' -xa "
                               "'(__fish_complete_directories)'\n",
                               title);
    if (syncd_completion_takes_plan(verb))
        g_string_append_printf(out,
                               "    complete -c $program -n '__sourceos_syncd_in %s' -xa "
                               "'(__sourceos_syncd_plans)'\n",
                               title);
    g_autofree char *words = syncd_completion_argument_words(verb);
    g_autofree char *quoted = words != NULL ? g_strdup_printf("'%s'", words) : NULL;
    if (quoted != NULL)
        append_word(out, title, quoted, verb->arguments);
}

void syncd_completion_fish(GString *out)
{
    g_string_append(out, "# fish completion for sourceos-syncd, made from the table of its verbs\n"
                         "# The words so far, without options.\n"
                         "function __sourceos_syncd_words\n"
                         "    set -l words (commandline -opc)\n"
                         "    set -e words[1]\n"
                         "    set words (string match -v -- '-*' $words)\n"
                         "    test \"$words[1]\" = sync; and set -e words[1]\n"
                         "    string join -- \\n $words\n"
                         "end\n"
                         "# They are exactly these.\n"
                         "function __sourceos_syncd_is\n"
                         "    set -l words (__sourceos_syncd_words)\n"
                         "    test \"$words\" = \"$argv\"\n"
                         "end\n"
                         "# They begin with these.\n"
                         "function __sourceos_syncd_in\n"
                         "    set -l words (__sourceos_syncd_words)\n"
                         "    set -l n (count $argv)\n"
                         "    test \"$words[1..$n]\" = \"$argv\"\n"
                         "end\n"
                         "function __sourceos_syncd_plans\n"
                         "    set -l system (string match -- --system (commandline -opc))\n"
                         "    " SYNCD_COMPLETION_PLANS "\n"
                         "end\n"
                         "for program in " SYNCD_PROGRAM " " SYNCD_SECOND_NAME "\n"
                         "    complete -c $program -f\n");
    syncd_completion_options(out, NULL, append_option);
    for (const SyncdVerb *verb = NULL; (verb = syncd_verb_next(verb)) != NULL;)
        append_verb(out, verb);
    g_string_append(out, "end\n");
}
