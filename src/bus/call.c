#include "bus/call.h"

#include "bus/authorise.h"
#include "bus/bus-private.h"
#include "bus/error-bus.h"
#include "bus/object.h"
#include "bus/sendable.h"
#include "service/job.h"

#include <errno.h>
#include <string.h>

struct SyncdCall {
    SyncdBus *bus;
    const SyncdObject *object;
    sd_bus_message *message;
    const SyncdRule *rule;
    SyncdCaller caller;
    char *unit;
    pid_t pid;

    /* polkit */
    SyncdQuestion *question;
    sd_bus_track *track;    /* empty when the caller has left the bus */
    sd_event_source *sweep; /* ends the call when its object has gone meanwhile */
    const char *asked;      /* the action, NULL when nothing was asked */
    GError *refusal;        /* of polkit, NULL for yes */

    /* a reply that waits for the commit */
    SyncdService *service;
    SyncdCallAnswer answer;
    void *data;
    GDestroyNotify free_data;
    GError *denial;       /* a refusal that waits, when it is not durable … */
    GError *named_denial; /* … and when it is */
    bool waits;
    bool running;

    /* a call in pieces */
    SyncdCallStep step;
    void *pieces;
    GDestroyNotify free_pieces;
    bool goes_on; /* it stands in the queue */
};

static void call_free(SyncdCall *call)
{
    if (call == NULL)
        return;
    if (call->question != NULL)
        syncd_limits_give(call->bus->limits, SYNCD_LIMIT_QUESTIONS, call->caller.uid);
    syncd_limits_give(call->bus->limits, SYNCD_LIMIT_CALLS, call->caller.uid);
    syncd_question_free(call->question);
    sd_bus_track_unref(call->track);
    sd_event_source_disable_unref(call->sweep);
    g_clear_error(&call->refusal);
    g_clear_error(&call->denial);
    g_clear_error(&call->named_denial);
    if (call->free_data != NULL)
        call->free_data(call->data);
    if (call->free_pieces != NULL)
        call->free_pieces(call->pieces);
    sd_bus_message_unref(call->message);
    g_free(call->unit);
    g_free(call);
}

static SyncdCall *call_new(SyncdBus *bus, sd_bus_message *message, GError **error)
{
    SyncdCaller caller = {.inspector = bus->instance == SYNCD_INSTANCE_USER};
    pid_t pid = 0;
    if (!syncd_callers_identify(bus->callers, message, &caller.uid, &pid, error) ||
        !syncd_limits_take(bus->limits, SYNCD_LIMIT_CALLS, caller.uid, error))
        return NULL;

    SyncdCall *call = g_new0(SyncdCall, 1);
    call->bus = bus;
    call->message = sd_bus_message_ref(message);
    call->unit = g_strdup(syncd_callers_unit(bus->callers, message));
    call->caller = caller;
    call->caller.worker = sd_bus_message_get_sender(message);
    call->caller.unit = call->unit;
    call->pid = pid;
    return call;
}

sd_bus_message *syncd_call_message(SyncdCall *call)
{
    return call->message;
}

const SyncdCaller *syncd_call_caller(const SyncdCall *call)
{
    return &call->caller;
}

SyncdJob *syncd_call_job(const SyncdCall *call)
{
    return call->object->job;
}

SyncdRepairPlan *syncd_call_plan(const SyncdCall *call)
{
    return call->object->plan;
}

void syncd_call_watch_worker(SyncdCall *call)
{
    syncd_workers_watch(call->bus->workers, call->caller.worker);
}

/* ---- authorisation ---- */

static void note_refusal(const SyncdCall *call, const char *action, const GError *refusal)
{
    syncd_service_note_refusal(call->bus->service, &call->caller,
                               action != NULL ? action : call->rule->method,
                               syncd_error_info_of(refusal)->name);
}

static int on_vanished(sd_bus_track *track, void *userdata)
{
    SyncdCall *call = userdata;
    g_hash_table_remove(call->bus->asking, call->message);
    return 1;
}

static int on_sweep(sd_event_source *source, void *userdata)
{
    SyncdCall *call = userdata;
    g_hash_table_remove(call->bus->asking, call->message);
    return 0;
}

/* The message goes through the whole dispatch again, as if it had just come. */
static int dispatch_again(SyncdCall *call)
{
    sd_bus *connection = call->bus->connection;
    int r = sd_event_add_defer(sd_bus_get_event(connection), &call->sweep, on_sweep, call);
    if (r >= 0)
        r = sd_event_source_set_priority(call->sweep, SD_EVENT_PRIORITY_IDLE);
    if (r >= 0)
        r = sd_bus_message_rewind(call->message, true);
    if (r >= 0)
        r = syncd_queue_pass(call->bus->queue, call->message);
    return r;
}

