/*
 * Whether content is kept is said of what is there: also where no verification has looked at it
 * yet, or has found more that is damaged than it names. What there is too much of to look at is
 * called unknown until one has.
 */
#include "diagnose-fixture.h"
#include "keys-fixture.h"
#include "state-files.h"
#include "watched-fixture.h"

#include "service/content-look.h"
#include "service/damage.h"
#include "service/explain.h"
#include "service/file-reading.h"
#include "store/store-private.h"

#define MANY (SYNCD_VERIFY_MAX_FINDINGS + 10u)
#define KEEP_LARGE "{\"versions\":2,\"max_bytes\":67108864}"
#define DAMAGE "these are no bytes of anybody's"

static void world_init(World *world, const char *keep)
{
    *world = (World){.unwatched = false};
    workspace_init_keeping(&world->w, keep);
    begin(&world->w);
    listen_to(world);
}

static void write_many(World *world)
{
    for (guint i = 0; i < MANY; i++) {
        g_autofree char *name = g_strdup_printf("many-%u", i),
                        *text = g_strdup_printf("text %u", i);
        write_file(&world->w, name, text);
    }
    rescan(&world->w);
}

static SyncdContentRow content_of(World *world, const char *file)
{
    g_autoptr(GError) error = NULL;
    SyncdContentRow row;
    bool found;
    const SyncdFileRow now = row_of(&world->w, file);
    syncd_store_find_content(store_of(&world->w), now.id, now.version, &row, &found, &error);
    g_assert_no_error(error);
    g_assert_true(found);
    return row;
}

/* The first chunk of it, as the disk may. */
static void damage_row(World *world, const char *file)
{
    g_autoptr(GError) error = NULL;
    SyncdHash name;
    SyncdStore *store = store_of(&world->w);
    g_auto(SyncdContentRow) row = content_of(world, file);
    memcpy(name.bytes, g_bytes_get_data(row.chunks, NULL), sizeof name.bytes);
    g_assert_true(
        syncd_journal_put_content(store->journal, &name, SYNCD_BYTES_TEXT(DAMAGE), &error));
    g_assert_true(syncd_store_commit(store, NULL, &error));
    g_assert_no_error(error);
}

/* ---- what is said of it ---- */

static char *id_of(World *world, const char *file)
{
    g_autoptr(GError) error = NULL;
    char id[SYNCD_FILE_ID_SIZE];
    g_assert_true(syncd_store_file_id(store_of(&world->w), row_of(&world->w, file).id, id, &error));
    return g_strdup(id);
}

static void expect_history_of(World *world, const char *id, const char *fault)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *cursor = NULL,
                    *history = syncd_service_file_history(world->w.f.service, &world->w.f.caller,
                                                          id, NULL, 1, &cursor, &error),
                    *wanted = fault != NULL
                                  ? g_strdup_printf(
                                        "\"kept\":%s,\"content_fault\":\"%s\"",
                                        strcmp(fault, "unknown") == 0 ? "true" : "false", fault)
                                  : g_strdup("\"kept\":true,\"kind\"");
    g_assert_no_error(error);
    g_test_message("%s", history);
    g_assert_nonnull(strstr(history, wanted));
}

/* The codes of the answers to whether it is durable, and whether that can be proven; and what comes
 * next. */
static void expect_answers(World *world, const char *id, const char *durable, const char *provable,
                           const char *next)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text =
        syncd_service_explain(world->w.f.service, &world->w.f.caller, id, &error);
    g_assert_no_error(error);
    g_test_message("%s", text);
    const char *const wanted[] = {durable, provable, next};
    for (size_t i = 0; i < G_N_ELEMENTS(wanted); i++) {
        g_autofree char *member =
            wanted[i] == NULL
                ? NULL
                : g_strdup_printf(i < 2 ? "\"reason_code\":\"%s\"" : "\"next\":\"%s", wanted[i]);
        g_assert_true(member == NULL || strstr(text, member) != NULL);
    }
    g_assert_true(strcmp(durable, "kept") == 0 || strstr(text, "\"reason_code\":\"kept\"") == NULL);
}

