// One version of a codebook, as kernels see it.
//
// The search works in a centred, scaled space: y = scale x - mean for rows, c = scale code - mean for codes, with the
// codes' mean and a power of two that brings the largest centred norm into [1, 2) (docs/kernels.md). Only speed depends
// on how well they are chosen; what the packed numbers miss of the exact ones is part of the bound.
#pragma once

#include "kernels/platform.cuh"

namespace tessera::cuda {

constexpr int kPanel = 128;  // codes whose bound is shared
constexpr int kGroup = 8;    // codes that a screen tells apart from others, and not from each other

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
  float scale;             // of the centred space
  float code_scale;        // of packed codes beside it: Format::scale of what no norm exceeds
  unsigned screenable;     // 0 if norms leave the range in which bounds are proven: then all rows are scanned
};

// What the codes of a panel have in common, all upper bounds (docs/kernels.md, "Terms of E").
struct alignas(16) PanelTerms {
  float norm;           // |c| and |c^|
  float residual;       // |c - c^|
  float constant;       // the part of a score's bound that does not depend on the row
  float fp32_constant;  // the same in the narrowing
};

// The dimension's part in them.
struct PanelBound {
  double constant, fp32_constant;
};

// One version of a codebook, as kernels see it.
struct CodebookView {
  const float *codes;       // [k, d], as the caller sees them
  const uint4 *packed;      // [panels * kPanel slots, units] c^ in the family's format, 0 in the padding
  const float *mean;        // [d]
  const float *half_norm;   // [panels * kPanel] 1/2 |c|^2 by code
  const PanelTerms *terms;  // [panels]
  const Spread *spread;
  int64_t k, d;
  int panels;
  int units;  // 16 bytes each, of a packed code and of a packed row
};

}  // namespace tessera::cuda
