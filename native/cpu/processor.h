// What processor this is, and which instruction sets kernels may use on it (the operating system's consent included).
#pragma once

namespace tessera::cpu {

const char *processor_name();

// Those that a kernel of ours looks for, for people: "avx2 fma avx512f ...".
const char *instruction_sets();

}  // namespace tessera::cpu
