package dev.tessera.cli;

import static dev.tessera.cli.Outcome.refused;
import static dev.tessera.cli.Outcome.tessera;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tessera.io.HostArray;
import dev.tessera.io.ImageFiles;
import dev.tessera.io.Npy;
import dev.tessera.io.PixelImage;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code prior} and {@code sample} as a user types them, on a short run. */
class PriorCommandTest {
  @TempDir private static Path folder;
  private static Path run;

  /** A network that is small enough for a test. */
  private static final String CONFIG =
      """
      {
        "name": "small", "kind": "pixelcnn",
        "grid": {"rows": 7, "columns": 7, "codes": 128, "classes": %d},
        "pixelcnn": {"gated": true, "hidden": 8, "layers": 2, "first_kernel": 5, "kernel": 3, "head": 16},
        "transformer": null,
        "training": {"batch": 128, "epochs": 1, "learning_rate": 0.003, "cosine": false,
          "adam_epsilon": 1e-8, "epsilon_hat": false, "patience": 0,
          "warm_up": 0, "weight_decay": 0, "clip_norm": 0}
      }
      """;

  @BeforeAll
  static void train() throws IOException {
    run = folder.resolve("run");
    Outcome trained = tessera("train", "mnist", "--steps", 110, "--out", run, "--threads", 2);
    assertEquals(0, trained.code(), trained.err());
    Path config = folder.resolve("small.json");
    Files.writeString(config, CONFIG.formatted(10));
    Outcome outcome =
        tessera("prior", run, "--config", config, "--classes", "--threads", 2, "--json");
    assertEquals(0, outcome.code(), outcome.err());
    JsonNode figures = JsonMapper.shared().readTree(outcome.out());
    assertEquals(343, figures.get("uniform_bits").asDouble(), 1e-9);
    double floor = figures.get("position_entropy_bits").asDouble();
    assertTrue(floor > 0 && floor < 343, outcome.out());
    assertEquals(
        figures.get("held_out_nats").asDouble() * 49 / Math.log(2),
        figures.get("held_out_bits").asDouble(),
        1e-6);
    assertEquals(9000, figures.get("train_images").asInt());
    assertTrue(outcome.err().contains("small on the codes of"), outcome.err());
  }

  private static int[] codes(Path file) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      HostArray array = Npy.read(file, arena);
      return array.toInts();
    }
  }

  @Test
  void theFoldersHoldEverything() throws IOException {
    assertTrue(Files.isRegularFile(run.resolve("codes.safetensors")));
    for (String name :
        List.of(
            "config.json",
            "prior.json",
            "checkpoint.safetensors",
            "best.safetensors",
            "metrics.csv",
            "samples.png",
            "samples.npy",
            "epochs/1.png")) {
      assertTrue(Files.isRegularFile(run.resolve("priors/small").resolve(name)), name);
    }
    PixelImage picture = ImageFiles.read(run.resolve("priors/small/samples.png"));
    assertEquals(10 * 30 - 2, picture.width()); // a column a class
    PixelImage early = ImageFiles.read(run.resolve("priors/small/epochs/1.png"));
    assertEquals(10 * 30 - 2, early.width());
    assertEquals(2 * 30 - 2, early.height());
  }

  @Test
  void theRunsPageShowsThePriorBesideWhatItShowedBefore() throws IOException {
    String page = Files.readString(run.resolve("report.html"));
    for (String text : List.of("Prior: small", "all codes alike", "epoch 1: ", "Reconstructions")) {
      assertTrue(page.contains(text), text);
    }
    // 32 pairs, samples of the epoch, samples of the end
    assertEquals(66, page.split("src=\"data:image/png", -1).length - 1);
  }

  @Test
  void sampling() throws IOException {
    Path picture = folder.resolve("a.png");
    Outcome outcome = tessera("sample", run, "-n", 20, "--seed", 3, "--out", picture);
    assertEquals(0, outcome.code(), outcome.err());
    int[] first = codes(folder.resolve("a.npy"));
    assertEquals(20 * 49, first.length);
    Path other = folder.resolve("b.png");
    assertEquals(
        0,
        tessera("sample", run, "-n", 20, "--seed", 3, "--batch", 7, "--threads", 1, "--out", other)
            .code());
    assertArrayEquals(first, codes(folder.resolve("b.npy")));
    assertArrayEquals(Files.readAllBytes(picture), Files.readAllBytes(other));
    assertEquals(
        0, tessera("sample", run, "-n", 20, "--seed", 4, "--class", 7, "--out", other).code());
    assertTrue(!Arrays.equals(first, codes(folder.resolve("b.npy"))));
  }

  @Test
  void completion() throws IOException {
    Path images = folder.resolve("images");
    Files.createDirectories(images);
    Path image = images.resolve("x.png");
    byte[] pixels = new byte[28 * 28];
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] = (byte) (i % 28 > 10 && i % 28 < 16 ? 255 : 0);
    }
    ImageFiles.writePng(image, new PixelImage(28, 28, 1, pixels));
    Path whole = folder.resolve("whole.npy");
    assertEquals(0, tessera("encode", run, image, "--out", whole).code());
    Path out = folder.resolve("completed.png");
    Outcome outcome =
        tessera("sample", run, "-n", 10, "--complete", image, "--rows", 3, "--out", out);
    assertEquals(0, outcome.code(), outcome.err());
    int[] completed = codes(folder.resolve("completed.npy"));
    int[] given = Arrays.copyOf(codes(whole), 3 * 7);
    for (int i = 0; i < 10; i++) {
      assertArrayEquals(given, Arrays.copyOfRange(completed, i * 49, i * 49 + given.length));
    }
  }

  @Test
  void wrongInputGetsOneLineAndCodeTwo() throws IOException {
    Path plain = folder.resolve("plain.json");
    Files.writeString(plain, CONFIG.formatted(0));
    refused(List.of("classes", "grid"), "prior", run, "--config", plain, "--classes");
    refused(List.of("priors/small", "already", "--resume"), "prior", run, "--name", "small");
    refused(List.of("letters"), "prior", run, "--name", "../x");
    refused(List.of("pixelcn", "keras-pixelcnn"), "prior", run, "--config", "pixelcn");
    refused(List.of("--kind"), "prior", run, "--kind", "gan");
    refused(List.of("--tied", "transformer"), "prior", run, "--tied");
    refused(List.of("--threads"), "prior", run, "--threads", 0);
    refused(List.of("training.batch"), "prior", run, "--batch", 0, "--name", "b");
    refused(List.of("classes"), "prior", run, "--config", "keras-pixelcnn", "--classes");
    refused(List.of("not a folder"), "prior", folder.resolve("nowhere"));
    refused(List.of("no prior other", "small"), "sample", run, "--prior", "other");
    refused(List.of("--complete", "--rows"), "sample", run, "--rows", 2);
    refused(List.of("class", "10"), "sample", run, "--class", 10);
    refused(List.of("temperature"), "sample", run, "--temperature", -1);
    refused(List.of("top-p"), "sample", run, "--top-p", 0);
    refused(List.of("top-k"), "sample", run, "--top-k", 0);
    refused(List.of("at least 1"), "sample", run, "-n", 0);
    refused(List.of("--threads"), "sample", run, "--threads", 0);
    refused(List.of(".png"), "sample", run, "--out", folder.resolve("x.jpg"));
  }
}
