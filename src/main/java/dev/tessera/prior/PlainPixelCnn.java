package dev.tessera.prior;

import dev.tessera.device.DataType;
import dev.tessera.device.Shape;
import dev.tessera.device.Stream;
import dev.tessera.device.Tensor;
import dev.tessera.nn.Activation;
import dev.tessera.nn.CausalConv2d;
import dev.tessera.nn.Conv2d;
import dev.tessera.nn.ConvOptions;
import dev.tessera.nn.Initializer;
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
 * The PixelCNN of Keras' example "Vector-Quantized Variational Autoencoders": a masked convolution
 * of the codes (mask A), residual blocks (1x1, masked with mask B to half of the channels, 1x1),
 * two 1x1 convolutions with ReLU, and the logits. Keras keeps the masked weights too and counts
 * them: {@link #maskedWeights}.
 */
final class PlainPixelCnn implements Prior {
  private final PriorConfig config;
  private final PriorConfig.PixelCnn network;
  private final CodeConv first;
  private final List<Block> blocks = new ArrayList<>();
  private final Conv2d head1;
  private final Conv2d head2;
  private final Conv2d toLogits;
  private final Sequential head;
  private final ParameterSet parameters;
  private final Tensor mask;

  /** x + relu(conv1x1(relu(masked(relu(conv1x1(x)))))). */
  private record Block(Conv2d in, CausalConv2d masked, Conv2d out, Sequential branch) {}

  PlainPixelCnn(PriorConfig config, PriorConfig.PixelCnn network, Stream stream, long seed) {
    if (config.grid().classes() > 0) {
      throw new IllegalArgumentException(
          "the plain PixelCNN takes no classes; a gated one (pixelcnn) does");
    }
    this.config = config;
    this.network = network;
    int codes = config.grid().codes();
    int hidden = network.hidden();
    long kernel = (long) network.firstKernel() * network.firstKernel();
    this.first =
        new CodeConv(
            codes,
            hidden,
            network.firstKernel(),
            CodeConv.Part.RASTER,
            Activation.RELU,
            Initializer.glorotUniform(kernel * codes, kernel * hidden));
    ConvOptions masked = keras(hidden, hidden / 2, network.kernel(), Activation.RELU);
    this.mask = maskOf(stream, masked);
    for (int i = 0; i < network.layers(); i++) {
      Conv2d in = new Conv2d(keras(hidden, hidden, 1, Activation.RELU));
      CausalConv2d inner = CausalConv2d.raster(masked, mask);
      Conv2d out = new Conv2d(keras(hidden / 2, hidden, 1, Activation.RELU));
      blocks.add(new Block(in, inner, out, Sequential.of(in, inner, out)));
    }
    this.head1 = new Conv2d(keras(hidden, network.head(), 1, Activation.RELU));
    this.head2 = new Conv2d(keras(network.head(), network.head(), 1, Activation.RELU));
    this.toLogits = new Conv2d(keras(network.head(), codes, 1, Activation.NONE));
    this.head = Sequential.of(head1, head2, toLogits);
    SequencedMap<String, Parameter> all = new LinkedHashMap<>();
    first.parameters().forEach((name, p) -> all.put("first." + name, p));
    for (int i = 0; i < blocks.size(); i++) {
      String prefix = "blocks." + i + ".";
      blocks.get(i).branch().parameters().forEach((name, p) -> all.put(prefix + name, p));
    }
    head.parameters().forEach((name, p) -> all.put("head." + name, p));
    this.parameters = new ParameterSet(stream, all);
    parameters.initialize(stream, seed);
  }

  private static ConvOptions keras(int in, int out, int kernel, Activation activation) {
    return WeightRule.KERAS.conv(in, out, kernel, 1, activation);
  }

  private static Tensor maskOf(Stream stream, ConvOptions options) {
    Shape shape = CausalConv2d.rasterWeights(options);
    float[] values = new float[Math.toIntExact(shape.elements())];
    int taps = (int) (shape.dim(1) * shape.dim(2));
    for (int i = 0; i < values.length; i++) {
      int tap = i / options.inChannels() % taps;
      values[i] = tap < CausalConv2d.rasterTaps(options.kernel()) ? 1 : 0;
    }
    Tensor mask = stream.device().allocate(shape);
    mask.copyFrom(stream, values);
    return mask;
  }

  /** Weights that Keras counts and that are not kept here, because their mask is 0. */
  long maskedWeights() {
    long hidden = network.hidden();
    long first = (long) network.firstKernel() * network.firstKernel();
    long kept = CodeConv.taps(network.firstKernel(), CodeConv.Part.RASTER);
    long inner = (long) network.kernel() * network.kernel();
    long innerKept = (network.kernel() / 2 + 1L) * network.kernel();
    return (first - kept) * config.grid().codes() * hidden
        + blocks.size() * (inner - innerKept) * hidden * (hidden / 2);
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
    Tensor x = first.infer(pass, codes);
    for (Block block : blocks) {
      Tensor branch = block.branch().infer(pass, x);
      Ops.add(pass.stream(), branch, x, branch);
      x = branch;
    }
    return head.infer(pass, x);
  }

  @Override
  public Tensor step(Pass pass, Tensor codes, @Nullable Tensor classes, long step) {
    Stream stream = pass.stream();
    Tensor x = first.forward(pass, codes);
    for (Block block : blocks) {
      Tensor branch = block.branch().forward(pass, x);
      Tensor y = pass.allocate(x.shape()); // the branch's ReLU needs its own output
      Ops.add(stream, branch, x, y);
      x = y;
    }
    Tensor logits = head.forward(pass, x);
    Tensor loss = pass.allocate(Shape.of(1), DataType.F64);
    Ops.softmaxCrossEntropy(stream, logits, codes, loss, logits);
    Tensor dx = head.backward(pass, logits);
    for (Block block : blocks.reversed()) {
      Tensor branch = block.branch().backwardKeeping(pass, dx); // the shortcut needs dx
      Ops.add(stream, branch, dx, branch);
      dx = branch;
    }
    first.backwardParameters(pass, dx);
    return loss;
  }

  @Override
  public CodeSession session(Stream stream, int batch, @Nullable Tensor classes) {
    return new Session(stream, batch);
  }

  @Override
  public void close() {
    parameters.close();
    mask.close();
  }

  private final class Session extends PositionSession {
    private final java.lang.foreign.MemorySegment firstParams = first.newParams();
    private final FeatureMap start = single(network.hidden());
    private final List<Step> steps = new ArrayList<>();
    private final PositionConv hidden1 = own(PositionConv.of(stream(), head1, Activation.RELU));
    private final PositionConv hidden2 = own(PositionConv.of(stream(), head2, Activation.RELU));
    private final PositionConv last = own(PositionConv.of(stream(), toLogits, Activation.NONE));
    private final FeatureMap afterHidden1 = single(network.head());
    private final FeatureMap afterHidden2 = single(network.head());
    private final FeatureMap logits = single(grid().codes());

    /** A block at one position. What its masked convolution looks back on is kept. */
    private final class Step {
      private final PositionConv in;
      private final PositionConv masked;
      private final PositionConv out;
      private final FeatureMap kept = map(network.hidden());
      private final FeatureMap inner = single(network.hidden() / 2);
      private final FeatureMap sum = single(network.hidden());

      Step(Block block) {
        in = own(PositionConv.of(stream(), block.in(), Activation.RELU));
        masked =
            own(
                PositionConv.of(
                    stream(), block.masked(), CausalConv2d.rasterTaps(network.kernel())));
        out = own(PositionConv.of(stream(), block.out(), Activation.RELU));
      }

      FeatureMap run(int row, int column, FeatureMap x) {
        in.at(stream(), x.all(), kept.at(row, column));
        masked.at(stream(), row, column, kept.all(), inner.only());
        out.at(stream(), inner.all(), sum.only());
        Ops.add(stream(), sum.only(), x.only(), sum.only());
        return sum;
      }
    }

    Session(Stream stream, int batch) {
      super(config.grid(), stream, batch);
      blocks.forEach(block -> steps.add(new Step(block)));
    }

    @Override
    Tensor compute(int row, int column) {
      PriorOps.codeConvAt(
          stream(),
          firstParams,
          row,
          column,
          codes(),
          first.weight().value(),
          first.bias().value(),
          start.only());
      FeatureMap x = start;
      for (Step step : steps) {
        x = step.run(row, column, x);
      }
      hidden1.at(stream(), x.all(), afterHidden1.only());
      hidden2.at(stream(), afterHidden1.all(), afterHidden2.only());
      last.at(stream(), afterHidden2.all(), logits.only());
      return logits.only();
    }
  }
}
