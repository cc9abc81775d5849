package dev.tessera.prior;

import dev.tessera.io.AtomicFiles;
import dev.tessera.io.MalformedFileException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** {@code metrics.csv} of a prior: a row an epoch. */
public final class PriorMetrics {
  private static final List<String> COLUMNS =
      List.of(
          "epoch",
          "step",
          "nats_per_code",
          "heldout_nats_per_code",
          "heldout_bits_per_image",
          "heldout_bits_per_dim",
          "images_per_second");

  /**
   * One row.
   *
   * @param epoch epochs done
   * @param step steps done
   * @param nats training loss, mean over the epoch's codes as the weights were at each step
   * @param heldOutNats loss over the whole held-out set, in nats a code
   * @param heldOutBits the same in bits an image
   * @param heldOutBitsPerDim the same in bits a pixel and channel of the image
   * @param imagesPerSecond of training, without evaluation
   */
  public record Row(
      int epoch,
      long step,
      double nats,
      double heldOutNats,
      double heldOutBits,
      double heldOutBitsPerDim,
      double imagesPerSecond) {}

  private final Path file;
  private final List<Row> rows = new ArrayList<>();

  /** Figures that begin empty; the file is written with the first row. */
  public PriorMetrics(Path file) {
    this.file = file;
  }

  /**
   * Reads the figures.
   *
   * @throws MalformedFileException if the file is not one of these
   */
  public static PriorMetrics read(Path file) throws IOException {
    PriorMetrics metrics = new PriorMetrics(file);
    List<String> lines = Files.readAllLines(file);
    if (lines.isEmpty() || !lines.getFirst().equals(String.join(",", COLUMNS))) {
      throw new MalformedFileException(file, "the first line must be " + String.join(",", COLUMNS));
    }
    for (int i = 1; i < lines.size(); i++) {
      metrics.rows.add(parse(file, i + 1, lines.get(i)));
    }
    return metrics;
  }

  /** The rows so far. */
  public List<Row> rows() {
    return List.copyOf(rows);
  }

  /** Adds a row and writes the file anew, atomically. */
  public void add(Row row) throws IOException {
    rows.add(row);
    write();
  }

  /** Drops what was logged after {@code step}, before training goes on from there. */
  public void truncateAfter(long step) throws IOException {
    if (rows.removeIf(row -> row.step() > step)) {
      write();
    }
  }

  private void write() throws IOException {
    StringBuilder text = new StringBuilder(String.join(",", COLUMNS)).append('\n');
    for (Row r : rows) {
      text.append(
          String.format(
              Locale.ROOT,
              "%d,%d,%.6g,%.6g,%.6g,%.6g,%.1f%n",
              r.epoch(),
              r.step(),
              r.nats(),
              r.heldOutNats(),
              r.heldOutBits(),
              r.heldOutBitsPerDim(),
              r.imagesPerSecond()));
    }
    AtomicFiles.write(file, text.toString());
  }

  private static Row parse(Path file, int line, String text) throws MalformedFileException {
    String[] cells = text.split(",", -1);
    if (cells.length != COLUMNS.size()) {
      throw new MalformedFileException(
          file, "line " + line + " has " + cells.length + " columns, not " + COLUMNS.size());
    }
    try {
      double[] v = new double[cells.length];
      for (int i = 2; i < cells.length; i++) {
        v[i] = Double.parseDouble(cells[i]);
      }
      return new Row(
          Integer.parseInt(cells[0]), Long.parseLong(cells[1]), v[2], v[3], v[4], v[5], v[6]);
    } catch (NumberFormatException e) {
      throw new MalformedFileException(
          file.toString(), "line " + line + " has no number: " + text, e);
    }
  }
}
