/*
 * Our schemas take and refuse what the published ones do.
 *
 * Where the reference lies beside the source, each of its examples and each of our golden
 * documents, and thousands of edits of each, are judged by both. The verdicts are the same but for
 * differences that are listed here with what decides them. As a control, each of our schemas is
 * made laxer in several places, one at a time, and the comparison has to notice.
 */
#include "contract/check.h"
#include "golden.h"
#include "hurried.h"
#include "json-edit.h"
#include "schema-walk.h"

/* Of each schema; with -m slow every demand of it. */
#define CONTROLS 16u
/* In a hurry each so-manyth edit, which is not enough to notice everything. */
#define STEP (is_slowed() ? 16u : 1u)

static const struct {
    const char *ours; /* the name of the file without its end */
    const char *theirs;
} pairs[] = {
    {"LocalOperationLog", "spec/LocalOperationLog.json"},
    {"SourceOSRepoManifest", "spec/SourceOSRepoManifest.json"},
    {"StaleStateRecord", "spec/StaleStateRecord.json"},
    {"SyncCheckpoint", "spec/SyncCheckpoint.json"},
    {"SyncConflictRecord", "spec/SyncConflictRecord.json"},
    {"SyncEngineManifest", "spec/SyncEngineManifest.json"},
    {"sourceos-capability", "sourceos-capability.schema.json"},
    {"sourceos-event", "sourceos-event.schema.json"},
    {"sourceos-incident", "sourceos-incident.schema.json"},
    {"sourceos-launch-manifest", "sourceos-launch-manifest.schema.json"},
    {"sourceos-service", "sourceos-service.schema.json"},
    {"sourceos.agent-trust-decision.v1alpha1",
     "sourceos.agent-trust-decision.v1alpha1.schema.json"},
    {"sourceos.delivery-scorecard.v1alpha1", "sourceos.delivery-scorecard.v1alpha1.schema.json"},
    {"sourceos.event.v0.1", "sourceos.event.v0.1.schema.json"},
    {"sourceos.lampstand-evidence.v1alpha1", "sourceos.lampstand-evidence.v1alpha1.schema.json"},
    {"sourceos.policy-decision.v1alpha1", "sourceos.policy-decision.v1alpha1.schema.json"},
    {"sourceos.policy-explanation-registry.v0.1",
     "sourceos.policy-explanation-registry.v0.1.schema.json"},
    {"sourceos.policy-observation.v0.1", "sourceos.policy-observation.v0.1.schema.json"},
    {"sourceos.process-provenance.v0.1", "sourceos.process-provenance.v0.1.schema.json"},
    {"sourceos.repair-plan.v1alpha1", "sourceos.repair-plan.v1alpha1.schema.json"},
    {"sourceos.state-integrity-report.v1alpha1",
     "sourceos.state-integrity-report.v1alpha1.schema.json"},
};

/* What only we take: documents that have this member. */
typedef struct {
    const char *ours;
    const char *member; /* a pointer */
    const char *why;    /* the section of the contract reference, and its row */
} Difference;

static const Difference differences[] = {
    {"LocalOperationLog", "/$schema", "24, seed 000 example"},
    {"SourceOSRepoManifest", "/$schema", "24, seed 000 example"},
    {"SourceOSRepoManifest", "/syncEngines/0/$schema", "24, seed 000 example"},
    {"StaleStateRecord", "/$schema", "24, seed 000 example"},
    {"SyncCheckpoint", "/$schema", "24, seed 000 example"},
    {"SyncConflictRecord", "/$schema", "24, seed 000 example"},
    {"SyncEngineManifest", "/$schema", "24, seed 000 example"},
    {"sourceos.policy-decision.v1alpha1", "/effect", "24, policy-decision id"},
    {"sourceos.policy-decision.v1alpha1", "/decision_boundary", "24, decision_boundary"},
};

/* ---- schemas ---- */

static char *reference_path(const char *name)
{
    return g_build_filename(g_getenv("SYNCD_REFERENCE"), name, NULL);
}

