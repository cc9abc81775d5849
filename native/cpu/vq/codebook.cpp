// Storage and packing of a codebook's version. Packing happens here, when the codes are written, never in a search.
#include "cpu/vq/codebook.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <new>

#include "cpu/vq/bound.h"
#include "cpu/vq/carver.h"
#include "cpu/vq/family.h"
#include "cpu/vq/threads.h"
#include "cpu/vq/vq.h"

namespace tessera::cpu {
namespace {

using namespace vq;

constexpr size_t kAlignment = 64;

size_t lay_out(Codebook *book, std::byte *base) {
  Carver carve{base};
  book->codes = carve.take<float>(book->k * book->d);
  book->mean = carve.take<float>(book->padded_d);
  book->order = carve.take<int32_t>(book->panels * kPanel);
  book->half_norm = carve.take<float>(book->panels * kPanel);
  book->norm = carve.take<float>(book->panels);
  book->residual = carve.take<float>(book->panels);
  book->constant = carve.take<float>(book->panels);
  book->fp32_constant = carve.take<float>(book->panels);
  book->panel_scale = carve.take<float>(book->panels);
  book->packed = carve.take<std::byte>(book->panels * book->family->panel_bytes(book->d));
  return carve.used;
}

float round_up(double value) { return std::nextafter(static_cast<float>(value), HUGE_VALF); }

// The first code with a NaN or an infinity, or -1.
int64_t first_nonfinite(const Codebook *book) {
  for (int64_t k = 0; k < book->k; k++) {
    bool finite = true;
    for (int64_t i = 0; i < book->d; i++) finite &= std::isfinite(book->codes[k * book->d + i]);
    if (!finite) return k;
  }
  return -1;
}

// The mean of the codes, and their largest distance from it, in float64.
double find_mean(const Codebook *book, double *mean) {
  int64_t k = book->k, d = book->d;
  std::memset(mean, 0, static_cast<size_t>(d) * sizeof(double));
  for (int64_t n = 0; n < k; n++)
    for (int64_t i = 0; i < d; i++) mean[i] += static_cast<double>(book->codes[n * d + i]);
  for (int64_t i = 0; i < d; i++) mean[i] /= static_cast<double>(k);
  double largest = 0;
  for (int64_t n = 0; n < k; n++) {
    double square = 0;
    for (int64_t i = 0; i < d; i++) {
      double difference = static_cast<double>(book->codes[n * d + i]) - mean[i];
      square += difference * difference;
    }
    largest = std::fmax(largest, square);
  }
  return std::sqrt(largest);
}

// Chooses the power of two that brings the largest centred norm into [1, 2), as far as the mean stays in fp32's range.
// Nothing but speed depends on reaching that.
void choose_scale(Codebook *book, const double *mean, double largest) {
  double largest_mean = 0;
  for (int64_t i = 0; i < book->d; i++) largest_mean = std::fmax(largest_mean, std::fabs(mean[i]));
  int exponent = largest > 0 ? -std::ilogb(largest) : 0;
  if (largest_mean > 0) exponent = std::min(exponent, 100 - std::ilogb(largest_mean));
  exponent = std::min(exponent, 126);
  book->scale = std::ldexp(1.0f, exponent);
  for (int64_t i = 0; i < book->padded_d; i++)
    book->mean[i] = i < book->d ? static_cast<float>(mean[i] * static_cast<double>(book->scale)) : 0.0f;
}

// One code in the centred space, in float64; returns its squared norm and its largest magnitude.
double centre(const Codebook *book, int64_t k, double *centred, double *largest) {
  const float *code = book->codes + k * book->d;
  double square = 0, most = 0;
  for (int64_t i = 0; i < book->d; i++) {
    double value = static_cast<double>(code[i]) * static_cast<double>(book->scale) - static_cast<double>(book->mean[i]);
    centred[i] = value;
    square += value * value;
    double magnitude = std::fabs(value);  // and not fmax, which is a call
    most = magnitude > most ? magnitude : most;
  }
  *largest = most;
  return square;
}

// Puts the codes into slots. A family whose unit is shared by a panel gets codes of like largest magnitude together:
// its units are then near each code's own, and an outlier costs its own panel alone. A counting sort on the magnitude's
// exponent and first three bits, stable, so that the order is a function of the codes.
void order_codes(Codebook *book, double *centred) {
  for (int64_t s = 0; s < book->panels * kPanel; s++) book->order[s] = s < book->k ? static_cast<int32_t>(s) : -1;
  if (!book->family->sorts_codes || book->panels == 1) return;
  constexpr int kBuckets = 1 << 11;  // 8 bits of exponent, 3 of mantissa
  int32_t first[kBuckets + 1] = {};
  auto *bucket = reinterpret_cast<int32_t *>(book->half_norm);  // [k], written anew afterwards
  for (int64_t k = 0; k < book->k; k++) {
    double largest;
    centre(book, k, centred, &largest);
    bucket[k] = static_cast<int32_t>(std::bit_cast<uint32_t>(static_cast<float>(largest)) >> 20);
    first[bucket[k] + 1]++;
  }
  for (int i = 0; i < kBuckets; i++) first[i + 1] += first[i];
  for (int64_t k = 0; k < book->k; k++) book->order[first[bucket[k]]++] = static_cast<int32_t>(k);
}

// Packs one panel and the terms of its error bound: docs/kernels.md, "The bound".
void pack_panel(Codebook *book, int64_t panel, double *centred) {
  const Family *family = book->family;
  int64_t first = panel * kPanel;
  double largest = 0, value;
  for (int64_t s = first; s < first + kPanel; s++) {
    if (book->order[s] < 0) continue;
    centre(book, book->order[s], centred, &value);
    largest = std::fmax(largest, value);
  }
  float scale = family->panel_scale(static_cast<float>(largest));
  std::byte *packed = book->packed + panel * family->panel_bytes(book->d);
  double norm = 0, residual = 0;
  for (int64_t s = first; s < first + kPanel; s++) {
    double rounded_norm;
    if (book->order[s] < 0) {
      std::memset(centred, 0, static_cast<size_t>(book->d) * sizeof(double));
      family->pack(centred, book->d, scale, packed, s - first, &rounded_norm);
      book->half_norm[s] = kPaddingHalfNorm;
      continue;
    }
    double square = centre(book, book->order[s], centred, &value);
    residual = std::fmax(residual, family->pack(centred, book->d, scale, packed, s - first, &rounded_norm));
    norm = std::fmax(norm, std::fmax(std::sqrt(square), rounded_norm));
    book->half_norm[s] = static_cast<float>(0.5 * square);
  }
  // Float64 sums of up to 65536 terms are good to 2^-36; centring rounds to 2^-53.
  norm *= 1 + 0x1p-30;
  residual = residual * (1 + 0x1p-30) + norm * 0x1p-52;
  Bound screen = screen_bound(family->rounding(book->d), book->d);
  Bound fp32 = fp32_bound(book->d);
  book->panel_scale[panel] = scale;
  book->norm[panel] = round_up(norm);
  book->residual[panel] = round_up(residual);
  book->constant[panel] = round_up(screen.constant * norm * norm + 0x1p-90);
  book->fp32_constant[panel] = round_up(fp32.constant * norm * norm + 0x1p-90);
}

}  // namespace

ts_status codebook_alloc(void *device_, int64_t k, int64_t d, ts_report *report, void **codebook) {
  auto *device = static_cast<Device *>(device_);
  ts_status status;
  const Family *family = choose_family(k, d, report, &status);
  if (!family) return status;
  auto *book = new (std::nothrow) Codebook{};
  if (!book) return host->fail(report, TS_OUT_OF_MEMORY, "no memory for a codebook");
  book->device = device;
  book->family = family;
  book->k = k;
  book->d = d;
  book->padded_d = (d + kLanes - 1) / kLanes * kLanes;
  book->panels = (k + kPanel - 1) / kPanel;
  book->bytes = lay_out(book, nullptr);
  auto *memory = static_cast<std::byte *>(std::aligned_alloc(kAlignment, book->bytes));
  if (!memory) {
    status =
        host->fail(report, TS_OUT_OF_MEMORY, "no memory for a codebook of %lld codes of %lld numbers (%llu bytes)",
                   static_cast<long long>(k), static_cast<long long>(d), static_cast<unsigned long long>(book->bytes));
    delete book;
    return status;
  }
  lay_out(book, memory);
  host->account(device->host_device, static_cast<int64_t>(book->bytes));
  *codebook = book;
  return TS_OK;
}

void codebook_free(void *codebook) {
  auto *book = static_cast<Codebook *>(codebook);
  host->account(book->device->host_device, -static_cast<int64_t>(book->bytes));
  std::free(book->codes);  // the first array of the one allocation
  delete book;
}

float *codebook_codes(const void *codebook) { return static_cast<const Codebook *>(codebook)->codes; }

uint64_t codebook_bytes(const void *codebook) { return static_cast<const Codebook *>(codebook)->bytes; }

ts_status codebook_pack(void *stream_, void *codebook, const char *op) {
  auto *stream = static_cast<Stream *>(stream_);
  auto *book = static_cast<Codebook *>(codebook);
  FloatMode mode;
  int64_t fault = first_nonfinite(book);
  if (fault >= 0) return host->fault(stream->report, TS_FAULT_NONFINITE_CODE, fault, op);

  size_t row = (static_cast<size_t>(book->d) * sizeof(double) + kAlignment - 1) / kAlignment * kAlignment;
  int threads = threads_for(stream, book->panels);
  auto *scratch = static_cast<std::byte *>(stream->scratch.reserve(row * static_cast<size_t>(threads)));
  if (!scratch) return host->fail(stream->report, TS_OUT_OF_MEMORY, "ts_%s: no memory for scratch", op);
  auto *mean = reinterpret_cast<double *>(scratch);
  double largest = find_mean(book, mean);
  choose_scale(book, mean, largest);
  book->screenable = true;
  order_codes(book, mean);
  for_blocks(threads, book->panels, [&](int thread, int64_t panel) {
    pack_panel(book, panel, reinterpret_cast<double *>(scratch + row * static_cast<size_t>(thread)));
  });
  for (int64_t p = 0; p < book->panels; p++) book->screenable &= book->norm[p] <= kLargestCodeNorm;
  return TS_OK;
}

}  // namespace tessera::cpu
