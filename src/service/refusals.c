#include "service/internal.h"

#include "base/log.h"
#include "contract/records.h"

#define WINDOW_USEC (60u * G_USEC_PER_SEC)
#define WINDOWS_MAX 256u
#define NAMED_MAX 8u /* decisions, of a window */
#define STRANGERS_MAX 64u

/* What the rules answered to one request. */
typedef struct {
    char *decision; /* id; NULL when the refusals of a window have several */
    char *object;   /* NULL for none, or when they are about several */
    char *lane, *data_class, *subject, *status, *rationale, *level;
} Denial;

static void denial_free(Denial *denial)
{
    if (denial == NULL)
        return;
    g_free(denial->decision);
    g_free(denial->object);
    g_free(denial->lane);
    g_free(denial->data_class);
    g_free(denial->subject);
    g_free(denial->status);
    g_free(denial->rationale);
    g_free(denial->level);
    g_free(denial);
}

static Denial *denial_new(const SyncdDecision *decision, const char *object)
{
    const SyncdPolicyDecision *answer = &decision->answer;
    Denial *denial = g_new0(Denial, 1);
    *denial = (Denial){
        .decision = g_strdup(decision->id),
        .object = g_strdup(object),
        .lane = g_strdup(decision->input.lane),
        .data_class = g_strdup(decision->input.data_class),
        .subject = g_strdup(decision->input.subject),
        .status = g_strdup(answer->outcome.status),
        .rationale = g_strdup(answer->rationale),
        .level = g_strdup(syncd_rule_level(answer)),
    };
    return denial;
}

static Denial *denial_copy(const Denial *denial)
{
    if (denial == NULL)
        return NULL;
    Denial *copy = g_new0(Denial, 1);
    *copy =
        (Denial){g_strdup(denial->decision),   g_strdup(denial->object),  g_strdup(denial->lane),
                 g_strdup(denial->data_class), g_strdup(denial->subject), g_strdup(denial->status),
                 g_strdup(denial->rationale),  g_strdup(denial->level)};
    return copy;
}

/* What is not the same of all that are counted together is said of none. */
static void keep_common(char **text, const char *other)
{
    if (g_strcmp0(*text, other) != 0)
        g_clear_pointer(text, g_free);
}

/* Refusals of one registered actor for one reason. The first was recorded when the window opened,
 * as was the first of each of a few decisions, which whoever was refused may ask about. */
typedef struct {
    char *actor;
    char *action;
    char *reason;
    Denial *denial; /* NULL when policy was not asked */
    guint64 count;  /* since then */
    guint64 first_ms;
    guint64 last_ms;
    guint64 closes;         /* monotonic */
    char *named[NAMED_MAX]; /* decisions of which one was recorded */
    unsigned n_named;
    bool unkept; /* one could not be recorded: others are only counted */
} Window;

/* The same of a uid without an actor: only that it was logged. */
typedef struct {
    uid_t uid;
    char *reason;
    guint64 quiet_until; /* monotonic */
} Stranger;

struct SyncdRefusals {
    GQueue windows; /* Window, in the order in which they close */
    GQueue written; /* Window: what the open turn records */
    Stranger strangers[STRANGERS_MAX];
    unsigned next_stranger;
};

static void window_free(Window *window)
{
    g_free(window->actor);
    g_free(window->action);
    g_free(window->reason);
    denial_free(window->denial);
    for (unsigned i = 0; i < window->n_named; i++)
        g_free(window->named[i]);
    g_free(window);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Window, window_free)

SyncdRefusals *syncd_refusals_new(void)
{
    SyncdRefusals *refusals = g_new0(SyncdRefusals, 1);
    g_queue_init(&refusals->windows);
    g_queue_init(&refusals->written);
    return refusals;
}

void syncd_refusals_free(SyncdRefusals *refusals)
{
    if (refusals == NULL)
        return;
    g_queue_clear_full(&refusals->windows, (GDestroyNotify)window_free);
    g_queue_clear_full(&refusals->written, (GDestroyNotify)window_free);
    for (unsigned i = 0; i < STRANGERS_MAX; i++)
        g_free(refusals->strangers[i].reason);
    g_free(refusals);
}

