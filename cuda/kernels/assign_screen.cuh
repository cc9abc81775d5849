// screen: scores of a chunk's rows against all codes, and for each row the groups of codes that the bound cannot
// exclude. A family (assign_simt.cuh, assign_mma.cuh) supplies the arithmetic: how a chunk of units is multiplied into
// a thread's sums, and the largest score of each group of a tile.
//
// A block takes a tile of 128 rows (or several, one after the other) past the 128-code panels of its split of the
// codebook, a chunk of numbers at a step. Chunks come through a ring of slots by asynchronous copies, kStages - 1 steps
// ahead. What is used again stays where the block's shared memory allows it: a tile's rows for all panels, or the
// split's codes for all tiles. At the end of a panel the groups' maxima go through shared memory, twice over, so that
// one barrier a step is enough: in the next step each thread takes up eight of them, half a row's.
//
// A thread keeps `lower`, the largest score - bound so far, and lists a group if its maximum + bound is not below that.
// `lower` grows as panels pass, so a list holds groups that are excluded in the end: those are few (about ln of the
// number of panels), and narrow_rows leaves them out. A list that is full is first cleared of them.
//
//   shared     slots, see Family; maxima 2 x 8.25 KB; 7 KB of what threads watch
//   work       see Family; epilogue of a thread, panel and 64 scores: 64 fma, 56 maxima, 8 + 2 accesses to shared
//              memory, and about 20 instructions to watch 8 groups
#pragma once

#include "kernels/assign.cuh"

namespace tessera::cuda {

// Maxima of a tile and panel: float4 planes [4 groups of 4][row], so that both writing by group and reading by row
// reach different banks. The pitch puts neighbouring planes half a turn of the banks apart.
constexpr int kMaximaPitch = 4 * kTileRows + 16;
constexpr int kMaximaSize = 4 * kMaximaPitch;

TS_DEVICE float *maximum_at(float *maxima, int row, int group) {
  return maxima + group / 4 * kMaximaPitch + 4 * row + group % 4;
}

// A step of a block's work.
struct Step {
  int tile, panel, chunk;
  int kept;  // in the ring of tiles that stay

  TS_DEVICE void advance(const ScreenPlan &plan, int first_panel, int end_panel) {
    if (++chunk < plan.chunks) return;
    chunk = 0;
    if (++panel < end_panel) return;
    panel = first_panel;
    tile += static_cast<int>(gridDim.x);
    kept = kept + 1 < plan.kept_tiles ? kept + 1 : 0;
  }
};

// Where chunks lie in shared memory.
template <class Family>
struct Slots {
  uint4 *rows, *codes;  // [slots, Family::kSlotUnits]
  float *half_norms;    // [code slots, kPanel]
  int first_panel;

  TS_DEVICE static bool keeps_rows(const ScreenPlan &plan) { return Family::kKeeps && plan.kept_tiles > 0; }
  TS_DEVICE static bool keeps_codes(const ScreenPlan &plan) { return Family::kKeeps && plan.codes_stay; }

  TS_DEVICE int row_slot(const ScreenPlan &plan, const Step &step, int stage) const {
    return keeps_rows(plan) ? step.kept * plan.chunks + step.chunk : stage;
  }
  TS_DEVICE int code_slot(const ScreenPlan &plan, const Step &step, int stage) const {
    return keeps_codes(plan) ? (step.panel - first_panel) * plan.chunks + step.chunk : stage;
  }

  // Starts the copies that a step waits for and that are not there already.
  TS_DEVICE void load(const ScreenPlan &plan, const CodebookView &book, const SearchWork &work, const Step &step,
                      int stage) const {
    if (!keeps_rows(plan) || step.panel == first_panel)
      copy(rows + row_slot(plan, step, stage) * Family::kSlotUnits,
           work.packed + int64_t{step.tile} * kTileRows * book.units + step.chunk * Family::kUnits, book.units);
    if (keeps_codes(plan) && step.tile > static_cast<int>(blockIdx.x)) return;
    const int slot = code_slot(plan, step, stage), thread = static_cast<int>(threadIdx.x);
    copy(codes + slot * Family::kSlotUnits,
         book.packed + int64_t{step.panel} * kPanel * book.units + step.chunk * Family::kUnits, book.units);
    if (thread < kPanel / 4)
      async_copy<16>(half_norms + slot * kPanel + 4 * thread,
                     book.half_norm + int64_t{step.panel} * kPanel + 4 * thread);
  }

