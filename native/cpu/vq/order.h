// Which code goes into which slot. Slots are free to choose: the answer does not depend on them, the speed does.
#pragma once

#include "cpu/vq/codebook.h"

namespace tessera::cpu::vq {

// Bytes of scratch that order_by_nearness needs.
size_t nearness_scratch(const Codebook *book);

// Codes that are near each other share a panel: the codes are halved again and again, across the direction in which
// they spread most, until halves are panels. 10 K D log2(K / 64) operations.
void order_by_nearness(Codebook *book, std::byte *scratch);

// Codes of like largest magnitude share a panel. `magnitude` [k] is that of the centred codes, scratch [k].
void order_by_magnitude(Codebook *book, const float *magnitude, int32_t *scratch);

}  // namespace tessera::cpu::vq
