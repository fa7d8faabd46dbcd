/*
 * Everything that can be found wrong with an instance, as a code for programs and a sentence for
 * people; "{workspace}" in it stands for the fact of that name (domain/answers.h fills it in), as
 * in the command that comes next.
 */
#pragma once

#include "base/bytes.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct {
    const char *code;
    const char *severity; /* info, warning, error, critical */
    const char *sentence; /* to be translated */
    const char *next; /* a command of the user's instance, that leads on: never what told of it */
    /* What it is about: "durable", it can be lost for good; "rebuildable", it is made again from
     * what is durable; "none", nothing that is stored is wrong. */
    const char *durability;
    const char *repair; /* the kind of repair that mends it by a plan; NULL: none does */
    const char *person; /* what somebody has to decide or do, to be translated; NULL: nothing */
    const char *about;  /* what of an instance it is about: "journal", "keys", "workspace" … */
    const char
        *evidence; /* what shows it where whoever finds it has nothing that shows it better */
} SyncdFinding;

/* Nothing is wrong: somebody wants to know what may be purged. */
#define SYNCD_FINDING_PURGE_ASKED "purge-asked"
/* The disk is nearly full, and nothing may be purged. */
#define SYNCD_FINDING_KEPT_PRESSURE "disk-pressure-kept"

/* NULL when there is none of that code. */
const SyncdFinding *syncd_finding_find(SyncdBytes code);
const SyncdFinding *syncd_findings(size_t *ret_n);
/* How far down a severity stands in a list with the worst first; one that is not known is taken for
 * the worst. */
#define SYNCD_SEVERITIES 4u
unsigned syncd_finding_rank(SyncdBytes severity);
/* Whether anything is wrong: not so of what only informs. */
bool syncd_finding_is_bad(const SyncdFinding *finding);
/* The state that an instance is in by it, where what is found is a state; "clean" is none. */
const char *syncd_finding_state(const SyncdFinding *finding);
/* Commands that lead on where the one of a finding does not. */
#define SYNCD_NEXT_STATUS_WATCH "sourceos-syncd status --watch"
#define SYNCD_NEXT_VERIFY_FULL "sourceos-syncd verify log --full"
#define SYNCD_NEXT_DOCTOR "sourceos-syncd doctor"
#define SYNCD_NEXT_RESTART "systemctl --user restart sourceos-syncd"
/* The same where no systemd began it: once it has ended, as it was begun. */
#define SYNCD_NEXT_RESTART_BY_HAND "kill {pid}; tail --pid={pid} -f /dev/null; {command}"
#define SYNCD_NEXT_DAEMON_BY_HAND "sourceos-syncd daemon --user"
/* Keys come first, from wherever somebody has them; none that is there is replaced. The folder may
 * be gone with them. */
#define SYNCD_NEXT_KEYS_BACK "install -d -m 700 {keys} && cp -np BACKUP/keys/* {keys}"
#define SYNCD_NEXT_KEYS_AND_RESTART SYNCD_NEXT_KEYS_BACK " && " SYNCD_NEXT_RESTART
#define SYNCD_NEXT_KEYS_AND_RESTART_BY_HAND                                                        \
    SYNCD_NEXT_KEYS_BACK " && (" SYNCD_NEXT_RESTART_BY_HAND ")"
/* One that holds something else is set aside before, and that very file comes back. */
#define SYNCD_NEXT_KEY_BACK "mv -n {key} {key}.other && cp -np BACKUP/{name} {key}"
#define SYNCD_NEXT_KEY_AND_RESTART SYNCD_NEXT_KEY_BACK " && " SYNCD_NEXT_RESTART
#define SYNCD_NEXT_KEY_AND_RESTART_BY_HAND                                                         \
    SYNCD_NEXT_KEY_BACK " && (" SYNCD_NEXT_RESTART_BY_HAND ")"
/* The journal of a backup, which whatever follows looks at. What was copied while a daemon ran has
 * most of it in its WAL; of what was not there is none. */
#define SYNCD_NEXT_JOURNAL_BACK                                                                    \
    "install -b -m 600 BACKUP/journal.db {backup} && "                                             \
    "(cp -p BACKUP/journal.db-wal {backup}-wal || true) && "
#define SYNCD_NEXT_JOURNAL_AND_PLAN SYNCD_NEXT_JOURNAL_BACK "sourceos-syncd repair plan"
#define SYNCD_NEXT_JOURNAL_AND_VERIFY SYNCD_NEXT_JOURNAL_BACK SYNCD_NEXT_VERIFY_FULL
/* For who is not told what it is about, and may be. */
#define SYNCD_NEXT_DOCTOR_ALL "sourceos-syncd doctor --all"
#define SYNCD_NEXT_DOCTOR_DEEP "sourceos-syncd doctor --deep"
#define SYNCD_NEXT_ADOPT_ELSEWHERE "sourceos-syncd store adopt --state-dir={directory}"
/* The same command as it is called in that instance, before facts are filled in. */
char *syncd_finding_called(const char *command, bool of_system);
/* The command that comes next, `next` of a finding, for the instance that it is of: what only the
 * owner of the state may do is done as root in the system's. */
char *syncd_finding_next(const char *command, bool of_system,
                         const char *(*fact)(void *data, const char *name), void *data);
