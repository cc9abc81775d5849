package dev.tessera.device;

import dev.tessera.bindings.tessera_h;
import java.util.Arrays;
import java.util.stream.Collectors;

/** The dimensions of a dense row-major tensor, slowest first; images are {@code [B,H,W,C]}. */
public final class Shape {
  private final long[] dims;
  private final long elements;

  private Shape(long[] dims) {
    if (dims.length > tessera_h.TS_MAX_RANK()) {
      throw new IllegalArgumentException(
          "a tensor has at most " + tessera_h.TS_MAX_RANK() + " dimensions, not " + dims.length);
    }
    long product = 1;
    boolean empty = false;
    for (long dim : dims) {
      if (dim < 0) {
        throw new IllegalArgumentException("a dimension is negative in " + Arrays.toString(dims));
      }
      if (dim == 0) {
        empty = true;
      } else {
        product = Math.multiplyExact(product, dim);
      }
    }
    this.dims = dims;
    this.elements = empty ? 0 : product;
  }

  /**
   * A shape of these dimensions; none is a scalar.
   *
   * @throws IllegalArgumentException if a dimension is negative or there are too many
   * @throws ArithmeticException if the number of elements overflows 64 bits
   */
  public static Shape of(long... dims) {
    return new Shape(dims.clone());
  }

  /** Number of dimensions. */
  public int rank() {
    return dims.length;
  }

  /** Dimension {@code axis}; a negative axis counts from the end. */
  public long dim(int axis) {
    return dims[axis < 0 ? axis + dims.length : axis];
  }

  /** Product of all dimensions, 1 for a scalar. */
  public long elements() {
    return elements;
  }

  /** This shape with dimension {@code axis} (negative: from the end) replaced. */
  public Shape with(int axis, long dim) {
    long[] changed = dims.clone();
    changed[axis < 0 ? axis + dims.length : axis] = dim;
    return new Shape(changed);
  }

  /** This shape without its last dimension. */
  public Shape withoutLast() {
    return new Shape(Arrays.copyOf(dims, dims.length - 1));
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Shape shape && Arrays.equals(dims, shape.dims);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(dims);
  }

  /** For example {@code [128,28,28,1]}. */
  @Override
  public String toString() {
    return Arrays.stream(dims).mapToObj(Long::toString).collect(Collectors.joining(",", "[", "]"));
  }
}
