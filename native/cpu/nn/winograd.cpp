#include "cpu/nn/winograd.h"

#include <algorithm>

#include "cpu/nn/bias_gradient.h"
#include "cpu/nn/direct.h"
#include "cpu/nn/direct_avx512.h"
#include "cpu/nn/parallel.h"
#include "cpu/nn/winograd_avx512.h"

namespace tessera::cpu::winograd {
namespace {

constexpr int64_t kLanes = 16, kPlaces = 16;
// Columns of a product at a time: two vectors, so that a panel of weights stays in a first-level cache.
constexpr int64_t kPanel = 32;
// Tiles that are transformed, multiplied and transformed back at a time, so that all of it stays in a second-level
// cache.
constexpr int64_t kMaxTiles = 32, kMinTiles = 16, kBlockFloats = 1 << 17;

constexpr int64_t round_up_16(int64_t n) { return (n + kLanes - 1) / kLanes * kLanes; }

// Floats from one place to the next, of `rows` rows: a power of two would put all places into one set of the caches.
constexpr int64_t place_floats(int64_t rows, int64_t width) { return rows * width + kLanes; }

// A map from one side to the other: pixel (y, x) of the target is the sum over a 3x3 kernel's taps (i, j) of the
// source's pixels (y + top + i, x + left + j), which are zero outside of the image.
struct Map {
  int64_t batch, source_h, source_w, source_c, target_h, target_w, target_c, top, left;

  int64_t tiles_y() const { return (target_h + 1) / 2; }
  int64_t tiles_x() const { return (target_w + 1) / 2; }
  int64_t tiles() const { return batch * tiles_y() * tiles_x(); }
};

Map map_to_out(const ts_conv_shape &s) {
  return {s.batch, s.in_h, s.in_w, s.in_c, s.out_h, s.out_w, s.out_c, -s.pad_top, -s.pad_left};
}

// The kernel is turned around, and what was left out of its span is the padding.
Map map_to_in(const ts_conv_shape &s) {
  return {s.batch, s.out_h, s.out_w, s.out_c, s.in_h, s.in_w, s.in_c, s.pad_top - 2, s.pad_left - 2};
}

// Where a tile's pixels lie.
class Tile {
 public:
  Tile(const Map &map, int64_t index)
      : map_(map),
        x_(index % map.tiles_x() * 2),
        y_(index / map.tiles_x() % map.tiles_y() * 2),
        image_(index / map.tiles_x() / map.tiles_y()) {}

  // The 4x4 of the source under the tile; `zeros` outside.
  void source(const float *image, const float *zeros, const float *pixels[16]) const {
    for (int64_t i = 0; i < 4; i++)
      for (int64_t j = 0; j < 4; j++) {
        int64_t y = y_ + map_.top + i, x = x_ + map_.left + j;
        bool inside = y >= 0 && y < map_.source_h && x >= 0 && x < map_.source_w;
        int64_t pixel = (image_ * map_.source_h + y) * map_.source_w + x;
        pixels[4 * i + j] = inside ? image + pixel * map_.source_c : zeros;
      }
  }

  // The 2x2 of the target; `outside` beyond its last row and column.
  template <class T>
  void target(T *image, T *outside, T *pixels[4]) const {
    for (int64_t i = 0; i < 2; i++)
      for (int64_t j = 0; j < 2; j++) {
        bool inside = y_ + i < map_.target_h && x_ + j < map_.target_w;
        int64_t pixel = (image_ * map_.target_h + y_ + i) * map_.target_w + x_ + j;
        pixels[2 * i + j] = inside ? image + pixel * map_.target_c : outside;
      }
  }

 private:
  const Map &map_;
  int64_t x_, y_, image_;
};

// Channels of a product's both sides and its tiles, and what it needs in memory.
struct Plan {
  Plan(const Map &map, int threads) : k(round_up_16(map.source_c)), n(round_up_16(map.target_c)) {
    int64_t fitting = std::clamp(kBlockFloats / (kPlaces * (k + n)), kMinTiles, kMaxTiles);
    block = std::min(fitting, (map.tiles() + threads - 1) / threads);
  }
  int64_t source_place() const { return place_floats(block, k); }
  int64_t target_place() const { return place_floats(block, n); }
  int64_t kernel_place(const Map &map) const { return place_floats(map.source_c, n); }
  int64_t sums_place(const Map &map) const { return place_floats(map.target_c, k); }

