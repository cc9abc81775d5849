// oneDNN's C interface with owners for its handles. The C interface, because the C++ one allocates in every execution
// and throws.
#pragma once

#include <memory>

#include "cpu/stream.h"
#include "oneapi/dnnl/dnnl.h"

namespace tessera::cpu {

template <auto Destroy>
struct Destroyer {
  template <class T>
  void operator()(T *handle) const {
    Destroy(handle);
  }
};

template <class Handle, auto Destroy>
using Owned = std::unique_ptr<std::remove_pointer_t<Handle>, Destroyer<Destroy>>;

using OwnedEngine = Owned<dnnl_engine_t, dnnl_engine_destroy>;
using OwnedStream = Owned<dnnl_stream_t, dnnl_stream_destroy>;
using OwnedAttributes = Owned<dnnl_primitive_attr_t, dnnl_primitive_attr_destroy>;
using OwnedPostOps = Owned<dnnl_post_ops_t, dnnl_post_ops_destroy>;
using OwnedLayout = Owned<dnnl_memory_desc_t, dnnl_memory_desc_destroy>;
using OwnedDescription = Owned<dnnl_primitive_desc_t, dnnl_primitive_desc_destroy>;
using OwnedPrimitive = Owned<dnnl_primitive_t, dnnl_primitive_destroy>;
using OwnedMemory = Owned<dnnl_memory_t, dnnl_memory_destroy>;

// Thrown while a primitive is built; the table's functions turn it into a status. Executing throws nothing.
struct OnednnError {
  dnnl_status_t status;
  const char *what;
};

// `what` is the call that failed, for the message.
inline void require(dnnl_status_t status, const char *what) {
  if (status != dnnl_success) throw OnednnError{status, what};
}

#define DNNL_OK(call) ::tessera::cpu::require((call), #call)

ts_status report_onednn(Stream *stream, const OnednnError &error);

// f32 memory with the given strides (elements); with `strides` null oneDNN chooses the layout.
OwnedLayout layout(std::initializer_list<int64_t> dims, const int64_t *strides);

// Attributes that every primitive has: scratchpad from us, the same bits in every run; then accumulation (c += ...) or
// ReLU on the result.
enum class Finish { kNone, kRelu, kAccumulate };
OwnedAttributes attributes(Finish finish);

inline size_t bytes_of(const_dnnl_memory_desc_t d) { return dnnl_memory_desc_get_size(d); }

}  // namespace tessera::cpu
