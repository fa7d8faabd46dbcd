/*
 * Writes JSON text.
 *
 * A SyncdJsonWriter appends to a GString that the caller owns and puts the commas and colons.
 * Strings are checked UTF-8 from our own hands or are made so (invalid bytes become U+FFFD). The
 * writer does not sort: members appear in the order of the calls. In pretty mode each member has
 * its own line, indented by two spaces.
 */
#pragma once

#include "base/json.h"

#include <glib.h>
#include <stdbool.h>

typedef struct {
    GString *out;
    unsigned depth;
    bool pretty;
    bool need_comma;
    bool after_name;
} SyncdJsonWriter;

void syncd_json_writer_init(SyncdJsonWriter *writer, GString *out, bool pretty);
void syncd_json_begin_object(SyncdJsonWriter *writer);
void syncd_json_end_object(SyncdJsonWriter *writer);
void syncd_json_begin_array(SyncdJsonWriter *writer);
void syncd_json_end_array(SyncdJsonWriter *writer);
void syncd_json_name(SyncdJsonWriter *writer, const char *name);
void syncd_json_string(SyncdJsonWriter *writer, const char *text); /* NULL writes null */
void syncd_json_string_sized(SyncdJsonWriter *writer, const char *text, size_t size);
void syncd_json_int(SyncdJsonWriter *writer, gint64 value);
void syncd_json_uint(SyncdJsonWriter *writer, guint64 value);
void syncd_json_double(SyncdJsonWriter *writer,
                       double value); /* shortest form; not finite writes null */
void syncd_json_bool(SyncdJsonWriter *writer, bool value);
void syncd_json_null(SyncdJsonWriter *writer);
/* A value of checked text, byte for byte (in pretty mode re-indented; strings and numbers keep
 * their bytes). No value, the result of a lookup that found nothing, writes null. */
void syncd_json_value(SyncdJsonWriter *writer, SyncdJson value);
/* A member of checked text, byte for byte from its name to the end of its value (in pretty mode the
 * value as above). */
void syncd_json_member_copy(SyncdJsonWriter *writer, SyncdJson name, SyncdJson value);

/* name and value in one call */
void syncd_json_member_string(SyncdJsonWriter *writer, const char *name, const char *text);
void syncd_json_member_int(SyncdJsonWriter *writer, const char *name, gint64 value);
void syncd_json_member_uint(SyncdJsonWriter *writer, const char *name, guint64 value);
void syncd_json_member_bool(SyncdJsonWriter *writer, const char *name, bool value);
void syncd_json_member_null(SyncdJsonWriter *writer, const char *name);
void syncd_json_member_value(SyncdJsonWriter *writer, const char *name, SyncdJson value);
/* An array of strings (char *); NULL writes an empty one. */
void syncd_json_member_strings(SyncdJsonWriter *writer, const char *name, const GPtrArray *texts);