static bool have_reference(void)
{
    g_autofree char *schemas = reference_path("schemas");
    if (g_file_test(schemas, G_FILE_TEST_IS_DIR))
        return true;
    g_test_skip("there is no reference beside the source");
    return false;
}

/* References between schemas name an id of ours, or a file of theirs. */
static bool find_schema(void *user_data, const char *uri, SyncdBytes *ret_text)
{
    GPtrArray *texts = user_data;
    bool is_ours = g_str_has_prefix(uri, SCHEMA_ID_PREFIX);
    g_autofree char *spec = reference_path("schemas/spec");
    char *text = is_ours ? golden_read(g_getenv("SYNCD_SCHEMAS"), uri + strlen(SCHEMA_ID_PREFIX),
                                       SCHEMA_SUFFIX)
                         : golden_read(spec, strrchr(uri, '/') + 1, "");
    g_ptr_array_add(texts, text);
    *ret_text = SYNCD_BYTES_TEXT(text);
    return true;
}

static SyncdSchema *compile(const char *text)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
    SyncdSchemaOptions options = {.find = find_schema, .user_data = texts};
    SyncdSchema *schema = syncd_schema_compile(SYNCD_BYTES_TEXT(text), &options, &error);
    g_assert_no_error(error);
    return schema;
}

static bool accepts(const SyncdSchema *schema, SyncdJson document)
{
    bool valid;
    g_autoptr(GError) error = NULL;
    syncd_schema_validate(schema, document, NULL, &valid, &error);
    g_assert_no_error(error);
    return valid;
}

/* Published for other programs: the contract reference does not count them among those of this one,
 * which neither writes nor reads such documents. */
static const char *const of_other_programs[] = {
    "spec/DeviceIdentity.json",   "spec/DiagnosticStormRecord.json",
    "spec/OpsHistoryEvent.json",  "spec/ExactnessArtifactRecord.json",
    "spec/ValidatorReceipt.json", NULL,
};

static bool has_pair(const char *theirs)
{
    for (size_t i = 0; i < G_N_ELEMENTS(pairs); i++)
        if (strcmp(pairs[i].theirs, theirs) == 0)
            return true;
    return false;
}

static void no_published_schema_is_forgotten(void)
{
    static const char *const folders[] = {"", "spec/"};
    if (!have_reference())
        return;
    g_autofree char *schemas = reference_path("schemas");
    for (size_t i = 0; i < G_N_ELEMENTS(folders); i++) {
        g_autofree char *path = g_build_filename(schemas, folders[i], NULL);
        g_autoptr(GPtrArray) names = golden_list(path, ".json");
        g_assert_cmpuint(names->len, >, 0);
        for (guint j = 0; j < names->len; j++) {
            g_autofree char *name =
                g_strconcat(folders[i], (char *)g_ptr_array_index(names, j), ".json", NULL);
            if (has_pair(name) == g_strv_contains(of_other_programs, name))
                g_error("%s has no schema of ours beside it, or is said to have none", name);
        }
    }
}

/* ---- documents ---- */

static void add_examples(const char *folder, GPtrArray *texts)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    for (const char *name; (name = g_dir_read_name(dir)) != NULL;) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        if (g_file_test(path, G_FILE_TEST_IS_DIR))
            add_examples(path, texts);
        else if (g_str_has_suffix(name, ".json"))
            g_ptr_array_add(texts, golden_read(folder, name, ""));
    }
}

static GPtrArray *load_documents(void)
{
    g_autofree char *examples = reference_path("examples");
    g_autoptr(GPtrArray) goldens = golden_load();
    GPtrArray *texts = g_ptr_array_new_with_free_func(g_free);
    add_examples(examples, texts);
    g_assert_cmpuint(texts->len, >, 20);
    for (unsigned i = 0; i < goldens->len; i++)
        g_ptr_array_add(texts, g_strdup(((Golden *)g_ptr_array_index(goldens, i))->text));
    return texts;
}

/* The strict and the legacy form of events have one id: a document is of the contract when its id
 * is the beginning. */
