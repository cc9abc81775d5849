#include "backend/ops.h"
#include "backend/stream.h"
#include "kernels/sample_codes.cuh"

namespace tessera::cuda {

ts_status sample_codes(void *stream, const ts_sample_params *params, const float *logits, int64_t rows, int64_t k,
                       int32_t *codes) {
  Stream *s = Stream::of(stream);
  FaultSlot fault;
  TS_TRY(s->faults.begin(TS_FAULT_NONFINITE_ROW, "sample_codes", &fault));
  TS_TRY(s->reserve(static_cast<size_t>(rows * k) * (2 * sizeof(double) + sizeof(int32_t))));
  auto *weights = s->scratch.as<double>();
  SampleRows sample{logits,
                    rows,
                    k,
                    params->seed,
                    params->first_image,
                    params->position,
                    params->top_k,
                    params->temperature,
                    params->top_p,
                    weights,
                    weights + rows * k,
                    reinterpret_cast<int32_t *>(weights + 2 * rows * k),
                    codes};
  return TS_LAUNCH_ON(s, "sample_codes", sample_rows, static_cast<unsigned>(rows), kSampleThreads,
                      shared_bytes<float>(kSampleThreads) + shared_bytes<int32_t>(kSampleThreads), sample, fault);
}

}  // namespace tessera::cuda
