// Fuzz target of the quantiser: bytes become a shape, data of some hard kind with special values strewn in, a kernel
// family, a number of threads, the caller's float mode and one op, right or wrong arguments; what the op leaves is
// compared with tessera.h's formulas written down plainly. A difference aborts, which is what fuzzers look for.
//
//   fuzz_vq [--seconds S] [--seed N]     makes inputs and mutates them for S seconds (60)
//   fuzz_vq FILE...                      replays inputs
//
// An input that fails is printed and saved; the sanitizers' preset saves those that they stop at as well. The driver is
// for g++, which has no libFuzzer: with clang, -fsanitize=fuzzer -DTESSERA_LIBFUZZER leaves it out.
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

#include <sys/mman.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <iterator>
#include <optional>

#include "test_vq_reference.h"

using namespace tessera::test;

namespace {

__attribute__((format(printf, 1, 2))) [[noreturn]] void give_up(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  fputc('\n', stderr);
  abort();
}

#define REQUIRE(condition, ...)             \
  do {                                      \
    if (!(condition)) give_up(__VA_ARGS__); \
  } while (0)

// The input, read from its front; past its end all is 0.
class Bytes {
 public:
  Bytes(const uint8_t *data, size_t size) : data_(data), size_(size) {}
  bool empty() const { return at_ >= size_; }
  unsigned byte() { return empty() ? 0 : data_[at_++]; }
  unsigned pair() { return byte() | byte() << 8; }
  uint32_t word() { return pair() | pair() << 16; }
  // 1 to 2^bits, every order of magnitude as likely.
  int64_t size(unsigned bits) {
    unsigned order = byte() % (bits + 1);
    return 1 + pair() % (1u << order);
  }

 private:
  const uint8_t *data_;
  size_t size_, at_ = 0;
};

// Where a buffer's memory comes from.
enum class Memory { kHeap, kMisaligned, kGuarded };

// Exactly as much memory as a tensor needs, poison at first. On the heap it is aligned, or a multiple of the element's
// size and of nothing larger, and ASan sees an access outside it; ASan does not see masked vectors or assembly, so the
// third kind ends at a page that nobody may touch.
template <class T>
class Buffer {
 public:
  Buffer(std::vector<int64_t> dims, Memory memory) {
    size_t count = 1;
    tensor_.dtype = dtype_of<T>();
    tensor_.rank = static_cast<int32_t>(dims.size());
    for (size_t i = 0; i < dims.size(); i++) count *= static_cast<size_t>(tensor_.dims[i] = dims[i]);
    bytes_ = count * sizeof(T);
    if (memory == Memory::kGuarded) {
      const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE)), inside = (bytes_ + page - 1) / page * page;
      mapped_ = inside + 2 * page;
      base_ = static_cast<unsigned char *>(
          mmap(nullptr, mapped_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
      REQUIRE(base_ != MAP_FAILED && mprotect(base_ + page, inside, PROT_READ | PROT_WRITE) == 0, "no memory");
      data_ = base_ + page + inside - bytes_;
    } else {
      const size_t offset = memory == Memory::kMisaligned ? sizeof(T) : 0;
      base_ = static_cast<unsigned char *>(malloc(offset + bytes_));
      data_ = base_ + offset;
    }
    memset(data_, 0xFF, bytes_);
    tensor_.data = reinterpret_cast<uint64_t>(data_);
  }
  Buffer(std::vector<int64_t> dims, Memory memory, const std::vector<T> &values) : Buffer(std::move(dims), memory) {
    if (bytes_) memcpy(data_, values.data(), bytes_);
  }
  ~Buffer() {
    if (mapped_)
      munmap(base_, mapped_);
    else
      free(base_);
  }
  Buffer(const Buffer &) = delete;
  Buffer &operator=(const Buffer &) = delete;

