#include "service/subject-faults.h"

#include "service/content-faults.h"
#include "service/content-look.h"
#include "service/damage.h"
#include "service/diagnose.h"
#include "service/subject.h"
#include "store/missing-keys.h"
#include "store/rollback.h"

#include <string.h>

#define VERSIONS_MAX 1000u /* are looked through: more are not kept */
#define NAMED_MAX 4u

void syncd_subject_faults_clear(SyncdSubjectFaults *self)
{
    g_clear_pointer(&self->found, g_ptr_array_unref);
    g_free(self->refusal);
    g_free(self->parts);
}

/* ---- what is found ---- */

/* The first of the codes that is. */
static SyncdFound *first_of(const SyncdSubjectFaults *self, const char *const *codes)
{
    for (size_t i = 0; codes[i] != NULL; i++)
        for (guint k = 0; k < self->found->len; k++) {
            SyncdFound *found = self->found->pdata[k];
            if (strcmp(found->finding->code, codes[i]) == 0)
                return found;
        }
    return NULL;
}

/* Without its key nothing of a scope is read or written. */
static SyncdFound *missing_key(const SyncdSubject *subject)
{
    const SyncdSubjectFaults *self = &subject->faults;
    for (guint i = 0; i < self->found->len; i++) {
        SyncdFound *found = self->found->pdata[i];
        if (strcmp(found->finding->code, "key-missing") == 0 &&
            syncd_bytes_are(subject->last.header.scope, found->object))
            return found;
    }
    return NULL;
}

static void find_closed(SyncdSubject *subject, const GError *refused)
{
    /* The one that has to be mended first. */
    static const char *const codes[] = {"journal-unreadable",
                                        "journal-displaced",
                                        "journal-cut",
                                        "storage-failed",
                                        "machine-changed",
                                        "journal-corrupt",
                                        "log-rolled-back",
                                        "device-key-missing",
                                        "index-damaged",
                                        "index-unavailable",
                                        "disk-pressure-kept",
                                        "no-space",
                                        NULL};
    SyncdSubjectFaults *self = &subject->faults;
    g_autofree char *next = NULL;
    if (refused != NULL) {
        syncd_error_split(refused->message, &self->refusal, &next);
        self->closed = first_of(self, codes);
        return;
    }
    self->closed = missing_key(subject);
    if (self->closed != NULL)
        self->refusal = g_strdup("The key of its scope is not here");
}

/* ---- its content ---- */

typedef struct {
    SyncdContentFaults known;
    const char *code; /* of what is wrong: what is damaged may be had again, and comes first */
    GString *parts;
    guint n;
} Content;

static void content_clear(Content *self)
{
    syncd_content_faults_clear(&self->known);
    g_string_free(self->parts, TRUE);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Content, content_clear)

static void note(Content *self, const char *code, char *part)
{
    const SyncdFinding *finding = syncd_finding_find(SYNCD_BYTES_TEXT(code));
    if (self->code == NULL || syncd_finding_is_bad(finding))
        self->code = code;
    if (self->n < NAMED_MAX)
        g_string_append_printf(self->parts, "%s%s", self->n > 0 ? ", " : "", part);
    self->n++;
    g_free(part);
}

/* Of the newest, which is looked at, whatever is known of it. */
static const char *fault_of(SyncdSubject *subject, const Content *content,
                            const SyncdContentRow *row)
{
    guint64 left = SYNCD_CONTENT_LOOK_BYTES;
    const char *code = syncd_content_fault_of_version(&content->known, row);
    if (code != NULL || row->version != subject->file.version || !subject->file.kept)
        return code;
    SyncdContentSeen seen = syncd_content_look_at_version(subject->service, row, &left);
    subject->faults.unseen = seen == SYNCD_CONTENT_NOT_SEEN;
    return seen == SYNCD_CONTENT_DAMAGED ? "blob-damaged" : NULL;
}

