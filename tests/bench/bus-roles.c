#include "bus-roles.h"

#include "crypto/hash.h"
#include "crypto/seal.h"
#include "measure.h"
#include "population.h"

#include <sodium.h>
#include <sqlite3.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>
#include <unistd.h>

/* ---- raw rows: what one durable row costs on this disk ---- */

static sqlite3 *open_raw(const char *directory, const char *name)
{
    sqlite3 *db;
    g_autofree char *path = g_build_filename(directory, name, NULL);
    if (sqlite3_open(path, &db) != SQLITE_OK ||
        sqlite3_exec(db,
                     "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL;"
                     "PRAGMA synchronous = FULL;"
                     "CREATE TABLE IF NOT EXISTS row (id INTEGER PRIMARY KEY, body BLOB)",
                     NULL, NULL, NULL) != SQLITE_OK)
        g_error("%s: %s", path, sqlite3_errmsg(db));
    return db;
}

/* DIRECTORY N: prints rows a second, and the seconds that the middle one took. */
static int play_raw(char **arguments)
{
    unsigned n = (unsigned)g_ascii_strtoull(arguments[1], NULL, 10);
    sqlite3 *db = open_raw(arguments[0], "raw.db");
    sqlite3_stmt *insert;
    char body[POPULATION_BODY] = "x";
    g_autofree double *took = g_new0(double, n);
    sqlite3_prepare_v2(db, "INSERT INTO row (body) VALUES (?)", -1, &insert, NULL);
    gint64 begin = g_get_monotonic_time();
    for (unsigned i = 0; i < n; i++) {
        gint64 row = g_get_monotonic_time();
        sqlite3_bind_blob(insert, 1, body, sizeof body, SQLITE_STATIC);
        if (sqlite3_step(insert) != SQLITE_DONE)
            g_error("a row cannot be written: %s", sqlite3_errmsg(db));
        sqlite3_reset(insert);
        took[i] = seconds_since(row);
    }
    printf("%f %.9f\n", n / seconds_since(begin), median_of(took, n));
    sqlite3_finalize(insert);
    sqlite3_close(db);
    return 0;
}

/* ---- on the bus ---- */

/* As the daemon connects. */
static void serve(const char *address, const char *name, const sd_bus_vtable *vtable, void *data)
{
    sd_bus *bus = NULL;
    sd_event *event = NULL;
    int r = sd_event_new(&event);
    if (r >= 0)
        r = sd_bus_new(&bus);
    if (r >= 0)
        r = sd_bus_set_address(bus, address);
    if (r >= 0)
        r = sd_bus_set_bus_client(bus, true);
    if (r >= 0)
        r = sd_bus_negotiate_fds(bus, false);
    if (r >= 0)
        r = sd_bus_start(bus);
    if (r >= 0 && vtable != NULL)
        r = sd_bus_add_object_vtable(bus, NULL, ROLE_ECHO_PATH, ROLE_ECHO_INTERFACE, vtable, data);
    if (r >= 0)
        r = sd_bus_attach_event(bus, event, SD_EVENT_PRIORITY_NORMAL);
    if (r >= 0)
        r = sd_bus_request_name(bus, name, 0);
    if (r < 0)
        g_error("%s cannot be served: %s", name, g_strerror(-r));
    sd_event_loop(event);
}

typedef struct {
    char *bytes;
    gsize size;
} Precomputed;

static int answer_text(sd_bus_message *call, void *userdata, sd_bus_error *ret_error)
{
    return sd_bus_reply_method_return(call, "s", ((Precomputed *)userdata)->bytes);
}

static int answer_bytes(sd_bus_message *call, void *userdata, sd_bus_error *ret_error)
{
    const Precomputed *precomputed = userdata;
    sd_bus_message *reply = NULL;
    int r = sd_bus_message_new_method_return(call, &reply);
    if (r >= 0)
        r = sd_bus_message_append_array(reply, 'y', precomputed->bytes, precomputed->size);
    if (r >= 0)
        r = sd_bus_message_append(reply, "s", "");
    if (r >= 0)
        r = sd_bus_send(NULL, reply, NULL);
    sd_bus_message_unref(reply);
    return r < 0 ? r : 1;
}

static const sd_bus_vtable echo_vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD("Text", "sa{sv}", "s", answer_text, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("Bytes", "a{sv}", "ays", answer_bytes, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_VTABLE_END,
};

/* ADDRESS FILE: answers every call with the bytes of the file. */
static int play_echo(char **arguments)
{
    Precomputed precomputed = {0};
    if (!g_file_get_contents(arguments[1], &precomputed.bytes, &precomputed.size, NULL))
        g_error("%s cannot be read", arguments[1]);
    serve(arguments[0], ROLE_ECHO_NAME, echo_vtable, &precomputed);
    return 0;
}

/* ADDRESS DIRECTORY: uses each library that the daemon uses once, and does nothing. */
static int play_empty(char **arguments)
{
    sqlite3 *one = open_raw(arguments[1], "empty-1.db"),
            *other = open_raw(arguments[1], "empty-2.db");
    (void)syncd_crypto_init(NULL);
    (void)syncd_hash("", 0);
    serve(arguments[0], ROLE_EMPTY_NAME, NULL, NULL);
    sqlite3_close(one);
    sqlite3_close(other);
    return 0;
}

/* ---- a population ---- */

/* STATE N: adds entries to the state of a daemon that is not running. */
static int play_fill(char **arguments)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *identity = g_strdup_printf("uid:%u", (unsigned)geteuid());
    g_autofree char *actor = NULL;
    SyncdStoreOptions options = {
        .directory = arguments[0],
        .mode = SYNCD_STORE_OPEN,
        .sources = syncd_sources_system(),
    };
    g_autoptr(SyncdStore) store =
        syncd_crypto_init(&error) ? syncd_store_open(&options, &error) : NULL;
    if (store != NULL && syncd_store_find_actor(store, identity, &actor, &error) &&
        population_write(store, actor, syncd_store_device_id(store),
                         (unsigned)g_ascii_strtoull(arguments[1], NULL, 10), &error))
        return 0;
    g_printerr("%s\n", error->message);
    return 1;
}

static const struct {
    const char *name;
    int (*play)(char **arguments);
} roles[] = {
    {"raw", play_raw},
    {"echo", play_echo},
    {"empty", play_empty},
    {"fill", play_fill},
};

bool role_play(int argc, char **argv, int *ret_status)
{
    for (size_t i = 0; argc == 4 && i < G_N_ELEMENTS(roles); i++) {
        if (strcmp(argv[1], roles[i].name) != 0)
            continue;
        *ret_status = roles[i].play(argv + 2);
        return true;
    }
    return false;
}
