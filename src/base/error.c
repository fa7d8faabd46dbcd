#include "base/error.h"

#include <errno.h>
#include <string.h>

#define NEXT_SEPARATOR " Next: "
#define STANDARD "org.freedesktop.DBus.Error."

G_DEFINE_QUARK(syncd - error - quark, syncd_error)

#define OURS(name) #name, SYNCD_ERROR_PREFIX #name
#define THEIRS(name) #name, STANDARD #name

/* Ordered by code: syncd_error_info() indexes it, and a test checks the order. */
static const SyncdErrorInfo error_table[] = {
    {SYNCD_ERROR_FAILED, THEIRS(Failed), SYNCD_EXIT_FAILED,
     "look into the journal with `journalctl -t sourceos-syncd` and report it"},
    {SYNCD_ERROR_NOT_FOUND, OURS(NotFound), SYNCD_EXIT_NOT_FOUND,
     "check the name; `sourceos-syncd ops list` and `sourceos-syncd events list` show what there "
     "is"},
    {SYNCD_ERROR_INVALID_ENCODING, OURS(InvalidEncoding), SYNCD_EXIT_NEGATIVE,
     "send one JSON document (RFC 8259) in UTF-8, without duplicate keys"},
    {SYNCD_ERROR_INVALID_CONTRACT, OURS(InvalidContract), SYNCD_EXIT_NEGATIVE,
     "correct the named field; org.sourceos.Sync(5) describes the request"},
    {SYNCD_ERROR_TOO_LARGE, OURS(TooLarge), SYNCD_EXIT_NEGATIVE,
     "send less at once; the limits are in org.sourceos.Sync(5)"},
    {SYNCD_ERROR_TOO_DEEP, OURS(TooDeep), SYNCD_EXIT_NEGATIVE,
     "flatten the document to at most 64 levels"},
    {SYNCD_ERROR_POLICY_DENIED, OURS(PolicyDenied), SYNCD_EXIT_POLICY_DENIED,
     "choose another lane, or ask whoever owns the policy"},
    {SYNCD_ERROR_APPROVAL_REQUIRED, OURS(ApprovalRequired), SYNCD_EXIT_NOT_AUTHORISED,
     "use the method that asks for the approval; an entry of this kind is its result"},
    {SYNCD_ERROR_APPROVAL_EXPIRED, OURS(ApprovalExpired), SYNCD_EXIT_STALE, "approve it again"},
    {SYNCD_ERROR_STALE_DIGEST, OURS(StaleDigest), SYNCD_EXIT_STALE,
     "read the document again and repeat with its new digest"},
    {SYNCD_ERROR_PLAN_STALE, OURS(PlanStale), SYNCD_EXIT_STALE, "make a new plan"},
    {SYNCD_ERROR_ALREADY_RESOLVED, OURS(AlreadyResolved), SYNCD_EXIT_STALE,
     "read its present state; a resolution can be undone"},
    {SYNCD_ERROR_ENGINE_DISABLED, OURS(EngineDisabled), SYNCD_EXIT_FAILED,
     "enable the engine first"},
    {SYNCD_ERROR_LEASE_LOST, OURS(LeaseLost), SYNCD_EXIT_STALE,
     "drop the result and claim the task again"},
    {SYNCD_ERROR_CURSOR_EXPIRED, OURS(CursorExpired), SYNCD_EXIT_STALE,
     "start the listing again without a cursor"},
    {SYNCD_ERROR_NO_SPACE, OURS(NoSpace), SYNCD_EXIT_FAILED,
     "free space where the state lies, then repeat"},
    {SYNCD_ERROR_STORAGE_FAILED, OURS(StorageFailed), SYNCD_EXIT_FAILED,
     "check the disk, restart the daemon, then repeat with the same idempotency key"},
    {SYNCD_ERROR_JOURNAL_CORRUPT, OURS(JournalCorrupt), SYNCD_EXIT_NEGATIVE,
     "keep a copy of the state directory and run `sourceos-syncd doctor`; where the daemon does "
     "not "
     "start, bring journal.db back from a backup"},
    {SYNCD_ERROR_FEED_FORK, OURS(FeedFork), SYNCD_EXIT_NEGATIVE,
     "keep both heads: together they prove that the feed was continued twice"},
    {SYNCD_ERROR_FEED_ROLLBACK, OURS(FeedRollback), SYNCD_EXIT_NEGATIVE,
     "restore the newer journal; the known head proves that it existed"},
    {SYNCD_ERROR_NOT_INITIALIZED, OURS(NotInitialized), SYNCD_EXIT_FAILED,
     "start the daemon once, or run `sourceos-syncd store init`"},
    {SYNCD_ERROR_BUSY, OURS(Busy), SYNCD_EXIT_FAILED, "try again in a moment"},
    {SYNCD_ERROR_CANCELLED, OURS(Cancelled), SYNCD_EXIT_FAILED,
     "start it again if it is still wanted"},
    {SYNCD_ERROR_OFFLINE, OURS(Offline), SYNCD_EXIT_FAILED, "try again when there is a connection"},
    {SYNCD_ERROR_ACCESS_DENIED, THEIRS(AccessDenied), SYNCD_EXIT_NOT_AUTHORISED,
     "ask an administrator, or use your own instance with `--user`"},
    {SYNCD_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED, THEIRS(InteractiveAuthorizationRequired),
     SYNCD_EXIT_NOT_AUTHORISED,
     "repeat where a polkit agent can ask, for example in a desktop session or beside "
     "`pkttyagent`"},
    {SYNCD_ERROR_INVALID_ARGS, THEIRS(InvalidArgs), SYNCD_EXIT_NEGATIVE,
     "see org.sourceos.Sync(5), or `busctl introspect org.sourceos.Sync /org/sourceos/Sync`"},
    {SYNCD_ERROR_LIMITS_EXCEEDED, THEIRS(LimitsExceeded), SYNCD_EXIT_FAILED,
     "wait for calls in flight to end, then repeat"},
    {SYNCD_ERROR_USAGE, "Usage", NULL, SYNCD_EXIT_NEGATIVE, "see `sourceos-syncd --help`"},
    {SYNCD_ERROR_UNREACHABLE, "Unreachable", NULL, SYNCD_EXIT_UNREACHABLE,
     "start it with `sourceos-syncd daemon --user`, or with `systemctl --user start "
     "sourceos-syncd` where it is installed"},
    {SYNCD_ERROR_INTERRUPTED, "Interrupted", NULL, SYNCD_EXIT_INTERRUPTED, "run it again"},
};

