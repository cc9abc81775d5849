package dev.tessera.model;

import dev.tessera.device.DataType;
import dev.tessera.device.Device;
import dev.tessera.device.Memory;
import dev.tessera.device.Shape;
import dev.tessera.device.Stream;
import dev.tessera.device.Tensor;
import dev.tessera.device.Workspace;
import dev.tessera.io.Json;
import dev.tessera.nn.Pass;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * A trained VQ-VAE as a tokenizer: images to codes and back. Thread-safe: calls from many threads,
 * virtual ones too, run at the same time on a pool of single-threaded streams, and wait when all
 * are busy.
 *
 * <p>Images are f32 pixels {@code [N,H,W,C]} in [-0.5, 0.5] (a byte p is p / 255 - 0.5), codes i32
 * {@code [N,H/4,W/4]}. Buffers are in native byte order and may lie on the heap or off it. On the
 * CPU, images and codes in a confined arena of the calling thread (or the global one) are used
 * where they are; others, whose owner could free them during the call, are copied, and so are
 * decoded images.
 */
public final class Tokenizer implements AutoCloseable {
  // Images that go through the network at once: enough to keep its layers busy, and few enough for
  // the activations to stay in the caches.
  private static final int MAX_BATCH = 32;

  private final Parts parts;
  private final Device device;
  private final VqVaeConfig config;
  private final VqVae model;
  private final BlockingQueue<Worker> idle;
  private final ReentrantReadWriteLock lifetime = new ReentrantReadWriteLock();
  private boolean closed; // written under the write lock, read under the read lock

  /** A stream and its activations: one call at a time. */
  private record Worker(Stream stream, Workspace workspace) {}

  /** What a tokenizer opens, closed in reverse order. */
  private static final class Parts implements AutoCloseable {
    private final Deque<AutoCloseable> open = new ArrayDeque<>();

    <T extends AutoCloseable> T add(T part) {
      open.push(part);
      return part;
    }

    @Override
    public void close() {
      while (!open.isEmpty()) {
        try {
          open.pop().close();
        } catch (RuntimeException e) {
          throw e;
        } catch (Exception e) {
          throw new AssertionError("no part throws a checked exception", e);
        }
      }
    }
  }

  private Tokenizer(Parts parts, Device device, VqVaeConfig config, VqVae model, int workers) {
    this.parts = parts;
    this.config = config;
    this.device = device;
    this.model = model;
    this.idle = new ArrayBlockingQueue<>(workers);
    for (int i = 0; i < workers; i++) {
      Stream stream = parts.add(device.openStream(1));
      idle.add(new Worker(stream, parts.add(new Workspace(device, 0))));
    }
  }

  /**
   * Loads the model of a run folder onto the CPU, with a stream for each processor.
   *
   * @throws UncheckedIOException if files of the run are missing or malformed; the cause says which
   */
  public static Tokenizer load(Path run) {
    return load(run, "cpu", Runtime.getRuntime().availableProcessors());
  }

  /**
   * Loads the model of a run folder.
   *
   * @param deviceName {@code cpu} or {@code cuda:N}
   * @param streams calls that can run at the same time, at least 1
   * @throws UncheckedIOException if files of the run are missing or malformed; the cause says which
   */
  public static Tokenizer load(Path run, String deviceName, int streams) {
    if (streams < 1) {
      throw new IllegalArgumentException("a tokenizer needs at least 1 stream, not " + streams);
    }
    Parts parts = new Parts();
    try {
      VqVaeConfig config = Json.read(run.resolve("config.json"), VqVaeConfig.class);
      Device device = parts.add(Device.open(deviceName));
      Stream stream = parts.add(device.openStream(1));
      VqVae model = parts.add(new VqVae(config, stream, 0));
      ModelFile.restore(run.resolve("model.safetensors"), stream, model);
      stream.synchronize(); // its weights are what the workers' streams begin with
      return new Tokenizer(parts, device, config, model, streams);
    } catch (IOException e) {
      parts.close();
      throw new UncheckedIOException(e);
    } catch (RuntimeException | Error e) {
      parts.close();
      throw e;
    }
  }

  /** The model's configuration: image size, K and D. */
  public VqVaeConfig config() {
    return config;
  }

  /** Floats of an image. */
  public int imageSize() {
    return config.image().height() * config.image().width() * config.image().channels();
  }

  /** Codes of an image. */
  public int codesPerImage() {
    return config.gridHeight() * config.gridWidth();
  }

  /** The codes of images. */
  public int[] encode(float[] images) {
    int[] codes = new int[Math.multiplyExact(count(images.length * 4L), codesPerImage())];
    encode(MemorySegment.ofArray(images), MemorySegment.ofArray(codes));
    return codes;
  }

  /** The codes of the images between a buffer's position and its limit, into another buffer. */
  public void encode(ByteBuffer images, ByteBuffer codes) {
    encode(MemorySegment.ofBuffer(images), MemorySegment.ofBuffer(codes));
  }

