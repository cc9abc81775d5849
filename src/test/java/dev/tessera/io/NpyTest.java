package dev.tessera.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class NpyTest {
  /** The preamble of version 1.0 with a header of 118 bytes, so that data begin at byte 128. */
  private static final String PREAMBLE = "934e554d505901007600";

  @TempDir Path folder;

  @Test
  void writesTheBytesOfNumpySave() throws IOException {
    // numpy.save of numpy.arange(6, dtype='<f4').reshape(2, 3), by numpy.lib.format.
    String dictionary = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
    byte[] expected =
        join(
            HexFormat.of().parseHex(PREAMBLE),
            pad(dictionary, 118),
            HexFormat.of().parseHex("000000000000803f0000004000004040000080400000a040"));
    Path file = folder.resolve("a.npy");
    Npy.write(file, HostArray.of(new float[] {0, 1, 2, 3, 4, 5}, 2, 3));
    assertArrayEquals(expected, Files.readAllBytes(file));
  }

  @Test
  void readsVersionTwoAndEitherQuoteAndAnyOrderOfKeys() throws IOException {
    String header = "{\"shape\": (3,), 'descr': '|u1', 'fortran_order': False}  \n";
    Path file = folder.resolve("b.npy");
    Files.write(
        file,
        join(
            HexFormat.of().parseHex("934e554d50590200"),
            new byte[] {(byte) header.length(), 0, 0, 0},
            header.getBytes(StandardCharsets.ISO_8859_1),
            new byte[] {7, 8, 9}));
    HostArray array = Npy.read(file, Arena.ofAuto());
    assertEquals("U8[3]", array.toString());
    assertArrayEquals(new byte[] {7, 8, 9}, array.data().toArray(ValueLayout.JAVA_BYTE));
  }

  @Test
  void everyTypeAndRankComesBackAsItWas() throws IOException {
    SplittableRandom random = Seeds.fresh("NpyTest.everyTypeAndRank");
    for (ElementType type : ElementType.values()) {
      for (int rank = 0; rank <= 5; rank++) {
        long[] shape = random.longs(rank, 0, 5).toArray();
        byte[] data = Seeds.bytes(random, (int) HostArray.byteSize(type, shape));
        Path file = folder.resolve(type + "-" + rank + ".npy");
        Npy.write(file, new HostArray(type, shape, MemorySegment.ofArray(data)));
        assertEquals(0, (Files.size(file) - data.length) % 64);
        HostArray read = Npy.read(file, Arena.ofAuto());
        assertEquals(type, read.type());
        assertArrayEquals(shape, read.shape());
        assertArrayEquals(data, read.data().toArray(ValueLayout.JAVA_BYTE));
        assertEquals(0, read.data().address() % 64);
      }
    }
  }

  @Test
  void damageIsOneKindOfExceptionAndTakesNoMemory() throws IOException {
    SplittableRandom random = Seeds.fresh("NpyTest.damage");
    Path source = folder.resolve("valid.npy");
    Npy.write(source, HostArray.of(random.doubles(60).toArray(), 3, 4, 5));
    byte[] valid = Files.readAllBytes(source);
    Damage damage = new Damage(folder.resolve("damaged.npy"), valid, this::read);
    damage.truncate(valid.length, random, 0).extend(1 << 12).flipBits(0, 140).mutate(random, 3000);
    assertTrue(damage.refused() > 3000, "refused " + damage.refused());
  }

  @Test
  void messagesSayWhatWouldBeRight() throws IOException {
    refuse("'<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4)", "dimension");
    refuse("'<f4', 'fortran_order': False, 'shape': (99999999999, 99999999999)", "2^63");
    refuse("'<f4', 'fortran_order': False, 'shape': (1000000000,)", "takes 4000000000");
    refuse("'>f4', 'fortran_order': False, 'shape': (1,)", "big-endian");
    refuse("'<f2', 'fortran_order': False, 'shape': (2,)", "readable are <f4");
    refuse("'|O', 'fortran_order': False, 'shape': (1,)", "readable are <f4");
    refuse("'<f4', 'fortran_order': True, 'shape': (1,)", "ascontiguousarray");
    refuse("'<f4', 'fortran_order': False, 'shape': (1)", "(n,)");
    refuse("'<f4', 'fortran_order': False, 'shape': (-1,)", "dimension");
    refuse("'<f4', 'fortran_order': False, 'shape': (1,), 'shape': (1,)", "twice");
    refuse("'<f4', 'fortran_order': False, 'shape': (1,), 'x': (1,)", "key 'x'");
    refuse("'<f4', 'fortran_order': False", "needs the keys");
    refuse("'<f4', 'fortran_order': False, 'shape': (1,), } + 1", "spaces and one newline");
  }

  @Test
  void toFloatsOfAnotherTypeIsRefused() {
    HostArray array = HostArray.of(new int[] {1}, 1);
    assertThrows(IllegalStateException.class, array::toFloats);
    assertThrows(IllegalArgumentException.class, () -> HostArray.of(new int[] {1}, 2));
    assertThrows(IllegalArgumentException.class, () -> HostArray.of(new int[] {1}, -1, -1));
  }

  private void refuse(String rest, String part) throws IOException {
    byte[] file =
        join(HexFormat.of().parseHex(PREAMBLE), pad("{'descr': " + rest + "}", 118), new byte[4]);
    new Damage(folder.resolve("c.npy"), file, this::read).mustRefuse(file, part);
  }

  private void read(Path file) throws IOException {
    CountingArena arena = new CountingArena();
    try {
      Npy.read(file, arena);
    } finally {
      assertTrue(arena.bytes() <= Files.size(file), arena.bytes() + " bytes");
    }
  }

  private static byte[] pad(String dictionary, int length) {
    byte[] header = new byte[length];
    Arrays.fill(header, (byte) ' ');
    byte[] text = dictionary.getBytes(StandardCharsets.ISO_8859_1);
    System.arraycopy(text, 0, header, 0, text.length);
    header[length - 1] = '\n';
    return header;
  }

  private static byte[] join(byte[]... parts) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      all.writeBytes(part);
    }
    return all.toByteArray();
  }
}
