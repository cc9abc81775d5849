// Which kernel family runs: what the processor has, what the shape asks for, what TESSERA_KERNEL forces.
#include "cpu/vq/family.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace tessera::cpu::vq {
namespace {

// In order of preference.
const Family *const kFamilies[] = {
#if defined(__x86_64__)
    &int8_vnni_family, &bf16_avx512_family, &fp32_avx512_family, &fp32_avx2_family,
#endif
    &portable_family,
};

}  // namespace

const Family *choose_family(int64_t k, int64_t d, ts_report *report, ts_status *status) {
  (void)k, (void)d;
  const char *forced = getenv("TESSERA_KERNEL");
  *status = TS_OK;
  if (!forced || !*forced) {
    for (const Family *family : kFamilies)
      if (family->supported()) return family;
  }
  char names[160] = "";
  for (const Family *family : kFamilies) {
    if (strcmp(family->name, forced) == 0) {
      if (family->supported()) return family;
      *status = host->fail(report, TS_UNAVAILABLE, "TESSERA_KERNEL is \"%s\", which this processor cannot run", forced);
      return nullptr;
    }
    size_t used = strlen(names);
    snprintf(names + used, sizeof names - used, "%s%s", used ? ", " : "", family->name);
  }
  *status = host->fail(report, TS_INVALID_ARGUMENT, "TESSERA_KERNEL is \"%s\" but must be one of %s", forced, names);
  return nullptr;
}

}  // namespace tessera::cpu::vq
