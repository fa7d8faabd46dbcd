/*
 * Nodes read from tiles are those of a tree that is computed from all leaves, at every size, also
 * after turns that were discarded.
 */
#include "store-fixture.h"
#include "store/journal.h"

typedef struct {
    Fixture f;
    SyncdDirectory *directory;
    SyncdKeyring *keyring;
    SyncdJournal *journal;
    SyncdFeed *feed;
    GArray *leaves; /* SyncdHash: of the committed entries */
} Place;

static void open_journal(Place *p, SyncdDatabaseMode mode)
{
    g_autoptr(GError) error = NULL;
    g_clear_pointer(&p->journal, syncd_journal_free);
    p->journal = syncd_journal_open(p->directory, mode, p->keyring, &error);
    g_assert_no_error(error);
    p->feed = syncd_journal_own_feed(p->journal, "scope-a");
}

static void place_init(Place *p)
{
    g_autoptr(GError) error = NULL;
    *p = (Place){0};
    fixture_init(&p->f, 91);
    p->directory = syncd_directory_open(p->f.directory, SYNCD_DIRECTORY_CREATE, &error);
    p->keyring = syncd_keyring_open(p->directory, SYNCD_BYTES("", 0), &error);
    g_assert_true(syncd_keyring_make_device(p->keyring, &p->f.sources, &error));
    p->leaves = g_array_new(FALSE, FALSE, sizeof(SyncdHash));
    open_journal(p, SYNCD_DATABASE_CREATE);
    p->feed = syncd_journal_add_feed(p->journal, "scope-a", 1, &error);
    g_assert_no_error(error);
}

static void place_clear(Place *p)
{
    g_array_unref(p->leaves);
    syncd_journal_free(p->journal);
    syncd_keyring_free(p->keyring);
    syncd_directory_free(p->directory);
    fixture_clear(&p->f);
}

/* The tree does not look into headers; only the first must name the feed's key. */
static char *make_header(Place *p)
{
    if (p->feed->working.size > 0)
        return g_strdup_printf("%" G_GINT64_MODIFIER "x", fixture_next(&p->f));
    char signer[2 * SYNCD_PUBLIC_KEY_SIZE + 1];
    syncd_hex_encode(p->feed->signer.bytes, sizeof p->feed->signer.bytes, signer);
    SyncdBytes token = SYNCD_BYTES_TEXT("x");
    SyncdHeader header = {.actor = token,
                          .device = token,
                          .kind = token,
                          .lane = token,
                          .op = token,
                          .schema_id = token,
                          .scope = token,
                          .signer = SYNCD_BYTES_TEXT(signer)};
    header.decision = header.engine = header.key = header.object = SYNCD_BYTES("", 0);
    GString *text = g_string_new(NULL);
    syncd_header_write(&header, text);
    return g_string_free(text, FALSE);
}

static void append(Place *p, unsigned n, bool keep)
{
    for (unsigned i = 0; i < n; i++) {
        g_autoptr(GError) error = NULL;
        guint64 pos;
        SyncdHash leaf;
        g_autofree char *header = make_header(p);
        g_assert_true(syncd_journal_append(p->journal, p->feed, SYNCD_BYTES_TEXT(header),
                                           SYNCD_BYTES_TEXT("body"), &pos, &leaf, &error));
        if (keep)
            g_array_append_val(p->leaves, leaf);
    }
}

static void commit(Place *p)
{
    g_autoptr(GError) error = NULL;
    syncd_journal_commit(p->journal, &error);
    g_assert_no_error(error);
}

static SyncdHash naive(Place *p, guint64 begin, guint64 end)
{
    if (end - begin == 1)
        return g_array_index(p->leaves, SyncdHash, begin);
    guint64 half = 1;
    while (half * 2 < end - begin)
        half *= 2;
    SyncdHash left = naive(p, begin, begin + half), right = naive(p, begin + half, end);
    return syncd_tree_parent(&left, &right);
}

static void assert_node(Place *p, SyncdTreeReader *reader, unsigned level, guint64 index)
{
    SyncdHash node, expected = naive(p, index << level, (index + 1) << level);
    g_autoptr(GError) error = NULL;
    g_assert_true(reader->node(reader->data, level, index, &node, &error));
    g_assert_true(syncd_hash_equal(&node, &expected));
}