  /**
   * The codes of images.
   *
   * @param images f32, a whole number of images
   * @param codes i32, exactly the codes of as many
   * @throws IllegalArgumentException if sizes do not fit
   * @throws dev.tessera.device.DataFaultException if a pixel is so far off that the encoder's
   *     output is not finite
   */
  public void encode(MemorySegment images, MemorySegment codes) {
    int n = count(images.byteSize());
    requireSize("codes", codes, (long) n * codesPerImage() * 4);
    use(
        worker -> {
          for (int from = 0; from < n; from += MAX_BATCH) {
            int batch = Math.min(MAX_BATCH, n - from);
            worker.workspace().reset();
            Pass pass = new Pass(worker.stream(), worker.workspace());
            Tensor x = input(pass, images, from, imageShape(batch), DataType.F32);
            Shape grid = Shape.of(batch, config.gridHeight(), config.gridWidth());
            Optional<Tensor> direct = over(codes, from, grid, DataType.I32);
            Tensor result = direct.orElseGet(() -> pass.allocate(grid, DataType.I32));
            model.encode(pass, model.quantizer().codebook(), x, result);
            if (direct.isEmpty()) {
              result.copyTo(worker.stream(), slice(codes, from, result));
            }
          }
        });
  }

  /** The images of codes. */
  public float[] decode(int[] codes) {
    int n = countCodes(codes.length * 4L);
    float[] images = new float[Math.multiplyExact(n, imageSize())];
    decode(MemorySegment.ofArray(codes), MemorySegment.ofArray(images));
    return images;
  }

  /** The images of the codes between a buffer's position and its limit, into another buffer. */
  public void decode(ByteBuffer codes, ByteBuffer images) {
    decode(MemorySegment.ofBuffer(codes), MemorySegment.ofBuffer(images));
  }

  /**
   * The images of codes.
   *
   * @param codes i32, the codes of a whole number of images
   * @param images f32, exactly as many images
   * @throws IllegalArgumentException if sizes do not fit
   * @throws dev.tessera.device.DataFaultException if a code is not in [0, K)
   */
  public void decode(MemorySegment codes, MemorySegment images) {
    int n = countCodes(codes.byteSize());
    requireSize("images", images, (long) n * imageSize() * 4);
    use(
        worker -> {
          for (int from = 0; from < n; from += MAX_BATCH) {
            int batch = Math.min(MAX_BATCH, n - from);
            worker.workspace().reset();
            Pass pass = new Pass(worker.stream(), worker.workspace());
            Shape grid = Shape.of(batch, config.gridHeight(), config.gridWidth());
            Tensor indices = input(pass, codes, from, grid, DataType.I32);
            Tensor result = model.decode(pass, model.quantizer().codebook(), indices);
            result.copyTo(worker.stream(), slice(images, from, result));
          }
        });
  }

  /** Waits for the calls that are under way, then frees the model; closing again does nothing. */
  @Override
  public void close() {
    lifetime.writeLock().lock();
    try {
      if (!closed) {
        closed = true;
        parts.close(); // no call holds a stream: each has the read lock
      }
    } finally {
      lifetime.writeLock().unlock();
    }
  }

  // The part of a buffer for a batch that begins at image `from`.
  private static MemorySegment slice(MemorySegment all, int from, Tensor batch) {
    return all.asSlice(from * (batch.bytes() / batch.shape().dim(0)), batch.bytes());
  }

  // The same as a tensor without a copy, where the memory allows it.
  private Optional<Tensor> over(MemorySegment all, int from, Shape batch, DataType type) {
    long offset = from * (batch.elements() / batch.dim(0) * type.bytes());
    return all.address() % type.bytes() != 0
        ? Optional.empty()
        : Memory.over(device, all).map(memory -> memory.tensor(offset, batch, type));
  }

  private Tensor input(Pass pass, MemorySegment all, int from, Shape batch, DataType type) {
    return over(all, from, batch, type)
        .orElseGet(
            () -> {
              Tensor copy = pass.allocate(batch, type);
              copy.copyFrom(pass.stream(), slice(all, from, copy));
              return copy;
            });
  }

  private interface Work {
    void run(Worker worker);
  }

  private void use(Work work) {
    lifetime.readLock().lock();
    try {
      if (closed) {
        throw new IllegalStateException("the tokenizer is closed");
      }
      Worker worker = take();
      try {
        work.run(worker);
      } finally {
        idle.add(worker);
      }
    } finally {
      lifetime.readLock().unlock();
    }
  }

  private Worker take() {
    try {
      return idle.take();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while waiting for a stream", e);
    }
  }

  private Shape imageShape(int n) {
    VqVaeConfig.ImageConfig image = config.image();
    return Shape.of(n, image.height(), image.width(), image.channels());
  }

  private int count(long bytes) {
    return whole("images", bytes, imageSize() * 4L);
  }

  private int countCodes(long bytes) {
    return whole("codes", bytes, codesPerImage() * 4L);
  }

  private static int whole(String what, long bytes, long one) {
    if (bytes % one != 0) {
      throw new IllegalArgumentException(
          what + " has " + bytes + " bytes, which is no multiple of an image's " + one);
    }
    return Math.toIntExact(bytes / one);
  }

  private static void requireSize(String what, MemorySegment segment, long bytes) {
    if (segment.byteSize() != bytes) {
      throw new IllegalArgumentException(
          what + " has " + segment.byteSize() + " bytes but must have " + bytes);
    }
    if (segment.isReadOnly()) {
      throw new IllegalArgumentException(what + " is read-only");
    }
  }
}