static void expect_file(World *world, const char *file, const char *fault, const char *durable,
                        const char *provable, const char *next)
{
    g_autofree char *id = id_of(world, file);
    expect_history_of(world, id, fault);
    expect_answers(world, id, durable, provable, next);
}

/* ---- more than is named ---- */

static void what_is_not_named_is_not_called_kept(void)
{
    World world;
    world_init(&world, KEEP_TWO);
    write_many(&world);
    for (guint i = 0; i < MANY; i++) {
        g_autofree char *name = g_strdup_printf("many-%u", i);
        damage_row(&world, name);
    }
    write_file(&world.w, "whole", "as it was");
    rescan(&world.w);
    verify_all(&world.w.f);
    g_assert_cmpuint(syncd_service_damage(world.w.f.service)->len, ==, SYNCD_VERIFY_MAX_FINDINGS);
    for (guint i = 0; i < MANY; i++) {
        g_autofree char *name = g_strdup_printf("many-%u", i);
        expect_file(&world, name, "damaged", "content_damaged", "content_damaged",
                    "sourceos-syncd repair plan");
    }
    expect_file(&world, "whole", NULL, "kept", "kept", NULL);
    workspace_clear(&world.w);
}

/* ---- what nobody has looked at ---- */

/* Whoever is told so is led to what finds it. */
static void what_was_not_verified_is_looked_at(void)
{
    World world;
    world_init(&world, KEEP_TWO);
    write_file(&world.w, "a", "a text");
    write_file(&world.w, "b", "another text");
    rescan(&world.w);
    damage_row(&world, "a");
    expect_file(&world, "a", "damaged", "content_damaged", "content_damaged",
                SYNCD_NEXT_VERIFY_FULL);
    expect_file(&world, "b", NULL, "kept", "kept", NULL);
    g_assert_false(is_found(&world.w.f, "blob-damaged")); /* nobody who asks changes anything */
    verify_all(&world.w.f);
    expect_file(&world, "a", "damaged", "content_damaged", "content_damaged",
                "sourceos-syncd repair plan");
    workspace_clear(&world.w);
}

static void what_is_too_large_is_unknown_until_it_was_verified(void)
{
    World world;
    world_init(&world, KEEP_LARGE);
    g_autofree char *text = text_of(SYNCD_CONTENT_LOOK_BYTES + 1, 'a');
    write_file(&world.w, "large", text);
    rescan(&world.w);
    expect_file(&world, "large", "unknown", "kept_unseen", "kept_unseen", SYNCD_NEXT_VERIFY_FULL);
    verify_all(&world.w.f);
    expect_file(&world, "large", NULL, "kept", "kept", NULL);
    text[0] = 'z';
    write_file(&world.w, "large", text);
    rescan(&world.w);
    expect_file(&world, "large", "unknown", "kept_unseen", "kept_unseen", SYNCD_NEXT_VERIFY_FULL);
    workspace_clear(&world.w);
}

/* What lies there and is none of what was recorded puts nothing right. */
static void only_what_is_whole_puts_a_file_right(void)
{
    World world;
    world_init(&world, KEEP_TWO);
    write_file(&world.w, "a", WRITTEN);
    rescan(&world.w);
    rot(&world.w, "a", ROT);
    scan_deep(&world.w);
    for (guint damaged = 0; damaged < 2; damaged++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *cursor = NULL;
        const SyncdFileListing listing = {.workspace = "workspace:notes", .mismatched = true};
        if (damaged)
            damage_row(&world, "a");
        g_autofree char *list = syncd_service_list_files(world.w.f.service, &world.w.f.caller,
                                                         &listing, &cursor, &error);
        g_assert_no_error(error);
        g_test_message("%s", list);
        g_assert_nonnull(
            strstr(list, damaged ? "\"autoRepairEligible\":false" : "\"autoRepairEligible\":true"));
    }
    workspace_clear(&world.w);
}

