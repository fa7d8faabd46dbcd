/* The header's inside, shared by its general reader and by the one for text of our own spelling. */
#pragma once

#include "store/entry.h"

/* Reads text that is spelled exactly as syncd_header_write() spells it. False for everything else,
 * which is not to say that it is wrong. */
bool syncd_header_read(const char *text, size_t size, SyncdHeader *ret_header);
