/*
 * One method call, from its arrival to its answer.
 *
 * Every method of every interface enters through syncd_call_enter(): it finds out who calls, counts
 * the call, looks for the method's row in the table of bus/authorise.h and only then runs the
 * handler. A handler reads the arguments, authorises, makes one call of the service and replies; it
 * cannot reach the service without having authorised, because that is what gives it.
 *
 * When polkit must be asked, syncd_call_authorise() gives NULL without an error and the handler
 * returns false. Once the answer is there the message is dispatched again from the start: the
 * object is looked up, the arguments are read, the row is judged again, and the answer counts only
 * for the action that was asked. A caller that leaves the bus meanwhile takes its call with it.
 */
#pragma once

#include "service/service.h"

#include <glib.h>
#include <stdbool.h>
#include <systemd/sd-bus.h>

typedef struct SyncdCall SyncdCall;

/* False with an error: it becomes the reply. False without one: see syncd_call_authorise(). */
typedef bool (*SyncdHandler)(SyncdCall *call, GError **error);

typedef struct {
    const char *member;
    SyncdHandler handler;
} SyncdMethod;

/* The handler of every method in every vtable; `userdata` is a SyncdObject. */
int syncd_call_enter(sd_bus_message *message, void *userdata, sd_bus_error *ret_error);

sd_bus_message *syncd_call_message(SyncdCall *call);
const SyncdCaller *syncd_call_caller(const SyncdCall *call);
SyncdJob *syncd_call_job(const SyncdCall *call);         /* of a job's object, else NULL */
SyncdRepairPlan *syncd_call_plan(const SyncdCall *call); /* of a plan's, else NULL */

/* When the caller leaves the bus, its leases end. */
void syncd_call_watch_worker(SyncdCall *call);

/* `others`: the call is about what others did. `details` (names and values in turn, or NULL) are
 * shown to whoever polkit asks. NULL with an error: no. NULL without: return false, the handler
 * will be called again. */
SyncdService *syncd_call_authorise(SyncdCall *call, bool others, const char *const *details,
                                   GError **error);
/* To be judged by the row of another method, which does the same by itself. */
void syncd_call_judge_as(SyncdCall *call, const char *interface, const char *method);

bool syncd_call_reply(SyncdCall *call, GError **error, const char *types, ...);
/* The same with a list of texts (as) behind the others; NULL is empty. */
bool syncd_call_reply_texts(SyncdCall *call, GError **error, char **texts, const char *types, ...);
bool syncd_call_reply_bytes(SyncdCall *call, GError **error, const GString *bytes,
                            const char *cursor); /* NULL: the method gives none */

/* Answers once the present turn is durable: `answer` replies, or the error of the commit does. */
typedef bool (*SyncdCallAnswer)(SyncdCall *call, SyncdService *service, void *data, GError **error);
void syncd_call_after_commit(SyncdCall *call, SyncdService *service, SyncdCallAnswer answer,
                             void *data, GDestroyNotify free_data);

/* The same once a job has ended, with its error. */
void syncd_call_after_job(SyncdCall *call, SyncdService *service, SyncdJob *job,
                          SyncdCallAnswer answer, void *data, GDestroyNotify free_data);

/* For a call that takes long: `step` is called now, and again whenever it is the caller's turn
 * (bus/queue.h), until it says that it is done; it has replied then, or registered who does. What
 * `data` holds is freed with the call. The handler returns what this gives. */
typedef bool (*SyncdCallStep)(SyncdCall *call, SyncdService *service, void *data, bool *ret_done,
                              GError **error);
bool syncd_call_in_pieces(SyncdCall *call, SyncdService *service, SyncdCallStep step, void *data,
                          GDestroyNotify free_data, GError **error);

/* The ends of a call that waits for polkit: the instance stops; the caller has gone. The
 * first is also that of a call in pieces. */
void syncd_call_cancel(SyncdCall *call);
void syncd_call_drop(SyncdCall *call);
