package dev.tessera.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class JsonTest {
  private static final Run RUN =
      new Run("mnist", new Training(128, 1e-3, Mode.EMA), List.of(32, 64), null);

  @TempDir Path folder;

  enum Mode {
    EMA,
    CODEBOOK_LOSS
  }

  record Training(int batchSize, double learningRate, Mode mode) {
    Training {
      if (batchSize < 1) {
        throw new IllegalArgumentException("batch_size must be at least 1 and is " + batchSize);
      }
    }
  }

  record Run(String name, Training training, List<Integer> widths, @Nullable String note) {}

  record Figures(double loss, float psnr, double best) {}

  @Test
  void recordsComeBackAndKeysAreSnakeCaseInOrderOfComponents() throws IOException {
    Path file = folder.resolve("config.json");
    Json.write(file, RUN);
    assertEquals(
        """
        {
          "name" : "mnist",
          "training" : {
            "batch_size" : 128,
            "learning_rate" : 0.001,
            "mode" : "ema"
          },
          "widths" : [ 32, 64 ],
          "note" : null
        }
        """,
        Files.readString(file));
    assertEquals(RUN, Json.read(file, Run.class));
  }

  @Test
  void aLineHasNoNewlineAndNumbersThatAreNotFiniteAreNull() {
    assertEquals(
        "{\"loss\":null,\"psnr\":null,\"best\":0.5}",
        Json.line(new Figures(Double.NaN, Float.POSITIVE_INFINITY, 0.5)));
  }

  @Test
  void whatAFileLeavesOutComesFromTheDefaults() throws IOException {
    Path file = folder.resolve("config.json");
    Files.writeString(file, "{\"training\": {\"batch_size\": 32, \"mode\": \"codebook_loss\"}}");
    assertEquals(
        new Run("mnist", new Training(32, 1e-3, Mode.CODEBOOK_LOSS), List.of(32, 64), null),
        Json.readOver(file, RUN));
    Files.writeString(file, "{\"training\": {\"bach_size\": 32}}");
    Exception unknown = assertThrows(MalformedFileException.class, () -> Json.readOver(file, RUN));
    assertTrue(
        unknown
            .getMessage()
            .contains("unknown key 'training.bach_size'; did you mean 'batch_size'?"),
        unknown.getMessage());
    for (String bad :
        List.of(
            "",
            "[]",
            "3",
            "null",
            "{\"note\":" + "[".repeat(5000),
            "{\"name\":\"a\",\"name\":\"b\"}",
            "{} {}")) {
      Files.writeString(file, bad);
      assertThrows(MalformedFileException.class, () -> Json.readOver(file, RUN), bad);
    }
  }

  @Test
  void messagesSayWhatWouldBeRight() throws IOException {
    refuse(
        "{\"name\":\"a\",\n\"tranning\":{}}",
        "line 2, column",
        "unknown key 'tranning'; did you mean 'training'?");
    refuse("{\"name\":\"a\",\"name\":\"b\"}", "uplicate", "name");
    refuse("{\"name\":\"a\"}", "missing key 'training'");
    refuse(full("\"128\"", "0.001", "\"ema\""), "training.batch_size");
    refuse(full("1.5", "0.001", "\"ema\""), "training.batch_size");
    refuse(full("null", "0.001", "\"ema\""), "training.batch_size");
    refuse(full("99999999999", "0.001", "\"ema\""), "training.batch_size");
    refuse(full("0", "0.001", "\"ema\""), "batch_size must be at least 1 and is 0");
    refuse(full("1", "NaN", "\"ema\""), "NaN");
    refuse(full("1", "0.1", "\"emma\""), "training.mode");
    refuse(full("1", "0.1", "0"), "training.mode");
    refuse(full("1", "0.1", "\"ema\"") + "x", "line 1");
    refuse("null", "null");
    refuse("[".repeat(5000), "line 1");
    refuse("{\"name\":\"" + "a".repeat(Json.MAX_BYTES) + "\"}", "at most 1048576");
    refuse("{\"name\":\"\u00ff\"}".getBytes(StandardCharsets.ISO_8859_1), "at byte 9: not UTF-8");
  }

  @Test
  void damageIsOneKindOfException() throws IOException {
    SplittableRandom random = Seeds.fresh("JsonTest.damage");
    byte[] valid = Json.pretty(RUN).getBytes(StandardCharsets.UTF_8);
    Damage damage =
        new Damage(folder.resolve("config.json"), valid, file -> Json.read(file, Run.class));
    damage.truncate(valid.length, random, 0).flipBits(0, valid.length).mutate(random, 2000);
    assertTrue(damage.refused() > 2000, "refused " + damage.refused());
  }

  @Test
  void theNearestNameIsSuggestedOnlyIfItIsNear() {
    List<String> known = List.of("mnist", "keras-mnist", "sonnet-cifar10");
    assertEquals("; did you mean 'mnist'?", NearestName.hint("mnsit", known));
    assertEquals("; did you mean 'keras-mnist'?", NearestName.hint("Keras_MNIST", known));
    assertEquals("; known are keras-mnist, mnist, sonnet-cifar10", NearestName.hint("x", known));
    assertEquals("", NearestName.hint("x", List.of()));
  }

  private static String full(String batchSize, String rate, String mode) {
    return "{\"name\":\"a\",\"training\":{\"batch_size\":"
        + batchSize
        + ",\"learning_rate\":"
        + rate
        + ",\"mode\":"
        + mode
        + "},\"widths\":[],\"note\":null}";
  }

  private void refuse(String json, String... parts) throws IOException {
    for (String part : parts) {
      refuse(json.getBytes(StandardCharsets.UTF_8), part);
    }
  }

  private void refuse(byte[] json, String part) throws IOException {
    new Damage(folder.resolve("config.json"), json, file -> Json.read(file, Run.class))
        .mustRefuse(json, part);
  }
}
