package dev.tessera.prior;

import dev.tessera.device.DataType;
import dev.tessera.device.Shape;
import dev.tessera.device.Stream;
import dev.tessera.device.Tensor;
import dev.tessera.nn.Activation;
import dev.tessera.nn.Conv2d;
import dev.tessera.nn.Ops;
import dev.tessera.nn.Parameter;
import dev.tessera.nn.ParameterSet;
import dev.tessera.nn.Pass;
import dev.tessera.nn.Sequential;
import dev.tessera.nn.WeightRule;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;

/**
 * A gated PixelCNN (van den Oord et al. 2016, "Conditional image generation with PixelCNN
 * decoders"): {@link GatedLayer}s with a vertical and a horizontal stack, so that nothing before a
 * code is out of sight, then a hidden 1x1 layer with ReLU and the logits. The first layer reads the
 * codes; classes are biases before each gate.
 */
final class GatedPixelCnn implements Prior {
  private final PriorConfig config;
  private final PriorConfig.PixelCnn network;
  private final FirstGatedLayer first;
  private final List<GatedLayer> layers = new ArrayList<>();
  private final Conv2d hidden;
  private final Conv2d toLogits;
  private final Sequential head;
  private final ParameterSet parameters;

  GatedPixelCnn(PriorConfig config, PriorConfig.PixelCnn network, Stream stream, long seed) {
    this.config = config;
    this.network = network;
    int classes = config.grid().classes();
    boolean alone = network.layers() == 1;
    this.first =
        new FirstGatedLayer(
            config.grid().codes(), network.hidden(), network.firstKernel(), classes, alone);
    for (int i = 1; i < network.layers(); i++) {
      boolean last = i == network.layers() - 1;
      layers.add(new GatedLayer(network.hidden(), network.kernel(), classes, last));
    }
    this.hidden =
        new Conv2d(WeightRule.KERAS.conv(network.hidden(), network.head(), 1, 1, Activation.RELU));
    this.toLogits =
        new Conv2d(
            WeightRule.KERAS.conv(network.head(), config.grid().codes(), 1, 1, Activation.NONE));
    this.head = Sequential.of(hidden, toLogits);
    SequencedMap<String, Parameter> all = new LinkedHashMap<>();
    first.parameters().forEach((name, p) -> all.put("layers.0." + name, p));
    for (int i = 0; i < layers.size(); i++) {
      String prefix = "layers." + (i + 1) + ".";
      layers.get(i).parameters().forEach((name, p) -> all.put(prefix + name, p));
    }
    head.parameters().forEach((name, p) -> all.put("head." + name, p));
    this.parameters = new ParameterSet(stream, all);
    parameters.initialize(stream, seed);
  }

  @Override
  public PriorConfig config() {
    return config;
  }

  @Override
  public ParameterSet parameters() {
    return parameters;
  }

  @Override
  public Tensor logits(Pass pass, Tensor codes, @Nullable Tensor classes) {
    requireClasses(classes);
    Stacks stacks = first.infer(pass, codes, classes);
    for (GatedLayer layer : layers) {
      stacks = layer.infer(pass, stacks, classes);
    }
    return head.infer(pass, stacks.horizontal());
  }

  @Override
  public Tensor step(Pass pass, Tensor codes, @Nullable Tensor classes, long step) {
    requireClasses(classes);
    Stacks stacks = first.forward(pass, codes, classes);
    for (GatedLayer layer : layers) {
      stacks = layer.forward(pass, stacks, classes);
    }
    Tensor logits = head.forward(pass, stacks.horizontal());
    Tensor loss = pass.allocate(Shape.of(1), DataType.F64);
    Ops.softmaxCrossEntropy(pass.stream(), logits, codes, loss, logits);
    Stacks gradient = new Stacks(null, head.backward(pass, logits));
    for (GatedLayer layer : layers.reversed()) {
      gradient = layer.backward(pass, gradient, classes);
    }
    first.backwardParameters(pass, gradient, classes);
    return loss;
  }

  @Override
  public CodeSession session(Stream stream, int batch, @Nullable Tensor classes) {
    requireClasses(classes);
    return new Session(stream, batch, classes);
  }

  @Override
  public void close() {
    parameters.close();
  }

  private void requireClasses(@Nullable Tensor classes) {
    if ((classes != null) != (config.grid().classes() > 0)) {
      throw new IllegalArgumentException(
          config.grid().classes() > 0
              ? "the prior has " + config.grid().classes() + " classes: say which"
              : "the prior was trained without classes");
    }
  }

  /**
   * The vertical stack at (r, c) depends on the rows above r only, but on columns to the right of c
   * too: so it is computed for a whole row as soon as the row above is complete, layer by layer.
   * The horizontal stack follows position by position.
   */
  private final class Session extends PositionSession {
    private final @Nullable Tensor classes;
    private final FirstGatedLayer.Positions start;
    private final List<GatedLayer.Positions> upper = new ArrayList<>();
    private final PositionConv toHidden = own(PositionConv.of(stream(), hidden, Activation.RELU));
    private final PositionConv last = own(PositionConv.of(stream(), toLogits, Activation.NONE));
    private final FeatureMap afterHidden = single(network.head());
    private final FeatureMap logits = single(grid().codes());

    Session(Stream stream, int batch, @Nullable Tensor given) {
      super(config.grid(), stream, batch);
      this.classes =
          given == null ? null : own(stream.device().allocate(Shape.of(batch), DataType.I32));
      if (given != null && classes != null) {
        stream.copy(classes, given);
      }
      this.start = first.new Positions(this);
      GatedLayer.Source below = start;
      for (GatedLayer layer : layers) {
        GatedLayer.Positions next = layer.new Positions(this, below);
        upper.add(next);
        below = next;
      }
    }

    @Override
    Tensor compute(int row, int column) {
      if (column == 0) {
        start.beginRow(row, classes);
        upper.forEach(layer -> layer.beginRow(row, classes));
      }
      start.at(row, column, classes);
      upper.forEach(layer -> layer.at(row, column, classes));
      FeatureMap top = upper.isEmpty() ? start.horizontal() : upper.getLast().horizontal();
      // The features of a position as an image of one pixel, which a 1x1 convolution takes.
      Tensor features = top.at(row, column);
      toHidden.at(stream(), FeatureMap.pixel(features), afterHidden.only());
      last.at(stream(), afterHidden.all(), logits.only());
      return logits.only();
    }
  }
}
