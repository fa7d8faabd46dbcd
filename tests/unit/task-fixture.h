/*
 * A worker: what the tests of tasks share.
 */
#pragma once

#include "service-fixture.h"
#include "service/leases.h"

static inline char *enqueue_task(ServiceFixture *f, const char *lane, const char *const *parents)
{
    SyncdRequest request = good_request();
    request.lane = lane;
    request.parents = parents;
    return enqueue_committed(f, &request);
}

/* The lease of the next task; NULL when there is none. The turn is committed. */
static inline char *claim(ServiceFixture *f, const SyncdClaim *wanted)
{
    g_autoptr(GError) error = NULL;
    const SyncdClaim any = {NULL};
    char *lease = NULL;
    claim_at_once(f->service, &f->caller, wanted != NULL ? wanted : &any, &lease, &error);
    g_assert_no_error(error);
    syncd_service_commit(f->service);
    return lease;
}

static inline char *claim_operation(ServiceFixture *f, const char *operation)
{
    const SyncdClaim wanted = {.operation = operation};
    return claim(f, &wanted);
}

static inline void complete(ServiceFixture *f, const char *lease)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *operation = NULL;
    syncd_service_complete_task(f->service, &f->caller, lease, NULL, &operation, &error);
    g_assert_no_error(error);
    g_assert_nonnull(operation);
    syncd_service_commit(f->service);
}

static inline void fail(ServiceFixture *f, const char *lease, bool final)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *operation = NULL;
    const SyncdFailure failure = {.reason = "it did not work", .final = final};
    syncd_service_fail_task(f->service, &f->caller, lease, &failure, &operation, &error);
    g_assert_no_error(error);
    syncd_service_commit(f->service);
}

static inline void pass(ServiceFixture *f, guint64 ms)
{
    f->base.now_usec += ms * 1000;
    syncd_service_work(f->service);
    syncd_service_commit(f->service);
}

static inline void assert_status(ServiceFixture *f, const char *operation, const char *status)
{
    g_autofree char *record = get(f, operation);
    g_autofree char *quoted = g_strdup_printf("\"%s\"", status);
    assert_member(record, "status", quoted);
}

static inline char *get_task(ServiceFixture *f, const char *operation)
{
    g_autoptr(GError) error = NULL;
    char *task = syncd_service_get_task(f->service, &f->caller, operation, &error);
    g_assert_no_error(error);
    return task;
}

/* What the lease's claim says it is about. */
static inline char *operation_of(ServiceFixture *f, const char *lease)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *task = NULL, *operation = NULL;
    syncd_service_describe_claim(f->service, lease, &task, &operation, &error);
    g_assert_no_error(error);
    g_autofree char *quoted = member_of(task, "operation_id");
    return g_strndup(quoted + 1, strlen(quoted) - 2);
}
