// What the layers keep for one stream: oneDNN's engine and queue, the primitives built so far, temporary memory.
#pragma once

#include "cpu/nn/onednn.h"
#include "cpu/nn/primitive_cache.h"
#include "cpu/nn/workspace.h"

namespace tessera::cpu {

struct LayerState {
  explicit LayerState(Stream *stream);

  Stream *stream;
  OwnedEngine engine;
  OwnedStream queue;
  Workspace workspace;
  PrimitiveCache primitives;
};

}  // namespace tessera::cpu
