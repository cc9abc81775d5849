#!/usr/bin/env bash
# Everything that can be said about the CUDA backend on a machine with a GPU, in under 8 minutes: builds, runs the
# conformance tests on cuda:0, runs every kernel under compute-sanitizer where it is there, and prints one table of times
# with each op's fraction of the roofline. Needs CUDA (nvcc 12.8 or newer), CMake 3.25, g++ 12 and the driver; no Maven, no
# Java, no network: the layers of device cpu, which need oneDNN from Maven, are left out (TESSERA_CPU_LAYERS=OFF), since the
# tests bring references of their own.
#
#   cuda/gpu-check.sh [--build DIR] [--probe] [--device NAME] [--tests "test_rows ..."]
#
#   --build DIR    where to build; cuda/target/gpu-check if not given. What is there already is used again
#   --probe        says which GPU there is, or why there is none, and ends
#   --device       cuda-emulated tries this script itself without a GPU: tiny sizes, and times that mean nothing
#   --tests        the conformance tests to run, if not all
#
# Exit code 0: all is well. 1: something failed; its log is named. 2: there is no GPU, or a tool is missing.
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=$here/target/gpu-check device=cuda:0 probe_only= tests="test_registry test_math test_rows test_nn_matmul \
test_nn_convolution test_nn_streams test_vq_exact test_vq_training"
limit=470 # seconds for all

# Ends with a sentence: what is missing is no fault of the kernels.
missing() {
  echo "gpu-check: $*" >&2
  exit 2
}

while (($# > 0)); do
  case $1 in
    --probe) probe_only=yes ;;
    --build | --device | --tests)
      (($# > 1)) || missing "$1 needs a value"
      case $1 in
        --build) build=$2 ;;
        --device) device=$2 ;;
        --tests) tests=$2 ;;
      esac
      shift
      ;;
    *) missing "$1 is not an option: [--build DIR] [--probe] [--device NAME] [--tests LIST]" ;;
  esac
  shift
done
[[ $device == cuda:0 || $device == cuda-emulated ]] || missing "--device is $device and must be cuda:0 or cuda-emulated"

for tool in cmake g++ awk timeout; do
  command -v "$tool" >/dev/null || missing "$tool was not found, and the build needs it"
done
if ! command -v make >/dev/null; then
  command -v ninja >/dev/null || missing "neither make nor ninja was found, and the build needs one"
  export CMAKE_GENERATOR=Ninja
fi
mkdir -p "$build/logs" || missing "$build cannot be written"
build=$(cd "$build" && pwd)

