#include "bench.h"

#include <algorithm>
#include <cstdarg>

namespace tessera::bench {

Sizes full_sizes() {
  return {false, int64_t{1} << 20, 64, {512, 1024, 4096, 8192, 65536}, 1024, int64_t{1} << 30, 8192, 64, 32,
          128,   int64_t{1} << 26};
}

// Odd, so that tails are there, and large enough that a screen has several panels.
Sizes tiny_sizes() { return {true, 301, 20, {40, 300}, 40, 4096, 70, 2, 6, 12, 1027}; }

const char *name_of(Unit unit) {
  switch (unit) {
    case Unit::kFp32:
      return "fp32";
    case Unit::kTf32:
      return "tf32";
    case Unit::kFp16:
      return "fp16";
    case Unit::kNone:
      break;
  }
  return "memory";
}

double Bench::seconds(const std::function<void()> &op) {
  ts_event *start = nullptr, *end = nullptr;
  ts_error error{};
  if (!CHECK_MSG(ts_event_open(device.device, &start, &error) == TS_OK, "%s", error.message) ||
      !CHECK_MSG(ts_event_open(device.device, &end, &error) == TS_OK, "%s", error.message))
    return 0;
  auto time = [&](int calls) {
    double seconds = 0;
    OK(device, ts_event_record(device.stream, start));
    for (int i = 0; i < calls; i++) op();
    OK(device, ts_event_record(device.stream, end));
    CHECK_MSG(ts_event_elapsed(start, end, &seconds, &error) == TS_OK, "%s", error.message);
    return seconds / calls;
  };
  op();
  double best = time(1);
  if (!sizes.tiny) best = time(static_cast<int>(std::clamp(0.1 / std::max(best, 1e-6), 3.0, 200.0)));
  OK(device, ts_stream_synchronize(device.stream));
  ts_event_close(start, nullptr);
  ts_event_close(end, nullptr);
  return best;
}

void Bench::head() {
  printf("%-24s %-30s %10s %8s %8s  %-7s %9s\n", "op", "shape", "ms", "GB/s", "TFLOP/s", "bound", "roofline");
}

void Bench::line(const std::string &name, const std::string &shape, double seconds, const Work &work,
                 const std::string &note) {
  if (!(seconds > 0)) {
    printf("%-24s %-30s no time: the device failed\n", name.c_str(), shape.c_str());
    return;
  }
  const double rate = rates_[static_cast<int>(work.unit)];
  const double in_memory = bandwidth_ > 0 ? work.bytes / bandwidth_ : 0;
  const double in_units = rate > 0 ? work.operations / rate : 0;
  const double least = std::max(in_memory, in_units);
  printf("%-24s %-30s %10.4f %8.0f %8.2f  %-7s %8.1f%%  %s\n", name.c_str(), shape.c_str(), seconds * 1e3,
         work.bytes / seconds * 1e-9, work.operations / seconds * 1e-12,
         in_units > in_memory ? name_of(work.unit) : "memory", 100 * least / seconds, note.c_str());
  fflush(stdout);
}

std::string text(const char *format, ...) {
  char line[256];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  return line;
}

Memory::Memory(Device &device, uint64_t bytes) : device_(device) {
  ts_error error{};
  CHECK_MSG(ts_alloc(device.device, bytes, &address_, &error) == TS_OK, "%s", error.message);
}

void randomize(Device &device, const ts_tensor *x, uint32_t stream, float low, float high) {
  ts_random_params params{};
  params.struct_size = sizeof params;
  params.stream = stream;
  params.seed = test::seed();
  params.low = low;
  params.high = high;
  OK(device, ts_random_uniform(device.stream, &params, x));
}

}  // namespace tessera::bench