  operator const ts_tensor *() const { return &tensor_; }
  const ts_tensor &tensor() const { return tensor_; }
  std::vector<T> read() const {
    std::vector<T> values(bytes_ / sizeof(T));
    if (bytes_) memcpy(values.data(), data_, bytes_);
    return values;
  }
  // The memory as it is, to see whether a refused call left it alone.
  std::vector<unsigned char> image() const { return {data_, data_ + bytes_}; }

 private:
  unsigned char *base_, *data_;
  size_t bytes_ = 0, mapped_ = 0;
  ts_tensor tensor_{};
};

// The device, and a stream for each number of threads: streams live on, so that their scratch memory is used again.
class Machine {
 public:
  static constexpr int kThreads = 3;
  Machine() {
    REQUIRE(ts_device_open("cpu", &device_, nullptr) == TS_OK, "no device");
    for (int t = 0; t < kThreads; t++) streams_[t] = open(t + 1);
  }
  ~Machine() {
    for (ts_stream *stream : streams_) ts_stream_close(stream, nullptr);
    REQUIRE(ts_device_close(device_, nullptr) == TS_OK, "something of the device is still open");
  }
  ts_stream *open(int threads) {
    ts_stream_options options{sizeof options, threads};
    ts_stream *stream = nullptr;
    REQUIRE(ts_stream_open(device_, &options, &stream, nullptr) == TS_OK, "no stream");
    return stream;
  }
  ts_stream *stream(int threads) { return streams_[threads - 1]; }

 private:
  ts_device *device_ = nullptr;
  ts_stream *streams_[kThreads] = {};
};

Machine &machine() {
  static Machine one;
  return one;
}

// What an input asks for, and how it is called.
struct Scene {
  std::string kernel;
  int threads = 1;
  ts_stream *stream = nullptr;
  unsigned mode = 0;  // bits of MXCSR: flush to zero, rounding, denormals are zero
  Memory memory = Memory::kHeap;
  Case data{};

  // Calls with the caller's float mode, which must be left as it was.
  template <class F>
  ts_status call(F &&body) const {
#if defined(__x86_64__)
    constexpr unsigned kModes = 0xE040;
    const unsigned before = _mm_getcsr();
    _mm_setcsr((before & ~kModes) | mode);
    ts_status status = body();
    const unsigned after = _mm_getcsr();
    _mm_setcsr(before);
    REQUIRE((after & kModes) == mode, "the caller's float mode 0x%x became 0x%x", mode, after & kModes);
    return status;
#else
    return body();
#endif
  }
  std::string message() const {
    ts_error error{};
    ts_stream_error(stream, &error);
    return error.message;
  }
};

void expect_fault(const Scene &s, ts_status status, ts_fault_kind kind, int64_t row, const char *op) {
  REQUIRE(status == (row < 0 ? TS_OK : TS_DATA_FAULT), "%s: status %d, row at fault %lld: %s", op, status,
          static_cast<long long>(row), s.message().c_str());
  ts_fault fault{};
  fault.struct_size = sizeof fault;
  REQUIRE(ts_stream_fault(s.stream, &fault) == TS_OK, "ts_stream_fault");
  REQUIRE(fault.kind == (row < 0 ? TS_FAULT_NONE : kind) && (row < 0 || fault.row == row),
          "%s: fault %d of row %lld, must be of row %lld", op, fault.kind, static_cast<long long>(fault.row),
          static_cast<long long>(row));
}

int64_t first_nonfinite(const std::vector<float> &rows, int64_t n, int64_t d) {
  for (int64_t i = 0; i < n; i++)
    if (!finite_row(rows.data() + i * d, d)) return i;
  return -1;
}

int64_t first_out_of_range(const std::vector<int32_t> &codes, int64_t k) {
  for (size_t i = 0; i < codes.size(); i++)
    if (codes[i] < 0 || codes[i] >= k) return static_cast<int64_t>(i);
  return -1;
}

// A NaN equals a NaN: which of two it is depends on the order of an addition's operands, which C++ leaves open.
bool same_values(const std::vector<float> &a, const std::vector<float> &b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); i++)
    if (memcmp(&a[i], &b[i], sizeof(float)) != 0 && !(std::isnan(a[i]) && std::isnan(b[i]))) return false;
  return true;
}