  int64_t k, n;   // channels of the source and of the target, in whole vectors
  int64_t block;  // tiles at a time, at most
};

// body(first, count) for a thread's share of the tiles, in blocks of about the same size.
template <class Body>
void for_blocks(int64_t tiles, int threads, int t, int64_t block, const Body &body) {
  int64_t begin = tiles * t / threads, mine = tiles * (t + 1) / threads - begin;
  int64_t blocks = (mine + block - 1) / block;
  for (int64_t b = 0; b < blocks; b++) {
    int64_t first = begin + mine * b / blocks;
    body(first, begin + mine * (b + 1) / blocks - first);
  }
}

// Kernels of one of the maps, transformed: at each place panels [K, kPanel] of the product's columns, one after
// another. Blocks of 16 columns are shared out.
void transform_all(const Map &map, const Plan &plan, Kernels kernels, int threads, float *to) {
  const float *w = kernels.w;
  kernels.place = plan.kernel_place(map);
  auto part = [&](int t) {
    Kernels mine = kernels;
    for (int64_t n = plan.n / kLanes * t / threads * kLanes; n < plan.n / kLanes * (t + 1) / threads * kLanes;
         n += kLanes) {
      int64_t panel = n / kPanel * kPanel;
      mine.width = std::min(kPanel, plan.n - panel);
      mine.columns = std::min(kLanes, map.target_c - n);
      for (int64_t k = 0; k < map.source_c; k += kLanes) {
        mine.w = w + k * kernels.k_step + n * kernels.n_step;
        mine.rows = std::min(kLanes, map.source_c - k);
        mine.to = to + panel * map.source_c + k * mine.width + n - panel;
        transform_kernels(mine);
      }
    }
  };
  parallel(threads, part);
}

// The products at every place: [tiles, K] times [K, N].
void multiply(const Map &map, const Plan &plan, const float *source, const float *kernels, int64_t tiles,
              float *target) {
  for (int64_t place = 0; place < kPlaces; place++)
    for (int64_t n = 0; n < plan.n; n += kPanel) {
      int64_t width = std::min(kPanel, plan.n - n);
      direct::products({.a = source + place * plan.source_place(),
                        .step = plan.k,
                        .segments = 1,
                        .segment = 0,
                        .depth = map.source_c,
                        .w = kernels + place * plan.kernel_place(map) + n * map.source_c,
                        .width = width,
                        .bias = nullptr,
                        .relu = false,
                        .out = target + place * plan.target_place() + n,
                        .out_step = plan.n,
                        .columns = width},
                       tiles);
    }
}

size_t map_workspace(const Map &map, int threads) {
  Plan plan(map, threads);
  int64_t kernels = kPlaces * plan.kernel_place(map);
  int64_t thread = kPlaces * (plan.source_place() + plan.target_place());
  return sizeof(float) * static_cast<size_t>(plan.k + kernels + threads * thread);
}

void run_map(const Map &map, const Kernels &kernels, int threads, const float *source, Epilogue epilogue, float *target,
             void *workspace) {
  const Plan plan(map, threads);
  float *zeros = static_cast<float *>(workspace), *transformed = zeros + plan.k;
  float *blocks = transformed + kPlaces * plan.kernel_place(map);
  std::fill_n(zeros, plan.k, 0.0f);
  transform_all(map, plan, kernels, threads, transformed);

  parallel(threads, [&](int t) {
    float *from = blocks + t * kPlaces * (plan.source_place() + plan.target_place());
    float *to = from + kPlaces * plan.source_place();
    for_blocks(map.tiles(), threads, t, plan.block, [&](int64_t first, int64_t count) {
      for (int64_t i = 0; i < count; i++) {
        const float *pixels[16];
        Tile(map, first + i).source(source, zeros, pixels);
        transform_pixels(pixels, map.source_c, from + i * plan.k, plan.source_place());
      }
      multiply(map, plan, from, transformed, count, to);
      for (int64_t i = 0; i < count; i++) {
        float *pixels[4];
        Tile(map, first + i).target<float>(target, nullptr, pixels);
        finish_tile(to + i * plan.n, plan.target_place(), map.target_c, epilogue.bias, epilogue.relu, pixels);
      }
    });
  });
}

// Whether the kernels can do the shape, with channels enough for the transforms.
bool possible(const ts_conv_shape &s) {
  static const bool available = direct::has_avx512();
  bool kernel = s.kernel_h == 3 && s.kernel_w == 3 && s.stride_h == 1 && s.stride_w == 1 && s.dilation_h == 1 &&
                s.dilation_w == 1 && s.groups == 1;
  auto channels = [](int64_t c) { return c >= 32 && c <= 512; };
  return available && kernel && channels(s.in_c) && channels(s.out_c);
}

// Whether the tiles are enough to be worth transforming the kernels, and at least two thirds of their pixels there.
bool fills_tiles(const Map &map) {
  return map.tiles() >= 16 && 3 * map.batch * map.target_h * map.target_w >= 2 * 4 * map.tiles();
}

// Whether every pixel of the target is a sum over at least 2x2 of the taps. A tile's pixels share their rounding
// errors, which a sum of few terms beside one of many feels: with one tap it would be further off than twice the plain
// sum.
bool sums_are_alike(const Map &map) {
  auto padding = [](int64_t before, int64_t source, int64_t target) {
    return std::max(-before, target + 2 + before - source);
  };
  return padding(map.top, map.source_h, map.target_h) <= 1 && padding(map.left, map.source_w, map.target_w) <= 1;
}

bool suits(const ts_conv_shape &s, const Map &map) { return possible(s) && fills_tiles(map) && sums_are_alike(map); }

}  // namespace

bool suits_to_out(const ts_conv_shape &s) { return suits(s, map_to_out(s)); }
bool suits_to_in(const ts_conv_shape &s) { return suits(s, map_to_in(s)); }

// Each gradient is a sum over the pixels; there must be many for the same reason. And a thread's sums take memory.
bool suits_to_weights(const ts_conv_shape &s) {
  return suits(s, map_to_out(s)) && s.batch * s.out_h * s.out_w >= 256 && s.in_c * s.out_c <= 1 << 16;
}

size_t to_out_workspace(const ts_conv_shape &s, int threads) { return map_workspace(map_to_out(s), threads); }
size_t to_in_workspace(const ts_conv_shape &s, int threads) { return map_workspace(map_to_in(s), threads); }

void to_out(const ts_conv_shape &s, int threads, const float *in, const float *w, Epilogue epilogue, float *out,
            void *workspace) {
  Kernels kernels{};
  kernels.w = w, kernels.k_step = 1, kernels.n_step = 9 * s.in_c, kernels.tap_step = s.in_c;
  run_map(map_to_out(s), kernels, threads, in, epilogue, out, workspace);
}

void to_in(const ts_conv_shape &s, int threads, const float *out, const float *w, Epilogue epilogue, float *in,
           void *workspace) {
  Kernels kernels{};
  kernels.w = w + 8 * s.in_c, kernels.k_step = 9 * s.in_c, kernels.n_step = 1, kernels.tap_step = -s.in_c;
  run_map(map_to_in(s), kernels, threads, out, epilogue, in, workspace);
}

namespace {

// sums [O, K] at every place += [tiles, O]^T times [tiles, K].
void add_block(const Map &map, const Plan &plan, const float *source, const float *gradient, int64_t tiles,
               float *sums) {
  constexpr int64_t kVectors = 4, kScalars = 4;
  direct::Outer o{};
  o.vector_step = plan.k, o.scalar_step = plan.n, o.rows = 1, o.columns = tiles, o.sum_step = plan.k;
  for (int64_t place = 0; place < kPlaces; place++)
    for (int64_t k = 0; k < plan.k; k += kVectors * kLanes)
      for (int64_t f = 0; f < map.target_c; f += kScalars) {
        o.vectors = source + place * plan.source_place() + k;
        o.width = std::min(kVectors * kLanes, plan.k - k);
        o.scalars = gradient + place * plan.target_place() + f;
        o.scalar_count = std::min(kScalars, map.target_c - f);
        o.sum = sums + place * plan.sums_place(map) + f * plan.k + k;
        direct::outer(o);
      }
}

struct WeightsMemory {
  WeightsMemory(const Map &map, const Plan &plan)
      : zeros(std::max(plan.k, plan.n)),
        source(kPlaces * plan.source_place()),
        gradient(kPlaces * plan.target_place()),
        sums(kPlaces * plan.sums_place(map)) {}
  int64_t thread() const { return source + gradient + sums; }

