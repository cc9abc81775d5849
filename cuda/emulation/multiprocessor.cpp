#include "emulation/multiprocessor.h"

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace tessera::emulation {

__thread const Indices *indices __attribute__((tls_model("initial-exec"))) = nullptr;
__thread Multiprocessor *Multiprocessor::running __attribute__((tls_model("initial-exec"))) = nullptr;

namespace {

constexpr unsigned kWarp = 32;
constexpr unsigned kMaxThreads = 1024;
constexpr size_t kSharedAlignment = 128;

const char *file_name(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

std::string format(const char *text, ...) __attribute__((format(printf, 1, 2)));
std::string format(const char *text, ...) {
  char buffer[512];
  va_list arguments;
  va_start(arguments, text);
  vsnprintf(buffer, sizeof buffer, text, arguments);
  va_end(arguments);
  return buffer;
}

}  // namespace

Multiprocessor &Multiprocessor::mine() {
  static thread_local Multiprocessor multiprocessor;
  return multiprocessor;
}

Multiprocessor::Multiprocessor() : lanes_(kMaxThreads), warps_(kMaxThreads / kWarp) {
  ready_.reserve(kMaxThreads);
  at_barrier_.reserve(kMaxThreads);
  for (unsigned i = 0; i < kMaxThreads; i++) lanes_[i].number = i;
}

Multiprocessor::~Multiprocessor() = default;

void Multiprocessor::prepare(const Launch &launch, uint3 block) {
  launch_ = &launch;
  threads_ = launch.block.x * launch.block.y * launch.block.z;
  returned_ = 0;
  fault_.clear();
  ready_.clear();
  at_barrier_.clear();
  shared_used_ = 0;
  unsigned i = 0;
  for (unsigned z = 0; z < launch.block.z; z++)
    for (unsigned y = 0; y < launch.block.y; y++)
      for (unsigned x = 0; x < launch.block.x; x++, i++) {
        lanes_[i].indices = {{x, y, z}, block, launch.block, launch.grid};
        lanes_[i].fiber = nullptr;
        lanes_[i].copies.clear();
        ready_.push_back(&lanes_[i]);
      }
  for (unsigned w = 0; w < (threads_ + kWarp - 1) / kWarp; w++) {
    warps_[w] = {};
    // The last warp of a block whose size is no multiple of 32 has lanes that are not there.
    unsigned present = threads_ - w * kWarp;
    if (present < kWarp) warps_[w].returned = ~0u << present;
  }
}

std::string Multiprocessor::run(const Launch &launch, uint3 block, Random &random) {
  random_ = &random;
  running = this;
  prepare(launch, block);
  resume(thread_, next());
  indices = nullptr;
  release_shared();
  if (!fault_.empty()) {
    // The lanes stay where they were; their stacks are used again from the top.
    free_.clear();
    for (auto &fiber : fibers_) {
      fiber->restart(fiber_body);
      free_.push_back(fiber.get());
    }
  }
  return fault_;
}

// Draws the lane to go on with and makes it current; null if none can.
Multiprocessor::Lane *Multiprocessor::next() {
  if (ready_.empty()) return nullptr;
  size_t i = random_->below(static_cast<uint32_t>(ready_.size()));
  Lane *lane = ready_[i];
  ready_[i] = ready_.back();
  ready_.pop_back();
  current_ = lane;
  indices = &lane->indices;
  return lane;
}

// A lane gets a stack when it starts. One that never waits leaves it to the next one to start, so that a kernel without
// barriers runs as a loop of calls on one stack.
Fiber *Multiprocessor::take_fiber() {
  if (free_.empty()) {
    fibers_.push_back(std::make_unique<Fiber>(fiber_body));
    return fibers_.back().get();
  }
  Fiber *fiber = free_.back();
  free_.pop_back();
  return fiber;
}

void Multiprocessor::resume(Fiber &from, Lane *lane) {
  if (!lane->fiber) lane->fiber = take_fiber();
  Fiber::switch_to(from, *lane->fiber);
}

void Multiprocessor::fiber_body() {
  Multiprocessor &self = here();
  for (;;) {
    self.launch_->body();
    self.lane_returned();
  }
}

// Returns with another lane current that has not started yet and takes over this stack.
void Multiprocessor::lane_returned() {
  Fiber *fiber = current_->fiber;
  warps_[current_->number / kWarp].returned |= 1u << (current_->number % kWarp);
  returned_++;
  Lane *lane = next();
  if (lane && !lane->fiber) {
    lane->fiber = fiber;
    return;
  }
  free_.push_back(fiber);
  if (!lane && returned_ < threads_) fault_ = deadlock();
  Fiber::switch_to(*fiber, lane ? *lane->fiber : thread_);
}

// The current lane has noted what it waits for; others go on.
void Multiprocessor::wait() {
  Lane *self = current_;
  Lane *lane = next();
  if (lane == self) return;
  if (!lane) {
    fault_ = deadlock();
    Fiber::switch_to(*self->fiber, thread_);
  }
  resume(*self->fiber, lane);
}

void Multiprocessor::yield() {
  ready_.push_back(current_);
  wait();
}

void Multiprocessor::barrier(const Site &site) {
  if (any_removed && is_removed(site)) return;
  if (!at_barrier_.empty() && at_barrier_[0]->site != site) {
    const Site &other = at_barrier_[0]->site;
    fault(site, "divergent barrier: lane %u waits at %s:%d (%s %d) and lane %u came to this one",
          at_barrier_[0]->number, file_name(other.file), other.line, other.what, other.id, current_->number);
  }
  current_->site = site;
  at_barrier_.push_back(current_);
  if (at_barrier_.size() == threads_) {
    ready_.swap(at_barrier_);
    at_barrier_.clear();
  }
  wait();
}

void Multiprocessor::meet(const Site &site, unsigned mask, void *operand, Combine combine) {
  if (any_removed && is_removed(site)) return;
  Warp &warp = warps_[current_->number / kWarp];
  Lane *first = &lanes_[current_->number / kWarp * kWarp];
  unsigned bit = 1u << (current_->number % kWarp);
  if (!(mask & bit)) fault(site, "the lane is not in its own mask %08x", mask);
  if (mask & warp.returned) fault(site, "lanes %08x of the mask %08x have returned", mask & warp.returned, mask);
  for (unsigned others = mask & warp.waiting; others; others &= others - 1) {
    const Lane &other = first[__builtin_ctz(others)];
    if (other.site != site || other.mask != mask)
      fault(site, "divergent warp: lane %u waits at %s:%d (%s) with mask %08x, this one has %08x", other.number,
            file_name(other.site.file), other.site.line, other.site.what, other.mask, mask);
  }
  current_->site = site;
  current_->mask = mask;
  current_->operand = operand;
  warp.waiting |= bit;
  if ((warp.waiting & mask) == mask) {
    void *operands[kWarp] = {};
    for (unsigned rest = mask; rest; rest &= rest - 1) {
      Lane &lane = first[__builtin_ctz(rest)];
      operands[__builtin_ctz(rest)] = lane.operand;
      ready_.push_back(&lane);
    }
    if (combine) combine(operands, mask);
    warp.waiting &= ~mask;
  }
  wait();
}

void *Multiprocessor::shared_array(unsigned index, size_t bytes, const char *name) {
  Site site{launch_->kernel, 0, 0, "TS_SHARED"};
  if (index < shared_.size()) {
    if (shared_[index].bytes != bytes)
      fault(site, "shared array %s has %zu bytes in one lane and %zu in another", name, shared_[index].bytes, bytes);
    return shared_[index].data;
  }
  shared_used_ += (bytes + 15) / 16 * 16;
  if (shared_used_ > launch_->shared_bytes)
    fault(site, "shared array %s ends at byte %zu of shared memory, but the launch gave %zu", name, shared_used_,
          launch_->shared_bytes);
  void *data = nullptr;
  if (posix_memalign(&data, kSharedAlignment, bytes) != 0) fault(site, "no memory for shared array %s", name);
  memset(data, 0xFF, bytes);
  shared_.push_back({data, bytes});
  return data;
}

void Multiprocessor::release_shared() {
  for (const SharedArray &array : shared_) free(array.data);
  shared_.clear();
}

// Nobody can go on: some wait for lanes that wait elsewhere or have returned.
std::string Multiprocessor::deadlock() const {
  std::string text = format("kernel %s, block (%u,%u,%u): ", launch_->kernel, current_->indices.block.x,
                            current_->indices.block.y, current_->indices.block.z);
  if (!at_barrier_.empty()) {
    const Site &site = at_barrier_[0]->site;
    text += format("divergent barrier: %zu of %u lanes wait at %s:%d (%s %d)", at_barrier_.size(), threads_,
                   file_name(site.file), site.line, site.what, site.id);
  }
  for (unsigned i = 0; i < threads_; i++) {
    const Lane &lane = lanes_[i];
    if (!(warps_[i / kWarp].waiting >> (i % kWarp) & 1)) continue;
    text += format("%s lane %u waits at %s:%d (%s) for lanes %08x of its warp",
                   at_barrier_.empty() ? "divergent warp:" : ",", i, file_name(lane.site.file), lane.site.line,
                   lane.site.what, lane.mask);
    break;
  }
  if (returned_ > 0) text += format(", %u have returned", returned_);
  return text;
}

void Multiprocessor::fault(const Site &site, const char *text, ...) {
  char message[384];
  va_list arguments;
  va_start(arguments, text);
  vsnprintf(message, sizeof message, text, arguments);
  va_end(arguments);
  const uint3 &block = current_->indices.block;
  fault_ = format("kernel %s, block (%u,%u,%u), lane %u, %s:%d (%s): %s", launch_->kernel, block.x, block.y, block.z,
                  current_->number, file_name(site.file), site.line, site.what, message);
  Fiber::switch_to(*current_->fiber, thread_);
  abort();
}

}  // namespace tessera::emulation
