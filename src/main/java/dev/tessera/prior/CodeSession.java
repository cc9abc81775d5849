package dev.tessera.prior;

import dev.tessera.device.Tensor;

/**
 * Goes through the positions of {@code batch} grids side by side: ask for a position's logits,
 * choose codes, give them, and so on. A position costs only what is new about it.
 *
 * <p>The logits of a grid have the same bits whatever the batch, whichever place the grid has in
 * it, and for any number of threads: a session uses ops whose arithmetic for a row depends on that
 * row alone. They agree with {@link Prior#logits} up to rounding.
 */
public interface CodeSession extends AutoCloseable {
  /** Number of grids. */
  int batch();

  /** The position that is next, 0 to H W; at H W all is done. */
  int position();

  /**
   * Logits {@code [batch,K]} of {@link #position()}. The tensor is the session's and valid until
   * the next call.
   *
   * @throws IllegalStateException if all positions are done
   */
  Tensor logits();

  /**
   * Takes the codes (i32 {@code [batch]}) of {@link #position()} and goes on to the next position.
   * {@link #logits} need not have been asked for: given parts of an image are passed in this way.
   *
   * @throws IllegalStateException if all positions are done
   */
  void accept(Tensor codes);

  @Override
  void close();
}
