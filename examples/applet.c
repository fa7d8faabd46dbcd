/* clang-format off */
/*
 * An applet for sourceos-syncd without a panel: writes a line for each change that one would draw.
 *
 *     state degraded: no-space            how it is, and why; daemon-unavailable when it is not there
 *     findings 1 errors, 2 warnings       what a diagnosis found: how much,
 *     finding error file-modes            each for itself; gone when it is found no more
 *     plan <id> preview                   a repair plan, and what became of it; gone when it is forgotten
 *     job <id> running 40 %               how far a job is, and how it ended
 *
 * It only listens: nothing that it asks for is waited for, and it never starts the daemon. When
 * that comes back it is asked how it is. Ends on SIGTERM.
 */
/* clang-format on */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#define NAME "org.sourceos.Sync"
#define PATH "/org/sourceos/Sync"
#define MANAGER NAME ".Manager"
#define JOB NAME ".Job"
#define PLAN NAME ".RepairPlan"
#define PROPERTIES "org.freedesktop.DBus.Properties"
#define OBJECTS "org.freedesktop.DBus.ObjectManager"
#define OWNER_CHANGED                                                                              \
    "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='" NAME "'"
#define TEXT_MAX 256
#define FINDINGS_MAX 128

typedef struct {
    char lines[FINDINGS_MAX][TEXT_MAX]; /* "error file-modes" */
    unsigned n;
} Findings;

typedef struct {
    sd_bus *bus;
    char state[TEXT_MAX], reasons[TEXT_MAX];
    char drawn[2 * TEXT_MAX + 16];
    Findings findings; /* that were drawn */
} Applet;

/* What a message says of an object's properties; what it says nothing of is as it was. */
typedef struct {
    char *state, *reasons; /* TEXT_MAX each, or NULL: nobody wants it */
    double progress;
    bool has_progress;
} Said;

/* ---- reading ---- */

static int read_text(sd_bus_message *message, char *into)
{
    const char *text;
    int r = sd_bus_message_read(message, "v", "s", &text);
    if (r >= 0 && into != NULL)
        snprintf(into, TEXT_MAX, "%s", text);
    return r;
}

static int read_texts(sd_bus_message *message, char *into)
{
    char **texts = NULL;
    int r = sd_bus_message_enter_container(message, 'v', "as");
    if (r >= 0)
        r = sd_bus_message_read_strv(message, &texts);
    if (r >= 0)
        r = sd_bus_message_exit_container(message);
    if (r >= 0 && into != NULL)
        *into = '\0';
    for (char **text = texts; text != NULL && *text != NULL; text++) {
        size_t used = into != NULL ? strlen(into) : 0;
        if (r >= 0 && into != NULL)
            snprintf(into + used, TEXT_MAX - used, "%s%s", used > 0 ? ", " : "", *text);
        free(*text);
    }
    free(texts);
    return r;
}

static int read_property(sd_bus_message *message, Said *said)
{
    const char *name;
    int r = sd_bus_message_read(message, "s", &name);
    if (r < 0)
        return r;
    if (strcmp(name, "State") == 0)
        return read_text(message, said->state);
    if (strcmp(name, "StateReasons") == 0)
        return read_texts(message, said->reasons);
    if (strcmp(name, "Progress") == 0) {
        said->has_progress = true;
        return sd_bus_message_read(message, "v", "d", &said->progress);
    }
    return sd_bus_message_skip(message, "v");
}

static int read_properties(sd_bus_message *message, Said *said)
{
    int r = sd_bus_message_enter_container(message, 'a', "{sv}");
    while (r >= 0 && (r = sd_bus_message_enter_container(message, 'e', "sv")) > 0) {
        r = read_property(message, said);
        if (r >= 0)
            r = sd_bus_message_exit_container(message);
    }
    return r;
}

/* ---- drawing ---- */

static void draw(const char *line)
{
    puts(line);
    fflush(stdout);
}

static void draw_state(Applet *applet)
{
    char line[sizeof applet->drawn];
    snprintf(line, sizeof line, "state %s%s%s", applet->state, *applet->reasons != '\0' ? ": " : "",
             applet->reasons);
    if (*applet->state == '\0' || strcmp(line, applet->drawn) == 0)
        return;
    memcpy(applet->drawn, line, sizeof line);
    draw(line);
}

static void draw_gone(Applet *applet)
{
    strcpy(applet->state, "daemon-unavailable");
    *applet->reasons = '\0';
    draw_state(applet);
}

