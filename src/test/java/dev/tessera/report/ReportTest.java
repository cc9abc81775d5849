package dev.tessera.report;

import static dev.tessera.report.ReportSamples.config;
import static dev.tessera.report.ReportSamples.images;
import static dev.tessera.report.ReportSamples.info;
import static dev.tessera.report.ReportSamples.log;
import static dev.tessera.report.ReportSamples.parse;
import static dev.tessera.report.ReportSamples.usage;
import static dev.tessera.report.ReportSamples.write;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tessera.model.VqVaeConfig;
import dev.tessera.train.CodeUsage;
import dev.tessera.train.MetricsLog;
import dev.tessera.train.RunFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

/** The whole page: it says everything, needs nothing from outside, and survives odd runs. */
class ReportTest {
  // Other digits, where a format asks for the default locale's.
  private static final Locale ARABIC = Locale.forLanguageTag("ar-EG-u-nu-arab");

  @TempDir private Path folder;

  @Test
  void everyFigureAndFactIsShown() throws IOException {
    Document page =
        parse(write(folder, VqVaeConfig.named("mnist"), info(), log(folder, 20, 1), 8, usage(128)));
    List<String> headline = texts(page, "dd").subList(0, 8);
    assertEquals(
        List.of(
            "0.0612",
            "22.13\u00a0dB",
            "0.9187",
            "29.3of 128",
            "76.6\u00a0%98 of 128",
            "0.0950",
            "1,235",
            "2,000"),
        headline);
    List<String> facts = texts(page, "td");
    for (String fact :
        List.of(
            "77",
            "cpu",
            "3",
            "0.1.0-test",
            "mnist-t10k",
            "embedded",
            "9,000 images",
            "1,000 images",
            "0.0880",
            "68b5d1681fe7…",
            "28×28 grey",
            "183,265",
            "7×7",
            "343 (18.3× fewer)",
            "128",
            "16",
            "moving averages",
            "0.25",
            "0.99",
            "10⁻⁵",
            "as k-means of data, after step 100",
            "128 images",
            "30 epochs",
            "0.001",
            "10⁻⁷, on the uncorrected root",
            "epoch")) {
      assertTrue(facts.contains(fact), fact);
    }
    assertEquals(List.of("mnist"), texts(page, "h1"));
    assertTrue(texts(page, "code").contains("./tessera train mnist --seed 77 --threads 3"));
    assertEquals(
        List.of(
            "Reconstructions", "Training", "Codebook", "Configuration", "Run it again", "Measures"),
        texts(page, "h2"));
    assertEquals(
        List.of(
            "Loss",
            "Reconstruction (NMSE)",
            "Quantiser’s loss",
            "Perplexity",
            "Usage, in %",
            "PSNR, in dB",
            "Choices of each code, most chosen first"),
        texts(page, "h3"));
  }

  @Test
  void aPriorHasItsCurveItsFloorsAndItsSamples() throws IOException {
    RunFolder run = new RunFolder(folder);
    MetricsLog log = log(folder, 3, 1);
    VqVaeConfig config = VqVaeConfig.named("mnist");
    Report.write(
        run, config, info(), log, List.of(), List.of(), usage(128), 1, ReportSamples.priors());
    Document page = parse(Files.readString(run.report()));
    assertTrue(texts(page, "h2").contains("Prior: pixelcnn"));
    List<String> keys = texts(page, "span");
    for (String key :
        List.of(
            "training 1.267",
            "held-out 1.310",
            "all codes alike 4.852",
            "frequencies at each place 2.207")) {
      assertTrue(keys.contains(key), key + " is not among " + keys);
    }
    List<String> captions = texts(page, "figcaption");
    assertTrue(captions.contains("epoch 1: 2.150 nats held-out"), captions::toString);
    assertTrue(captions.contains("epoch 15: 1.310 nats held-out"), captions::toString);
    NodeList pictures = page.getElementsByTagName("img");
    assertEquals(3, pictures.getLength());
    for (int i = 0; i < 3; i++) { // as they are, not shrunk
      assertEquals("298", ((Element) pictures.item(i)).getAttribute("width"));
    }
  }

  @Test
  void nothingIsFetchedAndNothingRuns() throws IOException {
    String page =
        write(folder, VqVaeConfig.named("mnist"), info(), log(folder, 20, 1), 8, usage(128));
    for (String forbidden : List.of("http", "//", "<script", "@import", "<iframe", "onload")) {
      // base64 may hold slashes
      String text = page.replaceAll("base64,[A-Za-z0-9+/=]*", "");
      assertFalse(text.contains(forbidden), forbidden);
    }
    assertEquals(16, count(page, "src=\""));
    assertEquals(16, count(page, "src=\"data:image/png;base64,"));
    assertEquals(count(page, "url("), count(page, "url(#"));
    assertEquals(count(page, "href=\""), count(page, "href=\"data:,"));
  }

  @Test
  void hostileNamesAreTextOnly() throws IOException {
    String hostile = "</title><script>alert('1')</script>\"&amp; \u0000\u001b[31m \ud800 &#x; ]]>";
    String shown = hostile.replace('\u0000', '\ufffd').replace('\u001b', '\ufffd');
    shown = shown.replace('\ud800', '\ufffd');
    String page =
        write(folder, config(hostile, 128), info(hostile, hostile), log(folder, 3, 1), 2, usage(9));
    assertFalse(page.contains("<script"));
    Document document = parse(page);
    assertEquals(List.of(shown), texts(document, "h1"));
    assertTrue(texts(document, "td").contains(shown));
    assertEquals(0, document.getElementsByTagName("script").getLength());
  }

