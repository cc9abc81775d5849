// Objects of the CPU backend that its parts share: the device, the stream with its scratch memory and threads.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/backend.h"

namespace tessera::cpu {

// The core's services; set once, when the backend is initialised.
extern const ts_host *host;

struct Device {
  void *host_device;
};

// Memory that grows to the largest need and is then reused, so that a steady stream of equal calls allocates nothing.
// Aligned to 64 bytes; contents are undefined between calls.
class Scratch {
 public:
  explicit Scratch(Device *device) : device_(device) {}
  ~Scratch();
  Scratch(const Scratch &) = delete;
  Scratch &operator=(const Scratch &) = delete;

  // At least `bytes` of memory, or null if it cannot be had. A larger request invalidates the earlier pointer.
  void *reserve(size_t bytes);
  size_t capacity() const { return capacity_; }

 private:
  Device *device_;
  void *data_ = nullptr;
  size_t capacity_ = 0;
};

// State of the layers on a stream (oneDNN's primitives): made and destroyed by libtessera_cpu_nn.
struct LayerState;

struct Stream {
  Stream(Device *device, int threads, ts_report *report)
      : device(device), threads(threads), report(report), scratch(device) {}

  Device *device;
  int threads;        // threads that an op may use; with 1 no parallel region may be entered
  ts_report *report;  // where ops report
  Scratch scratch;    // one op's scratch; an op that calls another must not hold it across the call
  ts_vq_stats stats{};
  LayerState *layers = nullptr;
};

// The functions that libtessera_cpu_nn.so exports as `ts_cpu_layers`, opened when a layer is first used: who only
// quantises does not load oneDNN. Signatures are those of ts_backend.
struct LayerTable {
  uint32_t abi;
  LayerState *(*open)(Stream *stream);
  void (*close)(LayerState *state);
  decltype(ts_backend::conv2d_forward) conv2d_forward;
  decltype(ts_backend::conv2d_backward_data) conv2d_backward_data;
  decltype(ts_backend::conv2d_backward_weights) conv2d_backward_weights;
  decltype(ts_backend::conv_transpose2d_forward) conv_transpose2d_forward;
  decltype(ts_backend::conv_transpose2d_backward_data) conv_transpose2d_backward_data;
  decltype(ts_backend::conv_transpose2d_backward_weights) conv_transpose2d_backward_weights;
  decltype(ts_backend::matmul) matmul;
};

using LayerTableFn = const LayerTable *(*)(uint32_t abi, const ts_host *host);

}  // namespace tessera::cpu
