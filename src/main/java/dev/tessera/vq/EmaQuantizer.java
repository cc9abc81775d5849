package dev.tessera.vq;

import dev.tessera.bindings.tessera_h;
import dev.tessera.bindings.ts_vq_ema_params;
import dev.tessera.data.Philox;
import dev.tessera.device.DataType;
import dev.tessera.device.Memory;
import dev.tessera.device.NativeCall;
import dev.tessera.device.Shape;
import dev.tessera.device.Stream;
import dev.tessera.device.Tensor;
import dev.tessera.nn.Parameter;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.SequencedMap;

/**
 * A quantiser whose codes are moving averages of the vectors that chose them, in Sonnet's
 * arithmetic ({@code snt.nets.VectorQuantizerEMA}): bias-corrected averages, Laplace smoothing that
 * is not stored back, loss {@code beta * mean((x - sg[q])^2)}.
 */
public final class EmaQuantizer extends VectorQuantizer {
  private static final int K_MEANS_ROUNDS = 10;

  private final Codebook codebook;
  private final Memory memory;
  private final Tensor codes; // a copy for checkpoints
  private final Tensor hiddenCounts;
  private final Tensor hiddenSums;
  private final double decay;
  private final MemorySegment params;
  private long step;

  /**
   * A quantiser with the rows of {@code initial} [K,D] as its codes.
   *
   * @param commitment beta, at least 0; 0.25 in the paper
   * @param decay gamma, at least 0 and less than 1; 0.99 in the paper's appendix
   * @param epsilon Laplace smoothing, at least 0; 1e-5 in Sonnet
   */
  public EmaQuantizer(
      Stream stream, Tensor initial, double commitment, double decay, double epsilon) {
    super(commitment);
    this.codebook = Codebook.open(stream, initial);
    this.decay = decay;
    Shape kd = initial.shape();
    Shape k = Shape.of(kd.dim(0));
    long bytes = kd.elements() * DataType.F32.bytes();
    this.memory = new Memory(stream.device(), 2 * bytes + k.elements() * DataType.F32.bytes());
    this.codes = memory.tensor(0, kd, DataType.F32);
    this.hiddenSums = memory.tensor(bytes, kd, DataType.F32);
    this.hiddenCounts = memory.tensor(2 * bytes, k, DataType.F32);
    stream.fill(hiddenSums, 0);
    stream.fill(hiddenCounts, 0);
    this.params = ts_vq_ema_params.allocate(Arena.ofAuto());
    ts_vq_ema_params.struct_size(params, (int) ts_vq_ema_params.sizeof());
    ts_vq_ema_params.decay(params, decay);
    ts_vq_ema_params.epsilon(params, epsilon);
  }

  @Override
  public Codebook codebook() {
    return codebook;
  }

  @Override
  public double loss(double meanSquaredError) {
    return commitment() * meanSquaredError;
  }

  /**
   * Begins again with k-means of {@code x} [N,D]: the averages are what one update from these
   * vectors gives, so that later updates move the codes on from there. (Setting the codes alone
   * would be undone by the next update, for every code that it does not choose.)
   *
   * @throws IllegalArgumentException if there are fewer vectors than codes
   */
  public void initializeFrom(Stream stream, Tensor x, Philox random) {
    int k = Math.toIntExact(codebook.codes());
    Shape kd = Shape.of(k, codebook.dim());
    try (Tensor centres = KMeans.centres(stream, x, k, K_MEANS_ROUNDS, random);
        Tensor indices = stream.device().allocate(x.shape().withoutLast(), DataType.I32);
        Tensor counts = stream.device().allocate(Shape.of(k), DataType.I32);
        Tensor sums = stream.device().allocate(kd)) {
      codebook.update(stream, centres);
      codebook.quantize(stream, x, indices, null, null, counts, sums);
      stream.fill(hiddenCounts, 0);
      stream.fill(hiddenSums, 0);
      step = 0;
      update(stream, counts, sums);
    }
  }

  @Override
  public void update(Stream stream, Quantized q) {
    update(stream, q.counts(), q.sums());
  }

  /** One update of the averages by counts [K] (i32) and sums [K,D] of some rows. */
  void update(Stream stream, Tensor counts, Tensor sums) {
    ts_vq_ema_params.step(params, step + 1);
    try (NativeCall call = stream.call()) {
      call.check(
          tessera_h.ts_vq_ema_update(
              call.stream(),
              call.arg(codebook.handle()),
              params,
              call.arg(counts),
              call.arg(sums),
              call.arg(hiddenCounts),
              call.arg(hiddenSums)));
    }
    step++;
  }

  @Override
  public SequencedMap<String, Parameter> parameters() {
    return new LinkedHashMap<>();
  }

  @Override
  public SequencedMap<String, Tensor> state(Stream stream) {
    codebook.read(stream, codes);
    SequencedMap<String, Tensor> state = new LinkedHashMap<>();
    state.put("codebook", codes);
    state.put("ema_counts", hiddenCounts);
    state.put("ema_sums", hiddenSums);
    return state;
  }

  @Override
  public long step() {
    return step;
  }

  /** The decay, gamma. */
  public double decay() {
    return decay;
  }

  @Override
  public void restored(Stream stream, long restoredStep) {
    codebook.update(stream, codes);
    step = restoredStep;
  }

  @Override
  public void close() {
    codebook.close();
    memory.close();
  }
}
