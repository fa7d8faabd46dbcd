/*
 * What keeps something in a workspace from being recorded or put back, in words for whoever reads
 * the log, a report or a list: they name no path, as the message of the error may.
 */
#pragma once

#include "base/error.h"

/* Ends no sentence: "the log is damaged". NULL: nothing is known but that it failed. */
const char *syncd_hindrance(const GError *error);
