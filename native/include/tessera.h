/*
 * tessera.h: the whole C interface of Tessera, and the only input of its Java bindings.
 *
 * Plain flat C: opaque handles, fixed-width integers, plain structs, enums, functions that return ts_status. No
 * unions, bit-fields, callbacks or function-like macros, so that jextract and our own generator read all of it.
 *
 * Conventions, for every function unless its comment says otherwise:
 *
 *   Addresses    Device memory is a uint64_t address (on the CPU: the pointer's value). Host memory is a pointer.
 *   Tensors      Dense, row-major, described by ts_tensor. Images are channels-last [B,H,W,C].
 *   Aliasing     An output may not overlap another argument unless the comment names the pair as "in place".
 *   Order        Calls in one stream run in order. Different streams may be used from different threads at once.
 *   Status       TS_OK, or what went wrong. Calls with a stream leave the message in it (ts_stream_error); calls
 *                without one write it to the caller's ts_error, which may be NULL. Nothing is thread-local.
 *   Bad input    NULL, negative, overflowing, misaligned or mismatched arguments are refused with TS_INVALID_ARGUMENT
 *                before anything is written. Handles must be open: use after close is undefined in C (Java guards it).
 *   Data faults  What depends on values (a NaN in a row, a code out of range) sets the stream's sticky ts_fault and
 *                returns TS_DATA_FAULT; the CPU does so at once, a GPU at the next synchronise or copy to the host.
 *                Rows without a fault are still computed.
 *   Structs      Parameter and info structs begin with struct_size, which the caller sets to sizeof the struct.
 */
#ifndef TESSERA_H
#define TESSERA_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The version of this interface. A library and its caller must agree on it exactly: see ts_abi_version. */
#define TS_ABI_VERSION 2

/* The most dimensions a tensor can have. */
#define TS_MAX_RANK 6

/* Length of the histogram in ts_vq_stats. */
#define TS_CANDIDATE_BINS 16

/* ------------------------------------------------------------------------------------------------ errors -------- */

typedef enum ts_status {
  TS_OK = 0,
  TS_INVALID_ARGUMENT = 1, /* an argument is wrong; the message names it, what it was and what it must be */
  TS_OUT_OF_MEMORY = 2,    /* host or device memory could not be had */
  TS_UNAVAILABLE = 3,      /* the device or library cannot be had here; the message says why */
  TS_DATA_FAULT = 4,       /* the values of a tensor are at fault; see ts_stream_fault */
  TS_BUSY = 5,             /* the object is still used by others (a device with open streams) */
  TS_INTERNAL = 6          /* a fault of Tessera's own, or of a library under it */
} ts_status;

/* A message for people, NUL-terminated, cut if it does not fit. */
typedef struct ts_error {
  int32_t status; /* a ts_status */
  char message[508];
} ts_error;

/* Returns TS_ABI_VERSION as the library was built. */
uint32_t ts_abi_version(void);

/* ----------------------------------------------------------------------------------------------- tensors -------- */

typedef enum ts_dtype {
  TS_F32 = 0,
  TS_F64 = 1,
  TS_I32 = 2,
  TS_I64 = 3,
  TS_U8 = 4,
  TS_BF16 = 5, /* reserved: no op takes it yet */
  TS_F16 = 6   /* reserved: no op takes it yet */
} ts_dtype;

/* A dense row-major tensor in device memory. rank 0 is a scalar. dims beyond rank are ignored. */
typedef struct ts_tensor {
  uint64_t data;             /* device address, aligned to the element size; may be 0 only if a dimension is 0 */
  int32_t dtype;             /* a ts_dtype */
  int32_t rank;              /* 0 to TS_MAX_RANK */
  int64_t dims[TS_MAX_RANK]; /* each >= 0 */
} ts_tensor;

/* ------------------------------------------------------------------------------ backends and devices -------- */

typedef struct ts_device ts_device;
typedef struct ts_stream ts_stream;
typedef struct ts_event ts_event;
typedef struct ts_codebook ts_codebook;

/* What one backend of the registry offers on this machine. */
typedef struct ts_backend_info {
  uint32_t struct_size;
  int32_t device_count; /* devices that can be opened now; 0 if none */
  char name[32];        /* "cpu", "cuda", "cuda-emulated" */
  char detail[472];     /* with devices: what they are. Without: why there is none */
} ts_backend_info;

/* Number of backends that the registry knows, available here or not. */
uint32_t ts_backend_count(void);

/* Describes backend `index` (0 <= index < ts_backend_count()). */
ts_status ts_backend_describe(uint32_t index, ts_backend_info *info, ts_error *error);

/*
 * Opens a device by name: "cpu", "cuda:N" or "cuda-emulated". A device that cannot be had answers TS_UNAVAILABLE and
 * says why (no driver, no such ordinal, library not built). Every open device is closed with ts_device_close.
 */
ts_status ts_device_open(const char *name, ts_device **device, ts_error *error);

/* Closes a device. TS_BUSY, and the device stays open, while it has open streams, events, codebooks or memory. */
ts_status ts_device_close(ts_device *device, ts_error *error);

typedef struct ts_device_info {
  uint32_t struct_size;
  int32_t max_threads;        /* CPU: processors this process may use; GPU: 0 */
  uint64_t memory_bytes;      /* memory of the device in bytes */
  char name[32];              /* as opened */
  char description[128];      /* model of the processor or GPU */
  char instruction_sets[128]; /* CPU: those that kernels may use here; GPU: compute capability */
} ts_device_info;

