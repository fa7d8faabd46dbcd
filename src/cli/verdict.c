#include "cli/verdict.h"

#include "cli/i18n.h"
#include "cli/listing.h"
#include "cli/text.h"

#include <string.h>

bool syncd_verdict_is_sound(SyncdJson verification)
{
    return syncd_json_is(syncd_json_member(verification, "verdict"), "sound");
}

static void append_place(GString *line, SyncdJson finding)
{
    g_autofree char *sequence = syncd_record_text(finding, "sequence");
    g_autofree char *seq = syncd_record_text(finding, "seq");
    g_autofree char *feed = syncd_record_text(finding, "feed");
    if (*sequence != '\0')
        g_string_append_printf(line, _(", entry %s"), sequence);
    if (*feed != '\0')
        g_string_append_printf(line, _(", feed %s"), feed);
    if (*seq != '\0')
        g_string_append_printf(line, _(" at %s"), seq);
}

static void print_finding(SyncdOutput *output, SyncdJson finding)
{
    g_autofree char *code = syncd_record_text(finding, "code");
    g_autofree char *detail = syncd_record_text(finding, "detail");
    g_autoptr(GString) line = g_string_new(code);
    append_place(line, finding);
    g_autofree char *safe_line = syncd_text_safe(line->str);
    g_autofree char *safe_detail = syncd_text_safe(detail);
    g_autoptr(GString) wrapped = g_string_new(NULL);
    syncd_text_wrap(wrapped, safe_detail, 2, 4, syncd_output_width(output));
    syncd_output_text(output, "  ");
    syncd_output_styled(output, SYNCD_STYLE_BOLD, wrapped->str);
    syncd_output_wrapped(output, "\n    %s\n", safe_line);
}

static void print_list(SyncdOutput *output, SyncdJson verification, const char *list,
                       const char *count_of)
{
    guint64 n = 0;
    SyncdJsonIter iter;
    SyncdJson finding;
    syncd_json_iter_init(&iter, syncd_json_member(verification, list));
    for (; syncd_json_iter_next(&iter, NULL, &finding); n++)
        print_finding(output, finding);
    guint64 count = syncd_record_number(verification, count_of);
    if (count > n)
        syncd_output_wrapped(output, _("  and %lu more\n"), (unsigned long)(count - n));
}

void syncd_verdict_print_findings(SyncdOutput *output, SyncdJson verification)
{
    print_list(output, verification, "findings", "findings_count");
}

/* What a repair gave up is gone, but known: no damage. */
static void print_losses(SyncdOutput *output, SyncdJson verification)
{
    g_autofree char *count = syncd_record_text(verification, "losses_count");
    if (*count == '\0')
        return;
    syncd_output_wrapped(output, _("Given up by a repair: %s. All else holds.\n"), count);
    print_list(output, verification, "losses", "losses_count");
}

static void print_feeds(SyncdOutput *output, SyncdJson verification)
{
    SyncdJsonIter iter;
    SyncdJson feed;
    syncd_json_iter_init(&iter, syncd_json_member(verification, "feeds"));
    while (syncd_json_iter_next(&iter, NULL, &feed)) {
        g_autofree char *name = syncd_record_text(feed, "feed");
        g_autofree char *size = syncd_record_text(feed, "size");
        g_autofree char *root = syncd_record_text(feed, "root");
        g_autofree char *line = g_strdup_printf(_("%s: size %s, root %s"), name, size, root);
        g_autofree char *safe = syncd_text_safe(line);
        syncd_output_wrapped(output, "  %s\n", safe);
    }
}

/* What was looked at decides what the verdict is worth. */
static const char *coverage(SyncdJson verification)
{
    SyncdJson mode = syncd_json_member(verification, "mode");
    if (syncd_json_is(mode, "full"))
        return _("everything was checked");
    if (syncd_json_is(mode, "heads"))
        return _("only signed heads were checked; --full checks everything");
    return _("what was new since the last verification was checked; --full checks everything");
}

/* Doctor asks the daemon, which runs on another directory than the one that was judged. */
static void print_next(SyncdOutput *output, SyncdJudge *judge, bool of_daemon)
{
    g_autofree char *adopt = syncd_judge_next(judge, "log-rolled-back");
    g_autofree char *safe = syncd_text_safe(adopt != NULL ? adopt : "");
    if (adopt != NULL)
        syncd_output_wrapped(
            output,
            _("Next: keep a copy of the state directory before anything else. "
              "Then, with the daemon stopped, put the newer journal.db and "
              "journal.db-wal back; or go on without what is missing with `%s`.\n"),
            safe);
    else
        syncd_output_wrapped(
            output, "%s",
            of_daemon ? _("Next: keep a copy of the state directory before anything else; then "
                          "`sourceos-syncd doctor` says what mends it.\n")
                      : _("Next: keep a copy of the state directory before anything else.\n"));
}

static void print_text(SyncdOutput *output, SyncdJudge *judge, bool of_daemon,
                       SyncdJson verification)
{
    g_autofree char *checked = syncd_record_text(verification, "entries_checked");
    g_autofree char *safe_where = syncd_text_safe(syncd_judge_name(judge));
    if (syncd_verdict_is_sound(verification)) {
        syncd_output_styled(output, SYNCD_STYLE_GOOD, _("The log is sound"));
        syncd_output_wrapped(output, _(" (%s): %s; entries checked: %s.\n"), safe_where,
                             coverage(verification), checked);
        print_feeds(output, verification);
        print_losses(output, verification);
        return;
    }
    g_autofree char *count = syncd_record_text(verification, "findings_count");
    syncd_output_styled(output, SYNCD_STYLE_BAD, _("The log is damaged"));
    syncd_output_wrapped(output, _(" (%s); findings: %s, entries checked: %s.\n"), safe_where,
                         count, checked);
    syncd_verdict_print_findings(output, verification);
    print_losses(output, verification);
    print_next(output, judge, of_daemon);
}

void syncd_verdict_show(SyncdCli *cli, SyncdJudge *judge, const char *document)
{
    SyncdJson verification = syncd_json_root(document, strlen(document));
    if (syncd_cli_json(cli))
        syncd_output_json(cli->out, document, strlen(document), true);
    else
        print_text(cli->out, judge, syncd_cli_value(cli, "state-dir") == NULL, verification);
    if (!syncd_verdict_is_sound(verification))
        cli->exit = SYNCD_EXIT_NEGATIVE;
}
