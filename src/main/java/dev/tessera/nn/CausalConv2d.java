package dev.tessera.nn;

import dev.tessera.bindings.tessera_h;
import dev.tessera.device.NativeCall;
import dev.tessera.device.Shape;
import dev.tessera.device.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * A convolution of stride 1 that keeps an image's size and looks only upwards and to the left, as
 * PixelCNNs need it (van den Oord et al. 2016). Nothing is multiplied by zeros of a mask where the
 * kernel can be cut off instead:
 *
 * <ul>
 *   <li>{@link #vertical}: the rows above and the own row, {@code k/2+1} rows of {@code k};
 *   <li>{@link #horizontal}: the own pixel and those to its left, {@code 1 x (k/2+1)};
 *   <li>{@link #raster}: all that comes before in raster order, and the own pixel: mask B. The
 *       kernel is cut off below, and what is left to the right of the pixel stays zero.
 * </ul>
 */
public final class CausalConv2d extends Convolution {
  private final int rows;
  private final int columns;
  private final int left;
  private final @Nullable Tensor mask;

  private CausalConv2d(
      ConvOptions options, int rows, int columns, int left, @Nullable Tensor mask) {
    super(options, weightShape(options, rows, columns));
    this.rows = rows;
    this.columns = columns;
    this.left = left;
    this.mask = mask;
  }

  /** Looks at the own row and the {@code kernel / 2} above it. */
  public static CausalConv2d vertical(ConvOptions options) {
    int half = requireOdd(options) / 2;
    return new CausalConv2d(options, half + 1, options.kernel(), half, null);
  }

  /** Looks at the own pixel and the {@code kernel / 2} to its left. */
  public static CausalConv2d horizontal(ConvOptions options) {
    int half = requireOdd(options) / 2;
    return new CausalConv2d(options, 1, half + 1, half, null);
  }

  /**
   * Looks at the own pixel and those before it in raster order.
   *
   * @param mask of the shape {@link #rasterWeights}, 1 for the first {@link #rasterTaps} positions
   *     of the kernel and 0 for the others; the caller keeps it open as long as the layer trains
   */
  public static CausalConv2d raster(ConvOptions options, Tensor mask) {
    int half = requireOdd(options) / 2;
    if (!mask.shape().equals(rasterWeights(options))) {
      throw new IllegalArgumentException(
          "the mask has shape " + mask.shape() + " and the weights " + rasterWeights(options));
    }
    Initializer initializer = options.initializer();
    long live = rasterTaps(options.kernel());
    Initializer masked =
        (values, random) -> {
          initializer.fill(values, random);
          long taps = (half + 1L) * options.kernel();
          for (int i = 0; i < values.length; i++) {
            if (i / options.inChannels() % taps >= live) {
              values[i] = 0;
            }
          }
        };
    ConvOptions zeroed =
        new ConvOptions(
            options.inChannels(),
            options.outChannels(),
            options.kernel(),
            options.stride(),
            options.activation(),
            masked);
    return new CausalConv2d(zeroed, half + 1, options.kernel(), half, mask);
  }

  /** The shape of the weights of {@link #raster}: {@code [O,k/2+1,k,I]}. */
  public static Shape rasterWeights(ConvOptions options) {
    return weightShape(options, options.kernel() / 2 + 1, options.kernel());
  }

  /** Positions of a k x k kernel up to its centre, in raster order: those that mask B leaves. */
  public static int rasterTaps(int kernel) {
    return kernel / 2 * kernel + kernel / 2 + 1;
  }

  /** Height of the kernel as it is kept. */
  public int kernelRows() {
    return rows;
  }

  /** Width of the kernel as it is kept. */
  public int kernelColumns() {
    return columns;
  }

  /**
   * How many columns the kernel reaches to the left; upwards it reaches {@link #kernelRows} - 1.
   */
  public int reachLeft() {
    return left;
  }

  /** Whether a ReLU is applied to the output. */
  public Activation activation() {
    return options.activation();
  }

  @Override
  public Shape outputShape(Shape input) {
    return input.with(3, options.outChannels());
  }

  @Override
  Padding padding(Shape input) {
    return new Padding(rows - 1, left, 0, columns - 1 - left);
  }

  @Override
  void runForward(Pass pass, Tensor x, Tensor y) {
    try (NativeCall call = pass.stream().call()) {
      call.check(
          tessera_h.ts_conv2d_forward(
              call.stream(),
              params(x.shape()),
              call.arg(x),
              call.arg(weight.value()),
              call.arg(bias.value()),
              call.arg(y)));
    }
  }

  @Override
  void runBackwardWeights(Pass pass, Tensor x, Tensor dy) {
    try (NativeCall call = pass.stream().call()) {
      call.check(
          tessera_h.ts_conv2d_backward_weights(
              call.stream(),
              params(x.shape()),
              call.arg(x),
              call.arg(dy),
              call.arg(weight.gradient()),
              call.arg(bias.gradient())));
    }
    if (mask != null) {
      Ops.multiply(pass.stream(), weight.gradient(), mask, weight.gradient());
    }
  }

  @Override
  void runBackwardData(Pass pass, Tensor dy, Tensor dx) {
    try (NativeCall call = pass.stream().call()) {
      call.check(
          tessera_h.ts_conv2d_backward_data(
              call.stream(),
              params(dx.shape()),
              call.arg(dy),
              call.arg(weight.value()),
              call.arg(dx)));
    }
  }

  private static Shape weightShape(ConvOptions options, int rows, int columns) {
    return Shape.of(options.outChannels(), rows, columns, options.inChannels());
  }

  private static int requireOdd(ConvOptions options) {
    if (options.kernel() % 2 == 0 || options.stride() != 1) {
      throw new IllegalArgumentException(
          "a causal convolution needs an odd kernel and stride 1, not kernel "
              + options.kernel()
              + " and stride "
              + options.stride());
    }
    return options.kernel();
  }
}