arch=
if [[ $device == cuda:0 ]]; then
  message=$(cmake -P "$here/cmake/find_nvcc.cmake" 2>&1)
  [[ $message == *"builds the CUDA plug-in"* ]] || missing "${message#-- CUDA: }"
  nvcc=$(cmake -DTELL=ON -P "$here/cmake/find_nvcc.cmake" 2>&1 | sed -n 's/^-- nvcc is //p')
  "$nvcc" -cudart static "$here/bench/probe_gpu.cpp" -o "$build/probe_gpu" >"$build/logs/probe.log" 2>&1 ||
    missing "nvcc does not build a small program: see $build/logs/probe.log"
  gpu=$("$build/probe_gpu") || missing "there is no GPU to check: $gpu"
  for known in 80 90 100 120; do ((known <= ${gpu%% *})) && arch=$known; done
  [[ -n $arch ]] || missing "${gpu#* } has compute capability ${gpu%% *}, and 80 is the least"
  echo "GPU: ${gpu#* }, compute capability ${gpu%% *}; kernels for sm_$arch"
  # cuBLAS, for the yardsticks.
  export LD_LIBRARY_PATH=$(dirname "$(dirname "$(readlink -f "$nvcc")")")/lib64${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
fi
[[ -z $probe_only ]] || exit 0

failures=0
# step NAME SECONDS COMMAND...: runs it with its output in a log, for so long at most, and says how it went.
step() {
  local name=$1 most=$2 log=$build/logs/${1// /-}.log begin=$SECONDS status
  shift 2
  ((most > limit - SECONDS)) && most=$((limit - SECONDS))
  if ((most < 1)); then
    printf '%-44s not run: the %d seconds are over\n' "$name" "$limit"
    failures=$((failures + 1))
    return 1
  fi
  timeout "$most" "$@" >"$log" 2>&1
  status=$?
  if ((status == 0)); then
    printf '%-44s ok    %4d s  %s\n' "$name" $((SECONDS - begin)) "$(tail -n 1 "$log")"
    return 0
  fi
  failures=$((failures + 1))
  if ((status == 124)); then
    printf '%-44s FAILED: did not end in %d s; %s\n' "$name" "$most" "$log"
  else
    printf '%-44s FAILED: exit code %d; %s\n' "$name" "$status" "$log"
    tail -n 15 "$log" | sed 's/^/    /'
  fi
  return 1
}

# A conformance test that really ran: nothing was skipped, something passed.
conformance() {
  local families=$1 output
  shift
  output=$(sh "$here/tests/launching.sh" "$families" "$@" 2>&1)
  local status=$?
  echo "$output"
  ((status == 0)) || return "$status"
  grep -E '^[1-9][0-9]* passed, 0 failed, 0 skipped$' <<<"$output" || {
    echo "the test did not run on $device"
    return 1
  }
}
export -f conformance
export here device

jobs=$(nproc)
native=$build/native cuda=$build/cuda
plugin=tessera_cuda bench=bench_gpu
[[ $device == cuda:0 ]] || plugin=tessera_cuda_emulated bench=bench_gpu_emulated

# shellcheck disable=SC2086
{
  step "configure native" 60 cmake -S "$here/../native" -B "$native" -DCMAKE_BUILD_TYPE=Release -DTESSERA_CPU_LAYERS=OFF &&
    step "build native" 240 cmake --build "$native" -j "$jobs" --target tessera $tests &&
    step "configure cuda" 60 cmake -S "$here" -B "$cuda" -DCMAKE_BUILD_TYPE=Release -DTESSERA_NATIVE_BUILD="$native" \
      -DTESSERA_ONE_ARCH="$arch" &&
    step "build cuda" 300 cmake --build "$cuda" -j "$jobs" --target $plugin $bench
} || exit 1

export LD_LIBRARY_PATH=$cuda/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH} TESSERA_TEST_DEVICES=$device
[[ -z $arch ]] || step "registers and instructions" 10 sh "$here/tests/check_budget.sh" "$cuda/backend/kernels.csv" "$arch"

for test in $tests; do
  families=
  [[ $test != test_vq_exact ]] || families="fp32-simt fp16-mma"
  step "$test" 60 bash -c 'conformance "$@"' conformance "$families" "$native/bin/$test"
  case $test in
    test_nn_matmul | test_nn_convolution)
      step "$test TF32" 60 env TESSERA_TF32=1 bash -c 'conformance "$@"' conformance "" "$native/bin/$test"
      ;;
  esac
done

sanitizer=$(command -v compute-sanitizer || ls "$(dirname "${nvcc:-/usr/local/cuda/bin/nvcc}")/compute-sanitizer" 2>/dev/null)
if [[ -n $sanitizer ]]; then
  for tool in memcheck racecheck; do
    step "$tool of every kernel" 60 "$sanitizer" --tool "$tool" --error-exitcode 3 "$cuda/bin/$bench" --tiny
  done
else
  echo "compute-sanitizer was not found: memory accesses and races are not checked"
fi

tiny=
[[ $device == cuda:0 ]] || tiny=--tiny
if step "timing" 150 "$cuda/bin/$bench" $tiny; then
  sed '$d' "$build/logs/timing.log"
  # With the factors of layers rounded to TF32; the yardsticks were printed before.
  step "timing TF32" 40 env TESSERA_TF32=1 "$cuda/bin/$bench" $tiny --only layers &&
    grep -E ' tf32 ' "$build/logs/timing-TF32.log" | grep -v '^cuBLAS'
fi

((failures == 0)) && echo "all is well, in $SECONDS s" && exit 0
echo "$failures steps failed, in $SECONDS s; logs are in $build/logs"
exit 1
