#include "backend/ops.h"
#include "backend/reduce.h"
#include "kernels/softmax.cuh"

namespace tessera::cuda {
namespace {

// A term of block_sums.
struct RowTerms {
  const double *terms;
  TS_DEVICE double operator()(int64_t row) const { return terms[row]; }
};

}  // namespace

ts_status softmax_cross_entropy(void *stream, double grad_scale, const float *logits, const int32_t *targets,
                                int64_t rows, int64_t k, double *loss, float *losses, float *grad) {
  Stream *s = Stream::of(stream);
  FaultSlot fault;
  TS_TRY(s->faults.begin(TS_FAULT_CODE_RANGE, "softmax_cross_entropy", &fault));
  const int64_t blocks = ceil_div<int64_t>(rows, kSumBlock);
  TS_TRY(s->reserve(static_cast<size_t>(rows + blocks) * sizeof(double)));
  auto *terms = s->scratch.as<double>(), *sums = terms + rows;
  const auto size = static_cast<double>(rows);
  TS_TRY(TS_LAUNCH_ON(s, "softmax", softmax_rows, static_cast<unsigned>(ceil_div<int64_t>(rows, kSoftmaxRows)),
                      kSoftmaxThreads, 0, SoftmaxRows{logits, targets, rows, k, grad_scale / size, terms, losses, grad},
                      fault));
  return sum_terms(s, "softmax", RowTerms{terms}, rows, size, sums, loss);
}

}  // namespace tessera::cuda
