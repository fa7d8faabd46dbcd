#include "cli/output.h"

#include "cli/text.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define FLUSH_SIZE (64u * 1024u)

struct SyncdOutput {
    int fd;
    GString *buffer;
    unsigned width; /* of the terminal, also behind a pager; 0: there is none */
    bool color;
    bool compact;
    bool begun;
    int errnum; /* of the first write that failed; EPIPE for a reader that went away */
    pid_t pager;
    GString *object; /* that is being written */
    SyncdJsonWriter writer;
};

static const char *const style_codes[] = {"\033[1m", "\033[2m", "\033[32m", "\033[31m"};

SyncdOutput *syncd_output_new(int fd)
{
    SyncdOutput *output = g_new0(SyncdOutput, 1);
    output->fd = fd;
    output->buffer = g_string_new(NULL);
    output->object = g_string_new(NULL);
    output->width = syncd_terminal_width(fd);
    return output;
}

unsigned syncd_output_width(const SyncdOutput *output)
{
    return output->width;
}

void syncd_output_set_width(SyncdOutput *output, unsigned columns)
{
    output->width = columns;
}

void syncd_output_free(SyncdOutput *output)
{
    if (output == NULL)
        return;
    g_string_free(output->buffer, TRUE);
    g_string_free(output->object, TRUE);
    g_free(output);
}

static bool environment_has(const char *name)
{
    const char *value = g_getenv(name);
    return value != NULL && *value != '\0';
}

void syncd_output_set_color(SyncdOutput *output, const char *when)
{
    bool automatic = when == NULL || strcmp(when, "auto") == 0;
    output->color = automatic ? isatty(output->fd) && !environment_has("NO_COLOR") &&
                                    g_strcmp0(g_getenv("TERM"), "dumb") != 0
                              : strcmp(when, "always") == 0;
}

/* ---- the pager ---- */

static const char *pager_command(void)
{
    static const char *const variables[] = {"SOURCEOS_PAGER", "PAGER"};
    for (size_t i = 0; i < G_N_ELEMENTS(variables); i++) {
        const char *command = g_getenv(variables[i]);
        if (command != NULL)
            return command;
    }
    return "less";
}

G_GNUC_NORETURN static void become_pager(char *const *words, int input)
{
    dup2(input, STDIN_FILENO);
    /* Quit when it fits, keep colours, do not clear; and no shell or editor from within. */
    setenv("LESS", "FRX", 0);
    setenv("LESSSECURE", "1", 1);
    execvp(words[0], words);
    _exit(127);
}

void syncd_output_start_pager(SyncdOutput *output)
{
    int pipe_fds[2];
    g_auto(GStrv) words = NULL;
    if (output->pager > 0 || !isatty(output->fd) || !isatty(STDIN_FILENO) ||
        !g_shell_parse_argv(pager_command(), NULL, &words, NULL) || strcmp(words[0], "cat") == 0)
        return;
    g_autofree char *path = g_find_program_in_path(words[0]);
    if (path == NULL || pipe2(pipe_fds, O_CLOEXEC) < 0)
        return;
    pid_t pid = fork();
    if (pid == 0)
        become_pager(words, pipe_fds[0]);
    close(pipe_fds[0]);
    if (pid < 0) {
        close(pipe_fds[1]);
        return;
    }
    output->pager = pid;
    output->fd = pipe_fds[1];
    /* Who interrupts while a pager is in front means the pager; when it goes, so do we. */
    (void)signal(SIGINT, SIG_IGN);
}

/* ---- printing ---- */

void syncd_output_flush(SyncdOutput *output)
{
    const char *at = output->buffer->str;
    size_t left = output->buffer->len;
    while (left > 0 && output->errnum == 0) {
        ssize_t n = write(output->fd, at, left);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            output->errnum = errno;
            break;
        }
        at += n;
        left -= (size_t)n;
    }
    g_string_truncate(output->buffer, 0);
}

static void printed(SyncdOutput *output)
{
    output->begun = true;
    if (output->buffer->len >= FLUSH_SIZE)
        syncd_output_flush(output);
}

void syncd_output_text(SyncdOutput *output, const char *text)
{
    g_string_append(output->buffer, text);
    printed(output);
}

void syncd_output_printf(SyncdOutput *output, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_string_append_vprintf(output->buffer, format, args);
    va_end(args);
    printed(output);
}

