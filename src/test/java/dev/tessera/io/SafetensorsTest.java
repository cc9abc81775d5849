package dev.tessera.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class SafetensorsTest {
  @TempDir Path folder;

  @Test
  void writesTheBytesOfTheReferenceImplementation() throws IOException {
    Map<String, HostArray> tensors = new LinkedHashMap<>();
    tensors.put("codes", HostArray.of(new byte[] {1, 2, 3}, 3));
    tensors.put("b", HostArray.of(new float[] {1, -2}, 2));
    tensors.put("a", HostArray.of(new float[] {0.5f}, 1, 1));
    Path file = folder.resolve("m.safetensors");
    Safetensors.write(file, tensors, Map.of("step", "7", "by", "tessera"));
    String header =
        "{\"__metadata__\":{\"by\":\"tessera\",\"step\":\"7\"},"
            + "\"a\":{\"dtype\":\"F32\",\"shape\":[1,1],\"data_offsets\":[0,4]},"
            + "\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]},"
            + "\"codes\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[12,15]}}";
    header += " ".repeat((8 - header.length() % 8) % 8);
    ByteBuffer expected = ByteBuffer.allocate(8 + header.length() + 15);
    expected.order(ByteOrder.LITTLE_ENDIAN).putLong(header.length());
    expected.put(header.getBytes(StandardCharsets.UTF_8));
    expected.putFloat(0.5f).putFloat(1).putFloat(-2).put(new byte[] {1, 2, 3});
    assertArrayEquals(expected.array(), Files.readAllBytes(file));
  }

  @Test
  void everythingComesBackAndTheOrderOfInsertionDoesNotMatter() throws IOException {
    SplittableRandom random = Seeds.fresh("SafetensorsTest.everythingComesBack");
    Map<String, HostArray> tensors = new LinkedHashMap<>();
    List<ElementType> types = List.of(ElementType.values());
    for (int i = 0; i < 40; i++) {
      ElementType type = types.get(random.nextInt(types.size()));
      long[] shape = random.longs(random.nextInt(4), 0, 6).toArray();
      byte[] data = Seeds.bytes(random, (int) HostArray.byteSize(type, shape));
      String name = "layer." + random.nextInt(100000) + (i % 5 == 0 ? "ä\"\\\n" : "");
      tensors.put(name, new HostArray(type, shape, MemorySegment.ofArray(data)));
    }
    Path one = folder.resolve("one.safetensors");
    Path two = folder.resolve("two.safetensors");
    Safetensors.write(one, tensors, Map.of("k", "v"));
    Safetensors.write(two, new HashMap<>(tensors), Map.of("k", "v"));
    assertArrayEquals(Files.readAllBytes(one), Files.readAllBytes(two));

    Safetensors read = Safetensors.read(one, Arena.ofAuto());
    assertEquals(Map.of("k", "v"), read.metadata());
    assertEquals(
        List.copyOf(new TreeSet<>(tensors.keySet())), List.copyOf(read.tensors().keySet()));
    tensors.forEach(
        (name, written) -> {
          HostArray found = read.tensors().get(name);
          assertEquals(written.toString(), String.valueOf(found));
          assertEquals(-1, found.data().mismatch(written.data()));
        });
  }

  @Test
  void manyMegabytesFromEveryKindOfMemory() throws IOException {
    SplittableRandom random = Seeds.fresh("SafetensorsTest.manyMegabytes");
    float[] values = new float[(1 << 20) + 3];
    values[0] = random.nextInt();
    values[values.length - 1] = random.nextInt();
    MemorySegment offHeap = Arena.ofAuto().allocate(values.length * 4L, 4);
    MemorySegment.copy(values, 0, offHeap, ValueLayout.JAVA_FLOAT, 0, values.length);
    long[] shape = {values.length};
    Path file = folder.resolve("large.safetensors");
    Safetensors.write(
        file,
        Map.of(
            "floats", new HostArray(ElementType.F32, shape, MemorySegment.ofArray(values)),
            "native", new HostArray(ElementType.F32, shape, offHeap)),
        Map.of());
    Safetensors read = Safetensors.read(file, Arena.ofAuto());
    assertArrayEquals(values, read.get("floats", ElementType.F32, shape).toFloats());
    assertArrayEquals(values, read.get("native", ElementType.F32, shape).toFloats());
  }

  @Test
  void damageIsOneKindOfExceptionAndTakesNoMemory() throws IOException {
    SplittableRandom random = Seeds.fresh("SafetensorsTest.damage");
    Path source = folder.resolve("valid.safetensors");
    Safetensors.write(
        source,
        Map.of(
            "encoder.weight", HostArray.of(new float[] {1, 2, 3, 4}, 2, 2),
            "codes", HostArray.of(new int[] {1, 2, 3}, 3),
            "empty", HostArray.of(new double[0], 0, 7)),
        Map.of("step", "12"));
    byte[] valid = Files.readAllBytes(source);
    Damage damage = new Damage(folder.resolve("damaged.safetensors"), valid, this::read);
    damage.truncate(valid.length, random, 0).extend(1 << 12).flipBits(0, valid.length);
    damage.mutate(random, 3000);
    assertTrue(damage.refused() > 3000, "refused " + damage.refused());
  }

  @Test
  void messagesSayWhatWouldBeRight() throws IOException {
    String good = "\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}";
    read(write("{" + good + "}", 8));
    refuse("{" + good + "," + good + "}", 8, "uplicate");
    refuse("{" + good + "}", 9, "end at byte 8 of 9");
    refuse(
        "{" + good + ",\"b\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[4,8]}}", 8, "holes");
    refuse(
        "{" + good + ",\"b\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[9,13]}}",
        13,
        "holes");
    refuse(
        "{\"a\":{\"dtype\":\"BF16\",\"shape\":[2],\"data_offsets\":[0,4]}}", 4, "readable are F32");
    refuse("{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}}", 8, "takes 12");
    refuse("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}}", 8, "do not lie in");
    refuse("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,1e1]}}", 8, "must be");
    refuse("{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}", 8, ">= 0");
    refuse(
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]}}",
        0,
        "2^63");
    refuse("{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,8]}}", 8, "needs dtype, shape");
    refuse("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8],\"x\":1}}", 8, "'x'");
    refuse("{\"a\":[[[[[[[[[]]]]]]]]]}", 0, "must be");
    refuse("{\"__metadata__\":{\"a\":1}}", 0, "__metadata__.a");
    refuse(" {}", 0, "must begin with '{'");
    refuse("{} {}", 0, "after the header");
    byte[] huge = write("{" + good + "}", 8);
    ByteBuffer.wrap(huge).order(ByteOrder.LITTLE_ENDIAN).putLong(Long.MAX_VALUE);
    new Damage(folder.resolve("d.safetensors"), huge, this::read)
        .mustRefuse(huge, "a header of 92");
  }

  @Test
  void aMissingOrDifferentTensorIsNamed() throws IOException {
    Path file = folder.resolve("g.safetensors");
    Safetensors.write(file, Map.of("encoder.weight", HostArray.of(new float[6], 2, 3)), Map.of());
    Safetensors read = Safetensors.read(file, Arena.ofAuto());
    assertEquals(6, read.get("encoder.weight", ElementType.F32, 2, 3).elements());
    Exception missing =
        assertThrows(
            MalformedFileException.class, () -> read.get("encoder.wieght", ElementType.F32, 2, 3));
    assertTrue(
        missing.getMessage().contains("did you mean 'encoder.weight'?"), missing.getMessage());
    Exception shape =
        assertThrows(
            MalformedFileException.class, () -> read.get("encoder.weight", ElementType.F32, 3, 2));
    assertTrue(
        shape.getMessage().contains("is F32[2, 3] and should be F32[3, 2]"), shape.getMessage());
  }

  private void refuse(String header, int dataBytes, String part) throws IOException {
    byte[] file = write(header, dataBytes);
    new Damage(folder.resolve("c.safetensors"), file, this::read).mustRefuse(file, part);
  }

  private byte[] write(String header, int dataBytes) {
    byte[] json = header.getBytes(StandardCharsets.UTF_8);
    return ByteBuffer.allocate(8 + json.length + dataBytes)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(json.length)
        .put(json)
        .array();
  }

  private void read(byte[] bytes) throws IOException {
    Path file = folder.resolve("e.safetensors");
    Files.write(file, bytes);
    read(file);
  }

  private void read(Path file) throws IOException {
    CountingArena arena = new CountingArena();
    try {
      Safetensors.read(file, arena);
    } finally {
      assertTrue(arena.bytes() <= Files.size(file), arena.bytes() + " bytes");
    }
  }
}
