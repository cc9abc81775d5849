// Softmax cross-entropy and its gradient, one pass over a row's logits for the maximum, one for the sum, and one for
// the gradient: 4 to 8 bytes an element, and one exp.
#include <atomic>
#include <cmath>

#include "cpu/kernels/kernels.h"
#include "cpu/math/math.h"
#include "cpu/math/reduce.h"

namespace tessera::cpu {
namespace {

// Lowers `lowest` to row if it is larger.
void offer(std::atomic<int64_t> &lowest, int64_t row) {
  int64_t seen = lowest.load();
  while (row < seen && !lowest.compare_exchange_weak(seen, row)) {
  }
}

}  // namespace

ts_status softmax_cross_entropy(void *stream, double grad_scale, const float *logits, const int32_t *targets,
                                int64_t rows, int64_t k, double *loss, float *losses, float *grad) {
  auto *s = static_cast<Stream *>(stream);
  const Kernels *set = kernels(s);
  if (!set) return TS_UNAVAILABLE;
  const double scale = grad_scale / static_cast<double>(rows);
  std::atomic<int64_t> fault{rows};

  auto row_loss = [&](int64_t row) {
    const float *x = logits + row * k;
    float *g = grad ? grad + row * k : nullptr;
    const int32_t target = targets[row];
    if (target < 0 || target >= k) {
      offer(fault, row);
      for (int64_t i = 0; g && i < k; i++) g[i] = 0.0f;
      if (losses) losses[row] = 0.0f;
      return 0.0;
    }
    // A NaN that `largest` passed over is in the sum.
    const float most = set->largest(x, k), at_target = x[target];
    const double sum = set->exponentials(x, most, g, k);  // g may be x
    double term = std::log(sum) + static_cast<double>(most) - static_cast<double>(at_target);
    if (g) {
      const auto factor = static_cast<float>(scale / sum);
      set->scale_row(g, factor, k);
      g[target] -= static_cast<float>(scale);
    }
    if (losses) losses[row] = static_cast<float>(term);
    return term;
  };

  double total;
  if (!sum_blocks(s, rows, &total, k, [&](int64_t begin, int64_t end) {
        double sum = 0.0;
        for (int64_t row = begin; row < end; row++) sum += row_loss(row);
        return sum;
      }))
    return TS_OUT_OF_MEMORY;
  *loss = total / static_cast<double>(rows);
  return fault < rows ? host->fault(s->report, TS_FAULT_CODE_RANGE, fault, "softmax_cross_entropy") : TS_OK;
}

}  // namespace tessera::cpu
