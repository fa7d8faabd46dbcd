/*
 * On which file systems there are files of somebody, and on which only what the kernel shows as
 * such.
 */
#include "reader/file-system.h"

#include <glib.h>
#include <linux/magic.h>
#include <sys/vfs.h>

static void what_the_kernel_shows_is_no_file(void)
{
    static const long types[] = {PROC_SUPER_MAGIC,   SYSFS_MAGIC,      CGROUP2_SUPER_MAGIC,
                                 DEBUGFS_MAGIC,      SECURITYFS_MAGIC, BPF_FS_MAGIC,
                                 DEVPTS_SUPER_MAGIC, EFIVARFS_MAGIC,   0x62656570L /* configfs */,
                                 NSFS_MAGIC};
    for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
        g_assert_true(syncd_file_system_is_pseudo(types[i]));
        g_assert_false(syncd_file_system_is_forgetful(types[i]));
    }
    struct statfs fs;
    g_assert_cmpint(statfs("/proc/self", &fs), ==, 0);
    g_assert_true(syncd_file_system_is_pseudo((long)fs.f_type));
}

static void what_somebody_wrote_is_one(void)
{
    static const long types[] = {EXT4_SUPER_MAGIC, BTRFS_SUPER_MAGIC,     XFS_SUPER_MAGIC,
                                 TMPFS_MAGIC,      OVERLAYFS_SUPER_MAGIC, NFS_SUPER_MAGIC,
                                 FUSE_SUPER_MAGIC, MSDOS_SUPER_MAGIC,     RAMFS_MAGIC,
                                 SQUASHFS_MAGIC,   0x2FC12FC1L /* zfs */, 0};
    for (size_t i = 0; i < G_N_ELEMENTS(types); i++)
        g_assert_false(syncd_file_system_is_pseudo(types[i]));
    struct statfs fs;
    g_assert_cmpint(statfs(g_get_tmp_dir(), &fs), ==, 0);
    g_assert_false(syncd_file_system_is_pseudo((long)fs.f_type));
}

static void fat_does_not_know_when_files_were_made(void)
{
    g_assert_true(syncd_file_system_is_forgetful(MSDOS_SUPER_MAGIC));
    g_assert_true(syncd_file_system_is_forgetful(0x2011BAB0L /* exfat */));
    g_assert_false(syncd_file_system_is_forgetful(EXT4_SUPER_MAGIC));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/file-system/what-the-kernel-shows-is-no-file",
                    what_the_kernel_shows_is_no_file);
    g_test_add_func("/file-system/what-somebody-wrote-is-one", what_somebody_wrote_is_one);
    g_test_add_func("/file-system/fat-does-not-know-when-files-were-made",
                    fat_does_not_know_when_files_were_made);
    return g_test_run();
}
