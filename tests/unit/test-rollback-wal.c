/*
 * A log that lost its end because its WAL is damaged: what lies behind the damage is acknowledged
 * and not in any other file, so nothing is moved, cut or written over before a person decides, and
 * then it is set aside first.
 */
#include "rollback-fixture.h"
#include "store/wal.h"

#include <sys/stat.h>

#define COMMITS 6u
#define HEADER 32u
#define FRAME (24u + 4096u)

/* What a file had. */
typedef struct {
    char *bytes;
    gsize size;
} Bytes;

static void bytes_clear(Bytes *bytes)
{
    g_free(bytes->bytes);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Bytes, bytes_clear)

static Bytes take(const World *w, const char *name)
{
    Bytes bytes;
    g_autofree char *path = place(&w->f, name);
    g_assert_true(g_file_get_contents(path, &bytes.bytes, &bytes.size, NULL));
    return bytes;
}

static void put(const World *w, const char *name, const Bytes *bytes)
{
    g_autofree char *path = place(&w->f, name);
    g_assert_true(g_file_set_contents(path, bytes->bytes, (gssize)bytes->size, NULL));
    g_assert_cmpint(g_chmod(path, 0600), ==, 0);
}

static void has_still(const World *w, const char *name, const Bytes *bytes)
{
    g_auto(Bytes) now = take(w, name);
    g_assert_cmpmem(now.bytes, now.size, bytes->bytes, bytes->size);
}

static void lose_witnesses(const World *w)
{
    static const char *const gone[] = {"index.db", "index.db-wal", "verified.json", "ended.json"};
    for (size_t i = 0; i < G_N_ELEMENTS(gone); i++)
        forget(&w->f, gone[i]);
}

/* Many transactions are in the WAL alone. */
static void begin_many(World *w, guint64 seed)
{
    begin(w, seed, false);
    fixture_open(&w->f);
    for (unsigned i = 0; i < COMMITS; i++)
        fixture_fill(&w->f, 2);
    settle(&w->f);
    w->committed = syncd_store_sequence(w->f.store);
    copy_directory(w->f.directory, w->crashed);
    fixture_close(&w->f);
    fixture_remove(w->f.directory);
    copy_directory(w->crashed, w->f.directory);
}

static void flip(const World *w, gsize at)
{
    g_auto(Bytes) wal = take(w, "journal.db-wal");
    wal.bytes[at] ^= 1;
    put(w, "journal.db-wal", &wal);
}

static void flip_the_middle(const World *w)
{
    g_auto(Bytes) wal = take(w, "journal.db-wal");
    gsize frames = (wal.size - HEADER) / FRAME;
    flip(w, HEADER + frames / 2 * FRAME + 24 + 2000);
}

static void work(World *w)
{
    for (unsigned i = 0; i < 100 && syncd_store_work(w->f.store); i++)
        continue;
}

/* However it is opened, asked and closed. */
static void stays_as_it_is(World *w)
{
    g_auto(Bytes) wal = take(w, "journal.db-wal"), journal = take(w, "journal.db");
    for (unsigned i = 0; i < 3; i++) {
        w->f.holds_index = i == 1;
        expect(w, SYNCD_STORE_ROLLED_BACK);
        refuses_to_write(w);
        settle(&w->f);
        work(w);
        syncd_store_bound_waiting(w->f.store);
        fixture_close(&w->f);
        has_still(w, "journal.db-wal", &wal);
        has_still(w, "journal.db", &journal);
    }
    w->f.holds_index = false;
}

static void is_whole_again(World *w, const Bytes *wal)
{
    put(w, "journal.db-wal", wal);
    expect(w, SYNCD_STORE_WRITABLE);
    g_assert_cmpuint(syncd_store_sequence(w->f.store), ==, w->committed);
    verify_sound(&w->f, SYNCD_VERIFY_FULL);
    fixture_close(&w->f);
}

