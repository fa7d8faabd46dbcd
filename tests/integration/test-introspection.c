/* What is served is what introspection/ describes: every interface, method, argument, signal,
 * property and annotation, in both directions. */
#include "bus/bus.h"
#include "bus/job.h"
#include "bus/names.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define GIVE_UP_USEC (10u * G_USEC_PER_SEC)

/* ---- a document as a set of lines ---- */

typedef struct {
    GPtrArray *lines;
    char *interface; /* within one that is compared */
    char *member;
    unsigned n_args;
} Reader;

static const char *attribute(const char **names, const char **values, const char *name,
                             const char *otherwise)
{
    for (; *names != NULL; names++, values++)
        if (strcmp(*names, name) == 0)
            return *values;
    return otherwise;
}

static void add_line(Reader *reader, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void add_line(Reader *reader, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *what = g_strdup_vprintf(format, args);
    va_end(args);
    g_ptr_array_add(reader->lines,
                    g_strdup_printf("%s%s%s %s", reader->interface,
                                    reader->member != NULL ? "." : "",
                                    reader->member != NULL ? reader->member : "", what));
}

static void on_start(GMarkupParseContext *context, const char *element, const char **names,
                     const char **values, void *data, GError **error)
{
    Reader *reader = data;
    const char *name = attribute(names, values, "name", "");
    if (strcmp(element, "interface") == 0 && g_str_has_prefix(name, "org.sourceos.")) {
        reader->interface = g_strdup(name);
        add_line(reader, "interface");
    }
    if (reader->interface == NULL)
        return;
    if (strcmp(element, "arg") == 0) {
        bool of_signal =
            strcmp(g_markup_parse_context_get_element_stack(context)->next->data, "signal") == 0;
        add_line(reader, "arg %u: %s %s %s", reader->n_args++, name,
                 attribute(names, values, "type", ""),
                 attribute(names, values, "direction", of_signal ? "out" : "in"));
    } else if (strcmp(element, "annotation") == 0) {
        add_line(reader, "annotation %s=%s", name, attribute(names, values, "value", ""));
    } else if (strcmp(element, "interface") != 0) {
        reader->member = g_strdup(name);
        reader->n_args = 0;
        add_line(reader, "%s %s %s", element, attribute(names, values, "type", ""),
                 attribute(names, values, "access", ""));
    }
}

static void on_end(GMarkupParseContext *context, const char *element, void *data, GError **error)
{
    Reader *reader = data;
    if (strcmp(element, "interface") == 0)
        g_clear_pointer(&reader->interface, g_free);
    else if (strcmp(element, "arg") != 0 && strcmp(element, "annotation") != 0)
        g_clear_pointer(&reader->member, g_free);
}

static int compare_lines(const void *one, const void *other)
{
    return strcmp(*(const char *const *)one, *(const char *const *)other);
}

static void read_document(Reader *reader, const char *text)
{
    static const GMarkupParser parser = {.start_element = on_start, .end_element = on_end};
    g_autoptr(GError) error = NULL;
    GMarkupParseContext *context = g_markup_parse_context_new(&parser, 0, reader, NULL);
    g_markup_parse_context_parse(context, text, -1, &error);
    g_assert_no_error(error);
    g_markup_parse_context_free(context);
}

static char *finish(Reader *reader)
{
    g_ptr_array_sort(reader->lines, compare_lines);
    g_ptr_array_add(reader->lines, NULL);
    char *text = g_strjoinv("\n", (char **)reader->lines->pdata);
    g_ptr_array_unref(reader->lines);
    return text;
}

static void reader_init(Reader *reader)
{
    *reader = (Reader){.lines = g_ptr_array_new_with_free_func(g_free)};
}

static void read_contract(Reader *reader, const char *interface)
{
    g_autofree char *name = g_strconcat(interface, ".xml", NULL);
    g_autofree char *path = g_test_build_filename(G_TEST_DIST, "introspection", name, NULL);
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    g_file_get_contents(path, &text, NULL, &error);
    g_assert_no_error(error);
    read_document(reader, text);
}

/* ---- an instance at the other end of a socket pair ---- */

typedef struct {
    char *directory;
    SyncdService *service;
    sd_event *event;
    sd_bus *server;
    sd_bus *client;
    SyncdBus *bus;
} Pair;

static SyncdService *make_service(SyncdInstance instance, const char *directory)
{
    g_autoptr(GError) error = NULL;
    SyncdStore *store = syncd_store_open(&(SyncdStoreOptions){.directory = directory,
                                                              .mode = SYNCD_STORE_CREATE,
                                                              .sources = syncd_sources_system()},
                                         &error);
    g_assert_no_error(error);
    SyncdService *service =
        syncd_service_new(instance, geteuid(), store, syncd_sources_system(), &error);
    g_assert_no_error(error);
    return service;
}

static void start(sd_bus **bus, int fd, bool server, sd_event *event)
{
    sd_id128_t id = SD_ID128_MAKE(01, 23, 45, 67, 89, ab, cd, ef, 01, 23, 45, 67, 89, ab, cd, ef);
    g_assert_cmpint(sd_bus_new(bus), >=, 0);
    g_assert_cmpint(sd_bus_set_fd(*bus, fd, fd), >=, 0);
    if (server)
        g_assert_cmpint(sd_bus_set_server(*bus, true, id), >=, 0);
    g_assert_cmpint(sd_bus_start(*bus), >=, 0);
    g_assert_cmpint(sd_bus_attach_event(*bus, event, 0), >=, 0);
}

static void pair_init(Pair *pair, SyncdInstance instance)
{
    int ends[2];
    g_autoptr(GError) error = NULL;
    pair->directory = g_dir_make_tmp("syncd-introspection-XXXXXX", NULL);
    pair->service = make_service(instance, pair->directory);
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), ==,
                    0);
    g_assert_cmpint(sd_event_new(&pair->event), >=, 0);
    start(&pair->server, ends[0], true, pair->event);
    start(&pair->client, ends[1], false, pair->event);
    pair->bus = syncd_bus_new(pair->server, pair->service,
                              &(SyncdBusOptions){.instance = instance, .uid = geteuid()}, &error);
    g_assert_no_error(error);
}

