#include "repair-journals.h"

#include "../unit/diagnose-fixture.h"

#include "service/internal.h"

#include <string.h>

#define JOURNAL "journal.db"
#define WAL JOURNAL "-wal"
#define PAGE 4096u
#define WAL_HEADER 32u
#define FRAME (24u + PAGE)

/* A file, as bytes; `bytes` is NULL where there is none. */
typedef struct {
    char *bytes;
    gsize size;
} Content;

static void content_clear(Content *content)
{
    g_free(content->bytes);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Content, content_clear)

static Content read_in(const char *state, const char *name)
{
    Content content = {NULL, 0};
    g_autofree char *path = g_build_filename(state, name, NULL);
    g_file_get_contents(path, &content.bytes, &content.size, NULL);
    return content;
}

static void write_in(const RepairWorld *w, const char *name, const Content *content)
{
    g_autofree char *path = g_build_filename(w->f.base.directory, name, NULL);
    write_private(path, content->bytes, (gssize)content->size);
}

/* It makes up for what is wrong with the one of the file. */
static bool has_first_page(const Content *wal)
{
    for (gsize at = WAL_HEADER; at + FRAME <= wal->size; at += FRAME)
        if (memcmp(wal->bytes + at, "\0\0\0\1", 4) == 0)
            return true;
    return false;
}

/* An operation that only the WAL has. */
static void put_late(RepairWorld *w, Content *ret_journal, Content *ret_wal)
{
    bool made_up;
    do {
        service_close(&w->f);
        repair_open(&w->f, NULL);
        put(&w->f, "note-1", "{\"x\":1}");
        w->notes++;
        *ret_journal = read_in(w->f.base.directory, JOURNAL);
        *ret_wal = read_in(w->f.base.directory, WAL);
        g_assert_cmpuint(ret_wal->size, >, FRAME);
        made_up = has_first_page(ret_wal);
        if (made_up) {
            content_clear(ret_journal);
            content_clear(ret_wal);
        }
    } while (made_up);
}

/* `name` gets what the journal is after an orderly end; the journal is what it was before that, but
 * that its first bytes are gone. */
static void break_journal(RepairWorld *w, const char *name, gsize gone)
{
    g_auto(Content) journal = {NULL, 0}, wal = {NULL, 0};
    w->f.base.stands_in = true;
    put_late(w, &journal, &wal);
    service_close(&w->f);
    g_auto(Content) whole = read_in(w->f.base.directory, JOURNAL);
    if (name != NULL)
        write_in(w, name, &whole);
    memset(journal.bytes, 0xa5, MIN(gone, journal.size));
    write_in(w, JOURNAL, &journal);
    write_in(w, WAL, &wal);
}

void repair_journal_is_salvageable(RepairWorld *w)
{
    break_journal(w, NULL, PAGE);
}

void repair_journal_has_generation(RepairWorld *w)
{
    break_journal(w, "journal.1", G_MAXSIZE);
}

void repair_journal_has_backup(RepairWorld *w)
{
    const Content nothing = {(char[]){""}, 0};
    break_journal(w, "journal-spare.db", 0);
    write_in(w, JOURNAL, &nothing);
}

static bool is_as_found(RepairLife *life, const char *name)
{
    const RepairWorld *w = life->data;
    g_auto(Content) is = read_in(w->f.base.directory, name), was = read_in(w->state, name);
    return (is.bytes == NULL) == (was.bytes == NULL) && is.size == was.size &&
           (is.bytes == NULL || memcmp(is.bytes, was.bytes, is.size) == 0);
}

bool repair_journal_is_as_found(RepairLife *life)
{
    return is_as_found(life, JOURNAL) && is_as_found(life, WAL) &&
           is_found(life->f, "journal-unreadable");
}

static bool has_all(RepairLife *life)
{
    const RepairWorld *w = life->data;
    guint64 pending, running;
    return lookups_answer(life->f) &&
           syncd_service_count_tasks(life->f->service, &pending, &running, NULL) &&
           pending == w->notes;
}

/* Not one entry is gone; where nothing shows that, somebody says that it goes on all the same. */
bool repair_journal_is_whole(RepairLife *life)
{
    SyncdStore *store = life->f->service->store;
    return has_all(life) && (syncd_store_condition(store) == SYNCD_STORE_WRITABLE ||
                             (syncd_store_condition(store) == SYNCD_STORE_ROLLED_BACK &&
                              syncd_store_adopt(store, "actor-test", NULL)));
}
