/*
 * The methods of org.sourceos.Sync.Operations that are about one operation and its task. Their rows
 * are in bus/operations.c.
 */
#pragma once

#include "bus/call.h"

bool syncd_handle_replay(SyncdCall *call, GError **error);
