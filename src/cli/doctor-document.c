#include "cli/doctor.h"

#include "base/timestamp.h"
#include "cli/listing.h"
#include "client/client.h"

#include <string.h>

static void write_ranked(const SyncdDoctor *self, SyncdJson findings, unsigned rank,
                         SyncdJsonWriter *writer)
{
    const SyncdFoundView view = {.of_system = syncd_cli_instance(self->cli) == SYNCD_CLIENT_SYSTEM};
    SyncdJsonIter iter;
    SyncdJson finding;
    syncd_json_iter_init(&iter, findings);
    while (syncd_json_iter_next(&iter, NULL, &finding)) {
        g_autofree char *severity = syncd_record_text(finding, "severity");
        if (syncd_finding_rank(SYNCD_BYTES_TEXT(severity)) == rank)
            syncd_json_value(writer, finding);
    }
    for (guint i = 0; i < self->own->len; i++) {
        SyncdFound *found = self->own->pdata[i];
        if (syncd_finding_rank(SYNCD_BYTES_TEXT(found->finding->severity)) == rank)
            syncd_found_write(found, &view, writer);
    }
}

/* The worst first, whoever found it. */
static void write_all(const SyncdDoctor *self, SyncdJsonWriter *writer)
{
    SyncdJson findings = {0};
    if (self->diagnosis != NULL)
        findings = syncd_json_member(syncd_json_root(self->diagnosis, strlen(self->diagnosis)),
                                     "findings");
    for (unsigned rank = 0; rank < SYNCD_SEVERITIES; rank++)
        write_ranked(self, findings, rank, writer);
}

char *syncd_doctor_document(const SyncdDoctor *self)
{
    GString *text = g_string_new(NULL);
    SyncdJsonWriter writer;
    char now[SYNCD_TIME_SIZE];
    syncd_time_format_ms((guint64)g_get_real_time() / 1000, now);
    syncd_json_writer_init(&writer, text, false);
    syncd_json_begin_object(&writer);
    syncd_json_member_string(&writer, "schema", SYNCD_DOCTOR_SCHEMA);
    syncd_json_member_string(&writer, "instance",
                             syncd_client_instance_name(syncd_cli_instance(self->cli)));
    syncd_json_member_string(&writer, "examined_at", now);
    syncd_json_member_bool(&writer, "deep", self->deep);
    syncd_json_name(&writer, "findings");
    syncd_json_begin_array(&writer);
    write_all(self, &writer);
    syncd_json_end_array(&writer);
    syncd_json_end_object(&writer);
    return g_string_free(text, FALSE);
}
