package dev.tessera.cli;

import dev.tessera.data.DatasetSplit;
import dev.tessera.data.Datasets;
import dev.tessera.device.Device;
import dev.tessera.io.Json;
import dev.tessera.judge.Classifier;
import dev.tessera.judge.ClassifierConfig;
import dev.tessera.judge.ClassifierFolder;
import dev.tessera.judge.ClassifierInfo;
import dev.tessera.judge.ClassifierTrainer;
import dev.tessera.judge.Confusion;
import dev.tessera.train.RunInfo.DataInfo;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code tessera train-classifier}: what {@code tessera eval samples} judges by. */
@Command(
    name = "train-classifier",
    description =
        "Trains a small convolutional classifier on labelled images, on the CPU, by which \"eval"
            + " samples\" judges drawn images. The same seed and data give the same weights for any"
            + " number of threads.",
    mixinStandardHelpOptions = true)
final class TrainClassifierCommand implements Callable<Integer> {
  @Parameters(
      paramLabel = "NAME|config.json",
      description = "mnist (28x28 grey images, ten classes), or a configuration file.")
  private String name = "";

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description =
          "MNIST (IDX, with labels) or another data set that has labels. Without it, the digits"
              + " that ship with Tessera: 9,000 to learn from, 1,000 held out.")
  private @Nullable Path data;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description = "The folder to make. Default: runs/classifier-NAME.")
  private @Nullable Path out;

  @Option(names = "--epochs", paramLabel = "N", description = "Passes over the training images.")
  private @Nullable Integer epochs;

  @Option(names = "--batch", paramLabel = "N", description = "Images a step.")
  private @Nullable Integer batch;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "Of weights, shuffles and shifts. Default: 1.")
  private long seed = 1;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description =
          "CPU threads; they change nothing but the speed, and more than four do not help."
              + " Default: all processors.")
  private int threads = Runtime.getRuntime().availableProcessors();

  @Mixin private OutputOptions output = new OutputOptions();

  /** What {@code tessera train-classifier --json} prints. */
  private record Figures(
      String out,
      String config,
      String data,
      long seed,
      long parameters,
      int trainImages,
      int heldOutImages,
      long steps,
      double accuracy,
      double nats,
      double seconds) {}

  @Override
  public Integer call() throws IOException {
    Threads.requireRange(threads);
    ClassifierConfig config = configuration();
    DatasetSplit images = data == null ? Datasets.embeddedDigits() : Datasets.open(data);
    ClassifierFolder folder =
        new ClassifierFolder(out == null ? Path.of("runs", "classifier-" + config.name()) : out);
    PrintWriter text = output.json() ? output.err() : output.out();
    long begin = System.nanoTime();
    try (Device device = Device.open("cpu");
        ClassifierTrainer trainer = new ClassifierTrainer(config, seed, images, device, threads)) {
      folder.create();
      text.printf(
          Locale.ROOT,
          "classifier %s, %,d parameters: %,d images of %s to learn from, %,d held out; %,d steps"
              + " of %d%n",
          config.name(),
          trainer.parameterCount(),
          images.train().count(),
          images.name(),
          images.heldOut().count(),
          trainer.totalSteps(),
          config.training().batch());
      text.flush();
      Classifier.Score score =
          trainer.run((epoch, nats, heldOut, speed) -> show(text, epoch, nats, heldOut, speed));
      DataInfo from = DataInfo.of(data, images);
      double accuracy = score.confusion().share();
      trainer.write(
          folder, new ClassifierInfo(Version.number(), seed, from, accuracy, score.nats()));
      Figures figures =
          new Figures(
              folder.path().toString(),
              config.name(),
              images.name(),
              seed,
              trainer.parameterCount(),
              images.train().count(),
              images.heldOut().count(),
              trainer.totalSteps(),
              accuracy,
              score.nats(),
              (System.nanoTime() - begin) / 1e9);
      output.print(figures, () -> print(figures, score.confusion()));
    }
    return 0;
  }

  private ClassifierConfig configuration() throws IOException {
    ClassifierConfig config =
        name.endsWith(".json")
            ? Json.read(Path.of(name), ClassifierConfig.class)
            : ClassifierConfig.named(name);
    ClassifierConfig.TrainingConfig t = config.training();
    if (epochs != null) {
      t = t.withEpochs(epochs);
    }
    if (batch != null) {
      t = t.withBatch(batch);
    }
    return config.withTraining(t);
  }

  private static void show(
      PrintWriter text, int epoch, double nats, Classifier.Score heldOut, double speed) {
    text.printf(
        Locale.ROOT,
        "epoch %d  %.4f nats  held-out %.4f nats, %.2f %% recognised  %,.0f images/s%n",
        epoch,
        nats,
        heldOut.nats(),
        100 * heldOut.confusion().share(),
        speed);
    text.flush();
  }

  private void print(Figures f, Confusion confusion) {
    output
        .out()
        .printf(
            Locale.ROOT,
            "%nrecognises %.2f %% of the %,d held-out images (%,d wrong); %.1f s; %s%n",
            100 * f.accuracy(),
            f.heldOutImages(),
            confusion.images() - confusion.right(),
            f.seconds(),
            f.out());
  }
}
