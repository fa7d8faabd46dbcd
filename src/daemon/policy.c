#include "daemon/policy.h"

#include "base/log.h"
#include "config.h"
#include "daemon/paths.h"
#include "daemon/policy-kept.h"

#define RETRY_USEC (60u * G_USEC_PER_SEC)
#define RETRY_DOUBLED_MAX 6u /* about an hour */
#define SUBDIRECTORY "policy.d"
#define PACKAGED SYNCD_DATADIR "/sourceos-syncd/policy"

/* The last good rules of a level. */
typedef struct {
    GPtrArray *rules; /* NULL when there were none */
    guint64 since_ms;
    SyncdHash kept;  /* of the bytes that the state keeps; zeros for none */
    GString *unkept; /* what it should keep and does not; NULL for nothing */
    unsigned tries;  /* since it should */
    guint64 retry_usec;
    char *unusable; /* why what the state keeps is of no use; NULL when it was not needed yet */
} Good;

struct SyncdPolicyLoader {
    GArray *directories; /* SyncdPolicyDirectory, ended by a NULL path */
    GPtrArray *paths;    /* owns them */
    SyncdStore *store;   /* NULL: nothing is kept */
    Good good[SYNCD_N_POLICY_LEVELS];
};

/* ---- what the state keeps ---- */

static const char *const kept_names[] = {
    [SYNCD_POLICY_MACHINE] = "policy/machine.json",
    [SYNCD_POLICY_USER] = "policy/user.json",
};

/* The system instance has no rules of a user. */
static bool has_level(const SyncdPolicyLoader *loader, SyncdPolicyLevel level)
{
    const SyncdPolicyDirectory *directory = (const void *)loader->directories->data;
    while (directory->path != NULL && directory->level != level)
        directory++;
    return directory->path != NULL;
}

static bool is_kept(const Good *good)
{
    static const SyncdHash none;
    return !syncd_hash_equal(&good->kept, &none);
}

static void recall(SyncdPolicyLoader *loader, SyncdPolicyLevel level)
{
    g_autoptr(GError) error = NULL;
    size_t size;
    Good *good = &loader->good[level];
    SyncdPolicyKept kept;
    g_autofree char *text =
        syncd_store_kept(loader->store, kept_names[level], SYNCD_POLICY_KEPT_MAX, &size, &error);
    if (text == NULL && g_error_matches(error, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND))
        return;
    if (text == NULL || !syncd_policy_kept_parse(level, SYNCD_BYTES(text, size), &kept, &error)) {
        good->unusable = g_strdup_printf("The last good rules of the %s cannot be used: %s",
                                         syncd_policy_level_name(level), error->message);
        return;
    }
    good->rules = kept.rules;
    good->since_ms = kept.since_ms;
    good->kept = syncd_hash(text, size);
}

static bool try_to_keep(SyncdPolicyLoader *loader, SyncdPolicyLevel level, GError **error)
{
    Good *good = &loader->good[level];
    const GString *text = good->unkept;
    if (!syncd_store_keep(loader->store, kept_names[level], SYNCD_BYTES(text->str, text->len),
                          error))
        return false;
    good->kept = syncd_hash(text->str, text->len);
    g_string_free(g_steal_pointer(&good->unkept), TRUE);
    return true;
}

static void forget_unkept(Good *good)
{
    if (good->unkept != NULL)
        g_string_free(g_steal_pointer(&good->unkept), TRUE);
    good->tries = 0;
    good->retry_usec = 0;
}

/* What cannot be kept is in force all the same. */
static void keep(SyncdPolicyLoader *loader, SyncdPolicyLevel level, const GPtrArray *sources)
{
    Good *good = &loader->good[level];
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) text = syncd_policy_kept_write(level, sources, good->since_ms);
    SyncdHash hash = syncd_hash(text->str, text->len);
    forget_unkept(good);
    if (loader->store == NULL || syncd_hash_equal(&hash, &good->kept))
        return;
    good->kept = (SyncdHash){{0}};
    good->unkept = g_steal_pointer(&text);
    if (!try_to_keep(loader, level, &error))
        syncd_log(SYNCD_LOG_WARNING, SYNCD_LOG_ID_POLICY,
                  "The rules of the %s are in force but cannot be kept for a restart: %s",
                  syncd_policy_level_name(level), error->message);
}

