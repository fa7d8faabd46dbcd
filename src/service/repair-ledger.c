/*
 * The ledger: what has to be known of plans after a restart, each file published whole.
 *
 * What it holds comes from a disk that may be what is broken, so it is read as anything that comes
 * from outside: bounded, by the strict door, with a digest over it, and each member checked. A file
 * that is not what was written is renamed to `<name>.damaged` and named; what it was about is not
 * gone on with.
 */
#include "service/repair-private.h"

#include "base/log.h"
#include "crypto/digested.h"
#include "store/repair-store.h"

#define PLAN_SUFFIX ".plan"
#define STATE_SUFFIX ".state"
#define REPORT_SUFFIX ".report"
#define DAMAGED_SUFFIX ".damaged"

static char *file_of(const SyncdRepairPlan *plan, const char *suffix)
{
    return g_strconcat(plan->id, suffix, NULL);
}

/* ---- writing ---- */

static void write_steps(const SyncdRepairPlan *plan, SyncdJsonWriter *writer)
{
    syncd_json_name(writer, "steps");
    syncd_json_begin_array(writer);
    for (guint i = 0; i < plan->steps->len; i++) {
        const SyncdRepairWork *work = plan->steps->pdata[i];
        syncd_json_begin_object(writer);
        syncd_json_member_string(writer, "state", syncd_repair_step_state_name(work->state));
        syncd_json_member_string(writer, "note", work->note);
        if (work->kept != NULL)
            syncd_json_member_string(writer, "kept", work->kept);
        syncd_json_end_object(writer);
    }
    syncd_json_end_array(writer);
}

static void write_owed(const SyncdRepairPlan *plan, SyncdJsonWriter *writer)
{
    syncd_json_name(writer, "owed");
    syncd_json_begin_array(writer);
    for (guint i = 0; i < plan->owed->len; i++) {
        const SyncdRepairOwed *owed = plan->owed->pdata[i];
        syncd_json_begin_object(writer);
        syncd_json_member_string(writer, "operation", owed->operation);
        syncd_json_member_string(writer, "kind", owed->kind);
        syncd_json_member_string(writer, "identity", owed->identity);
        syncd_json_member_string(writer, "content", owed->content);
        syncd_json_end_object(writer);
    }
    syncd_json_end_array(writer);
}

static const struct {
    const char *name;
    size_t offset;
} texts[] =
    {
        {"approver", offsetof(SyncdRepairPlan, approver)},
        {"undoer", offsetof(SyncdRepairPlan, undoer)},
        {"failure", offsetof(SyncdRepairPlan, failure)},
        {"approval", offsetof(SyncdRepairPlan, approval)},
        {"report", offsetof(SyncdRepairPlan, report)},
        {"releaser", offsetof(SyncdRepairPlan, releaser)},
},
  times[] =
      {
          {"planned_usec", offsetof(SyncdRepairPlan, planned_usec)},
          {"expires_usec", offsetof(SyncdRepairPlan, expires_usec)},
          {"approved_usec", offsetof(SyncdRepairPlan, approved_usec)},
          {"approval_until_usec", offsetof(SyncdRepairPlan, approval_until_usec)},
          {"begun_usec", offsetof(SyncdRepairPlan, begun_usec)},
          {"ended_usec", offsetof(SyncdRepairPlan, ended_usec)},
},
  flags[] =
      {
          {"undoing", offsetof(SyncdRepairPlan, undoing)},
          {"kept", offsetof(SyncdRepairPlan, kept)},
          {"automatic", offsetof(SyncdRepairPlan, automatic)},
          {"discarded", offsetof(SyncdRepairPlan, discarded)},
},
  later_flags[] =
      {
          /* of which earlier ledgers say nothing */
          {"unproven", offsetof(SyncdRepairPlan, unproven)},
          {"stuck", offsetof(SyncdRepairPlan, stuck)},
          {"ended", offsetof(SyncdRepairPlan, ended)},
},
  uids[] = {
      {"uid", offsetof(SyncdRepairPlan, uid)},
      {"approver_uid", offsetof(SyncdRepairPlan, approver_uid)},
};
#define MEMBER(type, plan, field) ((type *)(void *)((char *)(plan) + (field).offset))
#define CONST_MEMBER(type, plan, field)                                                            \
    ((const type *)(const void *)((const char *)(plan) + (field).offset))

