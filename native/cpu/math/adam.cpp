// Adam (Kingma and Ba 2015), element by element: 16 bytes read and 12 written an element, bound by memory. The factors
// that are the same for all elements come from the core.
#include <cmath>

#include "cpu/math/math.h"
#include "cpu/math/parallel.h"

namespace tessera::cpu {
namespace {

TS_CLONES void adam_range(const ts_adam_factors &f, float *p, const float *g, float *m, float *v, int64_t n) {
  const float c1 = f.one_minus_beta1, c2 = f.one_minus_beta2, step = f.step_size, scale = f.v_scale;
  const float epsilon = f.epsilon, decay = f.decay;
  for (int64_t i = 0; i < n; i++) {
    float mi = m[i] + (g[i] - m[i]) * c1;
    float vi = v[i] + (g[i] * g[i] - v[i]) * c2;
    m[i] = mi;
    v[i] = vi;
    p[i] = p[i] - decay * p[i] - step * mi / (__builtin_sqrtf(vi) * scale + epsilon);
  }
}

}  // namespace

ts_status adam_step(void *stream, const ts_adam_factors *factors, uint32_t count, const ts_adam_slot *slots) {
  auto *s = static_cast<Stream *>(stream);
  for (uint32_t i = 0; i < count; i++) {
    const ts_adam_slot &slot = slots[i];
    for_range(s, slot.size, 16, [&](int64_t b, int64_t e) {
      adam_range(*factors, slot.parameter + b, slot.gradient + b, slot.m + b, slot.v + b, e - b);
    });
  }
  return TS_OK;
}

}  // namespace tessera::cpu
