// The basis of a projection: a randomised range finder (Halko, Martinsson and Tropp 2011, algorithm 4.4) on a sample of
// the codes. Nothing but speed depends on how good it is; what it leaves of each code is measured.
#include "cpu/vq/projection.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "cpu/math/parallel.h"
#include "cpu/vq/bound.h"
#include "cpu/vq/carver.h"
#include "cpu/vq/family.h"

namespace tessera::cpu::vq {
namespace {

constexpr int64_t kSample = 256;    // codes that the basis is made from
constexpr int kPowers = 2;          // products with the codes' covariance
constexpr int64_t kFewCodes = 128;  // below, a row's own work outweighs what a screen can save
constexpr int64_t kShort = 32;      // numbers of a code
// The part of the codes' squared norms that may be left. Measured: 0.001 to 0.003 at 16 for encoders trained on digits;
// of more, what the bound loses costs more narrowing than the shorter codes save.
constexpr double kLeft = 1.0 / 400;
// With more than that left by 16 coordinates, 32 will not do either.
constexpr double kHopeless = 0.05;

struct Scratch {
  float *code;     // [padded_d]
  float *product;  // [padded_d, r]
  double *column;  // [padded_d]
};

Scratch lay_out(const Codebook *book, Carver &carve) {
  Scratch s{};
  s.code = carve.take<float>(book->padded_d);
  s.product = carve.take<float>(book->padded_d * kMostCoordinates);
  s.column = carve.take<double>(book->padded_d * kMostCoordinates);
  return s;
}

// One code [padded_d], in fp32.
void centre(const Codebook *book, int64_t k, float *out) {
  const float *code = book->codes + k * book->d;
  for (int64_t i = 0; i < book->d; i++) out[i] = code[i] * book->scale - book->mean[i];
  std::fill(out + book->d, out + book->padded_d, 0.0f);
}

// +1 and -1 by a fixed hash (splitmix64), to start from.
float sign(int64_t i) {
  auto z = static_cast<uint64_t>(i + 1) * 0x9E3779B97F4A7C15u;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return (z >> 63) != 0 ? 1.0f : -1.0f;
}

// GCC's vectors of a basis' lanes: sums over codes stay in registers whatever the instruction set.
using Floats = float __attribute__((vector_size(kLanes * sizeof(float)), may_alias));
using Doubles = double __attribute__((vector_size(kLanes * sizeof(double)), may_alias));

// coordinates[r] = sum over d of code[d] basis[d][r], for a basis of whole vectors, each [padded_d][kLanes], in four
// chains, since a sum takes some clocks. padded_d is a multiple of four, and the basis is 0 past d.
TS_CLONES void coordinates_of(const float *basis, int64_t vectors, int64_t pd, const float *code, float *coordinates) {
  for (int64_t v = 0; v < vectors; v++) {
    const auto *b = reinterpret_cast<const Floats *>(basis + v * pd * kLanes);
    Floats s0 = {}, s1 = {}, s2 = {}, s3 = {};
    for (int64_t i = 0; i < pd; i += 4) {
      s0 += code[i] * b[i];
      s1 += code[i + 1] * b[i + 1];
      s2 += code[i + 2] * b[i + 2];
      s3 += code[i + 3] * b[i + 3];
    }
    s0 = (s0 + s1) + (s2 + s3);
    std::memcpy(coordinates + v * kLanes, &s0, sizeof s0);
  }
}

// out[d][r] += code[d] coordinates[r], laid out like the basis.
TS_CLONES void add_outer(int64_t vectors, int64_t pd, const float *code, const float *coordinates, float *out) {
  for (int64_t v = 0; v < vectors; v++) {
    auto *o = reinterpret_cast<Floats *>(out + v * pd * kLanes);
    Floats c;
    std::memcpy(&c, coordinates + v * kLanes, sizeof c);
    for (int64_t i = 0; i < pd; i++) o[i] += code[i] * c;
  }
}

TS_CLONES void coordinates_of(const float *basis, int64_t vectors, int64_t pd, const double *code, int64_t d,
                              double *coordinates) {
  for (int64_t v = 0; v < vectors; v++) {
    const auto *b = reinterpret_cast<const Floats *>(basis + v * pd * kLanes);
    Doubles s0 = {}, s1 = {};
    int64_t i = 0;
    for (; i + 2 <= d; i += 2) {
      s0 += code[i] * __builtin_convertvector(b[i], Doubles);
      s1 += code[i + 1] * __builtin_convertvector(b[i + 1], Doubles);
    }
    if (i < d) s0 += code[i] * __builtin_convertvector(b[i], Doubles);
    s0 += s1;
    std::memcpy(coordinates + v * kLanes, &s0, sizeof s0);
  }
}

// In chains that fill vectors.
TS_CLONES double dot(const double *a, const double *b, int64_t d) {
  double chain[kLanes] = {}, sum = 0;
  int64_t i = 0;
  for (; i + kLanes <= d; i += kLanes)
    for (int64_t c = 0; c < kLanes; c++) chain[c] += a[i + c] * b[i + c];
  for (; i < d; i++) sum += a[i] * b[i];
  for (double c : chain) sum += c;
  return sum;
}

// The squared norm of `count` numbers, a multiple of kLanes.
TS_CLONES float square_of(const float *numbers, int64_t count) {
  float chain[kLanes] = {}, sum = 0;
  for (int64_t i = 0; i < count; i += kLanes)
    for (int64_t c = 0; c < kLanes; c++) chain[c] += numbers[i + c] * numbers[i + c];
  for (float c : chain) sum += c;
  return sum;
}

// Makes the columns of `product` orthonormal (modified Gram-Schmidt, twice) and rounds them into the basis. A column
// that the others account for becomes 0.
void orthonormalise(const Scratch &s, int64_t d, int64_t pd, int64_t r, float *basis) {
  for (int64_t j = 0; j < r; j++) {
    double *column = s.column + j * pd;
    for (int64_t i = 0; i < d; i++)
      column[i] = static_cast<double>(s.product[j / kLanes * pd * kLanes + i * kLanes + j % kLanes]);
    const double before = std::sqrt(dot(column, column, d));
    for (int pass = 0; pass < 2; pass++)
      for (int64_t other = 0; other < j; other++) {
        const double *b = s.column + other * pd;
        const double along = dot(column, b, d);
        for (int64_t i = 0; i < d; i++) column[i] -= along * b[i];
      }
    const double norm = std::sqrt(dot(column, column, d));
    const double inverse = norm > before * 0x1p-20 && norm > 0x1p-100 ? 1 / norm : 0;
    for (int64_t i = 0; i < d; i++) column[i] *= inverse;
  }
  for (int64_t j = 0; j < r; j++)
    for (int64_t i = 0; i < pd; i++)
      basis[j / kLanes * pd * kLanes + i * kLanes + j % kLanes] =
          i < d ? static_cast<float>(s.column[j * pd + i]) : 0.0f;
}

// The part of the sample's squared norms that r coordinates leave.
double find(Codebook *book, int64_t r, const Scratch &s) {
  const int64_t d = book->d, pd = book->padded_d, vectors = r / kLanes;
  const int64_t stride = (book->k + kSample - 1) / kSample;
  float coordinates[kMostCoordinates];
  for (int64_t i = 0; i < r * pd; i++) s.product[i] = sign(i);
  double whole = 0, kept = 0;
  for (int power = 0; power <= kPowers; power++) {
    orthonormalise(s, d, pd, r, book->basis);
    std::fill_n(s.product, r * pd, 0.0f);
    whole = kept = 0;
    for (int64_t k = 0; k < book->k; k += stride) {
      centre(book, k, s.code);
      coordinates_of(book->basis, vectors, pd, s.code, coordinates);
      if (power < kPowers) add_outer(vectors, pd, s.code, coordinates, s.product);
      whole += static_cast<double>(square_of(s.code, pd));
      kept += static_cast<double>(square_of(coordinates, r));
    }
  }
  return whole > 0 ? 1 - kept / whole : 1;
}

// The terms of the bound that the basis has: docs/kernels.md, "Projection".
void measure(Codebook *book, int64_t r) {
  const int64_t pd = book->padded_d;
  double square = 0, skew = 0;
  auto at = [&](int64_t i, int64_t j) {
    return static_cast<double>(book->basis[j / kLanes * pd * kLanes + i * kLanes + j % kLanes]);
  };
  for (int64_t a = 0; a < r; a++)
    for (int64_t b = 0; b <= a; b++) {
      double product = 0;
      for (int64_t i = 0; i < pd; i++) product += at(i, a) * at(i, b);
      if (a == b) square += product;
      // A column of zeros gives no coordinate, and is as good as one of norm 1.
      double off = a == b && product > 0 ? product - 1 : product;
      skew += off * off * (a == b ? 1 : 2);
    }
  book->basis_skew = static_cast<float>(std::sqrt(skew) * (1 + 0x1p-20) + 0x1p-38);
  basis_bound(book->d, square, skew, &book->basis_error, &book->basis_slack);
}

}  // namespace

const Family *projection_family(const Family *family) {
#if defined(__x86_64__)
  if (family == &int8_vnni_family) {
    const char *forced = getenv("TESSERA_KERNEL");
    if (forced && *forced) return nullptr;
    // Coordinates are so short that int8's longer epilogue and its more candidates weigh more than its arithmetic
    // saves.
    return bf16_avx512_family.supported() ? &bf16_avx512_family : nullptr;
  }
#endif
  return family;
}

int64_t most_coordinates(const Codebook *book) {
  if (!book->projection || book->k < kFewCodes || book->d < kShort || book->d > kLongestProjected) return 0;
  // A screen by coordinates passes over no panels, so codebooks of very many codes are left to the clusters.
  if (book->family->clusters && book->k > book->d * book->d) return 0;
  return std::min(kMostCoordinates, book->d / 2 / kLanes * kLanes);
}

size_t basis_scratch(const Codebook *book) {
  Carver carve{nullptr};
  lay_out(book, carve);
  return carve.used;
}

int64_t find_basis(Codebook *book, int64_t most, std::byte *scratch) {
  Carver carve{scratch};
  const Scratch s = lay_out(book, carve);
  for (int64_t r = kLanes; r <= most; r *= 2) {
    const double left = find(book, r, s);
    if (left <= kLeft) {
      measure(book, r);
      return r;
    }
    if (!(left <= kHopeless)) return 0;
  }
  return 0;
}

void project_code(const Codebook *book, int64_t coordinates, const double *centred, double *projected) {
  coordinates_of(book->basis, coordinates / kLanes, book->padded_d, centred, book->d, projected);
}

void project_codes(const Codebook *book, int64_t coordinates, float *out) {
  float code[kLongestProjected];  // padded_d is at most as long
  for (int64_t k = 0; k < book->k; k++) {
    centre(book, k, code);
    coordinates_of(book->basis, coordinates / kLanes, book->padded_d, code, out + k * coordinates);
  }
}

}  // namespace tessera::cpu::vq
