#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>
#include <vector>

#include "backend/family.h"

namespace tessera::cuda {

#if defined(TS_EMULATED)
float certificate_factor = 1.0f;
#endif

namespace {

// Every family, the fastest first.
const Family *const kFamilies[] = {&fp16_mma, &fp32_simt};

// Short codes leave fp16 too many candidates, and fill its steps of 16 numbers badly.
bool suits(const Family *family, int64_t d) { return family != &fp16_mma || d > 4; }

// Whether a family can be used on a device: tried out once, and remembered by the device's ordinal.
ts_status is_usable(Device *device, const Family *family, ts_report *report, bool *usable) {
  *usable = true;
  if (family == &fp32_simt) return TS_OK;
  static std::mutex mutex;
  static std::vector<std::string> agree, differ;
  const std::string key = std::to_string(device->ordinal) + ":" + family->name;
  auto known = [&](const std::vector<std::string> &keys) {
    return std::find(keys.begin(), keys.end(), key) != keys.end();
  };
  std::lock_guard<std::mutex> lock(mutex);
  if (known(agree)) return TS_OK;
  *usable = false;
  if (known(differ)) return TS_OK;
  TS_TRY(agrees_with_simt(device, family, report, usable));
  (*usable ? agree : differ).push_back(key);
  if (!*usable)
    fprintf(stderr,
            "tessera: kernel family %s is off: on %s its codes differ from those of %s. Searches are slower without "
            "it, and exact. Please report this.\n",
            family->name, device->properties.name, fp32_simt.name);
  return TS_OK;
}

}  // namespace

ts_status choose_family(Device *device, int64_t d, ts_report *report, const Family **family) {
  const char *forced = getenv("TESSERA_KERNEL");
  std::string names;
  for (const Family *candidate : kFamilies) {
    names += std::string(names.empty() ? "" : ", ") + candidate->name;
    const bool named = forced && forced[0] ? strcmp(forced, candidate->name) == 0 : suits(candidate, d);
    if (!named) continue;
    bool usable = false;
    TS_TRY(is_usable(device, candidate, report, &usable));
    *family = candidate;
    if (usable) return TS_OK;
    if (forced && forced[0])
      return host->fail(report, TS_UNAVAILABLE,
                        "TESSERA_KERNEL is \"%s\", whose codes differ from those of %s on this device", forced,
                        fp32_simt.name);
  }
  return host->fail(report, TS_INVALID_ARGUMENT, "TESSERA_KERNEL is \"%s\" but must be one of %s", forced,
                    names.c_str());
}

}  // namespace tessera::cuda
