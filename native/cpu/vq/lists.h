// The lists of candidates that a screen fills: groups that it could not exclude, row by row.
#pragma once

#include "cpu/vq/search.h"

namespace tessera::cpu::vq {

inline Candidates list_of(const Plan &plan, Workspace &work, int64_t row) {
  return {work.counts[row], static_cast<int32_t>(plan.capacity), work.groups + row * plan.list,
          plan.keeps_uppers ? work.uppers + row * plan.list : nullptr};
}

// Drops the groups that a better lower bound excludes by now.
inline void prune(Candidates &candidates, float lower) {
  int32_t kept = 0;
  for (int32_t i = 0; i < candidates.count; i++) {
    if (candidates.upper[i] < lower) continue;
    candidates.group[kept] = candidates.group[i];
    candidates.upper[kept++] = candidates.upper[i];
  }
  candidates.count = kept;
}

// Adds to a row's list what `collect`, called with it, finds; a list that is full is pruned once.
template <class Collect>
void extend_list(const Plan &plan, Workspace &work, int64_t row, Collect &&collect) {
  if (work.overflow[row] || !can_screen(plan.codebook, work.rows.norm[row])) return;
  Candidates list = list_of(plan, work, row);
  if (!collect(&list)) {
    if (!list.upper) {
      work.overflow[row] = true;
      return;
    }
    list.count = work.counts[row];
    prune(list, work.lower[row]);
    work.overflow[row] = !collect(&list);
  }
  work.counts[row] = list.count;
}

}  // namespace tessera::cpu::vq
