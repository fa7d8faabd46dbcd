/* The official test suite of JSON Schema, in the dialect of draft 7: every required case, and the
 * optional ones of what is implemented. Skipped when the suite is not installed. */
#include "schema-cases.h"

typedef struct {
    const char *file;
    const char *reason;
} Skipped;

/* Optional parts that are not implemented. */
static const Skipped skipped[] = {
    {"optional/content.json", "content* are annotations in 2020-12, and here too"},
    {"optional/format/idn-email.json", "the format is not implemented"},
    {"optional/format/idn-hostname.json", "the format is not implemented"},
    {"optional/format/iri-reference.json", "the format is not implemented"},
    {"optional/format/iri.json", "the format is not implemented"},
    {"optional/format/uri-template.json", "the format is not implemented"},
};

/* Groups whose schemas have keywords that nobody knows, to which references lead. Such schemas are
 * refused here; test-schema has the same references to definitions. */
static const char *const skipped_groups[] = {"escaped pointer ref", NULL};

static char *suite_path(const char *name)
{
    return g_build_filename(g_getenv("SYNCD_SCHEMA_SUITE"), name, NULL);
}

static bool is_skipped(const char *file)
{
    for (size_t i = 0; i < G_N_ELEMENTS(skipped); i++)
        if (strcmp(skipped[i].file, file) == 0)
            return true;
    return false;
}

static void test_file(gconstpointer data)
{
    const char *file = data;
    g_autofree char *name = g_build_filename("tests", "draft7", file, NULL);
    g_autofree char *path = suite_path(name), *remotes = suite_path("remotes");
    g_autofree char *meta = g_test_build_filename(G_TEST_DIST, "data", "draft-07.json", NULL);
    SchemaCases cases = {remotes, "http://localhost:1234/", meta,
                         "http://json-schema.org/draft-07/schema", SYNCD_DIALECT_DRAFT_7};
    schema_cases_run(&cases, path, skipped_groups);
}

static void add_directory(const char *directory)
{
    g_autofree char *name = g_build_filename("tests", "draft7", directory, NULL);
    g_autofree char *path = suite_path(name);
    g_autoptr(GDir) entries = g_dir_open(path, 0, NULL);
    g_assert_nonnull(entries);
    for (const char *entry; (entry = g_dir_read_name(entries)) != NULL;) {
        char *file =
            *directory != '\0' ? g_build_filename(directory, entry, NULL) : g_strdup(entry);
        if (!g_str_has_suffix(file, ".json") || is_skipped(file)) {
            g_free(file);
            continue;
        }
        g_autofree char *test = g_strconcat("/schema-suite/", file, NULL);
        g_test_add_data_func_full(test, file, test_file, g_free);
    }
}

static void test_absent(void)
{
    g_test_skip("the package json-schema-test-suite is not installed");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_autofree char *path = suite_path("tests/draft7");
    if (!g_file_test(path, G_FILE_TEST_IS_DIR)) {
        g_test_add_func("/schema-suite/absent", test_absent);
        return g_test_run();
    }
    add_directory("");
    add_directory("optional");
    add_directory("optional/format");
    return g_test_run();
}