/* ---- without its key ---- */

static void what_no_key_opens_is_sealed_and_not_kept(void)
{
    World world;
    world_init(&world, KEEP_TWO);
    write_file(&world.w, "a", "a text");
    rescan(&world.w);
    g_autofree char *id = id_of(&world, "a");
    expect_file(&world, "a", NULL, "kept", "kept", NULL);
    end_workspace(&world.w);
    service_close(&world.w.f);
    g_autofree char *key = take_key_away(&world.w.f, is_of_another_scope, NULL);
    service_open(&world.w.f);
    expect_history_of(&world, id, "sealed");
    expect_answers(&world, id, "key_missing", "key_missing", "install -d -m 700 ");
    service_close(&world.w.f);
    put_back(key);
    service_open(&world.w.f);
    expect_history_of(&world, id, NULL);
    workspace_clear(&world.w);
}

/* ---- of operations ---- */

static void of_operations_it_is_looked_at_too(void)
{
    World world;
    world_init(&world, KEEP_TWO);
    ServiceFixture *f = &world.w.f;
    g_autofree char *word = g_strnfill(100000, 'x'),
                    *large = g_strdup_printf("{\"text\":\"%s\"}", word),
                    *blobs = state_path(f, "blobs");
    put(f, "note-1", large);
    put(f, "note-2", "{}");
    expect_answers(&world, "note-1", "log", "provable", NULL);
    fixture_remove(blobs);
    expect_answers(&world, "note-1", "content_damaged", "content_damaged", SYNCD_NEXT_VERIFY_FULL);
    expect_answers(&world, "note-2", "log", "provable", NULL);
    verify_all(f);
    expect_answers(&world, "note-1", "content_damaged", "content_damaged",
                   "sourceos-syncd repair plan");
    workspace_clear(&world.w);
}

/* A body that goes on in other pages leads nowhere; its header is read as always. */
static void break_chains(const ServiceFixture *f)
{
    gsize size;
    g_autofree char *bytes = state_read(f, "journal.db", &size);
    guint n = 0;
    for (guint32 page = 2; page * (gsize)4096 < size; page++) {
        guint32 next = GUINT32_TO_BE(page);
        if (memcmp(bytes + page * (gsize)4096, &next, sizeof next) == 0) {
            memset(bytes + page * (gsize)4096, 0xee, sizeof next);
            n++;
        }
    }
    g_assert_cmpuint(n, >, 0);
    state_write(f, "journal.db", bytes, (gssize)size);
}

static void what_cannot_be_read_is_not_called_whole(void)
{
    World world;
    world_init(&world, KEEP_TWO);
    ServiceFixture *f = &world.w.f;
    g_autofree char *word = g_strnfill(30000, 'x'),
                    *body = g_strdup_printf("{\"text\":\"%s\"}", word);
    put(f, "note-1", body);
    put(f, "note-2", "{}");
    end_workspace(&world.w);
    service_close(f);
    break_chains(f);
    service_open(f);
    expect_answers(&world, "note-1", "log_damaged", "log_damaged", "sourceos-syncd repair plan");
    workspace_clear(&world.w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/content-look/not-named", what_is_not_named_is_not_called_kept);
    g_test_add_func("/content-look/not-verified", what_was_not_verified_is_looked_at);
    g_test_add_func("/content-look/too-large", what_is_too_large_is_unknown_until_it_was_verified);
    g_test_add_func("/content-look/rotten", only_what_is_whole_puts_a_file_right);
    g_test_add_func("/content-look/sealed", what_no_key_opens_is_sealed_and_not_kept);
    g_test_add_func("/content-look/operations", of_operations_it_is_looked_at_too);
    g_test_add_func("/content-look/unreadable", what_cannot_be_read_is_not_called_whole);
    return g_test_run();
}
