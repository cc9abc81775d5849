// Which functions of tessera.h a test calls, on which device, in which case: a library that is loaded before libtessera
// and has a function in front of each of its (call_wrappers.awk writes them from the header). A call is counted for
// the device that its handles belong to; calls without a handle belong to every device, which the report calls "-".
#pragma once

#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "tessera.h"

namespace tessera::calls {

// The library's own function of that name.
template <class Function>
Function real(const char *name) {
  void *found = dlsym(RTLD_NEXT, name);
  if (!found) {
    fprintf(stderr, "no %s behind the recorder of calls\n", name);
    abort();
  }
  return reinterpret_cast<Function>(found);
}

// The device of a handle, empty for what is none.
std::string device_of(const void *handle);
void set_device(const void *handle, const std::string &device);
void add(const char *function, int status, const std::string &device);

// What an argument says about the device of its call.
template <class Argument>
std::string device_in(const Argument &) {
  return "";
}
inline std::string device_in(const char *name) { return name ? name : ""; }
inline std::string device_in(const ts_device *handle) { return device_of(handle); }
inline std::string device_in(ts_device *handle) { return device_of(handle); }
inline std::string device_in(const ts_stream *handle) { return device_of(handle); }
inline std::string device_in(ts_stream *handle) { return device_of(handle); }
inline std::string device_in(const ts_event *handle) { return device_of(handle); }
inline std::string device_in(ts_event *handle) { return device_of(handle); }
inline std::string device_in(const ts_codebook *handle) { return device_of(handle); }
inline std::string device_in(ts_codebook *handle) { return device_of(handle); }

// Handles that a call made.
template <class Argument>
void made(const Argument &, const std::string &) {}
inline void made(ts_device **handle, const std::string &device) { set_device(*handle, device); }
inline void made(ts_stream **handle, const std::string &device) { set_device(*handle, device); }
inline void made(ts_event **handle, const std::string &device) { set_device(*handle, device); }
inline void made(ts_codebook **handle, const std::string &device) { set_device(*handle, device); }

template <class... Arguments>
void record(const char *function, int status, const Arguments &...arguments) {
  std::string device;
  // The first argument that says one.
  ((device = device.empty() ? device_in(arguments) : device), ...);
  if (status == TS_OK) (made(arguments, device), ...);
  add(function, status, device.empty() ? "-" : device);
}

}  // namespace tessera::calls
