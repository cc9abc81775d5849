package dev.tessera.prior;

import dev.tessera.io.ElementType;
import dev.tessera.io.HostArray;
import dev.tessera.io.MalformedFileException;
import dev.tessera.io.Safetensors;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * {@code codes.safetensors} of a run: the codes of its images, so that they are encoded once.
 * {@code train} and {@code heldout} are i32 {@code [n,H,W]}, {@code train_labels} and {@code
 * heldout_labels} i32 {@code [n]} where the images have labels; the metadata names the model and
 * the images that they are of.
 */
public final class CodeFile {
  private static final String FORMAT = "tessera-codes-1";
  private static final String SOURCE = "source";

  private CodeFile() {}

  /** The codes of a run's images. */
  public record Split(Codes train, Codes heldOut) {}

  /**
   * Reads the codes, if the file is there and of this source.
   *
   * @param source what the codes were made from: hashes of the model and of the images
   * @throws MalformedFileException if the file is damaged
   */
  public static Optional<Split> read(Path file, String source, PriorConfig.Grid grid)
      throws IOException {
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    try (Arena arena = Arena.ofConfined()) {
      Safetensors saved = Safetensors.read(file, arena);
      Map<String, String> metadata = saved.metadata();
      if (!FORMAT.equals(metadata.get("format")) || !source.equals(metadata.get(SOURCE))) {
        return Optional.empty();
      }
      return Optional.of(
          new Split(read(file, saved, "train", grid), read(file, saved, "heldout", grid)));
    }
  }

  /** Writes the codes, atomically. */
  public static void write(Path file, String source, PriorConfig.Grid grid, Split codes)
      throws IOException {
    Map<String, HostArray> tensors = new TreeMap<>();
    collect("train", codes.train(), grid, tensors);
    collect("heldout", codes.heldOut(), grid, tensors);
    Safetensors.write(file, tensors, Map.of("format", FORMAT, SOURCE, source));
  }

  private static void collect(
      String name, Codes codes, PriorConfig.Grid grid, Map<String, HostArray> tensors) {
    tensors.put(name, HostArray.of(codes.values(), codes.count(), grid.rows(), grid.columns()));
    if (codes.labels() != null) {
      tensors.put(name + "_labels", HostArray.of(codes.labels(), codes.count()));
    }
  }

  private static Codes read(Path file, Safetensors saved, String name, PriorConfig.Grid grid)
      throws MalformedFileException {
    HostArray array = saved.tensors().get(name);
    long count = array == null || array.shape().length == 0 ? 0 : array.shape()[0];
    if (count < 1 || count > Integer.MAX_VALUE / grid.positions()) {
      throw new MalformedFileException(file, "has no tensor '" + name + "' of codes");
    }
    int[] values = saved.get(name, ElementType.I32, count, grid.rows(), grid.columns()).toInts();
    for (int value : values) {
      if (value < 0 || value >= grid.codes()) {
        throw new MalformedFileException(
            file, name + " has a code " + value + ", and the run has 0 to " + (grid.codes() - 1));
      }
    }
    String labels = name + "_labels";
    int[] classes = null;
    if (saved.tensors().containsKey(labels)) {
      classes = saved.get(labels, ElementType.I32, count).toInts();
      for (int label : classes) {
        if (label < 0 || label > 0xFFFF) {
          throw new MalformedFileException(file, labels + " has a label " + label);
        }
      }
    }
    return new Codes((int) count, grid.positions(), values, classes);
  }
}
