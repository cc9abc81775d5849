// Codes that lie near a subspace, as an encoder's outputs do, are screened by their coordinates in it: docs/kernels.md,
// "Projection", has the bound.
#pragma once

#include "cpu/vq/codebook.h"

namespace tessera::cpu::vq {

// The longest coordinates, and the longest codes that are projected.
constexpr int64_t kMostCoordinates = 32, kLongestProjected = 1024;

// The family that screens coordinates for a codebook that `family` was chosen for, or null. TESSERA_KERNEL holds for
// them too.
const Family *projection_family(const Family *family);

// Coordinates that a codebook of this shape has room for; 0 if it is never projected.
int64_t most_coordinates(const Codebook *book);

// Bytes of scratch that find_basis needs.
size_t basis_scratch(const Codebook *book);

// Looks for a basis of few vectors near whose span all codes lie. If there is one, and screening by coordinates is
// worth it, writes it to book->basis with its terms of the bound and returns their number, else 0. A function of the
// codes alone. 10 D r operations for each of 256 codes.
int64_t find_basis(Codebook *book, int64_t most, std::byte *scratch);

// The coordinates of a centred code [d] in the basis, by float64 sums.
void project_code(const Codebook *book, int64_t coordinates, const double *centred, double *projected);

// fp32 coordinates of all codes [K, coordinates], good enough to put them in order.
void project_codes(const Codebook *book, int64_t coordinates, float *out);

}  // namespace tessera::cpu::vq
