/*
 * A proof holds by itself, and a checkpoint says what the log was and what waits.
 */
#include "contract/check.h"
#include "crypto/note.h"
#include "reading-fixture.h"

/* Checks a proof document by its own bytes alone, as docs/format.md 5 says. */
static void assert_proof_holds(const char *proof)
{
    SyncdJson root_value = syncd_json_root(proof, strlen(proof));
    g_autofree char *header = syncd_json_dup_text(syncd_json_member(root_value, "header"));
    g_autofree char *note = syncd_json_dup_text(syncd_json_member(root_value, "note"));
    g_autofree char *key_text = syncd_json_dup_text(syncd_json_member(root_value, "verifier_key"));
    gint64 seq, size;
    g_assert_true(syncd_json_get_int64(syncd_json_member(root_value, "seq"), &seq));
    g_assert_true(syncd_json_get_int64(syncd_json_member(root_value, "size"), &size));

    g_autoptr(GArray) path = g_array_new(FALSE, FALSE, sizeof(SyncdHash));
    SyncdJsonIter iter;
    SyncdJson step;
    syncd_json_iter_init(&iter, syncd_json_member(root_value, "path"));
    while (syncd_json_iter_next(&iter, NULL, &step)) {
        SyncdHash hash;
        g_assert_true(syncd_hash_from_hex(step.at + 1, syncd_json_size(step) - 2, &hash));
        g_array_append_val(path, hash);
    }

    g_autoptr(GError) error = NULL;
    g_autoptr(SyncdCheckpoint) head = syncd_checkpoint_parse(note, strlen(note), &error);
    g_assert_no_error(error);
    g_autofree char *key_name = NULL;
    SyncdPublicKey key;
    g_assert_true(syncd_verifier_key_parse(key_text, &key_name, &key));
    g_assert_true(syncd_note_verify(note, strlen(note), key_name, &key));
    g_assert_cmpuint(head->size, ==, (guint64)size);
    SyncdHash leaf = syncd_tree_leaf(header, strlen(header));
    g_assert_true(syncd_tree_verify_inclusion(&leaf, (guint64)seq, head->size,
                                              (const SyncdHash *)(void *)path->data, path->len,
                                              &head->root));
}

static void a_proof_holds_by_itself(void)
{
    ServiceFixture f;
    service_init(&f);
    g_autofree char *early = enqueue_body(&f, "note-1", "{}");
    fill(&f, 40);
    g_autofree char *late = enqueue_body(&f, "note-1", "{}");
    const char *const operations[] = {early, late};
    for (size_t i = 0; i < G_N_ELEMENTS(operations); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *proof = syncd_service_prove(f.service, &f.caller, operations[i], &error);
        g_assert_no_error(error);
        g_autofree char *id = g_strdup_printf("\"%s\"", operations[i]);
        assert_member(proof, "operation_id", id);
        assert_member(proof, "schema", "\"sourceos.log-proof/v1\"");
        assert_proof_holds(proof);
    }
    service_clear(&f);
}

static char *checkpoint(ServiceFixture *f, const char *scope, char **ret_operation)
{
    g_autoptr(GError) error = NULL;
    syncd_service_checkpoint(f->service, &f->caller, scope, ret_operation, &error);
    g_assert_no_error(error);
    syncd_service_commit(f->service);
    char *document = syncd_service_describe_checkpoint(f->service, *ret_operation, &error);
    g_assert_no_error(error);
    return document;
}

static void a_checkpoint_names_the_head_before_and_shows_the_one_after(void)
{
    static const char *const scopes[] = {"workspace:notes", "device"};
    ServiceFixture f;
    service_init(&f);
    SyncdRequest request = good_request();
    for (size_t i = 0; i < G_N_ELEMENTS(scopes); i++) {
        /* something is in the open turn when the checkpoint is asked for */
        g_free(enqueue(&f, &request).operation);
        g_autofree char *operation = NULL;
        g_autofree char *document = checkpoint(&f, scopes[i], &operation);
        g_autofree char *record = get(&f, operation);
        assert_member(record, "operation_type", "\"sync.checkpoint.write\"");
        assert_member(record, "status", "\"completed\"");
        g_autofree char *seq = member_of(record, "seq");
        g_autofree char *line = newest_line(&f);
        g_autofree char *body = member_of(line, "body");
        assert_member(body, "size", seq);
        g_autofree char *after = member_of(document, "size");
        g_assert_cmpuint(g_ascii_strtoull(after, NULL, 10), ==,
                         g_ascii_strtoull(seq, NULL, 10) + 1);
        g_autofree char *scope = g_strdup_printf("\"%s\"", scopes[i]);
        assert_member(document, "scope", scope);

        /* kept elsewhere, the note is what a later verification asks for */
        g_autofree char *note = syncd_json_dup_text(
            syncd_json_member(syncd_json_root(document, strlen(document)), "note"));
        const char *const known[] = {note, NULL};
        g_autoptr(GError) error = NULL;
        SyncdJob *job = NULL;
        g_assert_true(
            syncd_service_verify(f.service, &f.caller, SYNCD_VERIFY_HEADS, known, &job, &error));
        run_jobs(&f);
        assert_member(syncd_job_result(job), "verdict", "\"sound\"");
    }
    g_autoptr(GError) error = NULL;
    char *operation = NULL;
    g_assert_false(
        syncd_service_checkpoint(f.service, &f.caller, "workspace:absent", &operation, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND);
    g_assert_null(operation);
    service_clear(&f);
}

/* The document beside the head: how many wait, which of them the oldest are, and how many may be
 * replayed, which is not counted where there are too many to name. */
static void assert_waiting(ServiceFixture *f, guint depth, guint named, const char *replay_safe)
{
    g_autofree char *operation = NULL;
    g_autofree char *document = checkpoint(f, "workspace:notes", &operation);
    g_autofree char *sync = member_of(document, "sync_checkpoint");
    g_autoptr(GError) error = NULL;
    syncd_contract_demand("SyncCheckpoint", syncd_json_root(sync, strlen(sync)), "", &error);
    g_assert_no_error(error);
    g_autofree char *number = g_strdup_printf("%u", depth);
    assert_member(sync, "queueDepth", number);
    assert_member(sync, "replayPending", depth > 0 ? "true" : "false");
    assert_member(sync, "replaySafeQueueDepth", replay_safe);
    g_autofree char *queue = member_of(sync, "offlineQueueRefs");
    g_assert_cmpuint(count_elements(queue), ==, named);
}

static void a_checkpoint_says_what_waits(void)
{
    ServiceFixture f;
    service_init(&f);
    put(&f, "note-1", "{\"replay_safe\":false}");
    fill(&f, 2);
    assert_waiting(&f, 3, 3, "2");
    fill(&f, 110);
    assert_waiting(&f, 113, 100, "null");
    service_clear(&f);
}

int main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/checkpoint/a-proof-holds-by-itself", a_proof_holds_by_itself);
    g_test_add_func("/checkpoint/a-checkpoint-names-the-head-before-and-shows-the-one-after",
                    a_checkpoint_names_the_head_before_and_shows_the_one_after);
    g_test_add_func("/checkpoint/a-checkpoint-says-what-waits", a_checkpoint_says_what_waits);
    return g_test_run();
}
