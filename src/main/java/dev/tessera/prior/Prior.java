package dev.tessera.prior;

import dev.tessera.device.Stream;
import dev.tessera.device.Tensor;
import dev.tessera.nn.ParameterSet;
import dev.tessera.nn.Pass;
import org.jspecify.annotations.Nullable;

/**
 * A model of grids of codes: {@code p(z) = prod_t p(z_t | z_0 .. z_(t-1))}, positions t in raster
 * order, optionally given a class.
 *
 * <p>Codes are i32 {@code [B,H,W]}, each in 0..K-1. Classes are i32 {@code [B]}, each in
 * 0..classes-1, and are given exactly if the grid of the configuration has classes. What is out of
 * range is a {@link dev.tessera.device.DataFaultException}.
 */
public interface Prior extends AutoCloseable {
  /** A prior with the first values that are drawn from {@code seed}. */
  static Prior of(PriorConfig config, Stream stream, long seed) {
    return switch (config.kind()) {
      case PIXELCNN -> {
        PriorConfig.PixelCnn network = config.requirePixelCnn();
        yield network.gated()
            ? new GatedPixelCnn(config, network, stream, seed)
            : new PlainPixelCnn(config, network, stream, seed);
      }
      case TRANSFORMER -> new TransformerPrior(config, config.requireTransformer(), stream, seed);
    };
  }

  /** Its configuration. */
  PriorConfig config();

  /** What the optimiser trains. */
  ParameterSet parameters();

  /**
   * The logits {@code [B,H,W,K]} of every position. Those of position t depend on the codes before
   * t alone. Keeps nothing: any thread, each with a pass of its own.
   */
  Tensor logits(Pass pass, Tensor codes, @Nullable Tensor classes);

  /**
   * A training pass: afterwards the parameters' gradients are those of the loss. The optimiser's
   * step follows.
   *
   * @param step number of the step, from 0: what random numbers (dropout) depend on, beside the
   *     seed that the model was made with
   * @return the loss, mean of {@code -log p} over all codes in nats; f64, one element
   */
  Tensor step(Pass pass, Tensor codes, @Nullable Tensor classes, long step);

  /**
   * A session that goes through the positions one by one, for {@code batch} grids side by side. It
   * sees the parameters as they are now; do not train while it is open.
   *
   * @param classes i32 {@code [batch]}, or null without classes; copied
   */
  CodeSession session(Stream stream, int batch, @Nullable Tensor classes);

  @Override
  void close();
}
