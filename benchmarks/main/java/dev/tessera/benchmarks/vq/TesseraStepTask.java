package dev.tessera.benchmarks.vq;

import dev.tessera.benchmarks.harness.Task;
import dev.tessera.device.Device;
import dev.tessera.device.Shape;
import dev.tessera.device.Stream;
import dev.tessera.device.Tensor;
import dev.tessera.device.Workspace;
import dev.tessera.io.HostArray;
import dev.tessera.nn.Pass;
import dev.tessera.vq.EmaQuantizer;
import dev.tessera.vq.Quantized;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Our training step of a quantiser: the calls that {@code dev.tessera.train.Trainer} makes. */
final class TesseraStepTask implements Task {
  private final VqInputs inputs;
  private final Stream stream;
  private final Workspace workspace;
  private final Pass pass;
  private final List<Tensor> batches = new ArrayList<>();
  private final Tensor upstream;
  private final EmaQuantizer quantizer;
  private int next; // batch of the next step

  private record Result(Quantized quantized, Tensor gradient, double loss) {}

  TesseraStepTask(Device device, VqInputs inputs, int threads) {
    this.inputs = inputs;
    this.stream = device.openStream(threads);
    this.workspace = new Workspace(device, 0);
    this.pass = new Pass(stream, workspace);
    Shape shape = Shape.of(inputs.n(), inputs.d());
    for (float[] batch : inputs.batches()) {
      batches.add(tensor(shape, batch));
    }
    this.upstream = tensor(shape, inputs.gradient());
    try (Tensor initial = tensor(Shape.of(inputs.k(), inputs.d()), inputs.codes())) {
      this.quantizer =
          new EmaQuantizer(stream, initial, VqInputs.COMMITMENT, VqInputs.DECAY, VqInputs.EPSILON);
    }
  }

  private Tensor tensor(Shape shape, float[] values) {
    Tensor tensor = stream.device().allocate(shape);
    NativeCopies.copy(stream, values, tensor);
    return tensor;
  }

  @Override
  public void step() {
    train();
  }

  private Result train() {
    workspace.reset();
    Quantized q = quantizer.forward(pass, batches.get(next));
    next = (next + 1) % batches.size();
    Tensor gradient = quantizer.backward(pass, q, upstream);
    double mean = q.squaredError().toDouble(stream) / q.input().shape().elements();
    quantizer.update(stream, q);
    stream.synchronize();
    return new Result(q, gradient, quantizer.loss(mean));
  }

  @Override
  public String form() {
    return "Java API, one fused forward pass, exact codes";
  }

  @Override
  public Map<String, HostArray> outputs() {
    Map<String, HostArray> outputs = new LinkedHashMap<>();
    double[] losses = new double[VqOutputs.CHECKED_STEPS];
    for (int i = 0; i < losses.length; i++) {
      Result r = train();
      losses[i] = r.loss();
      if (i == 0) {
        int[] codes = r.quantized().codes().toInts(stream);
        outputs.put(VqOutputs.CODES, HostArray.of(codes, inputs.n()));
        outputs.put(VqOutputs.VECTORS, matrix(r.quantized().vectors(), inputs.n()));
        outputs.put(VqOutputs.GRADIENT, matrix(r.gradient(), inputs.n()));
      }
    }
    outputs.put(VqOutputs.LOSSES, HostArray.of(losses, losses.length));
    try (Tensor codes = stream.device().allocate(Shape.of(inputs.k(), inputs.d()))) {
      quantizer.codebook().read(stream, codes);
      outputs.put(VqOutputs.CODEBOOK, matrix(codes, inputs.k()));
    }
    return outputs;
  }

  private HostArray matrix(Tensor tensor, int rows) {
    return HostArray.of(tensor.toFloats(stream), rows, inputs.d());
  }

  @Override
  public long neededBytes() {
    return inputs.stepBytes(VqInputs.WORD);
  }

  @Override
  public void close() {
    quantizer.close();
    upstream.close();
    batches.forEach(Tensor::close);
    workspace.close();
    stream.close();
  }
}
