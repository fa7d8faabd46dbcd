/*
 * A log of some operations: what the tests of reading share.
 */
#pragma once

#include "service-fixture.h"

#define N_OPERATIONS 57u

static inline void fill(ServiceFixture *f, guint n)
{
    for (guint i = 0; i < n; i++) {
        g_autofree char *object = g_strdup_printf("note-%u", i % 3);
        g_autofree char *body = g_strdup_printf("{\"n\":%u}", i);
        SyncdRequest request = good_request();
        request.object = object;
        request.body = SYNCD_BYTES_TEXT(body);
        g_free(enqueue(f, &request).operation);
        if (i % 10 == 9)
            syncd_service_commit(f->service);
    }
    syncd_service_commit(f->service);
}
