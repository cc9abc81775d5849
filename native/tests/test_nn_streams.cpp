// A layer's result is the same bits in every run, whichever thread calls and however many streams work at once; and
// streams outlive more shapes than their cache of primitives holds.
#include <thread>

#include "test_nn_reference.h"

using namespace tessera::test;

namespace {

struct Step {
  Conv conv;
  std::vector<float> in, w, out;
};

std::vector<Step> steps(int count) {
  Rng rng(seed());
  std::vector<Step> list;
  for (int i = 0; i < count; i++) {
    Conv conv = i % 3 ? random_conv(rng) : random_wide_conv(rng);
    list.push_back({conv, gaussian(rng, conv.in_size()), gaussian(rng, conv.w_size()), gaussian(rng, conv.out_size())});
  }
  return list;
}

// Everything that all six convolution ops give for one step.
std::vector<float> results(Device &dev, const Step &s) {
  Tensor<float> in(dev, s.conv.in_dims(), s.in), w(dev, s.conv.w_dims(), s.w), out(dev, s.conv.out_dims(), s.out);
  Tensor<float> y(dev, s.conv.out_dims()), dx(dev, s.conv.in_dims()), dw(dev, s.conv.w_dims()), db(dev, {s.conv.o});
  Tensor<float> ty(dev, s.conv.in_dims()), tdx(dev, s.conv.out_dims()), tdw(dev, s.conv.w_dims()), tdb(dev, {s.conv.c});
  OK(dev, ts_conv2d_forward(dev.stream, &s.conv.p, in, w, nullptr, y));
  OK(dev, ts_conv2d_backward_data(dev.stream, &s.conv.p, out, w, dx));
  OK(dev, ts_conv2d_backward_weights(dev.stream, &s.conv.p, in, out, dw, db));
  OK(dev, ts_conv_transpose2d_forward(dev.stream, &s.conv.p, out, w, nullptr, ty));
  OK(dev, ts_conv_transpose2d_backward_data(dev.stream, &s.conv.p, in, w, tdx));
  OK(dev, ts_conv_transpose2d_backward_weights(dev.stream, &s.conv.p, out, in, tdw, tdb));
  std::vector<float> all;
  for (const Tensor<float> *t : {&y, &dx, &dw, &db, &ty, &tdx, &tdw, &tdb})
    for (float v : t->read()) all.push_back(v);
  return all;
}

bool same_bits(const std::vector<float> &a, const std::vector<float> &b) {
  return a.size() == b.size() && memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

void same_bits_on_repeat(Device &dev) {
  for (const Step &step : steps(12)) {
    auto first = results(dev, step);
    for (int repeat = 0; repeat < (dev.is_emulated() ? 1 : 3); repeat++)
      CHECK_MSG(same_bits(first, results(dev, step)), "%s differs between runs", step.conv.text().c_str());
  }
}

void streams_at_once(Device &dev, int threads) {
  auto list = steps(6);
  std::vector<std::vector<float>> expected;
  for (const Step &step : list) expected.push_back(results(dev, step));
  std::vector<int> wrong(4);
  std::vector<std::thread> workers;
  for (size_t t = 0; t < wrong.size(); t++)
    workers.emplace_back([&, t] {
      Device own{dev.name, dev.device, nullptr};
      ts_stream_options options{sizeof options, threads};
      if (ts_stream_open(dev.device, &options, &own.stream, nullptr) != TS_OK) wrong[t]++;
      for (size_t repeat = 0; repeat < (dev.is_emulated() ? 2u : 4u); repeat++)
        for (size_t i = 0; i < list.size(); i++) {
          size_t at = (i + t) % list.size();
          if (!same_bits(expected[at], results(own, list[at]))) wrong[t]++;
        }
      if (ts_stream_close(own.stream, nullptr) != TS_OK) wrong[t]++;
    });
  for (auto &worker : workers) worker.join();
  for (int count : wrong) CHECK_MSG(count == 0, "%d results differ from those of a stream alone", count);
}

void more_shapes_than_the_cache_holds(Device &dev) {
  Tensor<float> ta(dev, {1, 1}, {3.0f});
  for (int round = 0; round < 2; round++)
    for (int64_t n = 1; n <= 600; n++) {
      ts_matmul_params p{sizeof p, 0, 0, 0, 0, 0};
      Tensor<float> tb(dev, {1, n}, std::vector<float>(static_cast<size_t>(n), 2.0f)), c(dev, {1, n});
      OK(dev, ts_matmul(dev.stream, &p, ta, tb, nullptr, c));
      auto values = c.read();
      CHECK(std::all_of(values.begin(), values.end(), [](float v) { return v == 6.0f; }));
    }
}

}  // namespace

int main() {
  run("the same bits on repeat, 1 thread", same_bits_on_repeat, 1, For::kCpu);
  run("the same bits on repeat, 2 threads", same_bits_on_repeat, 2);
  run(
      "four streams at once, 1 thread each", [](Device &dev) { streams_at_once(dev, 1); }, 1, For::kCpu);
  run(
      "four streams at once, 2 threads each", [](Device &dev) { streams_at_once(dev, 2); }, 2);
  run("more shapes than the cache holds", more_shapes_than_the_cache_holds, 1);
  return finish();
}
