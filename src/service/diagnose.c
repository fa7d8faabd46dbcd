#include "service/diagnose.h"

#include "base/timestamp.h"
#include "service/damage.h"
#include "service/detect.h"
#include "service/repair-kinds.h"
#include "store/measure.h"
#include "store/misread.h"

#include <string.h>
#include <unistd.h>

/* ---- what detectors share ---- */

SyncdFound *syncd_diagnosis_add(SyncdDiagnosis *self, const char *code, ...)
{
    va_list facts;
    va_start(facts, code);
    SyncdFound *found = syncd_found_new_valist(code, facts);
    va_end(facts);
    g_ptr_array_add(self->found, found);
    return found;
}

SyncdFound *syncd_diagnosis_add_counted(SyncdDiagnosis *self, const char *code, guint64 n,
                                        bool more)
{
    g_autofree char *text = g_strdup_printf("%s%" G_GUINT64_FORMAT, more ? "at least " : "", n);
    SyncdFound *found = syncd_diagnosis_add(self, code, "n", text, NULL);
    found->count = n;
    found->more = more;
    return found;
}

SyncdFound *syncd_diagnosis_add_adoptable(SyncdDiagnosis *self, const char *code, const char *n)
{
    SyncdStore *store = self->service->store;
    g_autofree char *directory = g_shell_quote(syncd_store_path(store));
    SyncdFound *found =
        syncd_diagnosis_add(self, code, "directory", directory, n != NULL ? "n" : NULL, n, NULL);
    if (syncd_store_is_elsewhere(store))
        found->next = SYNCD_NEXT_ADOPT_ELSEWHERE;
    return found;
}

/* ---- looking ---- */

/* In this order, as what is said later may follow from what was said before. */
static const struct {
    const char *what;
    SyncdDetector detect;
    bool of_log;      /* what can be done with the log, and looks at no folder */
    const char *next; /* where it cannot be looked at; NULL: as of anything */
} detectors[] = {
    {"the state", syncd_detect_state, true},
    {"the log", syncd_detect_log, true, SYNCD_NEXT_VERIFY_FULL},
    {"the index", syncd_detect_index, true},
    {"the state directory", syncd_detect_files, false, "ls -la {state}"},
    {"the keys", syncd_detect_keys, true, "ls -la {keys}"},
    {"the room on the disk", syncd_detect_room, false, "df -h {state}"},
    {"content beside the log", syncd_detect_blobs, false, SYNCD_NEXT_VERIFY_FULL},
    {"workspaces", syncd_detect_workspaces, false, "sourceos-syncd workspace list"},
    {"objects", syncd_detect_objects, false, "sourceos-syncd objects list"},
    {"tasks", syncd_detect_tasks, false, "sourceos-syncd tasks list"},
    {"jobs", syncd_detect_jobs},
    {"failures", syncd_detect_storms},
    {"repairs", syncd_detect_repair, false, "sourceos-syncd repair list"},
};

/* What says why there are no lookups, and how that is mended. */
static SyncdFound *found_without_index(const SyncdDiagnosis *self)
{
    static const char *const codes[] = {"journal-unreadable", "index-unavailable", NULL};
    for (guint i = 0; i < self->found->len; i++) {
        SyncdFound *found = self->found->pdata[i];
        if (g_strv_contains(codes, found->finding->code))
            return found;
    }
    return NULL;
}

static bool follows_from_index(const SyncdDiagnosis *self, const GError *problem)
{
    const GError *known = syncd_store_index_problem(self->service->store);
    return known != NULL && strcmp(known->message, problem->message) == 0;
}

/* What follows from something that is found sends nobody to another place than that. */
static void add_unchecked(SyncdDiagnosis *self, size_t detector, const GError *problem)
{
    const char *what = detectors[detector].what;
    g_autofree char *sentence = NULL, *next = NULL;
    SyncdFound *cause = follows_from_index(self, problem) ? found_without_index(self) : NULL;
    if (cause != NULL) {
        syncd_found_evidence(cause, g_strdup_printf("not looked at: %s", what));
        return;
    }
    syncd_error_split(problem->message, &sentence, &next);
    SyncdFound *found =
        syncd_diagnosis_add(self, "unchecked", "what", what, "reason", sentence, NULL);
    found->next = syncd_store_is_indexing(self->service->store) ? SYNCD_NEXT_STATUS_WATCH
                                                                : detectors[detector].next;
}

/* ---- what comes next ---- */

