// Fibers: stacks that one thread switches between by itself, without the kernel. A switch saves the six registers that
// the System V ABI lets a callee keep and exchanges the stack pointer: some 2 ns, against 300 ns of ucontext, whose
// switch is a system call for the signal mask.
#pragma once

#include <cstddef>

namespace tessera::emulation {

class Fiber {
 public:
  // The stack that the calling thread already runs on.
  Fiber();
  // A stack of its own. The first switch to it calls `body`, which must never return.
  explicit Fiber(void (*body)());
  ~Fiber();
  Fiber(const Fiber &) = delete;
  Fiber &operator=(const Fiber &) = delete;

  // Leaves `from`, which runs now, and goes on in `to`. Returns when somebody switches back to `from`.
  static void switch_to(Fiber &from, Fiber &to);

  // Forgets what ran on the stack: the next switch calls `body` again. Nothing on it is destroyed.
  void restart(void (*body)());

 private:
  void *stack_pointer_ = nullptr;
  void *mapping_ = nullptr;  // null for the thread's own stack
  const void *bottom_ = nullptr;
  size_t size_ = 0;
  void *fake_stack_ = nullptr;  // AddressSanitizer's, while the fiber is away
};

}  // namespace tessera::emulation