static void what_is_behind_the_damage_stays(void)
{
    World w = {0};
    begin_many(&w, 80);
    g_auto(Bytes) wal = take(&w, "journal.db-wal");
    flip_the_middle(&w);
    stays_as_it_is(&w);
    is_whole_again(&w, &wal);
    end(&w);
}

/* Nothing but the WAL knows that there was more. */
static void the_wal_itself_tells(void)
{
    static const gsize places[] = {2, 9, 17, 30, HEADER + 4, HEADER + 10, HEADER + 24 + 77};
    for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
        World w = {0};
        begin_many(&w, 81 + i);
        g_auto(Bytes) wal = take(&w, "journal.db-wal");
        lose_witnesses(&w);
        flip(&w, places[i]);
        stays_as_it_is(&w);
        expect(&w, SYNCD_STORE_ROLLED_BACK);
        g_assert_cmpstr(syncd_store_rollback(w.f.store)->evidence, ==, "journal.db-wal");
        fixture_close(&w.f);
        is_whole_again(&w, &wal);
        end(&w);
    }
}

/* A young log: nothing was moved into the database yet, not even its schema. */
static void begin_young(World *w)
{
    fixture_init(&w->f, 79);
    fixture_open(&w->f);
    w->crashed = g_strconcat(w->f.directory, "-crashed", NULL);
    for (unsigned i = 0; i < COMMITS; i++)
        fixture_fill(&w->f, 2);
    settle(&w->f);
    w->committed = syncd_store_sequence(w->f.store);
    copy_directory(w->f.directory, w->crashed);
    fixture_close(&w->f);
}

static bool is_cut(const World *w)
{
    SyncdWalEnd found;
    g_autoptr(SyncdDirectory) directory =
        syncd_directory_open(w->f.directory, SYNCD_DIRECTORY_EXISTING, NULL);
    g_assert_true(syncd_wal_look(directory, "journal.db-wal", &found, NULL));
    return syncd_wal_is_cut(&found);
}

/* Before the damage there may be no schema, one of an earlier version, or no entry. */
static void what_is_all_in_its_wal_stays(void)
{
    World w = {0};
    begin_young(&w);
    fixture_remove(w.f.directory);
    copy_directory(w.crashed, w.f.directory);
    g_auto(Bytes) sound = take(&w, "journal.db-wal");
    gsize frames = (sound.size - HEADER) / FRAME;
    g_assert_cmpuint(frames, >, 20);
    for (gsize i = 0; i < frames; i += 1 + frames / 60) {
        fixture_remove(w.f.directory);
        copy_directory(w.crashed, w.f.directory);
        flip(&w, HEADER + i * FRAME + 24 + 2000);
        g_auto(Bytes) damaged = take(&w, "journal.db-wal");
        g_autoptr(GError) error = NULL;
        bool cut = is_cut(&w);
        w.f.stands_in = true;
        fixture_open(&w.f);
        g_assert_true(!cut || !syncd_store_may_write(w.f.store, &error));
        work(&w);
        fixture_close(&w.f);
        if (cut)
            has_still(&w, "journal.db-wal", &damaged);
    }
    w.f.stands_in = false;
    is_whole_again(&w, &sound);
    end(&w);
}

/* What is not there was never acknowledged: it is the transaction that a crash cut short. */
static void a_transaction_that_was_cut_short_tells_nothing(void)
{
    World w = {0};
    begin_many(&w, 90);
    g_auto(Bytes) wal = take(&w, "journal.db-wal");
    lose_witnesses(&w);
    for (gsize cut = 1; cut < 2 * FRAME; cut += 1501) {
        Bytes less = {wal.bytes, wal.size - cut};
        fixture_remove(w.f.directory);
        copy_directory(w.crashed, w.f.directory);
        lose_witnesses(&w);
        put(&w, "journal.db-wal", &less);
        expect(&w, SYNCD_STORE_WRITABLE);
        fixture_fill(&w.f, 2);
        verify_sound(&w.f, SYNCD_VERIFY_FULL);
        fixture_close(&w.f);
    }
    end(&w);
}

