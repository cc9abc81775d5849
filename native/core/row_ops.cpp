// Arguments of ops on the rows of a matrix: softmax cross-entropy, layer normalisation, embedding.
#include <limits>

#include "core/checks.h"

using namespace tessera;

namespace {

constexpr double kAny = std::numeric_limits<double>::max();

// x [...,C] with C >= 1.
bool rows_of(Call &call, const View &x, int64_t *rows) {
  if (x.rank() < 1 || x.last() < 1)
    return call.fail("%s must have a last dimension of at least 1 but has %s", x.name,
                     x.rank() < 1 ? "rank 0" : "one of 0");
  *rows = x.count / x.last();
  return true;
}

}  // namespace

ts_status ts_softmax_cross_entropy(ts_stream *stream, double grad_scale, const ts_tensor *logits_,
                                   const ts_tensor *targets_, const ts_tensor *loss_, const ts_tensor *losses_,
                                   const ts_tensor *grad_) {
  TS_STREAM_CALL(call, stream);
  View logits, targets, loss, losses, grad;
  int64_t rows = 0;
  if (!call.finite("grad_scale", grad_scale, -kAny, kAny) || !call.tensor("logits", logits_, TS_F32, &logits) ||
      !rows_of(call, logits, &rows) || !call.tensor("targets", targets_, TS_I32, &targets) ||
      !call.count(targets, rows) || !call.tensor("loss", loss_, TS_F64, &loss) || !call.count(loss, 1) ||
      !call.optional("losses", losses_, TS_F32, &losses) || (losses.present && !call.count(losses, rows)) ||
      !call.optional("grad", grad_, TS_F32, &grad) || (grad.present && !call.same_shape(grad, logits)) ||
      !call.distinct(loss, {logits, targets, losses, grad}) || !call.distinct(losses, {logits, targets, grad}) ||
      !call.distinct(grad, {targets}) || !call.in_place_or_distinct(grad, logits))
    return call.status();
  if (rows == 0) return call.fail("logits has no rows, and a mean over nothing is undefined"), call.status();
  return call.backend()->softmax_cross_entropy(call.impl(), grad_scale, logits.data<const float>(),
                                               targets.data<const int32_t>(), rows, logits.last(), loss.data<double>(),
                                               losses.data<float>(), grad.data<float>());
}

ts_status ts_layer_norm_forward(ts_stream *stream, double epsilon, const ts_tensor *x_, const ts_tensor *gamma_,
                                const ts_tensor *beta_, const ts_tensor *y_, const ts_tensor *mean_,
                                const ts_tensor *rstd_) {
  TS_STREAM_CALL(call, stream);
  View x, gamma, beta, y, mean, rstd;
  int64_t rows = 0;
  if (!call.finite("epsilon", epsilon, std::numeric_limits<float>::min(), std::numeric_limits<float>::max()) ||
      !call.tensor("x", x_, TS_F32, &x) || !rows_of(call, x, &rows) || !call.tensor("gamma", gamma_, TS_F32, &gamma) ||
      !call.shape(gamma, {x.last()}) || !call.tensor("beta", beta_, TS_F32, &beta) || !call.shape(beta, {x.last()}) ||
      !call.tensor("y", y_, TS_F32, &y) || !call.same_shape(y, x) || !call.tensor("mean", mean_, TS_F32, &mean) ||
      !call.count(mean, rows) || !call.tensor("rstd", rstd_, TS_F32, &rstd) || !call.count(rstd, rows) ||
      !call.in_place_or_distinct(y, x) || !call.distinct(y, {gamma, beta, mean, rstd}) ||
      !call.distinct(mean, {x, gamma, beta, rstd}) || !call.distinct(rstd, {x, gamma, beta}))
    return call.status();
  if (rows == 0) return TS_OK;
  return call.backend()->layer_norm_forward(call.impl(), static_cast<float>(epsilon), x.data<const float>(),
                                            gamma.data<const float>(), beta.data<const float>(), rows, x.last(),
                                            y.data<float>(), mean.data<float>(), rstd.data<float>());
}

ts_status ts_layer_norm_backward(ts_stream *stream, const ts_tensor *x_, const ts_tensor *gamma_,
                                 const ts_tensor *mean_, const ts_tensor *rstd_, const ts_tensor *dy_,
                                 const ts_tensor *dx_, const ts_tensor *dgamma_, const ts_tensor *dbeta_) {
  TS_STREAM_CALL(call, stream);
  View x, gamma, mean, rstd, dy, dx, dgamma, dbeta;
  int64_t rows = 0;
  if (!call.tensor("x", x_, TS_F32, &x) || !rows_of(call, x, &rows) || !call.tensor("gamma", gamma_, TS_F32, &gamma) ||
      !call.shape(gamma, {x.last()}) || !call.tensor("mean", mean_, TS_F32, &mean) || !call.count(mean, rows) ||
      !call.tensor("rstd", rstd_, TS_F32, &rstd) || !call.count(rstd, rows) || !call.tensor("dy", dy_, TS_F32, &dy) ||
      !call.same_shape(dy, x) || !call.tensor("dx", dx_, TS_F32, &dx) || !call.same_shape(dx, x) ||
      !call.tensor("dgamma", dgamma_, TS_F32, &dgamma) || !call.shape(dgamma, {x.last()}) ||
      !call.tensor("dbeta", dbeta_, TS_F32, &dbeta) || !call.shape(dbeta, {x.last()}) ||
      !call.in_place_or_distinct(dx, dy) || !call.distinct(dx, {x, gamma, mean, rstd, dgamma, dbeta}) ||
      !call.distinct(dgamma, {x, gamma, mean, rstd, dy, dbeta}) || !call.distinct(dbeta, {x, gamma, mean, rstd, dy}))
    return call.status();
  return call.backend()->layer_norm_backward(
      call.impl(), x.data<const float>(), gamma.data<const float>(), mean.data<const float>(), rstd.data<const float>(),
      dy.data<const float>(), rows, x.last(), dx.data<float>(), dgamma.data<float>(), dbeta.data<float>());
}

ts_status ts_embedding(ts_stream *stream, const ts_tensor *table_, const ts_tensor *codes_, const ts_tensor *out_) {
  TS_STREAM_CALL(call, stream);
  View table, codes, out;
  int64_t k = 0, n = 0;
  if (!call.tensor("table", table_, TS_F32, &table) || !call.rank(table, 2) || !rows_of(call, table, &k) ||
      !call.range("table.dims[0]", k, 1, std::numeric_limits<int32_t>::max()) ||
      !call.tensor("codes", codes_, TS_I32, &codes) || !call.tensor("out", out_, TS_F32, &out) ||
      !rows_of(call, out, &n))
    return call.status();
  if (out.last() != table.last())
    return call.fail("out has a last dimension of %lld but table of %lld", static_cast<long long>(out.last()),
                     static_cast<long long>(table.last())),
           call.status();
  if (!call.count(codes, n) || !call.distinct(out, {table, codes})) return call.status();
  if (n == 0) return TS_OK;
  return call.backend()->embedding(call.impl(), table.data<const float>(), k, table.last(), codes.data<const int32_t>(),
                                   n, out.data<float>());
}
