/*
 * Content beside the log that is missing or damaged is brought back, a chunk at a time, from
 * wherever its bytes can be had: from what lies in the state directory, else from a file of a
 * workspace that is what is recorded of it, whose reader alone can read it. What the chunk has to
 * be is told by its name (store/refill.h), so none of them has to be believed.
 *
 * What cannot be had is named, as lost, until a verification finds it there; all else goes on.
 */
#include "service/content-name.h"
#include "service/damage.h"
#include "service/repair-file.h"
#include "service/repair-told.h"
#include "service/repair-verify.h"
#include "service/restore.h"
#include "store/chunks.h"
#include "store/refill.h"

#include <string.h>

#define SENTENCES_MAX 50u
#define NAMED_MAX 16u /* in a plan */
#define PATIENCE_USEC (60u * (guint64)G_USEC_PER_SEC)
#define MOMENT_USEC (G_USEC_PER_SEC / 10)

typedef enum { NAME, LOOK, KEEP, SOURCES, FILES, CONCLUDE, VERIFY, GIVE_UP, N_STAGES } Stage;

typedef struct {
    Stage stage;
    SyncdRefill *refill;
    GHashTable *named; /* gint64 *: entries whose chunks are known */
    GHashTable *read;  /* gint64 *: files that were read for it */
    guint next;        /* the chunk that is at hand … */
    guint64 file;      /* … and the file that was tried for it last */
    guint64 until;     /* monotonic: no longer is a file waited for; 0: none is */
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
    work->read = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    return act->data = work;
}

static void stop(SyncdRepairAct *act)
{
    Work *work = act->data;
    if (work == NULL)
        return;
    syncd_refill_free(work->refill);
    g_hash_table_unref(work->named);
    g_hash_table_unref(work->read);
    syncd_repair_verify_clear(&work->verify);
    g_clear_pointer(&act->data, g_free);
}

static bool is_known(GHashTable *numbers, guint64 number)
{
    gint64 key = (gint64)number;
    return g_hash_table_contains(numbers, &key);
}

static void know(GHashTable *numbers, guint64 number)
{
    gint64 key = (gint64)number;
    g_hash_table_add(numbers, g_memdup2(&key, sizeof key));
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
    work->until = 0;
}

