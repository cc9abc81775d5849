package dev.tessera.bench;

import dev.tessera.data.DatasetSplit;
import dev.tessera.data.Datasets;
import dev.tessera.data.SeenImages;
import dev.tessera.device.Device;
import dev.tessera.model.VqVaeConfig;
import dev.tessera.model.VqVaeConfig.QuantizerConfig;
import dev.tessera.train.MetricsLog;
import dev.tessera.train.RunFolder;
import dev.tessera.train.RunInfo;
import dev.tessera.train.RunInfo.DataInfo;
import dev.tessera.train.Trainer;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Locale;
import java.util.function.Consumer;

/**
 * A run on the embedded digits with codes of a wanted length, trained once and kept: configuration
 * {@code mnist} (Keras' network, moving averages) with other K and D. An ordinary run folder, which
 * every command takes.
 */
final class TrainedRun {
  /** Codes of the runs, K. */
  static final int CODES = 512;

  private static final long SEED = 1;

  private final RunFolder folder;
  private final VqVaeConfig config;
  private final String version;
  private final Consumer<String> log;

  /**
   * The run with codes of length {@code d}, in {@code cache}; nothing is read or trained yet.
   *
   * @param log takes lines for people
   */
  TrainedRun(Path cache, int d, int epochs, String version, Consumer<String> log) {
    String name = "mnist-k" + CODES + "-d" + d + "-epochs" + epochs;
    this.folder = new RunFolder(cache.resolve(name));
    this.config = configuration(d, epochs);
    this.version = version;
    this.log = log;
  }

  /** Where runs are kept: {@code tessera/bench} of the user's cache folder. */
  static Path cache() {
    String chosen = System.getenv("XDG_CACHE_HOME");
    Path caches =
        chosen == null || chosen.isBlank()
            ? Path.of(System.getProperty("user.home"), ".cache")
            : Path.of(chosen);
    return caches.resolve("tessera").resolve("bench");
  }

  /** Its folder. */
  RunFolder folder() {
    return folder;
  }

  /** Its configuration. */
  VqVaeConfig config() {
    return config;
  }

  /** Trains the run, or what is left of it; does nothing if it is finished. */
  void train() throws IOException {
    Path lockFile = folder.path().resolveSibling(folder.path().getFileName() + ".lock");
    Files.createDirectories(folder.path());
    try (FileChannel file =
            FileChannel.open(lockFile, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        FileLock lock = file.lock()) { // another process may be training it
      if (lock.isValid()) {
        trainAlone();
      }
    }
  }

  private void trainAlone() throws IOException {
    DatasetSplit digits = Datasets.embeddedDigits();
    boolean begun = Files.exists(folder.config()) && Files.exists(folder.info());
    RunInfo info = begun ? folder.readInfo() : info(digits);
    if (begun && !folder.readConfig().equals(config)) {
      throw new IOException(
          folder.path() + " holds another run than the bench's: remove it, and it is trained anew");
    }
    try (Device device = Device.open("cpu");
        Trainer trainer = new Trainer(config, info, folder, digits, device)) {
      if (!begun) {
        folder.create(config, info);
        SeenImages.of(digits.train()).write(folder.trainedOn());
      }
      trainer.restore();
      if (trainer.step() < trainer.totalSteps()) {
        train(trainer, digits);
      }
    }
  }

  private void train(Trainer trainer, DatasetSplit digits) throws IOException {
    log.accept(
        String.format(
            Locale.ROOT,
            "training a run with codes of %d numbers for --data trained: %,d digits, %d epochs,"
                + " into %s; later calls use it again",
            config.quantizer().dim(),
            digits.train().count(),
            config.training().epochs(),
            folder.path()));
    long begin = System.nanoTime();
    trainer.run(
        new Trainer.Listener() {
          @Override
          public void step(long step, long total, double loss, double perplexity) {}

          @Override
          public void row(MetricsLog.Row row) {
            log.accept(
                String.format(Locale.ROOT, "step %,d of %,d", row.step(), trainer.totalSteps()));
          }
        },
        () -> false);
    log.accept(String.format(Locale.ROOT, "trained in %.0f s", (System.nanoTime() - begin) / 1e9));
  }

  private RunInfo info(DatasetSplit digits) {
    return new RunInfo(
        version,
        SEED,
        "cpu",
        Runtime.getRuntime().availableProcessors(),
        digits.train().statistics().variance(),
        DataInfo.of(null, digits));
  }

  private static VqVaeConfig configuration(int d, int epochs) {
    VqVaeConfig mnist = VqVaeConfig.named("mnist");
    QuantizerConfig q = mnist.quantizer();
    return new VqVaeConfig(
        mnist.name(),
        mnist.image(),
        mnist.network(),
        new QuantizerConfig(
            CODES, d, q.mode(), q.commitment(), q.decay(), q.epsilon(), q.init(), q.initStep()),
        mnist.training().withLength(epochs, 0));
  }
}
