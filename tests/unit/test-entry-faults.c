/*
 * What is known to be wrong with an entry is said wherever the entry is shown, and of no other.
 */
#include "diagnose-fixture.h"
#include "raw-sql.h"
#include "reading-fixture.h"
#include "state-files.h"

#include "store/verify.h"

#include <string.h>

#define N_DAMAGED (SYNCD_VERIFY_MAX_FINDINGS + 40u)

typedef char *(*ListFunc)(ServiceFixture *f, SyncdListing *listing, char **ret_cursor,
                          GError **error);

static char *list_operations(ServiceFixture *f, SyncdListing *listing, char **ret_cursor,
                             GError **error)
{
    return syncd_service_list_operations(f->service, &f->caller, listing, ret_cursor, error);
}

static char *list_events(ServiceFixture *f, SyncdListing *listing, char **ret_cursor,
                         GError **error)
{
    listing->type = "sync.operation.enqueued";
    return syncd_service_list_events(f->service, &f->caller, listing, ret_cursor, error);
}

static char *list_lines(ServiceFixture *f, SyncdListing *listing, char **ret_cursor, GError **error)
{
    GString *lines = syncd_service_list_bytes(f->service, &f->caller, listing, ret_cursor, error);
    return lines != NULL ? g_string_free(lines, FALSE) : NULL;
}

static char *list_lines_with_bodies(ServiceFixture *f, SyncdListing *listing, char **ret_cursor,
                                    GError **error)
{
    listing->bodies = true;
    return list_lines(f, listing, ret_cursor, error);
}

static const ListFunc lists[] = {list_operations, list_events, list_lines, list_lines_with_bodies};

static guint count_texts(const char *where, const char *text)
{
    guint n = 0;
    for (const char *at = where; (at = strstr(at, text)) != NULL; at += strlen(text))
        n++;
    return n;
}

static guint count_marks(ServiceFixture *f, ListFunc list)
{
    g_autofree char *cursor = g_strdup("");
    guint marks = 0;
    do {
        g_autoptr(GError) error = NULL;
        SyncdListing listing = {.cursor = cursor};
        char *next = NULL;
        g_autofree char *page = list(f, &listing, &next, &error);
        g_assert_no_error(error);
        marks += count_texts(page, "\"entry_error\":\"");
        g_free(cursor);
        cursor = next;
    } while (*cursor != '\0');
    return marks;
}

/* What each list marks: as many as are damaged. */
static void assert_marked(ServiceFixture *f, guint n)
{
    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++)
        g_assert_cmpuint(count_marks(f, lists[i]), ==, n);
}

static void change(ServiceFixture *f, const char *what, const char *condition)
{
    g_autofree char *path = state_path(f, "journal.db");
    g_autofree char *sql = g_strdup_printf(
        "UPDATE entry SET %s WHERE pos IN (SELECT pos FROM entry WHERE instr(header, "
        "'operation.enqueue') AND %s)",
        what, condition);
    service_close(f);
    forge_raw(path, sql);
    service_open(f);
}

#define NOTE_1_BECOMES_8 "header = CAST(replace(header, 'note-1', 'note-8') AS BLOB)"

static void a_header_that_was_changed_is_marked(void)
{
    ServiceFixture f;
    service_init(&f);
    fill(&f, 20);
    g_autofree char *wrong = enqueue_body(&f, "note-1", "{}");
    syncd_service_commit(f.service);
    fill(&f, 300); /* its leaf is in a tile */
    g_autofree char *this_one = g_strdup_printf("instr(header, '%s')", wrong);
    change(&f, NOTE_1_BECOMES_8, this_one);
    assert_marked(&f, 0); /* nobody has looked */
    verify_all(&f);
    assert_marked(&f, 1);

    g_autofree char *record = get(&f, wrong);
    g_assert_nonnull(strstr(record, "\"entry_error\":\"the header is not the one that was"));
    service_close(&f);
    service_open(&f);
    assert_marked(&f, 1); /* it is known at the next start */
    service_clear(&f);
}

static void more_than_are_named_are_marked(void)
{
    ServiceFixture f;
    service_init(&f);
    fill(&f, 3 * N_DAMAGED);
    change(&f, NOTE_1_BECOMES_8, "instr(header, 'note-1')");
    verify_all(&f);
    assert_marked(&f, N_DAMAGED);
    service_clear(&f);
}

int main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/entry-faults/header", a_header_that_was_changed_is_marked);
    g_test_add_func("/entry-faults/beyond-the-list", more_than_are_named_are_marked);
    return g_test_run();
}
