/* Here mmap and mmap64 are two names. */
#undef _FILE_OFFSET_BITS

#include "allocations.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What glibc calls its own allocator. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

static struct {
    AllocationRefuse refuse; /* NULL: nothing is watched */
    void *data;
    guint64 count;
} watch;

void allocations_watch(AllocationRefuse refuse, void *data)
{
    watch.count = 0;
    watch.data = data;
    watch.refuse = refuse;
}

void allocations_unwatch(void)
{
    watch.refuse = NULL;
}

static bool refused(const void *caller)
{
    AllocationRefuse refuse = watch.refuse;
    if (refuse == NULL)
        return false;
    watch.refuse = NULL;
    bool refuses = refuse(watch.data, ++watch.count, caller);
    watch.refuse = refuse;
    if (refuses)
        errno = ENOMEM;
    return refuses;
}

#define REFUSED() refused(__builtin_return_address(0))

void *malloc(size_t size)
{
    return REFUSED() ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
    return REFUSED() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *old, size_t size)
{
    return size > 0 && REFUSED() ? NULL : __libc_realloc(old, size);
}

void *memalign(size_t alignment, size_t size)
{
    return REFUSED() ? NULL : __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return REFUSED() ? NULL : __libc_memalign(alignment, size);
}

int posix_memalign(void **ret_memory, size_t alignment, size_t size)
{
    void *memory = REFUSED() ? NULL : __libc_memalign(alignment, size);
    if (memory == NULL)
        return ENOMEM;
    *ret_memory = memory;
    return 0;
}

void *mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset)
{
    if ((flags & MAP_ANONYMOUS) != 0 && REFUSED())
        return MAP_FAILED;
    return (void *)syscall(SYS_mmap, address, size, protection, flags, fd, offset);
}

void *mmap64(void *address, size_t size, int protection, int flags, int fd, off64_t offset)
{
    if ((flags & MAP_ANONYMOUS) != 0 && REFUSED())
        return MAP_FAILED;
    return (void *)syscall(SYS_mmap, address, size, protection, flags, fd, offset);
}
