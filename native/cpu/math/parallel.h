// Splitting a range over a stream's threads.
#pragma once

#include <omp.h>

#include <algorithm>
#include <cstdint>

#include "cpu/stream.h"

namespace tessera::cpu {

// Elements below which another thread costs more than it saves: a team starts in some microseconds, in which one core
// streams about this many floats.
constexpr int64_t kGrain = 16384;

// Compiled once for each instruction set and chosen when the library loads. Without contraction of a*b+c the results
// are the same bits in all of them.
#if defined(__SANITIZE_ADDRESS__)
#define TS_CLONES  // the resolvers run before the sanitizer's runtime is ready
#else
#define TS_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#endif

// Calls body(begin, end) on parts of [0, count), each a multiple of `unit` but the last, on at most the stream's
// threads. A stream of one thread never enters a parallel region.
template <class Body>
void for_range(const Stream *stream, int64_t count, int64_t unit, const Body &body) {
  int64_t units = (count + unit - 1) / unit;
  int64_t threads = std::min<int64_t>({stream->threads, units, std::max<int64_t>(1, count / kGrain)});
  if (threads <= 1) {
    body(int64_t{0}, count);
    return;
  }
#pragma omp parallel num_threads(static_cast <int>(threads))
  {
    int64_t team = omp_get_num_threads(), me = omp_get_thread_num();
    int64_t begin = units * me / team * unit;
    int64_t end = std::min(count, units * (me + 1) / team * unit);
    if (begin < end) body(begin, end);
  }
}

}  // namespace tessera::cpu
