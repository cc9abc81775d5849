package dev.tessera.prior;

import dev.tessera.data.BatchOptions;
import dev.tessera.data.EpochOrder;
import dev.tessera.device.DataFaultException;
import dev.tessera.device.DataType;
import dev.tessera.device.Device;
import dev.tessera.device.Shape;
import dev.tessera.device.Stream;
import dev.tessera.device.Tensor;
import dev.tessera.device.Workspace;
import dev.tessera.nn.Ops;
import dev.tessera.nn.Pass;
import dev.tessera.train.Adam;
import dev.tessera.train.DivergedException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Trains a {@link Prior} on the codes of a run. After each epoch the held-out codes are measured, a
 * row of {@link PriorMetrics} and a checkpoint are written, and the weights are kept as the best if
 * they are. The same seed, codes and threads give the same weights, bit for bit, however often
 * training was interrupted and resumed.
 */
public final class PriorTrainer implements AutoCloseable {
  private static final int EVALUATION_BATCH = 256;

  private final PriorConfig config;
  private final PriorInfo info;
  private final PriorFolder folder;
  private final CodeFile.Split codes;
  private final Stream stream;
  private final Workspace workspace;
  private final Pass pass;
  private final Prior prior;
  private final Adam adam;
  private final PriorProgress progress = new PriorProgress();
  private PriorMetrics metrics;

  /** Watches the training. */
  public interface Listener {
    /** After each step; the loss is in nats a code. */
    void step(long step, long total, double nats);

    /** After each epoch. */
    void row(PriorMetrics.Row row);
  }

  /** A trainer of a new prior. */
  public PriorTrainer(
      PriorConfig config, PriorInfo info, PriorFolder folder, CodeFile.Split codes, Device device) {
    requireCodes(config, codes.train());
    requireCodes(config, codes.heldOut());
    this.config = config;
    this.info = info;
    this.folder = folder;
    this.codes = codes;
    this.stream = device.openStream(info.threads());
    this.workspace = new Workspace(device, 1 << 20);
    this.pass = new Pass(stream, workspace);
    this.prior = Prior.of(config, stream, info.seed());
    PriorConfig.Training t = config.training();
    this.adam =
        new Adam(
            stream,
            prior.parameters(),
            t.learningRate(),
            t.adamEpsilon(),
            t.epsilonHat(),
            t.weightDecay());
    this.metrics = new PriorMetrics(folder.metrics());
  }

  /** Goes on from the folder's checkpoint, if it has one. */
  public void restore() throws IOException {
    if (!Files.exists(folder.checkpoint())) {
      return; // stopped before its first checkpoint: begins again
    }
    PriorCheckpoint.restore(folder.checkpoint(), stream, prior, adam, progress);
    if (Files.exists(folder.metrics())) {
      metrics = PriorMetrics.read(folder.metrics());
      metrics.truncateAfter(adam.step());
    }
  }

  /** The prior that is trained. */
  public Prior prior() {
    return prior;
  }

  /** Where it is trained. */
  public Stream stream() {
    return stream;
  }

  /** Figures so far. */
  public PriorMetrics metrics() {
    return metrics;
  }

  /** Steps done. */
  public long step() {
    return adam.step();
  }

  /** Steps of the whole training, if it does not stop early. */
  public long totalSteps() {
    return config.training().epochs() * stepsPerEpoch();
  }

  /** Whether the last epoch is over, or the held-out loss has not improved for long enough. */
  public boolean isFinished() {
    int patience = config.training().patience();
    return step() >= totalSteps() || (patience > 0 && progress.epochsSinceBest() >= patience);
  }

  /** The lowest held-out loss of any epoch, in nats a code. */
  public double bestNats() {
    return progress.bestNats();
  }

  private BatchOptions batches() {
    return BatchOptions.training(config.training().batch(), info.seed()).withDropRemainder(false);
  }

  private long stepsPerEpoch() {
    return batches().stepsPerEpoch(codes.train().count());
  }

  /**
   * Trains until the end, or until {@code stop} says so; either way the folder then holds a
   * checkpoint.
   *
   * @throws DivergedException if the loss is no longer finite
   */
  public void run(Listener listener, BooleanSupplier stop) throws IOException {
    EpochOrder order = new EpochOrder(codes.train().count(), batches());
    int[] indices = new int[config.training().batch()];
    long total = totalSteps();
    long nanos = 0;
    long images = 0;
    while (!isFinished() && !stop.getAsBoolean()) {
      long begin = System.nanoTime();
      order.indicesOf(step(), indices);
      int size = order.sizeOf(step());
      double nats = step(indices, size, total);
      nanos += System.nanoTime() - begin;
      images += size;
      listener.step(step(), total, nats);
      if (step() % stepsPerEpoch() == 0) {
        endEpoch(listener, images * 1e9 / nanos);
        nanos = 0;
        images = 0;
      }
    }
    checkpoint();
  }

