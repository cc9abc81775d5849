// Kernels that are compiled once for each instruction set, and chosen by what the processor has: products in tiles of
// registers, attention of one head, and rows of functions that need an exponential.
#pragma once

#include <cstdint>

namespace tessera::cpu {

// Attention of one head of one image. Rows of q, k, v and of their gradients are `step` floats apart, those of y and dy
// `y_step`. All have d floats. The head after it, whose memory is asked for meanwhile, is `next` floats further on in
// all of q, k, v and their gradients and `y_next` further on in y and dy; both are 0 for none.
struct HeadForward {
  const float *q, *k, *v;
  int64_t step;
  float *y;
  int64_t y_step;
  float *lse;  // [t]
  int64_t t, d;
  int64_t next, y_next;
};

struct HeadBackward {
  const float *q, *k, *v;
  float *dq, *dk, *dv;
  int64_t step;
  const float *y, *dy;
  int64_t y_step;
  const float *lse;
  int64_t t, d;
  int64_t next, y_next;
};

// One query against n keys and values, whose rows are `step` floats apart.
struct HeadStep {
  const float *q, *k, *v;
  int64_t step;
  float *y;
  int64_t n, d;
};

// c [m, n] = act(a [m, k] b [k, n] + bias), rows dense; see ts_matmul_params.sequential.
struct SequentialProduct {
  const float *a, *b, *bias;
  float *c;
  int64_t n, k;
  bool relu;
};

// Memory that is needed soon: `rows` rows of `floats` floats, `step` apart.
struct Ahead {
  const float *from = nullptr;
  int64_t step = 0, rows = 0, floats = 0;
};

// Rows of c (+)= a b, where b is packed into panels of kPanel columns, [panels][k][kPanel]: what is read one after the
// other lies so in memory, whatever b's rows are. Rows of a come in blocks of kPanelRows, `a_block` floats apart.
constexpr int64_t kPanel = 64, kPanelRows = 6;
struct PanelProduct {
  const float *a;
  int64_t a_row, a_step, a_block;  // element (i, k) of a block is at i a_row + k a_step
  const float *b, *bias;           // bias of b's columns, of a product that is not added to c; or null
  float *c;
  int64_t c_row, rows, columns, k;
  bool accumulate, relu;
  Ahead ahead;  // fetched meanwhile
};

struct Kernels {
  // Rows [first, first + rows) of c, columns [column, column + columns).
  void (*sequential_product)(const SequentialProduct &product, int64_t first, int64_t rows, int64_t column,
                             int64_t columns);
  void (*panel_product)(const PanelProduct &product);
  // A panel from `columns` columns of b, whose rows (of b or, transposed, of its transpose) are `row` floats apart.
  void (*pack_panel)(const float *b, bool transposed, int64_t row, int64_t k, int64_t columns, float *panel);
  // Scratch memory has as many floats as the functions below say, aligned to 64 bytes.
  void (*head_forward)(const HeadForward &head, float *scratch);
  void (*head_backward)(const HeadBackward &head, float *scratch);
  void (*head_step)(const HeadStep &head, float *scratch);
  void (*gelu)(const float *x, float *y, int64_t n);
  void (*gelu_backward)(const float *x, const float *dy, float *dx, int64_t n);
  // The largest of n >= 1 numbers; a NaN may be passed over.
  float (*largest)(const float *x, int64_t n);
  // x[i] *= factor
  void (*scale_row)(float *x, float factor, int64_t n);
  // e[i] = exp(x[i] - most), and their sum in float64; e may be x, or null.
  double (*exponentials)(const float *x, float most, float *e, int64_t n);
};

struct Stream;

// The best for this processor, or those that the environment variable TESSERA_LANES names (avx512, avx2, portable).
// Null, with the message in the stream, if it names none that run here.
const Kernels *kernels(const Stream *stream);

extern const Kernels kPortableKernels;
#if defined(__x86_64__)
extern const Kernels kAvx2Kernels;
extern const Kernels kAvx512Kernels;
#endif

}  // namespace tessera::cpu
