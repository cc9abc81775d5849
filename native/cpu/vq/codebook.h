// One version of a codebook on the CPU: the codes, and what the nearest-code search packs from them.
//
// Codes lie in slots. A slot's number is its place in the packed panels of 64; `order` gives the code in it. Slots past
// the last code are padding: all zero with an enormous half norm, so that they never win.
//
// This header is read by files compiled for one instruction set: plain data only, no inline functions.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cpu/stream.h"

namespace tessera::cpu::vq {

struct Family;

constexpr int kLanes = 16;   // codes of one vector
constexpr int kVectors = 4;  // vectors of a panel
constexpr int kPanel = kLanes * kVectors;

// The half norm of a padding slot: far above any score that is screened (see the limits below), far from overflow.
constexpr float kPaddingHalfNorm = 0x1p100f;

// Rows whose centred norm is above this, the scaled codes' norms being about 2, are not screened: the float64
// reference's own rounding is then of the order of all differences between scores, and little could be excluded.
constexpr float kLargestNorm = 0x1p50f;

// Nor is a codebook with a code above this, which scaling should have prevented. Together they keep every score below
// 2^91 in magnitude, so that padding loses and the 2^-90 of a bound covers denormals: docs/kernels.md, "Range".
constexpr float kLargestCodeNorm = 0x1p40f;

struct Codebook {
  Device *device;
  const Family *family;
  int64_t k, d;
  int64_t padded_d;  // d rounded up to kLanes
  int64_t panels;    // of kPanel slots
  uint64_t bytes;    // of `memory`

  float *codes;  // [k, d], as the caller sees them

  // The centred, scaled space of the screen: y = scale x - mean, one rounding.
  float scale;      // a power of two
  float *mean;      // [padded_d], the codes' mean times scale; 0 in the padding
  bool screenable;  // false if the numbers leave fp32's range: then every row is scanned in float64

  // What is screened: this codebook, or a view of it that holds its codes' coordinates in `basis`. The view shares
  // slots, half norms and norms; its `d` is the number of coordinates, and its codes are not there.
  const Codebook *screened;
  const Family *projection;  // the view's family; null if the codebook is never projected
  Codebook *view;            // memory for it, if there is a family
  float *zeros;              // [coordinates] its mean
  float *view_rest;          // [panels] its `rest`
  float *basis;              // [coordinates / kLanes][padded_d][kLanes]
  float basis_skew;          // bound on |B^T B - I|
  float basis_error;         // times |y|: bound on the rounding of y's coordinates
  float basis_slack;         // times |y|^2: bound.h

  // With `clustered`, codes that are near each other share a panel, and a panel holds what is left of its codes c after
  // its centre m was taken off: offsets c - m. Otherwise m = 0.
  bool clustered;
  float *centres;      // [panels rounded up to kLanes] centres, packed [panels / kLanes][padded_d][kLanes]
  float *centre_norm;  // [panels] upper bound on |m|
  float *centre_half;  // [panels rounded up to kLanes] 1/2 |m|^2

  int32_t *order;    // [panels * kPanel] code of a slot, -1 in the padding
  float *half_norm;  // [panels * kPanel] 1/2 |c|^2 of the centred code c
  // [panels * kPanel] what the screen takes off instead: less <m, o - o^> of the rounded offset o of a clustered code
  float *screen_half_norm;
  float *norm;           // [panels] upper bound on |c|
  float *offset_norm;    // [panels] upper bound on |c - m| and on its rounded copy's norm
  float *residual;       // [panels] upper bound on the rounding of c - m
  float *rest;           // [panels] of a view: upper bound on what the basis leaves of a code; else null
  float *constant;       // [panels] the part of the error bound that does not depend on the row
  float *fp32_constant;  // [panels] the same for the fp32 narrowing
  float *panel_scale;    // [panels] the family's unit of a code's numbers (int8's step), else unused
  std::byte *packed;     // [panels] panels in the family's format
  float *centred;        // [panels][kLanes groups][kVectors codes][padded_d] y of the codes in fp32, for narrowing
};

}  // namespace tessera::cpu::vq
