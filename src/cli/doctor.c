#include "cli/doctor.h"

#include "base/json-writer.h"
#include "base/timestamp.h"
#include "cli/i18n.h"
#include "cli/text.h"
#include "cli/verbs.h"
#include "domain/answers.h"

#include <string.h>

#define SCHEMA "sourceos.doctor/v1"

/* ---- findings ---- */

static void free_found(void *data)
{
    SyncdFound *found = data;
    for (unsigned i = 0; i < found->n_facts; i++)
        g_free(found->facts[i].text);
    g_ptr_array_unref(found->evidence);
    g_free(found);
}

SyncdFound *syncd_doctor_add(SyncdDoctor *self, const char *code, ...)
{
    SyncdFound *found = g_new0(SyncdFound, 1);
    va_list facts;
    found->finding = syncd_finding_find(SYNCD_BYTES_TEXT(code));
    g_assert(found->finding != NULL);
    found->evidence = g_ptr_array_new_with_free_func(g_free);
    va_start(facts, code);
    for (const char *name; (name = va_arg(facts, const char *)) != NULL; found->n_facts++) {
        g_assert(found->n_facts < SYNCD_DOCTOR_FACTS);
        found->facts[found->n_facts].name = name;
        found->facts[found->n_facts].text = g_strdup(va_arg(facts, const char *));
    }
    va_end(facts);
    g_ptr_array_add(self->found, found);
    return found;
}

static const char *find_fact(void *data, const char *name)
{
    const SyncdFound *found = data;
    for (unsigned i = 0; i < found->n_facts; i++)
        if (strcmp(found->facts[i].name, name) == 0)
            return found->facts[i].text;
    return NULL;
}

static bool is_bad(const SyncdFound *found)
{
    return strcmp(found->finding->severity, "info") != 0;
}

/* ---- telling ---- */

/* The table has commands for the user's instance. */
static char *next_of(const SyncdDoctor *self, SyncdFound *found)
{
    static const struct {
        const char *of_user, *of_system;
    } programs[] = {
        {"systemctl --user ", "systemctl "},
        {"journalctl --user ", "journalctl "},
        {"sourceos-syncd ", "sourceos-syncd --system "},
    };
    char *next = syncd_answer_fill(found->finding->next, find_fact, found);
    if (syncd_cli_instance(self->cli) != SYNCD_CLIENT_SYSTEM)
        return next;
    for (size_t i = 0; i < G_N_ELEMENTS(programs); i++) {
        if (!g_str_has_prefix(next, programs[i].of_user))
            continue;
        g_autofree char *user = next;
        return g_strconcat(programs[i].of_system, user + strlen(programs[i].of_user), NULL);
    }
    return next;
}

static void write_found(const SyncdDoctor *self, SyncdFound *found, SyncdJsonWriter *writer)
{
    g_autofree char *sentence = syncd_answer_fill(found->finding->sentence, find_fact, found);
    syncd_json_begin_object(writer);
    syncd_json_member_string(writer, "code", found->finding->code);
    syncd_json_member_string(writer, "severity", found->finding->severity);
    syncd_json_member_string(writer, "summary", sentence);
    syncd_json_name(writer, "evidence");
    syncd_json_begin_array(writer);
    for (guint i = 0; i < found->evidence->len; i++)
        syncd_json_string(writer, found->evidence->pdata[i]);
    syncd_json_end_array(writer);
    g_autofree char *next = next_of(self, found);
    syncd_json_member_string(writer, "next", next);
    syncd_json_end_object(writer);
}

