package dev.tessera.benchmarks.harness;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tessera.io.HostArray;
import dev.tessera.io.Safetensors;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A wrong answer must not pass for the same one. */
class AgreementTest {
  @TempDir private Path folder;

  @Test
  void errorIsRelativeToTheSizeOfTheirs() throws IOException {
    Agreement.Difference d = between(HostArray.of(new float[] {3, 4.5f}, 2), floats(3, 4));
    assertEquals(0.1, d.error(), 1e-7);
    assertFalse(d.ok());
  }

  @Test
  void equalArraysAgreeEvenWhenZero() throws IOException {
    assertTrue(between(floats(0, 0), floats(0, 0)).ok());
  }

  @Test
  void somethingDoesNotAgreeWithZero() throws IOException {
    assertFalse(between(floats(0, 1e-30f), floats(0, 0)).ok());
  }

  @Test
  void nanAgreesWithNothing() throws IOException {
    assertFalse(between(floats(Float.NaN, 1), floats(1, 1)).ok());
    assertFalse(between(floats(1, 1), floats(Float.NaN, 1)).ok());
    assertFalse(between(floats(Float.NaN), floats(Float.NaN)).ok());
  }

  @Test
  void integersAreCountedWhereTheyDiffer() throws IOException {
    HostArray ours = HostArray.of(new int[] {1, 2, 3, 4}, 4);
    HostArray theirs = HostArray.of(new int[] {1, 2, 3, 5}, 4);
    assertEquals(0.25, between(ours, theirs).error());
  }

  @Test
  void anotherShapeIsRefused() {
    HostArray wide = HostArray.of(new float[] {1, 2}, 1, 2);
    assertThrows(IllegalStateException.class, () -> between(floats(1, 2), wide));
  }

  @Test
  void anotherSetOfOutputsIsRefused() throws IOException {
    Path a = write("a", Map.of("x", floats(1)));
    Path b = write("b", Map.of("x", floats(1), "y", floats(1)));
    assertThrows(IllegalStateException.class, () -> Agreement.between(a, b, name -> 1));
  }

  private Agreement.Difference between(HostArray ours, HostArray theirs) throws IOException {
    Path a = write("a", Map.of("x", ours));
    Path b = write("b", Map.of("x", theirs));
    List<Agreement.Difference> differences = Agreement.between(a, b, name -> 1e-3);
    assertEquals(1, differences.size());
    return differences.getFirst();
  }

  private Path write(String name, Map<String, HostArray> arrays) throws IOException {
    Path file = folder.resolve(name);
    Safetensors.write(file, arrays, Map.of());
    return file;
  }

  private static HostArray floats(float... values) {
    return HostArray.of(values, values.length);
  }
}
