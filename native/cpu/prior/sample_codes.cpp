// Draws codes from logits: ts_sample_codes. A row depends on itself and its random words alone.
#include <algorithm>
#include <atomic>
#include <cmath>

#include "cpu/math/parallel.h"
#include "cpu/math/philox.h"
#include "cpu/prior/prior.h"

namespace tessera::cpu {
namespace {

constexpr uint32_t kSampleStream = 0x53414D50;
constexpr int64_t kWorkOfCode = 16;  // elements of for_range that one exponential in float64 takes as long as

// Uniform in [0, 1) with 53 bits.
double uniform(const ts_sample_params &p, uint64_t image) {
  Words words =
      philox({{p.position, kSampleStream, static_cast<uint32_t>(image), static_cast<uint32_t>(image >> 32)}}, p.seed);
  uint64_t bits = (uint64_t{words.word[0] >> 5} << 26) | (words.word[1] >> 6);
  return static_cast<double>(bits) * 0x1p-53;
}

// Codes that a limited draw may take, ascending, into `order` [k]; returns how many.
int64_t limit(const ts_sample_params &p, const float *logits, const double *weights, int64_t k, int32_t *order) {
  for (int64_t i = 0; i < k; i++) order[i] = static_cast<int32_t>(i);
  std::partial_sort(order, order + p.top_k, order + k, [logits](int32_t a, int32_t b) {
    return logits[a] > logits[b] || (logits[a] == logits[b] && a < b);
  });
  int64_t kept = p.top_k;
  if (p.top_p < 1) {
    double total = 0.0, sum = 0.0;
    for (int64_t i = 0; i < p.top_k; i++) total += weights[order[i]];
    kept = 0;
    while (kept < p.top_k && sum < p.top_p * total) sum += weights[order[kept++]];
  }
  std::sort(order, order + kept);
  return kept;
}

// -1 if the row is at fault.
int32_t draw(const ts_sample_params &p, const float *logits, int64_t k, uint64_t image, double *weights,
             int32_t *order) {
  int64_t largest = 0;
  for (int64_t i = 0; i < k; i++) {
    if (std::isnan(logits[i]) || logits[i] == INFINITY) return -1;
    if (logits[i] > logits[largest]) largest = i;
  }
  if (logits[largest] == -INFINITY) return -1;
  if (p.temperature == 0) return static_cast<int32_t>(largest);
  const auto most = static_cast<double>(logits[largest]);
  for (int64_t i = 0; i < k; i++) weights[i] = std::exp((static_cast<double>(logits[i]) - most) / p.temperature);

  const bool limited = p.top_k < k || p.top_p < 1;
  const int64_t count = limited ? limit(p, logits, weights, k, order) : k;
  auto code = [&](int64_t i) { return limited ? order[i] : static_cast<int32_t>(i); };
  double total = 0.0, sum = 0.0;
  for (int64_t i = 0; i < count; i++) total += weights[code(i)];
  const double target = uniform(p, image) * total;
  for (int64_t i = 0; i < count; i++) {
    sum += weights[code(i)];
    if (sum > target) return code(i);
  }
  return static_cast<int32_t>(largest);  // not reached: u < 1 and the sum ends at the total
}

}  // namespace

ts_status sample_codes(void *stream, const ts_sample_params *params, const float *logits, int64_t rows, int64_t k,
                       int32_t *codes) {
  auto *s = static_cast<Stream *>(stream);
  const size_t weights = static_cast<size_t>(k) * sizeof(double), order = static_cast<size_t>(k) * sizeof(int32_t);
  const size_t part = (weights + order + 63) / 64 * 64;
  auto *memory = static_cast<char *>(s->scratch.reserve(part * static_cast<size_t>(s->threads)));
  if (!memory)
    return host->fail(s->report, TS_OUT_OF_MEMORY, "no memory for the weights of %lld codes",
                      static_cast<long long>(k));
  const int64_t work = k * kWorkOfCode;
  for_range(s, rows * work, work, [&](int64_t begin, int64_t end) {
    char *mine = memory + part * static_cast<size_t>(begin == 0 ? 0 : omp_get_thread_num());
    for (int64_t row = begin / work; row < end / work; row++)
      codes[row] = draw(*params, logits + row * k, k, params->first_image + static_cast<uint64_t>(row),
                        reinterpret_cast<double *>(mine), reinterpret_cast<int32_t *>(mine + weights));
  });
  for (int64_t row = 0; row < rows; row++)
    if (codes[row] < 0) return host->fault(s->report, TS_FAULT_NONFINITE_ROW, row, "sample_codes");
  return TS_OK;
}

}  // namespace tessera::cpu
