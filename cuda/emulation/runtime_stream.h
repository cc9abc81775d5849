// Streams and events of the emulated runtime.
//
// An operation runs when somebody waits for it (or when many others have queued up behind it), on the thread that
// waits. So whoever reads a result, reuses a staging buffer or frees memory without waiting for the GPU goes wrong here
// too, and goes wrong always.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>

namespace tessera::emulation {

class Queue {
 public:
  // Adds an operation and returns its number.
  uint64_t push(std::function<void()> operation);
  // Returns when operations up to `number` have run.
  void run_until(uint64_t number);
  void run_all();
  bool has_run(uint64_t number);

 private:
  std::mutex mutex_;
  std::condition_variable ran_;
  std::deque<std::function<void()>> waiting_;
  uint64_t pushed_ = 0, done_ = 0;
  bool running_ = false;  // by some thread, without the mutex
};

// What an event's last record stands for.
struct Mark {
  std::shared_ptr<Queue> queue;
  uint64_t number;
  std::chrono::steady_clock::time_point time;  // when it was reached
};

// Runs all that was put into any stream.
void run_everything();

// The device's state after a kernel did something wrong: every later call answers cudaErrorLaunchFailure.
void set_fault(const std::string &text);
bool has_fault();

}  // namespace tessera::emulation

struct CUstream_st {
  std::shared_ptr<tessera::emulation::Queue> queue = std::make_shared<tessera::emulation::Queue>();
};

struct CUevent_st {
  std::shared_ptr<tessera::emulation::Mark> mark;  // null before the first record
};
