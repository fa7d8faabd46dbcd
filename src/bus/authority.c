#include "bus/authority.h"

#include "base/error.h"
#include "bus/error-bus.h"
#include "bus/names.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* People look for their password; polkit's agents give up long before. */
#define ANSWER_TIMEOUT_USEC (5u * 60u * G_USEC_PER_SEC)
#define FLAG_INTERACTIVE 1u
#define STAT_START_TIME 22 /* the field of /proc/<pid>/stat */
#define CANCELLATION_ID_SIZE 48
#define POLICY_FILE                                                                                \
    "the file /usr/share/polkit-1/actions/org.sourceos.sync.policy (`meson install -C build` "     \
    "puts "                                                                                        \
    "it there)"

struct SyncdAuthority {
    SyncdInstance instance;
    sd_bus *own; /* the instance's connection */
    sd_bus *polkit;
    guint64 n_questions;
};

struct SyncdQuestion {
    SyncdAuthority *authority;
    sd_bus_slot *slot; /* NULL once answered */
    SyncdAnswerFunc answer;
    void *data;
    char cancellation_id[CANCELLATION_ID_SIZE];
};

SyncdAuthority *syncd_authority_new(sd_bus *connection, SyncdInstance instance)
{
    SyncdAuthority *authority = g_new0(SyncdAuthority, 1);
    authority->instance = instance;
    authority->own = sd_bus_ref(connection);
    return authority;
}

void syncd_authority_free(SyncdAuthority *authority)
{
    if (authority == NULL)
        return;
    sd_bus_flush_close_unref(authority->instance == SYNCD_INSTANCE_USER ? authority->polkit : NULL);
    sd_bus_unref(authority->own);
    g_free(authority);
}

#define HOW_TO_HAVE                                                                                \
    "install the package polkitd and " POLICY_FILE ", and see that polkit.service runs"

/* Where it is the user's own consent that is wanted, root has none to give. */
static void set_absent(GError **error, SyncdInstance instance, const char *why)
{
    syncd_set_error_next(error, SYNCD_ERROR_ACCESS_DENIED,
                         instance == SYNCD_INSTANCE_USER ? HOW_TO_HAVE
                                                         : HOW_TO_HAVE ", or have root do this",
                         "This needs an authorisation, and polkit cannot be asked (%s)", why);
}

/* The connection that leads to polkit. */
static int connect_to_polkit(SyncdAuthority *authority)
{
    if (authority->instance == SYNCD_INSTANCE_SYSTEM) {
        authority->polkit = authority->own;
        return 0;
    }
    if (authority->polkit != NULL && sd_bus_is_open(authority->polkit) > 0)
        return 0;

    sd_bus_close_unref(g_steal_pointer(&authority->polkit));
    int r = sd_bus_open_system_with_description(&authority->polkit, "polkit");
    if (r >= 0)
        r = sd_bus_attach_event(authority->polkit, sd_bus_get_event(authority->own),
                                SD_EVENT_PRIORITY_NORMAL);
    return r;
}

/* With the pid it names a process for good: pids are used again, pairs are not. */
static int read_start_time(pid_t pid, guint64 *ret_start_time)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/stat", (int)pid);
    g_autofree char *text = NULL;
    if (!g_file_get_contents(path, &text, NULL, NULL))
        return -ESRCH;

    /* The second field is the program's name in parentheses, with any characters in it. */
    const char *at = strrchr(text, ')');
    for (int field = 2; at != NULL && field < STAT_START_TIME; field++) {
        at = strchr(at, ' ');
        at = at != NULL ? at + 1 : NULL;
    }
    if (at == NULL || !g_ascii_isdigit(*at))
        return -EBADMSG;
    *ret_start_time = g_ascii_strtoull(at, NULL, 10);
    return 0;
}

static int append_subject(const SyncdAuthority *authority, sd_bus_message *message,
                          const SyncdSubject *subject)
{
    if (authority->instance == SYNCD_INSTANCE_SYSTEM)
        return sd_bus_message_append(message, "(sa{sv})", "system-bus-name", 1, "name", "s",
                                     subject->name);

    guint64 start_time = 0;
    int r = read_start_time(subject->pid, &start_time);
    if (r < 0)
        return r;
    return sd_bus_message_append(message, "(sa{sv})", "unix-process", 3, "pid", "u",
                                 (guint32)subject->pid, "start-time", "t", start_time, "uid", "i",
                                 (gint32)subject->uid);
}

static int append_details(const SyncdAuthority *authority, sd_bus_message *message,
                          const char *const *details)
{
    int r = sd_bus_message_open_container(message, 'a', "{ss}");
    if (authority->instance == SYNCD_INSTANCE_SYSTEM && details != NULL)
        for (; r >= 0 && *details != NULL; details += 2)
            r = sd_bus_message_append(message, "{ss}", details[0], details[1]);
    return r >= 0 ? sd_bus_message_close_container(message) : r;
}