/* What steers the terminal takes none. */
static size_t column_of(const SyncdOutput *output)
{
    const char *line = strrchr(output->buffer->str, '\n');
    g_autoptr(GString) shown = g_string_new(NULL);
    for (const char *at = line != NULL ? line + 1 : output->buffer->str; *at != '\0'; at++) {
        if (*at == '\033')
            at += strcspn(at, "m");
        else
            g_string_append_c(shown, *at);
        if (*at == '\0')
            break;
    }
    return syncd_text_width(shown->str);
}

void syncd_output_wrapped(SyncdOutput *output, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    size_t column = column_of(output);
    for (char **line = lines; *line != NULL; line++, column = 0) {
        size_t indent = strspn(*line, " ");
        g_string_append_len(output->buffer, *line, (gssize)indent);
        syncd_text_wrap(output->buffer, *line + indent, column + indent,
                        (column > 0 ? 0 : indent) + 2, output->width);
        if (line[1] != NULL)
            g_string_append_c(output->buffer, '\n');
    }
    printed(output);
}

void syncd_output_line(SyncdOutput *self, const char *title, const char *text)
{
    g_autofree char *safe = syncd_text_safe(text);
    g_autoptr(GString) line = g_string_new(title);
    g_string_append_c(line, ' ');
    syncd_text_wrap(line, safe, syncd_text_width(title) + 1, 2, syncd_output_width(self));
    syncd_output_printf(self, "%s\n", line->str);
}

void syncd_output_styled(SyncdOutput *output, SyncdStyle style, const char *text)
{
    if (output->color)
        g_string_append(output->buffer, style_codes[style]);
    g_string_append(output->buffer, text);
    if (output->color)
        g_string_append(output->buffer, "\033[0m");
    printed(output);
}

void syncd_output_set_compact(SyncdOutput *output)
{
    output->compact = true;
}

/* What a document copied from others may be spread over lines. */
static void drop_space(GString *json)
{
    bool in_string = false;
    size_t kept = 0;
    for (size_t at = 0; at < json->len; at++) {
        char byte = json->str[at];
        if (!in_string && g_ascii_isspace(byte))
            continue;
        json->str[kept++] = byte;
        if (in_string && byte == '\\')
            json->str[kept++] = json->str[++at];
        else if (byte == '"')
            in_string = !in_string;
    }
    g_string_truncate(json, kept);
}

void syncd_output_json(SyncdOutput *output, const char *json, size_t size, bool pretty)
{
    pretty = pretty && !output->compact;
    g_autoptr(GString) text = g_string_new(NULL);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, text, pretty);
    syncd_json_value(&writer, syncd_json_root(json, size));
    if (output->compact)
        drop_space(text);
    syncd_text_append_json(output->buffer, text->str, text->len, !pretty);
    g_string_append_c(output->buffer, '\n');
    printed(output);
}

SyncdJsonWriter *syncd_output_begin_object(SyncdOutput *output)
{
    g_string_truncate(output->object, 0);
    syncd_json_writer_init(&output->writer, output->object, false);
    syncd_json_begin_object(&output->writer);
    return &output->writer;
}

void syncd_output_end_object(SyncdOutput *output)
{
    syncd_json_end_object(&output->writer);
    syncd_output_json(output, output->object->str, output->object->len, true);
}

void syncd_output_json_piece(SyncdOutput *output, const char *json, size_t size)
{
    syncd_text_append_json(output->buffer, json, size, false);
    printed(output);
}

bool syncd_output_is_closed(const SyncdOutput *output)
{
    return output->errnum == EPIPE;
}

bool syncd_output_has_begun(const SyncdOutput *output)
{
    return output->begun;
}

int syncd_output_fd(const SyncdOutput *output)
{
    return output->fd;
}

bool syncd_output_finish(SyncdOutput *output, GError **error)
{
    syncd_output_flush(output);
    if (output->pager > 0) {
        close(output->fd);
        while (waitpid(output->pager, NULL, 0) < 0 && errno == EINTR)
            continue;
        output->pager = 0;
    }
    if (output->errnum == 0 || output->errnum == EPIPE)
        return true;
    syncd_set_error_next(error, SYNCD_ERROR_FAILED,
                         "make room where the output goes, or send it "
                         "elsewhere",
                         "Cannot write the output: %s", g_strerror(output->errnum));
    return false;
}
