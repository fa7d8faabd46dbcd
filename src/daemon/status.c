#include "daemon/status.h"

#include "base/json-writer.h"
#include "base/log.h"
#include "base/timestamp.h"
#include "bus/pace.h"
#include "daemon/paths.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#define FILE_NAME "status.json"
#define NEW_NAME ".status.json.new"

struct SyncdStatus {
    SyncdService *service;
    SyncdInstance instance;
    int directory; /* -1: there is none */
    SyncdPace *pace;
    const char *told; /* the state that systemd knows */
    bool failing;     /* the last attempt to write the file was in vain */
};

static bool write_all(int fd, const char *text)
{
    for (size_t left = strlen(text); left > 0;) {
        ssize_t wrote = write(fd, text, left);
        if (wrote < 0 && errno != EINTR)
            return false;
        if (wrote > 0) {
            text += wrote;
            left -= (size_t)wrote;
        }
    }
    return true;
}

/* Not synced: after a power cut the file means nothing. */
static bool replace_file(int directory, mode_t mode, const char *text)
{
    int fd = openat(directory, NEW_NAME, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
                    S_IRUSR | S_IWUSR);
    if (fd < 0)
        return false;
    bool done = fchmod(fd, mode) == 0 && write_all(fd, text) && write_all(fd, "\n");
    done = close(fd) == 0 && done;
    return done && renameat(directory, NEW_NAME, directory, FILE_NAME) == 0;
}

static void publish(SyncdStatus *status, const char *text)
{
    if (status->directory < 0)
        return;
    mode_t mode = status->instance == SYNCD_INSTANCE_SYSTEM ? 0644 : 0600;
    if (replace_file(status->directory, mode, text)) {
        status->failing = false;
        return;
    }
    if (!status->failing)
        syncd_log(SYNCD_LOG_WARNING, SYNCD_LOG_ID_NONE, "status.json cannot be written: %s",
                  g_strerror(errno));
    status->failing = true;
    /* No news is better than what is not true any more. */
    (void)unlinkat(status->directory, FILE_NAME, 0);
}

/* Whoever reads the file can tell one that a killed daemon left from one of a daemon that is there.
 */
static char *with_process(const char *text)
{
    return g_strdup_printf("%.*s,\"pid\":%ld}", (int)strlen(text) - 1, text, (long)getpid());
}

static void tell(void *data)
{
    SyncdStatus *status = data;
    SyncdState state = {0};
    syncd_service_state(status->service, &state);
    /* Not each commit: every notification wakes the service manager. */
    if (g_strcmp0(status->told, state.state) != 0)
        sd_notifyf(0, "STATUS=The state is %s.", state.state);
    status->told = state.state;

    g_autofree char *text = syncd_service_status(status->service);
    g_autofree char *whole = with_process(text);
    publish(status, whole);
}

SyncdStatus *syncd_status_new(sd_event *event, SyncdService *service, SyncdInstance instance,
                              GError **error)
{
    g_autoptr(SyncdStatus) status = g_new0(SyncdStatus, 1);
    g_autoptr(GError) no_directory = NULL;
    status->service = service;
    status->instance = instance;
    status->directory = syncd_open_runtime(instance, &no_directory);
    if (status->directory < 0)
        syncd_log(SYNCD_LOG_WARNING, SYNCD_LOG_ID_NONE, "There will be no status.json: %s",
                  no_directory->message);

    status->pace = syncd_pace_new(event, SYNCD_PACE_SHOWN_USEC, tell, status, error);
    if (status->pace == NULL)
        return NULL;
    tell(status);
    return g_steal_pointer(&status);
}

/* The members that a client without a daemon shows. */
static char *describe_absence(SyncdInstance instance)
{
    SyncdJsonWriter writer;
    GString *text = g_string_new(NULL);
    char now[SYNCD_TIME_SIZE];
    syncd_time_format_ms((guint64)g_get_real_time() / 1000, now);

    syncd_json_writer_init(&writer, text, false);
    syncd_json_begin_object(&writer);
    syncd_json_member_bool(&writer, "daemon_available", false);
    syncd_json_member_string(&writer, "daemon_state", "daemon-unavailable");
    syncd_json_member_null(&writer, "active_profile");
    syncd_json_member_null(&writer, "active_workspace");
    syncd_json_member_null(&writer, "active_device");
    syncd_json_member_bool(&writer, "degraded", false);
    syncd_json_member_bool(&writer, "policy_blocked", false);
    syncd_json_member_uint(&writer, "conflict_count", 0);
    syncd_json_member_bool(&writer, "repair_needed", false);
    syncd_json_member_string(&writer, "note", "The daemon has stopped.");
    syncd_json_member_string(&writer, "instance", syncd_instance_name(instance));
    syncd_json_name(&writer, "state_reasons");
    syncd_json_begin_array(&writer);
    syncd_json_end_array(&writer);
    syncd_json_member_uint(&writer, "pending_operations", 0);
    syncd_json_member_null(&writer, "sequence");
    syncd_json_member_uint(&writer, "pending_approvals", 0);
    syncd_json_member_bool(&writer, "paused", false);
    syncd_json_member_null(&writer, "version");
    syncd_json_member_string(&writer, "updated_at", now);
    syncd_json_end_object(&writer);
    return g_string_free(text, FALSE);
}

void syncd_status_free(SyncdStatus *status)
{
    if (status == NULL)
        return;
    syncd_pace_free(status->pace);
    g_autofree char *text = describe_absence(status->instance);
    publish(status, text);
    if (status->directory >= 0)
        close(status->directory);
    g_free(status);
}

void syncd_status_changed(SyncdStatus *status)
{
    syncd_pace_request(status->pace);
}
