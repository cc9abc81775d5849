#!/bin/sh
# record_kernels.sh CSV OBJECT...: writes registers, shared memory, stack, spills, launch bounds and instructions of every
# kernel and architecture to CSV, from the .ptxas and .ptx files that compile.sh left beside the objects. The first column
# is the kernel's name in double quotes, without namespace and parameters: "gather_rows<true>".
set -e
csv=$1
shift
here=$(dirname "$0")
files=
for object in "$@"; do files="$files $object.ptxas $object.ptx"; done
# shellcheck disable=SC2086
awk -f "$here/record_kernels.awk" $files | c++filt | awk '
  # "void tessera::cuda::gather_rows<true>(float const*, ...),80,..." becomes "gather_rows<true>",80,...: the name ends at
  # the first parenthesis or comma outside of <>, the figures are what has no letters at the end.
  NR == 1 { print; next }
  {
    gsub(/tessera::cuda::|\(anonymous namespace\)::|_GLOBAL__N__[A-Za-z0-9_]*::/, "")
    while (gsub(/> >/, ">>")) continue
    sub(/^void /, "")
    match($0, /,[0-9?]+(,[0-9?]+)*$/)
    figures = substr($0, RSTART)
    for (i = depth = 0; ++i <= length($0); ) {
      c = substr($0, i, 1)
      depth += (c == "<") - (c == ">")
      if (depth == 0 && (c == "(" || c == ",")) break
    }
    print "\"" substr($0, 1, i - 1) "\"" figures
  }' >"$csv.new"
mv "$csv.new" "$csv"