  private double step(int[] indices, int size, long total) {
    workspace.reset();
    PriorConfig.Training t = config.training();
    adam.learningRate(t.rateAt(step(), total));
    try {
      Tensor grids = grids(codes.train(), indices, size);
      Tensor classes = classes(codes.train(), indices, size);
      double nats = prior.step(pass, grids, classes, step()).toDouble(stream);
      if (!Double.isFinite(nats)) {
        throw new DivergedException(step() + 1, "the loss is " + nats);
      }
      if (t.clipNorm() > 0) {
        adam.clipGradients(stream, t.clipNorm());
      }
      adam.step(stream);
      progress.add((long) size * config.grid().positions(), nats);
      return nats;
    } catch (DataFaultException e) {
      throw new DivergedException(step() + 1, String.valueOf(e.getMessage()));
    }
  }

  private void endEpoch(Listener listener, double imagesPerSecond) throws IOException {
    double trained = progress.meanNats();
    double nats = heldOutNats();
    if (!Double.isFinite(nats)) {
      throw new DivergedException(step(), "the held-out loss is " + nats);
    }
    if (progress.endEpoch(nats)) {
      PriorCheckpoint.writeWeights(folder.best(), stream, prior, step());
    }
    double bits = bitsPerImage(nats);
    PriorMetrics.Row row =
        new PriorMetrics.Row(
            (int) (step() / stepsPerEpoch()),
            step(),
            trained,
            nats,
            bits,
            bits / info.imageValues(),
            imagesPerSecond);
    metrics.add(row);
    checkpoint();
    listener.row(row);
  }

  /** Bits an image of a loss in nats a code. */
  public double bitsPerImage(double nats) {
    return nats * config.grid().positions() / Math.log(2);
  }

  /** The loss over the whole held-out set as the weights are now, in nats a code. */
  public double heldOutNats() {
    Codes heldOut = codes.heldOut();
    int[] indices = new int[EVALUATION_BATCH];
    double sum = 0;
    for (int from = 0; from < heldOut.count(); from += EVALUATION_BATCH) {
      int size = Math.min(EVALUATION_BATCH, heldOut.count() - from);
      for (int i = 0; i < size; i++) {
        indices[i] = from + i;
      }
      workspace.reset();
      Tensor grids = grids(heldOut, indices, size);
      Tensor logits = prior.logits(pass, grids, classes(heldOut, indices, size));
      Tensor loss = pass.allocate(Shape.of(1), DataType.F64);
      Ops.softmaxCrossEntropy(stream, logits, grids, loss, null);
      sum += loss.toDouble(stream) * size;
    }
    return sum / heldOut.count();
  }

  private Tensor grids(Codes from, int[] indices, int size) {
    int positions = from.positions();
    int[] values = new int[size * positions];
    for (int i = 0; i < size; i++) {
      System.arraycopy(from.values(), indices[i] * positions, values, i * positions, positions);
    }
    Tensor grids =
        pass.allocate(Shape.of(size, config.grid().rows(), config.grid().columns()), DataType.I32);
    grids.copyFrom(stream, MemorySegment.ofArray(values));
    return grids;
  }

  private @Nullable Tensor classes(Codes from, int[] indices, int size) {
    int[] labels = from.labels();
    if (config.grid().classes() == 0 || labels == null) {
      return null;
    }
    Tensor classes = pass.allocate(Shape.of(size), DataType.I32);
    int[] values = Arrays.stream(indices, 0, size).map(i -> labels[i]).toArray();
    classes.copyFrom(stream, MemorySegment.ofArray(values));
    return classes;
  }

  private void checkpoint() throws IOException {
    PriorCheckpoint.write(folder.checkpoint(), stream, prior, adam, progress);
  }

  private static void requireCodes(PriorConfig config, Codes codes) {
    PriorConfig.Grid grid = config.grid();
    if (codes.positions() != grid.positions()) {
      throw new IllegalArgumentException(
          "the codes are grids of " + codes.positions() + ", and the prior is for " + grid);
    }
    if (grid.classes() > 0 && codes.labels() == null) {
      throw new IllegalArgumentException("the images have no labels, so there are no classes");
    }
    if (grid.classes() > 0 && codes.classes() > grid.classes()) {
      throw new IllegalArgumentException(
          "there is a label " + (codes.classes() - 1) + ", and the prior is for " + grid);
    }
  }

  @Override
  public void close() {
    adam.close();
    prior.close();
    workspace.close();
    stream.close();
  }
}
