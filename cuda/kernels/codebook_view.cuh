// One version of a codebook, as kernels see it.
//
// The search works in a centred, scaled space: y = scale x - mean for rows, c = scale code - mean for codes, with the
// codes' mean and a power of two that brings the largest centred norm into [1, 2) (docs/kernels.md). Only speed depends
// on how well they are chosen; what the packed numbers miss of the exact ones is part of the bound.
#pragma once

#include <stdint.h>

namespace tessera::cuda {

constexpr int kPanel = 128;     // codes whose bound is shared
constexpr int kDepthStep = 16;  // packed codes are padded to a multiple of this many numbers

// The half norm of padding: far below any score that is screened (see the limits), far from overflow.
constexpr float kPaddingHalfNorm = 0x1p100f;

// Rows and panels with larger norms are not screened. Together the limits keep every score below 2^91 in magnitude.
constexpr float kLargestRowNorm = 0x1p50f;
constexpr float kLargestCodeNorm = 0x1p40f;

// What packing finds out about all codes together. Exponents are ilogb + kExponentBias, 0 for nothing but zeros.
constexpr unsigned kExponentBias = 2000;
struct Spread {
  unsigned norm_exponent;  // of the largest distance from the mean
  unsigned mean_exponent;  // of the mean's largest element
  float scale;
};

// One version of a codebook, as kernels see it.
struct CodebookView {
  const float *codes;      // [k, d], as the caller sees them
  const float *centred;    // [panels * kPanel, padded_d] c rounded to fp32, 0 in the padding
  const float *mean;       // [padded_d], 0 in the padding
  const float *half_norm;  // [panels * kPanel] 1/2 |c|^2
  const float *norm;       // [panels] upper bound on |c| and on its rounded copy's norm
  const Spread *spread;
  int64_t k, d, padded_d, panels;
};

}  // namespace tessera::cuda
