#include "backend/ops.h"
#include "backend/stream.h"
#include "kernels/restart.cuh"

namespace tessera::cuda {

ts_status vq_restart(void *stream, const ts_restart_factors *factors, int64_t k, int64_t d, const float *x, int64_t n,
                     float *hidden_counts, float *hidden_sums, const float *old_codes, float *new_codes,
                     int32_t *restarted) {
  Stream *s = Stream::of(stream);
  const PhiloxKey key = {static_cast<uint32_t>(factors->seed), static_cast<uint32_t>(factors->seed >> 32),
                         kRestartStream, static_cast<uint32_t>(factors->step),
                         static_cast<uint32_t>(factors->step >> 32)};
  const Restart restart = {
      key,       factors->debias, factors->threshold, factors->fresh_count, k, d, x, n, hidden_counts, hidden_sums,
      old_codes, new_codes,       restarted};
  TS_TRY(TS_CUDA(s->report, cudaMemsetAsync(restarted, 0, sizeof *restarted, s->cuda)));
  return TS_LAUNCH_ON(s, "restart", restart_codes, static_cast<unsigned>(ceil_div<int64_t>(k, kRestartCodes)),
                      kRestartThreads, 0, restart);
}

}  // namespace tessera::cuda
