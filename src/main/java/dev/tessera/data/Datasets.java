package dev.tessera.data;

import dev.tessera.io.MalformedFileException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Finds and reads data sets, and divides them into images to train on and images held out.
 *
 * <table>
 * <caption>What can be read, in the order in which it is looked for</caption>
 * <tr><th>data</th><th>files</th><th>division</th></tr>
 * <tr><td>MNIST, Fashion-MNIST and alike</td><td>{@code train-images-idx3-ubyte} and {@code
 *     t10k-images-idx3-ubyte}, also spelled {@code .idx3-ubyte}, also with {@code .gz}; labels are
 *     optional</td><td>train; t10k held out. With one of the two only, its last tenth is held
 *     out</td></tr>
 * <tr><td>CIFAR-10</td><td>{@code data_batch_1.bin} to {@code 5} and {@code test_batch.bin}, or the
 *     same as {@code .png} sheets</td><td>batches 1 to 4; batch 5 held out; the test batch left alone
 *     (Sonnet's division, in the order of the
 *     original files; its printed variance 0.0632704 is that of the 40,000 that come first in TFDS'
 *     order, here it is 0.0633691)</td></tr>
 * <tr><td>image files</td><td>PNG and JPEG in any subfolders</td><td>folders {@code train} and {@code
 *     test}, {@code val}, {@code valid} or {@code validation} if both are there; else every tenth
 *     image, by name, is held out</td></tr>
 * </table>
 */
public final class Datasets {
  private static final int EMBEDDED_TRAIN = 9_000;
  private static final int TENTH = 10;

  /** Where archives and other frameworks put the files, below the folder that users name. */
  private static final List<String> USUAL_SUBFOLDERS =
      List.of("MNIST/raw", "FashionMNIST/raw", "raw", "cifar-10-batches-bin");

  private static final List<String> HELD_OUT_FOLDERS =
      List.of("test", "val", "valid", "validation");

  private Datasets() {}

  /**
   * The 10,000 test digits of MNIST, which are inside the jar, with labels: the first 9,000 to
   * train on, the last 1,000 held out. They are 28x28, grey, white on black.
   */
  public static DatasetSplit embeddedDigits() {
    try {
      ImageDataset all =
          readIdx(
              "mnist-digits",
              IdxFile.of("t10k-images-idx3-ubyte.gz", resource("t10k-images-idx3-ubyte.gz")),
              IdxFile.of("t10k-labels-idx1-ubyte.gz", resource("t10k-labels-idx1-ubyte.gz")));
      return divide("mnist-digits", all, EMBEDDED_TRAIN);
    } catch (IOException e) {
      throw new IllegalStateException("the digits inside the jar cannot be read", e);
    }
  }

