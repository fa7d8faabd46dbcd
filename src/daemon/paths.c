#include "daemon/paths.h"

#include "base/error.h"
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PROGRAM "sourceos-syncd"
#define OWN_ONLY 0700
#define READABLE 0755

static const char *environment(const char *name)
{
    const char *value = g_getenv(name);
    return value != NULL && *value != '\0' ? value : NULL;
}

/* systemd separates several directories by colons; the unit names one. */
static char *given_by_systemd(const char *variable)
{
    const char *value = environment(variable);
    if (value == NULL)
        return NULL;
    const char *colon = strchr(value, ':');
    return colon != NULL ? g_strndup(value, (size_t)(colon - value)) : g_strdup(value);
}

/* A relative path in an XDG variable is to be ignored. */
static char *xdg_path(const char *variable, const char *below_home)
{
    const char *base = environment(variable);
    return base != NULL && g_path_is_absolute(base)
               ? g_build_filename(base, PROGRAM, NULL)
               : g_build_filename(g_get_home_dir(), below_home, PROGRAM, NULL);
}

char *syncd_path_state(SyncdInstance instance)
{
    if (instance == SYNCD_INSTANCE_USER)
        return xdg_path("XDG_STATE_HOME", ".local/state");
    char *given = given_by_systemd("STATE_DIRECTORY");
    return given != NULL ? given : g_strdup("/var/lib/" PROGRAM);
}

char *syncd_path_config(SyncdInstance instance)
{
    if (instance == SYNCD_INSTANCE_USER)
        return xdg_path("XDG_CONFIG_HOME", ".config");
    return g_build_filename(SYNCD_SYSCONFDIR, PROGRAM, NULL);
}

char *syncd_path_runtime(SyncdInstance instance)
{
    if (instance == SYNCD_INSTANCE_SYSTEM) {
        char *given = given_by_systemd("RUNTIME_DIRECTORY");
        return given != NULL ? given : g_strdup("/run/" PROGRAM);
    }
    const char *base = environment("XDG_RUNTIME_DIR");
    return base != NULL ? g_build_filename(base, PROGRAM, NULL)
                        : g_strdup_printf("/tmp/" PROGRAM "-%u", (unsigned)geteuid());
}

char *syncd_path_real(const char *path)
{
    char *real = realpath(path, NULL);
    return real != NULL ? real : g_canonicalize_filename(path, NULL);
}

static bool is_trustworthy(int fd)
{
    struct stat status;
    return fstat(fd, &status) == 0 && status.st_uid == geteuid() &&
           (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

int syncd_open_runtime(SyncdInstance instance, GError **error)
{
    g_autofree char *path = syncd_path_runtime(instance);
    bool made = mkdir(path, OWN_ONLY) == 0;
    int fd =
        made || errno == EEXIST ? open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
    if (fd < 0) {
        syncd_set_error_errno(error, SYNCD_ERROR_FAILED, errno, "The runtime directory");
        return -1;
    }
    if (!is_trustworthy(fd)) {
        close(fd);
        syncd_set_error_next(error, SYNCD_ERROR_ACCESS_DENIED,
                             "remove it, or set XDG_RUNTIME_DIR to a directory of your own",
                             "The runtime directory belongs to somebody else");
        return -1;
    }
    /* Every user's status line reads what the system instance says. */
    if (made && instance == SYNCD_INSTANCE_SYSTEM)
        (void)fchmod(fd, READABLE);
    return fd;
}