ts_status ts_device_describe(const ts_device *device, ts_device_info *info, ts_error *error);

/* Device memory handed out by ts_alloc and used inside the library for streams and codebooks. */
typedef struct ts_memory_info {
  uint32_t struct_size;
  uint32_t reserved;
  uint64_t bytes_in_use;     /* now */
  uint64_t peak_bytes;       /* the most at any time since the device was opened */
  uint64_t allocation_count; /* allocations ever made: unchanged over a step means that the step allocated nothing */
} ts_memory_info;

ts_status ts_device_memory(const ts_device *device, ts_memory_info *info, ts_error *error);

/* Allocates `bytes` of device memory, aligned to 64 bytes, not cleared. 0 bytes gives address 0. */
ts_status ts_alloc(ts_device *device, uint64_t bytes, uint64_t *address, ts_error *error);

/* Frees memory of ts_alloc. Address 0 is ignored; an address that ts_alloc did not give is refused. */
ts_status ts_free(ts_device *device, uint64_t address, ts_error *error);

/*
 * Whether the `bytes` >= 1 bytes at `address`, which another library allocated on the same GPU (CUDA's runtime, JCuda),
 * are memory of this device: then tensors may lie there as in memory of ts_alloc, for as long as it stays allocated.
 * The first and the last byte are looked at. TS_INVALID_ARGUMENT says what is there instead. The CPU cannot tell:
 * TS_UNAVAILABLE.
 */
ts_status ts_memory_check(ts_device *device, uint64_t address, uint64_t bytes, ts_error *error);

/* ---------------------------------------------------------------------------------- streams and events -------- */

typedef struct ts_stream_options {
  uint32_t struct_size;
  int32_t threads; /* CPU: threads that ops of this stream use, 1 to 1024; 0 means 1. GPU: ignored */
} ts_stream_options;

/* Opens a stream; options may be NULL for the defaults. */
ts_status ts_stream_open(ts_device *device, const ts_stream_options *options, ts_stream **stream, ts_error *error);

/*
 * Opens a stream over a queue of the device that another library opened: on a GPU a cudaStream_t. What is put into
 * either runs in the order of the calls. ts_stream_close waits for the queue and leaves it open; until then it must
 * stay open. Refused are 0 (CUDA's default stream has the value 1, cudaStreamLegacy), 2 (cudaStreamPerThread: another
 * queue in each thread has no order) and queues of other devices. The CPU has no queues: TS_UNAVAILABLE.
 */
ts_status ts_stream_wrap(ts_device *device, uint64_t queue, ts_stream **stream, ts_error *error);

/* The device's own queue behind a stream, a cudaStream_t, which lives as long. The CPU has none: TS_UNAVAILABLE. */
ts_status ts_stream_queue(ts_stream *stream, uint64_t *queue);

/* Waits for the stream's work, then closes it. */
ts_status ts_stream_close(ts_stream *stream, ts_error *error);

/* Makes the stream's scratch memory at least `bytes` large, so that ops needing no more allocate nothing. */
ts_status ts_stream_reserve(ts_stream *stream, uint64_t bytes);

/* Waits until all work of the stream is done; reports data faults of a GPU's ops. */
ts_status ts_stream_synchronize(ts_stream *stream);

/*
 * Measures what the stream's processors can do at most in fp32: the rate, in 10^9 operations a second, of multiply-adds
 * (two operations each) that depend neither on each other nor on memory, on as many threads as the stream has: the best
 * of a few loops, about 2 ms in all. For comparing other rates with, so measure it beside them: clocks change.
 * vector_bits is 0 for the widest vectors that the processor has, or 512 (AVX-512), 256 (AVX2 with FMA) or 128; a width
 * that it does not have, or a device that does not measure itself, is TS_UNAVAILABLE.
 */
ts_status ts_measure_fp32_peak(ts_stream *stream, int32_t vector_bits, double *gflops);

/* Copies the status and message of the stream's last failed call. */
ts_status ts_stream_error(const ts_stream *stream, ts_error *error);

typedef enum ts_fault_kind {
  TS_FAULT_NONE = 0,
  TS_FAULT_NONFINITE_ROW = 1,  /* a row of x has a NaN or an infinity; its code is -1 */
  TS_FAULT_NONFINITE_CODE = 2, /* a code of the codebook has a NaN or an infinity; `row` is the code */
  TS_FAULT_CODE_RANGE = 3      /* a code is outside 0..K-1; its gathered row is zero and it counts nowhere */
} ts_fault_kind;

/* The first data fault since the last ts_stream_fault. */
typedef struct ts_fault {
  uint32_t struct_size;
  int32_t kind; /* a ts_fault_kind */
  int64_t row;  /* row (or code) at fault; the lowest one of the op */
  char op[32];  /* the function, without its prefix: "vq_assign" */
} ts_fault;

/* Copies the sticky fault record and clears it. kind is TS_FAULT_NONE if there was none. */
ts_status ts_stream_fault(ts_stream *stream, ts_fault *fault);

/* Events order streams among each other and time them. */
ts_status ts_event_open(ts_device *device, ts_event **event, ts_error *error);
ts_status ts_event_close(ts_event *event, ts_error *error);

