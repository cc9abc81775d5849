package dev.tessera.prior;

import dev.tessera.device.Shape;
import dev.tessera.device.Stream;
import dev.tessera.device.Tensor;
import dev.tessera.nn.Initializer;
import dev.tessera.nn.Parameter;
import dev.tessera.nn.Pass;
import java.lang.foreign.MemorySegment;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;

/**
 * Logits by the codes' embeddings, {@code x E^T + b} (Press and Wolf 2017): E are the first K rows
 * of the tokens {@code [K + start tokens,C]}; nobody asks for a start token's logit. The tokens'
 * gradient is that as embeddings, which is written first, and this one.
 */
final class TiedOutput implements Output {
  private final Parameter tokens;
  private final int codes;
  private final Parameter bias;
  private @Nullable Tensor input; // of the last backward pass
  private @Nullable Tensor gradient;

  TiedOutput(Parameter tokens, int codes) {
    this.tokens = tokens;
    this.codes = codes;
    this.bias = new Parameter(Shape.of(codes), Initializer.ZEROS);
  }

  @Override
  public void parameters(String prefix, SequencedMap<String, Parameter> all) {
    all.put(prefix + ".bias", bias);
  }

  @Override
  public Tensor forward(Pass pass, Tensor x) {
    Tensor y = pass.allocate(Shape.of(x.shape().dim(0), codes));
    multiply(pass.stream(), TransformerOps.PRODUCT_RIGHT_TRANSPOSED, x, y);
    return y;
  }

  @Override
  public void inOrder(Stream stream, Tensor x, Tensor y) {
    multiply(stream, TransformerOps.PRODUCT_RIGHT_TRANSPOSED_IN_ORDER, x, y);
  }

  private void multiply(Stream stream, MemorySegment product, Tensor x, Tensor y) {
    TransformerOps.multiply(stream, product, x, tokens.value().firstRows(codes), bias.value(), y);
  }

  @Override
  public Tensor backward(Pass pass, Tensor x, Tensor dy, Tensor ones) {
    Stream stream = pass.stream();
    Tensor row = bias.gradient().reshape(Shape.of(1, codes));
    TransformerOps.multiply(stream, TransformerOps.PRODUCT, ones, dy, null, row);
    Tensor dx = pass.allocate(x.shape());
    TransformerOps.multiply(
        stream, TransformerOps.PRODUCT, dy, tokens.value().firstRows(codes), null, dx);
    input = x;
    gradient = dy;
    return dx;
  }

  @Override
  public void addSharedGradient(Stream stream) {
    if (input == null || gradient == null) {
      throw new IllegalStateException("the gradient is added after backward");
    }
    TransformerOps.multiply(
        stream,
        TransformerOps.PRODUCT_LEFT_TRANSPOSED_ADDED,
        gradient,
        input,
        null,
        tokens.gradient().firstRows(codes));
    input = null;
    gradient = null;
  }
}
