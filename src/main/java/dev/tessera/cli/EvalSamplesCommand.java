package dev.tessera.cli;

import dev.tessera.data.DatasetSplit;
import dev.tessera.data.ImageDataset;
import dev.tessera.data.SeenImages;
import dev.tessera.device.Device;
import dev.tessera.device.Stream;
import dev.tessera.io.FileHash;
import dev.tessera.io.ImageFiles;
import dev.tessera.io.Json;
import dev.tessera.io.MalformedFileException;
import dev.tessera.io.PixelImage;
import dev.tessera.judge.Classifier;
import dev.tessera.judge.ClassifierFolder;
import dev.tessera.judge.ClassifierInfo;
import dev.tessera.judge.Judgement;
import dev.tessera.prior.CodeSampler;
import dev.tessera.prior.Prior;
import dev.tessera.prior.PriorCheckpoint;
import dev.tessera.prior.PriorConfig;
import dev.tessera.prior.PriorFolder;
import dev.tessera.prior.SampleOptions;
import dev.tessera.train.RunFolder;
import dev.tessera.train.RunInfo;
import dev.tessera.train.RunInfo.DataInfo;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code tessera eval samples}: whether drawn images look like what was asked for. */
@Command(
    name = "samples",
    description =
        "Judges images drawn from a prior of a run by a classifier that \"train-classifier\" made:"
            + " the share recognised as the class asked for, and the Frechet distance of the"
            + " classifier's features between samples, reconstructions and held-out images.",
    mixinStandardHelpOptions = true)
final class EvalSamplesCommand implements Callable<Integer> {
  private static final String CLASSIFIER = "classifier-mnist";

  @Parameters(paramLabel = "RUN", description = "A run folder.")
  private Path run = Path.of("");

  @Option(
      names = "--classifier",
      paramLabel = "DIR",
      description =
          "What train-classifier made. Default: the folder " + CLASSIFIER + " beside the run.")
  private @Nullable Path classifier;

  @Option(
      names = "--samples",
      paramLabel = "N",
      description = "Images to draw, all classes in turn. Default: 1000.")
  private int count = 1000;

  @Mixin private SamplingOptions sampling = new SamplingOptions();