static void assert_tree(Place *p, guint64 stride)
{
    SyncdFeedNodes nodes;
    SyncdTreeReader reader = syncd_feed_reader(&nodes, p->journal, p->feed);
    guint64 size = p->leaves->len;
    g_assert_cmpuint(p->feed->committed.size, ==, size);
    for (unsigned level = 0; size >> level > 0; level++)
        for (guint64 index = 0; index < size >> level; index += level < 3 ? stride : 1)
            assert_node(p, &reader, level, index);

    SyncdHash root = syncd_frontier_root(&p->feed->committed), expected = naive(p, 0, size);
    g_assert_true(syncd_hash_equal(&root, &expected));
    g_autoptr(GError) error = NULL;
    for (guint64 old = 1; old <= size; old += stride) {
        SyncdFrontier frontier;
        g_assert_true(syncd_tree_frontier_at(&reader, old, &frontier, &error));
        SyncdHash old_root = syncd_frontier_root(&frontier), old_expected = naive(p, 0, old);
        g_assert_true(syncd_hash_equal(&old_root, &old_expected));
    }
}

static void every_small_tree_is_right(void)
{
    Place p;
    place_init(&p);
    for (unsigned size = 1; size <= 100; size++) {
        append(&p, 1, true);
        commit(&p);
        assert_tree(&p, 1);
    }
    place_clear(&p);
}

/* Around the borders of tiles of the first three levels. */
static void large_trees_are_right(void)
{
    static const unsigned sizes[] = {31, 32, 33, 1023, 1024, 1025, 1056, 2047, 2048, 3000, 3071};
    Place p;
    place_init(&p);
    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        append(&p, sizes[i] - p.leaves->len, true);
        commit(&p);
        assert_tree(&p, 97);
        open_journal(&p, SYNCD_DATABASE_EXISTING);
        assert_tree(&p, 397);
    }
    place_clear(&p);
}

static void a_discarded_turn_leaves_the_tiles_as_they_were(void)
{
    static const unsigned turns[] = {1, 30, 31, 32, 33, 64, 700, 1100};
    Place p;
    place_init(&p);
    append(&p, 31, true);
    commit(&p);
    for (size_t i = 0; i < G_N_ELEMENTS(turns); i++) {
        append(&p, turns[i], false);
        syncd_journal_discard(p.journal);
        assert_tree(&p, 31);
        append(&p, turns[i] % 40, true);
        commit(&p);
        assert_tree(&p, 31);
    }
    append(&p, 1100, true);
    commit(&p);
    assert_tree(&p, 97);
    place_clear(&p);
}

/* What is loaded for a size is what appending left there. */
static void partial_tiles_are_found_again(void)
{
    Place p;
    g_autoptr(GError) error = NULL;
    place_init(&p);
    for (unsigned size = 1; size <= 1100; size += size < 70 || size > 1020 ? 1 : 50) {
        append(&p, size - p.leaves->len, true);
        commit(&p);
        g_autofree SyncdPartialTiles *found = g_new0(SyncdPartialTiles, 1);
        g_assert_true(syncd_tiles_load(p.journal, p.feed, size, found, &error));
        guint64 n = size;
        for (unsigned level = 0; n > 0; level++, n /= SYNCD_TILE_WIDTH)
            g_assert_cmpmem(found->hashes[level], n % SYNCD_TILE_WIDTH * sizeof(SyncdHash),
                            p.feed->partial->hashes[level],
                            n % SYNCD_TILE_WIDTH * sizeof(SyncdHash));
    }
    place_clear(&p);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/tiles/every-small-tree-is-right", every_small_tree_is_right);
    g_test_add_func("/tiles/large-trees-are-right", large_trees_are_right);
    g_test_add_func("/tiles/a-discarded-turn-leaves-the-tiles-as-they-were",
                    a_discarded_turn_leaves_the_tiles_as_they_were);
    g_test_add_func("/tiles/partial-tiles-are-found-again", partial_tiles_are_found_again);
    return g_test_run();
}
