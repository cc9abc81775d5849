#include "backend/screen_plan.h"

#include <algorithm>

namespace tessera::cuda {
namespace {

constexpr int kBlocksWanted = 2;    // a multiprocessor: the kernels' registers allow so many
constexpr int kMostSplits = 8;      // each brings lists of its own for every row
constexpr size_t kReserved = 1024;  // of shared memory that a multiprocessor sets aside for a block

size_t bytes_of(const ScreenShape &shape, const ScreenPlan &plan) {
  const size_t slot = static_cast<size_t>(shape.units) * kTileRows * sizeof(uint4);
  return static_cast<size_t>(plan.row_slots) * slot +
         static_cast<size_t>(plan.code_slots) * (slot + kPanel * sizeof(float)) + shape.own_bytes;
}

// Splits of the codebook where there are fewer tiles of rows than the device has room for.
void split_codes(const cudaDeviceProp &gpu, const CodebookView &book, ScreenLaunch *launch) {
  const int wanted = kBlocksWanted * gpu.multiProcessorCount / launch->plan.tiles;
  const int splits = std::clamp(wanted, 1, std::min(book.panels, kMostSplits));
  launch->plan.panels_per_split = ceil_div(book.panels, splits);
  launch->splits = ceil_div(book.panels, launch->plan.panels_per_split);
}

}  // namespace

bool plan_screen(const cudaDeviceProp &gpu, const ScreenShape &shape, const CodebookView &book, int rows,
                 ScreenLaunch *launch) {
  ScreenPlan &plan = launch->plan;
  plan.tiles = ceil_div(rows, kTileRows);
  plan.chunks = ceil_div(book.units, shape.units);
  split_codes(gpu, book, launch);
  const size_t limit = gpu.sharedMemPerBlockOptin;
  auto fits = [&] { return (launch->shared_bytes = bytes_of(shape, plan)) <= limit; };
  const int steps = plan.panels_per_split * plan.chunks;  // of a tile

  if (shape.keeps && plan.tiles >= 2 * gpu.multiProcessorCount) {
    // The codes stay, and blocks go over the tiles. Copies run ahead into tiles that are not the current one.
    plan.codes_stay = true;
    plan.kept_tiles = 1 + ceil_div(shape.stages - 1, steps);
    plan.code_slots = steps;
    plan.row_slots = plan.kept_tiles * plan.chunks;
    if (fits()) {
      const bool two = kBlocksWanted * (launch->shared_bytes + kReserved) <= limit + kReserved;
      launch->blocks = std::min(plan.tiles, (two ? kBlocksWanted : 1) * gpu.multiProcessorCount);
      return true;
    }
  }
  launch->blocks = plan.tiles;
  plan.codes_stay = false;
  plan.code_slots = shape.stages;
  if (shape.keeps && plan.panels_per_split > 1) {
    plan.kept_tiles = 1;
    plan.row_slots = plan.chunks;
    if (fits()) return true;
  }
  plan.kept_tiles = 0;
  plan.row_slots = shape.stages;
  return fits();
}

}  // namespace tessera::cuda
