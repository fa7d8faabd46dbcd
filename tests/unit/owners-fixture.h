/*
 * Somebody else whose files may be, and the right to say whose they are, which root has and a
 * daemon has not: what the tests of owners share.
 */
#pragma once

#include <glib.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SOMEBODY 65534u

/* Whether this process may change owners: root without that right is as any user. */
static inline void set_right(bool may)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
    g_assert_cmpint(syscall(SYS_capget, &header, data), ==, 0);
    guint32 *rights = &data[CAP_TO_INDEX(CAP_CHOWN)].effective;
    *rights = may ? *rights | CAP_TO_MASK(CAP_CHOWN) : *rights & ~CAP_TO_MASK(CAP_CHOWN);
    g_assert_cmpint(syscall(SYS_capset, &header, data), ==, 0);
}
