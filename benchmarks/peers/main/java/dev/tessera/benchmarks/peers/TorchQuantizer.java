package dev.tessera.benchmarks.peers;

import static org.bytedeco.pytorch.global.torch.addmm;
import static org.bytedeco.pytorch.global.torch.index_select;
import static org.bytedeco.pytorch.global.torch.mse_loss;
import static org.bytedeco.pytorch.global.torch.zeros;

import dev.tessera.model.VqVaeConfig.QuantizerConfig;
import dev.tessera.model.VqVaeConfig.QuantizerMode;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * The quantiser in libtorch, for speed: distances by one matrix product without the rows' own
 * norms, which do not change the nearest code; codes gathered by index; counts and sums by bincount
 * and index_add rather than by a one-hot matrix.
 */
final class TorchQuantizer {
  private static final Scalar ONE = new Scalar(1.0);
  private static final Scalar MINUS_TWO = new Scalar(-2.0);

  private final QuantizerConfig config;
  private final Tensor codebook; // [K,D]
  private final Tensor hiddenCounts; // [K], of the moving averages
  private final Tensor hiddenSums; // [K,D]
  private long step;

  TorchQuantizer(QuantizerConfig config, Tensor codebook) {
    this.config = config;
    this.codebook = codebook;
    this.hiddenCounts = zeros(config.codes());
    this.hiddenSums = zeros(config.codes(), config.dim());
  }

  /**
   * What the quantiser made of [B,D,H,W].
   *
   * @param rows its input as [N,D], without gradient
   * @param codes [N]
   * @param passed the code vectors [B,D,H,W], with the gradient straight through
   * @param loss the quantiser's
   */
  record Quantized(Tensor rows, Tensor codes, Tensor passed, Tensor loss) {}

  Quantized forward(Tensor z) {
    Tensor x = z.permute(0, 2, 3, 1);
    Tensor detached = x.detach();
    Tensor rows = detached.reshape(-1, config.dim());
    Tensor codes = nearest(rows);
    Tensor q = index_select(codebook, 0, codes).view(x.size(0), x.size(1), x.size(2), x.size(3));
    Tensor fixed = q.detach();
    Tensor loss = mse_loss(x, fixed).mul(new Scalar(config.commitment()));
    if (config.mode() == QuantizerMode.CODEBOOK_LOSS) {
      loss = loss.add(mse_loss(q, detached));
    }
    Tensor passed = x.add(fixed.sub(detached)).permute(0, 3, 1, 2);
    return new Quantized(rows, codes, passed, loss);
  }

  private Tensor nearest(Tensor rows) {
    try (NoGradGuard _ = new NoGradGuard()) {
      Tensor norms = codebook.square().sum(1);
      Tensor scores = addmm(norms, rows, codebook.t(), ONE, MINUS_TWO); // |c|^2 - 2xc
      return scores.argmin(new LongOptional(1), false);
    }
  }

  /** After the optimiser's step: Sonnet's moving averages. */
  void update(Quantized q) {
    if (config.mode() == QuantizerMode.CODEBOOK_LOSS) {
      return;
    }
    try (NoGradGuard _ = new NoGradGuard()) {
      step++;
      Tensor counts = q.codes.bincount(new TensorOptional(), config.codes()).to(ScalarType.Float);
      Tensor sums = zeros(config.codes(), config.dim()).index_add_(0, q.codes, q.rows);
      Scalar rate = new Scalar(1 - config.decay());
      hiddenCounts.lerp_(counts, rate);
      hiddenSums.lerp_(sums, rate);
      Scalar correction = new Scalar(1 / (1 - Math.pow(config.decay(), (double) step)));
      Tensor n = hiddenCounts.mul(correction);
      Tensor total = n.sum();
      Tensor smoothed =
          n.add(new Scalar(config.epsilon()))
              .div_(total.add(new Scalar(config.codes() * config.epsilon())))
              .mul_(total);
      codebook.copy_(hiddenSums.mul(correction).div_(smoothed.unsqueeze(1)));
    }
  }

  /** The vectors of codes [N], as [B,D,H,W] of square grids. */
  Tensor gather(Tensor codes, long batch) {
    long side = Math.round(Math.sqrt((double) codes.numel() / batch));
    return index_select(codebook, 0, codes)
        .view(batch, side, side, config.dim())
        .permute(0, 3, 1, 2);
  }

  /** The codes' vectors [K,D]. */
  Tensor codebook() {
    return codebook;
  }
}
