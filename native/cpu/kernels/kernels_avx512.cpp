// The kernels for AVX-512 (F, DQ, BW, VL).
#include "cpu/kernels/kernels.h"
//
#include "cpu/kernels/lanes_avx512.h"
//
#include "cpu/kernels/lanes.h"
#include "cpu/kernels/tile.h"
//
#include "cpu/kernels/attention_head.h"
#include "cpu/kernels/functions.h"

namespace tessera::cpu {

const Kernels kAvx512Kernels = {.sequential_product = sequential_product,
                                .panel_product = panel_product,
                                .pack_panel = pack_panel,
                                .head_forward = head_forward,
                                .head_backward = head_backward,
                                .head_step = head_step,
                                .gelu = gelu,
                                .gelu_backward = gelu_backward,
                                .largest = largest,
                                .scale_row = scale_row,
                                .exponentials = exponentials};

}  // namespace tessera::cpu
