// Scratch memory of attention's kernels: what attention_head.h lays out, in floats.
#pragma once

#include <cstdint>

namespace tessera::cpu {
namespace {

constexpr int64_t kForwardRows = 6;  // queries of a block
constexpr int64_t kBackwardRows = 12;
constexpr int64_t kWhole = 16;  // floats of the widest set's vectors: the same layout for all

[[maybe_unused]] constexpr int64_t whole(int64_t n) { return (n + kWhole - 1) / kWhole * kWhole; }

// Keys, values, and a block's scores and rows of y.
[[maybe_unused]] constexpr int64_t forward_floats(int64_t t, int64_t d) {
  return d * whole(t) + t * whole(d) + kForwardRows * (whole(t) + whole(d));
}

// Keys and values transposed; keys, queries, dy, dk, dv; a block's P, dS and rows of dq.
[[maybe_unused]] constexpr int64_t backward_floats(int64_t t, int64_t d) {
  return 2 * d * whole(t) + 5 * t * whole(d) + kBackwardRows * (2 * whole(t) + whole(d));
}

}  // namespace
}  // namespace tessera::cpu
