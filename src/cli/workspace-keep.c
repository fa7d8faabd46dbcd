#include "cli/workspace-keep.h"

#include "cli/i18n.h"
#include "domain/file-content.h"

#include <string.h>

#define KEEP "keep"
#define HASH_ONLY "hash"
/* Of what people write, and of most of what they draw, the last weeks. */
#define VERSIONS_DEFAULT 8u
#define SIZE_DEFAULT (16u * 1024u * 1024u)

static bool take_versions(const char *text, SyncdCliKeep *keep, GError **error)
{
    keep->keeps = strcmp(text, HASH_ONLY) != 0;
    if (!keep->keeps ||
        g_ascii_string_to_unsigned(text, 10, 0, SYNCD_FILE_VERSIONS_MAX, &keep->versions, NULL))
        return true;
    syncd_set_error_next(error, SYNCD_ERROR_USAGE, "see `sourceos-syncd workspace add --help`",
                         "`--keep` takes the number of older versions, at most %u, or `" HASH_ONLY
                         "`; not `%s`",
                         SYNCD_FILE_VERSIONS_MAX, text);
    return false;
}

static bool take_days(const char *text, SyncdCliKeep *keep, GError **error)
{
    if (g_ascii_string_to_unsigned(text, 10, 0, SYNCD_FILE_DELETED_DAYS_MAX, &keep->deleted_days,
                                   NULL))
        return true;
    syncd_set_error_next(error, SYNCD_ERROR_USAGE, "see `sourceos-syncd workspace add --help`",
                         "`--keep-deleted` takes a number of days of at most %u, not `%s`",
                         SYNCD_FILE_DELETED_DAYS_MAX, text);
    return false;
}

/* Bytes, or with K or M. */
static bool take_size(const char *text, SyncdCliKeep *keep, GError **error)
{
    size_t size = strlen(text);
    char unit = size > 0 ? g_ascii_toupper(text[size - 1]) : '\0';
    guint shift = unit == 'K' ? 10 : unit == 'M' ? 20 : 0;
    g_autofree char *digits = g_strndup(text, size - (shift > 0));
    if (g_ascii_string_to_unsigned(digits, 10, 0, SYNCD_FILE_KEPT_MAX >> shift, &keep->max_bytes,
                                   NULL)) {
        keep->max_bytes <<= shift;
        return true;
    }
    syncd_set_error_next(error, SYNCD_ERROR_USAGE, "see `sourceos-syncd workspace add --help`",
                         "`--keep-size` takes a number of bytes, or with K or M, of at most %uM; "
                         "not `%s`",
                         SYNCD_FILE_KEPT_MAX >> 20, text);
    return false;
}

bool syncd_cli_take_keep(const SyncdCli *cli, SyncdCliKeep *ret_keep, GError **error)
{
    const char *versions = syncd_cli_value(cli, "keep"), *size = syncd_cli_value(cli, "keep-size"),
               *days = syncd_cli_value(cli, "keep-deleted");
    *ret_keep = (SyncdCliKeep){
        .says_versions = versions != NULL,
        .says_max = size != NULL,
        .says_days = days != NULL,
        .deleted_days = SYNCD_FILE_DELETED_DAYS,
        .keeps = true,
        .versions = VERSIONS_DEFAULT,
        .max_bytes = SIZE_DEFAULT,
    };
    return (versions == NULL || take_versions(versions, ret_keep, error)) &&
           (size == NULL || take_size(size, ret_keep, error)) &&
           (days == NULL || take_days(days, ret_keep, error));
}

static void take_number(SyncdJson value, bool said, guint64 *number)
{
    gint64 present;
    if (!said && syncd_json_get_int64(value, &present) && present >= 0)
        *number = (guint64)present;
}

/* What fewer versions are kept of is gone at once: nobody is to lose them for a word about sizes.
 */
bool syncd_cli_keep_over(SyncdCliKeep *keep, SyncdJson record)
{
    SyncdJson present = syncd_json_member(record, KEEP);
    take_number(syncd_json_member(present, "versions"), keep->says_versions, &keep->versions);
    take_number(syncd_json_member(present, "max_bytes"), keep->says_max, &keep->max_bytes);
    take_number(syncd_json_member(present, "deleted_days"), keep->says_days, &keep->deleted_days);
    return keep->says_versions || keep->says_max || keep->says_days;
}

void syncd_cli_write_keep(const SyncdCliKeep *keep, SyncdJsonWriter *writer)
{
    if (!keep->keeps)
        return;
    syncd_json_name(writer, KEEP);
    syncd_json_begin_object(writer);
    syncd_json_member_uint(writer, "versions", keep->versions);
    syncd_json_member_uint(writer, "max_bytes", keep->max_bytes);
    if (keep->deleted_days != SYNCD_FILE_DELETED_DAYS)
        syncd_json_member_uint(writer, "deleted_days", keep->deleted_days);
    syncd_json_end_object(writer);
}

bool syncd_cli_keeps_otherwise(const SyncdCliKeep *keep, SyncdJson record)
{
    gint64 versions = -1, max = -1, days = SYNCD_FILE_DELETED_DAYS;
    SyncdJson member = syncd_json_member(record, KEEP);
    bool keeps = syncd_json_get_int64(syncd_json_member(member, "versions"), &versions) &&
                 syncd_json_get_int64(syncd_json_member(member, "max_bytes"), &max);
    syncd_json_get_int64(syncd_json_member(member, "deleted_days"), &days);
    return keeps != keep->keeps ||
           (keeps && ((guint64)versions != keep->versions || (guint64)max != keep->max_bytes ||
                      (guint64)days != keep->deleted_days));
}

char *syncd_cli_record_with_keep(const SyncdCliKeep *keep, SyncdJson record)
{
    GString *text = g_string_new(NULL);
    SyncdJsonWriter writer;
    SyncdJsonIter iter;
    SyncdJson name, value;
    syncd_json_writer_init(&writer, text, false);
    syncd_json_begin_object(&writer);
    syncd_json_iter_init(&iter, record);
    while (syncd_json_iter_next(&iter, &name, &value)) {
        g_autofree char *member = syncd_json_dup_string(name, NULL);
        if (strcmp(member, KEEP) != 0)
            syncd_json_member_value(&writer, member, value);
    }
    syncd_cli_write_keep(keep, &writer);
    syncd_json_end_object(&writer);
    return g_string_free(text, FALSE);
}

char *syncd_cli_keep_sentence(const SyncdCliKeep *keep)
{
    g_autofree char *size = g_format_size_full(keep->max_bytes, G_FORMAT_SIZE_IEC_UNITS);
    if (!keep->keeps)
        return g_strdup(_("Of its files only hashes are recorded, so nothing can be restored from "
                          "the log."));
    return g_strdup_printf(_("Of files of at most %s the content of the present version and of %u "
                             "older ones is kept."),
                           size, (guint)keep->versions);
}
