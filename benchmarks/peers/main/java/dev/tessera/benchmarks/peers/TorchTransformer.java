package dev.tessera.benchmarks.peers;

import static org.bytedeco.pytorch.global.torch.addmm;
import static org.bytedeco.pytorch.global.torch.conv2d;
import static org.bytedeco.pytorch.global.torch.embedding;
import static org.bytedeco.pytorch.global.torch.gelu;
import static org.bytedeco.pytorch.global.torch.layer_norm;
import static org.bytedeco.pytorch.global.torch.scaled_dot_product_attention;

import dev.tessera.prior.PriorConfig;
import dev.tessera.prior.PriorConfig.Grid;
import dev.tessera.prior.PriorConfig.Transformer;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;

/**
 * {@code transformer} in libtorch's functions: {@code scaled_dot_product_attention} with its causal
 * flag, exact GELU, no dropout, no classes. What each position reads is listed before anything is
 * timed.
 */
final class TorchTransformer implements TorchPrior {
  private static final double NORM_EPSILON = 1e-5;
  private static final long[] ONE = {1, 1};
  private static final long[] NONE = {0, 0};

  /** What a linear layer is. */
  enum Product {
    /** The usual one: BLAS. */
    ADDMM("addmm"),
    /** A 1x1 convolution: oneDNN, whose products may be faster than BLAS'. */
    POINTWISE("1x1 convolutions");

    private final String text;

    Product(String text) {
      this.text = text;
    }

    String text() {
      return text;
    }
  }

  private final Grid grid;
  private final Transformer network;
  private final Product product;
  private final Map<String, Tensor> parameters;
  private final List<Tensor> ids; // [N T] of each batch
  private final Tensor rowOf;
  private final Tensor columnOf;

  TorchTransformer(
      PriorConfig config, Product product, Map<String, Tensor> parameters, List<int[]> batches) {
    this.grid = config.grid();
    this.network = Objects.requireNonNull(config.transformer());
    this.product = product;
    this.parameters = parameters;
    this.ids = batches.stream().map(this::read).toList();
    long[] rows = new long[grid.positions()];
    long[] columns = new long[grid.positions()];
    for (int t = 0; t < rows.length; t++) {
      rows[t] = t / grid.columns();
      columns[t] = t % grid.columns();
    }
    this.rowOf = TorchBags.longs(rows);
    this.columnOf = TorchBags.longs(columns);
  }

  // The code before each position, and at the first the start's token, which comes after the codes.
  private Tensor read(int[] codes) {
    long[] before = new long[codes.length];
    for (int i = 0; i < codes.length; i++) {
      before[i] = i % grid.positions() == 0 ? grid.codes() : codes[i - 1];
    }
    return TorchBags.longs(before);
  }

  @Override
  public Tensor logits(int batch) {
    long positions = grid.positions();
    long width = network.width();
    Tensor places =
        parameter("rows.weight")
            .index_select(0, rowOf)
            .add(parameter("columns.weight").index_select(0, columnOf));
    Tensor x =
        embedding(parameter("tokens.weight"), ids.get(batch))
            .view(-1, positions, width)
            .add(places)
            .view(-1, width);
    for (int i = 0; i < network.layers(); i++) {
      String block = "blocks." + i + ".";
      Tensor attended = attention(linear(block + "attn.qkv", norm(block + "ln_1", x)));
      x = linear(block + "attn.proj", attended).add(x);
      Tensor hidden = gelu(linear(block + "mlp.fc", norm(block + "ln_2", x)));
      x = linear(block + "mlp.proj", hidden).add(x);
    }
    return linear("head", norm("ln_f", x));
  }

  private Tensor attention(Tensor qkv) {
    long heads = network.heads();
    Tensor parts =
        qkv.view(-1, grid.positions(), 3, heads, network.width() / heads).permute(2, 0, 3, 1, 4);
    return scaled_dot_product_attention(
            parts.select(0, 0),
            parts.select(0, 1),
            parts.select(0, 2),
            new TensorOptional(),
            0,
            true,
            new DoubleOptional(),
            false)
        .transpose(1, 2)
        .reshape(-1, network.width());
  }

  private Tensor norm(String name, Tensor x) {
    return layer_norm(
        x,
        new long[] {network.width()},
        new TensorOptional(parameter(name + ".weight")),
        new TensorOptional(parameter(name + ".bias")),
        NORM_EPSILON,
        true);
  }

  private Tensor linear(String name, Tensor x) {
    Tensor weight = parameter(name + ".weight"); // [in,out]
    Tensor bias = parameter(name + ".bias");
    if (product == Product.ADDMM) {
      return addmm(bias, x, weight);
    }
    // [rows,in] as an image of one row in channels_last: [1,in,1,rows] without a copy.
    Tensor image = x.view(1, 1, x.size(0), x.size(1)).permute(0, 3, 1, 2);
    Tensor kernel = weight.t().contiguous().view(weight.size(1), weight.size(0), 1, 1);
    return conv2d(image, kernel, new TensorOptional(bias), ONE, NONE, ONE, 1)
        .permute(0, 2, 3, 1)
        .reshape(-1, weight.size(1));
  }

  private Tensor parameter(String name) {
    Tensor found = parameters.get(name);
    if (found == null) {
      throw new IllegalStateException("the inputs have no parameter " + name);
    }
    return found;
  }
}
