/*
 * A journal whose pages are damaged, whichever they are, is served as far as it goes; what was on
 * them is mended, or named.
 */
#include "mend-fixture.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

typedef enum { PAGE_ZEROED, PAGE_NOISE, BYTE_CHANGED, N_HARMS } Harm;

static void harm_pages(Mending *m, guint n)
{
    guint8 page[4096];
    int fd = open(m->journal, O_RDWR | O_CLOEXEC);
    off_t pages = lseek(fd, 0, SEEK_END) / (off_t)sizeof page;
    for (guint i = 0; i < n; i++) {
        /* The first page has the schema: without it there is no database. */
        off_t at = (off_t)(1 + fixture_next(&m->f) % (guint64)(pages - 1)) * (off_t)sizeof page;
        Harm harm = (Harm)(fixture_next(&m->f) % N_HARMS);
        g_assert_cmpint(pread(fd, page, sizeof page, at), ==, sizeof page);
        if (harm == PAGE_ZEROED)
            memset(page, 0, sizeof page);
        else if (harm == PAGE_NOISE)
            fixture_random(&m->f, page, sizeof page);
        else
            page[fixture_next(&m->f) % sizeof page] ^= (guint8)(1 + fixture_next(&m->f) % 255);
        g_test_message("page %d: harm %d", (int)(at / 4096) + 1, harm);
        g_assert_cmpint(pwrite(fd, page, sizeof page, at), ==, sizeof page);
    }
    close(fd);
}

static bool open_damaged(Mending *m)
{
    g_autoptr(GError) error = NULL;
    SyncdStoreOptions options = {.directory = m->f.directory,
                                 .mode = SYNCD_STORE_OPEN,
                                 .sources = &m->f.sources,
                                 .machine = m->f.machine};
    m->f.store = syncd_store_open(&options, &error);
    if (m->f.store == NULL)
        g_test_message("not opened: %s", error->message);
    return m->f.store != NULL;
}

/* What the earlier generation had is as it was; of what came since, what is not as it was is named.
 */
static void assert_nothing_is_pretended(Mending *m, guint64 covered)
{
    g_autoptr(SyncdVerify) verify = fixture_verify(&m->f, SYNCD_VERIFY_FULL, NULL);
    g_autoptr(GHashTable) named = g_hash_table_new(g_direct_hash, g_direct_equal);
    for (guint i = 0; i < syncd_verify_findings(verify)->len; i++) {
        const SyncdVerifyFinding *finding = syncd_verify_findings(verify)->pdata[i];
        g_test_message("%s %s: %s", finding->code, finding->feed, finding->detail);
    }
    g_assert_cmpuint(syncd_verify_n_findings(verify), ==, 0);
    for (guint i = 0; i < syncd_verify_losses(verify)->len; i++) {
        const SyncdVerifyFinding *loss = syncd_verify_losses(verify)->pdata[i];
        g_assert_cmpint(loss->pos, >, (gint64)covered);
        g_hash_table_add(named, GSIZE_TO_POINTER(loss->pos));
    }
    for (guint i = 0; i < m->texts->len; i++) {
        g_autofree char *now = read_all(m->f.store, i + 1);
        bool lost = g_hash_table_contains(named, GSIZE_TO_POINTER(i + 1));
        g_assert_cmpint(strcmp(now, m->texts->pdata[i]) != 0, ==, lost);
    }
}

static void mend_what_was_harmed(Mending *m, guint64 covered, guint *mended, guint *beyond)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SyncdMend) mend = examine(m);
    if (!syncd_mend_is_possible(mend, &error)) {
        g_test_message("%s", error->message);
        g_assert_cmpuint(syncd_mend_count(mend, SYNCD_MEND_BEYOND), >, 0);
        for (guint i = 0; i < syncd_mend_items(mend)->len; i++) {
            const SyncdMendItem *item = syncd_mend_items(mend)->pdata[i];
            g_assert_true(item->outcome != SYNCD_MEND_BEYOND || item->pos < 0 ||
                          item->pos > (gint64)covered);
        }
        ++*beyond;
        return;
    }
    build_and_switch(mend);
    g_clear_pointer(&mend, syncd_mend_free);
    assert_heads(m);
    assert_nothing_is_pretended(m, covered);
    g_assert_cmpint(syncd_store_condition(m->f.store), ==, SYNCD_STORE_WRITABLE);
    ++*mended;
}

static void what_is_damaged_anywhere_is_mended_or_named(void)
{
    guint mended = 0, beyond = 0, unopened = 0, rounds = is_slowed() ? 8 : 40;
    for (guint i = 0; i < rounds; i++) {
        Mending m;
        prepare(&m, 400);
        make_earlier_generation(&m);
        guint64 covered = syncd_store_sequence(m.f.store);
        fill(&m, 100);
        remember(&m);
        fixture_close(&m.f);
        m.f.seed = i;
        harm_pages(&m, 1 + i % 4);
        if (open_damaged(&m))
            mend_what_was_harmed(&m, covered, &mended, &beyond);
        else
            unopened++;
        finish(&m);
    }
    g_test_message("%u mended, %u beyond it, %u that cannot even be opened", mended, beyond,
                   unopened);
    g_assert_cmpuint(mended, >, rounds / 2);
}

/* ---- before it is mended ---- */

static guint count_as_they_were(Mending *m)
{
    guint n = 0;
    for (guint i = 0; i < m->texts->len; i++) {
        g_autofree char *now = read_all(m->f.store, i + 1);
        n += strcmp(now, m->texts->pdata[i]) == 0;
    }
    return n;
}

static guint64 count_findings(Mending *m)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SyncdVerify) verify = syncd_verify_new(m->f.store, SYNCD_VERIFY_FULL, NULL, &error);
    for (bool more = true; more && error == NULL;)
        syncd_verify_step(verify, &more, &error);
    return syncd_verify_n_findings(verify);
}

/* One bad page costs what is on it, or beneath it; the rest is read, and that something is wrong is
 * known. */
static void what_is_damaged_is_served_as_far_as_it_goes(void)
{
    guint whole = 0, rounds = is_slowed() ? 8 : 30;
    for (guint i = 0; i < rounds; i++) {
        Mending m;
        prepare(&m, 300);
        fixture_close(&m.f);
        m.f.seed = 1000 + i;
        harm_pages(&m, 1);
        g_assert_true(open_damaged(&m));
        guint same = count_as_they_were(&m);
        g_assert_true(same == m.texts->len || count_findings(&m) > 0);
        whole += same >= m.texts->len - 40;
        finish(&m);
    }
    g_assert_cmpuint(whole, >, rounds * 3 / 4);
}

/* What SQLite itself does not open is not opened, and not replaced by anything. */
static void a_journal_that_was_cut_is_left_as_it_is(void)
{
    Mending m;
    struct stat st;
    prepare(&m, 300);
    fixture_close(&m.f);
    g_assert_cmpint(truncate(m.journal, 8 * 4096 + 100), ==, 0);
    g_assert_false(open_damaged(&m));
    g_assert_cmpint(stat(m.journal, &st), ==, 0);
    g_assert_cmpint(st.st_size, ==, 8 * 4096 + 100);
    finish(&m);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/mend-harm/anywhere", what_is_damaged_anywhere_is_mended_or_named);
    g_test_add_func("/mend-harm/served", what_is_damaged_is_served_as_far_as_it_goes);
    g_test_add_func("/mend-harm/cut", a_journal_that_was_cut_is_left_as_it_is);
    return g_test_run();
}
