// Attention of one head: blocks of queries against the keys that they see, with a block's scores in memory that stays
// in the cache. 4 T^2 D operations a head forward (half of it above the diagonal is left out), 10 T^2 D backward, and
// T^2 / 2 exponentials in each.
//
// Keys are transposed first ([D, T]), so that scores of one query lie beside each other, and values get whole vectors
// ([T, D rounded up]). A row of y is made of sums that run over ascending d and over ascending positions s <= t, so it
// depends on nothing that lies behind it: not even a NaN there reaches it.
#pragma once

#include <cstdint>
#include <initializer_list>

#include "cpu/kernels/attention_layout.h"
#include "cpu/kernels/functions.h"

namespace tessera::cpu {
namespace {

// to [d, whole(t)] = the transpose of t rows of d floats; the columns past t are 0.
void pack_transposed(const float *from, int64_t step, int64_t t, int64_t d, float *to) {
  const int64_t width = whole(t);
  const int64_t blocks_t = t / kLanes * kLanes, blocks_d = d / kLanes * kLanes;
  for (int64_t j = 0; j < blocks_t; j += kLanes)
    for (int64_t i = 0; i < blocks_d; i += kLanes)
      transpose_block(from + j * step + i, step, to + i * width + j, width);
  for (int64_t i = 0; i < d; i++)
    for (int64_t j = i < blocks_d ? blocks_t : 0; j < width; j++) to[i * width + j] = j < t ? from[j * step + i] : 0.0f;
}

// to [t, whole(d)]; the columns past d are 0.
void pack_rows(const float *from, int64_t step, int64_t t, int64_t d, float *to) {
  const int64_t width = whole(d);
  for (int64_t j = 0; j < t; j++)
    for (int64_t i = 0; i < width; i++) to[j * width + i] = i < d ? from[j * step + i] : 0.0f;
}

inline float dot(const float *a, const float *b, int64_t d) {
  Lanes sum = all(0.0f);
  int64_t i = 0;
  for (; i + kLanes <= d; i += kLanes) sum = fused(load(a + i), load(b + i), sum);
  if (i < d) sum = fused(load_head(a + i, d - i), load_head(b + i, d - i), sum);
  return sum_of(sum);
}

// x[i] = exp(x[i] scale - shift) for i < n; their sum.
inline float exponentials_of(float *x, int64_t n, float scale, float shift) {
  Lanes sum = all(0.0f);
  const Lanes s = all(scale), minus = all(-shift);
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    const Lanes e = exponential(fused(load(x + i), s, minus));
    store(x + i, e);
    sum = add(sum, e);
  }
  if (i < n) {
    const Lanes e = exponential(fused(load_head(x + i, n - i), s, minus));
    store_head(x + i, n - i, e);
    sum = add(sum, head_else(e, n - i, all(0.0f)));
  }
  return sum_of(sum);
}

inline float scale_of(int64_t d) { return 1.0f / __builtin_sqrtf(static_cast<float>(d)); }

void head_forward(const HeadForward &h, float *scratch) {
  const int64_t t = h.t, d = h.d, wide_t = whole(t), wide_d = whole(d);
  float *keys = scratch, *values = keys + d * wide_t, *scores = values + t * wide_d,
        *y = scores + kForwardRows * wide_t;
  const float scale = scale_of(d);
  pack_transposed(h.k, h.step, t, d, keys);
  pack_rows(h.v, h.step, t, d, values);
  for (int64_t first = 0; first < t; first += kForwardRows) {
    const int64_t rows = t - first < kForwardRows ? t - first : kForwardRows;
    if (h.next) {
      for (const float *part : {h.q, h.k, h.v}) prefetch_to_read(part + h.next + first * h.step, h.step, rows, d);
      prefetch_to_write(h.y + h.y_next + first * h.y_step, h.y_step, rows, d);
    }
    multiply_tiles(rows, whole(first + rows), d, {h.q + first * h.step, h.step, 1}, keys, wide_t, scores, wide_t,
                   false);
    float sums[kForwardRows];
    for (int64_t r = 0; r < rows; r++) {
      float *row = scores + r * wide_t;
      const int64_t seen = first + r + 1;
      const float most = scale * largest_in(row, seen);
      sums[r] = exponentials_of(row, seen, scale, most);
      h.lse[first + r] = most + __builtin_logf(sums[r]);
    }
    // What all rows of the block see, then of each row the rest.
    multiply_tiles(rows, wide_d, first + 1, {scores, wide_t, 1}, values, wide_d, y, wide_d, false);
    for (int64_t r = 1; r < rows; r++)
      multiply_tiles(1, wide_d, r, {scores + r * wide_t + first + 1, wide_t, 1}, values + (first + 1) * wide_d, wide_d,
                     y + r * wide_d, wide_d, true);
    for (int64_t r = 0; r < rows; r++)
      for (int64_t i = 0; i < d; i++) h.y[(first + r) * h.y_step + i] = y[r * wide_d + i] / sums[r];
  }
}

// With P = exp(scale Q K^T - lse), dP = dy V^T and delta = sum over d of dy y (Dao et al. 2022, appendix B.2):
//   dS = P (dP - delta) scale,  dQ = dS K,  dK = dS^T Q,  dV = P^T dy
void head_backward(const HeadBackward &h, float *scratch) {
  const int64_t t = h.t, d = h.d, wide_t = whole(t), wide_d = whole(d);
  float *keys_t = scratch, *values_t = keys_t + d * wide_t, *keys = values_t + d * wide_t;
  float *queries = keys + t * wide_d, *dys = queries + t * wide_d, *dk = dys + t * wide_d, *dv = dk + t * wide_d;
  float *p = dv + t * wide_d, *ds = p + kBackwardRows * wide_t, *dq = ds + kBackwardRows * wide_t;
  const float scale = scale_of(d);
  pack_transposed(h.k, h.step, t, d, keys_t);
  pack_transposed(h.v, h.step, t, d, values_t);
  pack_rows(h.k, h.step, t, d, keys);
  pack_rows(h.q, h.step, t, d, queries);
  pack_rows(h.dy, h.y_step, t, d, dys);
  for (int64_t i = 0; i < t * wide_d; i++) dk[i] = dv[i] = 0.0f;

  for (int64_t first = 0; first < t; first += kBackwardRows) {
    const int64_t rows = t - first < kBackwardRows ? t - first : kBackwardRows, seen = first + rows;
    if (h.next) {
      for (const float *part : {h.q, h.k, h.v}) prefetch_to_read(part + h.next + first * h.step, h.step, rows, d);
      for (float *part : {h.dq, h.dk, h.dv}) prefetch_to_write(part + h.next + first * h.step, h.step, rows, d);
      for (const float *part : {h.y, h.dy}) prefetch_to_read(part + h.y_next + first * h.y_step, h.y_step, rows, d);
    }
    multiply_tiles(rows, seen, d, {queries + first * wide_d, wide_d, 1}, keys_t, wide_t, p, wide_t, false);
    multiply_tiles(rows, seen, d, {dys + first * wide_d, wide_d, 1}, values_t, wide_t, ds, wide_t, false);
    for (int64_t r = 0; r < rows; r++) {
      const int64_t row = first + r, own = row + 1;
      float *pr = p + r * wide_t, *dsr = ds + r * wide_t;
      exponentials_of(pr, own, scale, h.lse[row]);
      const float delta = dot(h.dy + row * h.y_step, h.y + row * h.y_step, d);
      int64_t i = 0;
      for (; i + kLanes <= own; i += kLanes)
        store(dsr + i, multiply(multiply(load(pr + i), subtract(load(dsr + i), all(delta))), all(scale)));
      for (; i < own; i++) dsr[i] = pr[i] * (dsr[i] - delta) * scale;
      for (; i < seen; i++) pr[i] = dsr[i] = 0.0f;
    }
    multiply_tiles(rows, wide_d, seen, {ds, wide_t, 1}, keys, wide_d, dq, wide_d, false);
    for (int64_t r = 0; r < rows; r++)
      for (int64_t i = 0; i < d; i++) h.dq[(first + r) * h.step + i] = dq[r * wide_d + i];
    multiply_tiles(seen, wide_d, rows, {p, 1, wide_t}, dys + first * wide_d, wide_d, dv, wide_d, true);
    multiply_tiles(seen, wide_d, rows, {ds, 1, wide_t}, queries + first * wide_d, wide_d, dk, wide_d, true);
  }
  for (int64_t j = 0; j < t; j++)
    for (int64_t i = 0; i < d; i++) {
      h.dk[j * h.step + i] = dk[j * wide_d + i];
      h.dv[j * h.step + i] = dv[j * wide_d + i];
    }
}

void head_step(const HeadStep &h, float *scratch) {
  float *scores = scratch;
  const float scale = scale_of(h.d);
  for (int64_t j = 0; j < h.n; j++) scores[j] = dot(h.q, h.k + j * h.step, h.d);
  const float most = scale * largest_in(scores, h.n), sum = exponentials_of(scores, h.n, scale, most);
  multiply_tiles(1, h.d, h.n, {scores, h.n, 1}, h.v, h.step, h.y, h.d, false);
  for (int64_t i = 0; i < h.d; i++) h.y[i] /= sum;
}

}  // namespace
}  // namespace tessera::cpu
