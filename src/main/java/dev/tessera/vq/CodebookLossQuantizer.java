package dev.tessera.vq;

import dev.tessera.bindings.tessera_h;
import dev.tessera.device.NativeCall;
import dev.tessera.device.Stream;
import dev.tessera.device.Tensor;
import dev.tessera.nn.Parameter;
import dev.tessera.nn.Pass;
import java.util.LinkedHashMap;
import java.util.SequencedMap;

/**
 * A quantiser whose codes are parameters of the optimiser, as in the paper's equation 3 and in
 * Keras' example: loss {@code mean((sg[x] - e)^2) + beta * mean((x - sg[e])^2)}.
 */
public final class CodebookLossQuantizer extends VectorQuantizer {
  private final Parameter embedding;
  private final Codebook codebook;
  private long step;

  /**
   * A quantiser of the codes of {@code embedding} [K,D], which already has its values.
   *
   * @param commitment beta, at least 0; 0.25 in the paper
   */
  public CodebookLossQuantizer(Stream stream, Parameter embedding, double commitment) {
    super(commitment);
    this.embedding = embedding;
    this.codebook = Codebook.open(stream, embedding.value());
  }

  @Override
  public Codebook codebook() {
    return codebook;
  }

  @Override
  public double loss(double meanSquaredError) {
    return (1 + commitment()) * meanSquaredError;
  }

  @Override
  public Tensor backward(Pass pass, Quantized q, Tensor gradVectors) {
    try (NativeCall call = pass.stream().call()) {
      call.check(
          tessera_h.ts_vq_codebook_grad(
              call.stream(),
              call.arg(codebook.handle()),
              2.0 / q.input().shape().elements(),
              call.arg(q.counts()),
              call.arg(q.sums()),
              call.arg(embedding.gradient())));
    }
    return super.backward(pass, q, gradVectors);
  }

  @Override
  public void update(Stream stream, Quantized q) {
    codebook.update(stream, embedding.value());
    step++;
  }

  @Override
  public SequencedMap<String, Parameter> parameters() {
    SequencedMap<String, Parameter> parameters = new LinkedHashMap<>();
    parameters.put("codebook", embedding);
    return parameters;
  }

  @Override
  public SequencedMap<String, Tensor> state(Stream stream) {
    return new LinkedHashMap<>();
  }

  @Override
  public long step() {
    return step;
  }

  @Override
  public void restored(Stream stream, long restoredStep) {
    codebook.update(stream, embedding.value());
    step = restoredStep;
  }

  @Override
  public void close() {
    codebook.close();
  }
}
