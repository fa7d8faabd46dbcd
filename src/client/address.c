#include "client/address.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SYSTEM_BUS "unix:path=/run/dbus/system_bus_socket"
#define ADDRESS_FILE "bus-address"
#define ADDRESS_MAX 4096

const char *syncd_client_instance_name(SyncdClientInstance instance)
{
    return instance == SYNCD_CLIENT_SYSTEM ? "system" : "user";
}

static const char *environment(const char *name)
{
    const char *value = g_getenv(name);
    return value != NULL && *value != '\0' ? value : NULL;
}

/* As the D-Bus specification writes a value of an address. */
static char *escape_value(const char *value)
{
    GString *out = g_string_new(NULL);
    for (const char *at = value; *at != '\0'; at++) {
        if (g_ascii_isalnum(*at) || strchr("-_/.\\*", *at) != NULL)
            g_string_append_c(out, *at);
        else
            g_string_append_printf(out, "%%%02x", (guint8)*at);
    }
    return g_string_free(out, FALSE);
}

static bool is_ours(int fd, mode_t type, mode_t forbidden)
{
    struct stat status;
    return fstat(fd, &status) == 0 && (status.st_mode & S_IFMT) == type &&
           status.st_uid == geteuid() && (status.st_mode & forbidden) == 0;
}

static char *read_address(int fd)
{
    char text[ADDRESS_MAX];
    ssize_t size = read(fd, text, sizeof text);
    if (size <= 0 || size == (ssize_t)sizeof text)
        return NULL;

    const char *end = memchr(text, '\n', (size_t)size);
    size_t length = end != NULL ? (size_t)(end - text) : (size_t)size;
    for (size_t i = 0; i < length; i++)
        if (!g_ascii_isgraph(text[i]))
            return NULL;
    return length > 0 ? g_strndup(text, length) : NULL;
}

char *syncd_client_read_address_file(const char *directory)
{
    char *address = NULL;
    int directory_fd = open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (directory_fd < 0)
        return NULL;

    /* Not blocking: a FIFO must not keep us. */
    int fd = openat(directory_fd, ADDRESS_FILE, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0) {
        if (is_ours(directory_fd, S_IFDIR, S_IRWXG | S_IRWXO) &&
            is_ours(fd, S_IFREG, S_IWGRP | S_IWOTH))
            address = read_address(fd);
        close(fd);
    }
    close(directory_fd);
    return address;
}

GStrv syncd_client_addresses(SyncdClientInstance instance)
{
    GPtrArray *addresses = g_ptr_array_new();
    if (instance == SYNCD_CLIENT_SYSTEM) {
        const char *given = environment("DBUS_SYSTEM_BUS_ADDRESS");
        g_ptr_array_add(addresses, g_strdup(given != NULL ? given : SYSTEM_BUS));
    } else {
        const char *given = environment("DBUS_SESSION_BUS_ADDRESS");
        const char *runtime = environment("XDG_RUNTIME_DIR");
        if (given != NULL)
            g_ptr_array_add(addresses, g_strdup(given));
        g_autofree char *directory = NULL;
        if (runtime != NULL) {
            g_autofree char *path = g_build_filename(runtime, "bus", NULL);
            g_autofree char *escaped = escape_value(path);
            g_ptr_array_add(addresses, g_strconcat("unix:path=", escaped, NULL));
            directory = g_build_filename(runtime, "sourceos-syncd", NULL);
        } else {
            directory = g_strdup_printf("/tmp/sourceos-syncd-%u", (unsigned)geteuid());
        }
        char *noted = syncd_client_read_address_file(directory);
        if (noted != NULL)
            g_ptr_array_add(addresses, noted);
    }
    g_ptr_array_add(addresses, NULL);
    return (GStrv)g_ptr_array_free(addresses, FALSE);
}
