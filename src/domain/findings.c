#include "domain/findings.h"

#include "domain/answers.h"

#include <glib.h>
#include <string.h>

#define N_(text) (text) /* marks what is translated where it is printed */

#define VERIFY SYNCD_NEXT_VERIFY_FULL
#define PLAN "sourceos-syncd repair plan"
#define PURGE "sourceos-syncd repair plan --purge"
#define RESTART SYNCD_NEXT_RESTART
#define AND " && " /* what comes before is of no program of ours */
#define SHOW_WORKSPACE "sourceos-syncd workspace show {workspace}"

/* What it is about can be lost for good, can be made again from what is durable, or nothing stored
 * is wrong. */
#define DURABLE "durable"
#define REBUILDABLE "rebuildable"
#define NOTHING "none"

static const SyncdFinding findings[] = {
    /* What the state says. */
    {"storage-failed", "critical",
     N_("Writing failed, and what the disk holds is not known: check the disk, then restart the "
        "daemon."),
     RESTART, DURABLE, NULL,
     N_("Find out whether the disk is failing, before anything else is written to it.")},
    {"journal-corrupt", "critical",
     N_("The journal is damaged: keep a copy of the state directory before anything else."), PLAN,
     DURABLE, "journal-generation",
     N_("Keep a copy of the state directory, and look for a backup of what cannot be had here.")},
    {"journal-unreadable", "critical",
     N_("The journal cannot be opened, so nothing is read or written: {reason}"), PLAN, DURABLE,
     "journal-restore",
     N_("Keep a copy of the state directory. Where there is a backup of journal.db, put it into "
        "the "
        "state directory as journal-backup.db, and plan a repair: it takes what has most "
        "entries.")},
    {"journal-beyond-rescue", "critical",
     N_("Nothing here can take the place of the journal: {reason}. Bring a backup of it, or begin "
        "another log."),
     SYNCD_NEXT_NONE, DURABLE, NULL,
     N_("Put a backup of journal.db into the state directory as journal-backup.db, and plan a "
        "repair. Where there is none, this log has ended: stop the daemon, move the state "
        "directory "
        "away and keep it, and begin another log with the next start, as another device.")},
    {"journal-displaced", "critical",
     N_("The journal is not where the daemon opened it, so nothing is written any more: {reason}. "
        "What was acknowledged is in what is open: have it written back before the daemon ends."),
     PLAN, DURABLE, "journal-generation",
     N_("Find out who removed or replaced the file, and leave the daemon running until it is "
        "repaired: nobody else has what is open. Where the repair cannot read that, put a backup "
        "of journal.db into the state directory as journal-backup.db, and plan again.")},
    {"journal-cut", "critical",
     N_("The journal was cut short or overwritten, so nothing is written any more: {reason}. What "
        "has most of its entries takes its place by a repair."),
     PLAN, DURABLE, "journal-restore",
     N_("Find out who wrote to the file. Where there is a backup of journal.db, put it into the "
        "state "
        "directory as journal-backup.db before the repair: it takes what has most entries.")},
    {"journal-misread", "info",
     N_("Something malformed was read from the journal, and not any more when it was read again at "
        "{at}: {reason}. The disk, or what lies between it and the daemon, may be failing."),
     VERIFY, NOTHING, NULL, NULL},
    {"log-rolled-back", "critical",
     N_("The log lost its end, and is read-only; entries that were there and are missing: {n}. "
        "Stop the daemon, and put the newer journal back, or adopt what is left."),
     "sourceos-syncd store adopt", DURABLE, NULL,
     N_("Look for the newer journal.db and journal.db-wal; without them say whether to go on "
        "without what is missing.")},
    {"verify-found", "critical", N_("The last verification of the log found damage."), VERIFY,
     DURABLE, "journal-generation",
     N_("Have all of the log verified, so that it is known what is damaged.")},
    {"machine-changed", "error", N_("The state comes from another machine, and is read-only."),
     "sourceos-syncd store adopt", NOTHING, NULL,
     N_("Say whether this machine goes on with it: where both do, their histories part. If it "
        "does, stop the daemon and adopt it.")},
    {"no-space", "error", N_("The disk had no room for the last write: free some."),
     "sourceos-syncd status", NOTHING, NULL, N_("Make room on the disk.")},
    {"index-unavailable", "error", N_("There is no index, so lookups fail: {reason}"), PLAN,
     REBUILDABLE, "index-rebuild", NULL},
    {"index-rebuilding", "info", N_("The index is being made anew; lookups answer after that."),
     SYNCD_NEXT_STATUS_WATCH, REBUILDABLE, NULL, NULL},
    {"policy-rules-refused", "warning",
     N_("Rules of policy were refused: the last good ones stay in force. Correct the file, then "
        "reload the daemon."),
     "sourceos-syncd policy list", NOTHING, NULL, N_("Correct the rules, and reload the daemon.")},
    {"policy-refusals", "info", N_("Policy refused operations within the last minute."),
     "sourceos-syncd events list --type sync.policy.denied", NOTHING, NULL, NULL},
    {"daemon-unavailable", "error", N_("The daemon does not answer: {reason}"),
     "sourceos-syncd daemon --user", NOTHING, NULL,
     N_("Start the daemon. If it ends again, its last words say why: where it was started, or in "
        "`journalctl -t sourceos-syncd`.")},
    {"unknown-reason", "warning",
     N_("The state has a reason that this program does not know: {reason}."),
     "sourceos-syncd status --json", NOTHING, NULL, NULL},

    {"unchecked", "warning", N_("This could not be looked at: {what}. {reason}"), SYNCD_NEXT_NONE,
     NOTHING, NULL, NULL},

    /* The state directory, and what lies in it. */
    {"index-damaged", "error", N_("The index is damaged, so some lookups fail or lie: {reason}"),
     PLAN, REBUILDABLE, "index-rebuild", NULL},
    {"index-displaced", "warning",
     N_("The file of the index is not where the daemon opened it: {reason}. Lookups are answered "
        "from what is open, and a restart of the daemon has it made anew from the log by itself."),
     RESTART, REBUILDABLE, "index-rebuild", NULL},
    {"index-drift", "error",
     N_("The index does not add up, so what it says of counts and references may be wrong: {n}."),
     PLAN, REBUILDABLE, "index-rebuild", NULL},
    {"index-remade", "info", N_("The index was made anew from the log at {at}: {reason}."),
     "sourceos-syncd repair list", REBUILDABLE, NULL, NULL},
    {"replay-lag", "warning", N_("Entries of the log wait to be taken into the index: {n}."), PLAN,
     REBUILDABLE, "replay-lag", NULL},
    {"file-modes", "error",
     N_("In the state directory there is what others may read, or its owner may not: {n}."), PLAN,
     NOTHING, "file-modes", NULL},
    {"file-owners", "error",
     N_("What lies in the state directory belongs to somebody else than the daemon: {n}."), PLAN,
     NOTHING, "file-owners", NULL},
    {"file-owners-foreign", "error",
     N_("What lies in the state directory belongs to somebody else than the daemon, who may not "
        "take it: {n}."),
     "sudo chown -hR {owner} {directory}", NOTHING, NULL,
     N_("Give it back to the user that the daemon runs as.")},
    {"leftovers", "warning", N_("A process left something half done in the state directory: {n}."),
     PLAN, REBUILDABLE, "leftover-clear", NULL},
    {"dirty-open", "warning",
     N_("Before the start at {at} the daemon had not ended cleanly, or could not write that it "
        "had, "
        "and the log was not verified since."),
     VERIFY, NOTHING, NULL,
     N_("Find out why it ended, if nobody switched the machine off and no write had failed.")},
    {"key-files", "critical",
     N_("Key files are gone, or hold something else than when they were read: {n}. What they open "
        "is lost when the daemon ends."),
     SYNCD_NEXT_NONE, DURABLE, NULL,
     N_("Put them back from a backup before the daemon is restarted.")},
    {"key-missing", "critical",
     N_("The key of the scope {scope} is not here, so nothing can be written in it; entries in it "
        "that cannot be opened: {n}. Put the folder keys of the state directory back from a "
        "backup, then restart the daemon; without that key what they say is lost."),
     SYNCD_NEXT_KEYS_AND_RESTART, DURABLE, NULL,
     N_("Look for a backup of the folder keys, and put it back before the daemon is restarted: "
        "nothing else opens what was sealed with that key.")},
    {"device-key-missing", "critical",
     N_("The key of this device is gone: nothing can be written, and no report be signed. Put "
        "keys/device.key of the state directory back from a backup, then restart the daemon; "
        "without it this log has ended. Entries that are there, and can be read as far as their "
        "keys are here: {n}."),
     SYNCD_NEXT_KEYS_AND_RESTART, DURABLE, NULL,
     N_("Put keys/device.key of the state directory back from a backup, and restart the daemon. "
        "Without one this log has ended: move the state directory away, where `verify log` goes on "
        "judging it, and begin another with the next start, as another device.")},
    {"disk-pressure", "warning",
     N_("The disk is nearly full: {free} of {total} are free. What was deleted and nothing keeps "
        "can be purged."),
     PURGE, NOTHING, "purge-object",
     N_("Look at what the plan would purge before you approve it: nothing brings it back. Or make "
        "room on the disk in another way.")},
    {SYNCD_FINDING_KEPT_PRESSURE, "warning",
     N_("The disk is nearly full: {free} of {total} are free, and nothing of what is stored may be "
        "purged. {missing} have to be freed."),
     "sourceos-syncd workspace list", NOTHING, NULL,
     N_("Make room on the disk, or have workspaces keep less of their files.")},
    {"disk-filling", "info", N_("The disk fills up: {free} of {total} are free."), PURGE, NOTHING,
     "purge-object", NULL},
    {SYNCD_FINDING_PURGE_ASKED, "info", N_("Somebody asked what may be purged."), PURGE, NOTHING,
     "purge-object", NULL},
    {"storm", "error", N_("The same failure came {n} times, from {first} to {last}."),
     SYNCD_NEXT_NONE, NOTHING, NULL,
     N_("Remove the cause of the failure. What the daemon says of it is where it was started, or "
        "in "
        "`journalctl -t sourceos-syncd`.")},

    /* Workspaces. */
    {"workspace-asks", "error",
     N_("{workspace} is paused until somebody says whether it was meant: {reason}. If it was, "
        "resume "
        "it. If not, put back what is gone first; or resume it, and restore each file."),
     "sourceos-syncd workspace resume {workspace}", DURABLE, NULL,
     N_("Say whether what is gone was meant to go.")},
    {"workspace-paused", "info", N_("{workspace} is paused: {reason}."),
     "sourceos-syncd workspace resume {workspace}", NOTHING, NULL, NULL},
    {"workspace-missing", "warning", N_("{directory} is not there, or is another one than it was."),
     SHOW_WORKSPACE, NOTHING, NULL, N_("Bring the directory back, or end the workspace.")},
    {"workspace-failed", "error", N_("{workspace} is not recorded: {reason}."), SHOW_WORKSPACE,
     NOTHING, NULL,
     N_("Remove what keeps the directory from being read, or the log from being written.")},
    {"workspace-unreadable", "warning", N_("Files of {workspace} cannot be read: {n}."),
     SHOW_WORKSPACE, NOTHING, NULL, N_("Make them readable, or have them ignored.")},
    {"workspace-unruled", "error",
     N_("Rules of {workspace} to ignore files do not hold, as they are too many or cannot be read: "
        "what they name is recorded. Shorten them, or make .syncignore readable."),
     SHOW_WORKSPACE, NOTHING, NULL, N_("Shorten the rules, or make .syncignore readable.")},
    {"checksum-mismatch", "error",
     N_("Files of {workspace} have other bytes than are recorded, and nothing said that they "
        "changed: {n}. Restore each, or accept what is there."),
     "sourceos-syncd workspace files {workspace} --mismatched", DURABLE, "file-restore",
     N_("Choose of each file whether the recorded bytes come back or those that are there are "
        "recorded.")},
    {"workspace-unwatched", "warning",
     N_("Some folders of {workspace} are not watched: their changes are found by the next scan "
        "alone. Raise fs.inotify.max_user_watches."),
     "sourceos-syncd workspace scan {workspace}", NOTHING, NULL,
     N_("Raise fs.inotify.max_user_watches.")},
    {"workspace-unscanned", "error", N_("{workspace} could not be looked through: {reason}"),
     SHOW_WORKSPACE, NOTHING, NULL, NULL},

    /* Objects and tasks. */
    {"objects-quarantined", "warning",
     N_("Objects are in quarantine, as nobody has registered their schema: {n}."),
     "sourceos-syncd objects list --state=quarantined", NOTHING, NULL,
     N_("Register the schemas that are missing.")},
    {"objects-conflicted", "error", N_("Objects are in conflict: {n}."),
     "sourceos-syncd objects list --state=conflicted", DURABLE, NULL,
     N_("Choose which version of each stands.")},
    {"tasks-failed", "warning", N_("Operations failed for good: {n}. Replay them, or leave them."),
     "sourceos-syncd tasks list --state=failed", NOTHING, NULL,
     N_("Replay each of them, or leave it.")},
    {"tasks-stale", "warning",
     N_("Operations wait for a worker for longer than their lane allows: {n}."),
     "sourceos-syncd tasks list --stale", NOTHING, NULL,
     N_("Start a worker that takes them, or cancel them.")},
    {"leases-lost", "warning",
     N_("Operations are held by leases that have ended, or by none, so nobody goes on with them: "
        "{n}."),
     PLAN, NOTHING, "tasks-release", NULL},

    {"jobs-stuck", "warning", N_("Jobs have not gone on for {minutes} minutes or longer: {n}."),
     PLAN, NOTHING, "jobs-cancel",
     N_("Find out what keeps them, such as a disk that does not answer.")},

    /* Repairs. */
    {"repair-stuck", "warning",
     N_("The repair {plan} has not gone on for {minutes} minutes or longer; a restart of the "
        "daemon "
        "goes on with it."),
     RESTART, NOTHING, NULL, N_("Find out what keeps it, such as a disk that does not answer.")},
    {"repair-interrupted", "warning",
     N_("A repair was begun and is not through: {plan}. It goes on by itself; what keeps it from "
        "that is tried again each minute."),
     "sourceos-syncd repair show {plan}", NOTHING, NULL, NULL},
    {"repair-unproven", "critical",
     N_("Nothing proves that the log is the one that was there when the repair {plan} was planned: "
        "since then it was cut or replaced, or it cannot be read."),
     VERIFY, DURABLE, NULL,
     N_("Find out whether an older copy was put back; take the repair back, or discard its plan "
        "to leave it as it is.")},
    {"repair-set-aside", "warning",
     N_("Files about repairs are not what was written, and were set aside: {n}."), PLAN, NOTHING,
     "leftover-clear",
     N_("Look at them in the folder repair of the state directory before a plan clears them away: "
        "what they were about may be half done.")},

    /* The log. */
    {"log-damaged", "critical", N_("The log is not what was written: {reason}."), PLAN, DURABLE,
     "journal-generation",
     N_("Keep a copy of the state directory, and look for a backup of what cannot be had here.")},
    {"log-beyond-mending", "critical", N_("Nothing here can mend the log: {reason}."), VERIFY,
     DURABLE, NULL,
     N_("Where there is a backup of journal.db, put it into the state directory as "
        "journal-backup.db, and have all of the log verified: where that has what is missing, a "
        "repair can be planned. Else restore the state directory from a backup; until then the log "
        "can be read as far as it goes.")},
    {"log-diverged", "critical", N_("The log is not the one that was known: {reason}."), VERIFY,
     DURABLE, NULL,
     N_("Find out whether an older copy was put back, and where the newer one is: stop the daemon, "
        "and put that into its place. Where it is not to be had, keep the head that proves it: a "
        "verification of everything without that head ends this finding.")},
    {"body-damaged", "critical",
     N_("What entries say is missing or damaged, though they themselves are whole: {n}."), PLAN,
     DURABLE, "body-refill",
     N_("Look for a backup of what an earlier generation of the journal does not have.")},
    {"log-lost", "info",
     N_("A repair that was approved gave up what was nowhere to be had: {n}. The rest of the log "
        "is "
        "sound. If a backup of journal.db turns up, put it into the state directory as "
        "journal-backup.db, and plan a repair."),
     PLAN, DURABLE, "journal-generation", NULL},
    {"blob-damaged", "critical",
     N_("Content that is kept beside the log is missing or damaged: {n}."), PLAN, DURABLE,
     "blob-refill", N_("Look for a backup of what cannot be had from here.")},
    {"blob-orphaned", "warning",
     N_("Content lies beside the log that nothing in it names, and takes room: {n}."), PLAN,
     NOTHING, "blob-sweep", NULL},
    {"blob-lost", "info",
     N_("Content that was kept beside the log is lost, as a repair found it nowhere: {n}. All else "
        "can be used."),
     VERIFY, DURABLE, NULL, NULL},
};