guint64 syncd_refusals_next_due(const SyncdRefusals *refusals)
{
    const Window *first = refusals->windows.head != NULL ? refusals->windows.head->data : NULL;
    return first != NULL ? first->closes : G_MAXUINT64;
}

static Window *window_copy(const Window *window, guint64 count)
{
    Window *copy = g_memdup2(window, sizeof *window);
    copy->actor = g_strdup(window->actor);
    copy->action = g_strdup(window->action);
    copy->reason = g_strdup(window->reason);
    copy->denial = denial_copy(window->denial);
    copy->count = count;
    copy->n_named = 0;
    return copy;
}

/* A refusal that cannot be recorded is still said somewhere. */
static bool record(SyncdService *service, const Window *window, guint64 count)
{
    const Denial *denial = window->denial;
    SyncdDecisionRecord denied;
    if (denial != NULL)
        denied = (SyncdDecisionRecord){
            .decision_id = denial->decision,
            .action = window->action,
            .lane = denial->lane,
            .data_class = denial->data_class,
            .subject = denial->subject,
            .object_id = denial->object,
            .status = denial->status,
            .reason = window->reason,
            .rationale = denial->rationale,
            .rule_level = denial->level,
        };
    SyncdRefusalRecord refusal = {
        .actor_id = window->actor,
        .action = window->action,
        .reason = window->reason,
        .count = count,
        .first_ms = window->first_ms,
        .last_ms = window->last_ms,
        .policy_id = SYNCD_POLICY_ID,
        .policy_version = SYNCD_POLICY_VERSION,
        .policy_digest = service->policy_digest,
        .denied = denial != NULL ? &denied : NULL,
    };
    g_autoptr(GString) content = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    syncd_refusal_record_write(&refusal, content);
    bool crossed = strcmp(window->reason, "profile_boundary_violation") == 0;
    bool kept = syncd_service_append_own(service, crossed ? "profile.violated" : "policy.refused",
                                         SYNCD_LANE_POLICY, SYNCD_REFUSAL_SCHEMA, content, &error);
    if (kept)
        g_queue_push_tail(&service->refusals->written, window_copy(window, count));
    else
        syncd_log(SYNCD_LOG_WARNING, SYNCD_LOG_ID_REFUSED,
                  "%" G_GUINT64_FORMAT " refusals of %s (%s) were not recorded: %s", count,
                  window->actor, window->reason, error->message);
    return kept;
}

static void close_first(SyncdService *service)
{
    g_autoptr(Window) window = g_queue_pop_head(&service->refusals->windows);
    if (window->count > 0)
        record(service, window, window->count);
}

void syncd_service_flush_refusals(SyncdService *service, bool all)
{
    guint64 now = syncd_service_monotonic(service);
    while (!g_queue_is_empty(&service->refusals->windows) &&
           (all || syncd_refusals_next_due(service->refusals) <= now))
        close_first(service);
    if (service->policy_blocked_until <= now)
        service->policy_blocked_until = 0;
}

static Window *find_window(SyncdRefusals *refusals, const char *actor, const char *reason)
{
    for (GList *at = refusals->windows.head; at != NULL; at = at->next) {
        Window *window = at->data;
        if (strcmp(window->actor, actor) == 0 && strcmp(window->reason, reason) == 0)
            return window;
    }
    return NULL;
}

/* ---- turns that do not last ---- */

void syncd_refusals_settle(SyncdRefusals *refusals)
{
    g_queue_clear_full(&refusals->written, (GDestroyNotify)window_free);
}

/* Its record is not in the log. */
static void drop_name(Window *window, const Denial *denial)
{
    if (denial == NULL || denial->decision == NULL)
        return;
    for (unsigned i = 0; i < window->n_named; i++) {
        if (strcmp(window->named[i], denial->decision) != 0)
            continue;
        g_free(window->named[i]);
        window->named[i] = window->named[--window->n_named];
        return;
    }
}

