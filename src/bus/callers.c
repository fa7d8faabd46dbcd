#include "bus/callers.h"

#include "base/error.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <systemd/sd-login.h>
#include <unistd.h>

#define CALLERS_MAX 1024u /* kept; beyond that they are asked for again */

typedef struct {
    uid_t uid;
    pid_t pid;
    char *unit;
} Identity;

struct SyncdCallers {
    GHashTable *by_name; /* unique name: Identity */
    bool units;
};

static void identity_free(void *data)
{
    Identity *identity = data;
    g_free(identity->unit);
    g_free(identity);
}

SyncdCallers *syncd_callers_new(bool units)
{
    SyncdCallers *callers = g_new0(SyncdCallers, 1);
    callers->by_name = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, identity_free);
    callers->units = units;
    return callers;
}

void syncd_callers_free(SyncdCallers *callers)
{
    if (callers == NULL)
        return;
    g_hash_table_unref(callers->by_name);
    g_free(callers);
}

static int ask_bus(sd_bus_message *call, Identity *ret_identity)
{
    sd_bus_creds *creds = NULL;
    int r = sd_bus_query_sender_creds(call, SD_BUS_CREDS_EUID | SD_BUS_CREDS_PID, &creds);
    /* What the library fills in from /proc may be about another process by now. */
    if (r >= 0 && (sd_bus_creds_get_augmented_mask(creds) & SD_BUS_CREDS_EUID) != 0)
        r = -EPERM;
    if (r >= 0)
        r = sd_bus_creds_get_euid(creds, &ret_identity->uid);
    if (r >= 0 && sd_bus_creds_get_pid(creds, &ret_identity->pid) < 0)
        ret_identity->pid = 0;
    sd_bus_creds_unref(creds);
    return r;
}

/* The unit is that of the process which the bus named only if the process is still there after the
 * unit was read: until then its number cannot have become another's. */
static char *unit_of(pid_t pid)
{
    char *found = NULL;
    int fd = pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
    if (fd < 0)
        return NULL;
    bool there = sd_pid_get_user_unit(pid, &found) >= 0 &&
                 syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0) == 0;
    char *unit = there ? g_strdup(found) : NULL;
    free(found);
    close(fd);
    return unit;
}

static void keep(SyncdCallers *callers, const char *name, const Identity *identity)
{
    if (g_hash_table_size(callers->by_name) >= CALLERS_MAX)
        g_hash_table_remove_all(callers->by_name);
    g_hash_table_insert(callers->by_name, g_strdup(name), g_memdup2(identity, sizeof *identity));
}

bool syncd_callers_identify(SyncdCallers *callers, sd_bus_message *call, uid_t *ret_uid,
                            pid_t *ret_pid, GError **error)
{
    const char *name = sd_bus_message_get_sender(call);
    const Identity *known = name != NULL ? g_hash_table_lookup(callers->by_name, name) : NULL;
    Identity identity = known != NULL ? *known : (Identity){0};
    if (known == NULL) {
        int r = ask_bus(call, &identity);
        if (r < 0) {
            syncd_set_error(error, SYNCD_ERROR_ACCESS_DENIED,
                            "The bus does not say who you are: %s", g_strerror(-r));
            return false;
        }
        if (callers->units && name != NULL)
            identity.unit = unit_of(identity.pid);
        if (name != NULL)
            keep(callers, name, &identity);
    }
    *ret_uid = identity.uid;
    *ret_pid = identity.pid;
    return true;
}

const char *syncd_callers_unit(const SyncdCallers *callers, sd_bus_message *call)
{
    const char *name = sd_bus_message_get_sender(call);
    const Identity *known = name != NULL ? g_hash_table_lookup(callers->by_name, name) : NULL;
    return known != NULL ? known->unit : NULL;
}