/* What an earlier use of the WAL left behind its end, SQLite begins it anew once all was moved. */
static void frames_of_earlier_tell_nothing(void)
{
    World w = {0};
    SyncdWalEnd found;
    begin_many(&w, 91);
    expect(&w, SYNCD_STORE_WRITABLE);
    SyncdDatabase *db = syncd_journal_database(w.f.store->journal);
    g_assert_true(sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL,
                                            NULL) == SQLITE_OK);
    fixture_fill(&w.f, 1);
    g_assert_true(syncd_wal_look(w.f.store->directory, "journal.db-wal", &found, NULL));
    g_assert_cmpuint(found.commits, ==, 0);
    g_assert_true(found.end > 0 && found.end < found.size);
    w.committed = syncd_store_sequence(w.f.store);
    copy_directory(w.f.directory, w.crashed);
    fixture_close(&w.f);
    fixture_remove(w.f.directory);
    copy_directory(w.crashed, w.f.directory);
    lose_witnesses(&w);
    expect(&w, SYNCD_STORE_WRITABLE);
    g_assert_cmpuint(syncd_store_sequence(w.f.store), ==, w.committed);
    end(&w);
}

static void is_private(const World *w, const char *name)
{
    struct stat st;
    g_autofree char *path = place(&w->f, name);
    g_assert_cmpint(lstat(path, &st), ==, 0);
    g_assert_cmpuint(st.st_mode & 07777, ==, 0600);
}

/* The journal as it was is set aside with its WAL, and is what it was. */
static void an_adoption_destroys_nothing(void)
{
    World w = {0};
    begin_many(&w, 92);
    g_auto(Bytes) wal = take(&w, "journal.db-wal"), journal = take(&w, "journal.db");
    flip_the_middle(&w);
    g_auto(Bytes) damaged = take(&w, "journal.db-wal");
    adopt(&w);
    g_assert_cmpstr(syncd_store_set_aside_at_adoption(w.f.store), ==, "journal.1");
    goes_on(&w, 2);
    has_still(&w, "journal.1", &journal);
    has_still(&w, "journal.1-wal", &damaged);
    is_private(&w, "journal.1");
    is_private(&w, "journal.1-wal");
    put(&w, "journal.db", &journal);
    lose_witnesses(&w);
    forget(&w.f, "epochs.json");
    is_whole_again(&w, &wal);
    end(&w);
}

/* Where there is nothing that it could destroy nothing is copied. */
static void an_adoption_sets_nothing_aside_for_nothing(void)
{
    World w = {0};
    begin_many(&w, 93);
    forget(&w.f, "journal.db-wal");
    adopt(&w);
    g_assert_null(syncd_store_set_aside_at_adoption(w.f.store));
    fixture_close(&w.f);
    g_assert_false(has(&w.f, "journal.1"));
    end(&w);
}

/* What an adoption that did not end has set aside goes under one name. */
static void the_wal_of_no_journal_takes_no_name(void)
{
    World w = {0};
    static const char text[] = "the half of it";
    const Bytes half = {(char *)text, sizeof text};
    begin_many(&w, 94);
    flip_the_middle(&w);
    put(&w, "journal.1-wal", &half);
    adopt(&w);
    g_assert_cmpstr(syncd_store_set_aside_at_adoption(w.f.store), ==, "journal.2");
    fixture_close(&w.f);
    has_still(&w, "journal.1-wal", &half);
    end(&w);
}

/* A damaged journal is not moved into either: its WAL may be what is damaged, and then has older
 * pages than it has. */
