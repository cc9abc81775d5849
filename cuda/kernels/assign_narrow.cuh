// narrow_rows: the groups that a row's screen left, scored again in fp32 with fp32's own bound. Of almost every row one
// code is left, which is the answer; rows with several go to rescore_rows, rows whose bounds are useless to scan_rows.
//
//   tile       8 lanes a row and group: each takes every 8th number (or four) of the row and of the group's 8 codes,
//              then the partial sums are exchanged so that each lane has one code's; 128 threads, 16 rows
//   registers  at most 96
//   shared     10.5 KB: upper ends of 128 codes a row
//   work       16 to 128 bytes of lists, 4 D of the row and 32 D of codes (L2) for each group; 3 D + 40 instructions a
//              lane and 8 D multiply-adds a group
//   bound      chains of D / 8 fma, a tree of 3, the half norm: fewer than D + 8 roundings; see fp32_bound
#pragma once

#include "kernels/assign.cuh"

namespace tessera::cuda {

constexpr int kNarrowThreads = 128;
constexpr int kNarrowRows = kNarrowThreads / kRowLanes;
constexpr int kNarrowUppers = kNarrowRows * kNarrowed * kGroup;
constexpr int kNarrowGroups = kNarrowRows * kNarrowed;
constexpr int kCounters = sizeof(SearchCounters) / sizeof(uint64_t);

constexpr size_t narrow_shared_bytes() {
  return shared_bytes<float>(kNarrowUppers) + shared_bytes<uint2>(kNarrowGroups) + shared_bytes<uint64_t>(kCounters);
}

TS_DEVICE float centred(float x, float scale, float mean) { return fmaf(x, scale, -mean); }

// Adds up this lane's part of the products of row x and the group's codes. Codes past the last are read as the last
// one; their half norms exclude them.
template <bool kQuads>
TS_DEVICE void add_products(const CodebookView &book, const float *x, int group, int lane, float (&sums)[kGroup]) {
  constexpr int kStep = kQuads ? 4 : 1;
  const float scale = book.spread->scale;
  const int d = static_cast<int>(book.d);
  const int64_t first = int64_t{group} * kGroup;
  const int last = TS_GUARD(3, first + kGroup <= book.k) ? kGroup - 1 : static_cast<int>(book.k - 1 - first);
  const float *const codes = book.codes + first * d;
  TS_UNROLL_BY(1)
  for (int i = kStep * lane; i < d; i += kStep * kRowLanes) {
    if constexpr (kQuads) {
      const float4 mean = load16(book.mean + i), v = load16(x + i);
      const float4 y = make_float4(centred(v.x, scale, mean.x), centred(v.y, scale, mean.y),
                                   centred(v.z, scale, mean.z), centred(v.w, scale, mean.w));
      TS_UNROLL
      for (int j = 0; j < kGroup; j++) {
        const float4 c = load16(codes + (j < last ? j : last) * d + i);
        sums[j] = fmaf(y.x, centred(c.x, scale, mean.x), sums[j]);
        sums[j] = fmaf(y.y, centred(c.y, scale, mean.y), sums[j]);
        sums[j] = fmaf(y.z, centred(c.z, scale, mean.z), sums[j]);
        sums[j] = fmaf(y.w, centred(c.w, scale, mean.w), sums[j]);
      }
    } else {
      const float mean = book.mean[i], y = centred(x[i], scale, mean);
      TS_UNROLL
      for (int j = 0; j < kGroup; j++)
        sums[j] = fmaf(y, centred(codes[(j < last ? j : last) * d + i], scale, mean), sums[j]);
    }
  }
}

// Lane l's result is the sum of all lanes' sums[l]: each step halves what a lane still adds up.
TS_DEVICE float transpose_sums(float (&sums)[kGroup], int lane) {
  TS_UNROLL
  for (int distance = kRowLanes / 2; distance > 0; distance /= 2) {
    const bool upper = (lane & distance) != 0;
    TS_UNROLL
    for (int j = 0; j < kRowLanes / 2; j++) {
      if (j >= distance) break;
      const float mine = upper ? sums[j + distance] : sums[j], others = upper ? sums[j] : sums[j + distance];
      sums[j] = mine + shuffle_xor(others, distance);
    }
  }
  return sums[0];
}

// What a block counts, to be added to the stream's counters once.
struct Tally {
  uint64_t *counts;  // SearchCounters, in shared memory

