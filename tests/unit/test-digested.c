#include "crypto/digested.h"

#define SCHEMA "sourceos.example/v1"
#define KEPT "{\"name\":\"a\",\"digest\":\"not that of the document\",\"kept\":{\"n\":1}}"

static GString *write_text(const char *kept)
{
    g_autoptr(GString) text = g_string_new(kept);
    return syncd_digested_write(SCHEMA, text);
}

static void what_was_written_reads_back(void)
{
    g_autoptr(GString) text = write_text(KEPT);
    g_autoptr(GError) error = NULL;
    SyncdJson kept;
    g_assert_true(syncd_digested_read(SYNCD_BYTES(text->str, text->len), SCHEMA, &kept, &error));
    g_assert_no_error(error);
    g_assert_true(syncd_json_is(syncd_json_member(kept, "name"), "a"));
}

/* docs/format.md specifies the bytes. */
static void it_is_an_object_of_three_members(void)
{
    g_autoptr(GString) text = write_text("{}");
    g_assert_cmpstr(text->str, ==,
                    "{\"schema\":\"sourceos.example/v1\",\"digest\":\"sha256:"
                    "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a\","
                    "\"kept\":{}}");
}

static void assert_refused(SyncdBytes text, const char *schema)
{
    g_autoptr(GError) error = NULL;
    SyncdJson kept = {.type = SYNCD_JSON_NONE};
    if (syncd_digested_read(text, schema, &kept, &error))
        g_error("was taken: %.*s", (int)text.size, (const char *)text.data);
    g_assert_true(error != NULL && error->domain == SYNCD_ERROR);
    g_assert_cmpint(kept.type, ==, SYNCD_JSON_NONE);
}

static void what_was_cut_or_altered_is_refused(void)
{
    g_autoptr(GString) text = write_text(KEPT);
    for (gsize size = 0; size < text->len; size++)
        assert_refused(SYNCD_BYTES(text->str, size), SCHEMA);
    for (gsize i = 0; i < text->len; i++) {
        text->str[i] ^= 1;
        assert_refused(SYNCD_BYTES(text->str, text->len), SCHEMA);
        text->str[i] ^= 1;
    }
}

static void a_document_of_another_kind_is_refused(void)
{
    g_autoptr(GString) text = write_text(KEPT);
    assert_refused(SYNCD_BYTES(text->str, text->len), "sourceos.example/v2");
    for (size_t i = 0; i < 2; i++) {
        g_autoptr(GString) value = write_text(i == 0 ? "[]" : "7");
        assert_refused(SYNCD_BYTES(value->str, value->len), SCHEMA);
    }
    assert_refused(SYNCD_BYTES_TEXT("{\"schema\":\"" SCHEMA "\"}"), SCHEMA);
    assert_refused(SYNCD_BYTES_TEXT("null"), SCHEMA);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_hash_init(NULL));
    g_test_add_func("/digested/what-was-written-reads-back", what_was_written_reads_back);
    g_test_add_func("/digested/it-is-an-object-of-three-members", it_is_an_object_of_three_members);
    g_test_add_func("/digested/what-was-cut-or-altered-is-refused",
                    what_was_cut_or_altered_is_refused);
    g_test_add_func("/digested/a-document-of-another-kind-is-refused",
                    a_document_of_another_kind_is_refused);
    return g_test_run();
}
