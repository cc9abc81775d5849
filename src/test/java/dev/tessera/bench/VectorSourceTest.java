package dev.tessera.bench;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tessera.io.HostArray;
import dev.tessera.io.Npy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where benchmarks take their vectors from. */
class VectorSourceTest {
  @TempDir private Path folder;

  private static Set<List<Float>> set(float[] rows, int d) {
    Set<List<Float>> set = new HashSet<>();
    for (int at = 0; at < rows.length; at += d) {
      List<Float> row = new ArrayList<>();
      for (int i = 0; i < d; i++) {
        row.add(rows[at + i]);
      }
      set.add(row);
    }
    return set;
  }

  @Test
  void gaussianVectorsAreAFunctionOfTheSeed() {
    VectorData one = new GaussianVectors(5).draw(50, 20, 6);
    VectorData two = new GaussianVectors(5).draw(50, 20, 6);
    assertArrayEquals(one.rows(), two.rows());
    assertArrayEquals(one.codes(), two.codes());
    assertNotEquals(one.rows()[0], new GaussianVectors(6).draw(50, 20, 6).rows()[0]);
  }

  @Test
  void rowsAreCollectedOnceInTheirOrder() {
    DistinctRows rows = new DistinctRows(2, 1);
    for (int i = 0; i < 5000; i++) {
      rows.add(new float[] {9, i % 1500, -i % 1500}, 1);
    }
    rows.add(new float[] {-0f, 0f}, 0);
    assertEquals(1500, rows.count());
    assertArrayEquals(new float[] {0, 0, 1, -1}, Arrays.copyOf(rows.toArray(), 4));
  }

  @Test
  void codesOfAFileComeFromRowsThatAreNotSearched() throws IOException {
    float[] values = new float[300];
    for (int i = 0; i < values.length; i++) {
      values[i] = i;
    }
    Path file = folder.resolve("rows.npy");
    Npy.write(file, HostArray.of(values, 100, 3));
    VectorData data = new FileVectors(file, null, 1).draw(60, 40, 3);
    assertEquals(60, set(data.rows(), 3).size());
    Set<List<Float>> codes = set(data.codes(), 3); // 40 codes of 40 rows: the rows themselves
    assertEquals(40, codes.size());
    codes.retainAll(set(data.rows(), 3));
    assertEquals(Set.of(), codes);
    assertThrows(
        IllegalArgumentException.class, () -> new FileVectors(file, null, 1).draw(61, 40, 3));
    assertThrows(
        IllegalArgumentException.class, () -> new FileVectors(file, null, 1).draw(10, 4, 5));
  }

  @Test
  void encoderOutputsAreTrainedOnceAndNeverTwiceTheSame() throws IOException {
    List<String> log = new ArrayList<>();
    EncoderVectors source = new EncoderVectors(folder, "test", 1, 1, log::add);
    VectorData own = source.draw(700, TrainedRun.CODES, 4);
    assertTrue(log.getFirst().contains("training"), log.toString());
    assertEquals(TrainedRun.CODES, own.k());
    assertEquals(700, set(own.rows(), 4).size());
    assertTrue(Files.exists(folder.resolve("mnist-k512-d4-epochs1/model.safetensors")));
    log.clear();
    VectorData again = source.draw(700, TrainedRun.CODES, 4);
    assertArrayEquals(own.rows(), again.rows());
    assertArrayEquals(own.codes(), again.codes());
    VectorData other = source.draw(100, 8, 4);
    assertEquals(8, other.k());
    assertTrue(other.description().contains("k-means"), other.description());
    assertEquals(List.of(), log);
  }
}
