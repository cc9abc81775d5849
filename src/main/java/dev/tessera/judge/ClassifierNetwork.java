package dev.tessera.judge;

import dev.tessera.device.Shape;
import dev.tessera.device.Stream;
import dev.tessera.device.Tensor;
import dev.tessera.io.HostArray;
import dev.tessera.io.Safetensors;
import dev.tessera.model.ModelFile;
import dev.tessera.nn.Activation;
import dev.tessera.nn.Conv2d;
import dev.tessera.nn.Flatten;
import dev.tessera.nn.Parameter;
import dev.tessera.nn.ParameterSet;
import dev.tessera.nn.Pass;
import dev.tessera.nn.Sequential;
import dev.tessera.nn.WeightRule;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;
import java.util.TreeMap;

/**
 * The network: images {@code [B,H,W,C]} in [-0.5, 0.5], to features {@code [B,1,1,F]}, to logits
 * {@code [B,K]}. A convolution of 5x5 at stride 2 and one of 3x3, one of 3x3 at stride 2 and one of
 * 3x3, a hidden layer, all with ReLU; then the logits.
 */
final class ClassifierNetwork implements AutoCloseable {
  private static final String FORMAT = "tessera-classifier-1";

  private final ClassifierConfig config;
  private final Sequential features;
  private final Conv2d logits;
  private final ParameterSet parameters;

  /** A network with the first values that are drawn from {@code seed}. */
  ClassifierNetwork(ClassifierConfig config, Stream stream, long seed) {
    this.config = config;
    ClassifierConfig.NetworkConfig n = config.network();
    int flat = config.image().height() / 4 * (config.image().width() / 4) * n.wide();
    this.features =
        Sequential.of(
            relu(config.image().channels(), n.narrow(), 5, 2),
            relu(n.narrow(), n.narrow(), 3, 1),
            relu(n.narrow(), n.wide(), 3, 2),
            relu(n.wide(), n.wide(), 3, 1),
            new Flatten(),
            relu(flat, n.features(), 1, 1));
    this.logits =
        new Conv2d(WeightRule.KERAS.conv(n.features(), config.classes(), 1, 1, Activation.NONE));
    SequencedMap<String, Parameter> all = new LinkedHashMap<>();
    features.parameters().forEach((name, p) -> all.put("features." + name, p));
    logits.parameters().forEach((name, p) -> all.put("logits." + name, p));
    this.parameters = new ParameterSet(stream, all);
    parameters.initialize(stream, seed);
  }

  private static Conv2d relu(int in, int out, int kernel, int stride) {
    return new Conv2d(WeightRule.KERAS.conv(in, out, kernel, stride, Activation.RELU));
  }

  ParameterSet parameters() {
    return parameters;
  }

  /** The logits of images, keeping what {@link #backward} needs. */
  Tensor forward(Pass pass, Tensor images) {
    return rows(logits.forward(pass, features.forward(pass, images)), config.classes());
  }

  /** From the gradient by the logits, those by the parameters. {@code dy} may be overwritten. */
  void backward(Pass pass, Tensor dy) {
    Tensor pixels = dy.reshape(Shape.of(dy.shape().dim(0), 1, 1, config.classes()));
    features.backwardParameters(pass, logits.backward(pass, pixels));
  }

  /** Features {@code [B,F]} and logits {@code [B,K]} of images. Keeps nothing: any thread. */
  Output infer(Pass pass, Tensor images) {
    Tensor hidden = features.infer(pass, images);
    return new Output(
        rows(hidden, config.network().features()),
        rows(logits.infer(pass, hidden), config.classes()));
  }

  record Output(Tensor features, Tensor logits) {}

  private static Tensor rows(Tensor x, int columns) {
    return x.reshape(Shape.of(x.shape().dim(0), columns));
  }

  void write(Path file, Stream stream) throws IOException {
    Map<String, HostArray> tensors = new TreeMap<>();
    ModelFile.collect(stream, weights(), tensors);
    Safetensors.write(file, tensors, Map.of("format", FORMAT));
  }

  void restore(Path file, Stream stream) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      ModelFile.restore(Safetensors.read(file, arena), stream, weights());
    }
  }

  private Map<String, Tensor> weights() {
    Map<String, Tensor> named = new LinkedHashMap<>();
    parameters.byName().forEach((name, p) -> named.put(name, p.value()));
    return named;
  }

  @Override
  public void close() {
    parameters.close();
  }
}
