package dev.tessera.report;

import dev.tessera.io.PixelImage;
import dev.tessera.model.VqVaeConfig;
import dev.tessera.train.CodeUsage;
import dev.tessera.train.Evaluation;
import dev.tessera.train.MetricsLog;
import dev.tessera.train.RunFolder;
import dev.tessera.train.RunInfo;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.w3c.dom.Document;
import org.xml.sax.ErrorHandler;
import org.xml.sax.InputSource;
import org.xml.sax.SAXException;
import org.xml.sax.SAXParseException;

/** Made-up runs for the tests of this package. */
final class ReportSamples {
  private ReportSamples() {}

  static RunInfo info() {
    return info("embedded", "mnist-t10k");
  }

  static RunInfo info(String source, String name) {
    return new RunInfo(
        "0.1.0-test",
        77,
        "cpu",
        3,
        0.0879721,
        new RunInfo.DataInfo(source, name, "68b5d1681fe7f373d8d614e97a2db07a", 9000, 1000));
  }

  static VqVaeConfig config(String name, int codes) {
    VqVaeConfig c = VqVaeConfig.named("keras-mnist");
    VqVaeConfig.QuantizerConfig q = c.quantizer();
    return new VqVaeConfig(
        name,
        c.image(),
        c.network(),
        new VqVaeConfig.QuantizerConfig(
            codes,
            q.dim(),
            q.mode(),
            q.commitment(),
            q.decay(),
            q.epsilon(),
            q.init(),
            q.initStep()),
        c.training());
  }

  /** A log whose every {@code evaluateEvery}th row has figures of a held-out set; 0 for none. */
  static MetricsLog log(Path folder, int rows, int evaluateEvery) throws IOException {
    StringBuilder csv = new StringBuilder();
    csv.append("step,loss,recon,vq,perplexity,usage,heldout_loss,heldout_recon,heldout_vq,");
    csv.append("heldout_perplexity,heldout_usage,heldout_psnr,heldout_ssim,images_per_second\n");
    for (int i = 1; i <= rows; i++) {
      double recon = 0.05 + 0.9 / i;
      csv.append(100 * i).append(',').append(recon + 0.01).append(',').append(recon);
      csv.append(",0.01,").append(31.5).append(',').append(0.8125);
      boolean heldOut = evaluateEvery > 0 && i % evaluateEvery == 0;
      csv.append(heldOut ? ",0.07123,0.06123,0.0104,29.25,0.765625,22.125,0.9187" : ",,,,,,,");
      csv.append(",1234.5\n");
    }
    Path file = folder.resolve("sample.csv");
    Files.writeString(file, csv);
    return MetricsLog.read(file);
  }

  static MetricsLog.Row row(long step, double value, boolean heldOut) {
    Evaluation.Result result =
        heldOut ? new Evaluation.Result(value, value, value, value, value, value, value) : null;
    return new MetricsLog.Row(step, value, value, value, value, value, result, value);
  }

  static List<PixelImage> images(int count, int side, int channels, long seed) {
    Random random = new Random(seed);
    List<PixelImage> images = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      byte[] pixels = new byte[side * side * channels];
      random.nextBytes(pixels);
      images.add(new PixelImage(side, side, channels, pixels));
    }
    return images;
  }

  /** Counts that fall off, with every fourth code unused. */
  static CodeUsage usage(int codes) {
    long[] counts = new long[codes];
    for (int k = 0; k < codes; k++) {
      counts[k] = k % 4 == 3 ? 0 : 1 + 5000 / (k + 1);
    }
    return CodeUsage.of(counts);
  }

  static String write(
      Path folder, VqVaeConfig config, RunInfo info, MetricsLog log, int pictures, CodeUsage usage)
      throws IOException {
    RunFolder run = new RunFolder(folder);
    List<PixelImage> originals = images(pictures, 28, 1, 1);
    List<PixelImage> reconstructions = images(pictures, 28, 1, 2);
    Report.write(run, config, info, log, originals, reconstructions, usage, 183_265, List.of());
    return Files.readString(run.report());
  }

  /** Parses a page as XML, without anything from outside of it. */
  static Document parse(String page) {
    try {
      DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
      factory.setFeature("http://apache.org/xml/features/nonvalidating/load-external-dtd", false);
      var builder = factory.newDocumentBuilder();
      builder.setErrorHandler(new Strict());
      return builder.parse(new InputSource(new StringReader(page)));
    } catch (ParserConfigurationException | SAXException | IOException e) {
      throw new AssertionError("the page is not well-formed", e);
    }
  }

  private static final class Strict implements ErrorHandler {
    @Override
    public void warning(SAXParseException e) throws SAXParseException {
      throw e;
    }

    @Override
    public void error(SAXParseException e) throws SAXParseException {
      throw e;
    }

    @Override
    public void fatalError(SAXParseException e) throws SAXParseException {
      throw e;
    }
  }

  /** One prior of 15 epochs, with samples of two of them. */
  static List<PriorFigures> priors() {
    List<PriorFigures.Epoch> epochs = new ArrayList<>();
    for (int i = 1; i <= 15; i++) {
      epochs.add(new PriorFigures.Epoch(i, 71L * i, 1.2 + 1.0 / i, 1.25 + 0.9 / i));
    }
    PixelImage picture = images(1, 298, 1, 3).getFirst();
    return List.of(
        new PriorFigures(
            "pixelcnn",
            "A PixelCNN.",
            epochs,
            4.852,
            2.207,
            List.of(new PriorFigures.Sample(1, picture), new PriorFigures.Sample(15, picture)),
            picture));
  }
}
