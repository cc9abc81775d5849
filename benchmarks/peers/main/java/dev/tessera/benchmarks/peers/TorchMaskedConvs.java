package dev.tessera.benchmarks.peers;

import static org.bytedeco.pytorch.global.torch.addmm;
import static org.bytedeco.pytorch.global.torch.constant_pad_nd;
import static org.bytedeco.pytorch.global.torch.conv2d;

import dev.tessera.prior.PriorConfig.Grid;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch.MemoryFormat;
import org.jspecify.annotations.Nullable;

/**
 * The layers of PixelCNNs in libtorch's functions, by our parameter names. Feature maps are {@code
 * [N,C,H,W]} in the layout's memory format.
 */
final class TorchMaskedConvs {
  private static final long[] ONE = {1, 1};
  private static final long[] NONE = {0, 0};

  /** How feature maps lie, and what 1x1 convolutions are. */
  enum Layout {
    CONTIGUOUS("contiguous", MemoryFormat.Contiguous),
    CHANNELS_LAST("channels_last", MemoryFormat.ChannelsLast),
    MATRICES("channels_last, 1x1 by addmm", MemoryFormat.ChannelsLast);

    private final String text;
    private final MemoryFormat format;

    Layout(String text, MemoryFormat format) {
      this.text = text;
      this.format = format;
    }

    String text() {
      return text;
    }
  }

  private final Grid grid;
  private final Layout layout;
  private final boolean cut;
  private final Map<String, Tensor> parameters;
  private final List<int[]> batches;
  private final Map<String, List<TorchBags>> bags = new HashMap<>();

  /**
   * The layers.
   *
   * @param cut whether kernels are cut off where the mask would be 0 (images are padded by a copy
   *     then), or kernels of full size hold zeros there (the convolution pads)
   */
  TorchMaskedConvs(
      Grid grid, Layout layout, boolean cut, Map<String, Tensor> parameters, List<int[]> batches) {
    this.grid = grid;
    this.layout = layout;
    this.cut = cut;
    this.parameters = parameters;
    this.batches = batches;
  }

  /** Lists what a first layer reads in each batch; its kernel is given as in {@link TorchBags}. */
  void prepareCodes(String name, int kernelColumns, int taps, int top, int left) {
    bags.put(
        name,
        batches.stream().map(b -> new TorchBags(b, grid, kernelColumns, taps, top, left)).toList());
  }

  /** A first layer that was prepared. */
  Tensor codes(String name, int batch) {
    Tensor sums =
        Objects.requireNonNull(bags.get(name)).get(batch).sums(parameter(name + ".weight"));
    return maps(sums.add_(parameter(name + ".bias")));
  }

  /** A 1x1 convolution. */
  Tensor pointwise(String name, Tensor x) {
    Tensor weight = parameter(name + ".weight");
    Tensor bias = parameter(name + ".bias");
    if (layout != Layout.MATRICES) {
      return conv2d(x, weight, new TensorOptional(bias), ONE, NONE, ONE, 1);
    }
    return maps(addmm(bias, rows(x), weight.reshape(weight.size(0), -1).t()));
  }

  /**
   * A convolution whose kernel {@code [O,I,h,w]} is cut off below its last row, and right of its
   * last column.
   *
   * @param mask of the kernel, or null
   * @param right columns that it reaches to the right
   */
  Tensor masked(String name, Tensor x, @Nullable Tensor mask, long right) {
    Tensor weight = parameter(name + ".weight");
    TensorOptional bias = new TensorOptional(parameter(name + ".bias"));
    if (mask != null) {
      weight = weight.mul(mask);
    }
    long top = weight.size(2) - 1;
    long left = weight.size(3) - 1 - right;
    if (cut) {
      Tensor padded = constant_pad_nd(x, left, right, top, 0);
      return conv2d(padded.contiguous(layout.format), weight, bias, ONE, NONE, ONE, 1);
    }
    Tensor full = constant_pad_nd(weight, 0, left - right, 0, top);
    return conv2d(x, full.contiguous(layout.format), bias, ONE, new long[] {top, left}, ONE, 1);
  }

  /** Feature maps as {@code [N H W,C]}. */
  Tensor rows(Tensor x) {
    return x.permute(0, 2, 3, 1).reshape(-1, x.size(1));
  }

  /** {@code [N H W,C]} as feature maps. */
  private Tensor maps(Tensor rows) {
    return rows.view(-1, grid.rows(), grid.columns(), rows.size(1))
        .permute(0, 3, 1, 2)
        .contiguous(layout.format);
  }

  private Tensor parameter(String name) {
    Tensor found = parameters.get(name);
    if (found == null) {
      throw new IllegalStateException("the inputs have no parameter " + name);
    }
    return found;
  }
}
