#include "service/outside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#define FILE_MAX 4096 /* all of them are one page or less */

/* Their files have no size that could be asked for. 0, or an errno. */
static int read_file(const char *folder, const char *name, char text[FILE_MAX])
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return errno;
    ssize_t got = read(fd, text, FILE_MAX - 1);
    int problem = got < 0 ? errno : 0;
    close(fd);
    text[MAX(got, 0)] = '\0';
    return problem;
}

/* ---- disk ---- */

static const char *name_of(unsigned long type)
{
    static const struct {
        unsigned long type;
        const char *name;
    } names[] = {
        {0xef53, "ext4"},      {0x9123683e, "btrfs"},    {0x58465342, "xfs"},
        {0x01021994, "tmpfs"}, {0x794c7630, "overlay"},  {0xf2f52010, "f2fs"},
        {0x2fc12fc1, "zfs"},   {0xca451a4e, "bcachefs"}, {0xe0f5e1e2, "erofs"},
        {0x858458f6, "ramfs"}, {0x65735546, "fuse"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        if (names[i].type == type)
            return names[i].name;
    return NULL;
}

static void measure_disk(const char *state, SyncdOutside *outside)
{
    struct statfs disk;
    if (statfs(state, &disk) < 0) {
        outside->disk_problem = errno;
        return;
    }
    if (disk.f_blocks == 0) {
        outside->disk_problem = ENODATA;
        return;
    }
    guint64 block = (guint64)(disk.f_frsize != 0 ? disk.f_frsize : disk.f_bsize);
    outside->total_bytes = (guint64)disk.f_blocks * block;
    outside->free_bytes = MIN((guint64)disk.f_bavail * block, outside->total_bytes);
    outside->filesystem = name_of((unsigned long)disk.f_type & 0xffffffff);
}

double syncd_outside_free_ratio(const SyncdOutside *outside)
{
    double ratio = (double)outside->free_bytes / (double)MAX(outside->total_bytes, 1);
    return (double)(guint64)(ratio * 10000) / 10000;
}

typedef struct {
    double bound;
    const char *word;
} Step;

const char *syncd_outside_disk_pressure(const SyncdOutside *outside)
{
    static const Step steps[] = {{0.05, "critical"}, {0.10, "warning"}, {0.20, "watch"}};
    double ratio = syncd_outside_free_ratio(outside);
    if (outside->disk_problem != 0)
        return "unknown";
    for (size_t i = 0; i < G_N_ELEMENTS(steps); i++)
        if (ratio <= steps[i].bound)
            return steps[i].word;
    return "none";
}

/* ---- memory ---- */

/* Not from /proc/meminfo, which a service may not be let see. */
static void measure_memory(const SyncdPlaces *places, SyncdOutside *outside)
{
    struct sysinfo info;
    char text[FILE_MAX];
    unsigned long size, resident;
    if (places->memory_total != 0)
        outside->memory_total = places->memory_total;
    else if (sysinfo(&info) < 0)
        outside->memory_problem = errno;
    else
        outside->memory_total = (guint64)info.totalram * info.mem_unit;
    outside->resident_problem = read_file(places->proc, "self/statm", text);
    if (outside->resident_problem != 0)
        return;
    if (sscanf(text, "%lu %lu", &size, &resident) == 2)
        outside->resident = (guint64)resident * (guint64)sysconf(_SC_PAGESIZE);
    else
        outside->resident_problem = ENODATA;
}

/* ---- waiting ---- */

static bool parse_line(const char *text, const char *who, double *ret_share)
{
    const char *line = strstr(text, who);
    if (line == NULL)
        return false;
    const char *number = strstr(line, "avg10=");
    char *end;
    if (number == NULL)
        return false;
    number += strlen("avg10=");
    *ret_share = g_ascii_strtod(number, &end);
    return end != number && *ret_share >= 0 && *ret_share <= 100;
}

static SyncdStall parse_stall(const char *text)
{
    SyncdStall stall = {0};
    if (!parse_line(text, "some ", &stall.some) || !parse_line(text, "full ", &stall.full))
        stall.problem = ENODATA;
    return stall;
}

/* The control group that this process is in, in the one hierarchy of version 2. */
static char *find_group(const SyncdPlaces *places)
{
    char text[FILE_MAX];
    if (read_file(places->proc, "self/cgroup", text) != 0)
        return NULL;
    const char *line = g_str_has_prefix(text, "0::/") ? text : strstr(text, "\n0::/");
    if (line == NULL)
        return NULL;
    const char *path = strchr(line, '/');
    g_autofree char *group = g_strndup(path, strcspn(path, "\n"));
    return strstr(group, "..") == NULL ? g_build_filename(places->cgroup, group, NULL) : NULL;
}

/* What the group waits for concerns this process; the machine's is the next best. */
static SyncdStall measure_stall(const SyncdPlaces *places, const char *group, const char *what)
{
    char text[FILE_MAX];
    g_autofree char *own = g_strdup_printf("%s.pressure", what);
    if (group != NULL && read_file(group, own, text) == 0) {
        SyncdStall stall = parse_stall(text);
        if (stall.problem == 0)
            return stall;
    }
    g_autofree char *machine = g_build_filename("pressure", what, NULL);
    int problem = read_file(places->proc, machine, text);
    return problem == 0 ? parse_stall(text) : (SyncdStall){.problem = problem};
}

const char *syncd_stall_pressure(const SyncdStall *stall)
{
    static const Step steps[] = {{40, "critical"}, {20, "warning"}, {5, "watch"}};
    if (stall->problem != 0)
        return "unknown";
    for (size_t i = 0; i < G_N_ELEMENTS(steps); i++)
        if (stall->some >= steps[i].bound)
            return steps[i].word;
    return "none";
}

void syncd_outside_measure(const char *state, const SyncdPlaces *places, SyncdOutside *ret_outside)
{
    static const SyncdPlaces system_places = {.proc = "/proc", .cgroup = "/sys/fs/cgroup"};
    const SyncdPlaces *used = places != NULL ? places : &system_places;
    *ret_outside = (SyncdOutside){0};
    g_autofree char *group = find_group(used);
    (used->disk != NULL ? used->disk : measure_disk)(state, ret_outside);
    measure_memory(used, ret_outside);
    ret_outside->memory = measure_stall(used, group, "memory");
    ret_outside->io = measure_stall(used, group, "io");
}