static GString *write_kept(const SyncdRepairPlan *plan)
{
    GString *text = g_string_new(NULL);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, text, false);
    syncd_json_begin_object(&writer);
    syncd_json_member_string(&writer, "plan_digest", plan->digest);
    syncd_json_member_string(&writer, "state", syncd_repair_state_name(plan->state));
    for (size_t i = 0; i < G_N_ELEMENTS(uids); i++)
        syncd_json_member_uint(&writer, uids[i].name, *CONST_MEMBER(uid_t, plan, uids[i]));
    for (size_t i = 0; i < G_N_ELEMENTS(flags); i++)
        syncd_json_member_bool(&writer, flags[i].name, *CONST_MEMBER(bool, plan, flags[i]));
    for (size_t i = 0; i < G_N_ELEMENTS(later_flags); i++)
        syncd_json_member_bool(&writer, later_flags[i].name,
                               *CONST_MEMBER(bool, plan, later_flags[i]));
    for (size_t i = 0; i < G_N_ELEMENTS(times); i++)
        syncd_json_member_uint(&writer, times[i].name, *CONST_MEMBER(guint64, plan, times[i]));
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        syncd_json_member_string(&writer, texts[i].name, *CONST_MEMBER(char *, plan, texts[i]));
    write_steps(plan, &writer);
    write_owed(plan, &writer);
    syncd_json_end_object(&writer);
    return text;
}

bool syncd_repair_save(SyncdRepairPlan *plan, GError **error)
{
    g_autofree char *name = file_of(plan, STATE_SUFFIX);
    g_autoptr(GString) kept = write_kept(plan);
    g_autoptr(GString) text = syncd_digested_write(SYNCD_REPAIR_STATE_SCHEMA, kept);
    if (!syncd_store_put_repair(plan->service->store, name, SYNCD_BYTES(text->str, text->len),
                                error))
        return false;
    plan->unsaved = false;
    return true;
}

/* What is longer than is read again would be set aside by the next start. */
static bool is_of_size(const SyncdRepairPlan *plan, GError **error)
{
    if (strlen(plan->text) <= SYNCD_REPAIR_PLAN_SIZE)
        return true;
    syncd_set_error_next(error, SYNCD_ERROR_LIMITS_EXCEEDED,
                         "mend what of it can be mended otherwise first: `sourceos-syncd doctor` "
                         "says what there is",
                         "What is to be repaired does not fit into one plan of %u bytes",
                         SYNCD_REPAIR_PLAN_SIZE);
    return false;
}

/* The state comes first and goes last: where it is alone it says whether anything was done. */
bool syncd_repair_save_new(SyncdRepairPlan *plan, GError **error)
{
    g_autofree char *name = file_of(plan, PLAN_SUFFIX);
    if (!is_of_size(plan, error))
        return false;
    if (syncd_repair_save(plan, error) &&
        syncd_store_put_repair(plan->service->store, name, SYNCD_BYTES_TEXT(plan->text), error))
        return true;
    syncd_repair_forget(plan); /* either may be there, as it may be their sync that failed */
    return false;
}

static char *digest_of_text(const char *text)
{
    char digest[SYNCD_DIGEST_SIZE];
    SyncdHash hash = syncd_hash(text, strlen(text));
    syncd_hash_to_digest(&hash, digest);
    return g_strdup(digest);
}

bool syncd_repair_save_report(SyncdRepairPlan *plan, const char *report, GError **error)
{
    g_autofree char *name = file_of(plan, REPORT_SUFFIX);
    if (!syncd_store_put_repair(plan->service->store, name, SYNCD_BYTES_TEXT(report), error))
        return false;
    g_free(plan->report);
    plan->report = digest_of_text(report);
    return true;
}

