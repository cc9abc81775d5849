// Bodies whose calls are timed (dev.tessera.benchmarks.calls): the same code through FFM and through JNI, so that what
// differs is the call. JNI's types are written out, as jni.h may not be there: jint is int32_t, jlong is int64_t.
#include <stdint.h>

#define EXPORT __attribute__((visibility("default")))

// y = x + 1: next to nothing, and not to be left out.
static inline int32_t add_one(int32_t x) { return x + 1; }

// Sum of n floats in ascending order.
static inline float sum(const float *values, int32_t n) {
  float total = 0;
  for (int32_t i = 0; i < n; ++i) {
    total += values[i];
  }
  return total;
}

EXPORT int32_t benchmark_add_one(int32_t x);
EXPORT float benchmark_sum(const float *values, int32_t n);
EXPORT int32_t benchmark_call_add_one(int32_t x, int32_t times);
EXPORT int32_t Java_dev_tessera_benchmarks_calls_JniCalls_addOne(void *env, void *type, int32_t x);
EXPORT float Java_dev_tessera_benchmarks_calls_JniCalls_sum(void *env, void *type, int64_t address, int32_t n);

int32_t benchmark_add_one(int32_t x) { return add_one(x); }

float benchmark_sum(const float *values, int32_t n) { return sum(values, n); }

// `times` calls of add_one from C, through a pointer that the compiler cannot see through: each needs the result of the
// one before, as in the loops in Java.
int32_t benchmark_call_add_one(int32_t x, int32_t times) {
  int32_t (*volatile pointer)(int32_t) = benchmark_add_one;
  int32_t (*call)(int32_t) = pointer;
  for (int32_t i = 0; i < times; ++i) {
    x = call(x);
    __asm__ volatile("" : "+r"(x));
  }
  return x;
}

int32_t Java_dev_tessera_benchmarks_calls_JniCalls_addOne(void *env, void *type, int32_t x) {
  (void)env;
  (void)type;
  return add_one(x);
}

float Java_dev_tessera_benchmarks_calls_JniCalls_sum(void *env, void *type, int64_t address, int32_t n) {
  (void)env;
  (void)type;
  return sum((const float *)(uintptr_t)address, n);
}
