package dev.tessera.data;

import dev.tessera.io.ElementType;
import dev.tessera.io.HostArray;
import dev.tessera.io.MalformedFileException;
import dev.tessera.io.Npy;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * The images that a model was trained on, by content, so that it is not evaluated on them under
 * another file name. Kept in a run folder as {@code .npy}: [n] i64, ascending.
 *
 * <p>Hashes have 64 bits: the chance that some image of 10,000 is wrongly held for one of 60,000 is
 * 3e-11.
 */
public final class SeenImages {
  private final long[] sorted;

  private SeenImages(long[] sorted) {
    this.sorted = sorted;
  }

  /** The images of {@code data}. */
  public static SeenImages of(ImageDataset data) {
    return new SeenImages(Arrays.stream(data.contentHashes()).sorted().distinct().toArray());
  }

  /**
   * Reads what {@link #write} has written.
   *
   * @throws MalformedFileException if it is anything else
   */
  public static SeenImages read(Path file) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      HostArray array = Npy.read(file, arena);
      if (array.type() != ElementType.I64 || array.shape().length != 1) {
        throw new MalformedFileException(file, array + " should be I64[n], hashes of images");
      }
      if (array.elements() > Integer.MAX_VALUE - 8) {
        throw new MalformedFileException(file, array + " are too many hashes");
      }
      long[] hashes = array.toLongs();
      for (int i = 1; i < hashes.length; i++) {
        if (hashes[i] <= hashes[i - 1]) {
          throw new MalformedFileException(file, "hash " + i + " is not above the one before it");
        }
      }
      return new SeenImages(hashes);
    }
  }

  /** Writes the hashes, atomically. */
  public void write(Path file) throws IOException {
    Npy.write(file, HostArray.of(sorted, sorted.length));
  }

  /** Number of different images. */
  public int count() {
    return sorted.length;
  }

  /** How many images of {@code data} are among these. */
  public int countIn(ImageDataset data) {
    return data.count() - unseenIndices(data).length;
  }

  /** The images of {@code data} that are not among these, in their order, under the same name. */
  public ImageDataset without(ImageDataset data) {
    return data.select(data.name(), unseenIndices(data));
  }

  private int[] unseenIndices(ImageDataset data) {
    long[] hashes = data.contentHashes();
    return IntStream.range(0, hashes.length)
        .filter(i -> Arrays.binarySearch(sorted, hashes[i]) < 0)
        .toArray();
  }
}
