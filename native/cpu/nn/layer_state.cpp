#include "cpu/nn/layer_state.h"

namespace tessera::cpu {

LayerState::LayerState(Stream *owner) : stream(owner), workspace(owner->device) {
  dnnl_engine_t raw_engine = nullptr;
  DNNL_OK(dnnl_engine_create(&raw_engine, dnnl_cpu, 0));
  engine.reset(raw_engine);
  dnnl_stream_t raw_queue = nullptr;
  DNNL_OK(dnnl_stream_create(&raw_queue, raw_engine, dnnl_stream_default_flags));
  queue.reset(raw_queue);
}

}  // namespace tessera::cpu