 private:
  // Copies kUnits units of each row of a tile, or of each code of a panel.
  TS_DEVICE static void copy(uint4 *to, const uint4 *from, int pitch) {
    static_assert(kTileRows == kPanel, "rows and codes are copied alike");
    constexpr int kRows = kScreenThreads / Family::kUnits;  // at a time
    const int row = static_cast<int>(threadIdx.x) / Family::kUnits,
              unit = static_cast<int>(threadIdx.x) % Family::kUnits;
    from += int64_t{row} * pitch + unit;
    to += Family::place(row, unit);
    TS_UNROLL
    for (int i = 0; i < kTileRows / kRows; i++) {
      async_copy<16>(to, from);
      from += int64_t{kRows} * pitch;
      to += Family::place(kRows, 0);  // kRows on, a row has its units in the same order
    }
  }
};

// What one thread watches: half of the groups of one row. It waits in shared memory while the family needs the
// registers. Others look at the terms alone: those of the tile's rows are the first 128.
struct Watched {
  RowTerms *terms;  // [threads]
  float *lower;     // [threads]
  float *bound;     // [threads] in the panel before
  int *found;       // [threads] length of the list; kListed + 1 if it was too short
};

class Watch {
 public:
  static constexpr int kGroups = kPanel / kGroup / kHalves;  // of a panel

  TS_DEVICE Watch(const Watched &watched, const SearchWork &work, int tile)
      : terms_(watched.terms[threadIdx.x]),
        lower_(watched.lower[threadIdx.x]),
        bound_(watched.bound[threadIdx.x]),
        found_(watched.found[threadIdx.x]),
        work_(work),
        row_(tile * kTileRows + static_cast<int>(threadIdx.x) % kTileRows),
        half_(static_cast<int>(threadIdx.x) / kTileRows) {}

  TS_DEVICE void begin() {
    terms_ = work_.terms[row_];
    lower_ = kLowest;
    found_ = 0;
  }

  // Finds the bound for the maxima that come next.
  TS_DEVICE void expect(const PanelTerms &panel, float factor) { bound_ = screen_bound(terms_, panel, factor); }

  // Takes up the maxima of a panel.
  TS_DEVICE void take(const float *maxima, int panel) {
    const float bound = bound_;
    const float *const mine = maxima + half_ * kGroups / 4 * kMaximaPitch + 4 * (row_ % kTileRows);
    const float4 low = load16(mine), high = load16(mine + kMaximaPitch);
    static_assert(kGroups == 8, "two planes");
    const float best =
        fmaxf(fmaxf(fmaxf(low.x, low.y), fmaxf(low.z, low.w)), fmaxf(fmaxf(high.x, high.y), fmaxf(high.z, high.w)));
    const float lower = fmaxf(lower_, best - bound);
    lower_ = lower;
    if (best + bound < lower) return;
    TS_UNROLL_BY(1)
    for (int i = 0; i < kGroups; i++) {
      const float upper = mine[i / 4 * kMaximaPitch + i % 4] + bound;
      if (!(upper < lower)) list(upper, (panel * kHalves + half_) * kGroups + i);
    }
  }

  // Hands the row to narrow_rows.
  TS_DEVICE void finish() const {
    work_.found[list_number() * work_.padded + row_] = found_;
    atomic_max(&work_.lower[row_], ordered(lower_));
  }

 private:
  TS_DEVICE int64_t list_number() const { return int64_t{blockIdx.y} * kHalves + half_; }
  TS_DEVICE uint2 *entries() const { return work_.lists + (list_number() * work_.padded + row_) * kListed; }

  TS_DEVICE void list(float upper, int group) {
    if (found_ == kListed) prune();
    if (TS_GUARD(4, found_ < kListed)) entries()[found_] = make_uint2(float_bits(upper), static_cast<unsigned>(group));
    found_ = found_ < kListed ? found_ + 1 : kListed + 1;
  }