static void a_damaged_journal_keeps_its_wal(void)
{
    World w = {0};
    begin_many(&w, 95);
    expect(&w, SYNCD_STORE_WRITABLE);
    SyncdDatabase *db = syncd_journal_database(w.f.store->journal);
    g_assert_true(sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL,
                                            NULL) == SQLITE_OK);
    copy_directory(w.f.directory, w.crashed);
    fixture_close(&w.f);
    fixture_remove(w.f.directory);
    copy_directory(w.crashed, w.f.directory);
    lose_witnesses(&w);
    g_auto(Bytes) whole = take(&w, "journal.db-wal"), journal = take(&w, "journal.db");
    flip_the_middle(&w);
    g_auto(Bytes) wal = take(&w, "journal.db-wal");
    fixture_open(&w.f);
    g_test_message("%s", syncd_store_condition_name(syncd_store_condition(w.f.store)));
    g_assert_cmpint(syncd_store_condition(w.f.store), !=, SYNCD_STORE_WRITABLE);
    work(&w);
    fixture_close(&w.f);
    has_still(&w, "journal.db-wal", &wal);
    has_still(&w, "journal.db", &journal);
    is_whole_again(&w, &whole);
    end(&w);
}

/* With a key that is no use it is opened twice. */
static void the_key_of_another_log_destroys_nothing(void)
{
    World w = {0}, other = {0};
    begin_many(&w, 97);
    begin(&other, 98, false);
    g_auto(Bytes) key = take(&other, "keys/device.key");
    put(&w, "keys/device.key", &key);
    lose_witnesses(&w);
    flip_the_middle(&w);
    stays_as_it_is(&w);
    end(&other);
    end(&w);
}

/* The same of another generation that takes its place. */
static void an_exchange_destroys_nothing(void)
{
    World w = {0};
    bool exchanged;
    g_autoptr(GError) error = NULL;
    begin_many(&w, 96);
    g_auto(Bytes) journal = take(&w, "journal.db");
    flip_the_middle(&w);
    g_auto(Bytes) wal = take(&w, "journal.db-wal");
    expect(&w, SYNCD_STORE_ROLLED_BACK);
    guint64 present = syncd_store_sequence(w.f.store);
    g_autofree char *made = place(&w.f, "journal.db.new");
    g_assert_true(syncd_database_copy(syncd_journal_database(w.f.store->journal), made, &error));
    g_assert_true(syncd_journal_exchange(w.f.store->journal, w.f.store->directory, "journal.db.new",
                                         "journal.1", &exchanged, &error));
    g_assert_no_error(error);
    g_assert_true(exchanged);
    g_assert_cmpuint(syncd_store_sequence(w.f.store), ==, present);
    fixture_close(&w.f);
    has_still(&w, "journal.1", &journal);
    has_still(&w, "journal.1-wal", &wal);
    is_private(&w, "journal.1-wal");
    end(&w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/rollback-wal/what-is-behind-the-damage-stays",
                    what_is_behind_the_damage_stays);
    g_test_add_func("/rollback-wal/the-wal-itself-tells", the_wal_itself_tells);
    g_test_add_func("/rollback-wal/a-transaction-that-was-cut-short-tells-nothing",
                    a_transaction_that_was_cut_short_tells_nothing);
    g_test_add_func("/rollback-wal/frames-of-earlier-tell-nothing", frames_of_earlier_tell_nothing);
    g_test_add_func("/rollback-wal/an-adoption-destroys-nothing", an_adoption_destroys_nothing);
    g_test_add_func("/rollback-wal/an-adoption-sets-nothing-aside-for-nothing",
                    an_adoption_sets_nothing_aside_for_nothing);
    g_test_add_func("/rollback-wal/the-wal-of-no-journal-takes-no-name",
                    the_wal_of_no_journal_takes_no_name);
    g_test_add_func("/rollback-wal/a-damaged-journal-keeps-its-wal",
                    a_damaged_journal_keeps_its_wal);
    g_test_add_func("/rollback-wal/the-key-of-another-log-destroys-nothing",
                    the_key_of_another_log_destroys_nothing);
    g_test_add_func("/rollback-wal/an-exchange-destroys-nothing", an_exchange_destroys_nothing);
    g_test_add_func("/rollback-wal/young", what_is_all_in_its_wal_stays);
    return g_test_run();
}
