#include "client/session.h"

#include <stdlib.h>
#include <systemd/sd-login.h>
#include <unistd.h>

/* What a service manager of the user runs, as a desktop's terminal, belongs to his display. */
bool syncd_client_has_session(void)
{
    char *session = NULL;
    bool has = sd_pid_get_session(0, &session) >= 0 || sd_uid_get_display(getuid(), &session) >= 0;
    free(session);
    return has;
}
