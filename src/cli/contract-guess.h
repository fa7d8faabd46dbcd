/*
 * Which contract a document that names none may be written to: a guess for a hint, never to judge
 * by.
 */
#pragma once

#include "base/json.h"

/* The contract that knows the most of the document's members, and of several the one that demands
 * the least. NULL unless it knows at least half of them. */
const char *syncd_contract_guess(SyncdJson document);
