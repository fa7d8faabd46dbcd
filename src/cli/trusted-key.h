/*
 * Which key to believe: the one that was given, or the one that the log's own daemon names.
 */
#pragma once

#include "base/error.h"
#include "base/json.h"
#include "cli/cli.h"

#include <glib.h>
#include <stdbool.h>

/* The verifier key of a feed ("<device>/<scope>/<epoch>") in the document of Describe; NULL when
 * the feed is not there. */
char *syncd_trusted_key_of_feed(const char *description, const char *feed);
/* The verifier key of what the device signs, as its daemon says; NULL when none answers, or does
 * not tell. None is started for it. */
char *syncd_trusted_key_of_device(const SyncdCli *cli);
/* A checkpoint's origin without the name of the project: the feed. NULL for others. */
const char *syncd_feed_of_origin(const char *origin);
