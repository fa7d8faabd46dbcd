#include "reader/file-system.h"

#include <glib.h>
#include <linux/magic.h>

/* Not in every version of linux/magic.h. */
#define EXFAT_MAGIC 0x2011BAB0L
#define CONFIGFS_MAGIC 0x62656570L
#define FUSECTL_MAGIC 0x65735543L
#define MQUEUE_MAGIC 0x19800202L
#define RPC_PIPEFS_MAGIC 0x67596969L
#define NFSD_MAGIC 0x6E667364L

static const long pseudo[] = {
    PROC_SUPER_MAGIC,     SYSFS_MAGIC,          CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC,
    DEBUGFS_MAGIC,        TRACEFS_MAGIC,        SECURITYFS_MAGIC,   SELINUX_MAGIC,
    SMACK_MAGIC,          PSTOREFS_MAGIC,       EFIVARFS_MAGIC,     BPF_FS_MAGIC,
    NSFS_MAGIC,           DEVPTS_SUPER_MAGIC,   BINFMTFS_MAGIC,     HUGETLBFS_MAGIC,
    BINDERFS_SUPER_MAGIC, RDTGROUP_SUPER_MAGIC, CONFIGFS_MAGIC,     FUSECTL_MAGIC,
    MQUEUE_MAGIC,         RPC_PIPEFS_MAGIC,     NFSD_MAGIC,
};
static const long forgetful[] = {MSDOS_SUPER_MAGIC, EXFAT_MAGIC};

static bool is_one_of(long type, const long types[], size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (types[i] == type)
            return true;
    return false;
}

bool syncd_file_system_is_pseudo(long type)
{
    return is_one_of(type, pseudo, G_N_ELEMENTS(pseudo));
}

bool syncd_file_system_is_forgetful(long type)
{
    return is_one_of(type, forgetful, G_N_ELEMENTS(forgetful));
}
