package dev.tessera.prior;

import dev.tessera.device.DataType;
import dev.tessera.device.Device;
import dev.tessera.device.Memory;
import dev.tessera.device.Shape;
import dev.tessera.device.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * Features of many images side by side, {@code [H,W,B,C]}: those of one position are one dense
 * tensor {@code [B,C]}, so every op can work on a position alone. What a session keeps of the
 * positions that it has been at.
 */
final class FeatureMap implements AutoCloseable {
  private final Memory memory;
  private final Tensor all;
  private final int columns;
  private final Shape position;
  private final @Nullable Tensor[] positions; // made when they are first asked for

  FeatureMap(Device device, int rows, int columns, int batch, int channels) {
    Shape shape = Shape.of(rows, columns, batch, channels);
    this.memory = new Memory(device, shape.elements() * DataType.F32.bytes());
    this.all = memory.tensor(0, shape, DataType.F32);
    this.columns = columns;
    this.position = Shape.of(batch, channels);
    this.positions = new @Nullable Tensor[rows * columns];
  }

  /** A map of a single position: a place for features that nobody comes back to. */
  static FeatureMap single(Device device, int batch, int channels) {
    return new FeatureMap(device, 1, 1, batch, channels);
  }

  /** All of it. */
  Tensor all() {
    return all;
  }

  /** The features {@code [B,C]} of a position. */
  Tensor at(int row, int column) {
    int index = row * columns + column;
    Tensor known = positions[index];
    if (known == null) {
      long bytes = position.elements() * DataType.F32.bytes();
      known = memory.tensor(index * bytes, position, DataType.F32);
      positions[index] = known;
    }
    return known;
  }

  /** Features {@code [B,C]} as a map of one position, {@code [1,1,B,C]}: what a 1x1 layer reads. */
  static Tensor pixel(Tensor features) {
    return features.reshape(Shape.of(1, 1, features.shape().dim(0), features.shape().dim(1)));
  }

  /** The features {@code [B,C]} of a single map. */
  Tensor only() {
    return at(0, 0);
  }

  @Override
  public void close() {
    memory.close();
  }
}
