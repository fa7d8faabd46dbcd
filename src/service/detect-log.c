/* What the open and verifications found wrong with the log: by what can be done about it. */
#include "base/timestamp.h"
#include "service/content-name.h"
#include "service/damage.h"
#include "service/detect.h"
#include "store/chunks.h"
#include "store/displaced.h"
#include "store/misread.h"
#include "store/rescue.h"
#include "store/rollback.h"

#include <string.h>

/* Of so many it is looked up whose content they are. */
#define NAMED_MAX 32u
#define JOURNAL_WAL "journal.db-wal"

/* The first that names the code of a verification's finding; the last one has all others. */
static const struct {
    const char *code;
    const char *target;
    const char *of[8];
} groups[] = {
    {"log-diverged", "journal", {"rollback", "fork", "known-feed"}},
    {"body-damaged", "journal", {"body-missing", "body-digest", "body-meta", "body-seal"}},
    {"blob-damaged", "blobs", {"content", "kept-content"}},
    {"blob-lost", "blobs", {"content-lost"}},
    {"log-lost", "journal", {"entry-lost", "body-lost"}},
    {"log-damaged", "journal", {NULL}},
};

static size_t group_of(const SyncdVerifyFinding *finding)
{
    for (size_t i = 0; i < G_N_ELEMENTS(groups); i++)
        for (size_t j = 0; groups[i].of[j] != NULL; j++)
            if (strcmp(groups[i].of[j], finding->code) == 0)
                return i;
    return G_N_ELEMENTS(groups) - 1;
}

const char *syncd_log_finding_code(const SyncdVerifyFinding *finding)
{
    return groups[group_of(finding)].code;
}

/* What the open of the log found already, the finding log-rolled-back tells. */
static bool is_of(const SyncdDiagnosis *self, const SyncdVerifyFinding *finding, size_t group)
{
    bool told = syncd_store_rollback(self->service->store) != NULL &&
                strcmp(finding->code, "rollback") == 0;
    return group_of(finding) == group && !told;
}

static void widen(SyncdFound *found, const SyncdVerifyFinding *finding)
{
    if (finding->pos <= 0)
        return;
    guint64 at = (guint64)finding->pos;
    found->first = found->first == 0 ? at : MIN(found->first, at);
    found->last = MAX(found->last, at);
}

static char *evidence_of(const SyncdVerifyFinding *finding)
{
    GString *text = g_string_new(finding->code);
    if (finding->feed != NULL && *finding->feed != '\0')
        g_string_append_printf(text, " %s", finding->feed);
    if (finding->pos > 0)
        g_string_append_printf(text, " %" G_GINT64_FORMAT, finding->pos);
    g_string_append_printf(text, ": %s", finding->detail);
    return g_string_free(text, FALSE);
}

/* Of one file many chunks may be wrong: it is named once. Whoever may not inspect is shown no
 * evidence at all. */
static void add_evidence(SyncdService *service, SyncdFound *found,
                         const SyncdVerifyFinding *finding, bool by_name)
{
    g_autofree char *name = by_name && found->evidence->len < SYNCD_FOUND_EVIDENCE
                                ? syncd_service_name_content(service, finding)
                                : NULL;
    g_autofree char *text = evidence_of(finding);
    if (name == NULL) {
        syncd_found_evidence(found, g_steal_pointer(&text));
        return;
    }
    g_autofree char *named = g_strconcat(name, ": ", NULL);
    for (guint i = 0; i < found->evidence->len; i++)
        if (g_str_has_prefix(found->evidence->pdata[i], named))
            return;
    syncd_found_evidence(found, g_strconcat(named, text, NULL));
}

static bool are_of_one_content(const SyncdVerifyFinding *one, const SyncdVerifyFinding *other)
{
    return one->part != NULL && other->part != NULL && one->pos == other->pos &&
           g_strcmp0(one->file, other->file) == 0 &&
           (one->file != NULL || strcmp(one->part, other->part) == 0);
}

/* Of one content many parts may be wrong: it is counted once, as it is named once. */
static bool was_counted(const SyncdDiagnosis *self, const GPtrArray *damage, guint at, size_t group)
{
    for (guint i = 0; i < at; i++)
        if (are_of_one_content(damage->pdata[i], damage->pdata[at]) &&
            is_of(self, damage->pdata[i], group))
            return true;
    return false;
}

/* Equal bytes are one chunk, which is damaged for all that have them: those are counted that
 * `users` has not yet. */
