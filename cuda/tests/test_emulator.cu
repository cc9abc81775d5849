// The emulator sees the faults that a GPU shows only sometimes: each is planted here and must be caught, and the same
// kernel without the fault must pass, in every order of lanes.
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>

#include "kernel_test.h"
#include "kernels/intrinsics.cuh"

using namespace tessera::cuda;
using namespace tessera::test;

namespace {

constexpr int kThreads = 96;
constexpr int kSeeds = 20;

// Runs body with several seeds of the order in which lanes and blocks run.
template <class Body>
void with_seeds(Body &&body) {
  for (int seed = 0; seed < kSeeds; seed++) {
    setenv("TESSERA_EMULATION_SEED", std::to_string(seed).c_str(), 1);
    body();
  }
  unsetenv("TESSERA_EMULATION_SEED");
}

// ---- barriers ----

template <bool kBarrier>
TS_KERNEL(kThreads, 1)
rotate(const int *x, int *y) {
  SharedMemory shared;
  TS_SHARED(int, tile, kThreads);
  const int base = static_cast<int>(blockIdx.x) * kThreads, i = static_cast<int>(threadIdx.x);
  tile[i] = x[base + i];
  if (kBarrier) TS_SYNC(1);
  y[base + i] = tile[(i + 1) % kThreads];
}

std::vector<int> iota(int n) {
  std::vector<int> values(static_cast<size_t>(n));
  for (int i = 0; i < n; i++) values[static_cast<size_t>(i)] = i;
  return values;
}

template <bool kBarrier>
bool rotates() {
  Runner runner;
  const int blocks = 5;
  DeviceArray<int> x(iota(blocks * kThreads)), y(blocks * kThreads);
  CHECK(TS_LAUNCH("rotate", rotate<kBarrier>, blocks, kThreads, shared_bytes<int>(kThreads), runner.stream(), x.data(),
                  y.data()) == cudaSuccess);
  std::string message = runner.finish();
  CHECK_MSG(message.empty(), "%s", message.c_str());
  std::vector<int> got = y.read();
  for (int i = 0; i < blocks * kThreads; i++)
    if (got[static_cast<size_t>(i)] != i / kThreads * kThreads + (i + 1) % kThreads) return false;
  return true;
}

void missing_barrier() {
  with_seeds([] {
    CHECK(rotates<true>());
    CHECK(!rotates<false>());
  });
}

// Shared memory that is used again: without the second barrier a warp may overwrite its sum before the others have read
// it, which takes one that runs far ahead, over all the shuffles.
template <bool kBarrier>
TS_KERNEL(256, 1)
sums_of_warps(int *y) {
  SharedMemory shared;
  TS_SHARED(int, sums, 8);
  for (int round = 0; round < 4; round++) {
    int sum = round;
    for (int mask = 16; mask > 0; mask /= 2) sum += shuffle_xor(sum, mask);
    if (threadIdx.x % 32 == 0) sums[threadIdx.x / 32] = sum;
    TS_SYNC(13);
    int total = 0;
    for (int w = 0; w < 8; w++) total += sums[w];
    y[round * 256 + static_cast<int>(threadIdx.x)] = total;
    if (kBarrier) TS_SYNC(14);
  }
}

template <bool kBarrier>
bool adds_up() {
  Runner runner;
  DeviceArray<int> y(4 * 256);
  CHECK(TS_LAUNCH("sums", sums_of_warps<kBarrier>, 1, 256, shared_bytes<int>(8), runner.stream(), y.data()) ==
        cudaSuccess);
  CHECK(runner.finish().empty());
  std::vector<int> got = y.read();
  for (int i = 0; i < 4 * 256; i++)
    if (got[static_cast<size_t>(i)] != i / 256 * 256) return false;
  return true;
}

void missing_barrier_before_reuse() {
  int right = 0;
  with_seeds([&right] {
    CHECK(adds_up<true>());
    right += adds_up<false>();
  });
  CHECK_MSG(right < kSeeds / 2, "%d of %d orders did not show it", right, kSeeds);
}

TS_KERNEL(kThreads, 1) two_barriers(int) {
  if (threadIdx.x < 40)
    TS_SYNC(2);
  else
    TS_SYNC(3);
}

TS_KERNEL(kThreads, 1) early_return(int lanes) {
  if (static_cast<int>(threadIdx.x) >= lanes) return;
  TS_SYNC(4);
}

// The same source line, but not by all lanes as often.
TS_KERNEL(kThreads, 1) uneven_loop(int) {
  for (unsigned i = 0; i < 1 + threadIdx.x / 64; i++) TS_SYNC(5);
}

std::string message_of(void (*kernel)(int), int argument, size_t bytes = 0) {
  Runner runner;
  CHECK(TS_LAUNCH("planted", kernel, dim3(2), kThreads, bytes, runner.stream(), argument) == cudaSuccess);
  return runner.finish();
}

#define CHECK_CONTAINS(text, part) CHECK_MSG(contains(text, part), "\"%s\" does not say \"%s\"", (text).c_str(), part)

void divergent_barriers() {
  with_seeds([] {
    std::string message = message_of(two_barriers, 0);
    CHECK_CONTAINS(message, "divergent barrier");
    CHECK_CONTAINS(message, "block (");
    CHECK_CONTAINS(message, "test_emulator.cu:");
    CHECK_CONTAINS(message, "TS_SYNC");
    message = message_of(early_return, 50);
    CHECK_CONTAINS(message, "divergent barrier: 50 of 96 lanes");
    CHECK_CONTAINS(message, "46 have returned");
    message = message_of(uneven_loop, 0);
    CHECK_CONTAINS(message, "divergent barrier: 32 of 96 lanes");
    CHECK(message_of(early_return, kThreads).empty());
  });
}

// ---- shared memory ----

TS_KERNEL(kThreads, 1) sum_of_shared(float *y, int initialise) {
  SharedMemory shared;
  TS_SHARED(float, tile, kThreads);
  if (initialise) tile[threadIdx.x] = 1.0f;
  TS_SYNC(6);
  float sum = 0.0f;
  for (int i = 0; i < kThreads; i++) sum += tile[i];
  y[threadIdx.x] = sum;
}

void uninitialised_shared_memory() {
  Runner runner;
  DeviceArray<float> y(kThreads);
  for (int initialise : {1, 0, 1, 0}) {  // the second run finds no leftovers of the first
    CHECK(TS_LAUNCH("shared", sum_of_shared, 1, kThreads, shared_bytes<float>(kThreads), runner.stream(), y.data(),
                    initialise) == cudaSuccess);
    CHECK(runner.finish().empty());
    CHECK(initialise ? y.read()[0] == kThreads : std::isnan(y.read()[0]));
  }
}

TS_KERNEL(kThreads, 1) two_arrays(int beyond) {
  SharedMemory shared;
  TS_SHARED(float, first, kThreads);
  TS_SHARED(float, second, kThreads);
  first[threadIdx.x] = 0.0f;
  second[threadIdx.x] = 0.0f;
  TS_SYNC(7);
  // One element beyond the first array: on a GPU, the first of the second.
  if (threadIdx.x == 3) first[kThreads - 1 + beyond] = 1.0f;
}

void shared_memory_of_the_launch() {
  const size_t bytes = 2 * shared_bytes<float>(kThreads);
  CHECK(message_of(two_arrays, 0, bytes).empty());
  std::string message = message_of(two_arrays, 0, bytes - 1);
  CHECK_CONTAINS(message, "shared array second");
  CHECK_CONTAINS(message, "kernel kernel");
  Runner runner;
  CHECK(TS_LAUNCH("planted", two_arrays, 1, 1025, bytes, runner.stream(), 0) == cudaErrorInvalidConfiguration);
  CHECK(TS_LAUNCH("planted", two_arrays, 1, kThreads, 300 * 1024, runner.stream(), 0) == cudaErrorInvalidValue);
}

TS_KERNEL(kThreads, 1) beyond_global(int *x, int beyond) {
  if (threadIdx.x == 1) x[kThreads - 1 + beyond] = 1;
}

// ---- warps ----

TS_KERNEL(64, 1) warp_operations(int *y) {
  const auto lane = static_cast<int>(threadIdx.x) % 32;
  int *out = y + threadIdx.x * 9;
  out[0] = shuffle(lane * 3, (lane + 5) % 32);
  out[1] = shuffle_xor(lane, 6);
  out[2] = shuffle_up(lane, 3);
  out[3] = shuffle_down(lane, 4);
  out[4] = static_cast<int>(vote_ballot(lane % 3 == 0));
  out[5] = vote_any(lane == 31) * 2 + vote_any(lane == 32);
  out[6] = vote_all(lane < 32) * 2 + vote_all(lane < 31);
  out[7] = static_cast<int>(match_any(static_cast<unsigned>(lane) % 5));
  out[8] = static_cast<int>(shuffle(lane + 0.5, 7) * 2);
}

void warp_results() {
  with_seeds([] {
    Runner runner;
    DeviceArray<int> y(64 * 9);
    CHECK(TS_LAUNCH("warp", warp_operations, 1, 64, 0, runner.stream(), y.data()) == cudaSuccess);
    CHECK(runner.finish().empty());
    std::vector<int> got = y.read();
    unsigned thirds = 0;
    for (int i = 0; i < 32; i += 3) thirds |= 1u << i;
    for (int i = 0; i < 64; i++) {
      int lane = i % 32;
      unsigned same = 0;
      for (int j = lane % 5; j < 32; j += 5) same |= 1u << j;
      const int expected[] = {(lane + 5) % 32 * 3,
                              lane ^ 6,
                              lane < 3 ? lane : lane - 3,
                              lane > 27 ? lane : lane + 4,
                              static_cast<int>(thirds),
                              2,
                              2,
                              static_cast<int>(same),
                              15};
      CHECK(std::equal(expected, expected + 9, got.begin() + i * 9));
    }
  });
}

// A warp reverses its numbers through shared memory.
template <bool kSync>
TS_KERNEL(64, 1)
reverse_in_warp(int *y) {
  SharedMemory shared;
  TS_SHARED(int, tile, 64);
  const unsigned first = threadIdx.x / 32 * 32, lane = threadIdx.x % 32;
  tile[threadIdx.x] = static_cast<int>(threadIdx.x);
  if (kSync) TS_SYNC_WARP(8);
  y[threadIdx.x] = tile[first + 31 - lane];
}

template <bool kSync>
bool reverses() {
  Runner runner;
  DeviceArray<int> y(64);
  CHECK(TS_LAUNCH("warp", reverse_in_warp<kSync>, 1, 64, shared_bytes<int>(64), runner.stream(), y.data()) ==
        cudaSuccess);
  CHECK(runner.finish().empty());
  std::vector<int> got = y.read();
  for (int i = 0; i < 64; i++)
    if (got[static_cast<size_t>(i)] != i / 32 * 32 + 31 - i % 32) return false;
  return true;
}

void missing_warp_barrier() {
  with_seeds([] {
    CHECK(reverses<true>());
    CHECK(!reverses<false>());
  });
}

TS_KERNEL(kThreads, 1) divergent_shuffle(int lanes) {
  const auto lane = static_cast<int>(threadIdx.x) % 32;
  if (lane < lanes) {
    shuffle(lane, 0);
  } else {
    shuffle(lane, 1);
  }
}

TS_KERNEL(kThreads, 1) shuffle_after_return(int lanes) {
  const auto lane = static_cast<int>(threadIdx.x) % 32;
  if (lane >= lanes) return;
  shuffle(lane, 0);
}

void divergent_warps() {
  with_seeds([] {
    std::string message = message_of(divergent_shuffle, 7);
    CHECK_CONTAINS(message, "divergent warp");
    CHECK(message_of(divergent_shuffle, 32).empty());
    message = message_of(shuffle_after_return, 7);
    CHECK_MSG(contains(message, "have returned"), "%s", message.c_str());
    CHECK(message_of(shuffle_after_return, 32).empty());
  });
}

// ---- asynchronous copies ----

enum Async { kRight, kNoWait, kWaitsForOneLess, kNoBarrier, kOverwritesStage };

// Two stages of one number a lane; the result reads the neighbour's copies.
template <Async kCase>
TS_KERNEL(kThreads, 1)
async_sum(const float *x, float *y) {
  SharedMemory shared;
  TS_SHARED(float, first, kThreads);
  TS_SHARED(float, second, kThreads);
  const auto i = static_cast<int>(threadIdx.x), next = (i + 1) % kThreads;
  async_copy<4>(first + i, x + i);
  async_commit();
  async_copy<4>(second + i, x + kThreads + i, i % 2 ? 4 : 0);
  async_commit();
  if (kCase == kWaitsForOneLess)
    TS_ASYNC_WAIT(9, 1);
  else if (kCase != kNoWait)
    TS_ASYNC_WAIT(10, 0);
  if (kCase != kNoBarrier) TS_SYNC(11);
  if (kCase == kOverwritesStage) {  // the other lanes may not have read it yet
    async_copy<4>(first + i, x + i);
    async_commit();
  }
  y[i] = first[next] + second[next];
  TS_ASYNC_WAIT(12, 0);
}

template <Async kCase>
bool copies() {
  Runner runner;
  std::vector<float> values(2 * kThreads);
  for (size_t i = 0; i < values.size(); i++) values[i] = static_cast<float>(i);
  DeviceArray<float> x(values), y(kThreads);
  CHECK(TS_LAUNCH("async", async_sum<kCase>, 1, kThreads, 2 * shared_bytes<float>(kThreads), runner.stream(), x.data(),
                  y.data()) == cudaSuccess);
  CHECK(runner.finish().empty());
  std::vector<float> got = y.read();
  for (int i = 0; i < kThreads; i++) {
    int next = (i + 1) % kThreads;
    if (got[static_cast<size_t>(i)] != static_cast<float>(next + (next % 2 ? kThreads + next : 0))) return false;
  }
  return true;
}

void asynchronous_copies() {
  with_seeds([] {
    CHECK(copies<kRight>());
    CHECK(!copies<kNoWait>());
    CHECK(!copies<kWaitsForOneLess>());
    CHECK(!copies<kNoBarrier>());
    CHECK(!copies<kOverwritesStage>());
  });
}

TS_KERNEL(kThreads, 1) misaligned(const float *x) { load16(x + threadIdx.x); }

void misaligned_addresses() {
  Runner runner;
  DeviceArray<float> x(kThreads + 4);
  CHECK(TS_LAUNCH("planted", misaligned, 1, kThreads, 0, runner.stream(), x.data()) == cudaSuccess);
  std::string message = runner.finish();
  CHECK_CONTAINS(message, "is not a multiple of 16");
}

// ---- order ----

TS_KERNEL(32, 1) order(int *y, int *position) {
  y[atomic_add(position, 1)] = static_cast<int>(blockIdx.x * 32 + threadIdx.x);
}

std::vector<int> order_of_lanes(const char *seed) {
  setenv("TESSERA_EMULATION_SEED", seed, 1);
  Runner runner;
  DeviceArray<int> y(96), position(std::vector<int>{0});
  CHECK(TS_LAUNCH("order", order, 3, 32, 0, runner.stream(), y.data(), position.data()) == cudaSuccess);
  CHECK(runner.finish().empty());
  unsetenv("TESSERA_EMULATION_SEED");
  return y.read();
}

void orders() {
  std::vector<int> one = order_of_lanes("1"), two = order_of_lanes("2"), sorted = one;
  CHECK(one != two);
  std::sort(sorted.begin(), sorted.end());
  CHECK(sorted == iota(96) && one != sorted);
}

// ---- streams: an operation runs when it is waited for ----

void late_streams() {
  Runner a, b;
  void *pinned = nullptr;
  CHECK(cudaHostAlloc(&pinned, 4, cudaHostAllocDefault) == cudaSuccess);
  auto *host = static_cast<int *>(pinned);
  *host = 1;
  DeviceArray<int> x(1);
  cudaEvent_t event;
  cudaEventCreateWithFlags(&event, cudaEventDisableTiming);
  cudaMemcpyAsync(x.data(), host, 4, cudaMemcpyHostToDevice, a.stream());
  cudaEventRecord(event, a.stream());
  CHECK(x.read()[0] == -1 && cudaEventQuery(event) == cudaErrorNotReady);
  *host = 2;  // too early: the copy has not read it
  cudaStreamWaitEvent(b.stream(), event, 0);
  CHECK(b.finish().empty());
  CHECK(x.read()[0] == 2 && cudaEventQuery(event) == cudaSuccess);
  // Without the event, the other stream's work would not have been there.
  *host = 3;
  cudaMemcpyAsync(x.data(), host, 4, cudaMemcpyHostToDevice, a.stream());
  CHECK(cudaStreamSynchronize(b.stream()) == cudaSuccess && x.read()[0] == 2);
  // Freeing waits, as CUDA's does.
  cudaFreeHost(pinned);
  CHECK(x.read()[0] == 3);
  cudaEventDestroy(event);
}

// ---- faults that end the process: each in a child that runs this program again ----

struct Child {
  const char *name;
  void (*body)();
};

const Child kChildren[] = {
    {"shared memory out of bounds", [] { message_of(two_arrays, 1, 2 * shared_bytes<float>(kThreads)); }},
    {"global memory out of bounds",
     [] {
       Runner runner;
       DeviceArray<int> x(kThreads);
       TS_LAUNCH("planted", beyond_global, 1, kThreads, 0, runner.stream(), x.data(), 1);
       runner.finish();
     }},
    {"a removed barrier", [] { exit(rotates<true>() ? 0 : 77); }},
};

// Exit status and standard error of this program run with the argument.
int run_child(const char *name, std::string *output) {
  int pipes[2];
  if (pipe(pipes) != 0) return -1;
  pid_t pid = fork();
  if (pid == 0) {
    dup2(pipes[1], 2);
    close(pipes[0]);
    execl("/proc/self/exe", "test_emulator", name, static_cast<char *>(nullptr));
    _exit(99);
  }
  close(pipes[1]);
  char buffer[4096];
  for (ssize_t n; (n = read(pipes[0], buffer, sizeof buffer)) > 0;) output->append(buffer, static_cast<size_t>(n));
  close(pipes[0]);
  int status = 0;
  waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

void out_of_bounds() {
#if defined(__SANITIZE_ADDRESS__)
  for (const char *name : {"shared memory out of bounds", "global memory out of bounds"}) {
    std::string output;
    CHECK(run_child(name, &output) != 0);
    CHECK_CONTAINS(output, "heap-buffer-overflow");
    CHECK_CONTAINS(output, "test_emulator.cu");
  }
#else
  printf("  skipped: out of bounds needs AddressSanitizer, see the build for it\n");
  skipped++;
#endif
}

void removed_barrier() {
  std::string output;
  CHECK(run_child("a removed barrier", &output) == 0);
  setenv("TESSERA_EMULATION_REMOVE", "test_emulator.cu:1", 1);
  CHECK(run_child("a removed barrier", &output) == 77);
  setenv("TESSERA_EMULATION_REMOVE", "test_emulator.cu:2", 1);
  CHECK(run_child("a removed barrier", &output) == 0);
  unsetenv("TESSERA_EMULATION_REMOVE");
}

}  // namespace

int main(int argc, char **argv) {
  for (const Child &child : kChildren)
    if (argc > 1 && !strcmp(argv[1], child.name)) return child.body(), 0;
  return run_cases({{"a missing barrier gives a wrong result", missing_barrier},
                    {"a missing barrier before memory is used again", missing_barrier_before_reuse},
                    {"divergent barriers", divergent_barriers},
                    {"uninitialised shared memory is NaN", uninitialised_shared_memory},
                    {"more shared memory than the launch gave", shared_memory_of_the_launch},
                    {"warp operations", warp_results},
                    {"a missing warp barrier gives a wrong result", missing_warp_barrier},
                    {"divergent warps", divergent_warps},
                    {"asynchronous copies read too early", asynchronous_copies},
                    {"misaligned addresses", misaligned_addresses},
                    {"seeds give orders", orders},
                    {"streams run late", late_streams},
                    {"out of bounds", out_of_bounds},
                    {"a barrier taken away", removed_barrier}});
}
