/*
 * Calls that wait for their turn are bounded in bytes however they come, and keep nothing else from
 * its turn: neither the loop's other sources, nor, by what is no call, each other; nor does a call
 * that takes long, when it is served in pieces; nor do answers that are not read, or refusals.
 */
#include "bus/queue.h"

#include <dlfcn.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATH "/queue"
#define INTERFACE "org.sourceos.Test"
#define LARGE (8u << 20)
#define PAGE (512u << 10)

typedef struct {
    sd_event *event;
    sd_bus *server;
    sd_bus *client;
    SyncdLimits *limits;
    SyncdCallers *callers;
    SyncdQueue *queue;
    unsigned served;
    unsigned signals;
    unsigned answered;
    unsigned refused;
    unsigned served_before_other;
} Fixture;

static bool is_full;

/* In place of the library's, which has room for some ten thousand. */
int sd_bus_enqueue_for_read(sd_bus *bus, sd_bus_message *message)
{
    int (*library)(sd_bus * bus, sd_bus_message * message);
    *(void **)&library = dlsym(RTLD_NEXT, "sd_bus_enqueue_for_read");
    return is_full ? -ENOBUFS : library(bus, message);
}

static int serve(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    ((Fixture *)userdata)->served++;
    return sd_bus_reply_method_return(message, "");
}

/* As long as a turn of the queue. */
static int serve_slowly(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    gint64 until = g_get_monotonic_time() + 600;
    while (g_get_monotonic_time() < until)
        ;
    return serve(message, userdata, error);
}

static int serve_page(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    sd_bus_message *reply;
    void *space;
    g_assert_cmpint(sd_bus_message_new_method_return(message, &reply), >=, 0);
    g_assert_cmpint(sd_bus_message_append_array_space(reply, 'y', PAGE, &space), >=, 0);
    memset(space, 1, PAGE);
    ((Fixture *)userdata)->served++;
    int r = sd_bus_send(NULL, reply, NULL);
    sd_bus_message_unref(reply);
    return r;
}