  int64_t zeros, source, gradient, sums;
};

}  // namespace

size_t to_weights_workspace(const ts_conv_shape &s, int threads) {
  Map map = map_to_out(s);
  WeightsMemory memory(map, Plan(map, threads));
  return std::max(sizeof(float) * static_cast<size_t>(memory.zeros + threads * memory.thread()),
                  column_sums_workspace(std::max(s.in_c, s.out_c), threads));
}

void to_weights(const ts_conv_shape &s, int threads, const float *in, const float *out, float *dw, BiasSide bias_side,
                float *dbias, void *workspace) {
  if (dbias && bias_side == BiasSide::kOut)
    column_sums(out, s.batch * s.out_h * s.out_w, s.out_c, threads, dbias, workspace);
  else if (dbias)
    column_sums(in, s.batch * s.in_h * s.in_w, s.in_c, threads, dbias, workspace);

  const Map map = map_to_out(s);
  const Plan plan(map, threads);
  const WeightsMemory memory(map, plan);
  float *zeros = static_cast<float *>(workspace), *parts = zeros + memory.zeros;
  std::fill_n(zeros, memory.zeros, 0.0f);
  parallel(threads, [&](int t) {
    float *sums = parts + t * memory.thread(), *source = sums + memory.sums, *gradient = source + memory.source;
    std::fill_n(sums, memory.sums, 0.0f);
    for_blocks(map.tiles(), threads, t, plan.block, [&](int64_t first, int64_t count) {
      for (int64_t i = 0; i < count; i++) {
        Tile tile(map, first + i);
        const float *pixels[16], *gradients[4];
        tile.source(in, zeros, pixels);
        transform_pixels(pixels, s.in_c, source + i * plan.k, plan.source_place());
        tile.target<const float>(out, zeros, gradients);
        transform_gradient(gradients, s.out_c, gradient + i * plan.n, plan.target_place());
      }
      add_block(map, plan, source, gradient, count, sums);
    });
  });
  parallel(threads, [&](int t) {
    for (int64_t f = s.out_c * t / threads; f < s.out_c * (t + 1) / threads; f++)
      finish_weights(parts + f * plan.k, threads, memory.thread(), plan.sums_place(map), s.in_c, dw + f * 9 * s.in_c);
  });
}

}  // namespace tessera::cpu::winograd
