#include "cpu/nn/direct.h"

#include <algorithm>
#include <cstring>

#include "cpu/nn/direct_avx512.h"
#include "cpu/nn/frame.h"
#include "cpu/nn/parallel.h"
#include "cpu/nn/prefetch.h"
#include "cpu/nn/workspace.h"

namespace tessera::cpu::direct {

bool has_avx512() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("fma");
}

namespace {

constexpr int64_t kLanes = 16;
constexpr int64_t round_up_16(int64_t n) { return (n + kLanes - 1) / kLanes * kLanes; }

// Taps under one row of the kernel, and under all of it.
int64_t row_taps(const ts_conv_shape &s) { return s.kernel_w * s.in_c; }
int64_t taps(const ts_conv_shape &s) { return s.kernel_h * row_taps(s); }

bool plain(const ts_conv_shape &s, int threads) {
  static const bool available = has_avx512();
  return available && s.groups == 1 && s.dilation_h == 1 && s.dilation_w == 1 && s.batch >= threads;
}

// Hands out the workspace in pieces of whole cache lines.
class Pieces {
 public:
  explicit Pieces(void *workspace) : next_(static_cast<float *>(workspace)) {}
  float *take(int64_t floats) {
    float *piece = next_;
    next_ += round_up_16(floats);
    return piece;
  }

 private:
  float *next_;
};

// body(thread, image) for every image, a contiguous range of them for each thread.
template <class Body>
void for_images(int64_t batch, int threads, const Body &body) {
  parallel(threads, [&](int t) {
    for (int64_t image = batch * t / threads; image < batch * (t + 1) / threads; image++) body(t, image);
  });
}

// w [O, taps] as rows of taps: [taps, width].
void transpose(const float *w, int64_t o, int64_t n, int64_t width, float *by_tap) {
  std::fill_n(by_tap, n * width, 0.0f);
  for (int64_t f = 0; f < o; f++)
    for (int64_t t = 0; t < n; t++) by_tap[t * width + f] = w[f * n + t];
}

}  // namespace

bool suits_to_out(const ts_conv_shape &s, int threads) {
  return plain(s, threads) && s.in_c <= 4 && taps(s) <= 128 && s.out_c <= 512;
}

size_t to_out_workspace(const ts_conv_shape &s, int threads) {
  int64_t width = round_up_16(s.out_c);
  return sizeof(float) * static_cast<size_t>(taps(s) * width + width + threads * round_up_16(Frame(s).floats));
}

// The frame's rows times the weights, a row of pixels at a time.
void to_out(const ts_conv_shape &s, int threads, const float *in, const float *w, Epilogue epilogue, float *out,
            void *workspace) {
  const Frame frame(s);
  const int64_t width = round_up_16(s.out_c);
  Pieces pieces(workspace);
  float *by_tap = pieces.take(taps(s) * width), *bias = nullptr;
  transpose(w, s.out_c, taps(s), width, by_tap);
  if (epilogue.bias) {
    bias = pieces.take(width);
    std::fill_n(std::copy_n(epilogue.bias, s.out_c, bias), width - s.out_c, 0.0f);
  }
  const int64_t frame_floats = round_up_16(frame.floats);
  float *frames = pieces.take(threads * frame_floats);
  for (int t = 0; t < threads; t++) frame.clear(frames + t * frame_floats);

  for_images(s.batch, threads, [&](int t, int64_t image) {
    float *mine = frames + t * frame_floats;
    frame.load(in + image * s.in_h * frame.image_row, mine);
    Products row{.a = mine,
                 .step = frame.step,
                 .segments = s.kernel_h,
                 .segment = frame.row,
                 .depth = row_taps(s),
                 .w = by_tap,
                 .width = width,
                 .bias = bias,
                 .relu = epilogue.relu,
                 .out = out + image * s.out_h * s.out_w * s.out_c,
                 .out_step = s.out_c,
                 .columns = s.out_c};
    for (int64_t y = 0; y < s.out_h; y++, row.a += frame.out_row, row.out += s.out_w * s.out_c) products(row, s.out_w);
  });
}

