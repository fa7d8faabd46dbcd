#include "cli/enqueue-many.h"

#include "base/json.h"
#include "cli/i18n.h"
#include "client/calls.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define BATCH_LINES 512u
#define BATCH_SIZE (4u * 1024u * 1024u)

typedef struct {
    SyncdCli *cli;
    SyncdClient *client; /* NULL with --dry-run */
    GString *lines;
    guint64 n_lines;    /* in the batch */
    guint64 first_line; /* of the batch, counted from 1 as in the input */
    guint64 line;       /* the one that was read last */
    guint64 recorded;
    guint64 duplicates;
} Many;

static void say_where(Many *many, GError **error)
{
    g_prefix_error(error,
                   "Lines %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT
                   " and what follows were not recorded (%" G_GUINT64_FORMAT
                   " operations before them were): ",
                   many->first_line, many->line, many->recorded + many->duplicates);
}

static void take_results(Many *many, const GString *results)
{
    g_auto(GStrv) lines = g_strsplit(results->str, "\n", -1);
    for (size_t i = 0; lines[i] != NULL; i++) {
        if (*lines[i] == '\0')
            continue;
        size_t size = strlen(lines[i]);
        SyncdJson result = syncd_json_root(lines[i], size);
        bool duplicate = false;
        syncd_json_get_bool(syncd_json_member(result, "duplicate"), &duplicate);
        *(duplicate ? &many->duplicates : &many->recorded) += 1;
        if (syncd_cli_json(many->cli))
            syncd_output_json(many->cli->out, lines[i], size, false);
    }
    syncd_output_flush(many->cli->out);
}

static bool send_batch(Many *many, GError **error)
{
    if (many->n_lines == 0)
        return true;
    if (many->client != NULL) {
        g_autoptr(GString) results = NULL;
        results =
            syncd_client_enqueue_many(many->client, many->lines->str, many->lines->len, error);
        if (results == NULL) {
            say_where(many, error);
            return false;
        }
        take_results(many, results);
    } else {
        many->recorded += many->n_lines;
    }
    g_string_truncate(many->lines, 0);
    many->n_lines = 0;
    many->first_line = many->line + 1;
    return true;
}

static bool add_line(Many *many, const char *line, size_t size, GError **error)
{
    if (size == 0)
        return true;
    if (!syncd_json_check(line, size, SYNCD_JSON_MUST_BE_OBJECT, error)) {
        g_prefix_error(error, "Line %" G_GUINT64_FORMAT ": ", many->line);
        say_where(many, error);
        return false;
    }
    if (many->n_lines > 0 &&
        (many->n_lines == BATCH_LINES || many->lines->len + size + 1 > BATCH_SIZE)) {
        /* The batch ends with the line before. */
        many->line--;
        bool sent = send_batch(many, error);
        many->line++;
        if (!sent)
            return false;
    }
    g_string_append_len(many->lines, line, (gssize)size);
    g_string_append_c(many->lines, '\n');
    many->n_lines++;
    return true;
}

static bool read_lines(Many *many, FILE *input, GError **error)
{
    char *line = NULL;
    size_t capacity = 0;
    ssize_t size;
    bool good = true;
    while (good && (size = getline(&line, &capacity, input)) >= 0) {
        many->line++;
        if (size > 0 && line[size - 1] == '\n')
            size--;
        good = add_line(many, line, (size_t)size, error);
    }
    free(line);
    if (good && ferror(input)) {
        syncd_set_error_errno(error, SYNCD_ERROR_FAILED, errno, "Cannot read the lines");
        good = false;
    }
    return good && send_batch(many, error);
}

static void summarise(const Many *many)
{
    if (syncd_cli_json(many->cli))
        return;
    if (many->client == NULL)
        syncd_output_wrapped(many->cli->out,
                             ngettext("Nothing was sent. %lu operation would be recorded.\n",
                                      "Nothing was sent. %lu operations would be recorded.\n",
                                      (unsigned long)many->recorded),
                             (unsigned long)many->recorded);
    else
        syncd_output_wrapped(many->cli->out,
                             ngettext("%lu operation recorded; recorded earlier: %lu.\n",
                                      "%lu operations recorded; recorded earlier: %lu.\n",
                                      (unsigned long)many->recorded),
                             (unsigned long)many->recorded, (unsigned long)many->duplicates);
}

/* Each line says these for itself. */
static bool check_options(const SyncdCli *cli, GError **error)
{
    static const char *const single[] = {"object", "body", "body-json",  "type",   "scope",
                                         "key",    "lane", "data-class", "parent", "create-scope"};
    for (size_t i = 0; i < G_N_ELEMENTS(single); i++)
        if (syncd_cli_flag(cli, single[i])) {
            syncd_set_error_next(error, SYNCD_ERROR_USAGE, "put it into the lines",
                                 "--%s and --many exclude each other", single[i]);
            return false;
        }
    return true;
}

bool syncd_enqueue_many(SyncdCli *cli, GError **error)
{
    if (!check_options(cli, error))
        return false;
    const char *path = syncd_cli_value(cli, "many");
    bool standard = strcmp(path, "-") == 0;
    FILE *input = standard ? stdin : fopen(path, "re");
    if (input == NULL) {
        syncd_set_error_next(error, errno == ENOENT ? SYNCD_ERROR_NOT_FOUND : SYNCD_ERROR_FAILED,
                             "check the name and the rights of the file", "Cannot open %s: %s",
                             path, g_strerror(errno));
        return false;
    }

    g_autoptr(GString) lines = g_string_new(NULL);
    g_autoptr(SyncdClient) client = NULL;
    Many many = {.cli = cli, .lines = lines, .first_line = 1};
    bool good = true;
    if (!syncd_cli_flag(cli, "dry-run")) {
        client = syncd_cli_connect(cli, SYNCD_CLI_ACT, error);
        many.client = client;
        good = client != NULL;
    }
    good = good && read_lines(&many, input, error);
    if (!standard)
        fclose(input);
    if (good)
        summarise(&many);
    return good;
}
