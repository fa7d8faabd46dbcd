#include "service/repair-asked.h"

#include "service/damage.h"
#include "service/hindrance.h"
#include "service/repair-file.h"
#include "service/restore.h"
#include "store/chunks.h"

#include <string.h>

#define PATIENCE_USEC (60u * (guint64)G_USEC_PER_SEC)
#define MOMENT_USEC (G_USEC_PER_SEC / 10)
#define FILES_MAX 1000u /* are looked up for a plan, or for what was given up */

struct SyncdAsking {
    GHashTable *asked;   /* gint64 *, of files: char *, why one could not be; NULL: it was */
    GHashTable *waited;  /* char *, ids of roots: guint64 *, until when; 0: it was in vain */
    guint64 being_asked; /* file; 0: none is */
};

SyncdAsking *syncd_asking_new(void)
{
    SyncdAsking *self = g_new0(SyncdAsking, 1);
    self->asked = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
    self->waited = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return self;
}

void syncd_asking_free(SyncdAsking *self)
{
    if (self == NULL)
        return;
    g_hash_table_unref(self->asked);
    g_hash_table_unref(self->waited);
    g_free(self);
}

/* ---- which files ---- */

static bool find(SyncdService *service, guint64 number, SyncdRepairFile *ret_file, GError **error)
{
    char id[SYNCD_FILE_ID_SIZE];
    return syncd_store_file_id(service->store, number, id, error) &&
           syncd_repair_file_find(service, id, ret_file, error);
}

/* As far as is recorded; and somebody could look. */
static bool is_as_recorded(const SyncdRepairFile *file)
{
    return file->live && file->row.hashed && !file->row.mismatched && file->root != NULL;
}

/* ---- why one cannot be asked ---- */

/* By the state of its workspace; `verb` is that of the command that helps, NULL: none does. */
static const struct {
    const char *state, *why, *next, *verb;
} hindrances[] = {
    {"paused", "is paused", "resume it", "resume"},
    {"missing", "is not there", "bring its directory back", NULL},
    {"failed", "cannot be read", "see why", "show"},
    {"busy", "was not at rest for a minute", "see how it is", "show"},
};

static char *say_hindrance(const SyncdRoot *root, const char *state)
{
    for (size_t i = 0; i < G_N_ELEMENTS(hindrances); i++) {
        const char *verb = hindrances[i].verb;
        if (strcmp(hindrances[i].state, state) != 0)
            continue;
        g_autofree char *command =
            verb != NULL
                ? g_strdup_printf(" with `sourceos-syncd workspace %s %s`", verb, root->workspace)
                : g_strdup("");
        return g_strdup_printf("%s %s: %s%s", root->workspace, hindrances[i].why,
                               hindrances[i].next, command);
    }
    return NULL;
}

/* NULL: it can, or in a moment. */
static char *why_not(const SyncdService *service, const SyncdRoot *root)
{
    const SyncdListener *listener = &service->listener;
    SyncdRootStanding standing;
    if (root->paused)
        return say_hindrance(root, "paused");
    if (listener->standing == NULL || !listener->standing(listener->data, root->id, &standing))
        return NULL;
    return say_hindrance(root, standing.state);
}

static char *say_failure(const SyncdRoot *root, const char *words)
{
    return g_strdup_printf("a file of %s could not be read, as %s: see why with `sourceos-syncd "
                           "workspace show %s`",
                           root->workspace, words, root->workspace);
}

/* ---- asking one ---- */

static bool remember(SyncdAsking *self, guint64 file, char *why, const char **ret_why)
{
    gint64 key = (gint64)file;
    g_hash_table_insert(self->asked, g_memdup2(&key, sizeof key), why);
    self->being_asked = 0;
    *ret_why = why;
    return false;
}

/* What it is recorded with may be another thing by now, and is then no more to be had from it. */
static char *why_it_ended(SyncdService *service, guint64 number, const SyncdJob *job)
{
    g_auto(SyncdRepairFile) file = {.live = false};
    const GError *problem = job != NULL ? syncd_job_error(job) : NULL;
    if ((job != NULL && strcmp(syncd_job_state(job), "done") == 0) ||
        (find(service, number, &file, NULL) && !is_as_recorded(&file)))
        return NULL;
    if (file.root == NULL)
        return g_strdup("the index could not be read: see why with `sourceos-syncd doctor`");
    const char *words = problem == NULL ? "that was ended" : syncd_hindrance(problem);
    if (g_error_matches(problem, SYNCD_ERROR, SYNCD_ERROR_STALE_DIGEST))
        words = "it was changed meanwhile";
    return say_failure(file.root, words != NULL ? words : "it may not be, or the disk erred");
}

/* After a start it may take a moment until anybody can read it. Each workspace is waited for once.
 */
static bool is_waited_for(SyncdAsking *self, SyncdRepairAct *act, const SyncdRoot *root)
{
    guint64 now = syncd_service_monotonic(act->service);
    guint64 *until = g_hash_table_lookup(self->waited, root->id);
    if (until == NULL) {
        const guint64 first = now + PATIENCE_USEC;
        until = g_memdup2(&first, sizeof first);
        g_hash_table_insert(self->waited, g_strdup(root->id), until);
    }
    if (now >= *until) {
        *until = 0;
        return false;
    }
    act->not_before = now + MOMENT_USEC;
    return true;
}

static SyncdRestore *offer_of(const SyncdRepairAct *act, const SyncdRepairFile *file)
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
    return syncd_restore_set_path(offer, act->service->store, &file->row, NULL)
               ? g_steal_pointer(&offer)
               : NULL;
}

