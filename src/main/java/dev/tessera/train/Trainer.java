package dev.tessera.train;

import dev.tessera.data.Batch;
import dev.tessera.data.BatchLoader;
import dev.tessera.data.BatchOptions;
import dev.tessera.data.DatasetSplit;
import dev.tessera.data.ImageDataset;
import dev.tessera.data.Philox;
import dev.tessera.device.DataFaultException;
import dev.tessera.device.Device;
import dev.tessera.device.Shape;
import dev.tessera.device.Stream;
import dev.tessera.device.Tensor;
import dev.tessera.device.Workspace;
import dev.tessera.model.VqVae;
import dev.tessera.model.VqVaeConfig;
import dev.tessera.model.VqVaeConfig.CodebookInit;
import dev.tessera.model.VqVaeConfig.TrainingConfig;
import dev.tessera.nn.Pass;
import dev.tessera.nn.RandomStreams;
import dev.tessera.vq.EmaQuantizer;
import dev.tessera.vq.Quantized;
import java.io.IOException;
import java.nio.file.Files;
import java.util.function.BooleanSupplier;

/**
 * Trains a {@link VqVae} and keeps its run folder. A step is: a batch from the background loader,
 * forward and backward, Adam, and the codebook's update; every so many steps the held-out set is
 * measured, and a row of metrics and a checkpoint are written. The same seed, data and threads give
 * the same weights, bit for bit, however often the run was interrupted and resumed.
 */
public final class Trainer implements AutoCloseable {
  // A codebook that begins from data sees the encoder's outputs for this many images.
  private static final int INIT_IMAGES = 512;
  // With rows every n steps, the held-out set is measured at every tenth row.
  private static final int ROWS_PER_EVALUATION = 10;

  private final VqVaeConfig config;
  private final RunInfo info;
  private final RunFolder folder;
  private final DatasetSplit data;
  private final Stream stream;
  private final Workspace workspace;
  private final VqVae model;
  private final Adam adam;
  private final RunningMetrics progress;
  private MetricsLog log;
  private double lastPerplexity; // of the last step's batch
  // Since the last row, or since training went on: what a row's speed is made of.
  private long rowNanos;
  private long rowImages;

  /** Watches a run. */
  public interface Listener {
    /** After each step. */
    void step(long step, long total, double loss, double perplexity);

    /** After each row of metrics. */
    void row(MetricsLog.Row row);
  }

  /** A trainer of a new model. */
  public Trainer(
      VqVaeConfig config, RunInfo info, RunFolder folder, DatasetSplit data, Device device) {
    requireImages(config, data.train());
    this.config = config;
    this.info = info;
    this.folder = folder;
    this.data = data;
    this.stream = device.openStream(info.threads());
    this.workspace = new Workspace(device, 1 << 20);
    this.model = new VqVae(config, stream, info.seed());
    TrainingConfig t = config.training();
    this.adam =
        new Adam(stream, model.parameters(), t.learningRate(), t.adamEpsilon(), t.epsilonHat());
    this.progress = new RunningMetrics(config.quantizer().codes());
    this.log = new MetricsLog(folder.metrics());
  }

  /** Goes on from the folder's checkpoint, if it has one. */
  public void restore() throws IOException {
    if (!Files.exists(folder.model())) {
      return; // stopped before its first checkpoint: begins again
    }
    Checkpoint.restore(folder.model(), stream, model, adam, progress);
    if (Files.exists(folder.metrics())) {
      log = MetricsLog.read(folder.metrics());
      log.truncateAfter(adam.step());
    }
  }

  /** The model that is trained. */
  public VqVae model() {
    return model;
  }

  /** Steps done. */
  public long step() {
    return adam.step();
  }

  /** Steps of the whole run. */
  public long totalSteps() {
    TrainingConfig t = config.training();
    return t.steps() > 0 ? t.steps() : (long) t.epochs() * stepsPerEpoch();
  }

  /** Measures the model on the whole held-out set. */
  public Evaluation.Full evaluate() {
    return Evaluation.run(model, stream, workspace, data.heldOut(), info.variance());
  }

  /** The first {@code count} held-out images, and what the model makes of them. */
  public Pictures pictures(int count) {
    return Pictures.of(model, stream, workspace, data.heldOut(), count);
  }

  /** Rows of metrics so far. */
  public MetricsLog log() {
    return log;
  }

  private BatchOptions batches() {
    TrainingConfig t = config.training();
    return BatchOptions.training(t.batch(), info.seed()).withDropRemainder(t.dropRemainder());
  }

  private long stepsPerEpoch() {
    return batches().stepsPerEpoch(data.train().count());
  }

  /**
   * Trains until the end, or until {@code stop} says so; either way the folder then holds a
   * checkpoint.
   *
   * @throws DivergedException if the loss or the encoder's output is no longer finite
   */
  public void run(Listener listener, BooleanSupplier stop) throws IOException {
    long total = totalSteps();
    Pass pass = new Pass(stream, workspace);
    rowNanos = 0;
    rowImages = 0;
    try (BatchLoader loader = new BatchLoader(data.train(), batches(), adam.step())) {
      while (adam.step() < total && !stop.getAsBoolean()) {
        long begin = System.nanoTime();
        if (startsFromData() && adam.step() == config.quantizer().initStep()) {
          initializeCodebook();
        }
        double loss = step(pass, loader);
        rowNanos += System.nanoTime() - begin;
        listener.step(adam.step(), total, loss, lastPerplexity);
        if (isRow(total)) {
          writeRow(listener, total);
        }
      }
    }
    checkpoint();
  }

