package dev.tessera.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tessera.io.Damage;
import dev.tessera.io.HostArray;
import dev.tessera.io.Npy;
import dev.tessera.io.Seeds;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class SeenImagesTest {
  @TempDir Path folder;

  @Test
  void seenImagesAreFoundByContentAfterAFileWasWrittenAndRead() throws IOException {
    SplittableRandom random = Seeds.fresh("SeenImagesTest.found");
    byte[] pixels = Seeds.bytes(random, 50 * 16);
    ImageDataset all = ImageDataset.of("all", 4, 4, 1, MemorySegment.ofArray(pixels), null);
    Path file = folder.resolve("seen.npy");
    SeenImages.of(all.select("trained", new int[] {3, 8, 3, 40})).write(file);
    SeenImages seen = SeenImages.read(file);
    assertEquals(3, seen.count());
    // Another copy of the pixels under another name: only content counts.
    ImageDataset copy =
        ImageDataset.of("copy", 4, 4, 1, MemorySegment.ofArray(pixels.clone()), null);
    ImageDataset tested = copy.select("tested", new int[] {7, 8, 9, 40, 3, 11});
    assertEquals(3, seen.countIn(tested));
    ImageDataset unseen = seen.without(tested);
    assertEquals("tested [3, 4, 4, 1]", unseen.toString());
    assertArrayEquals(copy.image(9).pixels(), unseen.image(1).pixels());
    assertEquals(0, seen.countIn(unseen));
  }

  @Test
  void damageIsOneKindOfException() throws IOException {
    SplittableRandom random = Seeds.fresh("SeenImagesTest.damage");
    Path file = folder.resolve("seen.npy");
    long[] hashes = random.longs(20).sorted().toArray();
    Npy.write(file, HostArray.of(hashes, hashes.length));
    byte[] valid = Files.readAllBytes(file);
    Damage damage = new Damage(file, valid, SeenImages::read);
    damage.truncate(valid.length, random, 0).flipBits(0, valid.length).mutate(random, 300);
    assertTrue(damage.refused() > 300, "refused " + damage.refused());
    Npy.write(file, HostArray.of(new long[] {1, 1}, 2));
    byte[] twice = Files.readAllBytes(file);
    damage.mustRefuse(twice, "hash 1 is not above");
    Npy.write(file, HostArray.of(new int[] {1, 2}, 2));
    damage.mustRefuse(Files.readAllBytes(file), "should be I64[n]");
  }
}
