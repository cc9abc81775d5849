// Storage and packing of a codebook's version. Packing happens here, when the codes are written, never in a search.
#include "cpu/vq/codebook.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <new>

#include "cpu/threads.h"
#include "cpu/vq/bound.h"
#include "cpu/vq/carver.h"
#include "cpu/vq/family.h"
#include "cpu/vq/order.h"
#include "cpu/vq/projection.h"
#include "cpu/vq/vq.h"

namespace tessera::cpu {
namespace {

using namespace vq;

constexpr size_t kAlignment = 64;

size_t lay_out(Codebook *book, std::byte *base) {
  Carver carve{base};
  book->codes = carve.take<float>(book->k * book->d);
  book->mean = carve.take<float>(book->padded_d);
  const int64_t most = most_coordinates(book);
  book->basis = carve.take<float>(most * book->padded_d);
  book->zeros = carve.take<float>(most);
  book->view_rest = carve.take<float>(most > 0 ? book->panels : 0);
  book->centres = carve.take<float>((book->panels + kLanes - 1) / kLanes * kLanes * book->padded_d);
  book->centre_norm = carve.take<float>(book->panels);
  book->centre_half = carve.take<float>((book->panels + kLanes - 1) / kLanes * kLanes);
  book->order = carve.take<int32_t>(book->panels * kPanel);
  book->half_norm = carve.take<float>(book->panels * kPanel);
  book->screen_half_norm = carve.take<float>(book->panels * kPanel);
  book->norm = carve.take<float>(book->panels);
  book->offset_norm = carve.take<float>(book->panels);
  book->residual = carve.take<float>(book->panels);
  book->constant = carve.take<float>(book->panels);
  book->fp32_constant = carve.take<float>(book->panels);
  book->panel_scale = carve.take<float>(book->panels);
  int64_t panel_bytes = book->family->panel_bytes(book->d);
  if (most > 0) panel_bytes = std::max(panel_bytes, book->projection->panel_bytes(most));
  book->packed = carve.take<std::byte>(book->panels * panel_bytes);
  book->centred = carve.take<float>(book->panels * kPanel * book->padded_d);
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

float *centre_of(const Codebook *book, int64_t panel) {
  return book->centres + panel / kLanes * kLanes * book->padded_d + panel % kLanes;  // steps of kLanes
}

// The mean of a panel's centred codes, rounded to fp32, into its place among the centres; returns the largest distance
// from it. With `keep` false the centre is 0. `centred` and `mean` are scratch [d].
double place_centre(Codebook *book, int64_t panel, bool keep, double *centred, double *mean) {
  const int64_t first = panel * kPanel, d = book->d;
  const auto count = static_cast<double>(std::min<int64_t>(kPanel, book->k - first));
  double most;
  std::memset(mean, 0, static_cast<size_t>(d) * sizeof(double));
  for (int64_t s = first; keep && s < first + kPanel; s++) {
    if (book->order[s] < 0) continue;
    centre(book, book->order[s], centred, &most);
    for (int64_t i = 0; i < d; i++) mean[i] += centred[i] / count;
  }
  float *m = centre_of(book, panel);
  double square = 0;
  for (int64_t i = 0; i < book->padded_d; i++) {
    auto value = i < d ? static_cast<float>(mean[i]) : 0.0f;
    m[i * kLanes] = value;
    square += static_cast<double>(value) * static_cast<double>(value);
  }
  book->centre_half[panel] = static_cast<float>(0.5 * square);
  book->centre_norm[panel] = keep ? round_up(std::sqrt(square) * (1 + 0x1p-30)) : 0.0f;
  double largest = 0;
  for (int64_t s = first; s < first + kPanel; s++) {
    if (book->order[s] < 0) continue;
    centre(book, book->order[s], centred, &most);
    double distance = 0;
    for (int64_t i = 0; i < d; i++) {
      double offset = centred[i] - static_cast<double>(m[i * kLanes]);
      distance += offset * offset;
    }
    largest = std::fmax(largest, distance);
  }
  return std::sqrt(largest);
}

void clear_centres(Codebook *book) {
  const int64_t places = (book->panels + kLanes - 1) / kLanes * kLanes;
  std::fill_n(book->centres, places * book->padded_d, 0.0f);
  std::fill_n(book->centre_norm, book->panels, 0.0f);
  std::fill_n(book->centre_half, places, 0.0f);
}

void identity_order(Codebook *book) {
  for (int64_t s = 0; s < book->panels * kPanel; s++) book->order[s] = s < book->k ? static_cast<int32_t>(s) : -1;
}

// Puts the codes into slots, for a family whose unit is shared by a panel. Where codes lie in clusters, near ones share
// a panel, which then holds their offsets from its centre: both terms of the bound shrink with the offsets. Where they
// do not, codes of like largest magnitude share one: its unit is then near each code's own, and an outlier costs its
// own panel alone.
void order_codes(Codebook *book, double *centred, double *mean, std::byte *scratch) {
  identity_order(book);
  book->clustered = false;
  clear_centres(book);
  if (!book->family->sorts_codes || book->panels == 1) return;
  order_by_nearness(book, book->codes, book->d, scratch);
  double with = 0;
  for (int64_t p = 0; p < book->panels; p++) with += place_centre(book, p, true, centred, mean);
  // The panels' largest offsets against the codes' mean length. Measured: 0.6 to 0.9 for codes of trained encoders by
  // k-means, which the clusters make up to 2.5 times as fast; 1.05 and more for random ones, which they slow down.
  double whole = 0;
  for (int64_t k = 0; k < book->k; k++) {
    double most;
    whole += std::sqrt(centre(book, k, centred, &most));
  }
  constexpr double kWorthIt = 1;
  book->clustered = with / static_cast<double>(book->panels) < kWorthIt * whole / static_cast<double>(book->k);
  if (book->clustered) return group_by_nearness(book, book->codes, book->d, scratch);
  for (int64_t p = 0; p < book->panels; p++) place_centre(book, p, false, centred, mean);
  identity_order(book);
  auto *magnitude = book->half_norm;  // [k], written anew afterwards
  for (int64_t k = 0; k < book->k; k++) {
    double most;
    centre(book, k, centred, &most);
    magnitude[k] = static_cast<float>(most);
  }
  order_by_magnitude(book, magnitude, reinterpret_cast<int32_t *>(scratch));
}

// One code as it is packed, in float64: its offset from the panel's centre or, in a projection, its coordinates.
struct Packed {
  double *numbers;         // [d of the screened codebook]
  double whole;            // squared norm of the code
  double largest, square;  // magnitude of a number, and the numbers' squared norm
};

// `scratch` [padded_d + coordinates] holds the numbers.
Packed numbers_of(const Codebook *book, int64_t panel, int64_t slot, double *scratch) {
  Packed code{scratch, 0, 0, 0};
  double most;
  code.whole = centre(book, book->order[slot], scratch, &most);
  if (book->screened != book) {
    code.numbers = scratch + book->padded_d;
    project_code(book, book->screened->d, scratch, code.numbers);
  } else if (!book->clustered) {
    code.largest = most, code.square = code.whole;
    return code;
  } else {
    const float *m = centre_of(book, panel);
    for (int64_t i = 0; i < book->d; i++) scratch[i] -= static_cast<double>(m[i * kLanes]);
  }
  for (int64_t i = 0; i < book->screened->d; i++) {
    code.square += code.numbers[i] * code.numbers[i];
    double magnitude = std::fabs(code.numbers[i]);
    code.largest = magnitude > code.largest ? magnitude : code.largest;
  }
  return code;
}

// <m, o - o^> of a packed code's offset o: what the rounding does to the score of a row that lies in the centre. It is
// taken off in advance, so that only the row's distance from the centre counts in the bound.
double rounding_along_centre(const Codebook *book, int64_t panel, int64_t slot, const double *offset, float scale,
                             double *rounded) {
  const float *m = centre_of(book, panel);
  book->family->unpack(book->packed + panel * book->family->panel_bytes(book->d), slot % kPanel, book->d, scale,
                       rounded);
  double sum = 0;
  for (int64_t i = 0; i < book->d; i++) sum += static_cast<double>(m[i * kLanes]) * (offset[i] - rounded[i]);
  return sum;
}

// A code in fp32, beside those of its group; padding is zeros. `centred` [d] is scratch.
void place_centred(Codebook *book, int64_t slot, double *centred) {
  const int64_t panel = slot / kPanel, group = slot % kLanes, member = slot % kPanel / kLanes;
  float *out = book->centred + ((panel * kLanes + group) * kVectors + member) * book->padded_d;
  std::fill_n(out, book->padded_d, 0.0f);
  if (book->order[slot] < 0) return;
  double most;
  centre(book, book->order[slot], centred, &most);
  for (int64_t i = 0; i < book->d; i++) out[i] = static_cast<float>(centred[i]);
}

// Packs one panel and the terms of its error bound: docs/kernels.md, "The bound". `rounded` [d] is scratch.
void pack_panel(Codebook *book, int64_t panel, double *scratch, double *rounded) {
  const Codebook *screened = book->screened;
  const Family *family = screened->family;
  const int64_t first = panel * kPanel, d = screened->d;
  double largest = 0;
  for (int64_t s = first; family->sorts_codes && s < first + kPanel; s++)
    if (book->order[s] >= 0) largest = std::fmax(largest, numbers_of(book, panel, s, scratch).largest);
  float scale = family->panel_scale(static_cast<float>(largest));
  std::byte *packed = book->packed + panel * family->panel_bytes(d);
  double norm = 0, offset_norm = 0, residual = 0, rest = 0;
  for (int64_t s = first; s < first + kPanel; s++) {
    double rounded_norm;
    place_centred(book, s, scratch);
    if (book->order[s] < 0) {
      std::memset(scratch, 0, static_cast<size_t>(d) * sizeof(double));
      family->pack(scratch, d, scale, packed, s - first, &rounded_norm);
      book->half_norm[s] = book->screen_half_norm[s] = kPaddingHalfNorm;
      continue;
    }
    Packed code = numbers_of(book, panel, s, scratch);
    residual = std::fmax(residual, family->pack(code.numbers, d, scale, packed, s - first, &rounded_norm));
    norm = std::fmax(norm, std::sqrt(code.whole));
    offset_norm = std::fmax(offset_norm, std::fmax(std::sqrt(code.square), rounded_norm));
    rest = std::fmax(rest, code.whole * (1 + 0x1p-36) - code.square * (1 - static_cast<double>(book->basis_skew)));
    book->half_norm[s] = static_cast<float>(0.5 * code.whole);
    book->screen_half_norm[s] = book->half_norm[s];
    if (book->clustered)
      book->screen_half_norm[s] =
          static_cast<float>(0.5 * code.whole - rounding_along_centre(book, panel, s, code.numbers, scale, rounded));
  }
  // Float64 sums of up to 65536 terms are good to 2^-36; centring rounds to 2^-53, and so does the offset.
  norm *= 1 + 0x1p-30;
  residual = residual * (1 + 0x1p-30) + norm * 0x1p-51;
  offset_norm = offset_norm * (1 + 0x1p-30) + norm * 0x1p-51;
  if (screened != book) {
    // docs/kernels.md, "Projection". What the rest has along the basis is multiplied by the row's coordinates, as the
    // rounding of the code's is.
    residual += static_cast<double>(book->basis_skew) * offset_norm + norm * 0x1p-38;
    screened->rest[panel] = round_up(std::sqrt(rest) * (1 + 0x1p-30));
  }
  Bound screen = screen_bound(family->rounding(d), book->d);
  Bound fp32 = fp32_bound(book->d);
  book->panel_scale[panel] = scale;
  book->norm[panel] = round_up(norm);
  book->offset_norm[panel] = round_up(offset_norm);
  book->residual[panel] = round_up(residual);
  book->constant[panel] = round_up(screen.constant * norm * norm + 0x1p-90);
  book->fp32_constant[panel] = round_up(fp32.constant * norm * norm + 0x1p-90);
}

// The view of a codebook that holds its codes' coordinates: they are centred and scaled already.
Codebook view_of(const Codebook *book, int64_t coordinates) {
  Codebook view = *book;
  std::fill_n(book->zeros, coordinates, 0.0f);
  view.view = nullptr;
  view.family = book->projection;
  view.screened = nullptr;
  view.codes = nullptr;
  view.d = view.padded_d = coordinates;
  view.scale = 1;
  view.mean = book->zeros;
  view.rest = book->view_rest;
  view.clustered = false;
  return view;
}

// Memory for packing: each thread has `stride` numbers of both kinds.
struct PackScratch {
  int64_t stride;
  double *numbers, *rounded;
  float *points;     // [K, coordinates]
  std::byte *order;  // for the order of the codes, and before that for the basis
};

PackScratch lay_out_scratch(const Codebook *book, int64_t most, int threads, Carver &carve) {
  PackScratch s{};
  s.stride = book->padded_d + kMostCoordinates;
  s.numbers = carve.take<double>(s.stride * threads);
  s.rounded = carve.take<double>(s.stride * threads);
  s.points = carve.take<float>(book->k * most);
  size_t order = std::max(nearness_scratch(book, book->d), static_cast<size_t>(book->k) * sizeof(int32_t));
  if (most > 0) order = std::max(order, basis_scratch(book));
  s.order = carve.take<std::byte>(static_cast<int64_t>(order));
  return s;
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
  book->screened = book;
  book->projection = projection_family(family);
  if (most_coordinates(book) > 0) book->view = new (std::nothrow) Codebook{};
  if (!book->view && most_coordinates(book) > 0) {
    delete book;
    return host->fail(report, TS_OUT_OF_MEMORY, "no memory for a codebook");
  }
  book->bytes = lay_out(book, nullptr);
  auto *memory = static_cast<std::byte *>(std::aligned_alloc(kAlignment, book->bytes));
  if (!memory) {
    status =
        host->fail(report, TS_OUT_OF_MEMORY, "no memory for a codebook of %lld codes of %lld numbers (%llu bytes)",
                   static_cast<long long>(k), static_cast<long long>(d), static_cast<unsigned long long>(book->bytes));
    delete book->view;
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
  delete book->view;
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

  const int64_t most = most_coordinates(book);
  Carver measure{nullptr};
  int threads = threads_for(stream, book->panels);
  lay_out_scratch(book, most, threads, measure);
  auto *memory = static_cast<std::byte *>(stream->scratch.reserve(measure.used));
  if (!memory) return host->fail(stream->report, TS_OUT_OF_MEMORY, "ts_%s: no memory for scratch", op);
  Carver carve{memory};
  const PackScratch scratch = lay_out_scratch(book, most, threads, carve);
  double largest = find_mean(book, scratch.numbers);
  choose_scale(book, scratch.numbers, largest);
  book->screenable = true;
  book->screened = book;
  if (int64_t coordinates = most > 0 ? find_basis(book, most, scratch.order) : 0) {
    *book->view = view_of(book, coordinates);
    book->screened = book->view;
    book->clustered = false;
    clear_centres(book);
    project_codes(book, coordinates, scratch.points);
    identity_order(book);
    order_by_nearness(book, scratch.points, coordinates, scratch.order);
    group_by_nearness(book, scratch.points, coordinates, scratch.order);
  } else {
    order_codes(book, scratch.numbers, scratch.rounded, scratch.order);
  }
  for_blocks(threads, book->panels, [&](int thread, int64_t panel) {
    pack_panel(book, panel, scratch.numbers + thread * scratch.stride, scratch.rounded + thread * scratch.stride);
  });
  for (int64_t p = 0; p < book->panels; p++) book->screenable &= book->norm[p] <= kLargestCodeNorm;
  return TS_OK;
}

}  // namespace tessera::cpu
