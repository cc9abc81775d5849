#!/bin/sh
# compile.sh OBJECT NVCC...: compiles with nvcc, and keeps beside OBJECT what it knows of the kernels:
#   OBJECT.ptxas   what ptxas reports of each kernel and architecture; shown if the compilation fails
#   OBJECT.ptx     the PTX of all architectures, one after the other; empty where a source has no kernels
object=$1
shift
kept=$object.kept
rm -rf "$kept"
mkdir "$kept" || exit
trap 'rm -rf "$kept"' EXIT
"$@" --keep --keep-dir "$kept" >"$object.ptxas" 2>&1 || {
  cat "$object.ptxas"
  exit 1
}
find "$kept" -name '*.ptx' -exec cat {} + >"$object.ptx"