  /**
   * Reads whatever data set lies in {@code folder}; see the class for what is known.
   *
   * @throws FileNotFoundException if nothing is found, with all that was looked for
   * @throws MalformedFileException if a file is damaged
   */
  public static DatasetSplit open(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      throw new FileNotFoundException(folder + " is not a folder");
    }
    Path last = folder.toAbsolutePath().normalize().getFileName();
    String name = last == null ? "images" : last.toString();
    List<Path> places = new ArrayList<>(List.of(folder));
    for (String subfolder : USUAL_SUBFOLDERS) {
      places.add(folder.resolve(subfolder));
    }
    for (Path place : places) {
      DatasetSplit found = openIdx(name, place);
      found = found == null ? openCifar(place, ".bin") : found;
      found = found == null ? openCifar(place, ".png") : found;
      if (found != null) {
        return found;
      }
    }
    return openImages(name, folder);
  }

  private static @Nullable DatasetSplit openIdx(String name, Path folder) throws IOException {
    ImageDataset train = openIdxPart(name + "-train", folder, "train");
    ImageDataset heldOut = openIdxPart(name + "-test", folder, "t10k");
    if (train != null && heldOut != null) {
      return split(folder, name, train, heldOut, null);
    }
    ImageDataset only = train == null ? heldOut : train;
    return only == null ? null : divide(name, only, only.count() - only.count() / TENTH);
  }

  private static @Nullable ImageDataset openIdxPart(String name, Path folder, String part)
      throws IOException {
    Path images = firstThatExists(folder, idxNames(part + "-images", "idx3-ubyte"));
    if (images == null) {
      return null;
    }
    Path labels = firstThatExists(folder, idxNames(part + "-labels", "idx1-ubyte"));
    return readIdx(name, IdxFile.of(images), labels == null ? null : IdxFile.of(labels));
  }

  private static List<String> idxNames(String stem, String kind) {
    return List.of(
        stem + "-" + kind, stem + "." + kind, stem + "-" + kind + ".gz", stem + "." + kind + ".gz");
  }

  private static ImageDataset readIdx(String name, IdxFile images, @Nullable IdxFile labels)
      throws IOException {
    IdxFile.Content content = images.readImages();
    int[] sizes = content.dimensions;
    return ImageDataset.of(
        name,
        sizes[1],
        sizes[2],
        1,
        content.bytes,
        labels == null ? null : labels.readLabels(sizes[0]));
  }

  private static @Nullable DatasetSplit openCifar(Path folder, String ending) throws IOException {
    List<Path> files = new ArrayList<>();
    for (int i = 1; i <= 5; i++) {
      files.add(folder.resolve("data_batch_" + i + ending));
    }
    Path test = folder.resolve("test_batch" + ending);
    if (!Files.exists(files.getFirst())) {
      return null;
    }
    files.add(test);
    for (Path file : files) {
      if (!Files.exists(file)) {
        throw new FileNotFoundException(
            file + " is missing; CIFAR-10 is data_batch_1 to 5 and test_batch");
      }
    }
    ImageDataset known = readCifar("cifar10", folder, files.subList(0, 5), "train", ending);
    return new DatasetSplit(
        "cifar10",
        known.slice("cifar10-train", 0, 4 * CifarFiles.BATCH),
        known.slice("cifar10-validation", 4 * CifarFiles.BATCH, 5 * CifarFiles.BATCH),
        readCifar("cifar10-test", folder, List.of(test), "test", ending));
  }

  private static ImageDataset readCifar(
      String name, Path folder, List<Path> files, String part, String ending) throws IOException {
    if (ending.equals(".bin")) {
      return CifarFiles.readBinary(name, files);
    }
    // "lables" is how the npm package of the sheets spells it.
    List<String> labelNames = List.of(part + "_labels.json", part + "_lables.json");
    return CifarFiles.readSheets(name, files, firstThatExists(folder, labelNames));
  }

  private static DatasetSplit openImages(String name, Path folder) throws IOException {
    Path train = folder.resolve("train");
    Path heldOut = firstThatExists(folder, HELD_OUT_FOLDERS);
    if (Files.isDirectory(train) && heldOut != null) {
      return split(
          folder,
          name,
          ImageFolder.read(name + "-train", images(train)),
          ImageFolder.read(name + "-held-out", images(heldOut)),
          null);
    }
    List<Path> files = images(folder);
    if (files.size() < TENTH) {
      throw new FileNotFoundException(
          folder + " has " + files.size() + " images; at least " + TENTH + " are needed");
    }
    ImageDataset all = ImageFolder.read(name, files);
    return new DatasetSplit(
        name,
        all.select(
            name + "-train",
            IntStream.range(0, all.count()).filter(i -> i % TENTH != TENTH - 1).toArray()),
        all.select(
            name + "-held-out",
            IntStream.range(0, all.count()).filter(i -> i % TENTH == TENTH - 1).toArray()),
        null);
  }

  private static List<Path> images(Path folder) throws IOException {
    List<Path> files = ImageFolder.list(folder);
    if (files.isEmpty()) {
      throw new FileNotFoundException(
          folder
              + " has no data set; looked for train-images-idx3-ubyte[.gz] (MNIST),"
              + " data_batch_1.bin or .png (CIFAR-10), and .png, .jpg and .jpeg files"
              + " (here and in "
              + String.join(", ", USUAL_SUBFOLDERS)
              + ")");
    }
    return files;
  }

  private static DatasetSplit divide(String name, ImageDataset all, int train)
      throws FileNotFoundException {
    if (train < 1 || train >= all.count()) {
      throw new FileNotFoundException(
          all.name() + " has " + all.count() + " images; at least " + TENTH + " are needed");
    }
    return new DatasetSplit(
        name,
        all.slice(name + "-train", 0, train),
        all.slice(name + "-held-out", train, all.count()),
        null);
  }

  private static DatasetSplit split(
      Path folder,
      String name,
      ImageDataset train,
      ImageDataset heldOut,
      @Nullable ImageDataset test)
      throws IOException {
    try {
      return new DatasetSplit(name, train, heldOut, test);
    } catch (IllegalArgumentException e) {
      throw new MalformedFileException(folder, String.valueOf(e.getMessage()));
    }
  }

  private static @Nullable Path firstThatExists(Path folder, List<String> names) {
    for (String name : names) {
      if (Files.exists(folder.resolve(name))) {
        return folder.resolve(name);
      }
    }
    return null;
  }

  private static byte[] resource(String name) throws IOException {
    try (InputStream in = Datasets.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new FileNotFoundException("the jar lacks " + name);
      }
      return in.readAllBytes();
    }
  }
}
