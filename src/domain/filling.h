/*
 * The name that a file has while a reader fills it to put it in place (reader/leftover.h):
 * SYNCD_FILLING_PREFIX and 16 hexadecimal digits.
 *
 * A regular file of such a name in a workspace is nobody's and may be removed, so nothing that
 * somebody wants is ever to be put there. Names of no other form mean anything: what begins with
 * `.sourceos-restore-` or `.sourceos-replaced-` may be all that is left of somebody's file.
 */
#pragma once

#include "base/bytes.h"

#include <stdbool.h>

#define SYNCD_FILLING_PREFIX ".sourceos-filling-"
#define SYNCD_FILLING_DIGITS 16

bool syncd_filling_is_name(SyncdBytes name);