char *syncd_repair_read_report(SyncdRepairPlan *plan, GError **error)
{
    size_t size;
    g_autofree char *name = file_of(plan, REPORT_SUFFIX);
    g_autofree char *text =
        syncd_store_get_repair(plan->service->store, name, SYNCD_REPAIR_STATE_SIZE, &size, error);
    if (text == NULL || !syncd_json_check(text, size, SYNCD_JSON_MUST_BE_OBJECT, error))
        return NULL;
    g_autofree char *digest = digest_of_text(text);
    if (plan->report == NULL || strcmp(plan->report, digest) == 0)
        return g_steal_pointer(&text);
    syncd_set_error_next(error, SYNCD_ERROR_INVALID_CONTRACT,
                         "see what the log has of it with `sourceos-syncd evidence list`",
                         "The report of %s is not what was written", plan->id);
    return NULL;
}

void syncd_repair_forget(SyncdRepairPlan *plan)
{
    static const char *const suffixes[] = {REPORT_SUFFIX, PLAN_SUFFIX, STATE_SUFFIX};
    for (size_t i = 0; i < G_N_ELEMENTS(suffixes); i++) {
        g_autofree char *name = file_of(plan, suffixes[i]);
        g_autoptr(GError) error = NULL;
        if (syncd_store_remove_repair(plan->service->store, name, &error))
            continue;
        syncd_log(SYNCD_LOG_WARNING, SYNCD_LOG_ID_STORAGE_FAILED,
                  "A file of a repair plan cannot be removed: %s", error->message);
        return;
    }
}

/* ---- reading ---- */

static bool refuse(GError **error, const char *what)
{
    syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT, "/kept/%s is not what was written", what);
    return false;
}

static bool read_word(SyncdJson value, const char *(*name)(unsigned), unsigned n, unsigned *ret)
{
    for (unsigned i = 0; i < n; i++)
        if (syncd_json_is(value, name(i))) {
            *ret = i;
            return true;
        }
    return false;
}

static const char *state_name(unsigned state)
{
    return syncd_repair_state_name(state);
}

static const char *step_state_name(unsigned state)
{
    return syncd_repair_step_state_name(state);
}

static bool read_steps(SyncdRepairPlan *plan, SyncdJson steps, GError **error)
{
    SyncdJsonIter iter;
    SyncdJson value;
    guint i = 0;
    syncd_json_iter_init(&iter, steps);
    for (; syncd_json_iter_next(&iter, NULL, &value); i++) {
        unsigned state;
        SyncdRepairWork *work = i < plan->steps->len ? plan->steps->pdata[i] : NULL;
        if (work == NULL || !read_word(syncd_json_member(value, "state"), step_state_name,
                                       SYNCD_N_STEP_STATES, &state))
            return refuse(error, "steps");
        work->state = state;
        work->note = syncd_json_dup_text(syncd_json_member(value, "note"));
        work->kept = syncd_json_dup_text(syncd_json_member(value, "kept"));
        if (work->note != NULL && strlen(work->note) > SYNCD_REPAIR_NOTE_MAX)
            return refuse(error, "steps");
    }
    return i == plan->steps->len || refuse(error, "steps");
}

static bool read_owed(SyncdRepairPlan *plan, SyncdJson list, GError **error)
{
    SyncdJsonIter iter;
    SyncdJson value;
    syncd_json_iter_init(&iter, list);
    while (syncd_json_iter_next(&iter, NULL, &value)) {
        SyncdRepairOwed *owed = g_new0(SyncdRepairOwed, 1);
        g_ptr_array_add(plan->owed, owed);
        owed->operation = syncd_json_dup_text(syncd_json_member(value, "operation"));
        owed->kind = syncd_json_dup_text(syncd_json_member(value, "kind"));
        owed->identity = syncd_json_dup_text(syncd_json_member(value, "identity"));
        owed->content = syncd_json_dup_text(syncd_json_member(value, "content"));
        if (owed->operation == NULL || owed->kind == NULL || owed->identity == NULL ||
            owed->content == NULL || plan->owed->len > SYNCD_REPAIR_OWED_MAX ||
            !syncd_id_is_token(owed->operation, strlen(owed->operation)) ||
            !g_str_has_prefix(owed->kind, "repair") ||
            syncd_kind_find(SYNCD_BYTES_TEXT(owed->kind))->kind[0] == '\0')
            return refuse(error, "owed");
    }
    return true;
}

