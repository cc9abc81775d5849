package dev.tessera.judge;

import dev.tessera.data.BatchOptions;
import dev.tessera.data.DatasetSplit;
import dev.tessera.data.EpochOrder;
import dev.tessera.data.ImageDataset;
import dev.tessera.data.Philox;
import dev.tessera.data.PixelScaler;
import dev.tessera.data.SeenImages;
import dev.tessera.device.DataType;
import dev.tessera.device.Device;
import dev.tessera.device.Shape;
import dev.tessera.device.Stream;
import dev.tessera.device.Tensor;
import dev.tessera.device.Workspace;
import dev.tessera.io.Json;
import dev.tessera.nn.Ops;
import dev.tessera.nn.Parameter;
import dev.tessera.nn.Pass;
import dev.tessera.nn.RandomStreams;
import dev.tessera.train.Adam;
import dev.tessera.train.DivergedException;
import dev.tessera.train.Pixels;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Trains a {@link Classifier}. The same seed and data give the same weights, bit for bit, for any
 * number of threads: a batch always goes in {@link #PARTS} parts, each with a network and a stream
 * of one thread of its own, and the parts' gradients are added in their order. Training takes a
 * minute or two, so nothing is kept to go on from.
 */
public final class ClassifierTrainer implements AutoCloseable {
  /** Parts of a batch, and the most threads that are of use. */
  public static final int PARTS = 4;

  private static final double ADAM_EPSILON = 1e-8;

  private final ClassifierConfig config;
  private final long seed;
  private final DatasetSplit data;
  private final Stream stream; // for what is done once a step: sums, Adam, copies
  private final List<Part> parts = new ArrayList<>();
  private final Adam adam;
  private final Classifier classifier;
  private final ExecutorService workers;

  /** Watches the training. */
  public interface Listener {
    /**
     * After each epoch.
     *
     * @param nats mean loss of the epoch's images, while the weights moved
     * @param heldOut figures of the held-out images; nothing is chosen by them
     */
    void epoch(int epoch, double nats, Classifier.Score heldOut, double imagesPerSecond);
  }

  /**
   * A trainer of a new classifier.
   *
   * @param threads CPU threads, at least 1; they change nothing but the speed
   * @throws IllegalArgumentException if the images do not fit the configuration, have no labels, or
   *     do not fill a batch
   */
  public ClassifierTrainer(
      ClassifierConfig config, long seed, DatasetSplit data, Device device, int threads) {
    config.requireLabelledImages(data.train());
    config.requireLabelledImages(data.heldOut());
    if (data.train().count() < config.training().batch()) {
      throw new IllegalArgumentException(
          data.train() + " does not fill a batch of " + config.training().batch());
    }
    if (threads < 1) {
      throw new IllegalArgumentException("threads must be at least 1, not " + threads);
    }
    this.config = config;
    this.seed = seed;
    this.data = data;
    this.stream = device.openStream(threads);
    for (int i = 0; i < PARTS; i++) {
      parts.add(new Part(device));
    }
    ClassifierNetwork network = parts.getFirst().network;
    this.adam =
        new Adam(
            stream, network.parameters(), config.training().learningRate(), ADAM_EPSILON, false);
    this.classifier = new Classifier(config, network, false, device, threads);
    this.workers = Executors.newFixedThreadPool(Math.min(threads, PARTS));
  }

  /** What works on one part of each batch. */
  private final class Part {
    private final Stream own;
    private final Workspace workspace;
    private final Pass pass;
    private final ClassifierNetwork network;
    private final float[] image = new float[data.train().imageSize()];

    Part(Device device) {
      own = device.openStream(1);
      workspace = new Workspace(device, 1 << 20);
      pass = new Pass(own, workspace);
      network = new ClassifierNetwork(config, own, seed);
    }

    /** Forward and backward over images {@code [from, to)} of a batch; returns their mean loss. */
    double step(int[] indices, int from, int to, long step) {
      ImageDataset images = data.train();
      workspace.reset();
      float[] pixels = new float[(to - from) * images.imageSize()];
      int[] labels = new int[to - from];
      for (int i = from; i < to; i++) {
        Pixels.read(images, indices[i], 1, image);
        Philox random = new Philox(seed, RandomStreams.SHIFT, step * config.training().batch() + i);
        int most = config.training().shift();
        Shift.write(
            image,
            images.height(),
            images.width(),
            images.channels(),
            random.nextInt(2 * most + 1) - most,
            random.nextInt(2 * most + 1) - most,
            PixelScaler.CENTRED, // black
            pixels,
            (i - from) * images.imageSize());
        labels[i - from] = images.label(indices[i]);
      }
      Tensor x =
          pass.allocate(
              Shape.of(labels.length, images.height(), images.width(), images.channels()));
      x.copyFrom(own, pixels);
      Tensor targets = pass.allocate(Shape.of(labels.length), DataType.I32);
      targets.copyFrom(own, MemorySegment.ofArray(labels));
      Tensor logits = network.forward(pass, x);
      Tensor loss = pass.allocate(Shape.of(1), DataType.F64);
      Ops.softmaxCrossEntropy(own, 1.0 / PARTS, logits, targets, loss, logits);
      network.backward(pass, logits);
      return loss.toDouble(own); // waits for all of the part's work
    }

    void close() {
      network.close();
      workspace.close();
      own.close();
    }
  }

  /** Number of trainable values. */
  public long parameterCount() {
    return parts.getFirst().network.parameters().count();
  }

  /** Steps of the whole training. */
  public long totalSteps() {
    return config.training().epochs() * stepsPerEpoch();
  }

  /** The classifier as it is now; it ends with this trainer. */
  public Classifier classifier() {
    return classifier;
  }

  private BatchOptions batches() {
    return BatchOptions.training(config.training().batch(), seed);
  }

  private long stepsPerEpoch() {
    return batches().stepsPerEpoch(data.train().count());
  }

  /**
   * Trains from the first step to the last.
   *
   * @return figures of the held-out images at the end
   * @throws DivergedException if the loss is no longer finite
   */
  public Classifier.Score run(Listener listener) {
    EpochOrder order = new EpochOrder(data.train().count(), batches());
    int[] indices = new int[config.training().batch()];
    Classifier.Score score = null;
    for (int epoch = 1; epoch <= config.training().epochs(); epoch++) {
      long begin = System.nanoTime();
      double nats = 0;
      for (long i = 0; i < stepsPerEpoch(); i++) {
        order.indicesOf(adam.step(), indices);
        nats += step(indices);
      }
      double seconds = (System.nanoTime() - begin) / 1e9;
      score = classifier.score(data.heldOut());
      listener.epoch(
          epoch,
          nats / stepsPerEpoch(),
          score,
          stepsPerEpoch() * config.training().batch() / seconds);
    }
    if (score == null) {
      throw new AssertionError("the configuration demands an epoch");
    }
    return score;
  }

  /** One step on these images; returns their mean loss before it. */
  double step(int[] indices) {
    long step = adam.step();
    adam.learningRate(
        config.training().learningRate()
            * 0.5
            * (1 + StrictMath.cos(StrictMath.PI * step / totalSteps())));
    double nats = gradients(indices, step);
    if (!Double.isFinite(nats)) {
      throw new DivergedException(step + 1, "the loss is " + nats);
    }
    adam.step(stream);
    List<Parameter> first = parameters(0);
    for (int part = 1; part < PARTS; part++) {
      List<Parameter> other = parameters(part);
      for (int p = 0; p < first.size(); p++) {
        stream.copy(other.get(p).value(), first.get(p).value());
      }
    }
    stream.synchronize();
    return nats;
  }

  /** The batch's mean loss; the first part's network then has its gradients. */
  double gradients(int[] indices, long step) {
    double nats = forwardAndBackward(indices, step);
    List<Parameter> first = parameters(0);
    for (int part = 1; part < PARTS; part++) {
      List<Parameter> other = parameters(part);
      for (int p = 0; p < first.size(); p++) {
        Tensor sum = first.get(p).gradient();
        Ops.add(stream, sum, other.get(p).gradient(), sum);
      }
    }
    return nats;
  }

  /** What is trained. */
  ClassifierNetwork network() {
    return parts.getFirst().network;
  }

  private double forwardAndBackward(int[] indices, long step) {
    int size = indices.length / PARTS;
    List<Callable<Double>> tasks = new ArrayList<>();
    for (int i = 0; i < PARTS; i++) {
      Part part = parts.get(i);
      int from = i * size;
      tasks.add(() -> part.step(indices, from, from + size, step));
    }
    try {
      double nats = 0;
      for (Future<Double> done : workers.invokeAll(tasks)) {
        nats += Parallel.result(done) / PARTS;
      }
      return nats;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while a batch was computed", e);
    }
  }

  private List<Parameter> parameters(int part) {
    return List.copyOf(parts.get(part).network.parameters().byName().values());
  }

  /** Writes the classifier; {@code classifier.json} comes last. */
  public void write(ClassifierFolder folder, ClassifierInfo info) throws IOException {
    SeenImages.of(data.train()).write(folder.trainedOn());
    parts.getFirst().network.write(folder.model(), stream);
    Json.write(folder.config(), config);
    Json.write(folder.info(), info);
  }

  @Override
  public void close() {
    workers.close();
    classifier.close();
    adam.close();
    parts.forEach(Part::close);
    stream.close();
  }
}
