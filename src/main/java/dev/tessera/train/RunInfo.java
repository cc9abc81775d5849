package dev.tessera.train;

import dev.tessera.data.DatasetSplit;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * What a run was, beside its configuration: {@code run.json} of the run folder.
 *
 * @param version of Tessera
 * @param seed of weights, shuffling and codebook
 * @param device that it ran on
 * @param threads CPU threads; the weights depend on them in their last bits
 * @param variance of the training set's pixels, which the reconstruction error is divided by
 * @param data what it was trained on
 */
public record RunInfo(
    String version, long seed, String device, int threads, double variance, DataInfo data) {

  /**
   * The images of a run.
   *
   * @param source {@code embedded}, or the folder that was given
   * @param name of the data set
   * @param fingerprint SHA-256 of the training pixels
   * @param trainImages images trained on
   * @param heldOutImages images held out
   */
  public record DataInfo(
      String source, String name, String fingerprint, int trainImages, int heldOutImages) {
    /** The {@link #source} of the digits that ship with Tessera. */
    public static final String EMBEDDED = "embedded";

    /**
     * The images of {@code split}.
     *
     * @param folder where they are from; null for the digits that ship with Tessera
     */
    public static DataInfo of(@Nullable Path folder, DatasetSplit split) {
      return new DataInfo(
          folder == null ? EMBEDDED : folder.toAbsolutePath().toString(),
          split.name(),
          split.train().fingerprint(),
          split.train().count(),
          split.heldOut().count());
    }
  }
}
