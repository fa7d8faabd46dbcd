#include "daemon/configuration.h"

#include "base/error.h"
#include "daemon/log.h"
#include "service/repair-kinds.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX (64u * 1024u)
#define MAIN_FILE "syncd.conf"
#define DROP_INS "syncd.conf.d"

typedef enum { KEY_LEVEL, KEY_NUMBER, KEY_REPAIRS } KeyType;

/* What the start does without being asked unless something else is said. */
#define AUTOMATIC "index-rebuild"

static const struct {
    const char *group;
    const char *key;
    KeyType type;
    guint32 min, max, initial;
    size_t offset;
} keys[] = {
    {"Daemon", "LogLevel", KEY_LEVEL, 0, 0, SYNCD_LOG_INFO, offsetof(SyncdConfig, log_level)},
    {"Store", "ReserveMiB", KEY_NUMBER, 0, 1024, 4, offsetof(SyncdConfig, reserve_mib)},
    {"Limits", "CallsInFlight", KEY_NUMBER, 1, 4096, 256, offsetof(SyncdConfig, calls_in_flight)},
    {"Repair", "Automatic", KEY_REPAIRS, 0, 0, 0, offsetof(SyncdConfig, repair_automatic)},
};

/* ---- repair kinds, by their names ---- */

static bool add_repair(const char *name, guint32 *kinds)
{
    guint n;
    const SyncdRepairKind *const *all = syncd_repair_kinds(&n);
    for (guint i = 0; i < n; i++)
        if (all[i]->rebuildable && strcmp(all[i]->name, name) == 0) {
            *kinds |= 1u << i;
            return true;
        }
    return false;
}

static bool parse_repairs(const char *text, guint32 *ret_kinds)
{
    g_auto(GStrv) words = g_strsplit_set(text, " \t", -1);
    *ret_kinds = 0;
    for (char **word = words; *word != NULL; word++)
        if (**word != '\0' && !add_repair(*word, ret_kinds))
            return false;
    return true;
}

const char **syncd_config_automatic(const SyncdConfig *config)
{
    guint n;
    const SyncdRepairKind *const *all = syncd_repair_kinds(&n);
    GPtrArray *names = g_ptr_array_new();
    for (guint i = 0; i < n; i++)
        if (config->repair_automatic & 1u << i)
            g_ptr_array_add(names, (char *)all[i]->name);
    g_ptr_array_add(names, NULL);
    return (const char **)g_ptr_array_free(names, FALSE);
}

static char *list_repairs(void)
{
    guint n;
    const SyncdRepairKind *const *all = syncd_repair_kinds(&n);
    GString *names = g_string_new(NULL);
    for (guint i = 0; i < n; i++)
        if (all[i]->rebuildable)
            g_string_append_printf(names, "%s%s", names->len > 0 ? ", " : "", all[i]->name);
    return g_string_free(names, FALSE);
}

static void set_value(SyncdConfig *config, size_t key, guint32 value)
{
    void *member = (char *)config + keys[key].offset;
    if (keys[key].type == KEY_LEVEL)
        *(SyncdLogLevel *)member = (SyncdLogLevel)value;
    else
        *(guint32 *)member = value;
}

static guint32 get_value(const SyncdConfig *config, size_t key)
{
    const void *member = (const char *)config + keys[key].offset;
    return keys[key].type == KEY_LEVEL ? (guint32) * (const SyncdLogLevel *)member
                                       : *(const guint32 *)member;
}

void syncd_config_init(SyncdConfig *config)
{
    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++)
        set_value(config, i, keys[i].initial);
    parse_repairs(AUTOMATIC, &config->repair_automatic);
}

/* ---- one text ---- */

typedef struct {
    SyncdConfig *config;
    const char *name;
    unsigned line;
    GPtrArray *mistakes;
    char *group; /* NULL before the first */
} Reader;

static void mistake(Reader *reader, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void mistake(Reader *reader, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *what = g_strdup_vprintf(format, args);
    va_end(args);
    g_ptr_array_add(reader->mistakes,
                    g_strdup_printf("%s:%u: %s", reader->name, reader->line, what));
}

static bool parse_value(size_t key, const char *text, guint32 *ret_value)
{
    if (keys[key].type == KEY_LEVEL) {
        SyncdLogLevel level;
        if (!syncd_log_level_parse(text, &level))
            return false;
        *ret_value = level;
        return true;
    }
    if (keys[key].type == KEY_REPAIRS)
        return parse_repairs(text, ret_value);
    guint64 value;
    if (!g_ascii_string_to_unsigned(text, 10, keys[key].min, keys[key].max, &value, NULL))
        return false;
    *ret_value = (guint32)value;
    return true;
}

static void mistake_of_repairs(Reader *reader, const char *key, const char *text)
{
    g_autofree char *names = list_repairs();
    mistake(reader, "%s must be names of repairs (%s), or nothing, not \"%.64s\"", key, names,
            text);
}

static void assign(Reader *reader, const char *key, const char *text)
{
    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
        if (strcmp(keys[i].group, reader->group) != 0 || strcmp(keys[i].key, key) != 0)
            continue;
        guint32 value;
        if (parse_value(i, text, &value))
            set_value(reader->config, i, value);
        else if (keys[i].type == KEY_LEVEL)
            mistake(reader, "%s must be error, warning, notice, info or debug, not \"%.64s\"", key,
                    text);
        else if (keys[i].type == KEY_REPAIRS)
            mistake_of_repairs(reader, key, text);
        else
            mistake(reader, "%s must be a number from %u to %u, not \"%.64s\"", key, keys[i].min,
                    keys[i].max, text);
        return;
    }
    mistake(reader, "[%s] has no key \"%.64s\"", reader->group, key);
}

