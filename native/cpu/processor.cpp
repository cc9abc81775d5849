#include "cpu/processor.h"

#include <cpuid.h>

#include <cstring>
#include <string>

namespace tessera::cpu {

const char *processor_name() {
  static const std::string name = [] {
    unsigned regs[12];
    unsigned highest = __get_cpuid_max(0x80000000u, nullptr);
    if (highest < 0x80000004u) return std::string("x86-64 processor");
    for (unsigned i = 0; i < 3; i++)
      __get_cpuid(0x80000002u + i, &regs[4 * i], &regs[4 * i + 1], &regs[4 * i + 2], &regs[4 * i + 3]);
    char text[49];
    std::memcpy(text, regs, 48);
    text[48] = '\0';
    std::string trimmed = text;
    while (!trimmed.empty() && trimmed.back() == ' ') trimmed.pop_back();
    return trimmed.substr(trimmed.find_first_not_of(' ') == std::string::npos ? 0 : trimmed.find_first_not_of(' '));
  }();
  return name.c_str();
}

const char *instruction_sets() {
  static const std::string list = [] {
    std::string text;
    auto add = [&text](bool here, const char *name) {
      if (here) text += std::string(text.empty() ? "" : " ") + name;
    };
    __builtin_cpu_init();
    add(__builtin_cpu_supports("avx2"), "avx2");
    add(__builtin_cpu_supports("fma"), "fma");
    add(__builtin_cpu_supports("avx512f"), "avx512f");
    add(__builtin_cpu_supports("avx512bw"), "avx512bw");
    add(__builtin_cpu_supports("avx512vl"), "avx512vl");
    add(__builtin_cpu_supports("avx512vnni"), "avx512vnni");
    add(__builtin_cpu_supports("avx512bf16"), "avx512bf16");
    return text.empty() ? std::string("sse2") : text;
  }();
  return list.c_str();
}

}  // namespace tessera::cpu
