// Terms of the error bound that depend on the dimension alone. docs/kernels.md, "The bound", derives them.
#pragma once

#include <cstdint>

namespace tessera::cpu::vq {

// A score's error bound in a panel is
//   row_norm residual_p + row_residual offset_p + product row_norm offset_p + centre row_norm centre_p
//     + square row_norm^2 + constant norm_p^2
// where norm_p, offset_p, centre_p and residual_p bound the panel's codes and row_norm, row_residual the row.
struct Bound {
  double product;
  double centre;
  double square;
  double constant;
};

// `roundings`: of a score's accumulation, each 2^-24 of |y^||c^| + 1/2 |c|^2.
Bound screen_bound(double roundings, int64_t d);

// Reach::slack: the products with centres, and 64 roundings for all that is made of them.
float reach_slack(int64_t d);

// The bound of Tools::narrow, with its rounding of y and c to fp32 included: residuals are 0.
Bound fp32_bound(int64_t d);

// What a basis B of a projection adds, from |B|_F^2 and from the square of a bound on |B^T B - I|: `error` times |y|
// bounds the rounding of the coordinates B^T y; `slack` times |y|^2 is added to |y|^2 - |z|^2 of the computed
// coordinates z before it bounds what the basis leaves of y.
void basis_bound(int64_t d, double square, double skew, float *error, float *slack);

}  // namespace tessera::cpu::vq