/* Marks the point that `stream` has reached. */
ts_status ts_event_record(ts_stream *stream, ts_event *event);

/* Makes later work of `stream` wait for the event's last record (nothing if it was never recorded). */
ts_status ts_stream_wait(ts_stream *stream, const ts_event *event);

/* Seconds from `start` to `end`, both recorded and reached; waits for `end`. */
ts_status ts_event_elapsed(const ts_event *start, const ts_event *end, double *seconds, ts_error *error);

/* ---------------------------------------------------------------------------------------- copy and fill -------- */

/* Host to device. The host buffer may be reused when the call returns. */
ts_status ts_copy_to_device(ts_stream *stream, uint64_t destination, const void *source, uint64_t bytes);

/* Device to host; waits for the stream's earlier work and reports its data faults. */
ts_status ts_copy_to_host(ts_stream *stream, void *destination, uint64_t source, uint64_t bytes);

/* Device to the same device; the ranges may not overlap. */
ts_status ts_copy(ts_stream *stream, uint64_t destination, uint64_t source, uint64_t bytes);

/* Sets every element of y (any dtype except bf16 and f16; integers take the value truncated) to `value`. */
ts_status ts_fill(ts_stream *stream, const ts_tensor *y, double value);

typedef struct ts_random_params {
  uint32_t struct_size;
  uint32_t stream; /* random stream: one per use, so that uses do not share numbers */
  uint64_t seed;
  uint64_t step;
  float low;
  float high; /* finite, >= low */
} ts_random_params;

/*
 * Fills y (f32) with uniform numbers in [low, high) (up to rounding) by Philox4x32-10 (Salmon et al. 2011, "Parallel
 * random numbers: as easy as 1, 2, 3"). Element i is word i%4 of the block with key (lo32 seed, hi32 seed) and counter
 * (i/4, stream, lo32 step, hi32 step); u = (word >> 8) * 2^-24 and y = fma(u, high - low, low). y has < 2^34 elements.
 */
ts_status ts_random_uniform(ts_stream *stream, const ts_random_params *params, const ts_tensor *y);

/* --------------------------------------------------------------------------------------------- codebooks -------- */

/*
 * A codebook holds K codes of D numbers, and whatever the backend packs from them. Its current version is immutable:
 * ops that are running keep the one they began with while an update publishes the next.
 */

typedef struct ts_codebook_info {
  uint32_t struct_size;
  uint32_t pinned;  /* 1 for a handle of ts_codebook_pin */
  int64_t codes;    /* K */
  int64_t dim;      /* D */
  uint64_t version; /* 1 for the first, one more for each update */
  uint64_t bytes;   /* device memory of the current version: codes and what is packed from them */
} ts_codebook_info;

/*
 * Creates a codebook from `codes` [K,D] f32, 1 <= K < 2^31, 1 <= D <= 65536, all finite (else TS_DATA_FAULT, and no
 * handle is made).
 */
ts_status ts_codebook_open(ts_stream *stream, const ts_tensor *codes, ts_codebook **codebook);

/* Closes a handle; versions live on while another handle pins them. */
ts_status ts_codebook_close(ts_codebook *codebook, ts_error *error);

/* Publishes `codes` [K,D] f32 as the next version. On a data fault the current version stays. */
ts_status ts_codebook_update(ts_stream *stream, ts_codebook *codebook, const ts_tensor *codes);

/* A read-only handle on the version that is current now; it never changes. Close it like any other. */
ts_status ts_codebook_pin(const ts_codebook *codebook, ts_codebook **pinned, ts_error *error);

ts_status ts_codebook_describe(const ts_codebook *codebook, ts_codebook_info *info, ts_error *error);

/* Copies the current codes to `codes` [K,D] f32. */
ts_status ts_codebook_read(ts_stream *stream, const ts_codebook *codebook, const ts_tensor *codes);

/* ----------------------------------------------------------------------------------- vector quantisation -------- */

/*
 * Below, x is [...,D] f32 and N the product of its leading dimensions, so that an encoder's output [B,H,W,D] is taken
 * as it is; codes is i32 with N elements in any shape. N may be 0.
 */

/*
 * Nearest code, exactly:
 *   code(x) = argmin_k sum_d (x_d - c_kd)^2
 * evaluated in float64 as acc = fma(diff, diff, acc) over ascending d, diff = (double)x_d - (double)c_kd; of equal
 * sums the lowest k wins. The answer is the same bits on every backend, instruction set, batch size and thread count.
 * A row with a NaN or an infinity is a data fault and gets code -1.
 */
ts_status ts_vq_assign(ts_stream *stream, const ts_codebook *codebook, const ts_tensor *x, const ts_tensor *codes);

/* out[n] = c[codes[n]], out [...,D] f32. A code out of range is a data fault and gives a row of zeros. */
ts_status ts_vq_gather(ts_stream *stream, const ts_codebook *codebook, const ts_tensor *codes, const ts_tensor *out);

/*
 * Assign, gather, squared error and scatter-update in one pass over x. Any output but `codes` may be NULL:
 *   quantized      [...,D] f32   c[codes[n]]
 *   squared_error  f64, 1 element  sum over n and d of (x - quantized)^2: each row in float64 over ascending d as
 *                  acc = fma(diff, diff, acc), rows added in ascending order within blocks of 1024, then the blocks
 *   counts, sums   as ts_vq_scatter gives them; both or neither
 * Rows at fault add nothing to the last three, and their quantized row is zero.
 */
