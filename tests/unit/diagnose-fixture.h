/*
 * Diagnoses of a service, and asking them.
 */
#pragma once

#include "service-fixture.h"
#include "service/diagnose.h"

/* Whatever is found is shown by something, is about something, and leads on; and neither is said
 * of nothing. */
static inline void assert_finding_is_whole(SyncdFound *found)
{
    const SyncdFinding *finding = found->finding;
    GString *text = g_string_new(NULL);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, text, false);
    syncd_found_write(found, &(SyncdFoundView){0}, &writer);
    g_autofree char *document = g_string_free(text, FALSE),
                    *next = syncd_found_next(found, &(SyncdFoundView){0}),
                    *hidden = syncd_found_next(found, &(SyncdFoundView){.hidden = true});
    g_test_message("%s", document);
    g_assert_cmpuint(found->evidence->len, >, 0);
    for (guint i = 0; i < found->evidence->len; i++)
        g_assert_cmpstr(found->evidence->pdata[i], !=, "-");
    g_assert_true(found->object != NULL || found->first > 0 || *finding->about != '\0');
    g_assert_true(!syncd_finding_is_bad(finding) || finding->person != NULL ||
                  (finding->repair != NULL && !found->unmended));
    g_assert_true(*next != '\0' && strpbrk(next, "{}") == NULL);
    g_assert_true(strcmp(next, SYNCD_NEXT_DOCTOR) != 0 && strstr(next, " - ") == NULL &&
                  !g_str_has_suffix(next, " -"));
    g_assert_true(*hidden != '\0' && strcmp(hidden, SYNCD_NEXT_DOCTOR) != 0 &&
                  strpbrk(hidden, "{}") == NULL);
}

static inline SyncdFound *find(const GPtrArray *found, const char *code)
{
    for (guint i = 0; i < found->len; i++)
        if (strcmp(((SyncdFound *)found->pdata[i])->finding->code, code) == 0) {
            assert_finding_is_whole(found->pdata[i]);
            return found->pdata[i];
        }
    return NULL;
}

static inline bool is_found(ServiceFixture *f, const char *code)
{
    g_autoptr(GPtrArray) found = syncd_service_diagnose(f->service);
    for (guint i = 0; i < found->len; i++)
        assert_finding_is_whole(found->pdata[i]);
    return find(found, code) != NULL;
}

static inline void assert_clean(ServiceFixture *f)
{
    g_autoptr(GPtrArray) found = syncd_service_diagnose(f->service);
    for (guint i = 0; i < found->len; i++) {
        const SyncdFound *one = found->pdata[i];
        g_test_message("%s: %s", one->finding->code,
                       one->evidence->len > 0 ? (const char *)one->evidence->pdata[0] : "-");
    }
    g_assert_cmpuint(found->len, ==, 0);
}

static inline void verify_all(ServiceFixture *f)
{
    g_autoptr(GError) error = NULL;
    SyncdJob *job = NULL;
    syncd_service_verify(f->service, &f->caller, SYNCD_VERIFY_FULL, NULL, &job, &error);
    g_assert_no_error(error);
    run_jobs(f);
    g_assert_cmpstr(syncd_job_state(job), ==, "done");
}
