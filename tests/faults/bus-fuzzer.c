/*
 * Calls everything that a service shows, with arguments good and bad, and says how it took that.
 *
 * Usage: bus-fuzzer ADDRESS SERVICE [--corpus=FILE] [--calls=N] [--seed=N] [--in-flight=N]
 *        [--patience=SECONDS]
 *
 * A call counts as decoded when it reached what the service is for: answered with success, or with
 * an error that is not about how the call or its documents were written. What is wrong with the
 * service itself is a finding: no answer, an answer that is late, an error without a known name, or
 * that calls itself a defect, and leaving the bus. Prints one JSON document; exits 1 when there
 * are findings.
 */
#include "fuzz-corpus.h"
#include "fuzz-targets.h"
#include "fuzz-values.h"
#include "fuzz-wire.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define PINGS_EVERY 200u
#define LOOKS_EVERY 500u
#define FINDINGS_MAX 20u
#define LAST_MAX 32u
#define SHOWN_SIZE 200u
#define PROPERTIES "org.freedesktop.DBus.Properties"

static char *corpus_path;
static gint64 n_calls = 1000;
static gint64 seed = 1;
static int in_flight_max = 32;
static int patience_s = 60;

static const GOptionEntry options[] = {
    {"corpus", 0, 0, G_OPTION_ARG_FILENAME, &corpus_path, NULL, NULL},
    {"calls", 0, 0, G_OPTION_ARG_INT64, &n_calls, NULL, NULL},
    {"seed", 0, 0, G_OPTION_ARG_INT64, &seed, NULL, NULL},
    {"patience", 0, 0, G_OPTION_ARG_INT, &patience_s, NULL, NULL},
    {"in-flight", 0, 0, G_OPTION_ARG_INT, &in_flight_max, NULL, NULL},
    {NULL, 0, 0, 0, NULL, NULL, NULL},
};

typedef struct {
    sd_bus *bus;
    const char *service;
    FuzzTargets targets;
    FuzzCorpus corpus;
    FuzzSource source;
    int in_flight;
    guint64 sent, refused_here, answered, decoded, succeeded;
    GHashTable *errors; /* name: count */
    GPtrArray *findings;
    char *last[LAST_MAX]; /* what was called, to see what went before an end */
    bool gone;
} Fuzzer;

/* One call that waits for its answer. */
typedef struct {
    Fuzzer *fuzzer;
    FuzzMethod *method;     /* NULL: of something that there is not */
    FuzzProperty *property; /* that is read */
} Call;

G_GNUC_PRINTF(2, 3)
static void find(Fuzzer *fuzzer, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *finding = g_strdup_vprintf(format, args);
    va_end(args);
    if (fuzzer->findings->len < FINDINGS_MAX)
        g_ptr_array_add(fuzzer->findings, finding);
    else
        g_free(finding);
}

/* ---- answers ---- */

/* What says that the call, or a document in it, could not be understood, and what was never looked
 * at. Names of a service's own are compared by their last part. */
static bool is_undecoded(const char *error)
{
    static const char *const names[] = {
        "InvalidArgs",      "UnknownMethod",    "UnknownObject",
        "UnknownInterface", "UnknownProperty",  "PropertyReadOnly",
        "NotSupported",     "InvalidSignature", "InvalidFileContent",
        "LimitsExceeded",   "InvalidEncoding",  "InvalidContract",
        "TooLarge",         "TooDeep",          NULL,
    };
    const char *dot = strrchr(error, '.');
    return g_strv_contains(names, dot != NULL ? dot + 1 : error);
}

static bool is_defect(const Fuzzer *fuzzer, const char *error)
{
    static const char *const names[] = {
        SD_BUS_ERROR_NO_REPLY,
        SD_BUS_ERROR_TIMEOUT,
        SD_BUS_ERROR_DISCONNECTED,
        SD_BUS_ERROR_FAILED,
        SD_BUS_ERROR_NO_MEMORY,
        SD_BUS_ERROR_SERVICE_UNKNOWN,
        SD_BUS_ERROR_NAME_HAS_NO_OWNER,
        SD_BUS_ERROR_IO_ERROR,
        NULL,
    };
    g_autofree char *own = g_strconcat(fuzzer->service, ".Error.", NULL);
    return g_strv_contains(names, error) ||
           (!g_str_has_prefix(error, "org.freedesktop.DBus.Error.") &&
            !g_str_has_prefix(error, own));
}

