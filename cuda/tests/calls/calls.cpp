#include "calls.h"

#include <map>
#include <mutex>
#include <set>

namespace tessera::calls {
namespace {

// Written to the file TESSERA_CALL_REPORT at the end, if there is anything to write (shells load this library too): a
// line "FUNCTION STATUS DEVICE CASE" for each that occurred.
struct Report {
  ~Report() {
    const char *path = getenv("TESSERA_CALL_REPORT");
    FILE *file = path && path[0] && !lines.empty() ? fopen(path, "w") : nullptr;
    if (!file) return;
    for (const std::string &line : lines) fprintf(file, "%s\n", line.c_str());
    fclose(file);
  }

  std::mutex mutex;
  std::map<const void *, std::string> devices;  // by handle
  std::set<std::string> lines;
  std::string current = "no case";
};

Report &report() {
  static Report instance;
  return instance;
}

}  // namespace

std::string device_of(const void *handle) {
  std::lock_guard<std::mutex> lock(report().mutex);
  auto found = report().devices.find(handle);
  return found == report().devices.end() ? "" : found->second;
}

void set_device(const void *handle, const std::string &device) {
  std::lock_guard<std::mutex> lock(report().mutex);
  report().devices[handle] = device;
}

void add(const char *function, int status, const std::string &device) {
  std::lock_guard<std::mutex> lock(report().mutex);
  report().lines.insert(std::string(function) + " " + std::to_string(status) + " " + device + " " + report().current);
}

}  // namespace tessera::calls

// The harness says which case runs.
extern "C" void tessera_test_case(const char *name) {
  std::lock_guard<std::mutex> lock(tessera::calls::report().mutex);
  tessera::calls::report().current = name;
}