static guint64 count_contents(const SyncdDiagnosis *self, const GPtrArray *damage, guint at,
                              size_t group, GHashTable *users)
{
    g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(SyncdChunkUser));
    guint64 n = 0;
    if (!syncd_service_users_of_part(self->service, damage->pdata[at], list) || list->len == 0)
        return !was_counted(self, damage, at, group);
    for (guint i = 0; i < list->len; i++)
        n += g_hash_table_add(
            users, g_bytes_new(&g_array_index(list, SyncdChunkUser, i), sizeof(SyncdChunkUser)));
    return n;
}

/* Where no plan leads anywhere, what leads on is what the journal that cannot be opened needs. */
static const char *next_of_unreadable(const SyncdDiagnosis *self)
{
    for (guint i = 0; i < self->found->len; i++) {
        const SyncdFound *found = self->found->pdata[i];
        if (strcmp(found->finding->code, "journal-unreadable") == 0)
            return found->next;
    }
    return NULL;
}

static void add_group(SyncdDiagnosis *self, size_t group, const GPtrArray *damage)
{
    g_autoptr(GHashTable) users =
        g_hash_table_new_full(g_bytes_hash, g_bytes_equal, (GDestroyNotify)g_bytes_unref, NULL);
    const SyncdVerifyFinding *first = NULL;
    guint64 n = 0;
    for (guint i = 0; i < damage->len; i++) {
        if (!is_of(self, damage->pdata[i], group))
            continue;
        first = first != NULL ? first : damage->pdata[i];
        n += count_contents(self, damage, i, group, users);
    }
    if (n == 0)
        return;
    g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT, n);
    SyncdFound *found =
        syncd_diagnosis_add(self, groups[group].code, "n", text, "reason", first->detail, NULL);
    found->count = n;
    /* A journal that cannot be opened, or was cut, gives its place to another one first. And where
     * something was given up, all that is here was asked then. */
    SyncdStore *store = self->service->store;
    found->unmended = found->finding->repair != NULL &&
                      (syncd_store_unreadable(store) != NULL || syncd_store_is_cut(store) ||
                       (!syncd_finding_is_bad(found->finding) && !syncd_store_has_backup(store)));
    if (!found->unmended)
        found->target = g_strdup(groups[group].target);
    else if (syncd_store_unreadable(store) != NULL)
        found->next = next_of_unreadable(self);
    else if (!syncd_finding_is_bad(found->finding))
        found->next = SYNCD_NEXT_VERIFY_FULL; /* which names what was given up */
    guint looked = 0;
    for (guint i = 0; i < damage->len; i++) {
        if (!is_of(self, damage->pdata[i], group))
            continue;
        widen(found, damage->pdata[i]);
        add_evidence(self->service, found, damage->pdata[i],
                     ((const SyncdVerifyFinding *)damage->pdata[i])->part != NULL &&
                         looked++ < NAMED_MAX);
    }
}

static void add_beyond_rescue(SyncdDiagnosis *self, const char *why_nots)
{
    const char *reason =
        *why_nots != '\0' ? why_nots : "nothing in the state directory holds entries of it";
    syncd_diagnosis_add(self, "journal-beyond-rescue", "reason", reason, NULL);
}

/* Why, of each that might take its place, it cannot. */
static bool look_for_rescue(SyncdStore *store, char **ret_why_nots)
{
    g_autoptr(GPtrArray) why_nots = g_ptr_array_new_with_free_func(g_free);
    bool may = syncd_store_may_be_rescued(store, why_nots);
    g_ptr_array_add(why_nots, NULL);
    *ret_why_nots = g_strjoinv("; ", (char **)why_nots->pdata);
    return may;
}

static void add_unreadable(SyncdDiagnosis *self)
{
    SyncdStore *store = self->service->store;
    const GError *problem = syncd_store_unreadable(store);
    if (problem == NULL)
        return;
    g_autofree char *why = NULL, *next = NULL;
    syncd_error_split(problem->message, &why, &next);
    g_autofree char *plain = syncd_database_without_code(why);
    SyncdFound *found = syncd_diagnosis_add(self, "journal-unreadable", "reason", plain, NULL);
    syncd_found_evidence(found, g_strdup(why));
    g_autofree char *why_nots = NULL;
    found->unmended = !look_for_rescue(store, &why_nots);
    if (*why_nots != '\0')
        syncd_found_evidence(found, g_strdup(why_nots));
    if (!found->unmended) {
        found->target = g_strdup("journal");
        return;
    }
    /* Before the device's key is back nobody can tell. */
    bool has_key = syncd_store_signer(store) != NULL;
    found->next = has_key ? SYNCD_NEXT_JOURNAL_AND_PLAN : SYNCD_NEXT_KEYS_AND_RESTART;
    if (has_key)
        add_beyond_rescue(self, why_nots);
}

