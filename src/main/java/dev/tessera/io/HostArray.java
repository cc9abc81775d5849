package dev.tessera.io;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.stream.Collectors;

/**
 * An array as files hold it: an element type, a shape and the elements in C order (last dimension
 * fastest), little-endian, in a segment that the caller owns. A shape without dimensions is one
 * element; a dimension may be 0.
 */
public final class HostArray {
  private static final ValueLayout.OfFloat F32 =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfDouble F64 =
      ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt I32 =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong I64 =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final ElementType type;
  private final long[] shape;
  private final MemorySegment data;

  /**
   * An array over {@code data}, without a copy.
   *
   * @throws IllegalArgumentException if a dimension is negative, or {@code data} has not exactly
   *     the bytes of the shape
   */
  public HostArray(ElementType type, long[] shape, MemorySegment data) {
    long bytes = byteSize(type, shape);
    if (bytes < 0) {
      throw new IllegalArgumentException(
          "shape " + shapeText(shape) + " has a negative dimension or more than 2^63 bytes");
    }
    if (data.byteSize() != bytes) {
      throw new IllegalArgumentException(
          "data has "
              + data.byteSize()
              + " bytes, and "
              + shapeText(shape)
              + " "
              + type
              + " needs "
              + bytes);
    }
    this.type = type;
    this.shape = shape.clone();
    this.data = data;
  }

  /** A copy of {@code values} on the heap. */
  public static HostArray of(float[] values, long... shape) {
    MemorySegment data = MemorySegment.ofArray(new byte[Math.multiplyExact(values.length, 4)]);
    MemorySegment.copy(values, 0, data, F32, 0, values.length);
    return new HostArray(ElementType.F32, shape, data);
  }

  /** A copy of {@code values} on the heap. */
  public static HostArray of(double[] values, long... shape) {
    MemorySegment data = MemorySegment.ofArray(new byte[Math.multiplyExact(values.length, 8)]);
    MemorySegment.copy(values, 0, data, F64, 0, values.length);
    return new HostArray(ElementType.F64, shape, data);
  }

  /** A copy of {@code values} on the heap. */
  public static HostArray of(int[] values, long... shape) {
    MemorySegment data = MemorySegment.ofArray(new byte[Math.multiplyExact(values.length, 4)]);
    MemorySegment.copy(values, 0, data, I32, 0, values.length);
    return new HostArray(ElementType.I32, shape, data);
  }

  /** A copy of {@code values} on the heap. */
  public static HostArray of(long[] values, long... shape) {
    MemorySegment data = MemorySegment.ofArray(new byte[Math.multiplyExact(values.length, 8)]);
    MemorySegment.copy(values, 0, data, I64, 0, values.length);
    return new HostArray(ElementType.I64, shape, data);
  }

  /** A view of {@code values}, without a copy. */
  public static HostArray of(byte[] values, long... shape) {
    return new HostArray(ElementType.U8, shape, MemorySegment.ofArray(values));
  }

  /** The type of its elements. */
  public ElementType type() {
    return type;
  }

  /** A copy of its dimensions. */
  public long[] shape() {
    return shape.clone();
  }

  /** The elements, {@code elements() * type().bytes()} bytes; aligned to 64 if read from a file. */
  public MemorySegment data() {
    return data;
  }

  /** The number of elements: the product of the shape. */
  public long elements() {
    return data.byteSize() / type.bytes();
  }

  /**
   * The elements as floats.
   *
   * @throws IllegalStateException if the type is not F32
   */
  public float[] toFloats() {
    require(ElementType.F32);
    float[] values = new float[Math.toIntExact(elements())];
    MemorySegment.copy(data, F32, 0, values, 0, values.length);
    return values;
  }

  /**
   * The elements as doubles.
   *
   * @throws IllegalStateException if the type is not F64
   */
  public double[] toDoubles() {
    require(ElementType.F64);
    double[] values = new double[Math.toIntExact(elements())];
    MemorySegment.copy(data, F64, 0, values, 0, values.length);
    return values;
  }

  /**
   * The elements as ints.
   *
   * @throws IllegalStateException if the type is not I32
   */
  public int[] toInts() {
    require(ElementType.I32);
    int[] values = new int[Math.toIntExact(elements())];
    MemorySegment.copy(data, I32, 0, values, 0, values.length);
    return values;
  }

  /**
   * The elements as longs.
   *
   * @throws IllegalStateException if the type is not I64
   */
  public long[] toLongs() {
    require(ElementType.I64);
    long[] values = new long[Math.toIntExact(elements())];
    MemorySegment.copy(data, I64, 0, values, 0, values.length);
    return values;
  }

  /** Type and shape, such as {@code F32[3, 4]}. */
  @Override
  public String toString() {
    return type + shapeText(shape);
  }

  /** A shape as messages show it, such as {@code [3, 4]}. */
  static String shapeText(long[] shape) {
    return Arrays.stream(shape)
        .mapToObj(Long::toString)
        .collect(Collectors.joining(", ", "[", "]"));
  }

  /** The bytes of an array, or -1 if a dimension is negative or the product overflows. */
  static long byteSize(ElementType type, long[] shape) {
    long bytes = type.bytes();
    boolean empty = false;
    for (long dimension : shape) {
      if (dimension < 0) {
        return -1;
      }
      empty |= dimension == 0;
      if (dimension != 0) {
        if (bytes > Long.MAX_VALUE / dimension) {
          return -1;
        }
        bytes *= dimension;
      }
    }
    return empty ? 0 : bytes;
  }

  private void require(ElementType wanted) {
    if (type != wanted) {
      throw new IllegalStateException("elements are " + type + ", not " + wanted);
    }
  }
}
