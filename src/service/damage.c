#include "service/damage.h"

#include "base/canonical.h"
#include "base/json-writer.h"
#include "base/log.h"
#include "service/content-name.h"
#include "service/internal.h"
#include "service/repair-named.h"
#include "service/repair-told.h"
#include "store/displaced.h"
#include "store/examine.h"

#include <string.h>

#define DAMAGE_FILE "damage.json"
/* What is said of one may name a file by a path that is as long as paths are. */
#define DAMAGE_MAX (16u * 1024u * 1024u)
#define NAMED_MAX 16u
#define CONTENT_LOST "content-lost"
#define KEPT_CONTENT "kept-content"
#define NAMES_MAX 200u
#define LOSSES_MAX 2000u

struct SyncdDamage {
    GPtrArray *findings; /* SyncdVerifyFinding */
    GPtrArray *losses;   /* the same: what repairs gave up */
    SyncdVerified verified;
    bool examined;
    guint64 given_up;         /* parts that mending the log would give up … */
    GPtrArray *keys;          /* … how a plan calls them … */
    GPtrArray *named;         /* … and what the first of them are */
    char *beyond;             /* why nothing could mend it; NULL: something can */
    GPtrArray *orphans;       /* char *: the first ones … */
    char *orphans_told;       /* … and how a plan tells of all of them; NULL: there are none */
    GPtrArray *unlike;        /* the same of files that are not as they should be */
    GArray *index_faults;     /* SyncdIndexFault; NULL: no index was checked … */
    guint64 index_generation; /* … and of which one it was */
};

static void free_finding(void *data)
{
    syncd_verify_finding_free(data);
}

static SyncdVerifyFinding *copy_finding(const SyncdVerifyFinding *finding)
{
    SyncdVerifyFinding *copy = g_memdup2(finding, sizeof *finding);
    copy->feed = g_strdup(finding->feed);
    copy->detail = g_strdup(finding->detail);
    copy->part = g_strdup(finding->part);
    copy->file = g_strdup(finding->file);
    return copy;
}

bool syncd_damage_is_of_content(const SyncdVerifyFinding *finding)
{
    return strcmp(finding->code, "content") == 0 || strcmp(finding->code, KEPT_CONTENT) == 0;
}

static bool has(const GPtrArray *findings, const SyncdVerifyFinding *wanted)
{
    for (guint i = 0; i < findings->len; i++) {
        const SyncdVerifyFinding *finding = findings->pdata[i];
        if (strcmp(finding->code, wanted->code) == 0 && strcmp(finding->feed, wanted->feed) == 0 &&
            finding->seq == wanted->seq && finding->pos == wanted->pos &&
            (!syncd_damage_is_of_content(wanted) || syncd_verify_is_same(finding, wanted)))
            return true;
    }
    return false;
}

/* It was given up, and nobody has brought it back. */
static bool is_known_lost(const GPtrArray *losses, const SyncdVerifyFinding *wanted)
{
    for (guint i = 0; i < losses->len; i++) {
        const SyncdVerifyFinding *loss = losses->pdata[i];
        if (strcmp(loss->code, CONTENT_LOST) == 0 && syncd_verify_is_same(loss, wanted))
            return syncd_damage_is_of_content(wanted);
    }
    return false;
}

/* ---- the file ---- */

static void write_finding(const SyncdVerifyFinding *finding, SyncdJsonWriter *writer)
{
    syncd_json_begin_object(writer);
    syncd_json_member_string(writer, "code", finding->code);
    syncd_json_member_string(writer, "error", syncd_error_info(finding->error)->dbus_name);
    syncd_json_member_string(writer, "feed", finding->feed);
    syncd_json_member_int(writer, "seq", finding->seq);
    syncd_json_member_int(writer, "pos", finding->pos);
    syncd_json_member_string(writer, "detail", finding->detail);
    if (finding->part != NULL)
        syncd_json_member_string(writer, "part", finding->part);
    if (finding->file != NULL)
        syncd_json_member_string(writer, "file", finding->file);
    syncd_json_end_object(writer);
}