static bool look_at_versions(SyncdSubject *subject, Content *content, GError **error)
{
    guint64 version = subject->file.version;
    for (guint n = 0; n < VERSIONS_MAX && version > 0; n++) {
        g_auto(SyncdContentRow) row = {0};
        bool found;
        if (!syncd_store_find_content(subject->service->store, subject->file.id, version, &row,
                                      &found, error))
            return false;
        if (!found)
            break;
        const char *code = fault_of(subject, content, &row);
        if (code != NULL)
            note(content, code, g_strdup_printf("version %" G_GUINT64_FORMAT, row.version));
        version = syncd_content_faults_are_none(&content->known) ? 0 : row.version - 1;
    }
    return true;
}

static void look_at_last(const SyncdSubject *subject, Content *content)
{
    const SyncdHeader *header = &subject->last.header;
    if (!subject->was_deleted &&
        syncd_content_fault_of_entry(&content->known, subject->last.pos) == NULL &&
        syncd_content_look_at_entry(subject->service, subject->last.pos) == SYNCD_CONTENT_DAMAGED)
        note(content, header->body_is_list ? "blob-damaged" : "body-damaged",
             syncd_bytes_dup(header->op));
}

/* What others did about something of the same name is theirs. */
static void look_at_operations(const SyncdSubject *subject, Content *content)
{
    GHashTableIter iter;
    gpointer pos, code;
    g_hash_table_iter_init(&iter, content->known.entries);
    while (g_hash_table_iter_next(&iter, &pos, &code)) {
        g_auto(SyncdEntry) entry = {0};
        guint64 at = (guint64) * (const gint64 *)pos;
        if ((subject->view_all || at == subject->last.pos) &&
            syncd_store_read(subject->service->store, at, &entry, NULL) &&
            syncd_bytes_are(entry.header.object, subject->id))
            note(content, code, syncd_bytes_dup(entry.header.op));
    }
}

static bool look_at_content(SyncdSubject *subject, Content *content, GError **error)
{
    if (subject->kind == SYNCD_SUBJECT_FILE)
        return look_at_versions(subject, content, error);
    look_at_operations(subject, content);
    look_at_last(subject, content);
    return true;
}

/* What no diagnosis has found yet is found by a verification. */
static SyncdFound *find_or_add(SyncdSubjectFaults *self, const char *code)
{
    const char *const codes[] = {code, NULL};
    SyncdFound *found = first_of(self, codes);
    if (found == NULL) {
        found = syncd_found_new(code, "n", "1", NULL);
        found->next = SYNCD_NEXT_VERIFY_FULL;
        g_ptr_array_add(self->found, found);
    }
    return found;
}

static void tell_content(SyncdSubjectFaults *self, const Content *content)
{
    if (content->code == NULL)
        return;
    self->content = find_or_add(self, content->code);
    self->parts = content->n > NAMED_MAX ? g_strdup_printf("%s and %u more", content->parts->str,
                                                           content->n - NAMED_MAX)
                                         : g_strdup(content->parts->str);
}

/* ---- all of it ---- */

static bool anything_is_wrong(const SyncdService *service)
{
    return syncd_service_is_damaged(service) || syncd_service_losses(service)->len > 0 ||
           syncd_store_rollback(service->store) != NULL || syncd_store_lacks_keys(service->store);
}

bool syncd_subject_find_faults(SyncdSubject *subject, GError **error)
{
    static const char *const of_log[] = {"log-rolled-back", "log-diverged", "log-damaged",
                                         "journal-corrupt", NULL};
    SyncdService *service = subject->service;
    SyncdSubjectFaults *self = &subject->faults;
    g_autoptr(GError) refused = NULL;
    g_auto(Content) content = {.parts = g_string_new(NULL)};
    syncd_content_faults_gather(service, &content.known);
    if (!look_at_content(subject, &content, error))
        return false;
    if (syncd_store_may_write(service->store, &refused) && !anything_is_wrong(service) &&
        content.code == NULL)
        return true;
    self->found = syncd_service_diagnose_log(service);
    find_closed(subject, refused);
    self->log = first_of(self, of_log);
    tell_content(self, &content);
    return true;
}