namespace {

// The image of a frame, bias and activation; bias_row is the bias for a row of the image, or null.
void finish_image(const ts_conv_shape &s, const Frame &frame, const float *framed, const float *bias_row, bool relu,
                  float *image) {
  for (int64_t y = 0; y < s.in_h; y++, image += frame.image_row) {
    int64_t inside = y < frame.rows ? frame.width : 0;
    finish_row(framed + (y + frame.top) * frame.row + frame.left, bias_row, relu, inside, image);
    if (inside == frame.image_row) continue;
    std::fill(image + inside, image + frame.image_row, 0.0f);  // under no tap
    finish_row(image + inside, bias_row ? bias_row + inside : nullptr, relu, frame.image_row - inside, image + inside);
  }
}

}  // namespace

namespace {

// Rows whose pixels are multiplied together: few pixels fill blocks of registers badly, many leave the caches.
int64_t rows_at_once(const ts_conv_shape &s) { return std::clamp<int64_t>(48 / s.out_w, 1, s.out_h); }

}  // namespace

bool suits_to_in(const ts_conv_shape &s, int threads) {
  // With a stride oneDNN goes through the image once for each of its phases.
  bool strided = s.stride_h * s.stride_w > 1 && 2 * taps(s) >= round_up_16(taps(s));
  return plain(s, threads) && (s.in_c <= 4 || strided) && taps(s) <= 640 && s.out_c <= 512;
}

size_t to_in_workspace(const ts_conv_shape &s, int threads) {
  const Frame frame(s);
  int64_t width = round_up_16(taps(s));
  return sizeof(float) * static_cast<size_t>(s.out_c * width +
                                             threads * (round_up_16(frame.floats) + rows_at_once(s) * s.out_w * width) +
                                             round_up_16(frame.image_row));
}

void to_in(const ts_conv_shape &s, int threads, const float *out, const float *w, Epilogue epilogue, float *in,
           void *workspace) {
  const Frame frame(s);
  const int64_t width = round_up_16(taps(s)), frame_floats = round_up_16(frame.floats), at_once = rows_at_once(s);
  const int64_t row_floats = s.out_w * width, products_floats = at_once * row_floats;
  Pieces pieces(workspace);
  float *weights = pieces.take(s.out_c * width);
  std::fill_n(weights, s.out_c * width, 0.0f);
  for (int64_t f = 0; f < s.out_c; f++) std::copy_n(w + f * taps(s), taps(s), weights + f * width);
  float *frames = pieces.take(threads * frame_floats), *all_products = pieces.take(threads * products_floats),
        *bias_row = nullptr;
  if (epilogue.bias) {
    bias_row = pieces.take(frame.image_row);
    for (int64_t x = 0; x < s.in_w; x++) std::copy_n(epilogue.bias, s.in_c, bias_row + x * s.in_c);
  }

  for_images(s.batch, threads, [&](int t, int64_t image) {
    float *mine = frames + t * frame_floats, *mine_products = all_products + t * products_floats;
    frame.clear(mine);
    Products rows{.a = out + image * s.out_h * s.out_w * s.out_c,
                  .step = s.out_c,
                  .segments = 1,
                  .segment = 0,
                  .depth = s.out_c,
                  .w = weights,
                  .width = width,
                  .bias = nullptr,
                  .relu = false,
                  .out = mine_products,
                  .out_step = width,
                  .columns = width};
    for (int64_t y = 0; y < s.out_h; y += at_once, rows.a += at_once * s.out_w * s.out_c) {
      int64_t count = std::min(at_once, s.out_h - y);
      products(rows, count * s.out_w);
      for (int64_t i = 0; i < count; i++)
        add_taps({.products = mine_products + i * row_floats,
                  .width = width,
                  .pixels = s.out_w,
                  .rows = s.kernel_h,
                  .n = row_taps(s),
                  .target = mine + (y + i) * frame.out_row,
                  .target_step = frame.step,
                  .target_row = frame.row});
    }
    finish_image(s, frame, mine, bias_row, epilogue.relu, in + image * s.in_h * frame.image_row);
  });
}

