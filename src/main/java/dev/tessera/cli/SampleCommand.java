package dev.tessera.cli;

import dev.tessera.data.PixelScaler;
import dev.tessera.device.Device;
import dev.tessera.device.Stream;
import dev.tessera.io.HostArray;
import dev.tessera.io.ImageFiles;
import dev.tessera.io.ImageGrid;
import dev.tessera.io.Npy;
import dev.tessera.io.PixelImage;
import dev.tessera.prior.CodeSampler;
import dev.tessera.prior.Prior;
import dev.tessera.prior.PriorCheckpoint;
import dev.tessera.prior.PriorConfig;
import dev.tessera.prior.PriorFolder;
import dev.tessera.prior.SampleOptions;
import dev.tessera.train.RunFolder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code tessera sample}: new images from a run's prior. */
@Command(
    name = "sample",
    description =
        "Draws new images from a prior of a run: a PNG with all of them, and their codes.",
    mixinStandardHelpOptions = true)
final class SampleCommand implements Callable<Integer> {
  @Parameters(paramLabel = "RUN", description = "A run folder.")
  private Path run = Path.of("");

  @Option(names = "-n", paramLabel = "N", description = "Number of images. Default: 64.")
  private int count = 64;

  @Mixin private SamplingOptions sampling = new SamplingOptions();

  @Option(
      names = "--class",
      paramLabel = "C",
      description = "Class of all images. Default: all classes in turn.")
  private @Nullable Integer only;

  @Option(
      names = "--complete",
      paramLabel = "IMAGE",
      description = "Keep the upper part of this PNG or JPEG and draw the rest. Needs --rows.")
  private @Nullable Path complete;

  @Option(
      names = "--rows",
      paramLabel = "R",
      description = "Rows of codes that are kept from --complete.")
  private @Nullable Integer rows;

  @Option(
      names = "--out",
      paramLabel = "samples.png",
      description =
          "The picture to write; the codes go beside it as .npy. Default:"
              + " RUN/priors/NAME/samples.png.")
  private @Nullable Path out;

  @Option(names = "--device", paramLabel = "D", description = "cpu or cuda:N. Default: cpu.")
  private String device = "cpu";

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "CPU threads. Default: all processors.")
  private int threads = Runtime.getRuntime().availableProcessors();

  @Mixin private OutputOptions output = new OutputOptions();

  private record Figures(
      String out, String codes, String prior, int images, long seed, double seconds) {}

  @Override
  public Integer call() throws IOException {
    Threads.requireRange(threads);
    if ((complete == null) != (rows == null)) {
      throw new IllegalArgumentException("--complete and --rows go together");
    }
    RunFolder folder = new RunFolder(run);
    folder.open();
    PriorFolder priorFolder = RunPriors.open(folder, sampling.prior());
    PriorConfig config = priorFolder.readConfig();
    SampleOptions options = sampling.draws();
    Path picture = out == null ? priorFolder.samples() : out;
    Path codesFile = codesBeside(picture);
    try (Device opened = Device.open(device);
        RunModel model = new RunModel(folder, opened, threads);
        Stream stream = opened.openStream(threads);
        Prior prior = Prior.of(config, stream, 0)) {
      PriorCheckpoint.restoreWeights(priorFolder.best(), stream, prior);
      PriorConfig.Grid grid = config.grid();
      int[] given = complete == null ? new int[0] : upperRows(complete, model, grid);
      int[] classes = RunPriors.classes(grid, count, only);
      long begin = System.nanoTime();
      int[] codes =
          new CodeSampler(prior, opened, threads, sampling.batch())
              .complete(count, options, classes, given);
      double seconds = (System.nanoTime() - begin) / 1e9;
      ImageFiles.writePng(
          picture, ImageGrid.of(model.decode(codes), only == null ? RunPriors.columns(grid) : 8));
      Npy.write(codesFile, HostArray.of(codes, count, grid.rows(), grid.columns()));
      Figures figures =
          new Figures(
              picture.toString(),
              codesFile.toString(),
              priorFolder.path().toString(),
              count,
              sampling.seed(),
              seconds);
      output.print(
          figures,
          () ->
              output
                  .out()
                  .printf(
                      Locale.ROOT,
                      "%d images of %s in %s, their codes in %s (drawn in %.2f s)%n",
                      figures.images(),
                      figures.prior(),
                      figures.out(),
                      figures.codes(),
                      figures.seconds()));
    }
    return 0;
  }

  private int[] upperRows(Path image, RunModel model, PriorConfig.Grid grid) throws IOException {
    int kept = rows == null ? 0 : rows;
    if (kept < 0 || kept > grid.rows()) {
      throw new IllegalArgumentException(
          "--rows must be from 0 to " + grid.rows() + ", not " + kept);
    }
    PixelImage pixels = RunImages.read(image, model.config().image());
    PixelScaler scaler = new PixelScaler(PixelScaler.CENTRED);
    float[] values = new float[pixels.pixels().length];
    for (int i = 0; i < values.length; i++) {
      values[i] = scaler.scale(pixels.pixels()[i]);
    }
    return Arrays.copyOf(model.encode(values, 1), kept * grid.columns());
  }

  private static Path codesBeside(Path picture) {
    String file = String.valueOf(picture.getFileName());
    if (!file.toLowerCase(Locale.ROOT).endsWith(".png")) {
      throw new IllegalArgumentException("--out must be a .png, not " + picture);
    }
    return picture.resolveSibling(file.substring(0, file.length() - 4) + ".npy");
  }
}
