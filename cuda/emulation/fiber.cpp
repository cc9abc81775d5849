#include "emulation/fiber.h"

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

// void tessera_fiber_switch(void **save, void *load): pushes what a callee keeps, stores the stack pointer in *save and
// returns on the stack `load`, whose top holds the same from an earlier call. On a new stack Fiber::restart has written
// it there, and the return goes to tessera_fiber_first, which hands the body, restored into rbx, to
// tessera_fiber_enter.
asm(R"(
    .text
    .p2align 4
    .hidden tessera_fiber_switch
    .globl tessera_fiber_switch
    .type tessera_fiber_switch, @function
tessera_fiber_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
    .size tessera_fiber_switch, . - tessera_fiber_switch

    .p2align 4
    .hidden tessera_fiber_first
    .globl tessera_fiber_first
    .type tessera_fiber_first, @function
tessera_fiber_first:
    movq %rbx, %rdi
    call tessera_fiber_enter
    .size tessera_fiber_first, . - tessera_fiber_first
)");

extern "C" void tessera_fiber_switch(void **save, void *load);
extern "C" void tessera_fiber_first();

namespace tessera::emulation {
namespace {

// Kernels keep their tiles in registers, here in locals; AddressSanitizer puts wide red zones around each.
#if defined(__SANITIZE_ADDRESS__)
constexpr size_t kStackBytes = 256 * 1024;
#else
constexpr size_t kStackBytes = 64 * 1024;
#endif

constexpr size_t kLineBytes = 64, kLines = 64;  // of a cache, and those of a page

size_t page_bytes() {
  static const auto bytes = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  return bytes;
}

}  // namespace

// Where a fiber that is entered for the first time arrives: AddressSanitizer wants to hear that the switch is over.
extern "C" __attribute__((visibility("hidden"))) void tessera_fiber_enter(void (*body)()) {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(nullptr, nullptr, nullptr);
#endif
  body();
  abort();
}

Fiber::Fiber() {
  pthread_attr_t attributes;
  void *bottom = nullptr;
  if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
    pthread_attr_getstack(&attributes, &bottom, &size_);
    pthread_attr_destroy(&attributes);
  }
  bottom_ = bottom;
}

Fiber::Fiber(void (*body)()) {
  // The page below the stack stays inaccessible: an overflow stops there and not in somebody's memory.
  size_t mapped = kStackBytes + page_bytes();
  mapping_ =
      mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  if (mapping_ == MAP_FAILED || mprotect(mapping_, page_bytes(), PROT_NONE) != 0) {
    perror("emulator: no memory for the stack of a lane");
    abort();
  }
  bottom_ = static_cast<char *>(mapping_) + page_bytes();
  size_ = kStackBytes;
  restart(body);
}

Fiber::~Fiber() {
  if (mapping_) munmap(mapping_, kStackBytes + page_bytes());
}

void Fiber::restart(void (*body)()) {
#if defined(__SANITIZE_ADDRESS__)
  ASAN_UNPOISON_MEMORY_REGION(bottom_, size_);
#endif
  // What tessera_fiber_switch pops: r15, r14, r13, r12, rbx, rbp, the return address. Above lie two empty words, so
  // that the stack is aligned to 16 bytes when tessera_fiber_first calls. Stacks begin at different lines of a page:
  // at equal ones the lanes of a warp would fight for a few sets of the first-level cache.
  const auto bottom = reinterpret_cast<uintptr_t>(bottom_);
  auto *top = reinterpret_cast<uint64_t *>(bottom + size_ - bottom / page_bytes() % kLines * kLineBytes);
  uint64_t *frame = top - 9;
  for (int i = 0; i < 9; i++) frame[i] = 0;
  frame[4] = reinterpret_cast<uint64_t>(body);
  frame[6] = reinterpret_cast<uint64_t>(&tessera_fiber_first);
  stack_pointer_ = frame;
  fake_stack_ = nullptr;
}

void Fiber::switch_to(Fiber &from, Fiber &to) {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_start_switch_fiber(&from.fake_stack_, to.bottom_, to.size_);
  tessera_fiber_switch(&from.stack_pointer_, to.stack_pointer_);
  __sanitizer_finish_switch_fiber(from.fake_stack_, nullptr, nullptr);
#else
  tessera_fiber_switch(&from.stack_pointer_, to.stack_pointer_);
#endif
}

}  // namespace tessera::emulation
