/*
 * What actors announce is met by exactly that and once, ends by itself, and takes no more room than
 * it may; no signature announces twice.
 */
#include "crypto/seal.h"
#include "domain/announcements.h"

#include <string.h>

#define NOW (1000u * G_USEC_PER_SEC)

static SyncdHash nth(guint n)
{
    return syncd_hash(&n, sizeof n);
}

static void a_deed_is_known_by_all_that_it_says(void)
{
    const SyncdHash one = nth(1), two = nth(2);
    const SyncdBytes a = SYNCD_BYTES_TEXT("a"), ab = SYNCD_BYTES_TEXT("ab");
    const SyncdBytes b = SYNCD_BYTES_TEXT("b"), none = SYNCD_BYTES_TEXT("");
    const struct {
        const char *workspace;
        SyncdDeed deed;
    } deeds[] = {
        {"workspace:x", {SYNCD_DEED_WRITE, a, none, one}},
        {"workspace:x", {SYNCD_DEED_WRITE, a, none, two}},
        {"workspace:x", {SYNCD_DEED_WRITE, ab, none, one}},
        {"workspace:xa", {SYNCD_DEED_WRITE, a, none, one}},
        {"workspace:x", {SYNCD_DEED_FOLDER, a, none, one}},
        {"workspace:x", {SYNCD_DEED_DELETE, a, none, one}},
        {"workspace:xa", {SYNCD_DEED_DELETE, b, none, one}},
        {"workspace:x", {SYNCD_DEED_DELETE, ab, none, one}},
        {"workspace:x", {SYNCD_DEED_FOLDER, SYNCD_BYTES_TEXT("a/b"), none, one}},
        {"workspace:x", {SYNCD_DEED_FOLDER, ab, none, one}},
        {"workspace:x", {SYNCD_DEED_RENAME, a, b, one}},
        {"workspace:x", {SYNCD_DEED_RENAME, ab, none, one}},
        {"workspace:x", {SYNCD_DEED_RENAME, a, ab, one}},
        {"workspace:x", {SYNCD_DEED_RENAME, b, a, one}},
    };
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(deeds); i++) {
        char hex[SYNCD_HASH_HEX_SIZE];
        SyncdHash digest = syncd_deed_digest(deeds[i].workspace, &deeds[i].deed);
        SyncdHash again = syncd_deed_digest(deeds[i].workspace, &deeds[i].deed);
        SyncdHash path = syncd_deed_root(deeds[i].workspace);
        path = syncd_deed_step(&path, deeds[i].deed.path);
        SyncdHash deletion = syncd_deed_deletion(&path);
        g_assert_true(syncd_hash_equal(&digest, &deletion) ==
                      (deeds[i].deed.kind == SYNCD_DEED_DELETE));
        syncd_hash_to_hex(&digest, hex);
        g_assert_true(syncd_hash_equal(&digest, &again));
        g_assert_true(g_hash_table_add(seen, g_strdup(hex)));
    }
}

static void it_is_met_once(void)
{
    g_autoptr(SyncdAnnouncements) t = syncd_announcements_new(0);
    const SyncdHash one = nth(1), two = nth(2);
    g_assert_false(syncd_announcements_any(t, NOW));
    syncd_announcements_add(t, "agent", &one, NOW);
    g_assert_true(syncd_announcements_any(t, NOW));
    g_assert_cmpstr(syncd_announcements_find(t, &one, NOW), ==, "agent");
    g_assert_null(syncd_announcements_find(t, &two, NOW));
    syncd_announcements_end(t, &one);
    syncd_announcements_end(t, &two);
    g_assert_null(syncd_announcements_find(t, &one, NOW));
    g_assert_false(syncd_announcements_any(t, NOW));
}

static void it_ends_by_itself(void)
{
    g_autoptr(SyncdAnnouncements) t = syncd_announcements_new(0);
    const SyncdHash one = nth(1), two = nth(2);
    const guint64 end = NOW + SYNCD_ANNOUNCED_USEC;
    syncd_announcements_add(t, "agent", &one, NOW);
    syncd_announcements_add(t, "agent", &two, NOW);
    syncd_announcements_add(t, "agent", &two, NOW + 5);
    g_assert_cmpstr(syncd_announcements_find(t, &one, end - 1), ==, "agent");
    g_assert_null(syncd_announcements_find(t, &one, end));
    g_assert_cmpstr(syncd_announcements_find(t, &two, end), ==, "agent");
    g_assert_true(syncd_announcements_any(t, end));
    g_assert_false(syncd_announcements_any(t, end + 5));
}

