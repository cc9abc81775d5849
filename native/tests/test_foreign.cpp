// Memory and queues that another library of the process made on the same device: used like our own, and refused where
// they are not the device's. What another library is here is a second user of the same handles.
#include "harness.h"

using namespace tessera::test;

namespace {

bool contains(const std::string &text, const char *part) { return text.find(part) != std::string::npos; }

void memory(Device &d) {
  Rng rng(seed());
  std::vector<float> values = gaussian(rng, 999);
  Tensor<float> x(d, {999}, values);
  ts_error error{};
  CHECK(ts_memory_check(nullptr, x.data(), 4, &error) == TS_INVALID_ARGUMENT && contains(error.message, "device"));
  CHECK(ts_memory_check(d.device, 0, 4, &error) == TS_INVALID_ARGUMENT && contains(error.message, "address"));
  CHECK(ts_memory_check(d.device, x.data(), 0, &error) == TS_INVALID_ARGUMENT && contains(error.message, "bytes"));
  CHECK(ts_memory_check(d.device, x.data(), UINT64_MAX, &error) == TS_INVALID_ARGUMENT);
  if (d.name == "cpu") {
    CHECK(ts_memory_check(d.device, x.data(), x.bytes(), &error) == TS_UNAVAILABLE && contains(error.message, "cpu"));
    CHECK(ts_memory_check(d.device, x.data(), x.bytes(), nullptr) == TS_UNAVAILABLE);
    return;
  }
  CHECK_MSG(ts_memory_check(d.device, x.data(), x.bytes(), &error) == TS_OK, "%s", error.message);
  CHECK(ts_memory_check(d.device, x.data() + x.bytes() - 1, 1, &error) == TS_OK);
  uint64_t here = reinterpret_cast<uint64_t>(values.data());
  CHECK(ts_memory_check(d.device, here, 4, &error) == TS_INVALID_ARGUMENT && contains(error.message, "not memory"));
  CHECK(ts_memory_check(d.device, 64, 4, &error) == TS_INVALID_ARGUMENT);
  // The end lies elsewhere: a GPU has no 64 TiB, and the emulator knows the last byte.
  CHECK(ts_memory_check(d.device, x.data(), uint64_t{1} << 46, &error) == TS_INVALID_ARGUMENT);
  if (d.name == "cuda-emulated")
    CHECK(ts_memory_check(d.device, x.data(), x.bytes() + 1, &error) == TS_INVALID_ARGUMENT);
}

// Calls of both streams take turns, and none of them is waited for: only one queue has this result.
void one_queue_for_two(Device &d) {
  uint64_t queue = 0;
  ts_error error{};
  ts_stream *other = nullptr;
  CHECK(ts_stream_queue(d.stream, nullptr) == TS_INVALID_ARGUMENT);
  CHECK(ts_stream_queue(nullptr, &queue) == TS_INVALID_ARGUMENT);
  if (d.name == "cpu") {
    CHECK(ts_stream_queue(d.stream, &queue) == TS_UNAVAILABLE && contains(d.message(), "cpu") && queue == 0);
    CHECK(ts_stream_wrap(d.device, 1, &other, &error) == TS_UNAVAILABLE && contains(error.message, "cpu"));
    CHECK(other == nullptr);
    return;
  }
  OK(d, ts_stream_queue(d.stream, &queue));
  CHECK_MSG(ts_stream_wrap(d.device, queue, &other, &error) == TS_OK, "%s", error.message);
  uint64_t same = 0;
  CHECK(ts_stream_queue(other, &same) == TS_OK && same == queue && queue != 0);
  Tensor<float> a(d, {1000}), b(d, {1000});
  OK(d, ts_fill(d.stream, a, 1));
  for (int i = 0; i < 20; i++) {
    CHECK(ts_axpby(other, 1, a, i == 0 ? 0 : 1, b) == TS_OK);  // b <- b + a, or a at first
    OK(d, ts_axpby(d.stream, 1, b, 1, a));                     // a <- a + b
  }
  // Fibonacci numbers, which fp32 holds to within a relative error of 2^-24 an addition.
  double expected_a = 1, expected_b = 0;
  for (int i = 0; i < 20; i++) {
    expected_b += expected_a;
    expected_a += expected_b;
  }
  for (float value : a.read()) CHECK(std::abs(value - expected_a) <= expected_a * 40 * 0x1p-24);
  CHECK(ts_device_close(d.device, &error) == TS_BUSY);
  CHECK(ts_stream_close(other, &error) == TS_OK);
  // The queue is still open.
  OK(d, ts_fill(d.stream, a, 3));
  CHECK(a.read() == std::vector<float>(1000, 3));
}

void queues_that_are_none(Device &d) {
  ts_error error{};
  ts_stream *other = reinterpret_cast<ts_stream *>(8);
  CHECK(ts_stream_wrap(nullptr, 1, &other, &error) == TS_INVALID_ARGUMENT && contains(error.message, "device"));
  CHECK(ts_stream_wrap(d.device, 1, nullptr, &error) == TS_INVALID_ARGUMENT && contains(error.message, "stream"));
  if (d.name == "cpu") return;
  CHECK(ts_stream_wrap(d.device, 0, &other, &error) == TS_INVALID_ARGUMENT && contains(error.message, "is 0"));
  CHECK(other == nullptr);
  CHECK(ts_stream_wrap(d.device, 2, &other, &error) == TS_INVALID_ARGUMENT && contains(error.message, "PerThread"));
  ts_memory_info before{}, after{};
  before.struct_size = after.struct_size = sizeof before;
  ts_device_memory(d.device, &before, nullptr);
  if (d.name == "cuda-emulated") {  // CUDA reads what such a handle points to
    ts_stream *closed = nullptr;
    uint64_t queue = 0;
    CHECK(ts_stream_open(d.device, nullptr, &closed, &error) == TS_OK && ts_stream_queue(closed, &queue) == TS_OK);
    CHECK(ts_stream_close(closed, &error) == TS_OK);
    CHECK(ts_stream_wrap(d.device, queue, &other, &error) == TS_INVALID_ARGUMENT &&
          contains(error.message, "no open stream"));
    CHECK(ts_stream_wrap(d.device, 12345, &other, nullptr) == TS_INVALID_ARGUMENT && other == nullptr);
  } else {  // CUDA's default stream; the emulator has none
    CHECK_MSG(ts_stream_wrap(d.device, 1, &other, &error) == TS_OK, "%s", error.message);
    Tensor<float> a(d, {100});
    CHECK(ts_fill(other, a, 2) == TS_OK && ts_stream_synchronize(other) == TS_OK);
    CHECK(a.read() == std::vector<float>(100, 2));
    CHECK(ts_stream_close(other, &error) == TS_OK);
  }
  ts_device_memory(d.device, &after, nullptr);
  CHECK(after.bytes_in_use == before.bytes_in_use);
}

}  // namespace

int main() {
  run("memory of others", memory);
  run("one queue for two streams", one_queue_for_two);
  run("queues that are none", queues_that_are_none);
  return finish();
}