static void count_error(Fuzzer *fuzzer, const Call *call, sd_bus_message *answer)
{
    const sd_bus_error *error = sd_bus_message_get_error(answer);
    /* What the bus refuses never came to the service. */
    bool by_bus = g_strcmp0(sd_bus_message_get_sender(answer), "org.freedesktop.DBus") == 0;
    guint64 *count = g_hash_table_lookup(fuzzer->errors, error->name);
    if (count == NULL) {
        count = g_new0(guint64, 1);
        g_hash_table_insert(fuzzer->errors, g_strdup(error->name), count);
    }
    (*count)++;
    if (is_defect(fuzzer, error->name) && !fuzzer->gone)
        find(fuzzer, "%s answered %s: %.300s",
             call->method != NULL ? call->method->member : "something unknown", error->name,
             error->message);
    fuzzer->decoded += !by_bus && !is_undecoded(error->name);
}

static void learn(void *data, unsigned argument, char type, const char *text)
{
    Call *call = data;
    if (type == 'o')
        fuzz_targets_give(&call->fuzzer->targets, text);
    if (call->property != NULL) {
        g_free(call->property->text);
        call->property->text = g_strdup(text);
    } else if (call->method != NULL)
        fuzz_corpus_learn(&call->fuzzer->corpus, call->method, argument, text);
}

static int on_answer(sd_bus_message *answer, void *userdata, sd_bus_error *ret_error)
{
    Call *call = userdata;
    Fuzzer *fuzzer = call->fuzzer;
    fuzzer->in_flight--;
    fuzzer->answered++;
    if (sd_bus_message_is_method_error(answer, NULL)) {
        count_error(fuzzer, call, answer);
    } else {
        fuzzer->decoded++;
        fuzzer->succeeded++;
        if (call->method != NULL)
            call->method->successes++;
        if (call->property != NULL)
            call->property->successes++;
        fuzz_wire_read_texts(answer, learn, call);
    }
    return 0;
}

static int on_ping(sd_bus_message *answer, void *userdata, sd_bus_error *ret_error)
{
    Fuzzer *fuzzer = userdata;
    fuzzer->in_flight--;
    if (sd_bus_message_is_method_error(answer, NULL) && !fuzzer->gone)
        find(fuzzer, "Ping was answered %s", sd_bus_message_get_error(answer)->name);
    return 0;
}

static int on_owner_changed(sd_bus_message *signal, void *userdata, sd_bus_error *ret_error)
{
    Fuzzer *fuzzer = userdata;
    fuzzer->gone = true;
    find(fuzzer, "The service left the bus; the last calls:");
    for (unsigned i = 0; i < LAST_MAX; i++)
        if (fuzzer->last[(fuzzer->sent + i) % LAST_MAX] != NULL)
            g_ptr_array_add(fuzzer->findings,
                            g_strdup(fuzzer->last[(fuzzer->sent + i) % LAST_MAX]));
    return 0;
}

/* ---- calls ---- */

static void remember(Fuzzer *fuzzer, const char *path, const char *interface, const char *member,
                     GVariant *arguments)
{
    g_autofree char *shown =
        g_variant_get_size(arguments) < 8 * SHOWN_SIZE
            ? g_variant_print(arguments, FALSE)
            : g_strdup_printf("(%zu bytes of %s)", (size_t)g_variant_get_size(arguments),
                              g_variant_get_type_string(arguments));
    char **place = &fuzzer->last[fuzzer->sent % LAST_MAX];
    g_free(*place);
    *place = g_strdup_printf("%s %s.%s %.*s", path, interface, member, (int)SHOWN_SIZE, shown);
}

static int send_call(Fuzzer *fuzzer, const char *path, const char *interface, const char *member,
                     GVariant *arguments, const Call *like)
{
    g_autoptr(GVariant) owned = g_variant_ref_sink(arguments);
    remember(fuzzer, path, interface, member, owned);
    fuzzer->sent++;
    sd_bus_message *message = NULL;
    int r = sd_bus_message_new_method_call(fuzzer->bus, &message, fuzzer->service, path, interface,
                                           member);
    if (r >= 0)
        r = fuzz_wire_append_arguments(message, owned);
    if (r < 0) {
        /* Our own end does not let it out. */
        sd_bus_message_unref(message);
        fuzzer->refused_here++;
        return 0;
    }
    sd_bus_slot *slot = NULL;
    Call *call = g_memdup2(like, sizeof *like);
    call->fuzzer = fuzzer;
    r = sd_bus_call_async(fuzzer->bus, &slot, message, on_answer, call, UINT64_MAX);
    sd_bus_message_unref(message);
    if (r < 0) {
        g_free(call);
        return r;
    }
    /* Also of a call that is never answered. */
    sd_bus_slot_set_destroy_callback(slot, g_free);
    fuzzer->in_flight++;
    r = sd_bus_slot_set_floating(slot, 1);
    sd_bus_slot_unref(slot);
    return r;
}

