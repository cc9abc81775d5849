// The certificate's constants. Tests break them on purpose through `certificate_factor`: see bound.h.
#include "cpu/vq/bound.h"

#include <cmath>

namespace tessera::cpu::vq {
namespace {

// gamma_n = n u / (1 - n u), u = 2^-24: n roundings in a row (Higham, Accuracy and Stability, lemma 3.1).
double gamma(double n) {
  double nu = n * 0x1p-24;
  return nu / (1 - nu);
}

}  // namespace

Bound screen_bound(double roundings, int64_t d) {
  // Beside the accumulation: one rounding of the stored half norm, one of adding the centre's part, and four of score
  // +- bound and its comparison.
  double rounding = gamma(roundings + 6);
  // The float64 reference's own error is (d + 3) 2^-53 (|y| + |c|)^2, half of it in units of a score, and
  // (|y| + |c|)^2 <= 2 |y|^2 + 2 |c|^2.
  double reference = static_cast<double>(d + 3) * 0x1p-53;
  // The centre's part: y rounded to fp32, d fused multiply-adds, and the same five.
  return {rounding, gamma(static_cast<double>(d) + 7), reference, 0.5 * rounding + reference};
}

float reach_slack(int64_t d) { return static_cast<float>(gamma(static_cast<double>(d) + 7) + 64 * 0x1p-24); }

void basis_bound(int64_t d, double square, double skew, float *error, float *slack) {
  // y rounded to fp32, and d fused multiply-adds.
  double rounding = gamma(static_cast<double>(d) + 1) * std::sqrt(square);
  double most = std::sqrt(1 + std::sqrt(skew)) + rounding;  // |z| / |y|
  *error = static_cast<float>(rounding * (1 + 0x1p-20));
  *slack = static_cast<float>((2 * rounding * most + std::sqrt(skew) * most * most) * (1 + 0x1p-20) + 64 * 0x1p-24);
}

Bound fp32_bound(int64_t d) {
  // d + 8 roundings of the dot product, and one each for the numbers of y and of c.
  return screen_bound(static_cast<double>(d + 8) + 2, d);
}

}  // namespace tessera::cpu::vq
