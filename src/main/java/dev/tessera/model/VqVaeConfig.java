package dev.tessera.model;

import java.util.List;
import java.util.Locale;

/**
 * Everything that decides a run but its data, seed and device; {@code config.json} in JSON. The
 * named configurations are {@link #named}.
 *
 * @param name of the configuration
 * @param image what an image is
 * @param network encoder and decoder
 * @param quantizer the codes and how they learn
 * @param training optimiser, batches, length
 */
public record VqVaeConfig(
    String name,
    ImageConfig image,
    NetworkConfig network,
    QuantizerConfig quantizer,
    TrainingConfig training) {

  /**
   * Size of an image.
   *
   * @param height in pixels, a multiple of the encoder's reduction, 4
   * @param width likewise
   * @param channels 1 (grey) or 3 (RGB)
   */
  public record ImageConfig(int height, int width, int channels) {
    /** Checks the ranges. */
    public ImageConfig {
      requireRange("image.height", height, 12, 4096);
      requireRange("image.width", width, 12, 4096);
      if (height % 4 != 0 || width % 4 != 0) {
        throw new IllegalArgumentException(
            "image.height and image.width must be multiples of 4, the encoder's reduction, not "
                + height
                + " and "
                + width);
      }
      if (channels != 1 && channels != 3) {
        throw new IllegalArgumentException("image.channels must be 1 or 3, not " + channels);
      }
    }
  }

  /** The architectures of encoder and decoder; both reduce an image by 4 on each side. */
  public enum NetworkKind {
    /** Keras' MNIST example: two strided 3x3 convolutions and a 1x1, mirrored. */
    KERAS,
    /** Sonnet's CIFAR-10 example: strided 4x4 convolutions, a 3x3, residual blocks, mirrored. */
    SONNET
  }

  /**
   * Encoder and decoder.
   *
   * @param kind the architecture
   * @param hidden channels of the deep layers, even; the shallow ones have half
   * @param residualHidden channels inside a residual block (Sonnet's only)
   * @param residualLayers residual blocks in the encoder and in the decoder (Sonnet's only)
   */
  public record NetworkConfig(
      NetworkKind kind, int hidden, int residualHidden, int residualLayers) {
    /** Checks the ranges. */
    public NetworkConfig {
      requireRange("network.hidden", hidden, 2, 4096);
      if (hidden % 2 != 0) {
        throw new IllegalArgumentException("network.hidden must be even, not " + hidden);
      }
      requireRange("network.residual_hidden", residualHidden, 0, 4096);
      requireRange("network.residual_layers", residualLayers, 0, 64);
      if (residualLayers > 0 && residualHidden == 0) {
        throw new IllegalArgumentException(
            "network.residual_hidden must be at least 1 with residual layers");
      }
    }
  }

  /** How the codes learn. */
  public enum QuantizerMode {
    /** Moving averages, as in Sonnet. */
    EMA,
    /** By gradient of the codebook loss, as in Keras. */
    CODEBOOK_LOSS
  }

  /** How the codes begin. */
  public enum CodebookInit {
    /** Keras: uniform in [-0.05, 0.05). */
    KERAS_UNIFORM,
    /** Sonnet: variance scaling, uniform with limit sqrt(3 / D). */
    SONNET_UNIFORM,
    /** k-means on the encoder's outputs of the first batches. */
    DATA
  }

  /**
   * The quantiser.
   *
   * @param codes K, at least 1
   * @param dim D, at least 1
   * @param mode how the codes learn
   * @param commitment beta, weight of the encoder's term
   * @param decay gamma of the moving averages (EMA only)
   * @param epsilon Laplace smoothing (EMA only)
   * @param init how the codes begin
   * @param initStep steps of training without quantiser before codes begin from data; 0 for all
   *     other ways to begin
   */
  public record QuantizerConfig(
      int codes,
      int dim,
      QuantizerMode mode,
      double commitment,
      double decay,
      double epsilon,
      CodebookInit init,
      int initStep) {
    /** Checks the ranges. */
    public QuantizerConfig {
      requireRange("quantizer.codes", codes, 1, 1 << 20);
      requireRange("quantizer.dim", dim, 1, 1024);
      requireRange("quantizer.commitment", commitment, 0, 1000);
      requireRange("quantizer.decay", decay, 0, Math.nextDown(1.0));
      requireRange("quantizer.epsilon", epsilon, 0, 1);
      requireRange("quantizer.init_step", initStep, 0, 1_000_000);
      if (initStep > 0 && init != CodebookInit.DATA) {
        throw new IllegalArgumentException(
            "quantizer.init_step is " + initStep + " but only init \"data\" has one");
      }
      if (init == CodebookInit.DATA && mode != QuantizerMode.EMA) {
        throw new IllegalArgumentException("quantizer.init \"data\" goes with mode \"ema\"");
      }
    }
  }

  /**
   * Optimiser and schedule.
   *
   * @param batch images a step
   * @param epochs passes over the training set; 0 if {@code steps} decides
   * @param steps steps; 0 if {@code epochs} decides
   * @param learningRate of Adam
   * @param adamEpsilon of Adam
   * @param epsilonHat whether epsilon stands beside the uncorrected root (Keras) or not (Sonnet)
   * @param dropRemainder whether an epoch's last, smaller batch is left out
   * @param logEvery steps between rows of metrics; 0 for one an epoch
   */
  public record TrainingConfig(
      int batch,
      int epochs,
      int steps,
      double learningRate,
      double adamEpsilon,
      boolean epsilonHat,
      boolean dropRemainder,
      int logEvery) {
    /** Checks the ranges. */
    public TrainingConfig {
      requireRange("training.batch", batch, 1, 1 << 16);
      requireRange("training.epochs", epochs, 0, 1_000_000);
      requireRange("training.steps", steps, 0, 1_000_000_000);
      if ((epochs == 0) == (steps == 0)) {
        throw new IllegalArgumentException(
            "one of training.epochs and training.steps must be given and the other be 0");
      }
      requireRange("training.learning_rate", learningRate, 0, 10);
      requireRange("training.adam_epsilon", adamEpsilon, Double.MIN_NORMAL, 1);
      requireRange("training.log_every", logEvery, 0, 1_000_000_000);
    }

    /** The same with another length. */
    public TrainingConfig withLength(int newEpochs, int newSteps) {
      return new TrainingConfig(
          batch,
          newEpochs,
          newSteps,
          learningRate,
          adamEpsilon,
          epsilonHat,
          dropRemainder,
          logEvery);
    }

    /** The same with other batches. */
    public TrainingConfig withBatch(int newBatch) {
      return new TrainingConfig(
          newBatch, epochs, steps, learningRate, adamEpsilon, epsilonHat, dropRemainder, logEvery);
    }
  }

  /** The same with another schedule. */
  public VqVaeConfig withTraining(TrainingConfig newTraining) {
    return new VqVaeConfig(name, image, network, quantizer, newTraining);
  }

  /** Height of the grid of codes. */
  public int gridHeight() {
    return image.height() / 4;
  }

  /** Width of the grid of codes. */
  public int gridWidth() {
    return image.width() / 4;
  }

  /** The names that {@link #named} knows. */
  public static List<String> names() {
    return List.of("mnist", "keras-mnist", "sonnet-cifar10");
  }

  /**
   * A named configuration.
   *
   * <ul>
   *   <li>{@code keras-mnist}: Keras' example "Vector-Quantized Variational Autoencoders", by
   *       gradient of the codebook loss, Adam's epsilon 1e-7.
   *   <li>{@code mnist}, the default: the same network with moving averages and a codebook that
   *       begins as k-means of the data.
   *   <li>{@code sonnet-cifar10}: Sonnet's example, Adam's epsilon 1e-8.
   * </ul>
   *
   * @throws IllegalArgumentException if there is no such name
   */
  public static VqVaeConfig named(String name) {
    NetworkConfig keras = new NetworkConfig(NetworkKind.KERAS, 64, 0, 0);
    TrainingConfig kerasTraining = new TrainingConfig(128, 30, 0, 1e-3, 1e-7, true, false, 0);
    ImageConfig digits = new ImageConfig(28, 28, 1);
    return switch (name) {
      case "mnist" ->
          new VqVaeConfig(
              name,
              digits,
              keras,
              new QuantizerConfig(
                  128, 16, QuantizerMode.EMA, 0.25, 0.99, 1e-5, CodebookInit.DATA, 100),
              kerasTraining);
      case "keras-mnist" ->
          new VqVaeConfig(
              name,
              digits,
              keras,
              new QuantizerConfig(
                  128,
                  16,
                  QuantizerMode.CODEBOOK_LOSS,
                  0.25,
                  0.99,
                  1e-5,
                  CodebookInit.KERAS_UNIFORM,
                  0),
              kerasTraining);
      case "sonnet-cifar10" ->
          new VqVaeConfig(
              name,
              new ImageConfig(32, 32, 3),
              new NetworkConfig(NetworkKind.SONNET, 128, 32, 2),
              new QuantizerConfig(
                  512, 64, QuantizerMode.EMA, 0.25, 0.99, 1e-5, CodebookInit.SONNET_UNIFORM, 0),
              new TrainingConfig(32, 0, 10_000, 3e-4, 1e-8, false, true, 100));
      default ->
          throw new IllegalArgumentException(
              "there is no configuration \""
                  + name
                  + "\": choose "
                  + String.join(", ", names())
                  + ", or name a .json file");
    };
  }

  private static void requireRange(String what, double value, double low, double high) {
    if (!(value >= low && value <= high)) {
      throw new IllegalArgumentException(
          String.format(Locale.ROOT, "%s must be from %s to %s, not %s", what, low, high, value));
    }
  }

  private static void requireRange(String what, long value, long low, long high) {
    if (value < low || value > high) {
      throw new IllegalArgumentException(
          what + " must be from " + low + " to " + high + ", not " + value);
    }
  }
}
