package dev.tessera.vq;

import dev.tessera.bindings.tessera_h;
import dev.tessera.device.DataType;
import dev.tessera.device.NativeCall;
import dev.tessera.device.Shape;
import dev.tessera.device.Stream;
import dev.tessera.device.Tensor;
import dev.tessera.nn.Parameter;
import dev.tessera.nn.Pass;
import java.util.SequencedMap;

/**
 * The quantiser of a VQ-VAE (van den Oord et al. 2017): replaces each vector by its nearest code,
 * and trains the codes. Gradients pass straight through, plus the commitment term's; what moves the
 * codes is the subclass: {@link EmaQuantizer} or {@link CodebookLossQuantizer}.
 */
public abstract sealed class VectorQuantizer implements AutoCloseable
    permits EmaQuantizer, CodebookLossQuantizer {
  private final double commitment;

  VectorQuantizer(double commitment) {
    if (!(commitment >= 0) || Double.isInfinite(commitment)) {
      throw new IllegalArgumentException(
          "the commitment cost must be finite and at least 0, not " + commitment);
    }
    this.commitment = commitment;
  }

  /** The codes. */
  public abstract Codebook codebook();

  /** Quantises and keeps what training needs; the codebook stays as it is until {@link #update}. */
  public Quantized forward(Pass pass, Tensor x) {
    Codebook book = codebook();
    Quantized q =
        new Quantized(
            x,
            pass.allocate(x.shape().withoutLast(), DataType.I32),
            pass.allocate(x.shape()),
            pass.allocate(Shape.of(1), DataType.F64),
            pass.allocate(Shape.of(book.codes()), DataType.I32),
            pass.allocate(Shape.of(book.codes(), book.dim())));
    book.quantize(pass.stream(), x, q.codes(), q.vectors(), q.squaredError(), q.counts(), q.sums());
    return q;
  }

  /**
   * The quantiser's loss: a multiple of mean((x - q)^2), the codebook's and the encoder's terms
   * having the same value.
   *
   * @param meanSquaredError squared error over the number of elements
   */
  public abstract double loss(double meanSquaredError);

  /**
   * From the gradient by the quantised vectors, the one by the input: {@code gradVectors + 2 beta
   * (x - q) / size}; and the gradient of the quantiser's own parameters, if it has any.
   */
  public Tensor backward(Pass pass, Quantized q, Tensor gradVectors) {
    Tensor gradInput = pass.allocate(q.input().shape());
    try (NativeCall call = pass.stream().call()) {
      call.check(
          tessera_h.ts_vq_backward(
              call.stream(),
              commitment,
              call.arg(q.input()),
              call.arg(q.vectors()),
              call.arg(gradVectors),
              call.arg(gradInput)));
    }
    return gradInput;
  }

  /** Moves the codes, after the optimiser's step. */
  public abstract void update(Stream stream, Quantized q);

  /** What the optimiser trains. */
  public abstract SequencedMap<String, Parameter> parameters();

  /** Tensors beside the parameters that a checkpoint must hold, by name; the codes among them. */
  public abstract SequencedMap<String, Tensor> state(Stream stream);

  /** Number of codebook updates so far. */
  public abstract long step();

  /** Takes over what a checkpoint held: the tensors of {@link #state} were filled before. */
  public abstract void restored(Stream stream, long step);

  /** Weight of the commitment term, beta. */
  public final double commitment() {
    return commitment;
  }

  @Override
  public abstract void close();
}
