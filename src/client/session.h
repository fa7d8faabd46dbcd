/* Whether this process belongs to a login session, as polkit sees it. */
#pragma once

#include <stdbool.h>

bool syncd_client_has_session(void);
