#include "cli/completion.h"
#include "cli/parse.h"
#include "cli/words.h"

#include <string.h>

static const char head[] =
    "# bash completion for sourceos-syncd, made from the table of its verbs\n"
    "_sourceos_syncd_plans()\n"
    "{\n"
    "    local system=\n"
    "    [[ \" ${COMP_WORDS[*]} \" == *' --system '* ]] && system=--system\n"
    "    " SYNCD_COMPLETION_PLANS "\n"
    "}\n"
    "_sourceos_syncd()\n"
    "{\n"
    "    local current=$2 previous=$3 verb= word words= i\n"
    "    [[ $current == = ]] && current=\n"
    "    [[ $previous == = ]] && previous=${COMP_WORDS[COMP_CWORD-2]}\n"
    "    [[ $2 == = ]] && previous=${COMP_WORDS[COMP_CWORD-1]}\n"
    "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
    "        word=${COMP_WORDS[i]}\n"
    "        case \"$verb${verb:+ }$word\" in\n";

static const char middle[] = "            verb+=${verb:+ }$word ;;\n"
                             "        esac\n"
                             "    done\n"
                             "    case \"$verb $previous\" in\n";

static const char tail[] = "    esac\n"
                           "    COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
                           "    [[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace\n"
                           "}\n"
                           "complete -F _sourceos_syncd " SYNCD_PROGRAM " " SYNCD_SECOND_NAME "\n";

/* The beginnings of verbs: what follows them is looked up. */
static void append_beginnings(GString *out)
{
    const char *separator = "        ";
    for (const SyncdVerb *verb = NULL; (verb = syncd_verb_next(verb)) != NULL;) {
        g_autofree char *title = syncd_verb_title(verb);
        if (syncd_completion_opens_group(verb))
            g_string_append_printf(out, "%s%s | ", separator, verb->group);
        else
            g_string_append(out, separator);
        g_string_append_printf(out, "'%s'", title);
        separator = " | ";
    }
    g_string_append(out, ")\n");
}

static void append_value(GString *out, const SyncdVerbOption *option, const SyncdVerb *verb)
{
    if (option->kind == SYNCD_VALUE_NONE)
        return;
    g_autofree char *title = verb != NULL ? syncd_verb_title(verb) : NULL;
    if (title != NULL)
        g_string_append_printf(out, "    '%s --%s')\n", title, option->name);
    else
        g_string_append_printf(out, "    *' --%s')\n", option->name);
    const char *files = option->kind == SYNCD_VALUE_FILE ? " -f" : "";
    g_autofree char *words = syncd_words_of_option(option);
    if (words != NULL)
        g_string_append_printf(out, "        COMPREPLY=($(compgen%s -W '%s' -- \"$current\"))\n",
                               files, words);
    else if (option->kind == SYNCD_VALUE_FILE)
        g_string_append(out, "        COMPREPLY=($(compgen -f -- \"$current\"))\n");
    else if (option->kind == SYNCD_VALUE_DIRECTORY)
        g_string_append(out, "        COMPREPLY=($(compgen -d -- \"$current\"))\n");
    g_string_append(out, "        return ;;\n");
}

static void append_option(GString *out, const SyncdVerbOption *option, const SyncdVerb *verb)
{
    g_string_append_printf(out, " --%s%s", option->name,
                           option->kind == SYNCD_VALUE_NONE ? "" : "=");
}

static void append_words(GString *out, const char *group)
{
    g_string_append_printf(out, "    %s) words='", group != NULL ? group : "''");
    for (const SyncdVerb *verb = NULL; (verb = syncd_verb_next(verb)) != NULL;) {
        if (group == NULL && (verb->group == NULL || syncd_completion_opens_group(verb)))
            g_string_append_printf(out, "%s ", verb->group != NULL ? verb->group : verb->name);
        else if (group != NULL && g_strcmp0(verb->group, group) == 0)
            g_string_append_printf(out, "%s ", verb->name);
    }
    syncd_completion_options(out, NULL, append_option);
    g_string_append(out, "' ;;\n");
}

static void append_verb(GString *out, const SyncdVerb *verb)
{
    g_autofree char *title = syncd_verb_title(verb);
    g_string_append_printf(out, "    '%s') words='", title);
    syncd_completion_options(out, verb, append_option);
    syncd_completion_options(out, NULL, append_option);
    g_string_append_c(out, '\'');
    g_autofree char *words = syncd_completion_argument_words(verb);
    if (words != NULL)
        g_string_append_printf(out, "; [[ $current == -* ]] || words='%s'", words);
    if (syncd_completion_takes_plan(verb))
        g_string_append(out, "; [[ $current == -* ]] || words=$(_sourceos_syncd_plans)");
    if (syncd_completion_takes_file(verb))
        g_string_append(out, "; [[ $current == -* ]] || words=$(compgen -f -- \"$current\")");
    if (syncd_completion_takes_directory(verb))
        g_string_append(out, "; [[ $current == -* ]] || words=$(compgen -d -- \"$current\")");
    g_string_append(out, " ;;\n");
}

void syncd_completion_bash(GString *out)
{
    g_string_append(out, head);
    append_beginnings(out);
    g_string_append(out, middle);
    for (const SyncdVerb *verb = NULL; (verb = syncd_verb_next(verb)) != NULL;)
        syncd_completion_options(out, verb, append_value);
    syncd_completion_options(out, NULL, append_value);
    g_string_append(out, "    esac\n    case $verb in\n");
    append_words(out, NULL);
    for (const SyncdVerb *verb = NULL; (verb = syncd_verb_next(verb)) != NULL;) {
        if (syncd_completion_opens_group(verb))
            append_words(out, verb->group);
        append_verb(out, verb);
    }
    g_string_append(out, tail);
}
