// vq_assign: nearest codes of a batch.
#include "cpu/threads.h"
#include "cpu/vq/search.h"
#include "cpu/vq/vq.h"

namespace tessera::cpu {

using namespace vq;

ts_status vq_assign(void *stream_, const void *codebook, const float *x, int64_t n, int32_t *codes) {
  auto *stream = static_cast<Stream *>(stream_);
  const auto *book = static_cast<const Codebook *>(codebook);
  Plan plan = make_plan(book);
  int64_t blocks = (n + plan.block - 1) / plan.block;
  int threads = threads_for(stream, blocks);
  SearchTeam team(stream, plan, threads, 0);
  if (!team.ready()) return team.out_of_memory("vq_assign");
  for_blocks(threads, blocks, [&](int thread, int64_t block) {
    int64_t first = block * plan.block;
    search(plan, x + first * book->d, first, std::min(plan.block, n - first), codes + first, team.work(thread));
  });
  return team.finish("vq_assign");
}

}  // namespace tessera::cpu
