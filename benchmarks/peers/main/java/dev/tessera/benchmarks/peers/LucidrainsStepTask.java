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
    Tensor distances = negatedDistances(x, embed);
    Tensor codes = distances.argmax(new LongOptional(1), false);
    Tensor oneHot = oneHot(codes);
    Tensor vectors = matmul(oneHot, embed);
    Tensor counts = oneHot.sum(0);
    Tensor sums = matmul(x.detach().t(), oneHot).t().contiguous();
    Tensor fixed = vectors.detach();
    Tensor loss = mse_loss(fixed, x).mul(new Scalar(VqInputs.COMMITMENT));
    Tensor passed = x.add(vectors.sub(x).detach());
    return new Forward(codes, fixed, passed, loss, counts, sums);
  }

  private static Tensor negatedDistances(Tensor x, Tensor embed) {
    try (Tensor distances = cdist(x, embed)) {
      return distances.neg();
    }
  }

  private Tensor oneHot(Tensor codes) {
    try (Tensor integers = one_hot(codes, inputs().k())) {
      return integers.to(ScalarType.Float);
    }
  }

  // Every temporary is freed after its last use, as Python's counting of references does; what
  // backward needs, autograd keeps.
  private static Tensor cdist(Tensor x, Tensor y) {
    try (Tensor squares = x.square();
        Tensor x2 = squares.sum(new long[] {1}, true, new ScalarTypeOptional());
        Tensor y2 = y.square().sum(1);
        Tensor xy = product(x, y)) {
      try (Tensor clamped = clamped(x2, y2, xy)) {
        return clamped.sqrt();
      }
    }
  }

  private static Tensor clamped(Tensor x2, Tensor y2, Tensor xy) {
    try (Tensor norms = x2.add(y2);
        Tensor all = norms.add(xy)) {
      return all.clamp_min(new Scalar(0.0));
    }
  }

  private static Tensor product(Tensor x, Tensor y) {
    try (Tensor xy = matmul(x, y.t())) {
      return xy.mul(new Scalar(-2.0));
    }
  }

  @Override
  public String form() {
    return "as lucidrains' vector-quantize-pytorch: one-hot matrices";
  }
}
