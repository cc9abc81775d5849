#!/bin/sh
# launching.sh "FAMILY..." COMMAND...: runs a test, shows how often each kernel family was launched, and fails if one of
# these never was (then the test did not test it), or if a launch was larger than budget.csv counts on.
families=$1
shift
here=$(dirname "$0")
report=$(mktemp)
trap 'rm -f "$report"' EXIT
TESSERA_LAUNCH_REPORT=$report "$@" || exit
awk '$1 != "kernel" { count[$1] += $2 } END { for (family in count) print "launched " family " " count[family] }' "$report" |
  sort
for family in $families; do
  awk -v family="$family" '$1 == family && $2 > 0 { found = 1 } END { exit !found }' "$report" || {
    echo "family $family was never launched" >&2
    exit 1
  }
done
awk -f "$here/budget.awk" -f "$here/check_launches.awk" "$here/../budget.csv" "$report" >&2
