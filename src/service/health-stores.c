/* The stores: which there are, of which version, and what is known of their bytes. */
#include "service/health-facts.h"

#include "config.h"

#include <string.h>

#define FLAGS_TABLE "sourceos-syncd.store-flags/v1"

bool syncd_health_is_unheld(const SyncdHealthFacts *facts)
{
    return facts->store.condition == SYNCD_STORE_DAMAGED ||
           facts->store.condition == SYNCD_STORE_UNREADABLE ||
           facts->store.condition == SYNCD_STORE_DISPLACED ||
           facts->store.condition == SYNCD_STORE_ROLLED_BACK || facts->unheld > 0;
}

bool syncd_health_is_damaged(const SyncdHealthFacts *facts)
{
    return syncd_health_is_unheld(facts) || facts->findings > 0;
}

/* Each entry must have been read, in this run or in one that this one continues. */
const char *syncd_health_checksum_state(const SyncdHealthFacts *facts)
{
    if (facts->unreadable)
        return "unverified";
    if (syncd_health_is_damaged(facts))
        return "mismatch";
    bool all =
        facts->verified.sound_usec != 0 && facts->verified.sound_sequence == facts->store.sequence;
    return all ? "verified" : "unverified";
}

/* ---- flags ---- */

/* The bits of version 1 of the table, from the lowest; a bit is never given another meaning. */
static const char *const flag_names[] = {
    "STORE_DURABLE", "STORE_REBUILDABLE", "STORE_EXCLUSIVE", "STORE_READ_ONLY", "STORE_FAILED",
    "STORE_DAMAGED", "STORE_BUILDING",    "STORE_SHADOWED",  "STORE_NO_ROOM",   "STORE_HAS_COPIES",
};
enum {
    FLAG_DURABLE = 1 << 0,
    FLAG_REBUILDABLE = 1 << 1,
    FLAG_EXCLUSIVE = 1 << 2,
    FLAG_READ_ONLY = 1 << 3,
    FLAG_FAILED = 1 << 4,
    FLAG_DAMAGED = 1 << 5,
    FLAG_BUILDING = 1 << 6,
    FLAG_SHADOWED = 1 << 7,
    FLAG_NO_ROOM = 1 << 8,
    FLAG_HAS_COPIES = 1 << 9,
};

static void write_bits(SyncdJsonWriter *writer, const char *name, guint64 flags, bool known)
{
    syncd_json_name(writer, name);
    syncd_json_begin_array(writer);
    for (unsigned bit = 0; bit < 64; bit++) {
        bool has_name = bit < G_N_ELEMENTS(flag_names);
        if ((flags & (G_GUINT64_CONSTANT(1) << bit)) == 0 || has_name != known)
            continue;
        g_autofree char *number = g_strdup_printf("bit %u", bit);
        syncd_json_string(writer, has_name ? flag_names[bit] : number);
    }
    syncd_json_end_array(writer);
}

static void write_flags(SyncdJsonWriter *writer, guint64 flags)
{
    g_autofree char *hex = g_strdup_printf("0x%" G_GINT64_MODIFIER "x", flags);
    syncd_json_member_string(writer, "flags_table", FLAGS_TABLE);
    syncd_json_member_uint(writer, "flags_raw", flags);
    syncd_json_member_string(writer, "flags_hex", hex);
    write_bits(writer, "flags_decoded", flags, true);
    write_bits(writer, "unknown_flags", flags, false);
}

static guint64 flags_of_condition(const SyncdHealthFacts *facts)
{
    SyncdStoreCondition condition = facts->store.condition;
    guint64 flags = FLAG_EXCLUSIVE;
    if (condition != SYNCD_STORE_WRITABLE)
        flags |= FLAG_READ_ONLY;
    if (condition == SYNCD_STORE_FAILED)
        flags |= FLAG_FAILED;
    if (facts->lacks_room)
        flags |= FLAG_NO_ROOM;
    return flags;
}

/* ---- the stores ---- */

typedef struct {
    const char *name;
    const char *role;
    const char *backend;
    guint32 version;
    const char *migration;
    const char *checksums;
    guint64 flags;
    guint64 generation; /* 0: it has none, or nobody knows */
    bool has_bytes;
    guint64 bytes;
} Store;

