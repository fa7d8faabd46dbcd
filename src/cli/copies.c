#include "cli/copies.h"

#include "cli/i18n.h"
#include "cli/listing.h"
#include "cli/text.h"

static char *say(SyncdJson copy, const char *file, const char *plan, const char *size)
{
    guint n = (guint)syncd_record_number(copy, "count");
    if (*file != '\0')
        return g_strdup_printf(_("the copy of the log %s (%s)"), file, size);
    if (*plan != '\0')
        return g_strdup_printf(_("what the repair %s kept to be taken back (%s)"), plan, size);
    return g_strdup_printf(ngettext("%u copy of the log, or what a repair kept (%s)",
                                    "%u copies of the log, or what repairs kept (%s)", n),
                           n, size);
}

void syncd_copies_show(SyncdCli *cli, SyncdJson copies)
{
    SyncdJsonIter iter;
    SyncdJson copy;
    if (syncd_json_count(copies) == 0)
        return;
    syncd_output_wrapped(cli->out, "%s\n", _("With it go:"));
    syncd_json_iter_init(&iter, copies);
    while (syncd_json_iter_next(&iter, NULL, &copy)) {
        g_autofree char *file = syncd_record_text(copy, "file"),
                        *plan = syncd_record_text(copy, "plan_id"),
                        *size = g_format_size(syncd_record_number(copy, "bytes")),
                        *text = say(copy, file, plan, size), *safe = syncd_text_safe(text);
        syncd_output_wrapped(cli->out, "  %s\n", safe);
    }
}
