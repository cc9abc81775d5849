package dev.tessera.cli;

import static dev.tessera.cli.Outcome.refused;
import static dev.tessera.cli.Outcome.tessera;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tessera.data.Datasets;
import dev.tessera.data.SeenImages;
import dev.tessera.io.ImageFiles;
import dev.tessera.io.PixelImage;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code train-classifier} and {@code eval samples} as a user types them, on a short run. */
class JudgeCommandTest {
  @TempDir private static Path folder;
  private static Path run;
  private static Path judge;
  private static JsonNode trained;

  private static String prior(String name, int classes) {
    return """
    {
      "name": "%s", "kind": "pixelcnn",
      "grid": {"rows": 7, "columns": 7, "codes": 128, "classes": %d},
      "pixelcnn": {"gated": true, "hidden": 8, "layers": 1, "first_kernel": 5, "kernel": 3, "head": 16},
      "transformer": null,
      "training": {"batch": 256, "epochs": 1, "learning_rate": 0.003, "cosine": false,
        "adam_epsilon": 1e-8, "epsilon_hat": false, "patience": 0,
        "warm_up": 0, "weight_decay": 0, "clip_norm": 0}
    }
    """
        .formatted(name, classes);
  }

  private static final String CLASSIFIER =
      """
      {
        "name": "small", "image": {"height": 28, "width": 28, "channels": 1}, "classes": 10,
        "network": {"narrow": 4, "wide": 8, "features": 12},
        "training": {"batch": 100, "epochs": 1, "learning_rate": 0.01, "shift": 0}
      }
      """;

  private static Path file(String name, String content) throws IOException {
    Path file = folder.resolve(name);
    Files.writeString(file, content);
    return file;
  }

  @BeforeAll
  static void train() throws IOException {
    run = folder.resolve("run");
    assertEquals(0, tessera("train", "mnist", "--steps", 110, "--batch", 32, "--out", run).code());
    for (int classes : new int[] {10, 0}) {
      String name = classes == 0 ? "plain" : "classes";
      Path config = file(name + ".json", prior(name, classes));
      Outcome prior =
          classes == 0
              ? tessera("prior", run, "--config", config)
              : tessera("prior", run, "--config", config, "--classes");
      assertEquals(0, prior.code(), prior.err());
    }
    judge = folder.resolve("classifier-mnist");
    Path config = file("small.json", CLASSIFIER);
    Outcome outcome = tessera("train-classifier", config, "--out", judge, "--json");
    assertEquals(0, outcome.code(), outcome.err());
    trained = JsonMapper.shared().readTree(outcome.out());
    assertTrue(outcome.err().contains("epoch 1"), outcome.err());
  }

  @Test
  void trainingSaysHowManyItRecognises() throws IOException {
    assertEquals(9000, trained.get("train_images").asInt());
    assertEquals(1000, trained.get("held_out_images").asInt());
    assertEquals(90, trained.get("steps").asInt());
    double accuracy = trained.get("accuracy").asDouble();
    assertTrue(accuracy > 0.7 && accuracy <= 1, trained.toString());
    JsonNode kept =
        JsonMapper.shared().readTree(Files.readString(judge.resolve("classifier.json")));
    assertEquals(accuracy, kept.get("accuracy").asDouble());
    assertEquals("embedded", kept.get("data").get("source").asString());
  }

