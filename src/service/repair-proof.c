/* The proof that the log is still the one that there was when a plan was made, and has only grown.
 */
#include "service/repair-private.h"

#include "store/repair-store.h"

void syncd_prefix_clear(SyncdPrefix *prefix)
{
    g_clear_pointer(&prefix->now, syncd_head_free);
    g_clear_pointer(&prefix->path, g_array_unref);
}

bool syncd_repair_read_prefix(const SyncdRepairPlan *plan, const SyncdRepairHead *head,
                              SyncdPrefix *ret_prefix, GError **error)
{
    g_autoptr(GError) problem = NULL;
    *ret_prefix = (SyncdPrefix){NULL};
    if (syncd_store_prove_prefix(plan->service->store, head->feed, head->size, &head->root,
                                 &ret_prefix->holds, &ret_prefix->now, &ret_prefix->path, &problem))
        return true;
    ret_prefix->gone = g_error_matches(problem, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND);
    g_propagate_error(error, g_steal_pointer(&problem));
    return false;
}

bool syncd_repair_is_proven(const SyncdRepairPlan *plan)
{
    for (guint i = 0; i < plan->heads->len; i++) {
        g_auto(SyncdPrefix) prefix = {NULL};
        if (!syncd_repair_read_prefix(plan, &g_array_index(plan->heads, SyncdRepairHead, i),
                                      &prefix, NULL) ||
            !prefix.holds)
            return false;
    }
    return true;
}

/* ---- in a report ---- */

static void write_hash(SyncdJsonWriter *writer, const char *name, const SyncdHash *hash)
{
    char hex[SYNCD_HASH_HEX_SIZE];
    syncd_hash_to_hex(hash, hex);
    if (name != NULL)
        syncd_json_name(writer, name);
    syncd_json_string(writer, hex);
}

static void write_known(SyncdJsonWriter *writer, const SyncdPrefix *prefix)
{
    syncd_json_member_uint(writer, "size", prefix->now->size);
    write_hash(writer, "root", &prefix->now->root);
    syncd_json_member_bool(writer, "is_prefix", prefix->holds);
    syncd_json_name(writer, "consistency");
    syncd_json_begin_array(writer);
    for (guint i = 0; i < prefix->path->len; i++)
        write_hash(writer, NULL, &g_array_index(prefix->path, SyncdHash, i));
    syncd_json_end_array(writer);
    syncd_json_member_string(writer, "note", prefix->now->note);
}

static void write_head(const SyncdRepairPlan *plan, const SyncdRepairHead *before,
                       SyncdJsonWriter *writer)
{
    g_auto(SyncdPrefix) prefix = {NULL};
    bool known = syncd_repair_read_prefix(plan, before, &prefix, NULL);
    syncd_json_begin_object(writer);
    syncd_json_member_string(writer, "feed", before->feed);
    syncd_json_member_uint(writer, "planned_size", before->size);
    write_hash(writer, "planned_root", &before->root);
    if (known)
        write_known(writer, &prefix);
    else
        syncd_json_member_null(writer, "is_prefix"); /* nothing proves it, or the contrary */
    syncd_json_end_object(writer);
}

void syncd_repair_write_proof(const SyncdRepairPlan *plan, SyncdJsonWriter *writer)
{
    syncd_json_name(writer, "log");
    syncd_json_begin_array(writer);
    for (guint i = 0; i < plan->heads->len; i++)
        write_head(plan, &g_array_index(plan->heads, SyncdRepairHead, i), writer);
    syncd_json_end_array(writer);
}
