#include "cpu/nn/workspace.h"

#include <cstdlib>
#include <new>

namespace tessera::cpu {

Workspace::~Workspace() { release(); }

void Workspace::release() {
  if (data_) host->account(device_->host_device, -static_cast<int64_t>(capacity_));
  free(data_);
  data_ = nullptr;
  capacity_ = 0;
}

char *Workspace::reserve(size_t bytes) {
  if (bytes <= capacity_) return data_;
  release();
  size_t rounded = round_up_64(bytes);
  data_ = static_cast<char *>(aligned_alloc(64, rounded));
  if (!data_) throw std::bad_alloc();
  capacity_ = rounded;
  host->account(device_->host_device, static_cast<int64_t>(rounded));
  return data_;
}

}  // namespace tessera::cpu
