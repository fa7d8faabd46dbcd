#include "cli/verbs.h"

/* In the order of the help. */
static const SyncdVerb *const families[] = {
    syncd_verbs_work,     syncd_verbs_look,  syncd_verbs_workspace,
    syncd_verbs_registry, syncd_verbs_judge, syncd_verbs_program,
};

static bool ends_with(const SyncdVerb *family, const SyncdVerb *verb)
{
    while (family->name != NULL && family != verb)
        family++;
    return family == verb;
}

const SyncdVerb *syncd_verb_next(const SyncdVerb *verb)
{
    if (verb != NULL && verb[1].name != NULL)
        return verb + 1;
    size_t next = 0;
    if (verb != NULL)
        while (!ends_with(families[next++], verb))
            ;
    return next < G_N_ELEMENTS(families) ? families[next] : NULL;
}