static void write_list(const char *name, const GPtrArray *list, SyncdJsonWriter *writer)
{
    syncd_json_name(writer, name);
    syncd_json_begin_array(writer);
    for (guint i = 0; i < list->len; i++)
        write_finding(list->pdata[i], writer);
    syncd_json_end_array(writer);
}

static void write_given_up(const SyncdDamage *self, SyncdJsonWriter *writer)
{
    if (!self->examined)
        return;
    syncd_json_member_uint(writer, "given_up", self->given_up);
    syncd_json_member_strings(writer, "given_up_keys", self->keys);
    syncd_json_member_strings(writer, "given_up_named", self->named);
    if (self->beyond != NULL)
        syncd_json_member_string(writer, "beyond_mending", self->beyond);
}

/* Without it the next verification of everything finds the same again. */
static void keep(SyncdService *service)
{
    const SyncdDamage *self = service->damage;
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) text = g_string_new(NULL);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, text, true);
    syncd_json_begin_object(&writer);
    syncd_json_member_uint(&writer, "verified_at_ms", self->verified.at_ms);
    syncd_json_member_uint(&writer, "sequence", self->verified.sequence);
    syncd_json_member_uint(&writer, "sound_at_ms", self->verified.sound_usec / 1000);
    syncd_json_member_uint(&writer, "sound_sequence", self->verified.sound_sequence);
    syncd_json_member_uint(&writer, "whole_at_ms", self->verified.whole_usec / 1000);
    write_list("findings", self->findings, &writer);
    write_list("losses", self->losses, &writer);
    write_given_up(self, &writer);
    if (self->orphans_told != NULL)
        syncd_json_member_value(&writer, "orphans",
                                syncd_json_root(self->orphans_told, strlen(self->orphans_told)));
    syncd_json_member_strings(&writer, "unlike", self->unlike);
    syncd_json_end_object(&writer);
    g_string_append_c(text, '\n');
    bool writable = syncd_store_condition(service->store) == SYNCD_STORE_WRITABLE;
    if (!syncd_store_keep(service->store, DAMAGE_FILE, SYNCD_BYTES(text->str, text->len), &error) &&
        writable) /* else nothing is kept, and the state says why */
        syncd_log(SYNCD_LOG_WARNING, SYNCD_LOG_ID_NONE, "What a verification found is not kept: %s",
                  error->message);
}

static char *text_of(SyncdJson object, const char *name)
{
    char *text = syncd_json_dup_text(syncd_json_member(object, name));
    return text != NULL ? text : g_strdup("");
}

static void read_finding(GPtrArray *list, SyncdJson item)
{
    g_autofree char *code = text_of(item, "code"), *error = text_of(item, "error");
    const SyncdErrorInfo *info = syncd_error_info_by_dbus_name(error);
    SyncdVerifyFinding *finding = g_new0(SyncdVerifyFinding, 1);
    finding->code = g_intern_string(code);
    finding->error = info != NULL ? info->code : SYNCD_ERROR_JOURNAL_CORRUPT;
    finding->feed = text_of(item, "feed");
    finding->detail = text_of(item, "detail");
    finding->part = syncd_json_dup_text(syncd_json_member(item, "part"));
    finding->file = syncd_json_dup_text(syncd_json_member(item, "file"));
    finding->seq = finding->pos = -1;
    syncd_json_get_int64(syncd_json_member(item, "seq"), &finding->seq);
    syncd_json_get_int64(syncd_json_member(item, "pos"), &finding->pos);
    g_ptr_array_add(list, finding);
}

static guint64 number_of(SyncdJson object, const char *name)
{
    gint64 number = 0;
    syncd_json_get_int64(syncd_json_member(object, name), &number);
    return (guint64)MAX(number, 0);
}

static void read_list(SyncdJson root, const char *name, guint max, GPtrArray *list)
{
    SyncdJsonIter iter;
    SyncdJson item;
    syncd_json_iter_init(&iter, syncd_json_member(root, name));
    while (syncd_json_iter_next(&iter, NULL, &item) && list->len < max)
        read_finding(list, item);
}

