package dev.tessera.benchmarks.vq;

import dev.tessera.device.DataType;
import dev.tessera.device.Device;
import dev.tessera.device.Shape;
import dev.tessera.device.Stream;
import dev.tessera.device.Tensor;
import dev.tessera.vq.Codebook;
import java.util.Random;

/**
 * A codebook [K,D] and rows [N,D] on the CPU, both standard normal: the case in which rows are
 * farthest from their codes, and a screen excludes least.
 */
final class GaussianCodes implements AutoCloseable {
  private final Device device = Device.open("cpu");
  final Stream stream;
  final Codebook codebook;
  final Tensor rows;
  final Tensor codes;

  GaussianCodes(int n, int k, int d, int threads) {
    Random random = new Random(1);
    this.stream = device.openStream(threads);
    this.rows = gaussian(Shape.of(n, d), random);
    this.codes = device.allocate(Shape.of(n), DataType.I32);
    try (Tensor initial = gaussian(Shape.of(k, d), random)) {
      this.codebook = Codebook.open(stream, initial);
    }
  }

  /** The nearest code of every row. */
  void assign() {
    codebook.assign(stream, rows, codes);
  }

  private Tensor gaussian(Shape shape, Random random) {
    float[] values = new float[Math.toIntExact(shape.elements())];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    Tensor tensor = device.allocate(shape);
    tensor.copyFrom(stream, values);
    return tensor;
  }

  @Override
  public void close() {
    codebook.close();
    rows.close();
    codes.close();
    stream.close();
    device.close();
  }
}
