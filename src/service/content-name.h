/*
 * What content beside the log is the content of, for people: the path that the file has now, or had
 * last, and the version, and which others are of the same bytes; or the object that an operation is
 * about. Whoever shows it sees to it that nobody learns of it who may not inspect.
 */
#pragma once

#include "service/service.h"
#include "store/verify.h"

/* NULL: nobody knows any more. */
char *syncd_service_name_content(SyncdService *service, const SyncdVerifyFinding *finding);
/* The same of a file, which it names, by its id, which stands for the path where none may be
 * named. */
char *syncd_service_name_version(SyncdService *service, const SyncdVerifyFinding *finding);
/* Adds the versions of files that are damaged with it: SyncdChunkUser. False: nobody knows. */
bool syncd_service_users_of_part(SyncdService *service, const SyncdVerifyFinding *finding,
                                 GArray *users);