ts_status ts_vq_quantize(ts_stream *stream, const ts_codebook *codebook, const ts_tensor *x, const ts_tensor *codes,
                         const ts_tensor *quantized, const ts_tensor *squared_error, const ts_tensor *counts,
                         const ts_tensor *sums);

/*
 * Counts [K] i32 and sums [K,D] f32 of the rows of each code; overwritten, not added to. One order of addition on
 * every backend and thread count, in fp32: for each code the rows in ascending order within each block of 1024 rows of
 * the batch (starting from +0), and the block sums in ascending order (starting from +0; blocks without a row of the
 * code add nothing). A code out of range is a data fault and is skipped.
 */
ts_status ts_vq_scatter(ts_stream *stream, const ts_tensor *x, const ts_tensor *codes, const ts_tensor *counts,
                        const ts_tensor *sums);

typedef struct ts_vq_ema_params {
  uint32_t struct_size;
  uint32_t reserved;
  int64_t step;   /* t >= 1: how many updates, this one included, the hidden averages have seen */
  double decay;   /* gamma, 0 <= gamma < 1; 0.99 in the paper and in Sonnet */
  double epsilon; /* Laplace smoothing, >= 0; 1e-5 in Sonnet */
} ts_vq_ema_params;

/*
 * EMA update of the codebook as DeepMind's Sonnet computes it (snt.nets.VectorQuantizerEMA), van den Oord et al. 2017,
 * appendix A.1:
 *   hidden   <- hidden - (hidden - value) (1 - decay)       for counts and for sums; hidden starts at 0
 *   average   = hidden / (1 - decay^step)
 *   smoothed_k = (N_k + epsilon) / (n + K epsilon) n        N = average counts, n = sum_k N_k; not stored back
 *   c_k       = average sum_k / smoothed_k
 * counts [K] i32 and sums [K,D] f32 are this batch's; hidden_counts [K] f32 and hidden_sums [K,D] f32 are updated in
 * place; the new codes are published as the codebook's next version. With n = 0 (nothing was ever counted) the codes
 * stay as they are.
 */
ts_status ts_vq_ema_update(ts_stream *stream, ts_codebook *codebook, const ts_vq_ema_params *params,
                           const ts_tensor *counts, const ts_tensor *sums, const ts_tensor *hidden_counts,
                           const ts_tensor *hidden_sums);

typedef struct ts_vq_restart_params {
  uint32_t struct_size;
  uint32_t reserved;
  uint64_t seed;    /* of the draw */
  int64_t step;     /* t >= 1 of the EMA update before, which also tells draws apart */
  double decay;     /* gamma of the moving averages, 0 <= gamma < 1 */
  double threshold; /* codes whose average count is below it begin again, > 0; scale it to N / K: a fixed one flags
                       almost every code where K exceeds N */
} ts_vq_restart_params;

/*
 * Restart of dead codes (Jukebox, Dhariwal et al. 2020, section 3.1): every code k whose average count
 * hidden_counts[k] / (1 - decay^step) is below the threshold becomes row (r N) >> 32 of x [...,D], N >= 1, with r word
 * 0 of Philox4x32-10 with key (lo32 seed, hi32 seed) and counter (k, 0x52535452, lo32 step, hi32 step). Its hidden
 * count becomes that of an average of `threshold`, and its hidden sum the row times it, so that the next update keeps
 * the row. The new codes are published as the next version, even if none was restarted; a row that is not finite is a
 * data fault, and the version stays. restarted (i32, 1 element) = how many.
 */
ts_status ts_vq_restart(ts_stream *stream, ts_codebook *codebook, const ts_vq_restart_params *params,
                        const ts_tensor *x, const ts_tensor *hidden_counts, const ts_tensor *hidden_sums,
                        const ts_tensor *restarted);

/*
 * Gradient of the quantiser by its input (van den Oord et al. 2017, eq. 3): straight-through plus commitment,
 *   grad_x = grad_quantized + commitment * 2 (x - quantized) / size(x)
 * where `commitment` is beta times the loss's scale: the derivative of beta * mean((x - sg[q])^2). grad_quantized may
 * be NULL (zero); grad_x may be grad_quantized (in place). All f32 of x's shape.
 */
ts_status ts_vq_backward(ts_stream *stream, double commitment, const ts_tensor *x, const ts_tensor *quantized,
                         const ts_tensor *grad_quantized, const ts_tensor *grad_x);

/*
 * Gradient of the codebook loss mean((sg[x] - e)^2) by the codes, from the counts [K] i32 and sums [K,D] f32 of
 * ts_vq_scatter:  grad_k = scale (counts_k c_k - sums_k), [K,D] f32; scale = 2 / (N D) for the mean.
 */
ts_status ts_vq_codebook_grad(ts_stream *stream, const ts_codebook *codebook, double scale, const ts_tensor *counts,
                              const ts_tensor *sums, const ts_tensor *grad);

/* What the nearest-code searches of one stream did since the last reset. */
typedef struct ts_vq_stats {
  uint32_t struct_size;
  uint32_t reserved;
  uint64_t rows;                         /* rows searched */
  uint64_t candidates;                   /* codes left after all screening, summed over rows */
  uint64_t rescored_rows;                /* rows with more than one code left, decided in float64 */
  uint64_t scanned_rows;                 /* rows whose bounds were useless (overflow), decided by a full float64 scan */
  uint64_t histogram[TS_CANDIDATE_BINS]; /* rows by number of codes left; the last bin holds all above */
  char kernel[32];                       /* family that ran last: "fp32-avx512", ... */
} ts_vq_stats;

