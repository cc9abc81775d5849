// bench_gpu: checks the kernels' results on one device, then times them by its events and prints one table, with each
// op's fraction of the roofline that a large copy and large products draw.
//
//   bench_gpu [--device cuda:0] [--tiny] [--only yardsticks|quantiser|layers]
//
// --tiny runs every kernel on hardly any work: for the emulator, and for compute-sanitizer. TESSERA_TF32=1 does
// convolutions and matrix products on tensor cores. Exit code 0: all results were right. 1: one was not. 2: no device.
#include "bench.h"

using namespace tessera::bench;

namespace {

#if defined(TS_EMULATED)
constexpr const char *kDefaultDevice = "cuda-emulated";
#else
constexpr const char *kDefaultDevice = "cuda:0";
#endif

}  // namespace

int main(int argc, char **argv) {
  std::string device_name = kDefaultDevice, only;
  bool tiny = false;
  for (int i = 1; i < argc; i++) {
    const std::string argument = argv[i];
    if (argument == "--tiny") {
      tiny = true;
    } else if (argument == "--device" && i + 1 < argc) {
      device_name = argv[++i];
    } else if (argument == "--only" && i + 1 < argc) {
      only = argv[++i];
    } else {
      fprintf(stderr, "bench_gpu: %s is not an option: [--device NAME] [--tiny] [--only yardsticks|quantiser|layers]\n",
              argv[i]);
      return 2;
    }
  }
  if (!only.empty() && only != "yardsticks" && only != "quantiser" && only != "layers") {
    fprintf(stderr, "bench_gpu: --only is %s and must be yardsticks, quantiser or layers\n", only.c_str());
    return 2;
  }

  Device device{device_name};
  ts_error error{};
  if (ts_device_open(device_name.c_str(), &device.device, &error) != TS_OK ||
      ts_stream_open(device.device, nullptr, &device.stream, &error) != TS_OK) {
    fprintf(stderr, "%s\n", error.message);
    return 2;
  }
  ts_device_info info{};
  info.struct_size = sizeof info;
  ts_device_describe(device.device, &info, &error);
  printf("%s: %s, %s, %.1f GB\n", info.name, info.description, info.instruction_sets,
         static_cast<double>(info.memory_bytes) * 1e-9);

  tessera::test::seed();
  Bench bench(device, tiny ? tiny_sizes() : full_sizes());
  Bench::head();
  measure_yardsticks(bench);  // what the other lines are compared with
  if (only.empty() || only == "quantiser") measure_quantiser(bench);
  if (only.empty() || only == "layers") measure_layers(bench);

  ts_stream_close(device.stream, nullptr);
  ts_device_close(device.device, nullptr);
  if (tessera::test::failed > 0)
    printf("%d checks of results FAILED\n", tessera::test::failed);
  else
    printf("all results were right\n");
  return tessera::test::failed == 0 ? 0 : 1;
}
