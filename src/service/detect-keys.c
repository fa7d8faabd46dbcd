/* Keys that are not here, and what that means. */
#include "base/terminal.h"
#include "service/detect.h"
#include "store/examine.h"
#include "store/measure.h"
#include "store/missing-keys.h"

#include <string.h>
#include <unistd.h>

#define DEVICE_KEY "keys/device.key"

/* The first that is there, but holds no key that is known; NULL: there is none. */
static const char *find_other(const SyncdDiagnosis *self, const GPtrArray *gone)
{
    for (guint i = 0; i < gone->len; i++)
        if (syncd_store_has_state(self->service->store, gone->pdata[i]))
            return gone->pdata[i];
    return NULL;
}

/* It gives its place to that of a backup. Of one that was read nothing is lost before a restart. */
static void lead_to_other(const SyncdDiagnosis *self, SyncdFound *found, const char *name)
{
    SyncdStore *store = self->service->store;
    if (name == NULL)
        return;
    g_autofree char *path = g_build_filename(syncd_store_path(store), name, NULL),
                    *key = g_shell_quote(path), *word = syncd_shell_word(name);
    syncd_found_fact(found, "key", key);
    syncd_found_fact(found, "name", word);
    bool restarts = syncd_store_lacks_keys(store) || syncd_store_signer(store) == NULL;
    found->next = restarts ? SYNCD_NEXT_KEY_AND_RESTART : SYNCD_NEXT_KEY_BACK;
}

/* A key is known as long as the process runs: that it is nowhere else is told before it is lost. */
static void add_gone(SyncdDiagnosis *self, const GPtrArray *gone)
{
    if (gone->len == 0)
        return;
    SyncdFound *found = syncd_diagnosis_add_counted(self, "key-files", gone->len, false);
    for (guint i = 0; i < gone->len; i++)
        syncd_found_evidence(found, g_strdup(gone->pdata[i]));
    lead_to_other(self, found, find_other(self, gone));
}

/* A log ends where its device's key does: what is there was signed, and nothing can be added. */
static void add_device(SyncdDiagnosis *self)
{
    SyncdStore *store = self->service->store;
    if (syncd_store_signer(store) != NULL)
        return;
    const char *fault = syncd_store_device_key_fault(store);
    g_autofree char *n = g_strdup_printf("%" G_GUINT64_FORMAT, syncd_store_sequence(store));
    SyncdFound *found =
        syncd_diagnosis_add(self, "device-key-missing", "why",
                            fault != NULL ? fault : "The key of this device is gone", "n", n, NULL);
    g_autofree char *path = g_build_filename(syncd_store_path(store), DEVICE_KEY, NULL);
    /* One that can be read is of no use; one that cannot may be the right one. */
    if (access(path, R_OK) == 0)
        lead_to_other(self, found, DEVICE_KEY);
    found->count = syncd_store_sequence(store);
    found->object = g_strdup(syncd_store_device_id(store));
    syncd_found_evidence(found, g_strdup(DEVICE_KEY));
}

/* Of its own scope a device has what it needs to know who may do what. */
static void tell_what_is_hidden(SyncdDiagnosis *self, const SyncdMissingKey *missing,
                                SyncdFound *found)
{
    bool own = strcmp(missing->scope_id, syncd_store_device_id(self->service->store)) == 0;
    if (missing->scope == NULL && own)
        syncd_found_evidence(found, g_strdup("who is registered is among it, so that nobody can "
                                             "write anywhere"));
    else if (missing->scope == NULL)
        syncd_found_evidence(found, g_strdup("its name is among it, so that no other scope is "
                                             "opened meanwhile: it might be the same"));
}

static void add_missing(SyncdDiagnosis *self, const GPtrArray *gone)
{
    g_autoptr(GPtrArray) all = syncd_store_missing_keys(self->service->store);
    for (guint i = 0; i < all->len; i++) {
        const SyncdMissingKey *missing = all->pdata[i];
        g_autofree char *n = g_strdup_printf("%" G_GUINT64_FORMAT, missing->entries);
        g_autofree char *text =
            syncd_service_scope_text(self->service, SYNCD_BYTES_TEXT(missing->scope_id));
        SyncdFound *found = syncd_diagnosis_add(self, "key-missing", "scope", text, "n", n, NULL);
        found->count = missing->entries;
        found->object = g_strdup(missing->scope_id);
        tell_what_is_hidden(self, missing, found);
        lead_to_other(self, found, find_other(self, gone));
    }
}

bool syncd_detect_keys(SyncdDiagnosis *self, GError **error)
{
    g_autoptr(GPtrArray) gone = syncd_store_keys_gone(self->service->store);
    add_gone(self, gone);
    add_device(self);
    add_missing(self, gone);
    return true;
}
