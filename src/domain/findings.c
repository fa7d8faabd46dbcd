#include "domain/findings.h"

#include <glib.h>

#define N_(text) (text) /* marks what is translated where it is printed */

#define VERIFY "sourceos-syncd verify log --full"
#define SHOW_WORKSPACE "sourceos-syncd workspace show {workspace}"

static const SyncdFinding findings[] = {
    /* What the state says. */
    {"storage-failed", "critical",
     N_("Writing failed, and what the disk holds is not known: check the disk, then restart the "
        "daemon."),
     "systemctl --user restart sourceos-syncd"},
    {"journal-corrupt", "critical",
     N_("The journal is damaged: keep a copy of the state directory before anything else."),
     VERIFY},
    {"verify-found", "critical", N_("The last verification of the log found damage."), VERIFY},
    {"machine-changed", "error", N_("The state comes from another machine, and is read-only."),
     "sourceos-syncd store adopt"},
    {"no-space", "error", N_("The disk had no room for the last write: free some."),
     "sourceos-syncd status"},
    {"index-unavailable", "error", N_("There is no index, so lookups fail: see the daemon's log."),
     "journalctl --user -u sourceos-syncd"},
    {"index-rebuilding", "info", N_("The index is being made anew; lookups answer after that."),
     "sourceos-syncd status --watch"},
    {"policy-rules-refused", "warning",
     N_("Rules of policy were refused: the last good ones stay in force. Correct the file, then "
        "reload the daemon."),
     "sourceos-syncd policy list"},
    {"policy-refusals", "info", N_("Policy refused operations within the last minute."),
     "sourceos-syncd events list --type sync.policy.denied"},
    {"daemon-unavailable", "error", N_("The daemon does not answer: {reason}"),
     "systemctl --user start sourceos-syncd"},
    {"unknown-reason", "warning",
     N_("The state has a reason that this program does not know: {reason}."),
     "sourceos-syncd status --json"},

    {"unchecked", "warning", N_("This could not be looked at: {what} ({reason})."),
     "sourceos-syncd status"},

    /* Workspaces. */
    {"workspace-asks", "error",
     N_("{workspace} is paused until somebody says whether it was meant: {reason}. If it was, "
        "resume "
        "it. If not, put back what is gone first; or resume it, and restore each file."),
     "sourceos-syncd workspace resume {workspace}"},
    {"workspace-paused", "info", N_("{workspace} is paused: {reason}."),
     "sourceos-syncd workspace resume {workspace}"},
    {"workspace-missing", "warning", N_("{directory} is not there, or is another one than it was."),
     SHOW_WORKSPACE},
    {"workspace-failed", "error", N_("{workspace} is not recorded: {reason}."), SHOW_WORKSPACE},
    {"workspace-unreadable", "warning", N_("{n} files of {workspace} cannot be read."),
     SHOW_WORKSPACE},
    {"workspace-unruled", "error",
     N_("Rules of {workspace} to ignore files do not hold, as they are too many or cannot be read: "
        "what they name is recorded. Shorten them, or make .syncignore readable."),
     SHOW_WORKSPACE},
    {"checksum-mismatch", "error",
     N_("Files of {workspace} have other bytes than are recorded, and nothing said that they "
        "changed: {n}. Restore each, or accept what is there."),
     "sourceos-syncd workspace files {workspace} --mismatched"},
    {"workspace-unwatched", "warning",
     N_("Some folders of {workspace} are not watched: their changes are found by the next scan "
        "alone. Raise fs.inotify.max_user_watches."),
     "sourceos-syncd workspace scan {workspace}"},
    {"workspace-unscanned", "error", N_("{workspace} could not be looked through: {reason}"),
     SHOW_WORKSPACE},

    /* Objects and tasks. */
    {"objects-quarantined", "warning",
     N_("Objects are in quarantine, as nobody has registered their schema: {n}."),
     "sourceos-syncd objects list --state=quarantined"},
    {"objects-conflicted", "error", N_("Objects are in conflict: {n}."),
     "sourceos-syncd objects list --state=conflicted"},
    {"tasks-failed", "warning", N_("Operations failed for good: {n}. Replay them, or leave them."),
     "sourceos-syncd tasks list --state=failed"},
    {"tasks-stale", "warning",
     N_("Operations wait for a worker for longer than their lane allows: {n}."),
     "sourceos-syncd tasks list --stale"},

    /* The log. */
    {"log-damaged", "critical", N_("The log is not what was written: {reason}."), VERIFY},
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
