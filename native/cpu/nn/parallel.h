// One parallel region: body(t) for t in 0..threads-1, each once. With one thread no region is entered.
#pragma once

namespace tessera::cpu {

template <class Body>
void parallel(int threads, const Body &body) {
  if (threads == 1) {
    body(0);
    return;
  }
  // A loop and not the region itself: each part runs once even if libgomp grants fewer threads than asked for.
#pragma omp parallel for num_threads(threads) schedule(static, 1)
  for (int t = 0; t < threads; t++) body(t);
}

}  // namespace tessera::cpu
