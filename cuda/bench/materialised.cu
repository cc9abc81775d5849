#include <chrono>

#include "backend/launch.h"
#include "cublas.h"
#include "gpu_stream.h"
#include "materialised.cuh"
#include "materialised.h"

namespace tessera::bench {
namespace {

constexpr int64_t kMostBytes = int64_t{2} << 30;  // of the scores at once

std::vector<float> half_norms(const std::vector<float> &codes, int64_t k, int64_t d) {
  std::vector<float> norms(static_cast<size_t>(k));
  for (int64_t i = 0; i < k; i++) {
    double square = 0;
    for (int64_t j = 0; j < d; j++) {
      const double c = static_cast<double>(codes[static_cast<size_t>(i * d + j)]);
      square += c * c;
    }
    norms[static_cast<size_t>(i)] = static_cast<float>(square / 2);
  }
  return norms;
}

ts_tensor matrix(const void *data, int64_t rows, int64_t columns) {
  ts_tensor t{};
  t.data = reinterpret_cast<uint64_t>(data);
  t.dtype = TS_F32;
  t.rank = 2;
  t.dims[0] = rows;
  t.dims[1] = columns;
  return t;
}

}  // namespace

double materialised_search(Bench &bench, const Tensor<float> &x, const Tensor<float> &book,
                           const std::vector<float> &codes, int64_t n, int64_t k, int64_t d, Tensor<int32_t> &nearest,
                           std::string *how) {
  Device &device = bench.device;
  const int64_t chunk = std::min<int64_t>(n, std::max<int64_t>(1, kMostBytes / (4 * k)));
  const Memory scores(device, static_cast<uint64_t>(4 * chunk * k));
  const Tensor<float> norms(device, {k}, half_norms(codes, k, d));
  const auto *rows = reinterpret_cast<const float *>(x.data()), *c = reinterpret_cast<const float *>(book.data());
  auto *out = reinterpret_cast<int32_t *>(nearest.data());
  OK(device, ts_stream_synchronize(device.stream));

  GpuStream stream;
  Cublas cublas(stream.get(), bench.sizes.tiny);
  const ts_matmul_params params{sizeof(ts_matmul_params), 0, 1, 0, TS_ACTIVATION_NONE, 0};
  auto product = [&](int64_t first, int64_t count) {
    if (cublas.ok()) {
      CHECK(cublas.product_fp32(count, k, d, rows + first * d, c, scores.as<float>(), false));
      return;
    }
    stream.wait();
    const ts_tensor a = matrix(rows + first * d, count, d), b = matrix(c, k, d),
                    y = matrix(scores.as<float>(), count, k);
    OK(device, ts_matmul(device.stream, &params, &a, &b, nullptr, &y));
    OK(device, ts_stream_synchronize(device.stream));
  };
  auto search = [&] {
    for (int64_t first = 0; first < n; first += chunk) {
      const int64_t count = std::min(chunk, n - first);
      product(first, count);
      GPU_OK(TS_LAUNCH("materialised", nearest_in_row,
                       static_cast<unsigned>((count + kMaterialisedRows - 1) / kMaterialisedRows), kMaterialisedThreads,
                       0, stream.get(), scores.as<float>(), reinterpret_cast<const float *>(norms.data()), count, k,
                       out + first));
    }
  };
  if (cublas.ok()) {
    *how = "cuBLAS fp32";
    return stream.seconds(bench.sizes.tiny ? 1 : 3, search);
  }
  // Two streams that wait for each other: the clock has to do.
  *how = "ts_matmul; " + cublas.reason();
  search();
  stream.wait();
  const auto start = std::chrono::steady_clock::now();
  search();
  stream.wait();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace tessera::bench
