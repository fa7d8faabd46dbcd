#include "session-steps.h"

#include "../unit/purge-fixture.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- the scripts ---- */

static void open_store(Run *r)
{
    take(r, "opening", step_open, 0);
    if (r->opened != NULL)
        r->opened(r);
}

static void close_store(Run *r)
{
    if (r->ending != NULL)
        r->ending(r);
    fixture_close(&r->f);
}

static void append_turn(Run *r, guint first, guint last)
{
    for (guint n = first; n <= last; n++)
        take(r, "appending", step_append, n);
    take(r, "committing", step_commit, 0);
}

static void idle(Run *r)
{
    while (syncd_store_work(r->f.store))
        continue;
}

static void prepare_nothing(Run *r)
{
}

static void prepare_log(Run *r)
{
    open_store(r);
    append_turn(r, 0, 6);
    append_turn(r, 40, 46);
    idle(r);
    close_store(r);
}

static void run_first_start(Run *r)
{
    open_store(r);
    append_turn(r, 0, 3);
    append_turn(r, 4, 5);
    close_store(r);
}

static void run_turns(Run *r)
{
    open_store(r);
    append_turn(r, 60, 63);
    take(r, "keeping the head", step_keep_head, 0);
    append_turn(r, 64, 64);
    take(r, "settling", step_settle, 0);
    take(r, "asking", step_query, 0);
    idle(r);
    append_turn(r, 65, 66);
    close_store(r);
}

static void run_scopes(Run *r)
{
    open_store(r);
    append_turn(r, 70, 71);
    append_turn(r, 80, 81);
    take(r, "reading", step_read, 0);
    close_store(r);
}

static void run_large(Run *r)
{
    open_store(r);
    append_turn(r, 67, 67);
    append_turn(r, 97, 98);
    take(r, "reading", step_read, 0);
    close_store(r);
}

static void run_tables(Run *r)
{
    open_store(r);
    append_turn(r, 30, 32);
    append_turn(r, 33, 35);
    append_turn(r, 83, 85);
    take(r, "settling", step_settle, 0);
    take(r, "looking", step_look, 0);
    append_turn(r, 36, 36);
    close_store(r);
}

/* More than what is left in a WAL when there is time. */
static void run_moving(Run *r)
{
    open_store(r);
    for (guint n = 8; n < 98; n += 10)
        take(r, "appending", step_append, n);
    take(r, "committing", step_commit, 0);
    idle(r);
    append_turn(r, 60, 61);
    idle(r);
    close_store(r);
}

static void run_verification(Run *r)
{
    open_store(r);
    take(r, "verifying", step_verify, SYNCD_VERIFY_FULL);
    append_turn(r, 60, 61);
    take(r, "verifying", step_verify, SYNCD_VERIFY_INCREMENTAL);
    close_store(r);
}

static void prepare_without_index(Run *r)
{
    prepare_log(r);
    g_autofree char *index = g_build_filename(r->f.directory, "index.db", NULL);
    g_assert_cmpint(g_unlink(index), ==, 0);
}

static void run_rebuild(Run *r)
{
    open_store(r);
    take(r, "settling", step_settle, 0);
    take(r, "asking", step_query, 0);
    append_turn(r, 60, 62);
    close_store(r);
}

/* A process that was killed leaves its logs unmoved. */
static void prepare_killed(Run *r)
{
    prepare_log(r);
    pid_t pid = fork();
    if (pid == 0) {
        r->report = -1;
        open_store(r);
        append_turn(r, 50, 53);
        take(r, "settling", step_settle, 0);
        append_turn(r, 54, 55);
        _exit(0);
    }
    int status;
    g_assert_true(waitpid(pid, &status, 0) == pid && status == 0);
    r->f.now_usec += 60 * G_USEC_PER_SEC;
    for (guint n = 50; n <= 55; n++)
        r->tried[n] = r->acknowledged[n] = true;
}

static void run_after_kill(Run *r)
{
    open_store(r);
    take(r, "reading", step_read, 0);
    append_turn(r, 60, 62);
    close_store(r);
}

static void prepare_foreign(Run *r)
{
    prepare_log(r);
    r->f.machine = "machine-b";
}

static void run_adoption(Run *r)
{
    open_store(r);
    take(r, "adopting", step_adopt, 0);
    append_turn(r, 60, 61);
    close_store(r);
}

static void append_secret(Run *r, const char *scope, const char *key, size_t size)
{
    g_autofree char *content = g_strnfill(size, 'x');
    memcpy(content + size - strlen(SESSION_MARKER), SESSION_MARKER, strlen(SESSION_MARKER));
    SyncdReceipt receipt = fixture_append_to(&r->f, scope, SESSION_SECRET, key, content, size);
    syncd_receipt_clear(&receipt);
}

static void prepare_secret(Run *r)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SyncdScope) scope = NULL;
    g_autoptr(SyncdPurgeable) purgeable = NULL;
    prepare_log(r);
    open_store(r);
    syncd_store_open_scope(r->f.store, "public", "board", "actor-test", &scope, &error);
    g_assert_no_error(error);
    append_secret(r, scope->id, "key-" SESSION_MARKER, 200);
    append_secret(r, scope->id, NULL, SYNCD_STORE_INLINE_MAX + 1);
    fixture_delete(&r->f, scope->id, SESSION_SECRET, &error);
    g_assert_no_error(error);
    fixture_commit(&r->f);
    purgeable = fixture_find_purgeable(&r->f, scope->id, SESSION_SECRET, NULL, &error);
    g_assert_no_error(error);
    secret_remember(purgeable->chunks);
    idle(r);
    close_store(r);
}

static void run_purge(Run *r)
{
    open_store(r);
    append_turn(r, 60, 60);
    take(r, "purging", step_purge, 0);
    take(r, "scrubbing", step_scrub, 0);
    append_turn(r, 61, 61);
    close_store(r);
}

const Session sessions[] = {
    {"first-start", prepare_nothing, run_first_start},
    {"turns", prepare_log, run_turns},
    {"scopes", prepare_log, run_scopes, true},
    {"large-content", prepare_log, run_large, true},
    {"tables", prepare_log, run_tables, true},
    {"moving-the-log", prepare_log, run_moving, true},
    {"verification", prepare_log, run_verification, true},
    {"rebuild", prepare_without_index, run_rebuild},
    {"after-a-kill", prepare_killed, run_after_kill},
    {"adoption", prepare_foreign, run_adoption},
    {"purge", prepare_secret, run_purge, true},
};
const unsigned n_sessions = G_N_ELEMENTS(sessions);

const Session *session_of(const char *name)
{
    for (unsigned i = 0; i < n_sessions; i++)
        if (strcmp(sessions[i].name, name) == 0)
            return &sessions[i];
    g_assert_not_reached();
}
