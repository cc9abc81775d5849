// Families of the nearest-code search: how rows and codes are packed and screened. What comes before and after the
// screen is the same for all of them (search.cu).
#pragma once

#include "backend/stream.h"
#include "cpu/vq/bound.h"
#include "kernels/assign.cuh"

namespace tessera::cuda {

// Where a codebook's version keeps what is packed from its codes.
struct PackedCodes {
  const double *mean64;  // [d] the codes' mean
  float *mean;
  uint4 *packed;
  float *half_norm;
  PanelTerms *terms;
  Spread *spread;
};

// Rows of one launch, in device memory; first_row is their place in the batch, for faults.
struct RowsToConvert {
  const float *x;
  int64_t first_row;
  FaultSlot fault;
  int32_t *codes;
};

// How one chunk of rows is screened.
struct ScreenLaunch {
  ScreenPlan plan;
  int depth;   // numbers of a step, for families that have a choice
  int blocks;  // that share the tiles of rows
  int splits;  // of the codebook
  size_t shared_bytes;
};

struct Family {
  const char *name;                    // as in TESSERA_KERNEL, ts_vq_stats and the report of launches
  cpu::vq::Bound (*bound)(int64_t d);  // of the screen's scores
  int (*units)(int64_t d);             // of a packed row or code
  ts_status (*pack)(Stream *s, const CodebookView &book, const PackedCodes &to);
  ts_status (*convert)(Stream *s, const CodebookView &book, const BoundTerms &bound, const RowsToConvert &rows,
                       const SearchWork &work, int lists);
  ScreenLaunch (*plan)(const Device *device, const CodebookView &book, int rows);
  ts_status (*screen)(Stream *s, const CodebookView &book, const SearchWork &work, const ScreenLaunch &launch,
                      float factor);
};

extern const Family fp32_simt;  // assign_simt.cu
extern const Family fp16_mma;   // assign_mma.cu

// The family for codes of d numbers: TESSERA_KERNEL's, or the fastest that this device has and that suits them. A
// tensor-core family counts as there once it has reproduced fp32_simt's codes on this device: the first call tries that
// out, which takes milliseconds, and says so on standard error if it does not.
ts_status choose_family(Device *device, int64_t d, ts_report *report, const Family **family);

// The trial: whether the family finds the codes that fp32_simt finds, on rows that lie closely between codes.
ts_status agrees_with_simt(Device *device, const Family *family, ts_report *report, bool *agrees);

#if defined(TS_EMULATED)
// What every bound is multiplied by: a test sets it to 0 to see the certificate missed.
extern float certificate_factor;
#else
constexpr float certificate_factor = 1.0f;
#endif

}  // namespace tessera::cuda