static bool read_kept(SyncdRepairPlan *plan, SyncdJson kept, GError **error)
{
    unsigned state;
    gint64 number;
    if (!syncd_json_is(syncd_json_member(kept, "plan_digest"), plan->digest))
        return refuse(error, "plan_digest");
    if (!read_word(syncd_json_member(kept, "state"), state_name, SYNCD_N_REPAIR_STATES, &state))
        return refuse(error, "state");
    plan->state = state;
    for (size_t i = 0; i < G_N_ELEMENTS(uids); i++) {
        if (!syncd_json_get_int64(syncd_json_member(kept, uids[i].name), &number) || number < 0 ||
            number > G_MAXUINT32)
            return refuse(error, uids[i].name);
        *MEMBER(uid_t, plan, uids[i]) = (uid_t)number;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(flags); i++)
        if (!syncd_json_get_bool(syncd_json_member(kept, flags[i].name),
                                 MEMBER(bool, plan, flags[i])))
            return refuse(error, flags[i].name);
    for (size_t i = 0; i < G_N_ELEMENTS(later_flags); i++)
        syncd_json_get_bool(syncd_json_member(kept, later_flags[i].name),
                            MEMBER(bool, plan, later_flags[i]));
    for (size_t i = 0; i < G_N_ELEMENTS(times); i++) {
        if (!syncd_json_get_int64(syncd_json_member(kept, times[i].name), &number) || number < 0)
            return refuse(error, times[i].name);
        *MEMBER(guint64, plan, times[i]) = (guint64)number;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        *MEMBER(char *, plan, texts[i]) =
            syncd_json_dup_text(syncd_json_member(kept, texts[i].name));
    return read_steps(plan, syncd_json_member(kept, "steps"), error) &&
           read_owed(plan, syncd_json_member(kept, "owed"), error) &&
           (plan->state == SYNCD_REPAIR_PREVIEW || plan->approver != NULL ||
            refuse(error, "approver"));
}

/* `*ret_kept` is a view into what is given back. */
static char *read_kept_text(SyncdService *service, const char *name, SyncdJson *ret_kept,
                            GError **error)
{
    size_t size;
    g_autofree char *text =
        syncd_store_get_repair(service->store, name, SYNCD_REPAIR_STATE_SIZE, &size, error);
    bool ok = text != NULL && syncd_digested_read(SYNCD_BYTES(text, size),
                                                  SYNCD_REPAIR_STATE_SCHEMA, ret_kept, error);
    return ok ? g_steal_pointer(&text) : NULL;
}

static bool read_state(SyncdRepairPlan *plan, GError **error)
{
    SyncdJson kept;
    g_autofree char *name = file_of(plan, STATE_SUFFIX);
    g_autofree char *text = read_kept_text(plan->service, name, &kept, error);
    return text != NULL && read_kept(plan, kept, error);
}

static SyncdRepairPlan *read_plan(SyncdService *service, const char *name, GError **error)
{
    size_t size;
    g_autofree char *text =
        syncd_store_get_repair(service->store, name, SYNCD_REPAIR_PLAN_SIZE, &size, error);
    g_autoptr(SyncdRepairPlan) plan =
        text != NULL ? syncd_repair_plan_parse(service, SYNCD_BYTES(text, size), error) : NULL;
    if (plan == NULL)
        return NULL;
    g_autofree char *expected = file_of(plan, PLAN_SUFFIX);
    if (strcmp(name, expected) != 0) {
        syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT, "It is the file of another plan");
        return NULL;
    }
    return read_state(plan, error) ? g_steal_pointer(&plan) : NULL;
}

