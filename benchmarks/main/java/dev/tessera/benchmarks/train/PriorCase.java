package dev.tessera.benchmarks.train;

import dev.tessera.prior.PriorConfig;
import dev.tessera.prior.PriorConfig.Grid;
import dev.tessera.prior.PriorConfig.Training;
import dev.tessera.prior.PriorConfig.Transformer;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A training step of a prior, {@code CONFIGURATION-kK-prior}: logits, cross-entropy, backward, Adam
 * (the transformer's: AdamW, after gradients were clipped by their global norm). Grids are 7x7 of K
 * codes, without classes. The transformer has no dropout here, since two libraries never drop the
 * same elements.
 *
 * @param name {@code CONFIGURATION-kK-prior}
 * @param config of the prior
 */
public record PriorCase(String name, PriorConfig config) implements StepCase {
  static final String SUFFIX = "-prior";

  private static final Pattern NAME = Pattern.compile("(.+)-k([1-9]\\d{0,5})" + SUFFIX);
  private static final int SIDE = 7;
  private static final int TRANSFORMER_BATCH = 64;

  /**
   * All cases: Keras' PixelCNN (with its 128 codes it has Keras' 1,049,728 weights) and the gated
   * one at batch 128, the transformer at batch 64.
   *
   * @param quick Keras' network with its own 128 codes and the transformer alone
   */
  public static List<PriorCase> all(boolean quick) {
    return Stream.of(
            "keras-pixelcnn-k128", "keras-pixelcnn-k512", "pixelcnn-k512", "transformer-k512")
        .filter(name -> !quick || !name.contains("pixelcnn-k512"))
        .map(name -> named(name + SUFFIX))
        .toList();
  }

  static PriorCase named(String name) {
    Matcher parts = NAME.matcher(name);
    if (!parts.matches()) {
      throw new IllegalArgumentException(
          "a prior's case is CONFIGURATION-kCODES-prior, like pixelcnn-k512-prior, not \""
              + name
              + '"');
    }
    Grid grid = new Grid(SIDE, SIDE, Integer.parseInt(parts.group(2)), 0);
    PriorConfig c = PriorConfig.named(parts.group(1), grid);
    Transformer t = c.transformer();
    if (t == null) {
      return new PriorCase(name, c);
    }
    Training training = c.training().withBatch(TRANSFORMER_BATCH);
    Transformer sure = new Transformer(t.layers(), t.width(), t.heads(), 0);
    return new PriorCase(name, new PriorConfig(c.name(), c.kind(), grid, null, sure, training));
  }

  @Override
  public int batch() {
    return config.training().batch();
  }

  @Override
  public String what() {
    return "training step of a prior";
  }

  @Override
  public double bound(String output) {
    return PriorOutputs.bound(output);
  }
}
