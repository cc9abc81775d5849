// Which taps of a masked convolution lie inside the image at one position: for each row of the kernel a run of them.
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/backend.h"

namespace tessera::cpu {

// Calls body(tap, input_row, input_column, count) for each run of taps that lie beside each other inside the image:
// `count` taps from `tap` on read the inputs from (input_row, input_column) on. In ascending order.
template <class Body>
void for_taps(const ts_masked_conv_shape &s, int64_t row, int64_t column, const Body &body) {
  for (int64_t i = 0; i * s.kernel_w < s.taps; i++) {
    const int64_t input_row = row - s.pad_top + i;
    if (input_row < 0 || input_row >= s.height) continue;
    const int64_t taps = std::min(s.kernel_w, s.taps - i * s.kernel_w), first = column - s.pad_left;
    const int64_t begin = std::max<int64_t>(0, -first), end = std::min(taps, s.width - first);
    if (begin < end) body(i * s.kernel_w + begin, input_row, first + begin, end - begin);
  }
}

}  // namespace tessera::cpu