  // Drops what is excluded by now.
  TS_DEVICE void prune() {
    uint2 *const list = entries();
    int kept = 0;
    TS_UNROLL_BY(1)
    for (int i = 0; i < kListed; i++) {
      const uint2 entry = list[i];
      if (!(bits_float(entry.x) < lower_)) list[kept++] = entry;
    }
    found_ = kept;
  }

  RowTerms &terms_;
  float &lower_, &bound_;
  int &found_;
  const SearchWork &work_;
  const int row_, half_;
};

// Grid (blocks for the tiles, splits of the codebook).
template <class Family>
TS_KERNEL(kScreenThreads, 2)
screen(CodebookView book, SearchWork work, ScreenPlan plan, float factor) {
  SharedMemory shared;
  TS_SHARED(float, maxima, 2 * kMaximaSize);
  TS_SHARED(RowTerms, terms, kScreenThreads);
  TS_SHARED(float, lower, kScreenThreads);
  TS_SHARED(float, bounds, kScreenThreads);
  TS_SHARED(int, found, kScreenThreads);
  TS_SHARED(uint4, row_slots, plan.row_slots * Family::kSlotUnits);
  TS_SHARED(uint4, code_slots, plan.code_slots * Family::kSlotUnits);
  TS_SHARED(float, half_norms, plan.code_slots *kPanel);
  const Watched watched = {terms, lower, bounds, found};
  const int first_panel = static_cast<int>(blockIdx.y) * plan.panels_per_split;
  const int end_panel =
      first_panel + plan.panels_per_split < book.panels ? first_panel + plan.panels_per_split : book.panels;
  const Slots<Family> slots = {row_slots, code_slots, half_norms, first_panel};

  Step now = {static_cast<int>(blockIdx.x), first_panel, 0, 0};
  int stage = 0;  // of `now` in the ring
  // Starts what the step `ahead` steps from now needs. Finding that step again costs less than keeping it in registers.
  auto load_ahead = [&](int ahead, int into) {
    Step step = now;
    TS_UNROLL
    for (int i = 0; i < ahead; i++) step.advance(plan, first_panel, end_panel);
    if (step.tile < plan.tiles) slots.load(plan, book, work, step, into);
    async_commit();
  };
  TS_UNROLL
  for (int i = 0; i < Family::kStages - 1; i++) load_ahead(i, i);

  while (now.tile < plan.tiles) {
    const int tile = now.tile;
    Family family;
    Watch(watched, work, tile).begin();
    do {
      const int panel = now.panel;
      family.begin();
      for (bool last = false; !last;) {
        TS_ASYNC_WAIT(1, Family::kStages - 2);
        TS_SYNC(2);
        load_ahead(Family::kStages - 1, stage > 0 ? stage - 1 : Family::kStages - 1);  // where the step before was
        if (now.chunk == 0 && panel > first_panel)
          Watch(watched, work, tile).take(maxima + (panel - 1) % 2 * kMaximaSize, panel - 1);
        const int code_slot = slots.code_slot(plan, now, stage);
        family.multiply(row_slots + slots.row_slot(plan, now, stage) * Family::kSlotUnits,
                        code_slots + code_slot * Family::kSlotUnits,
                        static_cast<int>(book.d) - now.chunk * Family::kNumbers);
        last = now.chunk + 1 == plan.chunks;
        if (last) {
          Watch(watched, work, tile).expect(book.terms[panel], factor);
          family.store_maxima(half_norms + code_slot * kPanel, terms, maxima + panel % 2 * kMaximaSize);
        }
        now.advance(plan, first_panel, end_panel);
        stage = stage + 1 < Family::kStages ? stage + 1 : 0;
      }
    } while (now.panel > first_panel);
    TS_SYNC(3);
    Watch watch(watched, work, tile);
    watch.take(maxima + (end_panel - 1) % 2 * kMaximaSize, end_panel - 1);
    watch.finish();
  }
}

// Shared memory beside the slots.
constexpr size_t screen_shared_bytes() {
  return shared_bytes<float>(2 * kMaximaSize) + shared_bytes<RowTerms>(kScreenThreads) +
         2 * shared_bytes<float>(kScreenThreads) + shared_bytes<int>(kScreenThreads);
}

}  // namespace tessera::cuda
