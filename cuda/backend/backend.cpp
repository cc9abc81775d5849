// The backend's table of functions, and the one function that the plug-in exports.
#include "core/backend.h"

#include "backend/backend.h"
#include "backend/ops.h"
#include "backend/stream.h"

namespace tessera::cuda {
namespace {

ts_backend make_table() {
  ts_backend table{};
  table.abi = TS_ABI_VERSION;
  table.name = kBackendName;

  table.device_count = device_count;
  table.device_open = device_open;
  table.device_close = device_close;
  table.device_describe = device_describe;
  table.alloc = alloc;
  table.free = release;
  table.memory_check = memory_check;

  table.stream_open = stream_open;
  table.stream_close = stream_close;
  table.stream_wrap = stream_wrap;
  table.stream_queue = stream_queue;
  table.stream_reserve = stream_reserve;
  table.stream_synchronize = stream_synchronize;
  table.event_open = event_open;
  table.event_close = event_close;
  table.event_record = event_record;
  table.stream_wait = stream_wait;
  table.event_elapsed = event_elapsed;

  table.copy_to_device = copy_to_device;
  table.copy_to_host = copy_to_host;
  table.copy = copy;
  table.fill = fill;
  table.random_uniform = random_uniform;

  table.codebook_alloc = codebook_alloc;
  table.codebook_free = codebook_free;
  table.codebook_codes = codebook_codes;
  table.codebook_bytes = codebook_bytes;
  table.codebook_pack = codebook_pack;
  table.codebook_begin_read = codebook_begin_read;
  table.codebook_end_read = codebook_end_read;
  table.codebook_begin_write = codebook_begin_write;

  table.vq_assign = vq_assign;
  table.vq_gather = vq_gather;
  table.vq_quantize = vq_quantize;
  table.vq_scatter = vq_scatter;
  table.vq_ema = vq_ema;
  table.vq_restart = vq_restart;
  table.vq_backward = vq_backward;
  table.vq_codebook_grad = vq_codebook_grad;
  table.vq_statistics = vq_statistics;

  table.conv2d_forward = conv2d_forward;
  table.conv2d_backward_data = conv2d_backward_data;
  table.conv2d_backward_weights = conv2d_backward_weights;
  table.conv_transpose2d_forward = conv_transpose2d_forward;
  table.conv_transpose2d_backward_data = conv_transpose2d_backward_data;
  table.conv_transpose2d_backward_weights = conv_transpose2d_backward_weights;
  table.matmul = matmul;

  table.embedding = embedding;
  table.attention_forward = attention_forward;
  table.attention_backward = attention_backward;
  table.attention_step = attention_step;

  table.unary = unary;
  table.unary_backward = unary_backward;
  table.binary = binary;
  table.axpby = axpby;
  table.bias = bias;
  table.dropout = dropout;
  table.sum = sum;
  table.loss = loss;
  table.softmax_cross_entropy = softmax_cross_entropy;
  table.layer_norm_forward = layer_norm_forward;
  table.layer_norm_backward = layer_norm_backward;
  table.adam_step = adam_step;
  table.clip_gradients = clip_gradients;

  table.code_conv2d_forward = code_conv2d_forward;
  table.code_conv2d_backward_weights = code_conv2d_backward_weights;
  table.code_conv2d_at = code_conv2d_at;
  table.conv2d_at = conv2d_at;
  table.gate_forward = gate_forward;
  table.gate_backward = gate_backward;
  table.token_ids = token_ids;
  table.sample_codes = sample_codes;
  return table;
}

}  // namespace
}  // namespace tessera::cuda

extern "C" __attribute__((visibility("default"))) const ts_backend *ts_backend_init(uint32_t abi, const ts_host *host) {
  if (abi != TS_ABI_VERSION || host->abi != TS_ABI_VERSION) return nullptr;
  tessera::cuda::host = host;
  static const ts_backend table = tessera::cuda::make_table();
  return &table;
}
