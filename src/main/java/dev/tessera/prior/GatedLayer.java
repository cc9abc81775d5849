package dev.tessera.prior;

import dev.tessera.device.Tensor;
import dev.tessera.nn.Activation;
import dev.tessera.nn.CausalConv2d;
import dev.tessera.nn.Conv2d;
import dev.tessera.nn.Ops;
import dev.tessera.nn.Parameter;
import dev.tessera.nn.Pass;
import dev.tessera.nn.WeightRule;
import java.util.LinkedHashMap;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;

/**
 * A layer of a gated PixelCNN (van den Oord et al. 2016, figure 2), F channels in and out of both
 * stacks:
 *
 * <pre>
 *   v' = conv_vertical(v)                     [2F], the own row and those above of v
 *   h' = conv_horizontal(h) + conv1x1(v')     [2F]
 *   v  = gate(v'),  h = h + conv1x1(gate(h'))
 * </pre>
 *
 * The vertical stack never knows its own row's codes, because the first layer does not; so h' may
 * take v' from the same row.
 */
final class GatedLayer {
  private final int channels;
  private final CausalConv2d vertical;
  private final CausalConv2d horizontal;
  private final Conv2d link;
  private final Conv2d out;
  private final Gate verticalGate;
  private final Gate horizontalGate;
  private final boolean last;

  /**
   * A layer.
   *
   * @param last whether no layer follows, so that the vertical stack ends here
   */
  GatedLayer(int channels, int kernel, int classes, boolean last) {
    this.channels = channels;
    int wide = 2 * channels;
    this.vertical =
        CausalConv2d.vertical(WeightRule.KERAS.conv(channels, wide, kernel, 1, Activation.NONE));
    this.horizontal =
        CausalConv2d.horizontal(WeightRule.KERAS.conv(channels, wide, kernel, 1, Activation.NONE));
    this.link = new Conv2d(WeightRule.KERAS.conv(wide, wide, 1, 1, Activation.NONE));
    this.out = new Conv2d(WeightRule.KERAS.conv(channels, channels, 1, 1, Activation.NONE));
    this.verticalGate = new Gate(channels, last ? 0 : classes);
    this.horizontalGate = new Gate(channels, classes);
    this.last = last;
  }

  Stacks forward(Pass pass, Stacks x, @Nullable Tensor classes) {
    Tensor v = vertical.forward(pass, x.requireVertical());
    Tensor h = horizontal.forward(pass, x.horizontal());
    Ops.add(pass.stream(), h, link.forward(pass, v), h);
    Tensor y = out.forward(pass, horizontalGate.forwardInPlace(pass, h, classes));
    Ops.add(pass.stream(), y, x.horizontal(), y);
    return new Stacks(last ? null : verticalGate.forward(pass, v, classes), y);
  }

  Stacks infer(Pass pass, Stacks x, @Nullable Tensor classes) {
    Tensor v = vertical.infer(pass, x.requireVertical());
    Tensor h = horizontal.infer(pass, x.horizontal());
    Ops.add(pass.stream(), h, link.infer(pass, v), h);
    Tensor y = out.infer(pass, horizontalGate.infer(pass, h, classes));
    Ops.add(pass.stream(), y, x.horizontal(), y);
    return new Stacks(last ? null : verticalGate.infer(pass, v, classes), y);
  }

  Stacks backward(Pass pass, Stacks dy, @Nullable Tensor classes) {
    // No layer here has an activation, so none of them overwrites its dy.
    Tensor dGated = out.backward(pass, dy.horizontal());
    Tensor dh = horizontalGate.backward(pass, dGated, classes);
    Tensor dv = link.backward(pass, dh);
    if (!last) {
      Tensor through = verticalGate.backward(pass, dy.requireVertical(), classes);
      Ops.add(pass.stream(), dv, through, dv);
    }
    Tensor dx = horizontal.backward(pass, dh);
    Ops.add(pass.stream(), dx, dy.horizontal(), dx);
    return new Stacks(vertical.backward(pass, dv), dx);
  }

  SequencedMap<String, Parameter> parameters() {
    SequencedMap<String, Parameter> all = new LinkedHashMap<>();
    vertical.parameters().forEach((name, p) -> all.put("vertical." + name, p));
    horizontal.parameters().forEach((name, p) -> all.put("horizontal." + name, p));
    link.parameters().forEach((name, p) -> all.put("link." + name, p));
    out.parameters().forEach((name, p) -> all.put("out." + name, p));
    verticalGate.addParameters("vertical_class.weight", all);
    horizontalGate.addParameters("horizontal_class.weight", all);
    return all;
  }

  /** Where a layer's session takes its features from. */
  interface Source {
    /** The vertical stack, of the rows so far. */
    FeatureMap vertical();

    /** The horizontal stack, of the positions so far. */
    FeatureMap horizontal();
  }

  /** The layer position by position. */
  final class Positions implements Source {
    private final PositionSession session;
    private final Source below;
    private final PositionConv atVertical;
    private final PositionConv atHorizontal;
    private final PositionConv atLink;
    private final PositionConv atOut;
    private final FeatureMap verticalMap;
    private final FeatureMap horizontalMap;
    private final FeatureMap links; // of one row, [1,W,B,2F]
    private final FeatureMap wide;
    private final FeatureMap sum;
    private final FeatureMap narrow;

    Positions(PositionSession session, Source below) {
      this.session = session;
      this.below = below;
      this.atVertical =
          session.own(
              PositionConv.of(
                  session.stream(), vertical, vertical.kernelRows() * vertical.kernelColumns()));
      this.atHorizontal =
          session.own(PositionConv.of(session.stream(), horizontal, horizontal.kernelColumns()));
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

    /** The vertical stack of a row, of which the layer below has done its own. */
    void beginRow(int row, @Nullable Tensor classes) {
      for (int column = 0; column < session.grid().columns(); column++) {
        atVertical.at(session.stream(), row, column, below.vertical().all(), wide.only());
        atLink.at(session.stream(), wide.all(), links.at(0, column));
        if (!last) {
          verticalGate.run(
              session.stream(), wide.only(), classes, wide.only(), verticalMap.at(row, column));
        }
      }
    }

    void at(int row, int column, @Nullable Tensor classes) {
      atHorizontal.at(session.stream(), row, column, below.horizontal().all(), sum.only());
      Ops.add(session.stream(), sum.only(), links.at(0, column), sum.only());
      horizontalGate.run(session.stream(), sum.only(), classes, sum.only(), narrow.only());
      Tensor y = horizontalMap.at(row, column);
      atOut.at(session.stream(), narrow.all(), y);
      Ops.add(session.stream(), y, below.horizontal().at(row, column), y);
    }
  }
}
