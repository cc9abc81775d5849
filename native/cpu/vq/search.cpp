// Screen, certify, rescore. For a block of rows:
//
//   convert   centre and scale the rows, round them to the family's format, bound the rounding
//   screen    the family scores tiles of rows against stretches of panels; a group of four codes stays on a row's list
//             if its largest score + bound is not below what some code certainly reaches
//   narrow    the codes of those groups are scored again in fp32, with fp32's own bound
//   decide    one code left: that is the answer. Several: the contract's float64 distances, lowest code on ties
//
// Comparisons are written so that a NaN keeps a code; rows whose numbers leave the range of the screen are scanned.
#include "cpu/vq/search.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <new>

#include "cpu/vq/carver.h"
#include "cpu/vq/lists.h"

namespace tessera::cpu::vq {

#ifdef TESSERA_VQ_BREAKABLE
float certificate_factor = 1.0f;
#endif

namespace {

constexpr int64_t kBlockBytes = 64 << 10;     // centred rows of a block
constexpr int64_t kStretchBytes = 256 << 10;  // panels of a stretch: a quarter of a common L2
constexpr int64_t kMaxBlock = 96;
constexpr int64_t kMaxStretch = 64;
constexpr int64_t kMaxCapacity = 512;
constexpr int64_t kSlack = 64;     // for stores of whole vectors
constexpr int64_t kDistances = 8;  // pairs of one call of Tools::distances

// Covers the fp32 rounding of a bound's own evaluation: a handful of operations on positive numbers.
constexpr float kInflate = 1.0f + 0x1p-20f;

// The float64 contract over a list of codes (list null: over all), 8 at a time.
int32_t nearest_exact(const Codebook *book, const float *x, const int32_t *list, int64_t count) {
  const float *rows[kDistances], *codes[kDistances];
  double distance[kDistances], best_distance = HUGE_VAL;
  int32_t best = std::numeric_limits<int32_t>::max();
  for (auto &row : rows) row = x;
  for (int64_t begin = 0; begin < count; begin += kDistances) {
    int64_t n = std::min(kDistances, count - begin);
    for (int64_t i = 0; i < n; i++) {
      int64_t k = list ? list[begin + i] : begin + i;
      codes[i] = book->codes + k * book->d;
    }
    book->family->tools->distances(rows, codes, n, book->d, distance);
    for (int64_t i = 0; i < n; i++) {
      int32_t k = list ? list[begin + i] : static_cast<int32_t>(begin + i);
      if (distance[i] < best_distance || (distance[i] == best_distance && k < best)) {
        best_distance = distance[i];
        best = k;
      }
    }
  }
  return best;
}

void count_row(Tally &tally, int64_t left) {
  tally.candidates += static_cast<uint64_t>(left);
  tally.histogram[std::min<int64_t>(left, TS_CANDIDATE_BINS - 1)]++;
}

int32_t scan(const Codebook *book, const float *x, Tally &tally) {
  tally.scanned++;
  count_row(tally, book->k);
  return nearest_exact(book, x, nullptr, book->k);
}

bool all_finite(const float *x, int64_t d) {
  bool finite = true;
  for (int64_t i = 0; i < d; i++) finite &= std::isfinite(x[i]);
  return finite;
}

// A row that cannot be screened: at fault, or out of range.
int32_t unscreened(const Codebook *book, const float *x, int64_t row, Tally &tally) {
  if (all_finite(x, book->d)) return scan(book, x, tally);
  tally.fault_row = std::min(tally.fault_row, row);
  return -1;
}

// A row's part of the bound: bound.h.
RowBound bound_row(const Bound &bound, float norm, float residual) {
  return {static_cast<float>(residual + bound.product * norm), norm, static_cast<float>(bound.centre * norm), 0,
          static_cast<float>(bound.square * norm * norm)};
}

// The same for the row's coordinates in a projection: docs/kernels.md, "Projection".
RowBound bound_coordinates(const Plan &plan, const Workspace &work, int64_t r) {
  const float norm = work.rows.norm[r], kept = work.screened.norm[r];
  const double rounding = static_cast<double>(plan.codebook->basis_error) * norm;
  return {static_cast<float>(work.screened.residual[r] + plan.screen.product * kept + rounding), kept, 0, work.rest[r],
          static_cast<float>(plan.screen.square * norm * norm)};
}

// Adds to a row's list what a tile's screen left of it.
void collect(const Plan &plan, const Tile &tile, int64_t r, Workspace &work) {
  int64_t row = tile.first_row + r;
  extend_list(plan, work, row, [&](Candidates *list) {
    return plan.codebook->family->tools->collect(work.maxima + r * plan.stretch * kLanes, work.error + r * plan.stretch,
                                                 tile.first_panel, tile.panels, work.lower[row], list);
  });
}

// Screens the rows x of a block and fills their lists.
void screen_block(const Plan &plan, const float *x, int64_t rows, Workspace &work) {
  const Codebook *book = plan.screened;
  const Family *family = book->family;
  const bool projected = book != plan.codebook;
  for (int64_t r = 0; r < rows; r++) {
    work.lower[r] = -HUGE_VALF;
    work.counts[r] = 0;
    work.overflow[r] = false;
    work.screen_bounds[r] =
        projected ? bound_coordinates(plan, work, r) : bound_row(plan.screen, work.rows.norm[r], work.rows.residual[r]);
    work.fp32_bounds[r] = bound_row(plan.fp32, work.rows.norm[r], 0);
  }
  if (plan.centres > 0) return screen_clusters(plan, x, rows, work);
  Tile tile{.codebook = book,
            .rows = &work.screened,
            .first_row = 0,
            .first_panel = 0,
            .panels = 0,
            .stride = plan.stretch,
            .error = work.error,
            .panel = nullptr,
            .centre = nullptr,
            .maxima = work.maxima,
            .lower = nullptr};
  for (tile.first_panel = 0; tile.first_panel < book->panels; tile.first_panel += plan.stretch) {
    tile.panels = std::min(plan.stretch, book->panels - tile.first_panel);
    for (tile.first_row = 0; tile.first_row < rows; tile.first_row += family->tile_rows) {
      int64_t count = std::min(family->tile_rows, rows - tile.first_row);
      tile.lower = work.lower + tile.first_row;
      for (int64_t r = 0; r < count; r++)
        family->tools->bounds(book, &work.screen_bounds[tile.first_row + r], bound_factor(), tile.first_panel,
                              tile.panels, work.error + r * plan.stretch);
      family->screen(&tile, count);
      const int64_t d = plan.codebook->d;
      for (int64_t r = 0; r < count; r++) {
        collect(plan, tile, r, work);
        if (tile.first_panel == 0) prefetch(x + (plan.block + tile.first_row + r) * d, d);
      }
    }
  }
}

// The code in a place of Narrowing::upper; -1 in the padding. Unsigned, for division by shifts.
int32_t code_at(const Codebook *book, const Workspace &work, uint32_t place) {
  auto group = static_cast<uint32_t>(work.batch_group[place / kVectors]);
  return book->order[group / kLanes * kPanel + group % kLanes + place % kVectors * kLanes];
}

// The code of a row whose candidates were settled, `left` [count] of them.
int32_t decide(const Codebook *book, const float *x, int32_t *left, int64_t count, Workspace &work) {
  int64_t codes = 0;
  for (int64_t i = 0; i < count; i++) {
    int32_t code = code_at(book, work, static_cast<uint32_t>(left[i]));
    if (code >= 0) left[codes++] = code;
  }
  if (codes == 0) return scan(book, x, work.tally);  // the bounds were NaN
  count_row(work.tally, codes);
  if (codes == 1) return left[0];
  work.tally.rescored++;
  return nearest_exact(book, x, left, codes);
}

// Narrows and decides the block's rows, a batch at a time. x [rows, d] starts at row `first_row` of the batch of all.
void decide_block(const Plan &plan, const float *x, int64_t first_row, int64_t rows, int32_t *codes, Workspace &work) {
  const Codebook *book = plan.codebook;
  const Tools *tools = book->family->tools;
  auto screened = [&](int64_t r) { return can_screen(book, work.rows.norm[r]) && !work.overflow[r]; };
  for (int64_t begin = 0, end; begin < rows; begin = end) {
    int32_t groups = 0;
    for (end = begin; end < rows && groups + plan.capacity <= plan.batch; end++) {
      work.starts[end] = groups;
      if (!screened(end)) continue;
      Candidates list = list_of(plan, work, end);
      auto kept = static_cast<int32_t>(tools->filter(&list, work.lower[end], static_cast<int32_t>(end),
                                                     work.batch_group + groups, work.batch_row + groups));
      groups += kept;
    }
    work.starts[end] = groups;
    Narrowing narrowing{book,           work.rows.centred, work.fp32_bounds, bound_factor(),  groups,
                        work.batch_row, work.batch_group,  work.batch_upper, work.batch_lower};
    tools->narrow(&narrowing);
    Settling settling{end - begin,        work.starts + begin, work.batch_upper, work.batch_lower,
                      work.lower + begin, work.left,           work.left_starts};
    tools->settle(&settling);
    for (int64_t r = begin; r < end; r++) {
      const float *row = x + r * book->d;
      if (screened(r))
        codes[r] = decide(book, row, work.left + work.left_starts[r - begin],
                          work.left_starts[r - begin + 1] - work.left_starts[r - begin], work);
      else if (work.overflow[r])
        codes[r] = scan(book, row, work.tally);
      else
        codes[r] = unscreened(book, row, first_row + r, work.tally);
    }
  }
}

Rows lay_out_rows(const Codebook *book, int64_t block, bool packs, Carver &carve) {
  const int64_t rows_of_four = (block + 3) / 4 * 4;
  Rows rows{};
  rows.centred = carve.take<float>(rows_of_four * book->padded_d);
  rows.packed = reinterpret_cast<std::byte *>(rows.centred);
  if (packs) rows.packed = carve.take<std::byte>(block * book->family->row_bytes(book->d));
  rows.norm = carve.take<float>(rows_of_four);
  rows.residual = carve.take<float>(block);
  rows.step = carve.take<float>(block);
  rows.offset = carve.take<int32_t>(block);
  return rows;
}

// Centres and rounds a block of rows; a projection's rows are their coordinates.
void convert(const Plan &plan, const float *x, int64_t rows, Workspace &work) {
  const Codebook *book = plan.codebook, *screened = plan.screened;
  if (screened == book) return book->family->convert(book, x, rows, &work.rows);
  book->family->plain->convert(book, x, rows, &work.rows);
  book->family->tools->project(book, &work.rows, rows, work.coordinates, work.rest);
  screened->family->convert(screened, work.coordinates, rows, &work.screened);
}

void lay_out(const Plan &plan, Carver &carve, Workspace *work) {
  const Codebook *book = plan.codebook;
  const Family *family = plan.screened->family;
  work->tally.fault_row = std::numeric_limits<int64_t>::max();
  const int64_t rows_of_four = (plan.block + 3) / 4 * 4;
  const bool projected = plan.screened != book;
  work->screened = work->rows = lay_out_rows(book, plan.block, family->packs_rows && !projected, carve);
  if (projected) {
    work->screened = lay_out_rows(plan.screened, plan.block, family->packs_rows, carve);
    work->coordinates = carve.take<float>(rows_of_four * plan.screened->d);
    work->rest = carve.take<float>(rows_of_four);
  }
  work->screen_bounds = carve.take<RowBound>(plan.block);
  work->fp32_bounds = carve.take<RowBound>(plan.block);
  work->error = carve.take<float>(family->tile_rows * plan.stretch + kSlack);
  work->maxima = carve.take<float>(family->tile_rows * plan.stretch * kLanes);
  work->lower = carve.take<float>(plan.block);
  work->overflow = carve.take<bool>(plan.block);
  work->groups = carve.take<int32_t>(plan.block * plan.list);
  work->uppers = carve.take<float>(plan.block * plan.list);
  work->counts = carve.take<int32_t>(plan.block);
  work->starts = carve.take<int32_t>(plan.block + 1);
  work->batch_row = carve.take<int32_t>(plan.batch + kSlack);
  work->batch_group = carve.take<int32_t>(plan.batch + kSlack);
  work->batch_upper = carve.take<float>(plan.batch * kVectors + kSlack);
  work->batch_lower = carve.take<float>(plan.batch * kVectors + kSlack);
  work->left = carve.take<int32_t>(plan.batch * kVectors + kSlack);
  work->left_starts = carve.take<int32_t>(plan.block + 1);
  if (plan.centres == 0) return;
  ClusterWork &c = work->clusters;
  c.products = carve.take<float>(rows_of_four * plan.centres);
  c.nearest = carve.take<int32_t>(plan.block);
  c.order = carve.take<uint64_t>(plan.block);
  c.reached = carve.take<uint16_t>(plan.centres / kLanes);
  c.panel = carve.take<int32_t>(plan.stretch);
  c.centre = carve.take<float>(family->tile_rows * plan.stretch + kSlack);
  c.packed = carve.take<std::byte>(family->tile_rows * family->row_bytes(book->d));
  c.step = carve.take<float>(family->tile_rows);
  c.lower = carve.take<float>(family->tile_rows);
  c.offset = carve.take<int32_t>(family->tile_rows);
}

}  // namespace

float bound_factor() { return kInflate * certificate_factor; }

Plan make_plan(const Codebook *codebook) {
  const Codebook *screened = codebook->screened;
  const Family *family = screened->family;
  int64_t tile = family->tile_rows;
  int64_t row = codebook->padded_d * static_cast<int64_t>(sizeof(float));
  int64_t block = std::clamp(kBlockBytes / row, tile, kMaxBlock) / tile * tile;
  int64_t stretch = std::clamp<int64_t>(kStretchBytes / family->panel_bytes(screened->d), 1, kMaxStretch);
  // A clustered codebook's first pass screens as many panels as a tile has rows.
  if (codebook->clustered) stretch = std::max(stretch, tile);
  stretch = std::min(stretch, codebook->panels);
  int64_t capacity = std::min(kMaxCapacity, codebook->panels * kLanes + kSlack);
  return {codebook,
          screened,
          block,
          stretch,
          capacity,
          capacity + kSlack,
          2 * capacity,
          codebook->clustered ? (codebook->panels + kLanes - 1) / kLanes * kLanes : 0,
          codebook->clustered || stretch < codebook->panels,
          screen_bound(family->rounding(screened->d), codebook->d),
          fp32_bound(codebook->d),
          reach_slack(codebook->d)};
}

void search(const Plan &plan, const float *x, int64_t first_row, int64_t rows, int32_t *codes, Workspace &work) {
  const Codebook *book = plan.codebook;
  for (int64_t begin = 0; begin < rows; begin += plan.block) {
    int64_t count = std::min(plan.block, rows - begin);
    const float *block = x + begin * book->d;
    convert(plan, block, count, work);
    screen_block(plan, block, count, work);
    decide_block(plan, block, first_row + begin, count, codes + begin, work);
    work.tally.rows += static_cast<uint64_t>(count);
  }
}

SearchTeam::SearchTeam(Stream *stream, const Plan &plan, int threads, size_t own, size_t shared)
    : stream_(stream), family_(plan.screened->family), threads_(threads), own_bytes_((own + 63) / 64 * 64) {
  auto lay_out_all = [&](Carver &carve) {
    auto *work = carve.take<Workspace>(threads);
    own_ = carve.take<std::byte>(threads * static_cast<int64_t>(own_bytes_));
    shared_ = carve.take<std::byte>(static_cast<int64_t>(shared));
    for (int t = 0; t < threads; t++) {
      Workspace laid_out{};
      lay_out(plan, carve, &laid_out);
      if (work) new (work + t) Workspace(laid_out);
    }
    return work;
  };
  Carver measure{nullptr};
  lay_out_all(measure);
  Carver carve{static_cast<std::byte *>(stream->scratch.reserve(measure.used))};
  if (carve.base) work_ = lay_out_all(carve);
}

ts_status SearchTeam::out_of_memory(const char *op) const {
  return host->fail(stream_->report, TS_OUT_OF_MEMORY, "ts_%s: no memory for scratch", op);
}

ts_status SearchTeam::finish(const char *op) {
  int64_t fault = std::numeric_limits<int64_t>::max();
  ts_vq_stats &stats = stream_->stats;
  for (int t = 0; t < threads_; t++) {
    const Tally &tally = work_[t].tally;
    fault = std::min(fault, tally.fault_row);
    stats.rows += tally.rows;
    stats.candidates += tally.candidates;
    stats.rescored_rows += tally.rescored;
    stats.scanned_rows += tally.scanned;
    for (int i = 0; i < TS_CANDIDATE_BINS; i++) stats.histogram[i] += tally.histogram[i];
  }
  std::snprintf(stats.kernel, sizeof stats.kernel, "%s", family_->name);
  if (fault == std::numeric_limits<int64_t>::max()) return TS_OK;
  return host->fault(stream_->report, TS_FAULT_NONFINITE_ROW, fault, op);
}

}  // namespace tessera::cpu::vq
