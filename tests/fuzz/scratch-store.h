/* A new store in the scratch directory, for the targets that need one. */
#pragma once

#include "store/store.h"

SyncdStore *scratch_store(void);
