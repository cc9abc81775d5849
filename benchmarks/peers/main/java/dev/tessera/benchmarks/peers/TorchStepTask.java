package dev.tessera.benchmarks.peers;

import static org.bytedeco.pytorch.global.torch.zeros;

import dev.tessera.benchmarks.harness.Task;
import dev.tessera.benchmarks.vq.VqInputs;
import dev.tessera.benchmarks.vq.VqOutputs;
import dev.tessera.io.HostArray;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * A quantiser's training step in libtorch: a forward pass that subclasses write, backward by
 * autograd from the decoder's gradient and the loss, and the moving averages.
 */
abstract class TorchStepTask implements Task {
  private static final long CODE_BYTES = 8; // of argmin's i64

  private final VqInputs inputs;
  private final List<Tensor> batches = new ArrayList<>();
  private final Tensor upstream;
  private final Tensor embed; // [K,D]
  private final Tensor hiddenCounts; // [K]
  private final Tensor hiddenSums; // [K,D]
  private long steps;
  private int next; // batch of the next step

  TorchStepTask(VqInputs inputs) {
    this.inputs = inputs;
    for (float[] batch : inputs.batches()) {
      batches.add(TorchArrays.matrix(batch, inputs.d()));
    }
    this.upstream = TorchArrays.matrix(inputs.gradient(), inputs.d());
    this.embed = TorchArrays.matrix(inputs.codes(), inputs.d());
    this.hiddenCounts = zeros(inputs.k());
    this.hiddenSums = zeros(inputs.k(), inputs.d());
  }

  /**
   * What the forward pass made.
   *
   * @param codes i64 [N]
   * @param vectors [N,D], without gradient
   * @param passed the same with the gradient straight through
   * @param loss the commitment loss
   * @param counts rows of each code, f32 [K]
   * @param sums of the rows of each code [K,D]
   */
  record Forward(
      Tensor codes, Tensor vectors, Tensor passed, Tensor loss, Tensor counts, Tensor sums) {}

  private record Result(Forward forward, Tensor gradient) {}

  /** The forward pass of rows [N,D] that need a gradient. */
  abstract Forward forward(Tensor x, Tensor codebook);

  final VqInputs inputs() {
    return inputs;
  }

  @Override
  public final void step() {
    try (PointerScope _ = new PointerScope()) {
      train().forward().loss().item_float(); // read, as training does
    }
  }

  // The rows come from an encoder: a leaf of its own for every step.
  private Result train() {
    Tensor x = batches.get(next).detach().set_requires_grad(true);
    next = (next + 1) % batches.size();
    Forward f = forward(x, embed);
    torch.backward(
        new TensorVector(f.passed, f.loss),
        new TensorVector(upstream, torch.ones_like(f.loss)),
        new BoolOptional(),
        false,
        new TensorVector());
    try (NoGradGuard _ = new NoGradGuard()) {
      update(f.counts, f.sums);
    }
    return new Result(f, x.grad());
  }

  private void update(Tensor counts, Tensor sums) {
    steps++;
    Scalar rate = new Scalar(1 - VqInputs.DECAY);
    hiddenCounts.lerp_(counts, rate);
    hiddenSums.lerp_(sums, rate);
    Scalar correction = new Scalar(1 / (1 - Math.pow(VqInputs.DECAY, (double) steps)));
    Tensor n = hiddenCounts.mul(correction);
    Tensor total = n.sum();
    Tensor smoothed =
        n.add(new Scalar(VqInputs.EPSILON))
            .div(total.add(new Scalar(inputs.k() * VqInputs.EPSILON)))
            .mul(total);
    embed.copy_(hiddenSums.mul(correction).div(smoothed.unsqueeze(1)));
  }

  @Override
  public final Map<String, HostArray> outputs() {
    Map<String, HostArray> outputs = new LinkedHashMap<>();
    double[] losses = new double[VqOutputs.CHECKED_STEPS];
    for (int i = 0; i < losses.length; i++) {
      try (PointerScope _ = new PointerScope()) {
        Result r = train();
        losses[i] = r.forward.loss.item_float();
        if (i == 0) {
          int[] codes = new int[inputs.n()];
          new IntPointer(r.forward.codes.to(ScalarType.Int).data_ptr_int()).get(codes);
          outputs.put(VqOutputs.CODES, HostArray.of(codes, codes.length));
          outputs.put(VqOutputs.VECTORS, TorchArrays.array(r.forward.vectors));
          outputs.put(VqOutputs.GRADIENT, TorchArrays.array(r.gradient));
        }
      }
    }
    outputs.put(VqOutputs.LOSSES, HostArray.of(losses, losses.length));
    outputs.put(VqOutputs.CODEBOOK, TorchArrays.array(embed));
    return outputs;
  }

  @Override
  public final long neededBytes() {
    return inputs.stepBytes(CODE_BYTES);
  }

  @Override
  public final void close() {
    batches.forEach(Tensor::close);
    upstream.close();
    embed.close();
    hiddenCounts.close();
    hiddenSums.close();
  }
}