static void read_names(SyncdJson root, const char *name, guint max, GPtrArray *names)
{
    SyncdJsonIter iter;
    SyncdJson item;
    syncd_json_iter_init(&iter, syncd_json_member(root, name));
    while (syncd_json_iter_next(&iter, NULL, &item) && names->len < max) {
        char *text = syncd_json_dup_text(item);
        if (text != NULL)
            g_ptr_array_add(names, text);
    }
}

static void read_given_up(SyncdDamage *self, SyncdJson root)
{
    gint64 parts;
    self->examined = syncd_json_get_int64(syncd_json_member(root, "given_up"), &parts);
    self->given_up = self->examined ? (guint64)MAX(parts, 0) : 0;
    read_names(root, "given_up_keys", SYNCD_TOLD_MAX, self->keys);
    read_names(root, "given_up_named", NAMED_MAX, self->named);
    if (self->examined)
        self->beyond = syncd_json_dup_text(syncd_json_member(root, "beyond_mending"));
}

static void read_orphans(SyncdDamage *self, SyncdJson told)
{
    if (told.type != SYNCD_JSON_OBJECT)
        return;
    GString *text = g_string_new(NULL);
    syncd_canonical_append(text, told);
    self->orphans_told = g_string_free(text, FALSE);
    read_names(told, "files", SYNCD_NAMED_MAX, self->orphans);
}

/* One that cannot be read says nothing: what is wrong is found again. */
SyncdDamage *syncd_damage_new(SyncdStore *store)
{
    SyncdDamage *self = g_new0(SyncdDamage, 1);
    size_t size;
    self->losses = g_ptr_array_new_with_free_func(free_finding);
    self->findings = g_ptr_array_new_with_free_func(free_finding);
    self->keys = g_ptr_array_new_with_free_func(g_free);
    self->named = g_ptr_array_new_with_free_func(g_free);
    self->orphans = g_ptr_array_new_with_free_func(g_free);
    self->unlike = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *text = syncd_store_kept(store, DAMAGE_FILE, DAMAGE_MAX, &size, NULL);
    if (text == NULL || !syncd_json_check(text, size, SYNCD_JSON_MUST_BE_OBJECT, NULL))
        return self;
    SyncdJson root = syncd_json_root(text, size);
    self->verified = (SyncdVerified){
        .at_ms = number_of(root, "verified_at_ms"),
        .sequence = number_of(root, "sequence"),
        .sound_usec = number_of(root, "sound_at_ms") * 1000,
        .sound_sequence = number_of(root, "sound_sequence"),
        .whole_usec = number_of(root, "whole_at_ms") * 1000,
    };
    read_list(root, "findings", SYNCD_VERIFY_MAX_FINDINGS, self->findings);
    read_list(root, "losses", LOSSES_MAX, self->losses);
    read_given_up(self, root);
    read_orphans(self, syncd_json_member(root, "orphans"));
    read_names(root, "unlike", NAMES_MAX, self->unlike);
    return self;
}

void syncd_damage_free(SyncdDamage *self)
{
    g_ptr_array_unref(self->findings);
    g_ptr_array_unref(self->losses);
    g_ptr_array_unref(self->keys);
    g_ptr_array_unref(self->named);
    g_ptr_array_unref(self->orphans);
    g_ptr_array_unref(self->unlike);
    g_clear_pointer(&self->index_faults, g_array_unref);
    g_free(self->beyond);
    g_free(self->orphans_told);
    g_free(self);
}

/* ---- what is known ---- */

const GPtrArray *syncd_service_damage(const SyncdService *service)
{
    return service->damage->findings;
}

const GPtrArray *syncd_service_losses(const SyncdService *service)
{
    return service->damage->losses;
}

bool syncd_service_is_damaged(const SyncdService *service)
{
    return service->damage->findings->len > 0;
}

SyncdVerified syncd_service_verified(const SyncdService *service)
{
    return service->damage->verified;
}

static void add_lost(SyncdDamage *self, SyncdVerifyFinding *finding)
{
    finding->code = CONTENT_LOST;
    g_ptr_array_add(self->losses, finding);
}