  @Test
  void picturesStandInPairs() throws IOException {
    Document page =
        parse(write(folder, VqVaeConfig.named("mnist"), info(), log(folder, 2, 1), 3, usage(128)));
    NodeList pictures = page.getElementsByTagName("img");
    assertEquals(6, pictures.getLength());
    for (int i = 0; i < 6; i++) {
      Element picture = (Element) pictures.item(i);
      Thumbnail expected = Thumbnail.of(images(3, 28, 1, i % 2 == 0 ? 1 : 2).get(i / 2));
      assertEquals(expected.source(), picture.getAttribute("src"));
      assertEquals(
          i % 2 == 0 ? "Held-out image " + (i / 2 + 1) : "Its reconstruction",
          picture.getAttribute("alt"));
    }
  }

  @Test
  void originalsWithoutReconstructionsAreRefused() throws IOException {
    MetricsLog log = log(folder, 2, 1);
    VqVaeConfig config = VqVaeConfig.named("mnist");
    RunFolder run = new RunFolder(folder);
    assertThrows(
        IllegalArgumentException.class,
        () ->
            Report.write(
                run,
                config,
                info(),
                log,
                images(2, 28, 1, 1),
                List.of(),
                usage(128),
                1,
                List.of()));
  }

  @Test
  void aRunWithoutHeldOutImagesSaysSo() throws IOException {
    String text =
        write(
            folder,
            VqVaeConfig.named("mnist"),
            info(),
            log(folder, 1, 0),
            0,
            CodeUsage.of(new long[128]));
    Document page = parse(text);
    assertTrue(texts(page, "p").contains("No images were held out."));
    assertTrue(texts(page, "p").contains("No choices of codes were counted."));
    assertTrue(texts(page, "dt").contains("Training perplexity"));
    assertEquals(List.of("–", "–", "–", "31.5of 128"), texts(page, "dd").subList(0, 4));
    assertFalse(texts(page, "h3").contains("PSNR, in dB"));
  }

  @Test
  void anEmptyLogHasAPage() throws IOException {
    MetricsLog empty = new MetricsLog(folder.resolve("none.csv"));
    String text = write(folder, VqVaeConfig.named("mnist"), info(), empty, 0, usage(128));
    assertEquals("0", texts(parse(text), "dd").get(7));
    assertEquals(5, count(text, "No values were logged."));
  }

  @Test
  void valuesThatAreNotNumbersBecomeGaps() throws IOException {
    MetricsLog log = new MetricsLog(folder.resolve("odd.csv"));
    double[] values = {
      1, Double.NaN, 2, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, 0, -3, 1e300, 4e-9, 5
    };
    for (int i = 0; i < values.length; i++) {
      log.add(ReportSamples.row(i + 1, values[i], i % 2 == 0));
    }
    String text = write(folder, VqVaeConfig.named("mnist"), info(), log, 1, usage(128));
    parse(text);
    assertFalse(text.contains("NaN"));
    assertFalse(text.contains("Infinity"));
  }

  @Test
  void thousandsOfRowsStayLight() throws IOException {
    String text =
        write(folder, VqVaeConfig.named("mnist"), info(), log(folder, 20_000, 10), 0, usage(128));
    parse(text);
    assertTrue(text.length() < 400_000, text.length() + " characters");
    assertTrue(text.contains("50 of 20,000 rows"));
    assertTrue(text.contains("2,000,000"));
  }

  @Test
  void codebooksOfAnySizeAreDrawn() throws IOException {
    MetricsLog log = log(folder, 5, 1);
    for (int codes : new int[] {1, 2, 512, 513, 16_384}) {
      String text = write(folder, config("k", codes), info(), log, 0, usage(codes));
      assertTrue(text.length() < 250_000, codes + " codes: " + text.length() + " characters");
      int unused = codes / 4;
      List<String> keys = texts(parse(text), "span");
      String used = Numbers.count(codes - unused);
      assertTrue(keys.contains("chosen " + used + " of " + Numbers.count(codes)), keys.toString());
      assertTrue(keys.contains("never chosen " + Numbers.count(unused)), keys.toString());
    }
  }

  @Test
  void theSameRunGivesTheSameBytesInAnyLocale() throws IOException {
    MetricsLog log = log(folder, 20, 2);
    Locale before = Locale.getDefault();
    try {
      List<String> pages = new ArrayList<>();
      for (Locale locale : List.of(Locale.ROOT, Locale.ROOT, Locale.GERMANY, ARABIC)) {
        Locale.setDefault(locale);
        pages.add(write(folder, VqVaeConfig.named("sonnet-cifar10"), info(), log, 4, usage(512)));
      }
      for (String page : pages) {
        assertEquals(pages.getFirst(), page);
      }
    } finally {
      Locale.setDefault(before);
    }
  }

  private static List<String> texts(Document page, String tag) {
    NodeList nodes = page.getElementsByTagName(tag);
    List<String> texts = new ArrayList<>();
    for (int i = 0; i < nodes.getLength(); i++) {
      texts.add(nodes.item(i).getTextContent());
    }
    return texts;
  }

  private static int count(String text, String part) {
    return (text.length() - text.replace(part, "").length()) / part.length();
  }
}
