// The trial that a tensor-core family must pass before it is used on a device.
#include <cmath>
#include <random>
#include <vector>

#include "backend/codebook.h"
#include "backend/search.h"

namespace tessera::cuda {
namespace {

constexpr int64_t kRows = 512, kCodes = 300, kDim = 80;

// Codes in pairs that differ by about what fp16 loses, and rows near the middle of two codes: a score that is further
// off than its bound allows chooses the wrong one of them.
void draw(std::vector<float> *x, std::vector<float> *codes) {
  std::minstd_rand random(1);  // the same numbers from every standard library
  auto uniform = [&] { return static_cast<float>(random()) / static_cast<float>(random.max()) * 2.0f - 1.0f; };
  x->resize(kRows * kDim);
  codes->resize(kCodes * kDim);
  for (int64_t k = 0; k < kCodes; k++)
    for (int64_t i = 0; i < kDim; i++) {
      float &number = (*codes)[static_cast<size_t>(k * kDim + i)];
      number = k % 2 ? (*codes)[static_cast<size_t>((k - 1) * kDim + i)] + 0x1p-12f * uniform() : uniform();
    }
  for (int64_t n = 0; n < kRows; n++) {
    const auto a = static_cast<int64_t>(random() % kCodes), b = n % 3 ? a ^ 1 : static_cast<int64_t>(random() % kCodes);
    for (int64_t i = 0; i < kDim; i++)
      (*x)[static_cast<size_t>(n * kDim + i)] =
          0.5f * ((*codes)[static_cast<size_t>(a * kDim + i)] + (*codes)[static_cast<size_t>(b * kDim + i)]) +
          0x1p-10f * uniform();
  }
}

// The family's codes of x.
ts_status search_with(Stream *s, const Family *family, const std::vector<float> &x, const std::vector<float> &codes,
                      std::vector<int32_t> *found) {
  Codebook book(s->device, family, kCodes, kDim);
  TS_TRY(book.open(s->report));
  Memory rows, result;
  TS_TRY(rows.reserve(s->device, x.size() * sizeof(float), s->report, "a trial"));
  TS_TRY(result.reserve(s->device, kRows * sizeof(int32_t), s->report, "a trial"));
  TS_TRY(s->staging.to_device(s->cuda, book.codes(), codes.data(), codes.size() * sizeof(float), s->report));
  TS_TRY(s->staging.to_device(s->cuda, rows.as<float>(), x.data(), x.size() * sizeof(float), s->report));
  TS_TRY(book.pack(s));
  FaultSlot fault;
  TS_TRY(s->faults.begin(TS_FAULT_NONFINITE_ROW, "vq_assign", &fault));
  TS_TRY(search(s, &book, rows.as<float>(), kRows, result.as<int32_t>(), fault));
  found->resize(kRows);
  return s->staging.to_host(s->cuda, found->data(), result.as<int32_t>(), kRows * sizeof(int32_t), s->report);
}

}  // namespace

ts_status agrees_with_simt(Device *device, const Family *family, ts_report *report, bool *agrees) {
  std::vector<float> x, codes;
  draw(&x, &codes);
  void *opened = nullptr;
  TS_TRY(stream_open(device, 0, report, &opened));
  auto *s = static_cast<Stream *>(opened);
  std::vector<int32_t> simt, other;
  ts_status status = search_with(s, &fp32_simt, x, codes, &simt);
  if (status == TS_OK) status = search_with(s, family, x, codes, &other);
  stream_close(s);
  *agrees = status == TS_OK && simt == other;
  return status;
}

}  // namespace tessera::cuda
