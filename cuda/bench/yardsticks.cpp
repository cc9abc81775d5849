// What a GPU does at best: a large copy, and large products by cuBLAS where it is installed.
#include "bench.h"
#include "cublas.h"
#include "gpu_stream.h"

namespace tessera::bench {
namespace {

void measure_copy(Bench &bench) {
  Device &device = bench.device;
  const auto bytes = static_cast<uint64_t>(bench.sizes.copied);
  const Memory from(device, bytes), to(device, bytes);
  ts_tensor source{};
  source.data = from.address();
  source.dtype = TS_F32;
  source.rank = 1;
  source.dims[0] = static_cast<int64_t>(bytes / 4);
  randomize(device, &source, 1, -1.0f, 1.0f);
  auto copy = [&] { OK(device, ts_copy(device.stream, to.address(), from.address(), bytes)); };
  copy();
  // The first and the last number.
  for (const uint64_t at : {uint64_t{0}, bytes - 4}) {
    float a = 0, b = 1;
    OK(device, ts_copy_to_host(device.stream, &a, from.address() + at, 4));
    OK(device, ts_copy_to_host(device.stream, &b, to.address() + at, 4));
    CHECK_MSG(a == b, "copy: byte %llu on", static_cast<unsigned long long>(at));
  }
  const double seconds = bench.seconds(copy);
  bench.set_bandwidth(2.0 * static_cast<double>(bytes) / seconds);
  bench.line("copy", text("%.0f KiB", static_cast<double>(bytes) / 1024), seconds,
             {2.0 * static_cast<double>(bytes), 0, Unit::kNone}, "yardstick");
}

// fp16 numbers in +-[1/4, 1).
std::vector<uint16_t> random_halves(size_t n) {
  std::vector<uint16_t> halves(n);
  uint32_t state = 0x9E3779B9u;
  for (uint16_t &half : halves) {
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    half = static_cast<uint16_t>((state & 0x8000u) | (0x3400u + (state & 0x7FFu)));
  }
  return halves;
}

void measure_products(Bench &bench) {
  GpuStream stream;
  Cublas cublas(stream.get(), bench.sizes.tiny);
  if (!cublas.ok()) {
    printf("%-24s %s: arithmetic has no yardstick\n", "cuBLAS", cublas.reason().c_str());
    return;
  }
  Device &device = bench.device;
  const int64_t n = bench.sizes.product;
  const auto square = static_cast<uint64_t>(n * n);
  const Memory a(device, 4 * square), b(device, 4 * square), c(device, 4 * square);
  for (const Unit unit : {Unit::kFp32, Unit::kTf32, Unit::kFp16}) {
    // Random numbers: with constant ones a GPU needs less power and clocks higher.
    for (const Memory *m : {&a, &b}) {
      if (unit == Unit::kFp16) {
        const std::vector<uint16_t> halves = random_halves(static_cast<size_t>(square));
        OK(device, ts_copy_to_device(device.stream, m->address(), halves.data(), 2 * square));
      } else {
        ts_tensor t{};
        t.data = m->address();
        t.dtype = TS_F32;
        t.rank = 1;
        t.dims[0] = n * n;
        randomize(device, &t, m == &a ? 2 : 3, -0.5f, 0.5f);
      }
    }
    OK(device, ts_stream_synchronize(device.stream));
    const double seconds = stream.seconds(bench.sizes.tiny ? 1 : 5, [&] {
      CHECK(unit == Unit::kFp16
                ? cublas.product_fp16(n, n, n, a.as<void>(), b.as<void>(), c.as<float>())
                : cublas.product_fp32(n, n, n, a.as<float>(), b.as<float>(), c.as<float>(), unit == Unit::kTf32));
    });
    const auto side = static_cast<double>(n);
    bench.set_rate(unit, 2 * side * side * side / seconds);
    bench.line(text("cuBLAS %s", name_of(unit)), text("%lld^3", static_cast<long long>(n)), seconds,
               {(unit == Unit::kFp16 ? 8.0 : 12.0) * side * side, 2 * side * side * side, unit}, "yardstick");
  }
}

}  // namespace

void measure_yardsticks(Bench &bench) {
  measure_copy(bench);
  measure_products(bench);
}

}  // namespace tessera::bench