/* Copies the statistics, and clears them if `reset` is not 0. */
ts_status ts_vq_statistics(ts_stream *stream, int32_t reset, ts_vq_stats *stats);

/* ------------------------------------------------------------------------------------------------ layers -------- */

typedef enum ts_activation { TS_ACTIVATION_NONE = 0, TS_ACTIVATION_RELU = 1 } ts_activation;

/*
 * Cross-correlation as in every deep-learning library:
 *   out = (in + pad_before + pad_after - dilation (kernel - 1) - 1) / stride + 1, rounded down.
 * Padding is per side: Keras' "same" at stride 2 pads only bottom and right.
 */
typedef struct ts_conv2d_params {
  uint32_t struct_size;
  int32_t activation;             /* ts_activation applied to the output of a forward op; backward ops ignore it */
  int32_t stride_h, stride_w;     /* >= 1 */
  int32_t dilation_h, dilation_w; /* >= 1 */
  int32_t pad_top, pad_left, pad_bottom, pad_right; /* >= 0 */
  int32_t groups;                                   /* >= 1, divides both channel counts */
} ts_conv2d_params;

/* y [B,OH,OW,O] = act(conv(x [B,H,W,I], w [O,KH,KW,I/groups]) + bias [O]); bias may be NULL. */
ts_status ts_conv2d_forward(ts_stream *stream, const ts_conv2d_params *params, const ts_tensor *x, const ts_tensor *w,
                            const ts_tensor *bias, const ts_tensor *y);

/* dx [B,H,W,I] from dy [B,OH,OW,O] and w; dx is overwritten. */
ts_status ts_conv2d_backward_data(ts_stream *stream, const ts_conv2d_params *params, const ts_tensor *dy,
                                  const ts_tensor *w, const ts_tensor *dx);

/* dw and dbias (may be NULL) from x and dy; overwritten. */
ts_status ts_conv2d_backward_weights(ts_stream *stream, const ts_conv2d_params *params, const ts_tensor *x,
                                     const ts_tensor *dy, const ts_tensor *dw, const ts_tensor *dbias);

/*
 * Transposed convolution: the gradient by data of the convolution with the same parameters, which takes y's shape to
 * x's. x [B,H,W,I], w [I,KH,KW,O/groups] (the OHWI weights of that convolution), y [B,OH,OW,O], bias [O]. y's size
 * chooses among those that the convolution takes to x's (other libraries' output_padding).
 */
ts_status ts_conv_transpose2d_forward(ts_stream *stream, const ts_conv2d_params *params, const ts_tensor *x,
                                      const ts_tensor *w, const ts_tensor *bias, const ts_tensor *y);
ts_status ts_conv_transpose2d_backward_data(ts_stream *stream, const ts_conv2d_params *params, const ts_tensor *dy,
                                            const ts_tensor *w, const ts_tensor *dx);
ts_status ts_conv_transpose2d_backward_weights(ts_stream *stream, const ts_conv2d_params *params, const ts_tensor *x,
                                               const ts_tensor *dy, const ts_tensor *dw, const ts_tensor *dbias);

typedef struct ts_matmul_params {
  uint32_t struct_size;
  int32_t transpose_a; /* 0: a is [M,K]; 1: a is [K,M] */
  int32_t transpose_b; /* 0: b is [K,N]; 1: b is [N,K] */
  int32_t accumulate;  /* 0: c is overwritten; 1: the product is added to c (then without bias and activation) */
  int32_t activation;  /* ts_activation */
  int32_t sequential;  /* 1: one order of addition, see below (then with transpose_a = 0 and accumulate = 0) */
} ts_matmul_params;

/*
 * c [M,N] = act(op(a) op(b) + bias [N]), f32; bias may be NULL. K = 0 gives the bias alone. With sequential = 1 every
 * element is one chain acc = fma(a, b, acc) over ascending k, from +0, to which the bias is added: a row of c depends
 * on that row of a alone, to the last bit, whatever M, the threads and the device. It is for sampling, where an image
 * must not depend on how many others are drawn beside it; for large M the other order is faster. ts_conv2d_at at one
 * pixel is such a product too. It exists beside this one because a convolution must read its taps where they lie, and
 * does not take b transposed or share out rows among threads in tiles; the two are not the same bits (there the chain
 * begins with the bias), so a model keeps to one of them.
 */
ts_status ts_matmul(ts_stream *stream, const ts_matmul_params *params, const ts_tensor *a, const ts_tensor *b,
                    const ts_tensor *bias, const ts_tensor *c);

/*
 * Layer normalisation (Ba, Kiros and Hinton 2016) over the last dimension:
 *   y = (x - mean) rstd gamma + beta,   rstd = 1 / sqrt(variance + epsilon), variance = mean((x - mean)^2)
 * x and y [...,C] f32, C >= 1, y may be x; gamma and beta [C]; mean and rstd f32, one element a row, are what the
 * backward op needs. epsilon > 0 (1e-5 in PyTorch).
 */