static void on_answer(void *data, const GError *refusal)
{
    SyncdCall *call = data;
    syncd_limits_give(call->bus->limits, SYNCD_LIMIT_QUESTIONS, call->caller.uid);
    g_clear_pointer(&call->question, syncd_question_free);
    call->refusal = refusal != NULL ? g_error_copy(refusal) : NULL;

    int r = dispatch_again(call);
    if (r < 0) {
        g_autoptr(GError) error = NULL;
        syncd_set_error_bus(&error, r, "The call cannot be continued");
        syncd_bus_reply_error(call->message, error);
        g_hash_table_remove(call->bus->asking, call->message);
    }
}

static bool watch_caller(SyncdCall *call, GError **error)
{
    int r = sd_bus_track_new(call->bus->connection, &call->track, on_vanished, call);
    if (r >= 0)
        r = sd_bus_track_add_sender(call->track, call->message);
    if (r < 0)
        syncd_set_error(error, SYNCD_ERROR_ACCESS_DENIED, "You cannot be found on the bus: %s",
                        g_strerror(-r));
    return r >= 0;
}

static void ask(SyncdCall *call, const char *action, const char *const *details, GError **error)
{
    SyncdBus *bus = call->bus;
    const SyncdSubject subject = {
        .name = sd_bus_message_get_sender(call->message),
        .uid = call->caller.uid,
        .pid = call->pid,
        .interactive = sd_bus_message_get_allow_interactive_authorization(call->message) > 0,
    };
    if (!watch_caller(call, error) ||
        !syncd_limits_take(bus->limits, SYNCD_LIMIT_QUESTIONS, subject.uid, error))
        return;

    call->question =
        syncd_authority_ask(bus->authority, &subject, action, details, on_answer, call, error);
    if (call->question == NULL) {
        syncd_limits_give(bus->limits, SYNCD_LIMIT_QUESTIONS, subject.uid);
        return;
    }
    call->asked = action;
    g_hash_table_insert(bus->asking, call->message, call);
}

/* What polkit said, when it was asked about this very action. */
static bool heed_answer(const SyncdCall *call, const char *action, GError **error)
{
    if (g_strcmp0(call->asked, action) != 0) {
        syncd_set_error(error, SYNCD_ERROR_ACCESS_DENIED,
                        "What the call is about changed while polkit was asked");
        return false;
    }
    if (call->refusal != NULL && error != NULL)
        *error = g_error_copy(call->refusal);
    return call->refusal == NULL;
}

static const char *why_not(const SyncdCall *call, SyncdRight right)
{
    if (call->bus->instance == SYNCD_INSTANCE_USER)
        return "This instance serves its own user only";
    return right.kind == SYNCD_RIGHT_OWNER ? "This is for whom it belongs to, and for root"
                                           : "The system instance does not offer this";
}

void syncd_call_judge_as(SyncdCall *call, const char *interface, const char *method)
{
    call->rule = syncd_rule_find(interface, method);
}

SyncdService *syncd_call_authorise(SyncdCall *call, bool others, const char *const *details,
                                   GError **error)
{
    SyncdBus *bus = call->bus;
    SyncdRight right = syncd_rule_right(call->rule, bus->instance);
    g_autoptr(GError) refusal = NULL;

    switch (syncd_right_judge(right, bus->instance, bus->uid, call->caller.uid, others)) {
    case SYNCD_JUDGED_YES:
        if (bus->instance == SYNCD_INSTANCE_SYSTEM && call->caller.uid == 0)
            call->caller.inspector = true;
        return bus->service;
    case SYNCD_JUDGED_ASK:
        if (call->asked == NULL) {
            ask(call, right.action, details, &refusal);
            if (refusal == NULL)
                return NULL;
        } else if (heed_answer(call, right.action, &refusal)) {
            call->caller.inspector = call->caller.inspector || others;
            return bus->service;
        }
        break;
    default:
        syncd_set_error(&refusal, SYNCD_ERROR_ACCESS_DENIED, "%s", why_not(call, right));
    }
    note_refusal(call, right.action, refusal);
    g_propagate_error(error, g_steal_pointer(&refusal));
    return NULL;
}

/* ---- the way in ---- */