/* `ret_job` NULL: not yet. */
static bool begin_reading(SyncdRepairAct *act, const SyncdRepairFile *file, SyncdJob **ret_job)
{
    const SyncdListener *listener = &act->service->listener;
    *ret_job = NULL;
    if (listener->restore == NULL ||
        syncd_repair_file_rest(act->service, file->root) != SYNCD_FILE_AT_REST)
        return true;
    SyncdRestore *offer = offer_of(act, file);
    if (offer == NULL)
        return false;
    *ret_job = listener->restore(listener->data, file->root->id, offer, act->caller.uid);
    return true;
}

static bool begin(SyncdAsking *self, SyncdRepairAct *act, guint64 number, const char **ret_why)
{
    g_auto(SyncdRepairFile) file = {.live = false};
    g_autoptr(GError) problem = NULL;
    SyncdJob *job;
    *ret_why = NULL;
    if (!find(act->service, number, &file, &problem))
        return remember(self, number,
                        g_strdup("what is recorded of a file could not be read: see why with "
                                 "`sourceos-syncd doctor`"),
                        ret_why);
    if (!is_as_recorded(&file))
        return remember(self, number, NULL, ret_why);
    char *why = why_not(act->service, file.root);
    if (why != NULL)
        return remember(self, number, why, ret_why);
    if (!begin_reading(act, &file, &job))
        return remember(self, number, say_failure(file.root, "nobody knows where it is"), ret_why);
    if (job == NULL)
        return is_waited_for(self, act, file.root) ||
               remember(self, number, say_hindrance(file.root, "busy"), ret_why);
    g_hash_table_remove(self->waited, file.root->id);
    self->being_asked = number;
    act->awaits = g_strdup(syncd_job_id(job));
    return true;
}

/* An act goes on when what it awaits has ended, and may be about another file by then. */
static void settle(SyncdAsking *self, SyncdRepairAct *act)
{
    const char *why;
    guint64 file = self->being_asked;
    if (file == 0)
        return;
    g_autofree char *id = g_steal_pointer(&act->awaits);
    remember(self, file, why_it_ended(act->service, file, syncd_service_find_job(act->service, id)),
             &why);
}

bool syncd_asking_ask(SyncdAsking *self, SyncdRepairAct *act, guint64 file, const char **ret_why)
{
    gint64 key = (gint64)file;
    void *why;
    settle(self, act);
    if (!g_hash_table_lookup_extended(self->asked, &key, NULL, &why))
        return begin(self, act, file, ret_why);
    *ret_why = why;
    return false;
}

/* ---- all that have some ---- */

/* Until it gives false. */
typedef bool (*TakeFile)(void *data, const SyncdRepairFile *file);

/* Those whose present version has that content; `*left` bounds how many are looked up. */
static void each_file_with(SyncdService *service, const SyncdVerifyFinding *finding, guint *left,
                           TakeFile take, void *data)
{
    SyncdHash chunk;
    guint64 number = 0;
    if (finding->part == NULL || !syncd_hash_from_hex(finding->part, strlen(finding->part), &chunk))
        return;
    while (*left > 0 &&
           syncd_store_next_with_chunk(service->store, &chunk, number, &number, NULL) &&
           number != 0) {
        g_auto(SyncdRepairFile) file = {.live = false};
        (*left)--;
        if (find(service, number, &file, NULL) && is_as_recorded(&file) && !take(data, &file))
            return;
    }
}

typedef struct {
    GHashTable *hindered; /* char *, ids of roots: char *, why, and owned by neither … */
    GPtrArray *named;     /* … once it is here */
} Naming;

static bool name_root(void *data, const SyncdRepairFile *file)
{
    Naming *naming = data;
    void *id, *why;
    if (g_hash_table_steal_extended(naming->hindered, file->root->id, &id, &why)) {
        g_ptr_array_add(naming->named, why);
        g_free(id);
    }
    return g_hash_table_size(naming->hindered) > 0;
}

static GHashTable *find_hindered(SyncdService *service)
{
    g_autoptr(GPtrArray) roots = NULL;
    GHashTable *hindered = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    if (!syncd_service_list_roots(service, &roots, NULL))
        return hindered;
    for (guint i = 0; i < roots->len; i++) {
        const SyncdRoot *root = roots->pdata[i];
        char *why = why_not(service, root);
        if (why != NULL)
            g_hash_table_insert(hindered, g_strdup(root->id), why);
    }
    return hindered;
}

GPtrArray *syncd_asking_list_unasked(SyncdService *service)
{
    g_autoptr(GHashTable) hindered = find_hindered(service);
    const GPtrArray *damage = syncd_service_damage(service);
    Naming naming = {hindered, g_ptr_array_new_with_free_func(g_free)};
    guint left = FILES_MAX;
    for (guint i = 0; i < damage->len && g_hash_table_size(hindered) > 0; i++)
        each_file_with(service, damage->pdata[i], &left, name_root, &naming);
    return naming.named;
}

static bool note_one(void *data, const SyncdRepairFile *file)
{
    *(bool *)data = true;
    return false;
}

void syncd_service_doubt_losses(SyncdService *service)
{
    const GPtrArray *losses = syncd_service_losses(service);
    g_autoptr(GPtrArray) doubted = g_ptr_array_new();
    guint left = FILES_MAX;
    for (guint i = 0; i < losses->len; i++) {
        bool any = false;
        each_file_with(service, losses->pdata[i], &left, note_one, &any);
        if (any)
            g_ptr_array_add(doubted, losses->pdata[i]);
    }
    syncd_service_find_lost_again(service, doubted);
}
