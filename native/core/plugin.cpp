#include "core/plugin.h"

#include <dlfcn.h>
#include <unistd.h>

#include <cstdio>
#include <string>

namespace tessera {

void *open_beside(const char *library, const char *symbol, const char *how_made, char *reason, size_t capacity) {
  Dl_info self;
  if (!dladdr(reinterpret_cast<void *>(&open_beside), &self) || !self.dli_fname) {
    snprintf(reason, capacity, "the folder of libtessera.so could not be found");
    return nullptr;
  }
  std::string path = self.dli_fname;
  size_t slash = path.rfind('/');
  path = (slash == std::string::npos ? std::string() : path.substr(0, slash + 1)) + library;
  if (access(path.c_str(), F_OK) != 0) {
    snprintf(reason, capacity, "%s is not there (%s)", path.c_str(), how_made);
    return nullptr;
  }
  // Never closed: its code may still run in other threads, and oneDNN's and CUDA's do not unload cleanly.
  void *handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle) {
    snprintf(reason, capacity, "%s does not load: %s", path.c_str(), dlerror());
    return nullptr;
  }
  void *address = dlsym(handle, symbol);
  if (!address) snprintf(reason, capacity, "%s does not export %s", path.c_str(), symbol);
  return address;
}

}  // namespace tessera