const SyncdFinding *syncd_finding_find(SyncdBytes code)
{
    for (size_t i = 0; i < G_N_ELEMENTS(findings); i++)
        if (syncd_bytes_are(code, findings[i].code))
            return &findings[i];
    return NULL;
}

const SyncdFinding *syncd_findings(size_t *ret_n)
{
    *ret_n = G_N_ELEMENTS(findings);
    return findings;
}

char *syncd_finding_next(const char *command, bool of_system,
                         const char *(*fact)(void *data, const char *name), void *data)
{
    static const struct {
        const char *of_user, *of_system;
    } programs[] = {
        {"sourceos-syncd daemon --user", "systemctl start sourceos-syncd"},
        {"systemctl --user ", "systemctl "},
        {"sourceos-syncd ", "sourceos-syncd --system "},
    };
    char *next = syncd_answer_fill(command, fact, data);
    const char *before = g_strrstr(next, AND);
    size_t at = before != NULL ? (size_t)(before - next) + strlen(AND) : 0;
    for (size_t i = 0; of_system && i < G_N_ELEMENTS(programs); i++) {
        if (!g_str_has_prefix(next + at, programs[i].of_user))
            continue;
        g_autofree char *user = next;
        return g_strdup_printf("%.*s%s%s", (int)at, user, programs[i].of_system,
                               user + at + strlen(programs[i].of_user));
    }
    return next;
}

unsigned syncd_finding_rank(SyncdBytes severity)
{
    static const char *const worst_first[] = {"critical", "error", "warning", "info"};
    G_STATIC_ASSERT(G_N_ELEMENTS(worst_first) == SYNCD_SEVERITIES);
    for (unsigned i = 0; i < SYNCD_SEVERITIES; i++)
        if (syncd_bytes_are(severity, worst_first[i]))
            return i;
    return 0;
}

/* What is critical, or a plan mends, waits for somebody; anything else limits what can be done. */
const char *syncd_finding_state(const SyncdFinding *finding)
{
    if (strcmp(finding->code, "policy-refusals") == 0)
        return "policy-blocked";
    return finding->repair != NULL || strcmp(finding->severity, "critical") == 0
               ? "repair-recommended"
               : "degraded";
}

bool syncd_finding_is_bad(const SyncdFinding *finding)
{
    return strcmp(finding->severity, "info") != 0;
}
