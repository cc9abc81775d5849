package dev.tessera.report;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import dev.tessera.io.ImageFiles;
import dev.tessera.io.PixelImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ThumbnailTest {
  @TempDir private Path folder;

  @Test
  void theEmbeddedPictureIsTheImage() throws IOException {
    PixelImage image = ReportSamples.images(1, 32, 3, 9).getFirst();
    Thumbnail thumbnail = Thumbnail.of(image);
    Path file = folder.resolve("back.png");
    String base64 = thumbnail.source().substring("data:image/png;base64,".length());
    Files.write(file, Base64.getDecoder().decode(base64));
    assertArrayEquals(image.pixels(), ImageFiles.read(file).pixels());
    assertEquals(32, thumbnail.width());
  }

  @Test
  void shrinkingTakesMeans() {
    byte[] pixels = {0, 10, 100, 110, 7, 20, 30, 120, (byte) 250, 7};
    PixelImage small = Thumbnail.shrunk(new PixelImage(2, 5, 1, pixels), 2);
    assertEquals(1, small.height());
    assertEquals(2, small.width());
    assertArrayEquals(new byte[] {15, (byte) 145}, small.pixels());
  }

  @Test
  void coloursStayApart() {
    byte[] pixels = {1, 2, 3, 3, 4, 5, 5, 6, 7, 7, 8, 9};
    PixelImage small = Thumbnail.shrunk(new PixelImage(2, 2, 3, pixels), 2);
    assertArrayEquals(new byte[] {4, 5, 6}, small.pixels());
  }

  @Test
  void onlyLargeImagesShrink() throws IOException {
    PixelImage small = ReportSamples.images(1, 256, 1, 1).getFirst();
    assertSame(small, Thumbnail.shrunk(small, 1));
    assertEquals(256, Thumbnail.of(small).width());
    assertEquals(128, Thumbnail.of(ReportSamples.images(1, 257, 1, 1).getFirst()).width());
  }
}
