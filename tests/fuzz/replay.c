/*
 * main() of a fuzz target that is built without a fuzzer: gives it each file of the directories
 * that are named. Prints TAP; the name of a file comes before it is tried, so that the last name in
 * the output of a run that aborted is the input that broke it.
 */
#include "fuzz.h"

static void replay_file(const char *path)
{
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    size_t size;
    printf("# %s\n", path);
    fflush(stdout);
    if (!g_file_get_contents(path, &text, &size, &error))
        g_error("%s", error->message);
    /* Without the NUL that follows there, so that whoever reads too far is caught at it. */
    uint8_t *data = malloc(size);
    if (size > 0)
        memcpy(data, text, size);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
}

static int compare_names(const void *one, const void *other)
{
    return strcmp(*(const char *const *)one, *(const char *const *)other);
}

static guint replay_directory(const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GDir) directory = g_dir_open(path, 0, &error);
    if (directory == NULL)
        g_error("%s", error->message);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    for (const char *name; (name = g_dir_read_name(directory)) != NULL;)
        g_ptr_array_add(names, g_strdup(name));
    g_ptr_array_sort(names, compare_names);
    for (guint i = 0; i < names->len; i++) {
        g_autofree char *file = g_build_filename(path, names->pdata[i], NULL);
        replay_file(file);
    }
    return names->len;
}

int main(int argc, char **argv)
{
    int n_directories = argc - 1;
    printf("1..%d\n", n_directories);
    LLVMFuzzerInitialize(&argc, &argv);
    for (int i = 1; i <= n_directories; i++) {
        guint count = replay_directory(argv[i]);
        printf("%s %d - the laws hold for each of the %u inputs\n", count > 0 ? "ok" : "not ok", i,
               count);
    }
    return 0;
}