static void tell_json(const SyncdDoctor *self)
{
    g_autoptr(GString) text = g_string_new(NULL);
    SyncdJsonWriter writer;
    char now[SYNCD_TIME_SIZE];
    syncd_time_format_ms((guint64)g_get_real_time() / 1000, now);
    syncd_json_writer_init(&writer, text, false);
    syncd_json_begin_object(&writer);
    syncd_json_member_string(&writer, "schema", SCHEMA);
    syncd_json_member_string(&writer, "instance",
                             syncd_client_instance_name(syncd_cli_instance(self->cli)));
    syncd_json_member_string(&writer, "examined_at", now);
    syncd_json_member_bool(&writer, "deep", self->deep);
    syncd_json_name(&writer, "findings");
    syncd_json_begin_array(&writer);
    for (guint i = 0; i < self->found->len; i++)
        write_found(self, self->found->pdata[i], &writer);
    syncd_json_end_array(&writer);
    syncd_json_end_object(&writer);
    syncd_output_json(self->cli->out, text->str, text->len, true);
}

static void print_indented(SyncdOutput *out, SyncdStyle style, const char *text)
{
    g_autofree char *safe = syncd_text_safe(text);
    syncd_output_text(out, "  ");
    syncd_output_styled(out, style, safe);
    syncd_output_text(out, "\n");
}

static void print_found(const SyncdDoctor *self, SyncdFound *found)
{
    SyncdOutput *out = self->cli->out;
    g_autofree char *sentence = syncd_answer_fill(_(found->finding->sentence), find_fact, found);
    g_autofree char *safe = syncd_text_safe(sentence), *next = next_of(self, found);
    g_autoptr(GString) wrapped = g_string_new(NULL);
    syncd_output_styled(out, is_bad(found) ? SYNCD_STYLE_BAD : SYNCD_STYLE_BOLD,
                        found->finding->severity);
    syncd_output_printf(out, ": %s\n  ", found->finding->code);
    syncd_text_wrap(wrapped, safe, 2, 2, syncd_output_width(out));
    syncd_output_printf(out, "%s\n", wrapped->str);
    for (guint i = 0; i < found->evidence->len; i++)
        print_indented(out, SYNCD_STYLE_DIM, found->evidence->pdata[i]);
    g_autofree char *told = g_strdup_printf(_("Next: `%s`"), next);
    print_indented(out, SYNCD_STYLE_BOLD, told);
}

static void tell_text(const SyncdDoctor *self)
{
    if (self->found->len == 0)
        syncd_output_printf(self->cli->out, "%s\n", _("No faults were found."));
    for (guint i = 0; i < self->found->len; i++)
        print_found(self, self->found->pdata[i]);
    if (!self->deep)
        syncd_cli_remark(
            self->cli, "%s",
            _("--deep checks all of the log, and reads every file of every workspace."));
}

/* That no daemon answers is what is found then. */
static bool examine(SyncdDoctor *self, GError **error)
{
    g_autoptr(GError) fault = NULL;
    g_autoptr(SyncdClient) client = syncd_cli_connect(self->cli, SYNCD_CLI_ACT, &fault);
    self->client = client;
    if (client != NULL && syncd_doctor_check(self, &fault))
        return true;
    if (!g_error_matches(fault, SYNCD_ERROR, SYNCD_ERROR_UNREACHABLE)) {
        g_propagate_error(error, g_steal_pointer(&fault));
        return false;
    }
    g_autofree char *sentence = NULL, *next = NULL;
    syncd_error_split(fault->message, &sentence, &next);
    syncd_doctor_add(self, "daemon-unavailable", "reason", sentence, NULL);
    self->cli->exit = SYNCD_EXIT_UNREACHABLE;
    return true;
}

bool syncd_verb_doctor(SyncdCli *cli, GError **error)
{
    g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(free_found);
    SyncdDoctor doctor = {.cli = cli, .deep = syncd_cli_flag(cli, "deep"), .found = found};
    if (!examine(&doctor, error))
        return false;
    if (syncd_cli_json(cli))
        tell_json(&doctor);
    else
        tell_text(&doctor);
    for (guint i = 0; i < found->len && cli->exit == SYNCD_EXIT_DONE; i++)
        if (is_bad(found->pdata[i]))
            cli->exit = SYNCD_EXIT_NEGATIVE;
    return true;
}
