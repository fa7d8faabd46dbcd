/*
 * Reports of four states, byte for byte. What they are made of is written down here, so that
 * nothing of a machine, a clock or a version of a database is in them. They lie with the other
 * golden documents, which are held against the schemas, ours and the published ones.
 *
 * SYNCD_GOLDEN_WRITE=1 writes them anew.
 */
#include "attestation-fixture.h"
#include "domain/attestor.h"
#include "domain/judgement.h"
#include "golden.h"
#include "service/health-facts.h"

#define NOW G_GUINT64_CONSTANT(1780000030000000) /* 2026-05-28T20:27:10Z */
#define AGO(seconds) (NOW - (guint64)(seconds)*G_USEC_PER_SEC)
#define FOLDER "sourceos.state-integrity-report.v1alpha1"

typedef struct {
    SyncdSigner *signer;
    SyncdAttestor *attestor;
    SyncdHealthFacts facts;
    SyncdState state;
} Case;

static const SyncdProcess process = {.pid = 41, .manager = "systemd"};

static void begin(Case *self)
{
    self->signer = attester(9);
    self->attestor = syncd_attestor_new("org.sourceos.Sync/device-golden", self->signer);
    self->state = (SyncdState){.state = "clean", .sequence = 1200};
    SyncdHealthFacts *facts = &self->facts;
    syncd_health_facts_init(facts);
    facts->process = &process;
    facts->now_usec = NOW;
    facts->attestor = self->attestor;
    facts->state = &self->state;
    g_strlcpy(facts->node, "sha256:00112233", SYNCD_DIGEST_SIZE);
    g_strlcpy(facts->boot, "sha256:44556677", SYNCD_DIGEST_SIZE);
    facts->policy_digest = "sha256:8899aabb";
    facts->outside = (SyncdOutside){.free_bytes = 600,
                                    .total_bytes = 1000,
                                    .filesystem = "ext4",
                                    .memory_total = G_GUINT64_CONSTANT(16) << 30,
                                    .resident = 12 << 20};
}

static void end(Case *self)
{
    syncd_health_facts_clear(&self->facts);
    syncd_attestor_free(self->attestor);
    syncd_signer_free(self->signer);
}

static void serve(SyncdHealthFacts *facts)
{
    facts->runtime = (SyncdRuntime){
        .begun = true,
        .process_started = AGO(3600),
        .opened = AGO(3599),
        .ready = AGO(3598),
        .first_heartbeat = AGO(3598),
        .replay_started = AGO(3599),
        .replay_completed = AGO(3598),
        .clean_end = AGO(3700),
    };
    facts->verified =
        (SyncdVerified){.sound_usec = AGO(3590), .whole_usec = AGO(90000), .sound_sequence = 1200};
    facts->store = (SyncdStoreFacts){
        .condition = SYNCD_STORE_WRITABLE,
        .journal = {true, 5, 5, 4096000},
        .index = {true, 18, 18, 2048000},
        .sequence = 1200,
        .counted = true,
    };
    gint64 *normal = facts->store.lanes[syncd_lane_find(SYNCD_BYTES_TEXT("normal"))->rank];
    normal[SYNCD_LANE_ENTRIES] = 1000;
    normal[SYNCD_LANE_OPERATIONS] = 400;
    normal[SYNCD_TASK_PENDING] = 3;
    normal[SYNCD_TASK_SUCCEEDED] = 397;
    normal[SYNCD_LANE_OF_ADDS + SYNCD_LANE_OPERATIONS] = 150;
    normal[SYNCD_LANE_OF_ADDS + SYNCD_TASK_PENDING] = 1;
    normal[SYNCD_LANE_OF_ADDS + SYNCD_TASK_SUCCEEDED] = 149;
    normal[SYNCD_LANE_OBJECTS] = 172;
    normal[SYNCD_LANE_TOMBSTONES] = 8;
    normal[SYNCD_LANE_FILES_ADDED] = 30;
    normal[SYNCD_LANE_FILES_CHANGED] = 12;
    normal[SYNCD_LANE_FILES_DELETED] = 8;
    facts->generation = 1;
    facts->feeds = 2;
    facts->deletions_known = true;
    facts->decided[0] = 400;
}

static void make_healthy(Case *self)
{
    serve(&self->facts);
}

/* The index is being made after a crash, the disk fills up, and rules were refused. */
static void make_degraded(Case *self)
{
    SyncdHealthFacts *facts = &self->facts;
    serve(facts);
    facts->runtime.dirty_open = facts->runtime.opened;
    facts->runtime.replay_completed = 0;
    facts->store.counted = false;
    facts->store.rebuilding = true;
    facts->store.unprojected = 700;
    facts->deletions_known = false;
    facts->policy_refused = true;
    facts->outside.free_bytes = 90;
    self->state.state = "degraded";
    self->state.reasons[0] = "index-rebuilding";
    g_ptr_array_add(facts->unavailable, g_strdup("pipeline: not_yet_initialized"));
}