static bool is_absence(const sd_bus_error *error)
{
    static const char *const names[] = {
        SD_BUS_ERROR_SERVICE_UNKNOWN, SD_BUS_ERROR_NAME_HAS_NO_OWNER, SD_BUS_ERROR_NO_REPLY,
        SD_BUS_ERROR_TIMEOUT,         SD_BUS_ERROR_DISCONNECTED,
    };
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        if (sd_bus_error_has_name(error, names[i]))
            return true;
    return g_str_has_prefix(error->name, "org.freedesktop.DBus.Error.Spawn.") ||
           g_str_has_prefix(error->name, "org.freedesktop.systemd1.");
}

static void set_refusal_of_error(GError **error, SyncdInstance instance, const sd_bus_error *from)
{
    if (is_absence(from)) {
        set_absent(error, instance, from->name);
        return;
    }
    syncd_set_error_next(error, SYNCD_ERROR_ACCESS_DENIED,
                         "see that polkit.service runs, and install " POLICY_FILE,
                         "polkit gave no judgement (%s)", from->message);
}

/* Nobody but oneself can be asked about one's own instance. */
static void set_refused(GError **error, SyncdInstance instance)
{
    syncd_set_error_next(error, SYNCD_ERROR_ACCESS_DENIED,
                         instance == SYNCD_INSTANCE_USER
                             ? "repeat it, and give your own password when you are asked"
                             : syncd_error_info(SYNCD_ERROR_ACCESS_DENIED)->next,
                         "polkit does not allow you this");
}

/* NULL for yes. */
static GError *read_answer(SyncdInstance instance, sd_bus_message *reply)
{
    GError *refusal = NULL;
    const sd_bus_error *failure = sd_bus_message_get_error(reply);
    if (failure != NULL) {
        set_refusal_of_error(&refusal, instance, failure);
        return refusal;
    }

    int allowed = 0, challenge = 0;
    int r = sd_bus_message_enter_container(reply, 'r', "bba{ss}");
    if (r >= 0)
        r = sd_bus_message_read(reply, "bb", &allowed, &challenge);
    if (r >= 0 && allowed)
        return NULL;
    if (r >= 0 && challenge)
        syncd_set_error(&refusal, SYNCD_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED,
                        "This needs an authorisation, and nobody could be asked for it");
    else
        set_refused(&refusal, instance);
    return refusal;
}

static int on_answer(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error)
{
    SyncdQuestion *question = userdata;
    g_autoptr(GError) refusal = read_answer(question->authority->instance, reply);
    question->slot = sd_bus_slot_unref(question->slot);
    question->answer(question->data, refusal);
    return 0;
}

static int put_question(SyncdQuestion *question, const SyncdSubject *subject, const char *action,
                        const char *const *details)
{
    SyncdAuthority *authority = question->authority;
    sd_bus_message *message = NULL;
    int r = sd_bus_message_new_method_call(authority->polkit, &message, SYNCD_POLKIT_NAME,
                                           SYNCD_POLKIT_PATH, SYNCD_POLKIT_INTERFACE,
                                           "CheckAuthorization");
    if (r >= 0)
        r = append_subject(authority, message, subject);
    if (r >= 0)
        r = sd_bus_message_append(message, "s", action);
    if (r >= 0)
        r = append_details(authority, message, details);
    if (r >= 0)
        r = sd_bus_message_append(message, "us", subject->interactive ? FLAG_INTERACTIVE : 0,
                                  question->cancellation_id);
    if (r >= 0)
        r = sd_bus_call_async(authority->polkit, &question->slot, message, on_answer, question,
                              ANSWER_TIMEOUT_USEC);
    sd_bus_message_unref(message);
    return r;
}

SyncdQuestion *syncd_authority_ask(SyncdAuthority *authority, const SyncdSubject *subject,
                                   const char *action, const char *const *details,
                                   SyncdAnswerFunc answer, void *data, GError **error)
{
    int r = connect_to_polkit(authority);
    if (r < 0) {
        set_absent(error, authority->instance, g_strerror(-r));
        return NULL;
    }

    g_autoptr(SyncdQuestion) question = g_new0(SyncdQuestion, 1);
    question->authority = authority;
    question->answer = answer;
    question->data = data;
    snprintf(question->cancellation_id, sizeof question->cancellation_id, "sourceos-sync-%" PRIu64,
             ++authority->n_questions);
    r = put_question(question, subject, action, details);
    if (r < 0) {
        syncd_set_error(error, SYNCD_ERROR_ACCESS_DENIED,
                        "Who you are cannot be told to polkit: %s", g_strerror(-r));
        return NULL;
    }
    return g_steal_pointer(&question);
}

void syncd_question_free(SyncdQuestion *question)
{
    if (question == NULL)
        return;
    if (question->slot != NULL) {
        sd_bus_slot_unref(question->slot);
        /* Nobody waits for the answer to this: the dialog closes, or there was none. */
        sd_bus_call_method_async(question->authority->polkit, NULL, SYNCD_POLKIT_NAME,
                                 SYNCD_POLKIT_PATH, SYNCD_POLKIT_INTERFACE,
                                 "CancelCheckAuthorization", NULL, NULL, "s",
                                 question->cancellation_id);
    }
    g_free(question);
}