namespace {

// How the weights' gradient is cut: sums [taps, width of O] with the out side in vectors, or [O, taps] with the taps
// under a row of the kernel in vectors.
struct WeightsPlan {
  explicit WeightsPlan(const ts_conv_shape &s) : frame(s) {
    int64_t vectors_o = round_up_16(s.out_c) / kLanes, vectors_taps = round_up_16(row_taps(s)) / kLanes;
    cost_by_o = taps(s) * vectors_o;
    cost_by_taps = s.out_c * s.kernel_h * vectors_taps;
    dense = is_pixelwise(s);
    by_o = dense || cost_by_o <= cost_by_taps;
    width = by_o ? round_up_16(s.out_c) : taps(s);
    sums = (by_o ? taps(s) : s.out_c) * width;
    bias = round_up_16(std::max(s.out_c, s.in_c));
    frame_floats = dense ? 0 : round_up_16(frame.floats);
    images = std::clamp<int64_t>(kPixels / (s.out_h * s.out_w), 1, 8);
  }
  int64_t cost() const { return by_o ? cost_by_o : cost_by_taps; }
  int64_t thread_floats() const { return images * frame_floats + round_up_16(sums) + bias; }

  // Of small images several go by at once: a block of sums is read and written once for all of their pixels.
  static constexpr int64_t kPixels = 400;

  Frame frame;
  int64_t cost_by_o, cost_by_taps;  // fma of 16 for each output pixel
  bool by_o;
  int64_t width, sums, bias;
  bool dense;  // one tap and no border: images are read where they lie
  int64_t frame_floats, images;
};

// A block of sums that stays in registers: up to 4 vectors of 6 scalars, or 6 of 4.
template <class Body>
void for_blocks(int64_t vectors, int64_t scalars, int64_t most_vectors, int64_t most_scalars, const Body &body) {
  for (int64_t v = 0; v < vectors; v += most_vectors * kLanes)
    for (int64_t b = 0; b < scalars; b += most_scalars)
      body(v, std::min(most_vectors * kLanes, vectors - v), b, std::min(most_scalars, scalars - b));
}

// Adds `images` images, in a frame each or, dense, as they are.
void add_images(const ts_conv_shape &s, const WeightsPlan &plan, int64_t images, const float *framed, const float *out,
                float *sums) {
  const Frame &frame = plan.frame;
  Outer o{};
  o.images = images, o.columns = s.out_w, o.sum_step = plan.width;
  const int64_t out_row = s.out_w * s.out_c, out_image = s.out_h * out_row, n = row_taps(s);
  if (plan.dense) {
    o.rows = 1, o.columns = images * s.out_h * s.out_w, o.images = 1;
    o.vector_step = s.out_c, o.scalar_step = s.in_c;
    for_blocks(s.out_c, n, 4, 6, [&](int64_t v, int64_t width, int64_t b, int64_t count) {
      o.vectors = out + v, o.width = width, o.scalars = framed + b, o.scalar_count = count;
      o.sum = sums + b * plan.width + v;
      outer(o);
    });
    return;
  }
  for (int64_t i = 0; i < s.kernel_h; i++) {
    // Rows of out whose pixels have this row of the kernel inside the image; elsewhere it lies on zeros.
    const int64_t above = std::max<int64_t>(0, frame.top - i), begin = (above + s.stride_h - 1) / s.stride_h;
    const int64_t end = std::min(s.out_h, (frame.top + frame.rows - i + s.stride_h - 1) / s.stride_h);
    if (begin >= end) continue;
    o.rows = end - begin;
    const float *taps_row = framed + begin * frame.out_row + i * frame.row;
    const float *out_rows = out + begin * out_row;
    if (plan.by_o) {
      o.vector_row = out_row, o.vector_step = s.out_c, o.scalar_row = frame.out_row, o.scalar_step = frame.step;
      o.vector_image = out_image, o.scalar_image = plan.frame_floats;
      for_blocks(s.out_c, n, 4, 6, [&](int64_t v, int64_t width, int64_t b, int64_t count) {
        o.vectors = out_rows + v, o.width = width, o.scalars = taps_row + b, o.scalar_count = count;
        o.sum = sums + (i * n + b) * plan.width + v;
        outer(o);
      });
    } else {
      o.vector_row = frame.out_row, o.vector_step = frame.step, o.scalar_row = out_row, o.scalar_step = s.out_c;
      o.vector_image = plan.frame_floats, o.scalar_image = out_image;
      for_blocks(n, s.out_c, 6, 4, [&](int64_t v, int64_t width, int64_t b, int64_t count) {
        o.vectors = taps_row + v, o.width = width, o.scalars = out_rows + b, o.scalar_count = count;
        o.sum = sums + b * plan.width + i * n + v;
        outer(o);
      });
    }
  }
}

// sum[c] += the sum of x [pixels, channels] over the pixels.
void add_pixels(const float *x, int64_t pixels, int64_t channels, float *sum) {
  static constexpr float kOne = 1;
  Outer o{};
  o.rows = 1, o.columns = pixels, o.vector_step = channels, o.scalars = &kOne, o.scalar_count = 1;
  for (int64_t c = 0; c < channels; c += kMaxVectors * kLanes) {
    o.vectors = x + c, o.width = std::min(kMaxVectors * kLanes, channels - c), o.sum = sum + c;
    outer(o);
  }
}

}  // namespace

