// Arguments of the quantiser's ops.
#include <cmath>
#include <limits>

#include "core/checks.h"
#include "core/float_mode.h"

using namespace tessera;

namespace {

// x [...,D] with D known: its rows are the product of the leading dimensions, which is defined for D >= 1.
bool rows_of(Call &call, const View &view, int64_t d, int64_t *rows) {
  if (view.rank() < 1 || view.last() != d)
    return call.fail("%s must have a last dimension of %lld, the codebook's, but has %s %lld", view.name,
                     static_cast<long long>(d), view.rank() < 1 ? "rank" : "one of",
                     static_cast<long long>(view.rank() < 1 ? 0 : view.last()));
  *rows = view.count / d;
  return true;
}

// Packs and publishes the version that an op has written; after a failure the current one stays.
ts_status finish_update(Call &call, ts_codebook *codebook, Version *next, ts_status status, const char *op) {
  if (status == TS_OK) status = call.backend()->codebook_pack(call.impl(), next->impl, op);
  if (status == TS_OK)
    publish(codebook, next);
  else
    put_back(codebook, next);
  return status;
}

bool scatter_outputs(Call &call, const View &counts, const View &sums, int64_t k, int64_t d) {
  return call.shape(counts, {k}) && call.shape(sums, {k, d});
}

// What is computed here once for a whole op, in the mode of a FloatMode around the call and not in the caller's: noipa
// keeps the compiler from moving it out of that scope.

double debias_of(double decay, int64_t step) { return 1.0 / (1.0 - std::pow(decay, static_cast<double>(step))); }

[[gnu::noipa]] ts_ema_factors ema_factors(const ts_vq_ema_params &params) {
  return {static_cast<float>(1.0 - params.decay), debias_of(params.decay, params.step), params.epsilon};
}

[[gnu::noipa]] ts_restart_factors restart_factors(const ts_vq_restart_params &params) {
  double debias = debias_of(params.decay, params.step);
  return {params.seed, static_cast<uint64_t>(params.step), debias, params.threshold,
          static_cast<float>(params.threshold / debias)};
}

[[gnu::noipa]] float commitment_scale(double commitment, int64_t count) {
  return static_cast<float>(2.0 * commitment / static_cast<double>(count));
}

}  // namespace

ts_status ts_vq_assign(ts_stream *stream, const ts_codebook *codebook, const ts_tensor *x_, const ts_tensor *codes_) {
  TS_STREAM_CALL(call, stream);
  View x, codes;
  int64_t n = 0;
  if (!call.codebook(codebook) || !call.tensor("x", x_, TS_F32, &x) || !rows_of(call, x, codebook->shelf->d, &n) ||
      !call.tensor("codes", codes_, TS_I32, &codes) || !call.count(codes, n) || !call.distinct(codes, {x}))
    return call.status();
  PinnedVersion version(codebook, stream);
  return call.backend()->vq_assign(call.impl(), version->impl, x.data<const float>(), n, codes.data<int32_t>());
}

ts_status ts_vq_gather(ts_stream *stream, const ts_codebook *codebook, const ts_tensor *codes_, const ts_tensor *out_) {
  TS_STREAM_CALL(call, stream);
  View codes, out;
  int64_t n = 0;
  if (!call.codebook(codebook) || !call.tensor("out", out_, TS_F32, &out) ||
      !rows_of(call, out, codebook->shelf->d, &n) || !call.tensor("codes", codes_, TS_I32, &codes) ||
      !call.count(codes, n) || !call.distinct(out, {codes}))
    return call.status();
  PinnedVersion version(codebook, stream);
  return call.backend()->vq_gather(call.impl(), version->impl, codes.data<const int32_t>(), n, out.data<float>());
}

ts_status ts_vq_quantize(ts_stream *stream, const ts_codebook *codebook, const ts_tensor *x_, const ts_tensor *codes_,
                         const ts_tensor *quantized_, const ts_tensor *squared_error_, const ts_tensor *counts_,
                         const ts_tensor *sums_) {
  TS_STREAM_CALL(call, stream);
  View x, codes, quantized, squared_error, counts, sums;
  int64_t n = 0;
  if (!call.codebook(codebook) || !call.tensor("x", x_, TS_F32, &x) || !rows_of(call, x, codebook->shelf->d, &n) ||
      !call.tensor("codes", codes_, TS_I32, &codes) || !call.count(codes, n) ||
      !call.optional("quantized", quantized_, TS_F32, &quantized) ||
      !call.optional("squared_error", squared_error_, TS_F64, &squared_error) ||
      !call.optional("counts", counts_, TS_I32, &counts) || !call.optional("sums", sums_, TS_F32, &sums))
    return call.status();
  if (counts.present != sums.present)
    return call.fail("counts and sums must both be given or both be NULL"), call.status();
  int64_t k = codebook->shelf->k, d = codebook->shelf->d;
  if ((quantized.present && !call.same_shape(quantized, x)) ||
      (squared_error.present && !call.count(squared_error, 1)) ||
      (counts.present && !scatter_outputs(call, counts, sums, k, d)) ||
      !call.distinct(codes, {x, quantized, squared_error, counts, sums}) ||
      !call.distinct(quantized, {x, squared_error, counts, sums}) || !call.distinct(squared_error, {x, counts, sums}) ||
      !call.distinct(counts, {x, sums}) || !call.distinct(sums, {x}))
    return call.status();
  PinnedVersion version(codebook, stream);
  return call.backend()->vq_quantize(call.impl(), version->impl, x.data<const float>(), n, codes.data<int32_t>(),
                                     quantized.data<float>(), squared_error.data<double>(), counts.data<int32_t>(),
                                     sums.data<float>());
}