static void begin_store(const SyncdHealthFacts *facts, const Store *store, SyncdJsonWriter *writer)
{
    g_autofree char *version =
        store->version > 0 ? g_strdup_printf("%u", store->version) : g_strdup("unknown");
    syncd_json_begin_object(writer);
    syncd_json_member_string(writer, "name", store->name);
    syncd_json_member_string(writer, "role", store->role);
    syncd_json_member_string(writer, "backend", store->backend);
    syncd_json_member_string(writer, "schema_version", version);
    syncd_json_member_string(writer, "runtime_version", SYNCD_VERSION);
    syncd_json_member_string(writer, "previous_runtime_version", facts->runtime.previous_version);
    syncd_json_member_string(writer, "migration_state", store->migration);
    syncd_json_member_string(writer, "checksum_state", store->checksums);
    syncd_json_member_bool(writer, "shadow_present", false);
    write_flags(writer, store->flags);
    if (store->generation > 0)
        syncd_json_member_uint(writer, "active_generation", store->generation);
    if (store->has_bytes)
        syncd_json_member_uint(writer, "bytes", store->bytes);
}

static const char *migration_of(const SyncdHealthFacts *facts)
{
    if (facts->store.journal.version < facts->store.journal.newest)
        return "pending";
    return facts->store.copies > 0 ? "rollback_available" : "none";
}

/* What a verification reads: entries, their bodies, and the chunks that these list. */
static void write_verified(const SyncdHealthFacts *facts, SyncdJsonWriter *writer)
{
    syncd_health_write_time(writer, "verified_at", facts->verified.sound_usec);
    syncd_health_write_time(writer, "verified_whole_at", facts->verified.whole_usec);
    syncd_json_member_uint(writer, "verified_entries", facts->verified.sound_sequence);
    if (facts->unreadable)
        syncd_json_member_null(writer, "entries");
    else
        syncd_json_member_uint(writer, "entries", facts->store.sequence);
}

static void write_journal(const SyncdHealthFacts *facts, SyncdJsonWriter *writer)
{
    Store store = {
        .name = "journal",
        .role = "active",
        .backend = "sqlite",
        .version = facts->store.journal.version,
        .migration = migration_of(facts),
        .checksums = syncd_health_checksum_state(facts),
        .flags = FLAG_DURABLE | flags_of_condition(facts),
        .generation = facts->generation,
        .has_bytes = true,
        .bytes = facts->store.journal.bytes,
    };
    store.flags |= syncd_health_is_damaged(facts) ? FLAG_DAMAGED : 0;
    store.flags |= facts->store.copies > 0 ? FLAG_HAS_COPIES : 0;
    begin_store(facts, &store, writer);
    if (facts->generation > 0 && strcmp(store.checksums, "verified") == 0)
        syncd_json_member_uint(writer, "last_known_good_generation", facts->generation);
    write_verified(facts, writer);
    syncd_json_end_object(writer);
}

static void write_blobs(const SyncdHealthFacts *facts, SyncdJsonWriter *writer)
{
    const Store store = {
        .name = "blobs",
        .role = "active",
        .backend = "files",
        .version = 1,
        .migration = "none",
        .checksums = syncd_health_checksum_state(facts),
        .flags = FLAG_DURABLE | flags_of_condition(facts),
    };
    begin_store(facts, &store, writer);
    write_verified(facts, writer);
    syncd_json_end_object(writer);
}

/* It is compared with the log when somebody has it checked. One that is made beside it is no shadow
 * of the contract's: nothing may rely on it before it is whole and takes the place. */
static void write_index(const SyncdHealthFacts *facts, SyncdJsonWriter *writer)
{
    const SyncdStoreFacts *facts_of = &facts->store;
    Store store = {
        .name = "index",
        .role = facts_of->rebuilding ? "rebuilding" : "active",
        .backend = "sqlite",
        .version = facts_of->index.version,
        .migration = "none",
        .checksums = facts->index_damaged   ? "mismatch"
                     : facts->index_checked ? "verified"
                                            : "unverified",
        .flags = FLAG_REBUILDABLE | FLAG_EXCLUSIVE,
        .has_bytes = facts_of->index.version > 0,
        .bytes = facts_of->index.bytes,
    };
    if (!facts_of->index.there)
        store.role = "quarantined";
    store.flags |= facts_of->rebuilding ? FLAG_BUILDING : 0;
    store.flags |= facts->index_damaged ? FLAG_DAMAGED : 0;
    store.flags |= facts_of->remaking ? FLAG_SHADOWED : 0;
    begin_store(facts, &store, writer);
    syncd_json_member_uint(writer, "unprojected_entries", facts_of->unprojected);
    syncd_json_member_uint(writer, "waiting_entries", facts_of->waiting);
    syncd_json_end_object(writer);
}

void syncd_health_write_stores(const SyncdHealthFacts *facts, SyncdJsonWriter *writer)
{
    syncd_json_name(writer, "stores");
    syncd_json_begin_array(writer);
    if (facts->state_missing == NULL) {
        write_journal(facts, writer);
        if (!facts->offline)
            write_index(facts, writer);
        write_blobs(facts, writer);
    }
    syncd_json_end_array(writer);
}
