// One version of a codebook on a GPU, and the order between the streams that write and read it.
#pragma once

#include <mutex>
#include <vector>

#include "backend/family.h"
#include "backend/stream.h"
#include "kernels/codebook_view.cuh"

namespace tessera::cuda {

class Codebook {
 public:
  Codebook(Device *device, const Family *family, int64_t k, int64_t d) : device(device), family(family), k(k), d(d) {}
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

  // Packs the codes for the search.
  ts_status pack(Stream *stream);

  float *codes() const { return memory_.as<float>(); }  // [k, d]
  uint64_t bytes() const { return memory_.bytes(); }
  CodebookView view() const;

  Device *const device;
  const Family *const family;  // of the search
  const int64_t k, d;

 private:
  // What lies in the version's memory: kernels/codebook_view.cuh.
  struct Layout {
    float *codes, *mean, *half_norm;
    uint4 *packed;
    PanelTerms *terms;
    double *mean64;
    Spread *spread;
    size_t bytes;
  };
  int panels() const { return static_cast<int>(ceil_div<int64_t>(k, kPanel)); }
  Layout layout(std::byte *base) const;

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
