/*
 * A header is written in one spelling and read back whole; everything else is refused, unless it is
 * of a version that this program does not know.
 */
#include "base/canonical.h"
#include "store-fixture.h"

#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B64 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

/* The exact bytes of docs/format.md 4.1, one member a line. */
static const char vector[] =
    "{\"actor\":\"actor-1\""
    ",\"body\":{\"digest\":\"" A64 "\",\"form\":\"list\",\"size\":123}"
    ",\"decision\":\"decision-1\""
    ",\"device\":\"device-1\""
    ",\"engine\":\"engine-1\""
    ",\"epoch\":2"
    ",\"hlc\":[1777939200000,65535]"
    ",\"key\":\"" B64 "\""
    ",\"keyed\":true"
    ",\"kind\":\"operation.enqueue\""
    ",\"lane\":\"secure\""
    ",\"object\":\"object:1\""
    ",\"op\":\"op-1\""
    ",\"parents\":[\"" A64 "\",\"" B64 "\"]"
    ",\"schema\":{\"id\":\"sourceos.workspace-operation/v1alpha1\",\"version\":1}"
    ",\"scope\":\"workspace-1\""
    ",\"seq\":9007199254740993"
    ",\"signer\":\"" A64 "\""
    ",\"v\":1}";

static SyncdHeader header_of_vector(void)
{
    SyncdHeader header = {
        .known = true,
        .actor = SYNCD_BYTES_TEXT("actor-1"),
        .body_is_list = true,
        .body_size = 123,
        .decision = SYNCD_BYTES_TEXT("decision-1"),
        .device = SYNCD_BYTES_TEXT("device-1"),
        .engine = SYNCD_BYTES_TEXT("engine-1"),
        .epoch = 2,
        .hlc = {1777939200000, 65535},
        .key = SYNCD_BYTES_TEXT(B64),
        .keyed = true,
        .kind = SYNCD_BYTES_TEXT("operation.enqueue"),
        .lane = SYNCD_BYTES_TEXT("secure"),
        .object = SYNCD_BYTES_TEXT("object:1"),
        .op = SYNCD_BYTES_TEXT("op-1"),
        .n_parents = 2,
        .schema_id = SYNCD_BYTES_TEXT("sourceos.workspace-operation/v1alpha1"),
        .schema_version = 1,
        .scope = SYNCD_BYTES_TEXT("workspace-1"),
        .seq = G_GUINT64_CONSTANT(9007199254740993),
        .signer = SYNCD_BYTES_TEXT(A64),
    };
    memset(&header.body_digest, 0xaa, sizeof header.body_digest);
    memset(&header.parents[0], 0xaa, sizeof header.parents[0]);
    memset(&header.parents[1], 0xbb, sizeof header.parents[1]);
    return header;
}

static void assert_bytes(SyncdBytes a, SyncdBytes b)
{
    g_assert_cmpmem(a.data, a.size, b.data, b.size);
}

static void assert_same(const SyncdHeader *a, const SyncdHeader *b)
{
    g_assert_cmpint(a->known, ==, b->known);
    assert_bytes(a->actor, b->actor);
    g_assert_true(syncd_hash_equal(&a->body_digest, &b->body_digest));
    g_assert_cmpint(a->body_is_list, ==, b->body_is_list);
    g_assert_cmpuint(a->body_size, ==, b->body_size);
    assert_bytes(a->decision, b->decision);
    assert_bytes(a->device, b->device);
    assert_bytes(a->engine, b->engine);
    g_assert_cmpuint(a->epoch, ==, b->epoch);
    g_assert_cmpint(syncd_hlc_compare(a->hlc, b->hlc), ==, 0);
    assert_bytes(a->key, b->key);
    g_assert_cmpint(a->keyed, ==, b->keyed);
    assert_bytes(a->kind, b->kind);
    assert_bytes(a->lane, b->lane);
    assert_bytes(a->object, b->object);
    assert_bytes(a->op, b->op);
    g_assert_cmpuint(a->n_parents, ==, b->n_parents);
    for (unsigned i = 0; i < a->n_parents; i++)
        g_assert_true(syncd_hash_equal(&a->parents[i], &b->parents[i]));
    assert_bytes(a->schema_id, b->schema_id);
    g_assert_cmpuint(a->schema_version, ==, b->schema_version);
    assert_bytes(a->scope, b->scope);
    g_assert_cmpuint(a->seq, ==, b->seq);
    assert_bytes(a->signer, b->signer);
}