/* Verification found damage, writing failed, and nothing says how full the disk is. */
static void make_unsafe(Case *self)
{
    SyncdHealthFacts *facts = &self->facts;
    serve(facts);
    facts->findings = facts->unheld = 2;
    facts->verified = (SyncdVerified){0};
    facts->store.condition = SYNCD_STORE_FAILED;
    facts->outside = (SyncdOutside){.disk_problem = 5,
                                    .memory_problem = 5,
                                    .resident_problem = 5,
                                    .memory = {.problem = 5},
                                    .io = {.problem = 5}};
    self->state.state = "repair-recommended";
    self->state.reasons[0] = "verify-found";
    g_ptr_array_add(facts->unavailable, g_strdup("resources.disk: unsupported_platform"));
}

static void make_uninitialised(Case *self)
{
    static const SyncdProcess nobody = {0};
    SyncdHealthFacts *facts = &self->facts;
    facts->process = &nobody;
    facts->attestor = NULL;
    facts->state = NULL;
    facts->node[0] = facts->boot[0] = '\0';
    facts->policy_digest = NULL;
    facts->state_missing = "not initialized";
    facts->offline = true;
    g_ptr_array_add(facts->errors, g_strdup("not initialized"));
    g_ptr_array_add(facts->unavailable, g_strdup("stores: not_yet_initialized"));
}

static const struct {
    const char *name;
    const char *status;
    void (*make)(Case *self);
} cases[] = {
    {"live-healthy", "healthy", make_healthy},
    {"live-degraded", "degraded", make_degraded},
    {"live-unsafe", "unsafe", make_unsafe},
    {"live-uninitialised", "unknown", make_uninitialised},
};

static char *pretty(const char *text)
{
    GString *out = g_string_new(NULL);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, out, true);
    syncd_json_value(&writer, document_of(text));
    g_string_append_c(out, '\n');
    return g_string_free(out, FALSE);
}

static void the_report_is_the_golden_one(const void *data)
{
    size_t i = GPOINTER_TO_SIZE(data);
    Case self = {0};
    begin(&self);
    cases[i].make(&self);
    g_autofree char *text = syncd_health_conclude(&self.facts);
    g_autofree char *report = pretty(text);
    g_autofree char *folder = g_build_filename(g_getenv("SYNCD_GOLDEN"), FOLDER, NULL);
    g_autofree char *file = g_strconcat(folder, "/", cases[i].name, ".json", NULL);
    if (g_getenv("SYNCD_GOLDEN_WRITE") != NULL)
        g_assert_true(g_file_set_contents(file, report, -1, NULL));
    g_autofree char *golden = golden_read(folder, cases[i].name, ".json");
    g_assert_cmpstr(report, ==, golden);
    end(&self);
}

/* The verdict in it is the one that others come to. */
static void whoever_judges_it_agrees(const void *data)
{
    size_t i = GPOINTER_TO_SIZE(data);
    Case self = {0};
    begin(&self);
    g_autoptr(SyncdAttestationKeys) keys = syncd_attestation_keys_new();
    g_assert_true(syncd_attestation_keys_add(keys, syncd_attestor_key(self.attestor), NULL));
    cases[i].make(&self);
    g_autofree char *text = syncd_health_conclude(&self.facts);
    SyncdCircumstances then = {.now_usec = NOW, .keys = keys};
    g_autoptr(SyncdJudgement) judgement = syncd_judgement_make(document_of(text), &then);
    g_assert_cmpuint(judgement->report->errors->len, ==, 0);
    g_assert_cmpstr(judgement->diagnosis->status, ==, cases[i].status);
    g_assert_true(
        syncd_json_is(syncd_report_at(judgement->report, "diagnosis", "status"), cases[i].status));
    g_assert_true(syncd_invariants_hold(judgement->invariants, SYNCD_INVARIANT_CONSISTENT));
    g_assert_cmpint(judgement->attested, ==, self.facts.attestor != NULL);
    end(&self);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *golden = g_strconcat("/health-golden/", cases[i].name, NULL);
        g_autofree char *judged = g_strconcat("/health-judged/", cases[i].name, NULL);
        g_test_add_data_func(golden, GSIZE_TO_POINTER(i), the_report_is_the_golden_one);
        g_test_add_data_func(judged, GSIZE_TO_POINTER(i), whoever_judges_it_agrees);
    }
    return g_test_run();
}
