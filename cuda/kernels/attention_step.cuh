// attention_step: one query of each head of each image against the cache of keys and values.
//
//   tile       a head of an image a block of 128 threads; 128 keys at a time. A warp makes the products with every
//              fourth key, its lanes beside each other along the head; then a thread keeps one number of y
//   registers  at most 64
//   shared     1.5 KB
//   work       8 D bytes and 4 D operations a key: bound by memory
//   order      keys ascending, whatever the batch and the length of the cache
#pragma once

#include "kernels/warp.cuh"

namespace tessera::cuda {

constexpr int kStepThreads = 128;  // also keys of a turn, and the most numbers of a head

struct AttentionStep {
  int64_t heads, d, positions, t;
  float scale;
  const float *qkv;  // [B, 3C]
  float *cache;      // [B, positions, 2C]
  float *y;          // [B, C]
};

TS_KERNEL(kStepThreads, 8) attention_position(AttentionStep a) {
  SharedMemory shared;
  TS_SHARED(float, query, kStepThreads);
  TS_SHARED(float, scores, kStepThreads);
  TS_SHARED(float, weights, kStepThreads);
  const int thread = static_cast<int>(threadIdx.x), warp = thread / 32, lane = thread % 32;
  const int64_t image = blockIdx.x / a.heads, offset = blockIdx.x % a.heads * a.d, channels = a.heads * a.d;
  const int64_t step = 2 * channels;
  const float *q = a.qkv + image * 3 * channels + offset;
  float *keys = a.cache + image * a.positions * step + offset, *values = keys + channels;
  const bool own = TS_GUARD(1, thread < a.d);
  if (own) {
    query[thread] = q[thread];
    keys[a.t * step + thread] = q[channels + thread];
    values[a.t * step + thread] = q[2 * channels + thread];
  }
  TS_SYNC(2);

  float most = -INFINITY, sum = 0.0f, y = 0.0f;
  for (int64_t first = 0; first <= a.t; first += kStepThreads) {
    const int count = a.t + 1 - first < kStepThreads ? static_cast<int>(a.t + 1 - first) : kStepThreads;
    for (int j = warp; j < count; j += kStepThreads / 32) {
      const float *key = keys + (first + j) * step;
      float product = 0.0f;
      for (int64_t i = lane; i < a.d; i += 32) product = fmaf(query[i], key[i], product);
      product = warp_sum(product);
      if (lane == 0) scores[j] = product * a.scale;
    }
    TS_SYNC(3);
    float more = most;
    for (int j = lane; j < count; j += 32) more = fmaxf(more, scores[j]);
    more = warp_max(more);
    const float shrink = expf(most - more);
    most = more;
    weights[thread] = expf(scores[thread] - most);  // those past count are not read
    TS_SYNC(4);
    float turn = 0.0f;
    y *= shrink;
    for (int j = 0; j < count; j++) {
      turn += weights[j];
      if (own) y = fmaf(weights[j], values[(first + j) * step + thread], y);
    }
    sum = fmaf(sum, shrink, turn);
  }
  if (own) a.y[image * channels + offset + thread] = y / sum;
}

}  // namespace tessera::cuda
