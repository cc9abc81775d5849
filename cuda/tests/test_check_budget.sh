#!/bin/sh
# Plants each kind of violation in a small budget, record or report, and sees the checks of budget.csv complain about it
# and about nothing else; and a record made from what nvcc and ptxas write. Needs neither nvcc nor a GPU.
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
failed=0

fail() {
  echo "FAIL $1" >&2
  [ ! -s out ] || cat out >&2
  failed=1
}

# What is right: two kernels, one of them a template, on two architectures.
good() {
  cat >budget.csv <<'CSV'
# a comment
kernel,archs,hot,threads,blocks,registers,shared,instructions
"screen<Mma*",all,yes,256,2,128,planned,mma.f16 ld.global.16
"sum_rows",80,no,256,4,56,36000,
"sum_rows",90,no,256,4,64,36000,
CSV
  cat >kernels.csv <<'CSV'
kernel,arch,threads,blocks,registers,shared,stack,spills,mma.f16,ld.global.16
"screen<Mma<64, 2>>",80,256,2,128,0,0,0,64,2
"screen<Mma<64, 2>>",90,256,2,127,0,0,0,64,2
"sum_rows",80,256,4,56,0,16,0,0,0
"sum_rows",90,256,4,60,0,16,0,0,0
CSV
}
check() { BUDGET=budget.csv sh "$here/check_budget.sh" kernels.csv 80 90 >out; }

good
check || fail "what is within the budget passes"
grep -q "^4 kernels on sm_80 sm_90 are within" out || fail "a check that passes says what it has seen"

# plant NAME FILE SED-COMMANDS COUNT TEXT: the changed file gives so many complaints, and a line with the text.
plant() {
  good
  cp "$2" before
  sed -i "$3" "$2"
  ! cmp -s before "$2" || fail "$1: nothing was planted"
  if check; then
    fail "$1: passed"
  elif [ "$(grep -vc '^[0-9]* complaints about' out)" != "$4" ] || ! grep -qF "$5" out; then
    fail "$1: expected $4 complaints with '$5'"
  fi
}
plant "a register too many" kernels.csv '/sum_rows",90/s/,60,/,65,/' 2 'sum_rows on sm_90: takes 65 registers, and the budget allows 64'
plant "a spill" kernels.csv '/sum_rows",80/s/,16,0,/,16,8,/' 1 'sum_rows on sm_80: spills 8 bytes'
plant "a stack frame of a hot kernel" kernels.csv '/2>>",90/s/,127,0,0,/,127,0,24,/' 1 'on sm_90: has a stack frame of 24 bytes'
plant "static shared memory" kernels.csv '/2>>",80/s/,128,0,/,128,512,/' 1 'has 512 bytes of static shared memory'
plant "other threads" kernels.csv '/2>>",80/s/,256,/,128,/' 1 'is compiled for 128 threads, and the budget says 256'
plant "registers that were not held down" kernels.csv '/2>>",80/s/,256,2,/,256,1,/' 1 'is compiled for 1 blocks a multiprocessor'
plant "an instruction that is missing" kernels.csv '/2>>",90/s/,64,2$/,0,2/' 1 'on sm_90: its PTX has no mma.f16'
plant "the other instruction" kernels.csv '/2>>",90/s/,64,2$/,64,0/' 1 'on sm_90: its PTX has no ld.global.16'
plant "a figure that nobody gave" kernels.csv '/sum_rows",80/s/,16,0,/,?,0,/' 1 'on sm_80: no compiler says its stack'
plant "a line that cannot be read" kernels.csv '/sum_rows",80/s/,0$//' 3 'cannot be read'
plant "an unknown architecture" kernels.csv '$a "sum_rows",75,256,4,56,0,0,0,0,0' 1 "does not know this architecture's limits"
plant "a kernel without a row" kernels.csv '$a "gone<1>",80,256,6,26,0,0,0,0,2
$a "gone<1>",90,256,6,26,0,0,0,0,2' 2 'gone<1> on sm_80: has no row in budget.csv'
plant "a kernel that an architecture lacks" kernels.csv '/2>>",90/d' 1 'screen<Mma<64, 2>> is not compiled for sm_90'
plant "no kernels" kernels.csv '2,$d' 1 'kernels.csv has no kernels'
plant "a row without a kernel" budget.csv '$a "gone",all,no,32,1,32,0,' 1 'there is no kernel "gone" on sm_'
plant "a row without a kernel on its architecture" budget.csv '$a "sum_rows",90,no,32,1,32,0,' 1 'there is no kernel "sum_rows" on sm_90'
plant "more blocks than shared memory allows" budget.csv '/sum_rows",80/s/36000/50000/' 1 'sum_rows on sm_80: 3 blocks fit a multiprocessor'
plant "more blocks than threads allow" budget.csv '/sum_rows",80/s/,4,56,36000/,9,28,0/' 3 'sum_rows on sm_80: 4 blocks fit a multiprocessor'
plant "an instruction that nothing counts" budget.csv '/screen/s/mma.f16/mma.f8/' 2 'nothing counts the instruction mma.f8'
plant "a row that cannot be read" budget.csv '$a gone,all,no,32,1,32,0,' 1 'has not the columns'
plant "a row with a word for a number" budget.csv '/screen/s/,128,planned/,128,some/' 1 'the rest numbers'

