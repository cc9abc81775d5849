// A valid call of an op, whose tensors are spoilt one at a time in every way: each spoilt call must be refused with a
// message that begins with the function's name, and must write nothing.
#pragma once

#include <functional>

#include "harness.h"

namespace tessera::test {

using Arguments = std::vector<const ts_tensor *>;

struct Argument {
  const char *name;
  std::vector<int64_t> dims;
  int32_t dtype = TS_F32;
  bool optional = false;
  bool output = false;
  bool free_shape = false;       // shape is not fixed by the other arguments, so a change of it is valid
  int free_dim = -1;             // the one dimension of which that is so
  std::vector<int> may_alias{};  // arguments that it may be (in place)
};

struct Case {
  const char *function;
  std::vector<Argument> arguments;
  std::function<ts_status(ts_stream *, const Arguments &)> call;
};

inline size_t element_bytes(int32_t dtype) { return dtype == TS_F64 || dtype == TS_I64 ? 8 : dtype == TS_U8 ? 1 : 4; }

class Runner {
 public:
  Runner(Device &device, const Case &c) : device_(device), case_(c) {
    for (const Argument &a : c.arguments) {
      ts_tensor t{};
      t.dtype = a.dtype;
      t.rank = static_cast<int32_t>(a.dims.size());
      size_t bytes = element_bytes(a.dtype);
      for (size_t i = 0; i < a.dims.size(); i++) bytes *= static_cast<size_t>(t.dims[i] = a.dims[i]);
      CHECK(ts_alloc(device.device, bytes + 64, &t.data, nullptr) == TS_OK);  // room to be misaligned in
      std::vector<unsigned char> zero(bytes + 64, 0);
      OK(device, ts_copy_to_device(device.stream, t.data, zero.data(), zero.size()));
      tensors_.push_back(t);
      bytes_.push_back(bytes);
    }
  }
  ~Runner() {
    for (const ts_tensor &t : tensors_) ts_free(device_.device, t.data, nullptr);
  }

  void run() {
    Arguments valid;
    for (const ts_tensor &t : tensors_) valid.push_back(&t);
    ts_status status = case_.call(device_.stream, valid);
    CHECK_MSG(status == TS_OK, "%s: the valid call is refused: %s", case_.function, device_.message().c_str());
    CHECK_MSG(case_.call(nullptr, valid) == TS_INVALID_ARGUMENT, "%s takes a NULL stream", case_.function);
    std::vector<std::vector<unsigned char>> before = contents();
    for (size_t i = 0; i < tensors_.size(); i++) spoil(i, valid);
    CHECK_MSG(contents() == before, "%s wrote something in a refused call", case_.function);
  }

 private:
  void spoil(size_t i, const Arguments &valid) {
    const Argument &a = case_.arguments[i];
    Arguments bad = valid;
    if (!a.optional) {
      bad[i] = nullptr;
      refuse(bad, a.name, "NULL");
    }
    ts_tensor t = tensors_[i];
    bad[i] = &t;
    auto with = [&](const char *what, auto change) {
      t = tensors_[i];
      change(t);
      refuse(bad, a.name, what);
    };
    with("data 0", [](ts_tensor &x) { x.data = 0; });
    if (a.dtype != TS_U8) with("misaligned data", [](ts_tensor &x) { x.data += 1; });
    if (bytes_[i] > 16) with("data at the end of memory", [](ts_tensor &x) { x.data = UINT64_MAX - 15; });
    with("dtype -1", [](ts_tensor &x) { x.dtype = -1; });
    with("dtype 99", [](ts_tensor &x) { x.dtype = 99; });
    with("another dtype", [](ts_tensor &x) { x.dtype = x.dtype == TS_I64 ? TS_U8 : TS_I64; });
    with("rank -1", [](ts_tensor &x) { x.rank = -1; });
    with("rank 7", [](ts_tensor &x) { x.rank = TS_MAX_RANK + 1; });
    for (int32_t d = 0; d < t.rank; d++) {
      with("a negative dimension", [d](ts_tensor &x) { x.dims[d] = -1; });
      with("a dimension of INT64_MIN", [d](ts_tensor &x) { x.dims[d] = INT64_MIN; });
      with("a dimension of INT64_MAX", [d](ts_tensor &x) { x.dims[d] = INT64_MAX; });
      if (!a.free_shape && d != a.free_dim) with("one dimension larger", [d](ts_tensor &x) { x.dims[d]++; });
    }
    if (t.rank > 1)
      with("dimensions whose product overflows", [](ts_tensor &x) { x.dims[0] = x.dims[1] = int64_t{1} << 40; });
    if (!a.output || bytes_[i] == 0) return;
    for (size_t j = 0; j < tensors_.size(); j++) {
      if (j == i || bytes_[j] == 0) continue;
      bool allowed = false;
      for (int alias : a.may_alias) allowed = allowed || static_cast<size_t>(alias) == j;
      if (!allowed) with("an overlap", [&](ts_tensor &x) { x.data = tensors_[j].data; });
      if (bytes_[j] > 8) with("a partial overlap", [&](ts_tensor &x) { x.data = tensors_[j].data + 8; });
    }
  }

  void refuse(const Arguments &bad, const char *name, const char *what) {
    ts_status status = case_.call(device_.stream, bad);
    CHECK_MSG(status == TS_INVALID_ARGUMENT, "%s: %s with %s gives status %d", case_.function, name, what, status);
    std::string message = device_.message();
    CHECK_MSG(message.find(case_.function) == 0 && message.size() > strlen(case_.function) + 8, "message \"%s\"",
              message.c_str());
  }

  std::vector<std::vector<unsigned char>> contents() {
    std::vector<std::vector<unsigned char>> all;
    for (size_t i = 0; i < tensors_.size(); i++) {
      all.emplace_back(bytes_[i] + 64);
      OK(device_, ts_copy_to_host(device_.stream, all.back().data(), tensors_[i].data, all.back().size()));
    }
    return all;
  }

  Device &device_;
  const Case &case_;
  std::vector<ts_tensor> tensors_;
  std::vector<size_t> bytes_;
};

}  // namespace tessera::test
