#include "domain/migration.h"

#include "base/json-writer.h"
#include "contract/check.h"
#include "domain/attestation.h"
#include "domain/family.h"
#include "domain/migration-steps.h"

#include <string.h>

/* ---- reading ---- */

static void end_clear(SyncdMigrationEnd *end)
{
    g_free(end->schema_id);
    g_free(end->schema_version);
}

void syncd_migration_free(SyncdMigration *migration)
{
    if (migration == NULL)
        return;
    g_free(migration->id);
    g_free(migration->author);
    end_clear(&migration->from);
    end_clear(&migration->to);
    g_ptr_array_unref(migration->steps);
    g_free(migration);
}

static bool read_steps(SyncdMigration *migration, SyncdJson steps, const char *where,
                       GError **error)
{
    SyncdJsonIter iter;
    SyncdJson step;
    syncd_json_iter_init(&iter, steps);
    while (syncd_json_iter_next(&iter, NULL, &step)) {
        SyncdMigrationStep *read = syncd_migration_step_read(step, migration->steps->len, error);
        if (read == NULL) {
            g_prefix_error(error, "%s", where);
            return false;
        }
        g_ptr_array_add(migration->steps, read);
    }
    return true;
}

SyncdMigration *syncd_migration_read(SyncdJson manifest, const char *where, GError **error)
{
    if (!syncd_contract_demand(SYNCD_MIGRATION_SCHEMA, manifest, where, error))
        return NULL;
    g_autoptr(SyncdMigration) migration = g_new0(SyncdMigration, 1);
    migration->id = syncd_record_member(manifest, "migration_id");
    migration->author = syncd_record_member(manifest, "author");
    migration->from = (SyncdMigrationEnd){syncd_record_member(manifest, "from_schema_id"),
                                          syncd_record_member(manifest, "from_schema_version")};
    migration->to = (SyncdMigrationEnd){syncd_record_member(manifest, "to_schema_id"),
                                        syncd_record_member(manifest, "to_schema_version")};
    migration->steps = g_ptr_array_new_with_free_func((GDestroyNotify)syncd_migration_step_free);
    return read_steps(migration, syncd_json_member(manifest, "steps"), where, error)
               ? g_steal_pointer(&migration)
               : NULL;
}

int syncd_schema_version_compare(const char *left, const char *right)
{
    while (*left != '\0' && *right != '\0') {
        if (g_ascii_isdigit(*left) && g_ascii_isdigit(*right)) {
            char *left_end, *right_end;
            guint64 one = g_ascii_strtoull(left, &left_end, 10);
            guint64 other = g_ascii_strtoull(right, &right_end, 10);
            if (one != other)
                return one < other ? -1 : 1;
            left = left_end;
            right = right_end;
        } else if (*left != *right) {
            return *left < *right ? -1 : 1;
        } else {
            left++;
            right++;
        }
    }
    return (*left != '\0') - (*right != '\0');
}

char *syncd_migration_end_name(const SyncdMigrationEnd *end)
{
    return g_strconcat(end->schema_id, "@", end->schema_version, NULL);
}

/* ---- the way back ---- */

GPtrArray *syncd_migration_losses(const SyncdMigration *migration)
{
    GPtrArray *losses = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < migration->steps->len; i++) {
        const SyncdMigrationStep *step = migration->steps->pdata[i];
        SyncdMigrationStep *inverse = syncd_migration_step_invert(step);
        if (inverse == NULL)
            g_ptr_array_add(losses, g_strdup(step->pointer));
        syncd_migration_step_free(inverse);
    }
    return losses;
}

static SyncdMigrationEnd end_dup(const SyncdMigrationEnd *end)
{
    return (SyncdMigrationEnd){g_strdup(end->schema_id), g_strdup(end->schema_version)};
}

SyncdMigration *syncd_migration_invert(const SyncdMigration *migration)
{
    g_autoptr(SyncdMigration) back = g_new0(SyncdMigration, 1);
    back->id = g_strdup(migration->id);
    back->author = g_strdup(migration->author);
    back->from = end_dup(&migration->to);
    back->to = end_dup(&migration->from);
    back->steps = g_ptr_array_new_with_free_func((GDestroyNotify)syncd_migration_step_free);
    for (guint i = migration->steps->len; i-- > 0;) {
        SyncdMigrationStep *inverse = syncd_migration_step_invert(migration->steps->pdata[i]);
        if (inverse == NULL)
            return NULL;
        g_ptr_array_add(back->steps, inverse);
    }
    return g_steal_pointer(&back);
}

/* ---- running ---- */

