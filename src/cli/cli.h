/*
 * The command line: what a verb is, and what it is given.
 *
 * Every verb is a row of one table (verbs.c, verbs-*.c), which also makes help, completions and the
 * check of the manual page. A verb is a function that gets a SyncdCli: its arguments, its options
 * and where to print. It returns false with an error when it could not do what was asked; what it
 * found out, a negative verdict included, is a result and goes to `exit`.
 *
 * The options of a verb are looked up by name. Asking for one that the verb's row does not have is
 * a defect and aborts.
 */
#pragma once

#include "base/error.h"
#include "cli/output.h"
#include "client/client.h"

#include <glib.h>
#include <stdbool.h>

typedef enum {
    SYNCD_VALUE_NONE, /* a flag */
    SYNCD_VALUE_TEXT,
    SYNCD_VALUE_FILE,
    SYNCD_VALUE_DIRECTORY,
    SYNCD_VALUE_CHOICE, /* one of the option's words */
    SYNCD_VALUE_NUMBER,
} SyncdValueKind;

typedef struct {
    const char *name; /* without the dashes; NULL ends a table */
    char letter;      /* of the short form, or 0 */
    SyncdValueKind kind;
    const char *argument; /* what stands for the value in help, NULL for a flag */
    const char *help;
    const char *choices; /* the words, separated by spaces; NULL: `words` has them */
    bool repeatable;
    /* Adds the words of a vocabulary. Of an option that is no choice they are what is offered, and
     * others are taken as well. */
    void (*words)(GPtrArray *words);
} SyncdVerbOption;

typedef struct SyncdCli SyncdCli;

#define SYNCD_VERB_TABLES 7 /* the last one is NULL */

typedef struct {
    const char *group;     /* NULL for a verb of one word */
    const char *name;      /* NULL ends the table */
    const char *arguments; /* as in a synopsis: "OBJECT", "[VERB...]"; NULL for none */
    unsigned min_arguments;
    unsigned max_arguments;
    const char *help;
    const char *details;                               /* a paragraph or more, NULL for none */
    const SyncdVerbOption *options[SYNCD_VERB_TABLES]; /* beside the global ones */
    bool (*run)(SyncdCli *cli, GError **error);
} SyncdVerb;

typedef struct {
    const SyncdVerbOption *option;
    const char *value; /* NULL for a flag */
} SyncdGiven;

struct SyncdCli {
    const SyncdVerb *verb;
    GPtrArray *arguments; /* char *, borrowed from argv, NULL-terminated in `pdata` */
    GArray *given;        /* SyncdGiven */
    SyncdOutput *out;
    SyncdExitCode exit;
};

/* The row after that one; NULL: the first, and after the last. */
const SyncdVerb *syncd_verb_next(const SyncdVerb *verb);
extern const SyncdVerbOption syncd_global_options[];

/* ---- what was given ---- */

bool syncd_cli_flag(const SyncdCli *cli, const char *name);
const char *syncd_cli_value(const SyncdCli *cli, const char *name); /* the last one, or NULL */
GPtrArray *syncd_cli_values(const SyncdCli *cli, const char *name); /* all, NULL-terminated */
bool syncd_cli_number(const SyncdCli *cli, const char *name, guint64 max, guint64 fallback,
                      guint64 *ret_number, GError **error);
const char *syncd_cli_argument(const SyncdCli *cli, unsigned index); /* NULL when there is none */
bool syncd_cli_json(const SyncdCli *cli);

/* ---- asking ---- */

typedef enum {
    SYNCD_CLI_LOOK, /* shows a state: does not start a daemon */
    SYNCD_CLI_ACT,
    SYNCD_CLI_CONSENT, /* acts, and a person may be asked first in the user instance too */
} SyncdCliPurpose;

SyncdClientInstance syncd_cli_instance(const SyncdCli *cli);
SyncdClient *syncd_cli_connect(const SyncdCli *cli, SyncdCliPurpose purpose, GError **error);
SyncdClient *syncd_cli_connect_instance(const SyncdCli *cli, SyncdCliPurpose purpose,
                                        SyncdClientInstance instance, GError **error);
/* Asks a person at the terminal, on stderr. True at once with --yes; without a terminal, Usage. A
 * no is Cancelled. */
bool syncd_cli_confirm(const SyncdCli *cli, const char *question, GError **error);
/* A remark for the person, on stderr; not with --json. */
void syncd_cli_remark(const SyncdCli *cli, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* The whole program. `argv` may be changed. */
int syncd_cli_main(int argc, char **argv);
/* Prints an error of whoever asked that instance, the way this program does, and returns its exit
 * code. */
SyncdExitCode syncd_cli_report(SyncdOutput *out, SyncdClientInstance instance, bool json,
                               const GError *error);