/* Content that was given up is lost as long as it is found. */
static void renew_losses(SyncdDamage *self, const SyncdVerify *verify)
{
    const GPtrArray *found = syncd_verify_findings(verify), *losses = syncd_verify_losses(verify),
                    *passed = syncd_verify_passed(verify);
    g_autoptr(GPtrArray) before = g_steal_pointer(&self->losses);
    self->losses = g_ptr_array_new_with_free_func(free_finding);
    for (guint i = 0; i < losses->len; i++)
        g_ptr_array_add(self->losses, copy_finding(losses->pdata[i]));
    for (guint i = 0; i < found->len; i++)
        if (is_known_lost(before, found->pdata[i]))
            add_lost(self, copy_finding(found->pdata[i]));
    for (guint i = 0; i < passed->len; i++)
        if (is_known_lost(before, passed->pdata[i]))
            add_lost(self, copy_finding(passed->pdata[i]));
}

/* One that found nothing continues what was verified, when it began within that or at the first
 * entry. */
static void note_sound(SyncdService *service, const SyncdVerify *verify, guint64 sequence)
{
    SyncdVerified *verified = &service->damage->verified;
    guint64 checked = syncd_verify_checked(verify),
            before = sequence > checked ? sequence - checked : 0,
            now = syncd_sources_realtime_usec(service->sources);
    if (before == 0)
        verified->whole_usec = now;
    if (before == 0 || (verified->whole_usec != 0 && before <= verified->sound_sequence)) {
        verified->sound_usec = now;
        verified->sound_sequence = sequence;
    }
}

/* After a write that failed memory holds what the disk may not have: only what is damaged all the
 * same is known, until it is opened again. */
static bool reads_the_disk(const SyncdService *service)
{
    return syncd_store_condition(service->store) != SYNCD_STORE_FAILED;
}

/* Gives how many of them are none, as what was given up is not found a second time. */
static guint take_findings(SyncdDamage *self, const GPtrArray *found, bool *ret_changed)
{
    guint known = 0;
    for (guint i = 0; i < found->len; i++) {
        bool lost = is_known_lost(self->losses, found->pdata[i]);
        known += lost;
        if (lost || has(self->findings, found->pdata[i]) ||
            self->findings->len >= SYNCD_VERIFY_MAX_FINDINGS)
            continue;
        g_ptr_array_add(self->findings, copy_finding(found->pdata[i]));
        *ret_changed = true;
    }
    return known;
}

void syncd_service_note_verified(SyncdService *service, const SyncdVerify *verify,
                                 SyncdVerifyMode mode, guint64 sequence)
{
    SyncdDamage *self = service->damage;
    const SyncdVerified before = self->verified;
    bool changed = mode == SYNCD_VERIFY_FULL || self->findings->len > 0;
    if (mode == SYNCD_VERIFY_FULL) {
        renew_losses(self, verify);
        self->verified.at_ms = syncd_service_now_ms(service);
        self->verified.sequence = sequence;
        if (reads_the_disk(service))
            g_ptr_array_set_size(self->findings, 0);
        self->examined = false;
        g_clear_pointer(&self->beyond, g_free);
    }
    guint known = take_findings(self, syncd_verify_findings(verify), &changed);
    guint64 n = syncd_verify_n_findings(verify) - known;
    bool sound = n == 0 && mode != SYNCD_VERIFY_HEADS && reads_the_disk(service);
    if (n > 0)
        self->verified.sound_usec = self->verified.sound_sequence = self->verified.whole_usec = 0;
    else if (sound)
        note_sound(service, verify, sequence);
    changed |= self->verified.sound_sequence != before.sound_sequence ||
               (self->verified.whole_usec == 0) != (before.whole_usec == 0);
    if (changed)
        keep(service);
    if (sound)
        syncd_runtime_found_sound(service);
}

/* One that is read for another version than the newest that names it is the same. */
static bool is_known_part(const GPtrArray *findings, const char *part)
{
    for (guint i = 0; i < findings->len; i++)
        if (g_strcmp0(((const SyncdVerifyFinding *)findings->pdata[i])->part, part) == 0)
            return true;
    return false;
}

