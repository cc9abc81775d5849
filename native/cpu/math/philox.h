// Philox4x32-10 (Salmon, Moraes, Dror and Shaw, SC 2011): a counter goes in, four random words come out, so every
// element can be computed alone, on any device, in any order.
#pragma once

#include <cstdint>

namespace tessera::cpu {

struct Words {
  uint32_t word[4];
};

inline Words philox(Words counter, uint64_t seed) {
  auto key0 = static_cast<uint32_t>(seed), key1 = static_cast<uint32_t>(seed >> 32);
  for (int round = 0; round < 10; round++) {
    uint64_t p0 = uint64_t{0xD2511F53} * counter.word[0];
    uint64_t p1 = uint64_t{0xCD9E8D57} * counter.word[2];
    counter = {{static_cast<uint32_t>(p1 >> 32) ^ counter.word[1] ^ key0, static_cast<uint32_t>(p1),
                static_cast<uint32_t>(p0 >> 32) ^ counter.word[3] ^ key1, static_cast<uint32_t>(p0)}};
    key0 += 0x9E3779B9;
    key1 += 0xBB67AE85;
  }
  return counter;
}

}  // namespace tessera::cpu
