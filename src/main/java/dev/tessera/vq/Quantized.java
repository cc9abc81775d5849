package dev.tessera.vq;

import dev.tessera.device.Tensor;

/**
 * What a quantiser made of an encoder's output [...,D] of N rows, in the workspace of the pass.
 *
 * @param input the encoder's output
 * @param codes index of each row's code, i32, shape [...]
 * @param vectors the code vectors [...,D]
 * @param squaredError sum of (input - vectors)^2, f64, one element
 * @param counts rows of each code, i32 [K]
 * @param sums sum of the rows of each code, f32 [K,D]
 */
public record Quantized(
    Tensor input, Tensor codes, Tensor vectors, Tensor squaredError, Tensor counts, Tensor sums) {}
