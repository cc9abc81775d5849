# check_launches.awk: holds the launches of a test run (TESSERA_LAUNCH_REPORT) against budget.csv: their blocks have at
# most the threads and the shared memory that the budget counts on.
#   awk -f budget.awk -f check_launches.awk budget.csv REPORT
# A launch names a kernel without its template arguments, so the largest figures of all of them count.
/^kernel / {
  threads = $2
  shared = $3
  name = $0
  sub(/^kernel [0-9]+ [0-9]+ \(?/, "", name)
  sub(/[<)].*/, "", name)
  most_threads = most_shared = -1
  for (r = 1; r <= rows; r++) {
    base = row[r, "kernel"]
    sub(/[<*].*/, "", base)
    if (base != name) continue
    if (row[r, "threads"] + 0 > most_threads) most_threads = row[r, "threads"] + 0
    bytes = row[r, "shared"] == "planned" ? 227 * 1024 : row[r, "shared"] + 0
    if (bytes > most_shared) most_shared = bytes
  }
  if (most_threads < 0)
    complain("kernel " name " was launched and has no row in budget.csv")
  else if (threads + 0 > most_threads || shared + 0 > most_shared)
    complain("kernel " name " was launched with " threads " threads and " shared " bytes of shared memory, and budget.csv says " \
      most_threads " and " most_shared)
}

END { exit complaints > 0 }
