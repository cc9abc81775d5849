#include "emulation/site.h"

#include <cstdlib>
#include <cstring>

namespace tessera::emulation {
namespace {

const char *const removed = getenv("TESSERA_EMULATION_REMOVE");

}  // namespace

bool any_removed = removed && removed[0];

bool is_removed(const Site &site) {
  if (!any_removed || site.id == 0) return false;
  const char *colon = strrchr(removed, ':');
  if (!colon || atoi(colon + 1) != site.id) return false;
  const char *slash = strrchr(site.file, '/');
  const char *name = slash ? slash + 1 : site.file;
  auto length = static_cast<size_t>(colon - removed);
  return strlen(name) == length && strncmp(name, removed, length) == 0;
}

}  // namespace tessera::emulation
