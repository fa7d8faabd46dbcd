/*
 * The reader of a workspace in the very process of its daemon: what both ask of a disk is in one
 * order, which is the same each time.
 *
 * It is all of syncd_reader_run(), on a stack of its own. Nothing of it is another than in a
 * process of its own, but that they take turns: each goes on where the other one waits (poll(2),
 * which a program that links this has from here). Who waits for a while has waited when the other
 * one was at it, and nobody waits for what nobody will do.
 */
#pragma once

#include "../unit/workspace-fixture.h"

extern const ReaderPlace reader_beside;
