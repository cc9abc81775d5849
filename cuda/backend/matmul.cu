#include "backend/column_sums.h"
#include "backend/ops.h"
#include "backend/product.h"
#include "kernels/matmul.cuh"

namespace tessera::cuda {
namespace {

// The sum of all parts of an element, finished.
struct FinishParts {
  ProductFinish finish;
  const float *c;
  int64_t n;
  TS_DEVICE float operator()(float sum, int64_t i) const { return finish(sum, c + i, i % n); }
};

// op(matrix) [size_i, size_k], in memory so or transposed.
MatrixSource source(const float *data, int64_t size_i, int64_t size_k, bool along_k, Copy *copy) {
  const MatrixSource m = {data, along_k ? size_k : 1, along_k ? 1 : size_i, static_cast<int>(size_i),
                          static_cast<int>(size_k)};
  *copy = along_k ? Copy::kAlongK : aligned_16(data) && size_i % 4 == 0 ? Copy::kQuadsAlongI : Copy::kAlongI;
  return m;
}

template <class Shape>
ts_status launch(Stream *s, Matmul p, int64_t k, bool sequential) {
  p.tiles_n = static_cast<int>(ceil_div<int64_t>(p.n, Shape::kN));
  p.tiles = static_cast<int>(ceil_div<int64_t>(p.m, Shape::kM)) * p.tiles_n;
  if (sequential) {
    p.part = static_cast<int>(k > 0 ? k : 1);
    return launch_sums<Fp32Sums<Shape>>(s, "matmul", p, p.tiles);
  }
  p.part = static_cast<int>(split(k, p.tiles));
  const int64_t parts = k > p.part ? ceil_div<int64_t>(k, p.part) : 1;
  if (parts == 1) return launch_product<Shape>(s, "matmul", "matmul_tf32", p, p.tiles);

  const int64_t size = p.m * p.n;
  const FinishParts finish = {p.finish, p.c, p.n};
  TS_TRY(s->reserve(static_cast<size_t>(parts * size) * sizeof(float)));
  float *c = p.c;
  p.c = s->scratch.as<float>();
  p.quads = p.n % 4 == 0;
  p.finish = {nullptr, false, false};
  TS_TRY(launch_product<Shape>(s, "matmul", "matmul_tf32", p, p.tiles * parts));
  return sum_columns(s, "matmul", MatrixElements{p.c, size}, finish, parts, size, nullptr, {c});
}

}  // namespace

ts_status matmul(void *stream, const ts_matmul_shape *shape, const float *a, const float *b, const float *bias,
                 float *c) {
  Stream *s = Stream::of(stream);
  Matmul p{};
  p.a = source(a, shape->m, shape->k, !shape->transpose_a, &p.copy_a);
  p.b = source(b, shape->n, shape->k, shape->transpose_b, &p.copy_b);
  p.m = shape->m;
  p.n = shape->n;
  p.c = c;
  p.quads = p.n % 4 == 0 && aligned_16(c);
  p.finish = {bias, shape->activation == TS_ACTIVATION_RELU, shape->accumulate != 0};
  const bool sequential = shape->sequential != 0;
  if (p.n <= Tall32::kN) return launch<Tall32>(s, p, shape->k, sequential);
  if (p.m <= Wide32::kM) return launch<Wide32>(s, p, shape->k, sequential);
  return launch<Square128>(s, p, shape->k, sequential);
}

}  // namespace tessera::cuda
