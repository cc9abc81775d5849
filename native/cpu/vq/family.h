// What a kernel family supplies to the search (search.cpp): a packed copy of the codes, a packed copy of the rows, and
// scores of one against the other together with the terms of their error bound. Everything else (certificate,
// narrowing, float64 decision) is shared. docs/kernels.md has the bounds and their proof.
//
// This header is read by files compiled for one instruction set: plain data only, no inline functions.
#pragma once

#include "cpu/vq/codebook.h"

namespace tessera::cpu::vq {

// Rows of x, converted for the screen. `norm` and `residual` bound, from above, max(|y|, |y^|) and |y - y^| of the
// exact centred row y and its rounded copy y^. A row that cannot be screened has norm above kLargestNorm, or NaN.
struct Rows {
  float *centred;     // [rows, padded_d] y rounded to fp32, for the narrowing
  std::byte *packed;  // [rows, row_bytes] y^ in the family's format; may be `centred` itself
  float *norm;        // [rows]
  float *residual;    // [rows]
  float *step;        // [rows] the family's unit of y^ (int8)
  int32_t *offset;    // [rows] the family's correction of a row's integer scores (int8)
};

// The scores of up to `tile_rows` rows against a run of panels. Group g of a panel is made of its slots g, g+16, g+32
// and g+48.
struct Tile {
  const Codebook *codebook;
  const Rows *rows;
  int64_t first_row;
  int64_t first_panel;
  int64_t panels;
  int64_t stride;        // panels from one row to the next in `error` and `maxima`
  const float *error;    // [rows, stride] bound on the error of the row's scores in the panel
  const int32_t *panel;  // [panels] which panels; null: from first_panel on, and centres are 0
  const float *centre;   // [rows, stride] <y, m> with those panels' centres
  float *maxima;         // [rows, stride, 16] out: the largest score of each group
  float *lower;          // [rows] in and out: raised to the largest (score - error)
};

// Groups of a row that the screen could not exclude.
struct Candidates {
  int32_t count;
  int32_t capacity;
  int32_t *group;  // panel * 16 + group of the panel
  float *upper;    // score + error; null if nobody asks, since one call of collect saw all panels
};

// Row-dependent terms of a row's error bound: see Bound in bound.h. The bound of a panel is
// (by_norm offset_norm + by_residual residual + by_centre centre_norm + by_rest rest + constant + fixed) factor, with
// the panel's numbers.
struct RowBound {
  float by_norm, by_residual, by_centre, by_rest, fixed;
};

// Groups of several rows, to be scored again in fp32.
struct Narrowing {
  const Codebook *codebook;
  const float *centred;    // Rows::centred
  const RowBound *bounds;  // [rows] of the fp32 scores
  float factor;
  int64_t count;         // of groups
  const int32_t *row;    // [count]
  const int32_t *group;  // [count]
  float *upper, *lower;  // [count, 4] out: score + bound and score - bound of the group's codes
};

// The narrowed codes of several rows, to be compared.
struct Settling {
  int64_t rows;
  const int32_t *starts;       // [rows + 1] a row's first group, and the number of all groups
  const float *upper, *lower;  // [groups, 4] as Narrowing left them
  const float *least;          // [rows] a score that some code of the row certainly reaches
  int32_t *left;               // [4 groups and room for 15 more] out: places in `upper`, row by row
  int32_t *left_starts;        // [rows + 1] out: a row's first in `left`, and the number of all
};

// What the search needs from an instruction set beside the screen itself.
struct Tools {
  // error[p] = the row's bound in panel first_panel + p.
  void (*bounds)(const Codebook *codebook, const RowBound *row, float factor, int64_t first_panel, int64_t panels,
                 float *error);
  // Coordinates B^T y of centred rows in the codebook's basis, into z [rows, coordinates], d fma in a row, and bounds
  // on |y - B z| from above, into `rest` [rows]. rows->centred, z and `rest` have room for a multiple of four rows.
  void (*project)(const Codebook *codebook, const Rows *rows, int64_t count, float *z, float *rest);
  // Appends the groups of panels [first_panel, first_panel + panels) with maximum + error not below `lower`. Returns
  // false if there was no room.
  bool (*collect)(const float *maxima, const float *error, int64_t first_panel, int64_t panels, float lower,
                  Candidates *candidates);
  // Writes the candidates with upper not below `lower` (all, if there is no upper) to `groups` and `row` beside each to
  // `rows`, which have room for all of them and 15 more; returns how many they are.
  int64_t (*filter)(const Candidates *candidates, float lower, int32_t row, int32_t *groups, int32_t *rows);
  // Scores <y, c> - 1/2 |c|^2 in fp32, with at most d + 8 roundings on any path.
  void (*narrow)(const Narrowing *narrowing);
  // Leaves of each row the codes whose upper is not below the largest of the row's `lower` and `least`.
  void (*settle)(const Settling *settling);
  // The contract's distance of `count` pairs (1 to 8): distance[i] = sum over ascending d of (x[i][d] - c[i][d])^2, in
  // float64, every step one fma.
  void (*distances)(const float *const *x, const float *const *c, int64_t count, int64_t d, double *distance);
};

// What decides whether a row can have its code in a panel: |y| and a bound of it from above, the share of (|y| + |m| +
// r)^2 that covers all roundings, and the score that some code certainly reaches.
struct Reach {
  float norm, slack, lower;
};

// What the search asks of a clustered codebook's centres.
struct ClusterTools {
  // <y, m> of `rows` rows with all centres, into out [rows, stride], d fma in a row. `centred` and `out` have room for
  // a multiple of four rows, stride is a multiple of kLanes.
  void (*products)(const Codebook *codebook, const float *centred, int64_t rows, float *out, int64_t stride);
  // The panel whose centre is nearest to a row, by its products.
  int32_t (*nearest)(const Codebook *codebook, const float *products);
  // Sets bit p - first_panel of `reached` for every panel that may hold a score not below row->lower.
  void (*reach)(const Codebook *codebook, const Reach *row, const float *products, int64_t first_panel, int64_t panels,
                uint16_t *reached);
  // For the panels whose bits are set, in ascending order: the row's bound, as Tools::bounds but with |y - m| for |y|
  // beside the codes' rounding, and its product with the centre.
  void (*prepare)(const Codebook *codebook, const RowBound *row, float factor, const Reach *limits,
                  const float *products, int64_t first_panel, int64_t panels, const uint16_t *reached, float *error,
                  float *centre);
  // As Tools::collect, of the panels panel[0] ... panel[panels - 1].
  bool (*collect)(const float *maxima, const float *error, const int32_t *panel, int64_t panels, float lower,
                  Candidates *candidates);
};

struct Family {
  const char *name;  // as in TESSERA_KERNEL and ts_vq_stats
  bool (*supported)();
  const Tools *tools;
  int64_t tile_rows;              // rows of a full tile, at most kMaxTileRows
  double (*rounding)(int64_t d);  // roundings of a score's accumulation, in units of 2^-24 (|y^||c^| + 1/2 |c|^2)
  bool packs_rows;                // false: the screen reads Rows::centred
  bool sorts_codes;               // a panel's codes share a scale, so it matters which codes share a panel
  const Family *plain;            // of the same instruction set, whose rows are the centred ones
  const ClusterTools *clusters;   // null: its panels never hold offsets from a centre
  int64_t (*row_bytes)(int64_t d);
  int64_t (*panel_bytes)(int64_t d);
  // The unit of a panel's numbers, from the largest magnitude among its centred codes.
  float (*panel_scale)(float largest);
  // Writes one centred code [d] into its slot; returns |c - c^|, and |c^| in *norm.
  double (*pack)(const double *centred, int64_t d, float panel_scale, std::byte *panel, int64_t slot, double *norm);
  // The numbers of a slot as they were rounded. Only of families with clusters.
  void (*unpack)(const std::byte *panel, int64_t slot, int64_t d, float panel_scale, double *rounded);
  // Converts rows x [rows, d] into `out`.
  void (*convert)(const Codebook *codebook, const float *x, int64_t rows, const Rows *out);
  void (*screen)(const Tile *tile, int64_t rows);
};

constexpr int64_t kMaxTileRows = 8;

extern const Tools portable_tools;
extern const Family portable_family;
#if defined(__x86_64__)
extern const Tools avx2_tools;
extern const Tools avx512_tools;
extern const ClusterTools avx512_cluster_tools;
extern const Family fp32_avx2_family;
extern const Family fp32_avx512_family;
extern const Family bf16_avx512_family;
extern const Family int8_vnni_family;
#endif

// The family for a codebook of this shape: TESSERA_KERNEL's, or the choice table's. Null if TESSERA_KERNEL names no
// family, or one that this processor cannot run; the message is in `report`.
const Family *choose_family(int64_t k, int64_t d, ts_report *report, ts_status *status);

}  // namespace tessera::cpu::vq
