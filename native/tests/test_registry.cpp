// Devices, streams, memory and codebook handles: what opens, what is refused and with which words.
#include <atomic>
#include <thread>

#include "harness.h"

using namespace tessera::test;

namespace {

bool contains(const char *text, const char *part) { return strstr(text, part) != nullptr; }

void names_and_reasons() {
  announce("names and reasons");
  CHECK(ts_abi_version() == TS_ABI_VERSION);
  CHECK(ts_backend_count() == 3);
  for (uint32_t i = 0; i < ts_backend_count(); i++) {
    ts_backend_info info{.struct_size = sizeof info, .device_count = -1, .name = "", .detail = ""};
    ts_error error{};
    CHECK(ts_backend_describe(i, &info, &error) == TS_OK);
    CHECK_MSG(info.device_count >= 0 && info.detail[0], "backend %s says nothing", info.name);
    if (i == 0) CHECK(info.device_count == 1 && contains(info.name, "cpu"));
  }
  ts_error error{};
  ts_device *device = nullptr;
  for (const char *name : {"", "gpu", "cpu:0", "cpu:1", "cuda:", "cuda:x", "cuda:-1", "cuda:1 ", "cuda:99999999999"}) {
    CHECK_MSG(ts_device_open(name, &device, &error) == TS_INVALID_ARGUMENT, "\"%s\" was not refused", name);
    CHECK(contains(error.message, "cpu, cuda:N and cuda-emulated"));
    CHECK(device == nullptr);
  }
  CHECK(ts_device_open("cuda", &device, &error) == TS_INVALID_ARGUMENT && contains(error.message, "cuda:0"));
  CHECK(ts_device_open(nullptr, &device, &error) == TS_INVALID_ARGUMENT);
  CHECK(ts_device_open("cpu", nullptr, &error) == TS_INVALID_ARGUMENT);
  CHECK(ts_device_open("cpu", nullptr, nullptr) == TS_INVALID_ARGUMENT);
  ts_status status = ts_device_open("cuda:0", &device, &error);
  CHECK_MSG(status == TS_OK || (status == TS_UNAVAILABLE && strlen(error.message) > 20), "%s", error.message);
  if (status == TS_OK) ts_device_close(device, nullptr);
  announce("no case");
  passed++;
}

// A second handle of the device is one of its own.
void devices(Device &d) {
  ts_error error{};
  ts_device *second = nullptr;
  CHECK_MSG(ts_device_open(d.name.c_str(), &second, &error) == TS_OK && second != d.device, "%s", error.message);
  ts_device_info info{};
  CHECK(ts_device_describe(second, &info, &error) == TS_INVALID_ARGUMENT && contains(error.message, "struct_size"));
  info.struct_size = sizeof info;
  info.max_threads = -1;
  CHECK(ts_device_describe(nullptr, &info, &error) == TS_INVALID_ARGUMENT);
  CHECK(ts_device_describe(second, nullptr, &error) == TS_INVALID_ARGUMENT);
  CHECK(ts_device_describe(second, &info, &error) == TS_OK);
  CHECK(d.name == info.name && info.description[0] && info.instruction_sets[0]);
  CHECK(info.memory_bytes >= uint64_t{1} << 28);
  CHECK_MSG(d.name == "cpu" ? info.max_threads >= 1 : info.max_threads == 0, "%d threads", info.max_threads);
  uint64_t address = 0;
  CHECK(ts_alloc(second, 100, &address, &error) == TS_OK);
  CHECK(ts_free(d.device, address, &error) == TS_INVALID_ARGUMENT);
  CHECK(ts_device_close(second, &error) == TS_BUSY);
  CHECK(ts_free(second, address, &error) == TS_OK);
  CHECK(ts_device_close(second, &error) == TS_OK);
  CHECK(ts_device_close(nullptr, &error) == TS_INVALID_ARGUMENT);
}

void memory(Device &d) {
  ts_memory_info info{};
  ts_error error{};
  info.struct_size = sizeof info;
  CHECK(ts_device_memory(d.device, &info, &error) == TS_OK);
  uint64_t before = info.bytes_in_use, count = info.allocation_count;
  uint64_t address = 1;
  CHECK(ts_alloc(d.device, 0, &address, &error) == TS_OK && address == 0);
  CHECK(ts_alloc(d.device, 1000, &address, &error) == TS_OK && address % 64 == 0);
  ts_device_memory(d.device, &info, &error);
  CHECK(info.bytes_in_use == before + 1000 && info.allocation_count == count + 1 && info.peak_bytes >= before + 1000);
  CHECK(ts_free(d.device, address + 64, &error) == TS_INVALID_ARGUMENT && contains(error.message, "ts_alloc"));
  CHECK(ts_device_close(d.device, &error) == TS_BUSY && contains(error.message, "1 allocations"));
  CHECK(ts_free(d.device, address, &error) == TS_OK);
  CHECK(ts_free(d.device, address, &error) == TS_INVALID_ARGUMENT);
  CHECK(ts_free(d.device, 0, &error) == TS_OK);
  CHECK(ts_alloc(d.device, UINT64_MAX, &address, &error) == TS_OUT_OF_MEMORY);
  CHECK(ts_alloc(d.device, uint64_t{1} << 50, &address, &error) == TS_OUT_OF_MEMORY && error.message[0]);
  ts_device_memory(d.device, &info, &error);
  CHECK(info.bytes_in_use == before);
}

void streams_and_events(Device &d) {
  ts_error error{};
  ts_stream *stream = nullptr;
  ts_stream_options options{sizeof options, -1};
  CHECK(ts_stream_open(d.device, &options, &stream, &error) == TS_INVALID_ARGUMENT &&
        contains(error.message, "threads"));
  options.threads = 1025;
  CHECK(ts_stream_open(d.device, &options, &stream, &error) == TS_INVALID_ARGUMENT);
  options = {4, 1};
  CHECK(ts_stream_open(d.device, &options, &stream, &error) == TS_INVALID_ARGUMENT &&
        contains(error.message, "struct_size"));
  CHECK(ts_stream_open(d.device, nullptr, &stream, &error) == TS_OK);
  CHECK(ts_device_close(d.device, &error) == TS_BUSY);
  CHECK(ts_stream_reserve(stream, 1 << 20) == TS_OK);
  ts_event *start = nullptr, *end = nullptr;
  double seconds = -1;
  CHECK(ts_event_open(d.device, &start, &error) == TS_OK && ts_event_open(d.device, &end, &error) == TS_OK);
  CHECK(ts_event_elapsed(start, end, &seconds, &error) == TS_INVALID_ARGUMENT && contains(error.message, "recorded"));
  CHECK(ts_event_record(stream, start) == TS_OK && ts_stream_wait(d.stream, start) == TS_OK);
  CHECK(ts_event_record(stream, end) == TS_OK);
  CHECK(ts_event_elapsed(start, end, &seconds, &error) == TS_OK && seconds >= 0 && seconds < 10);
  CHECK(ts_stream_synchronize(stream) == TS_OK);
  ts_event_close(start, nullptr);
  ts_event_close(end, nullptr);
  CHECK(ts_stream_close(stream, &error) == TS_OK);
  CHECK(ts_stream_synchronize(nullptr) == TS_INVALID_ARGUMENT);
}

void copies(Device &d) {
  Rng rng(seed());
  std::vector<float> values = gaussian(rng, 1000);
  Tensor<float> a(d, {1000}, values), b(d, {1000});
  OK(d, ts_copy(d.stream, b.data(), a.data(), 4000));
  CHECK(b.read() == values);
  CHECK(ts_copy(d.stream, a.data() + 4, a.data(), 8) == TS_INVALID_ARGUMENT &&
        contains(d.message().c_str(), "overlap"));
  CHECK(ts_copy_to_device(d.stream, 0, values.data(), 4) == TS_INVALID_ARGUMENT);
  CHECK(ts_copy_to_device(d.stream, a.data(), nullptr, 4) == TS_INVALID_ARGUMENT);
  CHECK(ts_copy_to_host(d.stream, nullptr, a.data(), 4) == TS_INVALID_ARGUMENT);
  CHECK(ts_copy_to_device(d.stream, 0, nullptr, 0) == TS_OK);
}

void codebook_versions(Device &d) {
  ts_error error{};
  std::vector<float> first = {0, 0, 1, 1, 2, 2}, second = {5, 5, 6, 6, 7, 7};
  Tensor<float> c1(d, {3, 2}, first), c2(d, {3, 2}, second), out(d, {3, 2}), wrong(d, {2, 3});
  ts_codebook *book = nullptr, *pinned = nullptr;
  CHECK(ts_codebook_open(d.stream, wrong, nullptr) == TS_INVALID_ARGUMENT);
  OK(d, ts_codebook_open(d.stream, c1, &book));
  CHECK(ts_codebook_update(d.stream, book, wrong) == TS_INVALID_ARGUMENT && contains(d.message().c_str(), "[3,2]"));
  CHECK(ts_codebook_pin(book, &pinned, &error) == TS_OK);
  OK(d, ts_codebook_update(d.stream, book, c2));
  CHECK(ts_codebook_update(d.stream, pinned, c2) == TS_INVALID_ARGUMENT && contains(d.message().c_str(), "pinned"));
  OK(d, ts_codebook_read(d.stream, book, out));
  CHECK(out.read() == second);
  OK(d, ts_codebook_read(d.stream, pinned, out));
  CHECK(out.read() == first);
  ts_codebook_info info{};
  info.struct_size = sizeof info;
  CHECK(ts_codebook_describe(book, &info, &error) == TS_OK);
  CHECK(info.codes == 3 && info.dim == 2 && info.version == 2 && !info.pinned && info.bytes >= 24);
  CHECK(ts_codebook_describe(pinned, &info, &error) == TS_OK && info.version == 1 && info.pinned);

  // A code that is not finite leaves the current version in place, and steady updates allocate nothing.
  std::vector<float> bad = second;
  bad[4] = INFINITY;
  Tensor<float> c3(d, {3, 2}, bad);
  CHECK(ts_codebook_update(d.stream, book, c3) == TS_DATA_FAULT);
  ts_fault fault{};
  fault.struct_size = sizeof fault;
  OK(d, ts_stream_fault(d.stream, &fault));
  CHECK(fault.kind == TS_FAULT_NONFINITE_CODE && fault.row == 2 && !strcmp(fault.op, "codebook_update"));
  OK(d, ts_stream_fault(d.stream, &fault));
  CHECK(fault.kind == TS_FAULT_NONE);
  OK(d, ts_codebook_read(d.stream, book, out));
  CHECK(out.read() == second);
  OK(d, ts_codebook_update(d.stream, book, c1));
  ts_memory_info memory{};
  memory.struct_size = sizeof memory;
  ts_device_memory(d.device, &memory, nullptr);
  uint64_t count = memory.allocation_count;
  for (int i = 0; i < 10; i++) OK(d, ts_codebook_update(d.stream, book, i % 2 ? c1 : c2));
  ts_device_memory(d.device, &memory, nullptr);
  CHECK(memory.allocation_count == count);

  // Readers on other streams keep working while an update publishes.
  std::thread reader([&d, book] {
    ts_stream *stream = nullptr;
    CHECK(ts_stream_open(d.device, nullptr, &stream, nullptr) == TS_OK);
    Device other{d.name, d.device, stream};
    Tensor<float> mine(other, {3, 2});
    for (int i = 0; i < 500; i++) {
      OK(other, ts_codebook_read(stream, book, mine));
      std::vector<float> seen = mine.read();
      CHECK(seen[0] == seen[1] && seen[2] == seen[0] + 1 && seen[5] == seen[0] + 2);
    }
    ts_stream_close(stream, nullptr);
  });
  for (int i = 0; i < 500; i++) OK(d, ts_codebook_update(d.stream, book, i % 2 ? c1 : c2));
  reader.join();
  CHECK(ts_codebook_close(book, &error) == TS_OK);
  OK(d, ts_codebook_read(d.stream, pinned, out));
  CHECK(out.read() == first);
  CHECK(ts_codebook_close(pinned, &error) == TS_OK);
}

// The peak that ratios are taken of: a rate for every width that is there, with any number of threads.
void fp32_peak(Device &d) {
  for (int32_t threads : {1, 3}) {
    ts_stream_options options{sizeof options, threads};
    ts_stream *stream = nullptr;
    CHECK(ts_stream_open(d.device, &options, &stream, nullptr) == TS_OK);
    for (int32_t bits : {0, 128, 256, 512}) {
      double gflops = -1;
      ts_status status = ts_measure_fp32_peak(stream, bits, &gflops);
      ts_error error{};
      ts_stream_error(stream, &error);
      if (status == TS_OK)
        CHECK_MSG(std::isfinite(gflops) && gflops > 0, "%g GFLOP/s", gflops);
      else
        CHECK_MSG(status == TS_UNAVAILABLE && gflops == -1 && error.message[0], "status %d, %g", status, gflops);
      if (d.name == "cpu" && (bits == 0 || bits == 128)) CHECK(status == TS_OK);
    }
    ts_stream_close(stream, nullptr);
  }
}

// The last of two closes frees the codebook, whichever that is.
void handles_closed_at_once(Device &d) {
  Tensor<float> codes(d, {4, 3}, std::vector<float>(12, 1.0f));
  for (int i = 0; i < (d.is_emulated() ? 200 : 2000); i++) {
    ts_codebook *handle = nullptr, *pinned = nullptr;
    OK(d, ts_codebook_open(d.stream, codes, &handle));
    CHECK(ts_codebook_pin(handle, &pinned, nullptr) == TS_OK);
    std::atomic<int> ready{0};
    auto close = [&ready](ts_codebook *codebook) {
      for (ready++; ready < 2;) {
      }
      ts_codebook_close(codebook, nullptr);
    };
    std::thread other(close, pinned);
    close(handle);
    other.join();
  }
}

}  // namespace

int main() {
  names_and_reasons();
  run("devices", devices);
  run("memory", memory);
  run("streams and events", streams_and_events);
  run("copies", copies);
  run("codebook versions", codebook_versions);
  run("two handles of a codebook closed at once", handles_closed_at_once);
  run("fp32 peak", fp32_peak);
  return finish();
}
