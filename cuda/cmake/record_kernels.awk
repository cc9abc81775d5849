# record_kernels.awk: what the compilers say of each kernel and architecture, from their .ptxas and .ptx files, as lines
#   MANGLED NAME,arch,threads,blocks,registers,shared,stack,spills,COUNTS...
# threads and blocks are the kernel's launch bounds; shared is static shared memory in bytes, stack the frame in bytes,
# spills the bytes stored to and loaded from it; COUNTS says how often the PTX has each of `instructions` below. A figure
# that no compiler gave is a "?", which no budget allows. record_kernels.sh makes a CSV file of it.
BEGIN {
  instructions = split("mma.f16 mma.tf32 ldmatrix cp.async.16 ld.global.16 st.global.16 ld.shared.16", instruction, " ")
  pattern["mma.f16"] = "^mma\\.sync\\.aligned\\.m16n8k16\\.row\\.col\\.f32\\.f16\\.f16\\.f32$"
  pattern["mma.tf32"] = "^mma\\.sync\\.aligned\\.m16n8k8\\.row\\.col\\.f32\\.tf32\\.tf32\\.f32$"
  pattern["ldmatrix"] = "^ldmatrix\\.sync\\.aligned\\.m8n8\\.x4\\."
  pattern["cp.async.16"] = "^cp\\.async\\.cg\\.shared\\.global"
  # 16 bytes: four numbers of 4, or two of 8.
  vector = "\\.(v4\\.[a-z]32|v2\\.[a-z]64)$"
  pattern["ld.global.16"] = "^ld\\.global(\\.nc)?(\\.L[12][a-z:_0-9.]*)?" vector
  pattern["st.global.16"] = "^st\\.global" vector
  pattern["ld.shared.16"] = "^ld\\.shared" vector
  figures = split("threads blocks registers shared stack spills", figure, " ")
}

FNR == 1 { kernel = "" }

function begin(name) {
  kernel = name SUBSEP arch
  if (!(kernel in seen)) {
    seen[kernel] = 1
    order[++kernels] = kernel
  }
}
function take(what, value) { if (kernel != "") found[kernel, what] = value }

# The number before these words of the line, or "?".
function number_before(words) {
  return match($0, "[0-9]+ " words) ? substr($0, RSTART, RLENGTH) + 0 : "?"
}
# The architecture after this mark.
function arch_after(mark) {
  return match($0, mark "[0-9]+") ? substr($0, RSTART + length(mark), RLENGTH - length(mark)) : "?"
}

FILENAME ~ /\.ptxas$/ {
  if (/Compiling entry function/) {
    arch = arch_after("for 'sm_")
    split($0, part, "'")
    begin(part[2])
    take("shared", 0)
  } else if (/Function properties for/) {
    mine = kernel != "" && index(kernel, $NF SUBSEP) == 1  # or of a function that a kernel calls
  } else if (/bytes stack frame/ && mine) {
    take("stack", number_before("bytes stack frame"))
    stores = number_before("bytes spill stores")
    loads = number_before("bytes spill loads")
    take("spills", stores == "?" || loads == "?" ? "?" : stores + loads)
  } else if (/Used [0-9]+ registers/) {
    take("registers", number_before("registers"))
    if (/bytes smem/) take("shared", number_before("bytes smem"))
    if (/cumulative stack/) take("stack", number_before("bytes cumulative stack"))
  }
  next
}

/^\.target sm_/ { arch = arch_after("sm_") }
/^(\.visible |\.weak )?\.entry / {
  name = $0
  sub(/.*\.entry /, "", name)
  sub(/\(.*/, "", name)
  begin(name)
}
/^(\.visible |\.weak |\.extern )?\.func / { kernel = "" }
/^\.maxntid / {
  threads = $0
  gsub(/[^0-9]+/, " ", threads)
  dimensions = split(threads, dimension, " ")
  for (i = product = 1; i <= dimensions; i++) product *= dimension[i]
  take("threads", product)
}
/^\.minnctapersm / { take("blocks", $2) }
/^[\t ]/ && kernel != "" {
  op = $1 ~ /^@/ ? $2 : $1
  sub(/;$/, "", op)
  for (i = 1; i <= instructions; i++) if (op ~ pattern[instruction[i]]) count[kernel, instruction[i]]++
}

END {
  head = "kernel,arch"
  for (i = 1; i <= figures; i++) head = head "," figure[i]
  for (i = 1; i <= instructions; i++) head = head "," instruction[i]
  print head
  for (n = 1; n <= kernels; n++) {
    split(order[n], part, SUBSEP)
    line = part[1] "," part[2]
    for (i = 1; i <= figures; i++) line = line "," ((order[n], figure[i]) in found ? found[order[n], figure[i]] : "?")
    for (i = 1; i <= instructions; i++) line = line "," count[order[n], instruction[i]] + 0
    print line
  }
}
