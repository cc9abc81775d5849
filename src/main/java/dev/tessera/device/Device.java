package dev.tessera.device;

import dev.tessera.bindings.NativeLibrary;
import dev.tessera.bindings.tessera_h;
import dev.tessera.bindings.ts_backend_info;
import dev.tessera.bindings.ts_device_info;
import dev.tessera.bindings.ts_memory_info;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/** An open device: the CPU, or a GPU. Thread-safe. */
public final class Device implements AutoCloseable {
  private final String name;
  private final MemorySegment handle;
  private final Lifetime lifetime;

  private Device(String name, MemorySegment handle) {
    this.name = name;
    this.handle = handle;
    this.lifetime = new Lifetime("device " + name);
  }

  /**
   * Opens a device by name: {@code cpu}, {@code cuda:N} or {@code cuda-emulated}.
   *
   * @throws IllegalArgumentException if there is no such name
   * @throws DeviceUnavailableException if this machine does not have it; the message says why
   */
  public static Device open(String name) {
    NativeLibrary.preparePlugin(name);
    MemorySegment[] handle = new MemorySegment[1];
    Native.check(
        (arena, error) -> {
          MemorySegment out = arena.allocate(ValueLayout.ADDRESS);
          int status = tessera_h.ts_device_open(arena.allocateFrom(name), out, error);
          handle[0] = out.get(ValueLayout.ADDRESS, 0);
          return status;
        });
    return new Device(name, handle[0]);
  }

  /**
   * What one backend of the library offers on this machine.
   *
   * @param name {@code cpu}, {@code cuda}, ...
   * @param devices how many devices can be opened
   * @param detail what they are, or why there is none
   */
  public record Backend(String name, int devices, String detail) {}

  /** The backends that the library knows, available here or not. */
  public static List<Backend> backends() {
    NativeLibrary.preparePlugins();
    List<Backend> backends = new ArrayList<>();
    for (int i = 0; i < tessera_h.ts_backend_count(); i++) {
      int index = i;
      Native.check(
          (arena, error) -> {
            MemorySegment info = ts_backend_info.allocate(arena);
            ts_backend_info.struct_size(info, (int) ts_backend_info.sizeof());
            int status = tessera_h.ts_backend_describe(index, info, error);
            if (status == tessera_h.TS_OK()) {
              backends.add(
                  new Backend(
                      Native.string(ts_backend_info.name(info)),
                      ts_backend_info.device_count(info),
                      Native.string(ts_backend_info.detail(info))));
            }
            return status;
          });
    }
    return backends;
  }

  /** The name it was opened by. */
  public String name() {
    return name;
  }

  /** Whether tensors lie in this process's memory, so that {@link Tensor#segment} can show them. */
  public boolean isHost() {
    return name.equals("cpu");
  }

  /**
   * What a device is.
   *
   * @param description model of the processor or GPU
   * @param instructionSets CPU: those that kernels use; GPU: compute capability
   * @param maxThreads CPU: processors that this process may use; GPU: 0
   * @param memoryBytes memory of the device
   */
  public record Info(
      String description, String instructionSets, int maxThreads, long memoryBytes) {}

  /** Describes the device. */
  public Info info() {
    Info[] result = new Info[1];
    call(
        (arena, error) -> {
          MemorySegment info = ts_device_info.allocate(arena);
          ts_device_info.struct_size(info, (int) ts_device_info.sizeof());
          int status = tessera_h.ts_device_describe(handle, info, error);
          result[0] =
              new Info(
                  Native.string(ts_device_info.description(info)),
                  Native.string(ts_device_info.instruction_sets(info)),
                  ts_device_info.max_threads(info),
                  ts_device_info.memory_bytes(info));
          return status;
        });
    return result[0];
  }

  /**
   * Memory of the device in use by this process.
   *
   * @param bytesInUse now
   * @param peakBytes the most since the device was opened
   * @param allocations allocations ever made
   */
  public record MemoryUse(long bytesInUse, long peakBytes, long allocations) {}

  /** How much memory tensors, codebooks and streams hold. */
  public MemoryUse memoryUse() {
    MemoryUse[] result = new MemoryUse[1];
    call(
        (arena, error) -> {
          MemorySegment info = ts_memory_info.allocate(arena);
          ts_memory_info.struct_size(info, (int) ts_memory_info.sizeof());
          int status = tessera_h.ts_device_memory(handle, info, error);
          result[0] =
              new MemoryUse(
                  ts_memory_info.bytes_in_use(info),
                  ts_memory_info.peak_bytes(info),
                  ts_memory_info.allocation_count(info));
          return status;
        });
    return result[0];
  }

  /**
   * Opens a stream, in which calls run in order.
   *
   * @param threads CPU threads that its calls use, at least 1; GPUs ignore it
   */
  public Stream openStream(int threads) {
    return new Stream(this, threads);
  }

  /** A tensor with memory of its own, not cleared; close it. */
  public Tensor allocate(Shape shape, DataType type) {
    Memory memory = new Memory(this, shape.elements() * type.bytes());
    return Tensor.owning(memory, shape, type);
  }

  /** An f32 tensor with memory of its own, not cleared; close it. */
  public Tensor allocate(Shape shape) {
    return allocate(shape, DataType.F32);
  }

  /**
   * Closes the device; closing it again does nothing.
   *
   * @throws IllegalStateException if streams, tensors or codebooks of it are still open
   */
  @Override
  public void close() {
    if (lifetime.isOpen()) {
      Native.check((arena, error) -> lifetime.close() ? closeNative(error) : tessera_h.TS_OK());
    }
  }

  private int closeNative(MemorySegment error) {
    int status = tessera_h.ts_device_close(handle, error);
    if (status != tessera_h.TS_OK()) {
      lifetime.reopen();
    }
    return status;
  }

  /** Runs a native call that takes the device, which stays open meanwhile. */
  void call(Native.Call call) {
    lifetime.acquire();
    try {
      Native.check(call);
    } finally {
      lifetime.release();
    }
  }

  /** The native handle, for use inside {@link #call}. */
  MemorySegment handle() {
    return handle;
  }

  @Override
  public String toString() {
    return "device " + name;
  }
}