  @Test
  void samplesAreJudgedAndTheFiguresKept() throws IOException {
    Path prior = run.resolve("priors/classes");
    Outcome outcome =
        tessera(
            "eval",
            "samples",
            run,
            "--prior",
            "classes",
            "--samples",
            60,
            "--threads",
            2,
            "--json");
    assertEquals(0, outcome.code(), outcome.err());
    JsonNode json = JsonMapper.shared().readTree(outcome.out());
    assertEquals(60, json.get("samples").asInt());
    assertTrue(json.get("draws").get("top_k").isNull(), "all codes may be drawn");
    int right = 0;
    int all = 0;
    for (int a = 0; a < 10; a++) {
      int row = 0;
      for (int t = 0; t < 10; t++) {
        row += json.get("confusion").get(a).get(t).asInt();
      }
      assertEquals(6, row, "all classes are asked for alike");
      right += json.get("confusion").get(a).get(a).asInt();
      all += row;
      assertEquals(
          json.get("confusion").get(a).get(a).asInt() / 6.0,
          json.get("recognised_by_class").get(a).asDouble());
    }
    assertEquals((double) right / all, json.get("recognised").asDouble());
    assertEquals(trained.get("accuracy").asDouble(), json.get("held_out_recognised").asDouble());
    assertTrue(json.get("reconstructions_recognised").asDouble() > 0.3, outcome.out());
    assertEquals(12, json.get("features").asInt());
    assertSizes(json.get("frechet_samples"), 60, 1000);
    assertSizes(json.get("frechet_reconstructions"), 1000, 1000);
    assertSizes(json.get("frechet_held_out"), 60, 940);
    assertTrue(
        json.get("frechet_samples").get("squared").asDouble()
            > json.get("frechet_held_out").get("squared").asDouble(),
        outcome.out());
    assertEquals(
        json, JsonMapper.shared().readTree(Files.readString(prior.resolve("judged.json"))));
    PixelImage picture = ImageFiles.read(prior.resolve("judged.png"));
    assertEquals(50 * 30 - 2, picture.width());
    assertEquals(2 * 30 - 2, picture.height());
    assertEquals(60 - right, frames(picture));
    Outcome again =
        tessera(
            "eval",
            "samples",
            run,
            "--prior",
            "classes",
            "--samples",
            60,
            "--threads",
            1,
            "--json",
            "--classifier",
            judge,
            "--batch",
            7);
    assertEquals(outcome.out(), again.out(), "neither threads nor batch change a figure");
    Outcome other =
        tessera(
            "eval", "samples", run, "--prior", "classes", "--samples", 60, "--json", "--seed", 2);
    assertFalse(outcome.out().equals(other.out()));
  }

  private static void assertSizes(JsonNode distance, int images, int others) {
    assertEquals(images, distance.get("images").asInt());
    assertEquals(others, distance.get("others").asInt());
    assertTrue(distance.get("squared").asDouble() >= 0);
  }

  /** Images whose first row is red. */
  private static int frames(PixelImage picture) {
    int found = 0;
    for (int y = 0; y < picture.height(); y += 30) {
      for (int x = 0; x < picture.width(); x += 30) {
        boolean red = true;
        for (int i = 0; i < 28; i++) {
          int at = (y * picture.width() + x + i) * 3;
          red &=
              (picture.pixels()[at] & 255) == 255
                  && picture.pixels()[at + 1] == 0
                  && picture.pixels()[at + 2] == 0;
        }
        found += red ? 1 : 0;
      }
    }
    return found;
  }

  @Test
  void theTextNamesSizesAndWhatItIsNot() {
    Outcome outcome = tessera("eval", "samples", run, "--prior", "classes", "--samples", 30);
    assertEquals(0, outcome.code(), outcome.err());
    for (String words :
        List.of(
            "recognised as the class asked for",
            "of 30 samples",
            "class 9",
            "1,000 held-out images",
            "their reconstructions",
            "12 features",
            "not the FID",
            "30 against 1,000",
            "1,000 against 1,000",
            "30 against 970")) {
      assertTrue(outcome.out().contains(words), words + " is not in " + outcome.out());
    }
  }

  @Test
  void aPriorWithoutClassesHasDistancesAlone() throws IOException {
    Outcome outcome = tessera("eval", "samples", run, "--prior", "plain", "--samples", 30);
    assertEquals(0, outcome.code(), outcome.err());
    assertTrue(outcome.out().contains("without --classes"), outcome.out());
    assertFalse(outcome.out().contains("recognised as"), outcome.out());
    assertTrue(outcome.out().contains("30 against 1,000"), outcome.out());
    JsonNode json =
        JsonMapper.shared().readTree(Files.readString(run.resolve("priors/plain/judged.json")));
    assertTrue(json.get("recognised").isNull(), json.toString());
    assertTrue(json.get("held_out_recognised").asDouble() > 0.7, json.toString());
  }

