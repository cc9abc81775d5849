// sample_codes: draws a code for each row of logits; tessera.h defines the draw.
//
//   tile       a block of 128 threads a row; a thread takes every 128th code
//   shared     1 KB: the largest logit and whether the row is at fault
//   scratch    20 bytes a code: its weight, the weight of larger codes, its rank
//   registers  at most 64
//   work       one exp in float64 a code. With limits a code is compared with all others, K^2 in all, which needs no
//              sort: some microseconds at K = 1024. One thread adds the weights, in ascending order, K additions
#pragma once

#include "kernels/fault.cuh"
#include "kernels/random.cuh"

namespace tessera::cuda {

constexpr int kSampleThreads = 128;
constexpr uint32_t kSampleStream = 0x53414D50;

struct SampleRows {
  const float *logits;  // [rows, k]
  int64_t rows, k;
  uint64_t seed, first_image;
  uint32_t position;
  int64_t top_k;
  double temperature, top_p;
  double *weights, *larger;  // [rows, k] scratch
  int32_t *ranks;            // [rows, k] scratch
  int32_t *codes;            // [rows]
};

TS_DEVICE double sample_uniform(const SampleRows &s, uint64_t image) {
  const uint4 words =
      philox(s.position, {static_cast<uint32_t>(s.seed), static_cast<uint32_t>(s.seed >> 32), kSampleStream,
                          static_cast<uint32_t>(image), static_cast<uint32_t>(image >> 32)});
  const uint64_t bits = (uint64_t{words.x >> 5} << 26) | (words.y >> 6);
  return static_cast<double>(bits) * 0x1p-53;
}

TS_KERNEL(kSampleThreads, 8) sample_rows(SampleRows s, FaultSlot fault) {
  SharedMemory shared;
  TS_SHARED(float, largest, kSampleThreads);
  TS_SHARED(int32_t, where, kSampleThreads);
  const int64_t row = blockIdx.x, k = s.k;
  const int me = static_cast<int>(threadIdx.x);
  const float *x = s.logits + row * k;
  double *weights = s.weights + row * k, *larger = s.larger + row * k;
  int32_t *ranks = s.ranks + row * k;

  // The largest logit, of equal ones the lowest code; +infinity stands for a row at fault.
  float most = -INFINITY;
  int32_t best = -1;
  for (int64_t i = me; i < k; i += kSampleThreads) {
    const float value = x[i] == x[i] ? x[i] : INFINITY;
    if (value > most) most = value, best = static_cast<int32_t>(i);
  }
  largest[me] = most;
  where[me] = best;
  TS_SYNC(1);
  most = largest[0];
  best = where[0];
  for (int i = 1; i < kSampleThreads; i++)
    if (largest[i] > most || (largest[i] == most && where[i] >= 0 && where[i] < best))
      most = largest[i], best = where[i];
  if (most == INFINITY || most == -INFINITY) {
    if (me == 0) {
      report_fault(fault, row);
      s.codes[row] = -1;
    }
    return;
  }
  if (s.temperature == 0) {
    if (me == 0) s.codes[row] = best;
    return;
  }

  const auto top = static_cast<double>(most);
  for (int64_t i = me; i < k; i += kSampleThreads) weights[i] = exp((static_cast<double>(x[i]) - top) / s.temperature);
  TS_SYNC(2);
  const bool limited = s.top_k < k || s.top_p < 1;
  if (limited) {
    for (int64_t i = me; i < k; i += kSampleThreads) {
      double sum = 0.0;
      int32_t rank = 0;
      for (int64_t j = 0; j < k; j++)
        if (x[j] > x[i] || (x[j] == x[i] && j < i)) {
          rank++;
          sum += weights[j];
        }
      larger[i] = sum;
      ranks[i] = rank;
    }
    TS_SYNC(3);
  }
  if (me != 0) return;

  double limit = INFINITY;
  if (s.top_p < 1) {
    double total = 0.0;
    for (int64_t i = 0; i < k; i++)
      if (ranks[i] < s.top_k) total += weights[i];
    limit = s.top_p * total;
  }
  auto taken = [&](int64_t i) { return !limited || (ranks[i] < s.top_k && larger[i] < limit); };
  double total = 0.0, sum = 0.0;
  for (int64_t i = 0; i < k; i++)
    if (taken(i)) total += weights[i];
  const double target = sample_uniform(s, s.first_image + static_cast<uint64_t>(row)) * total;
  for (int64_t i = 0; i < k; i++) {
    if (!taken(i)) continue;
    sum += weights[i];
    if (sum > target) {
      best = static_cast<int32_t>(i);
      break;
    }
  }
  s.codes[row] = best;
}

}  // namespace tessera::cuda
