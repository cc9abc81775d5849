// The limits of one core (dev.tessera.benchmarks.limits): multiply-adds on registers alone, in chains that do not wait
// for each other, with the widest vectors there are; and reading memory. The instructions are written as assembly, so
// that no compiler moves, merges or spills them.
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define EXPORT __attribute__((visibility("default")))

EXPORT double benchmark_peak(int32_t kind, double seconds);
EXPORT double benchmark_read_bandwidth(const void *memory, int64_t bytes, double seconds);

enum { FP32 = 0, BF16 = 1, INT8 = 2 };
enum { CHAINS = 16, ROUNDS = 2048 };

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

#define REPEAT16(OP) \
  OP(0) OP(1) OP(2) OP(3) OP(4) OP(5) OP(6) OP(7) OP(8) OP(9) OP(10) OP(11) OP(12) OP(13) OP(14) OP(15)
#define CLOBBERS                                                                                                      \
  "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", \
      "xmm14", "xmm15"

#define CLEAR(i) "vpxor %%xmm" #i ", %%xmm" #i ", %%xmm" #i "\n\t"
// The accumulators are zero, and so are both factors: no denormal ever slows a chain down.
#define FMA512(i) "vfmadd231ps %%zmm16, %%zmm17, %%zmm" #i "\n\t"
#define FMA256(i) "vfmadd231ps %%ymm" #i ", %%ymm" #i ", %%ymm" #i "\n\t"
#define DPBF16(i) "vdpbf16ps %%zmm16, %%zmm17, %%zmm" #i "\n\t"
#define DPBUSD512(i) "vpdpbusd %%zmm16, %%zmm17, %%zmm" #i "\n\t"
#define DPBUSD256(i) "%{vex%} vpdpbusd %%ymm" #i ", %%ymm" #i ", %%ymm" #i "\n\t"

#define LOOP512(name, OP)                                                                          \
  __attribute__((target("avx512f"))) static void name(int32_t rounds) {                            \
    __asm__ volatile(REPEAT16(CLEAR) "vpxord %%zmm16, %%zmm16, %%zmm16\n\t"                      \
                                     "vpxord %%zmm17, %%zmm17, %%zmm17\n\t"                      \
                                     "1:\n\t" REPEAT16(OP) "dec %0\n\tjnz 1b\n\tvzeroupper\n\t"  \
                     : "+r"(rounds)                                                              \
                     :                                                                           \
                     : CLOBBERS, "xmm16", "xmm17", "cc"); \
  }
#define LOOP256(name, OP)                                                                       \
  __attribute__((target("avx2"))) static void name(int32_t rounds) {                            \
    __asm__ volatile(REPEAT16(CLEAR) "1:\n\t" REPEAT16(OP) "dec %0\n\tjnz 1b\n\tvzeroupper\n\t" \
                     : "+r"(rounds)                                                             \
                     :                                                                          \
                     : CLOBBERS, "cc");                                                         \
  }

LOOP512(fma512, FMA512)
LOOP512(dpbf16, DPBF16)
LOOP512(dpbusd512, DPBUSD512)
LOOP256(fma256, FMA256)
LOOP256(dpbusd256, DPBUSD256)

typedef struct {
  void (*run)(int32_t rounds);
  double operations;  // of one instruction: two for each product that it adds
} Loop;

static Loop loop_of(int32_t kind) {
  Loop none = {NULL, 0};
  __builtin_cpu_init();
  int wide = __builtin_cpu_supports("avx512f");
  switch (kind) {
    case FP32:
      return wide ? (Loop){fma512, 32} : __builtin_cpu_supports("fma") ? (Loop){fma256, 16} : none;
    case BF16:
      return wide && __builtin_cpu_supports("avx512bf16") ? (Loop){dpbf16, 64} : none;
    case INT8:
      return wide && __builtin_cpu_supports("avx512vnni") ? (Loop){dpbusd512, 128}
             : __builtin_cpu_supports("avxvnni")          ? (Loop){dpbusd256, 64}
                                                          : none;
    default:
      return none;
  }
}

// Operations a second of the calling thread, measured for about `seconds`; 0 where the core has no such instruction.
double benchmark_peak(int32_t kind, double seconds) {
  Loop loop = loop_of(kind);
  if (!loop.run) {
    return 0;
  }
  loop.run(ROUNDS);  // vector units may have to wake up
  double begin = now();
  double end = begin;
  int64_t loops = 0;
  do {
    loop.run(ROUNDS);
    ++loops;
    end = now();
  } while (end - begin < seconds);
  return (double)loops * ROUNDS * CHAINS * loop.operations / (end - begin);
}

// One pass over `count` words, a multiple of 8: their sum, so that all are read.
__attribute__((target_clones("avx512f", "avx2", "default"))) static uint64_t read_all(const uint64_t *words,
                                                                                      int64_t count) {
  uint64_t sum = 0;
  for (int64_t i = 0; i < count; ++i) {
    sum += words[i];
  }
  return sum;
}

// Bytes a second that the calling thread reads from `memory`, over and over for about `seconds`; bytes >= 64.
double benchmark_read_bandwidth(const void *memory, int64_t bytes, double seconds) {
  const uint64_t *words = memory;
  int64_t count = bytes / 64 * 8;
  volatile uint64_t sink = 0;
  double begin = now();
  double end = begin;
  int64_t passes = 0;
  do {
    sink = read_all(words, count);
    ++passes;
    end = now();
  } while (end - begin < seconds);
  (void)sink;
  return (double)passes * (double)count * 8 / (end - begin);
}