/* They were refused all the same. What fails here is no longer in the queue. */
void syncd_service_record_refusals_again(SyncdService *service)
{
    GQueue lost = service->refusals->written;
    g_queue_init(&service->refusals->written);
    for (Window *window; (window = g_queue_pop_head(&lost)) != NULL;) {
        Window *open = find_window(service->refusals, window->actor, window->reason);
        if (!record(service, window, window->count) && open != NULL)
            drop_name(open, window->denial);
        window_free(window);
    }
}

/* To write them at once would be to fail at once, and again. */
void syncd_service_count_refusals_again(SyncdService *service)
{
    SyncdRefusals *refusals = service->refusals;
    for (Window *lost; (lost = g_queue_pop_head(&refusals->written)) != NULL;) {
        Window *window = find_window(refusals, lost->actor, lost->reason);
        if (window == NULL && g_queue_get_length(&refusals->windows) < WINDOWS_MAX) {
            lost->closes = syncd_service_monotonic(service) + WINDOW_USEC;
            g_queue_push_tail(&refusals->windows, lost);
            continue;
        }
        if (window != NULL) {
            window->first_ms = lost->first_ms;
            window->count += lost->count;
            drop_name(window, lost->denial);
        }
        window_free(lost);
    }
}

/* ---- one more ---- */

static bool is_named(const Window *window, const char *decision)
{
    for (unsigned i = 0; i < window->n_named; i++)
        if (strcmp(window->named[i], decision) == 0)
            return true;
    return false;
}

/* What was not kept has no name, nor is it tried again for each that follows. */
static void note_kept(Window *window, const Denial *denial, bool kept)
{
    window->unkept |= !kept;
    if (kept && denial != NULL && denial->decision != NULL && window->n_named < NAMED_MAX)
        window->named[window->n_named++] = g_strdup(denial->decision);
}

static bool gets_name(const Window *window, const Denial *denial)
{
    return denial != NULL && !window->unkept && window->n_named < NAMED_MAX &&
           !is_named(window, denial->decision);
}

static void open_window(SyncdService *service, const char *actor, const char *action,
                        const char *reason, const Denial *denial)
{
    SyncdRefusals *refusals = service->refusals;
    guint64 now_ms = syncd_service_now_ms(service);
    if (g_queue_get_length(&refusals->windows) == WINDOWS_MAX)
        close_first(service);

    Window *window = g_new0(Window, 1);
    *window = (Window){
        .actor = g_strdup(actor),
        .action = g_strdup(action),
        .reason = g_strdup(reason),
        .denial = denial_copy(denial),
        .first_ms = now_ms,
        .last_ms = now_ms,
        .closes = syncd_service_monotonic(service) + WINDOW_USEC,
    };
    g_queue_push_tail(&refusals->windows, window);
    note_kept(window, denial, record(service, window, 1));
    syncd_service_ask_for_work(service);
}

/* Beside what the window counts. */
static void record_one(SyncdService *service, Window *window, const char *action,
                       const Denial *denial)
{
    guint64 now_ms = syncd_service_now_ms(service);
    const Window one = {
        .actor = window->actor,
        .action = (char *)action,
        .reason = window->reason,
        .denial = (Denial *)denial,
        .first_ms = now_ms,
        .last_ms = now_ms,
    };
    note_kept(window, denial, record(service, &one, 1));
}

/* The window's denial becomes what is common to those that it counts since its last record. */
static void count_in(Window *window, const Denial *denial, guint64 now_ms)
{
    window->last_ms = now_ms;
    if (window->count++ == 0) {
        window->first_ms = now_ms;
        denial_free(window->denial);
        window->denial = denial_copy(denial);
    } else if (window->denial != NULL && denial != NULL) {
        keep_common(&window->denial->object, denial->object);
        keep_common(&window->denial->decision, denial->decision);
    }
}

