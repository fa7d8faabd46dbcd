#include "cli/help.h"

#include "base/json-writer.h"
#include "cli/i18n.h"
#include "cli/parse.h"
#include "cli/text.h"
#include "cli/verbs.h"
#include "cli/words.h"

#include <string.h>

#define INDENT "  "
#define LINE_WIDTH 80u
#define PROGRAM "sourceos-syncd"

/* "sourceos-syncd ops show [OPTION...] OPERATION" */
static char *synopsis_of(const SyncdVerb *verb)
{
    g_autofree char *title = syncd_verb_title(verb);
    return g_strconcat(PROGRAM " ", title, " [OPTION...]", verb->arguments != NULL ? " " : NULL,
                       verb->arguments, NULL);
}

/* ---- text ---- */

static void append_wrapped(GString *out, const char *text, size_t indent)
{
    g_auto(GStrv) words = g_strsplit(text, " ", -1);
    size_t column = indent;
    for (size_t i = 0; words[i] != NULL; i++) {
        size_t width = syncd_text_width(words[i]);
        if (i > 0 && column + 1 + width > LINE_WIDTH) {
            g_string_append_printf(out, "\n%*s", (int)indent, "");
            column = indent;
        } else if (i > 0) {
            g_string_append_c(out, ' ');
            column++;
        }
        g_string_append(out, words[i]);
        column += width;
    }
    g_string_append_c(out, '\n');
}

static void append_row(GString *out, const char *left, size_t width, const char *right)
{
    g_string_append(out, INDENT);
    size_t start = out->len;
    g_string_append(out, left);
    syncd_text_pad(out, start, width);
    g_string_append(out, INDENT);
    append_wrapped(out, right, width + 2 * strlen(INDENT));
}

static char *verb_words(const SyncdVerb *verb)
{
    g_autofree char *title = syncd_verb_title(verb);
    return g_strconcat(title, verb->arguments != NULL ? " " : NULL, verb->arguments, NULL);
}

static char *option_words(const SyncdVerbOption *option)
{
    GString *out = g_string_new(NULL);
    if (option->letter != 0)
        g_string_append_printf(out, "-%c, ", option->letter);
    else
        g_string_append(out, "    ");
    g_string_append_printf(out, "--%s", option->name);
    if (option->argument != NULL)
        g_string_append_printf(out, "=%s", option->argument);
    return g_string_free(out, FALSE);
}

/* With the words that there are, where they can be no others. */
static char *option_help(const SyncdVerbOption *option)
{
    if (option->kind != SYNCD_VALUE_CHOICE || option->words == NULL)
        return g_strdup(_(option->help));
    g_autofree char *joined = syncd_words_of_option(option);
    g_auto(GStrv) words = g_strsplit(joined, " ", -1);
    g_autofree char *list = g_strjoinv(", ", words);
    return g_strdup_printf("%s: %s", _(option->help), list);
}

static void append_options(GString *out, const SyncdVerbOption *const *tables)
{
    size_t width = 0;
    for (size_t pass = 0; pass < 2; pass++)
        for (size_t i = 0; tables[i] != NULL; i++)
            for (const SyncdVerbOption *option = tables[i]; option->name != NULL; option++) {
                g_autofree char *words = option_words(option);
                g_autofree char *help = option_help(option);
                if (pass == 0)
                    width = MAX(width, strlen(words));
                else
                    append_row(out, words, width, help);
            }
}

static void append_verbs(GString *out, const char *group)
{
    size_t width = 0;
    for (size_t pass = 0; pass < 2; pass++)
        for (const SyncdVerb *verb = NULL; (verb = syncd_verb_next(verb)) != NULL;) {
            if (group != NULL && g_strcmp0(verb->group, group) != 0)
                continue;
            g_autofree char *words = verb_words(verb);
            if (pass == 0)
                width = MAX(width, strlen(words));
            else
                append_row(out, words, width, _(verb->help));
        }
}

static void append_global_options(GString *out)
{
    const SyncdVerbOption *const tables[] = {syncd_global_options, NULL};
    g_string_append_printf(out, "\n%s\n", _("Options of every verb:"));
    append_options(out, tables);
}

/* ---- JSON ---- */

static void write_options(SyncdJsonWriter *writer, const SyncdVerbOption *table)
{
    for (const SyncdVerbOption *option = table; option->name != NULL; option++) {
        syncd_json_begin_object(writer);
        syncd_json_member_string(writer, "name", option->name);
        syncd_json_member_string(writer, "argument", option->argument);
        syncd_json_member_bool(writer, "repeatable", option->repeatable);
        syncd_json_member_string(writer, "help", option->help);
        syncd_json_end_object(writer);
    }
}

