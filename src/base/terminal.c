#include "base/terminal.h"

#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

unsigned syncd_terminal_width(int fd)
{
    struct winsize size = {0};
    return isatty(fd) && ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

char *syncd_shell_word(const char *text)
{
    bool plain = *text != '\0' &&
                 text[strspn(text, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-_.:/@")] == '\0';
    return plain ? g_strdup(text) : g_shell_quote(text);
}

size_t syncd_text_width(const char *text)
{
    size_t width = 0;
    for (const char *at = text; *at != '\0'; at = g_utf8_next_char(at)) {
        gunichar c = g_utf8_get_char(at);
        if (!g_unichar_iszerowidth(c))
            width += g_unichar_iswide(c) ? 2 : 1;
    }
    return width;
}

void syncd_text_pad(GString *out, size_t start, size_t width)
{
    for (size_t n = syncd_text_width(out->str + start); n < width; n++)
        g_string_append_c(out, ' ');
}

/* Where the line may be broken, or the end. Whoever copies a command that is broken elsewhere runs
 * half of it. */
static const char *end_of_word(const char *at, bool *in_command)
{
    for (char before = '\0'; *at != '\0'; before = *at++) {
        if (*at == ' ' && (!*in_command || before == '&' || before == ';'))
            break;
        if (*at == '`')
            *in_command = !*in_command && strchr(at + 1, '`') != NULL;
    }
    return at;
}

void syncd_text_wrap(GString *out, const char *text, size_t at, size_t indent, size_t width)
{
    bool begins = true; /* nothing of the text stands on this line yet */
    bool in_command = false;
    if (width == 0) {
        g_string_append(out, text);
        return;
    }
    for (const char *start = text, *end = NULL; end == NULL || *end != '\0'; start = end + 1) {
        end = end_of_word(start, &in_command);
        g_autofree char *word = g_strndup(start, (gsize)(end - start));
        size_t wide = syncd_text_width(word);
        if (at > indent && at + (begins ? 0 : 1) + wide > width) {
            while (out->len > 0 && out->str[out->len - 1] == ' ')
                g_string_truncate(out, out->len - 1);
            g_string_append_printf(out, "\n%*s", (int)indent, "");
            at = indent;
            begins = true;
        }
        g_string_append_printf(out, "%s%s", begins ? "" : " ", word);
        at += wide + (begins ? 0 : 1);
        begins = false;
    }
}
