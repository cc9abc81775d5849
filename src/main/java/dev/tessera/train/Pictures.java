package dev.tessera.train;

import dev.tessera.data.ImageDataset;
import dev.tessera.device.Shape;
import dev.tessera.device.Stream;
import dev.tessera.device.Tensor;
import dev.tessera.device.Workspace;
import dev.tessera.io.PixelImage;
import dev.tessera.model.VqVae;
import dev.tessera.nn.Pass;
import dev.tessera.vq.Codebook;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Images next to what a model makes of them. */
public record Pictures(List<PixelImage> originals, List<PixelImage> reconstructions) {
  /** The first {@code count} images of {@code data} (or all, if there are fewer). */
  public static Pictures of(
      VqVae model, Stream stream, Workspace workspace, ImageDataset data, int count) {
    int n = Math.min(count, data.count());
    float[] pixels = new float[n * data.imageSize()];
    Pixels.read(data, 0, n, pixels);
    workspace.reset();
    Pass pass = new Pass(stream, workspace);
    Tensor x = pass.allocate(Shape.of(n, data.height(), data.width(), data.channels()));
    x.copyFrom(stream, pixels);
    Codebook book = model.quantizer().codebook();
    float[] made = model.decode(pass, book, model.encode(pass, book, x)).toFloats(stream);
    return new Pictures(images(pixels, data), images(made, data));
  }

  /** Images from pixels in the networks' range, clipped. */
  public static List<PixelImage> images(float[] pixels, ImageDataset like) {
    return images(pixels, like.height(), like.width(), like.channels());
  }

  /** Images from pixels in the networks' range, clipped. */
  public static List<PixelImage> images(float[] pixels, int height, int width, int channels) {
    byte[] bytes = Pixels.toBytes(pixels);
    int size = height * width * channels;
    List<PixelImage> images = new ArrayList<>();
    for (int at = 0; at < bytes.length; at += size) {
      images.add(new PixelImage(height, width, channels, Arrays.copyOfRange(bytes, at, at + size)));
    }
    return images;
  }
}
