#include "cli/doctor.h"

#include "cli/i18n.h"
#include "cli/listing.h"
#include "cli/text.h"
#include "cli/verbs.h"
#include "cli/when.h"
#include "domain/answers.h"

#include <string.h>

/* ---- one finding for people ---- */

typedef struct {
    SyncdJson finding;
    GPtrArray *texts; /* what find_fact() returned */
    bool *hidden;     /* set: the daemon did not tell one */
} Facts;

static bool is_time(const char *name)
{
    static const char *const times[] = {"at", "first", "last", NULL};
    return g_strv_contains(times, name);
}

/* A count that is no more than a bound says so in the reader's language, and times are local. */
static const char *find_fact(void *data, const char *name)
{
    Facts *facts = data;
    SyncdJson value = syncd_json_member(syncd_json_member(facts->finding, "facts"), name);
    if (value.type != SYNCD_JSON_STRING) {
        *facts->hidden = true;
        return _("(not shown)");
    }
    bool more =
        strcmp(name, "n") == 0 && syncd_json_member(facts->finding, "more").type == SYNCD_JSON_TRUE;
    char *text = more ? g_strdup_printf(_("at least %u"),
                                        (unsigned)syncd_record_number(facts->finding, "count"))
                      : syncd_json_dup_text(value);
    if (is_time(name)) {
        g_autofree char *utc = text;
        text = syncd_when_local(utc);
    }
    g_ptr_array_add(facts->texts, text);
    return text;
}

/* In the reader's language, where this program knows the finding; otherwise as the daemon says. */
static char *sentence_of(SyncdJson finding, const SyncdFinding *known, bool *hidden)
{
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
    Facts facts = {finding, texts, hidden};
    return known != NULL ? syncd_answer_fill(_(known->sentence), find_fact, &facts)
                         : syncd_record_text(finding, "summary");
}

static char *wrap(SyncdOutput *out, const char *text)
{
    g_autofree char *safe = syncd_text_safe(text);
    GString *wrapped = g_string_new(NULL);
    syncd_text_wrap(wrapped, safe, 2, 2, syncd_output_width(out));
    return g_string_free(wrapped, FALSE);
}

static void print_remark(SyncdOutput *out, const char *text)
{
    g_autofree char *wrapped = wrap(out, text);
    syncd_output_text(out, "  ");
    syncd_output_styled(out, SYNCD_STYLE_DIM, wrapped);
    syncd_output_text(out, "\n");
}

/* Of a log that lost its end the evidence is about feeds, and the count about entries. What the
 * sentence has said already is not said twice. */
static void print_evidence(SyncdOutput *out, SyncdJson finding)
{
    g_autofree char *said = syncd_record_text(finding, "summary");
    SyncdJsonIter iter;
    SyncdJson item;
    guint64 n = 0, count = syncd_record_number(finding, "count");
    syncd_json_iter_init(&iter, syncd_json_member(finding, "evidence"));
    for (; syncd_json_iter_next(&iter, NULL, &item); n++) {
        g_autofree char *text = syncd_json_dup_text(item);
        if (text != NULL && strstr(said, text) == NULL)
            print_remark(out, text);
    }
    if (n < SYNCD_FOUND_EVIDENCE || count <= n ||
        syncd_json_is(syncd_json_member(finding, "code"), "log-rolled-back"))
        return;
    g_autofree char *rest = g_strdup_printf(_("and %u more"), (guint)(count - n));
    print_remark(out, rest);
}

/* Which entries of the log it is about. */
static void print_range(SyncdOutput *out, SyncdJson finding)
{
    SyncdJson range = syncd_json_member(finding, "range");
    if (range.type != SYNCD_JSON_OBJECT)
        return;
    g_autofree char *first = syncd_record_text(range, "first"),
                    *last = syncd_record_text(range, "last");
    g_autofree char *text = strcmp(first, last) == 0
                                ? g_strdup_printf(_("Entry %s of the log."), first)
                                : g_strdup_printf(_("Entries %s to %s of the log."), first, last);
    print_remark(out, text);
}

/* What no plan brings back may be brought back by a person, where there is something to choose. */
static void print_durability(SyncdOutput *out, SyncdJson finding)
{
    SyncdJson durability = syncd_json_member(finding, "durability");
    bool mended = syncd_json_member(finding, "repair").type == SYNCD_JSON_OBJECT,
         chosen = syncd_json_is(syncd_json_member(finding, "code"), "checksum-mismatch");
    if (syncd_json_is(durability, "durable"))
        print_remark(out, mended   ? _("What it is about is durable: nothing makes it anew, but a "
                                         "copy of it may be here.")
                          : chosen ? _("What it is about is durable: no plan brings it back.")
                                   : _("What it is about is durable: it cannot be made again."));
    if (syncd_json_is(durability, "rebuildable"))
        print_remark(out, _("What it is about can be made again from the log."));
}