static bool is_of(const char *text, const char *id)
{
    g_autofree char *own = syncd_contract_id_of(golden_root(text));
    return own != NULL && (strcmp(own, id) == 0 ||
                           (strcmp(own, "sourceos.event.v0.1") == 0 && g_str_has_prefix(id, own)));
}

/* ---- edits ---- */

static const char *const values[] = {
    "null",
    "true",
    "false",
    "0",
    "-1",
    "1",
    "1.0",
    "1.5",
    "-0.0",
    "1e2",
    "\"\"",
    "\"x\"",
    "[]",
    "{}",
    "[1]",
    "[\"x\",\"x\"]",
    "\"evt_\"",
    "\"evt_a\"",
    "\"evt_a\\n\"",
    "{\"x\":1}",
    "{\"x\":\"y\"}",
    "\"sha256:\"",
    "\"sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"",
    "123456789012345678901234567890",
    "\"2026-03-02\"",
    "\"2026-03-02T08:15:00\"",
    "\"2026-03-02T08:15:00Z\"",
};

typedef struct {
    GPtrArray *texts;
    SyncdJson document;
    unsigned n;
} Edits;

static void add_edit(Edits *edits, const char *pointer, const char *with)
{
    if (edits->n++ % STEP != 0)
        return;
    char *text = json_edit(edits->document, pointer, with);
    if (syncd_json_check(text, strlen(text), SYNCD_JSON_ANY, NULL))
        g_ptr_array_add(edits->texts, text);
    else
        g_free(text);
}

static char *raw(SyncdJson value)
{
    return g_strndup(value.at, syncd_json_size(value));
}

static void edit_string(Edits *edits, SyncdJson value, const char *pointer)
{
    g_autofree char *text = raw(value);
    g_autofree char *upper = g_ascii_strup(text, -1);
    text[strlen(text) - 1] = '\0';
    g_autofree char *with_end = g_strconcat(text, "\\n\"", NULL);
    g_autofree char *longer = g_strconcat(text, "z\"", NULL);
    add_edit(edits, pointer, with_end);
    add_edit(edits, pointer, longer);
    if (strchr(text, '\\') == NULL)
        add_edit(edits, pointer, upper);
}

static void edit_container(Edits *edits, SyncdJson value, const char *pointer)
{
    SyncdJsonIter iter;
    SyncdJson first;
    g_autofree char *member = g_strconcat(pointer, "/unknown_member", NULL);
    if (value.type == SYNCD_JSON_OBJECT) {
        g_autofree char *schema = g_strconcat(pointer, "/$schema", NULL);
        add_edit(edits, member, "1");
        add_edit(edits, schema, "\"x\"");
        return;
    }
    syncd_json_iter_init(&iter, value);
    if (!syncd_json_iter_next(&iter, NULL, &first))
        return;
    g_autofree char *element = raw(first);
    g_autofree char *twice = g_strconcat("[", element, ",", element, "]", NULL);
    add_edit(edits, pointer, twice);
}

static void edit_all(Edits *edits, SyncdJson value, const char *pointer)
{
    for (size_t i = 0; i < G_N_ELEMENTS(values); i++)
        add_edit(edits, pointer, values[i]);
    if (value.type == SYNCD_JSON_STRING)
        edit_string(edits, value, pointer);
    if (value.type != SYNCD_JSON_OBJECT && value.type != SYNCD_JSON_ARRAY)
        return;
    edit_container(edits, value, pointer);
    SyncdJsonIter iter;
    SyncdJson name, element;
    unsigned index = 0;
    syncd_json_iter_init(&iter, value);
    for (; syncd_json_iter_next(&iter, &name, &element); index++) {
        g_autofree char *step =
            iter.object ? syncd_json_dup_text(name) : g_strdup_printf("%u", index);
        g_autofree char *inner = g_strconcat(pointer, "/", step, NULL);
        add_edit(edits, inner, NULL);
        edit_all(edits, element, inner);
    }
}

