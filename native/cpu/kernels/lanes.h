// What row and tile kernels compute with, on top of one of lanes_avx512.h, lanes_avx2.h and lanes_portable.h, of which
// each gives kLanes floats (Lanes) and
//
//   all(x)                    x in every lane
//   load, store               from and to any address; _head: only the first n lanes, 0 <= n < kLanes, the others 0
//   head_else(x, n, rest)     the first n lanes of x, 0 <= n < kLanes, and those of rest
//   fused(a, b, c)            a b + c, rounded once
//   larger, smaller           per lane; b if either is a NaN
//   transpose_block           kLanes rows of kLanes floats, rows `step` apart, into columns of rows `to_step` apart
//   sum_of, largest_of        over the lanes, in one fixed order
//
// Files with instruction-set flags include this; everything is in an unnamed namespace, so that no function compiled
// for one processor is linked where another's is meant.
#pragma once

namespace tessera::cpu {
namespace {

// e^x with an error of at most 2 units in the last place (measured over all floats); 0 below -104, infinity above 89,
// and a NaN stays. Cody and Waite's reduction, x = n ln 2 + r with |r| <= ln 2 / 2, and the Taylor polynomial of degree
// 7, whose remainder is below 6e-9.
inline Lanes exponential(Lanes x) {
  // The order of the arguments lets a NaN through.
  const Lanes bounded = larger(all(-150.0f), smaller(all(150.0f), x));
  const Lanes n = nearest_whole(multiply(bounded, all(1.44269504f)));
  Lanes r = fused(n, all(-0.693359375f), bounded);
  r = fused(n, all(2.12194440e-4f), r);
  Lanes p = all(1.0f / 5040);
  p = fused(p, r, all(1.0f / 720));
  p = fused(p, r, all(1.0f / 120));
  p = fused(p, r, all(1.0f / 24));
  p = fused(p, r, all(1.0f / 6));
  p = fused(p, r, all(0.5f));
  p = fused(p, r, all(1.0f));
  p = fused(p, r, all(1.0f));
  return times_power_of_two(p, n);
}

}  // namespace
}  // namespace tessera::cpu
