// What the cases of bench_gpu share: the device, timing by its events, the roofline, and the table.
#pragma once

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "harness.h"

namespace tessera::bench {

using test::Device;
using test::Tensor;

// Sizes of a run. The tiny one is for the emulator and for compute-sanitizer: every kernel, hardly any work.
struct Sizes {
  bool tiny;
  int64_t rows, dim;              // of the quantiser's input
  std::vector<int64_t> codes;     // K of the nearest-code search
  int64_t few_codes;              // K of what follows the search
  int64_t copied;                 // bytes of the large copy
  int64_t product;                // n of the n x n products
  int64_t batch, side, channels;  // of images
  int64_t elements;               // of elementwise ops
};
Sizes full_sizes();
Sizes tiny_sizes();

// What limits an op's arithmetic.
enum class Unit { kNone, kFp32, kTf32, kFp16 };
constexpr int kUnits = 4;
const char *name_of(Unit unit);

// What an op must at least do, however it is done: bytes to and from memory that does not stay on the chip, and
// operations (two for a multiply-add).
struct Work {
  double bytes, operations;
  Unit unit;
};

class Bench {
 public:
  Bench(Device &device, const Sizes &sizes) : device(device), sizes(sizes) {}

  // Seconds of one call of `op`, which puts work into the device's stream: by its events, after a call that is not
  // counted, over as many calls as take a tenth of a second.
  double seconds(const std::function<void()> &op);

  // The yardsticks: bytes a second of the large copy, operations a second of a large product.
  void set_bandwidth(double bytes) { bandwidth_ = bytes; }
  void set_rate(Unit unit, double operations) { rates_[static_cast<int>(unit)] = operations; }
  double rate(Unit unit) const { return rates_[static_cast<int>(unit)]; }

  // One line of the table, printed at once. The fraction of the roofline is the time that the work takes at least at
  // the yardsticks' rates over the time that it took. Without a rate for its unit the memory alone counts.
  void line(const std::string &name, const std::string &shape, double seconds, const Work &work,
            const std::string &note = "");
  static void head();

  // Times the op and prints its line.
  void measure(const std::string &name, const std::string &shape, const Work &work, const std::function<void()> &op,
               const std::string &note = "") {
    line(name, shape, seconds(op), work, note);
  }

  Device &device;
  const Sizes sizes;

 private:
  double bandwidth_ = 0, rates_[kUnits] = {};
};

__attribute__((format(printf, 1, 2))) std::string text(const char *format, ...);

// Device memory that is not filled first: for what is too large to upload.
class Memory {
 public:
  Memory(Device &device, uint64_t bytes);
  ~Memory() { ts_free(device_.device, address_, nullptr); }
  Memory(const Memory &) = delete;
  Memory &operator=(const Memory &) = delete;

  uint64_t address() const { return address_; }
  template <class T>
  T *as() const {
    return reinterpret_cast<T *>(address_);
  }

 private:
  Device &device_;
  uint64_t address_ = 0;
};

// Fills x with numbers in [low, high).
void randomize(Device &device, const ts_tensor *x, uint32_t stream, float low, float high);

// A sum of products in float64, and whether a result in fp32 (or TF32) can be it: the bound for any order of additions.
class Sum {
 public:
  void add(float a, float b) {
    const double product = static_cast<double>(a) * static_cast<double>(b);
    sum_ += product;
    magnitude_ += std::fabs(product);
    terms_++;
  }
  bool allows(float result, bool tf32) const {
    const double unit = static_cast<double>(terms_ + 2) * (tf32 ? 0x1p-22 : 0x1p-24) + (tf32 ? 0x1.1p-10 : 0.0);
    return std::fabs(static_cast<double>(result) - sum_) <= unit * magnitude_;
  }

 private:
  double sum_ = 0, magnitude_ = 0;
  int64_t terms_ = 0;
};

// The cases. Each checks its results, then times.
void measure_yardsticks(Bench &bench);
void measure_quantiser(Bench &bench);
void measure_layers(Bench &bench);

}  // namespace tessera::bench
