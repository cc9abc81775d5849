// One version of a codebook on a GPU, and the order between the streams that write and read it.
#pragma once

#include <mutex>
#include <vector>

#include "backend/stream.h"

namespace tessera::cuda {

class Codebook {
 public:
  Codebook(Device *device, int64_t k, int64_t d) : device(device), k(k), d(d) {}
  ~Codebook();

  ts_status open(ts_report *report);

  // Later work of the stream waits until the version was packed.
  void begin_read(Stream *stream);
  // The stream's work so far has read the version.
  void end_read(Stream *stream);
  // Later work of the stream waits until nobody reads the version any more.
  void begin_write(Stream *stream);
  // The stream's work so far makes the version complete.
  void packed(Stream *stream);

  float *codes() const { return memory_.as<float>(); }  // [k, d]
  uint64_t bytes() const { return memory_.bytes(); }

  Device *const device;
  const int64_t k, d;

 private:
  // A stream's latest read.
  struct Reader {
    cudaStream_t stream;
    cudaEvent_t event;
  };

  Memory memory_;
  std::mutex mutex_;  // streams of several threads read one version
  cudaEvent_t packed_ = nullptr;
  std::vector<Reader> readers_;
};

}  // namespace tessera::cuda
