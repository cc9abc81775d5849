package dev.tessera.prior;

import dev.tessera.device.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * Features of a gated PixelCNN's two stacks, or gradients by them, {@code [B,H,W,F]} each.
 *
 * @param vertical what is known from the rows above; null behind the last layer, where nobody reads
 *     it
 * @param horizontal what is known from the rows above and from the left
 */
record Stacks(@Nullable Tensor vertical, Tensor horizontal) {
  Tensor requireVertical() {
    if (vertical == null) {
      throw new IllegalStateException("a layer behind the last one");
    }
    return vertical;
  }
}
