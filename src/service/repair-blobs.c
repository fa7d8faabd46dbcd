/*
 * Content beside the log that is missing or damaged is brought back, a chunk at a time, from
 * wherever its bytes can be had: from what lies in the state directory, else from a file of a
 * workspace that is what is recorded of it, whose reader alone can read it. What the chunk has to
 * be is told by its name (store/refill.h), so none of them has to be believed.
 *
 * What is nowhere is named, as lost, until a verification finds it there; what a file may have that
 * cannot be read now (repair-asked.h), or that cannot be written, stays damaged. All else goes on.
 */
#include "service/content-name.h"
#include "service/damage.h"
#include "service/repair-asked.h"
#include "service/repair-told.h"
#include "service/repair-verify.h"
#include "store/blobs.h"
#include "store/chunks.h"
#include "store/refill.h"

#include <string.h>

#define SENTENCES_MAX 50u
#define NAMED_MAX 16u /* in a plan */

typedef enum { NAME, LOOK, KEEP, SOURCES, FILES, CONCLUDE, VERIFY, GIVE_UP, N_STAGES } Stage;

typedef struct {
    Stage stage;
    SyncdRefill *refill;
    SyncdAsking *asking;
    GHashTable *named;  /* gint64 *: entries whose chunks are known */
    GHashTable *doubts; /* SyncdWrongChunk *: char *, why a file that may have it was not asked */
    guint next;         /* the chunk that is at hand … */
    guint64 file;       /* … and the file that was tried for it last */
    SyncdRepairVerify verify;
    guint64 lost; /* so much is given up */
    bool unnamed; /* there is more than was named */
    bool back;    /* this is the way back */
} Work;

static Work *work_of(SyncdRepairAct *act)
{
    if (act->data != NULL)
        return act->data;
    Work *work = g_new0(Work, 1);
    work->refill = syncd_refill_new(act->service->store, act->snapshot);
    work->named = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    work->doubts = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    work->asking = syncd_asking_new();
    return act->data = work;
}

static void stop(SyncdRepairAct *act)
{
    Work *work = act->data;
    if (work == NULL)
        return;
    syncd_refill_free(work->refill);
    g_hash_table_unref(work->named);
    g_hash_table_unref(work->doubts);
    syncd_asking_free(work->asking);
    syncd_repair_verify_clear(&work->verify);
    g_clear_pointer(&act->data, g_free);
}

/* What was listed before a crash is what was wrong. */
static bool begin(SyncdRepairAct *act, GError **error)
{
    bool found;
    return syncd_refill_load(work_of(act)->refill, &found, error);
}

/* ---- which chunks ---- */

static void go_on(Work *work)
{
    work->stage++;
    work->next = 0;
    work->file = 0;
}

/* `*ret_any`: there are some that it did not know. */
static bool name_chunks(SyncdRepairAct *act, Work *work, bool *ret_any, GError **error)
{
    const GPtrArray *damage = syncd_service_damage(act->service);
    *ret_any = false;
    for (guint i = 0; i < damage->len; i++) {
        const SyncdVerifyFinding *finding = damage->pdata[i];
        if (!syncd_damage_is_of_content(finding) || finding->pos <= 0 ||
            g_hash_table_contains(work->named, &finding->pos))
            continue;
        if (!syncd_refill_add(work->refill, (guint64)finding->pos, error))
            return false;
        g_hash_table_add(work->named, g_memdup2(&finding->pos, sizeof finding->pos));
        *ret_any = true;
    }
    return true;
}

static bool name(SyncdRepairAct *act, Work *work, GError **error)
{
    bool any;
    go_on(work);
    return name_chunks(act, work, &any, error);
}

static bool look(SyncdRepairAct *act, Work *work, GError **error)
{
    bool more;
    if (!syncd_refill_look(work->refill, &more, error))
        return false;
    if (!more)
        go_on(work);
    return true;
}

static SyncdWrongChunk *at_hand(const Work *work)
{
    const GPtrArray *chunks = syncd_refill_chunks(work->refill);
    return work->next < chunks->len ? chunks->pdata[work->next] : NULL;
}

static bool keep(SyncdRepairAct *act, Work *work, GError **error)
{
    SyncdWrongChunk *chunk = at_hand(work);
    if (chunk == NULL) {
        go_on(work);
        return true;
    }
    work->next++;
    return syncd_refill_keep(work->refill, chunk, error);
}

/* ---- from where ---- */

