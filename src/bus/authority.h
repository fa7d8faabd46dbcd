/*
 * Asks polkit whether a caller may do something, without making anybody else wait.
 *
 * In the system instance the caller is named by its bus name, and details travel with the question.
 * In the user instance it is named by its process, and without details, which polkit takes only
 * from the owner of an action; polkit is then on another bus, opened for the first question.
 *
 * The answer is yes or a reason why not. Everything that is not a clear yes is a no: an error, a
 * polkit that is not there, a question that took too long.
 */
#pragma once

#include "service/service.h"

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>
#include <systemd/sd-bus.h>

typedef struct SyncdAuthority SyncdAuthority;
typedef struct SyncdQuestion SyncdQuestion;

/* `connection` is the instance's own, borrowed; it has an event loop. */
SyncdAuthority *syncd_authority_new(sd_bus *connection, SyncdInstance instance);
void syncd_authority_free(SyncdAuthority *authority);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdAuthority, syncd_authority_free)

typedef struct {
    const char *name; /* on the bus */
    uid_t uid;
    pid_t pid;        /* user instance only */
    bool interactive; /* may somebody be asked for a password? */
} SyncdSubject;

/* Called once; `refusal` NULL means yes. The question may be freed there. */
typedef void (*SyncdAnswerFunc)(void *data, const GError *refusal);

/* `details`: names and values in turn, NULL-terminated; NULL for none. NULL with AccessDenied when
 * the question cannot even be put. */
SyncdQuestion *syncd_authority_ask(SyncdAuthority *authority, const SyncdSubject *subject,
                                   const char *action, const char *const *details,
                                   SyncdAnswerFunc answer, void *data, GError **error);
/* Withdraws a question that has no answer yet; `answer` is then not called. */
void syncd_question_free(SyncdQuestion *question);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdQuestion, syncd_question_free)
