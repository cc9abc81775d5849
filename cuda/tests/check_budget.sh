#!/bin/sh
# check_budget.sh KERNELS.csv ARCH...: holds what nvcc and ptxas said of the kernels against budget.csv, for these
# architectures: "80 90". BUDGET names another budget.
kernels=$1
shift
here=$(cd "$(dirname "$0")" && pwd)
LC_ALL=C exec awk -v archs="$*" -f "$here/budget.awk" -f "$here/check_budget.awk" "${BUDGET:-$here/../budget.csv}" "$kernels"
