#include "daemon/policy.h"

#include "config.h"
#include "daemon/paths.h"

#define SUBDIRECTORY "policy.d"
#define PACKAGED SYNCD_DATADIR "/sourceos-syncd/policy"

struct SyncdPolicyLoader {
    GArray *directories;                    /* SyncdPolicyDirectory, ended by a NULL path */
    GPtrArray *paths;                       /* owns them */
    GPtrArray *good[SYNCD_N_POLICY_LEVELS]; /* the last ones; NULL when there were none */
};

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

SyncdPolicyLoader *syncd_policy_loader_new(SyncdInstance instance, const char *given)
{
    SyncdPolicyLoader *loader = g_new0(SyncdPolicyLoader, 1);
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
    return loader;
}

void syncd_policy_loader_free(SyncdPolicyLoader *loader)
{
    if (loader == NULL)
        return;
    for (size_t i = 0; i < SYNCD_N_POLICY_LEVELS; i++)
        g_clear_pointer(&loader->good[i], g_ptr_array_unref);
    g_array_unref(loader->directories);
    g_ptr_array_unref(loader->paths);
    g_free(loader);
}

void syncd_policy_loader_add(SyncdPolicyLoader *loader, const char *path, SyncdPolicyLevel level)
{
    add(loader, g_strdup(path), level, true);
}

static void blame(GString *faults, const GError *error)
{
    g_string_append_printf(faults, "%s%s", faults->len > 0 ? "; " : "", error->message);
}

/* Takes the rules of a level if they go together with those of the levels before it. */
static bool try_rules(GPtrArray *const chosen[SYNCD_N_POLICY_LEVELS], SyncdPolicyLevel level,
                      GPtrArray *rules, GString *faults)
{
    g_autoptr(GError) error = NULL;
    GPtrArray *machine = level == SYNCD_POLICY_MACHINE ? rules : chosen[SYNCD_POLICY_MACHINE];
    GPtrArray *user = level == SYNCD_POLICY_USER ? rules : NULL;
    g_autoptr(SyncdPolicySet) set = syncd_policy_set_new(machine, user, 0, &error);
    if (set == NULL)
        blame(faults, error);
    return set != NULL;
}

static void choose(SyncdPolicyLoader *loader, GPtrArray *chosen[SYNCD_N_POLICY_LEVELS],
                   SyncdPolicyLevel level, unsigned *unusable, GString *faults)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) rules = syncd_policy_files_read(
        (const SyncdPolicyDirectory *)(void *)loader->directories->data, level, &error);
    if (rules == NULL)
        blame(faults, error);
    else if (try_rules(chosen, level, rules, faults)) {
        chosen[level] = rules;
        g_clear_pointer(&loader->good[level], g_ptr_array_unref);
        loader->good[level] = g_steal_pointer(&rules);
        return;
    }
    GPtrArray *good = loader->good[level];
    if (good != NULL && try_rules(chosen, level, good, faults))
        chosen[level] = good;
    else
        *unusable |= 1u << level;
}

SyncdPolicySet *syncd_policy_loader_read(SyncdPolicyLoader *loader, char **ret_fault)
{
    GPtrArray *chosen[SYNCD_N_POLICY_LEVELS] = {NULL};
    g_autoptr(GString) faults = g_string_new(NULL);
    unsigned unusable = 0;
    for (SyncdPolicyLevel level = 0; level < SYNCD_N_POLICY_LEVELS; level++)
        choose(loader, chosen, level, &unusable, faults);
    SyncdPolicySet *set = syncd_policy_set_new(chosen[SYNCD_POLICY_MACHINE],
                                               chosen[SYNCD_POLICY_USER], unusable, NULL);
    g_assert(set != NULL); /* each level was tried with those before it */
    *ret_fault = faults->len > 0 ? g_string_free(g_steal_pointer(&faults), FALSE) : NULL;
    return set;
}
