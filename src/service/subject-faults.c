#include "service/subject-faults.h"

#include "service/content-faults.h"
#include "service/damage.h"
#include "service/diagnose.h"
#include "service/subject.h"
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

static bool look_at_versions(const SyncdSubject *subject, Content *content, GError **error)
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
        const char *code = syncd_content_fault_of_version(&content->known, &row);
        if (code != NULL)
            note(content, code, g_strdup_printf("version %" G_GUINT64_FORMAT, row.version));
        version = row.version - 1;
    }
    return true;
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

static bool find_content(SyncdSubject *subject, GError **error)
{
    SyncdSubjectFaults *self = &subject->faults;
    g_autoptr(GString) parts = g_string_new(NULL);
    Content content = {.parts = parts};
    bool ok = true;
    syncd_content_faults_gather(subject->service, &content.known);
    bool any = !syncd_content_faults_are_none(&content.known);
    if (any && subject->kind == SYNCD_SUBJECT_FILE)
        ok = look_at_versions(subject, &content, error);
    else if (any)
        look_at_operations(subject, &content);
    syncd_content_faults_clear(&content.known);
    if (content.n > NAMED_MAX)
        g_string_append_printf(parts, " and %u more", content.n - NAMED_MAX);
    const char *const codes[] = {content.code, NULL};
    self->content = content.code != NULL ? first_of(self, codes) : NULL;
    if (self->content != NULL)
        self->parts = g_strdup(parts->str);
    return ok;
}

/* ---- all of it ---- */

static bool anything_is_wrong(const SyncdService *service)
{
    return syncd_service_is_damaged(service) || syncd_service_losses(service)->len > 0 ||
           syncd_store_rollback(service->store) != NULL || service->lacks_keys;
}

bool syncd_subject_find_faults(SyncdSubject *subject, GError **error)
{
    static const char *const of_log[] = {"log-rolled-back", "log-diverged", "log-damaged",
                                         "journal-corrupt", NULL};
    SyncdService *service = subject->service;
    SyncdSubjectFaults *self = &subject->faults;
    g_autoptr(GError) refused = NULL;
    if (syncd_store_may_write(service->store, &refused) && !anything_is_wrong(service))
        return true;
    self->found = syncd_service_diagnose_log(service);
    find_closed(subject, refused);
    self->log = first_of(self, of_log);
    return find_content(subject, error);
}
