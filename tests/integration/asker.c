/* Asks polkit about the process that started it, as the user instance does, and prints the answer.
 * Usage: asker ACTION */
#include "base/error.h"
#include "bus/authority.h"

#include <stdio.h>
#include <unistd.h>

static void on_answer(void *data, const GError *refusal)
{
    puts(refusal == NULL ? "allowed" : syncd_error_info_of(refusal)->name);
    sd_event_exit(data, 0);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    sd_event *event = NULL;
    sd_bus *session = NULL;
    g_autoptr(GError) error = NULL;
    int r = sd_event_new(&event);
    if (r >= 0)
        r = sd_bus_open_user(&session);
    if (r >= 0)
        r = sd_bus_attach_event(session, event, 0);
    if (r < 0)
        return 1;

    const SyncdSubject subject = {.uid = getuid(), .pid = getppid()};
    static const char *const details[] = {"effect", "polkit takes it from an owner only", NULL};
    SyncdAuthority *authority = syncd_authority_new(session, SYNCD_INSTANCE_USER);
    SyncdQuestion *question =
        syncd_authority_ask(authority, &subject, argv[1], details, on_answer, event, &error);
    if (question != NULL)
        r = sd_event_loop(event);
    else
        puts(syncd_error_info_of(error)->name);
    syncd_question_free(question);
    syncd_authority_free(authority);
    sd_bus_flush_close_unref(session);
    sd_event_unref(event);
    return r < 0;
}
