// Spreads blocks of work over a stream's threads. A one-thread stream never enters a parallel region: libgomp keeps a
// pool of threads for each thread that does, and inference streams are many.
#pragma once

#include <omp.h>

#include <algorithm>

#include "core/float_mode.h"
#include "cpu/stream.h"

namespace tessera::cpu {

// Threads worth having for `blocks` pieces of work.
inline int threads_for(const Stream *stream, int64_t blocks) {
  return static_cast<int>(std::clamp<int64_t>(blocks, 1, stream->threads));
}

// Calls body(thread, block) for every block, in any order; thread < threads.
template <class Body>
void for_blocks(int threads, int64_t blocks, Body &&body) {
  if (threads <= 1) {
    FloatMode mode;
    for (int64_t block = 0; block < blocks; block++) body(0, block);
    return;
  }
#pragma omp parallel for num_threads(threads) schedule(dynamic, 1)
  for (int64_t block = 0; block < blocks; block++) {
    FloatMode mode;
    body(omp_get_thread_num(), block);
  }
}

// The same, and then finish(thread, block) for every block in ascending order, one at a time.
template <class Body, class Finish>
void for_blocks_ordered(int threads, int64_t blocks, Body &&body, Finish &&finish) {
  if (threads <= 1) {
    FloatMode mode;
    for (int64_t block = 0; block < blocks; block++) {
      body(0, block);
      finish(0, block);
    }
    return;
  }
#pragma omp parallel for num_threads(threads) schedule(dynamic, 1) ordered
  for (int64_t block = 0; block < blocks; block++) {
    FloatMode mode;
    body(omp_get_thread_num(), block);
#pragma omp ordered
    finish(omp_get_thread_num(), block);
  }
}

}  // namespace tessera::cpu
