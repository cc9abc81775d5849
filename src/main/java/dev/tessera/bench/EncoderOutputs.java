package dev.tessera.bench;

import dev.tessera.data.DatasetSplit;
import dev.tessera.data.Datasets;
import dev.tessera.data.ImageDataset;
import dev.tessera.data.Philox;
import dev.tessera.device.Device;
import dev.tessera.device.Shape;
import dev.tessera.device.Stream;
import dev.tessera.device.Tensor;
import dev.tessera.device.Workspace;
import dev.tessera.model.ModelFile;
import dev.tessera.model.VqVae;
import dev.tessera.nn.Pass;
import dev.tessera.nn.RandomStreams;
import dev.tessera.train.Pixels;
import java.io.IOException;
import java.util.Arrays;

/**
 * What a run's encoder makes of the embedded digits, in random order; once all are used, of the
 * same digits moved by a few pixels.
 */
final class EncoderOutputs implements AutoCloseable {
  private static final int BATCH = 100;
  private static final int MOST_SHIFT = 4; // pixels; digits have a margin of four
  private static final int MOST_ROUNDS = 64; // of all digits

  private final DatasetSplit digits = Datasets.embeddedDigits();
  private final int train = digits.train().count();
  private final int images = train + digits.heldOut().count();
  private final Device device;
  private final Stream stream;
  private final Workspace workspace;
  private final VqVae model;
  private final Philox random;
  private int roundsDone; // in which all digits were encoded

  EncoderOutputs(TrainedRun run, long seed) throws IOException {
    this.device = Device.open("cpu");
    this.stream = device.openStream(Runtime.getRuntime().availableProcessors());
    this.workspace = new Workspace(device, 0);
    this.model = new VqVae(run.config(), stream, 0);
    this.random = new Philox(seed, RandomStreams.BENCHMARK, 6);
    try {
      ModelFile.restore(run.folder().model(), stream, model);
    } catch (IOException | RuntimeException e) {
      close();
      throw e;
    }
  }

  /**
   * Encodes until there are {@code wanted} different vectors.
   *
   * @throws IllegalArgumentException if the digits do not give so many
   */
  DistinctRows collect(int wanted) {
    int d = model.config().quantizer().dim();
    DistinctRows rows = new DistinctRows(d, wanted);
    int[] order = new int[images];
    Arrays.setAll(order, i -> i);
    for (int round = 0; round < MOST_ROUNDS; round++) {
      random.shuffle(order);
      for (int from = 0; from < images && rows.count() < wanted; from += BATCH) {
        add(order, from, Math.min(BATCH, images - from), round > 0, rows);
      }
      if (rows.count() >= wanted) {
        return rows;
      }
      roundsDone = round + 1;
    }
    throw new IllegalArgumentException(
        "the encoder gives " + rows.count() + " different vectors, and " + wanted + " are wanted");
  }

  /** What is to be said of the images, or nothing. */
  String note() {
    return roundsDone == 0
        ? ""
        : " ("
            + roundsDone
            + " rounds of all digits, after the first moved by up to "
            + MOST_SHIFT
            + " pixels)";
  }

  /** The run's codes [K,D]. */
  float[] codes() {
    Shape shape = Shape.of(model.config().quantizer().codes(), model.config().quantizer().dim());
    try (Tensor codes = device.allocate(shape)) {
      model.quantizer().codebook().read(stream, codes);
      return codes.toFloats(stream);
    }
  }

  private void add(int[] order, int from, int count, boolean moved, DistinctRows rows) {
    ImageDataset like = digits.train();
    int size = like.imageSize();
    float[] pixels = new float[count * size];
    float[] one = new float[size];
    for (int i = 0; i < count; i++) {
      int image = order[from + i];
      boolean seen = image < train;
      Pixels.read(seen ? digits.train() : digits.heldOut(), seen ? image : image - train, 1, one);
      if (moved) {
        move(one, like.width(), shift(), shift(), pixels, i * size);
      } else {
        System.arraycopy(one, 0, pixels, i * size, size);
      }
    }
    workspace.reset();
    Pass pass = new Pass(stream, workspace);
    Tensor x = pass.allocate(Shape.of(count, like.height(), like.width(), like.channels()));
    x.copyFrom(stream, pixels);
    float[] z = model.embed(pass, x).toFloats(stream);
    int d = model.config().quantizer().dim();
    for (int at = 0; at < z.length; at += d) {
      rows.add(z, at);
    }
  }

  private int shift() {
    return random.nextInt(2 * MOST_SHIFT + 1) - MOST_SHIFT;
  }

  // Copies an image of one channel, moved; what comes in at the edges is the background.
  private static void move(float[] image, int width, int dx, int dy, float[] to, int at) {
    int height = image.length / width;
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        boolean inside = x >= dx && x < width + dx && y >= dy && y < height + dy;
        to[at + y * width + x] = inside ? image[(y - dy) * width + x - dx] : -Pixels.OFFSET;
      }
    }
  }

  @Override
  public void close() {
    model.close();
    workspace.close();
    stream.close();
    device.close();
  }
}
