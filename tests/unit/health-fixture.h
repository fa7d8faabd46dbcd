/*
 * Health reports of a service whose machine is made up: what the tests of the report share.
 */
#pragma once

#include "document-edit.h"
#include "domain/judgement.h"
#include "service-fixture.h"
#include "service/health.h"

#define HEALTH_KEPT_MAX 4096

/* A disk of which so much is free. */
static guint64 health_free = 600000000000;
static int health_problem;

static void health_disk(const char *state, SyncdOutside *outside)
{
    outside->disk_problem = health_problem;
    outside->total_bytes = health_problem == 0 ? 1000000000000 : 0;
    outside->free_bytes = health_problem == 0 ? health_free : 0;
    outside->filesystem = health_problem == 0 ? "ext4" : NULL;
}

typedef struct {
    ServiceFixture service;
    char *machine; /* a folder with what the machine says */
    char *proc, *cgroup;
    SyncdPlaces places;
} HealthFixture;

static inline void health_put(const HealthFixture *f, const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(f->machine, name, NULL);
    g_autofree char *folder = g_path_get_dirname(path);
    g_assert_cmpint(g_mkdir_with_parents(folder, 0700), ==, 0);
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static inline void health_begin_run(HealthFixture *f)
{
    syncd_service_set_places(f->service.service, &f->places);
    syncd_service_begin_run(f->service.service, &(SyncdProcess){
                                                    .pid = 41,
                                                    .started_usec = f->service.base.now_usec,
                                                    .manager = "systemd",
                                                    .boot = "boot-a",
                                                    .machine = "machine-a",
                                                });
    syncd_service_set_ready(f->service.service);
}

static inline void health_init(HealthFixture *f)
{
    *f = (HealthFixture){.machine = g_dir_make_tmp("syncd-machine-XXXXXX", NULL)};
    health_free = 600000000000;
    health_problem = 0;
    f->proc = g_build_filename(f->machine, "proc", NULL);
    f->cgroup = g_build_filename(f->machine, "cgroup", NULL);
    f->places = (SyncdPlaces){f->proc, f->cgroup, G_GUINT64_CONSTANT(16) << 30, health_disk};
    health_put(f, "proc/self/statm", "9000 2560 1 1 0 1 0\n");
    health_put(f, "proc/self/cgroup", "0::/user.slice/syncd.service\n");
    health_put(f, "proc/pressure/memory",
               "some avg10=0.00 avg60=0.00 avg300=0.00 total=1\n"
               "full avg10=0.00 avg60=0.00 avg300=0.00 total=1\n");
    health_put(f, "proc/pressure/io",
               "some avg10=1.25 avg60=0.00 avg300=0.00 total=1\n"
               "full avg10=0.50 avg60=0.00 avg300=0.00 total=1\n");
    service_init(&f->service);
    health_begin_run(f);
    run_jobs(&f->service);
}

static inline void health_clear(HealthFixture *f)
{
    service_clear(&f->service);
    fixture_remove(f->machine);
    g_free(f->machine);
    g_free(f->proc);
    g_free(f->cgroup);
}

static inline char *health_report(HealthFixture *f)
{
    g_autoptr(GError) error = NULL;
    char *report = syncd_service_health(f->service.service, &f->service.caller, &error);
    g_assert_no_error(error);
    g_assert_true(syncd_json_check(report, strlen(report), SYNCD_JSON_MUST_BE_OBJECT, &error));
    return report;
}

typedef struct {
    char *text;
    SyncdAttestationKeys *keys;
    SyncdJudgement *judgement;
} HealthJudged;

static inline void health_judged_clear(HealthJudged *judged)
{
    syncd_judgement_free(judged->judgement);
    syncd_attestation_keys_free(judged->keys);
    g_free(judged->text);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HealthJudged, health_judged_clear)

/* By somebody who believes the device whose report it is, then. */
static inline HealthJudged health_judge_text(HealthFixture *f, char *text)
{
    g_autoptr(GError) error = NULL;
    HealthJudged judged = {.text = text, .keys = syncd_attestation_keys_new()};
    if (f->service.service != NULL) {
        g_autofree char *description =
            syncd_service_describe(f->service.service, &f->service.caller, &error);
        g_autofree char *key =
            syncd_json_dup_text(syncd_json_member(document_of(description), "attestation_key"));
        g_assert_true(syncd_attestation_keys_add(judged.keys, key, &error));
    }
    SyncdCircumstances then = {
        .now_usec = (gint64)f->service.base.now_usec,
        .max_age_usec = SYNCD_REPORT_MAX_AGE_SECONDS * G_GINT64_CONSTANT(1000000),
        .keys = judged.keys,
    };
    judged.judgement = syncd_judgement_make(document_of(text), &then);
    /* Whatever is found, the report keeps to its contract and does not contradict itself. */
    for (guint i = 0; i < judged.judgement->report->errors->len; i++)
        g_test_message("%s", (char *)judged.judgement->report->errors->pdata[i]);
    g_assert_cmpuint(judged.judgement->report->errors->len, ==, 0);
    g_assert_true(syncd_invariants_hold(judged.judgement->invariants, SYNCD_INVARIANT_CONSISTENT));
    return judged;
}

static inline HealthJudged health_judge(HealthFixture *f)
{
    return health_judge_text(f, health_report(f));
}

static inline SyncdJson health_at(const HealthJudged *judged, const char *block, const char *member)
{
    return syncd_report_at(judged->judgement->report, block, member);
}

/* An element of an array by its name, or its id. */
static inline SyncdJson health_find(const HealthJudged *judged, const char *list, const char *name)
{
    SyncdJsonIter iter;
    SyncdJson element;
    syncd_json_iter_init(&iter, syncd_json_member(judged->judgement->report->root, list));
    while (syncd_json_iter_next(&iter, NULL, &element))
        if (syncd_json_is(syncd_json_member(element, "name"), name) ||
            syncd_json_is(syncd_json_member(element, "id"), name))
            return element;
    g_test_message("no %s in %s", name, list);
    g_assert_not_reached();
}

static inline void health_assert(const HealthJudged *judged, const char *list, const char *name,
                                 const char *member, const char *expected)
{
    SyncdJson value = syncd_json_member(health_find(judged, list, name), member);
    g_autofree char *text = g_strndup(value.at, syncd_json_size(value));
    g_assert_cmpstr(text, ==, expected);
}