/* Of what is served below `prefix`: "job <id> done". */
static void draw_object(const char *kind, const char *path, const char *prefix, const char *what)
{
    char line[2 * TEXT_MAX];
    char *id = NULL;
    if (sd_bus_path_decode(path, prefix, &id) > 0) {
        snprintf(line, sizeof line, "%s %.200s %.200s", kind, id, what);
        draw(line);
    }
    free(id);
}

static void draw_job(const char *path, const Said *said)
{
    char progress[TEXT_MAX];
    bool running = *said->state == '\0' || strcmp(said->state, "running") == 0;
    snprintf(progress, sizeof progress, "running %.0f %%", said->progress * 100);
    if (!running)
        draw_object("job", path, PATH "/job", said->state);
    else if (said->has_progress)
        draw_object("job", path, PATH "/job", progress);
}

/* ---- what comes from the bus ---- */

static int on_properties(sd_bus_message *signal, void *userdata, sd_bus_error *ret_error)
{
    Applet *applet = userdata;
    const char *interface;
    char state[TEXT_MAX] = "";
    Said of_manager = {.state = applet->state, .reasons = applet->reasons};
    Said of_job = {.state = state};
    if (sd_bus_message_read(signal, "s", &interface) < 0)
        return 0;
    if (strcmp(interface, MANAGER) == 0 && read_properties(signal, &of_manager) >= 0)
        draw_state(applet);
    else if (strcmp(interface, JOB) == 0 && read_properties(signal, &of_job) >= 0)
        draw_job(sd_bus_message_get_path(signal), &of_job);
    return 0;
}

/* What stands behind `name` in a document that has it as "name":"words": within texts each of these
 * quotes would be escaped. */
static const char *take_word(const char *json, const char *name, char word[TEXT_MAX / 4])
{
    const char *at = strstr(json, name);
    size_t size = at != NULL ? strcspn(at + strlen(name), "\"") : 0;
    if (at == NULL || size >= TEXT_MAX / 4)
        return NULL;
    memcpy(word, at + strlen(name), size);
    word[size] = '\0';
    return at + strlen(name) + size;
}

static const char *code_of(const char *line)
{
    return strchr(line, ' ') + 1;
}

static bool has(const Findings *findings, const char *line, bool whole)
{
    for (unsigned i = 0; i < findings->n; i++)
        if (strcmp(code_of(findings->lines[i]), code_of(line)) == 0 &&
            (!whole || strcmp(findings->lines[i], line) == 0))
            return true;
    return false;
}

static void read_findings(const char *json, Findings *ret_findings)
{
    char code[TEXT_MAX / 4], severity[TEXT_MAX / 4];
    ret_findings->n = 0;
    while (ret_findings->n < FINDINGS_MAX &&
           (json = take_word(json, "\"code\":\"", code)) != NULL &&
           (json = take_word(json, "\"severity\":\"", severity)) != NULL)
        snprintf(ret_findings->lines[ret_findings->n++], TEXT_MAX, "%s %s", severity, code);
}

static void draw_findings(Findings *drawn, const char *json)
{
    char line[TEXT_MAX + 16];
    Findings now;
    read_findings(json, &now);
    for (unsigned i = 0; i < drawn->n; i++) {
        snprintf(line, sizeof line, "finding %s gone", code_of(drawn->lines[i]));
        if (!has(&now, drawn->lines[i], false))
            draw(line);
    }
    for (unsigned i = 0; i < now.n; i++) {
        snprintf(line, sizeof line, "finding %s", now.lines[i]);
        if (!has(drawn, now.lines[i], true))
            draw(line);
    }
    *drawn = now;
}

static int on_diagnosis(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error)
{
    const char *json;
    if (!sd_bus_message_is_method_error(reply, NULL) && sd_bus_message_read(reply, "s", &json) >= 0)
        draw_findings(&((Applet *)userdata)->findings, json);
    return 0;
}

static int call(Applet *applet, const char *interface, const char *method, const char *argument,
                sd_bus_message_handler_t handler)
{
    sd_bus_message *message = NULL;
    int r = sd_bus_message_new_method_call(applet->bus, &message, NAME, PATH, interface, method);
    if (r >= 0)
        r = sd_bus_message_set_auto_start(message, 0);
    if (r >= 0)
        r = argument != NULL ? sd_bus_message_append(message, "s", argument)
                             : sd_bus_message_append(message, "a{sv}", 0);
    if (r >= 0)
        r = sd_bus_call_async(applet->bus, NULL, message, handler, applet, 0);
    sd_bus_message_unref(message);
    return r;
}