void expect_codes(const std::vector<int32_t> &got, const std::vector<int32_t> &want) {
  for (size_t i = 0; i < want.size(); i++)
    REQUIRE(got[i] == want[i], "row %zu got code %d, must be %d", i, got[i], want[i]);
}

class OpenCodebook {
 public:
  OpenCodebook() = default;
  ~OpenCodebook() {
    if (handle) ts_codebook_close(handle, nullptr);
  }
  OpenCodebook(const OpenCodebook &) = delete;
  OpenCodebook &operator=(const OpenCodebook &) = delete;
  ts_codebook *handle = nullptr;
};

// False if the codes are at fault or the processor cannot run the kernel.
bool open_codebook(const Scene &s, OpenCodebook *book) {
  const Case &c = s.data;
  Buffer<float> codes({c.k, c.d}, s.memory, c.codes);
  force_kernel(s.kernel);
  ts_status status = s.call([&] { return ts_codebook_open(s.stream, codes, &book->handle); });
  force_kernel("");
  if (status == TS_UNAVAILABLE && !s.kernel.empty()) return false;
  int64_t fault = first_nonfinite(c.codes, c.k, c.d);
  expect_fault(s, status, TS_FAULT_NONFINITE_CODE, fault, "codebook_open");
  return fault < 0;
}

void assign_with(const Scene &s, const OpenCodebook &book, const std::vector<float> &codes) {
  const Case &c = s.data;
  Buffer<float> x({c.n, c.d}, s.memory, c.x);
  Buffer<int32_t> got({c.n}, s.memory);
  ts_status status = s.call([&] { return ts_vq_assign(s.stream, book.handle, x, got); });
  expect_fault(s, status, TS_FAULT_NONFINITE_ROW, first_nonfinite(c.x, c.n, c.d), "vq_assign");
  expect_codes(got.read(), brute_force(c.x, codes, c.n, c.k, c.d));
}

void assign(const Scene &s, Bytes &) {
  OpenCodebook book;
  if (open_codebook(s, &book)) assign_with(s, book, s.data.codes);
}

// The squared error in tessera.h's order.
double plain_error(const Case &c, const std::vector<int32_t> &nearest) {
  double total = 0;
  for (int64_t begin = 0; begin < c.n; begin += 1024) {
    double block = 0;
    for (int64_t i = begin; i < std::min(c.n, begin + 1024); i++) {
      int64_t code = nearest[static_cast<size_t>(i)];
      if (code >= 0) block += contract_distance(c.x.data() + i * c.d, c.codes.data() + code * c.d, c.d);
    }
    total += block;
  }
  return total;
}

std::vector<float> plain_gather(const Case &c, const std::vector<int32_t> &codes) {
  std::vector<float> rows(static_cast<size_t>(c.n * c.d), 0.0f);
  for (int64_t i = 0; i < c.n; i++) {
    int64_t code = codes[static_cast<size_t>(i)];
    if (code >= 0 && code < c.k) std::copy_n(c.codes.begin() + code * c.d, c.d, rows.begin() + i * c.d);
  }
  return rows;
}

