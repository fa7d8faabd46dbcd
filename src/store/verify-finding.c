/* What a verification finds, and whether that is known. */
#include "store/verify-private.h"

void syncd_verify_finding_free(SyncdVerifyFinding *finding)
{
    g_free(finding->feed);
    g_free(finding->detail);
    g_free(finding->part);
    g_free(finding->file);
    g_free(finding);
}

static char *lost_key(const SyncdVerifyFinding *finding)
{
    return g_strdup_printf("%" G_GINT64_FORMAT " %s", finding->pos,
                           finding->part != NULL ? finding->part : finding->detail);
}

bool syncd_verify_is_same(const SyncdVerifyFinding *one, const SyncdVerifyFinding *other)
{
    g_autofree char *key = lost_key(one), *key_of_other = lost_key(other);
    return strcmp(key, key_of_other) == 0;
}

static bool is_known_lost(const SyncdVerify *self, const SyncdVerifyFinding *finding)
{
    if (self->lost == NULL)
        return false;
    g_autofree char *key = lost_key(finding);
    return g_hash_table_contains(self->lost, key);
}

static void add(SyncdVerify *self, SyncdVerifyFinding *finding)
{
    self->n_findings++;
    if (is_known_lost(self, finding))
        g_ptr_array_add(self->passed, finding);
    else if (self->findings->len < SYNCD_VERIFY_MAX_FINDINGS)
        g_ptr_array_add(self->findings, finding);
    else
        syncd_verify_finding_free(finding);
}

void syncd_verify_add(SyncdVerify *self, SyncdErrorCode error, const char *code,
                      const SyncdFeed *feed, gint64 seq, gint64 pos, const char *format, ...)
{
    va_list args;
    SyncdVerifyFinding *finding = g_new0(SyncdVerifyFinding, 1);
    finding->error = error;
    finding->code = code;
    finding->feed = g_strdup(feed != NULL ? feed->text : "");
    finding->seq = seq;
    finding->pos = pos;
    va_start(args, format);
    finding->detail = g_strdup_vprintf(format, args);
    va_end(args);
    add(self, finding);
}

void syncd_verify_add_content(SyncdVerify *self, const SyncdVerifyFinding *found)
{
    SyncdVerifyFinding *finding = g_memdup2(found, sizeof *found);
    finding->error = SYNCD_ERROR_JOURNAL_CORRUPT;
    finding->feed = g_strdup(found->feed);
    finding->detail = g_strdup(found->detail);
    finding->part = g_strdup(found->part);
    finding->file = g_strdup(found->file);
    add(self, finding);
}

void syncd_verify_pass_over(SyncdVerify *self, const GPtrArray *lost)
{
    g_clear_pointer(&self->lost, g_hash_table_unref);
    if (lost->len == 0)
        return;
    self->lost = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < lost->len; i++)
        g_hash_table_add(self->lost, lost_key(lost->pdata[i]));
}
