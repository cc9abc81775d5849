package dev.tessera.cli;

import dev.tessera.device.Device;
import dev.tessera.io.HostArray;
import dev.tessera.io.ImageFiles;
import dev.tessera.io.ImageGrid;
import dev.tessera.io.Json;
import dev.tessera.io.MalformedFileException;
import dev.tessera.io.Npy;
import dev.tessera.model.VqVaeConfig;
import dev.tessera.prior.CodeSampler;
import dev.tessera.prior.Codes;
import dev.tessera.prior.PriorCheckpoint;
import dev.tessera.prior.PriorConfig;
import dev.tessera.prior.PriorFolder;
import dev.tessera.prior.PriorInfo;
import dev.tessera.prior.PriorTrainer;
import dev.tessera.prior.SampleOptions;
import dev.tessera.train.RunFolder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code tessera prior}: trains a prior on the codes of a run. */
@Command(
    name = "prior",
    description =
        "Trains a prior on the codes of a run's images, so that new images can be sampled.",
    mixinStandardHelpOptions = true)
final class PriorCommand implements Callable<Integer> {
  private static final int SAMPLES = 64;

  @Parameters(paramLabel = "RUN", description = "A run folder.")
  private Path run = Path.of("");

  @Option(
      names = "--kind",
      paramLabel = "K",
      description = "pixelcnn or transformer. Default: that of --config, or pixelcnn.")
  private PriorConfig.@Nullable Kind kind;

  @Option(
      names = "--config",
      paramLabel = "NAME|config.json",
      description =
          "pixelcnn, keras-pixelcnn, transformer, or a configuration file. Default: that of"
              + " --kind.")
  private @Nullable String configuration;

  @Option(
      names = "--name",
      paramLabel = "NAME",
      description =
          "Name of the prior in the run: its folder is RUN/priors/NAME. Default: the"
              + " configuration's.")
  private @Nullable String name;

  @Option(
      names = "--classes",
      description = "Tell images apart by their labels, so that a class can be asked for.")
  private boolean classes;

  @Option(
      names = "--tied",
      description = "A transformer's logits share the codes' embeddings: fewer weights.")
  private boolean tied;

  @Option(names = "--epochs", paramLabel = "N", description = "Passes over the training codes.")
  private @Nullable Integer epochs;

  @Option(names = "--batch", paramLabel = "N", description = "Images a step.")
  private @Nullable Integer batch;