void quantize(const Scene &s, Bytes &bytes) {
  const Case &c = s.data;
  OpenCodebook book;
  if (!open_codebook(s, &book)) return;
  const unsigned outputs = bytes.byte();
  const bool with_rows = outputs & 1, with_error = outputs & 2, with_sums = outputs & 4;
  Buffer<float> x({c.n, c.d}, s.memory, c.x), rows({c.n, c.d}, s.memory), sums({c.k, c.d}, s.memory);
  Buffer<int32_t> codes({c.n}, s.memory), counts({c.k}, s.memory);
  Buffer<double> error({1}, s.memory);
  const ts_tensor *none = nullptr;
  ts_status status = s.call([&] {
    return ts_vq_quantize(s.stream, book.handle, x, codes, with_rows ? rows : none, with_error ? error : none,
                          with_sums ? counts : none, with_sums ? sums : none);
  });
  expect_fault(s, status, TS_FAULT_NONFINITE_ROW, first_nonfinite(c.x, c.n, c.d), "vq_quantize");
  std::vector<int32_t> nearest = brute_force(c.x, c.codes, c.n, c.k, c.d), want_counts;
  std::vector<float> want_sums;
  expect_codes(codes.read(), nearest);
  if (with_rows) REQUIRE(same_values(rows.read(), plain_gather(c, nearest)), "quantized rows differ");
  double want_error = plain_error(c, nearest);
  if (with_error) REQUIRE(error.read()[0] == want_error, "error %.17g, must be %.17g", error.read()[0], want_error);
  if (!with_sums) return;
  plain_scatter(c.x, nearest, c.n, c.k, c.d, &want_counts, &want_sums);
  REQUIRE(counts.read() == want_counts, "counts differ");
  REQUIRE(same_values(sums.read(), want_sums), "sums differ");
}

// Codes as a caller may hand them in: now and then out of range.
std::vector<int32_t> any_codes(const Case &c, Bytes &bytes) {
  Rng rng(bytes.word());
  const unsigned wrong = bytes.byte();
  std::vector<int32_t> codes(static_cast<size_t>(c.n));
  for (auto &code : codes) {
    code = static_cast<int32_t>(uniform_int(rng, 0, c.k - 1));
    if (wrong % 4 == 1 && rng() % 200 == 0) code = static_cast<int32_t>(rng());
    if (wrong % 4 == 2 && rng() % 200 == 0) code = rng() % 2 ? -1 : static_cast<int32_t>(c.k);
  }
  return codes;
}

void scatter(const Scene &s, Bytes &bytes) {
  const Case &c = s.data;
  std::vector<int32_t> assigned = any_codes(c, bytes), want_counts;
  std::vector<float> want_sums;
  Buffer<float> x({c.n, c.d}, s.memory, c.x), sums({c.k, c.d}, s.memory);
  Buffer<int32_t> codes({c.n}, s.memory, assigned), counts({c.k}, s.memory);
  ts_status status = s.call([&] { return ts_vq_scatter(s.stream, x, codes, counts, sums); });
  expect_fault(s, status, TS_FAULT_CODE_RANGE, first_out_of_range(assigned, c.k), "vq_scatter");
  plain_scatter(c.x, assigned, c.n, c.k, c.d, &want_counts, &want_sums);
  REQUIRE(counts.read() == want_counts, "counts differ");
  REQUIRE(same_values(sums.read(), want_sums), "sums differ");
}

void gather(const Scene &s, Bytes &bytes) {
  const Case &c = s.data;
  OpenCodebook book;
  if (!open_codebook(s, &book)) return;
  std::vector<int32_t> asked = any_codes(c, bytes);
  Buffer<int32_t> codes({c.n}, s.memory, asked);
  Buffer<float> out({c.n, c.d}, s.memory);
  ts_status status = s.call([&] { return ts_vq_gather(s.stream, book.handle, codes, out); });
  expect_fault(s, status, TS_FAULT_CODE_RANGE, first_out_of_range(asked, c.k), "vq_gather");
  REQUIRE(same_values(out.read(), plain_gather(c, asked)), "gathered rows differ");
}

// The codes that a codebook shows.
std::vector<float> read_codes(const Scene &s, const OpenCodebook &book) {
  Buffer<float> codes({s.data.k, s.data.d}, s.memory);
  REQUIRE(ts_codebook_read(s.stream, book.handle, codes) == TS_OK, "ts_codebook_read");
  return codes.read();
}