static SyncdCall *take_asking(SyncdBus *bus, sd_bus_message *message)
{
    SyncdCall *call = g_hash_table_lookup(bus->asking, message);
    if (call == NULL)
        return NULL;
    g_hash_table_steal(bus->asking, message);
    call->sweep = sd_event_source_disable_unref(call->sweep);
    call->track = sd_bus_track_unref(call->track);
    return call;
}

static const SyncdMethod *find_method(sd_bus_message *message)
{
    const SyncdInterface *interface = syncd_interface_find(sd_bus_message_get_interface(message));
    if (interface != NULL)
        for (const SyncdMethod *method = interface->methods; method->member != NULL; method++)
            if (g_strcmp0(method->member, sd_bus_message_get_member(message)) == 0)
                return method;
    return NULL;
}

static void on_commit(void *data, const GError *failure);

/* A refusal that names what the open turn records is answered when that is durable, as whatever is
 * done is: takes the error then. */
static bool wait_to_refuse(SyncdCall *call, GError **error)
{
    SyncdService *service = call->bus->service;
    call->named_denial = *error != NULL ? syncd_service_take_denial(service, *error) : NULL;
    if (call->named_denial == NULL)
        return false;
    call->denial = g_steal_pointer(error);
    call->waits = true;
    syncd_service_after_commit(service, on_commit, call);
    return true;
}

static int run(SyncdCall *call, const SyncdMethod *method, sd_bus_error *ret_error)
{
    g_autoptr(GError) error = NULL;
    call->running = true;
    bool done = method->handler(call, &error);
    bool asks = !done && error == NULL && call->question != NULL;
    bool waits = !done && wait_to_refuse(call, &error);
    call->running = false;

    if (asks)
        return 1;
    int r = 1;
    if (!done && !waits)
        r = syncd_bus_set_error(ret_error, error);
    if (!call->waits && !call->goes_on)
        call_free(call);
    return r;
}

/* What a call may have left to do for others. */
static void call_done(SyncdBus *bus)
{
    syncd_service_call_done(bus->service);
    if (syncd_service_turn_is_full(bus->service))
        syncd_service_commit(bus->service);
}

int syncd_call_enter(sd_bus_message *message, void *userdata, sd_bus_error *ret_error)
{
    const SyncdObject *object = userdata;
    SyncdBus *bus = object->bus;
    const char *interface = sd_bus_message_get_interface(message);
    const SyncdRule *rule = syncd_rule_find(interface, sd_bus_message_get_member(message));
    const SyncdMethod *method = find_method(message);
    if (rule == NULL || method == NULL)
        return sd_bus_error_set(ret_error, SD_BUS_ERROR_UNKNOWN_METHOD, "There is no such method.");

    g_autoptr(GError) error = NULL;
    SyncdCall *call = take_asking(bus, message);
    if (call == NULL)
        call = call_new(bus, message, &error);
    if (call == NULL)
        return syncd_bus_set_error(ret_error, error);

    call->object = object;
    call->rule = rule;
    int r = run(call, method, ret_error);
    call_done(bus);
    return r;
}

void syncd_call_cancel(SyncdCall *call)
{
    g_autoptr(GError) error = NULL;
    syncd_set_error(&error, SYNCD_ERROR_CANCELLED, "The daemon is stopping");
    syncd_bus_reply_error(call->message, error);
    call_free(call);
}

void syncd_call_drop(SyncdCall *call)
{
    call_free(call);
}

/* ---- in pieces ---- */

static void on_piece(void *data, bool stopping);

static bool take_step(SyncdCall *call, GError **error)
{
    bool done = false;
    if (!call->step(call, call->service, call->pieces, &done, error))
        return false;
    call->goes_on = !done;
    if (!done)
        syncd_queue_go_on(call->bus->queue, call->caller.uid, on_piece, call);
    return true;
}

static void on_piece(void *data, bool stopping)
{
    SyncdCall *call = data;
    SyncdBus *bus = call->bus;
    g_autoptr(GError) error = NULL;
    if (stopping) {
        syncd_call_cancel(call);
        return;
    }
    call->goes_on = false;
    call->running = true;
    if (!take_step(call, &error) && !wait_to_refuse(call, &error))
        syncd_bus_reply_error(call->message, error);
    call->running = false;
    if (!call->waits && !call->goes_on)
        call_free(call);
    call_done(bus);
}

bool syncd_call_in_pieces(SyncdCall *call, SyncdService *service, SyncdCallStep step, void *data,
                          GDestroyNotify free_data, GError **error)
{
    call->service = service;
    call->step = step;
    call->pieces = data;
    call->free_pieces = free_data;
    return take_step(call, error);
}

