#!/usr/bin/env bash
# Takes every numbered barrier, wait and bounds check of the kernels away, one at a time, and runs the tests that cover
# the kernel on the emulator until one fails. Prints which test that was, and what nobody missed; exits with 1 if there
# is any of the latter: a missing test, or a place that is redundant and should go.
#
#   tests/remove_each.sh [FILE.cuh[:NUMBER] ...]       all kernel files without arguments: 119 places, 6 minutes
#
# For a barrier or a wait the release build's tests come first, since they take seconds; for a bounds check the sanitize
# build's, since it may be missed by AddressSanitizer alone. `mvn -pl cuda -am verify` makes both; KINDS=release or KINDS=sanitize tries
# one of them. For one place, its test in one build:
#
#   TESSERA_EMULATION_REMOVE=sort_rows.cuh:9 TESSERA_TEST_DEVICES=cuda-emulated TESSERA_TEST_FAIL_FAST=1 \
#     LD_LIBRARY_PATH=target/release/lib ../native/target/release/bin/test_vq_training
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
builds=${BUILDS:-$here/target}                     # with release/ and sanitize/ in it
native_builds=${NATIVE_BUILDS:-$here/../native/target}
kinds=${KINDS:-release sanitize}
[[ $# -gt 0 ]] || set -- $(cd "$here/kernels" && ls *.cuh | grep -v platform.cuh)

export TESSERA_TEST_DEVICES=cuda-emulated TESSERA_TEST_FAIL_FAST=1 TESSERA_TEST_SEED=${TESSERA_TEST_SEED:-1}
export ASAN_OPTIONS=allocator_may_return_null=1:detect_leaks=0

# The tests that cover a kernel file, the quickest first. TF32/ before a test's name turns tensor cores on for products;
# after an @ comes a part of the names of the cases to run, with _ for a space.
tests_of() {
  case $1 in
    assign_exact.cuh | assign_narrow.cuh)
      echo test_vq_exact@scanned test_vq_exact@more_candidates test_vq_exact@screen test_vq_exact@finite test_vq_exact@remainder test_vq_exact ;;
    assign* | codebook.cuh)
      echo test_vq_exact@screen test_vq_exact@more_candidates test_vq_exact@finite test_vq_exact@remainder test_search@plan test_vq_exact test_search ;;
    quantize.cuh | gather.cuh | scatter_update.cuh | sort_rows.cuh | ema.cuh | restart.cuh) echo test_vq_training ;;
    softmax.cuh | layer_norm.cuh) echo test_rows ;;
    masked_conv.cuh | gate.cuh | sample_codes.cuh | token_ids.cuh) echo test_prior ;;
    attention*.cuh) echo test_attention ;;
    clip.cuh | dropout.cuh) echo test_math ;;
    matmul.cuh) echo test_nn_matmul TF32/test_nn_matmul ;;
    conv*.cuh) echo test_nn_convolution TF32/test_nn_convolution ;;
    product*.cuh) echo test_nn_matmul test_nn_convolution TF32/test_nn_matmul TF32/test_nn_convolution ;;
    column_sums.cuh) echo test_math test_nn_matmul test_nn_convolution test_rows ;;
    *) echo test_math test_rows test_vq_training test_nn_matmul test_nn_convolution test_vq_exact ;;
  esac
}

# passes BUILD TEST
passes() {
  local name=${2#TF32/} tf32=0
  [[ $2 == "$name" ]] || tf32=1
  local cases=
  [[ $name != *@* ]] || cases=${name#*@}
  name=${name%@*}
  local program=$native_builds/$1/bin/$name
  [[ -x $program ]] || program=$builds/$1/bin/$name
  TESSERA_TEST_CASE=${cases//_/ } TESSERA_TF32=$tf32 LD_LIBRARY_PATH=$builds/$1/lib timeout 1200 "$program" >/dev/null 2>&1
}

# The first test that fails without a place: missed_by FILE NUMBER.
missed_by() {
  local build test order=$kinds
  if grep -qE "TS_GUARD\($2\b" "$here/kernels/$1"; then order=$(tac -s ' ' <<<"$kinds " | tr -d '\n'); fi
  for build in $order; do
    for test in $(tests_of "$1"); do
      passes "$build" "$test" || { echo "$test ($build)"; return; }
    done
  done
}

survivors=0
good=""
for argument in "$@"; do
  file=${argument%%:*}
  code=$(grep -v '^ *//' "$here/kernels/$file")
  numbers=$(grep -oE 'TS_(SYNC|SYNC_WARP|GUARD|ASYNC_WAIT)\([0-9]+' <<<"$code" | grep -oE '[0-9]+$' | sort -n)
  repeated=$(uniq -d <<<"$numbers")
  [[ -z $repeated ]] || { echo "$file: numbers used twice: $repeated" >&2; exit 2; }
  [[ $argument != *:* ]] || numbers=${argument#*:}
  # Without a removal all must pass, or nothing is proved.
  for build in $kinds; do
    for test in ${numbers:+$(tests_of "$file")}; do
      [[ " $good " != *" $build/$test "* ]] || continue
      passes "$build" "$test" || { echo "$test ($build) fails with nothing removed" >&2; exit 2; }
      good+=" $build/$test"
    done
  done
  for number in $numbers; do
    export TESSERA_EMULATION_REMOVE=$file:$number
    test=$(missed_by "$file" "$number")
    unset TESSERA_EMULATION_REMOVE
    echo "$file:$number ${test:-SURVIVED}"
    [[ -n $test ]] || survivors=$((survivors + 1))
  done
done
exit $((survivors > 0))
