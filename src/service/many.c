#include "service/many-line.h"

#include "base/json-writer.h"

/* One piece: whichever comes first. A line is never divided. */
#define PIECE_USEC 500u
#define PIECE_LINES 64u

struct SyncdMany {
    SyncdService *service;
    SyncdCaller caller;
    const char *at; /* the lines that are to be checked */
    const char *end;
    GPtrArray *lines;   /* those that were */
    GHashTable *opened; /* scopes that a line opens; borrowed from it */
    /* What they were checked against. */
    guint64 registries;
    guint64 policies;
};

/* ---- checking ---- */

static bool check_scope(SyncdMany *many, const SyncdLine *line, GError **error)
{
    /* An earlier line of the same call may be about to open it. */
    if (g_hash_table_contains(many->opened, line->scope))
        return true;
    if (!syncd_service_check_scope(many->service, &line->admission, error))
        return false;
    if (line->request.create_scope)
        g_hash_table_add(many->opened, line->scope);
    return true;
}

static bool check_line(SyncdMany *many, SyncdLine *line, GError **error)
{
    return syncd_service_check_request(many->service, &many->caller, &line->request,
                                       &line->admission, error) &&
           check_scope(many, line, error);
}

/* A signature counts once: what it covers has keys, also where the lines give none. */
static void give_key(const SyncdMany *many, SyncdLine *line)
{
    g_autofree char *key = syncd_signed_key(&many->caller);
    if (key == NULL || line->idempotency_key != NULL)
        return;
    line->idempotency_key = g_strdup_printf("%s:%u", key, many->lines->len + 1);
    line->request.idempotency_key = line->idempotency_key;
}

static bool add_line(SyncdMany *many, SyncdBytes text, GError **error)
{
    if (many->lines->len == SYNCD_MANY_MAX) {
        syncd_set_error(error, SYNCD_ERROR_TOO_LARGE, "There are more than %u requests",
                        SYNCD_MANY_MAX);
        return false;
    }
    SyncdLine *line = syncd_line_parse(text, error);
    if (line != NULL) {
        give_key(many, line);
        g_ptr_array_add(many->lines, line);
    }
    if (line == NULL || !check_line(many, line, error)) {
        g_prefix_error(error, "Line %u: ", many->lines->len + (line == NULL));
        return false;
    }
    return true;
}

static bool check_piece(SyncdMany *many, GError **error)
{
    guint64 begin = syncd_service_monotonic(many->service);
    for (unsigned n = 0; many->at < many->end && n < PIECE_LINES; n++) {
        const char *stop = memchr(many->at, '\n', (size_t)(many->end - many->at));
        if (stop == NULL)
            stop = many->end;
        if (!add_line(many, SYNCD_BYTES(many->at, (size_t)(stop - many->at)), error))
            return false;
        many->at = stop < many->end ? stop + 1 : stop;
        if (syncd_service_monotonic(many->service) - begin >= PIECE_USEC)
            break;
    }
    return true;
}

/* Others had their turns in between, and may have changed what the lines were checked against. */
static bool is_unchanged(const SyncdMany *many)
{
    return many->registries == syncd_store_registries(many->service->store) &&
           many->policies == many->service->policies;
}

static void note_state(SyncdMany *many)
{
    many->registries = syncd_store_registries(many->service->store);
    many->policies = many->service->policies;
}

static bool check_again(SyncdMany *many, GError **error)
{
    g_hash_table_remove_all(many->opened);
    for (guint i = 0; i < many->lines->len; i++) {
        SyncdLine *line = many->lines->pdata[i];
        syncd_admission_clear(&line->admission);
        line->admission = (SyncdAdmission){0};
        if (!check_line(many, line, error)) {
            g_prefix_error(error, "Line %u: ", i + 1);
            return false;
        }
    }
    return true;
}

/* ---- writing ---- */

static void write_result(const SyncdEnqueued *enqueued, GString *out)
{
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, out, false);
    syncd_json_begin_object(&writer);
    syncd_json_member_string(&writer, "operation", enqueued->operation);
    syncd_json_member_uint(&writer, "sequence", enqueued->sequence);
    syncd_json_member_bool(&writer, "duplicate", enqueued->duplicate);
    syncd_json_end_object(&writer);
    g_string_append_c(out, '\n');
}

static bool admit_lines(SyncdMany *many, GString *out, GError **error)
{
    for (guint i = 0; i < many->lines->len; i++) {
        const SyncdLine *line = many->lines->pdata[i];
        g_auto(SyncdEnqueued) enqueued = {0};
        if (!syncd_service_admit(many->service, &line->admission, &enqueued, error)) {
            g_prefix_error(error, "Line %u: ", i + 1);
            return false;
        }
        write_result(&enqueued, out);
    }
    return true;
}

/* In one go: nobody else's entry may come to lie in its turn. */
static GString *record(SyncdMany *many, GError **error)
{
    SyncdService *service = many->service;
    /* A turn of its own, so that taking it back takes nothing from others. */
    if (!syncd_service_commit_turn(service, error) ||
        (!is_unchanged(many) && !check_again(many, error)))
        return NULL;
    g_autoptr(GString) out = g_string_new(NULL);
    g_autoptr(GError) failure = NULL;
    if (!admit_lines(many, out, &failure)) {
        if (syncd_service_has_turn(service))
            syncd_service_discard(service, failure);
        g_propagate_error(error, g_steal_pointer(&failure));
        return NULL;
    }
    return g_steal_pointer(&out);
}

/* ---- the call ---- */

SyncdMany *syncd_service_begin_many(SyncdService *service, const SyncdCaller *caller,
                                    SyncdBytes lines, GError **error)
{
    if (lines.size > SYNCD_MANY_SIZE) {
        syncd_set_error(error, SYNCD_ERROR_TOO_LARGE, "The requests have more than %u bytes",
                        SYNCD_MANY_SIZE);
        return NULL;
    }
    SyncdMany *many = g_new0(SyncdMany, 1);
    many->service = service;
    many->caller = *caller;
    many->at = lines.data;
    many->end = many->at + lines.size;
    many->lines = g_ptr_array_new_with_free_func((GDestroyNotify)syncd_line_free);
    many->opened = g_hash_table_new(g_str_hash, g_str_equal);
    note_state(many);
    return many;
}

void syncd_many_free(SyncdMany *many)
{
    if (many == NULL)
        return;
    g_hash_table_unref(many->opened);
    g_ptr_array_unref(many->lines);
    g_free(many);
}

bool syncd_many_step(SyncdMany *many, GString **ret_results, GError **error)
{
    *ret_results = NULL;
    if (many->at < many->end)
        return check_piece(many, error);
    *ret_results = record(many, error);
    return *ret_results != NULL;
}
