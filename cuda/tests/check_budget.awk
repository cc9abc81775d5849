# check_budget.awk: holds what the compilers said of each kernel (kernels.csv, cmake/record_kernels.sh) against budget.csv.
#   awk -v archs="80 90" -f budget.awk -f check_budget.awk budget.csv kernels.csv
# Of a kernel's rows the first that fits its name and architecture counts. Exits with 1 if anything does not hold:
#   - every kernel has a row on every architecture, and every row of these architectures a kernel
#   - launch bounds are the row's: as many threads, and registers held down for at least as many blocks
#   - registers are at most the row's; no static shared memory; nothing is spilled; a hot kernel has no stack frame
#   - so many blocks fit a multiprocessor with their registers, threads and shared memory
#   - the PTX has the row's instructions
BEGIN {
  # Of a multiprocessor (CUDA C++ Programming Guide, "Technical Specifications per Compute Capability"); all have 65536
  # registers, handed out to warps by 256, and set 1 KB of shared memory aside for each block.
  limits("80", 2048, 32, 164)
  limits("90", 2048, 32, 228)
  limits("100", 2048, 32, 228)
  limits("120", 1536, 24, 100)
  wanted_archs = split(archs, wanted, " ")
}
function limits(arch, threads, blocks, kilobytes) {
  most_threads[arch] = threads
  most_blocks[arch] = blocks
  most_shared[arch] = kilobytes * 1024
}
function least(a, b) { return a < b ? a : b }

# The blocks that a multiprocessor has room for, and in why[] what stops one more.
function blocks_that_fit(arch, threads, registers, shared,   fit, warps) {
  warps = int((threads + 31) / 32)
  fit = most_blocks[arch]
  fit = least(fit, int(most_threads[arch] / (32 * warps)))
  fit = least(fit, int(65536 / (warps * 256 * int((32 * registers + 255) / 256))))
  return least(fit, int(most_shared[arch] / (shared + 1024)))
}

FNR == 1 {
  columns = split($0, column, ",")
  next
}

{
  if (split_row($0, field) != columns) {
    complain("kernels.csv:" FNR ": cannot be read: " $0)
    next
  }
  for (i = 1; i <= columns; i++) is[column[i]] = field[i]
  kernels++
  here = is["kernel"] " on sm_" is["arch"] ": "
  built[is["arch"]] = 1
  seen[is["kernel"], is["arch"]] = 1
  names[is["kernel"]] = 1
  if (!(is["arch"] in most_threads)) {
    complain(here "check_budget.awk does not know this architecture's limits")
    next
  }
  for (i = 3; i <= columns; i++) if (!is_number(is[column[i]])) complain(here "no compiler says its " column[i])
  for (r = 1; r <= rows; r++) if (fits_name(r, is["kernel"]) && fits_arch(r, is["arch"])) break
  if (r > rows) {
    complain(here "has no row in budget.csv. What is there now would need \"" is["kernel"] "\",all,no," is["threads"] "," \
      is["blocks"] "," is["registers"] ",0,")
    next
  }
  used[r] = 1
  shared = row[r, "shared"] == "planned" ? 0 : row[r, "shared"]
  if (is["threads"] + 0 != row[r, "threads"] + 0)
    complain(here "is compiled for " is["threads"] " threads, and the budget says " row[r, "threads"])
  if (is["blocks"] + 0 < row[r, "blocks"] + 0)
    complain(here "is compiled for " is["blocks"] " blocks a multiprocessor, and the budget says " row[r, "blocks"])
  if (is["registers"] + 0 > row[r, "registers"] + 0)
    complain(here "takes " is["registers"] " registers, and the budget allows " row[r, "registers"])
  if (is["shared"] + 0 > 0)
    complain(here "has " is["shared"] " bytes of static shared memory; kernels declare theirs with TS_SHARED")
  if (is["spills"] + 0 > 0) complain(here "spills " is["spills"] " bytes")
  if (is["stack"] + 0 > 0 && row[r, "hot"] == "yes") complain(here "has a stack frame of " is["stack"] " bytes")
  fit = blocks_that_fit(is["arch"], is["threads"], is["registers"], shared)
  if (fit < row[r, "blocks"] + 0)
    complain(here fit " blocks fit a multiprocessor with " is["registers"] " registers, " is["threads"] " threads and " shared \
      " bytes of shared memory each, and the budget says " row[r, "blocks"])
  needed = split(row[r, "instructions"], need, " ")
  for (i = 1; i <= needed; i++) {
    if (!(need[i] in is))
      complain("budget.csv:" row[r, "line"] ": nothing counts the instruction " need[i])
    else if (is[need[i]] + 0 == 0)
      complain(here "its PTX has no " need[i])
  }
}

END {
  if (kernels == 0) complain("kernels.csv has no kernels")
  for (i = 1; i <= wanted_archs; i++)
    for (name in names)
      if (!((name, wanted[i]) in seen)) complain(name " is not compiled for sm_" wanted[i])
  for (r = 1; r <= rows; r++) {
    if (used[r]) continue
    for (arch in built)
      if (fits_arch(r, arch)) {
        complain("budget.csv:" row[r, "line"] ": there is no kernel \"" row[r, "kernel"] "\" on sm_" arch)
        break
      }
  }
  if (complaints) {
    print complaints " complaints about " kernels " kernels"
    exit 1
  }
  list = ""
  for (i = 1; i <= wanted_archs; i++) list = list " sm_" wanted[i]
  print kernels " kernels on" list " are within budget.csv"
}
