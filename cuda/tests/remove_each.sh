#!/usr/bin/env bash
# Takes every numbered barrier, wait and bounds check of the kernels away, one at a time, and runs the conformance tests
# on the emulator until one fails. Prints what nobody missed, and exits with 1 if there is any: a missing test, or a
# place that is redundant and should go.
#
#   tests/remove_each.sh [FILE.cuh ...]        all kernel files without arguments; hours for all, so give those you changed
#
# Runs the sanitize build (mvn -pl cuda -am verify makes it): a bounds check is missed by AddressSanitizer alone.
# TESTS names the tests to run, in order, if not all.
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=${BUILD:-$here/target/sanitize}
native=${NATIVE_BUILD:-$here/../native/target/sanitize}
tests=${TESTS:-test_math test_rows test_vq_training test_nn_matmul test_nn_convolution test_vq_exact}
[[ $# -gt 0 ]] || set -- $(cd "$here/kernels" && ls *.cuh)

export TESSERA_TEST_DEVICES=cuda-emulated LD_LIBRARY_PATH=$build/lib
export ASAN_OPTIONS=allocator_may_return_null=1:detect_leaks=0

missed_by() {
  local test
  for test in $tests; do
    if ! TESSERA_EMULATION_REMOVE=$1 timeout 900 "$native/bin/$test" >/dev/null 2>&1; then
      echo "$test"
      return
    fi
  done
}

# Without a removal all must pass, or nothing is proved.
failing=$(missed_by none:0)
[[ -z $failing ]] || { echo "$failing fails with nothing removed" >&2; exit 2; }

survivors=0
for file in "$@"; do
  numbers=$(grep -oE 'TS_(SYNC|SYNC_WARP|GUARD|ASYNC_WAIT)\([0-9]+' "$here/kernels/$file" | grep -oE '[0-9]+$' | sort -n)
  repeated=$(uniq -d <<<"$numbers")
  [[ -z $repeated ]] || { echo "$file: numbers used twice: $repeated" >&2; exit 2; }
  for number in $numbers; do
    test=$(missed_by "$file:$number")
    echo "$file:$number ${test:-SURVIVED}"
    [[ -n $test ]] || survivors=$((survivors + 1))
  done
done
exit $((survivors > 0))
