#include "cpu/kernels/kernels.h"

#include <cstdlib>
#include <cstring>

#include "cpu/stream.h"
#include "cpu/vq/features.h"

namespace tessera::cpu {
namespace {

struct Choice {
  const char *wanted;  // by the environment, or null
  const Kernels *kernels;
};

Choice choose() {
  struct Set {
    const char *name;
    bool runs;
    const Kernels *kernels;
  };
  const Set sets[] = {
#if defined(__x86_64__)
    {"avx512", vq::has_avx512(), &kAvx512Kernels},
    {"avx2", vq::has_avx2(), &kAvx2Kernels},
#endif
    {"portable", true, &kPortableKernels},
  };
  const char *wanted = std::getenv("TESSERA_LANES");
  for (const Set &set : sets)
    if (set.runs && (!wanted || std::strcmp(wanted, set.name) == 0)) return {wanted, set.kernels};
  return {wanted, nullptr};
}

}  // namespace

const Kernels *kernels(const Stream *stream) {
  static const Choice choice = choose();
  if (!choice.kernels)
    host->fail(stream->report, TS_UNAVAILABLE,
               "TESSERA_LANES is \"%s\", but must be avx512, avx2 or portable, and run on this processor",
               choice.wanted);
  return choice.kernels;
}

}  // namespace tessera::cpu
