package dev.tessera.report;

import dev.tessera.io.PixelImage;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a run's page shows of a prior over its codes. Losses are in nats a code.
 *
 * @param name of the prior in the run
 * @param lead a sentence: what it is
 * @param epochs one after the other
 * @param uniform the loss if all codes were alike
 * @param byPosition the loss by how often each code comes at each place
 * @param kept samples of some epochs, all drawn from the same seed; may be empty
 * @param samples at the end, a picture of many; null if there are none yet
 */
public record PriorFigures(
    String name,
    String lead,
    List<Epoch> epochs,
    double uniform,
    double byPosition,
    List<Sample> kept,
    @Nullable PixelImage samples) {

  /** The loss over the epoch's training codes and over the held-out ones after it. */
  public record Epoch(int number, long step, double trained, double heldOut) {}

  /** A picture of samples after an epoch. */
  public record Sample(int epoch, PixelImage picture) {}
}
