/* The files of the state directory: who may read them, and what a process left half done. */
#include "service/damage.h"
#include "service/detect.h"
#include "store/examine.h"
#include "store/measure.h"

#include <unistd.h>

typedef struct {
    bool may_own;
    GPtrArray *modes, *owners, *leftovers; /* char *: evidence, the first ones */
    guint64 n_modes, n_owners, n_leftovers;
} Seen;

static void note(GPtrArray *evidence, guint64 *n, char *text)
{
    if ((*n)++ < SYNCD_FOUND_EVIDENCE)
        g_ptr_array_add(evidence, text);
    else
        g_free(text);
}

/* The mode of what is somebody else's is not the daemon's to say, unless it can take the file. */
static bool look(void *data, const SyncdStateFile *file)
{
    Seen *seen = data;
    bool own = file->uid == geteuid();
    if (file->leftover)
        note(seen->leftovers, &seen->n_leftovers, g_strdup(file->name));
    if (!own)
        note(seen->owners, &seen->n_owners,
             g_strdup_printf("%s: uid %u", file->name, (unsigned)file->uid));
    if ((own || seen->may_own) && file->mode != syncd_state_file_mode(file))
        note(seen->modes, &seen->n_modes,
             g_strdup_printf("%s: %04o, not %04o", file->name, file->mode,
                             syncd_state_file_mode(file)));
    return true;
}

/* They are too many to be looked at each time: these were found when somebody looked at all. */
static bool look_at_blobs(SyncdService *service, Seen *seen, GError **error)
{
    const GPtrArray *names = syncd_service_unlike_blobs(service);
    for (guint i = 0; i < names->len; i++)
        if (!syncd_store_look_at_state(service->store, names->pdata[i], look, seen, error))
            return false;
    return true;
}

static void name(SyncdFound *found, const GPtrArray *evidence)
{
    for (guint i = 0; i < evidence->len; i++)
        syncd_found_evidence(found, g_strdup(evidence->pdata[i]));
}

static void add(SyncdDiagnosis *self, const char *code, guint64 n, const GPtrArray *evidence)
{
    if (n == 0)
        return;
    SyncdFound *found = syncd_diagnosis_add_counted(self, code, n, false);
    found->target = g_strdup("state");
    name(found, evidence);
}

/* Whoever may not change that says who can, and how. */
static void add_foreign(SyncdDiagnosis *self, guint64 n, const GPtrArray *evidence)
{
    g_autofree char *number = g_strdup_printf("%" G_GUINT64_FORMAT, n),
                    *owner = g_strdup_printf("%u", (unsigned)geteuid()),
                    *directory = g_shell_quote(syncd_store_path(self->service->store));
    if (n == 0)
        return;
    SyncdFound *found = syncd_diagnosis_add(self, "file-owners-foreign", "n", number, "owner",
                                            owner, "directory", directory, NULL);
    found->count = n;
    found->target = g_strdup("state");
    name(found, evidence);
}

bool syncd_detect_files(SyncdDiagnosis *self, GError **error)
{
    g_autoptr(GPtrArray) modes = g_ptr_array_new_with_free_func(g_free),
                         owners = g_ptr_array_new_with_free_func(g_free),
                         leftovers = g_ptr_array_new_with_free_func(g_free);
    Seen seen = {.may_own = syncd_store_may_set_owners(),
                 .modes = modes,
                 .owners = owners,
                 .leftovers = leftovers};
    if (!syncd_store_walk_state(self->service->store, false, look, &seen, error) ||
        !look_at_blobs(self->service, &seen, error))
        return false;
    add(self, "file-modes", seen.n_modes, modes);
    if (seen.may_own)
        add(self, "file-owners", seen.n_owners, owners);
    else
        add_foreign(self, seen.n_owners, owners);
    add(self, "leftovers", seen.n_leftovers, leftovers);
    return true;
}
