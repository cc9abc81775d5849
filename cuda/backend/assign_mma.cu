#include <algorithm>

#include "backend/assign_family.h"
#include "kernels/assign_mma.cuh"

namespace tessera::cuda {
namespace {

constexpr const char *kName = "fp16-mma";

// Tensor cores cut sums off: max(D, 16) 2^-21 |y||c| covers every GPU since Volta. Half norms do not go through them.
cpu::vq::Bound bound(int64_t d) {
  cpu::vq::Bound b = cpu::vq::screen_bound(0, d);
  b.product += static_cast<double>(std::max<int64_t>(d, 16)) * 0x1p-21;
  return b;
}

int units(int64_t d) { return Fp16Format::units(d); }

// Steps as deep as shared memory allows; a packed row is whole steps of any of these.
ScreenLaunch plan(const Device *device, const CodebookView &book, int rows) {
  ScreenLaunch launch{};
  if (book.units % Fp16Mma<64>::kUnits == 0 && plan_for<Fp16Mma<64>>(device, book, rows, &launch)) return launch;
  if (book.units % Fp16Mma<32>::kUnits == 0 && plan_for<Fp16Mma<32>>(device, book, rows, &launch)) return launch;
  plan_for<Fp16Mma<16>>(device, book, rows, &launch);
  return launch;
}

ts_status screen_rows(Stream *s, const CodebookView &book, const SearchWork &work, const ScreenLaunch &launch,
                      float factor) {
  switch (launch.depth) {
    case 64:
      return launch_screen<Fp16Mma<64>>(s, kName, book, work, launch, factor);
    case 32:
      return launch_screen<Fp16Mma<32>>(s, kName, book, work, launch, factor);
    default:
      return launch_screen<Fp16Mma<16>>(s, kName, book, work, launch, factor);
  }
}

}  // namespace

const Family fp16_mma = {kName, bound,      units, pack_in_format<Fp16Format>, convert_to_format<Fp16Format>,
                         plan,  screen_rows};

}  // namespace tessera::cuda
