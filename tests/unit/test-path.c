/*
 * A path lies in a folder when it goes on from it, whole names at a time.
 */
#include "base/path.h"

#include <glib.h>

static void a_path_lies_in_a_folder_by_whole_names(void)
{
    static const struct {
        const char *path, *folder, *rest; /* NULL: it does not */
    } cases[] = {
        {"/a/b", "/a", "b"},  {"/a/b/c", "/a", "b/c"}, {"/a", "/a", ""},     {"/ab", "/a", NULL},
        {"/a", "/a/b", NULL}, {"/b/a", "/a", NULL},    {"/a.b", "/a", NULL},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_assert_cmpstr(syncd_path_below(cases[i].path, cases[i].folder), ==, cases[i].rest);
        g_assert_true(syncd_path_lies_in(cases[i].path, cases[i].folder) ==
                      (cases[i].rest != NULL));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/path/a-path-lies-in-a-folder-by-whole-names",
                    a_path_lies_in_a_folder_by_whole_names);
    return g_test_run();
}
