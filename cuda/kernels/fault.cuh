// Data faults that kernels find: a row that is not finite, a code out of range.
//
// A stream has one record of 64 bits in device memory, all ones if nothing happened. A fault is the number of the op
// since the host last looked (20 bits) above the row (44 bits), and the smallest stays: so the record names the first
// op at fault and its lowest row, in whatever order kernels find them.
#pragma once

#include "kernels/intrinsics.cuh"

namespace tessera::cuda {

constexpr int kFaultRowBits = 44;
constexpr uint64_t kNoFault = ~uint64_t{0};

// Where the kernels of one op report, passed to them by value.
struct FaultSlot {
  uint64_t *record;
  uint64_t op;  // the op's number, shifted into place
};

TS_DEVICE void report_fault(FaultSlot slot, int64_t row) {
  atomic_min(slot.record, slot.op | static_cast<uint64_t>(row));
}

TS_DEVICE bool is_finite(float x) { return (float_bits(x) & 0x7F800000u) != 0x7F800000u; }

}  // namespace tessera::cuda
