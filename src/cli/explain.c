#include "base/json.h"
#include "cli/file-log.h"
#include "cli/i18n.h"
#include "cli/listing.h"
#include "cli/text.h"
#include "cli/verbs.h"
#include "cli/when.h"
#include "client/calls.h"
#include "domain/answers.h"

#include <string.h>

#define TITLE_WIDTH 14u
#define ANSWER_COLUMN (TITLE_WIDTH + 2u)

/* ---- one answer for people ---- */

typedef struct {
    SyncdJson facts;
    GPtrArray *texts; /* what find_fact() returned */
} Facts;

static const char *find_fact(void *data, const char *name)
{
    Facts *facts = data;
    SyncdJson value = syncd_json_member(facts->facts, name);
    if (value.type != SYNCD_JSON_STRING)
        return NULL;
    g_autofree char *text = syncd_json_dup_text(value);
    char *shown = g_str_has_suffix(name, "_at") ? syncd_when_local(text) : g_strdup(text);
    g_ptr_array_add(facts->texts, shown);
    return shown;
}

/* In the reader's language, where this program knows the answer; otherwise as the daemon says. */
static char *sentence_of(SyncdJson answer, Facts *facts)
{
    g_autofree char *question = syncd_record_text(answer, "question");
    g_autofree char *code = syncd_record_text(answer, "reason_code");
    SyncdQuestion asked = syncd_question_find(SYNCD_BYTES_TEXT(question));
    const SyncdAnswer *known =
        asked < SYNCD_N_QUESTIONS ? syncd_answer_find(asked, SYNCD_BYTES_TEXT(code)) : NULL;
    return known != NULL ? syncd_answer_fill(_(known->sentence), find_fact, facts)
                         : syncd_record_text(answer, "answer");
}

static char *title_of(SyncdJson answer)
{
    g_autofree char *question = syncd_record_text(answer, "question");
    SyncdQuestion asked = syncd_question_find(SYNCD_BYTES_TEXT(question));
    return asked < SYNCD_N_QUESTIONS ? g_strdup(_(syncd_question_title(asked)))
                                     : syncd_text_safe(question);
}

/* "safe: entry 12 op-…": what it rests on. */
static char *basis_of(SyncdJson answer)
{
    GString *text = g_string_new(NULL);
    SyncdJsonIter iter;
    SyncdJson record;
    g_autofree char *code = syncd_record_text(answer, "reason_code");
    g_string_append(text, code);
    syncd_json_iter_init(&iter, syncd_json_member(answer, "records"));
    for (const char *between = ": "; syncd_json_iter_next(&iter, NULL, &record); between = ", ") {
        g_autofree char *kind = syncd_record_text(record, "kind");
        g_autofree char *id = syncd_record_text(record, "id");
        g_string_append_printf(text, "%s%s %s", between, kind, id);
    }
    return g_string_free(text, FALSE);
}

static void print_at_column(SyncdOutput *out, SyncdStyle style, const char *text)
{
    g_autofree char *safe = syncd_text_safe(text);
    g_autoptr(GString) line = g_string_new(NULL), wrapped = g_string_new(NULL);
    syncd_text_pad(line, 0, ANSWER_COLUMN);
    syncd_text_wrap(wrapped, safe, ANSWER_COLUMN, ANSWER_COLUMN, syncd_output_width(out));
    syncd_output_text(out, line->str);
    syncd_output_styled(out, style, wrapped->str);
    syncd_output_text(out, "\n");
}

static void print_answer(SyncdOutput *out, SyncdJson answer, Facts *facts)
{
    g_autofree char *sentence = sentence_of(answer, facts), *title = title_of(answer),
                    *basis = basis_of(answer), *next = syncd_record_text(answer, "next");
    g_autofree char *safe = syncd_text_safe(sentence);
    g_autoptr(GString) padding = g_string_new(title), rest = g_string_new(NULL);
    syncd_text_pad(padding, 0, ANSWER_COLUMN);
    syncd_output_styled(out, SYNCD_STYLE_BOLD, title);
    syncd_output_text(out, padding->str + strlen(title));
    syncd_text_wrap(rest, safe, ANSWER_COLUMN, ANSWER_COLUMN, syncd_output_width(out));
    syncd_output_text(out, rest->str);
    syncd_output_text(out, "\n");
    print_at_column(out, SYNCD_STYLE_DIM, basis);
    if (*next != '\0') {
        g_autofree char *told = g_strdup_printf(_("Next: `%s`"), next);
        print_at_column(out, SYNCD_STYLE_DIM, told);
    }
}

static void print(SyncdCli *cli, const char *explanation)
{
    SyncdJson root = syncd_json_root(explanation, strlen(explanation));
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
    Facts facts = {syncd_json_member(root, "facts"), texts};
    SyncdJsonIter iter;
    SyncdJson answer;
    if (!syncd_cli_flag(cli, "no-pager"))
        syncd_output_start_pager(cli->out);
    syncd_json_iter_init(&iter, syncd_json_member(root, "answers"));
    while (syncd_json_iter_next(&iter, NULL, &answer))
        print_answer(cli->out, answer, &facts);
}

/* ---- asking ---- */

static char *ask(SyncdCli *cli, SyncdClient *client, const char *id, GError **error)
{
    g_auto(GVariantDict) options = G_VARIANT_DICT_INIT(NULL);
    if (syncd_cli_flag(cli, "all"))
        g_variant_dict_insert(&options, "all", "b", TRUE);
    return syncd_client_explain(client, id, g_variant_dict_end(&options), error);
}

static char *ask_about_file(SyncdCli *cli, SyncdClient *client, const char *named, GError **error)
{
    g_autofree char *id = syncd_cli_file_id(cli, client, named, error);
    return id != NULL ? ask(cli, client, id, error) : NULL;
}

/* As in `log`: a plain name is an object's, and a file's where there is no such object. */
static char *explain(SyncdCli *cli, SyncdClient *client, const char *named, GError **error)
{
    g_autoptr(GError) fault = NULL;
    if (syncd_cli_names_file(named))
        return ask_about_file(cli, client, named, error);
    char *explanation = ask(cli, client, named, &fault);
    if (g_error_matches(fault, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND))
        explanation = ask_about_file(cli, client, named, NULL);
    if (explanation == NULL)
        g_propagate_error(error, g_steal_pointer(&fault));
    return explanation;
}

bool syncd_verb_explain(SyncdCli *cli, GError **error)
{
    g_autoptr(SyncdClient) client = syncd_cli_connect(cli, SYNCD_CLI_ACT, error);
    g_autofree char *explanation =
        client != NULL ? explain(cli, client, syncd_cli_argument(cli, 0), error) : NULL;
    if (explanation == NULL)
        return false;
    if (syncd_cli_json(cli))
        syncd_output_json(cli->out, explanation, strlen(explanation), true);
    else
        print(cli, explanation);
    return true;
}
