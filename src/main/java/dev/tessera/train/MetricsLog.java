package dev.tessera.train;

import dev.tessera.io.AtomicFiles;
import dev.tessera.io.MalformedFileException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** {@code metrics.csv}: one row of figures every so many steps. */
public final class MetricsLog {
  private static final List<String> COLUMNS =
      List.of(
          "step",
          "loss",
          "recon",
          "vq",
          "perplexity",
          "usage",
          "heldout_loss",
          "heldout_recon",
          "heldout_vq",
          "heldout_perplexity",
          "heldout_usage",
          "heldout_psnr",
          "heldout_ssim",
          "images_per_second");

  /**
   * One row. Training figures are means over the images since the row before.
   *
   * @param step steps done
   * @param loss recon plus vq
   * @param recon mean squared error over the training set's variance (NMSE)
   * @param vq the quantiser's loss
   * @param perplexity of the codes chosen since the row before
   * @param usage share of codes chosen since the row before
   * @param heldOut figures over the whole held-out set, or null if they were not taken at this step
   * @param imagesPerSecond of training, without evaluation
   */
  public record Row(
      long step,
      double loss,
      double recon,
      double vq,
      double perplexity,
      double usage,
      Evaluation.@Nullable Result heldOut,
      double imagesPerSecond) {}

  private final Path file;
  private final List<Row> rows = new ArrayList<>();

  /** A log that begins empty; the file is written with the first row. */
  public MetricsLog(Path file) {
    this.file = file;
  }

  /**
   * Reads a log.
   *
   * @throws MalformedFileException if the file is not one of these
   */
  public static MetricsLog read(Path file) throws IOException {
    MetricsLog log = new MetricsLog(file);
    List<String> lines = Files.readAllLines(file);
    if (lines.isEmpty() || !lines.getFirst().equals(String.join(",", COLUMNS))) {
      throw new MalformedFileException(file, "the first line must be " + String.join(",", COLUMNS));
    }
    for (int i = 1; i < lines.size(); i++) {
      log.rows.add(parse(file, i + 1, lines.get(i)));
    }
    return log;
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

  /** Drops what was logged after {@code step}, before a run goes on from there. */
  public void truncateAfter(long step) throws IOException {
    if (rows.removeIf(row -> row.step() > step)) {
      write();
    }
  }

  private void write() throws IOException {
    StringBuilder text = new StringBuilder(String.join(",", COLUMNS)).append('\n');
    for (Row row : rows) {
      text.append(row.step());
      for (double value :
          new double[] {row.loss(), row.recon(), row.vq(), row.perplexity(), row.usage()}) {
        text.append(',').append(number(value));
      }
      Evaluation.Result h = row.heldOut();
      if (h == null) {
        text.append(",,,,,,,");
      } else {
        for (double value :
            new double[] {
              h.loss(), h.nmse(), h.vq(), h.perplexity(), h.usage(), h.psnr(), h.ssim()
            }) {
          text.append(',').append(number(value));
        }
      }
      text.append(',')
          .append(String.format(Locale.ROOT, "%.1f", row.imagesPerSecond()))
          .append('\n');
    }
    AtomicFiles.write(file, text.toString());
  }

  private static String number(double value) {
    return String.format(Locale.ROOT, "%.6g", value);
  }

  private static Row parse(Path file, int line, String text) throws MalformedFileException {
    String[] cells = text.split(",", -1);
    if (cells.length != COLUMNS.size()) {
      throw new MalformedFileException(
          file, "line " + line + " has " + cells.length + " columns, not " + COLUMNS.size());
    }
    try {
      double[] v = new double[cells.length];
      for (int i = 1; i < cells.length; i++) {
        v[i] = cells[i].isEmpty() ? Double.NaN : Double.parseDouble(cells[i]);
      }
      Evaluation.Result heldOut =
          cells[6].isEmpty()
              ? null
              : new Evaluation.Result(v[6], v[7], v[8], v[9], v[10], v[11], v[12]);
      return new Row(Long.parseLong(cells[0]), v[1], v[2], v[3], v[4], v[5], heldOut, v[13]);
    } catch (NumberFormatException e) {
      throw new MalformedFileException(
          file.toString(), "line " + line + " has no number: " + text, e);
    }
  }
}