static void what_several_announce_is_nobodys(void)
{
    g_autoptr(SyncdAnnouncements) t = syncd_announcements_new(0);
    const SyncdHash one = nth(1);
    syncd_announcements_add(t, "agent", &one, NOW);
    syncd_announcements_add(t, "other", &one, NOW);
    g_assert_cmpstr(syncd_announcements_find(t, &one, NOW), ==, "");
    syncd_announcements_add(t, "agent", &one, NOW);
    g_assert_cmpstr(syncd_announcements_find(t, &one, NOW), ==, "");
    syncd_announcements_end(t, &one);
    syncd_announcements_add(t, "other", &one, NOW);
    g_assert_cmpstr(syncd_announcements_find(t, &one, NOW), ==, "other");
}

/* Who announces what somebody else announces as well has no more room by that. */
static void what_several_announce_counts_as_the_first_ones(void)
{
    g_autoptr(SyncdAnnouncements) t = syncd_announcements_new(0);
    for (guint n = 0; n < SYNCD_ANNOUNCED_EACH; n++) {
        const SyncdHash digest = nth(n);
        syncd_announcements_add(t, "greedy", &digest, NOW);
        syncd_announcements_add(t, "other", &digest, NOW);
    }
    g_assert_false(syncd_announcements_have_room(t, "greedy", 1, NOW));
    g_assert_true(syncd_announcements_have_room(t, "other", SYNCD_ANNOUNCED_EACH, NOW));
    const SyncdHash first = nth(0);
    syncd_announcements_end(t, &first);
    g_assert_true(syncd_announcements_have_room(t, "greedy", 1, NOW));
    g_assert_false(syncd_announcements_have_room(t, "greedy", 2, NOW));
    g_assert_true(syncd_announcements_have_room(t, "greedy", SYNCD_ANNOUNCED_EACH,
                                                NOW + SYNCD_ANNOUNCED_USEC));
}

static void each_actor_and_all_have_so_much_room(void)
{
    g_autoptr(SyncdAnnouncements) t = syncd_announcements_new(0);
    guint n = 0;
    for (; n < SYNCD_ANNOUNCED_EACH; n++) {
        const SyncdHash digest = nth(n);
        syncd_announcements_add(t, "greedy", &digest, NOW);
    }
    g_assert_false(syncd_announcements_have_room(t, "greedy", 1, NOW));
    g_assert_true(syncd_announcements_have_room(t, "other", SYNCD_ANNOUNCED_EACH, NOW));
    g_assert_false(syncd_announcements_have_room(t, "other", SYNCD_ANNOUNCED_EACH + 1, NOW));
    for (; n < SYNCD_ANNOUNCED_MAX; n++) {
        const SyncdHash digest = nth(n);
        g_autofree char *actor = g_strdup_printf("actor-%u", n % 64);
        syncd_announcements_add(t, actor, &digest, NOW + 1);
    }
    g_assert_false(syncd_announcements_have_room(t, "other", 1, NOW + 1));
    const SyncdHash first = nth(0);
    syncd_announcements_end(t, &first);
    g_assert_true(syncd_announcements_have_room(t, "greedy", 1, NOW + 1));
    g_assert_true(syncd_announcements_have_room(t, "other", 1, NOW + 1));
    /* What has ended takes none. */
    g_assert_true(syncd_announcements_have_room(t, "greedy", SYNCD_ANNOUNCED_EACH,
                                                NOW + SYNCD_ANNOUNCED_USEC));
}

static void no_signature_announces_twice(void)
{
    g_autoptr(SyncdAnnouncements) t = syncd_announcements_new(100);
    g_assert_false(syncd_announcements_spend(t, "agent", 100, NOW));
    g_assert_true(syncd_announcements_spend(t, "agent", 101, NOW));
    g_assert_false(syncd_announcements_spend(t, "agent", 101, NOW));
    g_assert_true(syncd_announcements_spend(t, "agent", 300, NOW));
    g_assert_false(syncd_announcements_spend(t, "agent", 200, NOW));
    g_assert_true(syncd_announcements_spend(t, "other", 200, NOW));
    /* Nor once the actor is forgotten. */
    const guint64 later = NOW + SYNCD_ANNOUNCED_USEC;
    g_assert_true(syncd_announcements_have_room(t, "agent", 1, later));
    g_assert_false(syncd_announcements_spend(t, "agent", 300, later));
    g_assert_true(syncd_announcements_spend(t, "agent", 301, later));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/announcements/known", a_deed_is_known_by_all_that_it_says);
    g_test_add_func("/announcements/once", it_is_met_once);
    g_test_add_func("/announcements/ends", it_ends_by_itself);
    g_test_add_func("/announcements/several", what_several_announce_is_nobodys);
    g_test_add_func("/announcements/counted", what_several_announce_counts_as_the_first_ones);
    g_test_add_func("/announcements/room", each_actor_and_all_have_so_much_room);
    g_test_add_func("/announcements/signatures", no_signature_announces_twice);
    return g_test_run();
}