static bool is_group(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++)
        if (strcmp(keys[i].group, name) == 0)
            return true;
    return false;
}

/* Keys of a group that is not known are not complained about one by one. */
static void enter_group(Reader *reader, const char *line)
{
    g_free(reader->group);
    reader->group = g_strndup(line + 1, strlen(line) - 2);
    if (!is_group(reader->group)) {
        mistake(reader, "there is no group [%.64s]", reader->group);
        reader->group[0] = '\0';
    }
}

static void read_line(Reader *reader, char *line)
{
    g_strstrip(line);
    if (*line == '\0' || *line == '#' || *line == ';')
        return;
    if (*line == '[' && g_str_has_suffix(line, "]")) {
        enter_group(reader, line);
        return;
    }

    char *equals = strchr(line, '=');
    if (equals == NULL) {
        mistake(reader, "neither a group nor an assignment");
        return;
    }
    if (reader->group == NULL) {
        mistake(reader, "an assignment before the first group");
        return;
    }
    if (*reader->group == '\0')
        return;
    *equals = '\0';
    assign(reader, g_strchomp(line), g_strchug(equals + 1));
}

void syncd_config_read_text(SyncdConfig *config, const char *name, const char *text,
                            GPtrArray *mistakes)
{
    Reader reader = {.config = config, .name = name, .mistakes = mistakes};
    if (!g_utf8_validate(text, -1, NULL)) {
        mistake(&reader, "not UTF-8");
        return;
    }
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line != NULL; line++) {
        reader.line++;
        read_line(&reader, *line);
    }
    g_free(reader.group);
}

/* ---- files ---- */

static char *read_small_file(const char *path, GError **error)
{
    /* Not blocking: a FIFO must not keep us. */
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        syncd_set_error_errno(error, errno == ENOENT ? SYNCD_ERROR_NOT_FOUND : SYNCD_ERROR_FAILED,
                              errno, "%s", path);
        return NULL;
    }
    g_autofree char *text = g_malloc(FILE_MAX + 1);
    size_t size = 0;
    ssize_t got = 0;
    while (size <= FILE_MAX && (got = read(fd, text + size, FILE_MAX + 1 - size)) > 0)
        size += (size_t)got;
    int failure = errno;
    close(fd);

    if (got < 0)
        syncd_set_error_errno(error, SYNCD_ERROR_FAILED, failure, "%s", path);
    else if (size > FILE_MAX)
        syncd_set_error(error, SYNCD_ERROR_TOO_LARGE, "%s has more than %u bytes", path, FILE_MAX);
    else if (memchr(text, '\0', size) != NULL)
        syncd_set_error(error, SYNCD_ERROR_INVALID_ENCODING, "%s is no text", path);
    else {
        text[size] = '\0';
        return g_steal_pointer(&text);
    }
    return NULL;
}

bool syncd_config_read_file(SyncdConfig *config, const char *path, GPtrArray *mistakes,
                            GError **error)
{
    g_autofree char *text = read_small_file(path, error);
    if (text == NULL)
        return false;
    syncd_config_read_text(config, path, text, mistakes);
    return true;
}

static void read_optional(SyncdConfig *config, const char *path, GPtrArray *mistakes)
{
    g_autoptr(GError) error = NULL;
    if (syncd_config_read_file(config, path, mistakes, &error) ||
        g_error_matches(error, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND))
        return;
    g_ptr_array_add(mistakes, g_strdup(error->message));
}

static int compare_names(const void *one, const void *other)
{
    return strcmp(*(const char *const *)one, *(const char *const *)other);
}

void syncd_config_read_directory(SyncdConfig *config, const char *directory, GPtrArray *mistakes)
{
    g_autofree char *main_file = g_build_filename(directory, MAIN_FILE, NULL);
    read_optional(config, main_file, mistakes);

    g_autofree char *drop_ins = g_build_filename(directory, DROP_INS, NULL);
    g_autoptr(GDir) dir = g_dir_open(drop_ins, 0, NULL);
    if (dir == NULL)
        return;
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    for (const char *name; (name = g_dir_read_name(dir)) != NULL;)
        if (*name != '.' && g_str_has_suffix(name, ".conf"))
            g_ptr_array_add(names, g_strdup(name));
    g_ptr_array_sort(names, compare_names);
    for (guint i = 0; i < names->len; i++) {
        g_autofree char *path = g_build_filename(drop_ins, names->pdata[i], NULL);
        read_optional(config, path, mistakes);
    }
}

static void append_repairs(const SyncdConfig *config, const char *key, GString *text)
{
    g_autofree const char **names = syncd_config_automatic(config);
    g_autofree char *words = g_strjoinv(" ", (char **)names);
    g_string_append_printf(text, "%s=%s\n", key, words);
}

char *syncd_config_to_text(const SyncdConfig *config)
{
    GString *text = g_string_new(NULL);
    const char *group = NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
        if (g_strcmp0(group, keys[i].group) != 0)
            g_string_append_printf(text, "%s[%s]\n", i > 0 ? "\n" : "", keys[i].group);
        group = keys[i].group;
        if (keys[i].type == KEY_LEVEL)
            g_string_append_printf(text, "%s=%s\n", keys[i].key,
                                   syncd_log_level_name((SyncdLogLevel)get_value(config, i)));
        else if (keys[i].type == KEY_REPAIRS)
            append_repairs(config, keys[i].key, text);
        else
            g_string_append_printf(text, "%s=%u\n", keys[i].key, get_value(config, i));
    }
    return g_string_free(text, FALSE);
}
