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
import dev.tessera.model.VqVae;
import dev.tessera.model.VqVaeConfig.ImageConfig;
import dev.tessera.nn.Pass;
import dev.tessera.train.Adam;
import dev.tessera.vq.Quantized;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Our form of a training step: the calls that {@code dev.tessera.train.Trainer} makes. */
final class TesseraTrainTask implements Task {
  private final TrainCase test;
  private final Stream stream;
  private final Workspace workspace;
  private final Pass pass;
  private final VqVae model;
  private final Adam adam;
  private final List<Tensor> batches = new ArrayList<>();
  private int next; // batch of the next step

  TesseraTrainTask(Device device, TrainCase test, Path inputs, int threads) throws IOException {
    this.test = test;
    this.stream = device.openStream(threads);
    this.workspace = new Workspace(device, 0);
    this.pass = new Pass(stream, workspace);
    this.model = new VqVae(test.config(), stream, 1);
    try (Arena arena = Arena.ofConfined()) {
      Safetensors file = Safetensors.read(inputs, arena);
      ModelFile.restore(inputs, file, stream, model);
      readBatches(device, TrainInputs.images(file, test));
    }
    double rate = test.config().training().learningRate();
    this.adam = new Adam(stream, model.parameters(), rate, StepCase.ADAM_EPSILON, false);
  }

  private void readBatches(Device device, HostArray images) {
    ImageConfig image = test.config().image();
    Shape shape = Shape.of(test.batch(), image.height(), image.width(), image.channels());
    for (int i = 0; i < StepCase.BATCHES; i++) {
      Tensor batch = device.allocate(shape);
      batch.copyFrom(stream, images.data().asSlice(i * batch.bytes(), batch.bytes()));
      batches.add(batch);
    }
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
    return test.wholeStep() ? trainModel() : trainNetworks();
  }

  private double trainNetworks() {
    workspace.reset();
    double loss = model.stepWithoutQuantizer(pass, nextBatch(), 1).toDouble(stream);
    adam.step(stream);
    return loss;
  }

  private double trainModel() {
    workspace.reset();
    VqVae.Step result = model.step(pass, nextBatch(), test.variance());
    double loss = loss(result);
    adam.step(stream);
    model.quantizer().update(stream, result.quantized());
    return loss;
  }

  private double loss(VqVae.Step result) {
    Quantized q = result.quantized();
    double vq = q.squaredError().toDouble(stream) / q.input().shape().elements();
    return result.squaredError().toDouble(stream) / test.variance() + model.quantizer().loss(vq);
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
    outputs.put(TrainOutputs.VECTORS, row(model.embed(pass, batches.getFirst())));
    outputs.put(TrainOutputs.DECODED, row(decoded()));
    if (test.wholeStep()) {
      Tensor codes = model.step(pass, batches.getFirst(), test.variance()).quantized().codes();
      outputs.put(TrainOutputs.CODES, HostArray.of(codes.toInts(stream), codes.shape().elements()));
    } else {
      model.stepWithoutQuantizer(pass, batches.getFirst(), 1);
    }
    StepOutputs.addGradients(outputs, stream, model.parameters());
    StepOutputs.addLosses(outputs, this::train);
    if (test.wholeStep()) {
      outputs.put(TrainOutputs.CODEBOOK, codebook());
    }
    return outputs;
  }

  private Tensor decoded() {
    Tensor codes =
        pass.allocate(
            Shape.of(test.batch(), test.config().gridHeight(), test.config().gridWidth()),
            DataType.I32);
    codes.copyFrom(stream, MemorySegment.ofArray(TrainOutputs.codesToDecode(test)));
    return model.decode(pass, model.quantizer().codebook(), codes);
  }

  private HostArray row(Tensor tensor) {
    return HostArray.of(tensor.toFloats(stream), tensor.shape().elements());
  }

  private HostArray codebook() {
    Shape shape =
        Shape.of(model.quantizer().codebook().codes(), model.quantizer().codebook().dim());
    try (Tensor codes = stream.device().allocate(shape)) {
      model.quantizer().codebook().read(stream, codes);
      return HostArray.of(codes.toFloats(stream), shape.dim(0), shape.dim(1));
    }
  }

  @Override
  public void close() {
    adam.close();
    model.close();
    workspace.close();
    batches.forEach(Tensor::close);
    stream.close();
  }
}
