// Launches of a screen family's kernels, for the file of each family.
#pragma once

#include "backend/screen_plan.h"
#include "kernels/assign_rows.cuh"
#include "kernels/assign_screen.cuh"
#include "kernels/codebook.cuh"

namespace tessera::cuda {

template <class Format>
ts_status pack_in_format(Stream *s, const CodebookView &book, const PackedCodes &to) {
  TS_TRY(
      TS_LAUNCH_ON(s, "codebook", choose_scale<Format>, 1, kCodebookThreads, 0, to.mean64, book.d, to.mean, to.spread));
  return TS_LAUNCH_ON(s, "codebook", pack_codes<Format>, static_cast<unsigned>(book.panels * kPanel / kCodebookWarps),
                      kCodebookThreads, 0, book, to.packed, to.half_norm, to.terms);
}

template <class Format>
ts_status convert_to_format(Stream *s, const CodebookView &book, const BoundTerms &bound, const RowsToConvert &rows,
                            const SearchWork &work, int lists) {
  return TS_LAUNCH_ON(s, "assign", convert_rows<Format>, static_cast<unsigned>(work.padded / kConvertRows),
                      kConvertThreads, 0, book, bound, rows.x, work, lists, rows.first_row, rows.fault, rows.codes);
}

template <class Screen>
bool plan_for(const Device *device, const CodebookView &book, int rows, ScreenLaunch *launch) {
  launch->depth = Screen::kNumbers;
  const ScreenShape shape = {Screen::kStages, Screen::kUnits, Screen::kKeeps, screen_shared_bytes()};
  return plan_screen(device->properties, shape, book, rows, launch);
}

template <class Screen>
ts_status launch_screen(Stream *s, const char *name, const CodebookView &book, const SearchWork &work,
                        const ScreenLaunch &launch, float factor) {
  const dim3 grid(static_cast<unsigned>(launch.blocks), static_cast<unsigned>(launch.splits));
  return TS_LAUNCH_ON(s, name, screen<Screen>, grid, kScreenThreads, launch.shared_bytes, book, work, launch.plan,
                      factor);
}

}  // namespace tessera::cuda
