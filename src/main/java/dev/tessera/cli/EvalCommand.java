package dev.tessera.cli;

import dev.tessera.data.DatasetSplit;
import dev.tessera.data.Datasets;
import dev.tessera.data.ImageDataset;
import dev.tessera.data.SeenImages;
import dev.tessera.device.Device;
import dev.tessera.device.Stream;
import dev.tessera.device.Workspace;
import dev.tessera.io.MalformedFileException;
import dev.tessera.model.ModelFile;
import dev.tessera.model.VqVae;
import dev.tessera.model.VqVaeConfig;
import dev.tessera.train.Evaluation;
import dev.tessera.train.RunFolder;
import dev.tessera.train.RunInfo;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code tessera eval}: figures of a run on images that it was not trained on. */
@Command(
    name = "eval",
    description = "Measures a run on held-out images: NMSE, PSNR, SSIM, perplexity, usage.",
    mixinStandardHelpOptions = true,
    subcommands = EvalSamplesCommand.class)
final class EvalCommand implements Callable<Integer> {
  // Not demanded by picocli, which would demand it of "eval samples RUN" too.
  @Parameters(arity = "0..1", paramLabel = "RUN", description = "A run folder.")
  private @Nullable Path run;

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description =
          "Measure on the held-out images of this data set. Default: those of the run's own."
              + " Images that the run was trained on are refused.")
  private @Nullable Path data;

  @Option(names = "--device", paramLabel = "D", description = "cpu or cuda:N. Default: cpu.")
  private String device = "cpu";

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "CPU threads. Default: all processors.")
  private int threads = Runtime.getRuntime().availableProcessors();

  @Mixin private OutputOptions output = new OutputOptions();

  @Spec private CommandSpec spec = CommandSpec.create();

  private record Figures(
      String run,
      String data,
      int images,
      double nmse,
      double psnr,
      double ssim,
      double perplexity,
      double usage,
      double vq) {}

  @Override
  public Integer call() throws IOException {
    if (run == null) {
      throw new ParameterException(spec.commandLine(), "Missing required parameter: 'RUN'");
    }
    Threads.requireRange(threads);
    RunFolder folder = new RunFolder(run);
    folder.open();
    VqVaeConfig config = folder.readConfig();
    RunInfo info = folder.readInfo();
    DatasetSplit split = data == null ? RunData.open(folder, info) : Datasets.open(data);
    ImageDataset images = split.heldOut();
    VqVaeConfig.ImageConfig want = config.image();
    if (images.height() != want.height()
        || images.width() != want.width()
        || images.channels() != want.channels()) {
      throw new IllegalArgumentException(
          "the run is for images of "
              + want.height()
              + "x"
              + want.width()
              + "x"
              + want.channels()
              + ", and the data has "
              + images);
    }
    int seen = SeenImages.read(folder.trainedOn()).countIn(images);
    if (seen > 0) {
      throw new MalformedFileException(
          data == null ? folder.path() : data,
          seen
              + " of the "
              + images.count()
              + " images were trained on by this run, so figures on them would flatter it:"
              + " choose other images");
    }
    try (Device opened = Device.open(device);
        Stream stream = opened.openStream(threads);
        Workspace workspace = new Workspace(opened, 0);
        VqVae model = new VqVae(config, stream, 0)) {
      ModelFile.restore(folder.model(), stream, model);
      Evaluation.Result r =
          Evaluation.run(model, stream, workspace, images, info.variance()).result();
      Figures figures =
          new Figures(
              folder.path().toString(),
              images.name(),
              images.count(),
              r.nmse(),
              r.psnr(),
              r.ssim(),
              r.perplexity(),
              r.usage(),
              r.vq());
      output.print(figures, () -> print(figures, config));
    }
    return 0;
  }

  private void print(Figures f, VqVaeConfig config) {
    output
        .out()
        .printf(
            Locale.ROOT,
            "%s on %s (%,d images)%n"
                + "  NMSE        %.4f   MSE / training variance%n"
                + "  PSNR        %.2f dB  range 1, mean over images%n"
                + "  SSIM        %.4f   11x11 Gaussian window, range 1%n"
                + "  perplexity  %.1f of %d codes%n"
                + "  usage       %.1f %%%n",
            f.run(),
            f.data(),
            f.images(),
            f.nmse(),
            f.psnr(),
            f.ssim(),
            f.perplexity(),
            config.quantizer().codes(),
            100 * f.usage());
  }
}