static void the_bytes_are_those_of_the_format(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) text = g_string_new(NULL);
    SyncdHeader header = header_of_vector(), read = {0};
    syncd_header_write(&header, text);
    g_assert_cmpstr(text->str, ==, vector);
    g_assert_true(syncd_header_parse(text->str, text->len, &read, &error));
    assert_same(&read, &header);
}

static void empty_members_come_back(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) text = g_string_new(NULL);
    SyncdHeader header = header_of_vector(), read = {0};
    header.decision = header.engine = header.key = header.object = header.signer =
        SYNCD_BYTES("", 0);
    header.keyed = header.body_is_list = false;
    header.n_parents = SYNCD_HEADER_MAX_PARENTS;
    header.hlc = (SyncdHlc){0, 0};
    header.seq = G_MAXINT64;
    syncd_header_write(&header, text);
    g_assert_true(syncd_header_parse(text->str, text->len, &read, &error));
    assert_same(&read, &header);
    g_assert_null(strstr(text->str, "signer"));
}

/* Whatever is taken is what the writer would have written: each byte of the vector in turn becomes
 * each other one. */
static void what_is_taken_has_one_spelling(void)
{
    char text[sizeof vector];
    unsigned n_taken = 0;
    for (size_t at = 0; at < sizeof vector - 1; at++) {
        for (int byte = 0; byte < 256; byte++) {
            SyncdHeader header;
            memcpy(text, vector, sizeof text);
            text[at] = (char)byte;
            if (!syncd_header_parse(text, sizeof vector - 1, &header, NULL) || !header.known)
                continue;
            g_autoptr(GString) again = g_string_new(NULL);
            syncd_header_write(&header, again);
            if (header.signer.size == 0)
                continue; /* its name became one that is not known, and is kept */
            g_assert_cmpmem(again->str, again->len, text, sizeof vector - 1);
            g_assert_true(
                syncd_json_check(text, sizeof vector - 1, SYNCD_JSON_INTEGERS_ONLY, NULL));
            g_assert_true(syncd_canonical_is(text, sizeof vector - 1));
            n_taken++;
        }
    }
    g_assert_cmpuint(n_taken, >, sizeof vector);
}

