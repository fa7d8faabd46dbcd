#include "cli/event.h"

#include "cli/i18n.h"
#include "cli/listing.h"
#include "cli/text.h"
#include "cli/when.h"

#define INDENT 4

static char *local_time(SyncdJson event)
{
    g_autofree char *occurred = syncd_record_text(event, "occurred_at");
    return syncd_when_local(occurred);
}

void syncd_event_add_row(SyncdTable *table, SyncdJson event)
{
    g_autofree char *sequence = syncd_record_text(event, "sequence");
    g_autofree char *time = local_time(event);
    g_autofree char *type = syncd_record_text(event, "event_type");
    g_autofree char *object = syncd_record_text(event, "object_id");
    g_autofree char *operation = syncd_record_text(event, "operation_id");
    g_autofree char *decision = syncd_record_text(event, "policy_decision_ref");
    g_autofree char *summary = syncd_record_marked(event, "summary");
    const char *const cells[] = {sequence, time, type, object, operation, decision, summary};
    syncd_table_add(table, cells);
}

void syncd_event_print_line(SyncdOutput *output, SyncdJson event)
{
    g_autofree char *sequence = syncd_record_text(event, "sequence");
    g_autofree char *time = local_time(event);
    g_autofree char *type = syncd_record_text(event, "event_type");
    g_autofree char *object = syncd_record_text(event, "object_id");
    g_autofree char *summary = syncd_record_text(event, "summary");
    g_autofree char *line =
        g_strjoin("  ", sequence, time, type, *object != '\0' ? object : "-", summary, NULL);
    g_autofree char *safe = syncd_text_safe(line);
    g_autoptr(GString) text = g_string_new(NULL);
    syncd_text_wrap(text, safe, 0, INDENT, syncd_output_width(output));
    syncd_output_printf(output, "%s\n", text->str);
}

static void print_value(SyncdOutput *output, const char *label, const char *value)
{
    if (*value == '\0')
        return;
    g_autoptr(GString) line = g_string_new("    ");
    size_t start = line->len;
    g_string_append(line, label);
    syncd_text_pad(line, start, 10);
    g_string_append_c(line, ' ');
    syncd_text_append_safe(line, value, -1);
    g_string_append_c(line, '\n');
    syncd_output_text(output, line->str);
}

static void print_member(SyncdOutput *output, const char *label, SyncdJson event, const char *name)
{
    g_autofree char *value = syncd_record_text(event, name);
    print_value(output, label, value);
}

void syncd_event_print_entry(SyncdOutput *output, SyncdActorNames *names, SyncdJson event)
{
    g_autofree char *sequence = syncd_record_text(event, "sequence");
    g_autofree char *time = local_time(event);
    g_autofree char *type = syncd_record_text(event, "event_type");
    g_autofree char *summary = syncd_record_text(event, "summary");
    g_autofree char *head = g_strjoin("  ", sequence, time, type, NULL);
    g_autofree char *safe_head = syncd_text_safe(head);
    g_autofree char *safe_summary = syncd_text_safe(summary);
    g_autofree char *actor = syncd_record_text(event, "actor_id");
    syncd_output_styled(output, SYNCD_STYLE_BOLD, safe_head);
    syncd_output_wrapped(output, "\n    %s\n", safe_summary);
    print_value(output, _("actor"), syncd_actor_name(names, actor));
    print_member(output, _("device"), event, "device_id");
    print_member(output, _("scope"), event, "scope");
    print_member(output, _("operation"), event, "operation_id");
    print_member(output, _("decision"), event, "policy_decision_ref");
    print_member(output, _("damaged"), event, "entry_error");
}
