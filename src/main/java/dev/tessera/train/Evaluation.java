package dev.tessera.train;

import dev.tessera.data.ImageDataset;
import dev.tessera.device.DataType;
import dev.tessera.device.Shape;
import dev.tessera.device.Stream;
import dev.tessera.device.Tensor;
import dev.tessera.device.Workspace;
import dev.tessera.model.VqVae;
import dev.tessera.nn.Pass;
import dev.tessera.vq.Codebook;
import java.util.Arrays;

/** Measures a model on a whole set of images; nothing is learned. */
public final class Evaluation {
  private static final int BATCH = 100;

  private Evaluation() {}

  /**
   * Figures over a whole set.
   *
   * @param loss {@code nmse + vq}
   * @param nmse mean squared error over the training set's variance; pixels not clipped
   * @param vq the quantiser's loss
   * @param perplexity exp of the entropy of the codes' shares
   * @param usage share of codes chosen at least once
   * @param psnr mean over images, in dB, range 1, pixels clipped to the range
   * @param ssim mean over images, 11x11 Gaussian window of sigma 1.5, range 1, pixels clipped
   */
  public record Result(
      double loss,
      double nmse,
      double vq,
      double perplexity,
      double usage,
      double psnr,
      double ssim) {}

  /** Result, and how often each code was chosen. */
  public record Full(Result result, CodeUsage usage) {}

  /**
   * Encodes, quantises and decodes every image of {@code data}.
   *
   * @param variance of the training set's pixels
   */
  public static Full run(
      VqVae model, Stream stream, Workspace workspace, ImageDataset data, double variance) {
    int size = data.imageSize();
    ImageQuality quality = new ImageQuality(data.height(), data.width(), data.channels());
    CodeUsage usage = new CodeUsage(model.config().quantizer().codes());
    double squared = 0;
    double vqSquared = 0;
    long vqElements = 0;
    double psnr = 0;
    double ssim = 0;
    float[] originals = new float[BATCH * size];
    Pass pass = new Pass(stream, workspace);
    for (int from = 0; from < data.count(); from += BATCH) {
      int n = Math.min(BATCH, data.count() - from);
      workspace.reset();
      float[] batch = n == BATCH ? originals : Arrays.copyOf(originals, n * size);
      Pixels.read(data, from, n, batch);
      Tensor x = pass.allocate(Shape.of(n, data.height(), data.width(), data.channels()));
      x.copyFrom(stream, batch);
      Tensor z = model.embed(pass, x);
      Codebook book = model.quantizer().codebook();
      Tensor codes = pass.allocate(z.shape().withoutLast(), DataType.I32);
      Tensor error = pass.allocate(Shape.of(1), DataType.F64);
      book.quantize(stream, z, codes, null, error, null, null);
      vqSquared += error.toDouble(stream);
      vqElements += z.shape().elements();
      usage.add(codes.toInts(stream));
      float[] made = model.decode(pass, book, codes).toFloats(stream);
      for (int i = 0; i < made.length; i++) {
        double e = (double) made[i] - batch[i];
        squared += e * e;
      }
      Pixels.toUnit(batch);
      Pixels.toUnit(made);
      for (int i = 0; i < n; i++) {
        psnr += quality.psnr(batch, made, i * size);
        ssim += quality.ssim(batch, made, i * size);
      }
    }
    double nmse = squared / ((double) data.count() * size) / variance;
    double vq = model.quantizer().loss(vqSquared / vqElements);
    Result result =
        new Result(
            nmse + vq,
            nmse,
            vq,
            usage.perplexity(),
            usage.usage(),
            psnr / data.count(),
            ssim / data.count());
    return new Full(result, usage);
  }
}
