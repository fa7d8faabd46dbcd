#include "cli/judge.h"

#include "cli/i18n.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "cli/state.h"
#include "client/calls.h"
#include "client/job.h"
#include "service/diagnose.h"
#include "service/service.h"

#include <poll.h>
#include <string.h>
#include <unistd.h>

struct SyncdJudge {
    SyncdClient *client;   /* either this */
    SyncdService *service; /* or this */
    char *name;
    SyncdProgress progress;
};

SyncdJudge *syncd_judge_open(SyncdCli *cli, GError **error)
{
    const char *directory = syncd_cli_value(cli, "state-dir");
    g_autoptr(SyncdJudge) judge = g_new0(SyncdJudge, 1);
    judge->progress = syncd_progress(cli, _("Checking"));
    if (directory != NULL) {
        judge->name = g_strdup(directory);
        judge->service = syncd_state_inspect(directory, error);
        return judge->service != NULL ? g_steal_pointer(&judge) : NULL;
    }
    judge->name =
        g_strdup_printf("%s instance", syncd_client_instance_name(syncd_cli_instance(cli)));
    judge->client = syncd_cli_connect(cli, SYNCD_CLI_ACT, error);
    return judge->client != NULL ? g_steal_pointer(&judge) : NULL;
}

void syncd_judge_free(SyncdJudge *judge)
{
    if (judge == NULL)
        return;
    syncd_client_free(judge->client);
    syncd_service_free(judge->service);
    g_free(judge->name);
    g_free(judge);
}

const char *syncd_judge_name(const SyncdJudge *judge)
{
    return judge->name;
}

static SyncdCaller ourselves(void)
{
    return (SyncdCaller){.uid = geteuid(), .inspector = true};
}

char *syncd_judge_describe(SyncdJudge *judge, GError **error)
{
    SyncdCaller caller = ourselves();
    return judge->client != NULL ? syncd_client_describe(judge->client, error)
                                 : syncd_service_describe(judge->service, &caller, error);
}

static char *diagnose(SyncdJudge *judge)
{
    g_auto(GVariantDict) options = G_VARIANT_DICT_INIT(NULL);
    const SyncdDiagnoseOptions shallow = {.deep = false};
    SyncdCaller caller = ourselves();
    return judge->client != NULL
               ? syncd_client_diagnose(judge->client, g_variant_dict_end(&options), NULL)
               : syncd_service_describe_diagnosis(judge->service, &caller, &shallow);
}

char *syncd_judge_next(SyncdJudge *judge, const char *code)
{
    g_autofree char *diagnosis = diagnose(judge);
    SyncdJsonIter iter;
    SyncdJson finding;
    if (diagnosis == NULL)
        return NULL;
    syncd_json_iter_init(
        &iter, syncd_json_member(syncd_json_root(diagnosis, strlen(diagnosis)), "findings"));
    while (syncd_json_iter_next(&iter, NULL, &finding))
        if (syncd_json_is(syncd_json_member(finding, "code"), code))
            return syncd_json_dup_text(syncd_json_member(finding, "next"));
    return NULL;
}

/* ---- by the daemon ---- */

static char *verify_by_daemon(SyncdJudge *judge, const char *mode, const char *const *known_heads,
                              GError **error)
{
    g_auto(GVariantDict) options = G_VARIANT_DICT_INIT(NULL);
    g_variant_dict_insert(&options, "mode", "s", mode);
    if (known_heads != NULL && known_heads[0] != NULL)
        g_variant_dict_insert(&options, "known_heads", "^as", known_heads);
    struct pollfd stop = {.fd = syncd_interrupt_catch(), .events = POLLIN};
    g_autofree char *job = syncd_client_verify(judge->client, g_variant_dict_end(&options), error);
    if (job == NULL)
        return NULL;
    return syncd_client_wait_job(judge->client, job, &stop, syncd_progress_show, &judge->progress,
                                 error);
}

/* ---- by ourselves ---- */

static bool find_mode(const char *name, SyncdVerifyMode *ret_mode)
{
    static const char *const names[] = {
        [SYNCD_VERIFY_INCREMENTAL] = "incremental",
        [SYNCD_VERIFY_FULL] = "full",
        [SYNCD_VERIFY_HEADS] = "heads",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        if (strcmp(name, names[i]) == 0) {
            *ret_mode = (SyncdVerifyMode)i;
            return true;
        }
    return false;
}

static char *verify_here(SyncdJudge *judge, const char *mode_name, const char *const *known_heads,
                         GError **error)
{
    SyncdVerifyMode mode;
    SyncdCaller caller = ourselves();
    SyncdJob *job = NULL;
    bool known = find_mode(mode_name, &mode);
    g_assert(known);
    if (!syncd_service_verify(judge->service, &caller, mode, known_heads, &job, error))
        return NULL;
    while (strcmp(syncd_job_state(job), "running") == 0) {
        syncd_service_work(judge->service);
        syncd_progress_show(&judge->progress, syncd_job_progress(job));
    }
    if (syncd_job_error(job) != NULL) {
        g_propagate_error(error, g_error_copy(syncd_job_error(job)));
        return NULL;
    }
    return g_strdup(syncd_job_result(job));
}

char *syncd_judge_verify(SyncdJudge *judge, const char *mode, const char *const *known_heads,
                         GError **error)
{
    char *result = judge->client != NULL ? verify_by_daemon(judge, mode, known_heads, error)
                                         : verify_here(judge, mode, known_heads, error);
    syncd_interrupt_release();
    syncd_progress_clear(&judge->progress);
    return result;
}
