package dev.tessera.benchmarks.peers;

import static org.bytedeco.pytorch.global.torch.addmm;
import static org.bytedeco.pytorch.global.torch.index_select;
import static org.bytedeco.pytorch.global.torch.mse_loss;
import static org.bytedeco.pytorch.global.torch.zeros;

import dev.tessera.benchmarks.vq.VqInputs;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * A quantiser's training step for speed: distances without autograd and without the rows' own
 * norms, codes gathered by index, counts and sums by bincount and index_add.
 */
final class IndexedStepTask extends TorchStepTask {
  private static final Scalar ONE = new Scalar(1.0);
  private static final Scalar MINUS_TWO = new Scalar(-2.0);

  IndexedStepTask(VqInputs inputs) {
    super(inputs);
  }

  @Override
  Forward forward(Tensor x, Tensor embed) {
    Tensor rows = x.detach();
    Tensor codes = nearest(rows, embed);
    Tensor vectors = index_select(embed, 0, codes);
    Tensor counts = codes.bincount(new TensorOptional(), inputs().k()).to(ScalarType.Float);
    Tensor sums = zeros(inputs().k(), inputs().d()).index_add_(0, codes, rows);
    Tensor loss = mse_loss(x, vectors).mul(new Scalar(VqInputs.COMMITMENT));
    Tensor passed = x.add(vectors.sub(rows));
    return new Forward(codes, vectors, passed, loss, counts, sums);
  }

  private static Tensor nearest(Tensor rows, Tensor embed) {
    try (NoGradGuard _ = new NoGradGuard();
        Tensor scores = addmm(embed.square().sum(1), rows, embed.t(), ONE, MINUS_TWO)) {
      return scores.argmin(new LongOptional(1), false);
    }
  }

  @Override
  public String form() {
    return "for speed: addmm, argmin, index_select, bincount, index_add";
  }
}
