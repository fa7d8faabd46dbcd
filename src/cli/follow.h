/*
 * Following the log: first its newest events, then each new one as it is recorded.
 *
 * A signal says only that something was recorded; what it was is read from the log, from where the
 * last reading ended. So nothing is missed and nothing is printed twice, even when the daemon is
 * restarted in between. Following never starts a daemon.
 */
#pragma once

#include "cli/listing.h"

bool syncd_follow_events(SyncdCli *cli, const SyncdListing *listing, GError **error);
