// Counts what one thread holds from malloc and its kin: put before the C library by LD_PRELOAD. It measures all
// libraries by the same rule (dev.tessera.benchmarks.harness.Allocations). Only the thread that started counting is
// counted, so that the virtual machine's compiler is not; with one thread that is where all the work is done. glibc's
// own names of the real functions spare us dlsym, which allocates itself.
#include <errno.h>
#include <malloc.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *memory);

static __thread int counting;
static __thread int64_t live;  // bytes; below zero if what was there before is freed
static __thread int64_t peak;

EXPORT void benchmark_allocations_start(void);
EXPORT void benchmark_allocations_mark(void);
EXPORT int64_t benchmark_allocations_peak(void);

// Begins to count on the calling thread, from zero.
void benchmark_allocations_start(void) {
  counting = 1;
  live = 0;
  peak = 0;
}

// Forgets earlier peaks: from now on the peak is of what comes.
void benchmark_allocations_mark(void) { peak = live; }

// The most that the thread held at once since the mark, in bytes allocated since the start. Ends the count.
int64_t benchmark_allocations_peak(void) {
  counting = 0;
  return peak;
}

static void *taken(void *memory) {
  if (counting && memory) {
    live += (int64_t)malloc_usable_size(memory);
    if (live > peak) {
      peak = live;
    }
  }
  return memory;
}

static void given_back(void *memory) {
  if (counting && memory) {
    live -= (int64_t)malloc_usable_size(memory);
  }
}

EXPORT void *malloc(size_t size) { return taken(__libc_malloc(size)); }

EXPORT void *calloc(size_t count, size_t size) { return taken(__libc_calloc(count, size)); }

EXPORT void *memalign(size_t alignment, size_t size) { return taken(__libc_memalign(alignment, size)); }

EXPORT void *aligned_alloc(size_t alignment, size_t size) { return taken(__libc_memalign(alignment, size)); }

EXPORT int posix_memalign(void **memory, size_t alignment, size_t size) {
  if (alignment % sizeof(void *) != 0 || alignment == 0 || (alignment & (alignment - 1)) != 0) {
    return EINVAL;
  }
  void *result = taken(__libc_memalign(alignment, size));
  if (!result) {
    return ENOMEM;
  }
  *memory = result;
  return 0;
}

EXPORT void *realloc(void *memory, size_t size) {
  int64_t before = counting && memory ? (int64_t)malloc_usable_size(memory) : 0;
  void *result = __libc_realloc(memory, size);
  if (result || size == 0) {
    live -= counting ? before : 0;
    return taken(result);
  }
  return result;
}

EXPORT void free(void *memory) {
  int error = errno;
  given_back(memory);
  __libc_free(memory);
  errno = error;
}
