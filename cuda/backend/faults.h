// The host's side of a stream's data faults: see kernels/fault.cuh.
#pragma once

#include <vector>

#include "backend/device.h"
#include "kernels/fault.cuh"

namespace tessera::cuda {

class Faults {
 public:
  ~Faults();

  ts_status open(Device *device, cudaStream_t stream, ts_report *report);

  // The slot of an op that is about to be launched. `op` lives as long as the program.
  ts_status begin(ts_fault_kind kind, const char *op, FaultSlot *slot);

  // Waits for the stream, and reports what went wrong since the last time.
  ts_status collect();

  // For an op whose own answer is wanted at once. collect_earlier() goes before its begin(): it reports what earlier
  // ops did wrong, but leaves the status of it to a later collect(). collect_own() is collect() without that status.
  ts_status collect_earlier();
  ts_status collect_own();

 private:
  ts_status look();

  struct Op {
    ts_fault_kind kind;
    const char *name;
  };

  cudaStream_t stream_ = nullptr;
  ts_report *report_ = nullptr;
  Memory record_;
  uint64_t *seen_ = nullptr;  // pinned copy of the record
  std::vector<Op> ops_;       // since the last time, those that can be at fault
  bool owed_ = false;         // a fault whose status nobody has got yet
};

}  // namespace tessera::cuda
