/**
 * Layers with explicit gradients: {@link Conv2d}, {@link ConvTranspose2d}, {@link CausalConv2d},
 * {@link ReLU}, {@link ResidualBlock}, {@link Sequential}. There is no general autograd: a layer's
 * {@code backward} is written next to its {@code forward}. Activations are channels-last, {@code
 * [B,H,W,C]}.
 */
@NullMarked
package dev.tessera.nn;

import org.jspecify.annotations.NullMarked;
