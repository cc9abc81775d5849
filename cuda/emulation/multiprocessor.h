// One emulated multiprocessor: runs the blocks of a kernel one after the other, their lanes as fibers.
//
// A lane runs until it must wait: at a barrier for its block, at a warp-wide operation for its warp. Which lane goes on
// is drawn from a seeded generator, so a missing barrier gives a wrong result sooner or later, and with the same seed
// it is the same result. From each barrier to the next either all warps advance together, or one runs as far as it can
// before another begins: some faults need the one, some the other. Each thread that launches kernels has a
// multiprocessor of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "emulation/async_copy.h"
#include "emulation/fiber.h"
#include "emulation/indices.h"
#include "emulation/site.h"

namespace tessera::emulation {

struct Launch {
  const char *kernel;  // for messages
  dim3 grid, block;
  size_t shared_bytes;
  std::function<void()> body;  // the kernel with its arguments, for the lane that runs now
};

// xorshift64* (Vigna 2016): drawing the next lane must cost less than switching to it.
class Random {
 public:
  explicit Random(uint64_t seed) : state_((seed + 1) * 0x9E3779B97F4A7C15ULL | 1) {}
  uint32_t below(uint32_t n) {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return static_cast<uint32_t>((state_ * 0x2545F4914F6CDD1DULL >> 32) * n >> 32);
  }

 private:
  uint64_t state_;
};

// What the last of the lanes to arrive at a warp-wide operation does for all: operands[i] is lane i's, null if it takes
// no part.
using Combine = void (*)(void *const operands[32], unsigned mask);

class Multiprocessor {
 public:
  // The calling thread's.
  static Multiprocessor &mine();
  // The one that runs the kernel which calls this.
  static Multiprocessor &here() { return *running; }

  Multiprocessor();
  ~Multiprocessor();

  // Runs one block. Returns an empty string, or what the kernel did wrong.
  std::string run(const Launch &launch, uint3 block, Random &random);

  // The rest is called by kernels, through cuda/kernels: for the lane that runs now.

  // __syncthreads: all lanes of the block come to this very place, or it is a fault.
  void barrier(const Site &site);

  // A warp-wide operation: waits for the lanes of `mask`, then `combine` runs once.
  void meet(const Site &site, unsigned mask, void *operand, Combine combine);

  // The `index`th shared array of the block; the first lane that asks makes it. It holds NaNs (all bits set).
  void *shared_array(unsigned index, size_t bytes, const char *name);

  // Lets other lanes go first.
  void yield();

  AsyncCopies &async_copies() { return current_->copies; }

  // Ends the launch with a message that names the kernel, the block and the lane.
  [[noreturn]] void fault(const Site &site, const char *format, ...) __attribute__((format(printf, 3, 4)));

 private:
  struct Lane {
    Indices indices;
    unsigned number = 0;  // in the block
    Fiber *fiber = nullptr;
    Site site{};  // where it waits
    unsigned mask = 0;
    AsyncCopies copies;
  };
  struct Warp {  // bits of lanes
    unsigned ready = 0;
    unsigned waiting = 0;  // in a warp-wide operation
    unsigned partial = 0;  // of these, the ones that wait for less than the whole warp
    unsigned returned = 0;
    void *operands[32] = {};  // of those that wait
  };
  struct SharedArray {
    void *data;
    size_t bytes;
  };

  static void fiber_body();
  void prepare(const Launch &launch, uint3 block);
  void all_ready();
  void make_ready(unsigned warp, unsigned lanes);
  void check_meeting(const Lane &waiting, const Site &site, unsigned mask);
  Lane *next();
  void wait();
  void lane_returned();
  Fiber *take_fiber();
  void resume(Fiber &from, Lane *lane);
  std::string deadlock() const;
  void release_shared();

  // __thread for the same reason as `indices`.
  static __thread Multiprocessor *running __attribute__((tls_model("initial-exec")));

  const Launch *launch_ = nullptr;
  Random *random_ = nullptr;
  Fiber thread_;                                // the thread's own stack
  std::vector<std::unique_ptr<Fiber>> fibers_;  // all that were ever made
  std::vector<Fiber *> free_;
  std::vector<Lane> lanes_;
  std::vector<Warp> warps_;
  unsigned ready_warps_ = 0;    // bits of warps with a lane that is ready
  bool one_warp_runs_ = false;  // until the next barrier
  unsigned at_barrier_ = 0;     // lanes that wait there
  Site barrier_{};
  std::vector<SharedArray> shared_;
  size_t shared_used_ = 0;
  unsigned threads_ = 0;
  unsigned returned_ = 0;
  Lane *current_ = nullptr;
  std::string fault_;
};

}  // namespace tessera::emulation