static bool ask_sources(SyncdRepairAct *act, Work *work, GError **error)
{
    SyncdWrongChunk *chunk = at_hand(work);
    if (chunk == NULL) {
        go_on(work);
        return true;
    }
    work->next++;
    return syncd_refill_is_back(work->refill, chunk) ||
           syncd_refill_from_sources(work->refill, chunk, error);
}

static void turn_to_next(Work *work)
{
    work->next++;
    work->file = 0;
}

static void doubt(Work *work, SyncdWrongChunk *chunk, const char *why)
{
    if (!g_hash_table_contains(work->doubts, chunk))
        g_hash_table_insert(work->doubts, chunk, g_strdup(why));
}

static bool ask_files(SyncdRepairAct *act, Work *work, GError **error)
{
    SyncdWrongChunk *chunk = at_hand(work);
    const char *why;
    guint64 file;
    syncd_refill_take_offers(work->refill);
    if (chunk == NULL) {
        go_on(work);
        return true;
    }
    bool back = syncd_refill_is_back(work->refill, chunk);
    if (back && chunk->source == NULL)
        chunk->source = g_strdup("a file of a workspace");
    if (!back && !syncd_refill_next_file(work->refill, chunk, work->file, &file, error))
        return false;
    if (back || file == 0) {
        turn_to_next(work);
        return true;
    }
    if (syncd_asking_ask(work->asking, act, file, &why))
        return true;
    if (why != NULL)
        doubt(work, chunk, why);
    work->file = file;
    return true;
}

static bool conclude(SyncdRepairAct *act, Work *work, GError **error)
{
    const SyncdWrongChunk *chunk = at_hand(work);
    if (chunk != NULL) {
        work->next++;
        return chunk->back || syncd_refill_let_be(work->refill, chunk, error);
    }
    go_on(work);
    return syncd_refill_conclude(work->refill, error);
}

/* ---- what is not back ---- */

/* And what to do first; NULL: nothing is in the way, and it is nowhere. */
static char *why_not_back(const Work *work, const SyncdWrongChunk *chunk)
{
    const char *doubt = g_hash_table_lookup(work->doubts, chunk);
    if (chunk->unwritten == NULL)
        return doubt != NULL ? g_strconcat(doubt, ", and", NULL) : NULL;
    g_autofree char *name = syncd_blobs_path(chunk->of, &chunk->name);
    bool full = g_error_matches(chunk->unwritten, SYNCD_ERROR, SYNCD_ERROR_NO_SPACE);
    return g_strdup_printf("a file has its bytes, but %s could not be written: %s, and", name,
                           full ? "make room on the disk"
                                : "see whether that file and the disk take writing");
}

/* What a verification tells it by: those of an entry are found together. */
static char *key_of(const SyncdWrongChunk *chunk)
{
    char digits[SYNCD_HASH_HEX_SIZE];
    syncd_hash_to_hex(&chunk->name, digits);
    return chunk->of == SYNCD_CHUNK_OF_FILE ? g_strdup(digits)
                                            : g_strdup_printf("%" G_GUINT64_FORMAT, chunk->pos);
}

static char *key_of_finding(const SyncdVerifyFinding *finding)
{
    SyncdHash chunk;
    const char *part = finding->part;
    return part != NULL && syncd_hash_from_hex(part, strlen(part), &chunk)
               ? g_strdup(part)
               : g_strdup_printf("%" G_GINT64_FORMAT, finding->pos);
}

