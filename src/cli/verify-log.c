#include "cli/checkpoint-file.h"
#include "cli/judge.h"
#include "cli/verbs.h"
#include "cli/verdict.h"

static GPtrArray *read_known_heads(const SyncdCli *cli, GError **error)
{
    g_autoptr(GPtrArray) paths = syncd_cli_values(cli, "known-head");
    g_autoptr(GPtrArray) notes = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i + 1 < paths->len; i++) {
        g_autoptr(SyncdCheckpoint) checkpoint = NULL;
        char *note = syncd_checkpoint_read(paths->pdata[i], &checkpoint, error);
        if (note == NULL)
            return NULL;
        g_ptr_array_add(notes, note);
    }
    g_ptr_array_add(notes, NULL);
    return g_steal_pointer(&notes);
}

/* What was verified before is a note in the index, which whoever altered a directory may have
 * altered as well: so a directory is read whole. */
static const char *mode_of(const SyncdCli *cli)
{
    if (syncd_cli_flag(cli, "full"))
        return "full";
    if (syncd_cli_flag(cli, "heads"))
        return "heads";
    return syncd_cli_value(cli, "state-dir") != NULL ? "full" : "incremental";
}

bool syncd_verb_verify_log(SyncdCli *cli, GError **error)
{
    if (syncd_cli_flag(cli, "full") && syncd_cli_flag(cli, "heads")) {
        syncd_set_error(error, SYNCD_ERROR_USAGE, "--full and --heads exclude each other");
        return false;
    }
    g_autoptr(GPtrArray) known_heads = read_known_heads(cli, error);
    if (known_heads == NULL)
        return false;
    g_autoptr(SyncdJudge) judge = syncd_judge_open(cli, error);
    if (judge == NULL)
        return false;
    g_autofree char *document =
        syncd_judge_verify(judge, mode_of(cli), (const char *const *)known_heads->pdata, error);
    if (document == NULL)
        return false;
    syncd_verdict_show(cli, judge, document);
    return true;
}