static guint32 pick(Fuzzer *fuzzer, guint32 n)
{
    return (guint32)g_rand_int_range(fuzzer->source.random, 0, (gint32)n);
}

/* Prefers what the service is for. */
static FuzzMethod *pick_method(Fuzzer *fuzzer)
{
    FuzzMethod *method = NULL;
    for (unsigned tries = 0; tries < 50; tries++) {
        method =
            g_ptr_array_index(fuzzer->targets.methods, pick(fuzzer, fuzzer->targets.methods->len));
        bool own = !g_str_has_prefix(method->interface, "org.freedesktop.DBus.");
        if (method->paths->len > 0 && (own || pick(fuzzer, 4) == 0))
            break;
    }
    return method;
}

static const char *pick_path(Fuzzer *fuzzer, const FuzzMethod *method)
{
    if (method->paths->len == 0)
        return "/nothing";
    return g_ptr_array_index(method->paths, pick(fuzzer, method->paths->len));
}

static int call_good(Fuzzer *fuzzer)
{
    FuzzMethod *method = pick_method(fuzzer);
    GVariant *arguments = fuzz_corpus_good(&fuzzer->corpus, method, fuzzer->source.random);
    if (arguments == NULL)
        arguments = fuzz_arguments(&fuzzer->source, method->in->str);
    return send_call(fuzzer, pick_path(fuzzer, method), method->interface, method->member,
                     arguments, &(Call){.method = method});
}

static int call_changed(Fuzzer *fuzzer)
{
    FuzzMethod *method = pick_method(fuzzer);
    g_autoptr(GVariant) good = fuzz_corpus_good(&fuzzer->corpus, method, fuzzer->source.random);
    GVariant *arguments = good != NULL && g_variant_n_children(good) > 0
                              ? fuzz_mutate(&fuzzer->source, good)
                              : fuzz_arguments(&fuzzer->source, method->in->str);
    return send_call(fuzzer, pick_path(fuzzer, method), method->interface, method->member,
                     arguments, &(Call){.method = method});
}

static int call_made_up(Fuzzer *fuzzer)
{
    FuzzMethod *method = pick_method(fuzzer);
    return send_call(fuzzer, pick_path(fuzzer, method), method->interface, method->member,
                     fuzz_arguments(&fuzzer->source, method->in->str), &(Call){.method = method});
}

static int call_wrong_type(Fuzzer *fuzzer)
{
    FuzzMethod *method = pick_method(fuzzer);
    return send_call(fuzzer, pick_path(fuzzer, method), method->interface, method->member,
                     fuzz_arguments(&fuzzer->source, fuzz_signature(&fuzzer->source)),
                     &(Call){.method = method});
}

/* A member, an interface or an object that there is not. */
static int call_unknown(Fuzzer *fuzzer)
{
    const FuzzMethod *method = pick_method(fuzzer);
    const FuzzMethod *other = pick_method(fuzzer);
    static const char *const paths[] = {"/", "/nothing", "/org/sourceos/Sync/job/job_2d0"};
    guint32 what = pick(fuzzer, 3);
    return send_call(
        fuzzer, what == 0 ? paths[pick(fuzzer, G_N_ELEMENTS(paths))] : pick_path(fuzzer, method),
        what == 1 ? other->interface : method->interface, what == 2 ? "Nothing" : method->member,
        fuzz_arguments(&fuzzer->source, method->in->str), &(Call){0});
}

/* Half of what is set is what was there. */
static GVariant *value_to_set(Fuzzer *fuzzer, const FuzzProperty *property)
{
    if (property->text != NULL && pick(fuzzer, 2) == 0)
        return g_variant_new_variant(g_variant_new_string(property->text));
    return fuzz_value(&fuzzer->source, "v");
}

/* Half of what is to be set are properties that may be: these are few. */
static FuzzProperty *pick_property(Fuzzer *fuzzer, bool to_be_set)
{
    const GPtrArray *properties = fuzzer->targets.properties;
    guint from = pick(fuzzer, properties->len);
    bool search = to_be_set && pick(fuzzer, 2) == 0;
    for (guint i = 0; search && i < properties->len; i++) {
        FuzzProperty *property = g_ptr_array_index(properties, (from + i) % properties->len);
        if (property->writable)
            return property;
    }
    return g_ptr_array_index(properties, from);
}