ts_status ts_layer_norm_forward(ts_stream *stream, double epsilon, const ts_tensor *x, const ts_tensor *gamma,
                                const ts_tensor *beta, const ts_tensor *y, const ts_tensor *mean,
                                const ts_tensor *rstd);

/* dx (may be dy), dgamma and dbeta from x, gamma, the forward op's mean and rstd, and dy; all overwritten. */
ts_status ts_layer_norm_backward(ts_stream *stream, const ts_tensor *x, const ts_tensor *gamma, const ts_tensor *mean,
                                 const ts_tensor *rstd, const ts_tensor *dy, const ts_tensor *dx,
                                 const ts_tensor *dgamma, const ts_tensor *dbeta);

/* out[n] = table[codes[n]]: table [K,C] f32, K and C >= 1, codes i32, out [...,C] f32. A code out of range is a data
 * fault and gives a row of zeros. The gradient by the table is the sums of ts_vq_scatter, of the gradient by out. */
ts_status ts_embedding(ts_stream *stream, const ts_tensor *table, const ts_tensor *codes, const ts_tensor *out);

/* ------------------------------------------------------------------------------------------- attention -------- */

/*
 * Causal attention with H heads (Vaswani et al. 2017, equation 1, with position t seeing only s <= t):
 *   y_t = sum_s<=t p_ts v_s,   p_ts = softmax over s of q_t k_s / sqrt(D),   D = C / H
 * qkv [B,T,3C] holds queries, keys and values beside each other, each of H heads of D numbers, 1 <= D <= 128;
 * y [B,T,C]; lse [B,H,T], what the backward op needs: the logarithm of the softmax's denominator. All f32. Memory is
 * O(T) a head. The y of position t depends, to the last bit, on the positions s <= t of its own image alone.
 */
ts_status ts_attention_forward(ts_stream *stream, int32_t heads, const ts_tensor *qkv, const ts_tensor *y,
                               const ts_tensor *lse);

/* dqkv [B,T,3C] from qkv, the forward op's y and lse, and dy [B,T,C]; overwritten. The order of addition is fixed. */
ts_status ts_attention_backward(ts_stream *stream, int32_t heads, const ts_tensor *qkv, const ts_tensor *y,
                                const ts_tensor *lse, const ts_tensor *dy, const ts_tensor *dqkv);

/*
 * One position more: qkv [B,3C] is that of position t, cache [B,S,2C] holds keys and values of the positions before,
 * 0 <= t < S. Row t of each image's cache is written from qkv (in place), then y [B,C] is ts_attention_forward's row t.
 * An image's y depends on its own qkv and cache up to t alone, to the last bit: not on B, S or the threads.
 */
ts_status ts_attention_step(ts_stream *stream, int32_t heads, int64_t t, const ts_tensor *qkv, const ts_tensor *cache,
                            const ts_tensor *y);

/* ----------------------------------------------------------------------------------------- elementwise -------- */

typedef enum ts_unary_op {
  TS_RELU = 0,
  TS_SIGMOID = 1,
  TS_TANH = 2,
  TS_EXP = 3,
  TS_LOG = 4,
  TS_SQUARE = 5,
  TS_SQRT = 6,
  TS_ABS = 7,
  TS_NEG = 8,
  TS_GELU = 9 /* x Phi(x), Phi the standard normal distribution (Hendrycks and Gimpel 2016), by erf */
} ts_unary_op;

/* y = op(x), f32, same shape; y may be x (in place). */
ts_status ts_unary(ts_stream *stream, int32_t op, const ts_tensor *x, const ts_tensor *y);

/*
 * dx = dy op'(x), given x and y = op(x), f32, same shape; dx may be dy (in place). ReLU's derivative at 0 is 0, the
 * absolute value's 0. ReLU, sigmoid, tanh, exp and sqrt read y alone, the others x alone; the other one may be NULL.
 */
ts_status ts_unary_backward(ts_stream *stream, int32_t op, const ts_tensor *x, const ts_tensor *y, const ts_tensor *dy,
                            const ts_tensor *dx);

typedef enum ts_binary_op { TS_ADD = 0, TS_SUB = 1, TS_MUL = 2, TS_DIV = 3, TS_MAX = 4, TS_MIN = 5 } ts_binary_op;

/* y = a op b, f32, same shape; y may be a or b (in place). TS_MAX and TS_MIN give NaN if either is NaN. */
ts_status ts_binary(ts_stream *stream, int32_t op, const ts_tensor *a, const ts_tensor *b, const ts_tensor *y);

/* y = alpha x + beta y, f32, in place on y; beta = 0 overwrites y without reading it. */
ts_status ts_axpby(ts_stream *stream, double alpha, const ts_tensor *x, double beta, const ts_tensor *y);

/* y [..., C] = act(x [..., C] + bias [C]), f32; y may be x (in place). */
ts_status ts_bias(ts_stream *stream, int32_t activation, const ts_tensor *x, const ts_tensor *bias, const ts_tensor *y);

typedef struct ts_dropout_params {
  uint32_t struct_size;
  uint32_t stream; /* random stream, as in ts_random_params */
  uint64_t seed;
  uint64_t step;
  double probability; /* of an element to be dropped, 0 <= probability < 1 */
} ts_dropout_params;

/*
 * y = residual + keep x / (1 - probability) (Srivastava et al. 2014, inverted), f32, all of one shape of < 2^34
 * elements; residual may be NULL (zero); y may be x or residual (in place). keep is 1 where ts_random_uniform's number
 * in [0, 1) of the same seed, stream, step and element is >= probability, else 0, so the same bits on every device; the
 * gradient by x is the same op on the gradient by y. A dropped element does not enter: its NaN is dropped too.
 */
