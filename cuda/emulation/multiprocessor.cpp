#include "emulation/multiprocessor.h"

#include <immintrin.h>

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

// One of the bits that are set.
unsigned random_bit(unsigned bits, Random &random) {
  unsigned below = random.below(static_cast<uint32_t>(__builtin_popcount(bits)));
  return static_cast<unsigned>(__builtin_ctz(_pdep_u32(1u << below, bits)));
}

}  // namespace

Multiprocessor &Multiprocessor::mine() {
  static thread_local Multiprocessor multiprocessor;
  return multiprocessor;
}

Multiprocessor::Multiprocessor() : lanes_(kMaxThreads), warps_(kMaxThreads / kWarp) {
  for (unsigned i = 0; i < kMaxThreads; i++) lanes_[i].number = i;
}

Multiprocessor::~Multiprocessor() = default;

void Multiprocessor::prepare(const Launch &launch, uint3 block) {
  launch_ = &launch;
  threads_ = launch.block.x * launch.block.y * launch.block.z;
  returned_ = 0;
  fault_.clear();
  at_barrier_ = 0;
  current_ = &lanes_[random_->below(threads_)];  // whose warp begins, if one runs before the others
  shared_used_ = 0;
  unsigned i = 0;
  for (unsigned z = 0; z < launch.block.z; z++)
    for (unsigned y = 0; y < launch.block.y; y++)
      for (unsigned x = 0; x < launch.block.x; x++, i++) {
        lanes_[i].indices = {{x, y, z}, block, launch.block, launch.grid};
        lanes_[i].fiber = nullptr;
        lanes_[i].copies.clear();
      }
  for (unsigned w = 0; w < (threads_ + kWarp - 1) / kWarp; w++) {
    warps_[w] = {};
    // The last warp of a block whose size is no multiple of 32 has lanes that are not there.
    unsigned present = threads_ - w * kWarp;
    if (present < kWarp) warps_[w].returned = ~0u << present;
  }
  all_ready();
}

void Multiprocessor::all_ready() {
  const unsigned warps = (threads_ + kWarp - 1) / kWarp;
  for (unsigned w = 0; w < warps; w++) warps_[w].ready = ~warps_[w].returned;
  ready_warps_ = warps == 32 ? ~0u : (1u << warps) - 1;
  one_warp_runs_ = random_->below(2) == 0;
}

void Multiprocessor::make_ready(unsigned warp, unsigned lanes) {
  warps_[warp].ready |= lanes;
  ready_warps_ |= 1u << warp;
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
  if (ready_warps_ == 0) return nullptr;
  unsigned w = current_->number / kWarp;
  if (!one_warp_runs_ || warps_[w].ready == 0) w = random_bit(ready_warps_, *random_);
  Warp &warp = warps_[w];
  const unsigned lane = random_bit(warp.ready, *random_);
  warp.ready &= ~(1u << lane);
  if (warp.ready == 0) ready_warps_ &= ~(1u << w);
  current_ = &lanes_[w * kWarp + lane];
  indices = &current_->indices;
  return current_;
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
  make_ready(current_->number / kWarp, 1u << (current_->number % kWarp));
  wait();
}

void Multiprocessor::barrier(const Site &site) {
  if (is_removed(site)) return;
  if (at_barrier_ > 0 && barrier_ != site)
    fault(site, "divergent barrier: %u lanes wait at %s:%d (%s %d) and this one came here", at_barrier_,
          file_name(barrier_.file), barrier_.line, barrier_.what, barrier_.id);
  barrier_ = site;
  if (++at_barrier_ == threads_) {
    at_barrier_ = 0;
    all_ready();
  }
  wait();
}

// A lane that is waited for waits itself: at the same place, or the warp has parted.
void Multiprocessor::check_meeting(const Lane &waiting, const Site &site, unsigned mask) {
  if (waiting.site != site || waiting.mask != mask)
    fault(site, "divergent warp: lane %u waits at %s:%d (%s) with mask %08x, this one has %08x", waiting.number,
          file_name(waiting.site.file), waiting.site.line, waiting.site.what, waiting.mask, mask);
}

void Multiprocessor::meet(const Site &site, unsigned mask, void *operand, Combine combine) {
  if (is_removed(site)) return;
  Warp &warp = warps_[current_->number / kWarp];
  Lane *first = &lanes_[current_->number / kWarp * kWarp];
  const unsigned lane = current_->number % kWarp, bit = 1u << lane;
  if (!(mask & bit)) fault(site, "the lane is not in its own mask %08x", mask);
  if (mask & warp.returned) fault(site, "lanes %08x of the mask %08x have returned", mask & warp.returned, mask);
  const bool whole = mask == ~0u;
  if (whole && !warp.partial) {
    // Those that wait were compared with each other when they came: one of them stands for all.
    if (warp.waiting) check_meeting(first[__builtin_ctz(warp.waiting)], site, mask);
  } else {
    for (unsigned others = mask & warp.waiting; others; others &= others - 1)
      check_meeting(first[__builtin_ctz(others)], site, mask);
  }
  current_->site = site;
  current_->mask = mask;
  warp.operands[lane] = operand;
  warp.waiting |= bit;
  if (!whole) warp.partial |= bit;
  if ((warp.waiting & mask) == mask) {
    if (combine && whole) {
      combine(warp.operands, mask);
    } else if (combine) {
      void *operands[kWarp] = {};
      for (unsigned rest = mask; rest; rest &= rest - 1)
        operands[__builtin_ctz(rest)] = warp.operands[__builtin_ctz(rest)];
      combine(operands, mask);
    }
    warp.waiting &= ~mask;
    warp.partial &= ~mask;
    make_ready(current_->number / kWarp, mask);
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
  if (at_barrier_ > 0)
    text += format("divergent barrier: %u of %u lanes wait at %s:%d (%s %d)", at_barrier_, threads_,
                   file_name(barrier_.file), barrier_.line, barrier_.what, barrier_.id);
  for (unsigned i = 0; i < threads_; i++) {
    const Lane &lane = lanes_[i];
    if (!(warps_[i / kWarp].waiting >> (i % kWarp) & 1)) continue;
    text +=
        format("%s lane %u waits at %s:%d (%s) for lanes %08x of its warp", at_barrier_ == 0 ? "divergent warp:" : ",",
               i, file_name(lane.site.file), lane.site.line, lane.site.what, lane.mask);
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
