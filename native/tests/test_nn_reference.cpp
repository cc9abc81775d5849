// The float64 reference of the convolution tests is itself right: gradients equal finite differences of its forward
// map, which is checked on a case worked out by hand.
#include "test_nn_reference.h"

using namespace tessera::test;

namespace {

// [1 2 3] over [a b] with stride 1 and a zero on the right: 1a+2b, 2a+3b, 3a.
void by_hand() {
  Conv conv{.b = 1, .h = 1, .w = 3, .c = 1, .o = 1, .kh = 1, .kw = 2, .p = {}};
  conv.p = square_params(TS_ACTIVATION_NONE, 1, 0, 0);
  conv.p.pad_right = 1;
  CHECK(conv.finish() && conv.ow == 3 && conv.oh == 1);
  auto r = convolve<double>(conv, {1, 2, 3}, {10, 1}, {0, 0, 0});
  CHECK((r.out == std::vector<double>{12, 23, 30}));
}

// With loss = sum of weights_on_out * out, the gradients are what the two other maps give at weights_on_out.
void finite_differences(Rng &rng) {
  Conv conv = random_conv(rng);
  conv.b = std::min<int64_t>(conv.b, 2);
  auto in = as<double>(gaussian(rng, conv.in_size())), w = as<double>(gaussian(rng, conv.w_size()));
  auto on_out = as<double>(gaussian(rng, conv.out_size()));
  auto gradients = convolve(conv, in, w, on_out);
  auto loss = [&] {
    double sum = 0;
    conv.products([&](int64_t i, int64_t k, int64_t j) { sum += in[i] * w[k] * on_out[j]; });
    return sum;
  };
  auto check_one = [&](std::vector<double> &x, const std::vector<double> &gradient, const char *name) {
    size_t i = static_cast<size_t>(uniform_int(rng, 0, static_cast<int64_t>(x.size()) - 1));
    double before = x[i], step = 1e-3;
    x[i] = before + step;
    double up = loss();
    x[i] = before - step;
    double down = loss();
    x[i] = before;
    double numeric = (up - down) / (2 * step);
    CHECK_MSG(std::fabs(numeric - gradient[i]) < 1e-6 * (1 + std::fabs(gradient[i])), "%s: d/d%s[%zu] %g but %g",
              conv.text().c_str(), name, i, gradient[i], numeric);
  };
  for (int repeat = 0; repeat < 4; repeat++) {
    check_one(in, gradients.in, "in");
    check_one(w, gradients.w, "w");
  }
}

}  // namespace

int main() {
  Rng rng(seed());
  by_hand();
  for (int i = 0; i < 25; i++) finite_differences(rng);
  if (failed == 0) passed++;
  return finish();
}