void syncd_service_note_content_damage(SyncdService *service, const SyncdVerifyFinding *found)
{
    SyncdDamage *self = service->damage;
    if (is_known_part(self->findings, found->part) || is_known_part(self->losses, found->part) ||
        self->findings->len >= SYNCD_VERIFY_MAX_FINDINGS)
        return;
    g_ptr_array_add(self->findings, copy_finding(found));
    self->verified.sound_usec = self->verified.sound_sequence = self->verified.whole_usec = 0;
    keep(service);
    syncd_service_call_done(service);
}

void syncd_service_forget_parts(SyncdService *service, const GPtrArray *parts)
{
    GPtrArray *const lists[] = {service->damage->findings, service->damage->losses};
    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++)
        for (guint k = lists[i]->len; k-- > 0;) {
            const char *part = ((const SyncdVerifyFinding *)lists[i]->pdata[k])->part;
            if (part != NULL &&
                g_ptr_array_find_with_equal_func((GPtrArray *)parts, part, g_str_equal, NULL))
                g_ptr_array_remove_index(lists[i], k);
        }
    keep(service);
}

void syncd_service_forget_lost_content(SyncdService *service)
{
    GPtrArray *losses = service->damage->losses;
    for (guint i = losses->len; i-- > 0;)
        if (strcmp(((const SyncdVerifyFinding *)losses->pdata[i])->code, CONTENT_LOST) == 0)
            g_ptr_array_remove_index(losses, i);
}

void syncd_service_find_lost_again(SyncdService *service, const GPtrArray *losses)
{
    SyncdDamage *self = service->damage;
    guint before = self->findings->len;
    for (guint i = 0; i < losses->len && self->findings->len < SYNCD_VERIFY_MAX_FINDINGS; i++) {
        guint at;
        if (!g_ptr_array_find(self->losses, losses->pdata[i], &at))
            continue;
        SyncdVerifyFinding *finding = g_ptr_array_steal_index(self->losses, at);
        finding->code = KEPT_CONTENT;
        g_ptr_array_add(self->findings, finding);
    }
    if (self->findings->len == before)
        return;
    self->verified.sound_usec = self->verified.sound_sequence = self->verified.whole_usec = 0;
    keep(service);
}

static bool may_be_lost(const SyncdVerifyFinding *finding, GHashTable *told)
{
    if (!syncd_damage_is_of_content(finding) || told == NULL)
        return syncd_damage_is_of_content(finding);
    g_autofree char *key = syncd_told_key_of_finding(finding);
    return g_hash_table_contains(told, key);
}

guint64 syncd_service_count_content(const SyncdService *service, GHashTable *told)
{
    const GPtrArray *findings = service->damage->findings;
    guint64 n = 0;
    for (guint i = 0; i < findings->len; i++)
        n += may_be_lost(findings->pdata[i], told);
    return n;
}

void syncd_service_give_up_content(SyncdService *service, guint64 at_most, GHashTable *told)
{
    SyncdDamage *self = service->damage;
    guint before = self->losses->len;
    for (guint i = 0; i < self->findings->len;) {
        SyncdVerifyFinding *finding = self->findings->pdata[i];
        if (!may_be_lost(finding, told) || self->losses->len >= LOSSES_MAX ||
            self->losses->len - before >= at_most) {
            i++;
            continue;
        }
        g_ptr_array_steal_index(self->findings, i);
        add_lost(self, finding);
    }
    if (self->losses->len > before)
        keep(service);
}

/* ---- what would be given up ---- */

SyncdGivenUp syncd_service_given_up(const SyncdService *service)
{
    const SyncdDamage *self = service->damage;
    return (SyncdGivenUp){self->examined, self->examined ? self->given_up : 0, self->keys,
                          self->named};
}

const char *syncd_service_log_beyond_mending(const SyncdService *service)
{
    const SyncdStore *store = service->store;
    bool is_asked_first =
        syncd_store_unreadable(store) != NULL || syncd_store_displacement(store) != NULL;
    return is_asked_first ? NULL : service->damage->beyond;
}

bool syncd_service_log_is_only_open(const SyncdService *service)
{
    const SyncdStore *store = service->store;
    return syncd_store_displacement(store) != NULL && !syncd_store_is_cut(store);
}

