// How a screen's blocks share rows and codes, and what stays in their shared memory.
#pragma once

#include "backend/family.h"

namespace tessera::cuda {

// What the plan needs to know of a family.
struct ScreenShape {
  int stages;
  int units;         // of a row or code in a step
  bool keeps;        // rows or codes that are used again, where they fit
  size_t own_bytes;  // of shared memory beside rows and codes
};

// False if a block of this shape does not fit into the device's shared memory.
bool plan_screen(const cudaDeviceProp &gpu, const ScreenShape &shape, const CodebookView &book, int rows,
                 ScreenLaunch *launch);

}  // namespace tessera::cuda