# An architecture that was not built asks nothing of its rows.
good
echo '"gone",120,no,32,1,32,0,' >>budget.csv
check || fail "a row of an architecture that was not built"

# report NAME LINE TEXT: a launch that the budget does not know of.
report() {
  good
  echo "$2" >report
  if awk -f "$here/budget.awk" -f "$here/check_launches.awk" budget.csv report >out; then
    [ -z "$3" ] || fail "$1: passed"
  else
    [ -n "$3" ] && grep -qF "$3" out || fail "$1: expected '$3'"
  fi
}
report "a launch within the budget" "kernel 256 36000 sum_rows" ""
report "a launch of a template" "kernel 256 230000 (screen<Mma<kDepth, 2>>)" ""
report "a launch of a family" "sum 12" ""
report "too much shared memory" "kernel 256 36001 sum_rows" "launched with 256 threads and 36001 bytes"
report "too many threads" "kernel 512 0 sum_rows" "launched with 512 threads"
report "a kernel without a row" "kernel 32 0 gone<int>" "kernel gone was launched and has no row"

# A record from what nvcc 13 writes.
cat >a.o.ptxas <<'PTXAS'
ptxas info    : 0 bytes gmem
ptxas info    : Compiling entry function '_ZN7tessera4cuda11gather_rowsILb1EEEvPKfl' for 'sm_80'
ptxas info    : Function properties for _ZN7tessera4cuda11gather_rowsILb1EEEvPKfl
    48 bytes stack frame, 4 bytes spill stores, 12 bytes spill loads
ptxas info    : Function properties for helper
    8 bytes stack frame, 2 bytes spill stores, 2 bytes spill loads
ptxas info    : Used 26 registers, used 1 barriers, 56 bytes cumulative stack size, 1024 bytes smem, 424 bytes cmem[0]
ptxas info    : Compiling entry function '_ZN7tessera4cuda11gather_rowsILb1EEEvPKfl' for 'sm_120'
ptxas info    : Function properties for _ZN7tessera4cuda11gather_rowsILb1EEEvPKfl
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 28 registers, used 0 barriers
PTXAS
cat >a.o.ptx <<'PTX'
.target sm_80
.func helper(
	ld.global.v4.f32 	{%f1, %f2, %f3, %f4}, [%rd1];
.entry _ZN7tessera4cuda11gather_rowsILb1EEEvPKfl(
.maxntid 32, 8, 1
.minnctapersm 6
	@%p1 ld.global.v4.f32 	{%f1, %f2, %f3, %f4}, [%rd1];
	ld.global.nc.v4.u32 	{%r1, %r2, %r3, %r4}, [%rd1];
	ld.global.v2.f32 	{%f1, %f2}, [%rd1];
	st.global.v2.b64 	[%rd1], {%rd2, %rd3};
	mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%f1, %f2, %f3, %f4}, {%r1, %r2, %r3, %r4}, {%r5, %r6}, {%f1, %f2, %f3, %f4};
	mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%f1, %f2, %f3, %f4}, {%r1, %r2, %r3, %r4}, {%r5, %r6}, {%f1, %f2, %f3, %f4};
	mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%f1, %f2, %f3, %f4}, {%r1, %r2, %r3, %r4}, {%r5, %r6}, {%f1, %f2, %f3, %f4};
	ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%r1, %r2, %r3, %r4}, [%r5];
	cp.async.cg.shared.global [%r1], [%rd1], 16, %r2;
	cp.async.ca.shared.global [%r1], [%rd1], 4, %r2;
	ld.shared.v4.f32 	{%f1, %f2, %f3, %f4}, [%r1];
.target sm_120
.visible .entry _ZN7tessera4cuda11gather_rowsILb1EEEvPKfl(
.maxntid 256
PTX
cat >expected <<'CSV'
kernel,arch,threads,blocks,registers,shared,stack,spills,mma.f16,mma.tf32,ldmatrix,cp.async.16,ld.global.16,st.global.16,ld.shared.16
"gather_rows<true>",80,256,6,26,1024,56,16,1,1,1,1,2,1,1
"gather_rows<true>",120,256,?,28,0,0,0,0,0,0,0,0,0,0
CSV
sh "$here/../cmake/record_kernels.sh" record.csv a.o && diff expected record.csv >out || fail "a record of what the compilers write"

[ "$failed" != 0 ] || echo "all planted violations were seen"
exit "$failed"
