package dev.tessera.judge;

import dev.tessera.data.ImageDataset;
import dev.tessera.device.Device;
import dev.tessera.device.Shape;
import dev.tessera.device.Stream;
import dev.tessera.device.Tensor;
import dev.tessera.device.Workspace;
import dev.tessera.nn.Pass;
import dev.tessera.train.Pixels;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Says which class images look like. Images go in pieces of a fixed number through streams of one
 * thread, so the answer is the same bits for any number of threads.
 */
public final class Classifier implements AutoCloseable {
  private static final int PIECE = 64;

  private final ClassifierConfig config;
  private final ClassifierNetwork network;
  private final boolean ownsNetwork;
  private final List<Worker> workers = new ArrayList<>();

  private record Worker(Stream stream, Workspace workspace) {}

  /**
   * Opens a trained classifier.
   *
   * @param threads that work at the same time, at least 1
   * @throws dev.tessera.io.MalformedFileException if the folder does not hold one
   */
  public static Classifier open(ClassifierFolder folder, Device device, int threads)
      throws IOException {
    folder.open();
    ClassifierConfig config = folder.readConfig();
    try (Stream stream = device.openStream(1)) {
      ClassifierNetwork network = new ClassifierNetwork(config, stream, 0);
      try {
        network.restore(folder.model(), stream);
        stream.synchronize();
        return new Classifier(config, network, true, device, threads);
      } catch (IOException | RuntimeException e) {
        network.close();
        throw e;
      }
    }
  }

  /** A classifier with the weights that {@code network} has whenever it is asked. */
  Classifier(
      ClassifierConfig config,
      ClassifierNetwork network,
      boolean ownsNetwork,
      Device device,
      int threads) {
    if (threads < 1) {
      throw new IllegalArgumentException("threads must be at least 1, not " + threads);
    }
    this.config = config;
    this.network = network;
    this.ownsNetwork = ownsNetwork;
    for (int i = 0; i < threads; i++) {
      workers.add(new Worker(device.openStream(1), new Workspace(device, 0)));
    }
  }

  /** Its configuration. */
  public ClassifierConfig config() {
    return config;
  }

  /**
   * What it makes of a set of images.
   *
   * @param classes the likeliest class of each image; of equally likely ones the lowest
   * @param features {@code [N,F]}, what the layer before the logits gives
   * @param logProbabilities {@code [N,K]}, the natural logarithm of the classes' probabilities
   */
  @SuppressWarnings("ArrayRecordComponent") // large, and never compared
  public record Answer(int[] classes, float[] features, double[] logProbabilities) {}

  /**
   * Classifies all images of a set; labels are not looked at.
   *
   * @throws IllegalArgumentException if their size is not what the classifier is for
   */
  public Answer classify(ImageDataset images) {
    config.requireImages(images);
    int count = images.count();
    Answer answer =
        new Answer(
            new int[count],
            new float[Math.multiplyExact(count, config.network().features())],
            new double[Math.multiplyExact(count, config.classes())]);
    int pieces = (count + PIECE - 1) / PIECE;
    List<Future<?>> parts = new ArrayList<>();
    try (ExecutorService pool = Executors.newFixedThreadPool(workers.size())) {
      for (int w = 0; w < workers.size(); w++) {
        int first = w;
        parts.add(
            pool.submit(
                () -> {
                  for (int piece = first; piece < pieces; piece += workers.size()) {
                    classify(images, piece * PIECE, workers.get(first), answer);
                  }
                }));
      }
    }
    parts.forEach(Parallel::result);
    return answer;
  }

  private void classify(ImageDataset images, int from, Worker worker, Answer answer) {
    int size = Math.min(PIECE, images.count() - from);
    float[] pixels = new float[size * images.imageSize()];
    Pixels.read(images, from, size, pixels);
    worker.workspace().reset();
    Pass pass = new Pass(worker.stream(), worker.workspace());
    Tensor x = pass.allocate(Shape.of(size, images.height(), images.width(), images.channels()));
    x.copyFrom(worker.stream(), pixels);
    ClassifierNetwork.Output output = network.infer(pass, x);
    float[] features = output.features().toFloats(worker.stream());
    System.arraycopy(
        features, 0, answer.features(), from * config.network().features(), features.length);
    float[] logits = output.logits().toFloats(worker.stream());
    for (int i = 0; i < size; i++) {
      answer.classes()[from + i] = logSoftmax(logits, i, answer.logProbabilities(), from + i);
    }
  }

  // Row i of the logits to row n of the logarithms; returns the first largest one's place.
  private int logSoftmax(float[] logits, int i, double[] logarithms, int n) {
    int classes = config.classes();
    int best = 0;
    for (int c = 1; c < classes; c++) {
      if (logits[i * classes + c] > logits[i * classes + best]) {
        best = c;
      }
    }
    double most = logits[i * classes + best];
    double sum = 0;
    for (int c = 0; c < classes; c++) {
      sum += Math.exp(logits[i * classes + c] - most);
    }
    for (int c = 0; c < classes; c++) {
      logarithms[n * classes + c] = logits[i * classes + c] - most - Math.log(sum);
    }
    return best;
  }

  /** How well it does on labelled images. */
  public record Score(Confusion confusion, double nats) {}

  /**
   * Measures it on labelled images.
   *
   * @throws IllegalArgumentException if they have no labels, other labels, or another size
   */
  public Score score(ImageDataset images) {
    config.requireLabelledImages(images);
    Answer answer = classify(images);
    int[] labels = labels(images);
    double nats = 0;
    for (int i = 0; i < labels.length; i++) {
      nats -= answer.logProbabilities()[i * config.classes() + labels[i]];
    }
    return new Score(
        Confusion.of(config.classes(), labels, answer.classes()), nats / labels.length);
  }

  static int[] labels(ImageDataset images) {
    int[] labels = new int[images.count()];
    for (int i = 0; i < labels.length; i++) {
      labels[i] = images.label(i);
    }
    return labels;
  }

  @Override
  public void close() {
    for (Worker worker : workers) {
      worker.workspace().close();
      worker.stream().close();
    }
    if (ownsNetwork) {
      network.close();
    }
  }
}
