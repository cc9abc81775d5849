package dev.tessera.benchmarks.train;

import dev.tessera.benchmarks.harness.Task;
import dev.tessera.device.DataType;
import dev.tessera.device.Device;
import dev.tessera.device.Shape;
import dev.tessera.device.Stream;
import dev.tessera.device.Tensor;
import dev.tessera.device.Workspace;
import dev.tessera.io.HostArray;
import dev.tessera.io.Safetensors;
import dev.tessera.model.ModelFile;
import dev.tessera.nn.Pass;
import dev.tessera.prior.Prior;
import dev.tessera.prior.PriorConfig;
import dev.tessera.train.Adam;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Our form of a prior's training step: the calls that {@code PriorTrainer} makes. */
final class TesseraPriorTask implements Task {
  private final PriorConfig.Training training;
  private final Stream stream;
  private final Workspace workspace;
  private final Pass pass;
  private final Prior prior;
  private final Adam adam;
  private final List<Tensor> batches = new ArrayList<>();
  private int next; // batch of the next step

  TesseraPriorTask(Device device, PriorCase test, Path inputs, int threads) throws IOException {
    PriorConfig config = test.config();
    this.training = config.training();
    this.stream = device.openStream(threads);
    this.workspace = new Workspace(device, 0);
    this.pass = new Pass(stream, workspace);
    this.prior = Prior.of(config, stream, 1);
    try (Arena arena = Arena.ofConfined()) {
      Safetensors file = Safetensors.read(inputs, arena);
      ModelFile.restore(file, stream, PriorInputs.weights(prior));
      int[] codes = PriorInputs.codes(file, test);
      Shape shape = Shape.of(test.batch(), config.grid().rows(), config.grid().columns());
      int size = Math.toIntExact(shape.elements());
      for (int i = 0; i < StepCase.BATCHES; i++) {
        Tensor batch = device.allocate(shape, DataType.I32);
        int[] values = Arrays.copyOfRange(codes, i * size, (i + 1) * size);
        batch.copyFrom(stream, MemorySegment.ofArray(values));
        batches.add(batch);
      }
    }
    this.adam =
        new Adam(
            stream,
            prior.parameters(),
            training.learningRate(),
            StepCase.ADAM_EPSILON,
            false,
            training.weightDecay());
  }

  @Override
  public String form() {
    return "Java API, stream of " + stream.threads() + " threads";
  }

  @Override
  public void step() {
    train();
  }

  // One step; its loss.
  private double train() {
    workspace.reset();
    double loss = prior.step(pass, nextBatch(), null, adam.step()).toDouble(stream);
    if (training.clipNorm() > 0) {
      adam.clipGradients(stream, training.clipNorm());
    }
    adam.step(stream);
    return loss;
  }

  private Tensor nextBatch() {
    Tensor batch = batches.get(next);
    next = (next + 1) % batches.size();
    return batch;
  }

  @Override
  public Map<String, HostArray> outputs() {
    Map<String, HostArray> outputs = new LinkedHashMap<>();
    workspace.reset();
    Tensor logits = prior.logits(pass, batches.getFirst(), null);
    outputs.put(
        PriorOutputs.LOGITS, HostArray.of(logits.toFloats(stream), logits.shape().elements()));
    prior.step(pass, batches.getFirst(), null, 0);
    StepOutputs.addGradients(outputs, stream, prior.parameters());
    StepOutputs.addLosses(outputs, this::train);
    return outputs;
  }

  @Override
  public void close() {
    adam.close();
    prior.close();
    workspace.close();
    batches.forEach(Tensor::close);
    stream.close();
  }
}
