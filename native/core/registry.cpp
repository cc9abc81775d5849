// Backends, devices, and the memory that they hand out.
#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>

#include "core/checks.h"
#include "core/objects.h"
#include "core/plugin.h"

namespace tessera {
namespace {

constexpr int kBackends = 3;

// A backend of the registry: built in, or a plug-in that is opened when somebody first asks for it.
struct Entry {
  const char *name;
  const char *library;   // file name of the plug-in, null if built in
  const char *how_made;  // where the plug-in comes from, for the message that it is missing
  const char *driver;    // library without which the plug-in has no device, null if it needs none
  std::mutex mutex;
  const ts_backend *backend = nullptr;
  bool tried = false;
  char reason[472] = "";
};

Entry entries[kBackends] = {
    {.name = "cpu", .library = nullptr, .how_made = nullptr, .driver = nullptr, .mutex = {}},
    {.name = "cuda",
     .library = "libtessera_cuda.so",
     .how_made = "the jar tessera-cuda has it, if it was built where nvcc 12.8 or newer is found",
     .driver = "libcuda.so.1",
     .mutex = {}},
    {.name = "cuda-emulated",
     .library = "libtessera_cuda_emulated.so",
     .how_made = "the jar tessera-cuda has it; it is for tests",
     .driver = nullptr,
     .mutex = {}},
};

// The backend, opened if need be; null with the reason in entry.reason.
const ts_backend *backend_of(Entry &entry) {
  std::lock_guard<std::mutex> lock(entry.mutex);
  if (entry.tried) return entry.backend;
  entry.tried = true;
  if (!entry.library) {
    entry.backend = ts_cpu_backend(&host_table);
    return entry.backend;
  }
  char missing[400];
  void *init = open_beside(entry.library, "ts_backend_init", entry.how_made, missing, sizeof missing);
  if (!init) {
    // The plug-in would not help where there is no driver, so that comes first.
    bool driver = !entry.driver || dlopen(entry.driver, RTLD_NOW | RTLD_LOCAL);
    if (driver)
      snprintf(entry.reason, sizeof entry.reason, "%s", missing);
    else
      snprintf(entry.reason, sizeof entry.reason, "this machine has no NVIDIA driver (no %s), and %s", entry.driver,
               missing);
    return nullptr;
  }
  const ts_backend *backend = reinterpret_cast<ts_backend_init_fn>(init)(TS_ABI_VERSION, &host_table);
  if (!backend || backend->abi != TS_ABI_VERSION) {
    snprintf(entry.reason, sizeof entry.reason, "%s was built for another version of the interface than %d",
             entry.library, TS_ABI_VERSION);
    return nullptr;
  }
  return entry.backend = backend;
}

}  // namespace
}  // namespace tessera

using tessera::fail;

uint32_t ts_abi_version(void) { return TS_ABI_VERSION; }

uint32_t ts_backend_count(void) { return tessera::kBackends; }

ts_status ts_backend_describe(uint32_t index, ts_backend_info *info, ts_error *error) {
  if (index >= tessera::kBackends)
    return fail(error, TS_INVALID_ARGUMENT, "ts_backend_describe: index is %u but must be less than %d", index,
                tessera::kBackends);
  if (!info) return fail(error, TS_INVALID_ARGUMENT, "ts_backend_describe: info is NULL");
  if (info->struct_size != sizeof *info)
    return fail(error, TS_INVALID_ARGUMENT, "ts_backend_describe: info.struct_size is %u but must be %zu",
                info->struct_size, sizeof *info);
  tessera::Entry &entry = tessera::entries[index];
  snprintf(info->name, sizeof info->name, "%s", entry.name);
  info->device_count = 0;
  if (const ts_backend *backend = tessera::backend_of(entry)) {
    info->detail[0] = '\0';
    info->device_count = backend->device_count(info->detail, sizeof info->detail);
  } else {
    snprintf(info->detail, sizeof info->detail, "%s", entry.reason);
  }
  return TS_OK;
}

ts_status ts_device_open(const char *name, ts_device **device, ts_error *error) {
  if (!name) return fail(error, TS_INVALID_ARGUMENT, "ts_device_open: name is NULL");
  if (!device) return fail(error, TS_INVALID_ARGUMENT, "ts_device_open: device is NULL");
  *device = nullptr;
  const char *colon = strchr(name, ':');
  size_t length = colon ? static_cast<size_t>(colon - name) : strlen(name);
  int ordinal = 0;
  bool numbered = length == 4 && !strncmp(name, "cuda", 4);
  if (colon) {
    char *end;
    unsigned long value = strtoul(colon + 1, &end, 10);
    if (!numbered || colon[1] < '0' || colon[1] > '9' || *end || value > 1023)
      return fail(error, TS_INVALID_ARGUMENT, "there is no device \"%s\": devices are cpu, cuda:N and cuda-emulated",
                  name);
    ordinal = static_cast<int>(value);
  } else if (numbered) {
    return fail(error, TS_INVALID_ARGUMENT, "device \"cuda\" needs a number: the first one is cuda:0");
  }
  for (tessera::Entry &entry : tessera::entries) {
    if (strlen(entry.name) != length || strncmp(entry.name, name, length)) continue;
    const ts_backend *backend = tessera::backend_of(entry);
    if (!backend) return fail(error, TS_UNAVAILABLE, "device %s cannot be had: %s", name, entry.reason);
    auto *opened = new (std::nothrow) ts_device{};
    if (!opened) return fail(error, TS_OUT_OF_MEMORY, "ts_device_open: no memory for the device");
    opened->backend = backend;
    opened->name = name;
    ts_report report{};
    ts_status status = backend->device_open(ordinal, opened, &report, &opened->impl);
    if (status != TS_OK) {
      delete opened;
      return tessera::pass_on(error, report, status);
    }
    *device = opened;
    return TS_OK;
  }
  return fail(error, TS_INVALID_ARGUMENT, "there is no device \"%s\": devices are cpu, cuda:N and cuda-emulated", name);
}

