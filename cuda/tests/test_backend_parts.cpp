// Parts of the backend that the conformance tests cannot see into: the allocator's cache, which the emulated build
// turns off, and pinned staging at sizes around its halves.
#include "backend/allocator.h"
#include "backend/staging.h"
#include "kernel_test.h"

using namespace tessera::cuda;
using namespace tessera::test;

namespace {

void *take(Allocator &allocator, size_t bytes) {
  void *memory = nullptr;
  CHECK(allocator.allocate(bytes, &memory) == cudaSuccess && memory);
  return memory;
}

void allocator_keeps_blocks() {
  Allocator allocator({false, 1 << 20});
  void *first = take(allocator, 1000), *second = take(allocator, 1000);
  CHECK(first != second);
  allocator.release(first);
  CHECK(take(allocator, 1001) == first);  // sizes near each other share blocks
  allocator.release(second);
  void *third = take(allocator, 3000);
  CHECK(third != second);
  CHECK(take(allocator, 600) == second);
  allocator.release(third);
  allocator.release(second);
  allocator.release(first);
}

// A block that work in flight may still use is not handed out before that work is done.
void allocator_waits() {
  Allocator allocator({false, 1 << 20});
  Runner runner;
  void *memory = take(allocator, 512);
  cudaMemsetAsync(memory, 1, 512, runner.stream());
  allocator.release(memory);
  CHECK(take(allocator, 512) == memory);
  CHECK(*static_cast<unsigned char *>(memory) == 1);
  allocator.release(memory);
}

void allocator_gives_back() {
  constexpr size_t kAlmostAll = size_t{7} << 30;
  {
    Allocator allocator({false, size_t{1} << 20});
    void *large = take(allocator, size_t{4} << 20);  // more than is kept
    allocator.release(large);
    void *memory = nullptr;
    CHECK(allocator.allocate(kAlmostAll * 2, &memory) == cudaErrorMemoryAllocation && !memory);
  }
  Allocator exact({true, 0});
  void *memory = take(exact, 777);
  exact.release(memory);
  CHECK(cudaFree(memory) == cudaErrorInvalidValue);  // it is free already
}

// A full device gives kept blocks back before it refuses.
void allocator_trims() {
  Allocator allocator({false, size_t{1} << 40});
  constexpr size_t kMost = size_t{8} << 30, kSmall = size_t{64} << 20;
  void *memory = take(allocator, kSmall);
  allocator.release(memory);
  void *filler = nullptr;
  // Without touching the pages of 8 GB: ask for more than is left with the kept block, and refuse what is too much.
  CHECK(allocator.allocate(kMost + 1, &filler) == cudaErrorMemoryAllocation);
  CHECK(cudaFree(memory) == cudaErrorInvalidValue);  // given back in the attempt
}

void staging_sizes() {
  Rng rng(seed());
  Runner runner;
  ts_report report{};
  Staging staging;
  constexpr size_t kHalf = size_t{2} << 20;
  for (size_t bytes : {size_t{1}, size_t{63}, kHalf - 64, size_t{100}, kHalf - 1, kHalf, kHalf + 1, 2 * kHalf,
                       2 * kHalf + 1, 5 * kHalf - 7}) {
    std::vector<unsigned char> values(bytes), back(bytes, 0);
    for (auto &v : values) v = static_cast<unsigned char>(rng());
    DeviceArray<unsigned char> x(bytes);
    std::vector<unsigned char> source = values;
    CHECK(staging.to_device(runner.stream(), x.data(), source.data(), bytes, &report) == TS_OK);
    std::fill(source.begin(), source.end(), 0xEE);  // the caller's buffer is free again
    CHECK(staging.to_host(runner.stream(), back.data(), x.data(), bytes, &report) == TS_OK);
    CHECK_MSG(back == values, "%zu bytes came back changed", bytes);
  }
  // Many small uploads in a row, more than both halves hold.
  std::vector<int> values(200000);
  DeviceArray<int> x(values.size());
  for (size_t i = 0; i < values.size(); i++) {
    values[i] = static_cast<int>(rng());
    CHECK(staging.to_device(runner.stream(), x.data() + i, &values[i], sizeof(int), &report) == TS_OK);
  }
  CHECK(runner.finish().empty());
  CHECK(x.read() == values);
}

}  // namespace

int main() {
  return run_cases({{"the allocator keeps blocks", allocator_keeps_blocks},
                    {"the allocator waits for work in flight", allocator_waits},
                    {"the allocator gives memory back", allocator_gives_back},
                    {"a full device gives kept blocks back", allocator_trims},
                    {"staged copies of all sizes", staging_sizes}});
}
