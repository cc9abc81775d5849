#include "emulation/site.h"

#include <cstdlib>
#include <cstring>

namespace tessera::emulation {
namespace {

const char *const removed = getenv("TESSERA_EMULATION_REMOVE");
const char *const colon = removed ? strrchr(removed, ':') : nullptr;

}  // namespace

int removed_id = colon ? atoi(colon + 1) : 0;

bool is_in_removed_file(const Site &site) {
  const char *slash = strrchr(site.file, '/');
  const char *name = slash ? slash + 1 : site.file;
  const auto length = static_cast<size_t>(colon - removed);
  return strlen(name) == length && strncmp(name, removed, length) == 0;
}

}  // namespace tessera::emulation