// The next version is searched; one that is at fault leaves the current one in place.
void update(const Scene &s, Bytes &bytes) {
  const Case &c = s.data;
  OpenCodebook book;
  if (!open_codebook(s, &book)) return;
  std::vector<float> current = c.codes;
  for (int version = 0; version < 3; version++) {
    Rng rng(bytes.word());
    Case next = make_case(rng, static_cast<int>(bytes.byte() % kKindCount), 1, c.k, c.d);
    if (bytes.byte() % 8 == 1) next.codes[bytes.word() % next.codes.size()] = bytes.byte() % 2 ? NAN : -HUGE_VALF;
    Buffer<float> codes({c.k, c.d}, s.memory, next.codes);
    ts_status status = s.call([&] { return ts_codebook_update(s.stream, book.handle, codes); });
    int64_t fault = first_nonfinite(next.codes, c.k, c.d);
    expect_fault(s, status, TS_FAULT_NONFINITE_CODE, fault, "codebook_update");
    if (fault < 0) current = next.codes;
    REQUIRE(same_values(read_codes(s, book), current), "the codebook shows other codes");
    assign_with(s, book, current);
  }
}

// The moving averages have a test of their own; here, whatever codes they give are searched rightly.
void moving_averages(const Scene &s, Bytes &bytes) {
  const Case &c = s.data;
  OpenCodebook book;
  if (!open_codebook(s, &book)) return;
  Rng rng(bytes.word());
  std::vector<int32_t> some(static_cast<size_t>(c.k));
  for (auto &count : some) count = static_cast<int32_t>(rng() % 5);
  std::vector<float> zero_counts(static_cast<size_t>(c.k)), zero_sums(c.codes.size()), given = zero_sums;
  for (size_t i = 0; i < given.size(); i++) given[i] = c.codes[i] * static_cast<float>(some[i / c.d]);
  Buffer<int32_t> counts({c.k}, s.memory, some);
  Buffer<float> sums({c.k, c.d}, s.memory, given);
  Buffer<float> hidden_counts({c.k}, s.memory, zero_counts), hidden_sums({c.k, c.d}, s.memory, zero_sums);
  ts_vq_ema_params params{sizeof params, 0, 1 + static_cast<int64_t>(bytes.byte()), bytes.byte() / 256.0,
                          std::ldexp(1.0, -static_cast<int>(bytes.byte()))};
  ts_status status = s.call(
      [&] { return ts_vq_ema_update(s.stream, book.handle, &params, counts, sums, hidden_counts, hidden_sums); });
  REQUIRE(status == TS_OK || status == TS_DATA_FAULT, "ts_vq_ema_update: %s", s.message().c_str());
  ts_fault fault{};
  fault.struct_size = sizeof fault;
  REQUIRE(ts_stream_fault(s.stream, &fault) == TS_OK, "ts_stream_fault");
  std::vector<float> codes = read_codes(s, book);
  REQUIRE(first_nonfinite(codes, c.k, c.d) < 0, "codes that are not finite were published");
  if (status != TS_OK) REQUIRE(same_values(codes, c.codes), "a failed update changed the codes");
  assign_with(s, book, codes);
}

// Makes one thing about a tensor wrong, so that any op must refuse it.
void damage(ts_tensor *t, Bytes &bytes) {
  switch (bytes.byte() % 9) {
    case 0:
      t->dtype = static_cast<int32_t>(t->dtype + 1 + bytes.byte() % 6);  // others, and none
      break;
    case 1:
      t->dtype = static_cast<int32_t>(bytes.word() | 0x80000000u);
      break;
    case 2:
      t->rank = static_cast<int32_t>(TS_MAX_RANK + 1 + bytes.pair());
      break;
    case 3:
      t->rank = -1 - static_cast<int32_t>(bytes.pair());
      break;
    case 4:
      t->dims[0] = -1 - static_cast<int64_t>(bytes.word());
      break;
    case 5:
      t->dims[0] += 1 + bytes.pair();
      break;
    case 6:
      t->dims[t->rank - 1] = INT64_MAX - bytes.byte();
      break;
    case 7:
      t->data = 0;
      break;
    default:
      t->data += 1 + bytes.byte() % 3;  // no multiple of an element's size
  }
}