ts_status ts_dropout(ts_stream *stream, const ts_dropout_params *params, const ts_tensor *x, const ts_tensor *residual,
                     const ts_tensor *y);

/* sum (f64, 1 element) of all of x (f32), in float64: blocks of 1024 elements ascending, then the blocks ascending. */
ts_status ts_sum(ts_stream *stream, const ts_tensor *x, const ts_tensor *sum);

/* ------------------------------------------------------------------------------------- losses and Adam -------- */

typedef enum ts_loss_kind {
  TS_LOSS_MSE = 0,            /* (p - t)^2 */
  TS_LOSS_L1 = 1,             /* |p - t|; derivative 0 at 0 */
  TS_LOSS_BCE_WITH_LOGITS = 2 /* max(p,0) - p t + log(1 + exp(-|p|)), 0 <= t <= 1 */
} ts_loss_kind;

/*
 * loss (f64, 1 element) = mean of the kind's term over all elements of prediction p and target t (f32, same shape),
 * summed in float64 in ts_sum's order; grad (may be NULL, or p itself) = grad_scale d loss / d p, f32.
 */
ts_status ts_loss(ts_stream *stream, int32_t kind, double grad_scale, const ts_tensor *prediction,
                  const ts_tensor *target, const ts_tensor *loss, const ts_tensor *grad);

/*
 * Softmax cross-entropy in nats: loss (f64, 1 element) = mean over rows n of -log softmax(logits[n])[targets[n]],
 * summed in float64 over blocks of 1024 rows ascending, then the blocks. logits [...,K] f32; targets i32, one element a
 * row, each in 0..K-1 (one outside is a data fault; its row adds nothing). losses (f32, one element a row, may be NULL)
 * are the rows' terms. grad (may be NULL, or logits itself) = grad_scale d loss / d logits, f32. There is at least one
 * row.
 */
ts_status ts_softmax_cross_entropy(ts_stream *stream, double grad_scale, const ts_tensor *logits,
                                   const ts_tensor *targets, const ts_tensor *loss, const ts_tensor *losses,
                                   const ts_tensor *grad);

typedef struct ts_adam_params {
  uint32_t struct_size;
  int32_t
      epsilon_hat; /* 0: m^/(sqrt(v^) + eps) (paper, PyTorch, Sonnet); 1: eps beside the uncorrected sqrt(v) (Keras) */
  int64_t step;    /* t >= 1 */
  double learning_rate;
  double beta1, beta2; /* in [0, 1) */
  double epsilon;      /* > 0 */
  double weight_decay; /* decoupled (AdamW): p <- p - lr weight_decay p; 0 for Adam */
} ts_adam_params;

/*
 * One step of Adam (Kingma and Ba 2015) over `count` parameters; the arrays hold `count` descriptors each. m and v are
 * updated in place. Element by element, so the result does not depend on threads.
 */
ts_status ts_adam_step(ts_stream *stream, const ts_adam_params *params, uint32_t count, const ts_tensor *parameters,
                       const ts_tensor *gradients, const ts_tensor *m, const ts_tensor *v);

/*
 * Clips `count` gradients (f32, any shapes) by their global norm (Pascanu, Mikolov and Bengio 2013, algorithm 1):
 *   norm = sqrt of the sum of squares of all elements;   if norm > max_norm:  g <- g (max_norm / norm)
 * norm (f64, 1 element) is the norm before, from a sum in float64 in ts_sum's order within each gradient, whose blocks'
 * sums are added gradient by gradient. max_norm > 0. Nothing waits for the device. A norm that is not finite leaves the
 * gradients as they are: whoever reads it decides.
 */
ts_status ts_clip_gradients(ts_stream *stream, double max_norm, uint32_t count, const ts_tensor *gradients,
                            const ts_tensor *norm);

/* ------------------------------------------------------------------------------------ priors over codes -------- */

/*
 * A convolution of stride 1 masked in raster order, as PixelCNNs have them (van den Oord et al. 2016, "Pixel recurrent
 * neural networks"): of the kernel's positions only the first `taps` exist, counted along the rows. Output and input
 * have the same size; tap (i,j) of the output at (r,c) reads the input at (r - pad_top + i, c - pad_left + j), and
 * outside of the image it reads nothing. A k x k kernel around its centre has (k k - 1) / 2 taps before the centre
 * (mask A), and one more with it (mask B).
 */
typedef struct ts_masked_conv_params {
  uint32_t struct_size;
  int32_t activation;         /* ts_activation applied to the output; the backward op ignores it */
  int32_t kernel_h, kernel_w; /* 1 to 255 */
  int32_t taps;               /* 1 to kernel_h kernel_w */
  int32_t pad_top, pad_left;  /* 0 to 255 */
  int32_t row, column;        /* ops of one position: which, inside the image; others ignore it */
} ts_masked_conv_params;

/*
 * The masked convolution of one-hot codes [B,H,W] i32, without the one-hot images: y [B,H,W,O] = act(bias [O] + the
 * rows w[tap, code] of w [taps,K,O]), f32; bias may be NULL. Taps are added in ascending order, so the result does not
 * depend on threads. A code outside 0..K-1 is a data fault (`row` is its position in codes) and adds nothing.
 */
