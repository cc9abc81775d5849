// oneDNN primitives of one stream, found by op and shape. The stream's thread count is fixed, so it needs no place in
// the key. Bounded, because a server may see a new batch size in every call: the least recently used one goes.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <unordered_map>

#include "cpu/nn/onednn.h"

namespace tessera::cpu {

enum class Op : int64_t { kForward, kData, kWeights, kMatmul };

// An op with every number that its primitive depends on; unused places are 0.
using PrimitiveKey = std::array<int64_t, 22>;
PrimitiveKey conv_key(Op op, const ts_conv_shape &shape, bool bias, bool relu);
PrimitiveKey matmul_key(const ts_matmul_shape &shape, bool bias);

struct PrimitiveKeyHash {
  size_t operator()(const PrimitiveKey &key) const;
};

// A primitive with the memory objects it runs on, whose addresses are set for each call. kIn and kOut are the sides of
// a convolution, whichever way the op goes, or a and c of a matrix product, whose b is kWeights. If oneDNN wants the
// weights in a layout of its own they are reordered within each call.
struct CachedPrimitive {
  enum Argument { kIn, kWeights, kBias, kOut, kScratchpad, kArgumentCount };

  OwnedPrimitive primitive;
  std::array<OwnedMemory, kArgumentCount> memory;  // null: the primitive does not take it
  std::array<int, kArgumentCount> dnnl_index{};
  size_t weights_bytes = 0;  // in oneDNN's layout; 0 if that is the API's
  size_t scratchpad_bytes = 0;
  OwnedPrimitive reorder;  // null if weights_bytes is 0
  OwnedMemory plain_weights;
  bool weights_are_output = false;

  // Addresses of the arguments in the API's layouts; kScratchpad is ignored.
  using Addresses = std::array<void *, kArgumentCount>;
  size_t workspace_bytes() const;
  ts_status run(Stream *stream, dnnl_stream_t queue, Addresses addresses, char *workspace) const;

  uint64_t last_use = 0;
};

// Creates the primitive of a description and the memory objects of its arguments (ours, oneDNN's index).
// `plain_weights` is the API's layout of kWeights.
CachedPrimitive make_cached(dnnl_engine_t engine, const_dnnl_primitive_desc_t description,
                            std::initializer_list<std::pair<CachedPrimitive::Argument, int>> arguments,
                            const OwnedLayout &plain_weights, bool weights_are_output);

class PrimitiveCache {
 public:
  static constexpr size_t kCapacity = 512;

  // The primitive for `key`, built by `build` at first. The reference is good until the next call.
  template <class Build>
  const CachedPrimitive &find(const PrimitiveKey &key, Build &&build) {
    auto found = entries_.find(key);
    if (found == entries_.end()) {
      make_room();
      found = entries_.emplace(key, build()).first;
    }
    found->second.last_use = ++clock_;
    return found->second;
  }

 private:
  void make_room();

  std::unordered_map<PrimitiveKey, CachedPrimitive, PrimitiveKeyHash> entries_;
  uint64_t clock_ = 0;
};

}  // namespace tessera::cpu