static void note_actor(SyncdService *service, const char *actor, const char *action,
                       const char *reason, const Denial *denial)
{
    syncd_service_flush_refusals(service, false);
    Window *window = find_window(service->refusals, actor, reason);
    if (window == NULL)
        open_window(service, actor, action, reason, denial);
    else if (gets_name(window, denial))
        record_one(service, window, action, denial);
    else
        count_in(window, denial, syncd_service_now_ms(service));
}

/* One line a window for a uid and reason, as long as the ring remembers it. */
static void note_stranger(SyncdService *service, uid_t uid, const char *action, const char *reason)
{
    SyncdRefusals *refusals = service->refusals;
    guint64 now = syncd_service_monotonic(service);
    for (unsigned i = 0; i < STRANGERS_MAX; i++) {
        const Stranger *known = &refusals->strangers[i];
        if (known->reason != NULL && known->uid == uid && strcmp(known->reason, reason) == 0 &&
            known->quiet_until > now)
            return;
    }
    Stranger *place = &refusals->strangers[refusals->next_stranger++ % STRANGERS_MAX];
    g_free(place->reason);
    *place = (Stranger){uid, g_strdup(reason), now + WINDOW_USEC};
    syncd_log(SYNCD_LOG_NOTICE, SYNCD_LOG_ID_REFUSED, "Refused %s to uid %u: %s", action,
              (unsigned)uid, reason);
}

static void note(SyncdService *service, const SyncdCaller *caller, const char *action,
                 const char *reason, const Denial *denial)
{
    g_autofree char *actor = NULL;
    if (caller->rehearses)
        return;
    bool known = syncd_service_find_caller(service, caller, &actor, NULL) && actor != NULL;
    if (known && syncd_store_condition(service->store) == SYNCD_STORE_WRITABLE)
        note_actor(service, actor, action, reason, denial);
    else
        note_stranger(service, caller->uid, action, reason);
}

void syncd_service_note_refusal(SyncdService *service, const SyncdCaller *caller,
                                const char *action, const char *reason)
{
    note(service, caller, action, reason, NULL);
}

static void show_blocked(SyncdService *service)
{
    service->policy_blocked += service->policy_blocked < G_MAXUINT32;
    service->policy_blocked_until = syncd_service_monotonic(service) + WINDOW_USEC;
    syncd_service_show_state(service, false);
    syncd_service_ask_for_work(service);
}

void syncd_service_note_policy(SyncdService *service, const SyncdCaller *caller, const char *action,
                               const char *reason)
{
    note(service, caller, action, reason, NULL);
    if (!caller->rehearses)
        show_blocked(service);
}

static bool is_in_turn(const SyncdRefusals *refusals, const char *decision)
{
    for (GList *at = refusals->written.head; at != NULL; at = at->next) {
        const Window *window = at->data;
        if (window->denial != NULL && g_strcmp0(window->denial->decision, decision) == 0)
            return true;
    }
    return false;
}

/* While the disk has no room, what is in the turn may never be in the log. */
static SyncdNamed is_known_by(SyncdService *service, const SyncdCaller *caller,
                              const SyncdDecision *decision)
{
    g_autofree char *actor = NULL;
    if (caller->rehearses || syncd_store_lacks_room(service->store) ||
        !syncd_service_find_caller(service, caller, &actor, NULL) || actor == NULL)
        return SYNCD_NAMED_NOWHERE;
    const Window *window = find_window(service->refusals, actor, decision->answer.outcome.reason);
    if (window == NULL || !is_named(window, decision->id))
        return SYNCD_NAMED_NOWHERE;
    return is_in_turn(service->refusals, decision->id) ? SYNCD_NAMED_BY_TURN : SYNCD_NAMED_BY_LOG;
}

SyncdNamed syncd_service_note_denial(SyncdService *service, const SyncdCaller *caller,
                                     const SyncdDecision *decision, const char *object)
{
    Denial *denial = denial_new(decision, object);
    note(service, caller, decision->input.action, decision->answer.outcome.reason, denial);
    denial_free(denial);
    if (!caller->rehearses)
        show_blocked(service);
    return is_known_by(service, caller, decision);
}
