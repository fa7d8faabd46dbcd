#include "state-copies.h"

#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

static void copy_look(const GStatBuf *st, const char *to)
{
    if (st->st_uid != geteuid())
        g_assert_cmpint(lchown(to, st->st_uid, (gid_t)-1), ==, 0);
    g_assert_cmpint(g_chmod(to, st->st_mode & 07777), ==, 0);
}

void copy_into(const char *from, const char *to)
{
    const char *name;
    GStatBuf st;
    g_autoptr(GDir) dir = g_dir_open(from, 0, NULL);
    g_assert_cmpint(g_mkdir_with_parents(to, 0700), ==, 0);
    while ((name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *source = g_build_filename(from, name, NULL),
                        *target = g_build_filename(to, name, NULL), *bytes = NULL;
        gsize size;
        g_assert_cmpint(g_stat(source, &st), ==, 0);
        if (S_ISDIR(st.st_mode)) {
            copy_into(source, target);
            continue;
        }
        g_assert_true(g_file_get_contents(source, &bytes, &size, NULL));
        g_assert_true(g_file_set_contents_full(target, bytes, (gssize)size,
                                               G_FILE_SET_CONTENTS_NONE, 0600, NULL));
        copy_look(&st, target);
    }
    g_assert_cmpint(g_stat(from, &st), ==, 0);
    copy_look(&st, to);
}

char *copy_state(const char *from)
{
    char *to = g_dir_make_tmp("syncd-calls-XXXXXX", NULL);
    copy_into(from, to);
    return to;
}
