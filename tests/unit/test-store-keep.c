/*
 * A small file that lives with the state is there whole or not at all, and is taken only where
 * writing is.
 */
#include "crypto/seal.h"
#include "store-fixture.h"

#define NAME "policy/machine.json"

static bool keep(Fixture *f, const char *name, const char *text)
{
    g_autoptr(GError) error = NULL;
    bool kept = syncd_store_keep(f->store, name, SYNCD_BYTES_TEXT(text), &error);
    g_assert_true(kept == (error == NULL));
    g_assert_true(kept || error->domain == SYNCD_ERROR);
    return kept;
}

static void assert_kept(Fixture *f, const char *name, const char *text)
{
    g_autoptr(GError) error = NULL;
    size_t size = 0;
    g_autofree char *kept = syncd_store_kept(f->store, name, 64, &size, &error);
    if (text == NULL) {
        g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND);
        return;
    }
    g_assert_no_error(error);
    g_assert_cmpstr(kept, ==, text);
    g_assert_cmpuint(size, ==, strlen(text));
}

static void what_is_kept_is_read_after_a_restart(void)
{
    Fixture f;
    fixture_init(&f, 1);
    fixture_open(&f);
    assert_kept(&f, NAME, NULL);
    assert_kept(&f, "alone.json", NULL);
    g_assert_true(keep(&f, NAME, "one"));
    g_assert_true(keep(&f, "alone.json", ""));
    assert_kept(&f, NAME, "one");
    g_assert_true(keep(&f, NAME, "two"));
    fixture_close(&f);
    fixture_open(&f);
    assert_kept(&f, NAME, "two");
    assert_kept(&f, "alone.json", "");
    fixture_clear(&f);
}

static void what_is_too_long_is_not_read(void)
{
    Fixture f;
    g_autoptr(GError) error = NULL;
    size_t size;
    fixture_init(&f, 1);
    fixture_open(&f);
    g_assert_true(keep(&f, NAME, "0123456789"));
    g_autofree char *kept = syncd_store_kept(f.store, NAME, 9, &size, &error);
    g_assert_null(kept);
    g_assert_true(error != NULL && error->domain == SYNCD_ERROR &&
                  error->code != SYNCD_ERROR_NOT_FOUND);
    fixture_clear(&f);
}

/* The one before stays, and nothing of the other. */
static void what_cannot_be_written_leaves_the_one_before(void)
{
    Fixture f;
    fixture_init(&f, 1);
    fixture_open(&f);
    g_autofree char *folder = g_build_filename(f.directory, "policy", NULL);
    g_autofree char *path = g_build_filename(f.directory, NAME, NULL);
    g_autofree char *inside = g_build_filename(path, "x", NULL);
    g_assert_true(keep(&f, NAME, "one"));
    g_assert_cmpint(g_remove(path), ==, 0);
    g_assert_cmpint(g_mkdir(path, 0700), ==, 0); /* what no file takes the place of */
    g_assert_true(g_file_set_contents(inside, "", 0, NULL));
    g_assert_false(keep(&f, NAME, "two"));
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    g_assert_cmpstr(g_dir_read_name(dir), ==, "machine.json");
    g_assert_null(g_dir_read_name(dir));
    g_assert_cmpint(g_remove(inside), ==, 0);
    g_assert_cmpint(g_remove(path), ==, 0);
    g_assert_true(keep(&f, NAME, "three"));
    assert_kept(&f, NAME, "three");
    fixture_clear(&f);
}

static void a_state_that_is_looked_at_takes_nothing(void)
{
    Fixture f;
    fixture_init(&f, 1);
    fixture_open(&f);
    g_assert_true(keep(&f, NAME, "one"));
    fixture_fill(&f, 1);
    fixture_close(&f);
    fixture_open_mode(&f, SYNCD_STORE_INSPECT);
    g_assert_false(keep(&f, NAME, "two"));
    assert_kept(&f, NAME, "one");
    fixture_clear(&f);
}

#define ADD(name, func) g_test_add_func("/store-keep/" name, func)

int main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    ADD("what-is-kept-is-read-after-a-restart", what_is_kept_is_read_after_a_restart);
    ADD("what-is-too-long-is-not-read", what_is_too_long_is_not_read);
    ADD("what-cannot-be-written-leaves-the-one-before",
        what_cannot_be_written_leaves_the_one_before);
    ADD("a-state-that-is-looked-at-takes-nothing", a_state_that_is_looked_at_takes_nothing);
    return g_test_run();
}
