#include "domain/findings.h"

#include "domain/answers.h"

#include <glib.h>
#include <string.h>

#define N_(text) (text) /* marks what is translated where it is printed */

#define STATUS "sourceos-syncd status"
#define VERIFY SYNCD_NEXT_VERIFY_FULL
#define PLAN "sourceos-syncd repair plan"
#define PURGE "sourceos-syncd repair plan --purge"
#define RESTART SYNCD_NEXT_RESTART
#define AND " && "
#define SHOW_WORKSPACE "sourceos-syncd workspace show {workspace}"

/* What it is about can be lost for good, can be made again from what is durable, or nothing stored
 * is wrong. */
#define DURABLE "durable"
#define REBUILDABLE "rebuildable"
#define NOTHING "none"

/* What of an instance it is about. */
#define JOURNAL "journal"
#define INDEX "index"
#define CONTENT "content"
#define KEYS "keys"
#define STATE "state"
#define DISK "disk"
#define POLICY "policy"
#define DAEMON "daemon"
#define WORKSPACE "workspace"
#define OBJECTS "objects"
#define TASKS "tasks"
#define JOBS "jobs"
#define REPAIR "repair"

static const SyncdFinding findings[] = {
    /* What the state says. */
    {"storage-failed", "critical",
     N_("Writing failed, and what the disk holds is not known: check the disk, then restart the "
        "daemon."),
     RESTART, DURABLE, NULL,
     N_("Find out whether the disk is failing, before anything else is written to it."), JOURNAL,
     "A write to the journal failed since the daemon began."},
    {"journal-corrupt", "critical",
     N_("The journal is damaged: keep a copy of the state directory before anything else."), PLAN,
     DURABLE, "journal-generation",
     N_("Keep a copy of the state directory, and look for a backup of what cannot be had here."),
     JOURNAL, "Something malformed was met in the journal."},
    {"journal-unreadable", "critical",
     N_("The journal cannot be opened, so nothing is read or written: {reason}"), PLAN, DURABLE,
     "journal-restore",
     N_("Keep a copy of the state directory. Where there is a backup of journal.db, put it into "
        "the "
        "state directory as journal-backup.db, and plan a repair: it takes what has most "
        "entries."),
     JOURNAL, "{reason}"},
    {"journal-beyond-rescue", "critical",
     N_("Nothing here can take the place of the journal: {reason}. Bring a backup of it, or begin "
        "another log."),
     SYNCD_NEXT_JOURNAL_AND_PLAN, DURABLE, NULL,
     N_("Put a backup of journal.db into the state directory as journal-backup.db, and plan a "
        "repair. Where there is none, this log has ended: stop the daemon, move the state "
        "directory "
        "away and keep it, and begin another log with the next start, as another device."),
     JOURNAL, "{reason}"},
    {"journal-displaced", "critical",
     N_("The journal is not where the daemon opened it, so nothing is written any more: {reason}. "
        "What was acknowledged is in what is open: have it written back before the daemon ends."),
     PLAN, DURABLE, "journal-generation",
     N_("Find out who removed or replaced the file, and leave the daemon running until it is "
        "repaired: nobody else has what is open. Where the repair cannot read that, put a backup "
        "of journal.db into the state directory as journal-backup.db, and plan again."),
     JOURNAL, "{reason}"},
    {"journal-cut", "critical",
     N_("The journal was cut short or overwritten, so nothing is written any more: {reason}. What "
        "has most of its entries takes its place by a repair."),
     PLAN, DURABLE, "journal-restore",
     N_("Find out who wrote to the file. Where there is a backup of journal.db, put it into the "
        "state "
        "directory as journal-backup.db before the repair: it takes what has most entries."),
     JOURNAL, "{reason}"},
    {"journal-misread", "info",
     N_("Something malformed was read from the journal, and not any more when it was read again at "
        "{at}: {reason}. The disk, or what lies between it and the daemon, may be failing."),
     VERIFY, NOTHING, NULL, NULL, JOURNAL, "{reason}"},
    {"log-rolled-back", "critical",
     N_("The log lost its end, and is read-only; entries that were there and are missing: {n}. "
        "Stop the daemon, and put the newer journal back, or adopt what is left."),
     "sourceos-syncd store adopt", DURABLE, NULL,
     N_("Look for the newer journal.db and journal.db-wal; without them say whether to go on "
        "without what is missing."),
     JOURNAL, "entries that are missing: {n}"},
    {"verify-found", "critical", N_("The last verification of the log found damage."), VERIFY,
     DURABLE, "journal-generation",
     N_("Have all of the log verified, so that it is known what is damaged."), JOURNAL,
     "damage.json says what the last verification found"},
    {"machine-changed", "error", N_("The state comes from another machine, and is read-only."),
     "sourceos-syncd store adopt", NOTHING, NULL,
     N_("Say whether this machine goes on with it: where both do, their histories part. If it "
        "does, stop the daemon and adopt it."),
     STATE, "the machine id is not the one that the state was written with"},
    {"no-space", "error", N_("The disk had no room for the last write: free some."), PURGE, NOTHING,
     NULL, N_("Make room on the disk."), DISK, "a write was refused for want of room"},
    {"index-unavailable", "error", N_("There is no index, so lookups fail: {reason}"), PLAN,
     REBUILDABLE, "index-rebuild", NULL, INDEX, "{reason}"},
    {"index-rebuilding", "info", N_("The index is being made anew; lookups answer after that."),
     SYNCD_NEXT_STATUS_WATCH, REBUILDABLE, NULL, NULL, INDEX,
     "the index has not all of the log yet"},
    {"policy-rules-refused", "warning",
     N_("Rules of policy were refused: the last good ones stay in force. Correct the file, then "
        "reload the daemon."),
     "sourceos-syncd policy list", NOTHING, NULL, N_("Correct the rules, and reload the daemon."),
     POLICY, "a file of rules was refused when it was read last"},
    {"policy-refusals", "info", N_("Policy refused operations within the last minute."),
     "sourceos-syncd events list --type sync.policy.denied", NOTHING, NULL, NULL, POLICY,
     "the log has each as an event of the type sync.policy.denied"},
    {"daemon-unavailable", "error", N_("The daemon does not answer: {reason}"),
     "sourceos-syncd daemon --user", NOTHING, NULL,
     N_("Start the daemon. If it ends again, its last words say why: where it was started, or in "
        "`journalctl -t sourceos-syncd`."),
     DAEMON, "{reason}"},
    {"unknown-reason", "warning",
     N_("The state has a reason that this program does not know: {reason}."),
     "sourceos-syncd status --json", NOTHING, NULL,
     N_("Look with the program that the daemon is of: this one is older."), STATE, "{reason}"},

    {"unchecked", "warning", N_("This could not be looked at: {what}. {reason}"), STATUS, NOTHING,
     NULL, N_("Look again, once nothing keeps it from being looked at."), STATE, "{reason}"},

    /* The state directory, and what lies in it. */
    {"index-damaged", "error", N_("The index is damaged, so some lookups fail or lie: {reason}"),
     PLAN, REBUILDABLE, "index-rebuild", NULL, INDEX, "{reason}"},
    {"index-displaced", "warning",
     N_("The file of the index is not where the daemon opened it: {reason}. Lookups are answered "
        "from what is open, and a restart of the daemon has it made anew from the log by itself."),
     RESTART, REBUILDABLE, "index-rebuild", NULL, INDEX, "{reason}"},
    {"index-drift", "error",
     N_("The index does not add up, so what it says of counts and references may be wrong: {n}."),
     PLAN, REBUILDABLE, "index-rebuild", NULL, INDEX, "what does not add up: {n}"},
    {"index-remade", "info", N_("The index was made anew from the log at {at}: {reason}."),
     "sourceos-syncd repair list", REBUILDABLE, NULL, NULL, INDEX, "{reason}"},
    {"replay-lag", "warning", N_("Entries of the log wait to be taken into the index: {n}."), PLAN,
     REBUILDABLE, "replay-lag", NULL, INDEX, "entries that the index has not: {n}"},
    {"file-modes", "error",
     N_("In the state directory there is what others may read, or its owner may not: {n}."), PLAN,
     NOTHING, "file-modes", NULL, STATE, "files and folders: {n}"},
    {"file-owners", "error",
     N_("What lies in the state directory belongs to somebody else than the daemon: {n}."), PLAN,
     NOTHING, "file-owners", NULL, STATE, "files and folders: {n}"},
    {"file-owners-foreign", "error",
     N_("What lies in the state directory belongs to somebody else than the daemon, who may not "
        "take it: {n}."),
     "sudo chown -hR {owner} {directory}", NOTHING, NULL,
     N_("Give it back to the user that the daemon runs as."), STATE, "files and folders: {n}"},
    {"leftovers", "warning", N_("A process left something half done in the state directory: {n}."),
     PLAN, REBUILDABLE, "leftover-clear", NULL, STATE, "files: {n}"},
    {"dirty-open", "warning",
     N_("Before the start at {at} the daemon had not ended cleanly, or could not write that it "
        "had, "
        "and the log was not verified since."),
     VERIFY, NOTHING, NULL,
     N_("Find out why it ended, if nobody switched the machine off and no write had failed."),
     STATE, "runtime.json did not say at {at} that the daemon had ended"},
    {"key-files", "critical",
     N_("Key files are gone, or hold something else than when they were read: {n}. What they open "
        "is lost when the daemon ends."),
     SYNCD_NEXT_KEYS_BACK, DURABLE, NULL,
     N_("Put them back from a backup before the daemon is restarted."), KEYS, "key files: {n}"},
    {"key-missing", "critical",
     N_("The key of the scope {scope} is not here, so nothing can be written in it; entries in it "
        "that cannot be opened: {n}. Put the folder keys of the state directory back from a "
        "backup, then restart the daemon; without that key what they say is lost."),
     SYNCD_NEXT_KEYS_AND_RESTART, DURABLE, NULL,
     N_("Look for a backup of the folder keys, and put it back before the daemon is restarted: "
        "nothing else opens what was sealed with that key."),
     KEYS, "no file in the folder keys opens them"},
    {"device-key-missing", "critical",
     N_("{why}: nothing can be written, and no report be signed. Put the right keys/device.key of "
        "the "
        "state directory back from a backup, or let the daemon read it if it is there, then "
        "restart "
        "the daemon; without it this log has ended. Entries that are there, and can be read as far "
        "as their "
        "keys are here: {n}."),
     SYNCD_NEXT_KEYS_AND_RESTART, DURABLE, NULL,
     N_("Put keys/device.key of the state directory back from a backup, and restart the daemon. "
        "Without one this log has ended: move the state directory away, where `verify log` goes on "
        "judging it, and begin another with the next start, as another device."),
     KEYS, "keys/device.key"},
    {"disk-pressure", "error",
     N_("The disk is nearly full: {free} of {total} are free. What was deleted and nothing keeps "
        "can be purged."),
     PURGE, NOTHING, "purge-object",
     N_("Look at what the plan would purge before you approve it: nothing brings it back. Or make "
        "room on the disk in another way."),
     DISK, "{free} of {total} are free"},
    {SYNCD_FINDING_KEPT_PRESSURE, "error",
     N_("The disk is nearly full: {free} of {total} are free, and nothing of what is stored may be "
        "purged. {missing} have to be freed."),
     "sourceos-syncd workspace list", NOTHING, NULL,
     N_("Make room on the disk, or have workspaces keep less of their files."), DISK,
     "{free} of {total} are free"},
    {"disk-filling", "info", N_("The disk fills up: {free} of {total} are free."), PURGE, NOTHING,
     "purge-object", NULL, DISK, "{free} of {total} are free"},
    {SYNCD_FINDING_PURGE_ASKED, "info", N_("Somebody asked what may be purged."), PURGE, NOTHING,
     "purge-object", NULL, DISK, "a plan was asked for"},
    {"storm", "error", N_("The same failure came {n} times, from {first} to {last}."), STATUS,
     NOTHING, NULL,
     N_("Remove the cause of the failure. What the daemon says of it is where it was started, or "
        "in "
        "`journalctl -t sourceos-syncd`."),
     DAEMON, "it came {n} times"},

    /* Workspaces. */
    {"workspace-asks", "error",
     N_("{workspace} is paused until somebody says whether it was meant: {reason}. If it was, "
        "resume "
        "it. If not, put back what is gone first; or resume it, and restore each file."),
     "sourceos-syncd workspace resume {workspace}", DURABLE, NULL,
     N_("Say whether what is gone was meant to go."), WORKSPACE, "{directory}"},
    {"workspace-paused", "info", N_("{workspace} is paused: {reason}."),
     "sourceos-syncd workspace resume {workspace}", NOTHING, NULL, NULL, WORKSPACE, "{directory}"},
    {"workspace-missing", "warning", N_("{directory} is not there, or is another one than it was."),
     SHOW_WORKSPACE, NOTHING, NULL, N_("Bring the directory back, or end the workspace."),
     WORKSPACE, "{directory}"},
    {"workspace-failed", "error", N_("{workspace} is not recorded: {reason}."), SHOW_WORKSPACE,
     NOTHING, NULL,
     N_("Remove what keeps the directory from being read, or the log from being written."),
     WORKSPACE, "{directory}"},
    {"workspace-unreadable", "warning", N_("Files of {workspace} cannot be read: {n}."),
     SHOW_WORKSPACE, NOTHING, NULL, N_("Make them readable, or have them ignored."), WORKSPACE,
     "{directory}: {n} cannot be read"},
    {"workspace-unruled", "error",
     N_("Rules of {workspace} to ignore files do not hold, as they are too many or cannot be read: "
        "what they name is recorded. Shorten them, or make .syncignore readable."),
     SHOW_WORKSPACE, NOTHING, NULL, N_("Shorten the rules, or make .syncignore readable."),
     WORKSPACE, "{directory}"},
    {"checksum-mismatch", "error",
     N_("Files of {workspace} have other bytes than are recorded, and nothing said that they "
        "changed: {n}. Restore each, or accept what is there."),
     "sourceos-syncd workspace files {workspace} --mismatched", DURABLE, "file-restore",
     N_("Choose of each file whether the recorded bytes come back or those that are there are "
        "recorded."),
     WORKSPACE, "files: {n}"},
    {"workspace-unwatched", "warning",
     N_("Some folders of {workspace} are not watched: their changes are found by the next scan "
        "alone. Raise fs.inotify.max_user_watches."),
     "sourceos-syncd workspace scan {workspace}", NOTHING, NULL,
     N_("Raise fs.inotify.max_user_watches."), WORKSPACE, "{directory}"},
    {"workspace-unscanned", "error", N_("{workspace} could not be looked through: {reason}"),
     SHOW_WORKSPACE, NOTHING, NULL,
     N_("Remove what keeps the directory from being read, then look again."), WORKSPACE,
     "{reason}"},

    /* Objects and tasks. */
    {"objects-quarantined", "warning",
     N_("Objects are in quarantine, as nobody has registered their schema: {n}."),
     "sourceos-syncd objects list --state=quarantined", NOTHING, NULL,
     N_("Register the schemas that are missing."), OBJECTS, "objects: {n}"},
    {"objects-conflicted", "error", N_("Objects are in conflict: {n}."),
     "sourceos-syncd objects list --state=conflicted", DURABLE, NULL,
     N_("Choose which version of each stands."), OBJECTS, "objects: {n}"},
    {"tasks-failed", "warning", N_("Operations failed for good: {n}. Replay them, or leave them."),
     "sourceos-syncd tasks list --state=failed", NOTHING, NULL,
     N_("Replay each of them, or leave it."), TASKS, "operations: {n}"},
    {"tasks-stale", "warning",
     N_("Operations wait for a worker for longer than their lane allows: {n}."),
     "sourceos-syncd tasks list --stale", NOTHING, NULL,
     N_("Start a worker that takes them, or cancel them."), TASKS, "operations: {n}"},
    {"leases-lost", "warning",
     N_("Operations are held by leases that have ended, or by none, so nobody goes on with them: "
        "{n}."),
     PLAN, NOTHING, "tasks-release", NULL, TASKS, "operations: {n}"},

    {"jobs-stuck", "warning", N_("Jobs have not gone on for {minutes} minutes or longer: {n}."),
     PLAN, NOTHING, "jobs-cancel",
     N_("Find out what keeps them, such as a disk that does not answer."), JOBS, "jobs: {n}"},

    /* Repairs. */
    {"repair-stuck", "warning",
     N_("The repair {plan} has not gone on for {minutes} minutes or longer; a restart of the "
        "daemon "
        "goes on with it."),
     RESTART, NOTHING, NULL, N_("Find out what keeps it, such as a disk that does not answer."),
     REPAIR, "{plan}"},
    {"repair-interrupted", "warning",
     N_("A repair was begun and is not through: {plan}. It goes on by itself; what keeps it from "
        "that is tried again each minute."),
     "sourceos-syncd repair show {plan}", NOTHING, NULL,
     N_("Wait for it, or remove what keeps it from going on."), REPAIR, "{plan}"},
    {"repair-unproven", "critical",
     N_("Nothing proves that the log is the one that was there when the repair {plan} was planned: "
        "since then it was cut or replaced, or it cannot be read."),
     "sourceos-syncd repair show {plan}", DURABLE, NULL,
     N_("Find out whether an older copy was put back; take the repair back, or discard its plan "
        "to leave it as it is."),
     REPAIR, "{plan}"},
    {"repair-unreadable", "error",
     N_("What was planned and kept for earlier repairs cannot be read: {why}. Until it can be, "
        "nothing is planned, and nothing taken back."),
     "ls -la {repair}", DURABLE, NULL,
     N_("Give the folder repair of the state directory back to whoever runs the daemon, or move "
        "away "
        "what has its name, and restart the daemon."),
     REPAIR, "{repair}"},
    {"repair-kept-lost", "warning",
     N_("Of what the repair {plan} kept, so that it can be taken back, files are gone or are not "
        "what was kept: {n}."),
     "sourceos-syncd repair show {plan}", NOTHING, NULL,
     N_("Taking the repair back does not put back what was in them. Discard its plan where nothing "
        "else of it is to be put back."),
     REPAIR, "{plan}"},
    {"repair-set-aside", "warning",
     N_("Files about repairs are not what was written, and were set aside: {n}."), PLAN, NOTHING,
     "leftover-clear",
     N_("Look at them in the folder repair of the state directory before a plan clears them away: "
        "what they were about may be half done."),
     REPAIR, "files: {n}"},

    /* The log. */
    {"log-damaged", "critical", N_("The log is not what was written: {reason}."), PLAN, DURABLE,
     "journal-generation",
     N_("Keep a copy of the state directory, and look for a backup of what cannot be had here."),
     JOURNAL, "{reason}"},
    {"log-beyond-mending", "critical", N_("Nothing here can mend the log: {reason}."),
     SYNCD_NEXT_JOURNAL_AND_VERIFY, DURABLE, NULL,
     N_("Where there is a backup of journal.db, put it into the state directory as "
        "journal-backup.db, and have all of the log verified: where that has what is missing, a "
        "repair can be planned. Else restore the state directory from a backup; until then the log "
        "can be read as far as it goes."),
     JOURNAL, "{reason}"},
    {"log-diverged", "critical", N_("The log is not the one that was known: {reason}."), VERIFY,
     DURABLE, NULL,
     N_("Find out whether an older copy was put back, and where the newer one is: stop the daemon, "
        "and put that into its place. Where it is not to be had, keep the head that proves it: a "
        "verification of everything without that head ends this finding."),
     JOURNAL, "{reason}"},
    {"body-damaged", "critical",
     N_("What entries say is missing or damaged, though they themselves are whole: {n}."), PLAN,
     DURABLE, "body-refill",
     N_("Look for a backup of what an earlier generation of the journal does not have."), JOURNAL,
     "{reason}"},
    {"log-lost", "info",
     N_("A repair that was approved gave up what was nowhere to be had: {n}. The rest of the log "
        "is "
        "sound. If a backup of journal.db turns up, put it into the state directory as "
        "journal-backup.db, and plan a repair."),
     PLAN, DURABLE, "journal-generation", NULL, JOURNAL, "{reason}"},
    {"blob-damaged", "critical",
     N_("Content that is kept beside the log is missing or damaged: {n}."), PLAN, DURABLE,
     "blob-refill", N_("Look for a backup of what cannot be had from here."), CONTENT, "{reason}"},
    {"blob-orphaned", "warning",
     N_("Content lies beside the log that nothing in it names, and takes room: {n}."), PLAN,
     NOTHING, "blob-sweep", NULL, CONTENT, "files in blobs: {n}"},
    {"blob-lost", "info",
     N_("Content that was kept beside the log is lost, as a repair found it nowhere: {n}. All else "
        "can be used."),
     VERIFY, DURABLE, NULL, NULL, CONTENT, "{reason}"},
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

/* The parts of a command, each behind an AND, as they are called in the system's instance. */
static char *of_the_system(const char *command)
{
    static const struct {
        const char *of_user, *of_system;
    } programs[] = {
        {SYNCD_NEXT_DAEMON_BY_HAND, "systemctl start sourceos-syncd"},
        {"systemctl --user ", "systemctl "},
        {"sourceos-syncd ", "sourceos-syncd --system "},
        {"install -d ", "sudo install -o {owner} -d "},
        {"install ", "sudo install -o {owner} "},
        {"cp ", "sudo cp "},
        {"(cp ", "(sudo cp "},
        {"mv ", "sudo mv "},
        {"ls ", "sudo ls "},
    };
    g_auto(GStrv) parts = g_strsplit(command, AND, -1);
    for (char **part = parts; *part != NULL; part++) {
        size_t i = 0;
        while (i < G_N_ELEMENTS(programs) && !g_str_has_prefix(*part, programs[i].of_user))
            i++;
        if (i == G_N_ELEMENTS(programs))
            continue;
        g_autofree char *user = *part;
        *part = g_strconcat(programs[i].of_system, user + strlen(programs[i].of_user), NULL);
    }
    return g_strjoinv(AND, parts);
}

char *syncd_finding_called(const char *command, bool of_system)
{
    return of_system ? of_the_system(command) : g_strdup(command);
}

char *syncd_finding_next(const char *command, bool of_system,
                         const char *(*fact)(void *data, const char *name), void *data)
{
    g_autofree char *called = syncd_finding_called(command, of_system);
    return syncd_answer_fill(called, fact, data);
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
