#include <utility>

#include "cpu/nn/primitive_cache.h"
#include "cpu/nn/workspace.h"

namespace tessera::cpu {
namespace {

OwnedMemory memory_for(dnnl_engine_t engine, const_dnnl_memory_desc_t description) {
  dnnl_memory_t memory = nullptr;
  DNNL_OK(dnnl_memory_create(&memory, description, engine, DNNL_MEMORY_NONE));
  return OwnedMemory(memory);
}

OwnedPrimitive primitive_of(const_dnnl_primitive_desc_t description) {
  dnnl_primitive_t primitive = nullptr;
  DNNL_OK(dnnl_primitive_create(&primitive, description));
  return OwnedPrimitive(primitive);
}

OwnedPrimitive reorder(dnnl_engine_t engine, const_dnnl_memory_desc_t from, const_dnnl_memory_desc_t to) {
  OwnedAttributes attribute = attributes(Finish::kNone);
  dnnl_primitive_desc_t raw = nullptr;
  DNNL_OK(dnnl_reorder_primitive_desc_create(&raw, from, engine, to, engine, attribute.get()));
  OwnedDescription description(raw);
  // No reorder of dense f32 weights takes a scratchpad, and run() gives it none.
  size_t scratchpad = bytes_of(dnnl_primitive_desc_query_md(raw, dnnl_query_scratchpad_md, 0));
  require(scratchpad == 0 ? dnnl_success : dnnl_unimplemented, "a reorder of weights without a scratchpad");
  return primitive_of(raw);
}

}  // namespace

CachedPrimitive make_cached(dnnl_engine_t engine, const_dnnl_primitive_desc_t description,
                            std::initializer_list<std::pair<CachedPrimitive::Argument, int>> arguments,
                            const OwnedLayout &plain_weights, bool weights_are_output) {
  CachedPrimitive result;
  for (auto [argument, dnnl_index] : arguments) {
    const_dnnl_memory_desc_t md = dnnl_primitive_desc_query_md(description, dnnl_query_exec_arg_md, dnnl_index);
    result.memory[argument] = memory_for(engine, md);
    result.dnnl_index[argument] = dnnl_index;
    if (argument != CachedPrimitive::kWeights || dnnl_memory_desc_equal(md, plain_weights.get())) continue;
    result.weights_are_output = weights_are_output;
    result.weights_bytes = round_up_64(bytes_of(md));
    result.plain_weights = memory_for(engine, plain_weights.get());
    result.reorder =
        weights_are_output ? reorder(engine, md, plain_weights.get()) : reorder(engine, plain_weights.get(), md);
  }
  const_dnnl_memory_desc_t scratchpad = dnnl_primitive_desc_query_md(description, dnnl_query_scratchpad_md, 0);
  result.scratchpad_bytes = round_up_64(bytes_of(scratchpad));
  result.memory[CachedPrimitive::kScratchpad] = memory_for(engine, scratchpad);
  result.dnnl_index[CachedPrimitive::kScratchpad] = DNNL_ARG_SCRATCHPAD;
  result.primitive = primitive_of(description);
  return result;
}

size_t CachedPrimitive::workspace_bytes() const { return weights_bytes + scratchpad_bytes; }

ts_status CachedPrimitive::run(Stream *stream, dnnl_stream_t queue, Addresses addresses, char *workspace) const {
  void *plain = addresses[kWeights];
  if (reorder) addresses[kWeights] = workspace;
  addresses[kScratchpad] = workspace + weights_bytes;

  dnnl_status_t status = dnnl_success;
  auto reorder_weights = [&](bool to_plain) {
    dnnl_memory_set_data_handle(plain_weights.get(), plain);
    dnnl_memory_t blocked = memory[kWeights].get();
    const dnnl_exec_arg_t arguments[] = {{DNNL_ARG_FROM, to_plain ? blocked : plain_weights.get()},
                                         {DNNL_ARG_TO, to_plain ? plain_weights.get() : blocked}};
    status = dnnl_primitive_execute(reorder.get(), queue, 2, arguments);
  };

  dnnl_exec_arg_t arguments[kArgumentCount];
  int count = 0;
  for (int i = 0; i < kArgumentCount; i++) {
    if (!memory[i]) continue;
    dnnl_memory_set_data_handle(memory[i].get(), addresses[i]);
    arguments[count++] = {dnnl_index[i], memory[i].get()};
  }
  if (reorder && !weights_are_output) reorder_weights(false);
  if (status == dnnl_success) status = dnnl_primitive_execute(primitive.get(), queue, count, arguments);
  if (status == dnnl_success && reorder && weights_are_output) reorder_weights(true);
  return status == dnnl_success ? TS_OK : report_onednn(stream, {status, "dnnl_primitive_execute"});
}

}  // namespace tessera::cpu
