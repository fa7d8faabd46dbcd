/*
 * What kind of file system a directory is on, by the number that statfs() gives.
 */
#pragma once

#include <stdbool.h>

/* What it shows are not files that anybody wrote, but what the kernel says of itself: they change
 * whenever they are read, without a time that says so, and reading them may do something. */
bool syncd_file_system_is_pseudo(long type);
/* Files have no time of their making that stays: it is that of their last change of name. */
bool syncd_file_system_is_forgetful(long type);
