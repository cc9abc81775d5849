#!/bin/sh
# test_probe.sh BUILD: what gpu-check.sh says before it builds anything: with a GPU which one, without one or without nvcc
# one sentence that says why, and exit code 2.
check=$(dirname "$0")/../gpu-check.sh
text=$("$check" --build "$1" --probe 2>&1)
status=$?
echo "$text"
case $status in
  0) case $text in "GPU: "*"compute capability "*) ;; *) echo "exit code 0 without a GPU's name" >&2; exit 1 ;; esac ;;
  2) case $text in "gpu-check: "?*) ;; *) echo "exit code 2 without a reason" >&2; exit 1 ;; esac ;;
  *) echo "exit code $status" >&2; exit 1 ;;
esac
[ "$(printf '%s\n' "$text" | wc -l)" = 1 ] || { echo "more than one line" >&2; exit 1; }
text=$("$check" --build "$1" --frobnicate 2>&1)
[ $? = 2 ] && [ "$text" != "${text#gpu-check: --frobnicate is not an option}" ] || { echo "an unknown option: $text" >&2; exit 1; }