// One argument is wrong: the call is refused with a message, and nothing is written.
void bad_arguments(const Scene &s, Bytes &bytes) {
  const Case &c = s.data;
  OpenCodebook book;
  if (c.n == 0 || !open_codebook(s, &book)) return;
  Buffer<float> x({c.n, c.d}, s.memory, c.x), rows({c.n, c.d}, s.memory), sums({c.k, c.d}, s.memory);
  Buffer<int32_t> codes({c.n}, s.memory), counts({c.k}, s.memory);
  Buffer<double> error({1}, s.memory);
  auto images = [&] {
    return std::vector{x.image(), rows.image(), sums.image(), codes.image(), counts.image(), error.image()};
  };
  auto before = images();
  enum { kX, kCodes, kRows, kError, kCounts, kSums, kTensors };
  ts_tensor t[kTensors] = {x.tensor(), codes.tensor(), rows.tensor(), error.tensor(), counts.tensor(), sums.tensor()};
  const ts_tensor *given[kTensors];
  for (int i = 0; i < kTensors; i++) given[i] = &t[i];
  ts_stream *stream = s.stream;
  const ts_codebook *codebook = book.handle;

  const unsigned op = bytes.byte() % 4;
  const std::vector<int> used[] = {
      {kX, kCodes}, {kCodes, kRows}, {kX, kCodes, kCounts, kSums}, {kX, kCodes, kRows, kError, kCounts, kSums}};
  const int which = used[op][bytes.byte() % used[op].size()];
  const unsigned how = bytes.byte() % 8;
  if (how == 0) {
    if (op == 3 && (which == kRows || which == kError)) return;  // may be NULL
    given[which] = nullptr;
  } else if (how == 1) {
    int other = used[op][bytes.byte() % used[op].size()];
    if (other == which || (op == 2 && which <= kCodes && other <= kCodes)) return;  // two inputs may overlap
    t[which].data = t[other].data / 8 * 8;                                          // they overlap; of whichever width
    if (t[which].data != t[other].data) return;
  } else if (how == 2 && op != 2) {
    codebook = nullptr;
  } else if (how == 3) {
    stream = nullptr;
  } else {
    damage(&t[which], bytes);
  }
  ts_status status = s.call([&] {
    if (op == 0) return ts_vq_assign(stream, codebook, given[kX], given[kCodes]);
    if (op == 1) return ts_vq_gather(stream, codebook, given[kCodes], given[kRows]);
    if (op == 2) return ts_vq_scatter(stream, given[kX], given[kCodes], given[kCounts], given[kSums]);
    return ts_vq_quantize(stream, codebook, given[kX], given[kCodes], given[kRows], given[kError], given[kCounts],
                          given[kSums]);
  });
  REQUIRE(status == TS_INVALID_ARGUMENT, "op %u with argument %d wrong in way %u: status %d", op, which, how, status);
  REQUIRE(!stream || !s.message().empty(), "refused without a message");
  REQUIRE(images() == before, "op %u refused its arguments and wrote something", op);
}