static int on_findings(sd_bus_message *signal, void *userdata, sd_bus_error *ret_error)
{
    unsigned errors, warnings;
    char line[TEXT_MAX];
    if (sd_bus_message_read(signal, "uu", &errors, &warnings) < 0)
        return 0;
    snprintf(line, sizeof line, "findings %u errors, %u warnings", errors, warnings);
    draw(line);
    call(userdata, MANAGER, "Diagnose", NULL, on_diagnosis);
    return 0;
}

static int on_plan(sd_bus_message *signal, void *userdata, sd_bus_error *ret_error)
{
    const char *state;
    if (sd_bus_message_read(signal, "s", &state) >= 0)
        draw_object("plan", sd_bus_message_get_path(signal), PATH "/plan", state);
    return 0;
}

static int on_removed(sd_bus_message *signal, void *userdata, sd_bus_error *ret_error)
{
    const char *path;
    if (sd_bus_message_read(signal, "o", &path) >= 0)
        draw_object("plan", path, PATH "/plan", "gone");
    return 0;
}

static int on_answer(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error)
{
    Applet *applet = userdata;
    Said said = {.state = applet->state, .reasons = applet->reasons};
    if (sd_bus_message_is_method_error(reply, NULL))
        draw_gone(applet);
    else if (read_properties(reply, &said) >= 0)
        draw_state(applet);
    return 0;
}

static int ask(Applet *applet)
{
    applet->findings.n = 0;
    int r = call(applet, PROPERTIES, "GetAll", MANAGER, on_answer);
    return r >= 0 ? call(applet, MANAGER, "Diagnose", NULL, on_diagnosis) : r;
}

static int on_owner(sd_bus_message *signal, void *userdata, sd_bus_error *ret_error)
{
    const char *name, *before, *now;
    Applet *applet = userdata;
    if (sd_bus_message_read(signal, "sss", &name, &before, &now) < 0)
        return 0;
    if (*now == '\0')
        draw_gone(applet);
    else
        ask(applet);
    return 0;
}

/* ---- the loop ---- */

static int subscribe(Applet *applet)
{
    static const struct {
        const char *interface, *member;
        sd_bus_message_handler_t handler;
    } signals[] = {
        {PROPERTIES, "PropertiesChanged", on_properties},
        {MANAGER, "FindingsChanged", on_findings},
        {PLAN, "PlanChanged", on_plan},
        {OBJECTS, "InterfacesRemoved", on_removed},
    };
    int r = sd_bus_add_match_async(applet->bus, NULL, OWNER_CHANGED, on_owner, NULL, applet);
    for (size_t i = 0; r >= 0 && i < sizeof signals / sizeof *signals; i++)
        r = sd_bus_match_signal_async(applet->bus, NULL, NAME, NULL, signals[i].interface,
                                      signals[i].member, signals[i].handler, NULL, applet);
    return r;
}

static int stop_on_signals(sd_event *event)
{
    static const int numbers[] = {SIGTERM, SIGINT};
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        sigaddset(&set, numbers[i]);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return -errno;
    int r = 0;
    for (size_t i = 0; r >= 0 && i < sizeof numbers / sizeof *numbers; i++)
        r = sd_event_add_signal(event, NULL, numbers[i], NULL, NULL);
    return r;
}

int main(void)
{
    Applet applet = {.bus = NULL};
    sd_event *event = NULL;
    int r = sd_event_default(&event);
    if (r >= 0)
        r = stop_on_signals(event);
    if (r >= 0)
        r = sd_bus_open_user(&applet.bus);
    if (r >= 0)
        r = sd_bus_attach_event(applet.bus, event, SD_EVENT_PRIORITY_NORMAL);
    if (r >= 0)
        r = sd_bus_set_exit_on_disconnect(applet.bus, 1);
    if (r >= 0)
        r = subscribe(&applet);
    if (r >= 0)
        r = ask(&applet);
    if (r >= 0)
        r = sd_event_loop(event);
    if (r < 0)
        fprintf(stderr, "The session bus (DBUS_SESSION_BUS_ADDRESS): %s\n", strerror(-r));
    sd_bus_flush_close_unref(applet.bus);
    sd_event_unref(event);
    return r < 0;
}