  @Option(
      names = "--device",
      paramLabel = "D",
      description =
          "cpu or cuda:N, for the prior and the run; the classifier is on the CPU. Default: cpu.")
  private String device = "cpu";

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "CPU threads; they change nothing but the speed. Default: all processors.")
  private int threads = Runtime.getRuntime().availableProcessors();

  @Mixin private OutputOptions output = new OutputOptions();

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws IOException {
    CommandSpec eval = spec.parent();
    if (eval != null && !eval.commandLine().getParseResult().matchedArgs().isEmpty()) {
      throw new ParameterException(
          spec.commandLine(), "options and RUN belong behind \"samples\", not before it");
    }
    Threads.requireRange(threads);
    if (count < 2) {
      throw new IllegalArgumentException("--samples must be at least 2, not " + count);
    }
    RunFolder folder = new RunFolder(run);
    folder.open();
    PriorFolder prior = RunPriors.open(folder, sampling.prior());
    PriorConfig config = prior.readConfig();
    RunInfo info = folder.readInfo();
    ClassifierFolder judge = classifier(info);
    judge.open();
    ClassifierInfo judgeInfo = judge.readInfo();
    SampleOptions options = sampling.draws();
    DatasetSplit split = RunData.open(folder, info);
    requireUnseen(judge, split.heldOut());
    try (Device cpu = Device.open("cpu");
        Classifier judging = Classifier.open(judge, cpu, threads)) {
      // Before anything is drawn: that takes long.
      if (split.heldOut().hasLabels()) {
        judging.config().requireLabelledImages(split.heldOut());
      } else {
        judging.config().requireImages(split.heldOut());
      }
      if (config.grid().classes() > judging.config().classes()) {
        throw new IllegalArgumentException(
            "the prior has "
                + config.grid().classes()
                + " classes, and the classifier "
                + judging.config().classes());
      }
      Images images = draw(folder, prior, config, options, split.heldOut());
      Judgement judgement =
          Judgement.of(judging, images.samples(), split.heldOut(), images.reconstructions());
      Path picture = prior.path().resolve("judged.png");
      ImageFiles.writePng(picture, JudgedPicture.of(images.samples(), judgement.taken()));
      JudgedFigures figures =
          JudgedFigures.of(
              run.toString(),
              prior.path().toString(),
              new JudgedFigures.Judge(
                  judge.path().toString(),
                  FileHash.sha256(judge.model()),
                  judgeInfo.data().name(),
                  judgeInfo.data().trainImages()),
              sampling.figures(),
              judgement,
              picture.toString());
      Path file = prior.path().resolve("judged.json");
      Json.write(file, figures);
      output.print(figures, () -> figures.print(output.out(), judgement, file));
    }
    return 0;
  }

  private ClassifierFolder classifier(RunInfo info) {
    if (classifier != null) {
      return new ClassifierFolder(classifier);
    }
    Path beside = run.resolveSibling(CLASSIFIER);
    if (!Files.exists(beside)) {
      String data =
          info.data().source().equals(DataInfo.EMBEDDED)
              ? " (with --data DIR, MNIST's 60,000, it gets better)"
              : " --data " + info.data().source();
      throw new IllegalArgumentException(
          "there is no classifier to judge by, no "
              + beside
              + ": train one with ./tessera train-classifier mnist --out "
              + beside
              + data
              + ", or name one with --classifier");
    }
    return new ClassifierFolder(beside);
  }

  private static void requireUnseen(ClassifierFolder judge, ImageDataset heldOut)
      throws IOException {
    int seen = SeenImages.read(judge.trainedOn()).countIn(heldOut);
    if (seen > 0) {
      throw new MalformedFileException(
          judge.path(),
          "was trained on "
              + seen
              + " of the run's "
              + heldOut.count()
              + " held-out images, so they would look too good beside the samples: train a"
              + " classifier on the run's own data, with train-classifier --data");
    }
  }

  private record Images(ImageDataset samples, ImageDataset reconstructions) {}

  // Codes do not depend on threads. The decoder's last bits do, so it has one.
  private Images draw(
      RunFolder folder,
      PriorFolder priorFolder,
      PriorConfig config,
      SampleOptions options,
      ImageDataset heldOut)
      throws IOException {
    try (Device opened = Device.open(device);
        RunModel model = new RunModel(folder, opened, 1);
        Stream stream = opened.openStream(1);
        Prior prior = Prior.of(config, stream, 0)) {
      PriorCheckpoint.restoreWeights(priorFolder.best(), stream, prior);
      stream.synchronize(); // the sampler's streams read the weights
      int[] classes = RunPriors.classes(config.grid(), count, null);
      int[] codes =
          new CodeSampler(prior, opened, threads, sampling.batch()).sample(count, options, classes);
      int[] known = RunCodes.open(folder, opened, threads).split().heldOut().values();
      return new Images(
          dataset("samples", model.decode(codes), classes),
          dataset("reconstructions of " + heldOut.name(), model.decode(known), null));
    }
  }

  private static ImageDataset dataset(
      String name, List<PixelImage> images, int @Nullable [] labels) {
    PixelImage first = images.getFirst();
    int size = first.pixels().length;
    byte[] pixels = new byte[Math.multiplyExact(images.size(), size)];
    byte[] bytes = labels == null ? null : new byte[labels.length];
    for (int i = 0; i < images.size(); i++) {
      System.arraycopy(images.get(i).pixels(), 0, pixels, i * size, size);
      if (bytes != null && labels != null) {
        bytes[i] = (byte) labels[i];
      }
    }
    return ImageDataset.of(
        name,
        first.height(),
        first.width(),
        first.channels(),
        MemorySegment.ofArray(pixels),
        bytes);
  }
}