static void add_displacement(SyncdDiagnosis *self)
{
    SyncdStore *store = self->service->store;
    const char *displacement = syncd_store_displacement(store);
    const char *code = syncd_store_is_cut(store) ? "journal-cut" : "journal-displaced";
    if (displacement == NULL)
        return;
    g_autofree char *said = syncd_store_say_displacement(store);
    SyncdFound *found = syncd_diagnosis_add(self, code, "reason", said, NULL);
    found->target = g_strdup("journal");
    syncd_found_evidence(found, g_strdup(displacement));
}

static char *say_what_knows_more(const char *file)
{
    static const struct {
        const char *file, *words;
    } known[] = {
        {"index.db", "the index has entries that the log has not"},
        {"verified.json", "a verification has read entries that the log has not"},
        {"ended.json", "when the daemon ended last the log had what it has not now"},
        {"epochs.json", "a part of the log was begun that it has not"},
        {JOURNAL_WAL, "the WAL is damaged, and has behind the damage what is missing"},
    };
    const char *words = "the file that took the journal's place may lack what came after it";
    for (size_t i = 0; i < G_N_ELEMENTS(known); i++)
        if (strcmp(known[i].file, file) == 0)
            words = known[i].words;
    return g_strdup_printf("%s (%s)", words, file);
}

static void add_rollback(SyncdDiagnosis *self)
{
    SyncdStore *store = self->service->store;
    const SyncdRollback *rollback = syncd_store_rollback(store);
    if (rollback == NULL)
        return;
    guint64 n = syncd_store_n_rolled_back(store);
    g_autoptr(GPtrArray) feeds = syncd_store_feeds_rolled_back(store);
    g_autofree char *number = g_strdup_printf("%s%" G_GUINT64_FORMAT, n == 0 ? "at least " : "", n);
    SyncdFound *found = syncd_diagnosis_add_adoptable(self, "log-rolled-back", number);
    found->count = n;
    found->more = n == 0;
    found->target = g_strdup("journal");
    if (n > 0) {
        found->first = syncd_store_sequence(store) + 1;
        found->last = rollback->known;
    }
    /* First, as not many are kept: this says where the rest is. */
    if (strcmp(rollback->evidence, JOURNAL_WAL) != 0 && syncd_store_wal_has_more(store))
        syncd_found_evidence(found, say_what_knows_more(JOURNAL_WAL));
    for (guint i = 0; i < feeds->len; i++)
        syncd_found_evidence(found, g_strdup(feeds->pdata[i]));
    if (rollback->gone > 0)
        syncd_found_evidence(
            found,
            g_strdup_printf("%" G_GUINT64_FORMAT " feeds are not there at all", rollback->gone));
    if (rollback->operation != NULL)
        syncd_found_evidence(found, g_strdup_printf("the last entry was %s", rollback->operation));
    syncd_found_evidence(found, say_what_knows_more(rollback->evidence));
}

static void add_misread(SyncdDiagnosis *self)
{
    const SyncdMisread *misread = syncd_store_misread(self->service->store);
    char at[SYNCD_TIME_SIZE];
    if (misread->what == NULL)
        return;
    syncd_time_format_ms(misread->sound_ms, at);
    SyncdFound *found =
        syncd_diagnosis_add(self, "journal-misread", "at", at, "reason", misread->what, NULL);
    found->count = misread->times;
    found->target = g_strdup("journal");
}

static void add_beyond_mending(SyncdDiagnosis *self)
{
    const char *why = syncd_service_log_beyond_mending(self->service);
    if (why != NULL)
        syncd_diagnosis_add(self, "log-beyond-mending", "reason", why, NULL);
}

bool syncd_detect_log(SyncdDiagnosis *self, GError **error)
{
    const GPtrArray *damage = syncd_service_damage(self->service);
    add_unreadable(self);
    add_displacement(self);
    add_rollback(self);
    add_misread(self);
    add_beyond_mending(self);
    for (size_t i = 0; i < G_N_ELEMENTS(groups); i++)
        add_group(self, i, damage);
    for (size_t i = 0; i < G_N_ELEMENTS(groups); i++)
        add_group(self, i, syncd_service_losses(self->service));
    return true;
}
