/* Prints the table of who may do what, a JSON object a line. */
#include "bus/authorise.h"

#include <stdio.h>

static const char *const kinds[] = {
    [SYNCD_RIGHT_NOBODY] = "nobody", [SYNCD_RIGHT_EVERYONE] = "everyone",
    [SYNCD_RIGHT_ACTOR] = "actor",   [SYNCD_RIGHT_OWNER] = "owner",
    [SYNCD_RIGHT_OWN] = "own",       [SYNCD_RIGHT_ACTION] = "action",
};

static void print_right(const char *instance, SyncdRight right)
{
    printf(",\"%s\":[\"%s\",\"%s\"]", instance, kinds[right.kind],
           right.action != NULL ? right.action : "");
}

int main(void)
{
    size_t n;
    const SyncdRule *rules = syncd_rules(&n);
    for (size_t i = 0; i < n; i++) {
        printf("{\"interface\":\"%s\",\"method\":\"%s\"", rules[i].interface, rules[i].method);
        print_right("user", rules[i].user);
        print_right("system", rules[i].system);
        puts("}");
    }
    return 0;
}
