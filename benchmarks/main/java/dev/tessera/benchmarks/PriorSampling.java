package dev.tessera.benchmarks;

import dev.tessera.device.DataType;
import dev.tessera.device.Device;
import dev.tessera.device.Shape;
import dev.tessera.device.Stream;
import dev.tessera.device.Tensor;
import dev.tessera.device.Workspace;
import dev.tessera.nn.Pass;
import dev.tessera.prior.CodeSampler;
import dev.tessera.prior.Prior;
import dev.tessera.prior.PriorConfig;
import dev.tessera.prior.SampleOptions;
import java.io.PrintWriter;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Locale;

/**
 * How much faster sampling position by position is than a full pass over the grid for each
 * position. One run, alternating: whole draws of 64 images, and full passes over as many; the cost
 * of a naive draw is that of a full pass times the number of positions, its draws of codes not
 * counted.
 */
public final class PriorSampling {
  private static final int IMAGES = 64;
  private static final int ROUNDS = 5;

  private PriorSampling() {}

  /** Arguments: the grid's side (7 if none), a configuration (pixelcnn), threads (all). */
  public static void main(String[] arguments) {
    int side = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 7;
    String name = arguments.length > 1 ? arguments[1] : "pixelcnn";
    int threads =
        arguments.length > 2
            ? Integer.parseInt(arguments[2])
            : Runtime.getRuntime().availableProcessors();
    int codes = side > 7 ? 512 : 128;
    PriorConfig.Grid grid = new PriorConfig.Grid(side, side, codes, 0);
    PrintWriter out = new PrintWriter(System.out, true, System.out.charset());
    try (Device device = Device.open("cpu");
        Stream stream = device.openStream(threads);
        Workspace workspace = new Workspace(device, 0);
        Prior prior = Prior.of(PriorConfig.named(name, grid), stream, 1)) {
      CodeSampler sampler = new CodeSampler(prior, device, threads, IMAGES);
      Pass pass = new Pass(stream, workspace);
      int[] drawn = sampler.sample(IMAGES, SampleOptions.of(1), null); // warm-up
      fullPass(prior, pass, grid, drawn);
      double[] whole = new double[ROUNDS];
      double[] passes = new double[ROUNDS];
      for (int i = 0; i < ROUNDS; i++) {
        long begin = System.nanoTime();
        sampler.sample(IMAGES, SampleOptions.of(i), null);
        whole[i] = (System.nanoTime() - begin) / 1e9;
        begin = System.nanoTime();
        fullPass(prior, pass, grid, drawn);
        passes[i] = (System.nanoTime() - begin) / 1e9;
      }
      Arrays.sort(whole);
      Arrays.sort(passes);
      double draw = whole[ROUNDS / 2];
      double full = passes[ROUNDS / 2];
      out.printf(
          Locale.ROOT,
          "%s, %s, %d images, %d threads, medians of %d:%n"
              + "  position by position  %8.1f ms  (%.1f to %.1f)%n"
              + "  a full pass           %8.1f ms  (%.1f to %.1f), %d of them %.1f ms%n"
              + "  ratio                 %8.1f%n",
          name,
          grid,
          IMAGES,
          threads,
          ROUNDS,
          1e3 * draw,
          1e3 * whole[0],
          1e3 * whole[ROUNDS - 1],
          1e3 * full,
          1e3 * passes[0],
          1e3 * passes[ROUNDS - 1],
          grid.positions(),
          1e3 * full * grid.positions(),
          full * grid.positions() / draw);
    }
  }

  private static void fullPass(Prior prior, Pass pass, PriorConfig.Grid grid, int[] codes) {
    pass.workspace().reset();
    Tensor z = pass.allocate(Shape.of(IMAGES, grid.rows(), grid.columns()), DataType.I32);
    z.copyFrom(pass.stream(), MemorySegment.ofArray(codes));
    prior.logits(pass, z, null);
    pass.stream().synchronize();
  }
}
