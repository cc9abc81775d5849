package dev.tessera.benchmarks.train;

import dev.tessera.model.VqVaeConfig;
import dev.tessera.model.VqVaeConfig.NetworkKind;
import dev.tessera.model.VqVaeConfig.QuantizerConfig;
import dev.tessera.model.VqVaeConfig.QuantizerMode;
import java.util.List;

/**
 * A training step to compare, named after a configuration and a part of it:
 *
 * <ul>
 *   <li>{@code NAME-networks}: encoder, decoder, mean squared error, backward, Adam; no quantiser.
 *   <li>{@code NAME-step}: the whole step: with the quantiser, its losses and its codebook's
 *       update.
 * </ul>
 *
 * Both sides read the loss after every step, as training does, and have their batches in memory in
 * the layout that they like best. Adam is PyTorch's on both sides (epsilon beside the corrected
 * root).
 *
 * @param name {@code NAME-networks} or {@code NAME-step}
 * @param config of the model
 * @param wholeStep whether the quantiser takes part
 */
public record TrainCase(String name, VqVaeConfig config, boolean wholeStep) implements StepCase {
  private static final String NETWORKS = "-networks";
  private static final String STEP = "-step";

  /** All cases: the Keras MNIST net at batch 128 and the Sonnet CIFAR-10 net at batch 32. */
  public static List<TrainCase> all() {
    return List.of(
        named("keras-mnist" + NETWORKS),
        named("keras-mnist" + STEP),
        named("sonnet-cifar10" + NETWORKS),
        named("sonnet-cifar10" + STEP));
  }

  /**
   * A case by its name.
   *
   * @throws IllegalArgumentException if there is no such case
   */
  public static TrainCase named(String name) {
    if (name.endsWith(STEP)) {
      String config = name.substring(0, name.length() - STEP.length());
      return new TrainCase(name, VqVaeConfig.named(config), true);
    }
    if (name.endsWith(NETWORKS)) {
      String config = name.substring(0, name.length() - NETWORKS.length());
      return new TrainCase(name, withoutTrainedCodes(VqVaeConfig.named(config)), false);
    }
    throw new IllegalArgumentException(
        "there is no case \""
            + name
            + "\": choose CONFIGURATION-networks, CONFIGURATION-step or"
            + " CONFIGURATION-kCODES-prior");
  }

  @Override
  public int batch() {
    return config.training().batch();
  }

  @Override
  public String what() {
    return wholeStep ? "training step with quantiser" : "training step of the networks alone";
  }

  @Override
  public double bound(String output) {
    return TrainOutputs.bound(this, output);
  }

  /** Whether the encoder and decoder are Keras' or Sonnet's. */
  public NetworkKind kind() {
    return config.network().kind();
  }

  /**
   * The variance that the reconstruction's error is divided by in the whole step: of MNIST's
   * digits, and of CIFAR-10 as Sonnet's example prints it.
   */
  public double variance() {
    return kind() == NetworkKind.KERAS ? 0.0949 : 0.0632704;
  }

  // Codes that are no parameters: the optimiser then holds the networks alone.
  private static VqVaeConfig withoutTrainedCodes(VqVaeConfig c) {
    QuantizerConfig q = c.quantizer();
    QuantizerConfig ema =
        new QuantizerConfig(
            q.codes(),
            q.dim(),
            QuantizerMode.EMA,
            q.commitment(),
            q.decay(),
            q.epsilon(),
            q.init(),
            q.initStep());
    return new VqVaeConfig(c.name(), c.image(), c.network(), ema, c.training());
  }
}