// Special values, near ties and copies, wherever the input's bytes say.
void strew(Case *c, Bytes &bytes) {
  for (int i = 0; i < 64 && !bytes.empty(); i++) {
    const unsigned how = bytes.byte();
    std::vector<float> &all = how & 0x80 && !c->x.empty() ? c->x : c->codes;
    const auto d = static_cast<size_t>(c->d);
    const size_t at = bytes.word() % all.size(), code = bytes.pair() % static_cast<size_t>(c->k) * d;
    float &v = all[at];
    switch (how % 32) {
      case 0:
        // Seldom in the codes, which would be refused.
        if (&all == &c->x || bytes.byte() % 16 == 0) v = how & 0x40 ? NAN : -HUGE_VALF;
        break;
      case 1:
      case 2:
        v = how & 0x40 ? FLT_MAX : -FLT_MAX;
        break;
      case 3:
        v = how & 0x40 ? FLT_TRUE_MIN : -FLT_MIN;
        break;
      case 4:
        v = how & 0x40 ? 0.0f : -0.0f;
        break;
      case 5:
        v = -v;
        break;
      case 6: {
        uint32_t bits = bytes.word();
        memcpy(&v, &bits, sizeof v);
        break;
      }
      case 7:
      case 8:
        v = std::ldexp(v, static_cast<int>(bytes.byte()) - 128);
        break;
      case 9:  // a whole row or code takes another scale
      case 10: {
        int exponent = static_cast<int>(bytes.byte()) - 128;
        for (size_t j = 0; j < d; j++) all[at / d * d + j] = std::ldexp(all[at / d * d + j], exponent);
        break;
      }
      case 11:  // all of one coordinate is far from 0
        for (size_t j = at % d; j < c->codes.size(); j += d) c->codes[j] += 1e5f;
        for (size_t j = at % d; j < c->x.size(); j += d) c->x[j] += 1e5f;
        break;
      default:
        if (how & 0x40)
          v = std::nextafter(v, how & 0x20 ? HUGE_VALF : -HUGE_VALF);
        else
          std::copy_n(c->codes.begin() + static_cast<int64_t>(code), d, all.begin() + static_cast<int64_t>(at / d * d));
    }
  }
}

void play(Bytes bytes) {
  using Op = void (*)(const Scene &, Bytes &);
  constexpr Op kOps[] = {assign,  assign, assign, quantize,        quantize,
                         scatter, gather, update, moving_averages, bad_arguments};
  const Op op = kOps[bytes.byte() % std::size(kOps)];
  Scene s;
  const std::vector<std::string> names = kernels(Device{"cpu"});
  s.kernel = names[bytes.byte() % names.size()];
  const unsigned how = bytes.byte();
  s.threads = 1 + static_cast<int>(how % Machine::kThreads);
  s.memory = static_cast<Memory>(how / Machine::kThreads % 3);
  const bool fresh = how & 0x80;
  const unsigned mode = bytes.byte();
#if defined(__x86_64__)
  if (mode % 4 == 1) s.mode = (mode & 0x80 ? 0x8000u : 0u) | (mode & 0x60) << 8 | (mode & 0x10 ? 0x40u : 0u);
#else
  (void)mode;
#endif
  int64_t d = bytes.size(10), k = bytes.size(13), n = bytes.size(12) - 1;
  d = std::min<int64_t>(d, 600000 / k + 1);
  n = std::min(n, op == scatter || op == gather ? 200000 / d + 1 : 400000 / (k * d) + 1);
  const int kind = static_cast<int>(bytes.byte() % kKindCount);
  Rng rng(bytes.word());
  s.data = make_case(rng, kind, n, k, d);
  s.stream = fresh ? machine().open(s.threads) : machine().stream(s.threads);
  Bytes own = bytes;  // the op's choices and the strewn values come from the same bytes, so that short inputs have both
  strew(&s.data, bytes);
  op(s, own);
  if (fresh) REQUIRE(ts_stream_close(s.stream, nullptr) == TS_OK, "ts_stream_close");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  play(Bytes(data, size));
  return 0;
}

#ifndef TESSERA_LIBFUZZER

#if defined(__SANITIZE_ADDRESS__)
extern "C" void __sanitizer_set_death_callback(void (*callback)());
#endif

