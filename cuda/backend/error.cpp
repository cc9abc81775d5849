#include "backend/error.h"

#include <cstring>

namespace tessera::cuda {

const ts_host *host = nullptr;

ts_status check(ts_report *report, cudaError_t error, const char *call) {
  if (error == cudaSuccess) return TS_OK;
  // The function's name is enough: its arguments are ours.
  auto length = static_cast<int>(strcspn(call, "("));
  return host->fail(report, error == cudaErrorMemoryAllocation ? TS_OUT_OF_MEMORY : TS_INTERNAL, "%.*s: %s (%s)",
                    length, call, cudaGetErrorName(error), cudaGetErrorString(error));
}

}  // namespace tessera::cuda