/* systemd restarts what it began. */
static void lead_to_restart(const SyncdService *service, SyncdFound *found)
{
    static const struct {
        const char *by_systemd, *by_hand;
    } restarts[] = {
        {SYNCD_NEXT_RESTART, SYNCD_NEXT_RESTART_BY_HAND},
        {SYNCD_NEXT_KEYS_AND_RESTART, SYNCD_NEXT_KEYS_AND_RESTART_BY_HAND},
        {SYNCD_NEXT_KEY_AND_RESTART, SYNCD_NEXT_KEY_AND_RESTART_BY_HAND},
    };
    const char *next = found->next != NULL ? found->next : found->finding->next;
    bool by_hand = g_strcmp0(service->process.manager, "manual") == 0;
    for (size_t i = 0; by_hand && i < G_N_ELEMENTS(restarts); i++)
        if (strcmp(next, restarts[i].by_systemd) == 0)
            found->next = restarts[i].by_hand;
}

/* As a shell takes it. */
static char *state_file(const SyncdService *service, const char *name)
{
    g_autofree char *path = g_build_filename(syncd_store_path(service->store), name, NULL);
    return g_shell_quote(path);
}

static char *command_of(const SyncdService *service)
{
    return service->process.command != NULL
               ? g_strdup(service->process.command)
               : g_strconcat("sourceos-syncd daemon --", syncd_instance_name(service->instance),
                             NULL);
}

/* What commands name of the instance itself, whatever is found. */
static void tell_of_instance(const SyncdService *service, SyncdFound *found, const char *next)
{
    const struct {
        const char *name;
        char *text;
    } facts[] = {
        {"state", state_file(service, NULL)},
        {"keys", state_file(service, "keys")},
        {"backup", state_file(service, "journal-backup.db")},
        {"pid", g_strdup_printf("%u", service->process.pid)},
        {"command", command_of(service)},
        {"owner", g_strdup_printf("%u", (unsigned)geteuid())},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(facts); i++) {
        g_autofree char *text = facts[i].text, *place = g_strdup_printf("{%s}", facts[i].name);
        if (strstr(next, place) != NULL && syncd_found_find_fact(found, facts[i].name) == NULL)
            syncd_found_fact(found, facts[i].name, text);
    }
}

static void lead_on(const SyncdService *service, const GPtrArray *all)
{
    for (guint i = 0; i < all->len; i++) {
        SyncdFound *found = all->pdata[i];
        lead_to_restart(service, found);
        g_autofree char *next =
            syncd_finding_called(found->next != NULL ? found->next : found->finding->next,
                                 service->instance == SYNCD_INSTANCE_SYSTEM);
        tell_of_instance(service, found, next);
    }
}

/* Nobody is promised a repair that there is not. */
static void note_repairs(const GPtrArray *found)
{
    for (guint i = 0; i < found->len; i++) {
        SyncdFound *one = found->pdata[i];
        one->unmended |= one->finding->repair != NULL &&
                         syncd_repair_kind_find(SYNCD_BYTES_TEXT(one->finding->repair)) == NULL;
    }
}

/* A generation that cannot be made is planned by nobody: it would fail, and be found again. */
static void leave_log(SyncdService *service, const GPtrArray *found)
{
    if (syncd_service_log_beyond_mending(service) == NULL)
        return;
    for (guint i = 0; i < found->len; i++) {
        SyncdFound *one = found->pdata[i];
        if (g_strcmp0(one->finding->repair, syncd_repair_journal_generation.name) != 0 &&
            g_strcmp0(one->finding->repair, syncd_repair_body_refill.name) != 0)
            continue;
        one->unmended = true;
        one->next = SYNCD_NEXT_JOURNAL_AND_VERIFY;
        g_clear_pointer(&one->target, g_free);
    }
}

static bool has_repair(const GPtrArray *found)
{
    for (guint i = 0; i < found->len; i++) {
        const SyncdFound *one = found->pdata[i];
        if (one->finding->repair != NULL && !one->unmended)
            return true;
    }
    return false;
}

/* Where something is an error the state is not said to be clean. */
static const SyncdFinding *find_untold(SyncdService *service, const GPtrArray *found)
{
    SyncdState state;
    service->found = NULL;
    syncd_service_known_state(service, &state);
    for (guint i = 0; i < found->len && state.reasons[0] == NULL; i++) {
        const SyncdFinding *finding = ((SyncdFound *)found->pdata[i])->finding;
        if (syncd_finding_is_bad(finding) && strcmp(finding->severity, "warning") != 0)
            return finding;
    }
    return NULL;
}

static GPtrArray *diagnose(SyncdService *service, bool log_only)
{
    SyncdDiagnosis self = {service,
                           g_ptr_array_new_with_free_func((GDestroyNotify)syncd_found_free)};
    syncd_store_look_again(service->store);
    for (size_t i = 0; i < G_N_ELEMENTS(detectors); i++) {
        g_autoptr(GError) problem = NULL;
        if ((detectors[i].of_log || !log_only) && !detectors[i].detect(&self, &problem))
            add_unchecked(&self, i, problem);
    }
    note_repairs(self.found);
    leave_log(service, self.found);
    lead_on(service, self.found);
    return self.found;
}

