package dev.tessera.cli;

import dev.tessera.data.ImageDataset;
import dev.tessera.device.DataType;
import dev.tessera.device.Device;
import dev.tessera.device.Shape;
import dev.tessera.device.Stream;
import dev.tessera.device.Tensor;
import dev.tessera.device.Workspace;
import dev.tessera.io.PixelImage;
import dev.tessera.model.ModelFile;
import dev.tessera.model.VqVae;
import dev.tessera.model.VqVaeConfig;
import dev.tessera.nn.Pass;
import dev.tessera.prior.Codes;
import dev.tessera.train.Pictures;
import dev.tessera.train.Pixels;
import dev.tessera.train.RunFolder;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** A run's autoencoder, for turning many images into codes and codes into images. */
final class RunModel implements AutoCloseable {
  private static final int BATCH = 128;

  private final VqVaeConfig config;
  private final Stream stream;
  private final Workspace workspace;
  private final Pass pass;
  private final VqVae model;

  RunModel(RunFolder folder, Device device, int threads) throws IOException {
    this.config = folder.readConfig();
    this.stream = device.openStream(threads);
    this.workspace = new Workspace(device, 0);
    this.pass = new Pass(stream, workspace);
    this.model = new VqVae(config, stream, 0);
    try {
      ModelFile.restore(folder.model(), stream, model);
    } catch (IOException | RuntimeException e) {
      close();
      throw e;
    }
  }

  VqVaeConfig config() {
    return config;
  }

  long parameters() {
    return model.parameters().count();
  }

  /** The codes and labels of all images. */
  Codes encode(ImageDataset images) {
    int positions = config.gridHeight() * config.gridWidth();
    int[] values = new int[Math.multiplyExact(images.count(), positions)];
    for (int from = 0; from < images.count(); from += BATCH) {
      int size = Math.min(BATCH, images.count() - from);
      float[] pixels = new float[size * images.imageSize()];
      Pixels.read(images, from, size, pixels);
      int[] codes = encode(pixels, size);
      System.arraycopy(codes, 0, values, from * positions, codes.length);
    }
    int[] labels = null;
    if (images.hasLabels()) {
      labels = new int[images.count()];
      for (int i = 0; i < labels.length; i++) {
        labels[i] = images.label(i);
      }
    }
    return new Codes(images.count(), positions, values, labels);
  }

  /** The codes of {@code count} images in the networks' range. */
  int[] encode(float[] pixels, int count) {
    VqVaeConfig.ImageConfig image = config.image();
    workspace.reset();
    Tensor x = pass.allocate(Shape.of(count, image.height(), image.width(), image.channels()));
    x.copyFrom(stream, pixels);
    return model.encode(pass, model.quantizer().codebook(), x).toInts(stream);
  }

  /** The images of codes {@code [count,H,W]}. */
  List<PixelImage> decode(int[] codes) {
    int positions = config.gridHeight() * config.gridWidth();
    List<PixelImage> images = new ArrayList<>();
    for (int from = 0; from < codes.length; from += BATCH * positions) {
      int[] part =
          Arrays.copyOfRange(codes, from, Math.min(from + BATCH * positions, codes.length));
      workspace.reset();
      Tensor z =
          pass.allocate(
              Shape.of(part.length / positions, config.gridHeight(), config.gridWidth()),
              DataType.I32);
      z.copyFrom(stream, MemorySegment.ofArray(part));
      float[] pixels = model.decode(pass, model.quantizer().codebook(), z).toFloats(stream);
      VqVaeConfig.ImageConfig image = config.image();
      images.addAll(Pictures.images(pixels, image.height(), image.width(), image.channels()));
    }
    return images;
  }

  @Override
  public void close() {
    model.close();
    workspace.close();
    stream.close();
  }
}
