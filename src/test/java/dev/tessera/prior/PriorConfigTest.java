package dev.tessera.prior;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tessera.io.Json;
import dev.tessera.io.MalformedFileException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Configurations on disk, those that older versions wrote among them. */
class PriorConfigTest {
  private static final PriorConfig.Grid GRID = new PriorConfig.Grid(7, 7, 128, 10);

  @TempDir private Path folder;

  private PriorConfig read(String json) throws IOException {
    Path file = folder.resolve("config.json");
    Files.writeString(file, json);
    return PriorConfig.read(file);
  }

  @Test
  void whatIsWrittenIsRead() throws IOException {
    for (String name : PriorConfig.names()) {
      PriorConfig config = PriorConfig.named(name, GRID);
      assertEquals(config, read(Json.pretty(config)), name);
    }
    PriorConfig plain = PriorConfig.named("transformer", GRID);
    PriorConfig tied =
        new PriorConfig(
            "tied",
            plain.kind(),
            GRID,
            null,
            plain.requireTransformer().withTied(true),
            plain.training());
    assertEquals(tied, read(Json.pretty(tied)));
  }

  /** Files as they were before there was a transformer, and before its weights could be tied. */
  @Test
  void keysThatCameLaterHaveTheValuesOfBefore() throws IOException {
    PriorConfig first =
        read(
            """
            {"name": "pixelcnn", "kind": "pixelcnn",
             "grid": {"rows": 7, "columns": 7, "codes": 128, "classes": 10},
             "pixelcnn": {"gated": true, "hidden": 64, "layers": 6, "first_kernel": 7, "kernel": 3,
                          "head": 256},
             "training": {"batch": 128, "epochs": 15, "learning_rate": 1e-3, "cosine": true,
                          "adam_epsilon": 1e-8, "epsilon_hat": false, "patience": 0}}
            """);
    assertEquals(PriorConfig.named("pixelcnn", GRID), first);
    PriorConfig config = PriorConfig.named("transformer", GRID);
    String before = Json.pretty(config).replaceAll(",\\s*\"tied\"\\s*:\\s*false", "");
    assertTrue(!before.contains("tied"), before);
    assertEquals(config, read(before));
  }

  @Test
  void otherKeysMustBeThere() {
    String json = Json.pretty(PriorConfig.named("transformer", GRID));
    MalformedFileException missing =
        assertThrows(
            MalformedFileException.class,
            () -> read(json.replaceAll("\"patience\"\\s*:\\s*0,", "")));
    assertTrue(
        String.valueOf(missing.getMessage()).contains("'training.patience'"), missing::getMessage);
    MalformedFileException unknown =
        assertThrows(
            MalformedFileException.class, () -> read(json.replace("\"warm_up\"", "\"warmup\"")));
    assertTrue(String.valueOf(unknown.getMessage()).contains("warmup"), unknown::getMessage);
  }
}
