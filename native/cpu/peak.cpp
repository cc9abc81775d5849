// measure_fp32_peak: the rate of multiply-adds that touch no memory, on all threads of a stream, which other rates are
// compared with.
#include "cpu/peak.h"

#include <omp.h>

#include <algorithm>
#include <chrono>

#include "cpu/stream.h"

namespace tessera::cpu {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int64_t kWarmUp = 20000;    // iterations: about 0.1 ms, in which a core changes its clock for wide vectors
constexpr int64_t kMeasured = 60000;  // about 0.2 ms
constexpr int kLoops = 5;             // a limit is what the best loop reaches: another may be interrupted

double timed(const PeakLoop *loop) {
  Clock::time_point begin = Clock::now();
  loop->run(kMeasured);
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

const PeakLoop *choose(int32_t vector_bits) {
  for (const PeakLoop *loop = kPeakLoops; loop->vector_bits != 0; loop++)
    if ((vector_bits == 0 || loop->vector_bits == vector_bits) && loop->supported()) return loop;
  return nullptr;
}

}  // namespace

#if !defined(__x86_64__)
const PeakLoop kPeakLoops[] = {{0, nullptr, nullptr}};
#endif

ts_status measure_fp32_peak(void *stream_, int32_t vector_bits, double *gflops) {
  auto *stream = static_cast<Stream *>(stream_);
  const PeakLoop *loop = choose(vector_bits);
  if (!loop)
    return host->fail(stream->report, TS_UNAVAILABLE,
                      "ts_measure_fp32_peak: this processor has no multiply-add of %d bits", vector_bits);
  // Of each loop, from the moment when all threads are ready to the end of the slowest: what an op of this stream can
  // hope for.
  double seconds[kLoops] = {};
  int threads = 1;
  if (stream->threads == 1) {
    loop->run(kWarmUp);
    for (double &each : seconds) each = timed(loop);
  } else {
#pragma omp parallel num_threads(stream->threads)
    {
      loop->run(kWarmUp);
      for (double &each : seconds) {
#pragma omp barrier
        double mine = timed(loop);
#pragma omp critical(tessera_peak)
        each = std::max(each, mine);
      }
#pragma omp single
      threads = omp_get_num_threads();
    }
  }
  double operations = 2.0 * static_cast<double>(kPeakChains * kMeasured * (loop->vector_bits / 32) * threads);
  *gflops = operations / *std::min_element(seconds, seconds + kLoops) * 1e-9;
  return TS_OK;
}

}  // namespace tessera::cpu
