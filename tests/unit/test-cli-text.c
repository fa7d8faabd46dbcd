#include "base/json.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/record.h"
#include "cli/table.h"
#include "cli/text.h"
#include "cli/when.h"

#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- what is shown instead of obeyed ---- */

static void steering_characters_are_shown(void)
{
    static const struct {
        const char *text;
        const char *shown;
    } cases[] = {
        {"plain text, \xc3\xa4 and \xe4\xb8\xad", "plain text, \xc3\xa4 and \xe4\xb8\xad"},
        {"\033[31mred", "<U+001B>[31mred"},
        {"a\nb\r\tc", "a<U+000A>b<U+000D><U+0009>c"},
        {"\x7f", "<U+007F>"},
        {"\xc2\x9b"
         "31m",
         "<U+009B>31m"},
        {"\xe2\x80\xae"
         "exe.txt",
         "<U+202E>exe.txt"},
        {"\xe2\x81\xa6x\xe2\x81\xa9", "<U+2066>x<U+2069>"},
        {"\xef\xbb\xbf", "<U+FEFF>"},
        {"\xe2\x80\xa8", "<U+2028>"},
        {"\xf3\xa0\x81\x81", "<U+E0041>"},
        {"\xff\xc3", "<FF><C3>"},
        {"\xed\xa0\x80", "<ED><A0><80>"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *shown = syncd_text_safe(cases[i].text);
        g_assert_cmpstr(shown, ==, cases[i].shown);
        /* What was made safe stays as it is. */
        g_autofree char *again = syncd_text_safe(shown);
        g_assert_cmpstr(again, ==, shown);
    }
}

/* No text at all may leave a byte that a terminal obeys. */
static void no_text_reaches_the_terminal_raw(void)
{
    GRand *chance = g_rand_new_with_seed(7);
    for (unsigned round = 0; round < 20000; round++) {
        char text[24];
        size_t size = (size_t)g_rand_int_range(chance, 0, sizeof text);
        for (size_t i = 0; i < size; i++)
            text[i] = (char)g_rand_int_range(chance, 0, 256);
        g_autoptr(GString) out = g_string_new(NULL);
        syncd_text_append_safe(out, text, (gssize)size);
        g_assert_true(g_utf8_validate(out->str, (gssize)out->len, NULL));
        for (const char *at = out->str; *at != '\0'; at = g_utf8_next_char(at))
            g_assert_false(g_unichar_iscntrl(g_utf8_get_char(at)));
    }
    g_rand_free(chance);
}

static void json_stays_the_same_document(void)
{
    static const char json[] =
        "{\"a\":\"\xe2\x80\xae\x7f\xc2\x9b\xf3\xa0\x81\x81 \xc3\xa4\",\n\"b\":1}";
    g_autoptr(GString) pretty = g_string_new(NULL);
    g_autoptr(GString) line = g_string_new(NULL);
    syncd_text_append_json(pretty, json, strlen(json), false);
    syncd_text_append_json(line, json, strlen(json), true);
    g_assert_cmpstr(pretty->str, ==,
                    "{\"a\":\"\\u202e\\u007f\\u009b\\udb40\\udc41 \xc3\xa4\",\n\"b\":1}");
    g_assert_null(strchr(line->str, '\n'));

    g_autoptr(GError) error = NULL;
    g_assert_true(syncd_json_check(line->str, line->len, SYNCD_JSON_MUST_BE_OBJECT, &error));
    g_autofree char *before =
        syncd_json_dup_string(syncd_json_member(syncd_json_root(json, strlen(json)), "a"), NULL);
    g_autofree char *after =
        syncd_json_dup_string(syncd_json_member(syncd_json_root(line->str, line->len), "a"), NULL);
    g_assert_cmpstr(before, ==, after);
}

static void width_is_what_is_seen(void)
{
    g_assert_cmpuint(syncd_text_width(""), ==, 0);
    g_assert_cmpuint(syncd_text_width("abc"), ==, 3);
    g_assert_cmpuint(syncd_text_width("\xc3\xa4"), ==, 1);
    g_assert_cmpuint(syncd_text_width("a\xcc\x88"), ==, 1);
    g_assert_cmpuint(syncd_text_width("\xe4\xb8\xad\xe6\x96\x87"), ==, 4);
}

/* ---- output ---- */

typedef struct {
    SyncdOutput *output;
    int reader;
} Pipe;

static Pipe open_pipe(void)
{
    int fds[2];
    g_assert_cmpint(pipe2(fds, O_CLOEXEC), ==, 0);
    return (Pipe){syncd_output_new(fds[1]), fds[0]};
}

static char *finish(Pipe *p)
{
    char text[4096];
    g_autoptr(GError) error = NULL;
    g_assert_true(syncd_output_finish(p->output, &error));
    g_assert_no_error(error);
    close(syncd_output_fd(p->output));
    ssize_t size = read(p->reader, text, sizeof text);
    close(p->reader);
    syncd_output_free(p->output);
    return g_strndup(text, (size_t)MAX(size, 0));
}

static void tables_are_aligned_by_width(void)
{
    static const char *const titles[] = {">N", "NAME", "REST", NULL};
    Pipe p = open_pipe();
    g_autoptr(SyncdTable) table = syncd_table_new(titles);
    syncd_table_add(table, (const char *const[]){"7", "\xe4\xb8\xad", "x"});
    syncd_table_add(table, (const char *const[]){"123", "\033", NULL});
    syncd_table_print(table, p.output);
    syncd_table_add(table, (const char *const[]){"8", "", "later"});
    syncd_table_print(table, p.output);
    g_autofree char *text = finish(&p);
    g_assert_cmpstr(text, ==,
                    "  N  NAME      REST\n"
                    "  7  \xe4\xb8\xad        x\n"
                    "123  <U+001B>  -\n"
                    "  8  -         later\n");
}

/* No word is broken, whatever the width, and no line is wider than the terminal. */
static void tables_fit_the_terminal(void)
{
    static const char *const titles[] = {">N", "TIME", "OBJECT", "SUMMARY", NULL};
    static const char *const row[] = {"7", "2026-05-05 09:30:00", "object:0123456789abcdef",
                                      "An operation was recorded: object:0123456789abcdef"};
    static const struct {
        unsigned width;
        const char *text;
    } cases[] = {
        {0, "N  TIME                 OBJECT                   SUMMARY\n"
            "7  2026-05-05 09:30:00  object:0123456789abcdef  An operation was recorded: "
            "object:0123456789abcdef\n"},
        {200, "N  TIME                 OBJECT                   SUMMARY\n"
              "7  2026-05-05 09:30:00  object:0123456789abcdef  An operation was recorded: "
              "object:0123456789abcdef\n"},
        {80, "N  TIME                 OBJECT                   SUMMARY\n"
             "7  2026-05-05 09:30:00  object:0123456789abcdef  An operation was recorded:\n"
             "                                                 object:0123456789abcdef\n"},
        {60, "N  TIME                 OBJECT\n"
             "    SUMMARY\n"
             "7  2026-05-05 09:30:00  object:0123456789abcdef\n"
             "    An operation was recorded: object:0123456789abcdef\n"},
        {30, "N  TIME\n"
             "    OBJECT\n"
             "    SUMMARY\n"
             "7  2026-05-05 09:30:00\n"
             "    object:0123456789abcdef\n"
             "    An operation was recorded:\n"
             "    object:0123456789abcdef\n"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Pipe p = open_pipe();
        syncd_output_set_width(p.output, cases[i].width);
        g_autoptr(SyncdTable) table = syncd_table_new(titles);
        syncd_table_add(table, row);
        syncd_table_print(table, p.output);
        g_autofree char *text = finish(&p);
        g_assert_cmpstr(text, ==, cases[i].text);
    }
}

/* Each line of it, also one that was begun, in whatever style. */
static void lines_are_wrapped(void)
{
    static const struct {
        unsigned width;
        const char *text;
    } cases[] = {
        {0, "\033[32mThe log is sound\033[0m (here): it was looked at.\n  Key: one two three\n"},
        {24,
         "\033[32mThe log is sound\033[0m (here):\n  it was looked at.\n  Key: one two three\n"},
        {16, "\033[32mThe log is sound\033[0m\n  (here): it was\n  looked at.\n  Key: one two\n"
             "    three\n"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Pipe p = open_pipe();
        syncd_output_set_width(p.output, cases[i].width);
        syncd_output_set_color(p.output, "always");
        syncd_output_styled(p.output, SYNCD_STYLE_GOOD, "The log is sound");
        syncd_output_wrapped(p.output, " (%s): it was looked at.\n  Key: %s\n", "here",
                             "one two three");
        g_autofree char *text = finish(&p);
        g_assert_cmpstr(text, ==, cases[i].text);
    }
}

/* Whoever copies lines runs what he was told. */
static void no_command_is_broken(void)
{
    static const struct {
        const char *text, *wrapped;
    } cases[] = {
        {"Next: `repair rollback plan-1`, then look.",
         "Next:\n  `repair rollback plan-1`,\n  then look."},
        {"Next: `cp -n A/* B && (kill 1; run)`", "Next: `cp -n A/* B &&\n  (kill 1; run)`"},
        {"`cp one-file to another one` and", "`cp one-file to another one`\n  and"},
        {"One ` alone breaks nothing up", "One ` alone breaks\n  nothing up"},
        {"Two  spaces, `a  b`", "Two  spaces, `a  b`"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GString) out = g_string_new(NULL);
        syncd_text_wrap(out, cases[i].text, 0, 2, 24);
        g_assert_cmpstr(out->str, ==, cases[i].wrapped);
    }
}

/* What is wider than what is left of a line stands on the next one, and is not broken. */
static void no_word_is_broken(void)
{
    static const struct {
        unsigned width;
        const char *text;
    } cases[] = {
        {0, "Digest: sha256:0123456789abcdef\nText: short\n"},
        {40, "Digest: sha256:0123456789abcdef\nText: short\n"},
        {26, "Digest:\n  sha256:0123456789abcdef\nText: short\n"},
        {8, "Digest:\n  sha256:0123456789abcdef\nText:\n  short\n"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Pipe p = open_pipe();
        syncd_output_set_width(p.output, cases[i].width);
        syncd_output_line(p.output, "Digest:", "sha256:0123456789abcdef");
        syncd_output_line(p.output, "Text:", "short");
        g_autofree char *text = finish(&p);
        g_assert_cmpstr(text, ==, cases[i].text);
    }
}

static void records_show_lists_as_people_write_them(void)
{
    static const char record[] = "{\"capabilities\":[\"read\",\"write\"],\"empty\":[],"
                                 "\"pairs\":[1,2],\"odd\":[\"a,b\",\"c\"]}";
    Pipe p = open_pipe();
    syncd_record_print(p.output, syncd_json_root(record, strlen(record)));
    g_autofree char *text = finish(&p);
    g_assert_cmpstr(text, ==,
                    "capabilities  read, write\n"
                    "pairs         [1,2]\n"
                    "odd           [\"a,b\",\"c\"]\n");
}

/* Nobody knows where it could be broken. */
static void what_has_no_room_behind_its_name_stands_below(void)
{
    static const char record[] = "{\"a_name\":\"a-word-that-is-long\",\"other\":\"one two\"}";
    Pipe p = open_pipe();
    syncd_output_set_width(p.output, 20);
    syncd_record_print(p.output, syncd_json_root(record, strlen(record)));
    g_autofree char *text = finish(&p);
    g_assert_cmpstr(text, ==, "a_name\n    a-word-that-is-long\nother   one two\n");
}

static void what_is_nested_has_lines_of_its_own(void)
{
    static const char record[] =
        "{\"steps\":[{\"op\":\"move\",\"to\":\"/a\"},{\"op\":\"drop\"}],"
        "\"key\":{\"signed\":true,\"by\":\"actor:a of a long name\",\"of\":{\"x\":[1]}}}";
    Pipe p = open_pipe();
    syncd_output_set_width(p.output, 30);
    syncd_record_print(p.output, syncd_json_root(record, strlen(record)));
    g_autofree char *text = finish(&p);
    g_assert_cmpstr(text, ==,
                    "steps  {\"op\":\"move\",\"to\":\"/a\"}\n"
                    "       {\"op\":\"drop\"}\n"
                    "key    signed: true\n"
                    "       by: actor:a of a long\n"
                    "         name\n"
                    "       of: {\"x\":[1]}\n");
}

static void lines_without_anything_are_left_out(void)
{
    static const char *const titles[] = {"ID", "WHERE", NULL};
    Pipe p = open_pipe();
    syncd_output_set_width(p.output, 24);
    g_autoptr(SyncdTable) table = syncd_table_new(titles);
    syncd_table_add(table, (const char *const[]){"0123456789abcdef", "lanes=archive"});
    syncd_table_add(table, (const char *const[]){"1", NULL});
    syncd_table_print(table, p.output);
    g_autofree char *text = finish(&p);
    g_assert_cmpstr(text, ==, "ID\n    WHERE\n0123456789abcdef\n    lanes=archive\n1\n");
}

static void colour_only_where_it_is_wanted(void)
{
    Pipe plain = open_pipe();
    syncd_output_set_color(plain.output, "auto");
    syncd_output_styled(plain.output, SYNCD_STYLE_BAD, "x");
    g_autofree char *without = finish(&plain);
    g_assert_cmpstr(without, ==, "x");

    Pipe colored = open_pipe();
    syncd_output_set_color(colored.output, "always");
    syncd_output_styled(colored.output, SYNCD_STYLE_BAD, "x");
    g_autofree char *with = finish(&colored);
    g_assert_cmpstr(with, ==, "\033[31mx\033[0m");
}

static void a_reader_that_goes_away_is_no_error(void)
{
    Pipe p = open_pipe();
    close(p.reader);
    syncd_output_text(p.output, "x");
    syncd_output_flush(p.output);
    g_assert_true(syncd_output_is_closed(p.output));
    g_autoptr(GError) error = NULL;
    g_assert_true(syncd_output_finish(p.output, &error));
    close(syncd_output_fd(p.output));
    syncd_output_free(p.output);
}

static void a_full_disk_is_an_error(void)
{
    int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
    if (fd < 0) {
        g_test_skip("there is no /dev/full");
        return;
    }
    g_autoptr(SyncdOutput) output = syncd_output_new(fd);
    syncd_output_text(output, "x");
    g_autoptr(GError) error = NULL;
    g_assert_false(syncd_output_finish(output, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_FAILED);
    close(fd);
}

/* ---- times ---- */

#define NOW (G_GUINT64_CONSTANT(1777973400) * G_USEC_PER_SEC) /* 2026-05-05T09:30:00Z */

static void times_are_read_as_people_write_them(void)
{
    static const struct {
        const char *text;
        gint64 seconds; /* from NOW */
    } good[] = {
        {"2026-05-05T09:30:00Z", 0},
        {"2026-05-05T11:30:00+02:00", 0},
        {"2026-05-05 09:30", 0},
        {"2026-05-05T09:30:05", 5},
        {"2026-05-05", -(9 * 3600 + 1800)},
        {"today", -(9 * 3600 + 1800)},
        {"yesterday", -(33 * 3600 + 1800)},
        {"now", 0},
        {"30s", -30},
        {"15m", -900},
        {"2h", -7200},
        {"1d", -86400},
        {"1w", -604800},
    };
    static const char *const bad[] = {"",
                                      "tomorrow",
                                      "5",
                                      "h",
                                      "2x",
                                      "2hh",
                                      "2026-13-01",
                                      "2026-05-05 25:00",
                                      "2026-05-05 09",
                                      "2026-05-05x",
                                      "99999999999999999999s",
                                      "-2h"};
    guint64 usec;
    for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
        g_assert_true(syncd_when_parse(good[i].text, NOW, &usec));
        g_assert_cmpint((gint64)usec - (gint64)NOW, ==, good[i].seconds * G_USEC_PER_SEC);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_false(syncd_when_parse(bad[i], NOW, &usec));

    /* Longer ago than microseconds can be counted is the beginning. */
    g_assert_true(syncd_when_parse("30500569w", NOW, &usec));
    g_assert_cmpuint(usec, ==, 0);
}

static void times_are_printed_in_local_time(void)
{
    g_autofree char *time = syncd_when_local("2026-05-05T11:30:00.250+02:00");
    g_assert_cmpstr(time, ==, "2026-05-05 09:30:00");
    g_autofree char *other = syncd_when_local("soon");
    g_assert_cmpstr(other, ==, "soon");
}

static void commands_ask_the_instance_that_was_asked(void)
{
    static const struct {
        const char *text, *of_system;
    } cases[] = {
        {"see `sourceos-syncd doctor`, or `sourceos-syncd repair plan`",
         "see `sourceos-syncd --system doctor`, or `sourceos-syncd --system repair plan`"},
        {"`sourceos-syncd daemon --user` and `sourceos-syncd --system status`",
         "`sourceos-syncd daemon --user` and `sourceos-syncd --system status`"},
        {"`sourceos-syncd show x` not --system", "`sourceos-syncd --system show x` not --system"},
        {"sourceos-syncd is a program, `systemctl` another",
         "sourceos-syncd is a program, `systemctl` another"},
        {"`sourceos-syncd ", "`sourceos-syncd --system "},
        {"", ""},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *user = syncd_commands_of(SYNCD_CLIENT_USER, cases[i].text),
                        *system = syncd_commands_of(SYNCD_CLIENT_SYSTEM, cases[i].text);
        g_assert_cmpstr(user, ==, cases[i].text);
        g_assert_cmpstr(system, ==, cases[i].of_system);
    }
}

int main(int argc, char **argv)
{
    setenv("TZ", "UTC", 1);
    setlocale(LC_ALL, "C.UTF-8");
    signal(SIGPIPE, SIG_IGN);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cli-text/lines-are-wrapped", lines_are_wrapped);
    g_test_add_func("/cli-text/no-command-is-broken", no_command_is_broken);
    g_test_add_func("/cli/text/steering", steering_characters_are_shown);
    g_test_add_func("/cli/text/nothing-raw", no_text_reaches_the_terminal_raw);
    g_test_add_func("/cli/text/json", json_stays_the_same_document);
    g_test_add_func("/cli/text/width", width_is_what_is_seen);
    g_test_add_func("/cli/output/tables", tables_are_aligned_by_width);
    g_test_add_func("/cli/output/lines", no_word_is_broken);
    g_test_add_func("/cli/output/records", records_show_lists_as_people_write_them);
    g_test_add_func("/cli/text/nested", what_is_nested_has_lines_of_its_own);
    g_test_add_func("/cli-text/records/below", what_has_no_room_behind_its_name_stands_below);
    g_test_add_func("/cli/output/tables-fit", tables_fit_the_terminal);
    g_test_add_func("/cli/output/tables-empty-lines", lines_without_anything_are_left_out);
    g_test_add_func("/cli/output/colour", colour_only_where_it_is_wanted);
    g_test_add_func("/cli/output/reader-gone", a_reader_that_goes_away_is_no_error);
    g_test_add_func("/cli/output/full-disk", a_full_disk_is_an_error);
    g_test_add_func("/cli/commands/instance", commands_ask_the_instance_that_was_asked);
    g_test_add_func("/cli/when/parse", times_are_read_as_people_write_them);
    g_test_add_func("/cli/when/print", times_are_printed_in_local_time);
    return g_test_run();
}