static void set_aside(SyncdService *service, const char *name)
{
    g_autofree char *aside = g_strconcat(name, DAMAGED_SUFFIX, NULL);
    if (syncd_store_rename_repair(service->store, name, aside, NULL))
        g_ptr_array_add(service->repairs->damaged, g_steal_pointer(&aside));
    else
        g_ptr_array_add(service->repairs->damaged, g_strdup(name));
}

static void load_plan(SyncdService *service, const char *name)
{
    g_autoptr(GError) error = NULL;
    SyncdRepairPlan *plan = read_plan(service, name, &error);
    if (plan != NULL) {
        g_ptr_array_add(service->repairs->plans, plan);
        return;
    }
    g_autofree char *id = g_strndup(name, strlen(name) - strlen(PLAN_SUFFIX));
    g_autofree char *state = g_strconcat(id, STATE_SUFFIX, NULL);
    g_autofree char *what = NULL, *next = NULL;
    syncd_error_split(error->message, &what, &next);
    syncd_log(SYNCD_LOG_WARNING, SYNCD_LOG_ID_REPAIR,
              "The repair plan %s is not what was written, and is set aside: %s", id, what);
    set_aside(service, name);
    if (syncd_store_has_repair(service->store, state))
        set_aside(service, state);
}

/* It was being made, or forgotten, when the process ended: nothing was done that is not through. */
static bool says_that_nothing_is_half_done(SyncdService *service, const char *name)
{
    unsigned state;
    SyncdJson kept;
    g_autofree char *text = read_kept_text(service, name, &kept, NULL);
    return text != NULL &&
           read_word(syncd_json_member(kept, "state"), state_name, SYNCD_N_REPAIR_STATES, &state) &&
           state != SYNCD_REPAIR_RUNNING;
}

static void load_state(SyncdService *service, const char *name, GHashTable *plans)
{
    g_autofree char *id = g_strndup(name, strlen(name) - strlen(STATE_SUFFIX));
    if (g_hash_table_contains(plans, id))
        return;
    if (says_that_nothing_is_half_done(service, name)) {
        syncd_store_remove_repair(service->store, name, NULL);
        return;
    }
    syncd_log(SYNCD_LOG_WARNING, SYNCD_LOG_ID_REPAIR,
              "The repair plan %s is gone, and what became of it is set aside", id);
    set_aside(service, name);
}

static bool is_read(const char *name)
{
    return g_str_has_suffix(name, PLAN_SUFFIX) || g_str_has_suffix(name, STATE_SUFFIX) ||
           g_str_has_suffix(name, DAMAGED_SUFFIX);
}

void syncd_repair_load(SyncdService *service)
{
    g_autoptr(GPtrArray) names = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(GHashTable) plans = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    if (!syncd_store_list_repair(service->store, is_read, &names, &error)) {
        syncd_log(SYNCD_LOG_WARNING, SYNCD_LOG_ID_REPAIR, "Repair plans cannot be read: %s",
                  error->message);
        char *next = NULL;
        syncd_error_split(error->message, &service->repairs->unreadable, &next);
        g_free(next);
        return;
    }
    for (guint i = 0; i < names->len; i++) {
        const char *name = names->pdata[i];
        if (g_str_has_suffix(name, DAMAGED_SUFFIX))
            g_ptr_array_add(service->repairs->damaged, g_strdup(name));
        if (!g_str_has_suffix(name, PLAN_SUFFIX))
            continue;
        g_hash_table_add(plans, g_strndup(name, strlen(name) - strlen(PLAN_SUFFIX)));
        load_plan(service, name);
    }
    for (guint i = 0; i < names->len; i++)
        if (g_str_has_suffix(names->pdata[i], STATE_SUFFIX))
            load_state(service, names->pdata[i], plans);
}
