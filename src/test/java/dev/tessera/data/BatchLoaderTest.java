package dev.tessera.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import dev.tessera.io.Seeds;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class BatchLoaderTest {
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  /** A batch, kept. */
  private record Kept(long step, long epoch, List<Integer> indices, List<Float> pixels) {
    static Kept of(Batch batch) {
      float[] pixels = batch.pixels().toArray(ValueLayout.JAVA_FLOAT);
      return new Kept(
          batch.step(),
          batch.epoch(),
          IntStream.range(0, batch.size()).mapToObj(batch::index).toList(),
          IntStream.range(0, pixels.length).mapToObj(i -> pixels[i]).toList());
    }
  }

  @Test
  void anEpochHasEveryImageOnceAndItsPixelsScaled() throws InterruptedException {
    SplittableRandom random = Seeds.fresh("BatchLoaderTest.anEpoch");
    int count = 20 + random.nextInt(100);
    int batchSize = 1 + random.nextInt(count);
    ImageDataset data = data(random, count);
    for (boolean shuffle : new boolean[] {true, false}) {
      BatchOptions options =
          new BatchOptions(batchSize, random.nextLong(), shuffle, false, -0.25f, 2);
      try (BatchLoader loader = new BatchLoader(data, options, 0)) {
        List<Integer> first = new ArrayList<>();
        for (int epoch = 0; epoch < 3; epoch++) {
          List<Integer> seen = new ArrayList<>();
          for (long s = 0; s < loader.stepsPerEpoch(); s++) {
            Kept batch = Kept.of(loader.next());
            assertEquals(epoch, batch.epoch());
            assertEquals(epoch * loader.stepsPerEpoch() + s, batch.step());
            seen.addAll(batch.indices());
            for (int i = 0; i < batch.pixels().size(); i++) {
              byte pixel = data.image(batch.indices().get(i / 6)).pixels()[i % 6];
              assertEquals(
                  (float) (Byte.toUnsignedInt(pixel) / 255.0 - 0.25), batch.pixels().get(i));
            }
          }
          List<Integer> all = IntStream.range(0, count).boxed().toList();
          assertEquals(all, seen.stream().sorted().toList());
          assertEquals(!shuffle, seen.equals(all));
          assertEquals(epoch > 0 && !shuffle, seen.equals(first));
          first = epoch == 0 ? seen : first;
        }
      }
    }
  }

  @Test
  void theRemainderIsDroppedOrMakesASmallerBatch() throws InterruptedException {
    SplittableRandom random = Seeds.fresh("BatchLoaderTest.remainder");
    ImageDataset data = data(random, 10);
    BatchOptions drop = BatchOptions.training(4, 1);
    assertEquals(2, drop.stepsPerEpoch(10));
    try (BatchLoader loader = new BatchLoader(data, drop, 0)) {
      for (int step = 0; step < 7; step++) {
        Batch batch = loader.next();
        assertEquals(4, batch.size());
        assertEquals(step / 2, batch.epoch());
      }
    }
    try (BatchLoader loader = new BatchLoader(data, drop.withDropRemainder(false), 0)) {
      assertEquals(3, loader.stepsPerEpoch());
      for (int step = 0; step < 7; step++) {
        Batch batch = loader.next();
        assertEquals(step % 3 == 2 ? 2 : 4, batch.size());
        assertEquals(batch.size() * 6L * 4, batch.pixels().byteSize());
      }
    }
    BatchOptions large = BatchOptions.training(11, 1);
    assertThrows(IllegalArgumentException.class, () -> open(data, large));
    assertThrows(IllegalArgumentException.class, () -> BatchOptions.training(0, 1));
  }

  @Test
  void aLoaderOpenedAtAnyStepContinuesAsIfItHadBegunThere() throws InterruptedException {
    SplittableRandom random = Seeds.fresh("BatchLoaderTest.resume");
    ImageDataset data = data(random, 57);
    long seed = random.nextLong();
    BatchOptions options = BatchOptions.training(8, seed).withDropRemainder(random.nextBoolean());
    List<Kept> all = take(data, options, 0, 60);
    for (int i = 0; i < 10; i++) {
      int start = random.nextInt(60);
      assertEquals(all.subList(start, 60), take(data, options, start, 60 - start));
    }
    assertFalse(all.equals(take(data, BatchOptions.training(8, seed + 1), 0, 60)));
  }

  @Test
  void aBatchStaysAsItIsUntilTheNextIsAskedFor() throws Exception {
    SplittableRandom random = Seeds.fresh("BatchLoaderTest.stays");
    ImageDataset data = data(random, 100);
    try (BatchLoader loader = new BatchLoader(data, BatchOptions.training(10, 5), 0)) {
      for (int i = 0; i < 20; i++) {
        Batch batch = loader.next();
        Kept before = Kept.of(batch);
        Thread.sleep(2);
        assertEquals(before, Kept.of(batch));
      }
    }
  }

  @Test
  void batchesGoIntoTheCallersMemory() throws InterruptedException {
    SplittableRandom random = Seeds.fresh("BatchLoaderTest.callersMemory");
    ImageDataset data = data(random, 30);
    BatchOptions options = BatchOptions.training(5, 2);
    try (Arena arena = Arena.ofShared()) {
      List<MemorySegment> buffers = new ArrayList<>();
      for (int i = 0; i < options.slots(); i++) {
        buffers.add(arena.allocate(5 * 6 * 4 + 40L, 64));
      }
      try (BatchLoader loader = new BatchLoader(data, options, 3, buffers)) {
        Batch batch = loader.next();
        assertTrue(buffers.stream().anyMatch(b -> b.address() == batch.pixels().address()));
        assertEquals(take(data, options, 3, 1).getFirst(), Kept.of(batch));
      }
      List<MemorySegment> small = List.of(arena.allocate(8), arena.allocate(8), arena.allocate(8));
      assertThrows(
          IllegalArgumentException.class, () -> new BatchLoader(data, options, 0, small).close());
    }
  }

  @Test
  void afterTheFirstRoundNextToNothingIsAllocated() throws InterruptedException {
    SplittableRandom random = Seeds.fresh("BatchLoaderTest.allocation");
    ImageDataset data = data(random, 5000);
    try (BatchLoader loader = new BatchLoader(data, BatchOptions.training(50, 9), 0)) {
      for (int i = 0; i < 200; i++) {
        loader.next();
      }
      long worker = worker().threadId();
      long before = allocated(worker);
      int steps = 2000; // 20 epochs
      for (int i = 0; i < steps; i++) {
        loader.next();
      }
      long perStep = (allocated(worker) - before) / steps;
      assertTrue(perStep < 1024, perStep + " bytes a step");
    }
  }

  @Test
  void closingStopsTheThreadFreesTheMemoryAndEndsNext() throws InterruptedException {
    SplittableRandom random = Seeds.fresh("BatchLoaderTest.closing");
    ImageDataset data = data(random, 100);
    BatchLoader loader = new BatchLoader(data, BatchOptions.training(10, 5), 0);
    MemorySegment pixels = loader.next().pixels();
    loader.close();
    loader.close();
    assertThrows(IllegalStateException.class, () -> pixels.get(ValueLayout.JAVA_FLOAT, 0));
    assertThrows(IllegalStateException.class, loader::next);
    assertThrows(IllegalStateException.class, loader::next);
    assertTrue(
        Thread.getAllStackTraces().keySet().stream()
            .noneMatch(t -> t.getName().equals("tessera-batches")));
  }

  @Test
  void aThreadThatWaitsForABatchIsReleasedByClose() throws InterruptedException {
    SplittableRandom random = Seeds.fresh("BatchLoaderTest.released");
    ImageDataset data = data(random, 100);
    for (int i = 0; i < 50; i++) {
      BatchLoader loader = new BatchLoader(data, BatchOptions.training(10, 5), 0);
      Throwable[] ended = new Throwable[1];
      Thread consumer =
          Thread.ofPlatform()
              .start(
                  () -> {
                    try {
                      while (true) {
                        loader.next();
                      }
                    } catch (InterruptedException | IllegalStateException e) {
                      ended[0] = e;
                    }
                  });
      Thread.sleep(random.nextInt(3));
      loader.close();
      assertTrue(consumer.join(Duration.ofSeconds(20)));
      assertTrue(ended[0] instanceof IllegalStateException, String.valueOf(ended[0]));
    }
  }

  @Test
  void aFailureInTheThreadReachesTheConsumer() throws InterruptedException {
    SplittableRandom random = Seeds.fresh("BatchLoaderTest.failure");
    ImageDataset data = data(random, 100);
    BatchOptions options = BatchOptions.training(10, 5);
    MemorySegment writable = MemorySegment.ofArray(new float[60]);
    List<MemorySegment> buffers = List.of(writable, writable, writable.asReadOnly());
    try (BatchLoader loader = new BatchLoader(data, options, 0, buffers)) {
      loader.next();
      loader.next();
      Exception e = assertThrows(IllegalStateException.class, loader::next);
      assertNotNull(e.getCause());
      assertThrows(IllegalStateException.class, loader::next);
    }
  }

  @Test
  void shufflesDifferBetweenEpochsAndSeedsAlone() {
    BatchOptions options = BatchOptions.training(50, 7);
    int[] first = new int[50];
    int[] second = new int[50];
    EpochOrder order = new EpochOrder(50, options);
    order.indicesOf(0, first);
    order.indicesOf(1, second);
    assertFalse(Arrays.equals(first, second));
    int[] again = new int[50];
    new EpochOrder(50, options).indicesOf(1, again);
    assertArrayEquals(second, again);
    // The order is pinned: changing it would change what every recorded seed trains.
    int[] pinned = IntStream.range(0, 50).toArray();
    new Philox(7, 1, 1).shuffle(pinned);
    assertArrayEquals(pinned, second);
  }

  private static void open(ImageDataset data, BatchOptions options) {
    new BatchLoader(data, options, 0).close();
  }

  private static List<Kept> take(ImageDataset data, BatchOptions options, long start, int steps)
      throws InterruptedException {
    List<Kept> kept = new ArrayList<>();
    try (BatchLoader loader = new BatchLoader(data, options, start)) {
      for (int i = 0; i < steps; i++) {
        kept.add(Kept.of(loader.next()));
      }
    }
    return kept;
  }

  private static Thread worker() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(t -> t.getName().equals("tessera-batches"))
        .findFirst()
        .orElseThrow();
  }

  private static long allocated(long worker) {
    return THREADS.getThreadAllocatedBytes(worker) + THREADS.getCurrentThreadAllocatedBytes();
  }

  /** Random images of 2x3, off the heap as loaders have them. */
  private static ImageDataset data(SplittableRandom random, int count) {
    MemorySegment pixels = Arena.ofAuto().allocate(count * 6L);
    pixels.copyFrom(MemorySegment.ofArray(Seeds.bytes(random, count * 6)));
    return ImageDataset.of("random", 2, 3, 1, pixels, null);
  }
}
