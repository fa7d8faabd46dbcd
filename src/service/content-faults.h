/*
 * Which content is known to be damaged, or lost: by the chunks that a version of a file is made of,
 * and by the entries whose own content it is. What nobody has found is not known.
 */
#pragma once

#include "service/service.h"
#include "store/chunks.h"
#include "store/verify.h"

typedef struct {
    GHashTable *chunks, *entries; /* by name and by place: the code of what is found */
} SyncdContentFaults;

/* Of what is known now; whoever gathered them clears them. */
void syncd_content_faults_gather(const SyncdService *service, SyncdContentFaults *ret_faults);
void syncd_content_faults_clear(SyncdContentFaults *faults);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SyncdContentFaults, syncd_content_faults_clear)
bool syncd_content_faults_are_none(const SyncdContentFaults *faults);

/* Whether it says of an entry that its content is not there, and not of the log that it is none. */
bool syncd_content_fault_is(const SyncdVerifyFinding *finding);
/* What a diagnosis calls it, "blob-damaged" or one of the like; NULL: nothing is wrong with it. */
const char *syncd_content_fault_of_entry(const SyncdContentFaults *faults, guint64 pos);
/* The same of a version of a file, by its chunks and by the entry that says what it was. */
const char *syncd_content_fault_of_version(const SyncdContentFaults *faults,
                                           const SyncdContentRow *row);
/* Whether the version is kept, and yet known not to be whole. */
bool syncd_content_faults_hit(const SyncdContentFaults *faults, SyncdService *service, guint64 file,
                              guint64 version);