static bool is_due(const Good *good, guint64 now_usec)
{
    return good->unkept != NULL && good->retry_usec <= now_usec;
}

bool syncd_policy_loader_wants_to_keep(const SyncdPolicyLoader *loader, guint64 now_usec)
{
    for (SyncdPolicyLevel level = 0; level < SYNCD_N_POLICY_LEVELS; level++)
        if (is_due(&loader->good[level], now_usec))
            return true;
    return false;
}

bool syncd_policy_loader_keep(SyncdPolicyLoader *loader, guint64 now_usec,
                              SyncdPolicyStanding *standing)
{
    bool any = false;
    for (SyncdPolicyLevel level = 0; level < SYNCD_N_POLICY_LEVELS; level++) {
        Good *good = &loader->good[level];
        if (!is_due(good, now_usec))
            continue;
        good->retry_usec = now_usec + ((guint64)RETRY_USEC << MIN(good->tries, RETRY_DOUBLED_MAX));
        good->tries++;
        if (!try_to_keep(loader, level, NULL))
            continue;
        standing->levels[level].kept = any = true;
        syncd_log(SYNCD_LOG_NOTICE, SYNCD_LOG_ID_POLICY,
                  "The rules of the %s are kept for a restart now.",
                  syncd_policy_level_name(level));
    }
    return any;
}

static void take_good(SyncdPolicyLoader *loader, SyncdPolicyLevel level, GPtrArray *rules,
                      const GPtrArray *sources)
{
    Good *good = &loader->good[level];
    SyncdHash now = syncd_policy_rules_hash(rules), before = {{0}};
    if (good->rules != NULL)
        before = syncd_policy_rules_hash(good->rules);
    if (!syncd_hash_equal(&now, &before))
        good->since_ms = (guint64)g_get_real_time() / 1000;
    g_clear_pointer(&good->rules, g_ptr_array_unref);
    good->rules = g_ptr_array_ref(rules);
    keep(loader, level, sources);
}

/* ---- the loader ---- */

static void add(SyncdPolicyLoader *loader, char *path, SyncdPolicyLevel level, bool own)
{
    const SyncdPolicyDirectory directory = {path, level, own};
    g_ptr_array_add(loader->paths, path);
    g_array_append_val(loader->directories, directory);
}

static void add_own(SyncdPolicyLoader *loader, SyncdInstance of, SyncdPolicyLevel level)
{
    g_autofree char *config = syncd_path_config(of);
    add(loader, g_build_filename(config, SUBDIRECTORY, NULL), level, false);
}

SyncdPolicyLoader *syncd_policy_loader_new(SyncdInstance instance, const char *given,
                                           SyncdStore *store)
{
    SyncdPolicyLoader *loader = g_new0(SyncdPolicyLoader, 1);
    loader->store = store;
    loader->directories = g_array_new(TRUE, TRUE, sizeof(SyncdPolicyDirectory));
    loader->paths = g_ptr_array_new_with_free_func(g_free);
    if (given != NULL) {
        add(loader, g_strdup(given), SYNCD_POLICY_MACHINE, true);
    } else {
        add(loader, g_strdup(PACKAGED), SYNCD_POLICY_MACHINE, false);
        add_own(loader, SYNCD_INSTANCE_SYSTEM, SYNCD_POLICY_MACHINE);
    }
    if (instance == SYNCD_INSTANCE_USER)
        add_own(loader, SYNCD_INSTANCE_USER, SYNCD_POLICY_USER);
    for (SyncdPolicyLevel level = 0; store != NULL && level < SYNCD_N_POLICY_LEVELS; level++)
        if (has_level(loader, level))
            recall(loader, level);
    return loader;
}

