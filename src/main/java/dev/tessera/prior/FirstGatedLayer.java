package dev.tessera.prior;

import dev.tessera.device.Tensor;
import dev.tessera.nn.Activation;
import dev.tessera.nn.Conv2d;
import dev.tessera.nn.Initializer;
import dev.tessera.nn.Ops;
import dev.tessera.nn.Parameter;
import dev.tessera.nn.Pass;
import dev.tessera.nn.WeightRule;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;

/**
 * The first layer of a gated PixelCNN: like {@link GatedLayer}, but it reads codes, its kernels
 * have no centre (mask A) and its vertical one not even the own row, and there is no shortcut.
 */
final class FirstGatedLayer {
  private final int channels;
  private final CodeConv above;
  private final CodeConv left;
  private final Conv2d link;
  private final Conv2d out;
  private final Gate verticalGate;
  private final Gate horizontalGate;
  private final boolean last;

  FirstGatedLayer(int codes, int channels, int kernel, int classes, boolean last) {
    this.channels = channels;
    int wide = 2 * channels;
    this.above = codeConv(codes, wide, kernel, CodeConv.Part.ABOVE);
    this.left = codeConv(codes, wide, kernel, CodeConv.Part.LEFT);
    this.link = new Conv2d(WeightRule.KERAS.conv(wide, wide, 1, 1, Activation.NONE));
    this.out = new Conv2d(WeightRule.KERAS.conv(channels, channels, 1, 1, Activation.NONE));
    this.verticalGate = new Gate(channels, last ? 0 : classes);
    this.horizontalGate = new Gate(channels, classes);
    this.last = last;
  }

  // Each output is a sum of one weight a tap, so this is a deviation of 1/sqrt(3) at first.
  private static CodeConv codeConv(int codes, int wide, int kernel, CodeConv.Part part) {
    double limit = 1 / Math.sqrt(CodeConv.taps(kernel, part));
    return new CodeConv(codes, wide, kernel, part, Activation.NONE, Initializer.uniform(limit));
  }

  Stacks forward(Pass pass, Tensor codes, @Nullable Tensor classes) {
    Tensor v = above.forward(pass, codes);
    Tensor h = left.forward(pass, codes);
    Ops.add(pass.stream(), h, link.forward(pass, v), h);
    Tensor y = out.forward(pass, horizontalGate.forwardInPlace(pass, h, classes));
    return new Stacks(last ? null : verticalGate.forward(pass, v, classes), y);
  }

  Stacks infer(Pass pass, Tensor codes, @Nullable Tensor classes) {
    Tensor v = above.infer(pass, codes);
    Tensor h = left.infer(pass, codes);
    Ops.add(pass.stream(), h, link.infer(pass, v), h);
    Tensor y = out.infer(pass, horizontalGate.infer(pass, h, classes));
    return new Stacks(last ? null : verticalGate.infer(pass, v, classes), y);
  }

  void backwardParameters(Pass pass, Stacks dy, @Nullable Tensor classes) {
    Tensor dh = horizontalGate.backward(pass, out.backward(pass, dy.horizontal()), classes);
    Tensor dv = link.backward(pass, dh);
    if (!last) {
      Tensor through = verticalGate.backward(pass, dy.requireVertical(), classes);
      Ops.add(pass.stream(), dv, through, dv);
    }
    left.backwardParameters(pass, dh);
    above.backwardParameters(pass, dv);
  }

  SequencedMap<String, Parameter> parameters() {
    SequencedMap<String, Parameter> all = new LinkedHashMap<>();
    above.parameters().forEach((name, p) -> all.put("vertical." + name, p));
    left.parameters().forEach((name, p) -> all.put("horizontal." + name, p));
    link.parameters().forEach((name, p) -> all.put("link." + name, p));
    out.parameters().forEach((name, p) -> all.put("out." + name, p));
    verticalGate.addParameters("vertical_class.weight", all);
    horizontalGate.addParameters("horizontal_class.weight", all);
    return all;
  }

  /** The layer position by position. */
  final class Positions implements GatedLayer.Source {
    private final PositionSession session;
    private final MemorySegment aboveParams = above.newParams();
    private final MemorySegment leftParams = left.newParams();
    private final PositionConv atLink;
    private final PositionConv atOut;
    private final FeatureMap verticalMap;
    private final FeatureMap horizontalMap;
    private final FeatureMap links; // of one row, [1,W,B,2F]
    private final FeatureMap wide;
    private final FeatureMap sum;
    private final FeatureMap narrow;

    Positions(PositionSession session) {
      this.session = session;
      this.atLink = session.own(PositionConv.of(session.stream(), link, Activation.NONE));
      this.atOut = session.own(PositionConv.of(session.stream(), out, Activation.NONE));
      this.verticalMap = session.map(channels);
      this.horizontalMap = session.map(channels);
      this.links =
          session.own(
              new FeatureMap(
                  session.device(), 1, session.grid().columns(), session.batch(), 2 * channels));
      this.wide = session.single(2 * channels);
      this.sum = session.single(2 * channels);
      this.narrow = session.single(channels);
    }

    @Override
    public FeatureMap vertical() {
      return verticalMap;
    }

    @Override
    public FeatureMap horizontal() {
      return horizontalMap;
    }

    void beginRow(int row, @Nullable Tensor classes) {
      for (int column = 0; column < session.grid().columns(); column++) {
        PriorOps.codeConvAt(
            session.stream(),
            aboveParams,
            row,
            column,
            session.codes(),
            above.weight().value(),
            above.bias().value(),
            wide.only());
        atLink.at(session.stream(), wide.all(), links.at(0, column));
        if (!last) {
          verticalGate.run(
              session.stream(), wide.only(), classes, wide.only(), verticalMap.at(row, column));
        }
      }
    }

    void at(int row, int column, @Nullable Tensor classes) {
      PriorOps.codeConvAt(
          session.stream(),
          leftParams,
          row,
          column,
          session.codes(),
          left.weight().value(),
          left.bias().value(),
          sum.only());
      Ops.add(session.stream(), sum.only(), links.at(0, column), sum.only());
      horizontalGate.run(session.stream(), sum.only(), classes, sum.only(), narrow.only());
      atOut.at(session.stream(), narrow.all(), horizontalMap.at(row, column));
    }
  }
}