static char *edit(const char *text, const char *from, const char *to)
{
    const char *at = strstr(text, from);
    g_assert_nonnull(at);
    return g_strdup_printf("%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

static void assert_refused(const char *text)
{
    SyncdHeader header = {.seq = 77};
    g_autoptr(GError) error = NULL;
    g_test_message("%.300s", text);
    g_assert_false(syncd_header_parse(text, strlen(text), &header, &error));
    g_assert_true(g_error_matches(error, SYNCD_ERROR, SYNCD_ERROR_INVALID_CONTRACT) ||
                  g_error_matches(error, SYNCD_ERROR, SYNCD_ERROR_INVALID_ENCODING) ||
                  g_error_matches(error, SYNCD_ERROR, SYNCD_ERROR_TOO_LARGE));
    g_assert_cmpuint(header.seq, ==, 77);
}

/* Each member in turn: gone, or of every other type. */
static void each_member_is_needed_and_has_its_type(void)
{
    static const char *const members[][2] = {
        {"\"actor\":", "\"actor-1\""},
        {"\"digest\":", "\"" A64 "\""},
        {"\"form\":", "\"list\""},
        {"\"size\":", "123"},
        {"\"decision\":", "\"decision-1\""},
        {"\"device\":", "\"device-1\""},
        {"\"engine\":", "\"engine-1\""},
        {"\"epoch\":", "2"},
        {"\"hlc\":", "[1777939200000,65535]"},
        {"\"key\":", "\"" B64 "\""},
        {"\"keyed\":", "true"},
        {"\"kind\":", "\"operation.enqueue\""},
        {"\"lane\":", "\"secure\""},
        {"\"object\":", "\"object:1\""},
        {"\"op\":", "\"op-1\""},
        {"\"parents\":", "[\"" A64 "\",\"" B64 "\"]"},
        {"\"schema\":", "{\"id\":\"sourceos.workspace-operation/v1alpha1\",\"version\":1}"},
        {"\"id\":", "\"sourceos.workspace-operation/v1alpha1\""},
        {"\"version\":", "1"},
        {"\"scope\":", "\"workspace-1\""},
        {"\"seq\":", "9007199254740993"},
        {"\"v\":", "1"},
    };
    static const char *const values[] = {"null", "{}", "[]", "\"with space\"", "-1", "false", "{"};
    for (size_t i = 0; i < G_N_ELEMENTS(members); i++) {
        g_autofree char *whole = g_strconcat(members[i][0], members[i][1], NULL);
        g_autofree char *with_comma = g_strconcat(whole, ",", NULL);
        bool last = strstr(vector, with_comma) == NULL;
        g_autofree char *before_comma = g_strconcat(",", whole, NULL);
        g_autofree char *without = edit(vector, last ? before_comma : with_comma, "");
        assert_refused(without);
        for (size_t k = 0; k < G_N_ELEMENTS(values); k++) {
            if ((strcmp(members[i][0], "\"keyed\":") == 0 && strcmp(values[k], "false") == 0) ||
                (strcmp(members[i][0], "\"parents\":") == 0 && strcmp(values[k], "[]") == 0) ||
                (strcmp(members[i][0], "\"id\":") == 0 && values[k][0] == '"'))
                continue; /* legal */
            g_autofree char *value = g_strconcat(members[i][0], values[k], NULL);
            g_autofree char *changed = edit(vector, whole, value);
            assert_refused(changed);
        }
    }
}

static void other_spellings_and_values_are_refused(void)
{
    static const char *const edits[][2] = {
        {"\"actor\"", " \"actor\""},
        {"\"v\":1}", "\"v\":1}\n"},
        {"\"epoch\":2", "\"epoch\":02"},
        {"\"epoch\":2", "\"epoch\":2.0"},
        {"\"epoch\":2", "\"epoch\":2e0"},
        {"\"epoch\":2", "\"epoch\":-0"},
        {"\"epoch\":2", "\"epoch\":2,\"epoch\":2"},
        {"\"seq\":9007199254740993", "\"seq\":9223372036854775808"},
        {"actor-1", "actor\\u002d1"},
        {"actor-1", "actor-\xc3\xa4"},
        {"65535]", "65536]"},
        {"65535]", "65535,1]"},
        {",65535]", "]"},
        {"\"digest\":\"a", "\"digest\":\"A"},
        {"\"digest\":\"a", "\"digest\":\""},
        {"\"parents\":[\"a", "\"parents\":[\"g"},
        {"\"parents\":[", "\"parents\":[1,"},
        {"\"decision\":\"decision-1\",\"device\":\"device-1\"",
         "\"device\":\"device-1\",\"decision\":\"decision-1\""},
        {"\"v\":1}", "\"v\":0}"},
        {"\"v\":1}", "\"v\":\"1\"}"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(edits); i++) {
        g_autofree char *text = edit(vector, edits[i][0], edits[i][1]);
        assert_refused(text);
    }
    assert_refused("");
    assert_refused("[]");
    assert_refused("{}");
    assert_refused("{\"v\":1}");
    g_autofree char *cut = g_strndup(vector, sizeof vector - 2);
    assert_refused(cut);

    GString *parents = g_string_new("\"parents\":[");
    for (unsigned i = 0; i < SYNCD_HEADER_MAX_PARENTS + 1; i++)
        g_string_append(parents, i > 0 ? ",\"" A64 "\"" : "\"" A64 "\"");
    g_autofree char *many = g_string_free(parents, FALSE);
    g_autofree char *seventeen = edit(vector, "\"parents\":[\"" A64 "\",\"" B64 "\"", many);
    assert_refused(seventeen);

    g_autofree char *long_token = g_strnfill(129, 'a');
    g_autofree char *long_actor = edit(vector, "actor-1", long_token);
    assert_refused(long_actor);
}

static void a_header_has_a_largest_size(void)
{
    /* An unknown member takes it to the limit exactly. */
    g_autofree char *none = edit(vector, ",\"v\":1}", ",\"u\":\"\",\"v\":1}");
    g_autoptr(GError) error = NULL;
    SyncdHeader header;
    for (size_t over = 0; over < 2; over++) {
        g_autofree char *filler = g_strnfill(SYNCD_HEADER_MAX_SIZE + over - strlen(none), 'x');
        g_autofree char *member = g_strconcat("\"u\":\"", filler, "\"", NULL);
        g_autofree char *text = edit(none, "\"u\":\"\"", member);
        g_assert_cmpuint(strlen(text), ==, SYNCD_HEADER_MAX_SIZE + over);
        bool ok = syncd_header_parse(text, strlen(text), &header, &error);
        g_assert_cmpint(ok, ==, over == 0);
    }
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_TOO_LARGE);
}

static void what_is_not_known_is_kept(void)
{
    g_autoptr(GError) error = NULL;
    SyncdHeader expected = header_of_vector(), header;

    /* Members that came later, before, between and after those that are known. */
    static const char *const additions[][2] = {
        {"{\"actor\"", "{\"Aa\":[{\"x\":1}],\"actor\""},
        {",\"engine\"", ",\"dx\":null,\"engine\""},
        {"\"v\":1}", "\"v\":1,\"zz\":\"text \\u00e4\"}"},
        {",\"form\"", ",\"f\":1,\"form\""},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(additions); i++) {
        g_autofree char *text = edit(vector, additions[i][0], additions[i][1]);
        g_assert_true(syncd_header_parse(text, strlen(text), &header, &error));
        assert_same(&header, &expected);
    }

    /* A kind and a lane that are not known are still tokens. */
    g_autofree char *kind = edit(vector, "operation.enqueue", "thing.of-tomorrow");
    g_assert_true(syncd_header_parse(kind, strlen(kind), &header, &error));
    g_assert_true(syncd_bytes_are(header.kind, "thing.of-tomorrow"));

    /* Of a later version only the place and the operation must be there. */
    static const char later[] = "{\"actor\":{\"changed\":1},\"device\":\"device-1\",\"epoch\":2,"
                                "\"op\":\"op-1\",\"scope\":\"workspace-1\",\"seq\":5,\"v\":2}";
    g_assert_true(syncd_header_parse(later, strlen(later), &header, &error));
    g_assert_false(header.known);
    g_assert_cmpuint(header.seq, ==, 5);
    g_assert_cmpuint(header.epoch, ==, 2);
    g_assert_true(syncd_bytes_are(header.op, "op-1"));
    g_assert_true(syncd_bytes_are(header.scope, "workspace-1"));
    g_assert_cmpuint(header.actor.size, ==, 0);
    static const char *const needed[] = {"\"device\":\"device-1\",", "\"epoch\":2,",
                                         "\"op\":\"op-1\",", "\"scope\":\"workspace-1\",",
                                         "\"seq\":5,"};
    for (size_t i = 0; i < G_N_ELEMENTS(needed); i++) {
        g_autofree char *text = edit(later, needed[i], "");
        assert_refused(text);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/entry/what-is-taken-has-one-spelling", what_is_taken_has_one_spelling);
    g_test_add_func("/entry/the-bytes-are-those-of-the-format", the_bytes_are_those_of_the_format);
    g_test_add_func("/entry/empty-members-come-back", empty_members_come_back);
    g_test_add_func("/entry/each-member-is-needed-and-has-its-type",
                    each_member_is_needed_and_has_its_type);
    g_test_add_func("/entry/other-spellings-and-values-are-refused",
                    other_spellings_and_values_are_refused);
    g_test_add_func("/entry/a-header-has-a-largest-size", a_header_has_a_largest_size);
    g_test_add_func("/entry/what-is-not-known-is-kept", what_is_not_known_is_kept);
    return g_test_run();
}
