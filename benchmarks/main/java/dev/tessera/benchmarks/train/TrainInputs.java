package dev.tessera.benchmarks.train;

import dev.tessera.device.Device;
import dev.tessera.device.Stream;
import dev.tessera.io.ElementType;
import dev.tessera.io.HostArray;
import dev.tessera.io.MalformedFileException;
import dev.tessera.io.Safetensors;
import dev.tessera.model.ModelFile;
import dev.tessera.model.VqVae;
import dev.tessera.model.VqVaeConfig.ImageConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What both sides of a case start from: the model's first weights as {@link ModelFile} lays them
 * out, and {@code images}, [N,H,W,C].
 */
public final class TrainInputs {
  private static final String IMAGES = "images";

  private TrainInputs() {}

  static void write(Device device, TrainCase test, Path file) throws IOException {
    Map<String, HostArray> tensors = new LinkedHashMap<>();
    Map<String, String> metadata = new LinkedHashMap<>();
    try (Stream stream = device.openStream(1);
        VqVae model = new VqVae(test.config(), stream, 1)) {
      ModelFile.collect(stream, model, tensors, metadata);
    }
    long[] shape = imageShape(test);
    tensors.put(IMAGES, HostArray.of(TrainImages.of(test, Math.toIntExact(shape[0])), shape));
    Safetensors.write(file, tensors, metadata);
  }

  /** The images of all batches, one batch after the other. */
  public static HostArray images(Safetensors file, TrainCase test) throws MalformedFileException {
    return file.get(IMAGES, ElementType.F32, imageShape(test));
  }

  private static long[] imageShape(TrainCase test) {
    ImageConfig image = test.config().image();
    long count = (long) test.batch() * StepCase.BATCHES;
    return new long[] {count, image.height(), image.width(), image.channels()};
  }
}