/* The documents of the contract and all edits of them. */
static GPtrArray *texts_for(const char *id, const GPtrArray *documents)
{
    Edits edits = {.texts = g_ptr_array_new_with_free_func(g_free)};
    for (unsigned i = 0; i < documents->len; i++) {
        const char *text = g_ptr_array_index(documents, i);
        if (!is_of(text, id))
            continue;
        edits.document = golden_root(text);
        g_ptr_array_add(edits.texts, g_strdup(text));
        edit_all(&edits, edits.document, "");
    }
    return edits.texts;
}

/* ---- comparing ---- */

typedef struct {
    const char *name; /* of our file */
    char *text;       /* of our schema */
    SyncdSchema *theirs;
    GPtrArray *texts;
    bool *wanted; /* what theirs says of each */
} Comparison;

static void comparison_init(Comparison *comparison, size_t pair, const GPtrArray *documents)
{
    g_autofree char *folder = reference_path("schemas");
    g_autofree char *theirs = golden_read(folder, pairs[pair].theirs, "");
    comparison->name = pairs[pair].ours;
    comparison->text = golden_read(g_getenv("SYNCD_SCHEMAS"), pairs[pair].ours, SCHEMA_SUFFIX);
    comparison->theirs = compile(theirs);
    g_autofree char *id = golden_schema_id(golden_root(comparison->text));
    comparison->texts = texts_for(id, documents);
    comparison->wanted = g_new(bool, comparison->texts->len);
    for (unsigned i = 0; i < comparison->texts->len; i++)
        comparison->wanted[i] =
            accepts(comparison->theirs, golden_root(g_ptr_array_index(comparison->texts, i)));
}

static void comparison_clear(Comparison *comparison)
{
    g_free(comparison->text);
    syncd_schema_free(comparison->theirs);
    g_ptr_array_unref(comparison->texts);
    g_free(comparison->wanted);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Comparison, comparison_clear)

/* The number of the difference that explains why only we take it; -1 for none. */
static int find_difference(const char *name, SyncdJson document)
{
    for (size_t i = 0; i < G_N_ELEMENTS(differences); i++)
        if (strcmp(differences[i].ours, name) == 0 &&
            json_at(document, differences[i].member).type != SYNCD_JSON_NONE)
            return (int)i;
    return -1;
}

/* The first text that is judged otherwise without a reason; NULL when there is none. */
static const char *find_other_verdict(const Comparison *comparison, const SyncdSchema *schema,
                                      bool *seen)
{
    for (unsigned i = 0; i < comparison->texts->len; i++) {
        const char *text = g_ptr_array_index(comparison->texts, i);
        SyncdJson document = syncd_json_root(text, strlen(text));
        bool taken = accepts(schema, document);
        if (taken == comparison->wanted[i])
            continue;
        int difference = taken ? find_difference(comparison->name, document) : -1;
        if (difference < 0)
            return text;
        if (seen != NULL)
            seen[difference] = true;
    }
    return NULL;
}

static void both_give_the_same_verdicts(void)
{
    if (!have_reference())
        return;
    bool seen[G_N_ELEMENTS(differences)] = {false};
    g_autoptr(GPtrArray) documents = load_documents();
    for (size_t i = 0; i < G_N_ELEMENTS(pairs); i++) {
        g_auto(Comparison) comparison = {0};
        comparison_init(&comparison, i, documents);
        g_assert_cmpuint(comparison.texts->len, >, 100 / STEP);
        g_autoptr(SyncdSchema) ours = compile(comparison.text);
        const char *other = find_other_verdict(&comparison, ours, seen);
        if (other != NULL)
            g_error("%s judges otherwise: %s", pairs[i].ours, other);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(differences); i++)
        if (!seen[i] && !is_slowed())
            g_error("no document differs by %s of %s", differences[i].member, differences[i].ours);
}

/* ---- control ---- */

/* Parts of a schema for what the published one does not know: nobody can notice there. */
static bool is_ours_alone(const Comparison *comparison, const char *demand)
{
    static const char *const parts[] = {"#/$defs/record/", "#/$defs/boundary/"};
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
        if (strcmp(comparison->name, "sourceos.policy-decision.v1alpha1") == 0 &&
            g_str_has_prefix(demand, parts[i]))
            return true;
    return false;
}

