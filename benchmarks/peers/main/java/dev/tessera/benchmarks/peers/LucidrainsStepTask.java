package dev.tessera.benchmarks.peers;

import static org.bytedeco.pytorch.global.torch.matmul;
import static org.bytedeco.pytorch.global.torch.mse_loss;
import static org.bytedeco.pytorch.global.torch.one_hot;

import dev.tessera.benchmarks.vq.VqInputs;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * A quantiser's training step operator by operator as {@code VectorQuantize} and {@code
 * EuclideanCodebook} of lucidrains' vector-quantize-pytorch do it: distances with their square root
 * inside autograd, argmax of their negatives, a one-hot matrix [N,K] that gives vectors, counts and
 * sums by products, commitment loss, straight-through gradient, moving averages.
 *
 * <p>Different on purpose, so that both sides compute the same: averages start at zero and are
 * corrected for that (Sonnet's way; one product by a scalar more), and dead codes are not replaced
 * (the library's default too).
 */
final class LucidrainsStepTask extends TorchStepTask {
  LucidrainsStepTask(VqInputs inputs) {
    super(inputs);
  }

  @Override
  Forward forward(Tensor x, Tensor embed) {
    Tensor distances = cdist(x, embed).neg();
    Tensor codes = distances.argmax(new LongOptional(1), false);
    Tensor oneHot = one_hot(codes, inputs().k()).to(ScalarType.Float);
    Tensor vectors = matmul(oneHot, embed);
    Tensor counts = oneHot.sum(0);
    Tensor sums = matmul(x.detach().t(), oneHot).t().contiguous();
    Tensor fixed = vectors.detach();
    Tensor loss = mse_loss(fixed, x).mul(new Scalar(VqInputs.COMMITMENT));
    Tensor passed = x.add(vectors.sub(x).detach());
    return new Forward(codes, fixed, passed, loss, counts, sums);
  }

  private static Tensor cdist(Tensor x, Tensor y) {
    Tensor x2 = x.square().sum(new long[] {1}, true, new ScalarTypeOptional());
    Tensor y2 = y.square().sum(1);
    Tensor xy = matmul(x, y.t()).mul(new Scalar(-2.0));
    return x2.add(y2).add(xy).clamp_min(new Scalar(0.0)).sqrt();
  }

  @Override
  public String form() {
    return "as lucidrains' vector-quantize-pytorch: one-hot matrices";
  }
}
