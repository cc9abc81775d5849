// Screen, certify, rescore: the one mechanism behind every family's nearest-code search (docs/kernels.md).
#pragma once

#include "cpu/vq/bound.h"
#include "cpu/vq/family.h"

namespace tessera::cpu::vq {

// What a search did, kept per thread and added to the stream's statistics.
struct Tally {
  int64_t fault_row;  // lowest row with a NaN or an infinity, or INT64_MAX
  uint64_t rows, candidates, rescored, scanned;
  uint64_t histogram[TS_CANDIDATE_BINS];
};

// A clustered codebook's part of a thread's memory (screen_clusters.cpp).
struct ClusterWork {
  float *products;      // [block rounded up to four rows, centres] <y, m>
  int32_t *nearest;     // [block] a row's nearest panel
  uint64_t *order;      // [block] rows, those with the same nearest panel together
  uint16_t *reached;    // [centres / kLanes] bits of panels
  int32_t *panel;       // [stretch] the panels of a tile
  float *centre;        // [tile rows, stretch] <y, m> of those
  std::byte *packed;    // [tile rows, row bytes] the tile's rows
  float *step, *lower;  // [tile rows]
  int32_t *offset;      // [tile rows]
};

// One thread's memory for a search: a block of rows, the screen's results for a tile, and lists of candidates.
struct Workspace {
  Rows rows;
  Rows screened;            // of a projection: the rows' coordinates. Else the same
  float *coordinates;       // [block, coordinates]
  float *rest;              // [block] bounds on what the basis leaves of a row
  RowBound *screen_bounds;  // [block]
  RowBound *fp32_bounds;    // [block]
  float *error;             // [tile rows, panels of a stretch]
  float *maxima;            // [tile rows, panels of a stretch, 16]
  float *lower;             // [block] the largest score that some code certainly reaches
  bool *overflow;           // [block] more candidates than the lists hold
  int32_t *groups;          // [block, list] candidates
  float *uppers;            // [block, list]
  int32_t *counts;          // [block]
  // A batch of rows whose candidates are narrowed together.
  int32_t *starts;                   // [block + 1] a row's first group in the batch
  int32_t *batch_row;                // [batch]
  int32_t *batch_group;              // [batch]
  float *batch_upper, *batch_lower;  // [batch, 4]
  int32_t *left;                     // [4 batch] places in batch_upper, then codes, left of the rows
  int32_t *left_starts;              // [block + 1] a row's first of them
  ClusterWork clusters;
  Tally tally;
};

// Sizes that follow from a codebook.
struct Plan {
  const Codebook *codebook;
  const Codebook *screened;  // Codebook::screened
  int64_t block;             // rows converted together, a multiple of the family's tile
  int64_t stretch;           // panels screened together: they stay in L2 while the block's tiles pass over them
  int64_t capacity;          // groups in a row's list
  int64_t list;              // room for them: whole vectors are stored
  int64_t batch;             // groups narrowed together: at least one row's
  int64_t centres;           // products of a row with centres, rounded up to whole vectors; 0 without them
  bool keeps_uppers;         // lists are filtered again when all panels were screened
  Bound screen, fp32;
  float reach_slack;  // Reach::slack
};

Plan make_plan(const Codebook *codebook);

// Whether a row of that norm, or any, can be screened: docs/kernels.md, "Range".
inline bool can_screen(const Codebook *book, float norm) { return book->screenable && norm <= kLargestNorm; }

// What every bound is multiplied by.
float bound_factor();

// Screens the rows x of a block against a clustered codebook and fills their lists.
void screen_clusters(const Plan &plan, const float *x, int64_t rows, Workspace &work);

// Asks for rows that come later: x comes from memory once, and a screen leaves memory idle. The address may lie past
// the end of x, which a prefetch does not mind.
inline void prefetch(const float *x, int64_t count) {
  for (int64_t i = 0; i < count; i += 64 / static_cast<int64_t>(sizeof(float))) __builtin_prefetch(x + i, 0, 2);
}

// Nearest codes of rows x [rows, d], any number of them. first_row is x's place in the batch, for faults.
void search(const Plan &plan, const float *x, int64_t first_row, int64_t rows, int32_t *codes, Workspace &work);

// The workspaces of one call's threads, in the stream's scratch memory, with more of it for the caller's own use.
class SearchTeam {
 public:
  // `own` bytes for each thread and `shared` bytes for all, beside the workspaces.
  SearchTeam(Stream *stream, const Plan &plan, int threads, size_t own = 0, size_t shared = 0);

  // False if the memory could not be had; then only out_of_memory may be called.
  bool ready() const { return work_ != nullptr; }
  ts_status out_of_memory(const char *op) const;

  Workspace &work(int thread) { return work_[thread]; }
  std::byte *own(int thread) { return own_ + own_bytes_ * static_cast<size_t>(thread); }
  std::byte *shared() { return shared_; }

  // Adds the threads' tallies to the stream's statistics and reports the lowest fault, if there is one.
  ts_status finish(const char *op);

 private:
  Stream *stream_;
  const Family *family_;
  int threads_;
  Workspace *work_ = nullptr;
  std::byte *own_ = nullptr, *shared_ = nullptr;
  size_t own_bytes_;
};

#ifdef TESSERA_VQ_BREAKABLE
// Tests set this to 0 to see the certificate missed. The library is built without it.
extern float certificate_factor;
#else
constexpr float certificate_factor = 1.0f;
#endif

}  // namespace tessera::cpu::vq
