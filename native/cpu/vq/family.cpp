// Which kernel family runs: what the processor has, what the shape asks for, what TESSERA_KERNEL forces.
#include "cpu/vq/family.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace tessera::cpu::vq {
namespace {

// Every family, the fastest for long codes first.
const Family *const kFamilies[] = {
#if defined(__x86_64__)
    &int8_vnni_family, &bf16_avx512_family, &fp32_avx512_family, &fp32_avx2_family,
#endif
    &portable_family,
};

// Whether the family is right for the shape: docs/kernels.md, "Which family", has the measurements. Short codes leave
// int8 and bf16 too many candidates; with few short codes, int8's narrowing costs more than bf16 takes longer to score.
bool suits(const Family *family, int64_t k, int64_t d) {
#if defined(__x86_64__)
  if (family == &int8_vnni_family) return d >= 32 || (d > 8 && k > kPanel) || (d > 6 && k >= 512);
  if (family == &bf16_avx512_family) return d > 4;
#endif
  (void)family, (void)k, (void)d;
  return true;
}

}  // namespace

const Family *choose_family(int64_t k, int64_t d, ts_report *report, ts_status *status) {
  const char *forced = getenv("TESSERA_KERNEL");
  *status = TS_OK;
  if (!forced || !*forced) {
    for (const Family *family : kFamilies)
      if (family->supported() && suits(family, k, d)) return family;
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
