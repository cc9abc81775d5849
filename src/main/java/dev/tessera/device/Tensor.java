package dev.tessera.device;

import dev.tessera.bindings.ts_tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;

/**
 * A dense row-major tensor in device memory. It owns its memory ({@link Device#allocate}), or is a
 * part of a {@link Memory} block or of a {@link Workspace}; then closing it does nothing.
 *
 * <p>Its elements are written and read by calls in streams; streams that share a tensor have to be
 * ordered: see {@link Stream}.
 */
public final class Tensor implements AutoCloseable {
  private final Memory memory;
  private final boolean owns;
  private final long address;
  private final Shape shape;
  private final DataType type;
  private final MemorySegment descriptor; // its ts_tensor, kept for life
  private final @Nullable Workspace workspace;
  private final long generation; // of the workspace, when this was taken from it

  private Tensor(
      Memory memory,
      boolean owns,
      long address,
      Shape shape,
      DataType type,
      MemorySegment descriptor,
      @Nullable Workspace workspace) {
    this.memory = memory;
    this.owns = owns;
    this.address = address;
    this.shape = shape;
    this.type = type;
    this.descriptor = descriptor;
    this.workspace = workspace;
    this.generation = workspace == null ? 0 : workspace.generation();
    ts_tensor.data(descriptor, shape.elements() == 0 ? 0 : address);
    ts_tensor.dtype(descriptor, type.code());
    ts_tensor.rank(descriptor, shape.rank());
    for (int i = 0; i < shape.rank(); i++) {
      descriptor.set(
          ValueLayout.JAVA_LONG, ts_tensor.dims$offset() + (long) i * Long.BYTES, shape.dim(i));
    }
  }

  static Tensor owning(Memory memory, Shape shape, DataType type) {
    MemorySegment descriptor = ts_tensor.allocate(Arena.ofAuto());
    return new Tensor(memory, true, memory.address(), shape, type, descriptor, null);
  }

  /**
   * A tensor over device memory that another library allocated on the same GPU, on the conditions
   * of {@link Memory#foreign}. Closing it ends it and frees nothing.
   *
   * @param address of its first element, aligned to the element size
   */
  public static Tensor foreign(Device device, long address, Shape shape, DataType type) {
    Memory memory = Memory.foreign(device, address, shape.elements() * type.bytes());
    return owning(memory, shape, type);
  }

  static Tensor within(Memory memory, long address, Shape shape, DataType type) {
    MemorySegment descriptor = ts_tensor.allocate(Arena.ofAuto());
    return new Tensor(memory, false, address, shape, type, descriptor, null);
  }

  static Tensor of(
      Workspace workspace,
      Memory memory,
      long address,
      Shape shape,
      DataType type,
      MemorySegment descriptor) {
    return new Tensor(memory, false, address, shape, type, descriptor, workspace);
  }

  /** Its dimensions. */
  public Shape shape() {
    return shape;
  }

  /** Its element type. */
  public DataType type() {
    return type;
  }

  /** The device that it is on. */
  public Device device() {
    return memory.device();
  }

  /** Size in bytes. */
  public long bytes() {
    return shape.elements() * type.bytes();
  }

  /**
   * The same elements in another shape.
   *
   * @throws IllegalArgumentException if the number of elements differs
   */
  public Tensor reshape(Shape other) {
    if (other.elements() != shape.elements()) {
      throw new IllegalArgumentException(
          "a tensor of shape " + shape + " cannot be seen as one of " + other);
    }
    return startingHere(other);
  }

  /**
   * The first {@code count} of its rows, a row being what belongs to one index of the first
   * dimension.
   *
   * @throws IllegalArgumentException if it has fewer
   */
  public Tensor firstRows(long count) {
    if (shape.rank() == 0 || count < 0 || count > shape.dim(0)) {
      throw new IllegalArgumentException(
          "a tensor of shape " + shape + " has no first " + count + " rows");
    }
    return startingHere(shape.with(0, count));
  }

  private Tensor startingHere(Shape other) {
    requireCurrent();
    MemorySegment copy =
        workspace == null ? ts_tensor.allocate(Arena.ofAuto()) : workspace.nextDescriptor();
    return new Tensor(memory, false, address, other, type, copy, workspace);
  }

  /**
   * The tensor's elements in this process's memory, without a copy. The segment ends with the
   * memory that it lies in; a workspace's is overwritten by the steps that follow.
   *
   * @throws UnsupportedOperationException on a device with memory of its own
   */
  public MemorySegment segment() {
    requireCurrent();
    return memory.view().asSlice(address - memory.address(), bytes());
  }

  /**
   * Copies all elements from {@code source}, native or on the heap, of exactly this size. The
   * source may be reused when this returns; the copy is a call of the stream like any other.
   */
  public void copyFrom(Stream stream, MemorySegment source) {
    stream.copyToDevice(this, source);
  }

  /**
   * Copies all elements to {@code destination}, native or on the heap, of exactly this size, after
   * the stream's earlier calls, and waits for it.
   */
  public void copyTo(Stream stream, MemorySegment destination) {
    stream.copyToHost(this, destination);
  }

  /** Copies an f32 tensor from an array of as many elements. */
  public void copyFrom(Stream stream, float[] source) {
    requireType(DataType.F32);
    copyFrom(stream, MemorySegment.ofArray(source));
  }

  /** The elements of an f32 tensor. */
  public float[] toFloats(Stream stream) {
    requireType(DataType.F32);
    float[] values = new float[Math.toIntExact(shape.elements())];
    copyTo(stream, MemorySegment.ofArray(values));
    return values;
  }

  /** The elements of an i32 tensor. */
  public int[] toInts(Stream stream) {
    requireType(DataType.I32);
    int[] values = new int[Math.toIntExact(shape.elements())];
    copyTo(stream, MemorySegment.ofArray(values));
    return values;
  }

  /** The value of an f64 tensor of one element. */
  public double toDouble(Stream stream) {
    requireType(DataType.F64);
    if (shape.elements() != 1) {
      throw new IllegalStateException("shape " + shape + " is not one element");
    }
    double[] value = new double[1];
    copyTo(stream, MemorySegment.ofArray(value));
    return value[0];
  }

  /** Frees memory of its own; a part of something else stays. */
  @Override
  public void close() {
    if (owns) {
      memory.close();
    }
  }

  /** Keeps the memory from being closed or reset until {@link #release}. */
  void acquire() {
    memory.acquire();
    if (workspace != null && workspace.generation() != generation) {
      memory.release();
      requireCurrent();
    }
  }

  void release() {
    memory.release();
  }

  /** Its {@code ts_tensor}, valid between {@link #acquire} and {@link #release}. */
  MemorySegment descriptor() {
    return descriptor;
  }

  /**
   * Its device address, for other libraries that work on the same GPU. It is valid as long as the
   * tensor: until its memory is closed, or its workspace reset.
   *
   * @throws IllegalStateException if that has happened
   */
  public long address() {
    acquire();
    release();
    return address;
  }

  private void requireCurrent() {
    if (workspace != null && workspace.generation() != generation) {
      throw new IllegalStateException(
          "a tensor of shape " + shape + " was used after its workspace was reset");
    }
  }

  private void requireType(DataType expected) {
    if (type != expected) {
      throw new IllegalStateException("the tensor is " + type + ", not " + expected);
    }
  }

  /** For example {@code F32[128,28,28,1] on device cpu}. */
  @Override
  public String toString() {
    return type.toString() + shape + " on " + device();
  }
}
