package dev.tessera.io;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.SplittableRandom;

/**
 * Damages a valid file in every way a test asks for, and demands of its reader that it either reads
 * the file or throws {@link MalformedFileException} with the file's name on one line, without
 * taking more memory than {@link #HEAP_LIMIT} on the heap and {@link #DIRECT_LIMIT} outside.
 */
public final class Damage {
  /** Bytes on the heap that a reader may take for a damaged small file. */
  private static final long HEAP_LIMIT = 8 << 20;

  /** Bytes outside the heap that a reader may take for a damaged small file. */
  private static final long DIRECT_LIMIT = 4 << 20;

  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
  private static final BufferPoolMXBean DIRECT =
      ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
          .filter(pool -> pool.getName().equals("direct"))
          .findFirst()
          .orElseThrow();

  private final Path file;
  private final byte[] valid;
  private final FileReader reader;
  private int refused;
  private int accepted;

  /**
   * Damages copies of {@code valid} at {@code file}.
   *
   * @param reader reads the file and throws what it throws
   */
  public Damage(Path file, byte[] valid, FileReader reader) {
    this.file = file;
    this.valid = valid;
    this.reader = reader;
  }

  /** Reads a file. */
  @FunctionalInterface
  public interface FileReader {
    void read(Path file) throws IOException;
  }

  /**
   * Cuts the file at every length below {@code limit}, then at {@code random} ones; all must fail.
   */
  public Damage truncate(int limit, SplittableRandom random, int randoms) throws IOException {
    for (int length = 0; length < Math.min(limit, valid.length); length++) {
      mustRefuse(Arrays.copyOf(valid, length));
    }
    for (int i = 0; i < randoms; i++) {
      mustRefuse(Arrays.copyOf(valid, random.nextInt(valid.length)));
    }
    return this;
  }

  /** Appends 1, 2, 4, ... bytes; all must fail. */
  public Damage extend(int most) throws IOException {
    for (int more = 1; more <= most; more *= 2) {
      mustRefuse(Arrays.copyOf(valid, valid.length + more));
    }
    return this;
  }

  /** Flips each bit of the bytes [from, to), one at a time. */
  public Damage flipBits(int from, int to) throws IOException {
    for (int at = from; at < to; at++) {
      for (int bit = 0; bit < 8; bit++) {
        byte[] flipped = valid.clone();
        flipped[at] ^= (byte) (1 << bit);
        tryReading(flipped);
      }
    }
    return this;
  }

  /** The same where every flip must be noticed. */
  public Damage flipBitsAllNoticed(int from, int to) throws IOException {
    int before = accepted;
    flipBits(from, to);
    assertTrue(accepted == before, (accepted - before) + " flipped bits went unnoticed");
    return this;
  }

  /** Overwrites, deletes, doubles or swaps a few random stretches, {@code times} times. */
  public Damage mutate(SplittableRandom random, int times) throws IOException {
    for (int i = 0; i < times; i++) {
      byte[] mutant = valid.clone();
      for (int edits = 1 + random.nextInt(4); edits > 0 && mutant.length > 1; edits--) {
        mutant = edit(mutant, random);
      }
      tryReading(mutant);
    }
    return this;
  }

  /**
   * A file with exactly this content must be refused, and its message must contain {@code part}.
   */
  public void mustRefuse(byte[] content, String part) throws IOException {
    String message = mustRefuse(content);
    assertTrue(message.contains(part), () -> "'" + part + "' is not in: " + message);
  }

  /** Reads the file as it was given; it may be refused. */
  public void readOrRefuse() throws IOException {
    tryReading(valid);
  }

  /** How many damaged files were refused. */
  public int refused() {
    return refused;
  }

  private String mustRefuse(byte[] content) throws IOException {
    String message = tryReading(content);
    if (message.isEmpty()) {
      fail("read without complaint: " + describe(content));
    }
    return message;
  }

  /** Tries again what took much: classes that a first call loads do not count. */
  private String tryReading(byte[] content) throws IOException {
    long[] took = new long[2];
    String message = tryReading(content, took);
    if (took[0] >= HEAP_LIMIT) {
      tryReading(content, took);
    }
    if (message.isEmpty()) {
      accepted++;
    } else {
      refused++;
    }
    assertTrue(
        took[0] < HEAP_LIMIT && took[1] < DIRECT_LIMIT,
        () -> took[0] + " and " + took[1] + " bytes taken for " + describe(content));
    return message;
  }

  /** The message, or nothing if the file could be read. */
  private String tryReading(byte[] content, long[] took) throws IOException {
    Files.deleteIfExists(file); // writing over a file makes ext4 wait for the disk
    Files.write(file, content);
    long heap = THREADS.getCurrentThreadAllocatedBytes();
    long direct = DIRECT.getTotalCapacity();
    String message = "";
    try {
      reader.read(file);
    } catch (MalformedFileException e) {
      message = String.valueOf(e.getMessage());
      assertTrue(message.contains(file.getFileName().toString()), message);
      assertFalse(message.contains("\n"), message);
    } catch (IOException | RuntimeException | Error e) {
      throw new AssertionError(e + " from " + describe(content), e);
    }
    took[0] = THREADS.getCurrentThreadAllocatedBytes() - heap;
    took[1] = DIRECT.getTotalCapacity() - direct;
    return message;
  }

  private static byte[] edit(byte[] bytes, SplittableRandom random) {
    int at = random.nextInt(bytes.length);
    int length = 1 + random.nextInt(Math.min(8, bytes.length - at));
    switch (random.nextInt(4)) {
      case 0 -> {
        for (int i = at; i < at + length; i++) {
          bytes[i] = random.nextInt(3) == 0 ? (byte) 0xFF : (byte) random.nextInt(256);
        }
      }
      case 1 -> {
        byte[] shorter = Arrays.copyOf(bytes, bytes.length - length);
        System.arraycopy(bytes, at + length, shorter, at, bytes.length - at - length);
        return shorter;
      }
      case 2 -> {
        byte[] longer = Arrays.copyOf(bytes, bytes.length + length);
        System.arraycopy(bytes, at, longer, at + length, bytes.length - at);
        return longer;
      }
      default -> {
        int other = random.nextInt(bytes.length);
        byte swapped = bytes[at];
        bytes[at] = bytes[other];
        bytes[other] = swapped;
      }
    }
    return bytes;
  }

  private String describe(byte[] content) {
    byte[] shown = Arrays.copyOf(content, Math.min(content.length, 400));
    return file.getFileName()
        + " of "
        + content.length
        + " bytes: "
        + HexFormat.of().formatHex(shown);
  }
}