bool suits_to_weights(const ts_conv_shape &s, int threads) {
  if (!plain(s, threads)) return false;
  WeightsPlan plan(s);
  // At least half of the lanes must count, and the sums stay in a second-level cache.
  return 2 * taps(s) * s.out_c >= plan.cost() * kLanes && plan.sums <= (1 << 18);
}

size_t to_weights_workspace(const ts_conv_shape &s, int threads) {
  return sizeof(float) * static_cast<size_t>(threads * WeightsPlan(s).thread_floats());
}

void to_weights(const ts_conv_shape &s, int threads, const float *in, const float *out, float *dw, BiasSide bias_side,
                float *dbias, void *workspace) {
  const WeightsPlan plan(s);
  const int64_t in_image = s.in_h * s.in_w * s.in_c, out_pixels = s.out_h * s.out_w;
  auto *base = static_cast<float *>(workspace);
  auto frame_of = [&](int t) { return base + t * plan.thread_floats(); };
  auto sums_of = [&](int t) { return frame_of(t) + plan.images * plan.frame_floats; };
  auto bias_of = [&](int t) { return sums_of(t) + round_up_16(plan.sums); };
  std::fill_n(base, threads * plan.thread_floats(), 0.0f);

  parallel(threads, [&](int t) {
    const int64_t end = s.batch * (t + 1) / threads;
    for (int64_t image = s.batch * t / threads; image < end; image += plan.images) {
      const int64_t images = std::min(plan.images, end - image), next = std::min(plan.images, end - image - images);
      const float *in_here = in + image * in_image, *out_here = out + image * out_pixels * s.out_c;
      prefetch_to_read(in_here + images * in_image, next * in_image);
      prefetch_to_read(out_here + images * out_pixels * s.out_c, next * out_pixels * s.out_c);
      for (int64_t i = 0; i < images && !plan.dense; i++)
        plan.frame.load(in_here + i * in_image, frame_of(t) + i * plan.frame_floats);
      add_images(s, plan, images, plan.dense ? in_here : frame_of(t), out_here, sums_of(t));
      if (!dbias) continue;
      if (bias_side == BiasSide::kOut)
        add_pixels(out_here, images * out_pixels, s.out_c, bias_of(t));
      else
        add_pixels(in_here, images * s.in_h * s.in_w, s.in_c, bias_of(t));
    }
  });

  float *sums = sums_of(0), *bias = bias_of(0);
  for (int t = 1; t < threads; t++) {
    for (int64_t i = 0; i < plan.sums; i++) sums[i] += sums_of(t)[i];
    for (int64_t c = 0; c < plan.bias; c++) bias[c] += bias_of(t)[c];
  }
  if (plan.by_o) {
    for (int64_t f = 0; f < s.out_c; f++)
      for (int64_t i = 0; i < taps(s); i++) dw[f * taps(s) + i] = sums[i * plan.width + f];
  } else {
    std::copy_n(sums, plan.sums, dw);
  }
  if (dbias) std::copy_n(bias, bias_side == BiasSide::kOut ? s.out_c : s.in_c, dbias);
}

}  // namespace tessera::cpu::direct
