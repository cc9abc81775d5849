package dev.tessera.cli;

import dev.tessera.data.DatasetSplit;
import dev.tessera.data.Datasets;
import dev.tessera.data.SeenImages;
import dev.tessera.device.Device;
import dev.tessera.io.Json;
import dev.tessera.io.MalformedFileException;
import dev.tessera.model.VqVaeConfig;
import dev.tessera.model.VqVaeConfig.TrainingConfig;
import dev.tessera.train.RunFolder;
import dev.tessera.train.RunInfo;
import dev.tessera.train.RunInfo.DataInfo;
import dev.tessera.train.Trainer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code tessera train}: from images to a run folder. */
@Command(
    name = "train",
    description =
        "Trains a VQ-VAE and leaves a run folder with the model, its figures and a report.",
    mixinStandardHelpOptions = true)
final class TrainCommand implements Callable<Integer> {
  @Parameters(
      arity = "0..1",
      paramLabel = "NAME|config.json",
      description = "mnist, keras-mnist, sonnet-cifar10, or a configuration file.")
  private @Nullable String name;

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description =
          "MNIST (IDX), CIFAR-10 (binary or PNG sheets) or a folder of PNG/JPEG files."
              + " Without it, the 10,000 digits that ship with Tessera.")
  private @Nullable Path data;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description = "The run folder to make. Default: runs/NAME-1, -2, ...")
  private @Nullable Path out;

  @Option(
      names = "--device",
      paramLabel = "D",
      description = "cpu or cuda:N. Default: cpu.",
      defaultValue = "cpu")
  private String device = "cpu";

  @ArgGroup private Length length = new Length();

  /** How long to train. */
  static final class Length {
    @Option(names = "--epochs", paramLabel = "N", description = "Passes over the training set.")
    private @Nullable Integer epochs;

    @Option(names = "--steps", paramLabel = "N", description = "Steps, instead of epochs.")
    private @Nullable Integer steps;
  }

  @Option(names = "--batch", paramLabel = "N", description = "Images a step.")
  private @Nullable Integer batch;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "Of weights, shuffles and codebook. Default: 1.")
  private @Nullable Long seed;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "CPU threads. Default: all processors.")
  private @Nullable Integer threads;

  @Option(
      names = "--resume",
      paramLabel = "RUN",
      description = "Goes on with a run that was stopped.")
  private @Nullable Path resume;

  @Mixin private OutputOptions output = new OutputOptions();

  @Override
  public Integer call() throws IOException {
    return resume == null ? begin() : goOn(new RunFolder(resume));
  }

  private int begin() throws IOException {
    if (name == null) {
      throw new IllegalArgumentException(
          "say what to train: " + String.join(", ", VqVaeConfig.names()) + ", or a config.json");
    }
    VqVaeConfig config = configuration(name);
    DatasetSplit images = data == null ? embedded(config) : Datasets.open(data);
    int runThreads = threads == null ? Runtime.getRuntime().availableProcessors() : threads;
    Threads.requireRange(runThreads);
    RunInfo info =
        new RunInfo(
            Version.number(),
            seed == null ? 1 : seed,
            device,
            runThreads,
            images.train().statistics().variance(),
            DataInfo.of(data, images));
    RunFolder folder = new RunFolder(out == null ? nextFolder(config.name()) : out);
    try (Device opened = Device.open(device);
        Trainer trainer = new Trainer(config, info, folder, images, opened)) {
      folder.create(config, info);
      SeenImages.of(images.train()).write(folder.trainedOn());
      return train(config, info, folder, images, trainer);
    }
  }

  private int goOn(RunFolder folder) throws IOException {
    if (name != null || data != null || out != null || batch != null || seed != null) {
      throw new IllegalArgumentException(
          "--resume goes on with what the run folder says; NAME, --data, --out, --batch and --seed"
              + " cannot be given with it");
    }
    folder.open();
    VqVaeConfig config = withOptions(folder.readConfig());
    RunInfo info = folder.readInfo();
    if (threads != null && threads != info.threads()) {
      throw new IllegalArgumentException(
          "the run has " + info.threads() + " threads; others would give other weights");
    }
    DatasetSplit images = RunData.open(folder, info);
    if (!Files.exists(folder.trainedOn())) { // stopped between the folder's first files
      SeenImages.of(images.train()).write(folder.trainedOn());
    }
    try (Device opened = Device.open(info.device());
        Trainer trainer = new Trainer(config, info, folder, images, opened)) {
      trainer.restore();
      if (trainer.step() >= trainer.totalSteps()) {
        output.err().println("the run has done its " + trainer.totalSteps() + " steps already");
      }
      Json.write(folder.config(), config); // a longer --epochs or --steps is part of the run now
      return train(config, info, folder, images, trainer);
    }
  }

  private int train(
      VqVaeConfig config, RunInfo info, RunFolder folder, DatasetSplit images, Trainer trainer)
      throws IOException {
    Interrupt interrupt = Interrupt.install();
    try {
      try (TrainingDisplay display =
          TrainingDisplay.open(
              config, images, folder, trainer.step(), trainer.totalSteps(), output)) {
        trainer.run(display, interrupt::asked);
      }
      boolean finished = trainer.step() >= trainer.totalSteps();
      if (!finished) {
        output
            .err()
            .println(
                "stopped at step "
                    + trainer.step()
                    + " of "
                    + trainer.totalSteps()
                    + "; go on with: ./tessera train --resume "
                    + folder.path());
        return 130;
      }
      RunSummary summary = RunSummary.finish(config, info, folder, images, trainer);
      output.print(summary.figures(), () -> summary.print(output.out()));
      return 0;
    } finally {
      interrupt.finished();
    }
  }

  private VqVaeConfig configuration(String nameOrFile) throws IOException {
    VqVaeConfig config =
        nameOrFile.endsWith(".json")
            ? Json.read(Path.of(nameOrFile), VqVaeConfig.class)
            : VqVaeConfig.named(nameOrFile);
    return withOptions(config);
  }

  private VqVaeConfig withOptions(VqVaeConfig config) {
    TrainingConfig t = config.training();
    if (batch != null) {
      t = t.withBatch(batch);
    }
    if (length.epochs != null) {
      t = t.withLength(length.epochs, 0);
    }
    if (length.steps != null) {
      t = t.withLength(0, length.steps);
    }
    return config.withTraining(t);
  }

  private static DatasetSplit embedded(VqVaeConfig config) {
    DatasetSplit digits = Datasets.embeddedDigits();
    if (config.image().height() != digits.train().height()
        || config.image().channels() != digits.train().channels()) {
      throw new IllegalArgumentException(
          "configuration "
              + config.name()
              + " is not for the embedded digits: name its data with --data DIR");
    }
    return digits;
  }

  private static Path nextFolder(String name) throws IOException {
    Path runs = Path.of("runs");
    for (int i = 1; i < 100_000; i++) {
      Path candidate = runs.resolve(name + "-" + i);
      if (!Files.exists(candidate)) {
        return candidate;
      }
    }
    throw new MalformedFileException(runs, "holds too many runs: choose a folder with --out");
  }
}