void syncd_migration_fault_clear(SyncdMigrationFault *fault)
{
    g_clear_pointer(&fault->path, g_free);
}

static GString *set_end(const SyncdMigrationEnd *end, SyncdJson document)
{
    SyncdJsonIter iter;
    SyncdJson name, value;
    SyncdJsonWriter writer;
    GString *out = g_string_new(NULL);
    syncd_json_writer_init(&writer, out, false);
    syncd_json_begin_object(&writer);
    syncd_json_iter_init(&iter, document);
    while (syncd_json_iter_next(&iter, &name, &value))
        if (!syncd_json_is(name, "schema_id") && !syncd_json_is(name, "schema_version"))
            syncd_json_member_copy(&writer, name, value);
    syncd_json_member_string(&writer, "schema_id", end->schema_id);
    syncd_json_member_string(&writer, "schema_version", end->schema_version);
    syncd_json_end_object(&writer);
    return out;
}

static GString *fail(SyncdMigrationFault *ret_fault, const char *pointer, const char *sentence)
{
    *ret_fault = (SyncdMigrationFault){g_strdup(pointer), sentence};
    return NULL;
}

GString *syncd_migration_run(const SyncdMigration *migration, SyncdJson document,
                             SyncdMigrationFault *ret_fault)
{
    g_autoptr(GString) text = set_end(&migration->to, document);
    for (guint i = 0; i < migration->steps->len; i++) {
        const SyncdMigrationStep *step = migration->steps->pdata[i];
        g_autoptr(GString) next = g_string_new(NULL);
        const char *sentence =
            syncd_migration_step_run(step, syncd_json_root(text->str, text->len), next);
        if (sentence != NULL)
            return fail(ret_fault, step->pointer, sentence);
        if (next->len > SYNCD_MIGRATION_DOCUMENT_MAX)
            return fail(ret_fault, step->pointer, "makes the record larger than 64 KiB");
        if (!syncd_json_check(next->str, next->len, SYNCD_JSON_MUST_BE_OBJECT, NULL))
            return fail(ret_fault, step->pointer, "makes the record deeper than 64 levels");
        g_string_free(g_steal_pointer(&text), TRUE);
        text = g_steal_pointer(&next);
    }
    return g_steal_pointer(&text);
}

bool syncd_migration_leads_back(const SyncdMigration *back, SyncdJson before, SyncdJson after)
{
    g_auto(SyncdMigrationFault) fault = {0};
    g_autoptr(GString) again = syncd_migration_run(back, after, &fault);
    if (again == NULL)
        return false;
    SyncdHash one = syncd_hash_canonical(before);
    SyncdHash other = syncd_hash_canonical(syncd_json_root(again->str, again->len));
    return memcmp(&one, &other, sizeof one) == 0;
}

/* ---- the manifest ---- */

bool syncd_migration_lets(SyncdJson manifest, const char *program, const char *document,
                          const char *right)
{
    SyncdJsonIter iter;
    SyncdJson row;
    bool may = false;
    syncd_json_iter_init(&iter, syncd_json_member(manifest, "compatibility"));
    while (syncd_json_iter_next(&iter, NULL, &row))
        if (syncd_json_is(syncd_json_member(row, "program"), program) &&
            syncd_json_is(syncd_json_member(row, "document"), document))
            may = syncd_json_member(row, right).type == SYNCD_JSON_TRUE;
    return may;
}

static bool is_authored(SyncdJson name)
{
    g_autofree char *text = syncd_json_dup_text(name);
    return text == NULL || strcmp(text, "schema") == 0 ||
           !syncd_family_stamps(syncd_family(SYNCD_FAMILY_MIGRATION), text);
}

void syncd_migration_authored(SyncdJson manifest, GString *out)
{
    SyncdJsonIter iter;
    SyncdJson name, value;
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, out, false);
    syncd_json_begin_object(&writer);
    syncd_json_iter_init(&iter, manifest);
    while (syncd_json_iter_next(&iter, &name, &value))
        if (is_authored(name))
            syncd_json_member_copy(&writer, name, value);
    syncd_json_end_object(&writer);
}

void syncd_migration_digest(SyncdJson manifest, char ret_digest[SYNCD_DIGEST_SIZE])
{
    g_autoptr(GString) authored = g_string_new(NULL), message = g_string_new(NULL);
    syncd_migration_authored(manifest, authored);
    syncd_attestation_message(syncd_json_root(authored->str, authored->len), message);
    SyncdHash hash = syncd_hash(message->str, message->len);
    syncd_hash_to_digest(&hash, ret_digest);
}