  @Option(
      names = "--patience",
      paramLabel = "N",
      description = "Stop early: after N epochs without a better held-out loss.")
  private @Nullable Integer patience;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "Of weights, shuffles and samples. Default: 1.")
  private @Nullable Long seed;

  @Option(names = "--device", paramLabel = "D", description = "cpu or cuda:N. Default: cpu.")
  private @Nullable String device;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "CPU threads. Default: all processors.")
  private @Nullable Integer threads;

  @Option(names = "--resume", description = "Goes on with a prior that was stopped.")
  private boolean resume;

  @Mixin private OutputOptions output = new OutputOptions();

  /** What {@code tessera prior --json} prints. */
  private record Figures(
      String prior,
      String config,
      String run,
      long seed,
      long parameters,
      int trainImages,
      int heldOutImages,
      double codePerplexity,
      double uniformBits,
      double positionEntropyBits,
      long steps,
      double heldOutNats,
      double heldOutBits,
      double heldOutBitsPerDim,
      double imagesPerSecond) {}

  @Override
  public Integer call() throws IOException {
    RunFolder folder = new RunFolder(run);
    folder.open();
    return resume ? goOn(folder) : begin(folder);
  }

  private int begin(RunFolder folder) throws IOException {
    VqVaeConfig model = folder.readConfig();
    int runThreads = threads == null ? Runtime.getRuntime().availableProcessors() : threads;
    Threads.requireRange(runThreads);
    String on = device == null ? "cpu" : device;
    try (Device opened = Device.open(on)) {
      RunCodes codes = RunCodes.open(folder, opened, runThreads);
      PriorConfig config = withTied(withOptions(configuration(model, codes.split().train())));
      VqVaeConfig.ImageConfig image = model.image();
      PriorInfo info =
          new PriorInfo(
              Version.number(),
              seed == null ? 1 : seed,
              on,
              runThreads,
              codes.source(),
              image.height() * image.width() * image.channels());
      PriorFolder prior = RunPriors.folder(folder, name == null ? config.name() : name);
      try (PriorTrainer trainer = new PriorTrainer(config, info, prior, codes.split(), opened)) {
        prior.create(config, info);
        return train(folder, prior, config, info, codes, trainer, opened);
      }
    }
  }

  private int goOn(RunFolder folder) throws IOException {
    if (kind != null || configuration != null || classes || tied || batch != null || seed != null) {
      throw new IllegalArgumentException(
          "--resume goes on with what the prior's folder says; --kind, --config, --classes, --tied,"
              + " --batch and --seed cannot be given with it");
    }
    PriorFolder prior = RunPriors.find(folder, name);
    prior.open();
    PriorConfig config = withOptions(prior.readConfig());
    PriorInfo info = prior.readInfo();
    if (threads != null && threads != info.threads()) {
      throw new IllegalArgumentException(
          "the prior has " + info.threads() + " threads; others would give other weights");
    }
    if (device != null && !device.equals(info.device())) {
      throw new IllegalArgumentException("the prior is trained on " + info.device());
    }
    try (Device opened = Device.open(info.device())) {
      RunCodes codes = RunCodes.open(folder, opened, info.threads());
      if (!codes.source().equals(info.source())) {
        throw new MalformedFileException(
            prior.path(),
            "was begun on other codes: the run has been trained on since; train a new prior");
      }
      try (PriorTrainer trainer = new PriorTrainer(config, info, prior, codes.split(), opened)) {
        trainer.restore();
        if (trainer.isFinished()) {
          output.err().println("the prior is trained already, " + trainer.step() + " steps");
        }
        Json.write(prior.config(), config); // a longer --epochs is part of the prior now
        return train(folder, prior, config, info, codes, trainer, opened);
      }
    }
  }

  private PriorConfig configuration(VqVaeConfig model, Codes codes) throws IOException {
    int number = classes ? codes.classes() : 0;
    if (classes && number == 0) {
      throw new IllegalArgumentException("the run's images have no labels: leave --classes out");
    }
    PriorConfig.Grid grid = RunCodes.grid(model, number);
    PriorConfig config;
    if (configuration != null && configuration.endsWith(".json")) {
      config = PriorConfig.read(Path.of(configuration));
      if (!config.grid().equals(grid)) {
        throw new IllegalArgumentException(
            configuration + " is for " + config.grid() + ", and the run has " + grid);
      }
    } else {
      String named =
          configuration != null
              ? configuration
              : (kind == null ? PriorConfig.Kind.PIXELCNN : kind).name().toLowerCase(Locale.ROOT);
      config = PriorConfig.named(named, grid);
    }
    if (kind != null && kind != config.kind()) {
      throw new IllegalArgumentException(
          "--kind "
              + kind.name().toLowerCase(Locale.ROOT)
              + " does not go with configuration "
              + config.name());
    }
    return config;
  }

  private PriorConfig withTied(PriorConfig config) {
    if (!tied) {
      return config;
    }
    PriorConfig.Transformer network = config.transformer();
    if (network == null) {
      throw new IllegalArgumentException("--tied is for --kind transformer");
    }
    return new PriorConfig(
        config.name(),
        config.kind(),
        config.grid(),
        null,
        network.withTied(true),
        config.training());
  }

  private PriorConfig withOptions(PriorConfig config) {
    PriorConfig.Training t = config.training();
    if (epochs != null) {
      t = t.withEpochs(epochs);
    }
    if (batch != null) {
      t = t.withBatch(batch);
    }
    if (patience != null) {
      t = t.withPatience(patience);
    }
    return config.withTraining(t);
  }

  private int train(
      RunFolder folder,
      PriorFolder prior,
      PriorConfig config,
      PriorInfo info,
      RunCodes codes,
      PriorTrainer trainer,
      Device opened)
      throws IOException {
    Codes train = codes.split().train();
    int k = config.grid().codes();
    double uniformBits = config.grid().positions() * Math.log(k) / Math.log(2);
    double entropyBits = train.positionEntropy(k) / Math.log(2);
    java.io.PrintWriter text = output.json() ? output.err() : output.out();
    text.printf(
        Locale.ROOT,
        "%s on the codes of %s (%,d images, %,d held out), %,d parameters, %,d steps of %d, into"
            + " %s%n"
            + "codes: perplexity %.1f of %d; bits an image: %.2f if all codes were alike, %.2f by"
            + " how often each comes at each place%n",
        config.name(),
        run,
        train.count(),
        codes.split().heldOut().count(),
        trainer.prior().parameters().count(),
        trainer.totalSteps(),
        config.training().batch(),
        prior.path(),
        train.perplexity(k),
        k,
        uniformBits,
        entropyBits);
    text.flush();
    Interrupt interrupt = Interrupt.install();
    try {
      try (PriorDisplay display =
              new PriorDisplay(text, config.name(), trainer.step(), trainer.totalSteps());
          EpochSamples watched =
              new EpochSamples(display, folder, prior, config, info, trainer, opened)) {
        trainer.run(watched, interrupt::asked);
      }
      if (!trainer.isFinished()) {
        output
            .err()
            .println(
                "stopped at step "
                    + trainer.step()
                    + " of "
                    + trainer.totalSteps()
                    + "; go on with: ./tessera prior "
                    + run
                    + " --resume --name "
                    + prior.path().getFileName());
        return 130;
      }
      PriorCheckpoint.restoreWeights(prior.best(), trainer.stream(), trainer.prior());
      samples(folder, prior, config, info, trainer, opened);
      RunReport.write(folder, codes, opened, info.threads());
      double nats = trainer.bestNats();
      double bits = trainer.bitsPerImage(nats);
      Figures figures =
          new Figures(
              prior.path().toString(),
              config.name(),
              run.toString(),
              info.seed(),
              trainer.prior().parameters().count(),
              train.count(),
              codes.split().heldOut().count(),
              train.perplexity(k),
              uniformBits,
              entropyBits,
              trainer.step(),
              nats,
              bits,
              bits / info.imageValues(),
              trainer.metrics().rows().getLast().imagesPerSecond());
      output.print(figures, () -> print(figures, prior));
      return 0;
    } finally {
      interrupt.finished();
    }
  }

  private void samples(
      RunFolder folder,
      PriorFolder prior,
      PriorConfig config,
      PriorInfo info,
      PriorTrainer trainer,
      Device opened)
      throws IOException {
    PriorConfig.Grid grid = config.grid();
    int columns = RunPriors.columns(grid);
    int count = SAMPLES / columns * columns;
    int[] drawn =
        new CodeSampler(trainer.prior(), opened, info.threads(), count)
            .sample(count, SampleOptions.of(info.seed()), RunPriors.classes(grid, count, null));
    try (RunModel model = new RunModel(folder, opened, info.threads())) {
      ImageFiles.writePng(prior.samples(), ImageGrid.of(model.decode(drawn), columns));
    }
    Npy.write(
        prior.path().resolve("samples.npy"),
        HostArray.of(drawn, count, grid.rows(), grid.columns()));
  }

  private void print(Figures f, PriorFolder prior) {
    output
        .out()
        .printf(
            Locale.ROOT,
            "%nheld-out: %.4f nats a code, %.2f bits an image (uniform %.2f, position by position"
                + " %.2f), %.4f bits/dim%nsamples:  %s%nreport:   %s%n",
            f.heldOutNats(),
            f.heldOutBits(),
            f.uniformBits(),
            f.positionEntropyBits(),
            f.heldOutBitsPerDim(),
            prior.samples(),
            new RunFolder(run).report());
  }
}
