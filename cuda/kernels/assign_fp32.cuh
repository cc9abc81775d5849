// Nearest codes, fp32 family: the screen on ordinary arithmetic units, for every GPU and every shape.
//
//   tile       128 rows x 128 codes a turn, 8 x 8 a thread, 256 threads; 16 numbers of each at a time in shared memory;
//              a block passes over the panels of its split of the codebook
//   shared     33 KB
//   registers  at most 128 (two blocks a multiprocessor)
//   work       K D fmas a row; 4 D bytes a row and panel from L2 or memory, 4 D K / 128 of the codebook from L2
//   bound      gamma of D + 15 roundings: score_bound
//
// What is left of a row's 128 scores of a panel is the best and the second best, not a maximum of groups: the second
// tells whether the best is certain, and of fp32's few uncertain rows the float64 scan of all codes costs next to
// nothing.
#pragma once

#include "kernels/screen.cuh"

namespace tessera::cuda {

constexpr int kFp32Rows = 128;
constexpr int kFp32Pitch = 132;  // of a row of the tile: 16-byte loads at odd multiples of 16 bytes
constexpr int kFp32Side = 8;     // rows and codes a thread
constexpr int kFp32Tile = kDepthStep * kFp32Pitch;
constexpr int kFp32State = kFp32Side * kScreenThreads;

constexpr size_t fp32_shared_bytes() {
  return 2 * shared_bytes<float>(kFp32Tile) + 2 * shared_bytes<float>(kFp32State);
}

// Eight numbers of a thread: four and four, 64 apart, so that a warp's loads hit different banks.
TS_DEVICE void load_eight(const float *tile, int at, float (&v)[kFp32Side]) {
  const float4 low = load16(tile + 4 * at), high = load16(tile + 64 + 4 * at);
  v[0] = low.x;
  v[1] = low.y;
  v[2] = low.z;
  v[3] = low.w;
  v[4] = high.x;
  v[5] = high.y;
  v[6] = high.z;
  v[7] = high.w;
}

TS_DEVICE int place_of(int at, int i) { return i / 4 * 64 + 4 * at + i % 4; }

// The best and second best of a thread's scores of one row in a panel, as ends.
TS_DEVICE Screened screen_scores(const float (&score)[kFp32Side], float bound, int32_t first_code, int tx) {
  float best = score[0], second = -INFINITY;
  int place = 0;
  TS_UNROLL
  for (int j = 1; j < kFp32Side; j++) {
    const bool better = score[j] > best;
    const float loser = better ? best : score[j];
    second = second > loser ? second : loser;
    best = better ? score[j] : best;
    place = better ? j : place;
  }
  // Scores under an infinite bound may be NaN: then nothing is certain.
  if (!(bound < INFINITY)) return {INFINITY, INFINITY, -INFINITY, first_code};
  return {best + bound, second + bound, best - bound, first_code + place_of(tx, place)};
}

// screened [splits, n]: block (t, s) of the grid screens row tile t against split s.
TS_KERNEL(kScreenThreads, 2)
screen_fp32(CodebookView book, BoundTerms terms, const float *x, int64_t n, const float *norms, int64_t panels_a_split,
            Screened *screened) {
  SharedMemory shared;
  TS_SHARED(float, rows, kFp32Tile);     // [number, row]
  TS_SHARED(float, codes, kFp32Tile);    // [number, code]
  TS_SHARED(float, second, kFp32State);  // [row of the thread, thread]
  TS_SHARED(float, lower, kFp32State);
  const int tx = static_cast<int>(threadIdx.x) % 16, ty = static_cast<int>(threadIdx.x) / 16;
  const int64_t first_row = int64_t{blockIdx.x} * kFp32Rows;
  const int64_t first_panel = blockIdx.y * panels_a_split;
  const int64_t last_panel = first_panel + panels_a_split < book.panels ? first_panel + panels_a_split : book.panels;
  const float scale = book.spread->scale;
  // What this thread loads: 8 numbers of one row and of one code.
  const int loaded = static_cast<int>(threadIdx.x) / 2, part = static_cast<int>(threadIdx.x) % 2 * 8;
  const bool row_inside = TS_GUARD(1, first_row + loaded < n);
  const float *row_from = x + (first_row + loaded) * book.d;

  // What is left of the thread's rows so far. Half of it lies in shared memory, its own to each thread: 64 sums and 8
  // whole records would be more than the registers of two blocks a multiprocessor.
  float upper[kFp32Side];
  int32_t best[kFp32Side];
  TS_UNROLL
  for (int r = 0; r < kFp32Side; r++) {
    upper[r] = -INFINITY;
    best[r] = -1;
    second[r * kScreenThreads + threadIdx.x] = -INFINITY;
    lower[r * kScreenThreads + threadIdx.x] = -INFINITY;
  }

  for (int64_t panel = first_panel; panel < last_panel; panel++) {
    float score[kFp32Side][kFp32Side] = {};
    for (int64_t depth = 0; depth < book.padded_d; depth += kDepthStep) {
      const float *code = book.centred + (panel * kPanel + loaded) * book.padded_d + depth + part;
      TS_UNROLL
      for (int i = 0; i < 8; i++) {
        const int64_t at = depth + part + i;
        const float number = row_inside && TS_GUARD(2, at < book.d) ? row_from[at] : 0.0f;
        rows[(part + i) * kFp32Pitch + loaded] = fmaf(number, scale, -book.mean[at]);
        codes[(part + i) * kFp32Pitch + loaded] = code[i];
      }
      TS_SYNC(3);
      TS_UNROLL
      for (int i = 0; i < kDepthStep; i++) {
        float a[kFp32Side], b[kFp32Side];
        load_eight(rows + i * kFp32Pitch, ty, a);
        load_eight(codes + i * kFp32Pitch, tx, b);
        TS_UNROLL
        for (int r = 0; r < kFp32Side; r++) {
          TS_UNROLL
          for (int c = 0; c < kFp32Side; c++) score[r][c] = fmaf(a[r], b[c], score[r][c]);
        }
      }
      TS_SYNC(4);
    }
    float half_norm[kFp32Side];
    TS_UNROLL
    for (int c = 0; c < kFp32Side; c++) half_norm[c] = book.half_norm[panel * kPanel + place_of(tx, c)];
    const float panel_norm = book.norm[panel];
    TS_UNROLL
    for (int r = 0; r < kFp32Side; r++) {
      TS_UNROLL
      for (int c = 0; c < kFp32Side; c++) score[r][c] -= half_norm[c];
      const int64_t row = first_row + place_of(ty, r);
      const float norm = TS_GUARD(5, row < n) ? norms[row] : 0.0f;
      const unsigned own = r * kScreenThreads + threadIdx.x;
      Screened state = {upper[r], second[own], lower[own], best[r]};
      merge(state,
            screen_scores(score[r], score_bound(terms, norm, panel_norm), static_cast<int32_t>(panel * kPanel), tx));
      upper[r] = state.upper;
      second[own] = state.second;
      lower[own] = state.lower;
      best[r] = state.code;
    }
  }

  // The 16 threads of a row are half a warp.
  TS_UNROLL
  for (int r = 0; r < kFp32Side; r++) {
    const unsigned own = r * kScreenThreads + threadIdx.x;
    Screened state = {upper[r], second[own], lower[own], best[r]};
    TS_UNROLL
    for (int mask = 8; mask > 0; mask /= 2) {
      const Screened other = {shuffle_xor(state.upper, mask), shuffle_xor(state.second, mask),
                              shuffle_xor(state.lower, mask), shuffle_xor(state.code, mask)};
      merge(state, other);
    }
    const int64_t row = first_row + place_of(ty, r);
    if (tx == 0 && TS_GUARD(6, row < n)) screened[blockIdx.y * n + row] = state;
  }
}

}  // namespace tessera::cuda
