// vq_statistics: what the searches of a stream did.
#include "cpu/stream.h"
#include "cpu/vq/vq.h"

namespace tessera::cpu {

ts_status vq_statistics(void *stream_, int32_t reset, ts_vq_stats *stats) {
  auto *stream = static_cast<Stream *>(stream_);
  uint32_t struct_size = stats->struct_size;
  *stats = stream->stats;
  stats->struct_size = struct_size;
  if (reset) stream->stats = {};
  return TS_OK;
}

}  // namespace tessera::cpu