/* ---- the way out ---- */

/* A reply that cannot be sent has nobody to be told: the caller has gone. */
static bool sent(int result, GError **error)
{
    if (result < 0)
        syncd_set_error_bus(error, result, "The reply cannot be sent");
    return result >= 0;
}

static int append_text(sd_bus_message *reply, const char *text)
{
    if (text == NULL || syncd_is_sendable(text))
        return sd_bus_message_append_basic(reply, 's', text);
    g_autofree char *sendable = syncd_sendable(text);
    return sd_bus_message_append_basic(reply, 's', sendable);
}

static int append_texts(sd_bus_message *reply, char **texts)
{
    int r = sd_bus_message_open_container(reply, 'a', "s");
    for (; r >= 0 && texts != NULL && *texts != NULL; texts++)
        r = append_text(reply, *texts);
    return r >= 0 ? sd_bus_message_close_container(reply) : r;
}

static int append_one(sd_bus_message *reply, char type, va_list *args)
{
    switch (type) {
    case 's':
        return append_text(reply, va_arg(*args, const char *));
    case 't':
        return sd_bus_message_append(reply, "t", va_arg(*args, guint64));
    case 'b':
        return sd_bus_message_append(reply, "b", va_arg(*args, int));
    case 'o':
        return sd_bus_message_append(reply, "o", va_arg(*args, const char *));
    default:
        return -EINVAL;
    }
}

static int new_reply(SyncdCall *call, const char *types, va_list *args, sd_bus_message **ret_reply)
{
    int r = sd_bus_message_new_method_return(call->message, ret_reply);
    for (; r >= 0 && *types != '\0'; types++)
        r = append_one(*ret_reply, *types, args);
    return r;
}

bool syncd_call_reply(SyncdCall *call, GError **error, const char *types, ...)
{
    sd_bus_message *reply = NULL;
    va_list args;
    va_start(args, types);
    int r = new_reply(call, types, &args, &reply);
    va_end(args);
    if (r >= 0)
        r = sd_bus_send(NULL, reply, NULL);
    sd_bus_message_unref(reply);
    return sent(r, error);
}

bool syncd_call_reply_texts(SyncdCall *call, GError **error, char **texts, const char *types, ...)
{
    sd_bus_message *reply = NULL;
    va_list args;
    va_start(args, types);
    int r = new_reply(call, types, &args, &reply);
    va_end(args);
    if (r >= 0)
        r = append_texts(reply, texts);
    if (r >= 0)
        r = sd_bus_send(NULL, reply, NULL);
    sd_bus_message_unref(reply);
    return sent(r, error);
}

bool syncd_call_reply_bytes(SyncdCall *call, GError **error, const GString *bytes,
                            const char *cursor)
{
    sd_bus_message *reply = NULL;
    int r = sd_bus_message_new_method_return(call->message, &reply);
    if (r >= 0)
        r = sd_bus_message_append_array(reply, 'y', bytes->str, bytes->len);
    if (r >= 0 && cursor != NULL)
        r = sd_bus_message_append(reply, "s", cursor);
    if (r >= 0)
        r = sd_bus_send(NULL, reply, NULL);
    sd_bus_message_unref(reply);
    return sent(r, error);
}

static void on_commit(void *data, const GError *failure)
{
    SyncdCall *call = data;
    g_autoptr(GError) error = NULL;
    if (call->denial != NULL)
        error = g_error_copy(failure != NULL ? call->denial : call->named_denial);
    else if (failure != NULL)
        error = g_error_copy(failure);
    if (error != NULL || !call->answer(call, call->service, call->data, &error))
        syncd_bus_reply_error(call->message, error);

    call->waits = false;
    if (!call->running)
        call_free(call);
}

static void wait_to_answer(SyncdCall *call, SyncdService *service, SyncdCallAnswer answer,
                           void *data, GDestroyNotify free_data)
{
    call->service = service;
    call->answer = answer;
    call->data = data;
    call->free_data = free_data;
    call->waits = true;
}

void syncd_call_after_commit(SyncdCall *call, SyncdService *service, SyncdCallAnswer answer,
                             void *data, GDestroyNotify free_data)
{
    wait_to_answer(call, service, answer, data, free_data);
    syncd_service_after_commit(service, on_commit, call);
}

void syncd_call_after_job(SyncdCall *call, SyncdService *service, SyncdJob *job,
                          SyncdCallAnswer answer, void *data, GDestroyNotify free_data)
{
    wait_to_answer(call, service, answer, data, free_data);
    syncd_service_after_job(job, on_commit, call);
}
