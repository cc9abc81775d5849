#!/bin/sh
# count_cases.sh LIBTESSERA DEVICE REPORT...: every function that the library exports needs a case of the conformance
# tests that called it on the device and got TS_OK; REPORT are what calls.cpp recorded. Prints the cases by function,
# and the count. ts_measure_fp32_peak is the one function that a device may do without: there the answer has to be
# TS_UNAVAILABLE.
library=$1
device=$2
shift 2
for report; do
  [ -s "$report" ] || {
    echo "$report is missing or empty: did its test run?" >&2
    exit 1
  }
done
nm -D --defined-only "$library" | awk '$2 == "T" && $3 ~ /^ts_/ { print $3 }' | sort |
  awk -v device="$device" '
    FILENAME != "-" {
      optional = $1 == "ts_measure_fp32_peak" && $2 == 3
      if (($2 == 0 || optional) && ($3 == device || $3 == "-")) {
        line = $0
        sub(/^[^ ]+ [^ ]+ [^ ]+ /, "", line)
        if (line != "no case") cases[$1] = cases[$1] (cases[$1] == "" ? "" : "; ") line
      }
      next
    }
    {
      symbols++
      n = split(cases[$1], parts, /; /)
      if (n > 0) covered++
      printf "%-40s %3d %s\n", $1, n, n == 0 ? "NO CASE" : n == 1 ? "case:  " parts[1] : "cases: " parts[1] "; ..."
    }
    END {
      printf "%d of %d exported functions have a case on %s\n", covered, symbols, device
      exit symbols == 0 || covered < symbols
    }' "$@" -
