// The processor's fp32 limit, measured by loops of multiply-adds: one a vector width.
#pragma once

#include <cstdint>

#include "core/backend.h"

namespace tessera::cpu {

ts_status measure_fp32_peak(void *stream, int32_t vector_bits, double *gflops);

struct PeakLoop {
  int32_t vector_bits;
  bool (*supported)();
  void (*run)(int64_t iterations);  // kPeakChains multiply-adds of a vector in each
};

// More than latency (4 or 5 clocks) times units (1 or 2) of any x86-64 processor, and few enough for the 16 registers
// of AVX2: only the units bound so many multiply-adds that do not depend on each other.
constexpr int64_t kPeakChains = 12;

// This architecture's loops, the widest first; ends with one of width 0.
extern const PeakLoop kPeakLoops[];

}  // namespace tessera::cpu
