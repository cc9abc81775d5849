// Not a test: what the emulator's steps cost.
#include <chrono>

#include "kernel_test.h"
#include "kernels/intrinsics.cuh"

using namespace tessera::cuda;
using namespace tessera::test;

namespace {

constexpr int kTurns = 200, kBlocks = 50;

TS_KERNEL(256, 1) barriers(int turns) {
  for (int i = 0; i < turns; i++) TS_SYNC(1);
}

TS_KERNEL(256, 1) shuffles(int turns) {
  int value = 0;
  for (int i = 0; i < turns; i++) value += shuffle_xor(value, 1);
}

TS_KERNEL(256, 1) products(int turns) {
  float c[4] = {};
  const uint32_t a[4] = {0x3C003C00, 0x3C003C00, 0x3C003C00, 0x3C003C00}, b[2] = {0x3C003C00, 0x3C003C00};
  for (int i = 0; i < turns; i++) mma_f16(c, a, b);
}

double seconds(void (*kernel)(int), int turns, int blocks) {
  double best = 1e9;
  for (int repeat = 0; repeat < 5; repeat++) {
    Runner runner;
    auto begin = std::chrono::steady_clock::now();
    TS_LAUNCH("bench", kernel, blocks, 256, 0, runner.stream(), turns);
    runner.finish();
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  }
  return best;
}

}  // namespace

int main() {
  double empty = seconds(barriers, 0, kBlocks * 20) / 20;
  printf("a lane that never waits    %6.1f ns\n", empty / (kBlocks * 256) * 1e9);
  printf("a lane at a barrier        %6.1f ns\n",
         (seconds(barriers, kTurns, kBlocks) - empty) / (kBlocks * 256.0 * kTurns) * 1e9);
  printf("a lane in a shuffle        %6.1f ns\n",
         (seconds(shuffles, kTurns, kBlocks) - empty) / (kBlocks * 256.0 * kTurns) * 1e9);
  printf("a warp's mma.m16n8k16      %6.0f ns\n",
         (seconds(products, kTurns / 10, kBlocks) - empty) / (kBlocks * 8.0 * kTurns / 10) * 1e9);
}
