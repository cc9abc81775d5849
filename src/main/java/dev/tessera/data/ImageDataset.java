package dev.tessera.data;

import dev.tessera.io.PixelImage;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.math.BigInteger;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Images of one size in memory, one byte a sample: [count, height, width, channels], with a label
 * each where the source has them. Immutable and safe for many threads; {@link #slice} and {@link
 * #select} are views that share the pixels.
 */
public final class ImageDataset {
  private final String name;
  private final int height;
  private final int width;
  private final int channels;
  private final MemorySegment pixels;
  private final byte @Nullable [] labels;
  private final int[] rows;
  private final Memo memo = new Memo();

  private ImageDataset(
      String name,
      int height,
      int width,
      int channels,
      MemorySegment pixels,
      byte @Nullable [] labels,
      int[] rows) {
    this.name = name;
    this.height = height;
    this.width = width;
    this.channels = channels;
    this.pixels = pixels;
    this.labels = labels;
    this.rows = rows;
  }

  /** What is computed when first asked for; races only compute it twice. */
  private static final class Memo {
    private volatile @Nullable String fingerprint;
    private volatile @Nullable PixelStatistics statistics;
  }

  /**
   * A data set over {@code pixels}, without a copy; they must not change any more.
   *
   * @param name for messages and records, such as {@code mnist-train}
   * @param pixels [count, height, width, channels] bytes, in memory that any thread may read
   * @param labels one for each image, or null
   * @throws IllegalArgumentException if sizes are not positive or do not fit together
   */
  public static ImageDataset of(
      String name,
      int height,
      int width,
      int channels,
      MemorySegment pixels,
      byte @Nullable [] labels) {
    if (height < 1 || width < 1 || channels < 1) {
      throw new IllegalArgumentException(
          "images of " + height + "x" + width + "x" + channels + "; all must be at least 1");
    }
    long imageBytes = Math.multiplyExact((long) height * width, (long) channels);
    long count = pixels.byteSize() / imageBytes;
    if (imageBytes > Integer.MAX_VALUE
        || count > Integer.MAX_VALUE - 8
        || count * imageBytes != pixels.byteSize()) {
      throw new IllegalArgumentException(
          pixels.byteSize() + " bytes are no whole number of images of " + imageBytes + " bytes");
    }
    if (labels != null && labels.length != count) {
      throw new IllegalArgumentException(labels.length + " labels for " + count + " images");
    }
    int[] rows = new int[(int) count];
    Arrays.setAll(rows, i -> i);
    return new ImageDataset(
        name,
        height,
        width,
        channels,
        pixels.asReadOnly(),
        labels == null ? null : labels.clone(),
        rows);
  }

  /** For messages and records, such as {@code mnist-train}. */
  public String name() {
    return name;
  }

  /** Number of images. */
  public int count() {
    return rows.length;
  }

  /** Rows of an image. */
  public int height() {
    return height;
  }

  /** Columns of an image. */
  public int width() {
    return width;
  }

  /** Samples of a pixel: 1 (grey) or 3 (red, green, blue). */
  public int channels() {
    return channels;
  }

  /** Samples, and bytes, of an image: height * width * channels. */
  public int imageSize() {
    return height * width * channels;
  }

  /** Whether images have labels. */
  public boolean hasLabels() {
    return labels != null;
  }

  /**
   * The label of an image, from 0 to 255.
   *
   * @throws IllegalStateException if there are none
   * @throws IndexOutOfBoundsException if {@code index} is not in [0, count)
   */
  public int label(int index) {
    Objects.checkIndex(index, rows.length);
    if (labels == null) {
      throw new IllegalStateException(name + " has no labels");
    }
    return Byte.toUnsignedInt(labels[rows[index]]);
  }

  /**
   * Copies an image's {@link #imageSize} bytes [height, width, channels] to byte {@code offset} of
   * {@code target}.
   */
  public void read(int index, MemorySegment target, long offset) {
    MemorySegment.copy(pixels, start(index), target, offset, imageSize());
  }

  /** Copies an image's bytes [height, width, channels] into the beginning of {@code target}. */
  public void read(int index, byte[] target) {
    MemorySegment.copy(pixels, ValueLayout.JAVA_BYTE, start(index), target, 0, imageSize());
  }

  /**
   * A copy of an image, to look at.
   *
   * @throws IllegalArgumentException if it has neither 1 nor 3 channels
   */
  public PixelImage image(int index) {
    byte[] copy = new byte[imageSize()];
    read(index, copy);
    return new PixelImage(height, width, channels, copy);
  }

  /**
   * The images [from, to), under another name.
   *
   * @throws IndexOutOfBoundsException if that is no range of this set
   */
  public ImageDataset slice(String newName, int from, int to) {
    Objects.checkFromToIndex(from, to, rows.length);
    return view(newName, Arrays.copyOfRange(rows, from, to));
  }

  /**
   * The images at {@code indices}, in that order, under another name.
   *
   * @throws IndexOutOfBoundsException if one is not in [0, count)
   */
  public ImageDataset select(String newName, int[] indices) {
    int[] selected = new int[indices.length];
    for (int i = 0; i < indices.length; i++) {
      selected[i] = rows[Objects.checkIndex(indices[i], rows.length)];
    }
    return view(newName, selected);
  }

  /** SHA-256, in hex, over the sizes and all pixels in order; neither name nor labels count. */
  public String fingerprint() {
    String known = memo.fingerprint;
    if (known == null) {
      known = new ImageHasher(this).fingerprint();
      memo.fingerprint = known;
    }
    return known;
  }

  /**
   * A hash of each image's content: 64 bits of the SHA-256 of its sizes and pixels, in order. Equal
   * images have equal hashes wherever they come from, so a set can be recognised in another.
   */
  public long[] contentHashes() {
    return new ImageHasher(this).contentHashes();
  }

  /** Mean and variance of all samples, scaled to [0, 1]. */
  public PixelStatistics statistics() {
    PixelStatistics known = memo.statistics;
    if (known == null) {
      known = computeStatistics();
      memo.statistics = known;
    }
    return known;
  }

  /** Name and sizes. */
  @Override
  public String toString() {
    return name + " [" + rows.length + ", " + height + ", " + width + ", " + channels + "]";
  }

  /** The bytes of all images, for the loader's inner loop; image i begins at {@link #start}. */
  MemorySegment pixels() {
    return pixels;
  }

  /** The first byte of image {@code index} in {@link #pixels}. */
  long start(int index) {
    return (long) rows[Objects.checkIndex(index, rows.length)] * imageSize();
  }

  private ImageDataset view(String newName, int[] viewRows) {
    return new ImageDataset(newName, height, width, channels, pixels, labels, viewRows);
  }

  private PixelStatistics computeStatistics() {
    BigInteger sum = BigInteger.ZERO;
    BigInteger squares = BigInteger.ZERO;
    byte[] image = new byte[imageSize()];
    for (int i = 0; i < rows.length; i++) {
      read(i, image);
      long imageSum = 0;
      long imageSquares = 0;
      for (byte sample : image) {
        int value = Byte.toUnsignedInt(sample);
        imageSum += value;
        imageSquares += (long) value * value;
      }
      sum = sum.add(BigInteger.valueOf(imageSum));
      squares = squares.add(BigInteger.valueOf(imageSquares));
    }
    return PixelStatistics.ofSums((long) rows.length * imageSize(), sum, squares);
  }
}
