// Which code goes into which slot. Slots are free to choose: the answer does not depend on them, the speed does.
#pragma once

#include "cpu/vq/codebook.h"

namespace tessera::cpu::vq {

// Bytes of scratch that order_by_nearness needs for points of `d` numbers.
size_t nearness_scratch(const Codebook *book, int64_t d);

// Codes that are near each other share a panel: the codes are halved again and again, across the direction in which
// they spread most, until halves are panels. `points` [K, d] stand for the codes. 10 K d log2(K / 64) operations.
void order_by_nearness(Codebook *book, const float *points, int64_t d, std::byte *scratch);

// Within each panel, the nearest share a group, since a search leaves near codes and narrows whole groups: panels are
// halved until halves are groups. Padding is no longer last then. 40 K d operations.
void group_by_nearness(Codebook *book, const float *points, int64_t d, std::byte *scratch);

// Codes of like largest magnitude share a panel. `magnitude` [k] is that of the centred codes, scratch [k].
void order_by_magnitude(Codebook *book, const float *magnitude, int32_t *scratch);

}  // namespace tessera::cpu::vq
