/* What any purge takes along, as it is named before somebody agrees to it. */
#pragma once

#include "base/json.h"
#include "cli/cli.h"

/* An array of {"file", "bytes"}, {"plan_id", "bytes"} or {"count", "bytes"}; of none nothing is
 * printed. */
void syncd_copies_show(SyncdCli *cli, SyncdJson copies);