G_GNUC_PRINTF(4, 0)
static void set_error_valist(GError **error, SyncdErrorCode code, const char *next,
                             const char *format, va_list args)
{
    if (error == NULL)
        return;

    g_autofree char *sentence = g_strdup_vprintf(format, args);
    size_t length = strlen(sentence);
    const char *stop = length > 0 && strchr(".!?", sentence[length - 1]) != NULL ? "" : ".";
    g_set_error(error, SYNCD_ERROR, (int)code, "%s%s" NEXT_SEPARATOR "%s.", sentence, stop, next);
}

void syncd_set_error(GError **error, SyncdErrorCode code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    set_error_valist(error, code, syncd_error_info(code)->next, format, args);
    va_end(args);
}

void syncd_set_error_next(GError **error, SyncdErrorCode code, const char *next, const char *format,
                          ...)
{
    va_list args;
    va_start(args, format);
    set_error_valist(error, code, next, format, args);
    va_end(args);
}

void syncd_set_error_errno(GError **error, SyncdErrorCode code, int errnum, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *what = g_strdup_vprintf(format, args);
    va_end(args);

    if (errnum == ENOSPC || errnum == EDQUOT)
        code = SYNCD_ERROR_NO_SPACE;
    bool forbidden = errnum == EACCES || errnum == EPERM || errnum == EROFS;
    syncd_set_error_next(error, code,
                         forbidden && code == SYNCD_ERROR_STORAGE_FAILED
                             ? "see whom it belongs to and what its mode is, then repeat"
                             : syncd_error_info(code)->next,
                         "%s: %s", what, g_strerror(errnum));
}

const SyncdErrorInfo *syncd_error_info(SyncdErrorCode code)
{
    return &error_table[(size_t)code < G_N_ELEMENTS(error_table) ? code : SYNCD_ERROR_FAILED];
}

const SyncdErrorInfo *syncd_error_info_by_dbus_name(const char *dbus_name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(error_table); i++)
        if (g_strcmp0(error_table[i].dbus_name, dbus_name) == 0)
            return &error_table[i];
    return NULL;
}

const SyncdErrorInfo *syncd_error_info_of(const GError *error)
{
    bool ours = error != NULL && error->domain == SYNCD_ERROR;
    return syncd_error_info(ours ? (SyncdErrorCode)error->code : SYNCD_ERROR_FAILED);
}

void syncd_error_split(const char *message, char **ret_sentence, char **ret_next)
{
    const char *separator = g_strrstr(message, NEXT_SEPARATOR);
    if (separator == NULL) {
        *ret_sentence = g_strdup(message);
        *ret_next = NULL;
        return;
    }
    *ret_sentence = g_strndup(message, (size_t)(separator - message));
    *ret_next = g_strdup(separator + strlen(NEXT_SEPARATOR));
}
