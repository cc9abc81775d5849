// CUDA's errors as statuses with a message that names the call and the error.
#pragma once

#include <cuda_runtime.h>

#include "core/backend.h"

namespace tessera::cuda {

// The core's services; set once, when the backend is initialised.
extern const ts_host *host;

// TS_OK, or the message "CALL: NAME (text)" in the report.
ts_status check(ts_report *report, cudaError_t error, const char *call);

#define TS_CUDA(report, call) ::tessera::cuda::check((report), (call), #call)

// Leaves the function with the status if it is not TS_OK.
#define TS_TRY(expression)                                                  \
  do {                                                                      \
    if (ts_status status_ = (expression); status_ != TS_OK) return status_; \
  } while (0)

}  // namespace tessera::cuda