ts_status ts_vq_scatter(ts_stream *stream, const ts_tensor *x_, const ts_tensor *codes_, const ts_tensor *counts_,
                        const ts_tensor *sums_) {
  TS_STREAM_CALL(call, stream);
  View x, codes, counts, sums;
  int64_t n = 0;
  if (!call.tensor("sums", sums_, TS_F32, &sums) || !call.rank(sums, 2) ||
      !call.range("the number of codes", sums.dim(0), 1, std::numeric_limits<int32_t>::max()) ||
      !call.range("the dimension of a code", sums.dim(1), 1, 65536) ||
      !call.tensor("counts", counts_, TS_I32, &counts) || !call.shape(counts, {sums.dim(0)}) ||
      !call.tensor("x", x_, TS_F32, &x) || !rows_of(call, x, sums.dim(1), &n) ||
      !call.tensor("codes", codes_, TS_I32, &codes) || !call.count(codes, n) ||
      !call.distinct(counts, {x, codes, sums}) || !call.distinct(sums, {x, codes}))
    return call.status();
  return call.backend()->vq_scatter(call.impl(), x.data<const float>(), codes.data<const int32_t>(), n, sums.dim(0),
                                    sums.dim(1), counts.data<int32_t>(), sums.data<float>());
}

ts_status ts_vq_ema_update(ts_stream *stream, ts_codebook *codebook, const ts_vq_ema_params *params,
                           const ts_tensor *counts_, const ts_tensor *sums_, const ts_tensor *hidden_counts_,
                           const ts_tensor *hidden_sums_) {
  TS_STREAM_CALL(call, stream);
  View counts, sums, hidden_counts, hidden_sums;
  if (!call.codebook(codebook) || !call.not_null("params", params) ||
      !call.struct_size("params", params->struct_size, sizeof *params) ||
      !call.range("params.step", params->step, 1, std::numeric_limits<int64_t>::max()) ||
      !call.finite("params.epsilon", params->epsilon, 0, std::numeric_limits<double>::max()))
    return call.status();
  if (!(params->decay >= 0 && params->decay < 1))
    return call.fail("params.decay is %g but must be at least 0 and less than 1", params->decay), call.status();
  if (codebook->pinned) return call.fail("codebook is pinned to one version and cannot be updated"), call.status();
  int64_t k = codebook->shelf->k, d = codebook->shelf->d;
  if (!call.tensor("counts", counts_, TS_I32, &counts) || !call.tensor("sums", sums_, TS_F32, &sums) ||
      !scatter_outputs(call, counts, sums, k, d) ||
      !call.tensor("hidden_counts", hidden_counts_, TS_F32, &hidden_counts) ||
      !call.tensor("hidden_sums", hidden_sums_, TS_F32, &hidden_sums) ||
      !scatter_outputs(call, hidden_counts, hidden_sums, k, d) ||
      !call.distinct(hidden_counts, {counts, sums, hidden_sums}) || !call.distinct(hidden_sums, {counts, sums}))
    return call.status();
  ts_ema_factors factors;
  {
    FloatMode mode;
    factors = ema_factors(*params);
  }
  Version *next = take_spare(codebook, call.report());
  if (!next) return static_cast<ts_status>(call.report()->error.status);
  const ts_backend *backend = call.backend();
  begin_write(call, next);
  PinnedVersion version(codebook, stream);
  ts_status status = backend->vq_ema(call.impl(), &factors, k, d, counts.data<const int32_t>(),
                                     sums.data<const float>(), hidden_counts.data<float>(), hidden_sums.data<float>(),
                                     backend->codebook_codes(version->impl), backend->codebook_codes(next->impl));
  return finish_update(call, codebook, next, status, "vq_ema_update");
}