static void remove_tree(const char *path)
{
    const char *const command[] = {"rm", "-rf", "--", path, NULL};
    g_assert_true(g_spawn_sync(NULL, (char **)command, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL,
                               NULL, NULL, NULL));
}

static void pair_clear(Pair *pair)
{
    syncd_bus_free(pair->bus);
    sd_bus_close_unref(pair->client);
    sd_bus_close_unref(pair->server);
    sd_event_unref(pair->event);
    syncd_service_free(pair->service);
    remove_tree(pair->directory);
    g_free(pair->directory);
}

static int on_reply(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error)
{
    const char *text = NULL;
    g_assert_false(sd_bus_message_is_method_error(reply, NULL));
    g_assert_cmpint(sd_bus_message_read(reply, "s", &text), >=, 0);
    *(char **)userdata = g_strdup(text);
    return 0;
}

static char *introspect(Pair *pair, const char *path)
{
    char *text = NULL;
    g_assert_cmpint(sd_bus_call_method_async(pair->client, NULL, NULL, path,
                                             "org.freedesktop.DBus.Introspectable", "Introspect",
                                             on_reply, &text, NULL),
                    >=, 0);
    while (text == NULL)
        g_assert_cmpint(sd_event_run(pair->event, GIVE_UP_USEC), >, 0);
    return text;
}

/* The verification that begins with the service. */
static char *introspect_job(Pair *pair)
{
    g_autoptr(GPtrArray) jobs = syncd_service_jobs(pair->service);
    g_assert_cmpuint(jobs->len, ==, 1);
    g_autofree char *path = syncd_job_path(jobs->pdata[0]);
    return introspect(pair, path);
}

/* ---- promises ---- */

static void compare(const char *served_text, const char *const *interfaces)
{
    Reader served, contract;
    reader_init(&served);
    reader_init(&contract);
    read_document(&served, served_text);
    for (; *interfaces != NULL; interfaces++)
        read_contract(&contract, *interfaces);
    g_autofree char *one = finish(&served), *other = finish(&contract);
    g_assert_cmpstr(one, ==, other);
}

static void the_root_object_is_as_described(const void *instance)
{
    static const char *const interfaces[] = {SYNCD_INTERFACE_MANAGER,  SYNCD_INTERFACE_OPERATIONS,
                                             SYNCD_INTERFACE_REGISTRY, SYNCD_INTERFACE_WORKSPACES,
                                             SYNCD_INTERFACE_REPAIR,   NULL};
    Pair pair;
    pair_init(&pair, *(const SyncdInstance *)instance);
    g_autofree char *text = introspect(&pair, SYNCD_PATH_ROOT);
    compare(text, interfaces);
    g_assert_nonnull(strstr(text, "org.freedesktop.DBus.ObjectManager"));
    pair_clear(&pair);
}

static void a_job_is_as_described(void)
{
    static const char *const interfaces[] = {SYNCD_INTERFACE_JOB, NULL};
    Pair pair;
    pair_init(&pair, SYNCD_INSTANCE_USER);
    g_autofree char *text = introspect_job(&pair);
    compare(text, interfaces);
    pair_clear(&pair);
}

static void a_job_of_the_system_instance_shows_nothing(void)
{
    Pair pair;
    pair_init(&pair, SYNCD_INSTANCE_SYSTEM);
    g_autofree char *text = introspect_job(&pair);
    const char *ours = strstr(text, "<interface name=\"" SYNCD_INTERFACE_JOB);
    g_assert_nonnull(ours);
    g_assert_nonnull(strstr(ours, "\"Describe\""));
    g_assert_nonnull(strstr(ours, "\"Cancel\""));
    g_assert_null(strstr(ours, "<property"));
    g_assert_null(strstr(ours, "<signal"));

    /* Nor does its path appear where everybody can look. */
    g_autofree char *parent = introspect(&pair, SYNCD_PATH_JOBS);
    g_assert_null(strstr(parent, "<node name=\"job"));
    pair_clear(&pair);
}

static void a_difference_is_found(void)
{
    Reader one, other;
    reader_init(&one);
    reader_init(&other);
    read_document(&one, "<node><interface name='org.sourceos.X'><method name='M'>"
                        "<arg name='a' type='s' direction='in'/></method></interface></node>");
    read_document(&other, "<node><interface name='org.sourceos.X'><method name='M'>"
                          "<arg name='b' type='s'/></method></interface></node>");
    g_autofree char *left = finish(&one), *right = finish(&other);
    g_assert_cmpstr(left, !=, right);
}

int main(int argc, char **argv)
{
    static const SyncdInstance user = SYNCD_INSTANCE_USER, system = SYNCD_INSTANCE_SYSTEM;
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/introspection/the-root-object-is-as-described/user", &user,
                         the_root_object_is_as_described);
    g_test_add_data_func("/introspection/the-root-object-is-as-described/system", &system,
                         the_root_object_is_as_described);
    g_test_add_func("/introspection/a-job-is-as-described", a_job_is_as_described);
    g_test_add_func("/introspection/a-job-of-the-system-instance-shows-nothing",
                    a_job_of_the_system_instance_shows_nothing);
    g_test_add_func("/introspection/a-difference-is-found", a_difference_is_found);
    return g_test_run();
}
