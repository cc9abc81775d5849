// The screen of a clustered codebook. Rows of a block are put in the order of their nearest panels, so that a tile's
// rows want the same ones. Each tile first screens its rows' nearest panels, which gives scores that are certainly
// reached; then, stretch by stretch, only the panels in which some row of the tile can still reach that much.
// docs/kernels.md, "Clusters", has the bound.
#include <algorithm>
#include <bit>
#include <cstring>

#include "cpu/vq/lists.h"
#include "cpu/vq/search.h"

namespace tessera::cpu::vq {
namespace {

constexpr uint32_t kRowBits = 8;  // a block has at most 96 rows

// The rows of one tile, by their numbers in the block.
struct TileRows {
  int64_t row[kMaxTileRows];
  int64_t count;
};

class Screen {
 public:
  Screen(const Plan &plan, Workspace &work)
      : plan_(plan), book_(plan.codebook), family_(book_->family), work_(work), own_(work.clusters) {}

  void run(const float *x, int64_t rows) {
    family_->clusters->products(book_, work_.rows.centred, rows, own_.products, plan_.centres);
    sort_rows(rows);
    for (int64_t first = 0; first < rows; first += family_->tile_rows) {
      TileRows tile = rows_of(first, rows);
      clear(book_->panels);
      for (int64_t i = 0; i < tile.count; i++) mark(own_.nearest[tile.row[i]]);
      screen(tile, 0, book_->panels);
      prefetch(x + (plan_.block + first) * book_->d, tile.count * book_->d);
    }
    for (int64_t panel = 0; panel < book_->panels; panel += plan_.stretch) {
      int64_t panels = std::min(plan_.stretch, book_->panels - panel);
      for (int64_t first = 0; first < rows; first += family_->tile_rows) {
        TileRows tile = rows_of(first, rows);
        clear(panels);
        for (int64_t i = 0; i < tile.count; i++) reach(tile.row[i], panel, panels);
        for (int64_t i = 0; i < tile.count; i++) unmark(own_.nearest[tile.row[i]] - panel, panels);
        screen(tile, panel, panels);
      }
    }
  }

 private:
  void sort_rows(int64_t rows) {
    for (int64_t r = 0; r < rows; r++) {
      own_.nearest[r] = family_->clusters->nearest(book_, own_.products + r * plan_.centres);
      own_.order[r] = static_cast<uint64_t>(own_.nearest[r]) << kRowBits | static_cast<uint64_t>(r);
    }
    std::sort(own_.order, own_.order + rows);
  }

  TileRows rows_of(int64_t first, int64_t rows) const {
    TileRows tile{{}, std::min(family_->tile_rows, rows - first)};
    for (int64_t i = 0; i < tile.count; i++)
      tile.row[i] = static_cast<int64_t>(own_.order[first + i] & ((1u << kRowBits) - 1));
    return tile;
  }

  static int64_t words(int64_t panels) { return (panels + kLanes - 1) / kLanes; }
  void clear(int64_t panels) { std::fill_n(own_.reached, words(panels), uint16_t{0}); }
  void mark(int64_t p) { own_.reached[p / kLanes] |= static_cast<uint16_t>(1u << p % kLanes); }
  void unmark(int64_t p, int64_t panels) {
    if (p >= 0 && p < panels) own_.reached[p / kLanes] &= static_cast<uint16_t>(~(1u << p % kLanes));
  }

  Reach limits_of(int64_t row) const {
    return {work_.rows.norm[row], plan_.reach_slack * bound_factor(), work_.lower[row]};
  }

  void reach(int64_t row, int64_t panel, int64_t panels) {
    const Reach limits = limits_of(row);
    if (!can_screen(book_, limits.norm)) return;
    family_->clusters->reach(book_, &limits, own_.products + row * plan_.centres, panel, panels, own_.reached);
  }

  // The tile's rows against the marked panels.
  void screen(const TileRows &rows, int64_t first_panel, int64_t panels) {
    int64_t count = 0;
    for (int64_t w = 0; w < words(panels); w++)
      for (uint32_t bits = own_.reached[w]; bits; bits &= bits - 1)
        own_.panel[count++] = static_cast<int32_t>(first_panel + w * kLanes + std::countr_zero(bits));
    if (count == 0) return;
    const int64_t bytes = family_->row_bytes(book_->d);
    for (int64_t i = 0; i < rows.count; i++) {
      int64_t row = rows.row[i];
      const Reach limits = limits_of(row);
      family_->clusters->prepare(book_, &work_.screen_bounds[row], bound_factor(), &limits,
                                 own_.products + row * plan_.centres, first_panel, panels, own_.reached,
                                 work_.error + i * plan_.stretch, own_.centre + i * plan_.stretch);
      std::memcpy(own_.packed + i * bytes, work_.rows.packed + row * bytes, static_cast<size_t>(bytes));
      own_.step[i] = work_.rows.step[row];
      own_.offset[i] = work_.rows.offset[row];
      own_.lower[i] = work_.lower[row];
    }
    const Rows packed{nullptr, own_.packed, nullptr, nullptr, own_.step, own_.offset};
    const Tile tile{.codebook = book_,
                    .rows = &packed,
                    .first_row = 0,
                    .first_panel = 0,
                    .panels = count,
                    .stride = plan_.stretch,
                    .error = work_.error,
                    .panel = own_.panel,
                    .centre = own_.centre,
                    .maxima = work_.maxima,
                    .lower = own_.lower};
    family_->screen(&tile, rows.count);
    for (int64_t i = 0; i < rows.count; i++) {
      int64_t row = rows.row[i];
      work_.lower[row] = own_.lower[i];
      extend_list(plan_, work_, row, [&](Candidates *list) {
        return family_->clusters->collect(work_.maxima + i * plan_.stretch * kLanes, work_.error + i * plan_.stretch,
                                          own_.panel, count, work_.lower[row], list);
      });
    }
  }

  const Plan &plan_;
  const Codebook *book_;
  const Family *family_;
  Workspace &work_;
  ClusterWork &own_;
};

}  // namespace

void screen_clusters(const Plan &plan, const float *x, int64_t rows, Workspace &work) {
  Screen(plan, work).run(x, rows);
}

}  // namespace tessera::cpu::vq
