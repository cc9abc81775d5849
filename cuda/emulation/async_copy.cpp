#include "emulation/async_copy.h"

#include <cstring>

namespace tessera::emulation {

void AsyncCopies::issue(void *shared, const void *global, size_t bytes, size_t valid) {
  Copy copy{};
  copy.destination = shared;
  copy.bytes = bytes;
  copy.group = open_;
  if (valid > 0) memcpy(copy.data, global, valid);  // with none the address need not be readable
  memset(shared, 0xFF, bytes);
  copies_.push_back(copy);
}

void AsyncCopies::wait(unsigned pending) {
  size_t landed = 0;
  while (landed < copies_.size() && copies_[landed].group + pending < open_) {
    const Copy &copy = copies_[landed++];
    memcpy(copy.destination, copy.data, copy.bytes);
  }
  copies_.erase(copies_.begin(), copies_.begin() + static_cast<std::ptrdiff_t>(landed));
}

void AsyncCopies::clear() {
  copies_.clear();
  open_ = 0;
}

}  // namespace tessera::emulation
