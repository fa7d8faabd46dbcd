#include "base/json-writer.h"
#include "cli/checkpoint-file.h"
#include "cli/i18n.h"
#include "cli/judge.h"
#include "cli/text.h"
#include "cli/trusted-key.h"
#include "cli/verbs.h"
#include "cli/verdict.h"

#include <string.h>

typedef struct {
    const SyncdCheckpoint *checkpoint;
    bool signed_by_key;
    bool contained;
    const char *key_source; /* "given" or "daemon" */
    char *verification;     /* NULL when the signature failed */
} Verdict;

static char *find_key(SyncdCli *cli, SyncdJudge *judge, const SyncdCheckpoint *checkpoint,
                      const char **ret_source, GError **error)
{
    const char *given = syncd_cli_value(cli, "key");
    *ret_source = given != NULL ? "given" : "daemon";
    if (given != NULL)
        return g_strdup(given);
    g_autofree char *description = syncd_judge_describe(judge, error);
    if (description == NULL)
        return NULL;
    const char *feed = syncd_feed_of_origin(checkpoint->origin);
    char *key = feed != NULL ? syncd_trusted_key_of_feed(description, feed) : NULL;
    if (key == NULL)
        syncd_set_error_next(error, SYNCD_ERROR_NOT_FOUND,
                             "name the key to trust with `--key`, or ask the instance that wrote "
                             "the checkpoint",
                             "There is no log %s here (%s)", checkpoint->origin,
                             syncd_judge_name(judge));
    return key;
}

static bool check_signature(const char *note, const SyncdCheckpoint *checkpoint, const char *key,
                            bool *ret_good, GError **error)
{
    SyncdPublicKey public_key;
    g_autofree char *name = NULL;
    if (!syncd_verifier_key_parse(key, &name, &public_key)) {
        syncd_set_error_next(error, SYNCD_ERROR_INVALID_ARGS,
                             "give it as `sourceos-syncd ops checkpoint` printed it",
                             "This is no verifier key: %s", key);
        return false;
    }
    *ret_good = strcmp(name, checkpoint->origin) == 0 &&
                syncd_note_verify(note, strlen(note), name, &public_key);
    return true;
}

static bool holds(const Verdict *verdict)
{
    return verdict->signed_by_key && verdict->contained;
}

static void show_json(SyncdCli *cli, const Verdict *verdict)
{
    g_autoptr(GString) text = g_string_new(NULL);
    char root[SYNCD_HASH_HEX_SIZE];
    syncd_hash_to_hex(&verdict->checkpoint->root, root);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, text, false);
    syncd_json_begin_object(&writer);
    syncd_json_member_string(&writer, "schema", "sourceos.checkpoint-verification/v1");
    syncd_json_member_string(&writer, "verdict", holds(verdict) ? "contained" : "refuted");
    syncd_json_member_string(&writer, "origin", verdict->checkpoint->origin);
    syncd_json_member_uint(&writer, "size", verdict->checkpoint->size);
    syncd_json_member_string(&writer, "root", root);
    syncd_json_member_bool(&writer, "signature", verdict->signed_by_key);
    syncd_json_member_string(&writer, "key_source", verdict->key_source);
    syncd_json_name(&writer, "verification");
    if (verdict->verification != NULL)
        syncd_json_value(&writer,
                         syncd_json_root(verdict->verification, strlen(verdict->verification)));
    else
        syncd_json_null(&writer);
    syncd_json_end_object(&writer);
    syncd_output_json(cli->out, text->str, text->len, true);
}

static void show_text(SyncdCli *cli, const Verdict *verdict)
{
    SyncdOutput *out = cli->out;
    g_autofree char *origin = syncd_text_safe(verdict->checkpoint->origin);
    if (holds(verdict)) {
        syncd_output_styled(out, SYNCD_STYLE_GOOD, _("The log contains this checkpoint"));
        syncd_output_wrapped(out, _(": %s, size %lu.\n"), origin,
                             (unsigned long)verdict->checkpoint->size);
        return;
    }
    syncd_output_styled(out, SYNCD_STYLE_BAD,
                        verdict->signed_by_key ? _("The log does not contain this checkpoint")
                                               : _("The checkpoint is not signed by this key"));
    syncd_output_wrapped(out, _(": %s, size %lu.\n"), origin,
                         (unsigned long)verdict->checkpoint->size);
    if (verdict->verification != NULL)
        syncd_verdict_print_findings(
            out, syncd_json_root(verdict->verification, strlen(verdict->verification)));
}

static bool judge_checkpoint(SyncdCli *cli, SyncdJudge *judge, const char *note, Verdict *verdict,
                             GError **error)
{
    const char *const known_heads[] = {note, NULL};
    g_autofree char *key = find_key(cli, judge, verdict->checkpoint, &verdict->key_source, error);
    if (key == NULL ||
        !check_signature(note, verdict->checkpoint, key, &verdict->signed_by_key, error))
        return false;
    if (!verdict->signed_by_key)
        return true;
    verdict->verification = syncd_judge_verify(judge, "heads", known_heads, error);
    if (verdict->verification == NULL)
        return false;
    verdict->contained = syncd_verdict_is_sound(
        syncd_json_root(verdict->verification, strlen(verdict->verification)));
    return true;
}

bool syncd_verb_verify_checkpoint(SyncdCli *cli, GError **error)
{
    g_autoptr(SyncdCheckpoint) checkpoint = NULL;
    g_autofree char *note = syncd_checkpoint_read(syncd_cli_argument(cli, 0), &checkpoint, error);
    if (note == NULL)
        return false;
    g_autoptr(SyncdJudge) judge = syncd_judge_open(cli, error);
    Verdict verdict = {.checkpoint = checkpoint};
    if (judge == NULL || !judge_checkpoint(cli, judge, note, &verdict, error))
        return false;

    if (syncd_cli_json(cli))
        show_json(cli, &verdict);
    else
        show_text(cli, &verdict);
    if (!holds(&verdict))
        cli->exit = SYNCD_EXIT_NEGATIVE;
    g_free(verdict.verification);
    return true;
}