static GHashTable *new_set(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

static GHashTable *list_hindered(const Work *work)
{
    const GPtrArray *chunks = syncd_refill_chunks(work->refill);
    GHashTable *hindered = new_set();
    for (guint i = 0; i < chunks->len; i++) {
        const SyncdWrongChunk *chunk = chunks->pdata[i];
        if (!chunk->back &&
            (chunk->unwritten != NULL || g_hash_table_contains(work->doubts, chunk)))
            g_hash_table_add(hindered, key_of(chunk));
    }
    return hindered;
}

static bool is_all_back(const Work *work)
{
    const GPtrArray *chunks = syncd_refill_chunks(work->refill);
    for (guint i = 0; i < chunks->len; i++)
        if (!((const SyncdWrongChunk *)chunks->pdata[i])->back)
            return false;
    return true;
}

/* There was more of it than is named at once. */
static bool are_unnamed(const SyncdVerify *verify)
{
    return syncd_verify_n_findings(verify) > syncd_verify_findings(verify)->len;
}

static guint64 count_damage(const SyncdService *service)
{
    return syncd_service_count_content(service, NULL);
}

/* NULL: it was begun before plans said of each part that it may be lost, and is held to their
 * number. */
static GHashTable *told_by(const SyncdRepairAct *act)
{
    guint64 others;
    return act->bound_to != NULL ? syncd_told_read(act->bound_to, &others) : NULL;
}

static bool is_told(GHashTable *told, const SyncdVerifyFinding *finding)
{
    g_autofree char *key = told != NULL ? syncd_told_key_of_finding(finding) : NULL;
    return told == NULL || g_hash_table_contains(told, key);
}

/* Of what the plan says may be lost, that which is nowhere: as a plan calls it. */
static GHashTable *list_lost(const SyncdRepairAct *act, const Work *work)
{
    const GPtrArray *damage = syncd_service_damage(act->service);
    g_autoptr(GHashTable) told = told_by(act), hindered = list_hindered(work);
    GHashTable *lost = new_set();
    for (guint i = 0; i < damage->len; i++) {
        const SyncdVerifyFinding *finding = damage->pdata[i];
        g_autofree char *key = key_of_finding(finding);
        if (is_told(told, finding) && !g_hash_table_contains(hindered, key))
            g_hash_table_add(lost, syncd_told_key_of_finding(finding));
    }
    return lost;
}

/* Nothing of it, and no more, than whoever approved was told, however often the daemon is killed:
 * how much was lost before is noted before any of it is given up, and what came to that since is
 * this plan's. The rest is damaged still, and the next plan says so. */
static bool begin_giving_up(SyncdRepairAct *act, Work *work)
{
    guint before_now = syncd_service_losses(act->service)->len;
    if (act->note == NULL) {
        g_autofree char *note = g_strdup_printf("%u", before_now);
        syncd_repair_act_note(act, note);
    }
    guint64 before = MIN(g_ascii_strtoull(act->note, NULL, 10), before_now),
            left = act->may_give_up - MIN(act->may_give_up, before_now - before);
    g_autoptr(GHashTable) lost = list_lost(act, work);
    work->lost = MIN(left, syncd_service_count_content(act->service, lost));
    return work->lost > 0;
}

static bool give_up(SyncdRepairAct *act, Work *work, GError **error)
{
    g_autoptr(GHashTable) lost = list_lost(act, work);
    syncd_service_give_up_content(act->service, work->lost, lost);
    work->stage = work->unnamed ? VERIFY : N_STAGES;
    return true;
}

/* Of more than are told at once the rest is told then, also behind what is given up. What is back
 * and found all the same is not lost, but the disk errs: then nothing is given up. */
static bool verify(SyncdRepairAct *act, Work *work, GError **error)
{
    bool more, any = false;
    if (!syncd_repair_verify_step(act->service, &work->verify, &more, error))
        return false;
    if (more)
        return true;
    work->unnamed = are_unnamed(work->verify.verify);
    syncd_repair_verify_clear(&work->verify);
    if (!work->back && !name_chunks(act, work, &any, error))
        return false;
    if (any)
        work->stage = NAME;
    else if (!work->back && !is_all_back(work) && begin_giving_up(act, work))
        work->stage = GIVE_UP;
    else
        work->stage = N_STAGES;
    return true;
}

static bool step(SyncdRepairAct *act, bool *ret_more, double *ret_progress, GError **error)
{
    static bool (*const stages[])(SyncdRepairAct * act, Work * work, GError * *error) = {
        name, look, keep, ask_sources, ask_files, conclude, verify, give_up};
    Work *work = work_of(act);
    const GPtrArray *chunks = syncd_refill_chunks(work->refill);
    if (!stages[work->stage](act, work, error))
        return false;
    double part = work->verify.verify != NULL ? syncd_verify_progress(work->verify.verify)
                                              : work->next / (chunks->len + 1.0);
    *ret_more = work->stage < N_STAGES;
    *ret_progress = MIN(1.0, (work->stage + part) / N_STAGES);
    return true;
}

/* ---- what came of it ---- */

/* A path is not for logs and reports: the id of the file stands for it. */
static char *owner_of(SyncdService *service, const SyncdWrongChunk *chunk)
{
    char digits[SYNCD_HASH_HEX_SIZE];
    g_autofree char *file = syncd_store_file_of_chunk(service->store, chunk->pos, &chunk->name);
    syncd_hash_to_hex(&chunk->name, digits);
    const SyncdVerifyFinding entry = {.pos = (gint64)chunk->pos, .part = digits, .file = file};
    return file != NULL ? syncd_service_name_version(service, &entry)
                        : syncd_service_name_content(service, &entry);
}

static char *name_chunk(SyncdService *service, const SyncdWrongChunk *chunk)
{
    char digits[SYNCD_HASH_HEX_SIZE];
    syncd_hash_to_hex(&chunk->name, digits);
    g_autofree char *owner = owner_of(service, chunk);
    return g_strdup_printf("The chunk %s of the entry %" G_GUINT64_FORMAT "%s%s", digits,
                           chunk->pos, owner != NULL ? ", content of " : "",
                           owner != NULL ? owner : "");
}

typedef enum { BACK, LOST, STILL_DAMAGED, N_OUTCOMES } Outcome;

static char *sentence_of(SyncdService *service, const Work *work, const SyncdWrongChunk *chunk,
                         Outcome outcome)
{
    g_autofree char *what = name_chunk(service, chunk);
    if (outcome == LOST)
        return g_strconcat(what, " is lost: nothing here has it", NULL);
    if (outcome == BACK)
        return g_strconcat(what, chunk->source != NULL ? ", from " : "", chunk->source, NULL);
    g_autofree char *why = why_not_back(work, chunk);
    return g_strdup_printf("%s is damaged still, and not given up: %s plan again with "
                           "`sourceos-syncd repair plan`",
                           what, why != NULL ? why : "it was found since the plan was made;");
}

/* By the keys of their chunks: what was given up of what the plan says. */
static GHashTable *list_given_up(const SyncdRepairAct *act)
{
    const GPtrArray *losses = syncd_service_losses(act->service);
    g_autoptr(GHashTable) told = told_by(act);
    GHashTable *given_up = new_set();
    for (guint i = 0; i < losses->len; i++)
        if (is_told(told, losses->pdata[i]))
            g_hash_table_add(given_up, key_of_finding(losses->pdata[i]));
    return given_up;
}

static Outcome outcome_of(const SyncdWrongChunk *chunk, GHashTable *given_up)
{
    g_autofree char *key = key_of(chunk);
    return chunk->back ? BACK : g_hash_table_contains(given_up, key) ? LOST : STILL_DAMAGED;
}

static bool check(SyncdRepairAct *act, GError **error)
{
    Work *work = work_of(act);
    GPtrArray *const lists[N_OUTCOMES] = {act->rebuilt, act->given_up, act->unresolved};
    const GPtrArray *chunks = syncd_refill_chunks(work->refill);
    g_autoptr(GHashTable) given_up = list_given_up(act);
    guint n[N_OUTCOMES] = {0};
    for (guint i = 0; i < chunks->len; i++) {
        SyncdWrongChunk *chunk = chunks->pdata[i];
        if (chunk->back && !syncd_refill_is_back(work->refill, chunk)) {
            syncd_set_error(error, SYNCD_ERROR_FAILED, "%s", "What was brought back is not there");
            return false;
        }
        Outcome outcome = outcome_of(chunk, given_up);
        if (n[outcome]++ < SENTENCES_MAX)
            g_ptr_array_add(lists[outcome], sentence_of(act->service, work, chunk, outcome));
    }
    g_autofree char *still = n[STILL_DAMAGED] > 0
                                 ? g_strdup_printf(", that are damaged still: %u", n[STILL_DAMAGED])
                                 : g_strdup("");
    g_ptr_array_add(act->preserved,
                    g_strdup_printf("What was in the place of chunks before; chunks that came "
                                    "back: %u, that are lost: %u%s",
                                    n[BACK], n[LOST], still));
    return true;
}

static void tell_stays(SyncdRepairAct *act, const Work *work)
{
    const GPtrArray *chunks = syncd_refill_chunks(work->refill);
    guint stay = 0;
    for (guint i = 0; i < chunks->len; i++)
        stay += ((const SyncdWrongChunk *)chunks->pdata[i])->stays;
    if (stay > 0)
        g_ptr_array_add(act->preserved,
                        g_strdup_printf("Chunks that came back and stay, as nothing else has them "
                                        "by now: %u",
                                        stay));
}

/* What is damaged again is found again, before what says that it was is gone. */
static bool undo(SyncdRepairAct *act, bool *ret_more, GError **error)
{
    Work *work = work_of(act);
    bool found, more;
    *ret_more = true;
    if (!work->back) { /* this way back begins */
        syncd_repair_verify_clear(&work->verify);
        syncd_service_forget_lost_content(act->service);
        work->back = true;
        work->stage = NAME;
    }
    if (work->stage == VERIFY)
        return verify(act, work, error);
    if (!syncd_refill_load(work->refill, &found, error))
        return false;
    if (found && work->stage != N_STAGES) {
        if (!syncd_refill_undo(work->refill, act->lost, &more, error))
            return false;
        work->stage = more ? NAME : VERIFY;
        return true;
    }
    *ret_more = false;
    tell_stays(act, work);
    /* What is there, and is not what was kept, goes with the plan. */
    return (act->lost != NULL && act->lost->len > 0) ||
           syncd_refill_release(work->refill, NULL, error);
}

static bool release(SyncdRepairAct *act, bool *ret_more, GError **error)
{
    g_autoptr(SyncdRefill) refill = syncd_refill_new(act->service->store, act->snapshot);
    return syncd_refill_release(refill, ret_more, error);
}

static guint64 space(SyncdService *service, const char *target)
{
    return 2 * count_damage(service) * SYNCD_CHUNK_SIZE;
}

/* ---- what whoever approves is told ---- */

static char *owner_of_damaged(SyncdService *service, const SyncdVerifyFinding *finding)
{
    char *owner = finding->file != NULL ? syncd_service_name_version(service, finding)
                                        : syncd_service_name_content(service, finding);
    return owner != NULL ? owner : g_strdup_printf("the entry %" G_GINT64_FORMAT, finding->pos);
}

/* By what they are the content of, and of files the digest of each chunk behind it. */
static void name_damaged(SyncdService *service, GString *out)
{
    const GPtrArray *damage = syncd_service_damage(service);
    g_autofree char *before = NULL;
    for (guint i = 0, named = 0; i < damage->len && named < NAMED_MAX; i++) {
        const SyncdVerifyFinding *finding = damage->pdata[i];
        if (!syncd_damage_is_of_content(finding))
            continue;
        char *owner = owner_of_damaged(service, finding);
        bool same = g_strcmp0(owner, before) == 0;
        if (!same)
            g_string_append_printf(out, "%s%s", named > 0 ? "; " : "", owner);
        if (finding->file != NULL && finding->part != NULL)
            g_string_append_printf(out, "%s%s", same ? ", " : ": ", finding->part);
        g_free(before);
        before = owner;
        named++;
    }
}

static void name_unasked(SyncdService *service, GString *out)
{
    g_autoptr(GPtrArray) unasked = syncd_asking_list_unasked(service);
    for (guint i = 0; i < unasked->len; i++)
        g_string_append_printf(out, "%s%s",
                               i == 0 ? " What only files may have that cannot be asked now stays "
                                        "as it is, and is not given up: "
                                      : "; ",
                               (const char *)unasked->pdata[i]);
    if (unasked->len > 0)
        g_string_append_c(out, '.');
}

/* What can be had is known when each file was asked. Nothing is taken away for what cannot. */
static guint64 loss(SyncdService *service, char **ret_sentence)
{
    guint64 n = count_damage(service);
    GString *out = g_string_new(NULL);
    g_string_printf(out,
                    "Where its bytes are nowhere it is given up, and called lost from then on: at "
                    "most what was found, %" G_GUINT64_FORMAT ": ",
                    n);
    name_damaged(service, out);
    if (n > NAMED_MAX)
        g_string_append_printf(out, "; and %" G_GUINT64_FORMAT " more", n - NAMED_MAX);
    g_string_append_c(out, '.');
    name_unasked(service, out);
    *ret_sentence = g_string_free(out, FALSE);
    return n;
}

static char *bound_to(SyncdService *service)
{
    const GPtrArray *damage = syncd_service_damage(service);
    g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < damage->len; i++)
        if (syncd_damage_is_of_content(damage->pdata[i]))
            g_ptr_array_add(keys, syncd_told_key_of_finding(damage->pdata[i]));
    return syncd_told_write(keys, keys->len);
}

const SyncdRepairKind syncd_repair_blob_refill = {
    .name = "blob-refill",
    .kind = "restore",
    .risk = "low",
    .description = "Bring back content beside the log that is missing or damaged, from whatever "
                   "else here has the same bytes: files of workspaces, earlier copies of the log, "
                   "what repairs set aside. What is there is kept.",
    .expected_result = "Each chunk of content has the hash that is its name; what was to be had "
                       "nowhere is named.",
    .space = space,
    .loss = loss,
    .bound_to = bound_to,
    .covers = syncd_told_covers,
    .lost_already = true,
    .begin = begin,
    .step = step,
    .check = check,
    .undo = undo,
    .kept_list = ".list",
    .release = release,
    .stop = stop,
};
