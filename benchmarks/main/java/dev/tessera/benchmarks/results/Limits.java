package dev.tessera.benchmarks.results;

/**
 * What one core can do at most, measured: medians over the run.
 *
 * @param fp32 multiply-adds, in GFLOP/s
 * @param bf16 the same with factors in bf16; 0 without such instructions
 * @param int8 the same with 8-bit integers, in GOP/s; 0 without such instructions
 * @param l2 reading what fits the second cache, in GB/s
 * @param memory reading what fits no cache, in GB/s
 */
public record Limits(double fp32, double bf16, double int8, double l2, double memory) {}
