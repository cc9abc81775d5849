// Measures each convolution of the networks, forward and both gradients, through the public header: for whoever works
// on a kernel. Not a test.
//
//   bench_nn [--net keras|sonnet|pixelcnn] [--batch N] [--threads T] [--repeats R]
//
// Times are medians over the repeats; the ops of a net run in a step's order, so that each finds the caches as a step
// leaves them.
#include <ctime>
#include <functional>
#include <memory>

#include "test_nn_reference.h"

using namespace tessera::test;

namespace {

// With one thread: its processor time, which a busy neighbour does not stretch.
clockid_t used_clock = CLOCK_MONOTONIC;

double now() {
  timespec t{};
  clock_gettime(used_clock, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

// A layer: the side `size` x `size` x c is the larger one, which a transposed convolution puts out.
struct Row {
  const char *name;
  bool transposed, first;
  int64_t size, c, o, k;
  int32_t stride, before, after;
};

const std::vector<Row> kKeras = {
    {"conv 1-32 s2", false, true, 28, 1, 32, 3, 2, 0, 1},    {"conv 32-64 s2", false, false, 14, 32, 64, 3, 2, 0, 1},
    {"conv 64-16 1x1", false, false, 7, 64, 16, 1, 1, 0, 0}, {"tconv 16-64 s2", true, false, 14, 64, 16, 3, 2, 0, 1},
    {"tconv 64-32 s2", true, false, 28, 32, 64, 3, 2, 0, 1}, {"tconv 32-1", true, false, 28, 1, 32, 3, 1, 1, 1}};

const std::vector<Row> kSonnet = {{"conv 3-64 s2", false, true, 32, 3, 64, 4, 2, 1, 1},
                                  {"conv 64-128 s2", false, false, 16, 64, 128, 4, 2, 1, 1},
                                  {"conv 128-128", false, false, 8, 128, 128, 3, 1, 1, 1},
                                  {"conv 128-32", false, false, 8, 128, 32, 3, 1, 1, 1},
                                  {"conv 32-128 1x1", false, false, 8, 32, 128, 1, 1, 0, 0},
                                  {"conv 128-64 1x1", false, false, 8, 128, 64, 1, 1, 0, 0},
                                  {"conv 64-128", false, false, 8, 64, 128, 3, 1, 1, 1},
                                  {"tconv 128-64 s2", true, false, 16, 64, 128, 4, 2, 1, 1},
                                  {"tconv 64-3 s2", true, false, 32, 3, 64, 4, 2, 1, 1}};

const std::vector<Row> kPixelCnn = {{"conv 128-128 1x1", false, false, 7, 128, 128, 1, 1, 0, 0},
                                    {"conv 64-128 1x1", false, false, 7, 64, 128, 1, 1, 0, 0},
                                    {"conv 64-64 1x1", false, false, 7, 64, 64, 1, 1, 0, 0},
                                    {"conv 256-512 1x1", false, false, 7, 256, 512, 1, 1, 0, 0},
                                    {"conv 128-512 1x1", false, false, 7, 128, 512, 1, 1, 0, 0}};

struct Layer {
  Layer(Device &device, Rng &rng, const Row &row, int64_t batch)
      : row(row),
        conv(make(row, batch)),
        in(device, conv.in_dims(), gaussian(rng, conv.in_size())),
        out(device, conv.out_dims(), gaussian(rng, conv.out_size())),
        w(device, conv.w_dims(), gaussian(rng, conv.w_size())),
        dw(device, conv.w_dims()),
        bias(device, {row.transposed ? row.c : row.o},
             gaussian(rng, static_cast<size_t>(row.transposed ? row.c : row.o))),
        dbias(device, {row.transposed ? row.c : row.o}) {}

  static Conv make(const Row &r, int64_t batch) {
    Conv conv{.b = batch, .h = r.size, .w = r.size, .c = r.c, .o = r.o, .kh = r.k, .kw = r.k, .p = {}};
    conv.p = square_params(TS_ACTIVATION_RELU, r.stride, r.before, r.after);
    conv.finish();
    return conv;
  }

  double flops() const {
    return 2.0 * static_cast<double>(conv.out_size()) * static_cast<double>(conv.kh * conv.kw * conv.c);
  }

  Row row;
  Conv conv;
  Tensor<float> in, out, w, dw, bias, dbias;
  std::vector<double> times[3];
};

double timed(Device &device, const std::function<ts_status()> &call) {
  double start = now();
  OK(device, call());
  return now() - start;
}

void forward(Device &d, Layer &l) {
  l.times[0].push_back(timed(d, [&] {
    return l.row.transposed ? ts_conv_transpose2d_forward(d.stream, &l.conv.p, l.out, l.w, l.bias, l.in)
                            : ts_conv2d_forward(d.stream, &l.conv.p, l.in, l.w, l.bias, l.out);
  }));
}

void backward(Device &d, Layer &l) {
  l.times[1].push_back(timed(d, [&] {
    return l.row.transposed ? ts_conv_transpose2d_backward_weights(d.stream, &l.conv.p, l.out, l.in, l.dw, l.dbias)
                            : ts_conv2d_backward_weights(d.stream, &l.conv.p, l.in, l.out, l.dw, l.dbias);
  }));
  if (l.row.first) return;
  l.times[2].push_back(timed(d, [&] {
    return l.row.transposed ? ts_conv_transpose2d_backward_data(d.stream, &l.conv.p, l.in, l.w, l.out)
                            : ts_conv2d_backward_data(d.stream, &l.conv.p, l.out, l.w, l.in);
  }));
}

double median(std::vector<double> v) {
  if (v.empty()) return 0;
  std::sort(v.begin(), v.end());
  return v[v.size() / 2];
}

void measure(Device &device, const std::vector<Row> &rows, int64_t batch, int repeats) {
  Rng rng(1);
  std::vector<std::unique_ptr<Layer>> layers;
  for (const Row &row : rows) layers.push_back(std::make_unique<Layer>(device, rng, row, batch));
  for (int r = 0; r < repeats; r++) {
    for (auto &layer : layers) forward(device, *layer);
    for (auto it = layers.rbegin(); it != layers.rend(); ++it) backward(device, **it);
  }
  double total = 0;
  printf("%-16s %7s %17s %17s %17s\n", "", "MFLOP", "forward", "by weights", "by data");
  for (auto &layer : layers) {
    printf("%-16s %7.0f", layer->row.name, layer->flops() * 1e-6);
    for (auto &times : layer->times) {
      double t = median(times);
      total += t;
      printf("  %6.2f ms %6.1f", t * 1e3, t > 0 ? layer->flops() / t * 1e-9 : 0);
    }
    printf("\n");
  }
  printf("%-16s %7s  %6.2f ms  (columns: time, GFLOP/s)\n", "all", "", total * 1e3);
}

}  // namespace

int main(int argc, char **argv) {
  std::string net = "keras";
  int64_t batch = 0;
  int threads = 2, repeats = 25;
  for (int i = 1; i + 1 < argc; i += 2) {
    std::string name = argv[i], value = argv[i + 1];
    if (name == "--net") net = value;
    if (name == "--batch") batch = std::stoll(value);
    if (name == "--threads") threads = std::stoi(value);
    if (name == "--repeats") repeats = std::stoi(value);
  }
  if (threads == 1) used_clock = CLOCK_THREAD_CPUTIME_ID;
  Device device{"cpu"};
  ts_error error{};
  ts_stream_options options{sizeof options, threads};
  if (ts_device_open("cpu", &device.device, &error) != TS_OK ||
      ts_stream_open(device.device, &options, &device.stream, &error) != TS_OK) {
    fprintf(stderr, "%s\n", error.message);
    return 1;
  }
  bool sonnet = net == "sonnet";
  const std::vector<Row> &rows = sonnet ? kSonnet : net == "pixelcnn" ? kPixelCnn : kKeras;
  measure(device, rows, batch ? batch : sonnet ? 32 : 128, repeats);
  ts_stream_close(device.stream, nullptr);
  ts_device_close(device.device, nullptr);
  return finish();
}