static void write_verb(SyncdJsonWriter *writer, const SyncdVerb *verb)
{
    g_autofree char *title = syncd_verb_title(verb);
    g_autofree char *synopsis = synopsis_of(verb);
    syncd_json_begin_object(writer);
    syncd_json_member_string(writer, "verb", title);
    syncd_json_member_string(writer, "synopsis", synopsis);
    syncd_json_member_string(writer, "help", verb->help);
    syncd_json_name(writer, "options");
    syncd_json_begin_array(writer);
    for (size_t i = 0; verb->options[i] != NULL; i++)
        write_options(writer, verb->options[i]);
    syncd_json_end_array(writer);
    syncd_json_end_object(writer);
}

static void print_json(SyncdCli *cli, const char *group, const SyncdVerb *only)
{
    SyncdJsonWriter *writer = syncd_output_begin_object(cli->out);
    syncd_json_name(writer, "verbs");
    syncd_json_begin_array(writer);
    for (const SyncdVerb *verb = NULL; (verb = syncd_verb_next(verb)) != NULL;)
        if ((only == NULL || verb == only) && (group == NULL || g_strcmp0(verb->group, group) == 0))
            write_verb(writer, verb);
    syncd_json_end_array(writer);
    syncd_json_name(writer, "options");
    syncd_json_begin_array(writer);
    write_options(writer, syncd_global_options);
    syncd_json_end_array(writer);
    syncd_output_end_object(cli->out);
}

/* ---- the two kinds of help ---- */

bool syncd_help_group(SyncdCli *cli, const char *group, GError **error)
{
    if (syncd_cli_json(cli)) {
        print_json(cli, group, NULL);
        return true;
    }
    g_autoptr(GString) out = g_string_new(NULL);
    g_string_append_printf(out, "%s " PROGRAM " %s%s\n\n", _("Usage:"), group != NULL ? group : "",
                           group != NULL ? " VERB [OPTION...]" : "VERB [OPTION...]");
    if (group == NULL)
        append_wrapped(out,
                       _("Keeps the record of what happens to your local state, and lets you read, "
                         "check and extend it."),
                       0);
    g_string_append_printf(out, "%s%s\n", group == NULL ? "\n" : "", _("Verbs:"));
    append_verbs(out, group);
    append_global_options(out);
    g_string_append_printf(out, "\n%s\n",
                           _("See `sourceos-syncd help VERB` for a verb, and sourceos-syncd(1)."));
    syncd_output_text(cli->out, out->str);
    return true;
}

bool syncd_help_verb(SyncdCli *cli, const SyncdVerb *verb, GError **error)
{
    if (syncd_cli_json(cli)) {
        print_json(cli, NULL, verb);
        return true;
    }
    g_autoptr(GString) out = g_string_new(NULL);
    g_autofree char *synopsis = synopsis_of(verb);
    g_string_append_printf(out, "%s %s\n\n%s.\n", _("Usage:"), synopsis, _(verb->help));
    if (verb->details != NULL) {
        g_string_append_c(out, '\n');
        append_wrapped(out, _(verb->details), 0);
    }
    if (verb->options[0] != NULL) {
        g_string_append_printf(out, "\n%s\n", _("Options:"));
        append_options(out, verb->options);
    }
    append_global_options(out);
    syncd_output_text(cli->out, out->str);
    return true;
}

/* ---- the verb ---- */

static void print_verbs(SyncdCli *cli)
{
    for (const SyncdVerb *verb = NULL; (verb = syncd_verb_next(verb)) != NULL;) {
        g_autofree char *title = syncd_verb_title(verb);
        syncd_output_printf(cli->out, "%s\n", title);
    }
}

bool syncd_verb_help(SyncdCli *cli, GError **error)
{
    const char *first = syncd_cli_argument(cli, 0);
    const char *second = syncd_cli_argument(cli, 1);
    if (syncd_cli_flag(cli, "verbs")) {
        if (syncd_cli_json(cli))
            print_json(cli, NULL, NULL);
        else
            print_verbs(cli);
        return true;
    }
    if (first == NULL)
        return syncd_help_group(cli, NULL, error);
    if (second == NULL && syncd_cli_is_group(first))
        return syncd_help_group(cli, first, error);

    const SyncdVerb *verb =
        second != NULL ? syncd_cli_find_verb(first, second) : syncd_cli_find_verb(NULL, first);
    if (verb != NULL)
        return syncd_help_verb(cli, verb, error);
    syncd_set_error(error, SYNCD_ERROR_USAGE, "There is no verb `%s%s%s`", first,
                    second != NULL ? " " : "", second != NULL ? second : "");
    return false;
}