/* What can be repaired by a plan, and what a person has to do. */
static void print_ways_out(SyncdOutput *out, SyncdJson finding, const SyncdFinding *known)
{
    g_autofree char *kind = syncd_record_text(syncd_json_member(finding, "repair"), "kind"),
                    *person = syncd_record_text(finding, "person");
    if (*kind != '\0') {
        bool durable = syncd_json_is(syncd_json_member(finding, "durability"), "durable");
        g_autofree char *text =
            g_strdup_printf(durable ? _("A repair plan looks for that copy: %s.")
                                    : _("A repair plan can mend it: %s."),
                            kind);
        print_remark(out, text);
    }
    if (*person != '\0')
        print_remark(out, known != NULL && known->person != NULL ? _(known->person) : person);
}

static void print_found(SyncdOutput *out, SyncdJson finding, bool *hidden)
{
    g_autofree char *code = syncd_record_text(finding, "code"),
                    *severity = syncd_record_text(finding, "severity"),
                    *next = syncd_record_text(finding, "next");
    const SyncdFinding *known = syncd_finding_find(SYNCD_BYTES_TEXT(code));
    g_autofree char *sentence = sentence_of(finding, known, hidden), *safe = syncd_text_safe(code),
                    *wrapped = wrap(out, sentence);
    bool bad = strcmp(severity, "info") != 0;
    syncd_output_styled(out, bad ? SYNCD_STYLE_BAD : SYNCD_STYLE_BOLD, severity);
    syncd_output_printf(out, ": %s\n", safe);
    syncd_output_printf(out, "  %s\n", wrapped);
    print_evidence(out, finding);
    print_range(out, finding);
    print_durability(out, finding);
    print_ways_out(out, finding, known);
    if (strstr(next, " BACKUP/") != NULL)
        print_remark(out, _("BACKUP stands for the place of a backup of the state directory."));
    if (strstr(next, " BACKUP/journal.db-wal") != NULL)
        print_remark(out, _("It need not have a journal.db-wal."));
    if (*next == '\0')
        return;
    g_autofree char *told = g_strdup_printf(_("Next: `%s`"), next);
    g_autofree char *command = syncd_text_safe(told);
    syncd_output_text(out, "  ");
    syncd_output_styled(out, SYNCD_STYLE_BOLD, command);
    syncd_output_text(out, "\n");
}

/* ---- all of them ---- */

static void tell_text(const SyncdDoctor *self, SyncdJson findings)
{
    SyncdJsonIter iter;
    SyncdJson finding;
    bool any = false, hidden = false;
    syncd_json_iter_init(&iter, findings);
    for (; syncd_json_iter_next(&iter, NULL, &finding); any = true)
        print_found(self->cli->out, finding, &hidden);
    if (!any)
        syncd_output_printf(self->cli->out, "%s\n", _("No faults were found."));
    if (hidden)
        syncd_cli_remark(
            self->cli, "%s",
            _("What is not shown may be about others: --all shows it to whoever may see it."));
    if (!self->deep && self->diagnosis != NULL)
        syncd_cli_remark(
            self->cli, "%s",
            _("--deep checks all of the log, and reads every file of every workspace."));
}

static void judge(SyncdCli *cli, SyncdJson findings)
{
    SyncdJsonIter iter;
    SyncdJson finding;
    syncd_json_iter_init(&iter, findings);
    while (cli->exit == SYNCD_EXIT_DONE && syncd_json_iter_next(&iter, NULL, &finding))
        if (!syncd_json_is(syncd_json_member(finding, "severity"), "info"))
            cli->exit = SYNCD_EXIT_NEGATIVE;
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
    g_ptr_array_add(self->own, syncd_found_new("daemon-unavailable", "reason", sentence, NULL));
    self->cli->exit = SYNCD_EXIT_UNREACHABLE;
    return true;
}

static void tell(const SyncdDoctor *self)
{
    g_autofree char *document = syncd_doctor_document(self);
    SyncdJson findings = syncd_json_member(syncd_json_root(document, strlen(document)), "findings");
    if (syncd_cli_json(self->cli))
        syncd_output_json(self->cli->out, document, strlen(document), true);
    else
        tell_text(self, findings);
    judge(self->cli, findings);
}

bool syncd_verb_doctor(SyncdCli *cli, GError **error)
{
    g_autoptr(GPtrArray) own = g_ptr_array_new_with_free_func((GDestroyNotify)syncd_found_free);
    SyncdDoctor doctor = {.cli = cli, .deep = syncd_cli_flag(cli, "deep"), .own = own};
    bool done = examine(&doctor, error);
    if (done)
        tell(&doctor);
    g_free(doctor.diagnosis);
    return done;
}