ts_status ts_vq_restart(ts_stream *stream, ts_codebook *codebook, const ts_vq_restart_params *params,
                        const ts_tensor *x_, const ts_tensor *hidden_counts_, const ts_tensor *hidden_sums_,
                        const ts_tensor *restarted_) {
  TS_STREAM_CALL(call, stream);
  View x, hidden_counts, hidden_sums, restarted;
  if (!call.codebook(codebook) || !call.not_null("params", params) ||
      !call.struct_size("params", params->struct_size, sizeof *params) ||
      !call.range("params.step", params->step, 1, std::numeric_limits<int64_t>::max()) ||
      !call.finite("params.threshold", params->threshold, std::numeric_limits<float>::min(),
                   std::numeric_limits<float>::max()))
    return call.status();
  if (!(params->decay >= 0 && params->decay < 1))
    return call.fail("params.decay is %g but must be at least 0 and less than 1", params->decay), call.status();
  if (codebook->pinned) return call.fail("codebook is pinned to one version and cannot be updated"), call.status();
  int64_t k = codebook->shelf->k, d = codebook->shelf->d, n = 0;
  if (!call.tensor("x", x_, TS_F32, &x) || !rows_of(call, x, d, &n) ||
      !call.range("the number of rows of x", n, 1, std::numeric_limits<uint32_t>::max()) ||
      !call.tensor("hidden_counts", hidden_counts_, TS_F32, &hidden_counts) ||
      !call.tensor("hidden_sums", hidden_sums_, TS_F32, &hidden_sums) ||
      !scatter_outputs(call, hidden_counts, hidden_sums, k, d) ||
      !call.tensor("restarted", restarted_, TS_I32, &restarted) || !call.count(restarted, 1) ||
      !call.distinct(hidden_counts, {x, hidden_sums, restarted}) || !call.distinct(hidden_sums, {x, restarted}) ||
      !call.distinct(restarted, {x}))
    return call.status();
  ts_restart_factors factors;
  {
    FloatMode mode;
    factors = restart_factors(*params);
  }
  Version *next = take_spare(codebook, call.report());
  if (!next) return static_cast<ts_status>(call.report()->error.status);
  const ts_backend *backend = call.backend();
  begin_write(call, next);
  PinnedVersion version(codebook, stream);
  ts_status status = backend->vq_restart(
      call.impl(), &factors, k, d, x.data<const float>(), n, hidden_counts.data<float>(), hidden_sums.data<float>(),
      backend->codebook_codes(version->impl), backend->codebook_codes(next->impl), restarted.data<int32_t>());
  return finish_update(call, codebook, next, status, "vq_restart");
}

ts_status ts_vq_backward(ts_stream *stream, double commitment, const ts_tensor *x_, const ts_tensor *quantized_,
                         const ts_tensor *grad_quantized_, const ts_tensor *grad_x_) {
  TS_STREAM_CALL(call, stream);
  View x, quantized, grad_quantized, grad_x;
  if (!call.finite("commitment", commitment, 0, std::numeric_limits<double>::max()) ||
      !call.tensor("x", x_, TS_F32, &x) || !call.tensor("quantized", quantized_, TS_F32, &quantized) ||
      !call.same_shape(quantized, x) || !call.optional("grad_quantized", grad_quantized_, TS_F32, &grad_quantized) ||
      (grad_quantized.present && !call.same_shape(grad_quantized, x)) ||
      !call.tensor("grad_x", grad_x_, TS_F32, &grad_x) || !call.same_shape(grad_x, x) ||
      !call.distinct(grad_x, {x, quantized}) || !call.in_place_or_distinct(grad_x, grad_quantized))
    return call.status();
  if (x.count == 0) return TS_OK;
  float scale;
  {
    FloatMode mode;
    scale = commitment_scale(commitment, x.count);
  }
  return call.backend()->vq_backward(call.impl(), scale, x.data<const float>(), quantized.data<const float>(),
                                     grad_quantized.data<const float>(), grad_x.data<float>(), x.count);
}

ts_status ts_vq_codebook_grad(ts_stream *stream, const ts_codebook *codebook, double scale, const ts_tensor *counts_,
                              const ts_tensor *sums_, const ts_tensor *grad_) {
  TS_STREAM_CALL(call, stream);
  View counts, sums, grad;
  if (!call.codebook(codebook) ||
      !call.finite("scale", scale, -std::numeric_limits<double>::max(), std::numeric_limits<double>::max()) ||
      !call.tensor("counts", counts_, TS_I32, &counts) || !call.tensor("sums", sums_, TS_F32, &sums) ||
      !scatter_outputs(call, counts, sums, codebook->shelf->k, codebook->shelf->d) ||
      !call.tensor("grad", grad_, TS_F32, &grad) || !call.same_shape(grad, sums) ||
      !call.distinct(grad, {counts, sums}))
    return call.status();
  PinnedVersion version(codebook, stream);
  return call.backend()->vq_codebook_grad(call.impl(), version->impl, scale, counts.data<const int32_t>(),
                                          sums.data<const float>(), grad.data<float>());
}

ts_status ts_vq_statistics(ts_stream *stream, int32_t reset, ts_vq_stats *stats) {
  TS_STREAM_CALL(call, stream);
  if (!call.not_null("stats", stats) || !call.struct_size("stats", stats->struct_size, sizeof *stats))
    return call.status();
  return call.backend()->vq_statistics(call.impl(), reset, stats);
}
