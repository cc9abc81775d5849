package dev.tessera.prior;

import dev.tessera.io.Json;
import dev.tessera.io.MalformedFileException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Everything that decides the training of a prior but its codes, seed and device; {@code
 * config.json} of its folder. The network of {@code kind} is given, the others are null.
 *
 * @param name of the configuration
 * @param kind which of the networks
 * @param grid what is modelled
 * @param pixelcnn the network, for {@link Kind#PIXELCNN}
 * @param transformer the network, for {@link Kind#TRANSFORMER}
 * @param training optimiser, batches, length
 */
public record PriorConfig(
    String name,
    Kind kind,
    Grid grid,
    @Nullable PixelCnn pixelcnn,
    @Nullable Transformer transformer,
    Training training) {

  /** Checks that the kind's network is there, and no other. */
  public PriorConfig {
    if ((kind == Kind.PIXELCNN) != (pixelcnn != null)) {
      throw new IllegalArgumentException("kind \"pixelcnn\" goes with a network \"pixelcnn\"");
    }
    if ((kind == Kind.TRANSFORMER) != (transformer != null)) {
      throw new IllegalArgumentException(
          "kind \"transformer\" goes with a network \"transformer\"");
    }
  }

  /** A PixelCNN. */
  public PriorConfig(
      String name, Kind kind, Grid grid, @Nullable PixelCnn pixelcnn, Training training) {
    this(name, kind, grid, pixelcnn, null, training);
  }

  /** The kinds of priors. */
  public enum Kind {
    /** Masked convolutions (van den Oord et al. 2016). */
    PIXELCNN,
    /** Causal attention (Vaswani et al. 2017). */
    TRANSFORMER
  }

  /**
   * Grids of codes.
   *
   * @param rows H
   * @param columns W
   * @param codes K, the size of the codebook
   * @param classes number of classes that grids are told apart by; 0 for none
   */
  public record Grid(int rows, int columns, int codes, int classes) {
    /** Checks the ranges. */
    public Grid {
      requireRange("grid.rows", rows, 1, 1024);
      requireRange("grid.columns", columns, 1, 1024);
      requireRange("grid.codes", codes, 1, 1 << 20);
      requireRange("grid.classes", classes, 0, 1 << 16);
    }

    /** Number of positions, H W. */
    public int positions() {
      return rows * columns;
    }

    /** For example {@code 7x7 grids of 128 codes with 10 classes}. */
    @Override
    public String toString() {
      return rows
          + "x"
          + columns
          + " grids of "
          + codes
          + " codes"
          + (classes > 0 ? " with " + classes + " classes" : " without classes");
    }
  }

  /**
   * A PixelCNN.
   *
   * @param gated whether layers are gated and have a vertical and a horizontal stack (van den Oord
   *     et al. 2016, "Conditional image generation with PixelCNN decoders"); else the plain network
   *     of Keras' example
   * @param hidden channels, even
   * @param layers gated layers, the first included; residual blocks of the plain network
   * @param firstKernel kernel of the first layer, odd
   * @param kernel of the other layers, odd
   * @param head channels of the hidden layers before the logits
   */
  public record PixelCnn(
      boolean gated, int hidden, int layers, int firstKernel, int kernel, int head) {
    /** Checks the ranges. */
    public PixelCnn {
      requireRange("pixelcnn.hidden", hidden, 2, 4096);
      requireRange("pixelcnn.layers", layers, gated ? 1 : 0, 256);
      requireRange("pixelcnn.head", head, 1, 4096);
      requireOdd("pixelcnn.first_kernel", firstKernel, 3);
      requireOdd("pixelcnn.kernel", kernel, 1);
      if (hidden % 2 != 0) {
        throw new IllegalArgumentException("pixelcnn.hidden must be even, not " + hidden);
      }
    }
  }

  /**
   * A decoder-only transformer.
   *
   * @param layers blocks
   * @param width channels, a multiple of the heads
   * @param heads of attention; each has at most 128 channels
   * @param dropout share of elements dropped from the embeddings and each branch in training
   * @param tied whether the logits are products with the codes' embeddings (Press and Wolf 2017,
   *     "Using the output embedding to improve language models"), and not with weights of their own
   */
  public record Transformer(int layers, int width, int heads, double dropout, boolean tied) {
    /** Checks the ranges. */
    public Transformer {
      requireRange("transformer.layers", layers, 1, 256);
      requireRange("transformer.width", width, 1, 8192);
      requireRange("transformer.heads", heads, 1, width);
      requireRange("transformer.dropout", dropout, 0, 0.99);
      if (width % heads != 0 || width / heads > 128) {
        throw new IllegalArgumentException(
            "transformer.heads must divide transformer.width, "
                + width
                + ", into heads of at most 128, not "
                + heads);
      }
    }

    /** With weights of their own for the logits. */
    public Transformer(int layers, int width, int heads, double dropout) {
      this(layers, width, heads, dropout, false);
    }

    /** The same, tied or not. */
    public Transformer withTied(boolean newTied) {
      return new Transformer(layers, width, heads, dropout, newTied);
    }
  }

  /**
   * Optimiser and schedule.
   *
   * @param batch grids a step
   * @param epochs passes over the training set
   * @param learningRate of Adam
   * @param cosine whether the rate falls to 0 over the whole length, by half a cosine
   * @param adamEpsilon of Adam
   * @param epsilonHat whether epsilon stands beside the uncorrected root (Keras) or not
   * @param patience epochs without a better held-out loss before training stops; 0 for never
   * @param warmUp steps over which the rate rises linearly from 0
   * @param weightDecay of AdamW (Loshchilov and Hutter 2019), for parameters of two dimensions and
   *     more
   * @param clipNorm global norm that gradients are clipped to; 0 for none
   */
  public record Training(
      int batch,
      int epochs,
      double learningRate,
      boolean cosine,
      double adamEpsilon,
      boolean epsilonHat,
      int patience,
      int warmUp,
      double weightDecay,
      double clipNorm) {
    /** Checks the ranges. */
    public Training {
      requireRange("training.batch", batch, 1, 1 << 16);
      requireRange("training.epochs", epochs, 1, 1_000_000);
      requireRange("training.learning_rate", learningRate, 0, 10);
      requireRange("training.adam_epsilon", adamEpsilon, Double.MIN_NORMAL, 1);
      requireRange("training.patience", patience, 0, 1_000_000);
      requireRange("training.warm_up", warmUp, 0, 1_000_000);
      requireRange("training.weight_decay", weightDecay, 0, 10);
      requireRange("training.clip_norm", clipNorm, 0, Double.MAX_VALUE);
    }

    /** Without warm-up, decay and clipping. */
    public Training(
        int batch,
        int epochs,
        double learningRate,
        boolean cosine,
        double adamEpsilon,
        boolean epsilonHat,
        int patience) {
      this(batch, epochs, learningRate, cosine, adamEpsilon, epsilonHat, patience, 0, 0, 0);
    }

    /** The learning rate of step number {@code step}, from 0, of {@code total}. */
    public double rateAt(long step, long total) {
      if (step < warmUp) {
        return learningRate * (step + 1) / warmUp;
      }
      double done = (double) (step - warmUp) / Math.max(1, total - warmUp);
      return cosine
          ? learningRate * 0.5 * (1 + StrictMath.cos(StrictMath.PI * done))
          : learningRate;
    }

    /** The same with another length. */
    public Training withEpochs(int newEpochs) {
      return new Training(
          batch,
          newEpochs,
          learningRate,
          cosine,
          adamEpsilon,
          epsilonHat,
          patience,
          warmUp,
          weightDecay,
          clipNorm);
    }

    /** The same with other batches. */
    public Training withBatch(int newBatch) {
      return new Training(
          newBatch,
          epochs,
          learningRate,
          cosine,
          adamEpsilon,
          epsilonHat,
          patience,
          warmUp,
          weightDecay,
          clipNorm);
    }

    /** The same with another patience. */
    public Training withPatience(int newPatience) {
      return new Training(
          batch,
          epochs,
          learningRate,
          cosine,
          adamEpsilon,
          epsilonHat,
          newPatience,
          warmUp,
          weightDecay,
          clipNorm);
    }
  }

  /**
   * Reads a configuration. Keys that came after the first release of the format may be missing, and
   * then have the values that all priors had before: no transformer, no warm-up, weight decay and
   * clipping, weights that are not tied.
   *
   * @throws MalformedFileException if it is not one
   */
  public static PriorConfig read(Path file) throws IOException {
    return Json.read(file, PriorConfig.class, PriorConfig::addLaterKeys);
  }

  private static void addLaterKeys(Json.Keys keys) {
    keys.absent("transformer", null);
    keys.absent("training.warm_up", 0);
    keys.absent("training.weight_decay", 0.0);
    keys.absent("training.clip_norm", 0.0);
    keys.absent("transformer.tied", false);
  }

  /** The network of {@link Kind#PIXELCNN}. */
  PixelCnn requirePixelCnn() {
    if (pixelcnn == null) {
      throw new IllegalStateException("kind " + kind + " has no PixelCNN");
    }
    return pixelcnn;
  }

  /** The network of {@link Kind#TRANSFORMER}. */
  Transformer requireTransformer() {
    if (transformer == null) {
      throw new IllegalStateException("kind " + kind + " has no transformer");
    }
    return transformer;
  }

  /** The same with another schedule. */
  public PriorConfig withTraining(Training newTraining) {
    return new PriorConfig(name, kind, grid, pixelcnn, transformer, newTraining);
  }

  /** The names that {@link #named} knows. */
  public static List<String> names() {
    return List.of("pixelcnn", "keras-pixelcnn", "transformer");
  }

  /**
   * A named configuration for grids of this kind.
   *
   * <ul>
   *   <li>{@code pixelcnn}: gated, without blind spot.
   *   <li>{@code keras-pixelcnn}: the network of Keras' example "Vector-Quantized Variational
   *       Autoencoders", Adam 3e-4, 30 epochs. It has no classes.
   *   <li>{@code transformer}: 4 blocks of 256 channels and 8 heads, AdamW with warm-up and cosine
   *       decay.
   * </ul>
   *
   * @throws IllegalArgumentException if there is no such name
   */
  public static PriorConfig named(String name, Grid grid) {
    return switch (name) {
      case "pixelcnn" ->
          new PriorConfig(
              name,
              Kind.PIXELCNN,
              grid,
              new PixelCnn(true, 64, 6, 7, 3, 256),
              new Training(128, 15, 1e-3, true, 1e-8, false, 0));
      case "keras-pixelcnn" ->
          new PriorConfig(
              name,
              Kind.PIXELCNN,
              grid,
              new PixelCnn(false, 128, 2, 7, 3, 128),
              new Training(128, 30, 3e-4, false, 1e-7, true, 0));
      case "transformer" ->
          new PriorConfig(
              name,
              Kind.TRANSFORMER,
              grid,
              null,
              new Transformer(4, 256, 8, 0.1),
              new Training(128, 20, 1e-3, true, 1e-8, false, 0, 200, 0.05, 1));
      default ->
          throw new IllegalArgumentException(
              "there is no prior " + name + "; there are " + String.join(", ", names()));
    };
  }

  private static void requireOdd(String name, int value, int low) {
    requireRange(name, value, low, 255);
    if (value % 2 == 0) {
      throw new IllegalArgumentException(name + " must be odd, not " + value);
    }
  }

  private static void requireRange(String name, double value, double low, double high) {
    if (!(value >= low && value <= high)) {
      throw new IllegalArgumentException(
          String.format(
              java.util.Locale.ROOT,
              "%s must be from %s to %s, not %s",
              name,
              number(low),
              number(high),
              number(value)));
    }
  }

  private static String number(double value) {
    return value == Math.rint(value) && Math.abs(value) < 1e15
        ? Long.toString((long) value)
        : Double.toString(value);
  }
}
