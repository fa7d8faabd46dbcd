/* The methods of org.sourceos.Sync.Manager about evidence. */
#pragma once

#include "bus/call.h"

bool syncd_handle_list_evidence(SyncdCall *call, GError **error);
bool syncd_handle_get_evidence(SyncdCall *call, GError **error);
