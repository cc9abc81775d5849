package dev.tessera.cli;

import static dev.tessera.cli.Outcome.refused;
import static dev.tessera.cli.Outcome.tessera;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tessera.io.HostArray;
import dev.tessera.io.Npy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code tessera bench} on small shapes: what it says, not how fast anything is. */
class BenchCommandTest {
  @TempDir private Path folder;

  private static JsonNode json(Object... arguments) {
    Outcome outcome = tessera(arguments);
    assertEquals(0, outcome.code(), outcome.err());
    assertEquals(1, outcome.out().lines().count(), outcome.out());
    return JsonMapper.shared().readTree(outcome.out());
  }

  @Test
  void everyOpPrintsItsFigures() {
    for (String op : List.of("assign", "quantize", "update")) {
      JsonNode r = json("bench", op, "--n", 1500, "--k", 40, "--d", 12, "--repeats", 2, "--json");
      assertEquals("cpu", r.get("device").asString());
      assertEquals(1500, r.get("n").asInt());
      assertEquals(40, r.get("k").asInt());
      assertEquals(12, r.get("d").asInt());
      assertEquals(1, r.get("threads").asInt());
      for (String positive :
          new String[] {
            "seconds",
            "gflops",
            "fp32_peak_gflops",
            "ratio_to_fp32_peak",
            "sgemm_gflops",
            "ratio_to_sgemm",
            "candidates_per_row",
            "peak_extra_bytes",
            "codebook_bytes"
          }) {
        assertTrue(r.get(positive).asDouble() > 0, op + ": " + positive + " in " + r);
      }
      assertTrue(r.get("kernel").asString().length() > 3, r.toString());
      assertTrue(r.get("rescored_rows").asLong() >= 0);
      assertEquals(0, r.get("mismatches_vs_float64").asInt());
      assertEquals(1500, r.get("rows_checked").asInt());
      assertEquals(op.equals("assign"), r.get("output_mismatches").isNull());
      assertEquals(0, r.get("output_mismatches").asInt(0));
      assertEquals(op.equals("quantize"), !r.get("ratio_to_assign").isNull());
      long rows = 0;
      for (JsonNode bin : r.get("candidates_histogram")) {
        rows += bin.asLong();
      }
      assertEquals(1500, rows);
      double work = (op.equals("update") ? 12.0 : 2.0 * 40 * 12) * 1500;
      assertEquals(work / r.get("seconds").asDouble() / 1e9, r.get("gflops").asDouble(), 1e-9);
    }
  }

  @Test
  void rowsAndCodesComeFromFiles() throws IOException {
    float[] rows = new float[200 * 5];
    float[] codes = new float[7 * 5];
    for (int i = 0; i < rows.length; i++) {
      rows[i] = i % 37;
    }
    for (int i = 0; i < codes.length; i++) {
      codes[i] = i;
    }
    Path x = folder.resolve("x.npy");
    Path c = folder.resolve("c.npy");
    Npy.write(x, HostArray.of(rows, 200, 5));
    Npy.write(c, HostArray.of(codes, 7, 5));
    JsonNode r =
        json("bench", "assign", "--data", x, "--codebook", c, "--n", 200, "--repeats", 1, "--json");
    assertEquals(7, r.get("k").asInt());
    assertEquals(5, r.get("d").asInt());
    assertTrue(r.get("data").asString().contains("c.npy"), r.toString());
    refused(List.of("201"), "bench", "assign", "--data", x, "--codebook", c, "--n", 201);
    refused(List.of("--k 8"), "bench", "assign", "--data", x, "--codebook", c, "--n", 9, "--k", 8);
    refused(List.of("x.npy", "6"), "bench", "assign", "--data", x, "--n", 9, "--k", 3, "--d", 6);
    Files.write(x, new byte[] {1, 2, 3});
    refused(List.of("x.npy"), "bench", "assign", "--data", x);
  }

  @Test
  void wrongInputGetsOneLineAndCodeTwo() {
    refused(List.of("--n"), "bench", "assign", "--n", 0);
    refused(List.of("--k"), "bench", "assign", "--k", -1);
    refused(List.of("--d"), "bench", "quantize", "--d", 65_537);
    refused(List.of("--k times --d"), "bench", "assign", "--k", 1_000_000, "--d", 60_000);
    refused(List.of("--threads"), "bench", "update", "--threads", 0);
    refused(List.of("--repeats"), "bench", "assign", "--repeats", 0);
    refused(List.of("gaussian", "cauchy"), "bench", "assign", "--data", "cauchy");
    refused(List.of("nowhere.npy"), "bench", "assign", "--data", folder.resolve("nowhere.npy"));
    refused(List.of("--codebook"), "bench", "assign", "--codebook", folder.resolve("c.npy"));
    refused(List.of("cuda:1023"), "bench", "assign", "--device", "cuda:1023");
    refused(List.of("--k"), "bench", "sweep", "--k", "4,x", "--out", folder);
    refused(List.of("--d"), "bench", "sweep", "--d", "4,0", "--out", folder);
    refused(List.of("bogus"), "bench", "bogus");
  }

  @Test
  void aSweepComparesAllFamiliesAndWritesItsFiles() throws IOException {
    Path out = folder.resolve("sweep");
    JsonNode r =
        json(
            "bench",
            "sweep",
            "--k",
            "8,70",
            "--d",
            "16,3",
            "--n",
            200,
            "--repeats",
            1,
            "--out",
            out,
            "--json");
    assertEquals(4, r.get("shapes").size());
    assertEquals(0, r.get("mismatches_vs_float64").asInt());
    JsonNode first = r.get("shapes").get(0);
    assertEquals(3, first.get("d").asInt());
    assertEquals(8, first.get("k").asInt());
    assertTrue(first.get("chosen_slower_by").asDouble() >= 0);
    int families = first.get("families").size();
    assertEquals(5, families + r.get("unavailable").size());
    assertEquals(r, JsonMapper.shared().readTree(Files.readString(out.resolve("sweep.json"))));
    List<String> csv = Files.readAllLines(out.resolve("sweep.csv"));
    assertEquals(1 + 4 * families, csv.size());
    assertEquals(4, csv.stream().filter(line -> line.contains(",true,")).count());
    String svg = Files.readString(out.resolve("sweep.svg"));
    assertTrue(svg.startsWith("<svg") && svg.contains("portable") && svg.contains("D = 16"), svg);
  }
}
