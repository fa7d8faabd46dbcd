#include "cli/completion.h"
#include "cli/parse.h"
#include "cli/words.h"

#include <string.h>

/* Text inside single quotes; in _arguments, brackets and colons end it. */
static void append_escaped(GString *out, const char *text, const char *special)
{
    for (const char *at = text; *at != '\0'; at++) {
        if (*at == '\'')
            g_string_append(out, "'\\''");
        else if (strchr(special, *at) != NULL)
            g_string_append_printf(out, "\\%c", *at);
        else
            g_string_append_c(out, *at);
    }
}

static void append_value(GString *out, const SyncdVerbOption *option)
{
    if (option->kind == SYNCD_VALUE_NONE)
        return;
    g_string_append_printf(out, ":%s:", option->argument);
    g_autofree char *words = syncd_words_of_option(option);
    if (words != NULL && option->kind == SYNCD_VALUE_FILE)
        g_string_append_printf(out, "_alternative \"words:word:(%s)\" \"files:file:_files\"",
                               words);
    else if (words != NULL)
        g_string_append_printf(out, "(%s)", words);
    else if (option->kind == SYNCD_VALUE_FILE)
        g_string_append(out, "_files");
    else if (option->kind == SYNCD_VALUE_DIRECTORY)
        g_string_append(out, "_files -/");
}

static void append_option(GString *out, const SyncdVerbOption *option, const SyncdVerb *verb)
{
    g_string_append_printf(out, " \\\n            '%s--%s%s[", option->repeatable ? "*" : "",
                           option->name, option->kind == SYNCD_VALUE_NONE ? "" : "=");
    append_escaped(out, option->help, "[]:");
    g_string_append_c(out, ']');
    append_value(out, option);
    g_string_append_c(out, '\'');
}

static void append_word(GString *out, const char *word, const char *help)
{
    g_string_append_printf(out, " \\\n            '%s:", word);
    append_escaped(out, help, ":");
    g_string_append_c(out, '\'');
}

/* The words of a group, or the first words. */
static void append_words(GString *out, const char *group)
{
    g_string_append_printf(out, "    %s)\n        words_=(", group != NULL ? group : "''");
    for (const SyncdVerb *verb = NULL; (verb = syncd_verb_next(verb)) != NULL;) {
        if (group != NULL ? g_strcmp0(verb->group, group) == 0 : verb->group == NULL)
            append_word(out, verb->name, verb->help);
        else if (group == NULL && syncd_completion_opens_group(verb))
            append_word(out, verb->group, verb->group);
    }
    g_string_append(out, ")\n        _describe -t commands command words_ ;;\n");
}

static void append_verb(GString *out, const SyncdVerb *verb)
{
    g_autofree char *title = syncd_verb_title(verb);
    g_string_append_printf(out, "    '%s')\n        _arguments -S", title);
    syncd_completion_options(out, verb, append_option);
    syncd_completion_options(out, NULL, append_option);
    g_autofree char *words = syncd_completion_argument_words(verb);
    if (syncd_completion_takes_file(verb))
        g_string_append(out, " \\\n            '*:file:_files'");
    else if (syncd_completion_takes_directory(verb))
        g_string_append(out, " \\\n            '*:directory:_files -/'");
    else if (syncd_completion_takes_plan(verb))
        g_string_append(out, " \\\n            '::plan:_sourceos_syncd_plans'");
    else if (words != NULL)
        g_string_append_printf(out, " \\\n            ':%s:(%s)'", verb->arguments, words);
    g_string_append(out, " ;;\n");
}

static void append_beginnings(GString *out)
{
    const char *separator = "        ";
    for (const SyncdVerb *verb = NULL; (verb = syncd_verb_next(verb)) != NULL;) {
        g_autofree char *title = syncd_verb_title(verb);
        if (syncd_completion_opens_group(verb)) {
            g_string_append_printf(out, "%s%s", separator, verb->group);
            separator = "|";
        }
        g_string_append_printf(out, "%s'%s'", separator, title);
        separator = "|";
    }
    g_string_append(out, ")\n");
}

void syncd_completion_zsh(GString *out)
{
    g_string_append(out, "#compdef " SYNCD_PROGRAM " " SYNCD_SECOND_NAME "\n"
                         "# zsh completion for sourceos-syncd, made from the table of its verbs\n"
                         "_sourceos_syncd_plans() {\n"
                         "    local -a plans\n"
                         "    plans=(${(f)\"$(" SYNCD_COMPLETION_PLANS ")\"})\n"
                         "    compadd -a plans\n"
                         "}\n"
                         "_sourceos_syncd() {\n"
                         "    local verb= word last=1 i\n"
                         "    local -a words_ system\n"
                         "    ((${words[(I)--system]})) && system=(--system)\n"
                         "    for ((i = 2; i < CURRENT; i++)); do\n"
                         "        word=${words[i]}\n"
                         "        case \"$verb${verb:+ }$word\" in\n");
    append_beginnings(out);
    g_string_append(out, "            verb+=${verb:+ }$word; last=$i ;;\n"
                         "        esac\n"
                         "    done\n"
                         "    # What follows the verb is all that _arguments shall see.\n"
                         "    shift $((last - 1)) words\n"
                         "    ((CURRENT -= last - 1))\n"
                         "    case $verb in\n");
    append_words(out, NULL);
    for (const SyncdVerb *verb = NULL; (verb = syncd_verb_next(verb)) != NULL;) {
        if (syncd_completion_opens_group(verb))
            append_words(out, verb->group);
        append_verb(out, verb);
    }
    g_string_append(out, "    esac\n}\n"
                         "if [[ $funcstack[1] == _sourceos-syncd ]]; then\n"
                         "    _sourceos_syncd \"$@\"\n"
                         "else\n"
                         "    compdef _sourceos_syncd " SYNCD_PROGRAM " " SYNCD_SECOND_NAME "\n"
                         "fi\n");
}
