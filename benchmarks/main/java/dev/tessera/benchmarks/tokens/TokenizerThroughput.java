package dev.tessera.benchmarks.tokens;

import dev.tessera.model.Tokenizer;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Threads;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Images a second through one {@link Tokenizer} that all threads share, a batch of 32 a call, from
 * and to native memory. The library's streams have one thread each, so two threads should do twice
 * the work of one.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Fork(value = 3, jvmArgsAppend = "--enable-native-access=ALL-UNNAMED")
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@SuppressWarnings("NullAway.Init") // JMH calls open() first
public class TokenizerThroughput {
  private static final int BATCH = 32;

  /** The model. */
  @Param({"mnist", "sonnet-cifar10"})
  public String configuration;

  private UntrainedRun run;
  private Tokenizer tokenizer;

  /** Before each fork's iterations. */
  @Setup
  public void open() throws IOException {
    run = new UntrainedRun(configuration);
    tokenizer = Tokenizer.load(run.folder(), "cpu", 2);
  }

  /** After them. */
  @TearDown
  public void close() throws IOException {
    tokenizer.close();
    run.close();
  }

  /** A thread's own images and codes. */
  @State(Scope.Thread)
  public static class Buffers {
    // Of the calling thread alone, so that the tokenizer uses images and codes where they are.
    private final Arena arena = Arena.ofConfined();
    private MemorySegment images;
    private MemorySegment codes;

    /** Random images and their codes. */
    @Setup
    public void fill(TokenizerThroughput shared) {
      images = arena.allocate(4L * BATCH * shared.tokenizer.imageSize(), 64);
      codes = arena.allocate(4L * BATCH * shared.tokenizer.codesPerImage(), 64);
      Random random = new Random(1);
      for (long i = 0; i < images.byteSize() / 4; i++) {
        images.setAtIndex(ValueLayout.JAVA_FLOAT, i, random.nextFloat() - 0.5f);
      }
      shared.tokenizer.encode(images, codes);
    }

    /** Frees them. */
    @TearDown
    public void free() {
      arena.close();
    }
  }

  /** Images to codes, one thread. */
  @Benchmark
  @Threads(1)
  @OperationsPerInvocation(BATCH)
  public void encodeBy1(Buffers buffers) {
    tokenizer.encode(buffers.images, buffers.codes);
  }

  /** Images to codes, two threads. */
  @Benchmark
  @Threads(2)
  @OperationsPerInvocation(BATCH)
  public void encodeBy2(Buffers buffers) {
    tokenizer.encode(buffers.images, buffers.codes);
  }

  /** Codes to images, one thread. */
  @Benchmark
  @Threads(1)
  @OperationsPerInvocation(BATCH)
  public void decodeBy1(Buffers buffers) {
    tokenizer.decode(buffers.codes, buffers.images);
  }

  /** Codes to images, two threads. */
  @Benchmark
  @Threads(2)
  @OperationsPerInvocation(BATCH)
  public void decodeBy2(Buffers buffers) {
    tokenizer.decode(buffers.codes, buffers.images);
  }
}