static const sd_bus_vtable vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD("Page", "", "ay", serve_page, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("Small", "", "", serve, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("Large", "ay", "", serve, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("Slow", "", "", serve_slowly, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_VTABLE_END,
};

static int on_signal(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    ((Fixture *)userdata)->signals++;
    return 0;
}

static int on_reply(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    Fixture *f = userdata;
    if (sd_bus_message_is_method_error(message, NULL))
        f->refused++;
    else
        f->answered++;
    return 0;
}

static void set_up(Fixture *f)
{
    int ends[2];
    sd_id128_t id;
    g_autoptr(GError) error = NULL;
    *f = (Fixture){.limits = syncd_limits_new(), .callers = syncd_callers_new(false)};
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), ==, 0);
    g_assert_cmpint(sd_id128_randomize(&id), >=, 0);
    g_assert_cmpint(sd_event_new(&f->event), >=, 0);

    g_assert_cmpint(sd_bus_new(&f->server), >=, 0);
    g_assert_cmpint(sd_bus_set_fd(f->server, ends[0], ends[0]), >=, 0);
    g_assert_cmpint(sd_bus_set_server(f->server, 1, id), >=, 0);
    sd_bus_negotiate_creds(f->server, 1, SD_BUS_CREDS_EUID | SD_BUS_CREDS_PID);
    g_assert_cmpint(sd_bus_start(f->server), >=, 0);
    g_assert_cmpint(sd_bus_attach_event(f->server, f->event, 0), >=, 0);
    f->queue = syncd_queue_new(f->server, f->limits, f->callers, &error);
    g_assert_no_error(error);
    g_assert_cmpint(sd_bus_add_object_vtable(f->server, NULL, PATH, INTERFACE, vtable, f), >=, 0);
    g_assert_cmpint(sd_bus_match_signal(f->server, NULL, NULL, PATH, INTERFACE, NULL, on_signal, f),
                    >=, 0);

    g_assert_cmpint(sd_bus_new(&f->client), >=, 0);
    g_assert_cmpint(sd_bus_set_fd(f->client, ends[1], ends[1]), >=, 0);
    g_assert_cmpint(sd_bus_start(f->client), >=, 0);
    while (sd_bus_is_ready(f->client) <= 0 || sd_bus_is_ready(f->server) <= 0) {
        g_assert_cmpint(sd_bus_process(f->client, NULL), >=, 0);
        g_assert_cmpint(sd_bus_process(f->server, NULL), >=, 0);
    }
}

static void tear_down(Fixture *f)
{
    syncd_queue_free(f->queue);
    sd_bus_detach_event(f->server);
    sd_bus_close_unref(f->server);
    sd_bus_close_unref(f->client);
    sd_event_unref(f->event);
    syncd_callers_free(f->callers);
    syncd_limits_free(f->limits);
}

static void call(Fixture *f, const char *method)
{
    g_assert_cmpint(
        sd_bus_call_method_async(f->client, NULL, NULL, PATH, INTERFACE, method, on_reply, f, ""),
        >=, 0);
}

static void call_large(Fixture *f)
{
    sd_bus_message *message;
    void *space;
    g_assert_cmpint(
        sd_bus_message_new_method_call(f->client, &message, NULL, PATH, INTERFACE, "Large"), >=, 0);
    g_assert_cmpint(sd_bus_message_append_array_space(message, 'y', LARGE, &space), >=, 0);
    memset(space, 1, LARGE);
    g_assert_cmpint(sd_bus_call_async(f->client, NULL, message, on_reply, f, 0), >=, 0);
    sd_bus_message_unref(message);
}

/* Both ends read and write until neither has anything to do; no call is served out of the line. */
static void exchange(Fixture *f)
{
    bool idle = false;
    while (!idle) {
        int sent = sd_bus_process(f->client, NULL), read = sd_bus_process(f->server, NULL);
        g_assert_cmpint(sent, >=, 0);
        g_assert_cmpint(read, >=, 0);
        idle = sent == 0 && read == 0;
    }
}

static void run_loop(Fixture *f, unsigned n)
{
    while (f->answered + f->refused < n) {
        g_assert_cmpint(sd_event_run(f->event, 0), >=, 0);
        while (sd_bus_process(f->client, NULL) > 0)
            ;
    }
}

/* Each call comes only when the one before it was taken in. */
static void large_calls_are_bounded_one_by_one(void)
{
    Fixture f;
    set_up(&f);
    call(&f, "Small");
    call(&f, "Small");
    exchange(&f);
    for (unsigned i = 0; i < 10; i++) {
        call_large(&f);
        exchange(&f);
    }
    g_assert_cmpuint(f.served, <=, 1); /* the first, with nothing behind it */
    run_loop(&f, 12);
    g_assert_cmpuint(f.refused, >=, 6);
    g_assert_cmpuint(f.answered, >=, 4); /* what was taken in is served */
    tear_down(&f);
}

static void signals_do_not_hold_calls_up(void)
{
    Fixture f;
    set_up(&f);
    for (unsigned i = 0; i < 10; i++)
        call(&f, "Small");
    for (unsigned i = 0; i < 1000; i++)
        g_assert_cmpint(sd_bus_emit_signal(f.client, PATH, INTERFACE, "Noise", ""), >=, 0);
    while (f.served == 0) {
        g_assert_cmpint(sd_bus_process(f.client, NULL), >=, 0);
        g_assert_cmpint(sd_event_run(f.event, 0), >=, 0);
    }
    g_assert_cmpuint(f.signals, <, 500);
    run_loop(&f, 10);
    tear_down(&f);
}

static int on_other(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    Fixture *f = userdata;
    f->served_before_other = f->served;
    return sd_event_source_set_enabled(source, SD_EVENT_OFF);
}

static void waiting_calls_let_other_sources_run(void)
{
    Fixture f;
    set_up(&f);
    for (unsigned i = 0; i < 50; i++)
        call(&f, "Slow");
    exchange(&f);

    sd_event_source *other;
    int fd = eventfd(1, EFD_CLOEXEC);
    f.served_before_other = G_MAXUINT;
    g_assert_cmpint(sd_event_add_io(f.event, &other, fd, 1 /* EPOLLIN */, on_other, &f), >=, 0);
    run_loop(&f, 50);
    g_assert_cmpuint(f.served_before_other, <, 10);
    sd_event_source_unref(other);
    close(fd);
    tear_down(&f);
}

/* ---- answers ---- */

/* Whoever calls next would wait for all of them. */
static void answers_are_not_piled_up(void)
{
    Fixture f;
    set_up(&f);
    for (unsigned i = 0; i < 20; i++)
        call(&f, "Page");
    for (unsigned i = 0; i < 200; i++)
        g_assert_cmpint(sd_event_run(f.event, 0), >=, 0);
    g_assert_cmpuint(f.served, >, 0);
    g_assert_cmpuint(f.served, <=, 2);
    run_loop(&f, 20);
    g_assert_cmpuint(f.answered, ==, 20);
    tear_down(&f);
}

/* But only so many: then they come at once. */
static void refusals_wait_for_their_turn(void)
{
    Fixture f;
    set_up(&f);
    syncd_limits_set(f.limits, SYNCD_LIMIT_WAITING, 5);
    syncd_limits_set(f.limits, SYNCD_LIMIT_REFUSALS, 4);
    for (unsigned i = 0; i < 12; i++)
        call(&f, "Small");
    exchange(&f);
    g_assert_cmpuint(f.served, ==, 0);
    g_assert_cmpuint(f.refused, ==, 12 - 5 - 4);
    g_assert_cmpuint(syncd_limits_held(f.limits, SYNCD_LIMIT_REFUSALS, getuid()), ==, 4);
    run_loop(&f, 12);
    g_assert_cmpuint(f.answered, ==, 5);
    g_assert_cmpuint(syncd_limits_held(f.limits, SYNCD_LIMIT_REFUSALS, getuid()), ==, 0);
    tear_down(&f);
}

static void who_wants_no_answer_is_refused_without(void)
{
    Fixture f;
    set_up(&f);
    syncd_limits_set(f.limits, SYNCD_LIMIT_WAITING, 1);
    call(&f, "Small");
    for (unsigned i = 0; i < 3; i++)
        g_assert_cmpint(sd_bus_call_method_async(f.client, NULL, NULL, PATH, INTERFACE, "Small",
                                                 NULL, NULL, ""),
                        >=, 0);
    exchange(&f);
    g_assert_cmpuint(syncd_limits_held(f.limits, SYNCD_LIMIT_REFUSALS, getuid()), ==, 0);
    run_loop(&f, 1);
    g_assert_cmpuint(f.served, ==, 1);
    tear_down(&f);
}

/* Whoever is not served is told so. */
static void what_cannot_be_served_is_answered(void)
{
    Fixture f;
    set_up(&f);
    for (unsigned i = 0; i < 3; i++)
        call(&f, "Small");
    exchange(&f);
    is_full = true;
    run_loop(&f, 3);
    is_full = false;
    g_assert_cmpuint(f.refused, ==, 3);
    call(&f, "Small");
    run_loop(&f, 4);
    g_assert_cmpuint(f.answered, ==, 1);
    g_assert_cmpuint(syncd_limits_held(f.limits, SYNCD_LIMIT_WAITING, getuid()), ==, 0);
    tear_down(&f);
}

/* ---- pieces ---- */

typedef struct {
    Fixture *f;
    uid_t uid;
    unsigned left;
    unsigned stopped;
    unsigned served_before; /* when the last piece was done */
} Pieces;

/* Each as long as a turn of the queue. */
static void on_piece(void *data, bool stopping)
{
    Pieces *pieces = data;
    if (stopping) {
        pieces->stopped++;
        return;
    }
    gint64 until = g_get_monotonic_time() + 600;
    while (g_get_monotonic_time() < until)
        ;
    pieces->served_before = pieces->f->served;
    if (--pieces->left > 0)
        syncd_queue_go_on(pieces->f->queue, pieces->uid, on_piece, pieces);
}

static Pieces begin_pieces(Fixture *f, uid_t uid, unsigned n)
{
    for (unsigned i = 0; i < 10; i++)
        call(f, "Small");
    exchange(f);
    return (Pieces){.f = f, .uid = uid, .left = n};
}

/* They cost their user what they took, so whoever took less comes first. */
static void pieces_of_one_user_let_others_through(void)
{
    Fixture f;
    set_up(&f);
    Pieces pieces = begin_pieces(&f, getuid() + 1, 200);
    syncd_queue_go_on(f.queue, pieces.uid, on_piece, &pieces);
    run_loop(&f, 10);
    g_assert_cmpuint(pieces.left, >, 0);
    while (pieces.left > 0)
        g_assert_cmpint(sd_event_run(f.event, 0), >=, 0);
    tear_down(&f);
}

/* His calls keep their order. */
static void calls_of_the_same_user_wait_for_his_pieces(void)
{
    Fixture f;
    set_up(&f);
    Pieces pieces = begin_pieces(&f, getuid(), 20);
    unsigned before = f.served;
    syncd_queue_go_on(f.queue, pieces.uid, on_piece, &pieces);
    run_loop(&f, 10);
    g_assert_cmpuint(pieces.left, ==, 0);
    g_assert_cmpuint(pieces.served_before, ==, before);
    tear_down(&f);
}

static void pieces_are_told_once_that_none_come(void)
{
    Fixture f;
    set_up(&f);
    Pieces pieces = begin_pieces(&f, getuid(), 20);
    syncd_queue_go_on(f.queue, pieces.uid, on_piece, &pieces);
    tear_down(&f);
    g_assert_cmpuint(pieces.left, ==, 20);
    g_assert_cmpuint(pieces.stopped, ==, 1);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/queue/what-cannot-be-served-is-answered", what_cannot_be_served_is_answered);
    g_test_add_func("/queue/large-calls-are-bounded-one-by-one",
                    large_calls_are_bounded_one_by_one);
    g_test_add_func("/queue/signals-do-not-hold-calls-up", signals_do_not_hold_calls_up);
    g_test_add_func("/queue/waiting-calls-let-other-sources-run",
                    waiting_calls_let_other_sources_run);
    g_test_add_func("/queue/answers-are-not-piled-up", answers_are_not_piled_up);
    g_test_add_func("/queue/refusals-wait-for-their-turn", refusals_wait_for_their_turn);
    g_test_add_func("/queue/who-wants-no-answer-is-refused-without",
                    who_wants_no_answer_is_refused_without);
    g_test_add_func("/queue/pieces-of-one-user-let-others-through",
                    pieces_of_one_user_let_others_through);
    g_test_add_func("/queue/calls-of-the-same-user-wait-for-his-pieces",
                    calls_of_the_same_user_wait_for_his_pieces);
    g_test_add_func("/queue/pieces-are-told-once-that-none-come",
                    pieces_are_told_once_that_none_come);
    return g_test_run();
}
