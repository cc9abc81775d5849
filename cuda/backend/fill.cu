#include "backend/ops.h"
#include "backend/stream.h"
#include "kernels/fill.cuh"

namespace tessera::cuda {
namespace {

template <class T>
ts_status fill_with(Stream *s, void *y, int64_t count, double value) {
  unsigned grid = s->blocks(ceil_div<int64_t>(count, kFillThreads), kFillBlocks);
  return TS_LAUNCH_ON(s, "fill", fill_elements<T>, grid, kFillThreads, 0, static_cast<T *>(y), static_cast<T>(value),
                      count);
}

}  // namespace

ts_status fill(void *stream, void *y, int32_t dtype, int64_t count, double value) {
  Stream *s = Stream::of(stream);
  switch (dtype) {
    case TS_F32:
      return fill_with<float>(s, y, count, value);
    case TS_F64:
      return fill_with<double>(s, y, count, value);
    case TS_I32:
      return fill_with<int32_t>(s, y, count, value);
    case TS_I64:
      return fill_with<int64_t>(s, y, count, value);
    default:
      return fill_with<uint8_t>(s, y, count, value);
  }
}

}  // namespace tessera::cuda