GPtrArray *syncd_service_diagnose(SyncdService *service)
{
    guint64 begun = syncd_service_monotonic(service);
    GPtrArray *found = diagnose(service, false);
    service->repairable = has_repair(found);
    service->found = find_untold(service, found);
    syncd_repair_judge(service, found);
    service->diagnosed = (SyncdDiagnosed){begun, syncd_service_monotonic(service),
                                          syncd_service_held_reasons(service)};
    return found;
}

GPtrArray *syncd_service_diagnose_log(SyncdService *service)
{
    return diagnose(service, true);
}

void syncd_service_count_findings(SyncdService *service, guint32 *ret_errors, guint32 *ret_warnings)
{
    g_autoptr(GPtrArray) found = syncd_service_diagnose(service);
    *ret_errors = *ret_warnings = 0;
    for (guint i = 0; i < found->len; i++) {
        const SyncdFinding *finding = ((SyncdFound *)found->pdata[i])->finding;
        bool warns = strcmp(finding->severity, "warning") == 0;
        *ret_warnings += warns;
        *ret_errors += syncd_finding_is_bad(finding) && !warns;
    }
    /* What was found the last time may have gone without any call. */
    syncd_service_show_state(service, false);
}

/* ---- telling ---- */

static bool may_inspect(const SyncdService *service, const SyncdCaller *caller)
{
    return caller->inspector ||
           (service->instance == SYNCD_INSTANCE_USER && caller->uid == service->uid);
}

/* Whoever asks for more than what is known is told what nobody has looked at. */
static void add_not_yet(SyncdDiagnosis *self, const char *what, const char *reason)
{
    SyncdFound *found =
        syncd_diagnosis_add(self, "unchecked", "what", what, "reason", reason, NULL);
    found->next = SYNCD_NEXT_DOCTOR_DEEP;
}

/* What cannot be looked at yet has a finding of its own. */
static void add_unverified(SyncdService *service, GPtrArray *found)
{
    SyncdDiagnosis self = {service, found};
    SyncdStore *store = service->store;
    if (syncd_store_unreadable(store) == NULL && syncd_service_verified(service).at_ms == 0)
        add_not_yet(&self, "all of the log", "It was not verified yet.");
    if (!syncd_store_lacks_index(store) && syncd_service_index_faults(service) == NULL)
        add_not_yet(&self, "the whole index", "Nobody had it checked since it was made or opened.");
}

static gint compare_severity(gconstpointer one, gconstpointer other)
{
    const SyncdFound *a = *(SyncdFound *const *)one, *b = *(SyncdFound *const *)other;
    return (gint)syncd_finding_rank(SYNCD_BYTES_TEXT(a->finding->severity)) -
           (gint)syncd_finding_rank(SYNCD_BYTES_TEXT(b->finding->severity));
}

char *syncd_service_describe_diagnosis(SyncdService *service, const SyncdCaller *caller,
                                       const SyncdDiagnoseOptions *options)
{
    g_autoptr(GPtrArray) found = syncd_service_diagnose(service);
    if (options->deep)
        add_unverified(service, found);
    g_ptr_array_sort(found, compare_severity);
    /* What only time or others changed is told to who listens, too. */
    if (service->listener.changed != NULL)
        service->listener.changed(service->listener.data);
    const SyncdFoundView view = {.of_system = service->instance == SYNCD_INSTANCE_SYSTEM,
                                 .hidden = !may_inspect(service, caller)};
    GString *out = g_string_new(NULL);
    char now[SYNCD_TIME_SIZE];
    SyncdJsonWriter writer;
    syncd_time_format_ms(syncd_service_now_ms(service), now);
    syncd_json_writer_init(&writer, out, false);
    syncd_json_begin_object(&writer);
    syncd_json_member_string(&writer, "schema", SYNCD_DOCTOR_SCHEMA);
    syncd_json_member_string(&writer, "instance", syncd_instance_name(service->instance));
    syncd_json_member_string(&writer, "examined_at", now);
    syncd_json_member_bool(&writer, "deep", options->deep);
    syncd_json_name(&writer, "findings");
    syncd_json_begin_array(&writer);
    for (guint i = 0; i < found->len; i++)
        syncd_found_write(found->pdata[i], &view, &writer);
    syncd_json_end_array(&writer);
    syncd_json_end_object(&writer);
    return g_string_free(out, FALSE);
}
