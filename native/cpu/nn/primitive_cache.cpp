#include "cpu/nn/primitive_cache.h"

#include <algorithm>

namespace tessera::cpu {

PrimitiveKey conv_key(Op op, const ts_conv_shape &s, bool bias, bool relu) {
  return {static_cast<int64_t>(op),
          s.batch,
          s.in_h,
          s.in_w,
          s.in_c,
          s.out_h,
          s.out_w,
          s.out_c,
          s.kernel_h,
          s.kernel_w,
          s.stride_h,
          s.stride_w,
          s.dilation_h,
          s.dilation_w,
          s.pad_top,
          s.pad_left,
          s.pad_bottom,
          s.pad_right,
          s.groups,
          bias,
          relu};
}

PrimitiveKey matmul_key(const ts_matmul_shape &s, bool bias) {
  return {
      static_cast<int64_t>(Op::kMatmul), s.m, s.n, s.k, s.transpose_a, s.transpose_b, s.accumulate, s.activation, bias};
}

size_t PrimitiveKeyHash::operator()(const PrimitiveKey &key) const {
  // FNV-1a over the words, with a final mix: neighbouring shapes differ in few low bits.
  uint64_t hash = 0xcbf29ce484222325u;
  for (int64_t word : key) hash = (hash ^ static_cast<uint64_t>(word)) * 0x100000001b3u;
  return hash ^ (hash >> 29);
}

void PrimitiveCache::make_room() {
  if (entries_.size() < kCapacity) return;
  entries_.erase(std::min_element(entries_.begin(), entries_.end(),
                                  [](const auto &a, const auto &b) { return a.second.last_use < b.second.last_use; }));
}

}  // namespace tessera::cpu
