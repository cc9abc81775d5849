// Masked convolutions of codes. A one-hot image times a kernel is a sum of the kernel's rows: 4 O bytes read and O
// additions a tap, where the dense product would take 2 K O operations.
#include <atomic>
#include <cstring>

#include "cpu/math/parallel.h"
#include "cpu/prior/prior.h"
#include "cpu/prior/taps.h"
#include "cpu/threads.h"

namespace tessera::cpu {
namespace {

// Lowers `lowest` to row if it is larger.
void offer(std::atomic<int64_t> &lowest, int64_t row) {
  int64_t seen = lowest.load();
  while (row < seen && !lowest.compare_exchange_weak(seen, row)) {
  }
}

TS_CLONES void add_row(const float *__restrict x, int64_t n, float *__restrict y) {
  for (int64_t i = 0; i < n; i++) y[i] += x[i];
}

// y[i] = act(y[i])
TS_CLONES void relu(int64_t n, float *y) {
  for (int64_t i = 0; i < n; i++) y[i] = std::max(y[i], 0.0f);
}

// One output row: the bias and the weights' rows of the codes under the kernel. code(row, column) gives the index of a
// code in `codes`.
template <class Index>
void gather(const ts_masked_conv_shape &s, int64_t row, int64_t column, const int32_t *codes, const Index &index,
            const float *w, const float *bias, float *y, std::atomic<int64_t> &fault) {
  const auto bytes = static_cast<size_t>(s.out_c) * sizeof(float);
  if (bias)
    memcpy(y, bias, bytes);
  else
    memset(y, 0, bytes);
  for_taps(s, row, column, [&](int64_t tap, int64_t input_row, int64_t input_column, int64_t count) {
    for (int64_t j = 0; j < count; j++) {
      const int64_t at = index(input_row, input_column + j);
      const int32_t code = codes[at];
      if (code < 0 || code >= s.in_c)
        offer(fault, at);
      else
        add_row(w + ((tap + j) * s.in_c + code) * s.out_c, s.out_c, y);
    }
  });
  if (s.activation == TS_ACTIVATION_RELU) relu(s.out_c, y);
}

ts_status report(Stream *stream, const std::atomic<int64_t> &fault, int64_t codes, const char *op) {
  return fault < codes ? host->fault(stream->report, TS_FAULT_CODE_RANGE, fault, op) : TS_OK;
}

}  // namespace

ts_status code_conv2d_forward(void *stream, const ts_masked_conv_shape *shape, const int32_t *codes, const float *w,
                              const float *bias, float *y) {
  auto *s = static_cast<Stream *>(stream);
  const int64_t positions = shape->height * shape->width, count = shape->batch * positions;
  std::atomic<int64_t> fault{count};
  const int64_t work = shape->taps * shape->out_c;  // of a position, in elements
  for_range(s, count * work, work, [&](int64_t begin, int64_t end) {
    for (int64_t p = begin / work; p < end / work; p++) {
      const int64_t image = p / positions, row = p % positions / shape->width, column = p % shape->width;
      auto index = [&](int64_t r, int64_t c) { return image * positions + r * shape->width + c; };
      gather(*shape, row, column, codes, index, w, bias, y + p * shape->out_c, fault);
    }
  });
  return report(s, fault, count, "code_conv2d_forward");
}

ts_status code_conv2d_at(void *stream, const ts_masked_conv_shape *shape, const int32_t *codes, const float *w,
                         const float *bias, float *y) {
  auto *s = static_cast<Stream *>(stream);
  const int64_t count = shape->height * shape->width * shape->batch;
  std::atomic<int64_t> fault{count};
  const int64_t work = shape->taps * shape->out_c;
  for_range(s, shape->batch * work, work, [&](int64_t begin, int64_t end) {
    for (int64_t b = begin / work; b < end / work; b++) {
      auto index = [&](int64_t r, int64_t c) { return (r * shape->width + c) * shape->batch + b; };
      gather(*shape, shape->row, shape->column, codes, index, w, bias, y + b * shape->out_c, fault);
    }
  });
  return report(s, fault, count, "code_conv2d_at");
}

// Threads take taps and not rows, so that each sum has one order of addition. The bias's sum is a piece of work more.
ts_status code_conv2d_backward_weights(void *stream, const ts_masked_conv_shape *shape, const int32_t *codes,
                                       const float *dy, float *dw, float *dbias) {
  auto *s = static_cast<Stream *>(stream);
  const int64_t height = shape->height, width = shape->width, count = shape->batch * height * width;
  const int64_t k = shape->in_c, o = shape->out_c, taps = shape->taps;
  std::atomic<int64_t> fault{count};
  auto add_tap = [&](int64_t tap) {
    // Outputs that this tap reads for, and how far away its input is.
    const int64_t down = tap / shape->kernel_w - shape->pad_top, right = tap % shape->kernel_w - shape->pad_left;
    const int64_t top = std::max<int64_t>(0, -down), bottom = std::min(height, height - down);
    const int64_t left = std::max<int64_t>(0, -right), edge = std::min(width, width - right);
    float *weights = dw + tap * k * o;
    memset(weights, 0, static_cast<size_t>(k * o) * sizeof(float));
    for (int64_t image = 0; image < shape->batch; image++)
      for (int64_t r = top; r < bottom; r++)
        for (int64_t c = left; c < edge; c++) {
          const int64_t out = (image * height + r) * width + c, in = out + down * width + right;
          const int32_t code = codes[in];
          if (code < 0 || code >= k)
            offer(fault, in);
          else
            add_row(dy + out * o, o, weights + code * o);
        }
  };
  const int threads = count * o < kGrain ? 1 : threads_for(s, taps + 1);
  // From the last tap on, under which most outputs lie.
  for_blocks(threads, taps + 1, [&](int, int64_t i) {
    if (i < taps) {
      add_tap(taps - 1 - i);
    } else if (dbias) {
      memset(dbias, 0, static_cast<size_t>(o) * sizeof(float));
      for (int64_t p = 0; p < count; p++) add_row(dy + p * o, o, dbias);
    }
  });
  return report(s, fault, count, "code_conv2d_backward_weights");
}

}  // namespace tessera::cpu