ts_status ts_code_conv2d_forward(ts_stream *stream, const ts_masked_conv_params *params, const ts_tensor *codes,
                                 const ts_tensor *w, const ts_tensor *bias, const ts_tensor *y);

/*
 * dw [taps,K,O] and dbias [O] (may be NULL) from codes and dy [B,H,W,O]; overwritten. Rows of dy are added in ascending
 * order in fp32, so dw does not depend on threads.
 */
ts_status ts_code_conv2d_backward_weights(ts_stream *stream, const ts_masked_conv_params *params,
                                          const ts_tensor *codes, const ts_tensor *dy, const ts_tensor *dw,
                                          const ts_tensor *dbias);

/*
 * One position of ts_code_conv2d_forward, for images that lie side by side: codes [H,W,B] i32, y [B,O]. The same bits
 * as there, for any B.
 */
ts_status ts_code_conv2d_at(ts_stream *stream, const ts_masked_conv_params *params, const ts_tensor *codes,
                            const ts_tensor *w, const ts_tensor *bias, const ts_tensor *y);

/*
 * One position of a masked convolution, for images that lie side by side: x [H,W,B,I], w [taps,I,O], bias [O] or NULL,
 * y [B,O], f32. With H = W = 1 it is the matrix product y = act(x [B,I] w [I,O] + bias). Each output is one chain
 * acc = fma(x, w, acc) that begins with the bias (or +0) and goes over taps and then channels in ascending order: the
 * same bits on every backend, for any B and any number of threads.
 */
ts_status ts_conv2d_at(ts_stream *stream, const ts_masked_conv_params *params, const ts_tensor *x, const ts_tensor *w,
                       const ts_tensor *bias, const ts_tensor *y);

/*
 * The gate of a gated PixelCNN (van den Oord et al. 2016, "Conditional image generation with PixelCNN decoders", eq. 2
 * and 4):
 *   y_f = tanh(a_f) sigmoid(b_f),   (a, b) = x + class_bias[class], a the first F channels and b the last
 * x [...,2F] has N rows and y [...,F]; class_bias [C,2F] and classes (i32, M elements, M divides N: row n has class
 * classes[n / (N/M)]) may both be NULL. gates [...,2F], which may be x, gets (tanh(a), sigmoid(b)) for the backward op.
 * All f32. A class outside 0..C-1 is a data fault (`row` is its place in classes); its rows are zero.
 */
ts_status ts_gate_forward(ts_stream *stream, const ts_tensor *x, const ts_tensor *class_bias, const ts_tensor *classes,
                          const ts_tensor *gates, const ts_tensor *y);

/*
 * dx [...,2F] (may be gates) from the forward op's gates and dy [...,F]; and dclass_bias [C,2F], the sums of the rows
 * of each class, if classes are given. Rows are added in ascending order in float64, so it does not depend on threads.
 */
ts_status ts_gate_backward(ts_stream *stream, const ts_tensor *gates, const ts_tensor *dy, const ts_tensor *classes,
                           const ts_tensor *dx, const ts_tensor *dclass_bias);

/*
 * What a transformer reads at each position of its sequences: ids [B,T] i32 from codes [B,T] i32, each in
 * 0..code_count-1: ids[b,t] = codes[b,t-1], and ids[b,0] = code_count + classes[b] (i32, B elements, each in
 * 0..class_count-1), or code_count where there are no classes (class_count 0 and classes NULL). The last codes are not
 * read. A code or class out of range is a data fault (`row` is the place in ids) and gives -1.
 */
ts_status ts_token_ids(ts_stream *stream, int64_t code_count, int64_t class_count, const ts_tensor *codes,
                       const ts_tensor *classes, const ts_tensor *ids);

typedef struct ts_sample_params {
  uint32_t struct_size;
  uint32_t position; /* of the codes in their grids */
  uint64_t seed;
  uint64_t first_image; /* number of the first row's image; row n has number first_image + n */
  double temperature;   /* >= 0; 1 samples the model, 0 takes the most likely code */
  double top_p;         /* in (0, 1]; 1 for no limit */
  int64_t top_k;        /* >= 1; the number of codes or more for no limit */
} ts_sample_params;

/*
 * Draws a code for each row of logits [N,K] f32, 1 <= K < 2^31: codes (i32, N elements) follow softmax(logits /
 * temperature), limited to the top_k largest, and of those to the fewest largest whose share reaches top_p (Holtzman et
 * al. 2020, "The curious case of neural text degeneration"). Of equal logits the lower code counts as larger. In
 * float64: weights exp((logit - largest) / temperature); of the codes left, in ascending order, the first at which the
 * sum of weights exceeds u times their whole sum. u is uniform in [0, 1) with 53 bits: (27 upper bits of word 0, 26
 * upper bits of word 1) of Philox4x32-10 with key (lo32 seed, hi32 seed) and counter (position, 0x53414D50, lo32 image,
 * hi32 image). So a draw depends on its own row, seed, image and position alone. A row with a NaN or +infinity, or with
 * nothing but -infinity, is a data fault and gets code -1.
 */
ts_status ts_sample_codes(ts_stream *stream, const ts_sample_params *params, const ts_tensor *logits,
                          const ts_tensor *codes);

#ifdef __cplusplus
}
#endif

#endif /* TESSERA_H */