  @Test
  void wrongInputGetsOneLineAndCodeTwo() throws IOException {
    Path nowhere = folder.resolve("nowhere");
    refused(List.of("RUN"), "eval", "samples");
    refused(List.of("not a folder"), "eval", "samples", nowhere);
    refused(List.of("behind"), "eval", "--threads", 1, "samples", run);
    refused(List.of("several priors", "plain"), "eval", "samples", run);
    refused(List.of("no prior other"), "eval", "samples", run, "--prior", "other");
    refused(
        List.of("nowhere", "train-classifier"),
        "eval",
        "samples",
        run,
        "--prior",
        "plain",
        "--classifier",
        nowhere);
    refused(List.of("--samples"), "eval", "samples", run, "--prior", "plain", "--samples", 1);
    refused(
        List.of("temperature"), "eval", "samples", run, "--prior", "plain", "--temperature", -1);
    refused(List.of("--threads"), "eval", "samples", run, "--prior", "plain", "--threads", 0);
    Path alone = folder.resolve("alone/run");
    copy(run, alone);
    refused(
        List.of("no classifier", "train-classifier mnist --out", "--classifier"),
        "eval",
        "samples",
        alone,
        "--prior",
        "plain");
    Path bare = folder.resolve("bare");
    copy(run, bare);
    deletePriors(bare);
    refused(List.of("no prior", "tessera prior"), "eval", "samples", bare);
    Path seen = folder.resolve("seen");
    copy(judge, seen);
    SeenImages.of(Datasets.embeddedDigits().heldOut()).write(seen.resolve("trained_on.npy"));
    refused(
        List.of("seen", "trained on 1000"),
        "eval",
        "samples",
        run,
        "--prior",
        "plain",
        "--classifier",
        seen);
    refused(List.of("minst", "mnist"), "train-classifier", "minst");
    refused(List.of("NAME"), "train-classifier");
    refused(List.of("nowhere"), "train-classifier", "mnist", "--data", nowhere);
    refused(List.of("already", "--out"), "train-classifier", "mnist", "--out", judge);
    refused(List.of("config.json", "already"), "train-classifier", "mnist", "--out", run);
    refused(List.of("training.epochs"), "train-classifier", "mnist", "--epochs", 0);
    refused(List.of("multiple of 4"), "train-classifier", "mnist", "--batch", 30);
    refused(List.of("fill a batch"), "train-classifier", "mnist", "--batch", 10_000);
    refused(List.of("--threads"), "train-classifier", "mnist", "--threads", 0);
    Path digits = folder.resolve("digits");
    Files.createDirectories(digits);
    for (int i = 0; i < 20; i++) {
      ImageFiles.writePng(digits.resolve(i + ".png"), Datasets.embeddedDigits().train().image(i));
    }
    refused(
        List.of("no labels"),
        "train-classifier",
        "mnist",
        "--data",
        digits,
        "--out",
        folder.resolve("x"));
    assertFalse(Files.exists(folder.resolve("x")), "nothing is left behind");
    Path wide = file("wide.json", CLASSIFIER.replace("\"width\": 28", "\"width\": 32"));
    refused(List.of("28x32x1"), "train-classifier", wide, "--out", folder.resolve("x"));
  }

  @Test
  void aClassifierOfOtherImagesIsRefused() throws IOException {
    Path data = Files.createDirectories(folder.resolve("small-images"));
    for (String part : List.of("train", "t10k")) {
      idx(data.resolve(part + "-images-idx3-ubyte"), new byte[40 * 12 * 12], 40, 12, 12);
      byte[] labels = new byte[40];
      for (int i = 0; i < labels.length; i++) {
        labels[i] = (byte) (i % 2);
      }
      idx(data.resolve(part + "-labels-idx1-ubyte"), labels, 40);
    }
    Path config =
        file("two.json", CLASSIFIER.replace("28", "12").replace("100", "20").replace("10,", "2,"));
    Path two = folder.resolve("two");
    Outcome outcome = tessera("train-classifier", config, "--data", data, "--out", two);
    assertEquals(0, outcome.code(), outcome.err());
    assertTrue(outcome.out().contains("recognises 50.00 % of the 40"), outcome.out());
    refused(
        List.of("12x12x1", "28"), "eval", "samples", run, "--prior", "plain", "--classifier", two);
  }

  /** Writes an IDX file of bytes. */
  private static void idx(Path file, byte[] bytes, int... sizes) throws IOException {
    ByteBuffer content = ByteBuffer.allocate(4 + 4 * sizes.length + bytes.length);
    content.putInt(0x0800 + sizes.length);
    for (int size : sizes) {
      content.putInt(size);
    }
    Files.write(file, content.put(bytes).array());
  }

  private static void copy(Path from, Path to) throws IOException {
    try (var files = Files.walk(from)) {
      for (Path file : files.toList()) {
        Path target = to.resolve(from.relativize(file).toString());
        if (Files.isDirectory(file)) {
          Files.createDirectories(target);
        } else {
          Files.copy(file, target);
        }
      }
    }
  }

  private static void deletePriors(Path of) throws IOException {
    try (var files = Files.walk(of.resolve("priors"))) {
      for (Path file : files.toList().reversed()) {
        Files.delete(file);
      }
    }
  }
}