/* That the device's key is not there is over as soon as it is put back. */
static char *why_beyond(const SyncdMend *mend)
{
    g_autoptr(GError) error = NULL;
    char *why = NULL;
    g_autofree char *next = NULL;
    if (!syncd_mend_is_possible(mend, &error) &&
        g_error_matches(error, SYNCD_ERROR, SYNCD_ERROR_JOURNAL_CORRUPT))
        syncd_error_split(error->message, &why, &next);
    return why;
}

/* With the object that the entry is about, as far as its header can be read. */
static char *name_of(SyncdService *service, const SyncdMendItem *item)
{
    const SyncdVerifyFinding entry = {.pos = item->pos};
    g_autofree char *name = syncd_mend_item_name(item),
                    *object = syncd_service_name_content(service, &entry);
    return object != NULL ? g_strdup_printf("%s (%s)", name, object) : g_steal_pointer(&name);
}

void syncd_service_note_examined(SyncdService *service, const SyncdMend *mend)
{
    SyncdDamage *self = service->damage;
    const GPtrArray *items = syncd_mend_items(mend);
    self->examined = true;
    self->given_up = syncd_mend_count(mend, SYNCD_MEND_LOST);
    g_free(self->beyond);
    self->beyond = why_beyond(mend);
    g_ptr_array_unref(self->keys);
    self->keys = syncd_told_list_lost(mend);
    g_ptr_array_set_size(self->named, 0);
    for (guint i = 0; i < items->len && self->named->len < NAMED_MAX; i++) {
        const SyncdMendItem *item = items->pdata[i];
        if (item->outcome == SYNCD_MEND_LOST)
            g_ptr_array_add(self->named, name_of(service, item));
    }
    keep(service);
}

/* ---- what lies in blobs/ ---- */

const GPtrArray *syncd_service_orphans(const SyncdService *service, bool *ret_more)
{
    const char *told = service->damage->orphans_told;
    *ret_more = told != NULL && syncd_named_has_more(told);
    return service->damage->orphans;
}

const char *syncd_service_orphans_told(const SyncdService *service)
{
    return service->damage->orphans_told;
}

const GPtrArray *syncd_service_unlike_blobs(const SyncdService *service)
{
    return service->damage->unlike;
}

static void take_first(GPtrArray *names, const GPtrArray *found, guint max)
{
    g_ptr_array_set_size(names, 0);
    for (guint i = 0; i < found->len && i < max; i++)
        g_ptr_array_add(names, g_strdup(found->pdata[i]));
}

static void take_orphans(SyncdDamage *self, const GPtrArray *found)
{
    g_autoptr(GPtrArray) all = g_ptr_array_new();
    g_ptr_array_extend(all, (GPtrArray *)found, NULL, NULL);
    g_clear_pointer(&self->orphans_told, g_free);
    if (found->len > 0)
        self->orphans_told = syncd_named_write(all, false); /* which sorts them */
    take_first(self->orphans, all, SYNCD_NAMED_MAX);
}

void syncd_service_note_blobs(SyncdService *service, const SyncdOrphans *orphans)
{
    SyncdDamage *self = service->damage;
    guint before = self->orphans->len + self->unlike->len;
    take_orphans(self, syncd_orphans_found(orphans));
    take_first(self->unlike, syncd_orphans_unlike(orphans), NAMES_MAX);
    if (before + self->orphans->len + self->unlike->len > 0)
        keep(service);
}

void syncd_service_note_orphans(SyncdService *service, const GPtrArray *names)
{
    SyncdDamage *self = service->damage;
    take_orphans(self, names);
    keep(service);
}

/* ---- the index ---- */

static guint64 generation_of(SyncdStore *store)
{
    SyncdIndexHealth health;
    syncd_store_index_health(store, &health);
    return health.generation;
}

const GArray *syncd_service_index_faults(const SyncdService *service)
{
    const SyncdDamage *self = service->damage;
    return self->index_generation == generation_of(service->store) ? self->index_faults : NULL;
}

void syncd_service_note_index_checked(SyncdService *service, const SyncdIndexCheck *check)
{
    SyncdDamage *self = service->damage;
    g_clear_pointer(&self->index_faults, g_array_unref);
    self->index_faults = g_array_copy((GArray *)syncd_index_check_faults(check));
    self->index_generation = generation_of(service->store);
}
