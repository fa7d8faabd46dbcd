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

/* What earlier ledgers say of content has no part: that is known by its sentence. */
bool syncd_verify_is_same(const SyncdVerifyFinding *one, const SyncdVerifyFinding *other)
{
    bool parts = one->part != NULL && other->part != NULL;
    return one->pos == other->pos &&
           (parts ? strcmp(one->part, other->part) == 0 : strcmp(one->detail, other->detail) == 0);
}

static char *lost_key(gint64 pos, const char *what)
{
    return g_strdup_printf("%" G_GINT64_FORMAT " %s", pos, what);
}

static bool is_lost(const SyncdVerify *self, gint64 pos, const char *what)
{
    g_autofree char *key = lost_key(pos, what);
    return g_hash_table_contains(self->lost, key);
}

static bool is_known_lost(const SyncdVerify *self, const SyncdVerifyFinding *finding)
{
    return self->lost != NULL &&
           ((finding->part != NULL && is_lost(self, finding->pos, finding->part)) ||
            is_lost(self, finding->pos, finding->detail));
}

static void add(SyncdVerify *self, SyncdVerifyFinding *finding)
{
    if (is_known_lost(self, finding)) {
        g_ptr_array_add(self->passed, finding);
        return;
    }
    self->n_findings++;
    if (self->findings->len < SYNCD_VERIFY_MAX_FINDINGS)
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
    for (guint i = 0; i < lost->len; i++) {
        const SyncdVerifyFinding *one = lost->pdata[i];
        g_hash_table_add(self->lost,
                         lost_key(one->pos, one->part != NULL ? one->part : one->detail));
    }
}