static int call_property(Fuzzer *fuzzer)
{
    if (fuzzer->targets.properties->len == 0)
        return call_good(fuzzer);
    static const char *const members[] = {"Get", "Get", "Get", "GetAll", "Set"};
    const char *member = members[pick(fuzzer, G_N_ELEMENTS(members))];
    FuzzProperty *property = pick_property(fuzzer, strcmp(member, "Set") == 0);
    Call like = {
        .method = fuzz_targets_method(&fuzzer->targets, PROPERTIES, member),
        .property = strcmp(member, "Get") == 0 ? property : NULL,
    };
    GVariant *arguments = NULL;
    if (strcmp(member, "Set") == 0)
        arguments = g_variant_new("(ss@v)", property->interface, property->name,
                                  value_to_set(fuzzer, property));
    else if (strcmp(member, "GetAll") == 0)
        arguments = g_variant_new("(s)", property->interface);
    else
        arguments = g_variant_new("(ss)", property->interface, property->name);
    return send_call(fuzzer, property->path, PROPERTIES, member, arguments, &like);
}

static const struct {
    guint32 share; /* of 100 */
    int (*call)(Fuzzer *fuzzer);
} ways[] = {
    {42, call_good},      {20, call_changed}, {12, call_made_up},
    {8, call_wrong_type}, {6, call_unknown},  {12, call_property},
};

static int call_any(Fuzzer *fuzzer)
{
    guint32 at = pick(fuzzer, 100);
    size_t way = 0;
    while (at >= ways[way].share)
        at -= ways[way++].share;
    return ways[way].call(fuzzer);
}

static int send_ping(Fuzzer *fuzzer)
{
    sd_bus_message *message = NULL;
    int r = sd_bus_message_new_method_call(fuzzer->bus, &message, fuzzer->service, "/",
                                           "org.freedesktop.DBus.Peer", "Ping");
    if (r >= 0)
        r = sd_bus_call_async(fuzzer->bus, NULL, message, on_ping, fuzzer, UINT64_MAX);
    sd_bus_message_unref(message);
    fuzzer->in_flight += r >= 0;
    return r;
}

/* ---- the run ---- */

/* Until no more than so many wait for their answer. Nothing at all within our patience ends it. */
static int wait_for_answers(Fuzzer *fuzzer, int in_flight)
{
    while (fuzzer->in_flight > in_flight && !fuzzer->gone) {
        int r = sd_bus_process(fuzzer->bus, NULL);
        if (r != 0 && r != -EINTR) {
            if (r < 0)
                return r;
            continue;
        }
        r = sd_bus_wait(fuzzer->bus, (guint64)patience_s * G_USEC_PER_SEC);
        if (r < 0 && r != -EINTR)
            return r;
        if (r == 0) {
            find(fuzzer, "%d calls were not answered", fuzzer->in_flight);
            fuzzer->gone = true;
        }
    }
    return 0;
}

/* The corpus once as it is written, each line after the answer to the one before: how many lines
 * there are is then no question of how many calls. A line may be about what the one before it gave.
 */
static int call_corpus(Fuzzer *fuzzer)
{
    int r = 0;
    for (guint i = 0; r >= 0 && i < fuzzer->corpus.goods->len && !fuzzer->gone; i++) {
        FuzzMethod *method = (FuzzMethod *)((FuzzGood *)fuzzer->corpus.goods->pdata[i])->method;
        GVariant *arguments = fuzz_corpus_line(&fuzzer->corpus, i, fuzzer->source.random);
        if (arguments != NULL)
            r = send_call(fuzzer, pick_path(fuzzer, method), method->interface, method->member,
                          arguments, &(Call){.method = method});
        if (r >= 0)
            r = wait_for_answers(fuzzer, 0);
        if (r >= 0 && fuzzer->targets.given_more && !fuzzer->gone)
            r = fuzz_targets_find(&fuzzer->targets, fuzzer->bus, fuzzer->service);
    }
    return r;
}

static int run(Fuzzer *fuzzer)
{
    int r = call_corpus(fuzzer);
    for (gint64 i = 0; r >= 0 && i < n_calls && !fuzzer->gone; i++) {
        r = wait_for_answers(fuzzer, in_flight_max - 1);
        if (r >= 0 && i % LOOKS_EVERY == LOOKS_EVERY - 1)
            r = fuzz_targets_find(&fuzzer->targets, fuzzer->bus, fuzzer->service);
        if (r >= 0 && i % PINGS_EVERY == 0)
            r = send_ping(fuzzer);
        if (r >= 0)
            r = call_any(fuzzer);
    }
    return r >= 0 ? wait_for_answers(fuzzer, 0) : r;
}

