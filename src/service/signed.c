#include "service/internal.h"

#include "base/timestamp.h"
#include "crypto/sign.h"

#define DOMAIN "sourceos-signed-request-v1"

static bool refuse(SyncdService *service, const SyncdCaller *caller, const char *reason,
                   GError **error, const char *what)
{
    syncd_service_note_refusal(service, caller, "write", reason);
    syncd_set_error_next(error, SYNCD_ERROR_ACCESS_DENIED,
                         "sign the request's exact bytes as sourceos-syncd's format.md says",
                         "%s (%s)", what, reason);
    return false;
}

/* ---- what is signed ---- */

static void add_part(GString *statement, SyncdBytes part)
{
    g_string_append_printf(statement, "%" G_GSIZE_FORMAT ":", part.size);
    if (part.size > 0)
        g_string_append_len(statement, part.data, (gssize)part.size);
    g_string_append_c(statement, '\n');
}

GString *syncd_signed_statement(const char *device, const SyncdSigned *claim, const char *method,
                                const char *idempotency_key, const SyncdBytes *parts,
                                size_t n_parts)
{
    GString *statement = g_string_new(DOMAIN "\n");
    char expires[24];
    g_snprintf(expires, sizeof expires, "%" G_GUINT64_FORMAT, claim->expires_usec);
    const char *const heads[] = {device, claim->actor, expires, method, idempotency_key};
    for (size_t i = 0; i < G_N_ELEMENTS(heads); i++)
        add_part(statement, SYNCD_BYTES_TEXT(heads[i]));
    for (size_t i = 0; i < n_parts; i++)
        add_part(statement, parts[i]);
    return statement;
}

/* ---- whether it holds ---- */

static bool read_signature(const char *text, SyncdSignature *ret_signature)
{
    gsize size = 0;
    g_autofree guchar *bytes = NULL;
    if (text == NULL || strlen(text) != 4 * ((SYNCD_SIGNATURE_SIZE + 2) / 3))
        return false;
    bytes = g_base64_decode(text, &size);
    g_autofree char *again = g_base64_encode(bytes, size);
    if (size != SYNCD_SIGNATURE_SIZE || strcmp(again, text) != 0)
        return false;
    memcpy(ret_signature->bytes, bytes, size);
    return true;
}

/* Long enough to arrive, too short to be kept for a better day. */
static bool is_in_time(const SyncdService *service, const SyncdSigned *claim)
{
    guint64 now = syncd_service_entry_ms(service) * 1000;
    return claim->expires_usec > now && claim->expires_usec - now <= SYNCD_CLAIM_USEC_MAX;
}

/* Clocks may differ: the log's time is never behind its entries. */
static bool refuse_late(SyncdService *service, const SyncdCaller *caller, GError **error)
{
    char now[SYNCD_TIME_SIZE];
    syncd_time_format_ms(syncd_service_entry_ms(service), now);
    g_autofree char *what = g_strdup_printf("The signed request has expired, or expires more than "
                                            "an hour from now, which is %s here",
                                            now);
    return refuse(service, caller, "capability_expired", error, what);
}

bool syncd_service_heed_claim(SyncdService *service, const SyncdCaller *caller,
                              const SyncdSigned *claim, const char *method,
                              const char *idempotency_key, const SyncdBytes *parts, size_t n_parts,
                              SyncdCaller *ret_caller, GError **error)
{
    g_autoptr(SyncdMandate) mandate = NULL;
    SyncdPublicKey key;
    SyncdSignature signature;
    *ret_caller = *caller;
    ret_caller->agent = NULL;
    if (claim->actor == NULL && claim->signature == NULL && claim->expires_usec == 0)
        return true;
    if (service->instance == SYNCD_INSTANCE_SYSTEM)
        return refuse(service, caller, "signature_invalid", error,
                      "The system instance knows actors by their uid only");
    if (claim->actor == NULL || !syncd_id_is_token(claim->actor, strlen(claim->actor)) ||
        idempotency_key == NULL)
        return refuse(service, caller, "signature_invalid", error,
                      "A signed request has an actor, a signature, the time it expires and an "
                      "idempotency key");
    if (!syncd_service_mandate_of_actor(service, claim->actor, &mandate, error))
        return false;
    if (mandate == NULL || !syncd_mandate_key(mandate, &key))
        return refuse(service, caller, "agent_untrusted", error,
                      "There is no actor of that id with a key that requests are signed with");
    if (!is_in_time(service, claim))
        return refuse_late(service, caller, error);
    g_autoptr(GString) statement = syncd_signed_statement(
        syncd_store_device_id(service->store), claim, method, idempotency_key, parts, n_parts);
    if (!read_signature(claim->signature, &signature) ||
        !syncd_signature_verify(&signature, &key, statement->str, statement->len))
        return refuse(service, caller, "signature_invalid", error,
                      "The signature is not that of the actor over this request");
    ret_caller->agent = claim->actor;
    ret_caller->expires_usec = claim->expires_usec;
    SyncdHash hash = syncd_hash(statement->str, statement->len);
    syncd_hash_to_digest(&hash, ret_caller->request);
    return true;
}

/* ---- once ---- */

char *syncd_signed_key(const SyncdCaller *caller)
{
    return caller->agent != NULL ? g_strconcat("signed:", caller->request, NULL) : NULL;
}

bool syncd_service_check_unspent(SyncdService *service, const SyncdCaller *caller,
                                 const char *actor, const char *key, GError **error)
{
    guint64 pos;
    if (key == NULL)
        return true;
    if (!syncd_store_find_key(service->store, actor, syncd_store_device_id(service->store), key,
                              &pos, error))
        return false;
    return pos == 0 || refuse(service, caller, "signature_invalid", error,
                              "The signature was used for this request before");
}

bool syncd_service_act_as(SyncdService *service, const SyncdCaller *caller,
                          const SyncdSigned *claim, const SyncdSignedRequest *request,
                          SyncdCaller *ret_caller, GError **error)
{
    size_t n = request->n_arguments;
    const char *key = request->idempotency_key != NULL ? request->idempotency_key : "";
    g_autofree SyncdBytes *parts = g_new0(SyncdBytes, n + 1);
    for (size_t i = 0; i < n; i++)
        parts[i] = SYNCD_BYTES_TEXT(request->arguments[i] != NULL ? request->arguments[i] : "");
    if (request->body.data != NULL)
        parts[n++] = request->body;
    return syncd_service_heed_claim(service, caller, claim, request->method, key, parts, n,
                                    ret_caller, error);
}