/* Where the demand stands in the schema: "#/required name" is an element of that list. */
static char *pointer_of(SyncdJson schema, const char *demand)
{
    SyncdJsonIter iter;
    SyncdJson name;
    const char *space = strchr(demand, ' ');
    char *pointer = g_strndup(demand + 1, strcspn(demand + 1, " "));
    if (space == NULL)
        return pointer;
    unsigned index = 0;
    syncd_json_iter_init(&iter, json_at(schema, pointer));
    while (syncd_json_iter_next(&iter, NULL, &name) && !syncd_json_is(name, space + 1))
        index++;
    char *element = g_strdup_printf("%s/%u", pointer, index);
    g_free(pointer);
    return element;
}

static bool notices(const Comparison *comparison, const char *pointer, const char *with)
{
    g_autofree char *text = json_edit(golden_root(comparison->text), pointer, with);
    g_autoptr(SyncdSchema) wrong = compile(text);
    return find_other_verdict(comparison, wrong, NULL) != NULL;
}

static void check_control(const Comparison *comparison, const char *demand)
{
    g_autofree char *pointer = pointer_of(golden_root(comparison->text), demand);
    if (!is_ours_alone(comparison, demand) && !notices(comparison, pointer, NULL))
        g_error("%s may do without %s, and nobody notices", comparison->name, demand);
}

static int order_of(gconstpointer one, gconstpointer other)
{
    return strcmp(one, other);
}

static void a_wrong_schema_is_noticed(void)
{
    if (!have_reference() || is_slowed())
        return;
    g_autoptr(GPtrArray) documents = load_documents();
    for (size_t i = 0; i < G_N_ELEMENTS(pairs); i++) {
        g_auto(Comparison) comparison = {0};
        comparison_init(&comparison, i, documents);
        g_autoptr(GHashTable) demands =
            g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        schema_walk(golden_root(comparison.text), "#", demands);
        g_assert_true(notices(&comparison, "/maxProperties", "1"));
        g_autoptr(GList) sorted = g_list_sort(g_hash_table_get_keys(demands), order_of);
        unsigned step = g_test_slow() ? 1 : MAX(1u, g_list_length(sorted) / CONTROLS);
        for (GList *at = sorted; at != NULL; at = g_list_nth(at, step))
            check_control(&comparison, at->data);
    }
}

/* ---- examples ---- */

/* Examples without a schema: what an HTTP server answers. */
static bool is_an_answer(SyncdJson document)
{
    g_autofree char *id = syncd_contract_id_of(document);
    return id == NULL;
}

static void examples_keep_to_their_contracts(void)
{
    if (!have_reference())
        return;
    unsigned judged = 0, refused = 0;
    g_autofree char *folder = reference_path("examples");
    g_autoptr(GPtrArray) examples = g_ptr_array_new_with_free_func(g_free);
    add_examples(folder, examples);
    for (unsigned i = 0; i < examples->len; i++) {
        bool valid;
        g_autoptr(GError) error = NULL;
        SyncdJson document = golden_root(g_ptr_array_index(examples, i));
        if (is_an_answer(document))
            continue;
        g_autofree char *id = syncd_contract_id_of(document);
        g_assert_true(syncd_contract_check(id, document, NULL, &valid, &error));
        g_assert_no_error(error);
        judged++;
        refused += !valid;
    }
    g_assert_cmpuint(judged, >=, 20);
    g_assert_cmpuint(refused, ==, 1); /* the one that is there to be refused */
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/contract-reference/no-published-schema-is-forgotten",
                    no_published_schema_is_forgotten);
    g_test_add_func("/contract-reference/both-give-the-same-verdicts", both_give_the_same_verdicts);
    g_test_add_func("/contract-reference/a-wrong-schema-is-noticed", a_wrong_schema_is_noticed);
    g_test_add_func("/contract-reference/examples-keep-to-their-contracts",
                    examples_keep_to_their_contracts);
    return g_test_run();
}
