// The objects behind the opaque handles of tessera.h.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/backend.h"

struct ts_device {
  const ts_backend *backend;
  void *impl = nullptr;
  std::string name;
  std::atomic<int64_t> children{0};  // open streams, events and codebooks

  std::mutex mutex;                                    // guards the rest
  std::unordered_map<uint64_t, uint64_t> allocations;  // address of ts_alloc -> bytes
  uint64_t bytes_in_use = 0;
  uint64_t peak_bytes = 0;
  uint64_t allocation_count = 0;

  // Counts memory taken (positive) or given back (negative).
  void account(int64_t bytes);
};

struct ts_stream {
  ts_device *device;
  void *impl = nullptr;
  ts_report report{};
  mutable std::mutex mutex;  // held by every call, so that two threads on one stream take turns
};

struct ts_event {
  ts_device *device;
  void *impl = nullptr;
};

namespace tessera {

class Call;
struct Shelf;

// One immutable version of a codebook. References are counted under the shelf's mutex.
struct Version {
  void *impl;
  uint64_t number = 0;
  int references = 0;
};

// What all handles of one codebook share: its versions. A version that nobody uses any more is kept as a spare and
// overwritten by a later update, so that a training loop allocates its two versions once.
struct Shelf {
  ts_device *device;
  int64_t k, d;
  std::mutex mutex;
  std::vector<Version *> spares;
  int handles = 0;  // open handles, pinned ones included
};

// A reference to the version that a handle showed when the call began; released with its scope. With a stream, the work
// that is put into it meanwhile reads the version.
class PinnedVersion {
 public:
  explicit PinnedVersion(const ts_codebook *codebook, const ts_stream *reader = nullptr);
  ~PinnedVersion();
  PinnedVersion(const PinnedVersion &) = delete;
  PinnedVersion &operator=(const PinnedVersion &) = delete;
  const Version &operator*() const { return *version_; }
  const Version *operator->() const { return version_; }

 private:
  Shelf *shelf_;
  Version *version_;
  const ts_stream *reader_;
};

// Takes a version to write the next codes into: a spare, or a new one. Null if there is no memory (the message is in
// `report`). It is then either published or put back.
Version *take_spare(ts_codebook *codebook, ts_report *report);
// Before work that overwrites a version is put into the call's stream.
void begin_write(const Call &call, Version *version);
void put_back(ts_codebook *codebook, Version *version);
void publish(ts_codebook *codebook, Version *version);

extern const ts_host host_table;

}  // namespace tessera

struct ts_codebook {
  tessera::Shelf *shelf;
  tessera::Version *current;  // guarded by the shelf's mutex
  bool pinned;
};