namespace {

using Input = std::vector<uint8_t>;

Input current;
std::string origin;

// Whatever ends the process leaves the input behind.
void save_input() {
  fprintf(stderr, "%s, %zu bytes:", origin.c_str(), current.size());
  for (uint8_t byte : current) fprintf(stderr, "%02x", byte);
  fputc('\n', stderr);
  uint64_t hash = 14695981039346656037u;  // FNV-1a
  for (uint8_t byte : current) hash = (hash ^ byte) * 1099511628211u;
  char name[64];
  snprintf(name, sizeof name, "fuzz_vq-%016llx.bin", static_cast<unsigned long long>(hash));
  if (FILE *file = fopen(name, "wb")) {
    fwrite(current.data(), 1, current.size(), file);
    fclose(file);
    fprintf(stderr, "saved; to replay: fuzz_vq %s\n", name);
  }
}

void on_signal(int signal) {
  save_input();
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

void watch() {
  std::signal(SIGABRT, on_signal);
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_set_death_callback(save_input);
#else
  for (int signal : {SIGSEGV, SIGBUS, SIGILL, SIGFPE}) std::signal(signal, on_signal);
#endif
}

void play_current() { LLVMFuzzerTestOneInput(current.data(), current.size()); }

// A new input, or one of the pool with some bytes changed, moved or taken from another.
Input next_input(Rng &rng, const std::vector<Input> &pool) {
  Input input;
  if (pool.empty() || rng() % 2) {
    input.resize(static_cast<size_t>(uniform_int(rng, 0, rng() % 2 ? 30 : 400)));
    for (auto &byte : input) byte = static_cast<uint8_t>(rng());
    return input;
  }
  input = pool[rng() % pool.size()];
  const Input &other = pool[rng() % pool.size()];
  for (auto changes = uniform_int(rng, 1, 4); changes > 0; changes--) {
    size_t at = input.empty() ? 0 : rng() % input.size();
    switch (rng() % 5) {
      case 0:
        if (!input.empty()) input[at] = static_cast<uint8_t>(rng());
        break;
      case 1:
        if (!input.empty()) input[at] ^= static_cast<uint8_t>(1u << rng() % 8);
        break;
      case 2:
        input.resize(at);
        break;
      case 3:
        input.insert(input.begin() + static_cast<int64_t>(at), static_cast<uint8_t>(rng()));
        break;
      default:
        if (at < other.size())
          input.assign(input.begin(), input.begin() + static_cast<int64_t>(at)),
              input.insert(input.end(), other.begin() + static_cast<int64_t>(at), other.end());
    }
  }
  return input;
}

void fuzz(double limit, uint64_t first_seed) {
  auto start = std::chrono::steady_clock::now();
  auto seconds = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); };
  Rng rng(first_seed);
  std::vector<Input> pool;
  int64_t played = 0;
  for (; seconds() < limit; played++) {
    current = next_input(rng, pool);
    origin = "seed " + std::to_string(first_seed) + ", input " + std::to_string(played);
    play_current();
    if (pool.size() < 64)
      pool.push_back(current);
    else
      pool[rng() % pool.size()] = current;
  }
  printf("%lld inputs in %.0f s, no finding\n", static_cast<long long>(played), seconds());
}

}  // namespace

int main(int argc, char **argv) {
  double limit = 60;
  std::optional<uint64_t> given;
  std::vector<std::string> files;
  for (int i = 1; i < argc; i++) {
    std::string name = argv[i];
    if (name == "--seconds" && i + 1 < argc)
      limit = std::stod(argv[++i]);
    else if (name == "--seed" && i + 1 < argc)
      given = std::stoull(argv[++i]);
    else
      files.push_back(name);
  }
  machine();
  watch();
  if (files.empty()) fuzz(limit, given ? *given : seed());
  for (const std::string &file : files) {
    std::ifstream in(file, std::ios::binary);
    if (!in) {
      fprintf(stderr, "%s cannot be read\n", file.c_str());
      return 1;
    }
    current.assign(std::istreambuf_iterator<char>(in), {});
    origin = file;
    play_current();
    printf("%s: no finding\n", file.c_str());
  }
  return 0;
}

#endif  // TESSERA_LIBFUZZER
