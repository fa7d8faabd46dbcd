#include "base/fiber.h"

#include <stdint.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

/* Only what is touched takes memory. */
#define STACK_BYTES (1024u * 1024u)

/* Whoever watches the stack has to be told that it is another one. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WATCHED_STACK 1
#endif
#if __has_feature(thread_sanitizer)
#define NO_FIBERS 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define WATCHED_STACK 1
#endif
#if defined(__SANITIZE_THREAD__)
#define NO_FIBERS 1
#endif

#ifdef WATCHED_STACK
#include <sanitizer/common_interface_defs.h>
#define LEAVE_STACK(save, bottom, size) __sanitizer_start_switch_fiber(save, bottom, size)
#define ENTER_STACK(save, bottom, size) __sanitizer_finish_switch_fiber(save, bottom, size)
#else
#define LEAVE_STACK(save, bottom, size) ((void)(save), (void)(bottom), (void)(size))
#define ENTER_STACK(save, bottom, size) ((void)(save), (void)(bottom), (void)(size))
#endif

typedef struct {
    ucontext_t context;
    void *watcher; /* its own note about the stack */
    const void *bottom;
    size_t size;
} Side;

struct SyncdFiber {
    SyncdFiberFunc func;
    void *data;
    guint8 *memory; /* a page that nobody may touch, and the stack above it */
    size_t bytes;
    Side caller, own;
    bool begun, ended;
};

static void leave(Side *from, Side *to, void **note)
{
    LEAVE_STACK(note, to->bottom, to->size);
    swapcontext(&from->context, &to->context);
}

/* Its arguments can only be int. */
static void enter(unsigned high, unsigned low)
{
    SyncdFiber *self = (SyncdFiber *)(((uintptr_t)high << 32) | low);
    ENTER_STACK(NULL, &self->caller.bottom, &self->caller.size);
    self->func(self, self->data);
    self->ended = true;
    leave(&self->own, &self->caller, NULL);
    g_assert_not_reached();
}

static bool make_stack(SyncdFiber *self)
{
    size_t guard = (size_t)sysconf(_SC_PAGESIZE);
    self->bytes = STACK_BYTES + guard;
    self->memory = mmap(NULL, self->bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
    if (self->memory == MAP_FAILED)
        self->memory = NULL;
    if (self->memory == NULL || mprotect(self->memory, guard, PROT_NONE) < 0)
        return false;
    self->own.bottom = self->memory + guard;
    self->own.size = STACK_BYTES;
    return getcontext(&self->own.context) == 0;
}

SyncdFiber *syncd_fiber_new(SyncdFiberFunc func, void *data)
{
#ifdef NO_FIBERS
    return NULL;
#endif
    g_autoptr(SyncdFiber) self = g_new0(SyncdFiber, 1);
    self->func = func;
    self->data = data;
    if (!make_stack(self))
        return NULL;
    self->own.context.uc_stack.ss_sp = (void *)self->own.bottom;
    self->own.context.uc_stack.ss_size = self->own.size;
    uintptr_t address = (uintptr_t)self;
    makecontext(&self->own.context, (void (*)(void))enter, 2, (unsigned)(address >> 32),
                (unsigned)address);
    return g_steal_pointer(&self);
}

bool syncd_fiber_resume(SyncdFiber *self)
{
    g_assert(!self->ended);
    self->begun = true;
    leave(&self->caller, &self->own, &self->caller.watcher);
    ENTER_STACK(self->caller.watcher, NULL, NULL);
    return !self->ended;
}

void syncd_fiber_pause(SyncdFiber *self)
{
    leave(&self->own, &self->caller, &self->own.watcher);
    ENTER_STACK(self->own.watcher, &self->caller.bottom, &self->caller.size);
}

size_t syncd_fiber_stack_left(const SyncdFiber *self)
{
    const guint8 *here = __builtin_frame_address(0);
    return (size_t)(here - (const guint8 *)self->own.bottom);
}

void syncd_fiber_free(SyncdFiber *self)
{
    if (self == NULL)
        return;
    g_assert(!self->begun || self->ended);
    if (self->memory != NULL)
        munmap(self->memory, self->bytes);
    g_free(self);
}
