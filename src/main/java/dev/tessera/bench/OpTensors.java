package dev.tessera.bench;

import dev.tessera.device.DataType;
import dev.tessera.device.Device;
import dev.tessera.device.Shape;
import dev.tessera.device.Stream;
import dev.tessera.device.Tensor;
import dev.tessera.vq.Codebook;
import dev.tessera.vq.ScatterUpdate;

/** The arguments of the quantiser's ops on a device, and calls of them. */
public final class OpTensors implements AutoCloseable {
  private final Stream stream;
  private final VectorData data;
  private final Tensor x;
  private final Tensor codes;
  private final Tensor quantized;
  private final Tensor squaredError;
  private final Tensor counts;
  private final Tensor sums;
  private final Codebook codebook;
  private final long codebookBytes;

  /** Copies the data to the stream's device and opens the codebook, under TESSERA_KERNEL. */
  public OpTensors(Stream stream, VectorData data) {
    Device device = stream.device();
    this.stream = stream;
    this.data = data;
    this.x = device.allocate(Shape.of(data.n(), data.d()));
    this.codes = device.allocate(Shape.of(data.n()), DataType.I32);
    this.quantized = device.allocate(x.shape());
    this.squaredError = device.allocate(Shape.of(1), DataType.F64);
    this.counts = device.allocate(Shape.of(data.k()), DataType.I32);
    this.sums = device.allocate(Shape.of(data.k(), data.d()));
    x.copyFrom(stream, data.rows());
    stream.fill(codes, -1); // so that a row left out is seen
    stream.fill(quantized, Double.NaN);
    stream.fill(sums, Double.NaN);
    stream.fill(counts, -1);
    long before = device.memoryUse().bytesInUse();
    try (Tensor initial = device.allocate(sums.shape())) {
      initial.copyFrom(stream, data.codes());
      this.codebook = Codebook.open(stream, initial);
    }
    this.codebookBytes = device.memoryUse().bytesInUse() - before;
  }

  /** Memory of the codebook: codes and what is packed from them. */
  public long codebookBytes() {
    return codebookBytes;
  }

  /** Calls an op; {@link Op#UPDATE} needs codes from an earlier call of another. */
  public void run(Op op) {
    run(op, stream);
  }

  /** Calls an op in another stream of the device. */
  void run(Op op, Stream in) {
    switch (op) {
      case ASSIGN -> codebook.assign(in, x, codes);
      case QUANTIZE -> codebook.quantize(in, x, codes, quantized, squaredError, counts, sums);
      case UPDATE -> ScatterUpdate.run(in, x, codes, counts, sums);
    }
    in.synchronize();
  }

  /** The codes [N] that the last search wrote. */
  public int[] codes() {
    return codes.toInts(stream);
  }

  /** Elements, beside the codes, that {@code op} wrote and should not have. */
  long outputMismatches(Op op) {
    int[] found = codes();
    long wrong = 0;
    if (op == Op.QUANTIZE) {
      wrong += OutputCheck.quantized(data, found, quantized.toFloats(stream));
      wrong += OutputCheck.squaredError(data, found, squaredError.toDouble(stream));
    }
    if (op != Op.ASSIGN) {
      wrong += OutputCheck.scatter(data, found, counts.toInts(stream), sums.toFloats(stream));
    }
    return wrong;
  }

  @Override
  public void close() {
    codebook.close();
    sums.close();
    counts.close();
    squaredError.close();
    quantized.close();
    codes.close();
    x.close();
  }
}
