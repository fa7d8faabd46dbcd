#include "contract/vocabulary.h"

static void every_word_is_found_and_is_there_once(void)
{
    for (SyncdVocabulary set = 0; set < SYNCD_N_VOCABULARIES; set++) {
        g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
        g_assert_nonnull(syncd_vocabulary_name(set));
        g_assert_nonnull(syncd_vocabulary_words(set)[0]);
        for (const char *const *word = syncd_vocabulary_words(set); *word != NULL; word++) {
            g_assert_true(syncd_vocabulary_find(set, SYNCD_BYTES_TEXT(*word)) == *word);
            g_assert_true(g_hash_table_add(seen, (char *)*word));
        }
    }
}

static void only_whole_words_are_found(void)
{
    static const char *const wrong[] = {"", "norma", "normall", "Normal", " normal", "normal "};
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++)
        g_assert_null(syncd_vocabulary_find(SYNCD_WORDS_LANE, SYNCD_BYTES_TEXT(wrong[i])));
    g_assert_null(syncd_vocabulary_find(SYNCD_WORDS_LANE, SYNCD_BYTES("normal\0", 7)));
    g_assert_nonnull(syncd_vocabulary_find(SYNCD_WORDS_LANE, SYNCD_BYTES("normalcy", 6)));
}

static void the_sets_are_those_of_the_contract(void)
{
    g_autofree char *lanes = syncd_vocabulary_list(SYNCD_WORDS_LANE);
    g_assert_cmpstr(lanes, ==,
                    "normal, priority, secure, ephemeral, memory, policy, audit, tombstone, "
                    "migration, repair, archive");
    g_autofree char *types = syncd_vocabulary_list(SYNCD_WORDS_OPERATION_TYPE);
    g_assert_cmpstr(types, ==,
                    "sync.operation.enqueue, sync.operation.replay, sync.operation.reconcile, "
                    "sync.conflict.detect, sync.conflict.resolve, sync.repair.apply, "
                    "sync.tombstone.apply, sync.checkpoint.write");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/vocabulary/every-word-is-found-and-is-there-once",
                    every_word_is_found_and_is_there_once);
    g_test_add_func("/vocabulary/only-whole-words-are-found", only_whole_words_are_found);
    g_test_add_func("/vocabulary/the-sets-are-those-of-the-contract",
                    the_sets_are_those_of_the_contract);
    return g_test_run();
}
