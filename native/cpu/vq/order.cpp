#include "cpu/vq/order.h"

#include <algorithm>
#include <bit>

#include "cpu/math/parallel.h"
#include "cpu/vq/carver.h"

namespace tessera::cpu::vq {
namespace {

constexpr int64_t kChains = 16;

struct Place {
  float position;  // along the direction
  int32_t code;
};

struct Scratch {
  float *mean, *far, *direction;  // [d]
  Place *places;                  // [k]
};

Scratch lay_out(const Codebook *book, int64_t d, Carver &carve) {
  Scratch s{};
  s.mean = carve.take<float>(d);
  s.far = carve.take<float>(d);
  s.direction = carve.take<float>(d);
  s.places = carve.take<Place>(book->k);
  return s;
}

// sum of (a - m) b over d, in chains that fill a vector
[[gnu::always_inline]] inline float centred_dot(const float *a, const float *m, const float *b, int64_t d) {
  float chain[kChains] = {};
  int64_t i = 0;
  for (; i + kChains <= d; i += kChains)
    for (int64_t c = 0; c < kChains; c++) chain[c] += (a[i + c] - m[i + c]) * b[i + c];
  for (; i < d; i++) chain[i % kChains] += (a[i] - m[i]) * b[i];
  float sum = 0;
  for (float c : chain) sum += c;
  return sum;
}

// The first principal direction of the codes, by one step of the power method from the code that is farthest from
// their mean; then every code's position along it.
TS_CLONES void find_positions(const float *codes, int64_t d, const Scratch &s, Place *places, int64_t n) {
  std::fill_n(s.mean, d, 0.0f);
  for (int64_t j = 0; j < n; j++) {
    const float *c = codes + places[j].code * d;
    for (int64_t i = 0; i < d; i++) s.mean[i] += c[i];
  }
  const float inverse = 1.0f / static_cast<float>(n);
  for (int64_t i = 0; i < d; i++) s.mean[i] *= inverse;
  float largest = -1;
  int32_t farthest = places[0].code;
  for (int64_t j = 0; j < n; j++) {
    const float *c = codes + places[j].code * d;
    for (int64_t i = 0; i < d; i++) s.far[i] = c[i] - s.mean[i];
    float square = centred_dot(c, s.mean, s.far, d);
    if (square > largest) largest = square, farthest = places[j].code;
  }
  for (int64_t i = 0; i < d; i++) s.far[i] = codes[farthest * d + i] - s.mean[i];
  std::fill_n(s.direction, d, 0.0f);
  for (int64_t j = 0; j < n; j++) {
    const float *c = codes + places[j].code * d;
    float weight = centred_dot(c, s.mean, s.far, d);
    for (int64_t i = 0; i < d; i++) s.direction[i] += weight * (c[i] - s.mean[i]);
  }
  for (int64_t j = 0; j < n; j++) places[j].position = centred_dot(codes + places[j].code * d, s.mean, s.direction, d);
}

}  // namespace

size_t nearness_scratch(const Codebook *book, int64_t d) {
  Carver carve{nullptr};
  lay_out(book, d, carve);
  return carve.used;
}

namespace {

// Halves units [0, units) of `unit` places again and again, across the direction in which their points spread most. A
// last unit may be short: there are `count` places.
void halve(const float *points, int64_t d, const Scratch &s, Place *places, int64_t count, int64_t unit) {
  // Of units [first, last) the left half is made and then halved; a stack of halves holds one entry a level.
  struct Range {
    int64_t first, last;
  } stack[40];
  int top = 0;
  stack[top++] = {0, (count + unit - 1) / unit};
  while (top > 0) {
    Range r = stack[--top];
    if (r.last - r.first < 2) continue;
    int64_t middle = (r.first + r.last) / 2;
    Place *own = places + r.first * unit;
    int64_t n = std::min(count, r.last * unit) - r.first * unit;
    find_positions(points, d, s, own, n);
    // Equal positions by code, so that the order is a function of the codes. A position that overflowed to NaN would be
    // no order at all.
    std::nth_element(own, own + (middle - r.first) * unit, own + n, [](const Place &a, const Place &b) {
      auto x = std::bit_cast<int32_t>(a.position), y = std::bit_cast<int32_t>(b.position);
      x ^= static_cast<int32_t>(static_cast<uint32_t>(x >> 31) >> 1),
          y ^= static_cast<int32_t>(static_cast<uint32_t>(y >> 31) >> 1);
      return x != y ? x < y : a.code < b.code;
    });
    stack[top++] = {r.first, middle};
    stack[top++] = {middle, r.last};
  }
}

// Ascending, which nth_element does not promise.
void sort_codes(Place *places, int64_t n) {
  std::sort(places, places + n, [](const Place &a, const Place &b) { return a.code < b.code; });
}

}  // namespace

void order_by_nearness(Codebook *book, const float *points, int64_t d, std::byte *scratch) {
  Carver carve{scratch};
  Scratch s = lay_out(book, d, carve);
  for (int64_t i = 0; i < book->k; i++) s.places[i] = {0, static_cast<int32_t>(i)};
  halve(points, d, s, s.places, book->k, kPanel);
  for (int64_t first = 0; first < book->k; first += kPanel) {
    int64_t n = std::min<int64_t>(kPanel, book->k - first);
    sort_codes(s.places + first, n);
    for (int64_t i = 0; i < n; i++) book->order[first + i] = s.places[first + i].code;
  }
}

void group_by_nearness(Codebook *book, const float *points, int64_t d, std::byte *scratch) {
  Carver carve{scratch};
  Scratch s = lay_out(book, d, carve);
  for (int64_t first = 0; first < book->k; first += kPanel) {
    int64_t n = std::min<int64_t>(kPanel, book->k - first);
    int32_t *order = book->order + first;
    for (int64_t i = 0; i < n; i++) s.places[i] = {0, order[i]};
    halve(points, d, s, s.places, n, kVectors);
    std::fill_n(order, kPanel, -1);
    for (int64_t i = 0; i < n; i += kVectors) {
      int64_t codes = std::min<int64_t>(kVectors, n - i);
      sort_codes(s.places + i, codes);
      for (int64_t j = 0; j < codes; j++) order[i / kVectors + j * kLanes] = s.places[i + j].code;
    }
  }
}

// A counting sort on the magnitude's exponent and first three bits, stable, so that the order is a function of the
// codes.
void order_by_magnitude(Codebook *book, const float *magnitude, int32_t *scratch) {
  constexpr int kBuckets = 1 << 11;  // 8 bits of exponent, 3 of mantissa
  int32_t first[kBuckets + 1] = {};
  for (int64_t k = 0; k < book->k; k++) {
    scratch[k] = static_cast<int32_t>(std::bit_cast<uint32_t>(magnitude[k]) >> 20);
    first[scratch[k] + 1]++;
  }
  for (int i = 0; i < kBuckets; i++) first[i + 1] += first[i];
  for (int64_t k = 0; k < book->k; k++) book->order[first[scratch[k]]++] = static_cast<int32_t>(k);
}

}  // namespace tessera::cpu::vq
