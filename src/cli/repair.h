/*
 * Plans of repair: which one is meant, and what a person is shown of it.
 *
 * What is agreed to is the document that was shown: its digest is made here, of the bytes that the
 * daemon gave, and only what has that digest is approved, applied or rolled back.
 */
#pragma once

#include "base/json.h"
#include "cli/cli.h"
#include "crypto/hash.h"

typedef struct {
    char *id;
    char *description; /* JSON, as Describe gives it */
    char *document;    /* the exact bytes of the plan */
    char digest[SYNCD_DIGEST_SIZE];
} SyncdCliRepair;

void syncd_cli_repair_clear(SyncdCliRepair *repair);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SyncdCliRepair, syncd_cli_repair_clear)

/* What a verb is about when no plan is named: one that is half done, which is gone on with or taken
 * back before any other, and else of those the newest. */
typedef enum {
    SYNCD_REPAIR_ANY,     /* one that has not ended, or else any */
    SYNCD_REPAIR_ONLY,    /* the same, where it is the only one: it is gone then */
    SYNCD_REPAIR_WAITING, /* one that may be approved */
    SYNCD_REPAIR_READY,   /* one that is approved, or else that waits for it */
    SYNCD_REPAIR_APPLIED, /* the one that was applied last and can be taken back */
} SyncdCliRepairWanted;

/* The first argument of the verb says which: an id, or the beginning of only one. NotFound, Usage.
 */
bool syncd_cli_find_repair(SyncdCli *cli, SyncdClient *client, SyncdCliRepairWanted wanted,
                           SyncdCliRepair *ret_repair, GError **error);
/* How many of these plans (a JSON array of their descriptions) it can be, and the newest. */
guint syncd_cli_choose_repair(const char *plans, const char *named, SyncdCliRepairWanted wanted,
                              char **ret_id);
/* The one with this digest. */
bool syncd_cli_find_repair_of(SyncdCli *cli, SyncdClient *client, const char *digest,
                              SyncdCliRepair *ret_repair, GError **error);
bool syncd_cli_take_repair(SyncdClient *client, const char *id, SyncdCliRepair *ret_repair,
                           GError **error);
/* Of the verb's --all. */
GVariant *syncd_cli_repair_options(const SyncdCli *cli);

void syncd_cli_show_repair(SyncdCli *cli, SyncdClient *client, const SyncdCliRepair *repair);
/* repair-about.c: what a step is about, in a word or by its path; and what was found that a plan
 * which nobody applied yet would mend. */
char *syncd_cli_repair_about(SyncdCli *cli, SyncdClient *client, SyncdJson step);
void syncd_cli_show_repair_causes(SyncdCli *cli, SyncdClient *client, SyncdJson plan);
/* What is said there of a file by its id, said of its path, as far as the daemon tells this caller.
 * `paths` are those that it told already, by the ids; char * both. */
char *syncd_cli_repair_with_paths(SyncdCli *cli, SyncdClient *client, GHashTable *paths,
                                  const char *text);
/* How a plan stands, in a word. */
char *syncd_cli_repair_state(SyncdJson plan);
/* repair-show.c: what was done, in words, or as the document it is. Files go by their paths, where
 * there is a client to ask for them. `plan`: how it stands now, where it is read again; else none.
 */
void syncd_cli_show_repair_report(SyncdCli *cli, SyncdClient *client, const char *report,
                                  SyncdJson plan);
/* A line: commands of the instance that was asked. */
void syncd_cli_show_next(SyncdCli *cli, const char *next);
