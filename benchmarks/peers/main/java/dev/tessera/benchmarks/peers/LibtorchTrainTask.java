package dev.tessera.benchmarks.peers;

import static org.bytedeco.pytorch.global.torch.mse_loss;

import dev.tessera.benchmarks.harness.Task;
import dev.tessera.benchmarks.harness.Trial;
import dev.tessera.benchmarks.train.StepCase;
import dev.tessera.benchmarks.train.StepOutputs;
import dev.tessera.benchmarks.train.TrainCase;
import dev.tessera.benchmarks.train.TrainInputs;
import dev.tessera.benchmarks.train.TrainOutputs;
import dev.tessera.io.ElementType;
import dev.tessera.io.HostArray;
import dev.tessera.io.MalformedFileException;
import dev.tessera.io.Safetensors;
import dev.tessera.model.VqVaeConfig;
import dev.tessera.model.VqVaeConfig.QuantizerConfig;
import dev.tessera.model.VqVaeConfig.QuantizerMode;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Adam;
import org.bytedeco.pytorch.AdamOptions;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch.MemoryFormat;
import org.jspecify.annotations.Nullable;

/** A training step in libtorch, with autograd and its own Adam. */
final class LibtorchTrainTask implements Task {
  private static final String CODEBOOK = "quantizer.codebook";
  private static final int TRIAL_ROUNDS = 4;
  private static final int TRIAL_STEPS = 5;

  private final TrainCase test;
  private final String form;
  private final Map<String, Tensor> parameters = new LinkedHashMap<>();
  private final List<Tensor> batches = new ArrayList<>();
  private final TorchNetworks networks;
  private final TorchQuantizer quantizer;
  private final Adam adam;
  private int next; // batch of the next step

  private LibtorchTrainTask(TrainCase test, Path inputs, MemoryFormat format, String form)
      throws IOException {
    this.test = test;
    this.form = form;
    VqVaeConfig config = test.config();
    try (Arena arena = Arena.ofConfined()) {
      Safetensors file = Safetensors.read(inputs, arena);
      file.tensors().forEach((name, array) -> readParameter(name, array, format));
      Tensor images = TorchArrays.images(TrainInputs.images(file, test), format);
      for (int i = 0; i < StepCase.BATCHES; i++) {
        batches.add(images.narrow(0, (long) i * test.batch(), test.batch()).contiguous(format));
      }
      Tensor codebook = codebook(file, config.quantizer());
      if (test.wholeStep() && config.quantizer().mode() == QuantizerMode.CODEBOOK_LOSS) {
        codebook = codebook.set_requires_grad(true);
        parameters.put(CODEBOOK, codebook);
      }
      this.quantizer = new TorchQuantizer(config.quantizer(), codebook);
    }
    this.networks = new TorchNetworks(config.network(), parameters);
    AdamOptions options = new AdamOptions(config.training().learningRate());
    options.eps().put(StepCase.ADAM_EPSILON);
    this.adam = new Adam(new TensorVector(parameters.values().toArray(new Tensor[0])), options);
  }

  /** Opens the task in the memory format that is faster here: both are tried, in alternation. */
  static LibtorchTrainTask fastest(TrainCase test, Path inputs) throws IOException {
    double[] least;
    try (LibtorchTrainTask a = new LibtorchTrainTask(test, inputs, MemoryFormat.Contiguous, "");
        LibtorchTrainTask b = new LibtorchTrainTask(test, inputs, MemoryFormat.ChannelsLast, "")) {
      least = Trial.leastMillis(List.of(a, b), TRIAL_ROUNDS, TRIAL_STEPS);
    }
    double nchw = least[0];
    double nhwc = least[1];
    MemoryFormat format = nhwc < nchw ? MemoryFormat.ChannelsLast : MemoryFormat.Contiguous;
    String form =
        String.format(
            Locale.ROOT,
            "%s (tried: channels_last %.1f ms, contiguous %.1f ms), torch::optim::Adam",
            nhwc < nchw ? "channels_last" : "contiguous",
            nhwc,
            nchw);
    return new LibtorchTrainTask(test, inputs, format, form);
  }

  private void readParameter(String name, HostArray array, MemoryFormat format) {
    if (name.startsWith("encoder.") || name.startsWith("decoder.")) {
      parameters.put(name, TorchArrays.weight(array, format).set_requires_grad(true));
    }
  }

  private static Tensor codebook(Safetensors file, QuantizerConfig q)
      throws MalformedFileException {
    return TorchArrays.plain(file.get(CODEBOOK, ElementType.F32, q.codes(), q.dim()));
  }

  @Override
  public String form() {
    return form;
  }

  @Override
  public void step() {
    train();
  }

  private double train() {
    try (PointerScope _ = new PointerScope()) {
      Tensor x = batches.get(next);
      next = (next + 1) % batches.size();
      Forward f = forwardAndBackward(x);
      adam.step();
      if (f.quantized != null) {
        quantizer.update(f.quantized);
      }
      return f.loss.item_float();
    }
  }

  private record Forward(
      Tensor reconstruction, Tensor loss, TorchQuantizer.@Nullable Quantized quantized) {}

  private Forward forwardAndBackward(Tensor x) {
    adam.zero_grad();
    Tensor z = networks.encode(x);
    Forward f;
    if (test.wholeStep()) {
      TorchQuantizer.Quantized q = quantizer.forward(z);
      Tensor reconstruction = networks.decode(q.passed());
      Tensor error = mse_loss(reconstruction, x).mul(new Scalar(1 / test.variance()));
      f = new Forward(reconstruction, error.add(q.loss()), q);
    } else {
      Tensor reconstruction = networks.decode(z);
      f = new Forward(reconstruction, mse_loss(reconstruction, x), null);
    }
    f.loss.backward();
    return f;
  }

  @Override
  public Map<String, HostArray> outputs() {
    Map<String, HostArray> outputs = new LinkedHashMap<>();
    try (PointerScope _ = new PointerScope()) {
      Tensor x = batches.getFirst();
      outputs.put(TrainOutputs.VECTORS, TorchArrays.imagesArray(networks.encode(x).detach()));
      outputs.put(TrainOutputs.DECODED, TorchArrays.imagesArray(decoded().detach()));
      Forward f = forwardAndBackward(x);
      if (f.quantized != null) {
        Tensor codes = f.quantized.codes();
        outputs.put(
            TrainOutputs.CODES,
            TorchArrays.codesArray(codes, test.config().gridHeight(), test.config().gridWidth()));
      }
      parameters.forEach(
          (name, p) -> outputs.put(StepOutputs.GRADIENT + name, TorchArrays.weightArray(p.grad())));
    }
    StepOutputs.addLosses(outputs, this::train);
    if (test.wholeStep()) {
      outputs.put(TrainOutputs.CODEBOOK, TorchArrays.array(quantizer.codebook().detach()));
    }
    return outputs;
  }

  private Tensor decoded() {
    Tensor codes =
        TorchArrays.codes(
            TrainOutputs.codesToDecode(test),
            test.config().gridHeight(),
            test.config().gridWidth());
    return networks.decode(quantizer.gather(codes, test.batch()));
  }

  @Override
  public void close() {
    adam.close();
    parameters.values().forEach(Tensor::close);
    batches.forEach(Tensor::close);
    quantizer.codebook().close();
  }
}