/* `*ret_any`: there are some that it did not know. */
static bool name_chunks(SyncdRepairAct *act, Work *work, bool *ret_any, GError **error)
{
    const GPtrArray *damage = syncd_service_damage(act->service);
    *ret_any = false;
    for (guint i = 0; i < damage->len; i++) {
        const SyncdVerifyFinding *finding = damage->pdata[i];
        if (!syncd_damage_is_of_content(finding) || finding->pos <= 0 ||
            is_known(work->named, (guint64)finding->pos))
            continue;
        if (!syncd_refill_add(work->refill, (guint64)finding->pos, error))
            return false;
        know(work->named, (guint64)finding->pos);
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

static SyncdRestore *offer_of(const SyncdRepairAct *act, const SyncdRepairFile *file,
                              GError **error)
{
    g_autoptr(SyncdRestore) offer = g_new0(SyncdRestore, 1);
    *offer = (SyncdRestore){
        .workspace = g_strdup(file->root->workspace),
        .from = g_strdup(""),
        .modes = g_array_new(FALSE, FALSE, sizeof(guint32)),
        .size = file->row.size,
        .hash = file->row.hash,
        .over = true,
        .expected = file->row.hash,
        .caller = {.uid = act->caller.uid},
        .offers = true,
    };
    return syncd_restore_set_path(offer, act->service->store, &file->row, error)
               ? g_steal_pointer(&offer)
               : NULL;
}

/* After a start it may take a moment until anybody can read it. */
static bool is_waited_for(SyncdRepairAct *act, Work *work)
{
    guint64 now = syncd_service_monotonic(act->service);
    if (work->until == 0)
        work->until = now + PATIENCE_USEC;
    if (now >= work->until)
        return false;
    act->not_before = now + MOMENT_USEC;
    return true;
}

/* Whether it is being read, or will be; whatever keeps it from that, another file may do. */
static bool begin_reading(SyncdRepairAct *act, Work *work, guint64 number)
{
    const SyncdListener *listener = &act->service->listener;
    g_auto(SyncdRepairFile) file = {.live = false};
    char id[SYNCD_FILE_ID_SIZE];
    if (!syncd_store_file_id(act->service->store, number, id, NULL) ||
        !syncd_repair_file_find(act->service, id, &file, NULL) || !file.live || !file.row.hashed ||
        file.row.mismatched || file.root == NULL || file.root->paused)
        return false;
    SyncdRestore *offer =
        listener->restore != NULL &&
                syncd_repair_file_rest(act->service, file.root) == SYNCD_FILE_AT_REST
            ? offer_of(act, &file, NULL)
            : NULL;
    SyncdJob *job = offer != NULL
                        ? listener->restore(listener->data, file.root->id, offer, act->caller.uid)
                        : NULL;
    if (job == NULL)
        return is_waited_for(act, work);
    work->until = 0;
    know(work->read, number);
    act->awaits = g_strdup(syncd_job_id(job));
    return true;
}

static bool ask_files(SyncdRepairAct *act, Work *work, GError **error)
{
    SyncdWrongChunk *chunk = at_hand(work);
    guint64 file;
    g_clear_pointer(&act->awaits, g_free);
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
        work->next++;
        work->file = 0;
        return true;
    }
    if (is_known(work->read, file) || !begin_reading(act, work, file)) {
        work->file = file;
        work->until = 0;
    }
    return true;
}

static bool conclude(SyncdRepairAct *act, Work *work, GError **error)
{
    go_on(work);
    return syncd_refill_conclude(work->refill, error);
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

/* Nothing of it, and no more, than whoever approved was told, however often the daemon is killed:
 * how much was lost before is noted before any of it is given up, and what came to that since is
 * this plan's. The rest is damaged still, and the next plan says so. */
static bool begin_giving_up(SyncdRepairAct *act, Work *work)
{
    guint lost = syncd_service_losses(act->service)->len;
    if (act->note == NULL) {
        g_autofree char *note = g_strdup_printf("%u", lost);
        syncd_repair_act_note(act, note);
    }
    guint64 before = MIN(g_ascii_strtoull(act->note, NULL, 10), lost),
            left = act->may_give_up - MIN(act->may_give_up, lost - before);
    g_autoptr(GHashTable) told = told_by(act);
    work->lost = MIN(left, syncd_service_count_content(act->service, told));
    return work->lost > 0;
}

static bool give_up(SyncdRepairAct *act, Work *work, GError **error)
{
    g_autoptr(GHashTable) told = told_by(act);
    syncd_service_give_up_content(act->service, work->lost, told);
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

static char *sentence_of(SyncdService *service, const SyncdWrongChunk *chunk)
{
    char digits[SYNCD_HASH_HEX_SIZE];
    syncd_hash_to_hex(&chunk->name, digits);
    g_autofree char *owner = owner_of(service, chunk);
    g_autofree char *what =
        g_strdup_printf("The chunk %s of the entry %" G_GUINT64_FORMAT "%s%s", digits, chunk->pos,
                        owner != NULL ? ", content of " : "", owner != NULL ? owner : "");
    if (!chunk->back)
        return g_strconcat(what, " is lost: nothing here has it", NULL);
    return chunk->source != NULL ? g_strconcat(what, ", from ", chunk->source, NULL)
                                 : g_steal_pointer(&what);
}

static bool check(SyncdRepairAct *act, GError **error)
{
    Work *work = work_of(act);
    const GPtrArray *chunks = syncd_refill_chunks(work->refill);
    guint back = 0;
    for (guint i = 0; i < chunks->len; i++) {
        SyncdWrongChunk *chunk = chunks->pdata[i];
        if (chunk->back && !syncd_refill_is_back(work->refill, chunk)) {
            syncd_set_error(error, SYNCD_ERROR_FAILED, "%s", "What was brought back is not there");
            return false;
        }
        back += chunk->back;
        GPtrArray *sentences = chunk->back ? act->rebuilt : act->given_up;
        if (sentences->len < SENTENCES_MAX)
            g_ptr_array_add(sentences, sentence_of(act->service, chunk));
    }
    g_ptr_array_add(act->preserved,
                    g_strdup_printf("What was in the place of chunks before; chunks that came "
                                    "back: %u, that are lost: %u",
                                    back, chunks->len - back));
    guint64 more = count_damage(act->service);
    if (more > 0)
        g_ptr_array_add(act->preserved,
                        g_strdup_printf("What is damaged beside what the plan says is not called "
                                        "lost, as another plan says what can be done about it: "
                                        "%" G_GUINT64_FORMAT,
                                        more));
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
    *ret_sentence = g_string_free(g_string_append_c(out, '.'), FALSE);
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
