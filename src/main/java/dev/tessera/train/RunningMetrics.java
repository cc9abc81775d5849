package dev.tessera.train;

import dev.tessera.io.ElementType;
import dev.tessera.io.HostArray;
import dev.tessera.io.MalformedFileException;
import dev.tessera.io.Safetensors;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Training figures since the last row of {@code metrics.csv}: means over images, and the codes that
 * were chosen. A checkpoint holds it, so that a resumed run writes the same rows.
 */
public final class RunningMetrics {
  private final double[] sums = new double[4]; // images, and loss, recon and vq times images
  private CodeUsage usage;

  /** Nothing yet, for a codebook of {@code codes} codes. */
  public RunningMetrics(int codes) {
    this.usage = new CodeUsage(codes);
  }

  /** Adds a step of {@code images} images. */
  public void add(int images, double recon, double vq, int[] counts) {
    sums[0] += images;
    sums[1] += images * (recon + vq);
    sums[2] += images * recon;
    sums[3] += images * vq;
    usage.addCounts(counts);
  }

  /** Images since the last {@link #reset}. */
  public long images() {
    return (long) sums[0];
  }

  /** Mean loss: {@link #recon} plus {@link #vq}. */
  public double loss() {
    return sums[1] / sums[0];
  }

  /** Mean squared error over the training set's variance (NMSE). */
  public double recon() {
    return sums[2] / sums[0];
  }

  /** Mean of the quantiser's loss. */
  public double vq() {
    return sums[3] / sums[0];
  }

  /** Codes chosen since the last {@link #reset}. */
  public CodeUsage usage() {
    return usage;
  }

  /** Begins again. */
  public void reset() {
    java.util.Arrays.fill(sums, 0);
    usage = new CodeUsage(usage.counts().length);
  }

  Map<String, HostArray> state() {
    Map<String, HostArray> state = new LinkedHashMap<>();
    state.put("sums", HostArray.of(sums, sums.length));
    long[] counts = usage.counts();
    state.put("counts", HostArray.of(counts, counts.length));
    return state;
  }

  void restore(Safetensors saved, String prefix) throws MalformedFileException {
    double[] savedSums = saved.get(prefix + "sums", ElementType.F64, sums.length).toDoubles();
    System.arraycopy(savedSums, 0, sums, 0, sums.length);
    int codes = usage.counts().length;
    usage = CodeUsage.of(saved.get(prefix + "counts", ElementType.I64, codes).toLongs());
  }
}
