// cp.async of one lane: copies from global to shared memory that land only when the lane waits for them.
//
// Hardware may write the destination at any time between the issue and the end of the wait. The emulator takes the two
// ends: at the issue it reads the source and fills the destination with NaNs, at the wait it writes what it read. Who
// reads without waiting, or overwrites a stage too early, sees NaNs.
#pragma once

#include <cstddef>
#include <vector>

namespace tessera::emulation {

class AsyncCopies {
 public:
  // `bytes` of the destination: the first `valid` from the source, the rest zeros.
  void issue(void *shared, const void *global, size_t bytes, size_t valid);
  // Closes the group of the copies issued since the last commit.
  void commit() { open_++; }
  // Lands all groups but the `pending` most recent ones.
  void wait(unsigned pending);
  void clear();

 private:
  struct Copy {
    void *destination;
    size_t bytes;
    unsigned group;
    alignas(16) unsigned char data[16];
  };
  std::vector<Copy> copies_;
  unsigned open_ = 0;  // number of the group that is open
};

}  // namespace tessera::emulation