void syncd_policy_loader_free(SyncdPolicyLoader *loader)
{
    if (loader == NULL)
        return;
    for (size_t i = 0; i < SYNCD_N_POLICY_LEVELS; i++) {
        g_clear_pointer(&loader->good[i].rules, g_ptr_array_unref);
        g_free(loader->good[i].unusable);
        forget_unkept(&loader->good[i]);
    }
    g_array_unref(loader->directories);
    g_ptr_array_unref(loader->paths);
    g_free(loader);
}

void syncd_policy_loader_add(SyncdPolicyLoader *loader, const char *path, SyncdPolicyLevel level)
{
    add(loader, g_strdup(path), level, true);
}

/* ---- reading ---- */

typedef struct {
    GPtrArray *rules[SYNCD_N_POLICY_LEVELS]; /* borrowed; NULL for none */
    unsigned unusable;
    GString *faults;
} Choice;

static void blame(Choice *choice, const char *fault)
{
    g_string_append_printf(choice->faults, "%s%s", choice->faults->len > 0 ? "; " : "", fault);
}

/* Whether the rules of a level go together with those of the levels before it. */
static bool fits(Choice *choice, SyncdPolicyLevel level, GPtrArray *rules)
{
    g_autoptr(GError) error = NULL;
    GPtrArray *machine =
        level == SYNCD_POLICY_MACHINE ? rules : choice->rules[SYNCD_POLICY_MACHINE];
    GPtrArray *user = level == SYNCD_POLICY_USER ? rules : NULL;
    g_autoptr(SyncdPolicySet) set = syncd_policy_set_new(machine, user, 0, &error);
    if (set == NULL)
        blame(choice, error->message);
    return set != NULL;
}

static bool read_level(SyncdPolicyLoader *loader, SyncdPolicyLevel level, Choice *choice)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) sources = syncd_policy_files_read(
        (const SyncdPolicyDirectory *)(void *)loader->directories->data, level, &error);
    g_autoptr(GPtrArray) rules =
        sources != NULL ? syncd_policy_sources_parse(level, sources, &error) : NULL;
    if (rules == NULL)
        blame(choice, error->message);
    if (rules == NULL || !fits(choice, level, rules))
        return false;
    take_good(loader, level, rules, sources);
    return true;
}

static void choose(SyncdPolicyLoader *loader, SyncdPolicyLevel level, Choice *choice,
                   SyncdPolicyLevelStanding *standing)
{
    const Good *good = &loader->good[level];
    standing->last_good = !read_level(loader, level, choice);
    if (good->rules == NULL && good->unusable != NULL)
        blame(choice, good->unusable);
    if (good->rules == NULL || (standing->last_good && !fits(choice, level, good->rules))) {
        choice->unusable |= 1u << level;
        *standing = (SyncdPolicyLevelStanding){0};
        return;
    }
    choice->rules[level] = good->rules;
    standing->since_ms = good->since_ms;
    standing->kept = is_kept(good);
}

SyncdPolicySet *syncd_policy_loader_read(SyncdPolicyLoader *loader,
                                         SyncdPolicyStanding *ret_standing, char **ret_fault)
{
    g_autoptr(GString) faults = g_string_new(NULL);
    Choice choice = {.faults = faults};
    *ret_standing = (SyncdPolicyStanding){0};
    for (SyncdPolicyLevel level = 0; level < SYNCD_N_POLICY_LEVELS; level++)
        if (has_level(loader, level))
            choose(loader, level, &choice, &ret_standing->levels[level]);
    SyncdPolicySet *set = syncd_policy_set_new(
        choice.rules[SYNCD_POLICY_MACHINE], choice.rules[SYNCD_POLICY_USER], choice.unusable, NULL);
    g_assert(set != NULL); /* each level was tried with those before it */
    *ret_fault = faults->len > 0 ? g_string_free(g_steal_pointer(&faults), FALSE) : NULL;
    return set;
}