  private double step(Pass pass, BatchLoader loader) {
    ImageDataset images = data.train();
    Batch batch = next(loader);
    rowImages += batch.size();
    try {
      workspace.reset();
      Tensor x =
          pass.allocate(Shape.of(batch.size(), images.height(), images.width(), images.channels()));
      x.copyFrom(stream, batch.pixels());
      return startsFromData() && adam.step() < config.quantizer().initStep()
          ? plainStep(pass, x)
          : quantizedStep(pass, x);
    } catch (DataFaultException e) {
      throw new DivergedException(adam.step() + 1, String.valueOf(e.getMessage()));
    }
  }

  private double quantizedStep(Pass pass, Tensor x) {
    VqVae.Step result = model.step(pass, x, info.variance());
    Quantized q = result.quantized();
    double recon = result.squaredError().toDouble(stream) / info.variance();
    double vq =
        model.quantizer().loss(q.squaredError().toDouble(stream) / q.input().shape().elements());
    requireFinite(recon + vq);
    adam.step(stream);
    model.quantizer().update(stream, q);
    int[] counts = q.counts().toInts(stream);
    progress.add((int) x.shape().dim(0), recon, vq, counts);
    lastPerplexity = CodeUsage.perplexity(counts);
    return recon + vq;
  }

  private double plainStep(Pass pass, Tensor x) {
    double recon =
        model.stepWithoutQuantizer(pass, x, info.variance()).toDouble(stream) / info.variance();
    requireFinite(recon);
    adam.step(stream);
    progress.add((int) x.shape().dim(0), recon, 0, new int[config.quantizer().codes()]);
    return recon;
  }

  private void requireFinite(double loss) {
    if (!Double.isFinite(loss)) {
      throw new DivergedException(adam.step() + 1, "the loss is " + loss);
    }
  }

  private boolean startsFromData() {
    return config.quantizer().init() == CodebookInit.DATA;
  }

  private boolean isRow(long total) {
    long step = adam.step();
    int every = config.training().logEvery();
    return step == total || step % (every > 0 ? every : stepsPerEpoch()) == 0;
  }

  private void writeRow(Listener listener, long total) throws IOException {
    long step = adam.step();
    int every = config.training().logEvery();
    boolean evaluate =
        step == total || every == 0 || step % ((long) every * ROWS_PER_EVALUATION) == 0;
    Evaluation.Result heldOut =
        evaluate
            ? Evaluation.run(model, stream, workspace, data.heldOut(), info.variance()).result()
            : null;
    MetricsLog.Row row =
        new MetricsLog.Row(
            step,
            progress.loss(),
            progress.recon(),
            progress.vq(),
            progress.usage().perplexity(),
            progress.usage().usage(),
            heldOut,
            rowImages * 1e9 / rowNanos);
    progress.reset();
    rowNanos = 0;
    rowImages = 0;
    log.add(row);
    if (step < total) {
      checkpoint();
    }
    listener.row(row);
  }

  private void checkpoint() throws IOException {
    Checkpoint.write(folder.model(), stream, model, adam, progress);
  }

  // k-means of what the encoder makes of some training images, drawn by the seed.
  private void initializeCodebook() {
    EmaQuantizer ema = (EmaQuantizer) model.quantizer(); // the configuration demands it
    ImageDataset images = data.train();
    Philox random = new Philox(info.seed(), RandomStreams.CODEBOOK, 1);
    int[] chosen = new int[Math.min(INIT_IMAGES, images.count())];
    for (int i = 0; i < chosen.length; i++) {
      chosen[i] = random.nextInt(images.count());
    }
    float[] pixels = new float[chosen.length * images.imageSize()];
    Pixels.read(images.select("codebook-start", chosen), 0, chosen.length, pixels);
    workspace.reset();
    Pass pass = new Pass(stream, workspace);
    Tensor x =
        pass.allocate(Shape.of(chosen.length, images.height(), images.width(), images.channels()));
    x.copyFrom(stream, pixels);
    Tensor z = model.embed(pass, x);
    long dim = z.shape().dim(-1);
    ema.initializeFrom(stream, z.reshape(Shape.of(z.shape().elements() / dim, dim)), random);
  }

  private static Batch next(BatchLoader loader) {
    try {
      return loader.next();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while waiting for a batch", e);
    }
  }

  private static void requireImages(VqVaeConfig config, ImageDataset images) {
    VqVaeConfig.ImageConfig want = config.image();
    if (images.height() != want.height()
        || images.width() != want.width()
        || images.channels() != want.channels()) {
      throw new IllegalArgumentException(
          "configuration "
              + config.name()
              + " is for images of "
              + want.height()
              + "x"
              + want.width()
              + "x"
              + want.channels()
              + ", and the data has "
              + images);
    }
  }

  @Override
  public void close() {
    adam.close();
    model.close();
    workspace.close();
    stream.close();
  }
}