  TS_DEVICE void row() const { atomic_add(&counts[0], uint64_t{1}); }
  TS_DEVICE void left(int64_t candidates) const {
    atomic_add(&counts[1], static_cast<uint64_t>(candidates));
    atomic_add(&counts[4 + (candidates < kCandidateBins ? candidates : kCandidateBins - 1)], uint64_t{1});
  }
  TS_DEVICE void rescored() const { atomic_add(&counts[2], uint64_t{1}); }
  TS_DEVICE void scanned() const { atomic_add(&counts[3], uint64_t{1}); }
};

// Blocks take what is left over. `lists` is the number of lists a row, kHalves for each split.
template <bool kQuads>
TS_KERNEL(kNarrowThreads, 5)
narrow_rows(CodebookView book, BoundTerms bound, const float *x, SearchWork work, int lists, int32_t *codes,
            SearchCounters *counters) {
  SharedMemory shared;
  TS_SHARED(float, all_uppers, kNarrowUppers);
  TS_SHARED(uint2, all_groups, kNarrowGroups);  // group, mask of its codes that are left
  TS_SHARED(uint64_t, counts, kCounters);
  const int thread = static_cast<int>(threadIdx.x), lane = thread % kRowLanes, first_lane = thread % 32 - lane;
  float *const uppers = all_uppers + thread / kRowLanes * kNarrowed * kGroup;
  uint2 *const groups = all_groups + thread / kRowLanes * kNarrowed;
  const Tally tally = {counts};
  if (thread < kCounters) counts[thread] = 0;
  TS_SYNC(1);

  for (int first = static_cast<int>(blockIdx.x) * kNarrowRows; first < work.rows;
       first += static_cast<int>(gridDim.x) * kNarrowRows) {
    const int row = first + thread / kRowLanes;  // the chunk's arrays are padded to whole tiles of rows
    const float inverse = work.terms[row].inverse;
    const bool screened = inverse > 0.0f;
    float lower = screened ? from_ordered(work.lower[row]) : 0.0f;
    bool useless = inverse == kScanned;
    int kept = 0;
    for (int list = 0; list < lists; list++) {
      const int found = screened ? work.found[int64_t{list} * work.padded + row] : 0;
      useless = useless || found > kListed;
      uint2 entry = make_uint2(0, 0);
      if (lane < found) entry = work.lists[(int64_t{list} * work.padded + row) * kListed + lane];
      const unsigned passed = vote_ballot(lane < found && !(bits_float(entry.x) < lower));
      unsigned pending = passed >> first_lane & 0xFFu;
      while (vote_any(pending != 0)) {  // rows of the warp that have no group left idle along
        const bool active = pending != 0;
        const int group = static_cast<int>(shuffle(entry.y, first_lane + (active ? lowest_bit(pending) : 0)));
        pending &= pending - 1;
        float sums[kGroup] = {};
        if (active) add_products<kQuads>(book, x + row * book.d, group, lane, sums);
        const float product = transpose_sums(sums, lane);
        float lowest = kLowest;
        if (active) {
          const RowTerms terms = work.terms[row];
          const PanelTerms panel = book.terms[group / (kPanel / kGroup)];
          const float score = product - book.half_norm[int64_t{group} * kGroup + lane];
          const float error =
              fmaf(bound.fp32_product * terms.norm, panel.norm, panel.fp32_constant + terms.fixed) * bound.factor;
          lowest = score - error;
          if (TS_GUARD(4, kept < kNarrowed)) {
            uppers[kept * kGroup + lane] = score + error;
            if (lane == 0) groups[kept].x = static_cast<unsigned>(group);
          }
          useless = useless || kept == kNarrowed;
          kept = kept < kNarrowed ? kept + 1 : kNarrowed;
        }
        lower = fmaxf(lower, row_max(lowest));
      }
    }

    int left = 0;
    int32_t code = -1;
    for (int i = 0; vote_any(i < kept); i++) {
      const bool stays = i < kept && !(uppers[i * kGroup + lane] < lower);
      const unsigned mask = vote_ballot(stays) >> first_lane & 0xFFu;
      if (lane > 0 || i >= kept) continue;
      groups[i].y = mask;
      left += count_ones(mask);
      if (mask) code = static_cast<int32_t>(groups[i].x) * kGroup + lowest_bit(mask);
    }
    left = shuffle(left, first_lane);
    useless = useless || (screened && left == 0);
    if (lane > 0 || !TS_GUARD(5, row < work.rows)) continue;
    tally.row();
    if (useless) {
      work.scanned[atomic_add(&work.counts[1], 1u)] = row;
      tally.scanned();
      tally.left(book.k);
    } else if (screened) {
      tally.left(left);
      codes[row] = code;
      if (left == 1) continue;
      tally.rescored();
      work.uncertain[atomic_add(&work.counts[0], 1u)] = row;
      work.found[row] = kept;
      for (int i = 0; i < kept; i++)
        work.lists[(int64_t{i / kListed} * work.padded + row) * kListed + i % kListed] = groups[i];
    }
  }
  TS_SYNC(2);
  if (thread < kCounters) atomic_add(reinterpret_cast<uint64_t *>(counters) + thread, counts[thread]);
}

}  // namespace tessera::cuda
