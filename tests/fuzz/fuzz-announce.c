/*
 * What actors announce. What is refused is refused as a whole and says why; of what is taken each
 * change is waited for or recorded already, and never more than there may be.
 */
#include "fuzz.h"
#include "scratch-store.h"
#include "scratch.h"

#include "base/json.h"
#include "service/announce.h"
#include "service/internal.h"
#include "service/registries.h"

#define OWNER 1000
#define WORKSPACE "workspace:notes"

static SyncdService *service;
static const SyncdCaller caller = {.uid = OWNER};

static void check_refused(const GError *error)
{
    static const SyncdErrorCode codes[] = {SYNCD_ERROR_INVALID_ENCODING,
                                           SYNCD_ERROR_INVALID_CONTRACT, SYNCD_ERROR_TOO_LARGE,
                                           SYNCD_ERROR_TOO_DEEP, SYNCD_ERROR_LIMITS_EXCEEDED};
    bool known = false;
    for (size_t i = 0; i < G_N_ELEMENTS(codes); i++)
        known |= g_error_matches(error, SYNCD_ERROR, (int)codes[i]);
    LAW(known && g_utf8_validate(error->message, -1, NULL));
    LAW(!syncd_service_has_announcements(service));
}

static guint count(SyncdJson array)
{
    guint n = 0;
    SyncdJsonIter iter;
    syncd_json_iter_init(&iter, array);
    while (syncd_json_iter_next(&iter, NULL, NULL))
        n++;
    return n;
}

static void check_taken(const char *answer, SyncdBytes document)
{
    gint64 announced = -1;
    LAW(syncd_json_check(answer, strlen(answer), SYNCD_JSON_MUST_BE_OBJECT, NULL));
    SyncdJson root = syncd_json_root(answer, strlen(answer));
    SyncdJson recorded = syncd_json_member(root, "already_recorded");
    LAW(syncd_json_get_int64(syncd_json_member(root, "announced"), &announced));
    guint n = count(syncd_json_root(document.data, document.size));
    LAW(n <= SYNCD_ANNOUNCED_AT_ONCE && (guint)announced + count(recorded) == n);
    LAW(syncd_service_has_announcements(service) == (announced > 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GError) error = NULL;
    SyncdBytes document = SYNCD_BYTES(data, size);
    g_autofree char *answer = syncd_service_announce(service, &caller, WORKSPACE, document, &error);
    LAW((answer != NULL) == (error == NULL));
    if (answer != NULL)
        check_taken(answer, document);
    else
        check_refused(error);
    LAW(!syncd_service_has_turn(service));
    /* Each input meets the same. */
    syncd_announcements_free(service->announcements);
    service->announcements = syncd_announcements_new(0);
    return 0;
}

static void close_service(void)
{
    g_clear_pointer(&service, syncd_service_free);
}

static void register_record(const char *kind, const char *record)
{
    g_auto(SyncdRegistered) registered = {0};
    const SyncdRegistryRequest request = {.kind = kind, .record = SYNCD_BYTES_TEXT(record)};
    LAW(syncd_service_register(service, &caller, &request, &registered, NULL));
    syncd_service_commit(service);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    g_autoptr(GError) error = NULL;
    service =
        syncd_service_new(SYNCD_INSTANCE_USER, OWNER, scratch_store(), scratch_sources(), &error);
    LAW(service != NULL);
    register_record("workspace",
                    "{\"workspace_id\":\"" WORKSPACE "\",\"profile_id\":\"profile:default\"}");
    register_record("root", "{\"workspace_id\":\"" WORKSPACE
                            "\",\"directory\":\"/srv/notes\",\"root_state\":\"active\"}");
    atexit(close_service); /* before its directory goes */
    return 0;
}
