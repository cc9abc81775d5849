#include "cpu/nn/onednn.h"

#include <algorithm>

#include "oneapi/dnnl/dnnl_debug.h"

namespace tessera::cpu {

ts_status report_onednn(Stream *stream, const OnednnError &error) {
  if (error.status == dnnl_out_of_memory)
    return host->fail(stream->report, TS_OUT_OF_MEMORY, "oneDNN found no memory for a layer (%s)", error.what);
  return host->fail(stream->report, TS_INTERNAL, "oneDNN answered %s to %s", dnnl_status2str(error.status), error.what);
}

OwnedLayout layout(std::initializer_list<int64_t> dims, const int64_t *strides) {
  dnnl_memory_desc_t description = nullptr;
  dnnl_dims_t sizes{};
  std::copy(dims.begin(), dims.end(), sizes);
  int rank = static_cast<int>(dims.size());
  if (strides)
    DNNL_OK(dnnl_memory_desc_create_with_strides(&description, rank, sizes, dnnl_f32, strides));
  else
    DNNL_OK(dnnl_memory_desc_create_with_tag(&description, rank, sizes, dnnl_f32, dnnl_format_tag_any));
  return OwnedLayout(description);
}

OwnedAttributes attributes(Finish finish) {
  dnnl_primitive_attr_t raw = nullptr;
  DNNL_OK(dnnl_primitive_attr_create(&raw));
  OwnedAttributes result(raw);
  DNNL_OK(dnnl_primitive_attr_set_scratchpad_mode(raw, dnnl_scratchpad_mode_user));
  DNNL_OK(dnnl_primitive_attr_set_deterministic(raw, 1));
  if (finish == Finish::kNone) return result;
  dnnl_post_ops_t raw_ops = nullptr;
  DNNL_OK(dnnl_post_ops_create(&raw_ops));
  OwnedPostOps ops(raw_ops);
  if (finish == Finish::kRelu)
    DNNL_OK(dnnl_post_ops_append_eltwise(raw_ops, dnnl_eltwise_relu, 0.0f, 0.0f));
  else
    DNNL_OK(dnnl_post_ops_append_sum(raw_ops, 1.0f, 0, dnnl_data_type_undef));
  DNNL_OK(dnnl_primitive_attr_set_post_ops(raw, raw_ops));
  return result;
}

}  // namespace tessera::cpu