ts_status ts_device_close(ts_device *device, ts_error *error) {
  if (!device) return fail(error, TS_INVALID_ARGUMENT, "ts_device_close: device is NULL");
  {
    std::lock_guard<std::mutex> lock(device->mutex);
    int64_t children = device->children;
    if (children > 0 || !device->allocations.empty())
      return fail(
          error, TS_BUSY,
          "device %s is in use by %lld open streams, events and codebooks and %zu allocations: close them first",
          device->name.c_str(), static_cast<long long>(children), device->allocations.size());
  }
  device->backend->device_close(device->impl);
  delete device;
  return TS_OK;
}

ts_status ts_device_describe(const ts_device *device, ts_device_info *info, ts_error *error) {
  if (!device || !info)
    return fail(error, TS_INVALID_ARGUMENT, "ts_device_describe: %s is NULL", device ? "info" : "device");
  if (info->struct_size != sizeof *info)
    return fail(error, TS_INVALID_ARGUMENT, "ts_device_describe: info.struct_size is %u but must be %zu",
                info->struct_size, sizeof *info);
  ts_report report{};
  snprintf(info->name, sizeof info->name, "%s", device->name.c_str());
  return tessera::pass_on(error, report, device->backend->device_describe(device->impl, info, &report));
}

ts_status ts_device_memory(const ts_device *device, ts_memory_info *info, ts_error *error) {
  if (!device || !info)
    return fail(error, TS_INVALID_ARGUMENT, "ts_device_memory: %s is NULL", device ? "info" : "device");
  if (info->struct_size != sizeof *info)
    return fail(error, TS_INVALID_ARGUMENT, "ts_device_memory: info.struct_size is %u but must be %zu",
                info->struct_size, sizeof *info);
  auto *d = const_cast<ts_device *>(device);
  std::lock_guard<std::mutex> lock(d->mutex);
  info->bytes_in_use = d->bytes_in_use;
  info->peak_bytes = d->peak_bytes;
  info->allocation_count = d->allocation_count;
  return TS_OK;
}

ts_status ts_alloc(ts_device *device, uint64_t bytes, uint64_t *address, ts_error *error) {
  if (!device || !address)
    return fail(error, TS_INVALID_ARGUMENT, "ts_alloc: %s is NULL", device ? "address" : "device");
  *address = 0;
  if (bytes == 0) return TS_OK;
  if (bytes > (uint64_t{1} << 62))
    return fail(error, TS_OUT_OF_MEMORY, "ts_alloc: %llu bytes are more than any device has",
                static_cast<unsigned long long>(bytes));
  ts_report report{};
  void *memory = nullptr;
  ts_status status = device->backend->alloc(device->impl, bytes, &memory, &report);
  if (status != TS_OK) return tessera::pass_on(error, report, status);
  {
    std::lock_guard<std::mutex> lock(device->mutex);
    device->allocations[reinterpret_cast<uint64_t>(memory)] = bytes;
  }
  device->account(static_cast<int64_t>(bytes));
  *address = reinterpret_cast<uint64_t>(memory);
  return TS_OK;
}

ts_status ts_free(ts_device *device, uint64_t address, ts_error *error) {
  if (!device) return fail(error, TS_INVALID_ARGUMENT, "ts_free: device is NULL");
  if (address == 0) return TS_OK;
  uint64_t bytes;
  {
    std::lock_guard<std::mutex> lock(device->mutex);
    auto found = device->allocations.find(address);
    if (found == device->allocations.end())
      return fail(error, TS_INVALID_ARGUMENT,
                  "ts_free: address 0x%llx was not given by ts_alloc of this device, or is freed already",
                  static_cast<unsigned long long>(address));
    bytes = found->second;
    device->allocations.erase(found);
  }
  device->account(-static_cast<int64_t>(bytes));
  device->backend->free(device->impl, reinterpret_cast<void *>(address));
  return TS_OK;
}

ts_status ts_memory_check(ts_device *device, uint64_t address, uint64_t bytes, ts_error *error) {
  if (!device) return fail(error, TS_INVALID_ARGUMENT, "ts_memory_check: device is NULL");
  if (address == 0) return fail(error, TS_INVALID_ARGUMENT, "ts_memory_check: address is 0");
  if (bytes == 0 || address + bytes < address)
    return fail(error, TS_INVALID_ARGUMENT, "ts_memory_check: bytes is %llu but must be at least 1, and end in memory",
                static_cast<unsigned long long>(bytes));
  if (!device->backend->memory_check)
    return fail(error, TS_UNAVAILABLE, "ts_memory_check: device %s cannot tell whose memory an address is",
                device->name.c_str());
  ts_report report{};
  return tessera::pass_on(
      error, report,
      device->backend->memory_check(device->impl, reinterpret_cast<const void *>(address), bytes, &report));
}