static int begin(Fuzzer *fuzzer, const char *address, GError **error)
{
    g_autofree char *match = g_strdup_printf(
        "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='%s'",
        fuzzer->service);
    int r = sd_bus_new(&fuzzer->bus);
    if (r >= 0)
        r = sd_bus_set_address(fuzzer->bus, address);
    if (r >= 0)
        r = sd_bus_set_bus_client(fuzzer->bus, 1);
    if (r >= 0)
        r = sd_bus_start(fuzzer->bus);
    if (r >= 0)
        r = sd_bus_add_match(fuzzer->bus, NULL, match, on_owner_changed, fuzzer);
    if (r >= 0)
        r = fuzz_targets_find(&fuzzer->targets, fuzzer->bus, fuzzer->service);
    if (r >= 0 && corpus_path != NULL &&
        !fuzz_corpus_load(&fuzzer->corpus, corpus_path, &fuzzer->targets, error))
        r = -EINVAL;
    return r;
}

/* ---- the report ---- */

static void print_text(const char *text)
{
    putchar('"');
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            printf("\\%c", *text);
        else if ((unsigned char)*text < ' ' || (unsigned char)*text >= 0x7f)
            printf("\\u%04x", (unsigned char)*text);
        else
            putchar(*text);
    }
    putchar('"');
}

static void print_report(const Fuzzer *fuzzer)
{
    printf("{\"seed\":%" PRIi64 ",\"sent\":%" PRIu64 ",\"refused_here\":%" PRIu64
           ",\"answered\":%" PRIu64 ",\"decoded\":%" PRIu64 ",\"succeeded\":%" PRIu64
           ",\"methods\":{",
           seed, fuzzer->sent, fuzzer->refused_here, fuzzer->answered, fuzzer->decoded,
           fuzzer->succeeded);
    for (guint i = 0; i < fuzzer->targets.methods->len; i++) {
        const FuzzMethod *method = g_ptr_array_index(fuzzer->targets.methods, i);
        printf("%s\"%s.%s\":%" PRIu64, i > 0 ? "," : "", method->interface, method->member,
               method->successes);
    }
    printf("},\"properties\":{");
    for (guint i = 0; i < fuzzer->targets.properties->len; i++) {
        const FuzzProperty *property = g_ptr_array_index(fuzzer->targets.properties, i);
        printf("%s\"%s.%s\":%" PRIu64, i > 0 ? "," : "", property->interface, property->name,
               property->successes);
    }
    printf("},\"errors\":{");
    GHashTableIter iter;
    void *name, *count;
    g_hash_table_iter_init(&iter, fuzzer->errors);
    for (bool more = g_hash_table_iter_next(&iter, &name, &count); more;) {
        printf("\"%s\":%" PRIu64, (const char *)name, *(const guint64 *)count);
        more = g_hash_table_iter_next(&iter, &name, &count);
        printf("%s", more ? "," : "");
    }
    printf("},\"findings\":[");
    for (guint i = 0; i < fuzzer->findings->len; i++) {
        printf("%s", i > 0 ? "," : "");
        print_text(g_ptr_array_index(fuzzer->findings, i));
    }
    printf("]}\n");
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    GOptionContext *context = g_option_context_new("ADDRESS SERVICE");
    g_option_context_add_main_entries(context, options, NULL);
    bool understood = g_option_context_parse(context, &argc, &argv, &error) && argc == 3;
    g_option_context_free(context);
    if (!understood)
        return 2;

    Fuzzer fuzzer = {
        .service = argv[2],
        .errors = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free),
        .findings = g_ptr_array_new_with_free_func(g_free),
    };
    fuzz_targets_init(&fuzzer.targets);
    fuzz_corpus_init(&fuzzer.corpus);
    fuzzer.source =
        (FuzzSource){g_rand_new_with_seed((guint32)seed), fuzz_corpus_offer, &fuzzer.corpus};
    int r = begin(&fuzzer, argv[1], &error);
    if (r < 0) {
        fprintf(stderr, "%s\n", error != NULL ? error->message : g_strerror(-r));
        return 2;
    }
    r = run(&fuzzer);
    if (r < 0)
        find(&fuzzer, "Our connection failed: %s", g_strerror(-r));
    print_report(&fuzzer);
    int status = fuzzer.findings->len > 0;

    sd_bus_close_unref(fuzzer.bus);
    fuzz_corpus_clear(&fuzzer.corpus);
    fuzz_targets_clear(&fuzzer.targets);
    g_hash_table_unref(fuzzer.errors);
    g_ptr_array_unref(fuzzer.findings);
    g_rand_free(fuzzer.source.random);
    for (unsigned i = 0; i < LAST_MAX; i++)
        g_free(fuzzer.last[i]);
    g_free(corpus_path);
    return status;
}
