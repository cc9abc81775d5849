#include "backend/assign_family.h"
#include "kernels/assign_simt.cuh"

namespace tessera::cuda {
namespace {

constexpr const char *kName = "fp32-simt";

// D fma and the half norm.
cpu::vq::Bound bound(int64_t d) { return cpu::vq::screen_bound(static_cast<double>(d + 1), d); }

int units(int64_t d) { return Fp32Format::units(d); }

ScreenLaunch plan(const Device *device, const CodebookView &book, int rows) {
  ScreenLaunch launch{};
  plan_for<Fp32Simt>(device, book, rows, &launch);  // fits every GPU that the backend takes
  return launch;
}

ts_status screen_rows(Stream *s, const CodebookView &book, const SearchWork &work, const ScreenLaunch &launch,
                      float factor) {
  return launch_screen<Fp32Simt>(s, kName, book, work, launch, factor);
}

}  // namespace

const Family fp32_simt = {kName, bound,      units, pack_in_format<Fp32Format>, convert_to_format<Fp32Format>,
                          plan,  screen_rows};

}  // namespace tessera::cuda
