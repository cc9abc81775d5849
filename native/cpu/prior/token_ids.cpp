// What a transformer reads: the codes one position later, behind the token of the class.
#include "cpu/prior/prior.h"
#include "cpu/stream.h"

namespace tessera::cpu {

ts_status token_ids(void *stream, int64_t code_count, int64_t class_count, const int32_t *codes, const int32_t *classes,
                    int64_t batch, int64_t positions, int32_t *ids) {
  int64_t fault = -1;
  for (int64_t b = 0; b < batch; b++)
    for (int64_t t = 0; t < positions; t++) {
      const int64_t at = b * positions + t, value = t > 0 ? codes[at - 1] : classes ? classes[b] : 0;
      const bool valid = value >= 0 && value < (t > 0 ? code_count : classes ? class_count : 1);
      if (!valid && fault < 0) fault = at;
      ids[at] = valid ? static_cast<int32_t>(t > 0 ? value : code_count + value) : -1;
    }
  auto *s = static_cast<Stream *>(stream);
  return fault >= 0 ? host->fault(s->report, TS_FAULT_CODE_RANGE, fault, "token_ids") : TS_OK;
}

}  // namespace tessera::cpu
