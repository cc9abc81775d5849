// The portable family: fp32 in plain C++, for any processor, and the yardstick that the others are read against.
// Products and sums round separately (a processor without fma would emulate it), which its bound counts.
#include <cmath>
#include <cstring>

#include "cpu/vq/family.h"

namespace tessera::cpu::vq {
namespace {

constexpr int64_t kTileRows = 4;

bool supported() { return true; }
double rounding(int64_t d) { return 2.0 * static_cast<double>(d) + 4.0; }
int64_t row_bytes(int64_t) { return 0; }
int64_t panel_bytes(int64_t d) { return d * kPanel * static_cast<int64_t>(sizeof(float)); }
float panel_scale(float) { return 1.0f; }

// Panel: [d][64] fp32.
double pack(const double *centred, int64_t d, float, std::byte *panel, int64_t slot, double *norm) {
  auto *out = reinterpret_cast<float *>(panel) + slot;
  double residual = 0, square = 0;
  for (int64_t i = 0; i < d; i++) {
    auto rounded = static_cast<float>(centred[i]);
    out[i * kPanel] = rounded;
    double difference = centred[i] - static_cast<double>(rounded);
    residual += difference * difference;
    square += static_cast<double>(rounded) * static_cast<double>(rounded);
  }
  *norm = std::sqrt(square);
  return std::sqrt(residual);
}

void convert(const Codebook *codebook, const float *x, int64_t rows, const Rows *out) {
  int64_t d = codebook->d;
  for (int64_t r = 0; r < rows; r++) {
    const float *row = x + r * d;
    float *y = out->centred + r * codebook->padded_d;
    double square = 0;
    for (int64_t i = 0; i < d; i++) {
      // scale x is exact in float64, so this rounds once up to a second rounding of 2^-53.
      y[i] = static_cast<float>(static_cast<double>(row[i]) * codebook->scale - codebook->mean[i]);
      square += static_cast<double>(y[i]) * static_cast<double>(y[i]);
    }
    std::memset(y + d, 0, static_cast<size_t>(codebook->padded_d - d) * sizeof(float));
    double norm = std::sqrt(square);
    out->norm[r] = static_cast<float>(norm * (1 + 0x1p-21) + 0x1p-55);
    out->residual[r] = static_cast<float>(norm * 0x1.01p-24 + 0x1p-55);
  }
}

void screen(const Tile *tile, int64_t rows) {
  const Codebook *codebook = tile->codebook;
  int64_t d = codebook->d, pd = codebook->padded_d;
  const float *y = tile->rows->centred + tile->first_row * pd;
  for (int64_t p = 0; p < tile->panels; p++) {
    int64_t index = tile->first_panel + p;
    const auto *panel = reinterpret_cast<const float *>(codebook->packed + index * panel_bytes(d));
    const float *half_norm = codebook->half_norm + index * kPanel;
    for (int64_t r = 0; r < rows; r++) {
      float score[kPanel] = {};
      for (int64_t i = 0; i < d; i++) {
        float v = y[r * pd + i];
        const float *c = panel + i * kPanel;
        for (int j = 0; j < kPanel; j++) score[j] += v * c[j];
      }
      float *maxima = tile->maxima + (r * tile->stride + p) * kLanes;
      float best = -HUGE_VALF;
      for (int l = 0; l < kLanes; l++) {
        float m = -HUGE_VALF;
        for (int j = l; j < kPanel; j += kLanes) {
          float s = score[j] - half_norm[j];
          m = s > m ? s : m;
        }
        maxima[l] = m;
        best = m > best ? m : best;
      }
      float low = best - tile->error[r * tile->stride + p];
      if (low > tile->lower[r]) tile->lower[r] = low;
    }
  }
}

void bounds(const Codebook *codebook, const RowBound *row, float factor, int64_t first_panel, int64_t panels,
            float *error) {
  for (int64_t p = 0; p < panels; p++) {
    int64_t panel = first_panel + p;
    float sum = row->by_norm * codebook->offset_norm[panel] + row->by_residual * codebook->residual[panel];
    if (codebook->rest) sum += row->by_rest * codebook->rest[panel];
    error[p] = (sum + codebook->constant[panel] + row->fixed) * factor;
  }
}

void project(const Codebook *codebook, const Rows *rows, int64_t count, float *z, float *rest) {
  const int64_t pd = codebook->padded_d, coordinates = codebook->screened->d;
  for (int64_t r = 0; r < count; r++) {
    const float *y = rows->centred + r * pd;
    float square = 0;
    for (int64_t j = 0; j < coordinates; j++) {
      const float *basis = codebook->basis + j / kLanes * pd * kLanes + j % kLanes;
      double sum = 0;  // float64, so that the few roundings here stay within the bound without an fma
      for (int64_t i = 0; i < codebook->d; i++)
        sum += static_cast<double>(y[i]) * static_cast<double>(basis[i * kLanes]);
      z[r * coordinates + j] = static_cast<float>(sum);
      square += z[r * coordinates + j] * z[r * coordinates + j];
    }
    float norm = rows->norm[r] * rows->norm[r], left = norm - square + codebook->basis_slack * norm;
    rest[r] = std::sqrt(left > 0 ? left : 0) * (1 + 0x1p-20f);
  }
}

// Comparisons here and below are written so that a NaN stays.
bool collect(const float *maxima, const float *error, int64_t first_panel, int64_t panels, float lower,
             Candidates *candidates) {
  for (int64_t p = 0; p < panels; p++) {
    for (int l = 0; l < kLanes; l++) {
      float upper = maxima[p * kLanes + l] + error[p];
      if (upper < lower) continue;
      if (candidates->count == candidates->capacity) return false;
      candidates->group[candidates->count] = static_cast<int32_t>((first_panel + p) * kLanes + l);
      if (candidates->upper) candidates->upper[candidates->count] = upper;
      candidates->count++;
    }
  }
  return true;
}

int64_t filter(const Candidates *candidates, float lower, int32_t row, int32_t *groups, int32_t *rows) {
  int64_t kept = 0;
  for (int32_t i = 0; i < candidates->count; i++) {
    if (candidates->upper && candidates->upper[i] < lower) continue;
    rows[kept] = row;
    groups[kept++] = candidates->group[i];
  }
  return kept;
}

void narrow(const Narrowing *n) {
  const Codebook *codebook = n->codebook;
  for (int64_t g = 0; g < n->count; g++) {
    const float *y = n->centred + n->row[g] * codebook->padded_d;
    const RowBound &row = n->bounds[n->row[g]];
    int64_t panel = n->group[g] / kLanes;
    float error = (row.by_norm * codebook->norm[panel] + codebook->fp32_constant[panel] + row.fixed) * n->factor;
    for (int j = 0; j < kVectors; j++) {
      int64_t slot = panel * kPanel + n->group[g] % kLanes + j * kLanes;
      const float *code = codebook->centred + (n->group[g] * int64_t{kVectors} + j) * codebook->padded_d;
      // Float64, so that the few roundings here stay within the bound without an fma.
      double sum = 0;
      for (int64_t i = 0; i < codebook->d; i++) sum += static_cast<double>(y[i]) * static_cast<double>(code[i]);
      auto score = static_cast<float>(sum - codebook->half_norm[slot]);
      n->upper[g * kVectors + j] = score + error;
      n->lower[g * kVectors + j] = score - error;
    }
  }
}

void settle(const Settling *s) {
  int32_t kept = 0;
  for (int64_t r = 0; r < s->rows; r++) {
    s->left_starts[r] = kept;
    const int32_t begin = s->starts[r] * kVectors, end = s->starts[r + 1] * kVectors;
    float least = s->least[r];
    for (int32_t i = begin; i < end; i++) least = s->lower[i] > least ? s->lower[i] : least;
    for (int32_t i = begin; i < end; i++)
      if (!(s->upper[i] < least)) s->left[kept++] = i;
  }
  s->left_starts[s->rows] = kept;
}

void distances(const float *const *x, const float *const *c, int64_t count, int64_t d, double *distance) {
  for (int64_t n = 0; n < count; n++) {
    double sum = 0;
    for (int64_t i = 0; i < d; i++) {
      double difference = static_cast<double>(x[n][i]) - static_cast<double>(c[n][i]);
      sum = std::fma(difference, difference, sum);
    }
    distance[n] = sum;
  }
}

}  // namespace

const Tools portable_tools = {bounds, project, collect, filter, narrow, settle, distances};
const Family portable_family = {"portable", supported,        &portable_tools, kTileRows, rounding,    false,
                                false,      &portable_family, nullptr,         row_bytes, panel_bytes, panel_scale,
                                pack,       nullptr,          convert,         screen};

}  // namespace tessera::cpu::vq
